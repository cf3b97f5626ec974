//! A page to bits and back.

use glam::IVec2;

use super::deeds::put_deeds;
use super::{
    AGE_BITS, ARCHETYPE_BITS, BASELINE_AGE_TICKS_MAX, Baseline, HEIGHT_MAX, ORIGIN_BITS, PageCopy, PageOwner,
    PageState, PageView, VELOCITY_MAX, VELOCITY_STEPS_PER_STEP, WIDE_BITS, WireError,
};
use crate::attributes::Schema;
use crate::ids::{Archetype, NetId};
use crate::quantised::Locomotion;
use crate::wire::{BitReader, BitWriter};

/// The classes of numbers but for 0: least magnitude, and bits of what is beyond it.
const CLASSES: [(u32, u32); 5] = [(1, 0), (2, 3), (10, 6), (74, 10), (0, WIDE_BITS)];

/// How many characters an encoded page tells of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// With their names: all that have come since the baseline.
    pub enters: u32,
    /// Whose state is another than at the baseline.
    pub updates: u32,
    /// Slots that nobody has any more.
    pub leaves: u32,
    /// Bytes of its length that are attributes.
    pub attribute_bytes: u32,
}

/// A state in whole numbers wide enough for sums: x, height, z; the velocity.
type Wide = ([i32; 3], [i32; 3]);

fn wide(state: &PageState) -> Wide {
    let [x, z] = state.offset.map(i32::from);
    ([x, state.height, z], state.velocity.map(i32::from))
}

/// Where it is after so many ticks if it goes on as it does.
fn predicted(state: &PageState, ticks: u32) -> Wide {
    let (mut position, velocity) = wide(state);
    for (place, speed) in position.iter_mut().zip(velocity) {
        // Rounded to the nearest, and halves up, on both ends alike.
        *place += (speed * ticks as i32 + VELOCITY_STEPS_PER_STEP / 2).div_euclid(VELOCITY_STEPS_PER_STEP);
    }
    (position, velocity)
}

impl PageView<'_> {
    /// Appends its bytes, told against `baseline`, to `out`.
    ///
    /// O(slots). Nothing is allocated but by `out`.
    ///
    /// # Panics
    /// In debug builds, when the baseline's age or the origin is out of its range.
    pub fn encode(&self, schema: &Schema, baseline: Option<Baseline<'_>>, out: &mut Vec<u8>) -> Told {
        let mut bits = BitWriter::new(out);
        let mut told = Told::default();
        let age_ticks = baseline.map_or(0, |baseline| baseline.age_ticks);
        debug_assert!(age_ticks <= BASELINE_AGE_TICKS_MAX && (age_ticks > 0) == baseline.is_some());
        bits.put(age_ticks, AGE_BITS);
        if baseline.is_none() {
            bits.put_signed(self.origin.x, ORIGIN_BITS);
            bits.put_signed(self.origin.y, ORIGIN_BITS);
        }
        let renewed = baseline.map_or(self.occupied | self.departed, |baseline| baseline.renewed);
        let has_renewed = renewed != 0 || baseline.is_none();
        bits.put(u32::from(has_renewed), 1);
        if has_renewed {
            bits.put(renewed, 32);
            for slot in slots_of(renewed) {
                let is_owned = self.occupied >> slot & 1 == 1;
                bits.put(u32::from(is_owned), 1);
                if is_owned {
                    put_owner(&mut bits, self.owners[slot]);
                    put_state(&mut bits, &PageState::default(), 0, &self.states[slot]);
                    told.enters += 1;
                } else {
                    bits.put(self.departed >> slot & 1, 1);
                    told.leaves += 1;
                }
            }
        }
        if let Some(Baseline { age_ticks, states, .. }) = baseline {
            for slot in slots_of(self.occupied & !renewed) {
                put_state(&mut bits, &states[slot], age_ticks, &self.states[slot]);
                told.updates += u32::from(states[slot] != self.states[slot]);
            }
        }
        if let Some(deeds) = self.deeds {
            put_deeds(&mut bits, deeds);
        }
        told.attribute_bytes = self.put_attributes(schema, bits) as u32;
        told
    }
}

