//! `agreement`: whether the server judges shots as their shooters saw them.

use glam::Vec2;
use serde_json::json;
use throng_client::ClientEvent;
use throng_server::abilities::{CombatLog, ShotReceipt};
use throng_server::combat::{Clamp, Verdict};
use throng_shared::ids::{InstanceId, NetId};
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::random::Random;
use throng_tests::{Aim, Link, Plan, PlayerHandle, Sim, fighting_world};

use crate::figures::Report;
use crate::wire::bar;

/// One shooter and one target each; as many duels at a time, 60 m apart.
const DUELS: usize = 16;

/// Round trips in milliseconds, and losses in percent; each with each, with a tenth of the way as jitter.
const ROUND_TRIPS_MS: [u32; 4] = [0, 50, 150, 250];
const LOSSES_PERCENT: [u32; 3] = [0, 2, 5];

/// By how much shooters stray from the middle of their target, in metres: some a third of the shots miss.
const STRAY_M: f32 = 0.6;

const RATE_HZ: u32 = 60;

const ABILITIES: &str = r#"
    [combat]
    health = "health"
    no_side = "none"
    deal_teams = true
    [[ability]]
    name = "rifle"
    kind = "hitscan"
    range_m = 60.0
    cooldown_ms = 150
    damage = 0.001
    [[ability]]
    name = "blink"
    kind = "own"
    cooldown_ms = 2000
    blink_m = 6.0
"#;

/// What came of the shots under one condition.
#[derive(Debug, Default)]
struct Tally {
    shots: u32,
    seen_hits: u32,
    /// Judged up to the clamp, and as seen.
    within: u32,
    agreed: u32,
    /// The others, by what their receipts say.
    clamped: u32,
    evaded: u32,
    moved: u32,
    /// Shown to their shooters, and never judged: all datagrams of an input were lost or too late.
    unjudged: u32,
}

