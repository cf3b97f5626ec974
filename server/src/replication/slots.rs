//! The slots of one client's view: who is in it, and what the client knows of them.

use rustc_hash::FxHashSet;
use throng_shared::ids::NetId;
use throng_shared::limits::VIEW_SLOTS_MAX;
use throng_shared::tick::Tick;

/// One slot. Small, for all of a view's are gone through several times a tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) net_id: NetId,
    pub(super) stage: Stage,
    /// Row in this tick's columns; valid while the entity is in view.
    pub(super) row: u32,
    /// Counts the owners of this slot.
    pub(super) generation: u16,
    /// When it came into view.
    pub(super) entered: Tick,
    /// Tick of the last snapshot, not known to be lost, that carried the entity's state; 0 for none.
    pub(super) sent: Tick,
    /// Tick of the newest snapshot that carried it and has arrived; 0 for none.
    pub(super) acked: Tick,
    /// Whether any snapshot has carried it, lost or not: the client may then know of it.
    pub(super) was_sent: bool,
    /// Whether the last state that was sent is to be sent once more if no other follows it.
    pub(super) is_repeat_due: bool,
}

const _: () = assert!(size_of::<Slot>() <= 28);

/// Life of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nobody's.
    Free,
    /// In view; the client has not acknowledged that it knows.
    Entering,
    /// In view; the client knows.
    Known,
    /// No longer in view; the client has not acknowledged that it knows.
    Leaving,
}

impl Slot {
    /// Whether the entity is in view.
    pub(super) fn is_in_view(&self) -> bool {
        matches!(self.stage, Stage::Entering | Stage::Known)
    }
}

/// All slots of a view.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    free: Vec<u16>,
    in_view: FxHashSet<NetId>,
}

impl Slots {
    /// Whether an entity is in view.
    pub(super) fn contains(&self, net_id: NetId) -> bool {
        self.in_view.contains(&net_id)
    }

    /// Number of entities in view.
    pub(super) fn in_view_count(&self) -> usize {
        self.in_view.len()
    }

    /// Gives an entity a slot. False when all are taken.
    pub(super) fn enter(&mut self, net_id: NetId, row: u32, tick: Tick) -> bool {
        let slot = Slot {
            net_id,
            stage: Stage::Entering,
            row,
            generation: 0,
            entered: tick,
            sent: Tick(0),
            acked: Tick(0),
            was_sent: false,
            is_repeat_due: false,
        };
        match self.free.pop() {
            Some(index) => {
                let place = &mut self.slots[usize::from(index)];
                *place = Slot { generation: place.generation.wrapping_add(1), ..slot };
            }
            None if self.slots.len() < VIEW_SLOTS_MAX => self.slots.push(slot),
            None => return false,
        }
        self.in_view.insert(net_id);
        true
    }

    /// Takes an entity out of view: its slot is free at once when the client cannot have heard of it, and else when the
    /// client has acknowledged the leave.
    pub(super) fn leave(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        self.in_view.remove(&slot.net_id);
        if slot.was_sent {
            slot.stage = Stage::Leaving;
        } else {
            slot.stage = Stage::Free;
            self.free.push(index as u16);
        }
    }

    /// Makes the slot of an acknowledged leave free again.
    pub(super) fn release(&mut self, index: usize) {
        self.slots[index].stage = Stage::Free;
        self.free.push(index as u16);
    }

    /// All slots; an entry's index is its number on the wire.
    pub(super) fn all(&self) -> &[Slot] {
        &self.slots
    }

    /// All slots, to be changed.
    pub(super) fn all_mut(&mut self) -> &mut [Slot] {
        &mut self.slots
    }
}
