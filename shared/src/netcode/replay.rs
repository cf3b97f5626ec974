//! Which sequence numbers were received, so that no packet is taken twice.

use crate::memory::fetch;

/// Numbers before the newest one that are remembered: at 128 packets a second, four seconds' worth.
pub const REPLAY_WINDOW: u64 = 512;

const WORDS: usize = (REPLAY_WINDOW / 64) as usize;

/// A bit for each of the last [`REPLAY_WINDOW`] sequence numbers: a cache line, and the newest number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayWindow {
    /// 0 before the first, too: its bit says whether it was received.
    newest: u64,
    /// Bit n for the number that is n modulo the window.
    received: [u64; WORDS],
}

impl ReplayWindow {
    /// Whether a packet with this number must be ignored: it was received before, or is too old to tell.
    pub fn is_received(&self, sequence: u64) -> bool {
        match self.newest.checked_sub(sequence) {
            Some(age) => age >= REPLAY_WINDOW || self.received[word(sequence)] & bit(sequence) != 0,
            None => false,
        }
    }

    /// Has what the next packet needs of it brought near.
    pub fn fetch(&self) {
        fetch(&self.received[word(self.newest.wrapping_add(1))]);
    }

    /// Whether a packet with this number would be the newest.
    pub fn is_newest(&self, sequence: u64) -> bool {
        sequence >= self.newest && !self.is_received(sequence)
    }

    /// Notes that a packet with this number was received and its seal found right.
    pub fn insert(&mut self, sequence: u64) {
        if self.is_received(sequence) {
            return;
        }
        if sequence > self.newest {
            // The numbers that were passed over take the places of those that fall out of the window.
            if sequence - self.newest >= REPLAY_WINDOW {
                self.received = [0; WORDS];
            } else {
                (self.newest + 1..sequence).for_each(|number| self.received[word(number)] &= !bit(number));
            }
            self.newest = sequence;
        }
        self.received[word(sequence)] |= bit(sequence);
    }
}

fn word(sequence: u64) -> usize {
    (sequence % REPLAY_WINDOW / 64) as usize
}

fn bit(sequence: u64) -> u64 {
    1 << (sequence % 64)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_near_the_end_of_their_range_overflow_nothing() {
        let mut window = ReplayWindow::default();
        for sequence in [u64::MAX - 700, u64::MAX - 1, u64::MAX - 2, u64::MAX, u64::MAX - 511] {
            assert!(!window.is_received(sequence));
            window.insert(sequence);
            assert!(window.is_received(sequence));
        }
        assert!(window.is_received(0) && window.is_received(u64::MAX - 512));
        assert!(!window.is_received(u64::MAX - 3));
    }

    proptest! {
        /// Against a set of everything that was ever received.
        #[test]
        fn each_number_is_accepted_once_within_the_window(
            start in prop_oneof![Just(0u64), Just(u64::MAX), any::<u64>()],
            steps in prop::collection::vec(prop_oneof![8 => -20i64..20, 1 => -600i64..600], 1..400),
        ) {
            let (mut window, mut all) = (ReplayWindow::default(), BTreeSet::new());
            let mut at = start;
            for step in steps {
                at = at.saturating_add_signed(step);
                let newest: Option<u64> = all.last().copied();
                let is_too_old = newest.is_some_and(|newest| newest >= REPLAY_WINDOW && at <= newest - REPLAY_WINDOW);
                prop_assert_eq!(window.is_received(at), is_too_old || all.contains(&at), "{}", at);
                if !is_too_old {
                    window.insert(at);
                    all.insert(at);
                }
            }
        }
    }
}
