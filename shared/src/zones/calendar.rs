//! What happens when: a function of the tick and the world file.

use crate::config::{CHARACTERS_MAX, DayConfig, EventConfig, FeatureConfig, WorldConfig, ZoneConfig, ZoneKind};
use crate::tick::{Tick, TickRate};

/// The days of a world, and what happens in them.
#[derive(Clone, Debug)]
pub struct Calendar {
    day: DayConfig,
    /// Days that are added to those that the ticks make.
    shift_days: f64,
    rate: TickRate,
    target: u32,
    hours_percent: Vec<f32>,
    zones: Vec<ZoneConfig>,
    events: Vec<EventConfig>,
    features: Vec<FeatureConfig>,
}

/// How things are at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// Days since the world began, the first is 0.
    pub day: u32,
    /// Hour of the day, from 0 to less than 24.
    pub hour_h: f32,
    /// Bit n: event n is on.
    pub events: u64,
    /// How many people and bots there are to be outside of all zones with numbers of their own.
    pub target: u32,
    /// How each zone is.
    pub zones: Vec<ZoneMoment>,
}

impl Moment {
    /// How many there are to be in all.
    pub fn target_in_all(&self) -> usize {
        let zones = self.zones.iter().filter_map(|zone| zone.target);
        zones.chain([self.target]).map(|target| target as usize).sum()
    }
}

/// How a zone is at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneMoment {
    /// What holds there.
    pub kind: ZoneKind,
    /// How many people and bots there are to be; none when it has no number of its own.
    pub target: Option<u32>,
}

impl Calendar {
    /// That of a world.
    pub fn new(config: &WorldConfig) -> Calendar {
        Calendar {
            day: config.day,
            shift_days: f64::from(config.day.begins_h) / 24.0,
            rate: TickRate::new(config.tick_rate_hz),
            target: config.population.target,
            hours_percent: config.population.hours_percent.clone(),
            zones: config.zones.clone(),
            events: config.events.clone(),
            features: config.features.clone(),
        }
    }

    /// Day and hour at a tick.
    pub fn hour(&self, tick: Tick) -> (u32, f32) {
        let days = self.days(tick).max(0.0);
        let hour_h = (days.fract() * 24.0) as f32;
        // Rounding may lead to 24.
        (days as u32, if hour_h < 24.0 { hour_h } else { 0.0 })
    }

    /// The same days go on by another file from a tick on: however long they are by now, the hour is what it was, unless the file says that the world
    /// begins at another, by which it is later.
    pub fn going_on_from(mut self, former: &Calendar, tick: Tick) -> Calendar {
        let later_days = f64::from(self.day.begins_h - former.day.begins_h) / 24.0;
        self.shift_days += former.days(tick) + later_days - self.days(tick);
        self
    }

    /// Days since midnight before the world began. Counted in whole ticks, as clients count.
    fn days(&self, tick: Tick) -> f64 {
        f64::from(tick.0) / f64::from(self.day_ticks()) + self.shift_days
    }

    /// How things are at a tick. O(zones + events).
    pub fn moment(&self, tick: Tick) -> Moment {
        let (day, hour_h) = self.hour(tick);
        let is_on = |event: &EventConfig| self.is_allowed(event) && is_during(event, day, hour_h);
        let on: Vec<(usize, &EventConfig)> = self.events.iter().enumerate().filter(|(_, event)| is_on(event)).collect();
        let events = on.iter().fold(0, |bits, (place, _)| bits | 1 << place);
        let in_zone = |event: &EventConfig, zone: usize| event.zones.is_empty() || event.zones.contains(&(zone as u32));
        let everywhere = on.iter().filter(|(_, event)| event.zones.is_empty());
        let share = everywhere.map(|(_, event)| event.population_percent / 100.0).product::<f32>();
        let zones = self.zones.iter().enumerate().map(|(place, zone)| {
            let here = || on.iter().map(|(_, event)| *event).filter(|event| in_zone(event, place));
            let share = here().map(|event| event.population_percent / 100.0).product::<f32>();
            let target = zone.population.map(|target| count(target, at_hour(&zone.hours_percent, hour_h) * share));
            let kind = here().filter_map(|event| event.zones_become).next_back().unwrap_or(zone.kind);
            ZoneMoment { kind, target }
        });
        let target = count(self.target, at_hour(&self.hours_percent, hour_h) * share);
        // However many events there are at once, a world does not grow without end: the last zones stay smaller.
        let mut room = CHARACTERS_MAX - target;
        let zones = zones.map(|zone| {
            let target = zone.target.map(|target| target.min(room));
            room -= target.unwrap_or(0);
            ZoneMoment { target, ..zone }
        });
        Moment { day, hour_h, events, target, zones: zones.collect() }
    }

    /// Ticks in a day, rounded; at least 1.
    pub fn day_ticks(&self) -> u32 {
        let ticks = f64::from(self.day.length_min) * 60.0 * f64::from(self.rate.hz());
        ticks.round().max(1.0) as u32
    }

    /// Its events.
    pub fn events(&self) -> &[EventConfig] {
        &self.events
    }

    /// Its zones.
    pub fn zones(&self) -> &[ZoneConfig] {
        &self.zones
    }

    fn is_allowed(&self, event: &EventConfig) -> bool {
        let feature = event.feature.map(|place| self.features.get(place as usize));
        feature.is_none_or(|feature| feature.is_some_and(|feature| feature.is_on))
    }
}

/// Whether an event is on at an hour, or goes on from the days before.
fn is_during(event: &EventConfig, day: u32, hour_h: f32) -> bool {
    let is_its_day = |day: Option<u32>| day.is_some_and(|day| day % event.every_days.max(1) == 0);
    let end_h = event.from_h + event.lasts_h;
    let is_on_today = is_its_day(Some(day)) && (event.from_h..end_h).contains(&hour_h);
    is_on_today || (is_its_day(day.checked_sub(1)) && hour_h < end_h - 24.0)
}

/// The share of the part of the day that an hour is in; 1 when there are none.
fn at_hour(hours_percent: &[f32], hour_h: f32) -> f32 {
    let place = (hour_h / 24.0 * hours_percent.len() as f32) as usize;
    hours_percent.get(place).or(hours_percent.last()).map_or(1.0, |percent| percent / 100.0)
}

/// A share of a number, at most as many as a world can have.
fn count(target: u32, share: f32) -> u32 {
    (f64::from(target) * f64::from(share)).round().clamp(0.0, f64::from(CHARACTERS_MAX)) as u32
}

#[cfg(test)]
mod tests;
