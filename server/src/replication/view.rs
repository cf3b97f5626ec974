//! What one client knows of the world, and what it is to be told next.

use glam::Vec2;
use throng_shared::ids::NetId;
use throng_shared::limits::{LEAVES_PER_SNAPSHOT_MAX, SNAPSHOT_BYTES_MAX};
use throng_shared::spatial::{CharacterColumns, Grid};
use throng_shared::tick::{Tick, TickRate};
use throng_shared::wire::inputs::SnapshotAcks;
use throng_shared::wire::snapshot::{COUNTS_BITS, Counts, HEADER_BYTES, LEAVE_BITS, SnapshotHeader, SnapshotWriter};

use super::scratch::{self, Candidate, Pending, Scratch};
use super::sent::{SentEntry, SentSnapshots, Verdict};
use super::slots::{Slot, Slots, Stage};
use crate::interest::InterestRules;

/// One client's view. Its memory grows to what its surroundings need and is then used again.
#[derive(Debug)]
pub struct ClientView {
    slots: Slots,
    sent: SentSnapshots,
    counts: ViewCounts,
    /// Slot from which leaves are named next, when there are more than fit.
    next_leaving: u16,
    /// Where the viewer's own row was last.
    viewer_row: u32,
}

/// What happened to a view since this was last taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ViewCounts {
    /// Enters written, with repetitions.
    pub enters: u32,
    /// Updates written.
    pub updates: u32,
    /// Leaves written, with repetitions.
    pub leaves: u32,
    /// Entries that did not fit.
    pub deferred: u32,
    /// Snapshots given up as lost.
    pub snapshots_lost: u32,
}

/// When a view is full, a newcomer takes the place of the farthest only if it is nearer than this share of its distance;
/// otherwise two at the rim would change places for ever.
const DISPLACE_SHARE: f32 = 0.8;

/// Distances much below this are all the same to urgency, in metres.
const NEAR_M: f32 = 10.0;

impl ClientView {
    /// A view of nothing, in a world of this rate.
    pub fn new(rate: TickRate) -> ClientView {
        ClientView {
            slots: Slots::default(),
            sent: SentSnapshots::new(rate),
            counts: ViewCounts::default(),
            next_leaving: 0,
            viewer_row: 0,
        }
    }

    /// Brings the view up to date: who is within reach of `viewer_m` (x, z), itself excepted, comes into view or stays;
    /// everybody else leaves.
    ///
    /// O(cells touched + characters in them + view). Names are looked up only when somebody near is not in view, be it that the
    /// view is full, and when rows have shifted because somebody has gone.
    pub fn observe(
        &mut self,
        tick: Tick,
        grid: &Grid,
        columns: &CharacterColumns,
        rules: &InterestRules,
        viewer_m: Vec2,
        viewer: NetId,
    ) {
        let enter_squared_m2 = rules.enter_radius_m * rules.enter_radius_m;
        let mut near_count = self.measure_view(columns, rules, viewer_m);
        self.viewer_row = columns.row_again(viewer, self.viewer_row).unwrap_or(0);
        if columns.net_ids.get(self.viewer_row as usize) == Some(&viewer) {
            let own_squared_m2 = columns.positions_m[self.viewer_row as usize].distance_squared(viewer_m);
            near_count += usize::from(own_squared_m2 <= enter_squared_m2);
        }
        // Whoever is in view was counted with the same positions and the same sum, so that more are found only when
        // somebody is near who is not in view.
        if grid.count_within(viewer_m, rules.enter_radius_m) == near_count {
            return;
        }
        scratch::with(|scratch| {
            let candidates = &mut scratch.candidates;
            candidates.clear();
            grid.for_each_within(viewer_m, rules.enter_radius_m, |hit| {
                let net_id = columns.net_ids[hit.row as usize];
                if net_id != viewer && !self.slots.contains(net_id) {
                    candidates.push(Candidate { distance_squared_m2: hit.distance_squared_m2, net_id, row: hit.row });
                }
            });
            candidates.sort_unstable_by(|a, b| order(a.distance_squared_m2, a.net_id, b.distance_squared_m2, b.net_id));
            self.admit_candidates(tick, columns, rules.visible_max, viewer_m, scratch);
        });
    }

