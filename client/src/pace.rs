//! When to make the input for which tick.
//!
//! An input should reach the server a little before its tick: not later, or the server repeats an old one; not much
//! earlier, or the player waits longer than the network makes them. The server reports how early inputs arrive; the
//! pace shifts until the earliest and the latest of them fit.

use std::time::Duration;

use throng_shared::tick::{Tick, TickRate};

/// How early the least early input of a while should arrive, as a share of a tick.
const MARGIN_GOAL_TICKS: f64 = 0.3;

/// Reports of this long, in milliseconds, are looked at together; the least early of them counts.
const WINDOW_MS: u32 = 500;

/// Fewest reports that are looked at together.
const WINDOW_MIN: u32 = 10;

/// The first look is shorter, in milliseconds: the start is a guess.
const FIRST_WINDOW_MS: u32 = 100;

/// Fewest reports of the first look.
const FIRST_WINDOW_MIN: u32 = 2;

/// Corrections up to this many ticks are made gently, longer ones at once.
const GENTLE_TICKS: f64 = 0.5;

/// Gentle corrections shift each tick by up to this share of it: nobody notices a world that runs 4 % faster.
const GENTLE_RATE: f64 = 0.04;

/// Corrections towards later that are longer than this, in seconds, are made in ticks, not in time: the server paused
/// and gave up ticks, and whoever waited for it to catch up would let the character stand for as long again. Shorter
/// ones are waited for, because the server still has the inputs for those ticks.
const WAIT_MAX_S: f64 = 0.2;

/// After such a correction reports are ignored until those about abandoned inputs have come in; at most for this long,
/// in seconds.
const DEAF_MAX_S: f64 = 2.0;

/// How far ahead of the newest snapshot the first input is made, in ticks.
const FIRST_LEAD_TICKS: u32 = 2;

/// The times at which inputs are made.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    rate: TickRate,
    /// How long a tick takes, in seconds.
    step_s: f64,
    next: Tick,
    /// When the input for `next` is made, in seconds on the caller's scale.
    next_at_s: f64,
    /// When the one before it was due.
    newest_at_s: f64,
    /// Correction that is still to be made, in seconds; positive is later.
    correction_s: f64,
    /// Reports about earlier inputs say nothing about the present pace.
    settled_at: Tick,
    /// Reports before the input for this tick is made may be about abandoned inputs.
    deaf_before: Tick,
    least_margin_ms: f64,
    reports: u32,
    window: u32,
}

/// How long a tick takes when time runs at so many percent of its speed, in seconds.
pub(crate) fn stretched_step_s(rate: TickRate, percent: u8) -> f64 {
    rate.step_ms() / 10.0 / f64::from(percent.clamp(1, 100))
}

impl Pace {
    /// A pace from the newest tick heard of, `newest`, at `now`.
    pub(crate) fn new(rate: TickRate, now: Duration, newest: Tick) -> Pace {
        let next = newest + FIRST_LEAD_TICKS;
        Pace {
            rate,
            step_s: rate.step_ms() / 1000.0,
            next,
            next_at_s: now.as_secs_f64(),
            newest_at_s: now.as_secs_f64(),
            correction_s: 0.0,
            settled_at: next,
            deaf_before: next,
            least_margin_ms: f64::INFINITY,
            reports: 0,
            window: rate.ticks_for_ms(FIRST_WINDOW_MS).max(FIRST_WINDOW_MIN),
        }
    }

    /// Goes on with time at so many percent of its speed.
    pub(crate) fn set_time_percent(&mut self, percent: u8) {
        let step_s = stretched_step_s(self.rate, percent);
        if step_s == self.step_s {
            return;
        }
        // The next input is made as far into its tick as it would have been.
        self.next_at_s = self.newest_at_s + (self.next_at_s - self.newest_at_s) / self.step_s * step_s;
        self.step_s = step_s;
        self.correction_s = 0.0;
        self.settled_at = self.next;
        (self.reports, self.least_margin_ms) = (0, f64::INFINITY);
    }

    /// The tick that the next input is for.
    pub(crate) fn next_tick(&self) -> Tick {
        self.next
    }

    /// When it is to be made.
    pub(crate) fn next_at(&self) -> Duration {
        Duration::from_secs_f64(self.next_at_s.max(0.0))
    }

