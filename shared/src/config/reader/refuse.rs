//! How mistakes are put together.

use std::ops::Range;

use super::findings::Output;
use super::suggest::nearest;
use super::table::TableReader;
use crate::config::error::{ConfigError, ConfigErrorKind};

impl<'t> TableReader<'_, 't> {
    /// Records a mistake in `name`, which may be empty for the table itself.
    pub(super) fn refuse(
        &mut self,
        span: Option<Range<usize>>,
        name: &str,
        kind: ConfigErrorKind,
        accepted: String,
        suggestion: Option<String>,
    ) {
        let key = self.path_of(name);
        let Some(findings) = self.findings() else { return };
        if span.as_ref().is_none_or(|span| findings.is_intact(span.start)) {
            let error = findings.error(span, kind);
            findings.push(ConfigError { key, accepted, suggestion, ..error });
        }
    }

    /// Records that `name` is missing, unless it may stand in a part of the file that could not be read.
    pub(super) fn refuse_missing(
        &mut self,
        span: Option<Range<usize>>,
        name: &str,
        kind: ConfigErrorKind,
        accepted: String,
        suggestion: String,
    ) {
        if !self.is_partial && self.findings().is_some_and(|findings| findings.is_all_intact()) {
            self.refuse(span, name, kind, accepted, Some(suggestion));
        }
    }

    /// Records a rule and returns true when describing.
    pub(super) fn describe_rule(&mut self, doc: &'static str) -> bool {
        let Output::Describe(_) = self.output else { return false };
        if !self.doc.rules.contains(&doc) {
            self.doc.rules.push(doc);
        }
        true
    }

    /// The written keys that have not been declared, with their places.
    pub(super) fn undeclared(&self) -> impl Iterator<Item = (&'t str, Range<usize>, bool)> {
        self.layers.iter().flat_map(move |layer| {
            let (common_count, own) = match &layer.aside {
                None => (self.fields.len(), &[][..]),
                Some(aside) => (aside.common_count, &aside.own[..]),
            };
            let fields = &self.fields[..common_count];
            let written = layer.table.iter().map(|(key, value)| {
                let value = value.get_ref();
                let is_table = value.is_table()
                    || value.as_array().is_some_and(|list| list.iter().any(|e| e.get_ref().is_table()));
                (key.get_ref().as_ref(), key.span(), is_table)
            });
            written.filter(move |(key, _, _)| {
                fields.iter().all(|field| field.name != *key) && own.iter().all(|known| known != key)
            })
        })
    }

    /// Records every key that has not been declared.
    pub(super) fn refuse_undeclared(mut self) {
        let mut undeclared: Vec<_> = self.undeclared().collect();
        if self.findings().is_some_and(|findings| findings.is_partial) {
            // Which of these keys belong here may depend on a choice that is made in the missing file.
            undeclared.retain(|(key, ..)| self.elsewhere.iter().all(|(name, _)| name != key));
        }
        if undeclared.is_empty() {
            return;
        }
        let listed: Vec<_> = self.fields.iter().map(|field| field.listed.as_str()).collect();
        let accepted = listed.join(", ");
        for (key, span, is_table) in undeclared {
            let kind = if is_table { ConfigErrorKind::UnknownTable } else { ConfigErrorKind::UnknownKey };
            let is_full = self.findings().is_none_or(|findings| findings.is_full());
            let suggestion = if is_full { None } else { self.guess(key) };
            self.refuse(Some(span), key, kind, accepted.clone(), suggestion);
        }
    }

    /// What an unknown key was meant to be.
    fn guess(&self, key: &str) -> Option<String> {
        if let Some((name, choice)) = self.elsewhere.iter().find(|(name, _)| *name == key) {
            return Some(format!("{name} exists only with {choice}"));
        }
        let meant = nearest(key, self.fields.iter().map(|field| field.name))?;
        let listed = self.fields.iter().find(|field| field.name == meant).map(|field| field.listed.as_str())?;
        Some(format!("did you mean {listed}?"))
    }

    fn path_of(&self, name: &str) -> String {
        match (self.path.as_str(), name) {
            ("", name) => shown_key(name),
            (path, "") => path.to_owned(),
            (path, name) => format!("{path}.{}", shown_key(name)),
        }
    }
}

/// A key as it is shown: what was written may hold anything.
fn shown_key(key: &str) -> String {
    super::source::shown_text(key)
}
