//! One page: who has its slots, its last ticks, and what this tick's readers are told of it.

use glam::IVec2;
use throng_shared::tick::Tick;
use throng_shared::wire::page::{Baseline, PAGE_SLOTS, PageOwner, PageState, PageView, Told};

/// Slots of a page when somebody first comes into it.
const CAPACITY_START: usize = 4;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Page {
    origin: IVec2,
    owners: [PageOwner; PAGE_SLOTS],
    /// When each slot last changed hands.
    since: [Tick; PAGE_SLOTS],
    /// A row for each of the last ticks, `capacity` long, the one of a tick at its number modulo their count.
    past: Vec<PageState>,
    capacity: usize,
    /// This tick's variants, one behind the other.
    bytes: Vec<u8>,
    variants: Vec<Variant>,
}

/// A page as those are told it who have the same baseline.
#[derive(Clone, Copy, Debug)]
struct Variant {
    end: u32,
    told: Told,
}

impl Page {
    pub(super) fn new(origin: IVec2) -> Page {
        Page {
            origin,
            owners: [PageOwner::NOBODY; PAGE_SLOTS],
            since: [Tick(0); PAGE_SLOTS],
            past: Vec::new(),
            capacity: 0,
            bytes: Vec::new(),
            variants: Vec::new(),
        }
    }

    pub(super) fn origin(&self) -> IVec2 {
        self.origin
    }

    pub(super) fn owners(&self) -> &[PageOwner; PAGE_SLOTS] {
        &self.owners
    }

    /// Gives somebody a slot that is free.
    pub(super) fn occupy(&mut self, tick: Tick, slot: usize, owner: PageOwner, depth: usize) {
        self.owners[slot] = owner;
        self.since[slot] = tick;
        if slot >= self.capacity {
            self.grow(depth);
        }
    }

    /// Takes a slot back.
    pub(super) fn vacate(&mut self, tick: Tick, slot: usize) {
        self.owners[slot] = PageOwner::NOBODY;
        self.since[slot] = tick;
    }

    /// Writes a state of `tick`; whether it is another than a tick before.
    pub(super) fn record(&mut self, tick: Tick, slot: usize, state: PageState, depth: usize) -> bool {
        let before = self.past[row(tick - 1, depth) * self.capacity + slot];
        self.past[row(tick, depth) * self.capacity + slot] = state;
        self.since[slot] == tick || before != state
    }

    fn grow(&mut self, depth: usize) {
        let (before, capacity) = (self.capacity, (self.capacity * 2).max(CAPACITY_START));
        let mut past = vec![PageState::default(); capacity * depth];
        if before > 0 {
            for (new, old) in past.chunks_exact_mut(capacity).zip(self.past.chunks_exact(before)) {
                new[..before].copy_from_slice(old);
            }
        }
        (self.past, self.capacity) = (past, capacity);
    }

    /// Encodes the variant of each bit of `wanted`: bit n for the baseline of n ticks ago, bit 0 for none.
    pub(super) fn encode(&mut self, tick: Tick, occupied: u32, owners_changed: Tick, wanted: u64, depth: usize) {
        self.bytes.clear();
        self.variants.clear();
        let now = row(tick, depth) * self.capacity;
        let view = PageView {
            origin: self.origin,
            occupied,
            owners: &self.owners,
            states: &self.past[now..now + self.capacity],
        };
        let mut rest = wanted;
        while rest != 0 {
            let age_ticks = rest.trailing_zeros();
            rest &= rest - 1;
            let baseline = (age_ticks > 0).then(|| {
                let then = tick - age_ticks;
                let renewed = if owners_changed > then { changed_since(&self.since, then) } else { 0 };
                let start = row(then, depth) * self.capacity;
                Baseline { age_ticks, renewed, states: &self.past[start..start + self.capacity] }
            });
            let told = view.encode(baseline, &mut self.bytes);
            self.variants.push(Variant { end: self.bytes.len() as u32, told });
        }
    }

    /// What was encoded for a baseline of so many ticks ago, of those `wanted`.
    pub(super) fn variant(&self, wanted: u64, age_ticks: u32) -> (&[u8], Told) {
        let place = (wanted & ((1 << age_ticks) - 1)).count_ones() as usize;
        let Variant { end, told } = self.variants[place];
        let start = place.checked_sub(1).map_or(0, |before| self.variants[before].end);
        (&self.bytes[start as usize..end as usize], told)
    }

    /// Length of the longest variant, in bytes; 0 for none.
    pub(super) fn longest_bytes(&self) -> usize {
        let ends = self.variants.iter().map(|variant| variant.end);
        let starts = std::iter::once(0).chain(ends.clone());
        ends.zip(starts).map(|(end, start)| end - start).max().unwrap_or(0) as usize
    }
}

/// Where a tick's row is.
fn row(tick: Tick, depth: usize) -> usize {
    tick.0 as usize & (depth - 1)
}

fn changed_since(since: &[Tick; PAGE_SLOTS], tick: Tick) -> u32 {
    since.iter().enumerate().map(|(slot, &since)| u32::from(since > tick) << slot).sum()
}