    /// The tick that an input is due for, which counts as made then.
    pub(crate) fn take_due(&mut self, now: Duration) -> Option<Tick> {
        let tick = self.next;
        (self.next_at() <= now).then(|| {
            self.advance();
            tick
        })
    }

    /// The share of a tick that has passed since the newest input was due, 0 to 1.
    pub(crate) fn share_since_newest(&self, now: Duration) -> f32 {
        ((now.as_secs_f64() - self.newest_at_s) / self.step_s).clamp(0.0, 1.0) as f32
    }

    /// The input for [`Pace::next_tick`] has been made.
    pub(crate) fn advance(&mut self) {
        let gentle_s = GENTLE_RATE * self.step_s;
        let shift_s = self.correction_s.clamp(-gentle_s, gentle_s);
        self.correction_s -= shift_s;
        self.next = self.next + 1;
        self.newest_at_s = self.next_at_s;
        self.next_at_s += self.step_s + shift_s;
    }

    /// After a pause of the program: gives up the inputs that are more than `kept_ticks` overdue.
    pub(crate) fn skip_overdue(&mut self, now: Duration, kept_ticks: u32) {
        let overdue_ticks = (now.as_secs_f64() - self.next_at_s) / self.step_s - f64::from(kept_ticks);
        if overdue_ticks > 0.0 {
            let skipped_ticks = overdue_ticks.ceil();
            self.next = self.next + skipped_ticks as u32;
            self.next_at_s += skipped_ticks * self.step_s;
        }
    }

    /// Takes a report in: of the snapshot of `tick`, that the newest input was `margin_ms` early. Returns the tick that
    /// the next input is for when that has moved back: what was made for it and later ticks is void.
    pub(crate) fn report(&mut self, tick: Tick, margin_ms: f64) -> Option<Tick> {
        let about_tick = f64::from(tick.0) + margin_ms / 1000.0 / self.step_s;
        if about_tick < f64::from(self.settled_at.0) || self.next < self.deaf_before {
            return None;
        }
        self.reports += 1;
        self.least_margin_ms = self.least_margin_ms.min(margin_ms);
        if self.reports < self.window {
            return None;
        }
        let error_s = self.least_margin_ms / 1000.0 - MARGIN_GOAL_TICKS * self.step_s;
        self.window = self.rate.ticks_for_ms(WINDOW_MS).max(WINDOW_MIN);
        self.reports = 0;
        self.least_margin_ms = f64::INFINITY;
        if error_s > WAIT_MAX_S {
            self.move_back(error_s, about_tick);
            return Some(self.next);
        }
        if error_s.abs() > GENTLE_TICKS * self.step_s {
            self.next_at_s += error_s;
            self.correction_s = 0.0;
            self.settled_at = self.next;
        } else {
            self.correction_s = error_s;
            self.settled_at = self.next + (error_s.abs() / (GENTLE_RATE * self.step_s)).ceil() as u32;
        }
        None
    }

