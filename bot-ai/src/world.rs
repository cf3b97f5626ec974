//! What all bots of an instance share.

use std::sync::Arc;

use bevy_ecs::prelude::Resource;
use glam::Vec3;
use throng_shared::archetypes::{ByArchetype, Gait};
use throng_shared::combat::Capsule;
use throng_shared::config::{BotProfileConfig, BotsConfig, PatrolConfig, PlaceConfig, WorldConfig};
use throng_shared::ids::{Archetype, NetId};
use throng_shared::map::Map;
use throng_shared::tick::{Tick, TickRate};

use crate::arms::Arms;
use crate::home::{Home, Homes};
use crate::mind::BotMind;
use crate::navigate::Navigation;
use crate::perceive::Percepts;
use crate::turns::{Turn, Turns};

/// What all bots of an instance share; it may be replaced between two ticks.
#[derive(Clone, Debug, Resource)]
pub struct BotWorld {
    /// Ground and obstacles.
    pub map: Arc<Map>,
    /// The ways around what stands on it.
    pub navigation: Arc<Navigation>,
    /// Goal weights, sight and think interval.
    pub rules: BotsConfig,
    /// What bots fight with, and those who stand in for people; none where they can do no harm.
    pub arms: [Option<Arc<Arms>>; Archetype::COUNT],
    /// How fast they go.
    pub gaits: ByArchetype<Gait>,
    /// Kinds of bots, which go by what they say instead of `rules`; there may be none.
    pub profiles: Arc<[BotProfileConfig]>,
    /// Where bots live.
    pub homes: Arc<Homes>,
    /// Where bots gather.
    pub places: Arc<[PlaceConfig]>,
    /// Routes to patrol.
    pub patrols: Arc<[PatrolConfig]>,
    /// Ticks per second.
    pub tick_rate: TickRate,
    /// By how much longer bots wait until they think than they would at leisure, in percent: all of it where they are near nobody, and up
    /// to [`NEAR_DELAY_PERCENT_MAX`] where people see them.
    pub think_delay_percent: u32,
    /// Bots that are farther than this from all people are seen by nobody, or from afar, and take their time; in metres.
    pub near_m: f32,
    /// For how many ticks an input is repeated when no other one is there.
    pub input_repeat_ticks: u32,
}

/// How many times as long those wait until they think who are near nobody.
const FAR_THINK_FACTOR: u32 = 4;

/// Most by which those wait longer who are near people, in percent.
pub const NEAR_DELAY_PERCENT_MAX: u32 = 100;

/// How long those go on with an input who are near nobody, in milliseconds; as much longer as they wait to think, when the server is busy.
const FAR_STEER_MS: u32 = 200;

impl BotWorld {
    /// What `config` says about bots; `map` is the one built from the same `config`.
    pub fn new(map: Arc<Map>, config: &WorldConfig) -> BotWorld {
        let navigation = Arc::new(Navigation::new(&map, &config.places, &config.patrols));
        BotWorld::with_ways(map, navigation, config)
    }

    /// The same world with what another `config` says about bots, of the same map; what is known of its ways is kept.
    pub fn with(&self, config: &WorldConfig) -> BotWorld {
        let is_same = *config.patrols == *self.patrols && *config.places == *self.places;
        let navigation = match is_same {
            true => Arc::clone(&self.navigation),
            false => Arc::new(self.navigation.to_other_places(&config.places, &config.patrols)),
        };
        BotWorld {
            think_delay_percent: self.think_delay_percent,
            ..BotWorld::with_ways(Arc::clone(&self.map), navigation, config)
        }
    }

    fn with_ways(map: Arc<Map>, navigation: Arc<Navigation>, config: &WorldConfig) -> BotWorld {
        let kinds = config.bot_profiles.iter().map(|profile| &profile.bots);
        let sights_m = kinds.chain([&config.bots]).map(|bots| bots.sight_m);
        BotWorld {
            navigation,
            map,
            rules: config.bots.clone(),
            arms: [const { None }; Archetype::COUNT],
            gaits: Gait::of_all(&config.movement, &config.archetypes),
            profiles: config.bot_profiles.as_slice().into(),
            homes: Arc::new(Homes::new(config)),
            places: config.places.as_slice().into(),
            patrols: config.patrols.as_slice().into(),
            tick_rate: TickRate::new(config.tick_rate_hz),
            think_delay_percent: 0,
            // Pages reach beyond the radius; and whoever sees people is quick to mind them.
            near_m: sights_m.fold(1.5 * config.interest.leave_radius_m, f32::max),
            input_repeat_ticks: config.input_repeat_ticks,
        }
    }

