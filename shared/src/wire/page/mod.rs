//! A page: up to 32 characters of one cell as one tick has them, told against an earlier tick that the reader has.
//!
//! The bits are the same for every reader who has that earlier tick, so they are made once and copied to all. Lowest bit first:
//!
//! | bits | field |
//! |---|---|
//! | 6 | age of the baseline in ticks; 0 for none, and then |
//! | 21, 21 | … the page's origin x and z, signed, in steps of 1/64 m |
//! | 1 | whether any slot's owner is another than at the baseline, or may be for there is none; then |
//! | 32 | … which slots are meant |
//! | 1 per such slot | … whether it has an owner now; if so how many bytes its net id has, less one (2), the net id, archetype (4) and the state as below, against somebody who rests at the origin; if not |
//! | 1 | … … whether who had it last has left the world, and did not go to another page |
//! | … | for each other slot with an owner, rising: its state against what the baseline predicts |
//!
//! In worlds that have abilities, a bit follows that says whether the use of any is told; if so
//!
//! | bits | field |
//! |---|---|
//! | 4 | how many, less one; of each, the oldest first, |
//! | 5 | … whose slot it is, which has an owner |
//! | 6 | … how many ticks ago it was |
//! | 8 | … which ability, from 1 |
//! | 12 | … where it was aimed on the ground, in 1/4,096 of a turn |
//! | 12 | … how far up, signed, in the same measure, up to a quarter of a turn |
//!
//! In worlds that have attributes for everybody, a bit follows that says whether any is told; if so, from the next whole byte on,
//! for each slot with an owner that has such attributes, rising:
//!
//! | bits | field |
//! |---|---|
//! | 1 | whether any of them is told; if so |
//! | … | some values of them, see [`super::attributes`]; of a slot that changed hands, those that are other than at first |
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
//! A number: `0` for 0; `10` and a sign for 1; `110`, a sign and 3 bits for 2 to 9; `1110`, a sign and 6 bits for 10 to 73;
//! `11110`, a sign and 10 bits for 74 to 1,097; `11111`, a sign and 18 bits for all others. The page ends at a whole byte.
//!
//! The baseline is the newest copy that the reader has of the tick that lies so far back, or of one before it: what did not
//! change in between was not told.

#[cfg(test)]
mod attribute_tests;
mod attributes;
mod codec;
mod deeds;
#[cfg(test)]
mod tests;

use std::ops::Index;

use glam::{IVec2, Vec3};

use super::WireError;
use crate::attributes::{Schema, VALUE_BITS_MAX, Values};
use crate::ids::{Archetype, NetId};
use crate::quantised::{HEIGHT_LIMIT_M, Locomotion, QuantisedState, STEPS_PER_M};

pub use attributes::TeamNews;
pub use codec::{Told, slots_of};
use deeds::DEEDS_BITS_MAX;
pub use deeds::{DEED_AGE_TICKS_MAX, PAGE_DEEDS_MAX, PageDeed};

/// Characters of a page.
pub const PAGE_SLOTS: usize = 32;

/// Oldest baseline that a page can be told against, in ticks.
pub const BASELINE_AGE_TICKS_MAX: u32 = (1 << AGE_BITS) - 1;

/// Steps of a velocity in a step of a position, each tick: fine enough that after ten ticks less than half a step is missing.
pub const VELOCITY_STEPS_PER_STEP: i32 = 16;

/// Fastest along an axis, in sixteenths of a step per tick: 40 m/s at 20 Hz.
pub const VELOCITY_MAX: i32 = 2_047;

/// Farthest from the world's middle that a page's origin can be along x or z, in steps.
pub const ORIGIN_MAX: i32 = (1 << (ORIGIN_BITS - 1)) - 1;

/// Longest page with its team's part, in bytes. In worlds with many attributes a page has fewer slots, see
/// [`slots_with`].
pub const PAGE_BYTES_MAX: usize = 920;

/// Bits that a page has beside its slots: the filling of three parts included.
const FIXED_BITS: usize = AGE_BITS as usize + 2 * ORIGIN_BITS as usize + 1 + 32 + 2 + 3 * 7;

/// What a newcomer takes, in bytes, when pages are planned.
pub const NEWCOMER_BYTES: usize = 12;

/// Slots of a page in worlds with as many attributes as there can be, and with abilities.
const SLOTS_MIN: usize = 12;

const AGE_BITS: u32 = 6;
const ORIGIN_BITS: u32 = 21;
const ARCHETYPE_BITS: u32 = 4;
const WIDE_BITS: u32 = 18;
const NUMBER_BITS_MAX: usize = 5 + 1 + WIDE_BITS as usize;
const OWNED_BITS_MAX: usize =
    1 + 2 + 32 + ARCHETYPE_BITS as usize + 1 + 3 * NUMBER_BITS_MAX + 1 + 3 * NUMBER_BITS_MAX + 11;
