//! Files that are drawn at random from the readers' declarations, and ways to break them.

use std::sync::LazyLock;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::config::combat_reader::COMBAT_FORMAT;
use crate::config::reader::{KeyDoc, Occurrence, Shape, TableDoc, Unwritten};
use crate::config::settings_reader::SETTINGS_FORMAT;
use crate::config::world_reader::WORLD_FORMAT;
use crate::config::{ConfigErrors, abilities_schema_json, read_settings, read_world};
use crate::config::{settings_schema_json, world_schema_json};
use crate::random::Random;

/// How often tables that break a rule are drawn anew.
const ROUNDS_MAX: usize = 100;

/// A kind of file.
pub(super) struct Format {
    pub(super) tables: Vec<TableDoc>,
    pub(super) schema: String,
    pub(super) check: fn(&str) -> Result<(), ConfigErrors>,
}

pub(super) static FORMATS: LazyLock<[Format; 3]> = LazyLock::new(|| {
    [
        Format {
            tables: WORLD_FORMAT.describe().tables,
            schema: world_schema_json(),
            check: |text| read_world("world.toml", text).map(|_| ()),
        },
        Format { tables: COMBAT_FORMAT.describe().tables, schema: abilities_schema_json(), check: check_abilities },
        Format {
            tables: SETTINGS_FORMAT.describe().tables,
            schema: settings_schema_json(),
            check: |text| read_settings("server.toml", text).map(|_| ()),
        },
    ]
});

/// By itself: without a world that declares what it mentions.
fn check_abilities(text: &str) -> Result<(), ConfigErrors> {
    let (_, mistakes) = COMBAT_FORMAT.check("abilities.toml", text)?;
    mistakes.into_result(())
}

impl Format {
    /// The mistakes in `text`, each with its line.
    pub(super) fn mistakes(&self, text: &str) -> Vec<(usize, &'static str)> {
        (self.check)(text).err().map_or(Vec::new(), |errors| super::labels(&errors))
    }
}

/// A file, table by table.
#[derive(Clone)]
pub(super) struct DrawnFile {
    pub(super) tables: Vec<DrawnTable>,
}

/// One written table: a line for its heading and one for each of its keys.
#[derive(Clone)]
pub(super) struct DrawnTable {
    pub(super) doc: &'static TableDoc,
    pub(super) lines: Vec<(&'static KeyDoc, String)>,
}

impl DrawnFile {
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for table in &self.tables {
            text.push_str(&table.doc.heading());
            text.push('\n');
            table.lines.iter().for_each(|(key, value)| text.push_str(&format!("{} = {value}\n", key.name)));
        }
        text
    }

    /// The line of a table's heading.
    pub(super) fn heading_line(&self, table: usize) -> usize {
        1 + self.tables[..table].iter().map(|table| 1 + table.lines.len()).sum::<usize>()
    }

    /// The table that `line` is part of.
    fn table_at(&self, line: usize) -> Option<usize> {
        (0..self.tables.len()).rev().find(|table| self.heading_line(*table) <= line)
    }
}

/// Keys that name an entry of another list, and which.
const REFERENCES: [(&str, &str); 6] = [
    ("archetype", "archetype"),
    ("held_by_archetypes", "archetype"),
    ("attribute", "attribute"),
    ("guards", "place"),
    ("feature", "feature"),
    ("zones", "zone"),
];

