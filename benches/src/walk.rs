//! `walk`: an open world in which everybody moves.

use std::sync::Arc;
use std::time::Duration;

use cpu_time::ProcessTime;
use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressStyle};
use throng_server::batch::{InboundBatch, OutboundBatch};
use throng_server::clock::{Clock, SystemClock};
use throng_server::instance::Instance;
use throng_server::tick::Phase;
use throng_shared::config::{LoadedWorld, PopulationConfig, SpawnAreaConfig, builtin_world};
use throng_shared::spatial::Grid;

use crate::players::{Players, Sink, Swallowed};

/// One run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameters {
    pub(crate) players: u32,
    pub(crate) visible: u32,
    pub(crate) seconds: u32,
    pub(crate) threads: u32,
    pub(crate) tiers: TierChoice,
}

/// How often players are told of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum TierChoice {
    /// Of all in every tick.
    None,
    /// Of the far ones less often.
    Meadow,
}

/// What a run has measured. Times are of the tick and of packing and sealing; what the players do is left out.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) parameters: Parameters,
    /// Characters that a player saw, on average.
    pub(crate) visible_mean: f64,
    pub(crate) cpu_us_per_player_tick: f64,
    /// Wall time of each phase, and of packing and sealing last, per player and tick.
    pub(crate) phase_us_per_player_tick: Vec<(&'static str, f64)>,
    /// What replication takes (record, interest, replicate, send, seal) per pair of a player and somebody in its enter radius.
    pub(crate) ns_per_pair: f64,
    pub(crate) payload_bytes_per_update: f64,
    pub(crate) wire_bytes_per_update: f64,
    pub(crate) updates_per_player_tick: f64,
    /// p50, p99, p99.9 and worst.
    pub(crate) tick_ms: [f64; 4],
    /// p50, p99 and worst age of states that are not the server's newest.
    pub(crate) staleness_ms: [f64; 3],
    /// The same for those within each of the meadow's tiers; its distance in metres, then p99 and worst.
    pub(crate) staleness_by_tier: Vec<(f32, f64, f64)>,
    /// Share of entity states that had to wait because a datagram was full, in percent.
    pub(crate) deferred_percent: f64,
}

/// Ticks before measuring: views fill, acknowledgements flow, bots have made up their minds.
const WARM_UP_TICKS: u32 = 60;

/// The phases that tell players of others; the rest is the same however many they see.
const REPLICATION: [&str; 5] = ["record", "interest", "replicate", "send", "seal"];

/// Runs it.
pub(crate) fn run(parameters: &Parameters) -> anyhow::Result<Figures> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(parameters.threads as usize).build()?;
    pool.install(|| measure(parameters))
}

/// A world in which so many players and bots stand so densely that each sees `visible` others, on average.
pub(crate) fn world(players: u32, bots: u32, visible: u32) -> LoadedWorld {
    let mut world = builtin_world();
    let config = &mut world.config;
    let characters = (players + bots) as f32;
    let radius_m = config.interest.enter_radius_m * (characters / visible as f32).sqrt();
    config.size_m = 2.0 * radius_m + 20.0;
    config.obstacles.clear();
    config.patrols.clear();
    config.spawn_areas = vec![SpawnAreaConfig::disc(glam::Vec2::ZERO, radius_m)];
    config.interest.visible_max = 1_000;
    config.population =
        PopulationConfig { target: players + bots, players_max: players, ..PopulationConfig::default() };
    config.interest.tiers.clear();
    // Everybody moves.
    config.bots.idle_weight = 0.0;
    config.bots.follow_weight = 0.0;
    world
}

/// The same for players alone, who come one by one.
pub(crate) fn world_without_bots(players: u32, visible: u32) -> LoadedWorld {
    let mut world = world(players, 0, visible);
    // Otherwise bots would fill it until the players are there, and not leave while somebody sees them.
    world.config.population.target = 0;
    world
}

struct Meter {
    cpu: Duration,
    phases: [Duration; Phase::ALL.len() + 1],
    tick_us: Histogram<u64>,
    staleness_ticks: Vec<Histogram<u64>>,
    visible: u64,
    visible_samples: u64,
    swallowed: Swallowed,
}

