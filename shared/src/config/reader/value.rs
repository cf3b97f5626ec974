//! What a key can hold: each kind of value reads itself from TOML, refuses what it does not accept, and describes
//! itself for error messages and for the reference page.

use std::ops::Range;

use glam::Vec2;
use toml::Spanned;
use toml::de::DeValue;

use crate::config::error::ConfigErrorKind;

/// A value as the TOML parser hands it over, with its place in the text.
pub(in crate::config) type Written<'t> = Spanned<DeValue<'t>>;

/// Why a value is not accepted.
pub(in crate::config) struct Refusal {
    pub(super) span: Range<usize>,
    /// Which element of the value is meant, such as `[3]`; empty for the value itself.
    pub(super) element: String,
    pub(super) kind: ConfigErrorKind,
    /// What the element should be; `None` when that is what the key accepts.
    pub(super) accepted: Option<String>,
    pub(super) suggestion: Option<String>,
}

impl Refusal {
    pub(super) fn new(value: &Written<'_>, kind: ConfigErrorKind) -> Self {
        Self { span: value.span(), element: String::new(), kind, accepted: None, suggestion: None }
    }

    pub(super) fn wrong_type(value: &Written<'_>, wanted: &'static str) -> Self {
        Self::new(value, ConfigErrorKind::WrongType { found: found(value.get_ref()), wanted })
    }

    pub(super) fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }
}

/// One kind of value.
pub(in crate::config) trait Kind {
    /// What the value is in Rust.
    type Value;

    /// Reads `value`. When something is wrong with it, adds to `refusals` and returns `None`.
    fn read(&self, value: &Written<'_>, refusals: &mut Vec<Refusal>) -> Option<Self::Value>;

    /// What is accepted, for people.
    fn accepted(&self) -> String;

    /// `value` as it would be written.
    fn show(&self, value: &Self::Value) -> String;

    /// Some accepted value, to go on with after a refusal.
    fn fallback(&self) -> Self::Value;
}

/// A number from `min` to `max`, both included.
#[derive(Clone, Copy)]
pub(in crate::config) struct Number {
    min: f32,
    max: f32,
    unit: &'static str,
}

/// A number from `min` to `max`, both included; `unit` may be empty.
pub(in crate::config) const fn number(min: f32, max: f32, unit: &'static str) -> Number {
    Number { min, max, unit }
}

impl Kind for Number {
    type Value = f32;

    fn read(&self, value: &Written<'_>, refusals: &mut Vec<Refusal>) -> Option<f32> {
        let number = match value.get_ref() {
            DeValue::Float(float) => float.as_str().parse::<f32>().unwrap_or(f32::NAN),
            DeValue::Integer(integer) => i128::from_str_radix(integer.as_str(), integer.radix())
                .map_or(f32::INFINITY, |integer| integer as f32),
            other => {
                let refusal = Refusal::wrong_type(value, "a number");
                refusals.push(match other.as_str() {
                    Some(text) if text.trim().parse::<f32>().is_ok() => refusal.suggest("leave out the quotes"),
                    _ => refusal,
                });
                return None;
            }
        };
        if (self.min..=self.max).contains(&number) {
            // Minus zero would be a second way to write zero.
            return Some(number + 0.0);
        }
        let spelled_out = matches!(value.get_ref(), DeValue::Float(float) if float.as_str().contains(['n', 'i']));
        let kind = if spelled_out { ConfigErrorKind::NotFinite } else { ConfigErrorKind::OutOfRange };
        refusals.push(Refusal::new(value, kind));
        None
    }

    fn accepted(&self) -> String {
        with_unit(format!("{} to {}", self.min, self.max), self.unit)
    }

    fn show(&self, value: &f32) -> String {
        value.to_string()
    }

    fn fallback(&self) -> f32 {
        self.min
    }
}

/// A whole number from `min` to `max`, both included.
#[derive(Clone, Copy)]
pub(in crate::config) struct Whole<T> {
    min: T,
    max: T,
    unit: &'static str,
}

/// A whole number from `min` to `max`, both included; `unit` may be empty.
pub(in crate::config) const fn whole<T>(min: T, max: T, unit: &'static str) -> Whole<T> {
    Whole { min, max, unit }
}

impl<T: Copy + PartialOrd + ToString + TryFrom<i128>> Kind for Whole<T> {
    type Value = T;

    fn read(&self, value: &Written<'_>, refusals: &mut Vec<Refusal>) -> Option<T> {
        let DeValue::Integer(integer) = value.get_ref() else {
            let refusal = Refusal::wrong_type(value, "a whole number");
            refusals.push(match value.get_ref() {
                DeValue::Float(_) => refusal.suggest("write it without a decimal point"),
                DeValue::String(text) if text.trim().parse::<i64>().is_ok() => refusal.suggest("leave out the quotes"),
                _ => refusal,
            });
            return None;
        };
        let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number = number.and_then(|number| T::try_from(number).ok());
        let number = number.filter(|number| (self.min..=self.max).contains(number));
        if number.is_none() {
            refusals.push(Refusal::new(value, ConfigErrorKind::OutOfRange));
        }
        number
    }

    fn accepted(&self) -> String {
        with_unit(format!("{} to {}", self.min.to_string(), self.max.to_string()), self.unit)
    }

    fn show(&self, value: &T) -> String {
        value.to_string()
    }

    fn fallback(&self) -> T {
        self.min
    }
}

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

    fn show(&self, value: &Vec2) -> String {
        format!("[{}, {}]", value.x, value.y)
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

    fn show(&self, value: &Vec<Vec2>) -> String {
        let points: Vec<_> = value.iter().map(|point| self.pair.show(point)).collect();
        format!("[{}]", points.join(", "))
    }

    fn fallback(&self) -> Vec<Vec2> {
        vec![Vec2::ZERO; self.count_min]
    }
}

/// Reads element `index` of a list; what is refused then says which element it was.
fn read_element<K: Kind>(kind: &K, index: usize, value: &Written<'_>, refusals: &mut Vec<Refusal>) -> Option<K::Value> {
    let before = refusals.len();
    let read = kind.read(value, refusals);
    for refusal in &mut refusals[before..] {
        refusal.element = format!("[{}]{}", index + 1, refusal.element);
        refusal.accepted.get_or_insert_with(|| kind.accepted());
    }
    read
}

/// Adds the unit, if there is one.
fn with_unit(range: String, unit: &str) -> String {
    if unit.is_empty() { range } else { format!("{range} {unit}") }
}

/// What a value is, in words for people who do not know TOML.
pub(super) fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a decimal point",
        DeValue::Boolean(_) => "a truth value",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
