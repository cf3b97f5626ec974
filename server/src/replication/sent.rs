//! Which snapshot carried what, until it is acknowledged or lost.

use throng_shared::limits::{ACK_WAIT_MS, LOSS_AFTER_MS, LOSS_AFTER_TICKS_MIN};
use throng_shared::tick::{Tick, TickRate};
use throng_shared::wire::inputs::SnapshotAcks;

/// One entry of a sent snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SentEntry {
    pub(super) slot: u16,
    /// Tells the slot's present owner from earlier ones.
    pub(super) generation: u16,
    pub(super) is_leave: bool,
}

/// What has become of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Arrived,
    Lost,
}

/// A ring of the last snapshots to one client.
#[derive(Debug)]
pub(super) struct SentSnapshots {
    /// Grows to `length_max`; the snapshot of tick t is at t modulo that.
    ring: Vec<SentSnapshot>,
    length_max: usize,
    /// [`LOSS_AFTER_MS`] in ticks.
    loss_after_ticks: u32,
    newest_acked: Tick,
    /// Every snapshot before this one is settled.
    oldest_open: Tick,
}

#[derive(Debug, Default)]
struct SentSnapshot {
    tick: Tick,
    is_settled: bool,
    entries: Vec<SentEntry>,
}

impl SentSnapshots {
    /// A ring long enough for [`ACK_WAIT_MS`].
    pub(super) fn new(rate: TickRate) -> SentSnapshots {
        let length_max = rate.ticks_for_ms(ACK_WAIT_MS) as usize;
        let loss_after_ticks = rate.ticks_for_ms(LOSS_AFTER_MS).max(LOSS_AFTER_TICKS_MIN);
        SentSnapshots { ring: Vec::new(), length_max, loss_after_ticks, newest_acked: Tick(0), oldest_open: Tick(0) }
    }

    /// The entries of a new snapshot, empty, to be filled. Calls `settle` for each entry of the one that it displaces,
    /// if its fate is still open.
    pub(super) fn begin(&mut self, tick: Tick, settle: impl FnMut(SentEntry, Tick)) -> &mut Vec<SentEntry> {
        let place = tick.0 as usize % self.length_max;
        if self.ring.len() <= place {
            self.ring.resize_with(place + 1, || SentSnapshot { is_settled: true, ..SentSnapshot::default() });
        }
        let snapshot = &mut self.ring[place];
        snapshot.settle(settle);
        *snapshot = SentSnapshot { tick, is_settled: false, entries: std::mem::take(&mut snapshot.entries) };
        snapshot.entries.clear();
        &mut snapshot.entries
    }

    /// Takes every open snapshot for lost, and calls `settle` with its entries.
    pub(super) fn lose_all(&mut self, mut settle: impl FnMut(SentEntry, Tick)) {
        self.ring.iter_mut().for_each(|snapshot| snapshot.settle(&mut settle));
    }

    /// The snapshot that was begun for `tick` is not sent after all; it has no entries.
    pub(super) fn skip(&mut self, tick: Tick) {
        let place = tick.0 as usize % self.length_max;
        self.ring[place].is_settled = true;
    }

    /// Settles what `acks` tell: acknowledged snapshots have arrived; unacknowledged ones that are more than
    /// [`LOSS_AFTER_MS`] older than the newest acknowledged are lost. Calls `settle` with each entry of those, the
    /// snapshot's tick and the verdict; returns the number of lost snapshots.
    pub(super) fn acknowledge(&mut self, acks: &SnapshotAcks, mut settle: impl FnMut(SentEntry, Tick, Verdict)) -> u32 {
        if acks.newest == self.newest_acked {
            return 0;
        }
        self.newest_acked = acks.newest;
        let mut lost = 0;
        // Nothing older than the ring can be open; nothing newer than the newest is spoken of.
        let first = self.oldest_open.max(acks.newest - (self.length_max as u32 - 1));
        let certain = acks.newest - self.loss_after_ticks;
        for tick in (first.0..=acks.newest.0).map(Tick) {
            let place = tick.0 as usize % self.length_max;
            let Some(snapshot) = self.ring.get_mut(place).filter(|snapshot| snapshot.tick == tick) else { continue };
            if acks.contains(tick) {
                snapshot.settle(|entry, tick| settle(entry, tick, Verdict::Arrived));
            } else if tick < certain && !snapshot.is_settled {
                lost += 1;
                snapshot.settle(|entry, tick| settle(entry, tick, Verdict::Lost));
            }
        }
        self.oldest_open = self.oldest_open.max(certain);
        lost
    }
}

impl SentSnapshot {
    fn settle(&mut self, mut settle: impl FnMut(SentEntry, Tick)) {
        if !self.is_settled {
            self.is_settled = true;
            for &entry in &self.entries {
                settle(entry, self.tick);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(slot: u16) -> SentEntry {
        SentEntry { slot, generation: 0, is_leave: false }
    }

    fn ring() -> SentSnapshots {
        SentSnapshots::new(TickRate::new(20))
    }

    fn send(sent: &mut SentSnapshots, ticks: std::ops::RangeInclusive<u32>) -> Vec<u32> {
        let mut displaced = Vec::new();
        for tick in ticks {
            sent.begin(Tick(tick), |_, tick| displaced.push(tick.0)).push(entry(tick as u16));
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
}
