//! Kinds of values that are written as lists: points, lists of points, lists of words.

use glam::Vec2;
use toml::de::DeValue;

use super::shape::Shape;
use super::text::Word;
use super::value::{Kind, Number, Refusal, Written, number};
use crate::config::error::ConfigErrorKind;

/// `[x, z]`: two numbers along the ground's axes.
#[derive(Clone, Copy)]
pub(in crate::config) struct Pair(Number);

/// `[x, z]`, each number from `min` to `max`.
pub(in crate::config) const fn pair(min: f32, max: f32, unit: &'static str) -> Pair {
    Pair(number(min, max, unit))
}

impl Kind for Pair {
    type Value = Vec2;

    fn read(&self, value: &Written<'_>, refusals: &mut Vec<Refusal>) -> Option<Vec2> {
        let DeValue::Array(elements) = value.get_ref() else {
            refusals.push(Refusal::wrong_type(value, "a list of two numbers"));
            return None;
        };
        if elements.len() != 2 {
            let refusal = Refusal::new(value, ConfigErrorKind::WrongLength { count: elements.len() });
            refusals.push(match elements.len() {
                3 => refusal.suggest("write x and z only: the height comes from the ground"),
                _ => refusal,
            });
            return None;
        }
        let mut read = |index: usize| read_element(&self.0, index, elements.get(index)?, refusals);
        let (x, z) = (read(0), read(1));
        Some(Vec2::new(x?, z?))
    }

    fn accepted(&self) -> String {
        format!("[x, z], each {}", self.0.accepted())
    }

    fn shape(&self) -> Shape {
        Shape::List { element: Box::new(self.0.shape()), count_min: 2, count_max: 2 }
    }

    fn show(&self, value: &Vec2) -> String {
        format!("[{}, {}]", value.x, value.y)
    }

    fn spell(&self, value: &Vec2) -> String {
        format!("[{}, {}]", self.0.spell(&value.x), self.0.spell(&value.y))
    }

    fn unit(&self) -> &'static str {
        self.0.unit()
    }

    fn fallback(&self) -> Vec2 {
        Vec2::splat(self.0.fallback())
    }
}

/// A list of [`Pair`]s.
#[derive(Clone, Copy)]
pub(in crate::config) struct Pairs {
    pair: Pair,
    count_min: usize,
    count_max: usize,
}

/// A list of `count_min` to `count_max` pairs.
pub(in crate::config) const fn pairs(pair: Pair, count_min: usize, count_max: usize) -> Pairs {
    Pairs { pair, count_min, count_max }
}

impl Kind for Pairs {
    type Value = Vec<Vec2>;

    fn read(&self, value: &Written<'_>, refusals: &mut Vec<Refusal>) -> Option<Vec<Vec2>> {
        let DeValue::Array(elements) = value.get_ref() else {
            refusals.push(Refusal::wrong_type(value, "a list of points"));
            return None;
        };
        let count = elements.len();
        if count == 2 && elements.iter().all(|element| element.get_ref().as_array().is_none()) {
            let kind = ConfigErrorKind::WrongType { found: "one point", wanted: "a list of points" };
            refusals.push(Refusal::new(value, kind).suggest("give each point its own brackets: [[x, z], [x, z]]"));
            return None;
        }
        if !(self.count_min..=self.count_max).contains(&count) {
            refusals.push(Refusal::new(value, ConfigErrorKind::WrongLength { count }));
            return None;
        }
        let read = |(index, element)| read_element(&self.pair, index, element, refusals);
        let points: Vec<_> = elements.iter().enumerate().map(read).collect();
        points.into_iter().collect()
    }

    fn accepted(&self) -> String {
        let (count_min, count_max) = (self.count_min, self.count_max);
        format!("[[x, z], [x, z], …], {count_min} to {count_max} points, each number {}", self.pair.0.accepted())
    }

    fn shape(&self) -> Shape {
        let element = Box::new(self.pair.shape());
        Shape::List { element, count_min: self.count_min, count_max: self.count_max }
    }

    fn show(&self, value: &Vec<Vec2>) -> String {
        let points: Vec<_> = value.iter().map(|point| self.pair.show(point)).collect();
        format!("[{}]", points.join(", "))
    }

    fn spell(&self, value: &Vec<Vec2>) -> String {
        let points: Vec<_> = value.iter().map(|point| self.pair.spell(point)).collect();
        format!("[{}]", points.join(", "))
    }

    fn unit(&self) -> &'static str {
        self.pair.unit()
    }

    fn fallback(&self) -> Vec<Vec2> {
        vec![Vec2::ZERO; self.count_min]
    }
}

/// A list of [`Word`]s.
#[derive(Clone, Copy)]
pub(in crate::config) struct Words {
    count_max: usize,
}

/// A list of 1 to `count_max` words.
pub(in crate::config) const fn words(count_max: usize) -> Words {
    Words { count_max }
}

impl Kind for Words {
    type Value = Vec<String>;

    fn read(&self, value: &Written<'_>, refusals: &mut Vec<Refusal>) -> Option<Vec<String>> {
        let DeValue::Array(elements) = value.get_ref() else {
            let refusal = Refusal::wrong_type(value, "a list of words");
            refusals.push(refusal.suggest("put the words in brackets: [\"one\", \"two\"]"));
            return None;
        };
        if !(1..=self.count_max).contains(&elements.len()) {
            refusals.push(Refusal::new(value, ConfigErrorKind::WrongLength { count: elements.len() }));
            return None;
        }
        let read = |(index, element)| read_element(&Word, index, element, refusals);
        let words: Vec<_> = elements.iter().enumerate().map(read).collect();
        words.into_iter().collect()
    }

    fn accepted(&self) -> String {
        format!("[word, word, …], 1 to {} words, each {}", self.count_max, Word.accepted())
    }

    fn shape(&self) -> Shape {
        Shape::List { element: Box::new(Word.shape()), count_min: 1, count_max: self.count_max }
    }

    fn show(&self, value: &Vec<String>) -> String {
        let words: Vec<_> = value.iter().map(|word| Word.show(word)).collect();
        format!("[{}]", words.join(", "))
    }

    fn fallback(&self) -> Vec<String> {
        vec![Word.fallback()]
    }
}

/// Reads element `index` of a list; what is refused then says which element it was.
pub(super) fn read_element<K: Kind>(
    kind: &K,
    index: usize,
    value: &Written<'_>,
    refusals: &mut Vec<Refusal>,
) -> Option<K::Value> {
    let before = refusals.len();
    let read = kind.read(value, refusals);
    for refusal in &mut refusals[before..] {
        refusal.element = format!("[{}]{}", index + 1, refusal.element);
        refusal.accepted.get_or_insert_with(|| kind.accepted());
    }
    read
}
