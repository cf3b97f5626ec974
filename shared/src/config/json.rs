//! JSON whose members keep the order of their declarations, for schemas.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    /// A number, a truth value, a text, or what is JSON already.
    Plain(Value),
    List(Vec<Json>),
    /// Members in the order in which they are written.
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Plain(Value::String(text.into()))
    }

    /// As it is shown: 0.1 and not the nearest binary fraction.
    pub(super) fn number(number: impl ToString) -> Self {
        Self::verbatim(&number.to_string())
    }

    pub(super) fn truth(truth: bool) -> Self {
        Self::Plain(Value::Bool(truth))
    }

    /// What is JSON already; anything else is text.
    pub(super) fn verbatim(json: &str) -> Self {
        Self::Plain(serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_owned())))
    }

    /// As text for people, with a line break at the end.
    pub(super) fn pretty(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts, numbers and names can be written") + "\n"
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(value) => value.serialize(serializer),
            Self::List(elements) => elements.serialize(serializer),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
                map.end()
            }
        }
    }
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
