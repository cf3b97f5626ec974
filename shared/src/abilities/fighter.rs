//! What becomes of whoever uses abilities, and how it is told.
//!
//! | bytes | of a [`Fighter`] in a snapshot |
//! |---|---|
//! | 1 | bit 0: dead; bit 1: slowed; bit 2: casting; the rest: number of abilities that cool down |
//! | 3 | if slowed: by how many percent (1), and for how many ticks yet (2) |
//! | 3 | if casting: the ability (1), and for how many ticks yet (2) |
//! | 3 each | the ability (1), in rising order, and in how many ticks it can be used (2) |
//!
//! Ticks are counted from the snapshot's; 0 ticks are not told.

use smallvec::SmallVec;

use super::Act;
use crate::tick::Tick;
use crate::wire::WireError;

const DEAD: u8 = 1;
const SLOWED: u8 = 2;
const CASTING: u8 = 4;
const COUNT_SHIFT: u32 = 3;

/// Most abilities of one character that cool down at the same time; as long as they do, no other can be used.
pub const COOLING_MAX: usize = 16;

/// The most that a fighter takes in a snapshot.
pub const FIGHTER_BYTES_MAX: usize = 7 + 3 * COOLING_MAX;

/// As much as that.
pub type FighterBytes = SmallVec<[u8; 64]>;

const _: () = assert!(COOLING_MAX < 1 << (8 - COUNT_SHIFT));

/// What a character that can use abilities is hindered by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "ecs", derive(bevy_ecs::prelude::Component))]
pub struct Fighter {
    /// Whether it is dead: it stays where it is and does nothing.
    pub is_dead: bool,
    /// By what it is slowed.
    pub slow: Option<Slow>,
    /// What it is about to do.
    pub cast: Option<Cast>,
    /// What cools down, by rising numbers of abilities, and from which tick on it can be used again.
    pub cooling: SmallVec<[(u8, Tick); 2]>,
}

/// Somebody is slower for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slow {
    /// By how much, in percent.
    pub percent: u8,
    /// From which tick on not any more.
    pub until: Tick,
}

/// An ability that takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cast {
    /// What will happen.
    pub act: Act,
    /// In which tick.
    pub at: Tick,
}

impl Fighter {
    /// Whether nothing hinders it, so that nothing need be told.
    pub fn is_free(&self) -> bool {
        *self == Fighter::default()
    }

    /// Whether an ability can be used in a tick as far as its cooldown goes.
    pub fn is_ready(&self, ability: u8, tick: Tick) -> bool {
        let cooling = self.cooling.iter().filter(|(_, at)| *at > tick).count();
        cooling < COOLING_MAX && self.ready_at(ability).is_none_or(|at| at <= tick)
    }

    /// From which tick on an ability can be used again, if it cools down.
    pub fn ready_at(&self, ability: u8) -> Option<Tick> {
        self.cooling.iter().find(|(number, _)| *number == ability).map(|(_, at)| *at)
    }

    /// Whether it is what was told of it at the end of a tick; where a cast is aimed is not told.
    pub fn agrees_with(&self, told: &Fighter, tick: Tick) -> bool {
        let cast =
            |fighter: &Fighter| fighter.cast.filter(|cast| cast.at > tick).map(|cast| (cast.act.ability, cast.at));
        let slow = |fighter: &Fighter| fighter.slow.filter(|slow| slow.until > tick);
        let cools = |(_, at): &&(u8, Tick)| *at > tick;
        self.is_dead == told.is_dead
            && cast(self) == cast(told)
            && slow(self) == slow(told)
            && self.cooling.iter().filter(cools).eq(told.cooling.iter().filter(cools))
    }

    /// The same, with its cast aimed as another has it, if that casts the same.
    pub fn with_aim_of(mut self, other: &Fighter) -> Fighter {
        if let (Some(cast), Some(known)) = (&mut self.cast, other.cast)
            && (cast.act.ability, cast.at) == (known.act.ability, known.at)
        {
            *cast = known;
        }
        self
    }

