//! When a client that does nothing says so.

use std::time::Duration;

use throng_shared::input::PlayerInput;
use throng_shared::limits::{IDLE_AFTER_MS, IDLE_SNAPSHOT_MS};
use throng_shared::wire::inputs::SnapshotAcks;

/// Whether anything is worth being sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Idleness {
    /// Since when every input was the same, and stood still.
    still_since: Option<Duration>,
    sent_at: Duration,
    /// Acknowledgements in the last frame.
    sent_acks: SnapshotAcks,
}

impl Idleness {
    pub(crate) fn note_input(&mut self, now: Duration, input: PlayerInput, last: Option<&PlayerInput>) {
        self.still_since = match self.still_since {
            since if input.is_still() && last == Some(&input) => since.or(Some(now)),
            _ => None,
        };
    }

    /// Whoever stands still for a while, and has nothing to acknowledge, says so only now and then: the server takes a
    /// missing input for standing still.
    pub(crate) fn is_worth_sending(&self, now: Duration, acks: &SnapshotAcks) -> bool {
        let is_idle = self.still_since.is_some_and(|since| now >= since + ms(IDLE_AFTER_MS));
        !is_idle || self.sent_acks != *acks || now >= self.sent_at + ms(IDLE_SNAPSHOT_MS)
    }

    pub(crate) fn note_sent(&mut self, now: Duration, acks: SnapshotAcks) {
        (self.sent_at, self.sent_acks) = (now, acks);
    }
}

fn ms(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use throng_shared::tick::Tick;

    #[test]
    fn who_stands_still_is_silent_but_for_acknowledgements_and_a_sign_of_life() {
        let (mut idleness, still) = (Idleness::default(), PlayerInput::default());
        let mut acks = SnapshotAcks::default();
        let mut sent = Vec::new();
        for step in 0..40u32 {
            let now = ms(50 * step);
            idleness.note_input(now, still, (step > 0).then_some(&still));
            if step == 22 {
                acks.insert(Tick(5));
            }
            if idleness.is_worth_sending(now, &acks) {
                idleness.note_sent(now, acks);
                sent.push(step);
            }
        }
        // Half a second from the second input on, then every fifth; and at once when there is something to acknowledge.
        assert_eq!(sent, [(0..=10).collect::<Vec<_>>(), vec![15, 20, 22, 27, 32, 37]].concat());
        let turned = PlayerInput { yaw: 1, ..still };
        idleness.note_input(ms(2_000), turned, Some(&still));
        assert!(idleness.is_worth_sending(ms(2_000), &acks));
    }
}
