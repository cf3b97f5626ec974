//! What is wrong with a file, in the words of the people who write it.

use std::fmt;
use std::ops::Range;

/// One mistake in a file. `Display` renders a few lines for whoever wrote it, without a final line break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// File that the mistake is in, as the caller named it.
    pub file: String,
    /// Line, counted from 1; 0 when the file as a whole is meant.
    pub line: usize,
    /// Column in characters, counted from 1; 0 when the file as a whole is meant.
    pub column: usize,
    /// Dotted path of the key, such as `obstacle[3].size_m`; tables and list elements are counted from 1. Empty when
    /// the mistake is not about one key.
    pub key: String,
    /// What the file says there, shortened; empty when it says nothing.
    pub value: String,
    /// What is wrong with it.
    pub kind: ConfigErrorKind,
    /// What would be accepted, with unit and default; empty when that goes without saying.
    pub accepted: String,
    /// What to do about it, when that can be guessed.
    pub suggestion: Option<String>,
    /// The line of the file, shortened around the column; empty when the file as a whole is meant.
    pub source_line: String,
    /// Which characters of `source_line` are meant.
    pub underline: Range<usize>,
}

/// What can be wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigErrorKind {
    /// The text is not TOML.
    Syntax {
        /// A whole sentence without a full stop.
        reason: String,
    },
    /// A key or a table is written twice.
    Duplicate,
    /// No such key in this table.
    UnknownKey,
    /// No such table.
    UnknownTable,
    /// A key that has no default is not written.
    MissingKey,
    /// A table that every file of its kind needs is not written.
    MissingTable {
        /// How it is written, such as `[[spawn]]`.
        heading: String,
    },
    /// A table in single brackets that has double ones, or the reverse.
    WrongBrackets,
    /// A number where text is wanted, and the like.
    WrongType {
        /// What the file has, such as `text`.
        found: &'static str,
        /// What it should have, such as `a number`.
        wanted: &'static str,
    },
    /// A number outside its range.
    OutOfRange,
    /// `nan` or `inf`.
    NotFinite,
    /// Not one of the words that this key knows.
    UnknownChoice,
    /// Text with characters that this key does not take, or too long, or empty.
    BadText {
        /// The end of a sentence that begins with key and value.
        reason: String,
    },
    /// A list with too few or too many elements.
    WrongLength {
        /// Number of elements that it has.
        count: usize,
    },
    /// Too few or too many tables of one name.
    WrongTableCount {
        /// How they are written, such as `[[spawn]]`.
        heading: String,
        /// Number of tables that there are.
        count: usize,
    },
    /// Right by itself, wrong beside another value.
    Conflict {
        /// A whole sentence without a full stop.
        reason: String,
    },
    /// A file is missing, cannot be read, or is not what it should be.
    File {
        /// Name of that file.
        name: String,
        /// The end of a sentence that begins with the file's name.
        reason: String,
    },
}

impl ConfigErrorKind {
    /// A short name for metrics and tests.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "syntax",
            Self::Duplicate => "duplicate",
            Self::UnknownKey => "unknown_key",
            Self::UnknownTable => "unknown_table",
            Self::MissingKey => "missing_key",
            Self::MissingTable { .. } => "missing_table",
            Self::WrongBrackets => "wrong_brackets",
            Self::WrongType { .. } => "wrong_type",
            Self::OutOfRange => "out_of_range",
            Self::NotFinite => "not_finite",
            Self::UnknownChoice => "unknown_choice",
            Self::BadText { .. } => "bad_text",
            Self::WrongLength { .. } => "wrong_length",
            Self::WrongTableCount { .. } => "wrong_table_count",
            Self::Conflict { .. } => "conflict",
            Self::File { .. } => "file",
        }
    }
}

impl ConfigError {
    /// An error about a file as a whole.
    pub(super) fn whole_file(file: &str, kind: ConfigErrorKind) -> Self {
        Self {
            file: file.to_owned(),
            line: 0,
            column: 0,
            key: String::new(),
            value: String::new(),
            kind,
            accepted: String::new(),
            suggestion: None,
            source_line: String::new(),
            underline: 0..0,
        }
    }