const HEIGHT_MAX: i32 = (HEIGHT_LIMIT_M * STEPS_PER_M) as i32;

// Any two positions differ by a number that can be told, also when one of them is predicted.
const _: () = {
    let predicted = VELOCITY_MAX * BASELINE_AGE_TICKS_MAX as i32 / VELOCITY_STEPS_PER_STEP + 1;
    assert!(2 * HEIGHT_MAX + predicted < 1 << WIDE_BITS && 2 * (i16::MAX as i32 + 1) + predicted < 1 << WIDE_BITS);
    assert!(size_of::<PageState>() == 16);
    let fixed_bits = FIXED_BITS + DEEDS_BITS_MAX;
    assert!(fixed_bits + PAGE_SLOTS * OWNED_BITS_MAX <= PAGE_BYTES_MAX * 8);
    assert!(fixed_bits + SLOTS_MIN * (OWNED_BITS_MAX + 3 + 32 + VALUE_BITS_MAX as usize) <= PAGE_BYTES_MAX * 8);
};

/// How many characters a page has at most in a world with these attributes, and with abilities or without, so that it always fits into a
/// snapshot: 12 to [`PAGE_SLOTS`].
pub fn slots_with(schema: &Schema, has_abilities: bool) -> usize {
    let attribute_bits = match schema.has_public() || schema.has_team() {
        true => 3 + schema.told_bits_max(|layout| layout.public | layout.team),
        false => 0,
    };
    let fixed_bits = FIXED_BITS + if has_abilities { DEEDS_BITS_MAX } else { 0 };
    ((PAGE_BYTES_MAX * 8 - fixed_bits) / (OWNED_BITS_MAX + attribute_bits)).min(PAGE_SLOTS)
}

/// What a page tells of a character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageState {
    /// Height of the feet, in steps of 1/64 m, within [`HEIGHT_LIMIT_M`].
    pub height: i32,
    /// Where the feet are (x, z), in steps from the page's origin.
    pub offset: [i16; 2],
    /// How far it has come since the tick before (x, y, z), in sixteenths of a step; each within [`VELOCITY_MAX`].
    pub velocity: [i16; 3],
    /// Facing, in 1/256 of a turn.
    pub yaw: u8,
    /// What its legs do.
    pub locomotion: Locomotion,
}

impl PageState {
    /// A state in a page with this origin. What is too far away, which nobody in the page's cell is, is held at the limit.
    pub fn new(origin: IVec2, state: &QuantisedState, velocity: [i16; 3]) -> PageState {
        let offset = |at: i32, origin: i32| (at - origin).clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        PageState {
            height: state.position.y,
            offset: [offset(state.position.x, origin.x), offset(state.position.z, origin.y)],
            velocity,
            yaw: state.yaw,
            locomotion: state.locomotion,
        }
    }

    /// How far it goes in a tick, in metres.
    pub fn way_m(&self) -> Vec3 {
        let [x, y, z] = self.velocity.map(f32::from);
        Vec3::new(x, y, z) / (VELOCITY_STEPS_PER_STEP as f32 * STEPS_PER_M)
    }

    /// The same without the velocity, from the world's middle.
    pub fn quantised(&self, origin: IVec2) -> QuantisedState {
        let [x, z] = self.offset.map(i32::from);
        let position = glam::IVec3::new(origin.x + x, self.height, origin.y + z);
        QuantisedState { position, yaw: self.yaw, locomotion: self.locomotion }
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

impl PageOwner {
    /// What stands in slots that are nobody's.
    pub const NOBODY: PageOwner = PageOwner { net_id: NetId(0), archetype: Archetype::BOT };
}

/// A page as one tick has it: columns by slot, which reach as far as the last slot with an owner, or farther.
#[derive(Clone, Copy, Debug)]
pub struct PageView<'p> {
    /// Where its offsets are counted from (x, z), in steps from the world's middle, within [`ORIGIN_MAX`].
    pub origin: IVec2,
    /// Which slots have an owner.
    pub occupied: u32,
    /// Which of the others had one who has left the world.
    pub departed: u32,
    /// Whose they are.
    pub owners: &'p [PageOwner],
    /// Their states.
    pub states: &'p [PageState],
    /// What they have done since the baseline, the oldest first, by slots with an owner; none in worlds without abilities.
    pub deeds: Option<&'p [PageDeed]>,
    /// What is told of their attributes; none when that is nothing.
    pub attributes: Option<&'p [Values<'p>]>,
}

/// An earlier tick of the page that the reader has.
#[derive(Clone, Copy, Debug)]
pub struct Baseline<'b> {
    /// How many ticks ago it was, 1 to [`BASELINE_AGE_TICKS_MAX`].
    pub age_ticks: u32,
    /// Slots that have changed hands since.
    pub renewed: u32,
    /// The states as they were.
    pub states: StateRuns<'b>,
}

/// Slots whose states stand together in [`StateRuns`].
pub const RUN_SLOTS: usize = 8;

