//! What goes into an instance and what comes out of it, tick by tick. The memory of both is used again.

use std::ops::Range;
use std::time::Duration;

use throng_shared::ids::ClientId;
use throng_shared::limits::QUARANTINED_MAX;
use throng_shared::wire::control::{GoodbyeReason, Welcome};

use crate::net::ConnectionId;

/// Everything that has arrived for one instance since its last tick.
#[derive(Clone, Debug, Default)]
pub struct InboundBatch {
    /// Clients that were let in or have gone, in the order of the events.
    pub arrivals: Vec<Arrival>,
    /// When the tick begins that takes the batch, on the scale of the frames' arrivals. From it clients are told how early
    /// their inputs came, and rules have their wall time; nothing else depends on it.
    pub tick_begins_at: Duration,
    /// The rung of the overload ladder that the world stands on; 0 for none.
    pub rung: u8,
    /// By how much longer bots wait until they think, in percent; see [`crate::overload::ThinkPace`].
    pub think_delay_percent: u16,
    /// Messages of clients in the world, in the order in which they arrived.
    pub messages: Vec<(ClientId, Vec<u8>)>,
    frames: Vec<InboundFrame>,
    bytes: Vec<u8>,
}

/// A client comes or goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The front door has let a client in.
    Joined {
        /// Who.
        client: ClientId,
        /// Its connection.
        connection: ConnectionId,
        /// The name that the player gave.
        name: String,
    },
    /// Its connection has broken; its seat is held.
    Broken {
        /// Who.
        client: ClientId,
    },
    /// It has come back to its seat.
    Resumed {
        /// Who.
        client: ClientId,
        /// Its new connection.
        connection: ConnectionId,
        /// Whether it still knows what it was told before. Otherwise it must be told everything anew.
        knows_world: bool,
    },
    /// It has gone for good.
    Left {
        /// Who.
        client: ClientId,
    },
}

#[derive(Clone, Debug)]
struct InboundFrame {
    client: ClientId,
    received_at: Duration,
    bytes: Range<usize>,
}

/// A received frame, not yet decoded.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedFrame<'a> {
    /// Who sent it.
    pub client: ClientId,
    /// How long before the tick began it arrived, in milliseconds.
    pub waited_ms: u16,
    /// An encoded [`throng_shared::wire::inputs::InputFrame`], if the client is honest.
    pub bytes: &'a [u8],
}

impl InboundBatch {
    /// Adds a frame that arrived at `received_at`.
    pub fn push_frame(&mut self, client: ClientId, received_at: Duration, frame: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(frame);
        self.frames.push(InboundFrame { client, received_at, bytes: start..self.bytes.len() });
    }

    /// Puts the frames in an order that does not depend on how threads and sockets took turns: by client, each
    /// client's in the order of their arrival.
    pub fn sort(&mut self) {
        // Bytes lie in the order of arrival. A sort that keeps what is equal in its order would ask for memory in every tick.
        self.frames.sort_unstable_by_key(|frame| (frame.client, frame.bytes.start, frame.bytes.end));
    }

    /// The frames.
    pub fn frames(&self) -> impl Iterator<Item = ReceivedFrame<'_>> {
        self.frames.iter().map(|frame| self.received(frame))
    }

    /// The frames in groups of so many, the last of fewer: for whoever fetches what several need before it takes the first.
    pub(crate) fn frame_groups(
        &self,
        frames_each: usize,
    ) -> impl Iterator<Item = impl Iterator<Item = ReceivedFrame<'_>> + Clone> {
        self.frames.chunks(frames_each).map(|frames| frames.iter().map(|frame| self.received(frame)))
    }

    fn received(&self, frame: &InboundFrame) -> ReceivedFrame<'_> {
        ReceivedFrame {
            client: frame.client,
            waited_ms: self.tick_begins_at.saturating_sub(frame.received_at).as_millis().min(30_000) as u16,
            bytes: &self.bytes[frame.bytes.clone()],
        }
    }

    /// Forgets what a client that has gone has sent: it is not for whoever comes under its name after it.
    pub fn forget(&mut self, client: ClientId) {
        self.frames.retain(|frame| frame.client != client);
        self.messages.retain(|(sender, _)| *sender != client);
    }

    /// Empties the batch, keeping its memory.
    pub fn clear(&mut self) {
        self.arrivals.clear();
        self.messages.clear();
        self.frames.clear();
        self.bytes.clear();
    }
}

