//! How much longer bots wait until they think, by how much of their time ticks take.

/// Ticks whose load is looked at together: less would follow single slow ticks.
const WINDOW_TICKS: u32 = 8;

/// Longest delay, in percent: nobody waits more than eight times as long.
const DELAY_PERCENT_MAX: f64 = 700.0;

/// What is told is a multiple of this, in percent, so that turns do not shift with every window.
const STEP_PERCENT: f64 = 25.0;

/// Most by which a wait grows or shrinks from one window to the next.
const GROWTH_MAX: f64 = 1.5;

/// Waits shrink again below this share of the load that is aimed at; between the two they stay.
const SLACK: f64 = 0.9;

/// A controller that keeps the load of a world at what it aims at or below, as far as bots who think less often help.
///
/// After every few ticks the time between two thoughts is multiplied by how much the load was above what it aims at. What else a tick does
/// does not shrink with it, so that it goes on until it is enough.
#[derive(Clone, Debug)]
pub struct ThinkPace {
    aim: f64,
    /// The time between two thoughts, as a multiple of what it is at leisure.
    wait: f64,
    load_sum: f64,
    ticks: u32,
}

impl ThinkPace {
    /// At leisure, in a world whose ticks are to take this much of their time, in percent.
    pub fn new(aim_percent: u32) -> ThinkPace {
        ThinkPace { aim: f64::from(aim_percent) / 100.0, wait: 1.0, load_sum: 0.0, ticks: 0 }
    }

    /// Takes note of the load of a tick: the time that it took, as a share of what it may take. O(1).
    pub fn note_tick(&mut self, load: f64) {
        (self.load_sum, self.ticks) = (self.load_sum + load, self.ticks + 1);
        if self.ticks < WINDOW_TICKS {
            return;
        }
        let excess = self.load_sum / f64::from(self.ticks) / self.aim;
        (self.load_sum, self.ticks) = (0.0, 0);
        if !(SLACK..=1.0).contains(&excess) {
            let growth = excess.clamp(1.0 / GROWTH_MAX, GROWTH_MAX);
            self.wait = (self.wait * growth).clamp(1.0, 1.0 + DELAY_PERCENT_MAX / 100.0);
        }
    }

    /// By how much longer bots wait than at leisure, in percent; 0 to 700.
    pub fn delay_percent(&self) -> u16 {
        (((self.wait - 1.0) * 100.0 / STEP_PERCENT).floor() * STEP_PERCENT) as u16
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Loads of a world in which everything but thinking takes `rest` of a tick, and thinking at leisure `think`.
    fn settled(pace: &mut ThinkPace, rest: f64, think: f64) -> f64 {
        let load = |pace: &ThinkPace| rest + think / (1.0 + f64::from(pace.delay_percent()) / 100.0);
        for _ in 0..100 * WINDOW_TICKS {
            let load = load(pace);
            pace.note_tick(load);
        }
        load(pace)
    }

    #[test]
    fn bots_think_as_often_as_the_load_allows_and_as_ever_when_it_has_gone() {
        let mut pace = ThinkPace::new(70);
        assert!(settled(&mut pace, 0.3, 0.3) < 0.7);
        assert_eq!(pace.delay_percent(), 0, "there is time for all");
        let load = settled(&mut pace, 0.5, 0.5);
        assert!((0.6..=0.72).contains(&load), "{load}");
        let delay = pace.delay_percent();
        assert!((100..=250).contains(&delay), "{delay} % longer");
        settled(&mut pace, 0.9, 0.5);
        assert_eq!(f64::from(pace.delay_percent()), DELAY_PERCENT_MAX, "all that there is to give");
        settled(&mut pace, 0.2, 0.2);
        assert_eq!(pace.delay_percent(), 0);
    }

    #[test]
    fn one_slow_tick_in_many_changes_nothing() {
        let mut pace = ThinkPace::new(70);
        for tick in 0..400 {
            pace.note_tick(if tick % 40 == 0 { 2.0 } else { 0.3 });
            assert_eq!(pace.delay_percent(), 0);
        }
    }

    proptest! {
        #[test]
        fn the_delay_keeps_its_bounds_whatever_the_load(loads in prop::collection::vec(0.0f64..50.0, 0..2_000)) {
            let mut pace = ThinkPace::new(70);
            for load in loads {
                pace.note_tick(load);
                prop_assert!(f64::from(pace.delay_percent()) <= DELAY_PERCENT_MAX);
            }
        }
    }
}
