//! Memory that work on one view needs and the next view may have: each thread's own, so that it stays in the cache where
//! that of thousands of views would not.

use std::cell::RefCell;

use throng_shared::ids::NetId;
use throng_shared::wire::snapshot::{ENTER_BITS, UPDATE_BITS};

/// Lists, empty or with what an earlier view left in them. They grow to what the largest view needs.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) candidates: Vec<Candidate>,
    pub(super) pending: Vec<Pending>,
    pub(super) leaving: Vec<u16>,
}

/// An entity that may come into view.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) distance_squared_m2: f32,
    pub(super) net_id: NetId,
    pub(super) row: u32,
}

/// An entity that the client should be told about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    /// Smaller goes first; reckoned only when not all have room.
    pub(super) rank: f32,
    pub(super) net_id: NetId,
    pub(super) slot: u16,
    pub(super) is_entering: bool,
}

impl Pending {
    /// What it takes in a snapshot.
    pub(super) fn bits(&self) -> usize {
        if self.is_entering { ENTER_BITS } else { UPDATE_BITS }
    }
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Calls `work` with this thread's scratch memory, which must not be asked for again in there.
pub(super) fn with<Answer>(work: impl FnOnce(&mut Scratch) -> Answer) -> Answer {
    SCRATCH.with_borrow_mut(work)
}
