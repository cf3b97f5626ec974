//! Seeded random numbers that never change between versions: replays and fingerprints depend on them, which is why
//! this is not a general-purpose library whose algorithm may be improved.

/// PCG-XSH-RR 64/32 (O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random
/// Number Generation", 2014).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Random {
    state: u64,
    increment: u64,
}

const MULTIPLIER: u64 = 6_364_136_223_846_793_005;

impl Random {
    /// A generator for `seed`; different `stream`s of the same seed are independent.
    pub fn new(seed: u64, stream: u64) -> Random {
        let mut random = Random { state: 0, increment: (stream << 1) | 1 };
        random.next_u32();
        random.state = random.state.wrapping_add(mix(seed));
        random.next_u32();
        random
    }

    /// Uniform over all 32-bit numbers.
    pub fn next_u32(&mut self) -> u32 {
        let old = self.state;
        self.state = old.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
        let shifted = (((old >> 18) ^ old) >> 27) as u32;
        shifted.rotate_right((old >> 59) as u32)
    }

    /// Uniform over `0..end`; 0 when `end` is 0. The bias, at most `end / 2^32`, is of no consequence here.
    pub fn below(&mut self, end: u32) -> u32 {
        ((u64::from(self.next_u32()) * u64::from(end)) >> 32) as u32
    }

    /// Uniform over `[0, 1)`.
    pub fn unit(&mut self) -> f32 {
        (self.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    /// Uniform over `[low, high)`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// True with a chance of `percent` in 100.
    pub fn percent(&mut self, percent: f32) -> bool {
        self.unit() * 100.0 < percent
    }

    /// A point uniform over the disc of `radius` around the origin.
    pub fn in_disc(&mut self, radius: f32) -> glam::Vec2 {
        let (sin, cos) = libm::sincosf(self.unit() * std::f32::consts::TAU);
        glam::Vec2::new(cos, sin) * (radius * self.unit().sqrt())
    }
}

/// Spreads the bits of a seed, so that neighbouring seeds give unrelated streams (finaliser of SplitMix64).
pub fn mix(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_of_a_seed_never_changes() {
        let mut random = Random::new(42, 54);
        let first: Vec<u32> = (0..4).map(|_| random.next_u32()).collect();
        assert_eq!(first, [3_440_356_942, 3_275_112_000, 3_293_079_613, 1_768_380_482]);
    }

    #[test]
    fn neighbouring_seeds_and_streams_differ() {
        assert_ne!(Random::new(1, 0).next_u32(), Random::new(2, 0).next_u32());
        assert_ne!(Random::new(1, 0).next_u32(), Random::new(1, 1).next_u32());
    }

    #[test]
    fn draws_stay_in_their_ranges() {
        let mut random = Random::new(7, 0);
        for _ in 0..10_000 {
            assert!(random.below(10) < 10);
            assert!((0.0..1.0).contains(&random.unit()));
            assert!(random.in_disc(5.0).length() <= 5.0);
        }
    }
}
