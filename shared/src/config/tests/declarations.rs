//! The readers accept what they declare, and refuse everything else at its line.

use proptest::prelude::*;

use super::drawn_file::{Draw, DrawnFile, DrawnTable, FORMATS, Format, quoted};
use crate::config::reader::{KeyDoc, Occurrence, Shape, Unwritten};

/// One way to break a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    OutOfRange,
    WrongType,
    Misspelt,
    Missing,
    Twice,
    UnknownTable,
    MissingTable,
    WrongBrackets,
}

/// All but keys that are written twice: with those a file is no TOML, and no schema sees it.
pub(super) const SEEN_DAMAGES: &[Damage] = &[
    Damage::OutOfRange,
    Damage::WrongType,
    Damage::Misspelt,
    Damage::Missing,
    Damage::UnknownTable,
    Damage::MissingTable,
    Damage::WrongBrackets,
];

/// A broken file, and what is wrong with it.
pub(super) struct Broken {
    pub(super) text: String,
    /// Each with its line.
    pub(super) mistakes: Vec<(usize, &'static str)>,
}

/// Breaks `file` in one place. `None` if it has none that can be broken so.
pub(super) fn broken(draw: &mut Draw, mut file: DrawnFile, damage: Damage) -> Option<Broken> {
    let index = draw.random.below(file.tables.len() as u32) as usize;
    let doc = file.tables.get(index)?.doc;
    let heading_line = file.heading_line(index);
    match damage {
        Damage::UnknownTable => {
            let line = file.text().lines().count() + 1;
            let text = format!("{}[no_such_table]\nkey = 1\n", file.text());
            Some(Broken { text, mistakes: vec![(line, "unknown_table")] })
        }
        Damage::MissingTable => {
            let may_be_missing = match &doc.occurrence {
                Occurrence::Required => false,
                Occurrence::Optional => true,
                Occurrence::Many(counts) => *counts.start() == 0,
            };
            file.tables.retain(|table| table.doc.name != doc.name);
            (!may_be_missing).then(|| Broken { text: file.text(), mistakes: vec![(0, "missing_table")] })
        }
        Damage::WrongBrackets => {
            let is_alone = file.tables.iter().filter(|table| table.doc.name == doc.name).count() == 1;
            let (right, name) = (doc.heading(), doc.name);
            let wrong = if right.starts_with("[[") { format!("[{name}]") } else { format!("[[{name}]]") };
            let text = replace_line(&file.text(), heading_line, Some(&wrong));
            is_alone.then(|| Broken { text, mistakes: vec![(heading_line, "wrong_brackets")] })
        }
        _ => broken_key(draw, &file, index, damage),
    }
}

/// Settings have no table that must be there.
pub(super) fn can_be_broken(index: usize, damage: Damage) -> bool {
    (index, damage) != (2, Damage::MissingTable)
}

/// Breaks a key of a table.
fn broken_key(draw: &mut Draw, file: &DrawnFile, table: usize, damage: Damage) -> Option<Broken> {
    let heading_line = file.heading_line(table);
    let DrawnTable { doc, lines } = &file.tables[table];
    let place = draw.random.below(lines.len() as u32) as usize;
    let (key, value) = lines.get(place)?;
    let line = heading_line + 1 + place;
    let is_required = matches!(key.unwritten, Unwritten::Refused);
    let decides = doc.keys.iter().any(|other| other.only_with.is_some_and(|it| it.key == key.name));
    let (written, mistakes) = match damage {
        Damage::OutOfRange => {
            let (value, label) = out_of_range(draw, &key.shape)?;
            (Some(format!("{} = {value}", key.name)), vec![(line, label)])
        }
        Damage::WrongType => {
            (Some(format!("{} = {}", key.name, of_another_type(draw, key))), vec![(line, "wrong_type")])
        }
        // Without it, those that depend on it would be wrong too.
        Damage::Misspelt if decides => return None,
        Damage::Misspelt => {
            let missing = is_required.then_some((heading_line, "missing_key"));
            let mistakes = missing.into_iter().chain([(line, "unknown_key")]).collect();
            (Some(format!("{}_x = {value}", key.name)), mistakes)
        }
        Damage::Missing if is_required => (None, vec![(heading_line, "missing_key")]),
        Damage::Twice => {
            let again = format!("{} = {value}", key.name);
            (Some(format!("{again}\n{again}")), vec![(line + 1, "duplicate")])
        }
        _ => return None,
    };
    Some(Broken { text: replace_line(&file.text(), line, written.as_deref()), mistakes })
}

/// `text` with another line, or none, in the place of this one.
pub(super) fn replace_line(text: &str, line: usize, by: Option<&str>) -> String {
    let lines = text.lines().enumerate();
    let lines: Vec<&str> = lines.filter_map(|(index, old)| if index + 1 == line { by } else { Some(old) }).collect();
    lines.join("\n")
}

/// A value of the right type that is not accepted, with the label of the mistake.
fn out_of_range(draw: &mut Draw, shape: &Shape) -> Option<(String, &'static str)> {
    let is_above = draw.random.percent(50.0);
    match shape {
        Shape::Number { min, max } => {
            let by = draw.random.between(0.01, 10.0);
            let number = if is_above { max + max.abs() * 0.01 + by } else { min - min.abs() * 0.01 - by };
            Some((number.to_string(), "out_of_range"))
        }
        Shape::Whole { min, max } => {
            let number = if is_above { max + 1 } else { min - 1 };
            Some((number.to_string(), "out_of_range"))
        }
        Shape::Truth => None,
        Shape::Text { chars_max: Some(chars_max), .. } if is_above => {
            Some((quoted(&"a".repeat(chars_max + 1)), "bad_text"))
        }
        Shape::Text { .. } => Some((quoted(["", "~\u{7}", " a"][draw.random.below(3) as usize]), "bad_text")),
        Shape::OneOf(_) => Some((quoted("no-such-word"), "unknown_choice")),
        Shape::List { element, count_min, count_max } => {
            let sound = draw.value(element);
            let (count, label) = match draw.random.below(3) {
                0 => (count_max + 1, "wrong_length"),
                1 => (count_min - 1, "wrong_length"),
                _ => {
                    let (refused, label) = out_of_range(draw, element)?;
                    let mut elements = vec![sound; count_min - 1];
                    elements.push(refused);
                    return Some((format!("[{}]", elements.join(", ")), label));
                }
            };
            let elements = vec![sound; count];
            Some((format!("[{}]", elements.join(", ")), label))
        }
    }
}

fn of_another_type(draw: &mut Draw, key: &KeyDoc) -> &'static str {
    let others: &[&str] = match key.shape {
        Shape::Number { .. } => &["\"5\"", "true", "[5]", "{}"],
        Shape::Whole { .. } => &["\"5\"", "5.5", "true", "[5]", "{}"],
        Shape::Truth => &["\"true\"", "1", "[true]", "{}"],
        Shape::Text { .. } | Shape::OneOf(_) => &["5", "5.5", "true", "[\"a\"]", "{}"],
        Shape::List { .. } => &["5", "\"a\"", "true", "{}"],
    };
    others[draw.random.below(others.len() as u32) as usize]
}

