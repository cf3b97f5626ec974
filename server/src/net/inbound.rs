//! What has arrived, on its way to the front door.

use std::ops::Range;
use std::time::Duration;

use throng_shared::ids::ClientId;
use throng_shared::limits::INBOUND_BYTES_MAX;
use throng_shared::netcode::NetcodeError;
use throng_shared::wire::WireError;
use throng_shared::wire::token::TokenData;

use super::netcode::HandshakeRefusal;
use super::transport::ConnectionId;

/// Events in the order in which they happened. The memory is used again.
#[derive(Clone, Debug, Default)]
pub struct NetInbound {
    /// The events.
    pub events: Vec<NetEvent>,
    /// The connections' counts so far.
    pub totals: NetTotals,
    bytes: Vec<u8>,
}

/// A batch that has room for so many times what is needed is made smaller.
const SPARE_FACTOR_MAX: usize = 4;

/// The most that a tick has lately taken; what is longer ago counts less and less, half after some seven hundred ticks.
#[derive(Clone, Copy, Debug)]
pub(super) struct InboundNeed {
    events: usize,
    bytes: usize,
}

impl InboundNeed {
    /// Less is never taken for what is needed.
    const LEAST: InboundNeed = InboundNeed { events: 256, bytes: 16 * 1_024 };

    /// Takes note of what a tick is about to take.
    pub(super) fn note(&mut self, batch: &NetInbound) {
        let most = |before: usize, now: usize, least: usize| (before - before / 1_024).max(now).max(least);
        self.events = most(self.events, batch.events.len(), InboundNeed::LEAST.events);
        self.bytes = most(self.bytes, batch.bytes.len(), InboundNeed::LEAST.bytes);
    }
}

impl Default for InboundNeed {
    fn default() -> InboundNeed {
        InboundNeed::LEAST
    }
}

/// Something that a connection reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetEvent {
    /// A client has connected; it has not said hello yet.
    Connected {
        /// Its connection.
        connection: ConnectionId,
        /// Who, according to its token.
        client: ClientId,
        /// What else its token says; none when that cannot be read.
        token: Option<TokenData>,
    },
    /// Bytes have arrived.
    Received {
        /// What they are.
        content: Content,
        /// From where.
        connection: ConnectionId,
        /// When they arrived.
        received_at: Duration,
        /// The bytes, see [`NetInbound::bytes`].
        bytes: Range<usize>,
    },
    /// A connection has ended.
    Disconnected {
        /// Which.
        connection: ConnectionId,
        /// Why.
        end: ConnectionEnd,
    },
}

impl NetEvent {
    /// Which connection it is about.
    pub fn connection(&self) -> ConnectionId {
        let (NetEvent::Connected { connection, .. }
        | NetEvent::Received { connection, .. }
        | NetEvent::Disconnected { connection, .. }) = self;
        *connection
    }
}

/// What received bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A frame.
    Frame,
    /// A packet of the reliable channel.
    ChannelPacket,
    /// A control message.
    Control,
}

/// Why a connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionEnd {
    /// The client said that it leaves.
    Quit,
    /// Nothing was heard of the client for as long as its token allows.
    TimedOut,
    /// Too much of what the client sent was malformed; it is in quarantine.
    Malformed,
    /// We ended it, and said why.
    Dismissed,
}

impl ConnectionEnd {
    /// All of them, for metrics that start at zero.
    pub const ALL: [ConnectionEnd; 4] =
        [ConnectionEnd::Quit, ConnectionEnd::TimedOut, ConnectionEnd::Malformed, ConnectionEnd::Dismissed];

    /// Name in metrics.
    pub fn label(self) -> &'static str {
        match self {
            ConnectionEnd::Quit => "quit",
            ConnectionEnd::TimedOut => "timed_out",
            ConnectionEnd::Malformed => "malformed",
            ConnectionEnd::Dismissed => "dismissed",
        }
    }
}

