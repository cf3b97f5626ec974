//! Attributes: what characters have besides a place, such as health, a team or a rank.
//!
//! A world file declares them; the server's rules change them through typed handles; clients are told the [`Schema`] when they
//! come in, and the values within snapshots, see [`crate::wire::page`] and [`crate::wire::attributes`]. Whoever may not know a
//! value gets no bit of it.

mod handle;
mod schema;
#[cfg(test)]
mod tests;
mod values;

pub use handle::{AttributeHandle, ChoiceAttribute, FlagAttribute, NumberAttribute};
pub(crate) use schema::indices_of;
pub use schema::{
    ATTRIBUTES_MAX, AttributeKind, AttributeRule, CHOICES_MAX, Concealment, FAR_RADII_MAX, Layout, NUMBER_STEPS_MAX,
    Readers, Schema, SchemaError, VALUE_BITS_MAX,
};
pub use values::{Attributes, Values};
