//! What was read, written down: every key with its value, where it is written or that it is a default.

use std::fmt::{self, Write};

/// Where the comment of a line begins, in characters; later where the value is longer.
const COMMENT_COLUMN: usize = 36;

/// A table as it was read.
pub(in crate::config) struct ShownTable {
    /// Such as `[[spawn]]`.
    pub(super) heading: String,
    pub(super) lines: Vec<ShownLine>,
}

/// A key as it was read.
pub(super) struct ShownLine {
    pub(super) name: &'static str,
    /// As a file writes it; none for a key that has no value.
    pub(super) value: Option<String>,
    pub(super) unit: &'static str,
    /// File and line; none for a default.
    pub(super) place: Option<(String, usize)>,
}

/// A file that says all of it: read again, it gives the same.
pub(in crate::config) fn shown_text_of(tables: &[ShownTable]) -> String {
    let mut text = String::new();
    tables.iter().try_for_each(|table| write_table(&mut text, table)).expect("writing to a string does not fail");
    text
}

fn write_table(text: &mut String, table: &ShownTable) -> fmt::Result {
    writeln!(text, "\n{}", table.heading)?;
    for ShownLine { name, value, unit, place } in &table.lines {
        let Some(value) = value else {
            writeln!(text, "# {name} has no value")?;
            continue;
        };
        let place = place.as_ref().map_or("default".to_owned(), |(file, line)| format!("{file}:{line}"));
        let unit = if unit.is_empty() { String::new() } else { format!("{unit}; ") };
        let line = format!("{name} = {value}");
        writeln!(text, "{line:COMMENT_COLUMN$} # {unit}{place}")?;
    }
    Ok(())
}
