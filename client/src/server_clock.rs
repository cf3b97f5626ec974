//! What tick it is at the server, as far as snapshots tell.

use std::collections::VecDeque;
use std::time::Duration;

use throng_shared::tick::{Tick, TickRate};

use crate::pace::stretched_step_s;

/// Snapshots of this long count. Jitter rarely makes all of them late, and a server that has paused or runs slow is
/// followed within this time.
const WINDOW: Duration = Duration::from_secs(1);

/// How far the estimate gives in to later snapshots, as a share of a tick per snapshot: what is shown does not stop.
const GIVE_IN: f64 = 0.1;

/// When all of the window are later than this, in ticks, the server has given up ticks, and the estimate gives in at once.
const GIVE_IN_TICKS_MAX: f64 = 3.0;

/// The server's time by the promptest snapshots of a while: late ones tell of the network, not of the server.
#[derive(Clone, Debug)]
pub(crate) struct ServerClock {
    rate: TickRate,
    /// How long a tick takes, in seconds.
    step_s: f64,
    /// When tick 0 would have been heard of, in seconds on the caller's scale.
    origin_s: Option<f64>,
    /// When snapshots arrived, and when tick 0 would have been heard of by them: those of the window that are earlier
    /// than all after them. The first is the earliest. There is one for each tick of the window at most.
    earliest: VecDeque<(Duration, f64)>,
}

impl ServerClock {
    pub(crate) fn new(rate: TickRate) -> ServerClock {
        ServerClock { rate, step_s: rate.step_ms() / 1000.0, origin_s: None, earliest: VecDeque::new() }
    }

    /// The snapshot of `tick` has arrived at `now`.
    pub(crate) fn hear(&mut self, now: Duration, tick: Tick) {
        let heard_s = now.as_secs_f64() - f64::from(tick.0) * self.step_s;
        while self.earliest.back().is_some_and(|(_, other_s)| *other_s >= heard_s) {
            self.earliest.pop_back();
        }
        self.earliest.push_back((now, heard_s));
        while self.earliest.front().is_some_and(|(arrived_at, _)| *arrived_at + WINDOW < now) {
            self.earliest.pop_front();
        }
        let earliest_s = self.earliest.front().map_or(heard_s, |(_, earliest_s)| *earliest_s);
        self.origin_s = Some(match self.origin_s {
            Some(origin_s) if earliest_s - origin_s <= GIVE_IN_TICKS_MAX * self.step_s => {
                earliest_s.min(origin_s + GIVE_IN * self.step_s)
            }
            _ => earliest_s,
        });
    }

    /// Goes on from `now` with time at so many percent of its speed.
    pub(crate) fn set_time_percent(&mut self, now: Duration, percent: u8) {
        let step_s = stretched_step_s(self.rate, percent);
        if step_s == self.step_s {
            return;
        }
        // The tick that is heard at this moment stays the same.
        let origin_s = self.tick_heard_at(now).map(|tick| now.as_secs_f64() - tick * step_s);
        self.step_s = step_s;
        self.origin_s = origin_s;
        // What was heard before was of ticks of another length.
        self.earliest.clear();
    }

    /// The tick whose snapshot would arrive at `now`, with its fraction; none before the first snapshot.
    pub(crate) fn tick_heard_at(&self, now: Duration) -> Option<f64> {
        Some((now.as_secs_f64() - self.origin_s?) / self.step_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use throng_shared::random::Random;

    const RATE_HZ: u32 = 20;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// Hears the snapshots of `ticks`, each sent when it is `sent_at_s` and up to `jitter_ms` under way.
    fn hear(clock: &mut ServerClock, ticks: std::ops::Range<u32>, jitter_ms: f32, sent_at_s: impl Fn(u32) -> f64) {
        let mut random = Random::new(3, 0);
        for tick in ticks {
            let late_s = f64::from(random.between(0.0, jitter_ms)) / 1000.0;
            clock.hear(seconds(sent_at_s(tick) + late_s), Tick(tick));
        }
    }

    #[test]
    fn jitter_moves_the_estimate_by_little() {
        let mut clock = ServerClock::new(TickRate::new(RATE_HZ));
        let sent_at_s = |tick: u32| f64::from(tick) / 20.0;
        hear(&mut clock, 1..40, 40.0, sent_at_s);
        for tick in 40..400 {
            hear(&mut clock, tick..tick + 1, 40.0, sent_at_s);
            let heard = clock.tick_heard_at(seconds(sent_at_s(tick))).expect("a snapshot was heard");
            assert!((-0.5..=0.01).contains(&(heard - f64::from(tick))), "{heard} at {tick}");
        }
    }

    #[test]
    fn a_pause_of_the_server_is_followed_within_a_second_or_two() {
        for paused_s in [0.1, 0.75, 4.75] {
            let mut clock = ServerClock::new(TickRate::new(RATE_HZ));
            hear(&mut clock, 1..100, 5.0, |tick| f64::from(tick) / 20.0);
            hear(&mut clock, 100..141, 5.0, |tick| f64::from(tick) / 20.0 + paused_s);
            let heard = clock.tick_heard_at(seconds(140.0 / 20.0 + paused_s)).expect("a snapshot was heard");
            assert!((heard - 140.0).abs() < 0.2, "{heard} after {paused_s} s");
        }
    }

    #[test]
    fn a_server_that_runs_slow_is_followed() {
        let mut clock = ServerClock::new(TickRate::new(RATE_HZ));
        let sent_at_s = |tick: u32| f64::from(tick) * 1.05 / 20.0;
        hear(&mut clock, 1..2_000, 5.0, sent_at_s);
        let heard = clock.tick_heard_at(seconds(sent_at_s(1_999))).expect("a snapshot was heard");
        assert!((heard - 1_999.0).abs() < 2.0, "{heard}");
    }

    #[test]
    fn what_is_remembered_is_bounded_by_the_window() {
        let mut clock = ServerClock::new(TickRate::new(RATE_HZ));
        hear(&mut clock, 1..2_000, 0.0, |tick| f64::from(tick) * 1.05 / 20.0);
        assert!(clock.earliest.len() <= RATE_HZ as usize, "{}", clock.earliest.len());
    }
}
