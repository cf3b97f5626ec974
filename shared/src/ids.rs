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

/// What kind of character an entity is, as clients may know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "ecs", derive(bevy_ecs::prelude::Component))]
#[repr(u8)]
pub enum Archetype {
    /// Played by a person.
    Player = 0,
    /// Played by a bot.
    Bot = 1,
}

impl Archetype {
    /// The archetype with this number on the wire.
    pub fn from_number(number: u8) -> Option<Archetype> {
        match number {
            0 => Some(Archetype::Player),
            1 => Some(Archetype::Bot),
            _ => None,
        }
    }
}
