//! Rules between several values.

use super::table::TableReader;
use super::value::Written;
use crate::config::error::ConfigErrorKind;

impl TableReader<'_, '_> {
    /// Records a mistake unless the rule `holds` between the values of `keys` (and perhaps others, outside of this
    /// table). Says nothing about keys that are wrong by themselves. The first of `keys` that is written is blamed.
    pub(in crate::config) fn rule(
        &mut self,
        keys: &[&'static str],
        doc: &'static str,
        holds: bool,
        reason: impl FnOnce() -> String,
    ) {
        if self.describe_rule(doc) || holds || !keys.iter().all(|key| self.is_sound(key)) {
            return;
        }
        let fields = || self.fields.iter().filter(|field| keys.contains(&field.name));
        let blamed = keys.iter().find_map(|key| fields().find(|field| field.name == *key && field.span.is_some()));
        let unwritten: Vec<_> = fields()
            .filter(|field| field.span.is_none())
            .map(|field| match &field.default {
                Some(default) => format!("{} is not written, so it is {default}", field.name),
                None => format!("{} is not written", field.name),
            })
            .collect();
        let suggestion = (!unwritten.is_empty()).then(|| unwritten.join("; "));
        let (name, span) = blamed.map_or(("", self.span.clone()), |field| (field.name, field.span.clone()));
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
        if self.describe_rule(doc) || holds || !self.is_sound(key) {
            return;
        }
        let list = self.table.and_then(|table| table.get(key));
        let element = list.and_then(|list| list.get_ref().as_array()).and_then(|list| list.get(index));
        let name = format!("{key}[{}]", index + 1);
        let kind = ConfigErrorKind::Conflict { reason: reason() };
        self.refuse(element.map(Written::span), &name, kind, plain(doc), None);
    }
}

/// A rule without the marks that set its keys apart on the reference page.
fn plain(doc: &str) -> String {
    doc.replace('`', "")
}
