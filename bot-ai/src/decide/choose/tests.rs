use std::collections::BTreeMap;

use throng_shared::config::PatrolConfig;
use throng_shared::ids::NetId;
use throng_shared::tick::Tick;

use super::*;
use crate::packs::{Mates, Pack};
use crate::perceive::Percepts;
use crate::tests::{open_world, seeing, situation, somebody, somebody_at, village_config, world_of};

/// How often each goal is chosen in 4,000 choices at the origin.
fn chosen(world: &BotWorld, percepts: &Percepts, is_stuck: bool) -> BTreeMap<&'static str, u32> {
    let mut mind = BotMind::new(1, NetId(1));
    let mut counts = BTreeMap::new();
    for tick in 0..4_000 {
        let situation = Situation { is_stuck, ..situation(world, Tick(tick), Vec2::ZERO, percepts) };
        choose_goal(&mut mind, &situation);
        assert!(mind.goal_ends > Tick(tick));
        *counts.entry(mind.goal.label()).or_insert(0) += 1;
    }
    counts
}

fn with_weights(mut world: BotWorld, [idle, wander, patrol, follow, flee]: [f32; 5]) -> BotWorld {
    world.rules = BotsConfig {
        idle_weight: idle,
        wander_weight: wander,
        patrol_weight: patrol,
        follow_weight: follow,
        flee_weight: flee,
        ..world.rules
    };
    world
}

fn one_route() -> BotWorld {
    let points_m = vec![Vec2::new(50.0, 0.0), Vec2::new(5.0, 5.0), Vec2::new(-50.0, 0.0)];
    BotWorld { patrols: [PatrolConfig { name: "round".to_owned(), points_m }].into(), ..open_world() }
}

#[test]
fn goals_are_chosen_by_weight() {
    let world = with_weights(one_route(), [1.0, 2.0, 4.0, 1.0, 9.0]);
    let counts = chosen(&world, &somebody_at(Vec2::X), false);
    for (goal, expected) in [("idle", 500), ("wander", 1_000), ("patrol", 2_000), ("follow", 500)] {
        assert!(counts[goal].abs_diff(expected) < 120, "{goal}: {counts:?}");
    }
}

#[test]
fn what_is_impossible_or_weighs_nothing_is_not_chosen() {
    let (alone, company) = (Percepts::default(), somebody_at(Vec2::X));
    let only = |counts: BTreeMap<&'static str, u32>| counts.into_keys().collect::<Vec<_>>();
    let weighing = |weights| with_weights(open_world(), weights);
    assert_eq!(only(chosen(&weighing([0.0; 5]), &company, false)), ["idle"]);
    assert_eq!(only(chosen(&weighing([f32::NAN, f32::INFINITY, -1.0, 0.0, 1.0]), &company, false)), ["idle"]);
    assert_eq!(only(chosen(&weighing([0.0, 0.0, 1.0, 0.0, 0.0]), &company, false)), ["wander"]);
    assert_eq!(only(chosen(&weighing([0.0, 0.0, 0.0, 1.0, 0.0]), &company, false)), ["follow"]);
    assert_eq!(only(chosen(&weighing([0.0, 0.0, 0.0, 1.0, 0.0]), &alone, false)), ["idle"]);
}

#[test]
fn who_is_stuck_wanders_off() {
    let world = with_weights(one_route(), [1.0, 0.0, 1.0, 1.0, 1.0]);
    assert_eq!(chosen(&world, &somebody_at(Vec2::X), true).into_keys().collect::<Vec<_>>(), ["wander"]);
}

#[test]
fn one_wanders_only_to_where_one_can_stand() {
    let world = with_weights(world_of(&village_config()), [0.0, 1.0, 0.0, 0.0, 0.0]);
    let percepts = Percepts::default();
    let mut mind = BotMind::new(2, NetId(1));
    for tick in 0..1_000 {
        let position_m = Vec2::new(-90.0, 90.0);
        let situation = situation(&world, Tick(tick), position_m, &percepts);
        choose_goal(&mut mind, &situation);
        let Goal::Wander { target_m } = mind.goal else { continue };
        assert!(world.map.is_standable(target_m) && target_m.distance(position_m) <= WANDER_M);
    }
}

#[test]
fn a_patrol_goes_once_around_from_its_nearest_point() {
    let world = with_weights(one_route(), [0.0, 0.0, 1.0, 0.0, 0.0]);
    let percepts = Percepts::default();
    let mut mind = BotMind::new(3, NetId(1));
    let mut position_m = Vec2::ZERO;
    let mut visited = Vec::new();
    for tick in 0..4 {
        let situation = situation(&world, Tick(tick), position_m, &percepts);
        crate::decide::think(&mut mind, &situation);
        let Goal::Patrol(leg) = mind.goal else { panic!("{:?}", mind.goal) };
        position_m = route_point(&world, leg.route, leg.point).expect("a point of the route");
        visited.push(position_m.x);
    }
    assert_eq!(visited, [5.0, -50.0, 50.0, 5.0]);
    let last_leg = mind.goal_started;
    let situation = situation(&world, Tick(4), position_m, &percepts);
    crate::decide::think(&mut mind, &situation);
    assert!(
        matches!(mind.goal, Goal::Patrol(Leg { points_left: 4, .. })) && mind.goal_started > last_leg,
        "a new round"
    );
}

#[test]
fn routes_that_are_empty_or_gone_are_not_walked() {
    let empty = PatrolConfig { name: "empty".to_owned(), points_m: Vec::new() };
    let world = BotWorld { patrols: [empty].into(), ..open_world() };
    assert_eq!(route_point(&world, 0, 0), None);
    assert_eq!(route_point(&world, 1, 0), None);
    let world = with_weights(world, [0.0, 0.0, 1.0, 0.0, 0.0]);
    assert_eq!(chosen(&world, &Percepts::default(), false).into_keys().collect::<Vec<_>>(), ["wander"]);
}

#[test]
fn who_leads_follows_nobody_who_goes_with_it_anyway() {
    let world = with_weights(open_world(), [0.0, 0.0, 0.0, 1.0, 0.0]);
    let pack = Pack::of(&[1, 7, 8]);
    let mates = Some(Mates { pack: &pack, rank: 0 });
    let [seven, nine] = [7, 9].map(|net_id| somebody(net_id, Vec2::X, Vec2::ZERO));
    for (seen, expected) in [(vec![seven], Goal::Idle), (vec![seven, nine], Goal::Follow { net_id: NetId(9) })] {
        let percepts = seeing(&seen);
        for tick in 0..50 {
            let mut mind = BotMind::new(tick.into(), NetId(1));
            choose_goal(&mut mind, &Situation { mates, ..situation(&world, Tick(tick), Vec2::ZERO, &percepts) });
            assert_eq!(mind.goal, expected);
        }
    }
}