    /// Makes the inputs for earlier ticks from now on, by whole ticks, and shifts the time by the rest.
    /// `about_tick` is the tick of the newest input of which the server has told.
    fn move_back(&mut self, error_s: f64, about_tick: f64) {
        let ticks = (error_s / self.step_s).floor();
        // Reports about what is still under way would have the same error corrected twice.
        let under_way_ticks = (f64::from(self.next.0) - about_tick).clamp(0.0, DEAF_MAX_S / self.step_s);
        self.next = self.next - ticks as u32;
        self.next_at_s += error_s - ticks * self.step_s;
        self.correction_s = 0.0;
        self.settled_at = self.next;
        self.deaf_before = self.next + under_way_ticks.ceil() as u32 + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use throng_shared::random::Random;

    /// Runs a pace against a server whose tick t begins at t steps, over a link of the given latency and jitter each way
    /// and with clocks that drift apart; returns the margins of the last 400 inputs in ms.
    fn margins_ms(one_way_ms: f64, jitter_ms: f32, drift: f64, rate: TickRate) -> Vec<f64> {
        let mut random = Random::new(9, 0);
        let mut delay_ms = || one_way_ms + f64::from(random.between(-jitter_ms, jitter_ms));
        let step_ms = rate.step_ms();
        let mut pace = Pace::new(rate, Duration::from_secs_f64((100.0 * step_ms + one_way_ms) / 1000.0), Tick(100));
        let mut reports: Vec<(f64, Tick, f64)> = Vec::new();
        let mut margins = Vec::new();
        for _ in 0..1_200 {
            let now_ms = pace.next_at().as_secs_f64() * 1000.0;
            let (due, later): (Vec<_>, Vec<_>) = reports.into_iter().partition(|report| report.0 <= now_ms);
            reports = later;
            for (_, tick, margin_ms) in due {
                pace.report(tick, margin_ms);
            }
            let server_now_ms = now_ms * (1.0 + drift);
            let arrives_ms = server_now_ms + delay_ms();
            let margin_ms = f64::from(pace.next_tick().0) * step_ms - arrives_ms;
            let reported_in = (arrives_ms / step_ms).ceil();
            reports.push((reported_in * step_ms / (1.0 + drift) + delay_ms(), Tick(reported_in as u32), margin_ms));
            margins.push(margin_ms);
            pace.advance();
        }
        margins.split_off(800)
    }

    #[test]
    fn a_long_pause_is_skipped_and_the_ticks_keep_their_times() {
        let rate = TickRate::new(20);
        let mut pace = Pace::new(rate, Duration::from_secs(1), Tick(100));
        pace.skip_overdue(Duration::from_millis(1_100), 4);
        assert_eq!((pace.next_tick(), pace.next_at()), (Tick(102), Duration::from_secs(1)), "not that overdue");
        pace.skip_overdue(Duration::from_secs(3_601), 4);
        assert_eq!(pace.next_tick(), Tick(102 + 3_600 * 20 - 4));
        assert_eq!(pace.next_at(), Duration::from_millis(3_600_800));
    }

    #[test]
    fn inputs_come_to_arrive_shortly_before_their_tick() {
        for (one_way_ms, jitter_ms, drift, hz) in [
            (0.2, 0.2, 0.0, 20),
            (40.0, 2.0, 0.0, 20),
            (80.0, 20.0, 0.0, 20),
            (150.0, 5.0, 3e-4, 20),
            (10.0, 1.0, 0.0, 60),
            (80.0, 20.0, 0.0, 128),
        ] {
            let rate = TickRate::new(hz);
            let margins = margins_ms(one_way_ms, jitter_ms, drift, rate);
            let late = margins.iter().filter(|margin_ms| **margin_ms < 0.0).count();
            let mean_ms = margins.iter().sum::<f64>() / margins.len() as f64;
            let case = format!("{one_way_ms} +- {jitter_ms} ms, drift {drift}, {hz} Hz");
            assert!(late * 50 <= margins.len(), "{late} late: {case}");
            assert!(mean_ms <= rate.step_ms() + 2.0 * f64::from(jitter_ms), "{mean_ms} ms early: {case}");
        }
    }

    #[test]
    fn after_a_long_pause_of_the_server_inputs_go_on_for_the_ticks_that_it_is_at() {
        for (round_trip_inputs, given_up_ticks) in [(1, 95), (30, 6), (12, 50)] {
            let mut pace = Pace::new(TickRate::new(20), Duration::ZERO, Tick(300));
            // Inputs under way, and by how many ticks each is too early.
            let mut under_way = VecDeque::from(vec![(Tick(0), 0); round_trip_inputs]);
            let mut surplus_ticks = given_up_ticks;
            let mut moves = 0;
            for _ in 0..200 {
                under_way.push_back((pace.next_tick(), surplus_ticks));
                let made_at = pace.next_at();
                pace.advance();
                assert!(pace.next_at() - made_at < Duration::from_millis(100), "inputs go on");
                let (about, surplus) = under_way.pop_front().expect("one was pushed");
                let before = pace.next_tick();
                if let Some(moved_to) = pace.report(about - surplus, f64::from(50 * surplus + 20)) {
                    assert_eq!(moved_to, pace.next_tick());
                    surplus_ticks -= before.since(moved_to);
                    moves += 1;
                }
            }
            assert_eq!((surplus_ticks, moves), (0, 1), "round trip of {round_trip_inputs} inputs");
        }
    }
}
