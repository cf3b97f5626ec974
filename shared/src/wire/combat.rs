//! What clients are told of what abilities have done: reliable messages of the kind [`super::channel::COMBAT`].
//!
//! | bytes | field |
//! |---|---|
//! | 4 | the tick in which it happened |
//! | … | what happened, one behind the other until the end, each with its number (1) before it |
//!
//! | number | what | fields |
//! |---|---|---|
//! | 0 | [`CombatEvent::Hit`]: told to who did it and to whom | by (4), target (4), ability (1), by how much its health changed (4, float) |
//! | 1 | [`CombatEvent::Died`]: told to the same | who (4), by (4), ability (1) |
//! | 2 | [`CombatEvent::Refused`]: told to who wished to use it | ability (1), why (1): its place in [`UseRefusal::ALL`] |
//! | 3 | [`CombatEvent::Missed`]: told to who shot | ability (1), why (1): its place in [`MissReason::ALL`] |
//!
//! Numbers are little-endian.

use super::WireError;
use super::channel::COMBAT;
use crate::abilities::UseRefusal;
use crate::ids::NetId;
use crate::limits::MESSAGE_BYTES_MAX;
use crate::tick::Tick;

/// Something that came of an ability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CombatEvent {
    /// Somebody was hit.
    Hit {
        /// By whom.
        by: NetId,
        /// Who.
        target: NetId,
        /// With which ability, by its number.
        ability: u8,
        /// By how much its health changed; negative for damage.
        change: f32,
    },
    /// Somebody has died.
    Died {
        /// Who.
        who: NetId,
        /// By whom.
        by: NetId,
        /// With which ability, by its number.
        ability: u8,
    },
    /// An ability was not used.
    Refused {
        /// Which, by its number.
        ability: u8,
        /// Why.
        refusal: UseRefusal,
    },
    /// A shot has met nobody.
    Missed {
        /// With which ability, by its number.
        ability: u8,
        /// Why.
        reason: MissReason,
    },
}

/// Why a shot has met nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MissReason {
    /// Nobody was in its way where its shooter saw them.
    Nobody,
    /// A wall was in the way.
    Wall,
    /// What the shooter saw is longer ago than the world allows, and meanwhile nobody was there.
    TooOld,
    /// Whoever was in its way had leapt out of it, which reached the server first.
    Evaded,
}

impl MissReason {
    /// All of them, by their numbers.
    pub const ALL: [MissReason; 4] = [MissReason::Nobody, MissReason::Wall, MissReason::TooOld, MissReason::Evaded];
}

/// The kind, and the tick.
const HEADER_BYTES: usize = 5;

/// The longest event.
const EVENT_BYTES_MAX: usize = 14;

/// As many events as a message has room for, whatever they are.
pub const EVENTS_PER_MESSAGE: usize = (MESSAGE_BYTES_MAX - HEADER_BYTES) / EVENT_BYTES_MAX;