    /// Forgets what is over at the end of a tick.
    pub(super) fn settle(&mut self, tick: Tick) {
        self.cooling.retain(|(_, at)| *at > tick);
        self.slow = self.slow.filter(|slow| slow.until > tick);
    }

    pub(super) fn cool(&mut self, ability: u8, until: Tick) {
        let place = self.cooling.partition_point(|(number, _)| *number < ability);
        match self.cooling.get_mut(place) {
            Some((number, at)) if *number == ability => *at = until,
            _ => self.cooling.insert(place, (ability, until)),
        }
    }

    /// What is told of it in the snapshot of a tick; nothing when nothing hinders it.
    pub fn encode(&self, tick: Tick) -> FighterBytes {
        let mut out = FighterBytes::new();
        if self.is_free() {
            return out;
        }
        let left = |until: Tick| u16::try_from(until.signed_since(tick).max(0)).unwrap_or(u16::MAX);
        let slow = self.slow.filter(|slow| left(slow.until) > 0);
        let cast = self.cast.filter(|cast| left(cast.at) > 0);
        let cooling = || self.cooling.iter().filter(|(_, at)| left(*at) > 0).take(COOLING_MAX);
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let flags = flag(self.is_dead, DEAD) | flag(slow.is_some(), SLOWED) | flag(cast.is_some(), CASTING);
        out.push(flags | (cooling().count() as u8) << COUNT_SHIFT);
        let mut triple = |first: u8, until: Tick| {
            out.push(first);
            out.extend_from_slice(&left(until).to_le_bytes());
        };
        slow.iter().for_each(|slow| triple(slow.percent, slow.until));
        cast.iter().for_each(|cast| triple(cast.act.ability, cast.at));
        cooling().for_each(|(ability, at)| triple(*ability, *at));
        out
    }

    /// Where a fighter at the beginning of `bytes` ends.
    ///
    /// # Errors
    /// When it does not end in them, or is not as it is encoded.
    pub fn scan(bytes: &[u8]) -> Result<usize, WireError> {
        let flags = *bytes.first().ok_or(WireError::TooShort)?;
        let before = usize::from(flags & SLOWED != 0) + usize::from(flags & CASTING != 0);
        let length = 1 + 3 * (before + usize::from(flags >> COUNT_SHIFT));
        let triples = bytes.get(1..length).ok_or(WireError::TooShort)?;
        let is_slow_sound = flags & SLOWED == 0 || triples[0] <= 100;
        let mut last = 0;
        let is_rising =
            triples.chunks_exact(3).skip(before).all(|triple| std::mem::replace(&mut last, triple[0]) < triple[0]);
        let is_timed = triples.chunks_exact(3).all(|triple| triple[1..] != [0, 0]);
        if is_slow_sound && is_rising && is_timed { Ok(length) } else { Err(WireError::InvalidField) }
    }

    /// Reads one that was scanned. Where a cast is aimed is not told: whoever casts knows.
    ///
    /// # Errors
    /// As [`Fighter::scan`].
    pub fn decode(tick: Tick, bytes: &[u8]) -> Result<Fighter, WireError> {
        let length = Fighter::scan(bytes)?;
        let flags = bytes[0];
        let mut triples = bytes[1..length]
            .chunks_exact(3)
            .map(|triple| (triple[0], tick + u32::from(u16::from_le_bytes([triple[1], triple[2]]))));
        let mut next_if = |flag: u8| if flags & flag != 0 { triples.next() } else { None };
        let slow = next_if(SLOWED).map(|(percent, until)| Slow { percent, until });
        let cast = next_if(CASTING).map(|(ability, at)| Cast { act: Act { ability, ..Act::default() }, at });
        Ok(Fighter { is_dead: flags & DEAD != 0, slow, cast, cooling: triples.collect() })
    }
}
