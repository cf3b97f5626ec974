//! The numbers by which one client knows its pages.

use throng_shared::wire::snapshot::PAGES_MAX;

/// Which of a byte's values are taken.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbers {
    taken: [u64; PAGES_MAX / 64],
}

impl Numbers {
    /// Takes the lowest that is free.
    pub(super) fn take(&mut self) -> Option<u8> {
        let word = self.taken.iter().position(|&word| word != u64::MAX)?;
        let bit = self.taken[word].trailing_ones();
        self.taken[word] |= 1 << bit;
        Some((word * 64) as u8 + bit as u8)
    }

    /// Gives one back.
    pub(super) fn give_back(&mut self, number: u8) {
        self.taken[usize::from(number) / 64] &= !(1 << (number % 64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_given_once_until_it_comes_back() {
        let mut numbers = Numbers::default();
        assert!((0..=255).all(|number| numbers.take() == Some(number)) && numbers.take().is_none());
        for number in [200, 3, 255] {
            numbers.give_back(number);
        }
        assert_eq!([(); 4].map(|()| numbers.take()), [Some(3), Some(200), Some(255), None]);
    }
}
