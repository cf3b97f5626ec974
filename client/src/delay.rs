//! How far behind the newest snapshot the others are shown.

use std::collections::VecDeque;
use std::time::Duration;

/// The least, in ticks: one lost snapshot is then bridged.
pub(crate) const DELAY_TICKS_MIN: f64 = 2.0;

/// The most.
pub(crate) const DELAY_MAX: Duration = Duration::from_secs(1);

/// How late snapshots were counts for this long.
const WINDOW: Duration = Duration::from_secs(3);

/// One of so many snapshots may come later than is waited for.
const LATE_ONE_IN: usize = 50;

/// How often that is looked for, in snapshots.
const LOOK_EVERY: u32 = 8;

/// How much faster or slower than it passes time is shown while the delay changes: nobody sees that.
const CHANGE_RATE: f64 = 0.05;

/// The delay, fixed or by how late snapshots are.
#[derive(Clone, Debug)]
pub(crate) struct InterpolationDelay {
    ticks: f64,
    is_fixed: bool,
    /// When snapshots came, and by how many ticks later than the promptest.
    late_ticks: VecDeque<(Duration, f64)>,
    noted: u32,
    /// By how many ticks those are late that are waited for.
    wanted_late_ticks: f64,
    followed_at: Option<Duration>,
}

impl Default for InterpolationDelay {
    fn default() -> InterpolationDelay {
        InterpolationDelay {
            ticks: DELAY_TICKS_MIN,
            is_fixed: false,
            late_ticks: VecDeque::new(),
            noted: 0,
            wanted_late_ticks: 0.0,
            followed_at: None,
        }
    }
}

impl InterpolationDelay {
    /// In ticks.
    pub(crate) fn ticks(&self) -> f64 {
        self.ticks
    }

    /// From now on always the same.
    pub(crate) fn fix(&mut self, ticks: f64) {
        (self.is_fixed, self.ticks) = (true, ticks.max(DELAY_TICKS_MIN));
    }

    /// From now on by how late snapshots are.
    pub(crate) fn adapt(&mut self) {
        self.is_fixed = false;
    }

    /// A snapshot has come so much later than the promptest would have.
    pub(crate) fn note(&mut self, now: Duration, late_ticks: f64) {
        self.late_ticks.push_back((now, late_ticks.max(0.0)));
        while self.late_ticks.front().is_some_and(|(came_at, _)| *came_at + WINDOW < now) {
            self.late_ticks.pop_front();
        }
        self.noted += 1;
        if !self.noted.is_multiple_of(LOOK_EVERY) {
            return;
        }
        // The latest but one in fifty: as few are later as that.
        let beyond = self.late_ticks.len() / LATE_ONE_IN;
        let mut late: Vec<f64> = self.late_ticks.iter().map(|(_, late_ticks)| *late_ticks).collect();
        let place = late.len() - 1 - beyond.min(late.len() - 1);
        self.wanted_late_ticks = *late.select_nth_unstable_by(place, f64::total_cmp).1;
    }

    /// Goes a little towards what is wanted, as time has passed; at most `ticks_max`.
    pub(crate) fn follow(&mut self, now: Duration, ticks_per_s: f64) {
        let elapsed_s = self.followed_at.map_or(0.0, |at| now.saturating_sub(at).as_secs_f64());
        self.followed_at = Some(now);
        if self.is_fixed {
            return;
        }
        let ticks_max = DELAY_MAX.as_secs_f64() * ticks_per_s;
        let wanted = (DELAY_TICKS_MIN + self.wanted_late_ticks).min(ticks_max.max(DELAY_TICKS_MIN));
        let step = CHANGE_RATE * ticks_per_s * elapsed_s.min(1.0);
        self.ticks += (wanted - self.ticks).clamp(-step, step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use throng_shared::random::Random;

    /// The delay after so many seconds of a link with such jitter, at 60 ticks per second; it is checked that what is shown never goes back.
    fn settled(delay: &mut InterpolationDelay, from_s: u32, jitter_ticks: f32) -> f64 {
        let mut random = Random::new(2, 0);
        let mut shown = f64::NEG_INFINITY;
        for number in from_s * 60..(from_s + 20) * 60 {
            let now = Duration::from_secs_f64(f64::from(number) / 60.0);
            delay.note(now, f64::from(random.between(0.0, jitter_ticks)));
            delay.follow(now, 60.0);
            let now_shown = f64::from(number) - delay.ticks();
            assert!(now_shown > shown, "what is shown went back from {shown} to {now_shown}");
            shown = now_shown;
        }
        delay.ticks()
    }

    #[test]
    fn the_delay_is_as_long_as_snapshots_are_late_and_short_again_when_they_are_not() {
        let mut delay = InterpolationDelay::default();
        assert_eq!(settled(&mut delay, 0, 0.0), DELAY_TICKS_MIN);
        let restless = settled(&mut delay, 20, 5.0);
        assert!((6.5..7.0).contains(&restless), "{restless}");
        let calm = settled(&mut delay, 40, 1.0);
        assert!((2.8..3.0).contains(&calm), "{calm}");
        let hopeless = settled(&mut delay, 60, 500.0);
        assert!(hopeless <= 60.0, "{hopeless}");
    }

    #[test]
    fn a_fixed_delay_stays() {
        let mut delay = InterpolationDelay::default();
        delay.fix(12.0);
        assert_eq!(settled(&mut delay, 0, 5.0), 12.0);
        delay.fix(0.0);
        assert_eq!(delay.ticks(), DELAY_TICKS_MIN);
        delay.adapt();
        assert!(settled(&mut delay, 20, 5.0) > 6.0);
    }
}
