//! Ways are compared with what a flood of all cells finds, and walked by the step of the simulation itself.

use std::collections::VecDeque;

use throng_shared::config::{
    BotsConfig, ObstacleConfig, ObstacleShapeConfig, PlaceConfig, TerrainConfig, TerrainSamples, WorldConfig,
};
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::movement::{CharacterState, step_character};
use throng_shared::random::Random;

use super::cells::DIRECTIONS;
use super::*;
use crate::tests::population::Population;
use crate::tests::{open_config, village_config};

fn map_of(config: &WorldConfig) -> Arc<Map> {
    Arc::new(Map::new(config, None).expect("a map without a file"))
}

/// A field with a hut of 10 m, 3 m high, around `middle_m`, turned by `yaw_deg`; the only door, `door_m` wide, is to the north before it is turned. And
/// points of the field, given as before it was turned.
fn hut(door_m: f32, middle_m: Vec2, yaw_deg: f32) -> (WorldConfig, impl Fn(f32, f32) -> Vec2) {
    let (sin, cos) = libm::sincosf(yaw_deg.to_radians());
    let at = move |x: f32, z: f32| middle_m + Vec2::new(x * cos - z * sin, x * sin + z * cos);
    let wall = |x: f32, z: f32, width_m: f32, depth_m: f32| ObstacleConfig {
        center_m: at(x, z),
        height_m: 3.0,
        shape: ObstacleShapeConfig::Box { size_m: Vec2::new(width_m, depth_m), yaw_deg },
    };
    let side_m = 0.5 * (10.0 - door_m);
    let beside_m = 0.5 * (door_m + side_m);
    let north = [wall(-beside_m, -5.0, side_m, 0.4), wall(beside_m, -5.0, side_m, 0.4)];
    let others = [wall(0.0, 5.0, 10.0, 0.4), wall(-5.0, 0.0, 0.4, 10.0), wall(5.0, 0.0, 0.4, 10.0)];
    let obstacles = north.into_iter().chain(others).collect();
    (WorldConfig { obstacles, ..open_config() }, at)
}

fn to(position_m: Vec2) -> Destination {
    Destination { position_m, place: None }
}

fn wide(spread_m: f32) -> Habit {
    Habit { spread_m, ..Habit::default() }
}

/// Which cells of a village can be reached from one.
fn flood(cells: &Cells, start: IVec2) -> Vec<bool> {
    let side = cells.side();
    let mut reached = vec![false; (side * side) as usize];
    let mut queue = VecDeque::from([start]);
    reached[(start.y * side + start.x) as usize] = true;
    while let Some(cell) = queue.pop_front() {
        for direction in (0..DIRECTIONS.len()).filter(|direction| cells.links(cell) >> direction & 1 == 1) {
            let next = cell + DIRECTIONS[direction];
            let place = (next.y * side + next.x) as usize;
            if !std::mem::replace(&mut reached[place], true) {
                queue.push_back(next);
            }
        }
    }
    reached
}

#[test]
fn a_way_leads_both_ways_and_only_to_where_one_can_stand() {
    let map = map_of(&village_config());
    let cells = Cells::new(Arc::clone(&map));
    let (mut blocked, mut narrow) = (0, 0);
    for cell in (0..cells.side()).flat_map(|row| (0..cells.side()).map(move |column| IVec2::new(column, row))) {
        let links = cells.links(cell);
        match cells.place_m(cell) {
            None => {
                blocked += 1;
                assert_eq!(links, 0);
            }
            Some(place_m) => {
                assert_eq!(cells.cell_at(place_m), cell);
                assert_eq!(map.nearest_free(place_m), place_m, "in no wall");
                narrow += u32::from(!cells.is_roomy(cell));
            }
        }
        for direction in (0..DIRECTIONS.len()).filter(|direction| links >> direction & 1 == 1) {
            let back = cells.links(cell + DIRECTIONS[direction]) >> cells::opposite(direction) & 1;
            assert_eq!(back, 1, "from {cell} to {direction}");
        }
    }
    assert!(blocked > 500 && narrow > 500, "a village with walls: {blocked}, {narrow}");
}

