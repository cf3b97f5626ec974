//! Whole worlds that are drawn at random, each with its abilities, in one file each or in several: they mean the same, and what
//! is written down of them does; and a mistake in any of the files is told there.

use std::collections::BTreeMap;
use std::io;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::declarations::{Broken, Damage, SEEN_DAMAGES, broken, drawn, replace_line};
use super::drawn_file::{Draw, DrawnFile, DrawnTable, FORMATS, quoted};
use crate::config::reader::{KeyDoc, Occurrence, TableDoc};
use crate::config::{ConfigErrors, ShownWorld, load_and_show_world};

/// How many splits are drawn for each property.
const CASES: u32 = 256;

/// How many worlds are drawn, for all properties together: to find some that keep all rules takes longer than all else.
const WORLDS: u64 = 48;

static PAIRS: LazyLock<Vec<[DrawnFile; 2]>> = LazyLock::new(|| (0..WORLDS).map(|seed| drawn(seed, pair)).collect());

/// A picture's worth of samples.
const GROUND: [u8; 8] = [0, 0, 255, 255, 51, 51, 0, 0];

/// The files that a world is split into, the strongest first, and what each includes. The last is included twice.
const WORLD_FILES: [(&str, &str); 4] = [
    ("world.toml", "include = [\"../common/a.toml\", \"parts/b.toml\"]"),
    ("parts/b.toml", "include = [\"../../common/c.toml\"]"),
    ("../common/a.toml", "include = [\"c.toml\"]"),
    ("../common/c.toml", "# Includes nothing."),
];

/// The same of its abilities.
const ABILITIES_FILES: [(&str, &str); 4] = [
    ("abilities.toml", "include = [\"../common/fight/a.toml\", \"parts/fight.toml\"]"),
    ("parts/fight.toml", "include = [\"../../common/fight/c.toml\"]"),
    ("../common/fight/a.toml", "include = [\"c.toml\"]"),
    ("../common/fight/c.toml", "# Includes nothing."),
];

/// A file of a world: its name, its first line, and its tables.
#[derive(Clone)]
struct Part {
    name: &'static str,
    first_line: &'static str,
    file: DrawnFile,
}

impl Part {
    fn text(&self) -> String {
        format!("{}\n{}", self.first_line, self.file.text())
    }

    /// The line of a table's heading.
    fn heading_line(&self, table: usize) -> usize {
        1 + self.file.heading_line(table)
    }

    fn shown_name(&self) -> String {
        match self.name.strip_prefix("../") {
            Some(beside) => format!("worlds/{beside}"),
            None => format!("worlds/here/{}", self.name),
        }
    }
}

/// A world and its abilities that go together, each in one file.
fn pair(draw: &mut Draw) -> Option<[DrawnFile; 2]> {
    let [mut world, mut abilities] = [draw.file(&FORMATS[0])?, draw.file(&FORMATS[1])?];
    let attribute = FORMATS[0].tables.iter().find(|table| table.name == "attribute")?;
    let value_of = |key: &'static KeyDoc| match key.name {
        "name" => Some((key, quoted("health"))),
        "kind" => Some((key, quoted("number"))),
        "max" => Some((key, "100".to_owned())),
        _ => None,
    };
    let health = DrawnTable { doc: attribute, lines: attribute.keys.iter().filter_map(value_of).collect() };
    let place = world.tables.iter().rposition(|table| table.doc.name == "interest_tier" || table.doc.name == "spawn");
    world.tables.insert(place? + 1, health);
    for table in world.tables.iter_mut().filter(|table| table.doc.name == "terrain") {
        table.lines.iter_mut().for_each(|(_, value)| *value = value.replace("\"png\"", "\"raw\""));
    }
    let own = world.tables.iter().filter(|table| table.doc.name == "archetype").filter_map(|table| table.lines.first());
    let archetypes: Vec<String> =
        [quoted("player"), quoted("bot")].into_iter().chain(own.map(|(_, name)| name.clone())).collect();
    for table in &mut abilities.tables {
        table.lines.retain(|(key, _)| !matches!(key.name, "no_side" | "held_by"));
        for (key, value) in &mut table.lines {
            match key.name {
                "health" | "cost_attribute" => *value = quoted("health"),
                "held_by_archetypes" => *value = format!("[{}]", archetypes.join(", ")),
                _ => {}
            }
        }
    }
    let names = |file: &DrawnFile| -> Vec<String> { file.tables.iter().filter_map(name_of).collect() };
    // Of routes two may have the same name, and then they would be one in two files.
    let all: Vec<String> = [names(&world), names(&abilities)].concat();
    let is_unique = all.iter().enumerate().all(|(index, name)| !all[..index].contains(name));
    let files = [("world.toml", world.text()), ("abilities.toml", abilities.text())];
    (is_unique && load(&files).is_ok()).then_some([world, abilities])
}

