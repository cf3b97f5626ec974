//! A page: up to 32 characters of one cell as one tick has them, told against an earlier tick that the reader has.
//!
//! Nothing sends pages yet: `docs/decisions/0002-pages.md` says what for, and what is to come.
//!
//! The bits are the same for every reader who has that earlier tick, so they are made once and copied to all. Lowest bit first:
//!
//! | bits | field |
//! |---|---|
//! | 6 | age of the baseline in ticks; 0 for none |
//! | 1 | whether any owner is another than at the baseline, or may be for there is none; then |
//! | 32 | … which slots are meant |
//! | 1 per such slot | … whether it has an owner now; if so net id (32), archetype (4) and the state as below, against [`PageState::resting_at`] the cell's centre |
//! | … | for each other slot with an owner, rising: its state against what the baseline predicts |
//!
//! A state against a prediction:
//!
//! | bits | field |
//! |---|---|
//! | 1 | whether it differs at all; if so |
//! | 3 numbers | position x, y, z less the predicted one |
//! | 1 | whether velocity, facing or locomotion differ; if so |
//! | 3 numbers | … velocity x, y, z less the predicted one |
//! | 1, 8 | … whether the facing differs; then the facing |
//! | 2 | … locomotion |
//!
//! A number: `0` for 0; `10` and a sign for 1; `110`, a sign and 3 bits for 2 to 9; `1110`, a sign and 7 bits for 10 to 137;
//! `1111`, a sign and 22 bits for all others. The page ends at a whole byte.

mod codec;
#[cfg(test)]
mod tests;

use glam::IVec3;

use super::WireError;
use crate::ids::{Archetype, NetId};
use crate::quantised::Locomotion;

/// Characters of a page.
pub const PAGE_SLOTS: usize = 32;

/// Oldest baseline that a page can be told against, in ticks.
pub const BASELINE_AGE_TICKS_MAX: u32 = (1 << AGE_BITS) - 1;

/// Steps of a velocity in a step of a position, each tick: fine enough that after ten ticks less than half a step is missing.
pub const VELOCITY_STEPS_PER_STEP: i32 = 16;

/// Farthest from zero that a coordinate can be, in steps of 1/64 m.
pub const POSITION_MAX: i32 = 1 << 20;

/// Fastest along an axis, in sixteenths of a step per tick: 40 m/s at 20 Hz.
pub const VELOCITY_MAX: i32 = 2_047;

const AGE_BITS: u32 = 6;
const ARCHETYPE_BITS: u32 = 4;
const WIDE_BITS: u32 = 22;

// Any two positions differ by a number that can be told, also when one of them is predicted.
const _: () = assert!(
    2 * POSITION_MAX + VELOCITY_MAX * BASELINE_AGE_TICKS_MAX as i32 / VELOCITY_STEPS_PER_STEP + 1 < 1 << WIDE_BITS
);

/// What a page tells of a character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageState {
    /// Position of the feet, in steps of 1/64 m; each coordinate within [`POSITION_MAX`].
    pub position: IVec3,
    /// How far it has come since the tick before, in sixteenths of a step; each coordinate within [`VELOCITY_MAX`].
    pub velocity: IVec3,
    /// Facing, in 1/256 of a turn.
    pub yaw: u8,
    /// What its legs do.
    pub locomotion: Locomotion,
}

impl PageState {
    /// Somebody who stands in a place and faces north.
    pub fn resting_at(position: IVec3) -> PageState {
        PageState { position, ..PageState::default() }
    }

    /// Where it is after so many ticks if it goes on as it does.
    pub fn predicted(&self, ticks: u32) -> PageState {
        let way = self.velocity * ticks as i32;
        // Rounded to the nearest, and halves up, on both ends alike.
        let half = IVec3::splat(VELOCITY_STEPS_PER_STEP / 2);
        let steps = (way + half).div_euclid(IVec3::splat(VELOCITY_STEPS_PER_STEP));
        PageState { position: self.position + steps, ..*self }
    }

    /// Whether every number is within its bounds.
    pub fn is_valid(&self) -> bool {
        let within = |vector: IVec3, most: i32| vector.min_element() >= -most && vector.max_element() <= most;
        within(self.position, POSITION_MAX) && within(self.velocity, VELOCITY_MAX)
    }
}

/// Whose a slot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageOwner {
    /// Its name on the wire.
    pub net_id: NetId,
    /// What it is.
    pub archetype: Archetype,
}

/// A page as one tick has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageCopy {
    owners: [Option<PageOwner>; PAGE_SLOTS],
    states: [PageState; PAGE_SLOTS],
}

impl Default for PageCopy {
    fn default() -> PageCopy {
        PageCopy { owners: [None; PAGE_SLOTS], states: [PageState::default(); PAGE_SLOTS] }
    }
}

impl PageCopy {
    /// Puts somebody into a slot.
    ///
    /// # Panics
    /// When there is no such slot. In debug builds, when the state is not valid.
    pub fn put(&mut self, slot: usize, owner: PageOwner, state: PageState) {
        debug_assert!(state.is_valid(), "{state:?}");
        self.owners[slot] = Some(owner);
        self.states[slot] = state;
    }

    /// Takes whoever is there out of a slot.
    ///
    /// # Panics
    /// When there is no such slot.
    pub fn clear(&mut self, slot: usize) {
        self.owners[slot] = None;
        self.states[slot] = PageState::default();
    }

    /// Everybody in it, by rising slots.
    pub fn characters(&self) -> impl Iterator<Item = (usize, PageOwner, PageState)> + '_ {
        let slots = self.owners.iter().zip(&self.states).enumerate();
        slots.filter_map(|(slot, (owner, state))| owner.map(|owner| (slot, owner, *state)))
    }
}

/// An earlier tick's copy of a page that the reader has.
#[derive(Clone, Copy, Debug)]
pub struct Baseline<'c> {
    /// The copy.
    pub copy: &'c PageCopy,
    /// How many ticks ago it was, 1 to [`BASELINE_AGE_TICKS_MAX`].
    pub age_ticks: u32,
}