/// Counts of a transport since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransportTotals {
    /// Packets that cannot be what they say, by [`NetcodeError::ALL`].
    pub refused: [u64; NetcodeError::ALL.len()],
    /// Packets from addresses that nobody is connected from.
    pub unknown_source: u64,
    /// Packets from a connected address beyond what is looked at.
    pub flooded: u64,
    /// Requests for a connection that were not granted, by reason; their names are in [`handshake_labels`].
    pub handshakes_refused: [u64; HandshakeRefusal::ALL.len()],
    /// Requests and responses from addresses of connected clients: mostly they were repeated, and the answer has overtaken them. They are not looked at.
    pub handshakes_late: u64,
    /// Times that a connected client's address has changed.
    pub moves: u64,
    /// Moves that were not looked at, for there were too many.
    pub moves_refused: u64,
    /// Datagrams that were not sent, for it was not proven that their client receives at its new address.
    pub held_back: u64,
    /// Datagrams that the operating system did not take.
    pub send_failures: u64,
}

/// Names of the reasons in [`TransportTotals::handshakes_refused`], in their order.
pub fn handshake_labels() -> [&'static str; HandshakeRefusal::ALL.len()] {
    HandshakeRefusal::ALL.map(HandshakeRefusal::label)
}

/// Counts of the network side since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetTotals {
    /// Clients connected now.
    pub connected: u64,
    /// Datagrams received from clients.
    pub datagrams_in: u64,
    /// Their payload bytes.
    pub bytes_in: u64,
    /// Datagrams sent to clients.
    pub datagrams_out: u64,
    /// Their payload bytes.
    pub bytes_out: u64,
    /// Datagrams of clients that were malformed, by [`WireError::ALL`].
    pub malformed: [u64; WireError::ALL.len()],
    /// Connections that have ended, by [`ConnectionEnd::ALL`].
    pub ended: [u64; ConnectionEnd::ALL.len()],
    /// Frames, packets and messages dropped because too much waited for the tick, or a client sent too many.
    pub inbound_dropped: u64,
    /// Batches of snapshots dropped because the network thread did not keep up.
    pub outbound_dropped: u64,
    /// Packets and control messages dropped because it did not for long.
    pub outbound_messages_dropped: u64,
    /// What the transport counts.
    pub transport: TransportTotals,
}

impl NetTotals {
    /// Adds the counts of another network thread.
    pub fn add(&mut self, other: &NetTotals) {
        let sum = |into: &mut u64, from: u64| *into += from;
        sum(&mut self.connected, other.connected);
        sum(&mut self.datagrams_in, other.datagrams_in);
        sum(&mut self.bytes_in, other.bytes_in);
        sum(&mut self.datagrams_out, other.datagrams_out);
        sum(&mut self.bytes_out, other.bytes_out);
        self.malformed.iter_mut().zip(other.malformed).for_each(|(into, from)| sum(into, from));
        self.ended.iter_mut().zip(other.ended).for_each(|(into, from)| sum(into, from));
        sum(&mut self.inbound_dropped, other.inbound_dropped);
        sum(&mut self.outbound_dropped, other.outbound_dropped);
        sum(&mut self.outbound_messages_dropped, other.outbound_messages_dropped);
        let (mine, theirs) = (&mut self.transport, &other.transport);
        mine.refused.iter_mut().zip(theirs.refused).for_each(|(into, from)| sum(into, from));
        mine.handshakes_refused.iter_mut().zip(theirs.handshakes_refused).for_each(|(into, from)| sum(into, from));
        sum(&mut mine.unknown_source, theirs.unknown_source);
        sum(&mut mine.handshakes_late, theirs.handshakes_late);
        sum(&mut mine.moves, theirs.moves);
        sum(&mut mine.moves_refused, theirs.moves_refused);
        sum(&mut mine.held_back, theirs.held_back);
        sum(&mut mine.flooded, theirs.flooded);
        sum(&mut mine.send_failures, theirs.send_failures);
    }
}

