//! A stable 64-bit hash.

use glam::Vec2;

/// FNV-1a with 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>. Detects that two sides have different worlds; it
/// does not resist somebody who searches for a collision. Numbers are written as their little-endian bytes.
pub(super) struct Fnv1a(u64);

impl Fnv1a {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;

    pub(super) fn new() -> Self {
        Self(Self::OFFSET_BASIS)
    }

    pub(super) fn write(&mut self, bytes: impl IntoIterator<Item = u8>) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(Self::PRIME);
        }
    }

    pub(super) fn write_u32(&mut self, number: u32) {
        self.write(number.to_le_bytes());
    }

    pub(super) fn write_u64(&mut self, number: u64) {
        self.write(number.to_le_bytes());
    }

    pub(super) fn write_f32(&mut self, number: f32) {
        self.write_u32(number.to_bits());
    }

    pub(super) fn write_vec2(&mut self, pair: Vec2) {
        self.write_f32(pair.x);
        self.write_f32(pair.y);
    }

    pub(super) fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Fnv1a;

    #[test]
    fn the_published_test_vectors_hold() {
        for (text, expected) in
            [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
        {
            let mut hash = Fnv1a::new();
            hash.write(text.bytes());
            assert_eq!(hash.finish(), expected, "{text:?}");
        }
    }
}
