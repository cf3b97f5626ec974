//! `aoi`: who is near whom, and nothing else: places in cells, and what each player is to be told of.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use throng_server::batch::{InboundBatch, OutboundBatch};
use throng_server::clock::{Clock, SystemClock};
use throng_server::instance::Instance;
use throng_server::tick::Phase;
use throng_shared::config::{PopulationConfig, SpawnAreaConfig, builtin_world};

use crate::figures::Report;
use crate::players::Players;
use crate::walk::visible;
use crate::wire::bar;

/// Radius within which a player sees others, in metres.
const RADIUS_M: f32 = 100.0;

/// Ticks before measuring.
const WARM_UP_TICKS: u32 = 40;

/// Worlds: players, and how far it is from the middle to the edge, in metres. No world may be larger than the last.
const WORLDS: [(u32, f32); 4] = [(10_000, 1_000.0), (10_000, 4_096.0), (10_000, 50.0), (100_000, 4_096.0)];

/// Runs it; the figures without a number are of the first world.
///
/// # Errors
/// When a world cannot be made.
pub(crate) fn run(seconds: u32, is_quick: bool) -> anyhow::Result<Report> {
    let parameters = json!({ "radius_m": RADIUS_M, "seconds": seconds, "threads": 1, "quick": is_quick });
    let mut report = Report::new("aoi", parameters);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    for (place, (players, half_m)) in WORLDS.into_iter().enumerate() {
        if place > 1 && is_quick {
            break;
        }
        let name = format!("_{players}_{half_m}_m");
        let figures = pool.install(|| measure(players, half_m, seconds))?;
        for (figure, value) in figures {
            if place == 0 {
                report.add(figure, value);
            }
            report.add(format!("{figure}{name}"), value);
        }
    }
    Ok(report)
}

fn measure(players: u32, half_m: f32, seconds: u32) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let mut world = builtin_world();
    let config = &mut world.config;
    config.size_m = 2.0 * half_m;
    config.obstacles.clear();
    config.patrols.clear();
    // The square, as far as a disc can fill it.
    config.spawn_areas = vec![SpawnAreaConfig::disc(glam::Vec2::ZERO, half_m * 1.12)];
    (config.interest.enter_radius_m, config.interest.leave_radius_m) = (RADIUS_M, RADIUS_M * 1.15);
    config.population = PopulationConfig { target: 0, players_max: players, ..PopulationConfig::default() };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut instance = Instance::new(&world, Arc::clone(&clock))?;
    let ticks = seconds * instance.tick_rate().hz();
    let bar = bar(format!("aoi: {players} players"), u64::from(WARM_UP_TICKS + ticks))?;
    let (mut inbound, mut outbound) = (InboundBatch::default(), OutboundBatch::default());
    let mut load = Players::new(players, &mut inbound);
    let (mut update, mut query) = (Duration::ZERO, Duration::ZERO);
    for number in 0..WARM_UP_TICKS + ticks {
        load.send_inputs(instance.current_tick() + 1, &mut inbound);
        instance.tick(&mut inbound, &mut outbound);
        load.receive(outbound.shard(0));
        outbound.clear();
        if number >= WARM_UP_TICKS {
            update += instance.phase_times()[Phase::Record as usize];
            query += instance.phase_times()[Phase::Interest as usize];
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let per_player = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(players) / f64::from(ticks);
    Ok(vec![
        ("in_range_mean", visible(&instance) as f64 / f64::from(players)),
        ("us_per_player", per_player(update + query)),
        ("update_us_per_player", per_player(update)),
        ("query_us_per_player", per_player(query)),
    ])
}
