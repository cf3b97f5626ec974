//! One page: who has its slots, and its last ticks.

use glam::IVec2;
use throng_shared::ids::Archetype;
use throng_shared::quantised::STEPS_PER_M;
use throng_shared::tick::Tick;
use throng_shared::wire::crowd::CrowdRecord;
use throng_shared::wire::page::{
    Baseline, PAGE_SLOTS, PageOwner, PageState, PageView, Told, VELOCITY_STEPS_PER_STEP, slots_of,
};

/// Memory of pasts is given in blocks for so many slots, and multiples of it.
const SLOTS_STEP: usize = 4;

/// Memory of pasts that nobody uses, to be used again: people come and go, and nothing is asked of the allocator.
#[derive(Debug, Default)]
pub(super) struct SparePasts {
    /// By the number of slots, in steps.
    by_steps: [Vec<Vec<PageState>>; PAGE_SLOTS / SLOTS_STEP + 1],
}

impl SparePasts {
    /// Rows of zeros.
    fn take(&mut self, capacity: usize, depth: usize) -> Vec<PageState> {
        let mut rows = self.by_steps[capacity / SLOTS_STEP].pop().unwrap_or_default();
        rows.clear();
        rows.resize(capacity * depth, PageState::default());
        rows
    }

    fn give_back(&mut self, capacity: usize, rows: Vec<PageState>) {
        if capacity > 0 {
            self.by_steps[capacity / SLOTS_STEP].push(rows);
        }
    }
}

/// Who has the slots of a page.
#[derive(Clone, Debug)]
pub(super) struct PageSlots {
    pub(super) owners: [PageOwner; PAGE_SLOTS],
    /// When each slot last changed hands.
    since: [Tick; PAGE_SLOTS],
    /// Slots without an owner whose last one has left the world.
    departed: u32,
}

impl PageSlots {
    pub(super) fn new() -> PageSlots {
        PageSlots { owners: [PageOwner::NOBODY; PAGE_SLOTS], since: [Tick(0); PAGE_SLOTS], departed: 0 }
    }

    /// Gives a slot to somebody.
    pub(super) fn give(&mut self, tick: Tick, slot: usize, owner: PageOwner) {
        (self.owners[slot], self.since[slot]) = (owner, tick);
        self.departed &= !(1 << slot);
    }

    /// Takes a slot from its owner, who may have left the world.
    pub(super) fn take(&mut self, tick: Tick, slot: usize, has_departed: bool) {
        self.give(tick, slot, PageOwner::NOBODY);
        self.departed |= u32::from(has_departed) << slot;
    }

    /// The slots that have changed hands after a tick.
    pub(super) fn renewed_since(&self, tick: Tick) -> u32 {
        self.since.iter().enumerate().map(|(slot, &since)| u32::from(since > tick) << slot).sum()
    }
}

/// How a page was in its last ticks. Apart from its slots, so that what is touched for everybody in every tick is near together.
#[derive(Debug)]
pub(super) struct PagePast {
    /// A row for each of the last ticks, `capacity` long, the one of a tick at its number modulo their count.
    rows: Vec<PageState>,
    capacity: usize,
    origin: IVec2,
}

/// Slots and past of a page, and who is there, at a tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageNow<'p> {
    pub(super) tick: Tick,
    pub(super) occupied: u32,
    pub(super) owners_changed: Tick,
    pub(super) slots: &'p PageSlots,
    pub(super) past: &'p PagePast,
    /// Ticks of the past.
    pub(super) depth: usize,
}

impl PageNow<'_> {
    /// Appends what those are told who have the page of so many ticks ago, or nothing of it for 0.
    pub(super) fn encode(&self, age_ticks: u32, out: &mut Vec<u8>) -> Told {
        let PageNow { tick, occupied, owners_changed, slots, past, depth } = *self;
        let PageSlots { owners, departed, .. } = slots;
        let states = past.row(tick, depth);
        let view = PageView { origin: past.origin, occupied, departed: *departed, owners, states };
        let baseline = (age_ticks > 0).then(|| {
            let then = tick - age_ticks;
            let renewed = if owners_changed > then { slots.renewed_since(then) } else { 0 };
            Baseline { age_ticks, renewed, states: past.row(then, depth) }
        });
        view.encode(baseline, out)
    }
}