/// The name of a table that has one, with what the table is.
fn name_of(table: &DrawnTable) -> Option<String> {
    let (_, name) = table.lines.iter().find(|(key, _)| key.name == "name").filter(|_| table.doc.is_named)?;
    Some(format!("{} {name}", table.doc.name))
}

fn load(files: &[(&str, String)]) -> Result<ShownWorld, ConfigErrors> {
    load_and_show_world("worlds/here", |name| match files.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => Ok(text.as_bytes().to_vec()),
        None if name.ends_with("gone.toml") => Err(io::ErrorKind::NotFound.into()),
        None => Ok(GROUND.to_vec()),
    })
}

/// The key that decides which others a table has.
fn deciding(doc: &TableDoc) -> Option<&'static str> {
    doc.keys.iter().find_map(|key| key.only_with).map(|condition| condition.key)
}

/// Splits a file over others that say the same together.
fn split(draw: &mut Draw, whole: &DrawnFile, files: &[(&'static str, &'static str); 4]) -> Vec<Part> {
    let part = |(name, first_line)| Part { name, first_line, file: DrawnFile { tables: Vec::new() } };
    let mut parts: Vec<Part> = files.iter().copied().map(part).collect();
    // Tables of a list come in their order: those of weaker files first.
    let mut weakest: BTreeMap<&str, usize> = BTreeMap::new();
    for table in &whole.tables {
        let is_list = matches!(table.doc.occurrence, Occurrence::Many(_));
        let at_most = weakest.get(table.doc.name).map_or(files.len() - 1, |former| *former);
        let base = draw.random.below(at_most as u32 + 1) as usize;
        weakest.insert(table.doc.name, base);
        if is_list && !table.doc.is_named {
            parts[base].file.tables.push(table.clone());
            continue;
        }
        let layers = layers(draw, table, base);
        for (place, lines) in layers.into_iter().enumerate() {
            if !lines.is_empty() {
                parts[place].file.tables.push(DrawnTable { doc: table.doc, lines });
            }
        }
    }
    parts
}

/// Lines of a table, for each file of which `base` is the weakest that has it, the strongest first: together they are those
/// of `table`.
fn layers(draw: &mut Draw, table: &DrawnTable, base: usize) -> Vec<Vec<(&'static KeyDoc, String)>> {
    let mut layers = vec![Vec::new(); base + 1];
    let is_split = base > 0 && draw.random.percent(70.0);
    // Something else beneath it all, which does not count.
    let other = (is_split && draw.random.percent(60.0)).then(|| draw.table(table.doc));
    let strongest_of_other = if other.is_some() { base - 1 } else { base };
    let decides = deciding(table.doc);
    let deciding_place = draw.random.below(strongest_of_other as u32 + 1) as usize;
    for (key, value) in &table.lines {
        let place = match is_split {
            false => base,
            true if Some(key.name) == decides => deciding_place,
            // Not in what another choice is left behind of.
            true if key.only_with.is_some() => draw.random.below(deciding_place as u32 + 1) as usize,
            true => draw.random.below(strongest_of_other as u32 + 1) as usize,
        };
        layers[place].push((*key, value.clone()));
    }
    let is_written = |key: &KeyDoc| table.lines.iter().any(|(written, _)| written.name == key.name);
    let word_of = |table: &DrawnTable| table.lines.iter().find(|(key, _)| Some(key.name) == decides).cloned();
    if let Some(other) = other {
        let is_other_choice = word_of(&other).map(|(_, word)| word) != word_of(table).map(|(_, word)| word);
        let counts_not = |key: &KeyDoc| is_written(key) || (is_other_choice && key.only_with.is_some());
        layers[base] = other.lines.into_iter().filter(|(key, _)| counts_not(key)).collect();
    }
    if let Some(name) = table.lines.iter().find(|(key, _)| key.name == "name").filter(|_| table.doc.is_named) {
        for (place, lines) in layers.iter_mut().enumerate() {
            lines.retain(|(key, _)| key.name != "name");
            // In the weakest in any case: that is where its place is.
            if place == base || !lines.is_empty() {
                lines.insert(0, name.clone());
            }
        }
    }
    layers
}

