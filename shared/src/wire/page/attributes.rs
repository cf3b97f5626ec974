//! The attributes in a page: those that everybody may know, and a team's part.

use super::{PageCopy, PageView, WireError};
use crate::attributes::{Attributes, Schema, Values, indices_of};
use crate::wire::attributes::{get_values, put_values};
use crate::wire::page::{PAGE_SLOTS, slots_of};
use crate::wire::{BitReader, BitWriter};

/// What a team is told of one slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TeamNews<'p> {
    /// Whether the slot's owner is of the team.
    pub is_of_team: bool,
    /// Values of attributes for teams; none when it is not.
    pub told: Values<'p>,
}

impl PageView<'_> {
    /// Appends the public attributes that are told, if there are any, and a bit that says so; `bits` must be at their end.
    /// Returns how many bytes they have.
    pub(super) fn put_attributes(&self, schema: &Schema, mut bits: BitWriter<'_>) -> usize {
        let Some(told) = self.attributes.filter(|_| schema.has_public()) else {
            if schema.has_public() {
                bits.put(0, 1);
            }
            bits.finish();
            return 0;
        };
        bits.put(1, 1);
        let start = bits.fill_byte();
        for slot in slots_of(self.occupied) {
            let public = schema.layout(self.owners[slot].archetype).public;
            if public != 0 {
                let is_any = told[slot].known & public != 0;
                bits.put(u32::from(is_any), 1);
                if is_any {
                    put_values(&mut bits, schema, public, told[slot]);
                }
            }
        }
        bits.fill_byte() - start
    }

    /// Appends a team's part: what it is told of each slot, or nothing.
    pub fn encode_team(&self, schema: &Schema, news: &[Option<TeamNews<'_>>; PAGE_SLOTS], out: &mut Vec<u8>) {
        let mut bits = BitWriter::new(out);
        let is_any = slots_of(self.occupied).any(|slot| news[slot].is_some());
        bits.put(u32::from(is_any), 1);
        for slot in slots_of(if is_any { self.occupied } else { 0 }) {
            bits.put(u32::from(news[slot].is_some()), 1);
            let Some(TeamNews { is_of_team, told }) = news[slot] else { continue };
            bits.put(u32::from(is_of_team), 1);
            if is_of_team {
                put_values(&mut bits, schema, schema.layout(self.owners[slot].archetype).team, told);
            }
        }
        bits.finish();
    }
}

impl PageCopy {
    /// Puts somebody's attributes into a slot that it has.
    ///
    /// # Panics
    /// When the slot is nobody's.
    pub fn put_attributes(&mut self, slot: usize, attributes: &Attributes) {
        let Values { known, values } = attributes.view();
        self.attribute_count = values.len();
        self.known.resize(self.owners.len(), 0);
        self.values.resize(self.owners.len() * values.len(), 0);
        self.known[slot] = known;
        self.values[slot * values.len()..(slot + 1) * values.len()].copy_from_slice(values);
    }

    /// What is known of the attributes of a slot's owner.
    pub fn attributes(&self, slot: usize) -> Values<'_> {
        let place = slot * self.attribute_count;
        match (self.known.get(slot), self.values.get(place..place + self.attribute_count)) {
            (Some(&known), Some(values)) => Values { known, values },
            _ => Values::default(),
        }
    }

    /// Makes room for the attributes of a schema, which must always be the same.
    pub(super) fn make_room(&mut self, schema: &Schema) {
        if !schema.is_empty() {
            self.attribute_count = schema.len();
            self.known.resize(self.owners.len(), 0);
            self.values.resize(self.owners.len() * schema.len(), 0);
        }
    }

    /// Reads the public attributes behind everything else; those of `renewed` slots are what they are at first.
    pub(super) fn get_attributes(
        &mut self,
        schema: &Schema,
        renewed: u32,
        bits: &mut BitReader<'_>,
    ) -> Result<(), WireError> {
        if schema.is_empty() {
            return Ok(());
        }
        self.make_room(schema);
        for slot in slots_of(renewed & self.occupied) {
            let public = schema.layout(self.owners[slot].archetype).public;
            self.known[slot] = public;
            let values = &mut self.values[slot * schema.len()..][..schema.len()];
            indices_of(public).for_each(|index| values[index] = schema.default_value(index));
        }
        if !schema.has_public() || bits.get(1)? == 0 {
            return Ok(());
        }
        bits.skip_to_byte()?;
        for slot in slots_of(self.occupied) {
            let public = schema.layout(self.owners[slot].archetype).public;
            if public != 0 && bits.get(1)? == 1 {
                get_values(bits, schema, public, &mut self.values[slot * schema.len()..][..schema.len()])?;
            }
        }
        Ok(())
    }

    /// Reads a team's part from the beginning of `bytes`, and says how many bytes it had.
    ///
    /// # Errors
    /// When the bytes end too early or a value is out of its range.
    pub fn decode_team(&mut self, schema: &Schema, bytes: &[u8]) -> Result<usize, WireError> {
        let mut bits = BitReader::new(bytes);
        if bits.get(1)? == 0 {
            return bits.skip_to_byte();
        }
        self.make_room(schema);
        for slot in slots_of(self.occupied) {
            if bits.get(1)? == 0 {
                continue;
            }
            let layout = schema.layout(self.owners[slot].archetype);
            self.known[slot] = match bits.get(1)? {
                0 => self.known[slot] & !layout.team,
                _ => {
                    let values = &mut self.values[slot * schema.len()..][..schema.len()];
                    self.known[slot] | get_values(&mut bits, schema, layout.team, values)?
                }
            };
        }
        bits.skip_to_byte()
    }
}
