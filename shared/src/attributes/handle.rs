//! Typed handles: an attribute whose kind was looked up once.

use super::schema::{AttributeKind, Schema};

/// Names an attribute of one schema, and knows what its values mean.
pub trait AttributeHandle: Sized {
    /// What its values are in Rust.
    type Value;

    /// The attribute of this name, if there is one of this kind.
    fn find(schema: &Schema, name: &str) -> Option<Self>;

    /// Its place in the schema.
    fn index(&self) -> usize;

    /// A value as it is told; the nearest that can be.
    fn told_as(&self, value: Self::Value) -> u32;

    /// A value that was told.
    fn value_of(&self, told: u32) -> Self::Value;
}

/// A number; see [`Schema::number`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NumberAttribute {
    index: u8,
    min: f32,
    max: f32,
    step: f32,
    steps: u32,
}

/// A flag; see [`Schema::flag`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlagAttribute {
    index: u8,
}

/// One of a few names, by its number from 0; see [`Schema::choice`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChoiceAttribute {
    index: u8,
    names: Vec<String>,
}

fn place(schema: &Schema, name: &str) -> Option<usize> {
    schema.rules().iter().position(|rule| rule.name == name)
}

impl AttributeHandle for NumberAttribute {
    type Value = f32;

    fn find(schema: &Schema, name: &str) -> Option<NumberAttribute> {
        let index = place(schema, name)?;
        let AttributeKind::Number { min, max, step } = schema.rules()[index].kind else { return None };
        Some(NumberAttribute { index: index as u8, min, max, step, steps: schema.range(index).0 })
    }

    fn index(&self) -> usize {
        self.index.into()
    }

    /// The nearest step; what is no number is the least.
    fn told_as(&self, value: f32) -> u32 {
        let steps = ((f64::from(value) - f64::from(self.min)) / f64::from(self.step)).round();
        // Below zero and no number are 0.
        (steps as u32).min(self.steps)
    }

    fn value_of(&self, told: u32) -> f32 {
        match told < self.steps {
            true => (f64::from(self.min) + f64::from(told) * f64::from(self.step)) as f32,
            false => self.max,
        }
    }
}

impl AttributeHandle for FlagAttribute {
    type Value = bool;

    fn find(schema: &Schema, name: &str) -> Option<FlagAttribute> {
        let index = place(schema, name)?;
        (schema.rules()[index].kind == AttributeKind::Flag).then_some(FlagAttribute { index: index as u8 })
    }

    fn index(&self) -> usize {
        self.index.into()
    }

    fn told_as(&self, value: bool) -> u32 {
        value.into()
    }

    fn value_of(&self, told: u32) -> bool {
        told != 0
    }
}

impl NumberAttribute {
    /// The greatest that it can be.
    pub fn max(&self) -> f32 {
        self.max
    }

    /// The least that it can be.
    pub fn min(&self) -> f32 {
        self.min
    }
}

impl ChoiceAttribute {
    /// How many names there are; at least one.
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// The number of a name, if there is one.
    pub fn number_of(&self, name: &str) -> Option<u32> {
        self.names.iter().position(|known| known == name).map(|number| number as u32)
    }

    /// The name of a number.
    pub fn name_of(&self, number: u32) -> Option<&str> {
        self.names.get(number as usize).map(String::as_str)
    }
}

impl AttributeHandle for ChoiceAttribute {
    type Value = u32;

    fn find(schema: &Schema, name: &str) -> Option<ChoiceAttribute> {
        let index = place(schema, name)?;
        let AttributeKind::Choice { names, .. } = &schema.rules()[index].kind else { return None };
        Some(ChoiceAttribute { index: index as u8, names: names.clone() })
    }

    fn index(&self) -> usize {
        self.index.into()
    }

    /// What is beyond the last is the last.
    fn told_as(&self, value: u32) -> u32 {
        value.min(self.names.len() as u32 - 1)
    }

    fn value_of(&self, told: u32) -> u32 {
        told
    }
}
