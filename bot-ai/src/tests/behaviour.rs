//! Two hundred bots in a village, for a hundred seconds; and stranger worlds.

use std::collections::BTreeSet;
use std::sync::Arc;

use glam::Vec2;
use throng_shared::config::{BotsConfig, MovementConfig, PatrolConfig, WorldConfig};
use throng_shared::map::Map;
use throng_shared::movement::CharacterState;

use super::population::Population;
use super::{open_config, village_config};
use crate::Goal;

const BOTS: u32 = 200;
const TICKS: u32 = 2_000;

/// What two hundred bots did in a village.
struct Report {
    map: Arc<Map>,
    /// For each tick, the state and goal of each bot.
    ticks: Vec<Vec<(CharacterState, Goal)>>,
}

impl Report {
    fn of_village() -> Report {
        Report::of(Population::new(&village_config(), BOTS, 90.0, false))
    }

    fn of_unwatched_village() -> Report {
        Report::of(Population::new(&village_config(), BOTS, 90.0, false).unwatched())
    }

    fn of(mut population: Population) -> Report {
        let ticks = (0..TICKS).map(|_| population.step()).collect();
        Report { map: population.map(), ticks }
    }

    /// What one bot did.
    fn bot(&self, index: usize) -> impl Iterator<Item = &(CharacterState, Goal)> {
        self.ticks.iter().map(move |bots| &bots[index])
    }
}

/// How deep a character stands in whatever is a wall to it, in metres; its distance to one within `room_m`, negative.
fn depth_in_walls_m(map: &Map, state: &CharacterState, room_m: f32) -> f32 {
    let rules = &map.rules;
    let point_m = state.ground_position_m();
    map.obstacles
        .near(point_m)
        .filter(|wall| {
            let feet_m = state.position_m.y;
            wall.top_m > feet_m + rules.step_height_m && wall.bottom_m < feet_m + rules.capsule_height_m
        })
        .filter_map(|wall| wall.push_out(point_m, rules.capsule_radius_m + room_m))
        .map(|push| push.length() - room_m)
        .fold(-room_m, f32::max)
}

#[test]
fn nobody_walks_into_an_obstacle_and_hardly_anybody_touches_one() {
    // Where nobody looks, bots see a wall a little later.
    for (report, touching_share) in [(Report::of_village(), 200), (Report::of_unwatched_village(), 60)] {
        check_walls(&report, touching_share);
    }
}

/// Nobody is inside of anything, and no more than one in `touching_share` touches it.
fn check_walls(report: &Report, touching_share: usize) {
    let depths_m: Vec<f32> =
        report.ticks.iter().flatten().map(|(state, _)| depth_in_walls_m(&report.map, state, 0.3)).collect();
    assert!(depths_m.iter().all(|&depth_m| depth_m < 0.01), "somebody is inside an obstacle");
    let near = depths_m.iter().filter(|&&depth_m| depth_m > -0.25).count();
    let touching = depths_m.iter().filter(|&&depth_m| depth_m > -0.02).count();
    assert!(near > 100, "the village has walls to be avoided: {near}");
    assert!(touching * touching_share < depths_m.len(), "{touching} of {} rub along a wall", depths_m.len());
    let is_steep =
        |state: &CharacterState| report.map.terrain.slope(state.ground_position_m()) > report.map.rules.slope_max;
    let steep = report.ticks.iter().flatten().filter(|(state, _)| is_steep(state)).count();
    assert!(steep * 200 < depths_m.len(), "{steep} of {} are on steep ground", depths_m.len());
}

#[test]
fn most_bots_get_far_and_every_goal_occurs() {
    [Report::of_village(), Report::of_unwatched_village()].iter().for_each(check_ways);
}

fn check_ways(report: &Report) {
    let mut distances_m: Vec<f32> = (0..BOTS as usize)
        .map(|index| {
            let start_m = report.ticks[0][index].0.position_m;
            report.bot(index).map(|(state, _)| state.position_m.distance(start_m)).fold(0.0, f32::max)
        })
        .collect();
    distances_m.sort_by(f32::total_cmp);
    assert!(distances_m[BOTS as usize / 10] > 25.0 && distances_m[BOTS as usize / 2] > 50.0, "{distances_m:?}");
    let goals: BTreeSet<&str> = report.ticks.iter().flatten().map(|(_, goal)| goal.label()).collect();
    assert_eq!(goals, BTreeSet::from(["flee", "follow", "idle", "patrol", "wander"]));
}

#[test]
fn nobody_is_stuck_for_ever() {
    [Report::of_village(), Report::of_unwatched_village()].iter().for_each(check_progress);
}

