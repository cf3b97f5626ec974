//! What tick it is at the server, as far as snapshots tell.

use std::time::Duration;

use throng_shared::tick::{Tick, TickRate};

/// How far the estimate gives in to late snapshots, as a share of a tick per snapshot: follows a clock that drifts, and
/// ignores jitter.
const GIVE_IN: f64 = 0.01;

/// The server's time by the promptest snapshots: late ones tell of the network, not of the server.
#[derive(Clone, Debug)]
pub(crate) struct ServerClock {
    step_s: f64,
    /// When tick 0 would have been heard of, in seconds on the caller's scale.
    origin_s: Option<f64>,
}

impl ServerClock {
    pub(crate) fn new(rate: TickRate) -> ServerClock {
        ServerClock { step_s: rate.step_ms() / 1000.0, origin_s: None }
    }

    /// The snapshot of `tick` has arrived at `now`.
    pub(crate) fn hear(&mut self, now: Duration, tick: Tick) {
        let heard_s = now.as_secs_f64() - f64::from(tick.0) * self.step_s;
        self.origin_s = Some(match self.origin_s {
            Some(origin_s) => heard_s.min(origin_s + GIVE_IN * self.step_s),
            None => heard_s,
        });
    }

    /// The tick whose snapshot would arrive at `now`, with its fraction; none before the first snapshot.
    pub(crate) fn tick_heard_at(&self, now: Duration) -> Option<f64> {
        Some((now.as_secs_f64() - self.origin_s?) / self.step_s)
    }
}
