//! The texts of files that are read together, with their lines found once: from an offset to a place that a person can go
//! to.
//!
//! Offsets run through all the files, one after another: what is found anywhere is told in the right one.

use std::ops::Range;

use crate::config::error::{ConfigError, ConfigErrorKind};

/// Longest piece of a line that an error shows, in characters.
const LINE_CHARS_MAX: usize = 100;
/// How many characters are shown before the place that is meant when the line is longer than that.
const LINE_CHARS_BEFORE: usize = 50;
/// Longest value that an error repeats, in characters.
const VALUE_CHARS_MAX: usize = 60;
const CUT: char = '…';

/// Files that are read together, the strongest first: what an earlier one says counts before what a later one says.
pub(in crate::config) struct Source<'t> {
    /// Never none.
    files: Vec<SourceFile<'t>>,
}

/// A file's name and text.
struct SourceFile<'t> {
    name: &'t str,
    text: &'t str,
    /// Offset of its first byte.
    start: usize,
    /// Where each line begins, counted from there.
    line_starts: Vec<usize>,
}

impl<'t> Source<'t> {
    pub(in crate::config) fn new(name: &'t str, text: &'t str) -> Self {
        Self { files: vec![SourceFile::new(name, text, 0)] }
    }

    /// Adds a weaker file. Returns the offset of its first byte.
    pub(super) fn add(&mut self, name: &'t str, text: &'t str) -> usize {
        // The end of a text is a place in it, too: one more than it has bytes.
        let start = self.files.last().map_or(0, |last| last.start + last.text.len() + 1);
        self.files.push(SourceFile::new(name, text, start));
        start
    }

    /// Whether there is more than one file.
    pub(super) fn has_many(&self) -> bool {
        self.files.len() > 1
    }

    /// The place of the file that `offset` is in; 0 for the strongest.
    pub(super) fn file_index(&self, offset: usize) -> usize {
        self.files.partition_point(|file| file.start <= offset).saturating_sub(1)
    }

    /// Name of the file that `offset` is in, and the line, counted from 1.
    pub(super) fn place(&self, offset: usize) -> (&'t str, usize) {
        let file = &self.files[self.file_index(offset)];
        (file.name, file.line(offset - file.start) + 1)
    }

    /// An error at `span`, or about the first file as a whole. The caller fills in key, accepted and suggestion.
    pub(in crate::config) fn error(&self, span: Option<Range<usize>>, kind: ConfigErrorKind) -> ConfigError {
        let file = &self.files[span.as_ref().map_or(0, |span| self.file_index(span.start))];
        file.error(span.map(|span| file.within(&span)), kind)
    }

    /// What the file says at `span`, on one line and shortened.
    pub(super) fn shown(&self, span: &Range<usize>) -> String {
        shown_text(self.raw(span.clone()))
    }

    /// The raw text at `span`; empty when `span` does not lie on character boundaries.
    pub(super) fn raw(&self, span: Range<usize>) -> &'t str {
        let file = &self.files[self.file_index(span.start)];
        file.text.get(file.within(&span)).unwrap_or_default()
    }

    /// Where the text of the line lies that `offset` is in, without its line break.
    pub(super) fn line_span_at(&self, offset: usize) -> Range<usize> {
        let file = &self.files[self.file_index(offset)];
        let span = file.line_span(file.line(offset - file.start));
        file.start + span.start..file.start + span.end
    }

    /// One past the end of the file that `offset` is in.
    pub(super) fn file_end(&self, offset: usize) -> usize {
        let file = &self.files[self.file_index(offset)];
        file.start + file.text.len() + 1
    }
}

impl<'t> SourceFile<'t> {
    fn new(name: &'t str, text: &'t str, start: usize) -> Self {
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { name, text, start, line_starts }
    }

    /// A span of all files as one of this file.
    fn within(&self, span: &Range<usize>) -> Range<usize> {
        span.start - self.start..span.end.max(span.start) - self.start
    }

    fn error(&self, span: Option<Range<usize>>, kind: ConfigErrorKind) -> ConfigError {
        let error = ConfigError::whole_file(self.name, kind);
        let Some(span) = span else { return error };
        let value = shown_text(self.text.get(span.clone()).unwrap_or_default());
        let start = self.text.floor_char_boundary(span.start);
        let end = self.text.ceil_char_boundary(span.end.max(start));
        let line = self.line(start);
        let line_span = self.line_span(line);
        let start_chars = self.text[line_span.start..start.min(line_span.end)].chars().count();
        let end_chars = self.text[line_span.start..end.min(line_span.end)].chars().count();
        let (source_line, shift, room) = shorten_line(&self.text[line_span], start_chars);
        let underline_start = start_chars + shift.added - shift.removed;
        let underline_end = (end_chars + shift.added).saturating_sub(shift.removed).clamp(underline_start, room);
        ConfigError {
            line: line + 1,
            column: start_chars + 1,
            value,
            source_line,
            underline: underline_start..underline_end.max(underline_start + 1),
            ..error
        }
    }