impl NetInbound {
    /// Adds what has arrived. When [`INBOUND_BYTES_MAX`] is reached it is dropped and counted: frames are worth nothing
    /// later, and everything else is sent again.
    pub fn push(&mut self, content: Content, connection: ConnectionId, received_at: Duration, bytes: &[u8]) {
        if self.charge() + bytes.len() > INBOUND_BYTES_MAX {
            self.totals.inbound_dropped += 1;
            return;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.events.push(NetEvent::Received { content, connection, received_at, bytes: start..self.bytes.len() });
    }

    /// The bytes that an event tells of.
    pub fn bytes(&self, range: &Range<usize>) -> &[u8] {
        &self.bytes[range.clone()]
    }

    /// Moves everything from `other` behind what is here; `other` is left empty, with its memory.
    pub fn append(&mut self, other: &mut NetInbound) {
        let shift = self.bytes.len();
        let is_full = self.charge() + other.charge() > INBOUND_BYTES_MAX;
        let mut dropped = 0;
        self.events.extend(other.events.drain(..).filter_map(|event| {
            let is_kept = !(is_full && matches!(event, NetEvent::Received { .. }));
            dropped += u64::from(!is_kept);
            is_kept.then(|| event.shifted(shift))
        }));
        if is_full {
            // What is kept tells of none of them.
            other.bytes.clear();
        }
        self.bytes.append(&mut other.bytes);
        other.totals.inbound_dropped += dropped;
        self.totals = other.totals;
    }

    /// Moves everything to `other`, which is empty, by a swap; both keep the counts.
    pub(super) fn clear_into(&mut self, other: &mut NetInbound) {
        std::mem::swap(&mut self.events, &mut other.events);
        std::mem::swap(&mut self.bytes, &mut other.bytes);
        self.clear();
    }

    /// Empties the batch, keeping its memory and the counts.
    pub fn clear(&mut self) {
        self.events.clear();
        self.bytes.clear();
    }

    /// Gives memory back when there is far more of it than is needed, in an empty batch.
    pub(super) fn shrink_to(&mut self, need: &InboundNeed) {
        if self.events.capacity() > SPARE_FACTOR_MAX * need.events {
            self.events.shrink_to(2 * need.events);
        }
        if self.bytes.capacity() > SPARE_FACTOR_MAX * need.bytes {
            self.bytes.shrink_to(2 * need.bytes);
        }
    }

    /// What the events count for in [`INBOUND_BYTES_MAX`].
    fn charge(&self) -> usize {
        const EVENT_BYTES: usize = 64;
        self.bytes.len() + EVENT_BYTES * self.events.len()
    }
}

impl NetEvent {
    fn shifted(mut self, shift: usize) -> NetEvent {
        if let NetEvent::Received { bytes, .. } = &mut self {
            *bytes = bytes.start + shift..bytes.end + shift;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_flood_bytes_are_dropped_and_news_of_connections_are_kept() {
        let connection = ConnectionId { worker: 0, slot: 1, generation: 1 };
        for content in [Content::Frame, Content::ChannelPacket, Content::Control] {
            let mut waiting = NetInbound::default();
            let mut more = NetInbound::default();
            while waiting.totals.inbound_dropped == 0 {
                waiting.push(content, connection, Duration::ZERO, &[1]);
            }
            assert!(waiting.events.len() <= INBOUND_BYTES_MAX / 64, "small ones count as well");
            more.push(content, connection, Duration::ZERO, &[0; 1_000]);
            more.events.push(NetEvent::Disconnected { connection, end: ConnectionEnd::Quit });
            let (count, bytes) = (waiting.events.len(), waiting.bytes.len());
            waiting.append(&mut more);
            assert_eq!(waiting.bytes.len(), bytes, "their bytes go with them");
            let [NetEvent::Disconnected { .. }] = &waiting.events[count..] else {
                panic!("{:?}", &waiting.events[count..]);
            };
            assert_eq!(more.totals.inbound_dropped, 1);
        }
    }
}
