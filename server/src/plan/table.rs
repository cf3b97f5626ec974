//! What was found out, for people and for programs.

use std::fmt;

use serde_json::{Value, json};

use super::{Figures, Prediction, Way};

/// A row: its name, its unit, the figure, and digits after the point.
type Row = (&'static str, &'static str, fn(&Figures) -> f64, usize);

const ROWS: [Row; 12] = [
    ("tick time, median", "ms", |f| f.tick_ms_p50, 3),
    ("tick time, p99", "ms", |f| f.tick_ms_p99, 3),
    ("down, payload", "bytes/s per client", |f| f.client_bytes_per_s, 0),
    ("  of it snapshots", "bytes/s per client", |f| f.client_snapshot_bytes_per_s, 0),
    ("down, on the wire", "bytes/s per client", |f| f.client_wire_bytes_per_s, 0),
    ("down", "datagrams/s per client", |f| f.client_datagrams_per_s, 2),
    ("seen", "others per client", |f| f.seen_mean, 1),
    ("interest churn", "enters+leaves/s per client", |f| f.churn_per_client_s, 2),
    ("people", "characters", |f| f.people_mean, 1),
    ("bots", "characters", |f| f.bots_mean, 1),
    ("kills", "per minute", |f| f.kills_per_min, 1),
    ("overload rung, highest", "", |f| f64::from(f.rung_max), 0),
];

/// Changes below this are called none, in percent: they would be written as such.
const NO_CHANGE_PERCENT: f64 = 0.05;

impl Prediction {
    /// The figures under their stable names, with the changes in percent; null where there was nothing before.
    pub fn to_json(&self) -> Value {
        let (old, new) = (json!(self.old), json!(self.new));
        let names = old.as_object().into_iter().flatten().map(|(name, _)| name);
        let change = |name: &String| change_percent(old[name].as_f64()?, new[name].as_f64()?);
        let changes: serde_json::Map<String, Value> = names.map(|name| (name.clone(), json!(change(name)))).collect();
        json!({
            "clients": self.options.people,
            "seconds": self.options.measured.as_secs_f64(),
            "warm_up_seconds": self.options.warm_up.as_secs_f64(),
            "seed": self.options.seed,
            "is_live": self.way == Way::Live,
            "needs_restart": self.fixed,
            "old": old,
            "new": new,
            "change_percent": changes,
        })
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.fixed.is_empty() {
            notes.push(format!(
                "only a restart brings it into force; what cannot change live: {}",
                self.fixed.join("; ")
            ));
        } else if self.way == Way::Live {
            notes.push(
                "a running server can take it over, and the new figures are of a world that has done so".to_owned(),
            );
        } else {
            notes.push("a running server could take it over; the new figures are of one that was restarted".to_owned());
        }
        for (name, figures) in [("old", &self.old), ("new", &self.new)] {
            if figures.rung_max > 0 {
                let text =
                    "files were too much for this machine: something gave way, and the other figures are of that";
                notes.push(format!("the {name} {text}"));
            }
        }
        notes.push("tick times are of this machine, with the people on it; both worlds took turns".to_owned());
        notes
    }
}

/// The change from one figure to another; none where there was nothing before and is something now.
fn change_percent(old: f64, new: f64) -> Option<f64> {
    match old {
        _ if old == new => Some(0.0),
        0.0 => None,
        _ => Some(100.0 * (new - old) / old),
    }
}

impl fmt::Display for Prediction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (people, seconds) = (self.options.people, self.options.measured.as_secs());
        writeln!(formatter, "{people} people for {seconds} s, seed {}", self.options.seed)?;
        writeln!(formatter, "{:<24}{:<28}{:>12}{:>12}{:>10}", "", "", "old", "new", "change")?;
        for (name, unit, figure, digits) in ROWS {
            let (old, new) = (figure(&self.old), figure(&self.new));
            let change = match change_percent(old, new) {
                None => "new".to_owned(),
                Some(percent) if percent.abs() < NO_CHANGE_PERCENT => "=".to_owned(),
                Some(percent) => format!("{percent:+.1} %"),
            };
            writeln!(formatter, "{name:<24}{unit:<28}{old:>12.digits$}{new:>12.digits$}{change:>10}")?;
        }
        let notes: Vec<String> = self.notes().into_iter().map(|note| format!("note: {note}")).collect();
        write!(formatter, "{}", notes.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use throng_shared::link::LinkConditions;

    use super::*;
    use crate::plan::PlanOptions;

    fn prediction(way: Way, fixed: Vec<&'static str>) -> Prediction {
        let options = PlanOptions {
            people: 20,
            warm_up: Duration::ZERO,
            measured: Duration::from_secs(60),
            seed: 7,
            link: LinkConditions::default(),
            is_restart: false,
        };
        let old = Figures { client_bytes_per_s: 10_000.0, people_mean: 20.0, tick_ms_p99: 2.5, ..Figures::default() };
        let new = Figures { client_bytes_per_s: 15_000.0, kills_per_min: 3.0, rung_max: 1, ..old };
        Prediction { options, old, new, way, fixed }
    }

    #[test]
    fn the_table_lines_up_and_says_what_changes_and_how() {
        let text = prediction(Way::Live, Vec::new()).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "20 people for 60 s, seed 7");
        let widths: Vec<usize> = lines[1..=ROWS.len() + 1].iter().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|&width| width == widths[0]), "{text}");
        let line = |name: &str| lines.iter().find(|line| line.starts_with(name)).map(|line| line.trim_end());
        assert!(line("down, payload").is_some_and(|line| line.ends_with("10000       15000   +50.0 %")), "{text}");
        assert!(line("kills").is_some_and(|line| line.ends_with("0.0         3.0       new")), "{text}");
        assert!(line("people").is_some_and(|line| line.ends_with('=')), "{text}");
        assert!(text.contains("a running server can take it over") && text.contains("the new files were too much"));
        let text = prediction(Way::Restart, vec!["world.name", "population.players_max"]).to_string();
        assert!(text.contains("what cannot change live: world.name; population.players_max"), "{text}");
    }

    #[test]
    fn programs_get_every_figure_and_its_change() {
        let json = prediction(Way::Live, Vec::new()).to_json();
        assert_eq!((&json["clients"], &json["is_live"]), (&json!(20), &json!(true)));
        let changes = json["change_percent"].as_object().expect("an object");
        assert_eq!(changes.len(), json["old"].as_object().expect("an object").len());
        assert_eq!((&changes["client_bytes_per_s"], &changes["people_mean"]), (&json!(50.0), &json!(0.0)));
        assert_eq!(changes["kills_per_min"], Value::Null, "from nothing there is no percentage");
    }
}
