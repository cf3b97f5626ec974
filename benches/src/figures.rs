//! Flat figures under stable names: a table for people, JSON for programs.

use std::path::Path;

use anyhow::Context;
use serde_json::{Map, Value, json};

use crate::machine;

/// What a workload has measured.
#[derive(Debug)]
pub(crate) struct Report {
    workload: &'static str,
    parameters: Value,
    figures: Vec<(String, f64)>,
}

impl Report {
    /// No figures yet. `parameters` say what was run.
    pub(crate) fn new(workload: &'static str, parameters: Value) -> Report {
        Report { workload, parameters, figures: Vec::new() }
    }

    /// Adds a figure. The name says the unit.
    pub(crate) fn add(&mut self, name: impl Into<String>, value: f64) {
        self.figures.push((name.into(), value));
    }

    /// Prints the table, and writes the JSON if it is wanted.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn finish(&self, json_file: Option<&Path>) -> anyhow::Result<()> {
        println!("{} {}", self.workload, self.parameters);
        let width = self.figures.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in &self.figures {
            println!("  {name:<width$}  {:>14}", shown(*value));
        }
        let Some(file) = json_file else { return Ok(()) };
        let figures: Map<String, Value> =
            self.figures.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let report = json!({
            "workload": self.workload,
            "machine": machine::describe(),
            "parameters": self.parameters,
            "figures": figures,
        });
        let text = serde_json::to_string_pretty(&report)? + "\n";
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
    }
}

/// Whole numbers whole, others with four digits or so.
fn shown(value: f64) -> String {
    match value.abs() {
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 1_000.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}
