//! Numbers of any width, packed without gaps: the first value in the lowest bits of the first byte.

use super::WireError;

/// Appends bit fields to a byte buffer.
#[derive(Debug)]
pub struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    pending: u64,
    pending_bits: u32,
}

impl<'a> BitWriter<'a> {
    /// Writes behind what `out` already holds.
    pub fn new(out: &'a mut Vec<u8>) -> BitWriter<'a> {
        BitWriter { out, pending: 0, pending_bits: 0 }
    }

    /// Appends the lowest `width` bits (at most 32) of `value`; higher bits must be 0.
    pub fn put(&mut self, value: u32, width: u32) {
        debug_assert!(width <= 32 && (width == 32 || value >> width == 0), "{value} does not fit {width} bits");
        // Fewer than 32 bits are pending between calls, so that any field still fits.
        self.pending |= u64::from(value) << self.pending_bits;
        self.pending_bits += width;
        if self.pending_bits >= 32 {
            self.out.extend_from_slice(&(self.pending as u32).to_le_bytes());
            self.pending >>= 32;
            self.pending_bits -= 32;
        }
    }

    /// Appends the lowest `width` bits (at most 64) of `value`; higher bits must be 0.
    pub fn put_long(&mut self, value: u64, width: u32) {
        let first = width.min(32);
        self.put(value as u32 & (u64::from(u32::MAX) >> (32 - first)) as u32, first);
        if width > first {
            self.put((value >> 32) as u32, width - first);
        }
    }

    /// Appends a signed number as its two's complement in `width` bits.
    pub fn put_signed(&mut self, value: i32, width: u32) {
        debug_assert!(value >= -(1 << (width - 1)) && value < 1 << (width - 1), "{value} does not fit {width} bits");
        self.put(value as u32 & (u32::MAX >> (32 - width)), width);
    }

    /// Fills the last byte with zero bits.
    pub fn finish(mut self) {
        self.fill_byte();
    }

    /// Fills the last byte with zero bits, and says how many bytes there are now.
    pub(super) fn fill_byte(&mut self) -> usize {
        let bytes = self.pending_bits.div_ceil(8) as usize;
        self.out.extend_from_slice(&self.pending.to_le_bytes()[..bytes]);
        (self.pending, self.pending_bits) = (0, 0);
        self.out.len()
    }
}

/// Reads what a [`BitWriter`] wrote.
#[derive(Debug)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    position_bits: usize,
}

impl<'a> BitReader<'a> {
    /// Reads from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> BitReader<'a> {
        BitReader { bytes, position_bits: 0 }
    }

    /// The next `width` bits (at most 32).
    ///
    /// # Errors
    /// [`WireError::TooShort`] when fewer are left.
    pub fn get(&mut self, width: u32) -> Result<u32, WireError> {
        if (width as usize) > self.remaining_bits() {
            return Err(WireError::TooShort);
        }
        let first = self.position_bits / 8;
        let mut window = [0; 8];
        let available = self.bytes.len().min(first + 8) - first;
        window[..available].copy_from_slice(&self.bytes[first..first + available]);
        let shifted = u64::from_le_bytes(window) >> (self.position_bits % 8);
        self.position_bits += width as usize;
        Ok((shifted & ((1 << width) - 1)) as u32)
    }

    /// The next `width` bits as a two's complement number.
    ///
    /// # Errors
    /// As [`BitReader::get`].
    pub fn get_signed(&mut self, width: u32) -> Result<i32, WireError> {
        let unused = 32 - width;
        Ok(((self.get(width)? << unused) as i32) >> unused)
    }

    /// Bits that are left.
    pub fn remaining_bits(&self) -> usize {
        self.bytes.len() * 8 - self.position_bits
    }

    /// Goes on to the next whole byte, whose number it returns.
    ///
    /// # Errors
    /// [`WireError::InvalidField`] when a bit that is skipped is not 0.
    pub fn skip_to_byte(&mut self) -> Result<usize, WireError> {
        let rest = (8 - self.position_bits % 8) % 8;
        match self.get(rest as u32)? {
            0 => Ok(self.position_bits / 8),
            _ => Err(WireError::InvalidField),
        }
    }

    /// Checks that only the zero bits that fill the last byte are left.
    ///
    /// # Errors
    /// [`WireError::TooLong`] when there is more.
    pub fn finish(mut self) -> Result<(), WireError> {
        let rest = self.remaining_bits();
        if rest >= 8 || self.get(rest as u32)? != 0 { Err(WireError::TooLong) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn fields_of_any_width_come_back(fields in prop::collection::vec((any::<u32>(), 1u32..=32), 0..64)) {
            let fields: Vec<(u32, u32)> =
                fields.into_iter().map(|(value, width)| (value & (u32::MAX >> (32 - width)), width)).collect();
            let mut bytes = Vec::new();
            let mut writer = BitWriter::new(&mut bytes);
            fields.iter().for_each(|&(value, width)| writer.put(value, width));
            writer.finish();
            let mut reader = BitReader::new(&bytes);
            for &(value, width) in &fields {
                prop_assert_eq!(reader.get(width), Ok(value));
            }
            prop_assert_eq!(reader.finish(), Ok(()));
        }

        #[test]
        fn a_long_field_is_the_same_as_its_two_halves(value: u64, width in 0u32..=64, before in 0u32..32) {
            let value = value & u64::MAX.checked_shr(64 - width).unwrap_or(0);
            let (mut long, mut halves) = (Vec::new(), Vec::new());
            let mut writer = BitWriter::new(&mut long);
            writer.put(0, before);
            writer.put_long(value, width);
            writer.finish();
            let mut writer = BitWriter::new(&mut halves);
            writer.put(0, before);
            writer.put((value & 0xffff_ffff) as u32, width.min(32));
            writer.put((value >> 32) as u32, width.saturating_sub(32));
            writer.finish();
            prop_assert_eq!(long, halves);
        }

        #[test]
        fn signed_numbers_come_back(value in -(1i32 << 15)..(1 << 15)) {
            let mut bytes = Vec::new();
            let mut writer = BitWriter::new(&mut bytes);
            writer.put(1, 3);
            writer.put_signed(value, 16);
            writer.finish();
            let mut reader = BitReader::new(&bytes);
            reader.get(3).expect("three bits");
            prop_assert_eq!(reader.get_signed(16), Ok(value));
        }
    }
}
