//! `duel`: everybody runs, sees everybody near, and shoots.

use std::sync::Arc;
use std::time::Duration;

use cpu_time::ProcessTime;
use glam::{Vec2, Vec3};
use hdrhistogram::Histogram;
use serde_json::json;
use throng_server::abilities::CombatLog;
use throng_server::batch::{Arrival, InboundBatch, OutboundBatch, OutboundShard};
use throng_server::clock::{Clock, SystemClock};
use throng_server::combat::Poses;
use throng_server::instance::Instance;
use throng_server::net::ConnectionId;
use throng_shared::abilities::{VIEW_STEPS_PER_TICK, aim_towards};
use throng_shared::config::{ABILITIES_FILE_NAME, LoadedWorld, WORLD_FILE_NAME, load_world, read_common_file};
use throng_shared::ids::ClientId;
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::limits::INPUTS_PER_DATAGRAM_MAX;
use throng_shared::random::Random;
use throng_shared::spatial::Grid;
use throng_shared::tick::Tick;
use throng_shared::wire::inputs::{InputFrame, SnapshotAcks};

use crate::figures::Report;
use crate::players::{LOSS_PERCENT, Sink, Swallowed};
use crate::walk;
use crate::wire::bar;

const RATE_HZ: u32 = 128;

/// Characters that a player sees, on average.
const VISIBLE: u32 = 32;

const SHOTS_PER_S: u32 = 5;

/// How far behind the newest snapshot players see the others, and how late their inputs are, in ticks: a round trip of 50 ms and a delay of 50.
const BEHIND_TICKS: u32 = 12;

/// How far away those are that are shot at, in metres.
const RANGE_M: f32 = 60.0;

/// Ticks before measuring.
const WARM_UP_TICKS: u32 = 256;

/// A tick may take this long at the 99th percentile, in milliseconds, or it does not hold.
const TICK_MS_MAX: f64 = 1e3 / RATE_HZ as f64;

/// Runs it for each number of players, on one thread.
///
/// # Errors
/// When the world cannot be made.
pub(crate) fn run(players: &[u32], seconds: u32, is_quick: bool) -> anyhow::Result<Report> {
    let parameters = json!({
        "tick_rate_hz": RATE_HZ, "visible": VISIBLE, "shots_per_s": SHOTS_PER_S, "rewind_ticks": BEHIND_TICKS, "seconds": seconds,
        "threads": 1, "loss_percent": LOSS_PERCENT, "quick": is_quick,
    });
    let mut report = Report::new("duel", parameters);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let mut held = 0;
    for &count in players {
        let tick_ms_p99 = pool.install(|| measure(count, seconds, &mut report))?;
        if tick_ms_p99 <= TICK_MS_MAX {
            held = held.max(count);
        }
    }
    report.add("players_per_core", f64::from(held));
    Ok(report)
}

/// The arena's abilities and attributes, in the open, with as many as are to be seen.
fn world(players: u32) -> anyhow::Result<LoadedWorld> {
    let arena = load_world("arena", |name| match name {
        WORLD_FILE_NAME => Ok(include_str!("../../assets/worlds/arena/world.toml").into()),
        ABILITIES_FILE_NAME => Ok(include_str!("../../assets/worlds/arena/abilities.toml").into()),
        _ => read_common_file(name),
    })?;
    let mut world = walk::world_without_bots(players, VISIBLE);
    world.config.tick_rate_hz = RATE_HZ;
    world.config.attributes = arena.config.attributes;
    world.combat = arena.combat;
    Ok(world)
}

struct Shooter {
    recent: Vec<PlayerInput>,
    acks: SnapshotAcks,
}