/// Runs it for each condition, in worlds that rewind so far at most.
///
/// # Errors
/// When the terminal cannot be written to.
pub(crate) fn run(shots: u32, rewinds_max_ms: &[u32], is_quick: bool) -> anyhow::Result<Report> {
    let parameters = json!({
        "shots": shots, "tick_rate_hz": RATE_HZ, "rewind_max_ms": rewinds_max_ms, "stray_m": STRAY_M, "duels": DUELS, "quick": is_quick,
        "jitter": "a tenth of the way", "targets": "run to and fro, jump, blink",
    });
    let mut report = Report::new("agreement", parameters);
    let bar = bar("agreement".to_owned(), (rewinds_max_ms.len() * ROUND_TRIPS_MS.len() * LOSSES_PERCENT.len()) as u64)?;
    let links = ROUND_TRIPS_MS.into_iter().flat_map(|ms| LOSSES_PERCENT.map(|percent| (ms, percent)));
    for (round_trip_ms, loss_percent) in links {
        for &rewind_max_ms in rewinds_max_ms {
            let tally = measure(round_trip_ms, loss_percent, rewind_max_ms, shots);
            let mut add = |name: &str, value: f64| {
                report.add(format!("{name}_{round_trip_ms}ms_{loss_percent}pc_max{rewind_max_ms}ms"), value);
            };
            let share = |part: u32, whole: u32| f64::from(part) / f64::from(whole.max(1));
            add("shots", f64::from(tally.shots));
            add("seen_hit_share", share(tally.seen_hits, tally.shots));
            if tally.within > 0 {
                add("agreement", share(tally.agreed, tally.within));
            }
            add("beyond_clamp_share", share(tally.clamped, tally.shots));
            add("evaded_share", share(tally.evaded, tally.shots));
            add("otherwise_share", share(tally.moved, tally.shots));
            add("unjudged_share", share(tally.unjudged, tally.shots + tally.unjudged));
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(report)
}

fn measure(round_trip_ms: u32, loss_percent: u32, rewind_max_ms: u32, shots: u32) -> Tally {
    let mut random = Random::new(9, 0);
    let (mut sim, duels) = start_duels(round_trip_ms, loss_percent, rewind_max_ms);
    let mut tally = Tally::default();
    let mut receipts: Vec<ShotReceipt> = Vec::new();
    let mut seen: Vec<(NetId, u32, Option<NetId>)> = Vec::new();
    while tally.shots < shots {
        for [_, target] in duels {
            if random.percent(25.0) {
                move_target(&mut sim, target, &mut random);
            }
        }
        for _ in 0..10 {
            sim.run_ticks(1);
            let tick = sim.instance(InstanceId(0)).current_tick();
            let log = sim.instance(InstanceId(0)).world().resource::<CombatLog>();
            receipts.extend(log.receipts().rev().take_while(|shot| shot.receipt.judged + 1 == tick));
        }
        for [shooter, _] in duels {
            let own = sim.client(shooter).net_id().expect("it plays");
            while let Some(event) = sim.client_mut(shooter).next_event() {
                if let ClientEvent::Used { tick, sees, .. } = event {
                    seen.push((own, tick.0, sees));
                }
            }
        }
        seen.retain(|&(shooter, tick, sees)| {
            let is_its = |shot: &&ShotReceipt| {
                shot.receipt.shot.shooter == shooter && (tick..=tick + 4).contains(&(shot.receipt.judged.0 + 1))
            };
            let Some(shot) = receipts.iter().find(is_its) else { return true };
            let receipt = shot.receipt;
            let met = match receipt.verdict {
                Verdict::Hit { net_id, .. } => Some(net_id),
                Verdict::Wall { .. } | Verdict::Miss => None,
            };
            tally.shots += 1;
            tally.seen_hits += u32::from(sees.is_some());
            if receipt.clamp == Clamp::TooOld {
                tally.clamped += 1;
            } else if sees.is_some() && shot.evaded == sees {
                tally.evaded += 1;
            } else {
                tally.within += 1;
                tally.agreed += u32::from(met == sees);
                tally.moved += u32::from(met != sees);
            }
            false
        });
        let now = sim.instance(InstanceId(0)).current_tick();
        // Inputs that came too late for their tick, or never, were never judged.
        let before = seen.len();
        seen.retain(|(_, tick, _)| tick + 4 * RATE_HZ > now.0);
        tally.unjudged += (before - seen.len()) as u32;
        receipts.retain(|shot| shot.receipt.judged + 4 * RATE_HZ > now);
    }
    tally
}

/// The duels of a condition, with everybody in place and the shooters shooting.
fn start_duels(round_trip_ms: u32, loss_percent: u32, rewind_max_ms: u32) -> (Sim, [[PlayerHandle; 2]; DUELS]) {
    let one_way_ms = round_trip_ms as f32 / 2.0;
    let link = Link { one_way_ms, jitter_ms: one_way_ms / 10.0, loss_percent: loss_percent as f32, ..Link::default() };
    let mut world = fighting_world(ABILITIES, |config| {
        config.tick_rate_hz = RATE_HZ;
        config.size_m = 1_000.0;
        config.obstacles.clear();
        config.population.players_max = 100;
    });
    world.combat.iter_mut().for_each(|combat| combat.rewind_max_ms = rewind_max_ms);
    let mut sim = Sim::new(u64::from(round_trip_ms * 10 + loss_percent)).world(world).link(link).start();
    let duels: [[PlayerHandle; 2]; DUELS] = std::array::from_fn(|_| sim.connect());
    for (number, duel) in duels.iter().enumerate() {
        let at_m = Vec2::new((number % 4) as f32, (number / 4) as f32) * 150.0 - 225.0;
        for (player, place_m) in duel.iter().zip([at_m, at_m + Vec2::new(0.0, 20.0)]) {
            sim.teleport(*player, place_m);
        }
    }
    sim.run_ticks(2 * RATE_HZ);
    for [shooter, target] in duels {
        let target = sim.client(target).net_id().expect("it plays");
        let aim = Aim { stray_m: STRAY_M, random: Random::new(u64::from(target.0), 3), ..Aim::at(target, 1, 12) };
        sim.plan(shooter, Plan::Aim(aim));
    }
    (sim, duels)
}

/// It runs to and fro, jumps now and then, or leaps.
fn move_target(sim: &mut Sim, target: PlayerHandle, random: &mut Random) {
    const BLINK: u8 = 2;
    let along = if random.percent(50.0) { Vec2::X } else { Vec2::NEG_X };
    let jump = if random.percent(30.0) { Buttons::JUMP } else { Buttons::default() };
    let ability = if random.percent(10.0) { BLINK } else { 0 };
    sim.plan(target, Plan::Hold(PlayerInput { ability, ..PlayerInput::towards(along, Buttons::RUN.with(jump)) }));
}
