//! What a network thread does between two waits: what has arrived goes to its mailbox, and what waits there is sent.

use std::time::Duration;

use super::connections::Connections;
use super::inbound::{NetInbound, NetTotals};
use super::mailbox::Mailbox;
use super::transport::Transport;
use crate::batch::OutboundShard;
use crate::clock::Clock;

/// Snapshots that are sealed and sent in one go; then it is looked whether something has arrived.
const FRAMES_AT_ONCE: usize = 256;

/// Shortest wait that can be had on every system.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// The connections of one port, and how far their tick has been sent.
#[derive(Debug)]
pub struct Exchange<T> {
    connections: Connections<T>,
    inbound: NetInbound,
    sending: Option<Sending>,
    spread: Duration,
}

/// A shard that is being sent.
#[derive(Debug)]
struct Sending {
    shard: OutboundShard,
    began: Duration,
    /// Snapshots sent so far.
    sent: usize,
}

impl Sending {
    /// How many snapshots are to be out at `now`.
    fn wanted(&self, now: Duration, spread: Duration) -> usize {
        let count = self.shard.frame_count();
        let elapsed = now.saturating_sub(self.began);
        if elapsed >= spread {
            return (self.sent + FRAMES_AT_ONCE).min(count);
        }
        let share = elapsed.as_secs_f64() / spread.as_secs_f64();
        ((count as f64 * share) as usize + 1).clamp(self.sent, (self.sent + FRAMES_AT_ONCE).min(count))
    }
}

impl<T: Transport> Exchange<T> {
    /// Nobody connected yet. The snapshots of a tick are spread over `spread`; zero sends them as fast as it goes.
    pub fn new(transport: T, spread: Duration) -> Exchange<T> {
        Exchange { connections: Connections::new(transport), inbound: NetInbound::default(), sending: None, spread }
    }

    /// The connections.
    pub fn connections_mut(&mut self) -> &mut Connections<T> {
        &mut self.connections
    }

    /// What has been counted until the last turn.
    pub fn totals(&self) -> &NetTotals {
        &self.inbound.totals
    }

    /// How long may be waited for something to arrive or to be posted: for ever when nothing is being sent.
    pub fn longest_wait(&self, now: Duration) -> Duration {
        match &self.sending {
            None => Duration::MAX,
            // Nothing is due yet, so time must pass.
            Some(sending) if sending.wanted(now, self.spread) == sending.sent => SHORTEST_WAIT,
            Some(_) => Duration::ZERO,
        }
    }

    /// Takes what has arrived to the mailbox, then sends what is due of what it holds: all of it but for the snapshots of the last
    /// shard, of which as many go as are sent at once.
    pub fn turn(&mut self, mailbox: &Mailbox, clock: &dyn Clock) {
        self.connections.receive(clock.now(), &mut self.inbound);
        mailbox.deliver(&mut self.inbound);
        self.send_on(mailbox, clock.now());
    }

    /// Whether everything that was posted has been sent and nothing more will be.
    pub fn is_finished(&self, mailbox: &Mailbox) -> bool {
        self.sending.is_none() && mailbox.is_finished()
    }

    /// Sends what is due of the shard at hand, or begins the next one.
    fn send_on(&mut self, mailbox: &Mailbox, now: Duration) {
        let Exchange { connections, sending, spread, .. } = self;
        loop {
            let mut current = match sending.take() {
                Some(current) => current,
                None => {
                    let Some(shard) = mailbox.take_outbound() else { return };
                    connections.begin(now, &shard);
                    Sending { shard, began: now, sent: 0 }
                }
            };
            let wanted = current.wanted(now, *spread);
            connections.send_frames(now, &current.shard, current.sent..wanted);
            current.sent = wanted;
            if current.sent < current.shard.frame_count() {
                *sending = Some(current);
                return;
            }
            connections.finish(now, &current.shard);
            mailbox.give_back(current.shard);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::ConnectionId;

    #[test]
    fn snapshots_are_spread_over_the_time_that_was_asked_for() {
        let mut shard = OutboundShard::default();
        let connection = ConnectionId { worker: 0, slot: 0, generation: 1 };
        (0..1_000).for_each(|_| shard.push_frame(connection, b"snapshot"));
        let mut sending = Sending { shard, began: Duration::from_secs(1), sent: 0 };
        let wanted = |sending: &Sending, at_ms, spread_ms| {
            sending.wanted(Duration::from_millis(at_ms), Duration::from_millis(spread_ms))
        };
        assert_eq!(wanted(&sending, 1_000, 0), FRAMES_AT_ONCE, "as fast as it goes, but not deaf");
        assert_eq!(wanted(&sending, 1_000, 20), 1);
        sending.sent = 1;
        assert_eq!(wanted(&sending, 1_002, 20), 101);
        sending.sent = 900;
        assert_eq!(wanted(&sending, 1_010, 20), 900, "ahead of its time");
        assert_eq!(wanted(&sending, 1_020, 20), 1_000);
    }
}
