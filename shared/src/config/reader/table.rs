//! Tables, and the reader of what is in them.

use std::ops::{Range, RangeInclusive};

use toml::de::{DeTable, DeValue};

use super::findings::{Condition, Occurrence, Output, TableDoc};
use super::value::{Written, found};
use crate::config::error::ConfigErrorKind;

/// Whether a table must be written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum Presence {
    /// Every file needs it.
    Required,
    /// Without it, the defaults of its keys count.
    Optional,
}

/// Reads one table, or describes it. Goes on after a mistake, with a default or some accepted value in its place.
///
/// A reader is a function that takes one of these, reads every key once and returns a value; it cannot fail.
pub(in crate::config) struct TableReader<'r, 't> {
    pub(super) output: &'r mut Output<'t>,
    /// Dotted path of the table; empty for the file itself.
    pub(super) path: String,
    /// `None` when the table is not written, or when describing.
    pub(super) table: Option<&'t DeTable<'t>>,
    /// The table's header, or all of an inline table.
    pub(super) span: Option<Range<usize>>,
    pub(super) fields: Vec<Field>,
    /// Keys that exist under another choice than the one made, with that choice.
    pub(super) elsewhere: Vec<(&'static str, Condition)>,
    pub(super) doc: TableDoc,
    /// The choice being described.
    pub(super) only_with: Option<Condition>,
}

/// A declared key or table.
pub(super) struct Field {
    pub(super) name: &'static str,
    /// As it is listed for people: tables in brackets.
    pub(super) listed: String,
    pub(super) span: Option<Range<usize>>,
    pub(super) default: Option<String>,
    /// False after a mistake in it: rules do not judge it again.
    pub(super) is_sound: bool,
}

impl<'r, 't> TableReader<'r, 't> {
    /// Reads the file itself. `root` is `None` when describing.
    pub(in crate::config) fn root(output: &'r mut Output<'t>, root: Option<&'t DeTable<'t>>) -> Self {
        Self::new(output, String::new(), root, None, TableDoc::default())
    }

    fn new(
        output: &'r mut Output<'t>,
        path: String,
        table: Option<&'t DeTable<'t>>,
        span: Option<Range<usize>>,
        doc: TableDoc,
    ) -> Self {
        Self { output, path, table, span, fields: Vec::new(), elsewhere: Vec::new(), doc, only_with: None }
    }

    /// Reads a `[name]` table.
    pub(in crate::config) fn table<T>(
        &mut self,
        name: &'static str,
        presence: Presence,
        doc: &'static str,
        read: impl FnOnce(&mut TableReader<'_, 't>) -> T,
    ) -> T {
        let heading = format!("[{name}]");
        let written = self.table.and_then(|table| table.get(name));
        self.declare_table(name, &heading, written);
        let table = match written.map(Written::get_ref) {
            Some(DeValue::Table(table)) => Some(table),
            Some(other) => {
                let wrong_type = ConfigErrorKind::WrongType { found: found(other), wanted: "a table" };
                let (kind, suggestion) = match other.as_array().and_then(|list| list.first()) {
                    Some(first) if first.get_ref().is_table() => {
                        (ConfigErrorKind::WrongBrackets, format!("write it once, as {heading} with single brackets"))
                    }
                    _ => (wrong_type, table_help(&heading)),
                };
                self.refuse(written.map(Written::span), name, kind, String::new(), Some(suggestion));
                None
            }
            None => {
                if presence == Presence::Required {
                    let (kind, help) =
                        (ConfigErrorKind::MissingTable { heading: heading.clone() }, table_help(&heading));
                    self.refuse_missing(None, name, kind, String::new(), format!("{help}. {doc}"));
                }
                None
            }
        };
        let occurrence = match presence {
            Presence::Required => Occurrence::Required,
            Presence::Optional => Occurrence::Optional,
        };
        let doc = TableDoc { name, occurrence, doc, ..TableDoc::default() };
        self.child(name.to_owned(), table, written.map(Written::span), doc, read)
    }

