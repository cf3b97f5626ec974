//! When a rung is climbed or descended.

use std::time::Duration;

use throng_shared::config::OverloadConfig;

/// Most by which a rung that had to be climbed again is left later.
const PATIENCE_MAX: u32 = 16;

/// Where a world stands on its ladder.
///
/// Load is the time that a tick took as a share of what it may take when time runs as it should. A rung up is taken when it was too
/// much on average for a while, a rung down when it was little for a longer one; both begin to look anew after each step.
/// Whoever descends and must climb again before long waits twice as long the next time.
#[derive(Clone, Debug)]
pub struct Ladder {
    climb_load: f64,
    descend_load: f64,
    climb_after: Duration,
    descend_after: Duration,
    rungs: u8,
    rung: u8,
    hot: Mean,
    cold: Mean,
    patience: u32,
    /// When it last descended.
    descended_at: Option<Duration>,
    climbs: u64,
    descents: u64,
}

/// A rung was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The rung that it stands on now; 0 for none.
    pub rung: u8,
    /// Whether it is higher than before.
    pub is_up: bool,
    /// The load that was too much or little enough.
    pub load: f64,
}

/// A mean since some moment.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    since: Option<Duration>,
    sum: f64,
    count: u32,
}

impl Mean {
    /// Takes a value in; the mean, once it is of so long a time, and then begins anew.
    fn add(&mut self, now: Duration, value: f64, over: Duration) -> Option<f64> {
        let since = *self.since.get_or_insert(now);
        (self.sum, self.count) = (self.sum + value, self.count + 1);
        if now.saturating_sub(since) < over {
            return None;
        }
        let mean = self.sum / f64::from(self.count);
        *self = Mean { since: Some(now), ..Mean::default() };
        Some(mean)
    }
}

impl Ladder {
    /// At the foot of another ladder; what was counted on this one counts on.
    pub(crate) fn replaced(&self, config: &OverloadConfig) -> Ladder {
        Ladder { climbs: self.climbs, descents: self.descents, ..Ladder::new(config) }
    }

    /// At the foot of the ladder that a world declares.
    pub fn new(config: &OverloadConfig) -> Ladder {
        Ladder {
            climb_load: f64::from(config.climb_percent) / 100.0,
            descend_load: f64::from(config.descend_percent) / 100.0,
            climb_after: Duration::from_millis(config.climb_after_ms.into()),
            descend_after: Duration::from_millis(config.descend_after_ms.into()),
            rungs: config.rungs.len() as u8,
            rung: 0,
            hot: Mean::default(),
            cold: Mean::default(),
            patience: 1,
            descended_at: None,
            climbs: 0,
            descents: 0,
        }
    }

    /// Takes note of a tick that was over at `now`, and of the load. O(1).
    pub fn note_tick(&mut self, now: Duration, load: f64) -> Option<Step> {
        let hot = self.hot.add(now, load, self.climb_after);
        let cold = self.cold.add(now, load, self.descend_after * self.patience);
        if let Some(load) = hot.filter(|&load| load > self.climb_load && self.rung < self.rungs) {
            let is_soon = |at: Duration| now.saturating_sub(at) < self.descend_after * self.patience;
            self.patience =
                if self.descended_at.is_some_and(is_soon) { (2 * self.patience).min(PATIENCE_MAX) } else { 1 };
            self.climbs += 1;
            return Some(self.step(now, self.rung + 1, load));
        }
        if let Some(load) = cold.filter(|&load| load < self.descend_load && self.rung > 0) {
            self.descended_at = Some(now);
            self.descents += 1;
            return Some(self.step(now, self.rung - 1, load));
        }
        None
    }

    fn step(&mut self, now: Duration, rung: u8, load: f64) -> Step {
        let is_up = rung > self.rung;
        self.rung = rung;
        (self.hot, self.cold) =
            (Mean { since: Some(now), ..Mean::default() }, Mean { since: Some(now), ..Mean::default() });
        Step { rung, is_up, load }
    }

    /// The rung that it stands on; 0 for none.
    pub fn rung(&self) -> u8 {
        self.rung
    }

    /// How often it was climbed and descended.
    pub fn steps(&self) -> (u64, u64) {
        (self.climbs, self.descents)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use throng_shared::config::ReliefConfig;

    use super::*;

    fn ladder() -> Ladder {
        Ladder::new(&OverloadConfig {
            rungs: vec![ReliefConfig::BotThinking { interval_factor: 4 }; 3],
            ..OverloadConfig::default()
        })
    }

    /// Ticks of 50 ms with a load that depends on the rung; where it stood after each second.
    fn rungs(ladder: &mut Ladder, from_s: u32, seconds: u32, load: impl Fn(u8) -> f64) -> Vec<u8> {
        let second = |second: u32| {
            for tick in 0..20 {
                let now = Duration::from_millis(u64::from((from_s + second) * 1_000 + tick * 50));
                ladder.note_tick(now, load(ladder.rung()));
            }
            ladder.rung()
        };
        (0..seconds).map(second).collect()
    }

    #[test]
    fn load_climbs_one_rung_after_the_other_and_calm_descends_them_later() {
        let mut ladder = ladder();
        assert_eq!(rungs(&mut ladder, 0, 6, |_| 1.2), [0, 1, 2, 3, 3, 3]);
        assert_eq!(rungs(&mut ladder, 6, 6, |_| 0.7), [3; 6], "between the two it stays");
        let calm = rungs(&mut ladder, 12, 20, |_| 0.1);
        assert!(calm.is_sorted_by(|a, b| a >= b) && calm[0] == 3 && calm[19] == 0, "{calm:?}");
        assert_eq!(ladder.steps(), (3, 3));
    }

    #[test]
    fn a_short_peak_is_borne() {
        let mut ladder = ladder();
        for tick in 0..200_u64 {
            let load = if tick % 20 < 3 { 2.5 } else { 0.4 };
            assert_eq!(ladder.note_tick(Duration::from_millis(tick * 50), load), None, "0.8 on average at most");
        }
    }

    #[test]
    fn whoever_must_climb_again_at_once_waits_longer_each_time_before_descending() {
        let mut ladder = ladder();
        // The first rung takes away so much that it would be left again.
        rungs(&mut ladder, 0, 600, |rung| if rung == 0 { 1.0 } else { 0.5 });
        let (climbs, _) = ladder.steps();
        assert!((8..14).contains(&climbs), "{climbs} in ten minutes, and not one in seven seconds");
    }

    proptest! {
        #[test]
        fn it_never_leaves_the_ladder_and_each_step_is_one_rung(loads in prop::collection::vec(0.0f64..3.0, 0..2_000)) {
            let (mut ladder, mut rung) = (ladder(), 0);
            for (tick, load) in loads.into_iter().enumerate() {
                if let Some(step) = ladder.note_tick(Duration::from_millis(tick as u64 * 200), load) {
                    prop_assert_eq!(step.rung.abs_diff(rung), 1);
                    prop_assert_eq!((step.is_up, ladder.rung()), (step.rung > rung, step.rung));
                    rung = step.rung;
                }
                prop_assert!(rung <= 3);
            }
        }
    }
}