fn texts(parts: &[Part]) -> Vec<(&'static str, String)> {
    parts.iter().map(|part| (part.name, part.text())).collect()
}

fn split_pair(draw: &mut Draw) -> Option<(ShownWorld, Vec<Part>)> {
    let [world, abilities] = &PAIRS[draw.random.below(WORLDS as u32) as usize];
    let whole = load(&[("world.toml", world.text()), ("abilities.toml", abilities.text())]).ok()?;
    let mut parts = split(draw, world, &WORLD_FILES);
    parts.extend(split(draw, abilities, &ABILITIES_FILES));
    Some((whole, parts))
}

/// The files of a world, split.
pub(super) fn split_files(seed: u64) -> Vec<(&'static str, String)> {
    let (_, parts) = drawn(seed, split_pair);
    texts(&parts)
}

/// File, line and label of each mistake in `texts`.
fn told(texts: &[(&str, String)]) -> Vec<(String, usize, &'static str)> {
    let Err(errors) = load(texts) else { return Vec::new() };
    errors.into_iter().map(|error| (error.file.clone(), error.line, error.kind.label())).collect()
}

/// The tables that make one with this one, the strongest first, with the index of their file.
fn same_table(parts: &[Part], of: usize, table: usize) -> Vec<(usize, usize)> {
    let sought = &parts[of].file.tables[table];
    let is_list = matches!(sought.doc.occurrence, Occurrence::Many(_));
    let mut same = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        for (index, other) in part.file.tables.iter().enumerate() {
            let is_same = match is_list {
                false => other.doc.name == sought.doc.name,
                true => name_of(other).is_some() && name_of(other) == name_of(sought),
            };
            if (place, index) == (of, table) || is_same {
                same.push((place, index));
            }
        }
    }
    same
}