    /// Reads all `[[name]]` tables.
    pub(in crate::config) fn tables<T>(
        &mut self,
        name: &'static str,
        counts: RangeInclusive<usize>,
        doc: &'static str,
        mut read: impl FnMut(&mut TableReader<'_, 't>) -> T,
    ) -> Vec<T> {
        let table_doc = TableDoc { name, occurrence: Occurrence::Many(counts.clone()), doc, ..TableDoc::default() };
        let (heading, accepted) = (table_doc.heading(), table_doc.presence());
        let written = self.table.and_then(|table| table.get(name));
        self.declare_table(name, &heading, written);
        if let Output::Describe(_) = self.output {
            return vec![self.child(name.to_owned(), None, None, table_doc, read)];
        }
        let elements = self.elements(name, &heading, written);
        if elements.is_empty() && *counts.start() > 0 {
            let span = written.map(Written::span);
            let (kind, help) = (ConfigErrorKind::MissingTable { heading: heading.clone() }, table_help(&heading));
            self.refuse_missing(span, name, kind, accepted.clone(), format!("{help}. {doc}"));
        }
        if let Some(excess) = elements.get(*counts.end()) {
            let kind = ConfigErrorKind::WrongTableCount { heading: heading.clone(), count: elements.len() };
            self.refuse(Some(excess.span()), name, kind, accepted, None);
        }
        let mut values = Vec::with_capacity(elements.len().min(*counts.end()));
        for (index, element) in elements.iter().enumerate().take(*counts.end()) {
            let path = format!("{name}[{}]", index + 1);
            if let DeValue::Table(table) = element.get_ref() {
                values.push(self.child(path, Some(table), Some(element.span()), TableDoc::default(), &mut read));
            } else {
                let kind = ConfigErrorKind::WrongType { found: found(element.get_ref()), wanted: "a table" };
                self.refuse(Some(element.span()), &path, kind, String::new(), Some(table_help(&heading)));
            }
        }
        values
    }

    /// Whether the key was read without a mistake, written or not. Always true when describing.
    pub(in crate::config) fn is_sound(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name && field.is_sound)
    }

    /// Where the key's value is written.
    pub(in crate::config) fn span(&self, name: &str) -> Option<Range<usize>> {
        self.fields.iter().find(|field| field.name == name)?.span.clone()
    }

    /// Refuses the keys that nobody asked for. Every reader ends with it.
    pub(in crate::config) fn finish(self) {
        match self.output {
            Output::Describe(tables) if !self.doc.name.is_empty() => tables.push(self.doc),
            Output::Describe(_) => {}
            Output::Check(_) => self.refuse_undeclared(),
        }
    }

    fn child<T>(
        &mut self,
        path: String,
        table: Option<&'t DeTable<'t>>,
        span: Option<Range<usize>>,
        doc: TableDoc,
        read: impl FnOnce(&mut TableReader<'_, 't>) -> T,
    ) -> T {
        let mut child = TableReader::new(&mut *self.output, path, table, span, doc);
        let value = read(&mut child);
        child.finish();
        value
    }

    /// Notes that the table has such a key or table.
    pub(super) fn declare(&mut self, field: Field) {
        debug_assert!(self.fields.iter().all(|known| known.name != field.name), "{} is declared twice", field.name);
        self.fields.push(field);
    }

    fn declare_table(&mut self, name: &'static str, heading: &str, written: Option<&'t Written<'t>>) {
        let span = written.map(Written::span);
        self.declare(Field { name, listed: heading.to_owned(), span, default: None, is_sound: true });
    }

    /// The elements of a `[[name]]` list of tables. A single `[name]` is refused and read as the only element.
    fn elements(&mut self, name: &str, heading: &str, written: Option<&'t Written<'t>>) -> &'t [Written<'t>] {
        let Some(written) = written else { return &[] };
        let wrong_type = ConfigErrorKind::WrongType { found: found(written.get_ref()), wanted: "a list of tables" };
        let (kind, suggestion, elements) = match written.get_ref() {
            DeValue::Array(elements) => return elements,
            DeValue::Table(_) => {
                let suggestion = format!("write {heading} with double brackets");
                (ConfigErrorKind::WrongBrackets, suggestion, std::slice::from_ref(written))
            }
            _ => (wrong_type, table_help(heading), &[][..]),
        };
        self.refuse(Some(written.span()), name, kind, String::new(), Some(suggestion));
        elements
    }
}

fn table_help(heading: &str) -> String {
    format!("write {heading} on a line of its own and its keys below")
}
