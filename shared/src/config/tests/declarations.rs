//! The readers accept what they declare, and refuse everything else at its line.

use proptest::prelude::*;

use super::drawn_file::{Draw, DrawnFile, FORMATS, Format, quoted};
use crate::config::reader::{KeyDoc, Shape, Unwritten};

/// One way to break a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    OutOfRange,
    WrongType,
    Misspelt,
    Twice,
    UnknownTable,
}

const DAMAGES: &[Damage] =
    &[Damage::OutOfRange, Damage::WrongType, Damage::Misspelt, Damage::Twice, Damage::UnknownTable];

/// A broken file, and what is wrong with it.
pub(super) struct Broken {
    pub(super) text: String,
    /// Each with its line.
    pub(super) mistakes: Vec<(usize, &'static str)>,
}

/// Breaks `file` in one place. `None` if it has none that can be broken so.
pub(super) fn broken(draw: &mut Draw, file: &DrawnFile, damage: Damage) -> Option<Broken> {
    if damage == Damage::UnknownTable {
        let line = file.text().lines().count() + 1;
        let text = format!("{}[no_such_table]\nkey = 1\n", file.text());
        return Some(Broken { text, mistakes: vec![(line, "unknown_table")] });
    }
    let places: Vec<(usize, usize)> = (0..file.tables.len())
        .flat_map(|table| (0..file.tables[table].lines.len()).map(move |place| (table, place)))
        .collect();
    let (table, place) = *places.get(draw.random.below(places.len() as u32) as usize)?;
    let (key, value) = &file.tables[table].lines[place];
    let heading_line = file.heading_line(table);
    let line = heading_line + 1 + place;
    let decides = file.tables[table].doc.keys.iter().any(|other| other.only_with.is_some_and(|it| it.key == key.name));
    let (written, mistakes) = match damage {
        Damage::OutOfRange => {
            let (value, label) = out_of_range(draw, &key.shape)?;
            (format!("{} = {value}", key.name), vec![(line, label)])
        }
        Damage::WrongType => (format!("{} = {}", key.name, of_another_type(draw, key)), vec![(line, "wrong_type")]),
        // Without it, those that depend on it would be wrong too.
        Damage::Misspelt if decides => return None,
        Damage::Misspelt => {
            let missing = matches!(key.unwritten, Unwritten::Refused).then_some((heading_line, "missing_key"));
            let mistakes = missing.into_iter().chain([(line, "unknown_key")]).collect();
            (format!("{}_x = {value}", key.name), mistakes)
        }
        Damage::Twice => {
            let again = format!("{} = {value}", key.name);
            (format!("{again}\n{again}"), vec![(line + 1, "duplicate")])
        }
        Damage::UnknownTable => return None,
    };
    let text = file.text();
    let lines: Vec<&str> =
        text.lines().enumerate().map(|(index, it)| if index + 1 == line { &written } else { it }).collect();
    Some(Broken { text: lines.join("\n"), mistakes })
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
        damage in proptest::sample::select(DAMAGES),
    ) {
        let Broken { text, mistakes } = drawn(seed, |draw| {
            let file = draw.file(format(index))?;
            broken(draw, &file, damage)
        });
        let mut told = format(index).mistakes(&text);
        if damage == Damage::Misspelt {
            // The default of a key that is not there may not go with the others.
            told.retain(|(_, label)| *label != "conflict");
        }
        prop_assert_eq!(told, mistakes, "{:?} in\n{}", damage, text);
    }
}
