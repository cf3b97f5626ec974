//! Keys: required ones, optional ones, and those that decide which others there are.

use super::findings::{Condition, KeyDoc, Output, TableDoc, Unwritten};
use super::layers::Aside;
use super::show::ShownLine;
use super::table::{Field, TableReader};
use super::text::{Choice, ChoiceHelp, OneOf};
use super::value::{Kind, Written};
use crate::config::error::ConfigErrorKind;

/// What counts when a key is not written.
#[derive(Clone, Copy)]
enum Otherwise<'v, V> {
    Refused,
    Default(&'v V),
    Nothing,
}

impl<'t> TableReader<'_, 't> {
    /// Reads a key that must be written.
    pub(in crate::config) fn required<K: Kind>(&mut self, name: &'static str, kind: K, doc: &'static str) -> K::Value {
        self.key(name, &kind, Otherwise::Refused, doc, &[]).unwrap_or_else(|| kind.fallback())
    }

    /// Reads a key that has a default.
    pub(in crate::config) fn optional<K: Kind>(
        &mut self,
        name: &'static str,
        kind: K,
        default: K::Value,
        doc: &'static str,
    ) -> K::Value {
        self.key(name, &kind, Otherwise::Default(&default), doc, &[]).unwrap_or(default)
    }

    /// Reads a key that has no value when it is not written.
    pub(in crate::config) fn optional_without_default<K: Kind>(
        &mut self,
        name: &'static str,
        kind: K,
        doc: &'static str,
    ) -> Option<K::Value> {
        self.key(name, &kind, Otherwise::Nothing, doc, &[])
    }

    /// Reads a key that is one of a few words; the first counts when it is not written.
    pub(in crate::config) fn word<C: Copy>(
        &mut self,
        name: &'static str,
        choices: &'static [Choice<C>],
        doc: &'static str,
    ) -> C {
        let kind = OneOf { choices, help: None };
        let words: Vec<_> = choices.iter().map(|choice| (choice.word, choice.doc)).collect();
        let chosen = self.key(name, &kind, Otherwise::Default(&0), doc, &words);
        choices[chosen.unwrap_or(0)].means
    }

    /// Reads a key that decides which other keys there are, then reads those. `None` when there is no such choice.
    /// Call it last: it looks at the keys that are left.
    pub(in crate::config) fn choose<C: Copy, T>(
        &mut self,
        name: &'static str,
        choices: &'static [Choice<C>],
        doc: &'static str,
        read: impl for<'a> FnMut(&mut TableReader<'a, 't>, C) -> T,
    ) -> Option<T> {
        let kind = OneOf { choices, help: None };
        self.choose_one(name, &kind, Otherwise::Refused, doc, read)
    }

    /// As [`Self::choose`]; the first choice counts when the key is not written. `help` is for somebody who writes
    /// something else.
    pub(in crate::config) fn choose_or_first<C: Copy, T>(
        &mut self,
        name: &'static str,
        choices: &'static [Choice<C>],
        help: &'static ChoiceHelp,
        doc: &'static str,
        read: impl for<'a> FnMut(&mut TableReader<'a, 't>, C) -> T,
    ) -> Option<T> {
        let kind = OneOf { choices, help: Some(help) };
        self.choose_one(name, &kind, Otherwise::Default(&0), doc, read)
    }

    fn choose_one<C: Copy, T>(
        &mut self,
        name: &'static str,
        kind: &OneOf<C>,
        otherwise: Otherwise<'_, usize>,
        doc: &'static str,
        mut read: impl for<'a> FnMut(&mut TableReader<'a, 't>, C) -> T,
    ) -> Option<T> {
        let choices = kind.choices;
        let words: Vec<_> = choices.iter().map(|choice| (choice.word, choice.doc)).collect();
        let chosen = self.key(name, kind, otherwise, doc, &words);
        if let Output::Describe(_) = self.output {
            let mut last = None;
            for choice in choices {
                self.only_with = Some(Condition { key: name, word: choice.word });
                last = Some(read(self, choice.means));
            }
            self.only_with = None;
            return last;
        }
        // Sound without a value: not written, and the first choice is the default.
        let counting = chosen.or_else(|| self.is_sound(name).then_some(0));
        // What is missing, a file or a table that is none, may decide which choice counts.
        let is_file_missing = self.findings().is_some_and(|findings| findings.is_partial);
        let is_open = self.is_partial || (is_file_missing && self.layers.len() > 1);
        let counting = counting.filter(|_| !is_open);
        if let Some(counting) = counting.filter(|_| self.layers.len() > 1) {
            self.set_other_choices_aside(name, kind, counting, &mut read);
        }
        let value = counting.and_then(|index| choices.get(index)).map(|choice| read(self, choice.means));
        if self.undeclared().next().is_some() {
            self.elsewhere = keys_of_choices(name, choices, &mut read);
            if value.is_none() {
                // Which of these keys belong here depends on a choice that is yet to be made.
                let names: Vec<_> = self.elsewhere.drain(..).map(|(name, _)| name).collect();
                for name in names {
                    if self.fields.iter().all(|field| field.name != name) {
                        self.declare(Field {
                            name,
                            listed: name.to_owned(),
                            span: None,
                            default: None,
                            is_sound: false,
                        });
                    }
                }
            }
        }
        value
    }

    /// Looks for mistakes in what files say that are overridden by one that makes another choice, here `counting`: their
    /// keys that go with a choice do not count, but they are to be right.
    fn set_other_choices_aside<C: Copy, T>(
        &mut self,
        name: &'static str,
        kind: &OneOf<C>,
        counting: usize,
        read: &mut impl for<'a> FnMut(&mut TableReader<'a, 't>, C) -> T,
    ) {
        let common_count = self.fields.len();
        // What the file itself says, or else what the next weaker one does that says anything.
        let mut made = None;
        for place in (0..self.layers.len()).rev() {
            if let Some(written) = self.layers[place].get(name) {
                made = Some(kind.read(written, &mut Vec::new()).and_then(|index| kind.choices.get(index)));
            }
            let own = match made {
                None => continue,
                Some(Some(choice)) if choice.word == kind.choices[counting].word => continue,
                Some(Some(choice)) => {
                    let layers = vec![self.layers[place].clone()];
                    let doc = TableDoc::default();
                    let mut other = TableReader::new(&mut *self.output, self.path.clone(), layers, None, doc);
                    other.is_partial = true;
                    read(&mut other, choice.means);
                    other.fields.iter().map(|field| field.name).collect()
                }
                // Which of all keys belong there is not known.
                Some(None) => keys_of_choices(name, kind.choices, read).iter().map(|(key, _)| *key).collect(),
            };
            self.layers[place].aside = Some(Aside { common_count, own });
        }
    }

    /// Reads or describes a key. `None` after a mistake, and when it is not written and has no default.
    fn key<K: Kind>(
        &mut self,
        name: &'static str,
        kind: &K,
        otherwise: Otherwise<'_, K::Value>,
        doc: &'static str,
        choices: &[(&'static str, &'static str)],
    ) -> Option<K::Value> {
        let unwritten = match otherwise {
            Otherwise::Refused => Unwritten::Refused,
            Otherwise::Default(default) => Unwritten::Default(kind.show(default)),
            Otherwise::Nothing => Unwritten::Nothing,
        };
        if let Output::Describe(_) = self.output {
            let (accepted, shape, only_with) = (kind.accepted(), kind.shape(), self.only_with);
            let choices = choices.to_vec();
            self.doc.keys.push(KeyDoc { name, accepted, shape, unwritten, doc, only_with, choices });
            if self.fields.iter().all(|field| field.name != name) {
                self.declare(Field { name, listed: name.to_owned(), span: None, default: None, is_sound: true });
            }
            return None;
        }
        let accepted = || match &unwritten {
            Unwritten::Default(default) => format!("{} (default {default})", kind.accepted()),
            Unwritten::Refused | Unwritten::Nothing => kind.accepted(),
        };
        let is_refused = matches!(unwritten, Unwritten::Refused);
        let mut all_written = self.written(name);
        let written = all_written.next();
        let mut refusals = Vec::new();
        let value = written.and_then(|written| kind.read(written, &mut refusals));
        // What is overridden is to be right all the same.
        all_written.for_each(|overridden| _ = kind.read(overridden, &mut refusals));
        if written.is_none() && is_refused && !self.layers.is_empty() {
            let suggestion = format!("add it to this table. {doc}");
            self.refuse_missing(self.span.clone(), name, ConfigErrorKind::MissingKey, accepted(), suggestion);
        }
        for refusal in refusals {
            let key = format!("{name}{}", refusal.element);
            let accepted = refusal.accepted.unwrap_or_else(accepted);
            self.refuse(Some(refusal.span), &key, refusal.kind, accepted, refusal.suggestion);
        }
        let is_sound = value.is_some() || (written.is_none() && !is_refused);
        let counting =
            value.as_ref().or(if let Otherwise::Default(default) = otherwise { Some(default) } else { None });
        self.note(name, kind, written, counting);
        let default = match unwritten {
            Unwritten::Default(default) => Some(default),
            Unwritten::Refused | Unwritten::Nothing => None,
        };
        self.declare(Field { name, listed: name.to_owned(), span: written.map(Written::span), default, is_sound });
        value
    }

    /// Writes down what was read, where that is wanted.
    fn note<K: Kind>(&mut self, name: &'static str, kind: &K, written: Option<&Written<'t>>, value: Option<&K::Value>) {
        let path = if self.is_partial { "" } else { &self.path };
        let Output::Check(findings) = &mut *self.output else { return };
        if let Some(written) = written {
            findings.note_place(path, name, &written.span());
        }
        if findings.shown.is_none() {
            return;
        }
        let place = written.map(|written| findings.source().place(written.span().start));
        let place = place.map(|(file, line)| (file.to_owned(), line));
        let value = value.map(|value| kind.spell(value));
        self.lines.push(ShownLine { name, value, unit: kind.unit(), place });
    }
}

/// The keys that go with each choice, with that.
fn keys_of_choices<'t, C: Copy, T>(
    name: &'static str,
    choices: &'static [Choice<C>],
    read: &mut impl for<'a> FnMut(&mut TableReader<'a, 't>, C) -> T,
) -> Vec<(&'static str, Condition)> {
    let mut output = Output::Describe(Vec::new());
    let mut other = TableReader::root(&mut output, &[]);
    for choice in choices {
        other.only_with = Some(Condition { key: name, word: choice.word });
        read(&mut other, choice.means);
    }
    let keys = other.doc.keys.into_iter();
    keys.filter_map(|key| Some((key.name, key.only_with?))).collect()
}
