//! What a value can be, as data: each kind of value says it of itself, beside how it reads.

/// What a value can be.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::config) enum Shape {
    /// A number, both ends included.
    Number { min: f32, max: f32 },
    /// A whole number, both ends included.
    Whole { min: i128, max: i128 },
    /// `true` or `false`.
    Truth,
    /// Text that matches `pattern` from its first to its last character, of which there are at most `chars_max`.
    Text { pattern: String, chars_max: Option<usize> },
    /// One of a few words.
    OneOf(Vec<&'static str>),
    /// A list of so many elements.
    List { element: Box<Shape>, count_min: usize, count_max: usize },
}

/// The characters that a text is made of, as ranges with both ends included.
pub(super) struct Alphabet(pub(super) &'static [(char, char)]);

impl Alphabet {
    pub(super) fn has(&self, character: char) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&character))
    }

    /// Such as `a-z, 0-9, _ and -`.
    pub(super) fn shown(&self) -> String {
        let ranges: Vec<String> = self.0.iter().map(|range| shown_range(*range, "")).collect();
        match ranges.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => String::new(),
        }
    }

    /// One of its characters, as a regular expression: `[a-z0-9_\-]`.
    pub(super) fn pattern(&self) -> String {
        let ranges: String = self.0.iter().map(|range| shown_range(*range, "\\")).collect();
        format!("[{ranges}]")
    }
}

fn shown_range((first, last): (char, char), escape: &str) -> String {
    match first == last {
        // Only what means something inside of brackets may be escaped.
        true if first == '-' => format!("{escape}{first}"),
        true => first.to_string(),
        false => format!("{first}-{last}"),
    }
}
