//! What is wrong when a file is not TOML, in plain words.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use super::findings::Findings;
use super::source::Source;
use super::value::truth_meant;
use crate::config::error::{ConfigError, ConfigErrorKind};

/// Parses `text`, whose first byte is at `start`, as far as possible. Everything that is not TOML is recorded in
/// `findings`, once per line. Files are parsed in the order of their offsets.
pub(super) fn parse<'t>(text: &'t str, start: usize, findings: &mut Findings<'t>) -> DeTable<'t> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let root = moved_table(root.into_inner(), start);
    let mut problems: Vec<Problem> = errors.iter().map(|error| problem(error, start, findings.source())).collect();
    problems.sort_by_key(|problem| problem.span.start);
    if let Some(unclosed) = errors.iter().find(|error| error.message().starts_with("unclosed array")) {
        let end = start + unclosed.span().map_or(text.len(), |span| span.start);
        let list = root.values().filter_map(|value| unclosed_list(value, end)).min_by_key(|span| span.start);
        if let Some(list) = list {
            problems.retain(|problem| problem.span.start < list.start);
            let end = findings.source().file_end(start);
            problems.push(Problem::unclosed_list(list, end));
        }
    }
    let mut broken: Vec<Range<usize>> = Vec::new();
    for problem in problems {
        // A point at the end of a line belongs to that line.
        if broken.last().is_some_and(|last| problem.span.start < last.end) {
            continue;
        }
        let error = findings.error(Some(problem.span.clone()), problem.kind);
        findings.push(ConfigError { suggestion: problem.suggestion, ..error });
        let line = findings.source().line_span_at(problem.span.start);
        let start = line.start.max(broken.last().map_or(0, |last| last.end));
        broken.push(start..problem.broken_end.unwrap_or(line.end + 1));
    }
    findings.add_broken(broken);
    root
}

/// `table` with all its places moved by `by`: behind the files before its own.
fn moved_table(table: DeTable<'_>, by: usize) -> DeTable<'_> {
    if by == 0 {
        return table;
    }
    table.into_iter().map(|(key, value)| (moved(key, by), moved_value(value, by))).collect()
}

// No deeper than the parser lets values be.
fn moved_value(mut value: Spanned<DeValue<'_>>, by: usize) -> Spanned<DeValue<'_>> {
    match value.get_mut() {
        DeValue::Table(table) => *table = moved_table(std::mem::take(table), by),
        DeValue::Array(elements) => {
            for element in elements.iter_mut() {
                let whole = std::mem::replace(element, Spanned::new(0..0, DeValue::Boolean(false)));
                *element = moved_value(whole, by);
            }
        }
        _ => {}
    }
    moved(value, by)
}

fn moved<T>(spanned: Spanned<T>, by: usize) -> Spanned<T> {
    let span = moved_span(spanned.span(), by);
    Spanned::new(span, spanned.into_inner())
}

fn moved_span(span: Range<usize>, by: usize) -> Range<usize> {
    span.start + by..span.end + by
}

/// One place that is not TOML.
struct Problem {
    span: Range<usize>,
    kind: ConfigErrorKind,
    suggestion: Option<String>,
    /// Where sense begins again; `None` for the next line.
    broken_end: Option<usize>,
}

impl Problem {
    fn unclosed_list(list: Range<usize>, file_end: usize) -> Self {
        Self {
            span: list.start..list.start + 1,
            kind: ConfigErrorKind::Syntax { reason: "the list that begins here is not closed".to_owned() },
            suggestion: Some("add the missing ]; what follows is not checked until then".to_owned()),
            broken_end: Some(file_end),
        }
    }
}

/// The outermost list in `value` that reaches `end`, where a list was found to be unclosed.
fn unclosed_list(value: &Spanned<DeValue<'_>>, end: usize) -> Option<Range<usize>> {
    match value.get_ref() {
        DeValue::Array(_) if (value.span().start..=value.span().end).contains(&end) && value.span().len() > 1 => {
            Some(value.span())
        }
        DeValue::Array(elements) => elements.iter().find_map(|element| unclosed_list(element, end)),
        DeValue::Table(table) => table.values().find_map(|value| unclosed_list(value, end)),
        _ => None,
    }
}

/// Puts an error of the parser in plain words.
fn problem(error: &Error, start: usize, source: &Source<'_>) -> Problem {
    let span = moved_span(error.span().unwrap_or(0..0), start);
    let found = source.shown(&span);
    let (message, _) = error.message().split_once(", expected").unwrap_or((error.message(), ""));
    if message == "duplicate key" {
        return duplicate(span, &found, source);
    }
    let line = source.line_span_at(span.start);
    let after = source.raw(span.end..line.end.max(span.end)).trim_start();
    let (reason, suggestion) = plain_words(message, &found, after);
    let reason = reason.unwrap_or_else(|| error.message().to_owned());
    Problem { span, kind: ConfigErrorKind::Syntax { reason }, suggestion, broken_end: None }
}

/// A key or a table that is written again.
fn duplicate(key: Range<usize>, name: &str, source: &Source<'_>) -> Problem {
    let line = source.line_span_at(key.start);
    let is_table = source.raw(line.start..key.start).ends_with('[') && source.raw(key.end..key.end + 1) == "]";
    let (span, suggestion) = match is_table {
        true => (key.start - 1..key.end + 1, format!("keep one [{name}] and put the keys of both below it")),
        false => (key, "keep one of them".to_owned()),
    };
    Problem { span, kind: ConfigErrorKind::Duplicate, suggestion: Some(suggestion), broken_end: None }
}

/// What the parser's `message` means, and what to do; `found` is what it is about, `after` what follows on its line.
fn plain_words(message: &str, found: &str, after: &str) -> (Option<String>, Option<String>) {
    let is_number_like = found.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    let (reason, help) = match message {
        "string values must be quoted" if found.is_empty() => ("there is no value after the =", ""),
        "string values must be quoted" if is_number_like => {
            let help = "write numbers without a unit, such as 12.5, and text in \"quotes\"";
            return (Some(format!("{found} is not a number")), Some(help.to_owned()));
        }
        "string values must be quoted" | "invalid boolean" if !found.contains(['"', '\'']) => {
            let help = match truth_meant(found) {
                Some(truth) => {
                    format!("write {truth} where a key wants true or false, and \"{found}\" where it wants text")
                }
                None => format!("write \"{found}\""),
            };
            return (Some(format!("{found} is text without quotes")), Some(help));
        }
        "key with no value" => ("there is no = here", "write key = value; what follows is not checked until then"),
        "unexpected key or value" if after.starts_with(',') => {
            ("there is a comma after the value", "write 1.5 for 1,5 and no comma at the end of a line")
        }
        "unexpected key or value" => ("there is something after the value", "write one key = value per line"),
        "unclosed table" | "unclosed array table" => ("a table's heading is not closed", "add the missing ]"),
        "invalid basic string" | "invalid literal string" => ("a text is not closed", "add the missing quote"),
        "missing escaped value" => (
            "a \\ in \"quotes\" begins the name of an invisible character",
            "write / or \\\\ for each \\, or put the text in 'single quotes'",
        ),
        "unexpected leading zero" => ("a number does not begin with 0", "write 5 for 05"),
        "invalid mantissa" => ("there is no digit before the decimal point", "write 0.5 for .5"),
        "invalid fraction" => ("there is no digit after the decimal point", "write 5.0 or 5 for 5."),
        _ => return (None, None),
    };
    (Some(reason.to_owned()), (!help.is_empty()).then(|| help.to_owned()))
}