impl CombatEvent {
    /// As a message; events beyond [`EVENTS_PER_MESSAGE`] are left out.
    pub fn message(tick: Tick, events: &[CombatEvent]) -> Vec<u8> {
        let mut out = vec![COMBAT];
        out.extend_from_slice(&tick.0.to_le_bytes());
        events.iter().take(EVENTS_PER_MESSAGE).for_each(|event| event.encode(&mut out));
        out
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            CombatEvent::Hit { by, target, ability, change } => {
                out.push(0);
                out.extend_from_slice(&by.0.to_le_bytes());
                out.extend_from_slice(&target.0.to_le_bytes());
                out.push(ability);
                out.extend_from_slice(&change.to_le_bytes());
            }
            CombatEvent::Died { who, by, ability } => {
                out.push(1);
                out.extend_from_slice(&who.0.to_le_bytes());
                out.extend_from_slice(&by.0.to_le_bytes());
                out.push(ability);
            }
            CombatEvent::Refused { ability, refusal } => out.extend_from_slice(&[2, ability, refusal as u8]),
            CombatEvent::Missed { ability, reason } => out.extend_from_slice(&[3, ability, reason as u8]),
        }
    }

    /// What a message says: the tick, and what happened in it.
    ///
    /// # Errors
    /// When it is of another kind, ends too early, or has a number that means nothing.
    pub fn of(message: &[u8]) -> Result<(Tick, Vec<CombatEvent>), WireError> {
        let (&[kind, a, b, c, d], mut rest) =
            message.split_first_chunk::<HEADER_BYTES>().ok_or(WireError::NotAccepted)?;
        if kind != COMBAT {
            return Err(WireError::NotAccepted);
        }
        let mut events = Vec::new();
        while !rest.is_empty() {
            let (event, after) = CombatEvent::decode(rest)?;
            events.push(event);
            rest = after;
        }
        Ok((Tick(u32::from_le_bytes([a, b, c, d])), events))
    }

    fn decode(bytes: &[u8]) -> Result<(CombatEvent, &[u8]), WireError> {
        let (&number, rest) = bytes.split_first().ok_or(WireError::TooShort)?;
        match number {
            0 => {
                let (fields, rest) = rest.split_first_chunk::<13>().ok_or(WireError::TooShort)?;
                let change = f32::from_le_bytes([fields[9], fields[10], fields[11], fields[12]]);
                if !change.is_finite() {
                    return Err(WireError::InvalidField);
                }
                let (by, target) = (net_id(fields, 0), net_id(fields, 4));
                Ok((CombatEvent::Hit { by, target, ability: fields[8], change }, rest))
            }
            1 => {
                let (fields, rest) = rest.split_first_chunk::<9>().ok_or(WireError::TooShort)?;
                Ok((CombatEvent::Died { who: net_id(fields, 0), by: net_id(fields, 4), ability: fields[8] }, rest))
            }
            2 => {
                let (&[ability, why], rest) = rest.split_first_chunk::<2>().ok_or(WireError::TooShort)?;
                let refusal = *UseRefusal::ALL.get(usize::from(why)).ok_or(WireError::InvalidField)?;
                Ok((CombatEvent::Refused { ability, refusal }, rest))
            }
            3 => {
                let (&[ability, why], rest) = rest.split_first_chunk::<2>().ok_or(WireError::TooShort)?;
                let reason = *MissReason::ALL.get(usize::from(why)).ok_or(WireError::InvalidField)?;
                Ok((CombatEvent::Missed { ability, reason }, rest))
            }
            _ => Err(WireError::InvalidField),
        }
    }
}

fn net_id(fields: &[u8], at: usize) -> NetId {
    NetId(u32::from_le_bytes([fields[at], fields[at + 1], fields[at + 2], fields[at + 3]]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_happened_comes_back_and_a_number_that_means_nothing_is_refused() {
        let (by, target) = (NetId(7), NetId(0x0102_0304));
        let mut events = vec![
            CombatEvent::Hit { by, target, ability: 3, change: -12.5 },
            CombatEvent::Died { who: target, by, ability: 3 },
        ];
        events.extend(UseRefusal::ALL.map(|refusal| CombatEvent::Refused { ability: 255, refusal }));
        events.extend(MissReason::ALL.map(|reason| CombatEvent::Missed { ability: 1, reason }));
        let message = CombatEvent::message(Tick(1_200), &events);
        assert_eq!(CombatEvent::of(&message), Ok((Tick(1_200), events)));
        for wrong in [&[COMBAT, 1, 0, 0, 0, 4][..], &[COMBAT, 1, 0, 0, 0, 2, 1, 6], &[COMBAT, 1, 0, 0, 0, 3, 1, 4]] {
            assert_eq!(CombatEvent::of(wrong), Err(WireError::InvalidField));
        }
        assert_eq!(CombatEvent::of(&message[..20]), Err(WireError::TooShort));
        let many = [CombatEvent::Hit { by, target, ability: 1, change: 1.0 }; 200];
        assert!(CombatEvent::message(Tick(1), &many).len() <= MESSAGE_BYTES_MAX);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = CombatEvent::of(&[&[COMBAT], &bytes[..]].concat());
        }
    }
}