    /// What kind of bot somebody is; none where there are no kinds, or none has a share, and for stand-ins.
    pub(crate) fn profile_of(&self, mind: &BotMind) -> Option<&BotProfileConfig> {
        self.kind_of(mind).and_then(|place| self.profiles.get(place))
    }

    /// Which of the [`BotWorld::profiles`] a bot is of.
    pub fn kind_of(&self, mind: &BotMind) -> Option<usize> {
        if self.profiles.is_empty() || mind.archetype.is_player() {
            return None;
        }
        draw_kind(mind.temper, || self.shares(mind.home))
    }

    /// The kinds that live somewhere, with their shares.
    pub fn shares(&self, home: Home) -> impl Iterator<Item = (usize, f64)> + '_ {
        let lives_here = move |profile: &BotProfileConfig| {
            let zone = home.place().map(|place| place as u32);
            let is_zone = profile.zones.is_empty() || zone.is_some_and(|zone| profile.zones.contains(&zone));
            // Who guards something lives where that is.
            is_zone && profile.guards.is_none_or(|place| self.homes.has_place(home, place))
        };
        let here = self.profiles.iter().enumerate().filter(move |(_, profile)| lives_here(profile));
        here.map(|(place, profile)| (place, f64::from(profile.share.max(0.0))))
    }

    /// A temper that makes a bot of this kind, where it lives: anyone, by `draw` from 0 to 1. None where no bot is of it.
    pub fn temper_of(&self, home: Home, kind: usize, draw: f32) -> Option<u32> {
        let sum: f64 = self.shares(home).map(|(_, share)| share).sum();
        let before: f64 = self.shares(home).take_while(|(place, _)| *place != kind).map(|(_, share)| share).sum();
        let (_, share) = self.shares(home).find(|(place, share)| *place == kind && *share > 0.0)?;
        // Not at the ends, where rounding could lead to a neighbour.
        let lot = (before + share * f64::from(draw.clamp(0.001, 0.999))) / sum;
        Some((lot * (f64::from(u32::MAX) + 1.0)) as u32)
    }

    /// What a bot goes by.
    pub(crate) fn rules_of(&self, mind: &BotMind) -> &BotsConfig {
        self.profile_of(mind).map_or(&self.rules, |profile| &profile.bots)
    }

    /// What characters of an archetype fight with.
    pub(crate) fn arms_of(&self, archetype: Archetype) -> Option<&Arms> {
        self.arms[usize::from(archetype.number())].as_deref()
    }

    /// Of which archetype a bot is by its kind; that of people, while it stands in for one.
    pub fn archetype_of(&self, mind: &BotMind) -> Archetype {
        let is_stand_in = mind.archetype.is_player();
        let common = if is_stand_in { Archetype::PLAYER } else { Archetype::BOT };
        self.profile_of(mind).map_or(common, |profile| profile.archetype)
    }

    /// How fast a bot goes.
    pub(crate) fn gait_of(&self, mind: &BotMind) -> Gait {
        self.gaits.of(mind.archetype)
    }

    /// The body of somebody who was seen, with its feet here.
    pub(crate) fn body_of(&self, percepts: &Percepts, net_id: NetId, feet_m: Vec3) -> Capsule {
        self.map.bodies.of(percepts.archetype_of(net_id).unwrap_or(Archetype::BOT)).at(feet_m)
    }

    /// The kinds that live somewhere and are as people are.
    fn kinds_like_people(&self, home: Home) -> impl Iterator<Item = (usize, f64)> + '_ {
        let shared = self.shares(home).filter(|(_, share)| *share > 0.0);
        shared.filter(|&(kind, _)| self.profiles[kind].archetype == Archetype::BOT)
    }

    /// Whether bots that are as people are live somewhere.
    pub fn has_people_like_bots(&self, home: Home) -> bool {
        let has_kinds = self.shares(home).any(|(_, share)| share > 0.0);
        !has_kinds || self.kinds_like_people(home).next().is_some()
    }

    /// Makes a bot one of those, unless it is, if there are any where it lives.
    pub fn make_people_like(&self, mind: &mut BotMind) {
        if self.archetype_of(mind) == Archetype::BOT {
            return;
        }
        let kind = draw_kind(mind.temper, || self.kinds_like_people(mind.home));
        if let Some(temper) = kind.and_then(|kind| self.temper_of(mind.home, kind, 0.5)) {
            mind.temper = temper;
        }
    }

    /// Which bots look around and think in this tick.
    pub(crate) fn think_turns(&self, tick: Tick) -> Turns {
        let interval_ticks = |factor: u32, delay_percent_max: u32| {
            let percent = 100_u32.saturating_add(self.think_delay_percent.min(delay_percent_max));
            let interval_ms = u64::from(self.rules.think_interval_ms) * u64::from(factor) * u64::from(percent) / 100;
            self.tick_rate.ticks_for_ms(u32::try_from(interval_ms).unwrap_or(u32::MAX))
        };
        Turns::new(tick, interval_ticks(1, NEAR_DELAY_PERCENT_MAX), interval_ticks(FAR_THINK_FACTOR, u32::MAX))
    }

    /// Which bots steer in this tick.
    pub(crate) fn steer_turns(&self, tick: Tick) -> Turns {
        let [near_ticks, far_ticks] = [true, false].map(|is_near| self.steer_ticks(is_near));
        Turns::new(tick, near_ticks, far_ticks)
    }

    /// For how many ticks a bot goes on with one input.
    pub(crate) fn steer_ticks(&self, is_near: bool) -> u32 {
        let longest_ms = FAR_STEER_MS.saturating_mul(self.think_delay_percent.saturating_add(100)) / 100;
        // One input is repeated for so long, and then a second one, which is made with it.
        let inputs = if self.think_delay_percent > 0 { 2 } else { 1 };
        let longest = self.tick_rate.ticks_for_ms(longest_ms).min(inputs * self.repeated_ticks());
        if is_near { 1 } else { longest.max(1) }
    }

    /// For how many ticks one input lasts, with those in which it is repeated.
    pub(crate) fn repeated_ticks(&self) -> u32 {
        self.input_repeat_ticks + 1
    }

    /// Whether something is due in this tick that each bot does once in `interval_ms`, neighbouring ids one tick apart.
    pub(crate) fn is_due_every(&self, interval_ms: u32, tick: Tick, net_id: NetId) -> bool {
        Turn::new(tick, self.tick_rate.ticks_for_ms(interval_ms)).is_of(net_id)
    }

    /// The number of ticks in a duration, rounded down; 0 for one that is negative or not a number.
    pub(crate) fn ticks_for_s(&self, duration_s: f32) -> u32 {
        (duration_s * self.tick_rate.hz() as f32) as u32
    }

    /// Seconds from `earlier` to `later`; 0 when `earlier` is later.
    pub(crate) fn seconds_between(&self, earlier: Tick, later: Tick) -> f32 {
        later.since(earlier) as f32 * self.tick_rate.step_s()
    }
}

