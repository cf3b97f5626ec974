//! The snapshots of a tick, one behind the other.

use std::ops::Range;

use bevy_ecs::prelude::Resource;
use throng_shared::limits::SNAPSHOT_BYTES_MAX;

use crate::interest::ViewCounts;
use crate::net::ConnectionId;

/// Clients whose snapshots are written together, by one thread; some microseconds each.
pub(super) const CLIENTS_PER_STRETCH: usize = 64;

/// Every client's snapshot of this tick, in the order of the sessions.
///
/// They lie one behind the other and not with their sessions: memory that is written and read from one end to the other
/// is brought near by itself.
#[derive(Resource, Debug, Default)]
pub(crate) struct Frames {
    stretches: Vec<Stretch>,
}

/// The snapshots of [`CLIENTS_PER_STRETCH`] clients that follow one another, and what is counted while they are written.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    bytes: Vec<u8>,
    frames: Vec<Frame>,
    counts: FrameCounts,
}

#[derive(Debug)]
struct Frame {
    /// None while the client's connection is broken; then there are no bytes either.
    connection: Option<ConnectionId>,
    bytes: Range<usize>,
}

/// What has happened while snapshots were written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FrameCounts {
    pub(crate) snapshots: u32,
    pub(crate) snapshot_bytes: u32,
    pub(crate) held_back: u32,
    pub(crate) views: ViewCounts,
}

impl Frames {
    /// Makes room for this many clients.
    pub(super) fn stretches_for(&mut self, clients: usize) -> &mut [Stretch] {
        self.stretches.resize_with(clients.div_ceil(CLIENTS_PER_STRETCH), Stretch::default);
        &mut self.stretches
    }

    /// The snapshot of the client at this place of the sessions; empty when it is told nothing in this tick.
    pub(crate) fn get(&self, place: usize) -> &[u8] {
        let stretch = self.stretches.get(place / CLIENTS_PER_STRETCH);
        let frame = stretch.and_then(|stretch| Some((stretch, stretch.frames.get(place % CLIENTS_PER_STRETCH)?)));
        frame.map_or(&[], |(stretch, frame)| &stretch.bytes[frame.bytes.clone()])
    }

    /// Snapshots that are to be sent, with where to.
    pub(crate) fn to_send(&self) -> impl Iterator<Item = (ConnectionId, &[u8])> {
        self.stretches.iter().flat_map(|stretch| {
            let frames = stretch.frames.iter().filter(|frame| !frame.bytes.is_empty());
            frames.filter_map(|frame| Some((frame.connection?, &stretch.bytes[frame.bytes.clone()])))
        })
    }

    /// What has happened, part by part.
    pub(crate) fn counts(&self) -> impl Iterator<Item = &FrameCounts> {
        self.stretches.iter().map(|stretch| &stretch.counts)
    }
}

impl Stretch {
    /// Empties it for this many clients; its memory is asked for once.
    pub(super) fn begin(&mut self, clients: usize) {
        self.bytes.clear();
        self.frames.clear();
        self.bytes.reserve(clients * SNAPSHOT_BYTES_MAX);
        self.frames.reserve(clients);
        self.counts = FrameCounts::default();
    }

    /// Adds the next client's snapshot: what `write` appends and counts, and nothing when there is no connection. Whether it is
    /// written.
    pub(super) fn push(
        &mut self,
        connection: Option<ConnectionId>,
        is_held_back: bool,
        write: impl FnOnce(&mut Vec<u8>, &mut ViewCounts),
    ) -> bool {
        let start = self.bytes.len();
        if connection.is_some() {
            write(&mut self.bytes, &mut self.counts.views);
        }
        let bytes = start..self.bytes.len();
        let is_written = !bytes.is_empty();
        self.counts.snapshots += u32::from(is_written);
        self.counts.snapshot_bytes += bytes.len() as u32;
        self.counts.held_back += u32::from(is_held_back);
        self.frames.push(Frame { connection, bytes });
        is_written
    }
}
