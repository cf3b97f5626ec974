//! Timers of a game's rules, which say what time they count in.
//!
//! When a world cannot keep up, its time may run slower than the wall's. A cooldown or a flight must slow down with it; a vote that
//! people wait for, or a daily event, must not.

use std::time::Duration;

use bevy_ecs::prelude::Resource;
use throng_shared::tick::{Tick, TickRate};

/// When the tick began, on the host's own scale. It comes with the tick's batch, so that a tick stays a function of what goes into it.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WallTime(pub Duration);

/// Something that is over at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// In simulation time, which slows down with the world.
    Simulation {
        /// The first tick in which it is over.
        ends: Tick,
    },
    /// In wall time.
    Wall {
        /// When it is over.
        ends: Duration,
    },
}

impl Timer {
    /// Over after so long in simulation time, in whole ticks, at least one for anything above zero.
    pub fn simulation(now: Tick, rate: TickRate, duration: Duration) -> Timer {
        let ticks = (duration.as_nanos() * u128::from(rate.hz())).div_ceil(1_000_000_000);
        Timer::Simulation { ends: Tick(now.0.saturating_add(u32::try_from(ticks).unwrap_or(u32::MAX))) }
    }

    /// Over after so long in wall time.
    pub fn wall(now: WallTime, duration: Duration) -> Timer {
        Timer::Wall { ends: now.0 + duration }
    }

    /// Whether it is over.
    pub fn is_over(&self, tick: Tick, wall_time: WallTime) -> bool {
        match *self {
            Timer::Simulation { ends } => tick >= ends,
            Timer::Wall { ends } => wall_time.0 >= ends,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_counts_in_its_own_time() {
        let (start, wall) = (Tick(100), WallTime(Duration::from_secs(7)));
        let second = Duration::from_secs(1);
        let simulation = Timer::simulation(start, TickRate::new(20), second);
        let on_the_wall = Timer::wall(wall, second);
        // At half speed a second of the world takes two.
        let after = |ticks: u32| (start + ticks, WallTime(wall.0 + Duration::from_millis(u64::from(ticks) * 100)));
        let is_over = |timer: &Timer, ticks: u32| timer.is_over(after(ticks).0, after(ticks).1);
        assert_eq!([9, 10].map(|ticks| is_over(&on_the_wall, ticks)), [false, true]);
        assert_eq!([19, 20].map(|ticks| is_over(&simulation, ticks)), [false, true]);
        let blink = Timer::simulation(start, TickRate::new(20), Duration::from_millis(1));
        assert!(!is_over(&blink, 0) && is_over(&blink, 1));
        let ends = |hz: u32, ms: u64| Timer::simulation(Tick(0), TickRate::new(hz), Duration::from_millis(ms));
        for (hz, ms, tick) in [(100, 70, 7), (50, 140, 7), (50, 1_100, 55), (20, 51, 2)] {
            assert_eq!(ends(hz, ms), Timer::Simulation { ends: Tick(tick) });
        }
        assert!(matches!(
            Timer::simulation(start, TickRate::new(128), Duration::MAX),
            Timer::Simulation { ends: Tick(u32::MAX) }
        ));
    }
}
