//! What has arrived, on its way to the front door.

use std::ops::Range;
use std::time::Duration;

use throng_shared::ids::ClientId;
use throng_shared::limits::INBOUND_BYTES_MAX;
use throng_shared::wire::token::TokenData;

/// Events in the order in which they happened. The memory is used again.
#[derive(Clone, Debug, Default)]
pub struct NetInbound {
    /// The events.
    pub events: Vec<NetEvent>,
    /// The connections' counts so far.
    pub totals: NetTotals,
    /// Up to which of the network side's looks this tells of; what is sent in answer refers to it, see
    /// [`crate::batch::OutboundBatch::heard_until`].
    pub heard_until: u64,
    bytes: Vec<u8>,
}

/// Something that a connection reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetEvent {
    /// A client has connected; it has not said hello yet.
    Connected {
        /// Who.
        client: ClientId,
        /// What its token says; none when that cannot be read.
        token: Option<TokenData>,
    },
    /// A reliable message has arrived.
    Message {
        /// Who sent it.
        client: ClientId,
        /// Its bytes, see [`NetInbound::bytes`].
        bytes: Range<usize>,
    },
    /// A frame has arrived.
    Frame {
        /// Who sent it.
        client: ClientId,
        /// When it arrived.
        received_at: Duration,
        /// Its bytes, see [`NetInbound::bytes`].
        bytes: Range<usize>,
    },
    /// Too much of what a client sent was malformed.
    Misbehaved {
        /// Who.
        client: ClientId,
    },
    /// A connection has ended.
    Disconnected {
        /// Whose.
        client: ClientId,
    },
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
    /// Datagrams refused before anybody could be told to have sent them.
    pub refused: u64,
    /// Requests for a connection that got no answer: the token was sealed with another key, has expired, or is for another
    /// address. A client repeats its request several times in a second.
    pub handshakes_refused: u64,
    /// Datagrams of clients that were malformed, by [`throng_shared::wire::WireError::ALL`].
    pub malformed: [u64; 5],
    /// Events dropped because too many bytes waited for the tick.
    pub inbound_dropped: u64,
    /// Batches of snapshots dropped because the network thread did not keep up.
    pub outbound_dropped: u64,
    /// Connections ended because too many reliable messages were unacknowledged.
    pub channels_full: u64,
}

impl NetInbound {
    /// Adds a frame. When [`INBOUND_BYTES_MAX`] is reached it is dropped and counted.
    pub fn push_frame(&mut self, client: ClientId, received_at: Duration, frame: &[u8]) {
        if self.charge() + frame.len() > INBOUND_BYTES_MAX {
            self.totals.inbound_dropped += 1;
            return;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(frame);
        self.events.push(NetEvent::Frame { client, received_at, bytes: start..self.bytes.len() });
    }

    /// Adds a message. It is always kept: how many a client may send is limited where they come in.
    pub fn push_message(&mut self, client: ClientId, message: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(message);
        self.events.push(NetEvent::Message { client, bytes: start..self.bytes.len() });
    }

    /// The bytes of a frame or message.
    pub fn bytes(&self, range: &Range<usize>) -> &[u8] {
        &self.bytes[range.clone()]
    }

    /// Moves everything from `other` behind what is here; `other` is left empty, with its memory.
    pub fn append(&mut self, other: &mut NetInbound) {
        let shift = self.bytes.len();
        let is_full = self.charge() + other.charge() > INBOUND_BYTES_MAX;
        let mut dropped = 0;
        self.events.extend(other.events.drain(..).filter_map(|event| {
            let is_kept = !(is_full && matches!(event, NetEvent::Frame { .. }));
            dropped += u64::from(!is_kept);
            is_kept.then(|| event.shifted(shift))
        }));
        self.bytes.append(&mut other.bytes);
        other.totals.inbound_dropped += dropped;
        self.totals = other.totals;
        self.heard_until = other.heard_until;
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

    /// What the events count for in [`INBOUND_BYTES_MAX`].
    fn charge(&self) -> usize {
        const EVENT_BYTES: usize = 64;
        self.bytes.len() + EVENT_BYTES * self.events.len()
    }
}

impl NetEvent {
    fn shifted(mut self, shift: usize) -> NetEvent {
        if let NetEvent::Frame { bytes, .. } | NetEvent::Message { bytes, .. } = &mut self {
            *bytes = bytes.start + shift..bytes.end + shift;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_flood_frames_are_dropped_and_messages_are_kept() {
        let client = ClientId(1);
        let mut waiting = NetInbound::default();
        let mut more = NetInbound::default();
        while waiting.totals.inbound_dropped == 0 {
            waiting.push_frame(client, Duration::ZERO, &[1]);
        }
        assert!(waiting.events.len() <= INBOUND_BYTES_MAX / 64, "small ones count as well");
        more.push_frame(client, Duration::ZERO, &[0; 1_000]);
        more.push_message(ClientId(2), b"hello");
        more.events.push(NetEvent::Disconnected { client });
        let count = waiting.events.len();
        waiting.append(&mut more);
        let [NetEvent::Message { client: ClientId(2), bytes }, NetEvent::Disconnected { .. }] =
            &waiting.events[count..]
        else {
            panic!("{:?}", &waiting.events[count..]);
        };
        assert_eq!(waiting.bytes(bytes), b"hello");
        assert_eq!(more.totals.inbound_dropped, 1);
    }
}