#[test]
fn a_search_and_a_field_find_a_way_wherever_there_is_one() {
    let config = village_config();
    let navigation = Navigation::new(&map_of(&config), &[], &config.patrols);
    let cells = &navigation.cells;
    let mut random = Random::new(11, 0);
    let (mut scratch, mut way) = (Scratch::default(), Vec::new());
    let (mut whole, mut walled_in) = (0, 0);
    for number in 0..60 {
        let place = &navigation.destinations[number % navigation.destinations.len()];
        let goal = cells.cell_to_set_out(place.position_m).expect("a place to stand");
        let reached = flood(cells, goal);
        // Near enough for a search, which looks no farther than 96 m.
        let start = cells.cell_at(place.position_m + random.in_disc(60.0));
        let Some(start) = cells.place_m(start).map(|_| start) else { continue };
        let is_connected = reached[(start.y * cells.side() + start.x) as usize];
        way.clear();
        assert_eq!(navigation.field(place, number as u32 % TASTES).trace(start, usize::MAX, &mut way), is_connected);
        let traced = way.len();
        way.clear();
        let found = scratch.search.find(cells, start, goal, &mut way);
        assert_eq!(found.is_whole, is_connected);
        if is_connected {
            whole += 1;
            assert_eq!(way.last().copied().unwrap_or(start), goal);
            assert!(way.len().abs_diff(traced) <= way.len() / 2, "{} cells or {traced}", way.len());
        } else {
            walled_in += 1;
        }
    }
    assert!(whole > 20, "{whole} of 60 are connected, {walled_in} are not");
}

#[test]
fn a_way_out_of_a_hut_leads_through_its_door_wherever_it_stands_and_can_be_walked() {
    let mut random = Random::new(12, 0);
    // A character is 0.8 m wide, and keeps 0.18 m from walls where it can.
    for number in 0..200 {
        let door_m = [1.5, 1.6, 2.0, 4.0][number % 4];
        let (config, at) = hut(door_m, random.in_disc(2.0), random.between(0.0, 360.0));
        let map = map_of(&config);
        let navigation = Navigation::new(&map, &[], &[]);
        let (from_m, to_m) = (at(0.5, 3.5), at(1.0, 20.0));
        assert!(!navigation.is_straight_way(from_m, to_m), "the south wall is between");
        let mut state = CharacterState::standing_at(&map, from_m);
        let (mut asked, mut length_m) = (0, 0.0);
        while state.ground_position_m().distance(to_m) > 0.1 {
            let from_m = state.ground_position_m();
            let way = navigation.find(from_m, to(to_m), wide(random.between(0.0, 1.5)), &mut Scratch::default());
            assert!(!way.is_dead_end, "hut {number}, with a door of {door_m} m");
            (asked, length_m) = (asked + 1, length_m + way.length_m);
            assert!(asked <= 3, "hut {number}, with a door of {door_m} m");
            way.corners_m[..way.count].iter().for_each(|corner_m| walk_to(&map, &mut state, *corner_m));
        }
        assert!((30.0..60.0).contains(&length_m), "{length_m} m");
    }
}

/// Walks straight to a point.
fn walk_to(map: &Map, state: &mut CharacterState, point_m: Vec2) {
    let mut steps = 0;
    while state.ground_position_m().distance(point_m) > 0.06 {
        let direction = (point_m - state.ground_position_m()).normalize();
        *state = step_character(map, *state, PlayerInput::towards(direction * 0.5, Buttons::default()), 0.05);
        steps += 1;
        assert!(steps < 1_000, "from {} one does not come to {point_m}", state.position_m);
    }
}

#[test]
fn no_way_leads_through_a_door_that_is_too_narrow_and_that_is_said() {
    let navigation = Navigation::new(&map_of(&hut(0.7, Vec2::ZERO, 0.0).0), &[], &[]);
    let way = navigation.find(Vec2::new(0.0, 8.0), to(Vec2::ZERO), Habit::default(), &mut Scratch::default());
    assert!(way.is_dead_end);
    let end_m = way.corners_m[..way.count].last().copied().unwrap_or(Vec2::new(0.0, 8.0));
    assert!(end_m.abs().max_element() > 5.0, "it ends outside: {end_m}");
}

#[test]
fn whoever_has_an_own_way_around_a_corner_goes_around_it_all_the_same() {
    let navigation = Navigation::new(&map_of(&hut(4.0, Vec2::ZERO, 0.0).0), &[], &[]);
    let (from_m, to_m) = (Vec2::new(0.5, 3.5), Vec2::new(1.0, 20.0));
    let corners_m: Vec<Vec2> = (0..8)
        .map(|tenths| {
            let way = navigation.find(from_m, to(to_m), wide(tenths as f32 * 0.2), &mut Scratch::default());
            let legs = std::iter::once(from_m).chain(way.corners_m).take(way.count);
            let mut legs = legs.zip(way.corners_m);
            assert!(legs.all(|(from_m, to_m)| navigation.is_straight_way(from_m, to_m)));
            way.corners_m[1]
        })
        .collect();
    let apart_m = corners_m.iter().map(|corner_m| corner_m.distance(corners_m[0])).fold(0.0, f32::max);
    assert!(apart_m > 0.5, "all go by the same corners: {corners_m:?}");
}

