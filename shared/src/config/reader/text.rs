//! Kinds of values that are written as text: names, file names, paths and choices.

use super::shape::{Alphabet, Shape};
use super::suggest::nearest;
use super::value::{Kind, Refusal, Written};
use crate::config::error::ConfigErrorKind;

/// Longest name, in characters.
const NAME_CHARS_MAX: usize = 32;
/// Longest word, in characters.
const WORD_CHARS_MAX: usize = 20;
/// Longest file name, in characters.
const FILE_NAME_CHARS_MAX: usize = 64;
/// Longest path, in characters.
const PATH_CHARS_MAX: usize = 1_024;

/// What names and words are made of.
const NAME_CHARS: Alphabet = Alphabet(&[('a', 'z'), ('0', '9'), ('_', '_'), ('-', '-')]);
/// What file names are made of.
pub(super) const FILE_NAME_CHARS: Alphabet =
    Alphabet(&[('a', 'z'), ('A', 'Z'), ('0', '9'), ('.', '.'), ('_', '_'), ('-', '-')]);

/// What they begin with.
pub(super) const FILE_NAME_FIRST: Alphabet = Alphabet(&[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_'), ('-', '-')]);
/// What no path has in it, as part of a regular expression: `char::is_control`.
const CONTROLS: &str = r"\u0000-\u001f\u007f-\u009f";
/// What no path begins or ends with, likewise: the rest of `char::is_whitespace`.
const SPACES: &str = r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";

/// A short name: lower-case letters, digits, `_` and `-`.
#[derive(Clone, Copy)]
pub(in crate::config) struct Name;

/// A shorter one, of which there are many.
#[derive(Clone, Copy)]
pub(in crate::config) struct Word;

/// Reads a name of so many characters.
fn read_name(value: &Written<'_>, chars_max: usize, refusals: &mut Vec<Refusal>) -> Option<String> {
    let text = text(value, refusals)?;
    let Err(reason) = check_characters(text, chars_max, |c| NAME_CHARS.has(c)) else {
        return Some(text.to_owned());
    };
    let refusal = Refusal::new(value, ConfigErrorKind::BadText { reason });
    let respelled: String = text.trim().to_lowercase().split_whitespace().collect::<Vec<_>>().join("-");
    refusals.push(match check_characters(&respelled, chars_max, |c| NAME_CHARS.has(c)) {
        Ok(()) => refusal.suggest(format!("write \"{respelled}\"")),
        Err(_) => refusal,
    });
    None
}

impl Kind for Word {
    type Value = String;

    fn read(&self, value: &Written<'_>, refusals: &mut Vec<Refusal>) -> Option<String> {
        read_name(value, WORD_CHARS_MAX, refusals)
    }

    fn accepted(&self) -> String {
        format!("1 to {WORD_CHARS_MAX} characters out of {}", NAME_CHARS.shown())
    }

    fn shape(&self) -> Shape {
        name_shape(WORD_CHARS_MAX)
    }

    fn show(&self, value: &String) -> String {
        format!("\"{value}\"")
    }

    fn fallback(&self) -> String {
        "word".to_owned()
    }
}

impl Kind for Name {
    type Value = String;

    fn read(&self, value: &Written<'_>, refusals: &mut Vec<Refusal>) -> Option<String> {
        read_name(value, NAME_CHARS_MAX, refusals)
    }

    fn accepted(&self) -> String {
        format!("1 to {NAME_CHARS_MAX} characters out of {}", NAME_CHARS.shown())
    }

    fn shape(&self) -> Shape {
        name_shape(NAME_CHARS_MAX)
    }

    fn show(&self, value: &String) -> String {
        format!("\"{value}\"")
    }

    fn fallback(&self) -> String {
        "unnamed".to_owned()
    }
}

/// The name of a file in the world's own folder.
#[derive(Clone, Copy)]
pub(in crate::config) struct FileName;

impl Kind for FileName {
    type Value = String;

    fn read(&self, value: &Written<'_>, refusals: &mut Vec<Refusal>) -> Option<String> {
        let text = text(value, refusals)?;
        let in_folder = text.contains(['/', '\\', ':']) || text == "." || text == "..";
        let checked = if in_folder {
            Err("leads out of the world's folder".to_owned())
        } else if text.starts_with('.') {
            Err("begins with a point".to_owned())
        } else {
            check_characters(text, FILE_NAME_CHARS_MAX, |c| FILE_NAME_CHARS.has(c))
        };
        let Err(reason) = checked else {
            return Some(text.to_owned());
        };
        let refusal = Refusal::new(value, ConfigErrorKind::BadText { reason });
        refusals.push(match in_folder {
            true => refusal.suggest("put the file beside world.toml and write its name only"),
            false => refusal,
        });
        None
    }

    fn accepted(&self) -> String {
        let characters = FILE_NAME_CHARS.shown();
        format!("name of a file beside world.toml: 1 to {FILE_NAME_CHARS_MAX} characters out of {characters}")
    }

    fn shape(&self) -> Shape {
        let (first, others) = (FILE_NAME_FIRST.pattern(), FILE_NAME_CHARS.pattern());
        Shape::Text { pattern: format!("{first}{others}*"), chars_max: Some(FILE_NAME_CHARS_MAX) }
    }

    fn show(&self, value: &String) -> String {
        format!("\"{value}\"")
    }

    fn fallback(&self) -> String {
        "unnamed".to_owned()
    }
}

/// A path to a file or a folder, wherever it is. Nobody looks here whether it exists.
#[derive(Clone, Copy)]
pub(in crate::config) struct PathText;

impl Kind for PathText {
    type Value = String;

    fn read(&self, value: &Written<'_>, refusals: &mut Vec<Refusal>) -> Option<String> {
        let text = text(value, refusals)?;
        let checked = check_characters(text, PATH_CHARS_MAX, |c| !c.is_control());
        let (reason, suggestion) = match checked {
            Err(reason) if text.contains(char::is_control) => {
                (reason, Some("write / for each \\, or put the path in 'single quotes'"))
            }
            Err(reason) => (reason, None),
            Ok(()) if text.trim() != text => {
                ("has a space at its beginning or end".to_owned(), Some("leave out the space"))
            }
            Ok(()) if text.starts_with('~') => (
                "begins with ~, which only a shell understands".to_owned(),
                Some("write the path of your home folder in full"),
            ),
            Ok(()) => return Some(text.to_owned()),
        };
        let refusal = Refusal::new(value, ConfigErrorKind::BadText { reason });
        refusals.push(match suggestion {
            Some(suggestion) => refusal.suggest(suggestion),
            None => refusal,
        });
        None
    }

    fn accepted(&self) -> String {
        format!("a path of 1 to {PATH_CHARS_MAX} characters")
    }

    fn shape(&self) -> Shape {
        let pattern = format!("[^~{SPACES}{CONTROLS}]([^{CONTROLS}]*[^{SPACES}{CONTROLS}])?");
        Shape::Text { pattern, chars_max: Some(PATH_CHARS_MAX) }
    }

    fn show(&self, value: &String) -> String {
        format!("\"{value}\"")
    }

    /// What is quoted in JSON is so in TOML.
    fn spell(&self, value: &String) -> String {
        serde_json::Value::from(value.as_str()).to_string()
    }

    fn fallback(&self) -> String {
        ".".to_owned()
    }
}

/// One word that a [`OneOf`] knows.
pub(in crate::config) struct Choice<C: 'static> {
    pub(in crate::config) word: &'static str,
    pub(in crate::config) means: C,
    /// One line for the reference page.
    pub(in crate::config) doc: &'static str,
}

/// What to say to somebody who writes a word that is none of the choices.
pub(in crate::config) struct ChoiceHelp {
    /// Words that somebody may have reason to write, and what to do instead.
    pub(in crate::config) refused: &'static [(&'static str, &'static str)],
    /// About anything that is like no choice.
    pub(in crate::config) otherwise: &'static str,
}

/// One of a few words; never none.
pub(super) struct OneOf<C: 'static> {
    pub(super) choices: &'static [Choice<C>],
    pub(super) help: Option<&'static ChoiceHelp>,
}

