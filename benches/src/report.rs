//! Tables for people, JSON for programs.

use std::fmt::Write;
use std::path::Path;

use anyhow::Context;
use serde_json::{Map, Value, json};

use crate::machine;
use crate::players::LOSS_PERCENT;
use crate::walk::{Figures, Parameters, TierChoice};

/// A row per figure, a column per run.
pub(crate) fn table(runs: &[Figures]) -> String {
    let mut text = String::new();
    let mut row = |name: &str, value: &dyn Fn(&Figures) -> String| {
        let cells: String = runs.iter().map(|run| format!("{:>12}", value(run))).collect();
        let _ = writeln!(text, "  {name:<40}{cells}");
    };
    row("players, and as many bots", &|run| run.parameters.players.to_string());
    row("visible, wanted", &|run| run.parameters.visible.to_string());
    row("visible, mean", &|run| format!("{:.1}", run.visible_mean));
    row("tiers", &|run| format!("{:?}", run.parameters.tiers).to_lowercase());
    row("simulated time, s", &|run| run.parameters.seconds.to_string());
    row("threads", &|run| run.parameters.threads.to_string());
    row("processor us per player-tick", &|run| format!("{:.2}", run.cpu_us_per_player_tick));
    if let Some(first) = runs.first() {
        for (place, (name, _)) in first.phase_us_per_player_tick.iter().enumerate() {
            row(&format!("  {name}, wall us"), &|run| format!("{:.2}", run.phase_us_per_player_tick[place].1));
        }
    }
    row("replication, ns per (observer, visible)", &|run| format!("{:.1}", run.ns_per_pair));
    row("entity updates per player-tick", &|run| format!("{:.1}", run.updates_per_player_tick));
    row("payload bytes per update", &|run| format!("{:.2}", run.payload_bytes_per_update));
    row("wire bytes per update, all headers", &|run| format!("{:.2}", run.wire_bytes_per_update));
    row("deferred for want of room, %", &|run| format!("{:.2}", run.deferred_percent));
    for (place, name) in ["p50", "p99", "p99.9", "max"].iter().enumerate() {
        row(&format!("tick and seal, {name}, ms"), &|run| format!("{:.2}", run.tick_ms[place]));
    }
    for (place, name) in ["p50", "p99", "max"].iter().enumerate() {
        row(&format!("staleness, {name}, ms"), &|run| format!("{:.0}", run.staleness_ms[place]));
    }
    if let Some(first) = runs.first() {
        for (place, (edge_m, ..)) in first.staleness_by_tier.iter().enumerate() {
            row(&format!("  within {edge_m} m, p99 / max, ms"), &|run| {
                let (_, p99_ms, max_ms) = run.staleness_by_tier[place];
                format!("{p99_ms:.0} / {max_ms:.0}")
            });
        }
    }
    text
}

/// Writes the runs under their stable names: each with its players and visible behind it, and those of the last run also
/// without.
pub(crate) fn write_json(file: &Path, runs: &[Figures], is_quick: bool) -> anyhow::Result<()> {
    let mut figures = Map::new();
    for run in runs {
        let Parameters { players, visible, tiers, .. } = run.parameters;
        let tiers = if tiers == TierChoice::Meadow { "_tiers" } else { "" };
        let suffix = format!("_{players}_{visible}{tiers}");
        for (name, value) in named(run) {
            figures.insert(format!("{name}{suffix}"), json!(value));
        }
    }
    if let Some(last) = runs.last() {
        for (name, value) in named(last) {
            figures.insert(name, json!(value));
        }
    }
    let parameters: Vec<Value> = runs
        .iter()
        .map(|run| {
            json!({
                "players": run.parameters.players,
                "bots": run.parameters.players,
                "visible": run.parameters.visible,
                "seconds": run.parameters.seconds,
                "threads": run.parameters.threads,
                "tiers": format!("{:?}", run.parameters.tiers).to_lowercase(),
            })
        })
        .collect();
    let report = json!({
        "workload": "walk",
        "machine": machine::describe(),
        "parameters": { "runs": parameters, "loss_percent": LOSS_PERCENT, "tick_rate_hz": 20, "quick": is_quick },
        "figures": figures,
    });
    let text = serde_json::to_string_pretty(&report)? + "\n";
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

fn named(run: &Figures) -> Vec<(String, f64)> {
    let mut named = vec![
        ("visible_mean".to_owned(), run.visible_mean),
        ("cpu_us_per_player_tick".to_owned(), run.cpu_us_per_player_tick),
        ("ns_per_pair".to_owned(), run.ns_per_pair),
        ("payload_bytes_per_update".to_owned(), run.payload_bytes_per_update),
        ("wire_bytes_per_update".to_owned(), run.wire_bytes_per_update),
        ("updates_per_player_tick".to_owned(), run.updates_per_player_tick),
        ("deferred_percent".to_owned(), run.deferred_percent),
    ];
    named.extend(["p50", "p99", "p999", "max"].iter().zip(run.tick_ms).map(|(n, ms)| (format!("tick_ms_{n}"), ms)));
    named.extend(["p50", "p99", "max"].iter().zip(run.staleness_ms).map(|(n, ms)| (format!("staleness_ms_{n}"), ms)));
    for (edge_m, p99_ms, max_ms) in &run.staleness_by_tier {
        named.push((format!("staleness_ms_p99_within_{edge_m}_m"), *p99_ms));
        named.push((format!("staleness_ms_max_within_{edge_m}_m"), *max_ms));
    }
    for (phase, us) in &run.phase_us_per_player_tick {
        named.push((format!("{}_us_per_player_tick", phase.replace(' ', "_")), *us));
    }
    named
}