/// Everything that instances have for their clients, and the front door for its visitors.
#[derive(Clone, Debug, Default)]
pub struct OutboundBatch {
    /// Answers to clients that an instance has let in or given their seats back.
    pub welcomes: Vec<(ClientId, Welcome)>,
    /// Messages for the reliable channel, each of 1 to [`throng_shared::limits::MESSAGE_BYTES_MAX`] bytes, in the order in
    /// which they are to be sent.
    pub messages: Vec<(ClientId, Vec<u8>)>,
    /// Clients to be sent away.
    pub dismissals: Vec<(ClientId, GoodbyeReason)>,
    /// What each network thread is to send, by its number.
    shards: Vec<OutboundShard>,
}

/// What one network thread is to send.
#[derive(Clone, Debug, Default)]
pub struct OutboundShard {
    /// Connections to be ended.
    pub closes: Vec<ConnectionId>,
    /// Clients to be kept out for a while.
    pub quarantines: Vec<ClientId>,
    frames: Vec<(ConnectionId, Range<usize>)>,
    packets: Vec<(ConnectionId, Range<usize>)>,
    controls: Vec<(ConnectionId, Range<usize>)>,
    bytes: Vec<u8>,
}

impl OutboundBatch {
    /// The shard of the network thread that has `connection`.
    pub fn shard_of(&mut self, connection: ConnectionId) -> &mut OutboundShard {
        self.shard(connection.worker)
    }

    /// The shard of a network thread.
    pub fn shard(&mut self, worker: u16) -> &mut OutboundShard {
        let place = usize::from(worker);
        if self.shards.len() <= place {
            self.shards.resize_with(place + 1, OutboundShard::default);
        }
        &mut self.shards[place]
    }

    /// Adds a snapshot.
    pub fn push_frame(&mut self, connection: ConnectionId, frame: &[u8]) {
        self.shard_of(connection).push_frame(connection, frame);
    }

    /// Keeps a client out for a while, at every port that has been written to.
    pub fn quarantine(&mut self, client: ClientId) {
        self.shards.iter_mut().for_each(|shard| shard.quarantines.push(client));
    }

    /// Sends a client away, and tells it why.
    pub fn dismiss(&mut self, client: ClientId, reason: GoodbyeReason) {
        self.dismissals.push((client, reason));
    }

    /// Empties the batch, keeping its memory.
    pub fn clear(&mut self) {
        self.welcomes.clear();
        self.messages.clear();
        self.dismissals.clear();
        self.shards.iter_mut().for_each(OutboundShard::clear);
    }
}

impl OutboundShard {
    /// Adds a snapshot.
    pub fn push_frame(&mut self, connection: ConnectionId, frame: &[u8]) {
        self.frames.push((connection, put(&mut self.bytes, frame)));
    }

    /// Adds a packet of the reliable channel. Those of one connection are added one after another.
    pub fn push_packet(&mut self, connection: ConnectionId, packet: &[u8]) {
        self.packets.push((connection, put(&mut self.bytes, packet)));
    }

    /// Adds a control message.
    pub fn push_control(&mut self, connection: ConnectionId, message: &[u8]) {
        self.controls.push((connection, put(&mut self.bytes, message)));
    }

    /// Number of snapshots.
    pub fn frame_count(&self) -> usize {
        self.frames.len()
    }

    /// The snapshot at `place`, below [`OutboundShard::frame_count`].
    pub fn frame(&self, place: usize) -> (ConnectionId, &[u8]) {
        let (connection, range) = &self.frames[place];
        (*connection, &self.bytes[range.clone()])
    }

