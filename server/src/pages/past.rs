//! How everybody was in the last ticks.

use throng_shared::tick::Tick;
use throng_shared::wire::page::PageState;

/// Rings that are made at once, so that nothing has to be moved when there are more.
pub(super) const CHUNK_RINGS: usize = 256;

/// A ring for each slot that has an owner and is in a page with a past: its states in the last ticks, the one of a tick at its number modulo their count. Memory is never given
/// back, but used again for whoever comes.
#[derive(Debug)]
pub(super) struct Rings {
    chunks: Vec<Box<[PageState]>>,
    free: Vec<Ring>,
    depth: usize,
}

/// Number of a ring.
pub(super) type Ring = u32;

impl Rings {
    /// None yet; each of so many ticks, a power of two.
    pub(super) fn new(depth: usize) -> Rings {
        Rings { chunks: Vec::new(), free: Vec::new(), depth }
    }

    /// Ticks of the past.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// A ring that nobody has; what is in it is of somebody else.
    pub(super) fn take(&mut self) -> Ring {
        if self.free.is_empty() {
            let first = (self.chunks.len() * CHUNK_RINGS) as Ring;
            self.chunks.push(vec![PageState::default(); CHUNK_RINGS * self.depth].into());
            self.free.reserve((self.chunks.len() * CHUNK_RINGS).saturating_sub(self.free.len()));
            self.free.extend((first..first + CHUNK_RINGS as Ring).rev());
        }
        self.free.pop().unwrap_or_default()
    }

    pub(super) fn give_back(&mut self, ring: Ring) {
        self.free.push(ring);
    }

    /// Writes a state of `tick`.
    pub(super) fn put(&mut self, ring: Ring, tick: Tick, state: PageState) {
        let ring = ring as usize;
        self.chunks[ring / CHUNK_RINGS][ring % CHUNK_RINGS * self.depth + place(tick, self.depth)] = state;
    }

    /// How much has been made, and how much of it nobody has.
    #[cfg(test)]
    pub(super) fn chunk_count(&self) -> usize {
        self.chunks.len()
    }

    #[cfg(test)]
    pub(super) fn free_count(&self) -> usize {
        self.free.len()
    }

    /// How it was at a tick that is not longer ago than the past reaches.
    pub(super) fn at(&self, ring: Ring, tick: Tick) -> PageState {
        let ring = ring as usize;
        self.chunks[ring / CHUNK_RINGS][ring % CHUNK_RINGS * self.depth + place(tick, self.depth)]
    }
}

/// Where a tick's state is in its ring.
fn place(tick: Tick, depth: usize) -> usize {
    tick.0 as usize & (depth - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(height: i32) -> PageState {
        PageState { height, ..PageState::default() }
    }

    #[test]
    fn every_ring_keeps_its_own_past_and_comes_back_when_it_was_given_back() {
        let mut rings = Rings::new(16);
        let taken: Vec<Ring> = (0..600).map(|_| rings.take()).collect();
        let mut sorted = taken.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), taken.len());
        for tick in 1..=40 {
            for &ring in &taken {
                rings.put(ring, Tick(tick), state((ring * 100 + tick / 2) as i32));
            }
        }
        for (age, &ring) in (0..16).cycle().zip(&taken) {
            assert_eq!(rings.at(ring, Tick(40 - age)), state((ring * 100 + (40 - age) / 2) as i32));
        }
        rings.give_back(taken[7]);
        assert_eq!((rings.take(), rings.chunks.len()), (taken[7], 3));
    }
}