fn measure(count: u32, seconds: u32, report: &mut Report) -> anyhow::Result<f64> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut instance = Instance::new(&world(count)?, Arc::clone(&clock))?;
    let measured_ticks = seconds * RATE_HZ;
    let bar = bar(format!("duel: {count} players"), u64::from(WARM_UP_TICKS + measured_ticks))?;
    let (mut inbound, mut outbound) = (InboundBatch::default(), OutboundBatch::default());
    let mut shooters: Vec<Shooter> = (0..count).map(|number| join(number, &mut inbound)).collect();
    let mut sink = Sink::new(count);
    let mut random = Random::new(1, 0);
    let (mut cpu, mut tick_us, mut simulate_us) =
        (Duration::ZERO, Histogram::<u64>::new(3)?, Histogram::<u64>::new(3)?);
    let mut swallowed = Swallowed::default();
    let mut before = instance.world().resource::<CombatLog>().totals;
    for number in 0..WARM_UP_TICKS + measured_ticks {
        if number == WARM_UP_TICKS {
            before = instance.world().resource::<CombatLog>().totals;
            swallowed = Swallowed::default();
        }
        send_inputs(&instance, &mut shooters, &mut random, &mut inbound);
        let (cpu_start, start) = (ProcessTime::now(), clock.now());
        instance.tick(&mut inbound, &mut outbound);
        sink.swallow(outbound.shard(0), &mut swallowed);
        if number >= WARM_UP_TICKS {
            cpu += cpu_start.elapsed();
            tick_us.record((clock.now() - start).as_micros() as u64)?;
            simulate_us.record(instance.phase_times()[3].as_micros() as u64)?;
        }
        receive(&mut shooters, &mut random, outbound.shard(0));
        outbound.clear();
        bar.inc(1);
    }
    bar.finish_and_clear();
    let totals = instance.world().resource::<CombatLog>().totals;
    let (ticks, player_ticks) = (f64::from(measured_ticks), f64::from(count) * f64::from(measured_ticks));
    let tick_ms_p99 = tick_us.value_at_quantile(0.99) as f64 / 1e3;
    let mut add = |name: &str, value: f64| report.add(format!("{name}_{count}"), value);
    add("cpu_us_per_player_tick", cpu.as_secs_f64() * 1e6 / player_ticks);
    for (name, quantile) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
        add(&format!("tick_ms_{name}"), tick_us.value_at_quantile(quantile) as f64 / 1e3);
    }
    add("simulate_ms_p50", simulate_us.value_at_quantile(0.5) as f64 / 1e3);
    add("shots_per_tick", (totals.used - before.used) as f64 / ticks);
    add("hits_per_tick", (totals.hits - before.hits) as f64 / ticks);
    add("deaths_per_s", (totals.deaths - before.deaths) as f64 / f64::from(seconds));
    add("bytes_per_client_s", swallowed.wire_bytes as f64 / player_ticks * f64::from(RATE_HZ));
    Ok(tick_ms_p99)
}

fn join(number: u32, inbound: &mut InboundBatch) -> Shooter {
    let connection = ConnectionId { worker: 0, slot: number, generation: 1 };
    let client = ClientId(u64::from(number));
    inbound.arrivals.push(Arrival::Joined { client, connection, name: String::new() });
    Shooter { recent: vec![PlayerInput::default(); INPUTS_PER_DATAGRAM_MAX], acks: SnapshotAcks::default() }
}

/// Everybody runs on or turns, and now and then shoots at somebody near where it sees it.
fn send_inputs(instance: &Instance, shooters: &mut [Shooter], random: &mut Random, inbound: &mut InboundBatch) {
    const RIFLE: u8 = 1;
    let (tick, columns) = (instance.current_tick() + 1, instance.columns());
    let poses = instance.world().resource::<Poses>();
    let (grid, mut near, mut frame) = (instance.world().resource::<Grid>(), Vec::<usize>::new(), Vec::new());
    for (number, shooter) in shooters.iter_mut().enumerate() {
        let mut input = shooter.recent[0].repeated();
        if random.percent(1.0) || tick.0 == 1 {
            input = PlayerInput::towards(random.in_disc(1.0).normalize_or(Vec2::X), Buttons::RUN);
        }
        if random.below(RATE_HZ) < SHOTS_PER_S
            && let Some(own) = instance.sessions().get(ClientId(number as u64)).and_then(|it| columns.row(it.net_id))
        {
            let view_tick = f64::from(tick.0.saturating_sub(BEHIND_TICKS)) + f64::from(random.unit());
            let own_m = Vec3::new(columns.positions_m[own].x, columns.heights_m[own] + 1.6, columns.positions_m[own].y);
            near.clear();
            grid.for_each_within(columns.positions_m[own], RANGE_M, |hit| near.push(hit.row as usize));
            near.retain(|&row| row != own);
            let target = near.get(random.below(near.len().max(1) as u32) as usize);
            if let Some(feet_m) = target.and_then(|&row| poses.feet_m(columns.net_ids[row], view_tick)) {
                let (yaw, pitch) = aim_towards(feet_m + Vec3::Y - own_m);
                let back = (f64::from(tick.0) - view_tick) * f64::from(VIEW_STEPS_PER_TICK);
                input = PlayerInput { ability: RIFLE, yaw, pitch, view_back_steps: back as u16, ..input };
            }
        }
        shooter.recent.rotate_right(1);
        shooter.recent[0] = input;
        if !random.percent(LOSS_PERCENT) {
            frame.clear();
            InputFrame::new(tick, &shooter.recent, shooter.acks).encode(&mut frame);
            inbound.push_frame(ClientId(number as u64), Duration::ZERO, &frame);
        }
    }
}

fn receive(shooters: &mut [Shooter], random: &mut Random, outbound: &OutboundShard) {
    for (connection, frame) in outbound.frames() {
        if !random.percent(LOSS_PERCENT) {
            let tick = frame.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
            shooters[connection.slot as usize].acks.insert(Tick(tick));
        }
    }
}