/// Draws what can be written.
pub(super) struct Draw {
    pub(super) random: Random,
    texts: TestRunner,
    /// The names that entries of lists have, as they are written, with the names of the lists.
    names: Vec<(&'static str, String)>,
}

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let texts = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let texts = TestRunner::new_with_rng(Config::default(), texts);
        Self { random: Random::new(seed, 0), texts, names: Vec::new() }
    }

    /// A file that keeps the rules between keys too. `None` if none is found in time.
    ///
    /// # Panics
    /// When a file that is drawn from the declarations is refused for anything but such a rule.
    pub(super) fn file(&mut self, format: &'static Format) -> Option<DrawnFile> {
        let mut file = DrawnFile { tables: Vec::new() };
        for doc in &format.tables {
            let counts = match &doc.occurrence {
                Occurrence::Required => 1..=1,
                Occurrence::Optional => 0..=1,
                Occurrence::Many(counts) => *counts.start()..=(counts.start() + 2).min(*counts.end()),
            };
            let count = self.whole(*counts.start() as i128, *counts.end() as i128);
            file.tables.extend((0..count).map(|_| self.table(doc)));
        }
        for _ in 0..ROUNDS_MAX {
            let text = file.text();
            let mistakes = format.mistakes(&text);
            assert!(mistakes.iter().all(|(_, label)| *label == "conflict"), "{mistakes:?} in\n{text}");
            if mistakes.is_empty() {
                return Some(file);
            }
            // One of them: where the others are may have changed by then.
            let (line, _) = mistakes[self.random.below(mistakes.len() as u32) as usize];
            let index = file.table_at(line)?;
            let doc = file.tables[index].doc;
            let named = |table: &DrawnTable| {
                let name = table.lines.iter().find(|(key, _)| key.name == "name");
                name.map(|(_, name)| (table.doc.name, name.clone()))
            };
            self.names = file.tables.iter().filter_map(named).collect();
            // What needs others to be as it needs them is seldom drawn.
            let can_be_left_out = matches!(&doc.occurrence, Occurrence::Many(counts) if *counts.start() == 0);
            match can_be_left_out && self.random.percent(10.0) {
                true => drop(file.tables.remove(index)),
                false => file.tables[index] = self.table(doc),
            }
        }
        None
    }

    /// For a key that names an entry of another list, mostly one that is there.
    fn reference(&mut self, key: &KeyDoc) -> Option<String> {
        let (_, list) = REFERENCES.iter().find(|(name, _)| *name == key.name)?;
        let names: Vec<&String> = self.names.iter().filter(|(of, _)| of == list).map(|(_, name)| name).collect();
        if names.is_empty() || self.random.percent(20.0) {
            return None;
        }
        let name = names[self.random.below(names.len() as u32) as usize];
        Some(if matches!(key.shape, Shape::List { .. }) { format!("[{name}]") } else { name.clone() })
    }

    pub(super) fn table(&mut self, doc: &'static TableDoc) -> DrawnTable {
        let mut table = DrawnTable { doc, lines: Vec::new() };
        // Keys that decide which others there are may be declared behind some that depend on nothing, never behind those that do.
        for key in &doc.keys {
            let exists = key.only_with.is_none_or(|condition| {
                let written = table.lines.iter().find(|(key, _)| key.name == condition.key);
                let word = format!("\"{}\"", condition.word);
                written.is_some_and(|(_, value)| *value == word)
            });
            if exists && (matches!(key.unwritten, Unwritten::Refused) || self.random.percent(50.0)) {
                let value = self.reference(key).unwrap_or_else(|| self.value(&key.shape));
                table.lines.push((key, value));
            }
        }
        table
    }

    /// Something accepted, as it is written.
    pub(super) fn value(&mut self, shape: &Shape) -> String {
        match shape {
            Shape::Number { min, max } => {
                let number = match self.random.below(6) {
                    0 => *min,
                    1 => *max,
                    2 | 3 => self.random.between(*min, *max),
                    _ => self.random.between(-30.0, 150.0).round(),
                };
                let number = number.clamp(*min, *max);
                if self.random.percent(50.0) { format!("{number}") } else { format!("{number:?}") }
            }
            Shape::Whole { min, max } => match self.random.below(4) {
                0 => min.to_string(),
                1 => max.to_string(),
                _ => self.whole(*min, *max).to_string(),
            },
            Shape::Truth => self.random.percent(50.0).to_string(),
            Shape::Text { pattern, chars_max: Some(chars_max) } => {
                let strategy = proptest::string::string_regex(pattern).expect("a regular expression");
                let text = strategy.new_tree(&mut self.texts).expect("it matches something").current();
                quoted(&text.chars().take(*chars_max).collect::<String>())
            }
            // Not all that looks like an address is one.
            Shape::Text { chars_max: None, .. } => {
                let port = self.random.below(65_536);
                let texts = ["127.0.0.1", "0.0.0.0", "10.255.3.200", "[::1]", "[fe80::12%3]", "[2001:db8::10.0.0.1]"];
                quoted(&format!("{}:{port}", texts[self.random.below(texts.len() as u32) as usize]))
            }
            Shape::OneOf(words) => quoted(words[self.random.below(words.len() as u32) as usize]),
            Shape::List { element, count_min, count_max } => {
                let count = self.whole(*count_min as i128, (*count_max).min(count_min + 3) as i128);
                let elements: Vec<String> = (0..count).map(|_| self.value(element)).collect();
                format!("[{}]", elements.join(", "))
            }
        }
    }

    /// From `min` to `max`, both included.
    pub(super) fn whole(&mut self, min: i128, max: i128) -> i128 {
        let bits = u64::from(self.random.next_u32()) << 32 | u64::from(self.random.next_u32());
        min + i128::from(bits) % (max - min + 1)
    }
}

/// Text as TOML and JSON both write it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text can be written")
}
