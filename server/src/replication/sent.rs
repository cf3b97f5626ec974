//! Which snapshot carried what, until it is acknowledged or lost.

use std::collections::VecDeque;

use throng_shared::limits::{ACK_WAIT_MS, LOSS_AFTER_MS, LOSS_AFTER_TICKS_MIN, VIEW_SLOTS_MAX};
use throng_shared::tick::{Tick, TickRate};
use throng_shared::wire::inputs::SnapshotAcks;

/// One entry of a sent snapshot. Small, for each client has hundreds under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SentEntry {
    /// The slot, and in the highest bit whether it is its leave.
    slot_and_leave: u16,
    /// Tells the slot's present owner from earlier ones.
    pub(super) generation: u16,
}

const LEAVE_BIT: u16 = 1 << 15;
const _: () = assert!(VIEW_SLOTS_MAX <= LEAVE_BIT as usize);

impl SentEntry {
    /// The state of the entity in a slot.
    pub(super) fn state(slot: u16, generation: u16) -> SentEntry {
        SentEntry { slot_and_leave: slot, generation }
    }

    /// The leave of the entity in a slot.
    pub(super) fn leave(slot: u16, generation: u16) -> SentEntry {
        SentEntry { slot_and_leave: slot | LEAVE_BIT, generation }
    }

    /// Which slot, as an index.
    pub(super) fn slot(self) -> usize {
        usize::from(self.slot_and_leave & !LEAVE_BIT)
    }

    /// Whether it is a leave.
    pub(super) fn is_leave(self) -> bool {
        self.slot_and_leave & LEAVE_BIT != 0
    }
}

/// What has become of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Arrived,
    Lost,
}

/// The last snapshots to one client, from the first that is not settled on: few when they arrive, so that memory stays warm.
#[derive(Debug)]
pub(super) struct SentSnapshots {
    /// Oldest first; the first is not settled, others may be.
    snapshots: VecDeque<SentSnapshot>,
    /// The entries of all of them, in the same order.
    entries: VecDeque<SentEntry>,
    /// [`ACK_WAIT_MS`] in ticks.
    wait_ticks: u32,
    /// [`LOSS_AFTER_MS`] in ticks.
    loss_after_ticks: u32,
    newest_acked: Tick,
}

#[derive(Clone, Copy, Debug)]
struct SentSnapshot {
    tick: Tick,
    entry_count: u32,
    is_settled: bool,
}

impl SentSnapshots {
    /// None, in a world of this rate.
    pub(super) fn new(rate: TickRate) -> SentSnapshots {
        SentSnapshots {
            snapshots: VecDeque::new(),
            entries: VecDeque::new(),
            wait_ticks: rate.ticks_for_ms(ACK_WAIT_MS),
            loss_after_ticks: rate.ticks_for_ms(LOSS_AFTER_MS).max(LOSS_AFTER_TICKS_MIN),
            newest_acked: Tick(0),
        }
    }

    /// Takes for lost what has waited for [`ACK_WAIT_MS`] at `tick`: calls `settle` for each of its entries.
    pub(super) fn expire(&mut self, tick: Tick, mut settle: impl FnMut(SentEntry, Tick)) {
        let wait_ticks = self.wait_ticks;
        let is_overdue = |snapshot: &SentSnapshot| tick.since(snapshot.tick) >= wait_ticks;
        while self.snapshots.front().is_some_and(is_overdue) {
            self.settle(0, 0, &mut settle);
            self.forget_settled();
        }
    }

    /// Begins a new snapshot, without entries.
    pub(super) fn begin(&mut self, tick: Tick) {
        self.snapshots.push_back(SentSnapshot { tick, entry_count: 0, is_settled: false });
    }

    /// Adds an entry to the snapshot that was begun last.
    pub(super) fn push(&mut self, entry: SentEntry) {
        if let Some(newest) = self.snapshots.back_mut() {
            newest.entry_count += 1;
            self.entries.push_back(entry);
        }
    }

    /// Takes every open snapshot for lost, and calls `settle` with its entries.
    pub(super) fn lose_all(&mut self, mut settle: impl FnMut(SentEntry, Tick)) {
        let mut first_entry = 0;
        for place in 0..self.snapshots.len() {
            first_entry += self.settle(place, first_entry, &mut settle);
        }
        self.forget_settled();
    }