impl<C: Copy> Kind for OneOf<C> {
    /// Index of the choice.
    type Value = usize;

    fn read(&self, value: &Written<'_>, refusals: &mut Vec<Refusal>) -> Option<usize> {
        let text = text(value, refusals)?;
        let index = self.choices.iter().position(|choice| choice.word == text);
        if index.is_none() {
            let refusal = Refusal::new(value, ConfigErrorKind::UnknownChoice);
            let refused = self.help.and_then(|help| help.refused.iter().find(|(word, _)| *word == text));
            let meant = nearest(text, self.choices.iter().map(|choice| choice.word));
            refusals.push(match (refused, meant, self.help) {
                (Some((_, instead)), ..) => refusal.suggest(*instead),
                (None, Some(word), _) => refusal.suggest(format!("did you mean \"{word}\"?")),
                (None, None, Some(help)) => refusal.suggest(help.otherwise),
                (None, None, None) => refusal,
            });
        }
        index
    }

    fn accepted(&self) -> String {
        let words: Vec<_> = self.choices.iter().map(|choice| format!("\"{}\"", choice.word)).collect();
        match words.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        }
    }

    fn shape(&self) -> Shape {
        Shape::OneOf(self.choices.iter().map(|choice| choice.word).collect())
    }

    fn show(&self, value: &usize) -> String {
        self.choices.get(*value).map_or_else(String::new, |choice| format!("\"{}\"", choice.word))
    }

    fn fallback(&self) -> usize {
        0
    }
}

/// What is accepted by [`read_name`].
fn name_shape(chars_max: usize) -> Shape {
    Shape::Text { pattern: format!("{}+", NAME_CHARS.pattern()), chars_max: Some(chars_max) }
}

/// The text of `value`, or a refusal.
pub(super) fn text<'v>(value: &'v Written<'_>, refusals: &mut Vec<Refusal>) -> Option<&'v str> {
    let text = value.get_ref().as_str();
    if text.is_none() {
        refusals.push(Refusal::wrong_type(value, "text").suggest("put it in quotes"));
    }
    text
}

/// Says what is wrong with `text`, as the end of a sentence that begins with it.
pub(super) fn check_characters(text: &str, chars_max: usize, is_allowed: impl Fn(char) -> bool) -> Result<(), String> {
    let count = text.chars().count();
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    if count > chars_max {
        return Err(format!("is too long: {count} characters"));
    }
    match text.chars().find(|character| !is_allowed(*character)) {
        Some(capital) if capital.is_uppercase() => Err(format!("has the capital letter {capital} in it")),
        Some(' ') => Err("has a space in it".to_owned()),
        Some(refused) if refused.is_control() => Err("has an invisible character in it".to_owned()),
        Some(refused) => Err(format!("has {refused} in it")),
        None => Ok(()),
    }
}