impl PageCopy {
    /// Reads a page from the beginning of `bytes`, where pages tell deeds or do not: the page, and how many bytes it had. `baseline` finds
    /// the reader's copy of so many ticks ago.
    ///
    /// # Errors
    /// When the bytes end too early, a number is out of its bounds, or the reader has no such copy.
    pub fn decode<'c>(
        schema: &Schema,
        tells_deeds: bool,
        bytes: &[u8],
        baseline: impl FnOnce(u32) -> Option<&'c PageCopy>,
    ) -> Result<(PageCopy, usize), WireError> {
        let mut bits = BitReader::new(bytes);
        let age_ticks = bits.get(AGE_BITS)?;
        let mut page = match age_ticks {
            0 => PageCopy::new(IVec2::new(bits.get_signed(ORIGIN_BITS)?, bits.get_signed(ORIGIN_BITS)?)),
            _ => baseline(age_ticks).ok_or(WireError::NotAccepted)?.without_deeds(),
        };
        let renewed = if bits.get(1)? == 1 { bits.get(32)? } else { 0 };
        let kept = page.occupied & !renewed;
        // From the front, so that the columns grow by what is there.
        for slot in slots_of(renewed) {
            if bits.get(1)? == 0 {
                let has_departed = bits.get(1)? == 1;
                page.clear(slot, has_departed);
                continue;
            }
            let owner = get_owner(&mut bits)?;
            page.put(slot, owner, get_state(&mut bits, &PageState::default(), 0)?);
        }
        for slot in slots_of(kept) {
            page.states[slot] = get_state(&mut bits, &page.states[slot], age_ticks)?;
        }
        if tells_deeds {
            page.get_deeds(&mut bits)?;
        }
        page.get_attributes(schema, renewed, &mut bits)?;
        Ok((page, bits.skip_to_byte()?))
    }
}

/// The slots whose bit is set, or whatever else the bits stand for, rising.
pub fn slots_of(mut mask: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let slot = mask.trailing_zeros();
        mask &= mask.wrapping_sub(1);
        (slot < 32).then_some(slot as usize)
    })
}

fn put_owner(bits: &mut BitWriter<'_>, owner: PageOwner) {
    let bytes = (32 - owner.net_id.0.leading_zeros()).div_ceil(8).max(1);
    bits.put(bytes - 1, 2);
    bits.put(owner.net_id.0, bytes * 8);
    bits.put(owner.archetype.number().into(), ARCHETYPE_BITS);
}

fn get_owner(bits: &mut BitReader<'_>) -> Result<PageOwner, WireError> {
    let bytes = bits.get(2)? + 1;
    let net_id = NetId(bits.get(bytes * 8)?);
    let archetype = Archetype::from_number(bits.get(ARCHETYPE_BITS)? as u8).ok_or(WireError::InvalidField)?;
    Ok(PageOwner { net_id, archetype })
}

fn put_state(bits: &mut BitWriter<'_>, before: &PageState, ticks: u32, state: &PageState) {
    let (expected_position, expected_velocity) = predicted(before, ticks);
    let (position, velocity) = wide(state);
    let is_rest_expected =
        velocity == expected_velocity && (state.yaw, state.locomotion) == (before.yaw, before.locomotion);
    let off = less(position, expected_position);
    let is_told = !is_rest_expected || off != [0; 3];
    put_numbers(bits, off, [(u64::from(is_told), 1), (u64::from(!is_rest_expected), 1)], is_told);
    if !is_rest_expected {
        let turns = state.yaw != before.yaw;
        let (facing, width) = if turns { (u64::from(state.yaw) << 1 | 1, 9) } else { (0, 1) };
        let rest = (facing | (state.locomotion as u64) << width, width + 2);
        put_numbers(bits, less(velocity, expected_velocity), [(0, 0), rest], true);
    }
}

fn get_state(bits: &mut BitReader<'_>, before: &PageState, ticks: u32) -> Result<PageState, WireError> {
    let (mut position, mut velocity) = predicted(before, ticks);
    let (mut yaw, mut locomotion) = (before.yaw, before.locomotion);
    if bits.get(1)? == 1 {
        add_numbers(bits, &mut position)?;
        if bits.get(1)? == 1 {
            add_numbers(bits, &mut velocity)?;
            if bits.get(1)? == 1 {
                yaw = bits.get(8)? as u8;
            }
            locomotion = Locomotion::from_bits(bits.get(2)?);
        }
    }
    let [x, height, z] = position;
    let narrow = |number: i32| i16::try_from(number).map_err(|_| WireError::InvalidField);
    let is_valid = (-HEIGHT_MAX..=HEIGHT_MAX).contains(&height)
        && velocity.iter().all(|speed| (-VELOCITY_MAX..=VELOCITY_MAX).contains(speed));
    if !is_valid {
        return Err(WireError::InvalidField);
    }
    let velocity = velocity.map(|speed| speed as i16);
    Ok(PageState { height, offset: [narrow(x)?, narrow(z)?], velocity, yaw, locomotion })
}

