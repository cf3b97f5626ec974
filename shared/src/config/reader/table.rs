//! Tables, and the reader of what is in them.

use std::ops::{Range, RangeInclusive};

use toml::de::{DeTable, DeValue};

use super::findings::{Condition, Findings, Occurrence, Output, TableDoc};
use super::layers::{Entry, Layer, entries};
use super::show::{ShownLine, ShownTable};
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
    /// What each file says of the table, the strongest first; none when it is not written, or when describing.
    pub(super) layers: Vec<Layer<'t>>,
    /// The table's header, or all of an inline table, in the strongest file.
    pub(super) span: Option<Range<usize>>,
    pub(super) fields: Vec<Field>,
    /// Keys that exist under another choice than the one made, with that choice.
    pub(super) elsewhere: Vec<(&'static str, Condition)>,
    pub(super) doc: TableDoc,
    /// The choice being described.
    pub(super) only_with: Option<Condition>,
    /// Whether a part of it could not be read, or only a part of it is looked at: nothing is missing, and no rule is broken.
    pub(super) is_partial: bool,
    /// What was read, if that is to be written down.
    pub(super) lines: Vec<ShownLine>,
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
    /// Reads the file itself, and what it includes. `roots` is empty when describing.
    pub(in crate::config) fn root(output: &'r mut Output<'t>, roots: &'t [DeTable<'t>]) -> Self {
        let layers = roots.iter().map(Layer::new).collect();
        Self::new(output, String::new(), layers, None, TableDoc::default())
    }

    pub(super) fn new(
        output: &'r mut Output<'t>,
        path: String,
        layers: Vec<Layer<'t>>,
        span: Option<Range<usize>>,
        doc: TableDoc,
    ) -> Self {
        Self {
            output,
            path,
            layers,
            span,
            fields: Vec::new(),
            elsewhere: Vec::new(),
            doc,
            only_with: None,
            is_partial: false,
            lines: Vec::new(),
        }
    }

    /// What the files say of `name`, the strongest first.
    pub(super) fn written(&self, name: &str) -> impl Iterator<Item = &'t Written<'t>> {
        self.layers.iter().filter_map(move |layer| layer.get(name))
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
        let written: Vec<_> = self.written(name).collect();
        self.declare_table(name, &heading, written.first().copied());
        let mut layers = Vec::new();
        let mut is_partial = self.is_partial;
        for written in &written {
            if let DeValue::Table(table) = written.get_ref() {
                layers.push(Layer::new(table));
            } else {
                is_partial = true;
                self.refuse_no_table(name, &heading, written);
            }
        }
        if written.is_empty() && presence == Presence::Required {
            let (kind, help) = (ConfigErrorKind::MissingTable { heading: heading.clone() }, table_help(&heading));
            self.refuse_missing(None, name, kind, String::new(), format!("{help}. {doc}"));
        }
        let occurrence = match presence {
            Presence::Required => Occurrence::Required,
            Presence::Optional => Occurrence::Optional,
        };
        let doc = TableDoc { name, occurrence, doc, ..TableDoc::default() };
        let entry = Entry { layers, span: written.first().map(|written| written.span()), is_partial };
        self.child(name.to_owned(), entry, doc, read)
    }

    /// Reads all `[[name]]` tables: those of included files first, in their order.
    pub(in crate::config) fn tables<T>(
        &mut self,
        name: &'static str,
        counts: RangeInclusive<usize>,
        doc: &'static str,
        read: impl FnMut(&mut TableReader<'_, 't>) -> T,
    ) -> Vec<T> {
        self.list(TableDoc { name, occurrence: Occurrence::Many(counts), doc, ..TableDoc::default() }, read)
    }

    /// As [`Self::tables`], for tables with a `name`: one that has the name of one in an included file changes that.
    pub(in crate::config) fn named_tables<T>(
        &mut self,
        name: &'static str,
        counts: RangeInclusive<usize>,
        doc: &'static str,
        read: impl FnMut(&mut TableReader<'_, 't>) -> T,
    ) -> Vec<T> {
        let occurrence = Occurrence::Many(counts);
        self.list(TableDoc { name, occurrence, doc, is_named: true, ..TableDoc::default() }, read)
    }

    fn list<T>(&mut self, table_doc: TableDoc, mut read: impl FnMut(&mut TableReader<'_, 't>) -> T) -> Vec<T> {
        let TableDoc { name, doc, is_named, .. } = table_doc;
        let Occurrence::Many(counts) = table_doc.occurrence.clone() else { return Vec::new() };
        let (heading, accepted) = (table_doc.heading(), table_doc.presence());
        let written: Vec<_> = self.written(name).collect();
        self.declare_table(name, &heading, written.first().copied());
        if let Output::Describe(_) = self.output {
            return vec![self.child(name.to_owned(), Entry::default(), table_doc, read)];
        }
        let files: Vec<_> = written.iter().rev().map(|written| self.elements(name, &heading, written)).collect();
        let entries = entries(&files, is_named);
        if entries.is_empty() && *counts.start() > 0 {
            let span = written.first().map(|written| written.span());
            let (kind, help) = (ConfigErrorKind::MissingTable { heading: heading.clone() }, table_help(&heading));
            self.refuse_missing(span, name, kind, accepted.clone(), format!("{help}. {doc}"));
        }
        if let Some(excess) = entries.get(*counts.end()) {
            let kind = ConfigErrorKind::WrongTableCount { heading: heading.clone(), count: entries.len() };
            self.refuse(excess.span.clone(), name, kind, accepted, None);
        }
        let mut values = Vec::with_capacity(entries.len().min(*counts.end()));
        for (index, entry) in entries.into_iter().enumerate().take(*counts.end()) {
            let path = format!("{name}[{}]", index + 1);
            values.push(self.child(path, entry, TableDoc::default(), &mut read));
        }
        values
    }

    /// Whether the key was read without a mistake, written or not. Always true when describing.
    pub(in crate::config) fn is_sound(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name && field.is_sound)
    }

    /// Whether none of the keys that were read so far is wrong.
    pub(in crate::config) fn are_all_sound(&self) -> bool {
        !self.is_partial && self.fields.iter().all(|field| field.is_sound)
    }

    /// Whether a part of the table could not be read: what counts may stand there.
    pub(in crate::config) fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// Where the key's value is written.
    pub(in crate::config) fn span(&self, name: &str) -> Option<Range<usize>> {
        self.fields.iter().find(|field| field.name == name)?.span.clone()
    }

    /// Refuses the keys that nobody asked for. Every reader ends with it.
    pub(in crate::config) fn finish(mut self) {
        let (doc, lines) = (std::mem::take(&mut self.doc), std::mem::take(&mut self.lines));
        match &mut *self.output {
            Output::Describe(tables) => {
                if !doc.name.is_empty() {
                    tables.push(doc);
                }
                return;
            }
            Output::Check(findings) => {
                if let Some(shown) = findings.shown.as_mut().filter(|_| !self.path.is_empty()) {
                    let heading = match self.path.split_once('[') {
                        Some((name, _)) => format!("[[{name}]]"),
                        None => format!("[{}]", self.path),
                    };
                    shown.push(ShownTable { heading, lines });
                }
            }
        }
        self.refuse_undeclared();
    }

    fn child<T>(
        &mut self,
        path: String,
        entry: Entry<'t>,
        doc: TableDoc,
        read: impl FnOnce(&mut TableReader<'_, 't>) -> T,
    ) -> T {
        let mut child = TableReader::new(&mut *self.output, path, entry.layers, entry.span, doc);
        child.is_partial = entry.is_partial;
        let value = read(&mut child);
        child.finish();
        value
    }

    pub(super) fn findings(&mut self) -> Option<&mut Findings<'t>> {
        match self.output {
            Output::Check(findings) => Some(findings),
            Output::Describe(_) => None,
        }
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

    /// Refuses what is not a table where a `[name]` table should be.
    fn refuse_no_table(&mut self, name: &str, heading: &str, written: &Written<'t>) {
        let found = found(written.get_ref());
        let (kind, suggestion) = match written.get_ref().as_array().and_then(|list| list.first()) {
            Some(first) if first.get_ref().is_table() => {
                (ConfigErrorKind::WrongBrackets, format!("write it once, as {heading} with single brackets"))
            }
            _ => (ConfigErrorKind::WrongType { found, wanted: "a table" }, table_help(heading)),
        };
        self.refuse(Some(written.span()), name, kind, String::new(), Some(suggestion));
    }

    /// The elements of a `[[name]]` list of tables in one file. A single `[name]` is refused and read as the only element;
    /// elements that are no tables are refused and left out.
    fn elements(&mut self, name: &str, heading: &str, written: &'t Written<'t>) -> Vec<&'t Written<'t>> {
        let wrong_type = ConfigErrorKind::WrongType { found: found(written.get_ref()), wanted: "a list of tables" };
        let (kind, suggestion, elements) = match written.get_ref() {
            DeValue::Array(elements) => {
                let (tables, others): (Vec<_>, Vec<_>) =
                    elements.iter().enumerate().partition(|(_, element)| element.get_ref().is_table());
                for (index, element) in others {
                    let path = format!("{name}[{}]", index + 1);
                    let kind = ConfigErrorKind::WrongType { found: found(element.get_ref()), wanted: "a table" };
                    self.refuse(Some(element.span()), &path, kind, String::new(), Some(table_help(heading)));
                }
                return tables.into_iter().map(|(_, table)| table).collect();
            }
            DeValue::Table(_) => {
                (ConfigErrorKind::WrongBrackets, format!("write {heading} with double brackets"), vec![written])
            }
            _ => (wrong_type, table_help(heading), Vec::new()),
        };
        self.refuse(Some(written.span()), name, kind, String::new(), Some(suggestion));
        elements
    }
}

fn table_help(heading: &str) -> String {
    format!("write {heading} on a line of its own and its keys below")
}