/// States by slot, in runs of [`RUN_SLOTS`] that may stand apart. Where a run is shorter, nothing is known of the other slots: they are as
/// of somebody at the origin who stands still.
#[derive(Clone, Copy, Debug)]
pub struct StateRuns<'s>(pub [&'s [PageState]; PAGE_SLOTS / RUN_SLOTS]);

impl<'s> StateRuns<'s> {
    /// Those of states that stand in one row.
    pub fn of(states: &'s [PageState]) -> StateRuns<'s> {
        let mut runs = states.chunks(RUN_SLOTS);
        StateRuns(std::array::from_fn(|_| runs.next().unwrap_or_default()))
    }
}

impl Index<usize> for StateRuns<'_> {
    type Output = PageState;

    fn index(&self, slot: usize) -> &PageState {
        const UNKNOWN: &PageState =
            &PageState { height: 0, offset: [0; 2], velocity: [0; 3], yaw: 0, locomotion: Locomotion::Idle };
        self.0[slot / RUN_SLOTS].get(slot % RUN_SLOTS).unwrap_or(UNKNOWN)
    }
}

/// A page as a reader keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageCopy {
    origin: IVec2,
    occupied: u32,
    departed: u32,
    owners: Vec<PageOwner>,
    states: Vec<PageState>,
    deeds: Vec<PageDeed>,
    /// Which attributes are known of each, and all their values one after another; empty in worlds without attributes.
    known: Vec<u32>,
    values: Vec<u32>,
    attribute_count: usize,
}

impl PageCopy {
    /// Nobody, around an origin.
    pub fn new(origin: IVec2) -> PageCopy {
        PageCopy { origin, ..PageCopy::default() }
    }

    /// Puts somebody into a slot.
    ///
    /// # Panics
    /// When there is no such slot.
    pub fn put(&mut self, slot: usize, owner: PageOwner, state: PageState) {
        assert!(slot < PAGE_SLOTS);
        if self.owners.len() <= slot {
            self.owners.resize(slot + 1, PageOwner::NOBODY);
            self.states.resize(slot + 1, PageState::default());
        }
        self.occupied |= 1 << slot;
        self.departed &= !(1 << slot);
        self.owners[slot] = owner;
        self.states[slot] = state;
    }

    /// Takes whoever is there out of a slot; it may have left the world.
    pub fn clear(&mut self, slot: usize, has_departed: bool) {
        self.occupied &= !(1 << slot);
        self.departed = self.departed & !(1 << slot) | u32::from(has_departed) << slot;
        if slot < self.owners.len() {
            self.owners[slot] = PageOwner::NOBODY;
            self.states[slot] = PageState::default();
        }
        if let Some(known) = self.known.get_mut(slot) {
            *known = 0;
            self.values[slot * self.attribute_count..][..self.attribute_count].fill(0);
        }
        let length = 32 - self.occupied.leading_zeros() as usize;
        self.owners.truncate(length);
        self.states.truncate(length);
        self.known.truncate(length);
        self.values.truncate(length * self.attribute_count);
    }

    /// Whose a slot is.
    pub fn owner(&self, slot: usize) -> Option<PageOwner> {
        (slot < PAGE_SLOTS && self.occupied >> slot & 1 == 1).then(|| self.owners[slot])
    }

    /// Whether who had a slot last, which has no owner now, has left the world.
    pub fn has_departed(&self, slot: usize) -> bool {
        slot < PAGE_SLOTS && self.departed >> slot & 1 == 1
    }

    /// Everybody in it, by rising slots.
    pub fn characters(&self) -> impl Iterator<Item = (usize, PageOwner, PageState)> + '_ {
        slots_of(self.occupied).map(|slot| (slot, self.owners[slot], self.states[slot]))
    }

    /// The same with states as the rest of the program has them, and with how far each goes in a tick, in metres.
    pub fn quantised(&self) -> impl Iterator<Item = (PageOwner, QuantisedState, Vec3, Values<'_>)> + '_ {
        let characters = self.characters();
        characters
            .map(|(slot, owner, state)| (owner, state.quantised(self.origin), state.way_m(), self.attributes(slot)))
    }

    /// As it is encoded from.
    pub fn view(&self) -> PageView<'_> {
        let PageCopy { origin, occupied, departed, owners, states, .. } = self;
        PageView {
            origin: *origin,
            occupied: *occupied,
            departed: *departed,
            owners,
            states,
            deeds: None,
            attributes: None,
        }
    }

    /// This as what `later` is told against.
    pub fn baseline_of(&self, later: &PageCopy, age_ticks: u32) -> Baseline<'_> {
        let owners: u32 = (0..PAGE_SLOTS).map(|slot| u32::from(self.owner(slot) != later.owner(slot)) << slot).sum();
        let renewed = owners | (self.departed ^ later.departed);
        Baseline { age_ticks, renewed, states: StateRuns::of(&self.states) }
    }
}