/// Breaks one of the files in one place. Returns the texts, and the mistakes that are to be told.
#[expect(clippy::type_complexity, reason = "texts and mistakes of a test")]
fn broken_part(
    draw: &mut Draw,
    parts: &[Part],
    damage: Damage,
) -> Option<(Vec<(&'static str, String)>, Vec<(String, usize, &'static str)>)> {
    let of = draw.random.below(parts.len() as u32) as usize;
    let part = &parts[of];
    if part.file.tables.is_empty() {
        return None;
    }
    if damage == Damage::MissingTable {
        let names = ["world", "terrain", "spawn", "combat", "ability"];
        let name = names[draw.random.below(names.len() as u32) as usize];
        let mut rest = parts.to_vec();
        rest.iter_mut().for_each(|part| part.file.tables.retain(|table| table.doc.name != name));
        let first = if matches!(name, "combat" | "ability") { WORLD_FILES.len() } else { 0 };
        return Some((texts(&rest), vec![(parts[first].shown_name(), 0, "missing_table")]));
    }
    let Broken { text, mistakes } = broken(draw, part.file.clone(), damage)?;
    let broken_line = mistakes.last()?.0;
    let table = (0..part.file.tables.len()).rev().find(|table| part.file.heading_line(*table) <= broken_line);
    let table = table.filter(|_| !matches!(damage, Damage::UnknownTable | Damage::WrongBrackets));
    let same = table.map_or(Vec::new(), |table| same_table(parts, of, table));
    let mut expected = Vec::new();
    // Which key is broken: the one whose line says something else now.
    let old = part.file.text();
    let changed = old.lines().zip(text.lines().chain([""])).find(|(old, new)| old != new).map(|(old, _)| old);
    let key = changed.and_then(|line| line.split_once(" = ")).map(|(key, _)| key.to_owned());
    // Without its name it would not be one with the others.
    if key.as_deref() == Some("name") && same.len() > 1 {
        return None;
    }
    for (line, label) in mistakes {
        if label != "missing_key" {
            expected.push((part.shown_name(), line + 1, label));
            continue;
        }
        // Nor is it known here whether its choice is the one that counts.
        let (_, table) = same.iter().find(|(place, _)| *place == of)?;
        let mut own = part.file.tables[*table].lines.iter();
        let depends = own.any(|(known, _)| Some(known.name) == key.as_deref() && known.only_with.is_some());
        if depends && same.len() > 1 {
            return None;
        }
        let elsewhere = same.iter().filter(|(place, _)| *place != of);
        let mut keys = elsewhere.flat_map(|(place, index)| &parts[*place].file.tables[*index].lines);
        if keys.any(|(known, _)| Some(known.name) == key.as_deref()) {
            return None;
        }
        let (place, index) = *same.first()?;
        expected.push((parts[place].shown_name(), parts[place].heading_line(index), label));
    }
    expected.sort();
    let mut all = texts(parts);
    all[of].1 = format!("{}\n{text}", part.first_line);
    Some((all, expected))
}

