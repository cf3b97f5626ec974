//! Bots fill what people leave empty, and nobody sees them come or go.

use throng_shared::config::PopulationConfig;
use throng_shared::ids::{Archetype, InstanceId, NetId};
use throng_tests::{Sim, flat_world};
use std::collections::BTreeSet;

const TARGET: u32 = 120;

fn bots(sim: &Sim) -> BTreeSet<NetId> {
    let columns = sim.instance(InstanceId(0)).columns();
    (0..columns.len()).filter(|&row| columns.archetypes[row] == Archetype::Bot).map(|row| columns.net_ids[row]).collect()
}

#[test]
fn bots_give_way_as_people_join_and_return_as_they_leave_out_of_sight() {
    let world = flat_world(|config| {
        config.population = PopulationConfig { target: TARGET, players_max: 100 };
        config.spawn_areas[0].radius_m = 190.0;
    });
    let mut sim = Sim::new(6).world(world).start();
    sim.run_ticks(1);
    assert_eq!(bots(&sim).len(), TARGET as usize, "an empty world is full of bots at once");
    let players: Vec<_> = (0..40).map(|_| sim.start_connecting(InstanceId(0))).collect();
    sim.run_until_playing();
    let mut before = bots(&sim);
    let mut changes = 0;
    let mut watch = |sim: &mut Sim| {
        let now = bots(sim);
        let columns = sim.instance(InstanceId(0)).columns();
        let leave_m = sim.instance(InstanceId(0)).rules().interest.leave_radius_m;
        for bot in now.difference(&before) {
            changes += 1;
            let place_m = columns.positions_m[columns.row(*bot).expect("it has come")];
            let watched = (0..columns.len()).any(|row| {
                columns.archetypes[row] == Archetype::Player && columns.positions_m[row].distance(place_m) < leave_m - 1.0
            });
            assert!(!watched, "{bot:?} appeared before somebody's eyes");
        }
        // Who has gone was in nobody's replica: it would be known to have left only later.
        for bot in before.difference(&now) {
            changes += 1;
            for &player in &players {
                let replica = sim.client(player).replica();
                assert!(replica.get(*bot).is_none(), "{bot:?} disappeared before somebody's eyes");
            }
        }
        before = now;
    };
    sim.run_ticks_with(600, &mut watch);
    let people = 40;
    let with_people = bots(&sim).len();
    for &player in &players[..30] {
        sim.leave(player);
    }
    sim.run_ticks(600);
    assert!(with_people <= TARGET as usize - people + 20, "{with_people} bots beside {people} people");
    assert_eq!(bots(&sim).len(), TARGET as usize - 10);
    assert!(changes > 0);
}
