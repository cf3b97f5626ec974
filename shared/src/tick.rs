//! Simulation time.

use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A simulation step, counted from 0 when the world starts.
///
/// At 128 Hz a `u32` lasts 388 days; the arithmetic saturates instead of wrapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ecs", derive(bevy_ecs::prelude::Resource))]
pub struct Tick(pub u32);

impl Tick {
    /// Ticks from `earlier` to `self`; 0 when `earlier` is later.
    pub fn since(self, earlier: Tick) -> u32 {
        self.0.saturating_sub(earlier.0)
    }

    /// Signed ticks from `other` to `self`.
    pub fn signed_since(self, other: Tick) -> i64 {
        i64::from(self.0) - i64::from(other.0)
    }
}

impl Add<u32> for Tick {
    type Output = Tick;
    fn add(self, ticks: u32) -> Tick {
        Tick(self.0.saturating_add(ticks))
    }
}

impl Sub<u32> for Tick {
    type Output = Tick;
    fn sub(self, ticks: u32) -> Tick {
        Tick(self.0.saturating_sub(ticks))
    }
}

/// How often the simulation steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickRate {
    hz: u32,
}

impl TickRate {
    /// Slowest and fastest rate, in Hz; the world reader refuses others.
    pub const RANGE_HZ: std::ops::RangeInclusive<u32> = 10..=128;

    /// A rate of `hz` ticks per second, brought into [`TickRate::RANGE_HZ`].
    pub fn new(hz: u32) -> TickRate {
        TickRate { hz: hz.clamp(*Self::RANGE_HZ.start(), *Self::RANGE_HZ.end()) }
    }

    /// Ticks per second.
    pub fn hz(self) -> u32 {
        self.hz
    }

    /// Length of one tick, in seconds, as the simulation uses it.
    pub fn step_s(self) -> f32 {
        1.0 / self.hz as f32
    }

    /// Length of one tick, in milliseconds.
    pub fn step_ms(self) -> f64 {
        1000.0 / f64::from(self.hz)
    }

    /// The moment at which `tick` is due, counted from the moment at which tick 0 was; exact, so that deadlines
    /// computed from it do not drift.
    pub fn due(self, tick: Tick) -> Duration {
        Duration::from_nanos(u64::from(tick.0) * 1_000_000_000 / u64::from(self.hz))
    }

    /// The number of whole ticks that last at least `duration_ms`.
    pub fn ticks_for_ms(self, duration_ms: u32) -> u32 {
        (u64::from(duration_ms) * u64::from(self.hz)).div_ceil(1000) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_do_not_drift_at_rates_that_do_not_divide_a_second() {
        let rate = TickRate::new(60);
        assert_eq!(rate.due(Tick(60 * 3600)), Duration::from_secs(3600));
        assert_eq!(rate.due(Tick(1)), Duration::from_nanos(16_666_666));
    }

    #[test]
    fn a_duration_is_rounded_up_to_whole_ticks() {
        assert_eq!(TickRate::new(20).ticks_for_ms(250), 5);
        assert_eq!(TickRate::new(20).ticks_for_ms(251), 6);
    }
}