    /// Settles what `acks` tell: acknowledged snapshots have arrived; unacknowledged ones that are more than
    /// [`LOSS_AFTER_MS`] older than the newest acknowledged are lost. Calls `settle` with each entry of those, the
    /// snapshot's tick and the verdict; returns the number of lost snapshots.
    pub(super) fn acknowledge(&mut self, acks: &SnapshotAcks, mut settle: impl FnMut(SentEntry, Tick, Verdict)) -> u32 {
        if acks.newest == self.newest_acked {
            return 0;
        }
        self.newest_acked = acks.newest;
        let certain = acks.newest - self.loss_after_ticks;
        let (mut lost, mut first_entry) = (0, 0);
        for place in 0..self.snapshots.len() {
            let SentSnapshot { tick, is_settled, .. } = self.snapshots[place];
            // Nothing newer than the newest is spoken of.
            if tick > acks.newest {
                break;
            }
            let has_arrived = acks.contains(tick);
            let verdict = if has_arrived { Verdict::Arrived } else { Verdict::Lost };
            lost += u32::from(!has_arrived && !is_settled && tick < certain);
            first_entry += match has_arrived || tick < certain {
                true => self.settle(place, first_entry, &mut |entry, tick| settle(entry, tick, verdict)),
                false => self.snapshots[place].entry_count as usize,
            };
        }
        self.forget_settled();
        lost
    }

    /// Settles the snapshot at `place`, whose entries begin at `first_entry`, unless that was done before. Returns how many
    /// entries it has.
    fn settle(&mut self, place: usize, first_entry: usize, settle: &mut impl FnMut(SentEntry, Tick)) -> usize {
        let snapshot = &mut self.snapshots[place];
        let entry_count = snapshot.entry_count as usize;
        if !std::mem::replace(&mut snapshot.is_settled, true) {
            let tick = snapshot.tick;
            self.entries.range(first_entry..first_entry + entry_count).for_each(|&entry| settle(entry, tick));
        }
        entry_count
    }

    fn forget_settled(&mut self) {
        while let Some(oldest) = self.snapshots.front()
            && oldest.is_settled
        {
            self.entries.drain(..oldest.entry_count as usize);
            self.snapshots.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(slot: u16) -> SentEntry {
        SentEntry::state(slot, 0)
    }

    fn ring() -> SentSnapshots {
        SentSnapshots::new(TickRate::new(20))
    }

    fn send(sent: &mut SentSnapshots, ticks: std::ops::RangeInclusive<u32>) -> Vec<u32> {
        let mut displaced = Vec::new();
        for tick in ticks {
            sent.expire(Tick(tick), |_, tick| displaced.push(tick.0));
            sent.begin(Tick(tick));
            sent.push(entry(tick as u16));
        }
        displaced
    }

    #[test]
    fn each_snapshot_is_settled_once_as_arrived_or_lost() {
        let mut sent = ring();
        send(&mut sent, 1..=10);
        let mut acks = SnapshotAcks::default();
        for tick in [1, 2, 4, 8] {
            acks.insert(Tick(tick));
        }
        let mut settled = Vec::new();
        let lost = sent.acknowledge(&acks, |_, tick, verdict| settled.push((tick.0, verdict)));
        use Verdict::{Arrived, Lost};
        assert_eq!(settled, [(1, Arrived), (2, Arrived), (3, Lost), (4, Arrived), (8, Arrived)]);
        assert_eq!(lost, 1);
        acks.insert(Tick(10));
        settled.clear();
        sent.acknowledge(&acks, |_, tick, verdict| settled.push((tick.0, verdict)));
        assert_eq!(settled, [(5, Lost), (6, Lost), (10, Arrived)]);
    }

    #[test]
    fn what_is_displaced_unacknowledged_is_reported() {
        let mut sent = ring();
        let count = TickRate::new(20).ticks_for_ms(ACK_WAIT_MS);
        assert_eq!(send(&mut sent, 1..=count), []);
        assert_eq!(send(&mut sent, count + 1..=count + 2), [1, 2]);
    }

    #[test]
    fn what_is_settled_takes_no_memory_and_entries_stay_with_their_snapshots() {
        let mut sent = ring();
        let mut acks = SnapshotAcks::default();
        for tick in 1..=1_000 {
            sent.expire(Tick(tick), |_, _| panic!("everything is acknowledged"));
            sent.begin(Tick(tick));
            (0..tick % 4).for_each(|number| sent.push(entry((tick * 4 + number) as u16)));
            if tick >= 3 {
                acks.insert(Tick(tick - 2));
                sent.acknowledge(&acks, |entry, tick, verdict| {
                    assert_eq!((entry.slot() / 4, verdict), (tick.0 as usize, Verdict::Arrived));
                });
            }
            assert!(sent.snapshots.len() <= 3 && sent.entries.len() <= 9);
        }
    }
}
