//! Attributes on the wire: what clients are told that there are, and the values within snapshots.
//!
//! A value is told as a whole number in as few bits as its greatest needs: of a number the steps above its least, of a flag 0
//! or 1, of a choice its number from 0. *Some values* of a list of attributes are, for each of them in the schema's order, a bit
//! that says whether it is told, and then the value.
//!
//! The schema comes over the reliable channel before anything else, one attribute per message, as many as the welcome says.
//! Snapshots cannot be read before it is complete. Each is the message kind [`super::channel::ATTRIBUTE`] and then, as control
//! messages are encoded, see [`super::control`]: name (string), kind (4: 0 number, then least, greatest and step as 32-bit
//! floats; 1 flag; 2 choice, then the number of names (8), the names (strings), and whether it is the team (1)), archetypes that have it
//! as bits (2), readers (4: everybody, team, owner, nobody), concealment while it is set (4: none, from other teams, from all
//! others), default (4).
//!
//! # Own attributes
//!
//! | bits | field |
//! |---|---|
//! | 4 | archetype of the own character |
//! | … | some values of all attributes of that archetype but those that nobody is told; those that have changed since what was acknowledged |
//!
//! # The team's part of a page
//!
//! Follows each page in worlds that have attributes for teams. The same for all of a team who have the same baseline.
//!
//! | bits | field |
//! |---|---|
//! | 1 | whether there is anything; otherwise that is all |
//! | 1 for each slot with an owner, rising | whether anything of it is told; if so |
//! | 1 | … whether it is of the reader's team; if not, what was known of its team's attributes is so no longer |
//! | … | … otherwise some values of its archetype's attributes for teams |
//!
//! Each part ends at a whole byte.

use super::WireError;
use crate::attributes::{ATTRIBUTES_MAX, AttributeRule, Schema, Values, indices_of};
use crate::ids::Archetype;
use crate::wire::channel::ATTRIBUTE;
use crate::wire::{BitReader, BitWriter, control};

/// Longest list of own attributes, in bytes.
pub const OWN_BYTES_MAX: usize = (4 + ATTRIBUTES_MAX + crate::attributes::VALUE_BITS_MAX as usize).div_ceil(8);

/// The own attributes that a snapshot tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnAttributes {
    /// What the own character is.
    pub archetype: Archetype,
    /// Which values are told, as bits.
    pub told: u32,
    /// The values; those that are not told are 0.
    pub values: [u32; ATTRIBUTES_MAX],
}

/// A rule of the schema as a reliable message.
pub fn message_of(rule: &AttributeRule) -> Vec<u8> {
    [&[ATTRIBUTE], &control::encode(rule)[..]].concat()
}

/// The rule of the schema that a reliable message tells.
///
/// # Errors
/// When it is of another kind, or not exactly one rule.
pub fn rule_of(message: &[u8]) -> Result<AttributeRule, WireError> {
    match message.split_first() {
        Some((&ATTRIBUTE, rule)) => control::decode(rule),
        _ => Err(WireError::NotAccepted),
    }
}

/// Writes those of the attributes in `of` that are in `told`.
pub(super) fn put_values(bits: &mut BitWriter<'_>, schema: &Schema, of: u32, told: Values<'_>) {
    for index in indices_of(of) {
        let is_told = told.known >> index & 1;
        bits.put(is_told, 1);
        if is_told == 1 {
            bits.put(told.values[index], schema.range(index).1);
        }
    }
}

/// Reads them into `values`, and says which they were.
pub(super) fn get_values(
    bits: &mut BitReader<'_>,
    schema: &Schema,
    of: u32,
    values: &mut [u32],
) -> Result<u32, WireError> {
    let mut told = 0;
    for index in indices_of(of) {
        if bits.get(1)? == 1 {
            let (value_max, width) = schema.range(index);
            let value = bits.get(width)?;
            if value > value_max {
                return Err(WireError::InvalidField);
            }
            values[index] = value;
            told |= 1 << index;
        }
    }
    Ok(told)
}

impl OwnAttributes {
    /// These values of somebody's own.
    pub fn new(archetype: Archetype, told: Values<'_>) -> OwnAttributes {
        let mut values = [0; ATTRIBUTES_MAX];
        indices_of(told.known).for_each(|index| values[index] = told.values[index]);
        OwnAttributes { archetype, told: told.known, values }
    }

    /// The values.
    pub fn told(&self) -> Values<'_> {
        Values { known: self.told, values: &self.values }
    }

    pub(super) fn encode(&self, schema: &Schema, out: &mut Vec<u8>) {
        let mut bits = BitWriter::new(out);
        bits.put(self.archetype.number().into(), 4);
        put_values(&mut bits, schema, schema.layout(self.archetype).own, self.told());
        bits.finish();
    }

    /// The attributes, and how many bytes they had.
    pub(super) fn decode(bytes: &[u8], schema: &Schema) -> Result<(OwnAttributes, usize), WireError> {
        let mut bits = BitReader::new(bytes);
        let archetype = Archetype::from_number(bits.get(4)? as u8).ok_or(WireError::InvalidField)?;
        let mut values = [0; ATTRIBUTES_MAX];
        let told = get_values(&mut bits, schema, schema.layout(archetype).own, &mut values)?;
        Ok((OwnAttributes { archetype, told, values }, bits.skip_to_byte()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attributes::{AttributeKind, Concealment, Readers};

    #[test]
    fn the_bytes_of_an_attribute_are_as_documented() {
        let rule = AttributeRule {
            name: "hp".to_owned(),
            kind: AttributeKind::Number { min: 0.0, max: 1.0, step: 0.5 },
            archetypes: 3,
            readers: Readers::Team,
            conceals: Concealment::FromOthers,
            seen_from_m: 0.0,
            default: 2,
        };
        let bytes = message_of(&rule);
        let expected = [
            &[1, 2, 0, 0, 0, 0, 0, 0, 0][..],
            b"hp",
            &[0; 4],
            &[0; 4],
            &1.0f32.to_le_bytes(),
            &0.5f32.to_le_bytes(),
            &[3, 0],
            &[1, 0, 0, 0],
            &[2, 0, 0, 0],
            &[2, 0, 0, 0],
        ];
        assert_eq!(bytes, expected.concat());
        assert_eq!(rule_of(&bytes), Ok(rule.clone()));
        let choice = AttributeKind::Choice { names: vec!["a".to_owned()], is_team: true };
        let bytes = message_of(&AttributeRule { kind: choice, ..rule });
        let kind = [&[2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0][..], b"a", &[1]].concat();
        assert_eq!(bytes[11..11 + kind.len()], kind);
    }
}
