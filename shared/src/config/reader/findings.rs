//! Where the reader puts what it finds: mistakes when it checks a file, descriptions when it describes itself.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Range, RangeInclusive};

use super::shape::Shape;
use super::show::ShownTable;
use super::source::Source;
use crate::config::error::{ConfigError, ConfigErrorKind, ConfigErrors};
use crate::config::limits::CONFIG_ERRORS_MAX;

/// What a run of the reader is for.
pub(in crate::config) enum Output<'t> {
    /// Reads files and collects their mistakes.
    Check(Box<Findings<'t>>),
    /// Reads nothing and collects what could be written.
    Describe(Vec<TableDoc>),
}

/// The mistakes of files that are read together, and where in their texts they are looked for.
pub(in crate::config) struct Findings<'t> {
    source: Source<'t>,
    mistakes: Mistakes,
    /// Parts of the texts that are not TOML, ordered and apart. What was guessed to stand there is not judged.
    broken: Vec<Range<usize>>,
    /// Whether a file is missing from them: what seems missing may stand there, and what contradicts may be mended there.
    pub(super) is_partial: bool,
    /// Where each key of a table that there is once is written, such as `world.size_m`; only where there are several files.
    places: BTreeMap<String, usize>,
    /// What was read, if that is to be written down.
    pub(super) shown: Option<Vec<ShownTable>>,
}

impl<'t> Findings<'t> {
    /// `page` explains the files' keys.
    pub(super) fn new(source: Source<'t>, page: &'static str) -> Self {
        Self {
            source,
            mistakes: Mistakes::new(page),
            broken: Vec::new(),
            is_partial: false,
            places: BTreeMap::new(),
            shown: None,
        }
    }

    pub(super) fn source(&self) -> &Source<'t> {
        &self.source
    }

    /// An error at `span`, or about the whole file; key, accepted and suggestion are for the caller to fill in.
    pub(super) fn error(&self, span: Option<Range<usize>>, kind: ConfigErrorKind) -> ConfigError {
        self.source.error(span, kind)
    }

    pub(super) fn push(&mut self, error: ConfigError) {
        self.mistakes.push(error);
    }

    /// Whether further mistakes will only be counted.
    pub(super) fn is_full(&self) -> bool {
        self.mistakes.errors.len() >= CONFIG_ERRORS_MAX
    }

    /// Declares parts of the text, ordered and apart and behind all former ones, to be no TOML.
    pub(super) fn add_broken(&mut self, broken: Vec<Range<usize>>) {
        self.broken.extend(broken);
        debug_assert!(self.broken.is_sorted_by(|a, b| a.end <= b.start));
    }

    /// Whether what begins at `offset` is worth judging.
    pub(super) fn is_intact(&self, offset: usize) -> bool {
        let next = self.broken.partition_point(|range| range.end <= offset);
        self.broken.get(next).is_none_or(|range| range.start > offset)
    }

    /// Whether all of the texts is there and TOML. If not, what seems missing may stand in a broken part.
    pub(super) fn is_all_intact(&self) -> bool {
        self.broken.is_empty() && !self.is_partial
    }

    /// Notes where the key is written, for rules in which other tables have a part.
    pub(super) fn note_place(&mut self, path: &str, name: &str, span: &Range<usize>) {
        if self.source.has_many() && !path.is_empty() && !path.ends_with(']') {
            self.places.insert(format!("{path}.{name}"), span.start);
        }
    }

    /// Where the keys of other tables are written that `rule` names, such as `world.size_m`, when that is in another file
    /// than what is at `blamed`.
    pub(super) fn places_elsewhere(&self, rule: &str, blamed: usize) -> Vec<String> {
        let named = rule.split('`').skip(1).step_by(2);
        let places = named.filter_map(|key| Some((key, *self.places.get(key)?)));
        places.filter_map(|(key, offset)| self.place_elsewhere(key, offset, blamed)).collect()
    }

    /// Where `key` is written, when that is in another file than what is at `blamed`.
    pub(super) fn place_elsewhere(&self, key: &str, offset: usize, blamed: usize) -> Option<String> {
        if self.source.file_index(offset) == self.source.file_index(blamed) {
            return None;
        }
        let (file, line) = self.source.place(offset);
        Some(format!("{key} is written in {file}:{line}"))
    }

    /// The mistakes, and what was read, if that was to be written down.
    pub(super) fn into_parts(self) -> (Mistakes, Vec<ShownTable>) {
        (self.mistakes, self.shown.unwrap_or_default())
    }
}

