//! JSON as text, of which only writing is needed here: schemas keep the order of their declarations.

use std::fmt::{self, Write};

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    /// Text that is JSON already: a number, a truth value, a default.
    Verbatim(String),
    Text(String),
    List(Vec<Json>),
    /// Members in the order in which they are written.
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn number(number: impl ToString) -> Self {
        Self::Verbatim(number.to_string())
    }

    pub(super) fn truth(truth: bool) -> Self {
        Self::Verbatim(truth.to_string())
    }

    /// As text for people: two spaces a level, lists of plain values on one line, a line break at the end.
    pub(super) fn pretty(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, 0).and_then(|()| writeln!(out)).expect("writing to a string does not fail");
        out
    }

    fn write(&self, out: &mut String, depth: usize) -> fmt::Result {
        match self {
            Self::Verbatim(text) => out.write_str(text),
            Self::Text(text) => write_text(out, text),
            Self::List(elements) if elements.iter().all(Self::is_plain) => {
                out.write_char('[')?;
                for (index, element) in elements.iter().enumerate() {
                    out.write_str(if index > 0 { ", " } else { "" })?;
                    element.write(out, depth)?;
                }
                out.write_char(']')
            }
            Self::List(elements) => {
                let elements = elements.iter().map(|element| (None, element));
                write_block(out, depth, ['[', ']'], elements)
            }
            Self::Object(members) if members.is_empty() => out.write_str("{}"),
            Self::Object(members) => {
                let members = members.iter().map(|(name, value)| (Some(*name), value));
                write_block(out, depth, ['{', '}'], members)
            }
        }
    }

    fn is_plain(&self) -> bool {
        matches!(self, Self::Verbatim(_) | Self::Text(_))
    }
}

/// Writes each value on a line of its own, behind its name if it has one.
fn write_block<'j>(
    out: &mut String,
    depth: usize,
    [open, close]: [char; 2],
    values: impl Iterator<Item = (Option<&'static str>, &'j Json)>,
) -> fmt::Result {
    out.write_char(open)?;
    for (index, (name, value)) in values.enumerate() {
        write!(out, "{}\n{:indent$}", if index > 0 { "," } else { "" }, "", indent = 2 * (depth + 1))?;
        if let Some(name) = name {
            write_text(out, name)?;
            out.write_str(": ")?;
        }
        value.write(out, depth + 1)?;
    }
    write!(out, "\n{:indent$}{close}", "", indent = 2 * depth)
}

fn write_text(out: &mut String, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(out, "\\{character}")?,
            '\n' => out.write_str("\\n")?,
            control if control.is_control() => write!(out, "\\u{:04x}", u32::from(control))?,
            other => out.write_char(other)?,
        }
    }
    out.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_json_parsers_read() {
        let text = "a \"quote\", a \\, a\nbreak, \u{1} and é";
        let value = Json::Object(vec![
            ("text", Json::text(text)),
            ("numbers", Json::List(vec![Json::number(1), Json::number(0.5_f32)])),
            ("nothing", Json::Object(Vec::new())),
            ("objects", Json::List(vec![Json::Object(vec![("truth", Json::truth(true))])])),
        ]);
        let read: serde_json::Value = serde_json::from_str(&value.pretty()).expect("it is JSON");
        let expected =
            serde_json::json!({ "text": text, "numbers": [1, 0.5], "nothing": {}, "objects": [{ "truth": true }] });
        assert_eq!(read, expected);
    }
}