fn less(numbers: [i32; 3], expected: [i32; 3]) -> [i32; 3] {
    std::array::from_fn(|axis| numbers[axis] - expected[axis])
}

/// Appends three numbers with some bits before and behind them; of those only the first when numbers are not `told`, which all are 0 then.
fn put_numbers(bits: &mut BitWriter<'_>, numbers: [i32; 3], [before, behind]: [(u64, u32); 2], is_told: bool) {
    if numbers.iter().all(|number| number.unsigned_abs() < SHORT_MAX) {
        // Nearly all of them, and nobody can foretell which: no branch goes by that.
        let (codes, width) = short_codes(numbers);
        let (told, told_width) = (codes | behind.0 << width, width + behind.1);
        bits.put_long(before.0 | told << before.1, before.1 + told_width * u32::from(is_told));
        return;
    }
    bits.put_long(before.0, before.1);
    for number in numbers {
        let (code, width) = code_of(number);
        bits.put(code, width);
    }
    bits.put_long(behind.0, behind.1);
}

fn add_numbers(bits: &mut BitReader<'_>, numbers: &mut [i32; 3]) -> Result<(), WireError> {
    for number in numbers {
        *number += get_number(bits)?;
    }
    Ok(())
}

/// The code of a number and its bits; see the table of [`super`].
const fn code_of(number: i32) -> (u32, u32) {
    let (magnitude, sign) = (number.unsigned_abs(), (number < 0) as u32);
    // The prefix's ones, and how many bits it has.
    let (prefix, prefix_bits, class) = match magnitude {
        0 => return (0, 1),
        1 => return (0b01 | sign << 2, 3),
        2..=9 => (0b011, 3, CLASSES[1]),
        10..SHORT_MAX => (0b0111, 4, CLASSES[2]),
        SHORT_MAX..=1_097 => (0b0_1111, 5, CLASSES[3]),
        _ => (0b1_1111, 5, CLASSES[4]),
    };
    let (least, width) = class;
    (prefix | sign << prefix_bits | (magnitude - least) << (prefix_bits + 1), prefix_bits + 1 + width)
}

/// Numbers below this have short codes, which [`SHORT_CODES`] has.
const SHORT_MAX: u32 = CLASSES[3].0;

/// Codes of numbers from `1 - SHORT_MAX` on, with their bits behind them.
const SHORT_CODES: [[u16; 2]; 2 * SHORT_MAX as usize - 1] = {
    let mut codes = [[0; 2]; 2 * SHORT_MAX as usize - 1];
    let mut place = 0;
    while place < codes.len() {
        let (code, width) = code_of(place as i32 + 1 - SHORT_MAX as i32);
        codes[place] = [code as u16, width as u16];
        place += 1;
    }
    codes
};

/// The codes of three numbers that have short ones, one behind the other, and their bits.
fn short_codes(numbers: [i32; 3]) -> (u64, u32) {
    numbers.iter().rev().fold((0, 0), |(codes, width), number| {
        let [code, more] = SHORT_CODES[(number + SHORT_MAX as i32 - 1) as usize];
        (codes << more | u64::from(code), width + u32::from(more))
    })
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn three_numbers_have_their_codes_one_behind_the_other_whether_they_are_looked_up_or_not(
            numbers in prop::array::uniform3(prop_oneof![-2..=2, -80..=80, -1_100..=1_100, -(1 << 17)..=1 << 17]),
            behind in 0u64..1 << 11,
        ) {
            let (mut at_once, mut one_by_one) = (Vec::new(), Vec::new());
            let mut bits = BitWriter::new(&mut at_once);
            put_numbers(&mut bits, numbers, [(1, 1), (behind, 11)], true);
            bits.finish();
            let mut bits = BitWriter::new(&mut one_by_one);
            bits.put(1, 1);
            for number in numbers {
                let (code, width) = code_of(number);
                bits.put(code, width);
            }
            bits.put(behind as u32, 11);
            bits.finish();
            prop_assert_eq!(at_once, one_by_one);
        }
    }
}