    /// Measures how far away everybody in view is now; who is out of reach or gone leaves. Returns how many of those who
    /// stay are within the enter radius.
    fn measure_view(&mut self, columns: &CharacterColumns, rules: &InterestRules, viewer_m: Vec2) -> usize {
        let enter_squared_m2 = rules.enter_radius_m * rules.enter_radius_m;
        let leave_squared_m2 = rules.leave_radius_m * rules.leave_radius_m;
        let mut near_count = 0;
        for index in 0..self.slots.all().len() {
            let slot = &mut self.slots.all_mut()[index];
            if !slot.is_in_view() {
                continue;
            }
            let row = columns.row_again(slot.net_id, slot.row);
            let distance_squared_m2 =
                row.map_or(f32::INFINITY, |row| columns.positions_m[row as usize].distance_squared(viewer_m));
            if distance_squared_m2 > leave_squared_m2 {
                self.slots.leave(index);
                continue;
            }
            slot.row = row.unwrap_or(slot.row);
            near_count += usize::from(distance_squared_m2 <= enter_squared_m2);
        }
        near_count
    }

    /// Lets the nearest candidates in; when the view is full, at the expense of the farthest.
    fn admit_candidates(
        &mut self,
        tick: Tick,
        columns: &CharacterColumns,
        visible_max: usize,
        viewer_m: Vec2,
        scratch: &mut Scratch,
    ) {
        let room = visible_max.saturating_sub(self.slots.in_view_count());
        if scratch.candidates.len() > room {
            self.displace_farthest(room, columns, viewer_m, scratch);
        }
        let room = visible_max.saturating_sub(self.slots.in_view_count());
        for candidate in scratch.candidates.iter().take(room) {
            if !self.slots.enter(candidate.net_id, candidate.row, tick) {
                break;
            }
        }
    }

    /// Lets the farthest leave, one for each candidate beyond `room` that is clearly nearer.
    fn displace_farthest(&mut self, room: usize, columns: &CharacterColumns, viewer_m: Vec2, scratch: &mut Scratch) {
        let farthest = &mut scratch.pending;
        farthest.clear();
        for (index, slot) in self.slots.all().iter().enumerate() {
            if slot.is_in_view() {
                let rank = columns.positions_m[slot.row as usize].distance_squared(viewer_m);
                farthest.push(Pending { rank, net_id: slot.net_id, slot: index as u16, is_entering: false });
            }
        }
        farthest.sort_unstable_by(|a, b| order(b.rank, b.net_id, a.rank, a.net_id));
        for (leaving, candidate) in farthest.iter().zip(&scratch.candidates[room..]) {
            if candidate.distance_squared_m2 >= leaving.rank * DISPLACE_SHARE * DISPLACE_SHARE {
                break;
            }
            self.slots.leave(usize::from(leaving.slot));
        }
    }

    /// Takes note of what has arrived, and of what must have been lost.
    pub fn acknowledge(&mut self, acks: &SnapshotAcks) {
        let slots = &mut self.slots;
        self.counts.snapshots_lost += self.sent.acknowledge(acks, |entry, tick, verdict| match verdict {
            Verdict::Arrived => settle_arrived(slots, entry, tick),
            Verdict::Lost => settle_lost(slots, entry, tick),
        });
    }

    /// Takes every snapshot that was not acknowledged for lost.
    pub fn lose_all(&mut self) {
        let slots = &mut self.slots;
        self.sent.lose_all(|entry, tick| settle_lost(slots, entry, tick));
    }

    /// Writes this tick's snapshot over `out`: all leaves and all changed states, the most urgent first when they do not
    /// fit into [`SNAPSHOT_BYTES_MAX`].
    ///
    /// Urgency is nearness times the time waited, so that whoever waits overtakes everybody in the end. When there is neither
    /// of those and the snapshot is not `is_wanted`, `out` is left empty.
    pub fn write_snapshot(
        &mut self,
        header: SnapshotHeader,
        is_wanted: bool,
        columns: &CharacterColumns,
        out: &mut Vec<u8>,
    ) {
        scratch::with(|scratch| {
            out.clear();
            let slots = &mut self.slots;
            self.sent.expire(header.tick, |entry, tick| settle_lost(slots, entry, tick));
            self.collect_entries(columns, scratch);
            self.leave_out_what_does_not_fit(&header, columns, scratch);
            if is_wanted || !scratch.leaving.is_empty() || !scratch.pending.is_empty() {
                self.write_entries(&header, columns, scratch, out);
            }
        });
    }