    /// The line that `offset` is in, counted from 0.
    fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Where a line's text lies, without its line break.
    fn line_span(&self, line: usize) -> Range<usize> {
        let start = self.line_starts[line];
        let end = self.line_starts.get(line + 1).map_or(self.text.len(), |next| next - 1);
        start..start + self.text[start..end].trim_end_matches('\r').len()
    }
}

/// How far the characters of a shortened line have moved.
struct Shift {
    removed: usize,
    added: usize,
}

/// Cuts a long line around `column_chars`. Returns it with the shift of its characters and the number of those that
/// may be underlined.
fn shorten_line(line: &str, column_chars: usize) -> (String, Shift, usize) {
    let removed =
        if line.chars().count() > LINE_CHARS_MAX { column_chars.saturating_sub(LINE_CHARS_BEFORE) } else { 0 };
    let added = usize::from(removed > 0);
    let mut shown: String = line.chars().skip(removed).take(LINE_CHARS_MAX).map(printable).collect();
    if added > 0 {
        shown.insert(0, CUT);
    }
    let room = shown.chars().count();
    if line.chars().count() > removed + LINE_CHARS_MAX {
        shown.push(CUT);
    }
    (shown, Shift { removed, added }, room)
}

/// `text` on one line, without characters that a terminal would obey, and not too long.
pub(super) fn shown_text(text: &str) -> String {
    let mut shown = String::new();
    let mut count = 0;
    for word in text.split_whitespace() {
        let space = (count > 0).then_some(' ');
        for character in space.into_iter().chain(word.chars()) {
            if count == VALUE_CHARS_MAX {
                shown.push(CUT);
                return shown;
            }
            shown.push(printable(character));
            count += 1;
        }
    }
    shown
}

/// Keeps a caret line below aligned, and control characters away from the terminal.
fn printable(character: char) -> char {
    match character {
        '\t' => ' ',
        control if control.is_control() => char::REPLACEMENT_CHARACTER,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_at(text: &str, span: Range<usize>) -> ConfigError {
        Source::new("w.toml", text).error(Some(span), ConfigErrorKind::OutOfRange)
    }

    #[test]
    fn lines_and_columns_are_counted_from_one_in_characters() {
        let text = "a = 1\r\n# é\n\tö = 22\n";
        let at = text.find("22").expect("is there");
        let error = error_at(text, at..at + 2);
        assert_eq!((error.line, error.column, error.value.as_str()), (3, 6, "22"));
        assert_eq!((error.source_line.as_str(), error.underline), (" ö = 22", 5..7));
        assert_eq!(error_at(text, 0..1).source_line, "a = 1");
        assert_eq!(error_at(text, text.len()..text.len()).line, 4);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place_that_is_meant() {
        let text = format!("{}1234{}", "a".repeat(500), "b".repeat(500));
        let error = error_at(&text, 500..504);
        assert_eq!(error.column, 501);
        let underlined: String =
            error.source_line.chars().skip(error.underline.start).take(error.underline.len()).collect();
        assert_eq!(underlined, "1234");
        assert!(error.source_line.chars().count() <= LINE_CHARS_MAX + 2);
    }

    #[test]
    fn each_offset_is_told_in_the_file_that_it_is_in() {
        let mut source = Source::new("a.toml", "x = 1");
        let starts = [0, source.add("b.toml", ""), source.add("c.toml", "\ny = 2\n")];
        assert_eq!(starts, [0, 6, 7]);
        let places = [0, 5, 6, 7, 8, 14].map(|offset| source.place(offset));
        let expected = [("a.toml", 1), ("a.toml", 1), ("b.toml", 1), ("c.toml", 1), ("c.toml", 2), ("c.toml", 3)];
        assert_eq!(places, expected);
        let error = source.error(Some(8..9), ConfigErrorKind::OutOfRange);
        assert_eq!((error.file.as_str(), error.line, error.value.as_str()), ("c.toml", 2, "y"));
        assert_eq!((source.raw(12..13), source.line_span_at(9), source.file_end(0)), ("2", 8..13, 6));
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let error = error_at("a = \u{1b}[31m", 4..9);
        assert!(!error.to_string().contains('\u{1b}'));
    }
}
