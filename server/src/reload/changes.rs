//! Which keys of a file have changed.

use std::collections::BTreeMap;

use serde::Serialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Of longer values only the beginning is shown.
const SAID_CHARS_MAX: usize = 60;

/// A key that says something else than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyChange {
    /// Where it stands: `interest.enter_radius_m`, `ability[2].damage`.
    pub key: String,
    /// What it said, as in the file; none when it was not there.
    pub before: Option<String>,
    /// What it says now; none when it is there no longer.
    pub after: Option<String>,
}

impl std::fmt::Display for KeyChange {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said = |text: &Option<String>| match text.as_deref() {
            None => "(default)".to_owned(),
            Some(text) if text.chars().count() > SAID_CHARS_MAX => {
                text.chars().take(SAID_CHARS_MAX).chain("...".chars()).collect()
            }
            Some(text) => text.to_owned(),
        };
        write!(formatter, "{}: {} -> {}", self.key, said(&self.before), said(&self.after))
    }
}

/// What has changed from one text to another, both valid TOML, by rising keys. Entries of a list are named by their `name` where they have one, and
/// else by their place from 1.
pub(super) fn changes(before: &str, after: &str) -> Vec<KeyChange> {
    let (before, after) = (keys_of(before), keys_of(after));
    let all = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key)));
    let mut changes: Vec<KeyChange> = all
        .filter(|key| before.get(*key) != after.get(*key))
        .map(|key| KeyChange { key: key.clone(), before: before.get(key).cloned(), after: after.get(key).cloned() })
        .collect();
    changes.sort_by(|a, b| a.key.cmp(&b.key));
    changes
}

/// Every value of a text by its key. A text that is no TOML has none.
fn keys_of(text: &str) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    if let Ok(table) = DeTable::parse(text) {
        add_table("", table.get_ref(), text, &mut keys);
    }
    keys
}

fn add_table(within: &str, table: &DeTable<'_>, text: &str, keys: &mut BTreeMap<String, String>) {
    for (name, value) in table {
        let name = name.get_ref();
        let key = if within.is_empty() { name.to_string() } else { format!("{within}.{name}") };
        add(key, value, text, keys);
    }
}

fn add(key: String, value: &Spanned<DeValue<'_>>, text: &str, keys: &mut BTreeMap<String, String>) {
    match value.get_ref() {
        DeValue::Table(table) => add_table(&key, table, text, keys),
        DeValue::Array(entries) if entries.iter().any(|entry| entry.get_ref().is_table()) => {
            for (place, entry) in entries.iter().enumerate() {
                let name = entry.get_ref().get("name").and_then(|name| name.get_ref().as_str());
                let name = name.map_or_else(|| (place + 1).to_string(), str::to_owned);
                add(format!("{key}[{name}]"), entry, text, keys);
            }
        }
        _ => {
            keys.insert(key, text.get(value.span()).unwrap_or_default().to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_changed_is_told_by_key_with_both_values() {
        let before = "[interest]\nenter_radius_m = 60.0\nvisible_max = 9\n[[ability]]\nname = \"bow\"\ndamage = 2.0\n";
        let after = "# louder\n[[ability]]\nname = \"bow\"\ndamage = 3.0\n[[spawn]]\ncenter_m = [1.0, 2.0]\n\
                     [interest]\nenter_radius_m = 60.0\n";
        let told: Vec<String> = changes(before, after).iter().map(KeyChange::to_string).collect();
        let expected = [
            "ability[bow].damage: 2.0 -> 3.0",
            "interest.visible_max: 9 -> (default)",
            "spawn[1].center_m: (default) -> [1.0, 2.0]",
        ];
        assert_eq!(told, expected);
        assert_eq!(changes(after, after), []);
        assert_eq!(changes("no = toml = at all", before).len(), 4);
    }
}