    /// Keeps the most urgent of the pending entries, as many as there is room for beside the leaves.
    fn leave_out_what_does_not_fit(
        &mut self,
        header: &SnapshotHeader,
        columns: &CharacterColumns,
        scratch: &mut Scratch,
    ) {
        let Scratch { pending, leaving, .. } = scratch;
        let mut room_bits = (SNAPSHOT_BYTES_MAX - HEADER_BYTES) * 8 - COUNTS_BITS - leaving.len() * LEAVE_BITS;
        let slots = &self.slots;
        let needed_bits: usize = pending.iter().map(Pending::bits).sum();
        if needed_bits <= room_bits {
            return;
        }
        let viewer_m = Vec2::new(header.position_m.x, header.position_m.z);
        for pending in pending.iter_mut() {
            pending.rank = rank(&slots.all()[usize::from(pending.slot)], header.tick, columns, viewer_m);
        }
        pending.sort_unstable_by(|a, b| order(a.rank, a.net_id, b.rank, b.net_id));
        pending.retain(|pending| {
            let has_room = pending.bits() <= room_bits;
            if has_room {
                room_bits -= pending.bits();
            } else {
                self.counts.deferred += 1;
            }
            has_room
        });
    }

    /// Writes what was collected, and notes that it is sent.
    fn write_entries(
        &mut self,
        header: &SnapshotHeader,
        columns: &CharacterColumns,
        scratch: &Scratch,
        out: &mut Vec<u8>,
    ) {
        let Scratch { pending, leaving, .. } = scratch;
        let enters = pending.iter().filter(|pending| pending.is_entering).count();
        let counts = Counts { leaves: leaving.len(), enters, updates: pending.len() - enters };
        let mut writer = SnapshotWriter::new(header, counts, out);
        self.sent.begin(header.tick);
        for &slot in leaving {
            writer.leave(slot);
            self.sent.push(SentEntry::leave(slot, self.slots.all()[usize::from(slot)].generation));
        }
        // Enters come before updates.
        for is_entering in [true, false] {
            if is_entering && enters == 0 {
                continue;
            }
            for pending in pending.iter().filter(|pending| pending.is_entering == is_entering) {
                let slot = &mut self.slots.all_mut()[usize::from(pending.slot)];
                let row = slot.row as usize;
                let state = columns.packed_states[row];
                if is_entering {
                    writer.enter(pending.slot, slot.net_id, columns.archetypes[row], state);
                } else {
                    writer.update(pending.slot, state);
                }
                slot.is_repeat_due = columns.changed[row] > slot.sent;
                slot.sent = header.tick;
                slot.was_sent = true;
                self.sent.push(SentEntry::state(pending.slot, slot.generation));
            }
        }
        writer.finish();
        debug_assert!(out.len() <= SNAPSHOT_BYTES_MAX, "the room was reckoned in the same bits");
        self.counts.enters += counts.enters as u32;
        self.counts.updates += counts.updates as u32;
        self.counts.leaves += counts.leaves as u32;
    }

    /// Collects what may have to be written: who leaves, and whose state has changed or must be said once more.
    fn collect_entries(&mut self, columns: &CharacterColumns, scratch: &mut Scratch) {
        let Scratch { pending, leaving, .. } = scratch;
        pending.clear();
        leaving.clear();
        for (index, slot) in self.slots.all().iter().enumerate() {
            match slot.stage {
                Stage::Free => {}
                Stage::Leaving => leaving.push(index as u16),
                Stage::Entering | Stage::Known => {
                    let changed = columns.changed[slot.row as usize];
                    // A state that is not followed by another is sent twice, also when it is sent anew because it was lost:
                    // a loss is noticed only after a round trip.
                    let is_last_word = slot.is_repeat_due && slot.acked < slot.sent;
                    if changed > slot.sent || is_last_word {
                        let is_entering = slot.stage == Stage::Entering;
                        pending.push(Pending { rank: 0.0, net_id: slot.net_id, slot: index as u16, is_entering });
                    }
                }
            }
        }
        // So small that they are simply repeated until they are acknowledged; more than fit take turns.
        let turn = leaving.partition_point(|&slot| slot < self.next_leaving);
        leaving.rotate_left(turn);
        leaving.truncate(LEAVES_PER_SNAPSHOT_MAX);
        self.next_leaving = leaving.last().map_or(0, |&slot| slot + 1);
    }

