//! What is on now: hour, events, zones and features of a world.

use std::sync::Arc;

use bevy_ecs::prelude::{Res, ResMut, Resource};
use glam::Vec2;
use throng_bot_ai::BotWorld;
use throng_shared::config::{DayConfig, SafeZoneConfig, WorldConfig, ZoneKind};
use throng_shared::tick::{Tick, TickRate};
use throng_shared::zones::{Calendar, Features, Moment, Outline, SafeGround};

use crate::abilities::CombatRules;
use crate::instance::arm_bots;

/// The hour of a world, and what it brings.
#[derive(Resource, Clone, Debug)]
pub struct WorldHours {
    /// What happens when.
    pub calendar: Calendar,
    /// What is on for whom.
    pub features: Features,
    /// How things are since the last look.
    pub now: Moment,
    /// Where each of the zones is.
    pub outlines: Arc<[Outline]>,
    /// How many files it has gone by before.
    pub version: u32,
    /// For each zone, whether the director keeps its number.
    pub is_kept: Vec<bool>,
    /// Whether there is anything that clients have to be told.
    pub(super) is_told: bool,
    /// What clients have been told, where that is no longer so.
    pub(super) told_before: Option<ToldHours>,
    rate: TickRate,
    events_begun: u64,
}

/// What clients have been told.
#[derive(Clone, Debug)]
pub(super) struct ToldHours {
    pub(super) events: Vec<String>,
    /// None when features and days are as they were.
    pub(super) features: Option<Features>,
}

impl ToldHours {
    /// Whether it was nothing at all.
    pub(super) fn is_nothing(&self) -> bool {
        self.events.is_empty() && self.features.as_ref().is_none_or(Features::is_empty)
    }
}

impl WorldHours {
    /// Those of a world file, at a tick.
    pub(crate) fn new(config: &WorldConfig, tick: Tick) -> WorldHours {
        let calendar = Calendar::new(config);
        WorldHours {
            features: Features::new(&config.features, &config.zones),
            now: calendar.moment(tick),
            outlines: config.zones.iter().map(Outline::of).collect(),
            version: 0,
            is_kept: config.zones.iter().map(|zone| zone.population.is_some()).collect(),
            is_told: config.day != DayConfig::default() || !config.events.is_empty() || !config.features.is_empty(),
            told_before: None,
            rate: TickRate::new(config.tick_rate_hz),
            events_begun: 0,
            calendar,
        }
    }

    /// The same with another file, which counts on.
    pub(crate) fn replaced(&self, config: &WorldConfig, tick: Tick) -> WorldHours {
        let told = self.told_before.clone().unwrap_or_else(|| self.told());
        let told_before = Some(ToldHours { features: told.features.or_else(|| Some(self.features.clone())), ..told });
        let calendar = Calendar::new(config).going_on_from(&self.calendar, tick);
        let now = calendar.moment(tick);
        let version = self.version + 1;
        WorldHours {
            calendar,
            now,
            version,
            events_begun: self.events_begun,
            told_before,
            ..WorldHours::new(config, tick)
        }
    }

    /// The zone with a number of its own that a point (x, z) is in, the first of several. O(zones).
    pub(crate) fn kept_zone_at(&self, point_m: Vec2) -> Option<usize> {
        let is_in = |(outline, is_kept): (&Outline, &bool)| *is_kept && outline.contains(point_m);
        self.outlines.iter().zip(&self.is_kept).position(is_in)
    }

    /// Where nobody is hurt now, with what the abilities file says is always safe.
    pub(crate) fn safe_ground(&self, always_safe: &[SafeZoneConfig]) -> SafeGround {
        let kinds = self.now.zones.iter().map(|zone| zone.kind);
        SafeGround::new(always_safe, self.calendar.zones().iter().zip(kinds))
    }

    /// The names of the events that are on.
    pub fn events(&self) -> impl Iterator<Item = &str> {
        let is_on = |place: usize| self.now.events >> place & 1 == 1;
        let events = self.calendar.events().iter().enumerate();
        events.filter(move |(place, _)| is_on(*place)).map(|(_, event)| event.name.as_str())
    }

    /// What clients know when they have been told all.
    fn told(&self) -> ToldHours {
        ToldHours { events: self.events().map(str::to_owned).collect(), features: None }
    }

    /// How often an event has begun since the start.
    pub fn events_begun(&self) -> u64 {
        self.events_begun
    }
}

/// Looks at the clock of the world once a second, and lets begin and end what does.
pub(crate) fn keep_hours(
    tick: Res<Tick>,
    mut hours: ResMut<WorldHours>,
    mut bots: ResMut<BotWorld>,
    combat: Option<ResMut<CombatRules>>,
) {
    if !tick.0.is_multiple_of(hours.rate.hz()) {
        return;
    }
    let moment = hours.calendar.moment(*tick);
    let kinds = |moment: &Moment| -> Vec<ZoneKind> { moment.zones.iter().map(|zone| zone.kind).collect() };
    let have_kinds_changed = kinds(&moment) != kinds(&hours.now);
    hours.events_begun += u64::from((moment.events & !hours.now.events).count_ones());
    if moment.events != hours.now.events && hours.told_before.is_none() {
        hours.told_before = Some(hours.told());
    }
    hours.now = moment;
    if let Some(mut combat) = combat.filter(|_| have_kinds_changed) {
        combat.safe_ground = Arc::new(hours.safe_ground(&combat.config.safe_zones));
        bots.arms = arm_bots(&combat);
    }
}
