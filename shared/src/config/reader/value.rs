//! What a key can hold: each kind of value reads itself from TOML, refuses what it does not accept, and describes
//! itself for error messages, for the reference page and for the schema.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

use super::shape::Shape;
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

    /// What is accepted, as data.
    fn shape(&self) -> Shape;

    /// `value` as people are told of it.
    fn show(&self, value: &Self::Value) -> String;

    /// `value` as a file writes it: what is read of that is equal.
    fn spell(&self, value: &Self::Value) -> String {
        self.show(value)
    }

    /// Such as `m/s`; empty when there is none.
    fn unit(&self) -> &'static str {
        ""
    }

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
            DeValue::Integer(integer) => {
                i128::from_str_radix(integer.as_str(), integer.radix()).map_or(f32::INFINITY, |integer| integer as f32)
            }
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

    fn shape(&self) -> Shape {
        Shape::Number { min: self.min, max: self.max }
    }

    fn show(&self, value: &f32) -> String {
        value.to_string()
    }

    /// Always with a decimal point.
    fn spell(&self, value: &f32) -> String {
        let shown = value.to_string();
        if shown.contains('.') { shown } else { format!("{shown}.0") }
    }

    fn unit(&self) -> &'static str {
        self.unit
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

impl<T: Copy + PartialOrd + ToString + TryFrom<i128> + Into<i128>> Kind for Whole<T> {
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

    fn shape(&self) -> Shape {
        Shape::Whole { min: self.min.into(), max: self.max.into() }
    }

    fn show(&self, value: &T) -> String {
        value.to_string()
    }

    fn unit(&self) -> &'static str {
        self.unit
    }

    fn fallback(&self) -> T {
        self.min
    }
}

/// `true` or `false`.
#[derive(Clone, Copy)]
pub(in crate::config) struct Truth;

impl Kind for Truth {
    type Value = bool;

    fn read(&self, value: &Written<'_>, refusals: &mut Vec<Refusal>) -> Option<bool> {
        let meant = match value.get_ref() {
            DeValue::Boolean(truth) => return Some(*truth),
            DeValue::String(text) => truth_meant(text.trim()),
            DeValue::Integer(integer) => truth_meant(integer.as_str()),
            _ => None,
        };
        let refusal = Refusal::wrong_type(value, "true or false");
        refusals.push(match meant {
            Some(meant) => refusal.suggest(format!("write {meant}, without quotes")),
            None => refusal,
        });
        None
    }

    fn accepted(&self) -> String {
        "true or false".to_owned()
    }

    fn shape(&self) -> Shape {
        Shape::Truth
    }

    fn show(&self, value: &bool) -> String {
        value.to_string()
    }

    fn fallback(&self) -> bool {
        false
    }
}

/// The truth value that somebody means with `word`.
pub(super) fn truth_meant(word: &str) -> Option<bool> {
    match word.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
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