/// A bounded list of mistakes.
pub(in crate::config) struct Mistakes {
    errors: Vec<ConfigError>,
    omitted_count: usize,
    page: &'static str,
}

impl Mistakes {
    pub(super) fn new(page: &'static str) -> Self {
        Self { errors: Vec::new(), omitted_count: 0, page }
    }

    /// Adds a mistake, or only counts it when there are too many.
    pub(in crate::config) fn push(&mut self, error: ConfigError) {
        if self.errors.len() < CONFIG_ERRORS_MAX {
            self.errors.push(error);
        } else {
            self.omitted_count += 1;
        }
    }

    /// Adds those of another kind of file.
    pub(in crate::config) fn extend(&mut self, others: Mistakes) {
        if self.errors.is_empty() {
            // All that is wrong is of the other file, then, or there is nothing.
            self.page = others.page;
        }
        self.omitted_count += others.omitted_count;
        others.errors.into_iter().for_each(|error| self.push(error));
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut ConfigError> {
        self.errors.iter_mut()
    }

    /// `value`, if there is no mistake.
    pub(in crate::config) fn into_result<T>(self, value: T) -> Result<T, ConfigErrors> {
        if self.errors.is_empty() {
            Ok(value)
        } else {
            Err(ConfigErrors::new(self.errors, self.omitted_count, self.page))
        }
    }
}

/// What can be written in one table.
#[derive(Clone, Debug, Default)]
pub(in crate::config) struct TableDoc {
    /// Without brackets; empty for the file itself.
    pub(in crate::config) name: &'static str,
    pub(in crate::config) occurrence: Occurrence,
    pub(in crate::config) doc: &'static str,
    pub(in crate::config) keys: Vec<KeyDoc>,
    /// What must hold between several values.
    pub(in crate::config) rules: Vec<&'static str>,
    /// Whether a table changes the one of the same `name` in an included file.
    pub(in crate::config) is_named: bool,
}

/// How often a table can be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::config) enum Occurrence {
    /// Once or not at all, as `[name]`.
    #[default]
    Optional,
    /// Once, as `[name]`.
    Required,
    /// So many times, as `[[name]]`.
    Many(RangeInclusive<usize>),
}

impl TableDoc {
    /// As it is written, such as `[[spawn]]`.
    pub(in crate::config) fn heading(&self) -> String {
        match self.occurrence {
            Occurrence::Optional | Occurrence::Required => format!("[{}]", self.name),
            Occurrence::Many(_) => format!("[[{}]]", self.name),
        }
    }

    /// How often it can be written, for people.
    pub(in crate::config) fn presence(&self) -> String {
        match &self.occurrence {
            Occurrence::Optional => "Optional".to_owned(),
            Occurrence::Required => "Required".to_owned(),
            Occurrence::Many(counts) => format!("{} to {} {} tables", counts.start(), counts.end(), self.heading()),
        }
    }
}

/// What can be written for one key.
#[derive(Clone, Debug)]
pub(in crate::config) struct KeyDoc {
    pub(in crate::config) name: &'static str,
    /// For people.
    pub(in crate::config) accepted: String,
    /// The same as data.
    pub(in crate::config) shape: Shape,
    pub(in crate::config) unwritten: Unwritten,
    pub(in crate::config) doc: &'static str,
    /// The choice under which the key exists; `None` when it always does.
    pub(in crate::config) only_with: Option<Condition>,
    /// Word and meaning of each choice, if the key is one.
    pub(in crate::config) choices: Vec<(&'static str, &'static str)>,
}

/// A choice that is made, such as `kind = "png"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct Condition {
    pub(in crate::config) key: &'static str,
    pub(in crate::config) word: &'static str,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = \"{}\"", self.key, self.word)
    }
}

/// What counts when a key is not written.
#[derive(Clone, Debug)]
pub(in crate::config) enum Unwritten {
    /// That is a mistake.
    Refused,
    /// A default, as it would be written; JSON writes it in the same way.
    Default(String),
    /// The key has no value then.
    Nothing,
}
