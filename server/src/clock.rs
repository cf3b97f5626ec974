//! Time: the clock seam, and the pacing of ticks by absolute deadlines.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use throng_shared::tick::{Tick, TickRate};

/// Where time comes from.
pub trait Clock: Send + Sync {
    /// Time since some fixed moment; never runs backwards.
    fn now(&self) -> Duration;
}

/// The machine's monotonic clock, counted from its creation.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock that shows zero now.
    #[expect(clippy::new_without_default, reason = "a default value that depends on the moment would surprise")]
    #[expect(clippy::disallowed_methods, reason = "this is the one place where the server reads the time")]
    pub fn new() -> SystemClock {
        SystemClock { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock that stands still until it is told to move; for simulations and tests.
#[derive(Debug, Default)]
pub struct ManualClock {
    now_ns: AtomicU64,
    reading_ns: AtomicU64,
}

impl ManualClock {
    /// Moves the clock to `now`.
    pub fn set(&self, now: Duration) {
        self.now_ns.store(now.as_nanos() as u64, Ordering::Relaxed);
    }

    /// Lets so much time pass with each reading: what is timed then takes time.
    pub fn set_reading_time(&self, time: Duration) {
        self.reading_ns.store(time.as_nanos() as u64, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        let reading_ns = self.reading_ns.load(Ordering::Relaxed);
        Duration::from_nanos(self.now_ns.fetch_add(reading_ns, Ordering::Relaxed))
    }
}

/// Most ticks that are run one after another to catch up. What is missed beyond them is given up: the world then runs
/// late by that much, instead of never recovering.
pub const CATCH_UP_TICKS_MAX: u32 = 5;

/// Says when ticks are due. Deadlines are absolute, so that lateness of one tick does not delay the next.
#[derive(Clone, Debug)]
pub struct Pacer {
    rate: TickRate,
    origin: Duration,
    /// Ticks since `origin`.
    done: Tick,
    /// How fast time runs.
    percent: u32,
}

impl Pacer {
    /// A pacer whose first tick is due one tick length after `now`.
    pub fn new(rate: TickRate, now: Duration) -> Pacer {
        Pacer { rate, origin: now, done: Tick(0), percent: 100 }
    }

    /// Lets time run at so many percent of its speed, at least one, from the last tick that was due on.
    pub fn set_time_percent(&mut self, percent: u32) {
        let percent = percent.clamp(1, 100);
        if percent != self.percent {
            self.origin += self.stretched(self.done);
            (self.done, self.percent) = (Tick(0), percent);
        }
    }

    /// How long so many ticks take.
    fn stretched(&self, ticks: Tick) -> Duration {
        self.rate.due(ticks) * 100 / self.percent
    }

    /// When the next tick is due.
    pub fn next_due(&self) -> Duration {
        self.origin + self.stretched(self.done + 1)
    }

    /// How many ticks are to be run now, at most [`CATCH_UP_TICKS_MAX`], and how many deadlines had to be given up.
    /// The ticks count as run.
    pub fn take_due(&mut self, now: Duration) -> DueTicks {
        let mut run = 0;
        while run < CATCH_UP_TICKS_MAX && self.next_due() <= now {
            self.done = self.done + 1;
            run += 1;
        }
        let mut given_up = 0;
        if self.next_due() <= now {
            let step_s = 100.0 / f64::from(self.rate.hz() * self.percent);
            given_up = ((now - self.next_due()).as_secs_f64() / step_s) as u32 + 1;
            // The deadlines move; the ticks keep their numbers, for the world has not lived through the missed time.
            self.origin += self.stretched(Tick(given_up));
        }
        DueTicks { run, given_up }
    }
}

/// What [`Pacer::take_due`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueTicks {
    /// Ticks to be run.
    pub run: u32,
    /// Deadlines that were missed for good.
    pub given_up: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(3);

    fn at_ms(ms: u64) -> Duration {
        START + Duration::from_millis(ms)
    }

    #[test]
    fn a_late_tick_does_not_delay_the_next() {
        let mut pacer = Pacer::new(TickRate::new(20), START);
        assert_eq!(pacer.take_due(at_ms(49)), DueTicks { run: 0, given_up: 0 });
        assert_eq!(pacer.take_due(at_ms(90)), DueTicks { run: 1, given_up: 0 });
        assert_eq!(pacer.next_due(), at_ms(100));
    }

    #[test]
    fn a_short_stall_is_caught_up_and_a_long_one_is_given_up() {
        let mut pacer = Pacer::new(TickRate::new(20), START);
        assert_eq!(pacer.take_due(at_ms(250)), DueTicks { run: 5, given_up: 0 });
        assert_eq!(pacer.take_due(at_ms(250 + 250 + 999)), DueTicks { run: 5, given_up: 19 });
        assert_eq!(pacer.take_due(at_ms(1_499)), DueTicks { run: 0, given_up: 0 });
        assert_eq!(pacer.next_due(), at_ms(1_500), "still on the old grid of deadlines");
    }

    #[test]
    fn slower_time_counts_from_the_last_tick_on_and_back_again() {
        let mut pacer = Pacer::new(TickRate::new(20), START);
        assert_eq!(pacer.take_due(at_ms(100)).run, 2);
        pacer.set_time_percent(50);
        assert_eq!(pacer.next_due(), at_ms(200));
        assert_eq!(pacer.take_due(at_ms(400)).run, 3);
        assert_eq!(pacer.take_due(at_ms(3_999)), DueTicks { run: 5, given_up: 30 });
        assert_eq!(pacer.next_due(), at_ms(4_000));
        assert_eq!(pacer.take_due(at_ms(4_000)).run, 1);
        pacer.set_time_percent(100);
        assert_eq!(pacer.next_due(), at_ms(4_050));
    }
}
