//! One table as several files say it: what an including file says counts before what it includes.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::value::Written;

/// What one file says of a table.
#[derive(Clone)]
pub(super) struct Layer<'t> {
    pub(super) table: &'t DeTable<'t>,
    /// None while it counts.
    pub(super) aside: Option<Aside>,
}

/// Why a layer does not count for the keys that go with a choice: a stronger file makes another one.
#[derive(Clone)]
pub(super) struct Aside {
    /// How many of the reader's fields go with every choice: they are the first.
    pub(super) common_count: usize,
    /// The keys that go with the choice that it makes itself.
    pub(super) own: Vec<&'static str>,
}

impl<'t> Layer<'t> {
    pub(super) fn new(table: &'t DeTable<'t>) -> Self {
        Self { table, aside: None }
    }

    /// What it says of `name`, while it counts.
    pub(super) fn get(&self, name: &str) -> Option<&'t Written<'t>> {
        if self.aside.is_some() { None } else { self.table.get(name) }
    }
}

/// A table that is to be read.
#[derive(Default)]
pub(super) struct Entry<'t> {
    /// The strongest first; none when it is not written.
    pub(super) layers: Vec<Layer<'t>>,
    /// Where it is written in the strongest.
    pub(super) span: Option<Range<usize>>,
    /// Whether a part of it could not be read.
    pub(super) is_partial: bool,
}

/// The tables of a list that several files have, the weakest first: one after another, but for those that have the `name` of
/// one in a weaker file, if `is_named`. What a file says twice stays twice, for that is a mistake of its own.
pub(super) fn entries<'t>(files: &[Vec<&'t Written<'t>>], is_named: bool) -> Vec<Entry<'t>> {
    let mut entries: Vec<Entry<'t>> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (file, elements) in files.iter().enumerate() {
        let mut new = Vec::new();
        let mut changed = Vec::new();
        for element in elements {
            let DeValue::Table(table) = element.get_ref() else { continue };
            let name = if is_named { table.get("name").and_then(|name| name.get_ref().as_str()) } else { None };
            let former = name.and_then(|name| places.get(name).copied()).filter(|place| !changed.contains(place));
            if let Some(place) = former {
                entries[place].layers.insert(0, Layer::new(table));
                entries[place].span = Some(element.span());
                changed.push(place);
                continue;
            }
            if let Some(name) = name.filter(|_| file + 1 < files.len()) {
                new.push((name, entries.len()));
            }
            let layers = vec![Layer::new(table)];
            entries.push(Entry { layers, span: Some(element.span()), is_partial: false });
        }
        new.into_iter().for_each(|(name, place)| _ = places.entry(name).or_insert(place));
    }
    entries
}