fn measure(parameters: &Parameters) -> anyhow::Result<Figures> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut world = world(parameters.players, parameters.players, parameters.visible);
    let tiers = builtin_world().config.interest.tiers;
    if parameters.tiers == TierChoice::Meadow {
        world.config.interest.tiers.clone_from(&tiers);
    }
    let mut instance = Instance::new(&world, Arc::clone(&clock))?;
    let edges_m: Vec<f32> = tiers.iter().map(|tier| tier.within_m).collect();
    let rate_hz = instance.tick_rate().hz();
    let measured_ticks = parameters.seconds * rate_hz;
    let bar = progress_bar(parameters, u64::from(WARM_UP_TICKS + measured_ticks))?;
    let (mut inbound, mut outbound) = (InboundBatch::default(), OutboundBatch::default());
    let mut players = Players::new(parameters.players, &mut inbound);
    let mut sink = Sink::new(parameters.players);
    let mut meter = Meter {
        cpu: Duration::ZERO,
        phases: Default::default(),
        tick_us: Histogram::new(3)?,
        staleness_ticks: vec![Histogram::new(3)?; edges_m.len()],
        visible: 0,
        visible_samples: 0,
        swallowed: Swallowed::default(),
    };
    let mut before = instance.totals();
    for number in 0..WARM_UP_TICKS + measured_ticks {
        let is_measured = number >= WARM_UP_TICKS;
        if number == WARM_UP_TICKS {
            before = instance.totals();
        }
        players.send_inputs(instance.current_tick() + 1, &mut inbound);
        let swallowed_before = meter.swallowed;
        let (cpu_start, start) = (ProcessTime::now(), clock.now());
        instance.tick(&mut inbound, &mut outbound);
        let ticked = clock.now();
        sink.swallow(outbound.shard(0), &mut meter.swallowed);
        let (cpu, end) = (cpu_start.elapsed(), clock.now());
        players.receive(outbound.shard(0));
        outbound.clear();
        if is_measured {
            meter.cpu += cpu;
            for (sum, time) in meter.phases.iter_mut().zip(instance.phase_times()) {
                *sum += *time;
            }
            meter.phases[Phase::ALL.len()] += end - ticked;
            meter.tick_us.record((end - start).as_micros() as u64)?;
            players.note_staleness(&instance, &edges_m, &mut meter.staleness_ticks);
            if number % rate_hz == 0 {
                meter.visible += visible(&instance);
                meter.visible_samples += 1;
            }
        } else {
            meter.swallowed = swallowed_before;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let after = instance.totals();
    let updates = (after.updates + after.enters - before.updates - before.enters) as f64;
    let deferred = (after.deferred - before.deferred) as f64;
    Ok(figures(parameters, &meter, &edges_m, rate_hz, measured_ticks, updates, deferred))
}

/// How many others are within the enter radius of each player, all together. Clients are told of more, page by page; those do not
/// count.
pub(crate) fn visible(instance: &Instance) -> u64 {
    let (columns, radius_m) = (instance.columns(), instance.rules().interest.enter_radius_m);
    let grid = instance.world().resource::<Grid>();
    let rows = instance.sessions().all().iter().filter_map(|session| columns.row(session.net_id));
    rows.map(|row| grid.count_within(columns.positions_m[row], radius_m) as u64 - 1).sum()
}

fn figures(
    parameters: &Parameters,
    meter: &Meter,
    edges_m: &[f32],
    rate_hz: u32,
    ticks: u32,
    updates: f64,
    deferred: f64,
) -> Figures {
    let player_ticks = f64::from(parameters.players) * f64::from(ticks);
    let visible_mean = meter.visible as f64 / (meter.visible_samples * u64::from(parameters.players)).max(1) as f64;
    let names = Phase::ALL.map(Phase::label).into_iter().chain(["seal"]);
    let per_player_tick = |time: &Duration| time.as_secs_f64() * 1e6 / player_ticks;
    let tick_ms = |quantile| meter.tick_us.value_at_quantile(quantile) as f64 / 1e3;
    let step_ms = 1e3 / f64::from(rate_hz);
    let staleness_ms = |ticks: &Histogram<u64>, quantile| ticks.value_at_quantile(quantile) as f64 * step_ms;
    let mut all_staleness = meter.staleness_ticks[0].clone();
    for tier in &meter.staleness_ticks[1..] {
        all_staleness += tier;
    }
    let by_tier = edges_m.iter().zip(&meter.staleness_ticks);
    let cpu_us_per_player_tick = per_player_tick(&meter.cpu);
    let phase_us_per_player_tick: Vec<(&'static str, f64)> =
        names.zip(meter.phases.iter().map(per_player_tick)).collect();
    let replication_us: f64 =
        phase_us_per_player_tick.iter().filter(|(name, _)| REPLICATION.contains(name)).map(|(_, us)| us).sum();
    Figures {
        parameters: *parameters,
        visible_mean,
        cpu_us_per_player_tick,
        phase_us_per_player_tick,
        ns_per_pair: replication_us * 1e3 / visible_mean,
        payload_bytes_per_update: meter.swallowed.payload_bytes as f64 / updates,
        wire_bytes_per_update: meter.swallowed.wire_bytes as f64 / updates,
        updates_per_player_tick: updates / player_ticks,
        tick_ms: [tick_ms(0.5), tick_ms(0.99), tick_ms(0.999), meter.tick_us.max() as f64 / 1e3],
        staleness_ms: [0.5, 0.99, 1.0].map(|quantile| staleness_ms(&all_staleness, quantile)),
        staleness_by_tier: by_tier
            .map(|(&m, ticks)| (m, staleness_ms(ticks, 0.99), staleness_ms(ticks, 1.0)))
            .collect(),
        deferred_percent: 100.0 * deferred / (updates + deferred),
    }
}

fn progress_bar(parameters: &Parameters, ticks: u64) -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::new(ticks);
    bar.set_style(ProgressStyle::with_template("  {msg:<32} {wide_bar} {pos} of {len} ticks, {eta}")?);
    bar.set_message(format!("walk, {} players, {} visible", parameters.players, parameters.visible));
    Ok(bar)
}