    fn fmt_headline(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, value) = (&self.key, &self.value);
        match &self.kind {
            ConfigErrorKind::Syntax { reason } => write!(f, "{reason}"),
            ConfigErrorKind::Duplicate => write!(f, "{value} is written twice"),
            ConfigErrorKind::UnknownKey => write!(f, "unknown key {key}"),
            ConfigErrorKind::UnknownTable => write!(f, "unknown table [{key}]"),
            ConfigErrorKind::MissingKey => write!(f, "{key} is missing"),
            ConfigErrorKind::MissingTable { heading } => write!(f, "table {heading} is missing"),
            ConfigErrorKind::WrongBrackets => write!(f, "{value} has the wrong brackets"),
            ConfigErrorKind::WrongType { found, wanted } => write!(f, "{key} = {value} is {found}, not {wanted}"),
            ConfigErrorKind::OutOfRange => write!(f, "{key} = {value} is out of range"),
            ConfigErrorKind::NotFinite => write!(f, "{key} = {value} is not a usable number"),
            ConfigErrorKind::UnknownChoice => write!(f, "{key} = {value} is not a known choice"),
            ConfigErrorKind::BadText { reason } => write!(f, "{key} = {value} {reason}"),
            ConfigErrorKind::WrongLength { count: 0 } => write!(f, "{key} = {value} is empty"),
            ConfigErrorKind::WrongLength { count: 1 } => write!(f, "{key} = {value} has only one element"),
            ConfigErrorKind::WrongLength { count } => write!(f, "{key} = {value} has {count} elements"),
            ConfigErrorKind::WrongTableCount { heading, count } => write!(f, "there are {count} {heading} tables"),
            ConfigErrorKind::Conflict { reason } => write!(f, "{key} = {value}: {reason}"),
            ConfigErrorKind::File { name, reason } if key.is_empty() => write!(f, "{name} {reason}"),
            ConfigErrorKind::File { name, reason } => write!(f, "{key}: {name} {reason}"),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}:", self.file)?;
        if self.line > 0 {
            write!(f, "{}:{}:", self.line, self.column)?;
        }
        write!(f, " ")?;
        self.fmt_headline(f)?;
        if self.line > 0 {
            let gutter = self.line.to_string().len();
            let (indent, carets) = (self.underline.start, self.underline.len().max(1));
            write!(f, "\n  {} | {}", self.line, self.source_line)?;
            write!(f, "\n  {:gutter$} | {:indent$}{:^<carets$}", "", "", "")?;
        }
        if !self.accepted.is_empty() {
            write!(f, "\n  accepted: {}", self.accepted)?;
        }
        if let Some(suggestion) = &self.suggestion {
            write!(f, "\n  help: {suggestion}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// All mistakes in a world's files or in a settings file, never none, file by file in the order of their lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    errors: Vec<ConfigError>,
    omitted_count: usize,
    page: &'static str,
}

impl ConfigErrors {
    /// Sorts `errors` by line and column, errors about a whole file first; the file that has the first of them comes first.
    /// `page` explains the keys of such files.
    pub(super) fn new(mut errors: Vec<ConfigError>, omitted_count: usize, page: &'static str) -> Self {
        debug_assert!(!errors.is_empty());
        let mut files: Vec<String> = Vec::new();
        for error in &errors {
            if !files.contains(&error.file) {
                files.push(error.file.clone());
            }
        }
        errors
            .sort_by_cached_key(|error| (files.iter().position(|file| *file == error.file), error.line, error.column));
        Self { errors, omitted_count, page }
    }

    /// The mistakes, at most [`super::CONFIG_ERRORS_MAX`].
    pub fn as_slice(&self) -> &[ConfigError] {
        &self.errors
    }

    /// How many more there are than [`super::CONFIG_ERRORS_MAX`].
    pub fn omitted_count(&self) -> usize {
        self.omitted_count
    }
}

impl<'a> IntoIterator for &'a ConfigErrors {
    type Item = &'a ConfigError;
    type IntoIter = std::slice::Iter<'a, ConfigError>;

    fn into_iter(self) -> Self::IntoIter {
        self.errors.iter()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for error in &self.errors {
            write!(f, "{error}\n\n")?;
        }
        match self.errors.len() + self.omitted_count {
            1 => write!(f, "1 error")?,
            count => write!(f, "{count} errors")?,
        }
        if self.omitted_count > 0 {
            write!(f, ", of which {} are not shown", self.omitted_count)?;
        }
        write!(f, "; {} explains every key", self.page)
    }
}

impl std::error::Error for ConfigErrors {}
