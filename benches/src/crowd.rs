//! `crowd`: everybody in one place.

use std::sync::Arc;
use std::time::Duration;

use cpu_time::ProcessTime;
use glam::Vec2;
use hdrhistogram::Histogram;
use serde_json::json;
use throng_server::batch::{InboundBatch, OutboundBatch};
use throng_server::clock::{Clock, SystemClock};
use throng_server::instance::Instance;
use throng_shared::config::{LoadedWorld, PopulationConfig, SpawnAreaConfig, builtin_world};
use throng_shared::ids::ClientId;

use crate::figures::Report;
use crate::players::{LOSS_PERCENT, Players, Sink, Swallowed};
use crate::wire::bar;

/// Radius of the circle, in metres.
const RADIUS_M: f32 = 50.0;

/// What each client is sent at most, in kilobits per second.
const BANDWIDTH_KBIT_PER_S: u32 = 192;

/// Characters of whom each client is told one by one.
const VISIBLE_MAX: u32 = 300;

/// How many of the nearest are looked at apart.
const NEAREST: usize = 50;

/// Ticks before measuring.
const WARM_UP_TICKS: u32 = 100;

/// Age that is noted for somebody near who is not known at all, in ticks.
const UNKNOWN_TICKS: u64 = 20;

/// Players whose knowledge is looked at, at most.
const WATCHED_MAX: u32 = 50;

/// Runs it for each number of players, with so many threads for the simulation.
///
/// # Errors
/// When the world cannot be made.
pub(crate) fn run(players: &[u32], seconds: u32, threads: u32, is_quick: bool) -> anyhow::Result<Report> {
    let parameters = json!({
        "circle_m": 2.0 * RADIUS_M, "bandwidth_kbit_per_s": BANDWIDTH_KBIT_PER_S, "seconds": seconds, "threads": threads,
        "tick_rate_hz": 20, "loss_percent": LOSS_PERCENT, "quick": is_quick,
    });
    let mut report = Report::new("crowd", parameters);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads as usize).build()?;
    for &count in players {
        pool.install(|| measure(count, seconds, &mut report))?;
    }
    Ok(report)
}

fn world(players: u32) -> LoadedWorld {
    let mut world = builtin_world();
    let config = &mut world.config;
    config.size_m = 400.0;
    config.obstacles.clear();
    config.patrols.clear();
    config.spawn_areas = vec![SpawnAreaConfig::disc(Vec2::ZERO, RADIUS_M)];
    config.interest.bandwidth_kbit_per_s = BANDWIDTH_KBIT_PER_S;
    config.interest.visible_max = VISIBLE_MAX;
    config.population = PopulationConfig { target: 0, players_max: players, ..PopulationConfig::default() };
    world
}

/// What a run has seen.
struct Meter {
    cpu: Duration,
    tick_us: Histogram<u64>,
    swallowed: Swallowed,
    nearest_ticks: Histogram<u64>,
    known_ticks: Histogram<u64>,
    nearest_unknown: u64,
    known: u64,
    represented: u64,
    others: u64,
}

