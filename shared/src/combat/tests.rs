use glam::{Vec2, Vec3};
use proptest::prelude::*;
use wide::f32x8;

use super::*;
use crate::archetypes::{Bodies, Body};
use crate::config::builtin_world;
use crate::map::{Obstacle, Obstacles, Outline, Terrain};
use crate::movement::MovementRules;
use crate::random::Random;

const SIZE_M: f32 = 64.0;

/// Hills and a few obstacles.
fn hilly_map(seed: u64) -> Map {
    let mut random = Random::new(seed, 3);
    let side = 33;
    let heights_m = (0..side * side).map(|_| random.between(0.0, 6.0)).collect();
    let terrain = Terrain::from_samples(SIZE_M, side, heights_m).expect("as many as are needed");
    let obstacles = (0..12).map(|number| {
        let center_m = Vec2::new(random.between(-30.0, 30.0), random.between(-30.0, 30.0));
        let (sin, cos) = libm::sincosf(random.between(0.0, 6.0));
        let outline = match number % 2 {
            0 => Outline::Circle { radius_m: random.between(0.5, 5.0) },
            _ => Outline::Box {
                half_size_m: Vec2::new(random.between(0.2, 9.0), random.between(0.2, 3.0)),
                axis_x: Vec2::new(cos, sin),
            },
        };
        Obstacle { center_m, outline, bottom_m: -2.0, top_m: random.between(4.0, 12.0) }
    });
    Map {
        terrain,
        obstacles: Obstacles::new(SIZE_M, obstacles.collect()),
        rules: MovementRules::new(&builtin_world().config.movement),
        bodies: Bodies::new(&builtin_world().config.movement, &[]),
        half_size_m: SIZE_M / 2.0,
    }
}

fn any_ray(random: &mut Random) -> Ray {
    let mut at = |height_m: f32| Vec3::new(random.between(-31.0, 31.0), height_m, random.between(-31.0, 31.0));
    let (from_m, to_m) = (at(7.0), at(3.0));
    Ray::between(from_m, to_m).expect("two points")
}

/// Whether a point is in the ground or in an obstacle, by this much at least.
fn is_solid(map: &Map, point_m: Vec3, by_m: f32) -> bool {
    let ground_m = Vec2::new(point_m.x, point_m.z);
    let is_in = |obstacle: &Obstacle| {
        let within = (obstacle.bottom_m..=obstacle.top_m - by_m).contains(&point_m.y);
        let away = ground_m - obstacle.center_m;
        within
            && match obstacle.outline {
                Outline::Circle { radius_m } => away.length() <= radius_m - by_m,
                Outline::Box { half_size_m, axis_x } => {
                    let local = Vec2::new(away.dot(axis_x), away.dot(axis_x.perp())).abs();
                    local.x <= half_size_m.x - by_m && local.y <= half_size_m.y - by_m
                }
            }
    };
    point_m.y < map.terrain.height_m(ground_m) - by_m || map.obstacles.all().iter().any(is_in)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_first_wall_is_where_small_steps_along_the_ray_find_it(seed: u64) {
        let map = hilly_map(seed);
        let mut random = Random::new(seed, 4);
        for _ in 0..20 {
            let ray = any_ray(&mut random);
            let wall_m = map.first_wall_m(&ray);
            let steps = (ray.length_m / 0.01) as u32;
            let walked_m = (0..=steps).map(|step| step as f32 * 0.01).find(|&at_m| is_solid(&map, ray.point_m(at_m), 0.01));
            match (wall_m, walked_m) {
                (Some(wall_m), Some(walked_m)) => prop_assert!(wall_m <= walked_m + 0.01, "{wall_m} {walked_m}"),
                (None, Some(walked_m)) => prop_assert!(false, "{ray:?} went through at {walked_m}"),
                (_, None) => {}
            }
            if let Some(wall_m) = wall_m {
                // What is met is there, but for what is touched only.
                let is_there = (-4..=4).any(|step| is_solid(&map, ray.point_m(wall_m + step as f32 * 0.005), -0.01));
                prop_assert!(is_there, "{ray:?} met nothing at {wall_m}");
            }
        }
    }

    #[test]
    fn a_capsule_is_met_where_small_steps_along_the_ray_find_it(seed: u64) {
        let mut random = Random::new(seed, 5);
        let capsule = Capsule { feet_m: Vec3::new(1.0, 2.0, 3.0), radius_m: 0.4, height_m: 1.8 };
        let middle_m = capsule.feet_m + Vec3::Y * 0.9;
        let mut hits = 0;
        for number in 0..50 {
            let mut away = |reach_m: f32| Vec3::from_array([0; 3].map(|_| random.between(-reach_m, reach_m)));
            let (from_m, through_m) = (middle_m + away(6.0), middle_m + away(if number % 2 == 0 { 0.25 } else { 1.2 }));
            let ray = Ray::new(from_m, through_m - from_m, 12.0).expect("two points");
            let distance_to = |point_m: Vec3| {
                let height_m = point_m.y.clamp(2.4, 3.4);
                point_m.distance(Vec3::new(1.0, height_m, 3.0))
            };
            let walked_m = (0..2_400).map(|step| step as f32 * 0.005).find(|&at_m| distance_to(ray.point_m(at_m)) <= 0.4);
            let nearest_m = (0..2_400).map(|step| distance_to(ray.point_m(step as f32 * 0.005))).fold(f32::INFINITY, f32::min);
            prop_assert!((capsule.distance_m(&ray) - nearest_m).abs() < 0.02, "{} {nearest_m}", capsule.distance_m(&ray));
            match (capsule.first_hit_m(&ray), walked_m) {
                (Some(hit_m), Some(walked_m)) => prop_assert!((hit_m - walked_m).abs() < 0.1 && hit_m <= walked_m + 1e-3),
                (None, None) => {}
                (hit_m, _) => prop_assert!((nearest_m - 0.4).abs() < 0.002, "{ray:?}: {hit_m:?}, nearest {nearest_m}"),
            }
            hits += u32::from(walked_m.is_some());
        }
        prop_assert!(hits >= 25, "every second one is aimed at it: {hits}");
    }
}

