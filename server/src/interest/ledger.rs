//! Where a client's bytes go, and what else happens to views.

use std::ops::AddAssign;

use serde::Serialize;
use throng_shared::config::INTEREST_TIERS_MAX;

use super::budget::DATAGRAM_OVERHEAD_BYTES;

/// Bytes of snapshots, each in one place: together they are what was sent. Those of one tick are counted in smaller numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ledger<Count = u64> {
    /// Snapshots.
    pub snapshots: Count,
    /// Tick, own state and counts.
    pub own_bytes: Count,
    /// Attributes of the own character.
    pub own_attribute_bytes: Count,
    /// Pages that are told no longer.
    pub leave_bytes: Count,
    /// A crowd, as groups.
    pub crowd_bytes: Count,
    /// Pages, by tier.
    pub pages: [TierBytes<Count>; INTEREST_TIERS_MAX],
}

/// Bytes of the pages of one tier, with their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TierBytes<Count = u64> {
    /// Pages told whole for the first time.
    pub enter_bytes: Count,
    /// Pages told whole again, because nothing of them has been acknowledged yet or for too long.
    pub resend_bytes: Count,
    /// Pages told against what the client has.
    pub delta_bytes: Count,
    /// Attributes in all of them, which the others do not count.
    pub attribute_bytes: Count,
}

/// What has happened to views.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ViewCounts {
    /// Characters told with their names, with repetitions.
    pub(crate) enters: u32,
    /// States written that are other than at their baseline.
    pub(crate) updates: u32,
    /// Slots told to be empty and pages told to end, with repetitions.
    pub(crate) leaves: u32,
    /// Characters of pages that did not fit.
    pub(crate) deferred: u32,
    /// Those of them that were told longer ago than their tier allows.
    pub(crate) late: u32,
    /// Where the bytes of snapshots went.
    pub(crate) ledger: Ledger<u32>,
    /// Pages told as single numbers.
    pub(crate) crowd_records: u32,
    /// How often the link was found to be congested.
    pub(crate) congestions: u32,
    /// Snapshots given up as lost.
    pub(crate) snapshots_lost: u32,
}

impl Ledger {
    /// All of it: the bytes of the snapshots.
    pub fn snapshot_bytes(&self) -> u64 {
        let TierBytes { enter_bytes, resend_bytes, delta_bytes, attribute_bytes } = self.all_tiers();
        let pages_bytes = enter_bytes + resend_bytes + delta_bytes + attribute_bytes;
        self.own_bytes + self.own_attribute_bytes + self.leave_bytes + self.crowd_bytes + pages_bytes
    }

    /// Pages of all tiers together.
    fn all_tiers(&self) -> TierBytes {
        let mut all = TierBytes::default();
        self.pages.iter().for_each(|tier| all += tier);
        all
    }

    /// What they take on the wire at most when nothing travels with them: with the frame's kind, the connection layer's header and seal, UDP
    /// and IPv4 headers.
    pub fn wire_bytes(&self) -> u64 {
        self.snapshot_bytes() + self.overhead_bytes()
    }

    /// The part of that which is not snapshots.
    pub fn overhead_bytes(&self) -> u64 {
        self.snapshots * DATAGRAM_OVERHEAD_BYTES as u64
    }
}

impl<Sum> Ledger<Sum> {
    /// Adds another that has nothing beyond the first so many tiers.
    pub(super) fn add<Count>(&mut self, other: &Ledger<Count>, tiers: usize)
    where
        Count: Copy + Default + PartialEq + Into<Sum>,
        Sum: AddAssign,
    {
        debug_assert!(other.pages.iter().skip(tiers).all(|tier| *tier == TierBytes::default()), "nothing is left out");
        self.snapshots += other.snapshots.into();
        self.own_bytes += other.own_bytes.into();
        self.own_attribute_bytes += other.own_attribute_bytes.into();
        self.leave_bytes += other.leave_bytes.into();
        self.crowd_bytes += other.crowd_bytes.into();
        for (tier, other) in self.pages.iter_mut().zip(&other.pages).take(tiers) {
            *tier += other;
        }
    }
}

impl<Count: Copy + Default + PartialEq + Into<Sum>, Sum: AddAssign> AddAssign<&Ledger<Count>> for Ledger<Sum> {
    fn add_assign(&mut self, other: &Ledger<Count>) {
        self.add(other, INTEREST_TIERS_MAX);
    }
}

impl<Count: Copy + Into<Sum>, Sum: AddAssign> AddAssign<&TierBytes<Count>> for TierBytes<Sum> {
    fn add_assign(&mut self, other: &TierBytes<Count>) {
        self.enter_bytes += other.enter_bytes.into();
        self.resend_bytes += other.resend_bytes.into();
        self.delta_bytes += other.delta_bytes.into();
        self.attribute_bytes += other.attribute_bytes.into();
    }
}
