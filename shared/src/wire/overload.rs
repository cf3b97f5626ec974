//! What clients are told when the server cannot keep up: a reliable message of the kind [`super::channel::OVERLOAD`].
//!
//! | bytes | field |
//! |---|---|
//! | 1 | the rung that the world stands on; 0 for none |
//! | 1 | how many there are |
//! | 1 | how fast time runs, in percent, 1 to 100 |
//! | 4 | the last tick that was lived through before |

use super::WireError;
use super::channel::OVERLOAD;
use crate::tick::Tick;

/// Where a world stands on its ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverloadNews {
    /// The rung; 0 for none.
    pub rung: u8,
    /// How many there are.
    pub rungs: u8,
    /// How fast time runs, in percent, 1 to 100.
    pub time_percent: u8,
    /// The last tick before.
    pub since: Tick,
}

impl Default for OverloadNews {
    /// All is well.
    fn default() -> OverloadNews {
        OverloadNews { rung: 0, rungs: 0, time_percent: 100, since: Tick(0) }
    }
}

impl OverloadNews {
    /// As a message.
    pub fn message(&self) -> Vec<u8> {
        let OverloadNews { rung, rungs, time_percent, since } = *self;
        [&[OVERLOAD, rung, rungs, time_percent][..], &since.0.to_le_bytes()].concat()
    }

    /// What a message says.
    ///
    /// # Errors
    /// When it is of another kind, has another length, or a field is out of its range.
    pub fn of(message: &[u8]) -> Result<OverloadNews, WireError> {
        let &[OVERLOAD, rung, rungs, time_percent, a, b, c, d] = message else { return Err(WireError::NotAccepted) };
        if rung > rungs || !(1..=100).contains(&time_percent) {
            return Err(WireError::InvalidField);
        }
        Ok(OverloadNews { rung, rungs, time_percent, since: Tick(u32::from_le_bytes([a, b, c, d])) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_comes_back_and_what_cannot_be_meant_is_refused() {
        let news = OverloadNews { rung: 2, rungs: 4, time_percent: 50, since: Tick(0x0102_0304) };
        assert_eq!(news.message(), [2, 2, 4, 50, 4, 3, 2, 1]);
        assert_eq!(OverloadNews::of(&news.message()), Ok(news));
        for wrong in [&[2, 5, 4, 50, 0, 0, 0, 0][..], &[2, 0, 0, 0, 0, 0, 0, 0], &[2, 0, 0, 101, 0, 0, 0, 0]] {
            assert_eq!(OverloadNews::of(wrong), Err(WireError::InvalidField));
        }
        assert_eq!(OverloadNews::of(&[0, 0, 0, 100, 0, 0, 0, 0]), Err(WireError::NotAccepted));
        assert_eq!(OverloadNews::of(&[2, 0, 0, 100]), Err(WireError::NotAccepted));
    }
}
