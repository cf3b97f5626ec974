//! `rewind`: what it takes to judge a shot where the shooter saw its target.

use std::sync::Arc;

use glam::{Vec2, Vec3};
use hdrhistogram::Histogram;
use serde_json::json;
use throng_server::batch::{InboundBatch, OutboundBatch};
use throng_server::clock::{Clock, SystemClock};
use throng_server::combat::{Poses, Shot, Verdict};
use throng_server::instance::Instance;
use throng_shared::config::SpawnAreaConfig;
use throng_shared::random::Random;

use crate::figures::Report;
use crate::walk::world;

/// Characters of the world.
const ENTITIES: u32 = 10_000;

/// At 128 Hz this is a ring of 64 ticks.
const RATE_HZ: u32 = 128;
const REWIND_MAX_MS: u32 = 480;

/// How far shots go, in metres.
const RANGE_M: f32 = 100.0;

/// How many characters a shot is to look at, on average; each is a world of its own. The figures without a number are of the first.
const CANDIDATES: [u32; 3] = [64, 256, 1_024];

/// Shots of one tick.
const SHOTS_PER_TICK: u32 = 5_000;

/// Shots of a tick whose candidates are counted.
const COUNTED: u32 = 20;

/// Height of a shooter's eyes and of what it aims at, in metres above the feet.
const EYES_M: f32 = 1.6;
const CHEST_M: f32 = 1.2;

/// Runs it.
///
/// # Errors
/// When a world cannot be made.
pub(crate) fn run(ticks: u32, is_quick: bool) -> anyhow::Result<Report> {
    let parameters = json!({
        "entities": ENTITIES, "tick_rate_hz": RATE_HZ, "rewind_max_ms": REWIND_MAX_MS, "range_m": RANGE_M,
        "shots_per_tick": SHOTS_PER_TICK, "ticks": ticks, "threads": 1, "quick": is_quick,
    });
    let mut report = Report::new("rewind", parameters);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    report.add("timer_ns", timer_ns(&*clock));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    for (place, candidates) in CANDIDATES.into_iter().enumerate() {
        let figures = pool.install(|| measure(candidates, ticks, &clock))?;
        for (figure, value) in figures {
            if place == 0 {
                report.add(figure, value);
            }
            report.add(format!("{figure}_{candidates}"), value);
        }
    }
    Ok(report)
}

/// What it takes to look at the clock twice, which is in every shot's time.
fn timer_ns(clock: &dyn Clock) -> f64 {
    const LOOKS: u32 = 100_000;
    let start = clock.now();
    (0..LOOKS).for_each(|_| {
        std::hint::black_box(clock.now());
    });
    (clock.now() - start).as_nanos() as f64 / f64::from(LOOKS)
}