    /// The snapshots.
    pub fn frames(&self) -> impl ExactSizeIterator<Item = (ConnectionId, &[u8])> {
        self.each(&self.frames)
    }

    /// The packets of the reliable channels in these places.
    pub fn packets_at(&self, places: Range<usize>) -> impl ExactSizeIterator<Item = (ConnectionId, &[u8])> {
        self.each(&self.packets[places])
    }

    /// The packets of the reliable channels, those of one connection one after another.
    pub fn packets(&self) -> impl ExactSizeIterator<Item = (ConnectionId, &[u8])> {
        self.each(&self.packets)
    }

    /// The control messages.
    pub fn controls(&self) -> impl ExactSizeIterator<Item = (ConnectionId, &[u8])> {
        self.each(&self.controls)
    }

    /// Moves everything but the snapshots from `other` behind what is here; `other` is left empty, with its memory. When packets and control messages are
    /// more than `bytes_max` together, each counted with 64 more, all of them are dropped. Returns how many were. O(what is here).
    pub fn keep_of(&mut self, other: &mut OutboundShard, bytes_max: usize) -> u64 {
        const MESSAGE_BYTES: usize = 64;
        for (connection, packet) in other.each(&other.packets) {
            self.push_packet(connection, packet);
        }
        for (connection, message) in other.each(&other.controls) {
            self.push_control(connection, message);
        }
        // Those of one connection stay together, in their order.
        self.packets.sort_by_key(|(connection, _)| *connection);
        self.closes.append(&mut other.closes);
        self.quarantines.append(&mut other.quarantines);
        self.quarantines.sort_unstable();
        self.quarantines.dedup();
        // More are not kept out at any port.
        self.quarantines.truncate(QUARANTINED_MAX);
        other.clear();
        let messages = self.packets.len() + self.controls.len();
        if self.bytes.len() + MESSAGE_BYTES * messages <= bytes_max {
            return 0;
        }
        self.packets.clear();
        self.controls.clear();
        self.bytes.clear();
        messages as u64
    }

    /// How many bytes it has of snapshots, packets and messages.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        let has_bytes = !(self.frames.is_empty() && self.packets.is_empty() && self.controls.is_empty());
        !has_bytes && self.closes.is_empty() && self.quarantines.is_empty()
    }

    /// Empties the shard, keeping its memory.
    pub fn clear(&mut self) {
        self.closes.clear();
        self.quarantines.clear();
        self.frames.clear();
        self.packets.clear();
        self.controls.clear();
        self.bytes.clear();
    }

    fn each<'s>(
        &'s self,
        entries: &'s [(ConnectionId, Range<usize>)],
    ) -> impl ExactSizeIterator<Item = (ConnectionId, &'s [u8])> {
        entries.iter().map(|(connection, range)| (*connection, &self.bytes[range.clone()]))
    }
}

fn put(bytes: &mut Vec<u8>, added: &[u8]) -> Range<usize> {
    let start = bytes.len();
    bytes.extend_from_slice(added);
    start..bytes.len()
}

#[cfg(test)]
mod tests {
    use throng_shared::random::Random;

    use super::*;

    #[test]
    fn frames_are_sorted_by_client_and_each_clients_stay_in_their_order() {
        let mut random = Random::new(17, 0);
        let (mut batch, mut expected) = (InboundBatch::default(), Vec::new());
        for number in 0..500_u16 {
            let client = ClientId(u64::from(random.below(20)));
            // Some have nothing in them.
            let bytes = number.to_le_bytes();
            let frame = if random.percent(20.0) { &[][..] } else { &bytes[..] };
            batch.push_frame(client, Duration::ZERO, frame);
            expected.push((client, frame.to_vec()));
        }
        expected.sort_by_key(|(client, _)| *client);
        batch.sort();
        let found: Vec<(ClientId, Vec<u8>)> =
            batch.frames().map(|frame| (frame.client, frame.bytes.to_vec())).collect();
        assert_eq!(found, expected);
    }
}