impl PageNow<'_> {
    /// The page as one number, under its key, in a world with so many ticks per second; it must have somebody.
    pub(super) fn summary(&self, key: u32, rate_hz: f32) -> CrowdRecord {
        let PageNow { tick, occupied, slots, past, depth, .. } = *self;
        let (mut middle, mut velocity, mut players) = (IVec2::ZERO, IVec2::ZERO, 0);
        for slot in slots_of(occupied) {
            let PageState { offset: [x, z], velocity: [speed_x, _, speed_z], .. } = past.row(tick, depth)[slot];
            middle += IVec2::new(x.into(), z.into());
            velocity += IVec2::new(speed_x.into(), speed_z.into());
            players += u8::from(slots.owners[slot].archetype == Archetype::Player);
        }
        let count = occupied.count_ones();
        let mean = |sum: IVec2| sum.as_vec2() / (count as f32 * STEPS_PER_M);
        let middle_m = mean(middle) + past.origin.as_vec2() / STEPS_PER_M;
        let velocity_mps = mean(velocity) / VELOCITY_STEPS_PER_STEP as f32 * rate_hz;
        CrowdRecord::new(key, count as u8, players, middle_m, velocity_mps)
    }
}

impl PagePast {
    pub(super) fn new(origin: IVec2) -> PagePast {
        PagePast { rows: Vec::new(), capacity: 0, origin }
    }

    pub(super) fn origin(&self) -> IVec2 {
        self.origin
    }

    /// Makes sure that a slot has its place.
    pub(super) fn reach(&mut self, slot: usize, depth: usize, spare: &mut SparePasts) {
        if slot >= self.capacity {
            self.resize((slot + 1).next_multiple_of(SLOTS_STEP), depth, spare);
        }
    }

    /// Gives memory back if there is much more of it than the slots that have an owner need.
    pub(super) fn trim(&mut self, occupied: u32, depth: usize, spare: &mut SparePasts) {
        let slots = (u32::BITS - occupied.leading_zeros()) as usize;
        let needed = slots.next_multiple_of(SLOTS_STEP);
        if self.capacity > needed + SLOTS_STEP || occupied == 0 && self.capacity > 0 {
            self.resize(needed, depth, spare);
        }
    }

    /// Writes a state of `tick`; whether it is another than what was there a tick before.
    pub(super) fn record(&mut self, tick: Tick, slot: usize, state: PageState, depth: usize) -> bool {
        let before = self.rows[row_number(tick - 1, depth) * self.capacity + slot];
        self.rows[row_number(tick, depth) * self.capacity + slot] = state;
        before != state
    }

    fn row(&self, tick: Tick, depth: usize) -> &[PageState] {
        let start = row_number(tick, depth) * self.capacity;
        &self.rows[start..start + self.capacity]
    }

    /// Takes memory for another number of slots; what is told of those that stay is kept.
    fn resize(&mut self, capacity: usize, depth: usize, spare: &mut SparePasts) {
        let mut rows = spare.take(capacity, depth);
        let both = capacity.min(self.capacity);
        if both > 0 {
            for (new, old) in rows.chunks_exact_mut(capacity).zip(self.rows.chunks_exact(self.capacity)) {
                new[..both].copy_from_slice(&old[..both]);
            }
        }
        spare.give_back(self.capacity, std::mem::replace(&mut self.rows, rows));
        self.capacity = capacity;
    }
}

/// Where a tick's row is.
fn row_number(tick: Tick, depth: usize) -> usize {
    tick.0 as usize & (depth - 1)
}