fn measure(count: u32, seconds: u32, report: &mut Report) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut instance = Instance::new(&world(count), Arc::clone(&clock))?;
    let rate_hz = instance.tick_rate().hz();
    let measured_ticks = seconds * rate_hz;
    let bar = bar(format!("crowd: {count} players"), u64::from(WARM_UP_TICKS + measured_ticks))?;
    let (mut inbound, mut outbound) = (InboundBatch::default(), OutboundBatch::default());
    let mut players = Players::in_circle(count, RADIUS_M, count.div_ceil(WATCHED_MAX) as usize, &mut inbound);
    let mut sink = Sink::new(count);
    let mut meter = Meter {
        cpu: Duration::ZERO,
        tick_us: Histogram::new(3)?,
        swallowed: Swallowed::default(),
        nearest_ticks: Histogram::new(3)?,
        known_ticks: Histogram::new(3)?,
        nearest_unknown: 0,
        known: 0,
        represented: 0,
        others: 0,
    };
    let mut before = instance.totals();
    for number in 0..WARM_UP_TICKS + measured_ticks {
        if number == WARM_UP_TICKS {
            before = instance.totals();
        }
        players.send_inputs(instance.current_tick() + 1, &mut inbound);
        let mut swallowed = Swallowed::default();
        let (cpu_start, start) = (ProcessTime::now(), clock.now());
        instance.tick(&mut inbound, &mut outbound);
        sink.swallow(outbound.shard(0), &mut swallowed);
        let (cpu, end) = (cpu_start.elapsed(), clock.now());
        players.receive(outbound.shard(0));
        outbound.clear();
        if number >= WARM_UP_TICKS {
            meter.cpu += cpu;
            meter.tick_us.record((end - start).as_micros() as u64)?;
            meter.swallowed.wire_bytes += swallowed.wire_bytes;
            look(&instance, &players, &mut meter);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let after = instance.totals();
    let client_ticks = f64::from(count) * f64::from(measured_ticks);
    let step_ms = 1e3 / f64::from(rate_hz);
    let mut add = |name: &str, value: f64| report.add(format!("{name}_{count}"), value);
    add("cpu_us_per_player_tick", meter.cpu.as_secs_f64() * 1e6 / client_ticks);
    for (name, quantile) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
        add(&format!("tick_ms_{name}"), meter.tick_us.value_at_quantile(quantile) as f64 / 1e3);
    }
    add("bytes_per_client_s", meter.swallowed.wire_bytes as f64 / client_ticks * f64::from(rate_hz));
    for (name, quantile) in [("p50", 0.5), ("p99", 0.99)] {
        add(&format!("age_ms_{name}_nearest50"), meter.nearest_ticks.value_at_quantile(quantile) as f64 * step_ms);
        add(&format!("age_ms_{name}_known"), meter.known_ticks.value_at_quantile(quantile) as f64 * step_ms);
    }
    add("unknown_share_nearest50", meter.nearest_unknown as f64 / meter.nearest_ticks.len().max(1) as f64);
    add("known_mean", meter.known as f64 / meter.others.max(1) as f64 * f64::from(count - 1));
    add("represented_share", meter.represented as f64 / meter.others.max(1) as f64);
    add(
        "updates_per_client_tick",
        (after.updates + after.enters - before.updates - before.enters) as f64 / client_ticks,
    );
    add("enters_per_client_tick", (after.enters - before.enters) as f64 / client_ticks);
    add("late_per_client_tick", (after.late - before.late) as f64 / client_ticks);
    Ok(())
}

/// Notes how old what the watched know is, of their nearest and of all that they know, and of how many they know something.
fn look(instance: &Instance, players: &Players, meter: &mut Meter) {
    let (tick, columns) = (instance.current_tick(), instance.columns());
    let mut by_distance: Vec<(f32, usize)> = Vec::new();
    for (number, replica) in players.watched() {
        let session = instance.sessions().get(ClientId(number as u64));
        let Some(own) = session.and_then(|session| columns.row(session.net_id)) else { continue };
        let own_m = columns.positions_m[own];
        let others = (0..columns.len()).filter(|&row| row != own);
        by_distance.clear();
        by_distance.extend(others.map(|row| (columns.positions_m[row].distance_squared(own_m), row)));
        let nearest = NEAREST.min(by_distance.len());
        if nearest < by_distance.len() {
            by_distance.select_nth_unstable_by(nearest, |a, b| a.0.total_cmp(&b.0));
        }
        let age_ticks = |row: usize| {
            let known = replica.get(columns.net_ids[row]).filter(|known| !known.is_missing())?;
            // What has not changed since is as good as new.
            Some(if columns.changed[row] <= known.updated { 0 } else { u64::from(tick.since(known.updated)) })
        };
        for &(_, row) in &by_distance[..nearest] {
            let age_ticks = age_ticks(row);
            meter.nearest_unknown += u64::from(age_ticks.is_none());
            let _ = meter.nearest_ticks.record(age_ticks.unwrap_or(UNKNOWN_TICKS));
        }
        let mut known = 0;
        for age_ticks in by_distance.iter().filter_map(|&(_, row)| age_ticks(row)) {
            known += 1;
            let _ = meter.known_ticks.record(age_ticks);
        }
        meter.known += known;
        meter.represented += known + replica.crowd().map(|group| u64::from(group.count)).sum::<u64>();
        meter.others += by_distance.len() as u64;
    }
}