#[test]
fn points_that_are_no_numbers_or_in_no_world_lead_nowhere_and_to_no_panic() {
    let navigation = Navigation::new(&map_of(&village_config()), &[], &village_config().patrols);
    let odd = [Vec2::NAN, Vec2::splat(f32::INFINITY), Vec2::splat(-1e30), Vec2::splat(1e9), Vec2::ZERO];
    for (from_m, to_m) in odd.iter().flat_map(|from_m| odd.iter().map(move |to_m| (*from_m, *to_m))) {
        let way = navigation.find(from_m, to(to_m), wide(1.0), &mut Scratch::default());
        assert!(way.count <= CORNERS_MAX);
        let _ = navigation.is_straight_way(from_m, to_m);
    }
    assert_eq!(navigation.destination(99, 0), None);
    assert_eq!(navigation.destination(0, u32::MAX), None);
}

#[test]
fn a_place_is_reached_behind_a_wall_of_its_own_and_a_changed_file_keeps_what_is_known() {
    // A place as wide as the hut and its surroundings: its middle is within, and whoever gathers may want to stand outside.
    let (config, at) = hut(2.0, Vec2::ZERO, 0.0);
    let place = |name: &str, center_m: Vec2| PlaceConfig { name: name.to_owned(), center_m, radius_m: 12.0, draw: 1.0 };
    let (hut_place, far_place) = (place("hut", Vec2::ZERO), place("far", at(60.0, 60.0)));
    let navigation = Navigation::new(&map_of(&config), std::slice::from_ref(&hut_place), &[]);
    let mut scratch = Scratch::default();
    let (from_m, to_m) = (at(0.5, 3.5), at(1.0, 9.0));
    let to_place = Destination { position_m: to_m, place: Some(0) };
    let way = navigation.find(from_m, to_place, Habit::default(), &mut scratch);
    assert!(way.is_whole && !way.is_dead_end, "{way:?}");
    let legs = std::iter::once(from_m).chain(way.corners_m).take(way.count).zip(way.corners_m);
    assert!(legs.clone().all(|(from_m, to_m)| navigation.is_straight_way(from_m, to_m)), "{way:?}");
    assert!(way.cells > field::CELLS_MAX, "whoever comes first pays for all");
    let again = navigation.find(from_m, to_place, Habit::default(), &mut scratch);
    assert_eq!(Way { cells: way.cells, ..again }, way);
    assert!(again.cells < field::CELLS_MAX);
    let changed = navigation.to_other_places(&[far_place, PlaceConfig { draw: 9.0, ..hut_place }], &[]);
    assert!(Arc::ptr_eq(&changed.destinations[1].fields, &navigation.destinations[0].fields));
    assert!(changed.destinations[0].fields[0].get().is_none());
}

#[test]
fn who_stands_where_nobody_could_is_told_no_way_and_no_dead_end() {
    // Too steep for the careful, everywhere; the movement step walks it all the same.
    let mut config = open_config();
    config.movement.slope_max_deg = 46.0;
    let side = 101;
    let heights_m: Vec<f32> = (0..side * side).map(|place| (place % side) as f32 * 2.0).collect();
    config.terrain = TerrainConfig::Raw { file: "slope".to_owned(), height_min_m: 0.0, height_max_m: 200.0 };
    let map = Map::new(&config, Some(&TerrainSamples { side, heights_m })).expect("a slope");
    let navigation = Navigation::new(&Arc::new(map), &[], &[]);
    let way = navigation.find(Vec2::ZERO, to(Vec2::new(0.0, 30.0)), Habit::default(), &mut Scratch::default());
    assert_eq!((way.count, way.is_whole, way.is_dead_end), (0, false, false));
}

#[test]
fn whom_nobody_can_reach_is_not_asked_for_again_and_again() {
    // A hut without a way in, and bots that want nothing but to follow one another, in it and around it.
    let mut config = hut(0.7, Vec2::ZERO, 0.0).0;
    let zero = 0.0;
    config.bots = BotsConfig {
        idle_weight: zero,
        wander_weight: zero,
        patrol_weight: zero,
        follow_weight: 1.0,
        flee_weight: zero,
        ..config.bots
    };
    let (bots, seconds) = (60, 60);
    let mut population = Population::new(&config, bots, 12.0, false);
    (0..seconds * config.tick_rate_hz).for_each(|_| drop(population.step()));
    let counts = population.routes();
    assert!(counts.dead_ends > 10 && counts.found > 5, "{counts:?}");
    let per_bot_and_second = counts.asked as f32 / (bots * seconds) as f32;
    assert!(per_bot_and_second < 0.7, "each asks {per_bot_and_second} times a second: {counts:?}");
    assert!(counts.waiting <= u64::from(bots), "nobody waits twice: {counts:?}");
}