/// Draws until something comes of it: most files have a place for each damage, and keep the rules soon.
pub(super) fn drawn<T>(seed: u64, draw_one: impl Fn(&mut Draw) -> Option<T>) -> T {
    let mut draw = Draw::new(seed);
    (0..100).find_map(|_| draw_one(&mut draw)).expect("one in a hundred")
}

fn format(index: usize) -> &'static Format {
    &FORMATS[index]
}

proptest! {
    #[test]
    fn whatever_is_declared_is_accepted(seed in any::<u64>(), index in 0..3_usize) {
        let file = drawn(seed, |draw| draw.file(format(index)));
        prop_assert_eq!(format(index).mistakes(&file.text()), []);
    }

    #[test]
    fn one_mistake_is_told_once_and_at_its_line(
        seed in any::<u64>(),
        index in 0..3_usize,
        damage in prop_oneof![1 => Just(Damage::Twice), 7 => proptest::sample::select(SEEN_DAMAGES)],
    ) {
        prop_assume!(can_be_broken(index, damage));
        let Broken { text, mistakes } = drawn(seed, |draw| {
            let file = draw.file(format(index))?;
            broken(draw, file, damage)
        });
        let mut told = format(index).mistakes(&text);
        if matches!(damage, Damage::Misspelt | Damage::WrongBrackets) {
            // The defaults of what is not there may not go with the rest.
            told.retain(|(_, label)| *label != "conflict");
        }
        prop_assert_eq!(told, mistakes, "{:?} in\n{}", damage, text);
    }
}
