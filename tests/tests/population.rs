//! Bots fill what people leave empty, and nobody sees them come or go.

use std::collections::BTreeSet;

use glam::Vec2;
use throng_shared::config::PopulationConfig;
use throng_shared::ids::{Archetype, InstanceId, NetId};
use throng_tests::{PlayerHandle, Sim, flat_world};

const TARGET: u32 = 120;

fn bots(sim: &Sim) -> BTreeSet<NetId> {
    let columns = sim.instance(InstanceId(0)).columns();
    (0..columns.len())
        .filter(|&row| columns.archetypes[row] == Archetype::Bot)
        .map(|row| columns.net_ids[row])
        .collect()
}

#[test]
fn bots_give_way_as_people_join_and_return_as_they_leave_out_of_sight() {
    let world = flat_world(|config| {
        config.size_m = 800.0;
        config.population = PopulationConfig { target: TARGET, players_max: 100 };
        config.spawn_areas[0].radius_m = 390.0;
    });
    let mut sim = Sim::new(6).world(world).start();
    sim.run_ticks(1);
    assert_eq!(bots(&sim).len(), TARGET as usize, "an empty world is full of bots at once");
    let players: Vec<_> = (0..40).map(|_| sim.start_connecting(InstanceId(0))).collect();
    sim.run_until_playing();
    // Spread over the world, people see most bots: only those that nobody sees go.
    let mut seen_before = bots(&sim);
    sim.run_ticks_with(60, |sim| {
        let now = bots(sim);
        for bot in seen_before.difference(&now) {
            let is_known = |player: &PlayerHandle| sim.client(*player).replica().get(*bot).is_some();
            assert!(!players.iter().any(is_known), "{bot:?} disappeared before somebody's eyes");
        }
        seen_before = now;
    });
    assert!(bots(&sim).len() < TARGET as usize, "some bots are unseen");
    // Together in one place they see few.
    for &player in &players {
        sim.teleport(player, Vec2::ZERO);
    }
    sim.run_ticks(1);
    let mut before = bots(&sim);
    let (mut came, mut went) = (0, 0);
    let mut watch = |sim: &mut Sim| {
        let now = bots(sim);
        let instance = sim.instance(InstanceId(0));
        let (columns, leave_m) = (instance.columns(), instance.rules().interest.leave_radius_m);
        for bot in now.difference(&before) {
            came += 1;
            let place_m = columns.positions_m[columns.row(*bot).expect("it has come")];
            assert!(place_m.length() > leave_m, "{bot:?} appeared before everybody's eyes");
        }
        for bot in before.difference(&now) {
            went += 1;
            let is_known = |player: &PlayerHandle| sim.client(*player).replica().get(*bot).is_some();
            assert!(!players.iter().any(is_known), "{bot:?} disappeared before somebody's eyes");
        }
        before = now;
    };
    sim.run_ticks_with(100, &mut watch);
    assert_eq!(bots(&sim).len(), TARGET as usize - 40, "bots have given way");
    for &player in &players[..30] {
        sim.leave(player);
    }
    sim.run_ticks_with(100, &mut watch);
    assert_eq!(bots(&sim).len(), TARGET as usize - 10, "bots have returned");
    assert!(came >= 30, "{came} came, {went} went");
}
