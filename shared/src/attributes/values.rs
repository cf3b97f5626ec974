//! The values of one character.

use super::handle::AttributeHandle;
use super::schema::{Schema, indices_of};
use crate::config::ArchetypeValueConfig;
use crate::ids::Archetype;

/// What one character has of a world's attributes, or what a client knows of that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "ecs", derive(bevy_ecs::prelude::Component))]
pub struct Attributes {
    known: u32,
    values: Box<[u32]>,
}

/// The same, in memory that is elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Values<'v> {
    /// Which are of use, as bits.
    pub known: u32,
    /// All, as they are told.
    pub values: &'v [u32],
}

impl Attributes {
    /// What a new character of an archetype has.
    pub fn new(schema: &Schema, archetype: Archetype) -> Attributes {
        let known = schema.layout(archetype).all;
        Attributes { known, values: (0..schema.len()).map(|index| schema.default_value(index)).collect() }
    }

    /// Nothing is known yet.
    pub fn unknown(schema: &Schema) -> Attributes {
        Attributes { known: 0, values: vec![0; schema.len()].into() }
    }

    /// A value; none when the character has no such attribute, or a client may not know it.
    pub fn get<H: AttributeHandle>(&self, attribute: &H) -> Option<H::Value> {
        let index = attribute.index();
        let is_known = self.known.checked_shr(index as u32).unwrap_or(0) & 1 == 1;
        self.values.get(index).filter(|_| is_known).map(|&told| attribute.value_of(told))
    }

    /// Changes a value to the nearest that can be told. False, and nothing happens, when the character has no such attribute.
    pub fn set<H: AttributeHandle>(&mut self, attribute: &H, value: H::Value) -> bool {
        let index = attribute.index();
        let is_known = self.known.checked_shr(index as u32).unwrap_or(0) & 1 == 1;
        match self.values.get_mut(index).filter(|_| is_known) {
            Some(told) => *told = attribute.told_as(value),
            None => return false,
        }
        true
    }

    /// What a new character of an archetype has, in a world that says with what it begins instead of the defaults.
    pub fn first(schema: &Schema, archetype: Archetype, first: &[ArchetypeValueConfig]) -> Attributes {
        let mut attributes = Attributes::new(schema, archetype);
        for value in first.iter().filter(|value| value.archetype == archetype) {
            if let Some(told) = attributes.values.get_mut(usize::from(value.attribute)) {
                *told = value.value;
            }
        }
        attributes
    }

    /// Goes on as those of another archetype: what both have stays, the rest begins anew.
    pub fn change_archetype(&mut self, schema: &Schema, archetype: Archetype, first: &[ArchetypeValueConfig]) {
        let begun = Attributes::first(schema, archetype, first);
        indices_of(!self.known & begun.known).for_each(|index| self.values[index] = begun.values[index]);
        indices_of(self.known & !begun.known).for_each(|index| self.values[index] = schema.default_value(index));
        self.known = begun.known;
    }

    /// All of it.
    pub fn view(&self) -> Values<'_> {
        Values { known: self.known, values: &self.values }
    }

    /// Becomes what is known of somebody.
    pub fn take_over(&mut self, from: Values<'_>) {
        self.known = from.known;
        match self.values.len() == from.values.len() {
            true => self.values.copy_from_slice(from.values),
            false => self.values = from.values.into(),
        }
    }

    /// Takes in those of `from` that are known there.
    pub fn merge(&mut self, from: Values<'_>) {
        self.known |= from.known;
        if self.values.len() < from.values.len() {
            self.values = from.values.into();
        }
        indices_of(from.known).for_each(|index| self.values[index] = from.values[index]);
    }
}
