//! What goes into an instance and what comes out of it, tick by tick. The memory of both is used again.

use std::ops::Range;
use std::time::Duration;

use throng_shared::ids::ClientId;
use throng_shared::wire::message::{GoodbyeReason, ServerMessage};

/// Everything that has arrived for one instance since its last tick.
#[derive(Clone, Debug, Default)]
pub struct InboundBatch {
    /// Clients that were let in or have gone, in the order of the events.
    pub arrivals: Vec<Arrival>,
    /// When the tick begins that takes the batch, on the scale of the frames' arrivals. From it clients are told how early
    /// their inputs came; nothing else depends on it.
    pub tick_begins_at: Duration,
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
        /// The name that the player gave.
        name: String,
    },
    /// Its connection has ended.
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
        self.frames.sort_by_key(|frame| frame.client);
    }

    /// The frames.
    pub fn frames(&self) -> impl Iterator<Item = ReceivedFrame<'_>> {
        self.frames.iter().map(|frame| ReceivedFrame {
            client: frame.client,
            waited_ms: self.tick_begins_at.saturating_sub(frame.received_at).as_millis().min(30_000) as u16,
            bytes: &self.bytes[frame.bytes.clone()],
        })
    }

    /// Forgets the frames of a client that has gone: they are not for whoever comes under its name after it.
    pub fn forget_frames(&mut self, client: ClientId) {
        self.frames.retain(|frame| frame.client != client);
    }

    /// Empties the batch, keeping its memory.
    pub fn clear(&mut self) {
        self.arrivals.clear();
        self.frames.clear();
        self.bytes.clear();
    }
}

/// Everything that instances and the front door have for the network.
#[derive(Clone, Debug, Default)]
pub struct OutboundBatch {
    /// Messages for the reliable channel, in the order in which they are to be sent.
    pub messages: Vec<(ClientId, ServerMessage)>,
    /// Which connections were known when this was written: nothing in it is for those that came later, even if their
    /// clients bear the names of earlier ones.
    pub heard_until: u64,
    /// Connections to be ended, each with its last message; sent after `messages`.
    pub dismissals: Vec<(ClientId, ServerMessage)>,
    frames: Vec<(ClientId, Range<usize>)>,
    bytes: Vec<u8>,
}

impl OutboundBatch {
    /// Adds a snapshot for a client.
    pub fn push_frame(&mut self, client: ClientId, frame: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(frame);
        self.frames.push((client, start..self.bytes.len()));
    }

    /// The snapshots.
    pub fn frames(&self) -> impl ExactSizeIterator<Item = (ClientId, &[u8])> {
        self.frames.iter().map(|(client, range)| (*client, &self.bytes[range.clone()]))
    }

    /// Ends a client's connection, and tells it why.
    pub fn dismiss(&mut self, client: ClientId, reason: GoodbyeReason) {
        self.dismissals.push((client, ServerMessage::Goodbye(reason)));
    }

    /// Moves everything from `other` behind what is here; `other` is left empty, with its memory.
    pub fn append(&mut self, other: &mut OutboundBatch) {
        let shift = self.bytes.len();
        self.bytes.append(&mut other.bytes);
        let moved = other.frames.drain(..).map(|(client, range)| (client, range.start + shift..range.end + shift));
        self.frames.extend(moved);
        self.heard_until = self.heard_until.max(other.heard_until);
        self.messages.append(&mut other.messages);
        self.dismissals.append(&mut other.dismissals);
    }

    /// Drops the snapshots, keeping messages and dismissals.
    pub fn clear_frames(&mut self) {
        self.frames.clear();
        self.bytes.clear();
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.messages.is_empty() && self.dismissals.is_empty()
    }

    /// Empties the batch, keeping its memory.
    pub fn clear(&mut self) {
        self.messages.clear();
        self.dismissals.clear();
        self.frames.clear();
        self.bytes.clear();
    }
}
