//! A crowd that is more than a client is told of one by one.

use std::collections::BTreeSet;
use std::time::Duration;

use glam::Vec2;
use throng_shared::attributes::{AttributeKind, AttributeRule};
use throng_shared::config::PopulationConfig;
use throng_shared::ids::{InstanceId, NetId};
use throng_shared::random::Random;
use throng_tests::{Plan, PlayerHandle, Sim, flat_world};

const WORLD: InstanceId = InstanceId(0);
const VISIBLE_MAX: u32 = 230;

/// Three hundred who stand within 35 m, a third of them of each of three teams.
fn crowd() -> (Sim, Vec<PlayerHandle>) {
    let world = flat_world(|config| {
        config.population =
            PopulationConfig { target: 0, players_max: 400, stand_ins: false, ..PopulationConfig::default() };
        config.obstacles.clear();
        config.interest.visible_max = VISIBLE_MAX;
        let names = ["red", "green", "blue"].map(str::to_owned).to_vec();
        config.attributes = vec![AttributeRule::new("side", AttributeKind::Choice { names, is_team: true })];
    });
    let mut sim = Sim::new(1).world(world).hold(Duration::from_secs(60)).start();
    let players = sim.connect_wanderers(300);
    let side = sim.instance(WORLD).rules().attributes.choice("side").expect("a choice");
    let mut random = Random::new(5, 0);
    for (number, &player) in players.iter().enumerate() {
        sim.plan(player, Plan::stand());
        let place_m = Vec2::splat(20.0) + random.in_disc(35.0);
        sim.teleport(player, place_m);
        let (net_id, _) = sim.character(player);
        sim.instance_mut(WORLD).attributes_mut(net_id).expect("it plays").set(&side, number as u32 % 3);
    }
    sim.run_ticks(40);
    (sim, players)
}

#[test]
fn everybody_in_it_has_a_turn_to_be_told_one_by_one_and_the_nearest_stay() {
    let (mut sim, players) = crowd();
    let viewer = players[0];
    let (_, own) = sim.character(viewer);
    let near: Vec<NetId> = players[1..]
        .iter()
        .map(|&player| sim.character(player))
        .filter(|(_, state)| state.position_m.distance(own.position_m) < 4.0)
        .map(|(net_id, _)| net_id)
        .collect();
    assert!(near.len() >= 2, "{near:?}");
    let (mut known, mut most) = (BTreeSet::new(), 0);
    sim.run_ticks_with(60 * 20, |sim| {
        let replica = sim.client(viewer).replica();
        assert!(near.iter().all(|&net_id| replica.get(net_id).is_some()));
        known.extend(replica.entities().map(|entity| entity.net_id));
        most = most.max(replica.entities().filter(|entity| !entity.is_missing()).count());
    });
    assert_eq!(known.len(), players.len() - 1, "in a minute");
    // Whole pages are told, and the turns overlap.
    assert!(most <= 2 * VISIBLE_MAX as usize, "{most} at once");
}

#[test]
fn who_is_not_told_one_by_one_is_counted_with_its_team() {
    let (mut sim, players) = crowd();
    let viewer = players[7];
    sim.run_ticks(200);
    let replica = sim.client(viewer).replica();
    let groups: Vec<_> = replica.crowd().copied().collect();
    let counted: usize = groups.iter().map(|group| usize::from(group.count)).sum();
    let one_by_one = replica.entities().filter(|entity| !entity.is_missing()).count();
    let all = counted + one_by_one + 1;
    // Whoever has its turn may still be counted in its group until that is told again.
    assert!((players.len()..players.len() + 40).contains(&all), "{all}");
    for group in &groups {
        assert_eq!(group.teams().iter().sum::<u8>(), group.count, "everybody is of a team");
        assert_eq!(group.teams()[3..], [0; 5]);
    }
    let of_teams = [0, 1, 2].map(|team| groups.iter().map(|group| usize::from(group.teams()[team])).sum::<usize>());
    assert!(of_teams.iter().all(|&of_team| of_team > counted / 6), "{of_teams:?}");
}

#[test]
fn a_crowd_that_nobody_has_looked_at_before_is_counted_too() {
    let (mut sim, players) = crowd();
    let (viewer, others) = (players[0], &players[1..]);
    sim.teleport(viewer, Vec2::splat(180.0));
    for &player in others {
        sim.cut(player);
        sim.time_out(player);
    }
    sim.run_ticks(100);
    let mut random = Random::new(6, 0);
    for &player in others {
        sim.teleport(player, Vec2::splat(-60.0) + random.in_disc(35.0));
    }
    sim.run_ticks(20);
    sim.teleport(viewer, Vec2::splat(-60.0));
    sim.run_ticks(200);
    let replica = sim.client(viewer).replica();
    let counted: usize = replica.crowd().map(|group| usize::from(group.count)).sum();
    let one_by_one = replica.entities().filter(|entity| !entity.is_missing()).count();
    let all = counted + one_by_one + 1;
    assert!((players.len()..players.len() + 40).contains(&all), "{counted} counted, {one_by_one} one by one");
}
