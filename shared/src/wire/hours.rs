//! What clients are told of the world's day and of what is on: reliable messages of the kind [`super::channel::HOURS`].
//!
//! | bytes | field |
//! |---|---|
//! | 1 | what follows: 0 the hour, 1 an event, 2 a feature |
//!
//! of the hour:
//!
//! | bytes | field |
//! |---|---|
//! | 4 | a tick |
//! | 4 | days since the world began, at that tick |
//! | 4 | the hour then, in 1/2^32 of a day |
//! | 4 | ticks in a day |
//!
//! and of an event or a feature:
//!
//! | bytes | field |
//! |---|---|
//! | 1 | whether it is on: 0 or 1 |
//! | 1 to 32 | its name: `a` to `z`, digits, `_` and `-` |

use super::WireError;
use super::channel::HOURS;
use crate::tick::Tick;

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 32;

/// One thing that a client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoursNews {
    /// What hour it is, and how fast days go by.
    Hour(DayClock),
    /// An event begins or ends.
    Event {
        /// Whether it is on from now on.
        is_on: bool,
        /// Its name.
        name: String,
    },
    /// A feature is on or off for this client: in those of its zones, if it has any.
    Feature {
        /// Whether it is on from now on.
        is_on: bool,
        /// Its name.
        name: String,
    },
}

/// By which a client knows the hour at every tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayClock {
    /// A tick.
    pub tick: Tick,
    /// Days since the world began, at that tick; the first is 0.
    pub day: u32,
    /// The hour then, in 1/2^32 of a day.
    pub fraction: u32,
    /// Ticks in a day; at least 1.
    pub day_ticks: u32,
}

impl DayClock {
    /// The hour at a tick, 0 to less than 24; also before the one that was told.
    pub fn hour_h(&self, tick: f64) -> f32 {
        let days =
            f64::from(self.fraction) / 2f64.powi(32) + (tick - f64::from(self.tick.0)) / f64::from(self.day_ticks);
        let hour_h = (days.rem_euclid(1.0) * 24.0) as f32;
        // Rounding may lead to 24.
        if hour_h < 24.0 { hour_h } else { 0.0 }
    }
}

impl HoursNews {
    /// As a message.
    pub fn message(&self) -> Vec<u8> {
        let named = |what: u8, is_on: bool, name: &str| [&[HOURS, what, u8::from(is_on)], name.as_bytes()].concat();
        match self {
            HoursNews::Hour(clock) => {
                let numbers = [clock.tick.0, clock.day, clock.fraction, clock.day_ticks];
                [HOURS, 0].into_iter().chain(numbers.into_iter().flat_map(u32::to_le_bytes)).collect()
            }
            HoursNews::Event { is_on, name } => named(1, *is_on, name),
            HoursNews::Feature { is_on, name } => named(2, *is_on, name),
        }
    }

    /// What a message says.
    ///
    /// # Errors
    /// When it is of another kind, has another length, or a field is out of its range.
    pub fn of(message: &[u8]) -> Result<HoursNews, WireError> {
        match message {
            [HOURS, 0, numbers @ ..] => {
                let (numbers, rest) = numbers.as_chunks::<4>();
                let [tick, day, fraction, day_ticks] = numbers else { return Err(WireError::NotAccepted) };
                let [tick, day, fraction, day_ticks] =
                    [tick, day, fraction, day_ticks].map(|bytes| u32::from_le_bytes(*bytes));
                if !rest.is_empty() {
                    return Err(WireError::NotAccepted);
                }
                if day_ticks == 0 {
                    return Err(WireError::InvalidField);
                }
                Ok(HoursNews::Hour(DayClock { tick: Tick(tick), day, fraction, day_ticks }))
            }
            [HOURS, 1, is_on, name @ ..] => Ok(HoursNews::Event { is_on: truth(*is_on)?, name: name_of(name)? }),
            [HOURS, 2, is_on, name @ ..] => Ok(HoursNews::Feature { is_on: truth(*is_on)?, name: name_of(name)? }),
            _ => Err(WireError::NotAccepted),
        }
    }
}

fn truth(byte: u8) -> Result<bool, WireError> {
    match byte {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(WireError::InvalidField),
    }
}

fn name_of(bytes: &[u8]) -> Result<String, WireError> {
    let is_allowed = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    if !(1..=NAME_BYTES_MAX).contains(&bytes.len()) || !bytes.iter().all(is_allowed) {
        return Err(WireError::InvalidField);
    }
    Ok(bytes.iter().copied().map(char::from).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let hour = HoursNews::Hour(DayClock { tick: Tick(1), day: 0, fraction: 0, day_ticks: 9 }).message();
        assert_eq!(HoursNews::of(&hour[..17]), Err(WireError::NotAccepted));
        assert_eq!(HoursNews::of(&[&hour[..], &[0]].concat()), Err(WireError::NotAccepted));
        assert_eq!(HoursNews::of(&[&hour[..14], &[0; 4]].concat()), Err(WireError::InvalidField));
        for wrong in [&[4, 1, 2, b'a'][..], &[4, 1, 1], &[4, 2, 0, b'A'], &[4, 2, 0, 0xff]] {
            assert_eq!(HoursNews::of(wrong), Err(WireError::InvalidField), "{wrong:?}");
        }
        assert_eq!(HoursNews::of(&[&[4, 1, 1][..], &[b'a'; 33]].concat()), Err(WireError::InvalidField));
        assert_eq!(HoursNews::of(&[4, 3, 1, b'a']), Err(WireError::NotAccepted));
    }

    #[test]
    fn the_hour_goes_on_with_the_ticks_past_midnight() {
        let clock = DayClock { tick: Tick(1_000), day: 3, fraction: 3 << 30, day_ticks: 2_400 };
        for (tick, hour_h) in [(1_000.0, 18.0), (1_050.0, 18.5), (1_700.0, 1.0), (900.0, 17.0)] {
            assert!((clock.hour_h(tick) - hour_h).abs() < 1e-3, "{tick}");
        }
    }

    proptest! {
        #[test]
        fn what_is_told_comes_back(
            tick in any::<u32>(), day in any::<u32>(), fraction in any::<u32>(), day_ticks in 1u32..,
            is_on in any::<bool>(), name in "[a-z0-9_-]{1,32}", at in 0.0f64..1e9,
        ) {
            let clock = DayClock { tick: Tick(tick), day, fraction, day_ticks };
            let event = HoursNews::Event { is_on, name: name.clone() };
            for news in [HoursNews::Hour(clock), event, HoursNews::Feature { is_on, name }] {
                prop_assert_eq!(HoursNews::of(&news.message()), Ok(news));
            }
            prop_assert!((0.0..24.0).contains(&clock.hour_h(at)));
        }

        #[test]
        fn any_bytes_are_understood_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(news) = HoursNews::of(&bytes) {
                prop_assert_eq!(news.message(), bytes);
            }
        }
    }
}
