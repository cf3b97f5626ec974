//! Rules between several values.

use std::ops::Range;

use super::findings::Output;
use super::table::TableReader;
use super::value::Written;
use crate::config::error::ConfigErrorKind;

impl TableReader<'_, '_> {
    /// Records a mistake unless the rule `holds` between the values of `keys` (and perhaps others, outside of this
    /// table, which `doc` names). Says nothing about keys that are wrong by themselves. Of `keys`, the first is blamed that
    /// is written in the strongest file that has any of them: the others are right without it.
    pub(in crate::config) fn rule(
        &mut self,
        keys: &[&'static str],
        doc: &'static str,
        holds: bool,
        reason: impl FnOnce() -> String,
    ) {
        if self.describe_rule(doc) || holds || self.is_partial || !keys.iter().all(|key| self.is_sound(key)) {
            return;
        }
        let Output::Check(findings) = &*self.output else { return };
        if findings.is_partial {
            return;
        }
        let fields = || keys.iter().filter_map(|key| self.fields.iter().find(|field| field.name == *key));
        let written = fields().filter_map(|field| Some((field.name, field.span.clone()?)));
        let blamed = written.clone().min_by_key(|(_, span)| findings.source().file_index(span.start));
        let (name, span) = blamed.map_or(("", self.span.clone()), |(name, span)| (name, Some(span)));
        let unwritten = fields().filter(|field| field.span.is_none()).map(|field| match &field.default {
            Some(default) => format!("{} is not written, so it is {default}", field.name),
            None => format!("{} is not written", field.name),
        });
        let at = span.as_ref().map_or(0, |span| span.start);
        let elsewhere = written.filter_map(|(key, span)| findings.place_elsewhere(key, span.start, at));
        let others: Vec<_> = unwritten.chain(elsewhere).chain(findings.places_elsewhere(doc, at)).collect();
        let suggestion = (!others.is_empty()).then(|| others.join("; "));
        self.refuse(span, name, ConfigErrorKind::Conflict { reason: reason() }, plain(doc), suggestion);
    }

    /// The same for element `index` of the list `key`.
    pub(in crate::config) fn rule_for_element(
        &mut self,
        key: &'static str,
        index: usize,
        doc: &'static str,
        holds: bool,
        reason: impl FnOnce() -> String,
    ) {
        if self.describe_rule(doc) || holds || self.is_partial || !self.is_sound(key) {
            return;
        }
        let Output::Check(findings) = &*self.output else { return };
        if findings.is_partial {
            return;
        }
        let name = format!("{key}[{}]", index + 1);
        let span = self.element_span(key, index);
        let others = findings.places_elsewhere(doc, span.as_ref().map_or(0, |span| span.start));
        let suggestion = (!others.is_empty()).then(|| others.join("; "));
        let kind = ConfigErrorKind::Conflict { reason: reason() };
        self.refuse(span, &name, kind, plain(doc), suggestion);
    }

    /// Where element `index` of the list `key` is written.
    pub(in crate::config) fn element_span(&self, key: &str, index: usize) -> Option<Range<usize>> {
        let list = self.written(key).next()?;
        list.get_ref().as_array()?.get(index).map(Written::span)
    }
}

/// A rule without the marks that set its keys apart on the reference page.
fn plain(doc: &str) -> String {
    doc.replace('`', "")
}
