//! Identities.

use serde::{Deserialize, Serialize};

/// Name of an entity on the wire; unique within an instance's life, never reused, handed out in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ecs", derive(bevy_ecs::prelude::Component))]
pub struct NetId(pub u32);

/// Name of a connected client, from its connect token; the front door holds at most one connection for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

/// One of the worlds that a host runs, in the order of its settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(pub u16);

/// What kind of character an entity is, as clients may know it: one of the two that are everywhere, or one that a world file declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
#[cfg_attr(feature = "ecs", derive(bevy_ecs::prelude::Component))]
pub struct Archetype(u8);

/// A number that no archetype has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not the number of an archetype, which are from 0 to 15")]
pub struct NoArchetype(u8);

impl From<Archetype> for u8 {
    fn from(archetype: Archetype) -> u8 {
        archetype.number()
    }
}

impl TryFrom<u8> for Archetype {
    type Error = NoArchetype;

    fn try_from(number: u8) -> Result<Archetype, NoArchetype> {
        Archetype::from_number(number).ok_or(NoArchetype(number))
    }
}

impl Archetype {
    /// How many there can be: as many as there are numbers for on the wire.
    pub const COUNT: usize = 16;
    /// How many of them a world can declare.
    pub const OWN_MAX: usize = Archetype::COUNT - Archetype::FIRST_OWN as usize;
    /// Played by a person, or by a bot that stands in for one.
    pub const PLAYER: Archetype = Archetype(0);
    /// Played by a bot, and as people are.
    pub const BOT: Archetype = Archetype(1);
    /// What world files call the archetypes that are everywhere, by their numbers.
    pub const COMMON_NAMES: [&str; 2] = ["player", "bot"];
    const FIRST_OWN: u8 = Archetype::COMMON_NAMES.len() as u8;

    /// The archetype with this number on the wire.
    pub fn from_number(number: u8) -> Option<Archetype> {
        (usize::from(number) < Archetype::COUNT).then_some(Archetype(number))
    }

    /// That of the [`crate::config::WorldConfig::archetypes`] at a place; bots alone are of these. None from [`Archetype::OWN_MAX`] on.
    pub fn own(place: usize) -> Option<Archetype> {
        (place < Archetype::OWN_MAX).then(|| Archetype(place as u8 + Archetype::FIRST_OWN))
    }

    /// Its number on the wire, 0 to 15.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Its bit where each archetype has one.
    pub fn bit(self) -> u16 {
        1 << self.0
    }

    /// Whether it is a person's character, whoever plays it now.
    pub fn is_player(self) -> bool {
        self == Archetype::PLAYER
    }
}
