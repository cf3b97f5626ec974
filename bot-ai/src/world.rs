//! What all bots of an instance share.

use std::sync::Arc;

use bevy_ecs::prelude::Resource;
use throng_shared::config::{BotProfileConfig, BotsConfig, PatrolConfig, PlaceConfig, WorldConfig};
use throng_shared::ids::{Archetype, NetId};
use throng_shared::map::Map;
use throng_shared::tick::{Tick, TickRate};

use crate::arms::Arms;
use crate::mind::BotMind;
use crate::navigate::Navigation;

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
    pub arms: [Option<Arc<Arms>>; 2],
    /// Kinds of bots, which go by what they say instead of `rules`; there may be none.
    pub profiles: Arc<[BotProfileConfig]>,
    /// Where bots gather.
    pub places: Arc<[PlaceConfig]>,
    /// Routes to patrol.
    pub patrols: Arc<[PatrolConfig]>,
    /// Ticks per second.
    pub tick_rate: TickRate,
    /// Bots that are farther than this from all people are seen by nobody, or from afar, and take their time; in metres.
    pub near_m: f32,
    /// For how many ticks an input is repeated when no other one is there.
    pub input_repeat_ticks: u32,
}

/// How many times as long those wait until they think who are near nobody.
const FAR_THINK_FACTOR: u32 = 4;

/// How long those go on with an input who are near nobody, in milliseconds.
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
        BotWorld::with_ways(Arc::clone(&self.map), navigation, config)
    }

    fn with_ways(map: Arc<Map>, navigation: Arc<Navigation>, config: &WorldConfig) -> BotWorld {
        let kinds = config.bot_profiles.iter().map(|profile| &profile.bots);
        let sights_m = kinds.chain([&config.bots]).map(|bots| bots.sight_m);
        BotWorld {
            navigation,
            map,
            rules: config.bots.clone(),
            arms: [None, None],
            profiles: config.bot_profiles.as_slice().into(),
            places: config.places.as_slice().into(),
            patrols: config.patrols.as_slice().into(),
            tick_rate: TickRate::new(config.tick_rate_hz),
            // Pages reach beyond the radius; and whoever sees people is quick to mind them.
            near_m: sights_m.fold(1.5 * config.interest.leave_radius_m, f32::max),
            input_repeat_ticks: config.input_repeat_ticks,
        }
    }

    /// What kind of bot somebody is; none where there are no kinds, or none has a share, and for stand-ins.
    pub(crate) fn profile_of(&self, mind: &BotMind) -> Option<&BotProfileConfig> {
        self.profiles.get(self.kind_of(mind)?)
    }

    /// Which of the profiles that is.
    pub(crate) fn kind_of(&self, mind: &BotMind) -> Option<usize> {
        if self.profiles.is_empty() || mind.archetype == Archetype::Player {
            return None;
        }
        let shares = || self.profiles.iter().map(|profile| f64::from(profile.share.max(0.0)));
        let mut drawn = f64::from(mind.temper) / (f64::from(u32::MAX) + 1.0) * shares().sum::<f64>();
        shares().position(|share| {
            drawn -= share;
            drawn < 0.0
        })
    }

    /// What a bot goes by.
    pub(crate) fn rules_of(&self, mind: &BotMind) -> &BotsConfig {
        self.profile_of(mind).map_or(&self.rules, |profile| &profile.bots)
    }

    /// What characters of an archetype fight with.
    pub(crate) fn arms_of(&self, archetype: Archetype) -> Option<&Arms> {
        self.arms.get(archetype as usize)?.as_deref()
    }

    /// Whether a bot looks around and thinks in this tick.
    pub(crate) fn is_due(&self, tick: Tick, net_id: NetId, is_near: bool) -> bool {
        let factor = if is_near { 1 } else { FAR_THINK_FACTOR };
        self.is_due_every(self.rules.think_interval_ms.saturating_mul(factor), tick, net_id)
    }

    /// For how many ticks a bot goes on with one input.
    pub(crate) fn steer_ticks(&self, is_near: bool) -> u32 {
        let longest = self.tick_rate.ticks_for_ms(FAR_STEER_MS).min(self.input_repeat_ticks + 1);
        if is_near { 1 } else { longest.max(1) }
    }

    /// Whether something is due in this tick that each bot does once in `interval_ms`, neighbouring ids one tick apart.
    pub(crate) fn is_due_every(&self, interval_ms: u32, tick: Tick, net_id: NetId) -> bool {
        let interval_ticks = self.tick_rate.ticks_for_ms(interval_ms).max(1);
        tick.0 % interval_ticks == net_id.0 % interval_ticks
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::open_world;

    #[test]
    fn each_bot_thinks_once_per_interval_and_not_all_at_once() {
        let mut world = open_world();
        world.rules.think_interval_ms = 250;
        for bot in 0..20 {
            assert_eq!((100..105).filter(|&tick| world.is_due(Tick(tick), NetId(bot), true)).count(), 1);
        }
        assert_eq!((0..20).filter(|&bot| world.is_due(Tick(100), NetId(bot), true)).count(), 4);
    }

    #[test]
    fn an_interval_of_nothing_means_every_tick() {
        let mut world = open_world();
        world.rules.think_interval_ms = 0;
        assert!((0..10).all(|tick| world.is_due(Tick(tick), NetId(3), true)));
    }
}
