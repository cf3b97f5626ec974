//! How fast a reliable channel may send, and after how long it sends again: from the measured round trip and loss.
//!
//! renet resends after a fixed time and sends a fixed number of bytes each time it is asked. Here is what its owner asks
//! by: a resend time after RFC 6298, and a byte allowance that is halved by a loss and grows while nothing is lost.

use std::time::Duration;

use crate::limits::{
    CHANNEL_BYTES_PER_S_MAX, CHANNEL_BYTES_PER_S_MIN, CHANNEL_BYTES_PER_S_START, MESSAGE_RESEND_MS,
    MESSAGE_RESEND_MS_MAX, MESSAGE_RESEND_MS_MIN,
};

/// The allowance that may be saved up, as a share of a second's.
const BURST_S: f64 = 0.25;

/// By how much each measured round trip without a loss raises the bytes per second.
const GROWTH_BYTES_PER_S: f64 = 2_048.0;

/// See the module's documentation. Time is on any scale that does not run backwards.
#[derive(Clone, Debug)]
pub struct ChannelPace {
    /// Smoothed round trip and its mean deviation, in seconds; none before the first.
    round_trip_s: Option<(f64, f64)>,
    /// The packet whose acknowledgement is timed, and when it was sent.
    timed: Option<(u64, Duration)>,
    bytes_per_s: f64,
    allowance_bytes: f64,
    refilled_at: Duration,
    measured: u32,
    lost: u32,
}

impl Default for ChannelPace {
    fn default() -> Self {
        let bytes_per_s = f64::from(CHANNEL_BYTES_PER_S_START);
        ChannelPace {
            round_trip_s: None,
            timed: None,
            bytes_per_s,
            allowance_bytes: bytes_per_s * BURST_S,
            refilled_at: Duration::ZERO,
            measured: 0,
            lost: 0,
        }
    }
}

impl ChannelPace {
    /// Whether a packet may be sent now.
    pub fn may_send(&mut self, now: Duration) -> bool {
        let elapsed_s = now.saturating_sub(self.refilled_at).as_secs_f64();
        self.refilled_at = self.refilled_at.max(now);
        let saved_max = self.bytes_per_s * BURST_S;
        self.allowance_bytes = (self.allowance_bytes + elapsed_s * self.bytes_per_s).min(saved_max);
        self.note_overdue(now);
        self.allowance_bytes > 0.0
    }

    /// Notes that a packet with messages was sent.
    pub fn note_sent(&mut self, now: Duration, sequence: u64, bytes: usize) {
        self.allowance_bytes -= bytes as f64;
        self.timed.get_or_insert((sequence, now));
    }

    /// Notes that packets were acknowledged, those from `oldest` to `newest`.
    pub fn note_acknowledged(&mut self, now: Duration, oldest: u64, newest: u64) {
        let Some((sequence, sent_at)) = self.timed.filter(|(sequence, _)| *sequence <= newest) else { return };
        self.timed = None;
        self.measured = self.measured.saturating_add(1);
        if sequence < oldest {
            self.note_loss();
            return;
        }
        let sample_s = now.saturating_sub(sent_at).as_secs_f64();
        self.round_trip_s = Some(match self.round_trip_s {
            None => (sample_s, sample_s / 2.0),
            Some((mean_s, deviation_s)) => {
                let off_s = (mean_s - sample_s).abs();
                (0.875 * mean_s + 0.125 * sample_s, 0.75 * deviation_s + 0.25 * off_s)
            }
        });
        self.bytes_per_s = (self.bytes_per_s + GROWTH_BYTES_PER_S).min(f64::from(CHANNEL_BYTES_PER_S_MAX));
    }

    /// After how long without an acknowledgement a message is sent again.
    pub fn resend_after(&self) -> Duration {
        let wanted_ms = match self.round_trip_s {
            None => MESSAGE_RESEND_MS as f64,
            Some((mean_s, deviation_s)) => 1e3 * (mean_s + 4.0 * deviation_s),
        };
        let ms = wanted_ms.clamp(MESSAGE_RESEND_MS_MIN as f64, MESSAGE_RESEND_MS_MAX as f64);
        Duration::from_secs_f64(ms / 1e3)
    }

    /// The smoothed round trip, once one was measured. It includes the time that both ends take to answer.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip_s.map(|(mean_s, _)| Duration::from_secs_f64(mean_s))
    }

    /// Share of the timed packets that were lost.
    pub fn loss_share(&self) -> f64 {
        f64::from(self.lost) / f64::from(self.measured.max(1))
    }

    /// Bytes that may be sent in a second, as things are.
    pub fn bytes_per_s(&self) -> f64 {
        self.bytes_per_s
    }

    /// A timed packet that is overdue was lost, or its acknowledgement was.
    fn note_overdue(&mut self, now: Duration) {
        if let Some((_, sent_at)) = self.timed
            && now.saturating_sub(sent_at) > 2 * self.resend_after()
        {
            self.timed = None;
            self.measured = self.measured.saturating_add(1);
            self.note_loss();
        }
    }

    fn note_loss(&mut self) {
        self.lost = self.lost.saturating_add(1);
        self.bytes_per_s = (self.bytes_per_s / 2.0).max(f64::from(CHANNEL_BYTES_PER_S_MIN));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at_ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_long_round_trip_lengthens_the_resend_time_and_a_short_one_shortens_it() {
        for (round_trip_ms, expected_ms) in [(400, 400..=500), (20, MESSAGE_RESEND_MS_MIN..=70), (5_000, 1_000..=1_000)]
        {
            let mut pace = ChannelPace::default();
            assert_eq!(pace.resend_after(), at_ms(MESSAGE_RESEND_MS));
            for number in 0..40 {
                let now = at_ms(number * 10_000);
                pace.note_sent(now, number, 100);
                pace.note_acknowledged(now + at_ms(round_trip_ms), number, number);
            }
            let resend_ms = pace.resend_after().as_millis() as u64;
            assert!(expected_ms.contains(&resend_ms), "{round_trip_ms} ms: {resend_ms} ms");
        }
    }

    #[test]
    fn losses_slow_it_down_and_it_recovers() {
        let mut pace = ChannelPace::default();
        for number in 0..20 {
            pace.note_sent(at_ms(number), number * 2, 10);
            pace.note_acknowledged(at_ms(number), number * 2 + 1, number * 2 + 1);
        }
        assert_eq!((pace.bytes_per_s(), pace.loss_share()), (f64::from(CHANNEL_BYTES_PER_S_MIN), 1.0));
        pace.note_sent(at_ms(100), 100, 10);
        assert!(pace.may_send(at_ms(10_000)) && pace.timed.is_none(), "overdue");
        for number in 200..1_000 {
            pace.note_sent(at_ms(20_000), number, 0);
            pace.note_acknowledged(at_ms(20_010), number, number);
        }
        assert_eq!(pace.bytes_per_s(), f64::from(CHANNEL_BYTES_PER_S_MAX));
    }

    #[test]
    fn no_more_is_sent_than_is_allowed() {
        let (mut pace, mut sent_bytes) = (ChannelPace::default(), 0);
        for step in 0..1_000 {
            let now = at_ms(step * 10);
            while pace.may_send(now) {
                pace.note_sent(now, step, 1_000);
                pace.timed = None;
                sent_bytes += 1_000;
            }
        }
        let allowed = f64::from(CHANNEL_BYTES_PER_S_START) * (10.0 + BURST_S);
        assert!((allowed - 2_000.0..=allowed + 1_000.0).contains(&f64::from(sent_bytes)), "{sent_bytes} of {allowed}");
    }
}