    /// The entities in view, in the order of their slots.
    pub fn entities(&self) -> impl Iterator<Item = NetId> {
        self.slots.all().iter().filter(|slot| slot.is_in_view()).map(|slot| slot.net_id)
    }

    /// What has happened since this was last called.
    pub fn take_counts(&mut self) -> ViewCounts {
        std::mem::take(&mut self.counts)
    }
}

/// How little urgent an entity is: the farther it is, the less, and the longer it has waited, the more.
fn rank(slot: &Slot, tick: Tick, columns: &CharacterColumns, viewer_m: Vec2) -> f32 {
    let waited_ticks = (1 + tick.since(slot.sent.max(slot.entered))) as f32;
    // Who is near is not arbitrarily more urgent: waiting must count there too.
    let nearness_m2 = columns.positions_m[slot.row as usize].distance_squared(viewer_m) + NEAR_M * NEAR_M;
    nearness_m2 / (waited_ticks * waited_ticks)
}

/// A snapshot that carried `entry` has arrived.
fn settle_arrived(slots: &mut Slots, entry: SentEntry, tick: Tick) {
    let index = entry.slot();
    let slot = &mut slots.all_mut()[index];
    if slot.generation != entry.generation {
        return;
    }
    match (slot.stage, entry.is_leave()) {
        (Stage::Leaving, true) => slots.release(index),
        (Stage::Entering | Stage::Known, false) => {
            slot.stage = Stage::Known;
            slot.acked = slot.acked.max(tick);
        }
        _ => {}
    }
}

/// A snapshot that carried `entry` is lost: unless a later one carried it too, it has to be written again.
fn settle_lost(slots: &mut Slots, entry: SentEntry, tick: Tick) {
    let slot = &mut slots.all_mut()[entry.slot()];
    if slot.generation == entry.generation && slot.sent == tick {
        slot.sent = slot.acked;
    }
}

