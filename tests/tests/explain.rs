//! Why a client is told of somebody, or is not: one reason for each pair, and the right one.

use std::collections::BTreeMap;

use glam::Vec2;
use throng_server::interest::Explanation;
use throng_server::session::Sessions;
use throng_shared::config::PopulationConfig;
use throng_shared::ids::{ClientId, InstanceId, NetId};
use throng_tests::{Plan, PlayerHandle, Sim, flat_world};

const WORLD: InstanceId = InstanceId(0);

/// Standing players all over the world, a third of them in one place.
fn scattered(seed: u64, count: u32, visible_max: u32) -> (Sim, Vec<PlayerHandle>) {
    let world = flat_world(|config| {
        config.population = PopulationConfig { target: 0, players_max: 300, ..PopulationConfig::default() };
        config.interest.visible_max = visible_max;
        config.spawn_areas[0].radius_m = 110.0;
    });
    let mut sim = Sim::new(seed).world(world).start();
    let players = sim.connect_wanderers(count);
    let (_, center) = sim.character(players[0]);
    for (number, &player) in players.iter().enumerate() {
        sim.plan(player, Plan::stand());
        if number % 3 == 0 {
            sim.teleport(player, center.ground_position_m());
        }
    }
    sim.run_ticks(30);
    (sim, players)
}

fn explain(sim: &Sim, viewer: PlayerHandle, other: NetId) -> Explanation {
    sim.instance(WORLD).explain(sim.client_id(viewer), other)
}

#[test]
fn whoever_is_said_to_be_told_is_known_and_nobody_else_is() {
    for seed in 0..6 {
        let (sim, players) = scattered(seed, 90, 20 + 4 * seed as u32);
        let mut reasons: BTreeMap<&str, u32> = BTreeMap::new();
        for &viewer in &players {
            for &other in &players {
                let (net_id, _) = sim.character(other);
                let explanation = explain(&sim, viewer, net_id);
                // Whoever's turn in a full view is over lingers for a while.
                let known = sim.client(viewer).replica().get(net_id).filter(|known| !known.is_missing());
                let is_known = viewer == other || known.is_some();
                assert_eq!(explanation.is_told(), is_known, "seed {seed}: {explanation:?}");
                let reason = match explanation {
                    Explanation::Own => "own",
                    Explanation::Told { .. } => "told",
                    Explanation::OutOfReach { distance_m, enter_radius_m } => {
                        assert!(distance_m > enter_radius_m);
                        "out of reach"
                    }
                    Explanation::CrowdedOut { .. } => "crowded out",
                    other => panic!("nothing else can be the case after 30 ticks at rest: {other:?}"),
                };
                *reasons.entry(reason).or_default() += 1;
            }
        }
        assert_eq!(reasons.len(), 4, "seed {seed}: {reasons:?}");
        assert_eq!(reasons["own"], 90);
    }
}

#[test]
fn who_is_brought_what_was_missing_is_told() {
    let mut flipped: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 10..16 {
        let (mut sim, players) = scattered(seed, 90, 25);
        let viewer = players[seed as usize];
        for &other in players.iter().filter(|&&other| other != viewer).step_by(7) {
            let (net_id, _) = sim.character(other);
            let (_, own) = sim.character(viewer);
            match explain(&sim, viewer, net_id) {
                Explanation::OutOfReach { .. } => {
                    // Nobody is nearer to the viewer, wherever it has gone.
                    let corner_m = own.ground_position_m() + Vec2::X;
                    sim.teleport(other, corner_m);
                    sim.run_ticks(8);
                    let explanation = explain(&sim, viewer, net_id);
                    assert!(
                        !matches!(explanation, Explanation::OutOfReach { .. }),
                        "seed {seed}: it was brought near: {explanation:?}"
                    );
                    if explanation.is_told() {
                        *flipped.entry("out of reach").or_default() += 1;
                    }
                    sim.teleport(other, -own.ground_position_m().signum() * 150.0);
                    sim.run_ticks(15);
                    assert!(!explain(&sim, viewer, net_id).is_told(), "seed {seed}: it was brought away again");
                }
                Explanation::CrowdedOut { .. } => {
                    attend(&mut sim, viewer, &[net_id]);
                    sim.run_ticks(8);
                    let explanation = explain(&sim, viewer, net_id);
                    assert!(explanation.is_told(), "seed {seed}: whoever is pinned is told: {explanation:?}");
                    *flipped.entry("crowded out").or_default() += 1;
                    attend(&mut sim, viewer, &[]);
                    sim.run_ticks(15);
                }
                Explanation::Told { .. } => {
                    sim.leave(other);
                    sim.run_ticks(8);
                    assert_eq!(explain(&sim, viewer, net_id), Explanation::NoEntity);
                    *flipped.entry("told").or_default() += 1;
                }
                explanation => panic!("seed {seed}: {explanation:?}"),
            }
        }
        assert_eq!(sim.instance(WORLD).explain(ClientId(9_999), NetId(1)), Explanation::NoClient);
    }
    assert!(flipped.len() == 3 && flipped.values().all(|&count| count > 3), "{flipped:?}");
}

fn attend(sim: &mut Sim, viewer: PlayerHandle, pins: &[NetId]) {
    let client = sim.client_id(viewer);
    let mut sessions = sim.instance_mut(WORLD).world_mut().resource_mut::<Sessions>();
    sessions.get_mut(client).expect("it is in the world").attention.set_pins(pins);
}