#[test]
fn eight_capsules_are_met_together_as_each_alone() {
    let mut random = Random::new(6, 0);
    let mut hits = 0;
    for _ in 0..500 {
        let each: [Capsule; 8] = std::array::from_fn(|_| {
            let feet_m = Vec3::from_array([0; 3].map(|_| random.between(-3.0, 3.0)));
            let radius_m = random.between(0.1, 1.5);
            Capsule { feet_m, radius_m, height_m: 2.0 * radius_m + random.between(0.0, 2.0) }
        });
        let mut point_m = |reach_m: f32| Vec3::from_array([0; 3].map(|_| random.between(-reach_m, reach_m)));
        let ray = Ray::between(point_m(6.0), point_m(4.0)).expect("two points");
        let axis = |of: fn(&Capsule) -> f32| f32x8::new(each.map(|capsule| of(&capsule)));
        let together = Capsules {
            x_m: axis(|capsule| capsule.feet_m.x),
            y_m: axis(|capsule| capsule.feet_m.y),
            z_m: axis(|capsule| capsule.feet_m.z),
            radius_m: axis(|capsule| capsule.radius_m),
            height_m: axis(|capsule| capsule.height_m),
        };
        let alone = each.map(|capsule| capsule.first_hit_m(&ray).unwrap_or(f32::INFINITY));
        assert_eq!(together.first_hits_m(&ray).to_array(), alone, "{ray:?}");
        hits += alone.iter().filter(|hit_m| hit_m.is_finite()).count();
    }
    assert!(hits > 150, "{hits} of 4,000");
}