/// The kind that a temper draws among these, by their shares; none where none has a share.
fn draw_kind<Shares: Iterator<Item = (usize, f64)>>(temper: u32, shares: impl Fn() -> Shares) -> Option<usize> {
    let sum: f64 = shares().map(|(_, share)| share).sum();
    let mut drawn = f64::from(temper) / (f64::from(u32::MAX) + 1.0) * sum;
    shares().find_map(|(kind, share)| {
        drawn -= share;
        (drawn < 0.0).then_some(kind)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::open_world;

    #[test]
    fn each_bot_thinks_once_per_interval_and_not_all_at_once() {
        let mut world = open_world();
        world.rules.think_interval_ms = 250;
        for bot in 0..20 {
            assert_eq!((100..105).filter(|&tick| world.think_turns(Tick(tick)).is_of(NetId(bot), true)).count(), 1);
        }
        assert_eq!((0..20).filter(|&bot| world.think_turns(Tick(100)).is_of(NetId(bot), true)).count(), 4);
    }

    #[test]
    fn a_busy_server_makes_bots_wait_those_first_who_are_near_nobody() {
        let mut world = open_world();
        world.rules.think_interval_ms = 250;
        let thoughts_in_a_minute = |world: &BotWorld, is_near| {
            let ticks = 60 * world.tick_rate.hz();
            (0..ticks).filter(|&tick| world.think_turns(Tick(tick)).is_of(NetId(7), is_near)).count()
        };
        let at_leisure = [true, false].map(|is_near| thoughts_in_a_minute(&world, is_near));
        assert_eq!(at_leisure, [240, 60]);
        world.think_delay_percent = 50;
        assert_eq!([true, false].map(|is_near| thoughts_in_a_minute(&world, is_near)), [150, 40]);
        world.think_delay_percent = 300;
        assert_eq!([true, false].map(|is_near| thoughts_in_a_minute(&world, is_near)), [120, 15]);
    }

    #[test]
    fn an_interval_of_nothing_means_every_tick() {
        let mut world = open_world();
        world.rules.think_interval_ms = 0;
        assert!((0..10).all(|tick| world.think_turns(Tick(tick)).is_of(NetId(3), true)));
    }
}