/// Puts a table into a file, behind its others.
fn append(texts: &mut [(&'static str, String)], file: usize, lines: &str) -> usize {
    let line = texts[file].1.lines().count() + 1;
    texts[file].1.push_str(lines);
    line
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn what_is_split_over_files_or_written_down_means_the_same(seed in any::<u64>()) {
        let (whole, parts) = drawn(seed, split_pair);
        let texts = texts(&parts);
        let split = load(&texts);
        prop_assert!(split.is_ok(), "{:#?}\n{}", split.map_err(|errors| errors.to_string()), shown(&texts));
        let split = split.expect("that was asserted");
        prop_assert_eq!(&split.loaded, &whole.loaded, "{}", shown(&texts));
        for ShownWorld { world_toml, abilities_toml, .. } in [&whole, &split] {
            let abilities_toml = abilities_toml.clone().expect("it has some");
            let again = load(&[("world.toml", world_toml.clone()), ("abilities.toml", abilities_toml)]);
            let again = again.expect("what is written down is right");
            prop_assert_eq!(&again.loaded, &whole.loaded, "{}", world_toml);
        }
        for table in FORMATS[0].tables.iter().filter(|table| !matches!(table.occurrence, Occurrence::Many(_))) {
            for key in table.keys.iter().filter(|key| key.only_with.is_none()) {
                let line = format!("\n{} = ", key.name);
                let is_there = section(&split.world_toml, &table.heading()).contains(&line);
                prop_assert!(is_there, "{} {}", table.heading(), key.name);
            }
        }
        let defaults = split.world_toml.matches("; default\n").count() + split.world_toml.matches("# default\n").count();
        prop_assert_eq!(defaults, whole.world_toml.matches("; default\n").count() + whole.world_toml.matches("# default\n").count());
    }

    #[test]
    fn one_mistake_in_any_file_is_told_in_that_file_at_its_line(
        seed in any::<u64>(),
        damage in prop_oneof![1 => Just(Damage::Twice), 7 => proptest::sample::select(SEEN_DAMAGES)],
    ) {
        let (texts, expected) = drawn(seed, |draw| {
            let (_, parts) = split_pair(draw)?;
            broken_part(draw, &parts, damage)
        });
        let mut found = told(&texts);
        if matches!(damage, Damage::Misspelt | Damage::WrongBrackets) {
            // What counts in the place of what is not there may not go with the rest.
            found.retain(|(_, _, label)| *label != "conflict");
        }
        found.sort();
        prop_assert_eq!(found, expected, "{:?} in\n{}", damage, shown(&texts));
    }

    #[test]
    fn one_include_that_leads_nowhere_or_in_a_circle_is_told_at_its_line(seed in any::<u64>()) {
        let (parts, file, line) = drawn(seed, |draw| {
            let (_, parts) = split_pair(draw)?;
            let file = draw.random.below(parts.len() as u32) as usize;
            let own = parts[file].name.rsplit('/').next()?;
            let line = match draw.random.below(3) {
                // Not itself, but by a file that includes it.
                0 if own == "c.toml" => "include = [\"a.toml\"]".to_owned(),
                0 => format!("include = [\"{own}\"]"),
                1 => "include = [\"gone.toml\"]".to_owned(),
                _ => "include = [\"../../../x.toml\"]".to_owned(),
            };
            Some((parts, file, line))
        });
        let mut texts = texts(&parts);
        texts[file].1 = replace_line(&texts[file].1, 1, Some(&line)) + "\n";
        let label = if line.contains("x.toml") { "bad_text" } else { "file" };
        prop_assert_eq!(told(&texts), [(parts[file].shown_name(), 1, label)], "{}", shown(&texts));
    }

    #[test]
    fn one_rule_that_is_broken_across_files_is_told_in_the_strongest(seed in any::<u64>(), is_leave in any::<bool>()) {
        let (parts, weak, strong) = drawn(seed, |draw| {
            let (_, mut parts) = split_pair(draw)?;
            for part in &mut parts {
                part.file.tables.retain(|table| !table.doc.name.starts_with("interest"));
            }
            let strong = draw.random.below(3) as usize;
            let weak = strong + 1 + draw.random.below(3 - strong as u32) as usize;
            Some((parts, weak, strong))
        });
        let mut texts = texts(&parts);
        append(&mut texts, weak, "[interest]\nenter_radius_m = 11\nleave_radius_m = 12.5\n");
        let own = if is_leave { "leave_radius_m = 11.5" } else { "enter_radius_m = 11.8" };
        let line = append(&mut texts, strong, &format!("[interest]\n{own}\n"));
        let found = told(&texts);
        prop_assert_eq!(found, [(parts[strong].shown_name(), line + 1, "conflict")], "{}", shown(&texts));
        let message = load(&texts).expect_err("it is broken").to_string();
        let place = format!("is written in {}:", parts[weak].shown_name());
        prop_assert!(message.contains(&place), "{}", message);
    }

    #[test]
    fn one_reference_to_what_no_file_has_is_told_at_its_line(seed in any::<u64>()) {
        let (parts, of, line) = drawn(seed, |draw| {
            let (_, mut parts) = split_pair(draw)?;
            // The strongest that names it: what is overridden refers to nothing.
            let names = |part: &Part| {
                let tables = part.file.tables.iter().enumerate().filter(|(_, table)| table.doc.name == "combat");
                let mut places = tables.filter_map(|(index, table)| Some((index, table.lines.iter().position(|(key, _)| key.name == "health")?)));
                places.next_back()
            };
            let of = parts.iter().position(|part| names(part).is_some())?;
            let (table, place) = names(&parts[of])?;
            parts[of].file.tables[table].lines[place].1 = quoted("no-such-attribute");
            let line = parts[of].heading_line(table) + 1 + place;
            Some((parts, of, line))
        });
        let texts = texts(&parts);
        prop_assert_eq!(told(&texts), [(parts[of].shown_name(), line, "conflict")], "{}", shown(&texts));
    }
}

/// What `text` says of a table that is there once.
fn section<'t>(text: &'t str, heading: &str) -> &'t str {
    let start = text.find(&format!("\n{heading}\n")).map_or(text.len(), |at| at + 1);
    let end = text[start..].find("\n\n").map_or(text.len(), |length| start + length);
    &text[start..end]
}

/// All files, for a message.
fn shown(texts: &[(&str, String)]) -> String {
    texts.iter().map(|(name, text)| format!("--- {name}\n{text}\n")).collect()
}
