//! What those in a page have done: which abilities they have used since the baseline, so that whoever sees them is shown it.

use super::{PAGE_SLOTS, PageCopy};
use crate::abilities::PITCH_MAX;
use crate::wire::{BitReader, BitWriter, WireError};

/// Most uses of abilities that a page tells of; of more, the newest.
pub const PAGE_DEEDS_MAX: usize = 1 << COUNT_BITS;

/// How long ago one can be that a page tells of, in ticks.
pub const DEED_AGE_TICKS_MAX: u32 = (1 << AGE_BITS) - 1;

const COUNT_BITS: u32 = 4;
const SLOT_BITS: u32 = 5;
const AGE_BITS: u32 = 6;
const ABILITY_BITS: u32 = 8;
const ANGLE_BITS: u32 = 12;

/// An angle is told in 1/4,096 of a turn: 8 cm off at 50 m.
const ANGLE_STEP: i32 = 1 << (16 - ANGLE_BITS);

/// Most bits of a page's deeds.
pub(super) const DEEDS_BITS_MAX: usize =
    1 + COUNT_BITS as usize + PAGE_DEEDS_MAX * (SLOT_BITS + AGE_BITS + ABILITY_BITS + 2 * ANGLE_BITS) as usize;

const _: () = assert!(PAGE_SLOTS == 1 << SLOT_BITS);

/// Somebody has used an ability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageDeed {
    /// Whose slot it is, with an owner.
    pub slot: u8,
    /// How many ticks ago it was, up to [`DEED_AGE_TICKS_MAX`].
    pub age_ticks: u8,
    /// Which, by its number from 1.
    pub ability: u8,
    /// Where it was aimed on the ground, in 1/65,536 of a turn; told in steps of sixteen.
    pub yaw: u16,
    /// How far up, in the same measure, up to [`PITCH_MAX`] either way; told in steps of sixteen.
    pub pitch: i16,
}

impl PageDeed {
    /// As it arrives: the angles in whole steps.
    pub fn rounded(self) -> PageDeed {
        let yaw = ((i32::from(self.yaw) + ANGLE_STEP / 2) / ANGLE_STEP * ANGLE_STEP) as u16;
        let pitch = (i32::from(self.pitch) + ANGLE_STEP / 2).div_euclid(ANGLE_STEP) * ANGLE_STEP;
        PageDeed { yaw, pitch: pitch.clamp(-i32::from(PITCH_MAX), i32::from(PITCH_MAX)) as i16, ..self }
    }
}

/// Writes whether there are any, and those.
pub(super) fn put_deeds(bits: &mut BitWriter<'_>, deeds: &[PageDeed]) {
    let deeds = &deeds[deeds.len().saturating_sub(PAGE_DEEDS_MAX)..];
    bits.put(u32::from(!deeds.is_empty()), 1);
    if deeds.is_empty() {
        return;
    }
    bits.put(deeds.len() as u32 - 1, COUNT_BITS);
    for deed in deeds {
        let PageDeed { slot, age_ticks, ability, yaw, pitch } = deed.rounded();
        bits.put(u32::from(slot), SLOT_BITS);
        bits.put(u32::from(age_ticks), AGE_BITS);
        bits.put(u32::from(ability), ABILITY_BITS);
        bits.put(u32::from(yaw) / ANGLE_STEP as u32, ANGLE_BITS);
        bits.put_signed(i32::from(pitch) / ANGLE_STEP, ANGLE_BITS);
    }
}

impl PageCopy {
    /// Reads what [`put_deeds`] wrote.
    ///
    /// # Errors
    /// When the bits end too early, a slot has no owner, or a number is out of its bounds.
    pub(super) fn get_deeds(&mut self, bits: &mut BitReader<'_>) -> Result<(), WireError> {
        if bits.get(1)? == 0 {
            return Ok(());
        }
        for _ in 0..=bits.get(COUNT_BITS)? {
            let deed = PageDeed {
                slot: bits.get(SLOT_BITS)? as u8,
                age_ticks: bits.get(AGE_BITS)? as u8,
                ability: bits.get(ABILITY_BITS)? as u8,
                yaw: (bits.get(ANGLE_BITS)? as i32 * ANGLE_STEP) as u16,
                pitch: (bits.get_signed(ANGLE_BITS)? * ANGLE_STEP) as i16,
            };
            let is_valid = deed.ability > 0 && deed.pitch.unsigned_abs() <= PITCH_MAX.unsigned_abs();
            if !is_valid || self.owner(deed.slot.into()).is_none() {
                return Err(WireError::InvalidField);
            }
            self.deeds.push(deed);
        }
        Ok(())
    }

    /// What those in it have done since the page's baseline, the oldest first. It is taken out: for later copies it is of no use.
    pub fn take_deeds(&mut self) -> Vec<PageDeed> {
        std::mem::take(&mut self.deeds)
    }

    /// The same without them.
    pub(super) fn without_deeds(&self) -> PageCopy {
        let mut copy = self.clone();
        copy.deeds.clear();
        copy
    }
}
