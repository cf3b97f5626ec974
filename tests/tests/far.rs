//! Who is seen from farther than others.

use glam::Vec2;
use throng_server::interest::Explanation;
use throng_shared::attributes::{AttributeKind, AttributeRule};
use throng_shared::config::{LoadedWorld, PopulationConfig, TierConfig};
use throng_shared::ids::InstanceId;
use throng_tests::{Plan, PlayerHandle, Sim, flat_world};

const WORLD: InstanceId = InstanceId(0);

/// A world of 2 km in which everybody is seen from 60 m, whoever is huge from 300 m, and whoever is a landmark from everywhere.
fn world() -> LoadedWorld {
    let flag = |name: &str, seen_from_m| AttributeRule { seen_from_m, ..AttributeRule::new(name, AttributeKind::Flag) };
    flat_world(|config| {
        config.size_m = 2_000.0;
        config.obstacles.clear();
        config.population = PopulationConfig { target: 0, players_max: 200, ..PopulationConfig::default() };
        config.attributes = vec![flag("huge", 300.0), flag("landmark", 12_000.0)];
        config.interest.tiers =
            [(30.0, 50), (70.0, 200)].map(|(within_m, staleness_ms)| TierConfig { within_m, staleness_ms }).to_vec();
    })
}

fn set(sim: &mut Sim, player: PlayerHandle, name: &str, value: bool) {
    let flag = sim.instance(WORLD).rules().attributes.flag(name).expect(name);
    let (net_id, _) = sim.character(player);
    sim.instance_mut(WORLD).attributes_mut(net_id).expect("it is in the world").set(&flag, value);
}

/// Players who stand at these places of a line.
fn standing<const COUNT: usize>(sim: &mut Sim, places_m: [f32; COUNT]) -> [PlayerHandle; COUNT] {
    let players = sim.connect();
    for (&player, x_m) in players.iter().zip(places_m) {
        sim.plan(player, Plan::stand());
        sim.teleport(player, Vec2::new(x_m, 80.0));
    }
    players
}

#[test]
fn what_is_huge_is_seen_from_afar_and_what_is_a_landmark_from_everywhere() {
    let mut sim = Sim::new(1).world(world()).start();
    let [giant, near, far, farther, farthest] = standing(&mut sim, [0.0, 40.0, 250.0, 700.0, -990.0]);
    let known = |sim: &Sim| [near, far, farther, farthest].map(|viewer| sim.sees(viewer, giant));
    sim.run_ticks(40);
    assert_eq!(known(&sim), [true, false, false, false]);
    set(&mut sim, giant, "huge", true);
    sim.run_ticks(20);
    assert_eq!(known(&sim), [true, true, false, false]);
    assert!(!sim.sees(giant, far), "and sees no farther itself");
    let (net_id, _) = sim.character(giant);
    let reason = sim.instance(WORLD).explain(sim.client_id(farther), net_id);
    let Explanation::OutOfReach { distance_m, enter_radius_m } = reason else { panic!("{reason:?}") };
    assert!((enter_radius_m - 300.0).abs() < 0.1 && (400.0..=700.0).contains(&distance_m), "{reason:?}");

    set(&mut sim, giant, "landmark", true);
    sim.run_ticks(20);
    assert_eq!(known(&sim), [true; 4]);
    // Where it is, is told as exactly as of anybody.
    sim.teleport(giant, Vec2::new(420.3, -333.7));
    sim.run_ticks(20);
    let (_, state) = sim.character(giant);
    for viewer in [near, far, farther, farthest] {
        let known = sim.client(viewer).replica().get(net_id).expect("it is a landmark");
        assert!(known.state.position_m().distance(state.position_m) < 0.02);
    }
    set(&mut sim, giant, "huge", false);
    set(&mut sim, giant, "landmark", false);
    sim.run_ticks(30);
    assert_eq!(known(&sim), [false; 4], "it is small again, and far from all");
}

#[test]
fn who_is_seen_from_afar_is_told_as_often_as_it_looks_near() {
    let mut sim = Sim::new(2).world(world()).start();
    let [giant, beside, far] = standing(&mut sim, [0.0, 20.0, 430.0]);
    set(&mut sim, giant, "huge", true);
    sim.run_ticks(40);
    let (net_id, _) = sim.character(giant);
    let tier = |viewer| match sim.instance(WORLD).explain(sim.client_id(viewer), net_id) {
        Explanation::Told { tier, .. } => tier,
        other => panic!("{other:?}"),
    };
    assert_eq!([tier(beside), tier(far)], [0, 1]);
}

#[test]
fn in_a_crowd_the_giant_behind_it_is_not_the_first_to_be_left_out() {
    /// The middle of a cell, so that few others are in the viewer's own.
    const MIDDLE_M: Vec2 = Vec2::splat(20.0);
    let mut world = world();
    world.config.interest.visible_max = 40;
    let mut sim = Sim::new(3).world(world).start();
    let viewers = sim.connect_wanderers(120);
    for (number, &player) in viewers.iter().enumerate() {
        sim.plan(player, Plan::stand());
        let turn = Vec2::from_angle(number as f32);
        sim.teleport(player, MIDDLE_M + turn * (20.0 + 28.0 * number as f32 / 120.0));
    }
    let (viewer, giant) = (viewers[0], viewers[119]);
    sim.teleport(viewer, MIDDLE_M);
    sim.teleport(giant, MIDDLE_M + Vec2::new(50.0, 0.0));
    sim.run_ticks(60);
    assert!(!sim.sees(viewer, giant), "it is the farthest of all");
    set(&mut sim, giant, "huge", true);
    sim.run_ticks(20);
    let (net_id, _) = sim.character(giant);
    let reason = sim.instance(WORLD).explain(sim.client_id(viewer), net_id);
    assert!(sim.sees(viewer, giant) && reason.is_told(), "{reason:?}");
}

#[test]
fn bots_that_are_seen_from_afar_appear_and_disappear_farther_away() {
    let mut world = world();
    world.config.attributes[0].default = 1;
    world.config.population.target = 30;
    world.config.spawn_areas[0].radius_m = 900.0;
    let mut sim = Sim::new(4).world(world).start();
    let viewers = sim.connect_wanderers(12);
    let mut known = vec![None; viewers.len()];
    sim.run_ticks_with(200, |sim| {
        for (&viewer, known) in viewers.iter().zip(&mut known) {
            let (_, own) = sim.character(viewer);
            let own_m = own.ground_position_m();
            let seen: Vec<_> =
                sim.client(viewer).replica().entities().map(|entity| (entity.net_id, entity.state)).collect();
            for (net_id, state) in &seen {
                let is_new =
                    known.as_ref().is_some_and(|known: &Vec<_>| known.iter().all(|(other, _)| other != net_id));
                let distance_m = own_m.distance(Vec2::new(state.position_m().x, state.position_m().z));
                assert!(!is_new || distance_m > 250.0, "{net_id:?} appeared {distance_m} m away");
            }
            *known = Some(seen);
        }
    });
}
