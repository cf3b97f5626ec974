//! Kinds of values that are written as lists: points, lists of points, lists of words.

use glam::Vec2;
use toml::de::DeValue;

use super::shape::Shape;
use super::text::{Name, Word};
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

/// A list of [`Word`]s or [`Name`]s.
#[derive(Clone, Copy)]
pub(in crate::config) struct Texts<K> {
    kind: K,
    /// What one is called.
    what: &'static str,
    count_max: usize,
}

/// A list of 1 to `count_max` words.
pub(in crate::config) const fn words(count_max: usize) -> Texts<Word> {
    Texts { kind: Word, what: "word", count_max }
}

/// A list of 1 to `count_max` names.
pub(in crate::config) const fn names(count_max: usize) -> Texts<Name> {
    Texts { kind: Name, what: "name", count_max }
}

impl<K: Kind<Value = String>> Kind for Texts<K> {
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
        let read = |(index, element)| read_element(&self.kind, index, element, refusals);
        let words: Vec<_> = elements.iter().enumerate().map(read).collect();
        words.into_iter().collect()
    }

    fn accepted(&self) -> String {
        let Texts { kind, what, count_max } = self;
        format!("[{what}, {what}, …], 1 to {count_max} {what}s, each {}", kind.accepted())
    }

    fn shape(&self) -> Shape {
        Shape::List { element: Box::new(self.kind.shape()), count_min: 1, count_max: self.count_max }
    }

    fn show(&self, value: &Vec<String>) -> String {
        let words: Vec<_> = value.iter().map(|word| self.kind.show(word)).collect();
        format!("[{}]", words.join(", "))
    }

    fn fallback(&self) -> Vec<String> {
        vec![self.kind.fallback()]
    }
}

/// A list of [`Number`]s.
#[derive(Clone, Copy)]
pub(in crate::config) struct Numbers {
    number: Number,
    count_min: usize,
    count_max: usize,
}

/// A list of `count_min` to `count_max` numbers.
pub(in crate::config) const fn numbers(number: Number, count_min: usize, count_max: usize) -> Numbers {
    Numbers { number, count_min, count_max }
}

impl Kind for Numbers {
    type Value = Vec<f32>;

    fn read(&self, value: &Written<'_>, refusals: &mut Vec<Refusal>) -> Option<Vec<f32>> {
        let DeValue::Array(elements) = value.get_ref() else {
            let refusal = Refusal::wrong_type(value, "a list of numbers");
            refusals.push(refusal.suggest("put the numbers in brackets: [1, 2]"));
            return None;
        };
        if !(self.count_min..=self.count_max).contains(&elements.len()) {
            refusals.push(Refusal::new(value, ConfigErrorKind::WrongLength { count: elements.len() }));
            return None;
        }
        let read = |(index, element)| read_element(&self.number, index, element, refusals);
        let numbers: Vec<_> = elements.iter().enumerate().map(read).collect();
        numbers.into_iter().collect()
    }

    fn accepted(&self) -> String {
        let (count_min, count_max) = (self.count_min, self.count_max);
        format!("[number, number, …], {count_min} to {count_max} numbers, each {}", self.number.accepted())
    }

    fn shape(&self) -> Shape {
        let element = Box::new(self.number.shape());
        Shape::List { element, count_min: self.count_min, count_max: self.count_max }
    }

    fn show(&self, value: &Vec<f32>) -> String {
        let numbers: Vec<_> = value.iter().map(|number| self.number.show(number)).collect();
        format!("[{}]", numbers.join(", "))
    }

    fn spell(&self, value: &Vec<f32>) -> String {
        let numbers: Vec<_> = value.iter().map(|number| self.number.spell(number)).collect();
        format!("[{}]", numbers.join(", "))
    }

    fn unit(&self) -> &'static str {
        self.number.unit()
    }

    fn fallback(&self) -> Vec<f32> {
        vec![self.number.fallback(); self.count_min]
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