fn measure(candidates: u32, ticks: u32, clock: &Arc<dyn Clock>) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let mut loaded = world(0, ENTITIES, 100);
    let config = &mut loaded.config;
    config.tick_rate_hz = RATE_HZ;
    // So densely that so many are as near to a shot's line as somebody must be who is looked at.
    let reach_m = config.movement.capsule_radius_m + 1.0;
    let area_m2 = 2.0 * reach_m * RANGE_M + std::f32::consts::PI * reach_m * reach_m;
    let radius_m = (ENTITIES as f32 * area_m2 / (candidates as f32 * std::f32::consts::PI)).sqrt();
    config.size_m = (2.0 * radius_m + 20.0).max(64.0);
    config.spawn_areas = vec![SpawnAreaConfig::disc(Vec2::ZERO, radius_m)];
    let mut instance = Instance::new(&loaded, Arc::clone(clock))?;
    instance.keep_poses(REWIND_MAX_MS);
    let (mut inbound, mut outbound) = (InboundBatch::default(), OutboundBatch::default());
    let mut random = Random::new(1, 0);
    let mut shot_ns = Histogram::<u64>::new(3)?;
    let (mut tick_us, mut together_us) = (Histogram::<u64>::new(3)?, Histogram::<u64>::new(3)?);
    let mut receipts = Vec::new();
    let (mut near, mut considered, mut hits, mut walls) = (0_u64, 0_u64, 0_u64, 0_u64);
    let warm_up = 2 * RATE_HZ;
    for number in 0..warm_up + ticks {
        instance.tick(&mut inbound, &mut outbound);
        outbound.clear();
        if number < warm_up {
            continue;
        }
        let shots: Vec<Shot> = (0..SHOTS_PER_TICK).map(|_| aimed_shot(&instance, &mut random)).collect();
        near += shots.iter().take(COUNTED as usize).map(|shot| near_to(&instance, shot, reach_m)).sum::<u64>();
        let start = clock.now();
        for shot in &shots {
            let before = clock.now();
            let receipt = instance.judge(shot);
            shot_ns.record((clock.now() - before).as_nanos() as u64)?;
            let receipt = receipt.ok_or_else(|| anyhow::anyhow!("the world keeps poses"))?;
            considered += u64::from(receipt.considered);
            hits += u64::from(matches!(receipt.verdict, Verdict::Hit { .. }));
            walls += u64::from(matches!(receipt.verdict, Verdict::Wall { .. }));
        }
        tick_us.record((clock.now() - start).as_micros() as u64)?;
        let start = clock.now();
        receipts.clear();
        instance.judge_all(&shots, &mut receipts);
        together_us.record((clock.now() - start).as_micros() as u64)?;
    }
    let shots = f64::from(SHOTS_PER_TICK) * f64::from(ticks);
    Ok(vec![
        ("candidates_mean", near as f64 / (f64::from(COUNTED) * f64::from(ticks))),
        ("touched_mean", considered as f64 / shots),
        ("hit_share", hits as f64 / shots),
        ("wall_share", walls as f64 / shots),
        ("ns_per_shot_p50", shot_ns.value_at_quantile(0.5) as f64),
        ("ns_per_shot_p99", shot_ns.value_at_quantile(0.99) as f64),
        ("ns_per_shot_max", shot_ns.max() as f64),
        ("shots_of_a_tick_ms_p50", tick_us.value_at_quantile(0.5) as f64 / 1e3),
        ("shots_of_a_tick_ms_max", tick_us.max() as f64 / 1e3),
        ("together_ms_p50", together_us.value_at_quantile(0.5) as f64 / 1e3),
        ("together_ms_max", together_us.max() as f64 / 1e3),
        ("together_ns_per_shot", together_us.mean() * 1e3 / f64::from(SHOTS_PER_TICK)),
    ])
}

/// How many stand within so much of a shot's line, as seen from above.
fn near_to(instance: &Instance, shot: &Shot, reach_m: f32) -> u64 {
    let from_m = Vec2::new(shot.origin_m.x, shot.origin_m.z);
    let way_m = Vec2::new(shot.direction.x, shot.direction.z).normalize_or_zero() * shot.range_m;
    let is_near = |position_m: &&Vec2| {
        let share = (**position_m - from_m).dot(way_m) / way_m.length_squared().max(1e-9);
        position_m.distance(from_m + way_m * share.clamp(0.0, 1.0)) <= reach_m
    };
    instance.columns().positions_m.iter().filter(is_near).count() as u64
}

/// A shot at somebody in range, where its shooter sees it, which is up to as long ago as may be.
fn aimed_shot(instance: &Instance, random: &mut Random) -> Shot {
    const TRIES: usize = 1_000;
    let (columns, poses) = (instance.columns(), instance.world().resource::<Poses>());
    let view_tick = f64::from(poses.newest().0) - f64::from(random.unit()) * poses.rewind_ticks_max();
    let shooter = random.below(columns.len() as u32) as usize;
    let ground_m = columns.positions_m[shooter];
    let origin_m = Vec3::new(ground_m.x, columns.heights_m[shooter] + EYES_M, ground_m.y);
    let in_range = |&row: &usize| row != shooter && columns.positions_m[row].distance(ground_m) < RANGE_M;
    let target = (0..TRIES).map(|_| random.below(columns.len() as u32) as usize).find(in_range).unwrap_or(shooter);
    let feet_m = poses.feet_m(columns.net_ids[target], view_tick).unwrap_or_default();
    let direction = feet_m + Vec3::Y * CHEST_M - origin_m;
    Shot { shooter: columns.net_ids[shooter], origin_m, direction, range_m: RANGE_M, view_tick }
}