fn check_progress(report: &Report) {
    const WINDOW_TICKS: usize = 500;
    for index in 0..BOTS as usize {
        let steps: Vec<_> = report.bot(index).collect();
        for window in steps.chunks_exact(WINDOW_TICKS) {
            let is_walking = |goal: Goal| matches!(goal, Goal::Wander { .. } | Goal::Patrol(_) | Goal::Flee { .. });
            let walking = window.iter().filter(|(_, goal)| is_walking(*goal)).count();
            let start_m = window[0].0.position_m;
            let moved_m = window.iter().map(|(state, _)| state.position_m.distance(start_m)).fold(0.0, f32::max);
            assert!(walking < WINDOW_TICKS * 3 / 4 || moved_m > 4.0, "bot {index} at {start_m}: {moved_m} m");
        }
    }
}

#[test]
fn a_seed_has_one_outcome_for_any_number_of_threads_and_any_order_of_bots() {
    let run = |threads: usize, is_reversed: bool| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
        pool.install(|| {
            let mut population = Population::new(&village_config(), BOTS, 90.0, is_reversed);
            (0..TICKS).map(|_| population.step()).collect::<Vec<_>>()
        })
    };
    let alone = run(1, false);
    for (threads, is_reversed) in [(4, false), (4, true)] {
        let difference = alone.iter().zip(run(threads, is_reversed)).position(|(a, b)| *a != b);
        assert_eq!(difference, None, "with {threads} threads, reversed: {is_reversed}");
    }
}

#[test]
fn a_panic_in_a_crowd_dies_down() {
    let mut config = open_config();
    config.bots = BotsConfig { flee_weight: 1_000.0, ..config.bots };
    let mut population = Population::new(&config, BOTS, 12.0, false);
    let ticks: Vec<_> = (0..TICKS).map(|_| population.step()).collect();
    let fleeing = |ticks: &[Vec<(CharacterState, Goal)>]| {
        let goals = ticks.iter().flatten();
        goals.filter(|(_, goal)| matches!(goal, Goal::Flee { .. })).count() as f32 / (ticks.len() as u32 * BOTS) as f32
    };
    let (first, second) = ticks.split_at(ticks.len() / 2);
    assert!(fleeing(first) > 0.02, "there is a panic: {}", fleeing(first));
    assert!(fleeing(second) < 0.1, "it goes on: {}", fleeing(second));
}

#[test]
fn no_config_stops_the_tick() {
    let village = village_config();
    let bots = |change: fn(&mut BotsConfig)| {
        let mut config = village.clone();
        change(&mut config.bots);
        config
    };
    let movement = |change: fn(&mut MovementConfig)| {
        let mut config = village.clone();
        change(&mut config.movement);
        config
    };
    let no_points = vec![PatrolConfig { name: "empty".to_owned(), points_m: Vec::new() }];
    let far_points = vec![PatrolConfig { name: "far".to_owned(), points_m: vec![Vec2::splat(f32::MAX), Vec2::NAN] }];
    for (name, config) in [
        ("no sight", bots(|bots| bots.sight_m = 0.0)),
        ("no interval", bots(|bots| bots.think_interval_ms = 0)),
        ("longest interval", bots(|bots| bots.think_interval_ms = u32::MAX)),
        ("weights beyond all numbers", bots(|bots| (bots.wander_weight, bots.flee_weight) = (f32::MAX, f32::NAN))),
        ("nobody walks", movement(|movement| movement.walk_speed_mps = 0.0)),
        ("nobody runs faster", movement(|movement| movement.run_speed_mps = movement.walk_speed_mps)),
        ("nobody starts", movement(|movement| movement.ground_acceleration_mps2 = 0.0)),
        ("giants", movement(|movement| (movement.capsule_radius_m, movement.capsule_height_m) = (2.0, 4.0))),
        ("points of no world", WorldConfig { patrols: far_points, ..village.clone() }),
        ("routes without points", WorldConfig { patrols: no_points, ..village.clone() }),
        ("no routes", WorldConfig { patrols: Vec::new(), ..village.clone() }),
        ("fast ticks", WorldConfig { tick_rate_hz: 128, ..village.clone() }),
    ] {
        let mut population = Population::new(&config, 50, 90.0, false);
        for _ in 0..400 {
            let bots = population.step();
            assert!(bots.iter().all(|(state, _)| state.position_m.is_finite()), "{name}");
        }
    }
}

#[test]
fn bots_that_weigh_nothing_stand_still() {
    let mut config = village_config();
    config.bots = BotsConfig {
        idle_weight: 0.0,
        wander_weight: 0.0,
        patrol_weight: 0.0,
        follow_weight: 0.0,
        flee_weight: 0.0,
        sight_m: 0.0,
        ..config.bots
    };
    let mut population = Population::new(&config, 50, 90.0, false);
    let start = population.step();
    let end = (0..400).map(|_| population.step()).last();
    assert_eq!(end, Some(start));
}
