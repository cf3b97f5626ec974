//! One page: who has its slots, and what is told of it.

use glam::IVec2;
use throng_shared::ids::Archetype;
use throng_shared::quantised::STEPS_PER_M;
use throng_shared::tick::Tick;
use throng_shared::wire::crowd::CrowdRecord;
use throng_shared::wire::page::{
    Baseline, PAGE_SLOTS, PageOwner, PageState, PageView, Told, VELOCITY_STEPS_PER_STEP, slots_of,
};

use super::past::{Ring, Rings};

/// Who has the slots of a page.
#[derive(Clone, Debug)]
pub(super) struct PageSlots {
    pub(super) owners: [PageOwner; PAGE_SLOTS],
    /// When each slot last changed hands.
    since: [Tick; PAGE_SLOTS],
    /// When each slot's owner, or else its last one, got it.
    given: [Tick; PAGE_SLOTS],
    /// Slots without an owner whose last one has left the world.
    departed: u32,
    /// The past of each owner.
    rings: [Ring; PAGE_SLOTS],
}

impl PageSlots {
    pub(super) fn new() -> PageSlots {
        PageSlots {
            owners: [PageOwner::NOBODY; PAGE_SLOTS],
            since: [Tick(0); PAGE_SLOTS],
            given: [Tick(0); PAGE_SLOTS],
            departed: 0,
            rings: [0; PAGE_SLOTS],
        }
    }

    /// Gives a slot to somebody, whose past is in a ring.
    pub(super) fn give(&mut self, tick: Tick, slot: usize, owner: PageOwner, ring: Ring) {
        (self.owners[slot], self.since[slot], self.rings[slot]) = (owner, tick, ring);
        self.given[slot] = tick;
        self.departed &= !(1 << slot);
    }

    /// Takes a slot from its owner, who may have left the world.
    pub(super) fn take(&mut self, tick: Tick, slot: usize, has_departed: bool) {
        (self.owners[slot], self.since[slot]) = (PageOwner::NOBODY, tick);
        self.departed = self.departed & !(1 << slot) | u32::from(has_departed) << slot;
    }

    /// The slots without an owner whose owner at a tick has left the world. When another had the slot in between, it is not known
    /// what has become of the one at that tick.
    fn departed_since(&self, tick: Tick) -> u32 {
        slots_of(self.departed).map(|slot| u32::from(self.given[slot] <= tick) << slot).sum()
    }

    /// The slots that have changed hands after a tick.
    pub(super) fn renewed_since(&self, tick: Tick) -> u32 {
        self.since.iter().enumerate().map(|(slot, &since)| u32::from(since > tick) << slot).sum()
    }
}

/// Slots and past of a page, and who is there, at a tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageNow<'p> {
    pub(super) tick: Tick,
    pub(super) occupied: u32,
    pub(super) owners_changed: Tick,
    pub(super) origin: IVec2,
    pub(super) slots: &'p PageSlots,
    pub(super) rings: &'p Rings,
}

/// The states of one tick, by slot; those of slots without an owner are of no use.
type Row = [PageState; PAGE_SLOTS];

impl PageNow<'_> {
    /// Appends what those are told who have the page of so many ticks ago, or nothing of it for 0. `now` is this tick's row.
    pub(super) fn encode(&self, age_ticks: u32, now: &Row, out: &mut Vec<u8>) -> Told {
        let PageNow { tick, occupied, owners_changed, origin, slots, .. } = *self;
        let view = PageView { origin, occupied, departed: 0, owners: &slots.owners, states: now };
        if age_ticks == 0 {
            return view.encode(None, out);
        }
        let then = tick - age_ticks;
        let view = PageView { departed: slots.departed_since(then), ..view };
        let renewed = if owners_changed > then { slots.renewed_since(then) } else { 0 };
        let states = self.row(then, occupied & !renewed);
        view.encode(Some(Baseline { age_ticks, renewed, states: &states }), out)
    }

    /// The states of a tick in some slots.
    pub(super) fn row(&self, tick: Tick, slots: u32) -> Row {
        let mut row = [PageState::default(); PAGE_SLOTS];
        slots_of(slots).for_each(|slot| row[slot] = self.rings.at(self.slots.rings[slot], tick));
        row
    }

    /// The page as one number, under its key, in a world with so many ticks per second; it must have somebody.
    pub(super) fn summary(&self, key: u32, rate_hz: f32) -> CrowdRecord {
        let PageNow { tick, occupied, origin, slots, rings, .. } = *self;
        let (mut middle, mut velocity, mut players) = (IVec2::ZERO, IVec2::ZERO, 0);
        for slot in slots_of(occupied) {
            let PageState { offset: [x, z], velocity: [speed_x, _, speed_z], .. } = rings.at(slots.rings[slot], tick);
            middle += IVec2::new(x.into(), z.into());
            velocity += IVec2::new(speed_x.into(), speed_z.into());
            players += u8::from(slots.owners[slot].archetype == Archetype::Player);
        }
        let count = occupied.count_ones();
        let mean = |sum: IVec2| sum.as_vec2() / (count as f32 * STEPS_PER_M);
        let middle_m = mean(middle) + origin.as_vec2() / STEPS_PER_M;
        let velocity_mps = mean(velocity) / VELOCITY_STEPS_PER_STEP as f32 * rate_hz;
        CrowdRecord::new(key, count as u8, players, middle_m, velocity_mps)
    }
}
