//! A page to bits and back.

use glam::IVec3;

use super::{
    AGE_BITS, ARCHETYPE_BITS, BASELINE_AGE_TICKS_MAX, Baseline, PAGE_SLOTS, PageCopy, PageOwner, PageState, WIDE_BITS,
    WireError,
};
use crate::ids::{Archetype, NetId};
use crate::quantised::Locomotion;
use crate::wire::{BitReader, BitWriter};

/// The classes of numbers but for 0: least magnitude, and bits of what is beyond it.
const CLASSES: [(u32, u32); 4] = [(1, 0), (2, 3), (10, 7), (0, WIDE_BITS)];

impl PageCopy {
    /// Appends its bytes, told against `baseline`, to `out`; `center` is the cell's, in steps.
    ///
    /// O(slots). Nothing is allocated but by `out`.
    ///
    /// # Panics
    /// In debug builds, when the baseline's age is out of its range.
    pub fn encode(&self, baseline: Option<Baseline<'_>>, center: IVec3, out: &mut Vec<u8>) {
        let mut bits = BitWriter::new(out);
        let age_ticks = baseline.map_or(0, |baseline| baseline.age_ticks);
        debug_assert!(age_ticks <= BASELINE_AGE_TICKS_MAX && (age_ticks > 0) == baseline.is_some());
        bits.put(age_ticks, AGE_BITS);
        let renewed = self.renewed_slots(baseline);
        let has_renewed = renewed != 0 || baseline.is_none();
        bits.put(u32::from(has_renewed), 1);
        if has_renewed {
            bits.put(renewed, 32);
            for slot in slots_of(renewed) {
                bits.put(u32::from(self.owners[slot].is_some()), 1);
                if let Some(PageOwner { net_id, archetype }) = self.owners[slot] {
                    bits.put(net_id.0, 32);
                    bits.put(archetype as u32, ARCHETYPE_BITS);
                    put_state(&mut bits, &PageState::resting_at(center), &self.states[slot]);
                }
            }
        }
        if let Some(Baseline { copy, age_ticks }) = baseline {
            for slot in slots_of(!renewed).filter(|&slot| self.owners[slot].is_some()) {
                put_state(&mut bits, &copy.states[slot].predicted(age_ticks), &self.states[slot]);
            }
        }
        bits.finish();
    }

    /// Reads a page from the beginning of `bytes`: the page, and how many bytes it had. `baseline` finds the reader's copy of so
    /// many ticks ago.
    ///
    /// # Errors
    /// When the bytes end too early, a number is out of its bounds, or the reader has no such copy.
    pub fn decode<'c>(
        bytes: &[u8],
        center: IVec3,
        baseline: impl FnOnce(u32) -> Option<&'c PageCopy>,
    ) -> Result<(PageCopy, usize), WireError> {
        let mut bits = BitReader::new(bytes);
        let age_ticks = bits.get(AGE_BITS)?;
        let mut page = match age_ticks {
            0 => PageCopy::default(),
            _ => baseline(age_ticks).ok_or(WireError::NotAccepted)?.clone(),
        };
        let renewed = if bits.get(1)? == 1 { bits.get(32)? } else { 0 };
        for slot in slots_of(renewed) {
            if bits.get(1)? == 0 {
                page.clear(slot);
                continue;
            }
            let net_id = NetId(bits.get(32)?);
            let archetype = Archetype::from_number(bits.get(ARCHETYPE_BITS)? as u8).ok_or(WireError::InvalidField)?;
            page.owners[slot] = Some(PageOwner { net_id, archetype });
            page.states[slot] = get_state(&mut bits, &PageState::resting_at(center))?;
        }
        for slot in slots_of(!renewed) {
            if page.owners[slot].is_some() {
                page.states[slot] = get_state(&mut bits, &page.states[slot].predicted(age_ticks))?;
            }
        }
        let used_bits = bytes.len() * 8 - bits.remaining_bits();
        if bits.get((8 - used_bits as u32 % 8) % 8)? != 0 {
            return Err(WireError::InvalidField);
        }
        Ok((page, used_bits.div_ceil(8)))
    }

    /// The slots whose owner is another than at the baseline; without one, those that have an owner.
    fn renewed_slots(&self, baseline: Option<Baseline<'_>>) -> u32 {
        let former = |slot: usize| baseline.and_then(|baseline| baseline.copy.owners[slot]);
        (0..PAGE_SLOTS).map(|slot| u32::from(self.owners[slot] != former(slot)) << slot).sum()
    }
}

/// The slots whose bit is set, rising.
fn slots_of(mut mask: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let slot = mask.trailing_zeros();
        mask &= mask.wrapping_sub(1);
        (slot < 32).then_some(slot as usize)
    })
}

fn put_state(bits: &mut BitWriter<'_>, predicted: &PageState, state: &PageState) {
    bits.put(u32::from(state != predicted), 1);
    if state == predicted {
        return;
    }
    put_numbers(bits, state.position - predicted.position);
    let rest = |state: &PageState| (state.velocity, state.yaw, state.locomotion);
    let differs = rest(state) != rest(predicted);
    bits.put(u32::from(differs), 1);
    if differs {
        put_numbers(bits, state.velocity - predicted.velocity);
        bits.put(u32::from(state.yaw != predicted.yaw), 1);
        if state.yaw != predicted.yaw {
            bits.put(u32::from(state.yaw), 8);
        }
        bits.put(state.locomotion as u32, 2);
    }
}

fn get_state(bits: &mut BitReader<'_>, predicted: &PageState) -> Result<PageState, WireError> {
    let mut state = *predicted;
    if bits.get(1)? == 1 {
        state.position += get_numbers(bits)?;
        if bits.get(1)? == 1 {
            state.velocity += get_numbers(bits)?;
            if bits.get(1)? == 1 {
                state.yaw = bits.get(8)? as u8;
            }
            state.locomotion = Locomotion::from_bits(bits.get(2)?);
        }
    }
    if state.is_valid() { Ok(state) } else { Err(WireError::InvalidField) }
}

fn put_numbers(bits: &mut BitWriter<'_>, numbers: IVec3) {
    numbers.to_array().into_iter().for_each(|number| put_number(bits, number));
}

fn get_numbers(bits: &mut BitReader<'_>) -> Result<IVec3, WireError> {
    Ok(IVec3::new(get_number(bits)?, get_number(bits)?, get_number(bits)?))
}

/// See the table of [`super`].
fn put_number(bits: &mut BitWriter<'_>, number: i32) {
    let (magnitude, sign) = (number.unsigned_abs(), u32::from(number < 0));
    // The prefix's ones, and how many bits it has.
    let (prefix, prefix_bits, class) = match magnitude {
        0 => return bits.put(0, 1),
        1 => (0b01, 2, CLASSES[0]),
        2..=9 => (0b011, 3, CLASSES[1]),
        10..=137 => (0b0111, 4, CLASSES[2]),
        _ => (0b1111, 4, CLASSES[3]),
    };
    let (least, width) = class;
    bits.put(prefix | sign << prefix_bits, prefix_bits + 1);
    bits.put(magnitude - least, width);
}

fn get_number(bits: &mut BitReader<'_>) -> Result<i32, WireError> {
    let mut ones = 0;
    while ones < CLASSES.len() && bits.get(1)? == 1 {
        ones += 1;
    }
    let Some((least, width)) = ones.checked_sub(1).map(|class| CLASSES[class]) else { return Ok(0) };
    let is_negative = bits.get(1)? == 1;
    let magnitude = (least + bits.get(width)?) as i32;
    Ok(if is_negative { -magnitude } else { magnitude })
}