/// Orders by a distance or rank, and by name where those are equal.
fn order(a: f32, a_id: NetId, b: f32, b_id: NetId) -> std::cmp::Ordering {
    a.total_cmp(&b).then(a_id.cmp(&b_id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::IVec3;
    use throng_shared::ids::Archetype;
    use throng_shared::quantised::QuantisedState;
    use throng_shared::wire::snapshot::{PackedState, Snapshot};

    const RULES: InterestRules = InterestRules { enter_radius_m: 50.0, leave_radius_m: 60.0, visible_max: 100 };

    /// A client at the origin, and one other character after the other.
    struct Scene {
        view: ClientView,
        grid: Grid,
    }

    impl Scene {
        /// Lives through `tick` with one character in sight, who last changed in `changed`; returns the snapshot.
        fn tick(&mut self, tick: u32, character: Option<(u32, u32)>) -> Snapshot {
            let (tick, mut columns) = (Tick(tick), CharacterColumns::default());
            if let Some((net_id, changed)) = character {
                columns.resize(1);
                columns.net_ids[0] = NetId(net_id);
                columns.archetypes[0] = Archetype::Bot;
                let state = QuantisedState { position: IVec3::splat(5), ..QuantisedState::default() };
                columns.packed_states[0] = PackedState::new(&state);
                columns.changed[0] = Tick(changed);
            }
            self.grid.rebuild(&columns.positions_m);
            self.view.observe(tick, &self.grid, &columns, &RULES, Vec2::ZERO, NetId(u32::MAX));
            let mut bytes = Vec::new();
            let header = SnapshotHeader { tick, ..SnapshotHeader::default() };
            self.view.write_snapshot(header, true, &columns, &mut bytes);
            let mut snapshot = Snapshot::default();
            snapshot.decode_from(&bytes).expect("what we write can be read");
            snapshot
        }

        fn acknowledge(&mut self, ticks: &[u32]) {
            let mut acks = SnapshotAcks::default();
            ticks.iter().for_each(|&tick| acks.insert(Tick(tick)));
            self.view.acknowledge(&acks);
        }
    }

    fn scene() -> Scene {
        Scene { view: ClientView::new(TickRate::new(20)), grid: Grid::new(200.0, 60.0) }
    }

    fn counts(snapshot: &Snapshot) -> (usize, usize, usize) {
        (snapshot.enters.len(), snapshot.updates.len(), snapshot.leaves.len())
    }

    #[test]
    fn an_enter_is_repeated_while_it_changes_and_once_more_and_then_again_only_when_lost() {
        let mut scene = scene();
        assert_eq!(counts(&scene.tick(1, Some((7, 1)))), (1, 0, 0), "new");
        assert_eq!(counts(&scene.tick(2, Some((7, 1)))), (1, 0, 0), "the last word, twice");
        assert_eq!(counts(&scene.tick(3, Some((7, 1)))), (0, 0, 0), "under way");
        (4..9).for_each(|tick| assert_eq!(counts(&scene.tick(tick, Some((7, 1)))), (0, 0, 0)));
        scene.acknowledge(&[3, 4, 5, 6, 7, 8]);
        assert_eq!(counts(&scene.tick(9, Some((7, 1)))), (1, 0, 0), "both were lost");
        scene.acknowledge(&[3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(counts(&scene.tick(10, Some((7, 10)))), (0, 1, 0), "known by now");
    }

    #[test]
    fn a_snapshot_that_says_nothing_is_not_written_unless_it_is_wanted_and_is_not_missed() {
        let mut scene = scene();
        scene.tick(1, Some((7, 1)));
        scene.tick(2, Some((7, 1)));
        scene.acknowledge(&[1, 2]);
        let (mut out, mut columns) = (vec![1], CharacterColumns::default());
        columns.resize(1);
        columns.changed[0] = Tick(1);
        for tick in 3..20 {
            let header = SnapshotHeader { tick: Tick(tick), ..SnapshotHeader::default() };
            scene.view.write_snapshot(header, tick == 19, &columns, &mut out);
            assert_eq!(out.is_empty(), tick < 19);
        }
        scene.acknowledge(&[19]);
        assert_eq!(scene.view.take_counts().snapshots_lost, 0);
    }

    #[test]
    fn a_leave_is_repeated_until_it_is_acknowledged() {
        let mut scene = scene();
        scene.tick(1, Some((7, 1)));
        (2..6).for_each(|tick| assert_eq!(counts(&scene.tick(tick, None)), (0, 0, 1)));
        scene.acknowledge(&[1, 4]);
        assert_eq!(counts(&scene.tick(6, None)), (0, 0, 0));
    }

    #[test]
    fn an_entity_that_the_client_cannot_have_heard_of_leaves_without_a_word() {
        let mut scene = scene();
        scene.tick(1, None);
        let mut columns = CharacterColumns::default();
        columns.resize(1);
        scene.grid.rebuild(&columns.positions_m);
        scene.view.observe(Tick(2), &scene.grid, &columns, &RULES, Vec2::ZERO, NetId(u32::MAX));
        assert_eq!(scene.view.entities().count(), 1, "in view, but no snapshot was written");
        assert_eq!(counts(&scene.tick(3, None)), (0, 0, 0));
    }

    #[test]
    fn a_late_acknowledgement_of_a_slots_former_owner_tells_nothing_about_the_present_one() {
        let mut scene = scene();
        scene.tick(1, Some((7, 1)));
        scene.tick(2, Some((7, 2)));
        scene.tick(3, None);
        scene.acknowledge(&[1, 3]);
        let enter = scene.tick(4, Some((8, 4)));
        assert_eq!((enter.enters[0].slot, enter.enters[0].net_id), (0, NetId(8)), "the slot is used again");
        scene.tick(5, Some((8, 4)));
        scene.tick(6, Some((8, 4)));
        // The snapshot of tick 2 was only late; those of ticks 4 and 5, with the enter, are still under way.
        scene.acknowledge(&[1, 2, 3, 6]);
        assert_eq!(counts(&scene.tick(7, Some((8, 7)))), (1, 0, 0), "still an enter, for all we know");
    }
}
