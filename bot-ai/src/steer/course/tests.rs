use std::sync::Arc;

use throng_shared::config::{ObstacleConfig, ObstacleShapeConfig, WorldConfig};
use throng_shared::map::{Map, Terrain};
use throng_shared::movement::CharacterState;

use super::super::surroundings::Caution;
use super::*;
use crate::tests::{open_config, open_world, world_of};

/// A flat world with boxes of these sizes and heights at these places.
fn with_boxes(boxes: &[(Vec2, Vec2, f32)]) -> BotWorld {
    let obstacles = boxes
        .iter()
        .map(|&(center_m, size_m, height_m)| {
            let shape = ObstacleShapeConfig::Box { size_m, yaw_deg: 0.0 };
            ObstacleConfig { center_m, height_m, shape }
        })
        .collect();
    world_of(&WorldConfig { obstacles, ..open_config() })
}

fn find(world: &BotWorld, course: &mut Course, tick: u32, position_m: Vec2, wanted: Vec2) -> Vec2 {
    let state = CharacterState::standing_at(&world.map, position_m);
    let surroundings = Surroundings::new(&world.map, &state, Caution::CAREFUL, 2.0, f32::MAX);
    course.find_heading(world, Tick(tick), &surroundings, wanted)
}

fn heading(world: &BotWorld, position_m: Vec2, wanted: Vec2) -> Vec2 {
    find(world, &mut Course::default(), 0, position_m, wanted)
}

#[test]
fn the_fan_holds_cosines_and_sines() {
    for (angle, degrees) in FAN.into_iter().zip([15.0_f32, 30.0, 50.0, 70.0, 90.0, 115.0, 140.0, 165.0]) {
        let (sin, cos) = libm::sincosf(degrees.to_radians());
        assert!(angle.distance(Vec2::new(cos, sin)) < 1e-4, "{degrees}");
    }
}

#[test]
fn what_is_far_low_or_behind_does_not_matter() {
    let size_m = Vec2::new(1.0, 6.0);
    for (center_m, height_m) in [(Vec2::new(6.0, 0.0), 3.0), (Vec2::new(2.0, 0.0), 0.3), (Vec2::new(-1.0, 0.0), 3.0)] {
        let world = with_boxes(&[(center_m, size_m, height_m)]);
        assert_eq!(heading(&world, Vec2::ZERO, Vec2::X), Vec2::X, "{center_m}");
    }
}

#[test]
fn a_wall_is_passed_on_the_nearer_side() {
    for side in [-1.0, 1.0] {
        let world = with_boxes(&[(Vec2::new(2.0, side * 1.5), Vec2::new(0.5, 4.0), 3.0)]);
        let heading = heading(&world, Vec2::ZERO, Vec2::X);
        assert!(heading.x > 0.3 && heading.y * side < -0.3, "{heading}");
    }
}

#[test]
fn a_wall_that_is_touched_can_be_walked_along() {
    let world = with_boxes(&[(Vec2::new(0.649, 0.0), Vec2::new(0.5, 40.0), 3.0)]);
    let heading = heading(&world, Vec2::ZERO, Vec2::X);
    assert!(heading.x.abs() < 1e-3 && heading.y.abs() > 0.99, "{heading}");
}

#[test]
fn a_detour_stays_on_its_side_of_a_wide_wall() {
    let world = with_boxes(&[(Vec2::new(2.0, 0.0), Vec2::new(0.5, 20.0), 3.0)]);
    let mut course = Course::default();
    // On its way to (8, 0), a bot has gone 3 m to one side; the other way around would now be a smaller turn.
    let first = find(&world, &mut course, 0, Vec2::ZERO, Vec2::X);
    let there_m = Vec2::new(1.2, 3.0 * first.y.signum());
    let wanted = (Vec2::new(8.0, 0.0) - there_m).normalize();
    let kept = find(&world, &mut course, 20, there_m, wanted);
    assert!(kept.y * first.y > 0.0, "{first} then {kept}");
    assert!(heading(&world, there_m, wanted).y * first.y < 0.0, "without memory it turns back");
}

#[test]
fn a_dead_end_is_left_by_the_way_one_came() {
    let arm = Vec2::new(4.0, 0.5);
    let world = with_boxes(&[
        (Vec2::new(1.2, 0.0), Vec2::new(0.5, 3.0), 3.0),
        (Vec2::new(-0.5, 1.2), arm, 3.0),
        (Vec2::new(-0.5, -1.2), arm, 3.0),
    ]);
    let heading = heading(&world, Vec2::ZERO, Vec2::X);
    assert!(heading.x < -0.9, "{heading}");
}

#[test]
fn the_edge_of_the_world_is_an_obstacle() {
    let heading = heading(&with_boxes(&[]), Vec2::new(99.0, 0.0), Vec2::X);
    assert!(heading.x.abs() < 0.4, "{heading}");
}

#[test]
fn steep_ground_is_walked_around() {
    // A cone of 5 m around the middle, far too steep to be walked up.
    let height_m = |index: usize| {
        (10.0 - 2.0 * Vec2::new((index % 41) as f32, (index / 41) as f32).distance(Vec2::splat(20.0))).max(0.0)
    };
    let cone = Terrain::from_samples(40.0, 41, (0..41 * 41).map(height_m).collect()).expect("41 rows of 41 heights");
    let mut world = open_world();
    world.map = Arc::new(Map { terrain: cone, half_size_m: 20.0, ..(*world.map).clone() });
    for z_m in [-3.0, -1.0, 0.0, 2.0, 4.0] {
        let position_m = Vec2::new(-6.5, z_m);
        let heading = heading(&world, position_m, Vec2::X);
        let steepest = (0..20).map(|step| world.map.terrain.slope(position_m + heading * (step as f32 * 0.1)));
        assert!(steepest.fold(0.0, f32::max) <= world.map.rules.slope_max, "{position_m}: {heading}");
        assert!(heading.x > -0.1, "{position_m}: {heading}");
    }
}

#[test]
fn what_was_found_holds_for_a_moment_and_for_the_same_wish() {
    let world = with_boxes(&[]);
    let mut course = Course::default();
    assert!(!course.is_current(&world, Tick(1), NetId(0), Vec2::X), "nothing found yet");
    find(&world, &mut course, 0, Vec2::ZERO, Vec2::X);
    assert!(course.is_current(&world, Tick(1), NetId(0), Vec2::X));
    assert!(!course.is_current(&world, Tick(1), NetId(0), Vec2::Y));
    assert!(!course.is_current(&world, Tick(2), NetId(0), Vec2::X));
}