#[test]
fn a_capsule_is_met_as_exactly_from_afar_and_from_above() {
    let mut random = Random::new(7, 0);
    for number in 0..2_000 {
        let radius_m = random.between(0.2, 1.0);
        let mut point_m = |reach_m: f32| Vec3::from_array([0; 3].map(|_| random.between(-reach_m, reach_m)));
        let capsule = Capsule { feet_m: point_m(100.0), radius_m, height_m: 4.0 * radius_m };
        let middle_m = capsule.feet_m + Vec3::Y * 2.0 * radius_m;
        // Every third nearly straight up or down.
        let squeeze = if number % 3 == 0 { Vec3::new(1e-3, 1.0, 1e-3) } else { Vec3::new(1.0, 0.5, 1.0) };
        let Some(way) = (point_m(1.0) * squeeze).try_normalize() else { continue };
        let aside = way.any_orthonormal_vector();
        for distance_m in [5.0, 50.0, 900.0] {
            let from_m = middle_m - way * distance_m;
            let ray = |by_m: f32| Ray::new(from_m + aside * by_m, way, 1_000.0).expect("a direction");
            // Rounded as coordinates of a kilometre are.
            let rounding_m = 1e-3 + 4e-7 * distance_m;
            let hit_m = capsule.first_hit_m(&ray(0.0));
            let depth_m = distance_m - hit_m.unwrap_or(f32::NAN);
            let may_be_m = radius_m - 4.0 * rounding_m..2.0 * radius_m + 4.0 * rounding_m;
            assert!(may_be_m.contains(&depth_m), "{capsule:?} {way} from {distance_m} m: {hit_m:?}");
            assert!(capsule.first_hit_m(&ray(0.9 * radius_m)).is_some(), "{capsule:?} {way} from {distance_m} m");
            assert_eq!(capsule.first_hit_m(&ray(2.0 * radius_m + 0.01)), None, "{capsule:?} {way} from {distance_m} m");
        }
    }
}

#[test]
fn a_ray_along_the_axes_and_from_within_is_no_special_case() {
    let map = hilly_map(1);
    for direction in [Vec3::X, Vec3::NEG_X, Vec3::Y, Vec3::NEG_Y, Vec3::Z, Vec3::NEG_Z] {
        let ray = Ray::new(Vec3::new(0.0, 50.0, 0.0), direction, 100.0).expect("a direction");
        assert_eq!(map.first_wall_m(&ray).is_some(), direction == Vec3::NEG_Y, "{direction}");
    }
    let buried = Ray::new(Vec3::new(0.0, -1.0, 0.0), Vec3::X, 5.0).expect("a direction");
    assert_eq!(map.first_wall_m(&buried), Some(0.0));
    assert_eq!(Ray::new(Vec3::ZERO, Vec3::ZERO, 5.0), None);
    assert_eq!(Ray::new(Vec3::NAN, Vec3::X, 5.0), None);
    let capsule = Capsule { feet_m: Vec3::ZERO, radius_m: 0.5, height_m: 2.0 };
    let inside = Ray::new(Vec3::Y, Vec3::X, 5.0).expect("a direction");
    assert_eq!(capsule.first_hit_m(&inside), Some(0.0));
    let above = Ray::new(Vec3::Y * 5.0, Vec3::NEG_Y, 5.0).expect("a direction");
    assert_eq!(capsule.first_hit_m(&above), Some(3.0));
    let beside = Ray::new(Vec3::new(0.6, 5.0, 0.0), Vec3::NEG_Y, 5.0).expect("a direction");
    assert_eq!(capsule.first_hit_m(&beside), None);
    let in_the_head = Ray::new(Vec3::Y * 1.8, Vec3::Y, 5.0).expect("a direction");
    assert_eq!(capsule.first_hit_m(&in_the_head), Some(0.0));
    let away = Ray::new(Vec3::Y * 2.2, Vec3::Y, 5.0).expect("a direction");
    assert_eq!(capsule.first_hit_m(&away), None);
}

#[test]
fn a_blow_reaches_from_feet_and_eyes_to_the_nearest_of_a_body() {
    let body = |x: f32, y: f32, radius_m: f32, height_m: f32| Body { radius_m, height_m }.at(Vec3::new(x, y, 0.0));
    let eyes_m = Vec3::new(0.0, 11.6, 0.0);
    for (body, expected_m) in [
        (body(2.0, 10.0, 0.4, 1.8), 1.6),
        (body(0.3, 10.0, 0.4, 1.8), 0.0),
        // A rat on the ground is no farther than a man; a giant is as near as its skin.
        (body(2.0, 10.0, 0.1, 0.3), 1.9),
        (body(2.0, 10.0, 1.5, 4.0), 0.5),
        // Above the eyes, and below the feet.
        (body(3.4, 15.6, 0.4, 1.8), 5.0),
        (body(3.4, 4.2, 0.4, 1.8), 5.0),
    ] {
        let found_m = body.blow_distance_m(eyes_m, 10.0);
        assert!((found_m - expected_m).abs() < 1e-4, "{body:?}: {found_m}");
    }
}
