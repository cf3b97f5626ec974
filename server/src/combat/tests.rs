use glam::{Vec2, Vec3};
use throng_shared::archetypes::{Bodies, Body};
use throng_shared::combat::Capsule;
use throng_shared::config::{ArchetypeConfig, builtin_world};
use throng_shared::ids::{Archetype, NetId};
use throng_shared::map::{Map, Obstacle, Obstacles, Outline, Terrain};
use throng_shared::movement::MovementRules;
use throng_shared::quantised::{QuantisedState, quantise_position};
use throng_shared::random::Random;
use throng_shared::spatial::CharacterColumns;
use throng_shared::tick::{Tick, TickRate};

use super::*;

const SIZE_M: f32 = 100.0;
const RATE_HZ: u32 = 20;
const STEP_M: f32 = 0.3;

/// A flat world in which the test says where everybody is.
struct Range {
    map: Map,
    poses: Poses,
    columns: CharacterColumns,
    people: Vec<(NetId, Vec3)>,
    /// How many archetypes they are of, in turn.
    archetypes: u32,
    tick: Tick,
}

/// Somebody large, and somebody small.
const OTHER_BODIES: [Body; 2] = [Body { radius_m: 1.3, height_m: 3.5 }, Body { radius_m: 0.15, height_m: 0.5 }];

impl Range {
    fn new(obstacles: Vec<Obstacle>) -> Range {
        Range {
            map: Map {
                terrain: Terrain::flat(SIZE_M, 0.0),
                obstacles: Obstacles::new(SIZE_M, obstacles),
                rules: MovementRules::new(&builtin_world().config.movement),
                bodies: Bodies::new(&builtin_world().config.movement, &[]),
                half_size_m: SIZE_M / 2.0,
            },
            poses: Poses::new(TickRate::new(RATE_HZ), 250, SIZE_M, STEP_M * RATE_HZ as f32),
            columns: CharacterColumns::default(),
            people: Vec::new(),
            archetypes: 1,
            tick: Tick(0),
        }
    }

    /// The same for people, giants and rats.
    fn of_all_sizes() -> Range {
        let own = OTHER_BODIES.map(|body| {
            let gait = MovementRules::new(&builtin_world().config.movement).gait();
            ArchetypeConfig { name: "other".to_owned(), gait, body }
        });
        let mut range = Range::new(vec![]);
        range.map.bodies = Bodies::new(&builtin_world().config.movement, &own);
        range.archetypes = 3;
        range
    }

    fn archetype(&self, net_id: NetId) -> Archetype {
        Archetype::from_number(1 + (net_id.0 % self.archetypes) as u8).expect("these are few")
    }

    fn body_at(&self, net_id: NetId, feet_m: Vec3) -> Capsule {
        self.map.bodies.of(self.archetype(net_id)).at(feet_m)
    }

    fn add(&mut self, id: u32, x: f32, z: f32) {
        self.people.push((NetId(id), Vec3::new(x, 0.0, z)));
        self.people.sort_by_key(|(net_id, _)| *net_id);
    }

    fn tick(&mut self) {
        self.tick = self.tick + 1;
        self.columns.resize(self.people.len());
        for (row, &(net_id, feet_m)) in self.people.iter().enumerate() {
            self.columns.net_ids[row] = net_id;
            self.columns.archetypes[row] = self.archetype(net_id);
            self.columns.positions_m[row] = Vec2::new(feet_m.x, feet_m.z);
            self.columns.heights_m[row] = feet_m.y;
            self.columns.states[row] =
                QuantisedState { position: quantise_position(feet_m), ..QuantisedState::default() };
        }
        self.poses.remember(self.tick, &self.columns);
    }

    fn judge(&self, shot: &Shot) -> Receipt {
        judge(&self.poses, &self.columns, &self.map, shot)
    }
}

/// A shot from somebody at the southern edge, 1.2 m above the ground, to the north.
fn shot(x: f32, view_tick: f64) -> Shot {
    let origin_m = Vec3::new(x, 1.2, 40.0);
    Shot { shooter: NetId(1), origin_m, direction: Vec3::NEG_Z, range_m: 80.0, view_tick }
}

fn hit_of(receipt: &Receipt) -> Option<NetId> {
    match receipt.verdict {
        Verdict::Hit { net_id, .. } => Some(net_id),
        Verdict::Wall { .. } | Verdict::Miss => None,
    }
}

/// A runner to the east, seen 0.3 m farther in each of eight ticks.
fn range_with_runner() -> Range {
    let mut range = Range::new(vec![]);
    range.add(1, 0.0, 40.0);
    range.add(2, 0.0, 0.0);
    for step in 0..8 {
        range.people[1].1.x = step as f32 * STEP_M;
        range.tick();
    }
    range
}

#[test]
fn a_shot_is_judged_where_the_shooter_saw_the_target_and_between_two_ticks() {
    let range = range_with_runner();
    for (view_tick, seen_x) in [(8.0, 2.1), (6.0, 1.5), (5.5, 1.35), (3.0, 0.6)] {
        for (aside_m, is_met) in [(0.0, true), (0.35, true), (-0.35, true), (0.45, false), (-0.45, false)] {
            let receipt = range.judge(&shot(seen_x + aside_m, view_tick));
            assert_eq!(
                hit_of(&receipt),
                is_met.then_some(NetId(2)),
                "tick {view_tick}, {aside_m} m aside: {receipt:?}"
            );
            let target = receipt.target.expect("it came near in any case");
            assert!((target.feet_then_m.x - seen_x).abs() < 0.02 && (target.feet_now_m.x - 2.1).abs() < 1e-3);
            assert!((target.missed_by_m - f32::abs(aside_m)).abs() < 0.02, "{target:?}");
            assert_eq!(receipt.clamp, Clamp::None);
        }
    }
}

#[test]
fn nobody_is_rewound_farther_than_the_world_allows_nor_ahead() {
    let range = range_with_runner();
    for (view_tick, granted, clamp) in [
        (1.0, 5.0, Clamp::TooOld),
        (-1e9, 5.0, Clamp::TooOld),
        (f64::NEG_INFINITY, 5.0, Clamp::TooOld),
        (9.5, 0.0, Clamp::NotYet),
        (f64::INFINITY, 0.0, Clamp::NotYet),
        (f64::NAN, 0.0, Clamp::NoNumber),
        (3.0, 5.0, Clamp::None),
    ] {
        let receipt = range.judge(&shot(0.6, view_tick));
        assert_eq!((receipt.granted_rewind_ticks, receipt.clamp), (granted, clamp), "{view_tick}");
        assert_eq!(hit_of(&receipt).is_some(), granted == 5.0, "{view_tick}");
    }
}

#[test]
fn the_first_of_two_is_met_and_never_the_shooter() {
    let mut range = Range::new(vec![]);
    range.add(1, 0.0, 40.0);
    range.add(2, 0.0, -10.0);
    range.add(3, 0.1, 10.0);
    range.tick();
    assert_eq!(hit_of(&range.judge(&shot(0.0, 1.0))), Some(NetId(3)));
    assert_eq!(hit_of(&range.judge(&Shot { shooter: NetId(3), ..shot(0.0, 1.0) })), Some(NetId(1)), "from within");
    assert_eq!(hit_of(&range.judge(&Shot { range_m: 29.0, ..shot(0.0, 1.0) })), None, "out of range");
    for direction in [Vec3::ZERO, Vec3::NAN, Vec3::INFINITY] {
        let receipt = range.judge(&Shot { direction, ..shot(0.0, 1.0) });
        assert_eq!((receipt.verdict, receipt.target), (Verdict::Miss, None));
    }
}

#[test]
fn whoever_may_not_be_hit_is_passed_through() {
    let mut range = Range::new(vec![]);
    (1..4).for_each(|id| range.add(id, 0.0, 40.0 - 20.0 * id as f32));
    range.tick();
    for (may_be_hit, met) in [(&[1, 2, 3][..], 1), (&[2, 3], 2), (&[3], 3), (&[], 0)] {
        let may_hit = |net_id: NetId| may_be_hit.contains(&net_id.0);
        let shot = Shot { shooter: NetId(9), ..shot(0.0, 1.0) };
        let receipt = judge_among(&range.poses, &range.columns, &range.map, &shot, &may_hit);
        assert_eq!(hit_of(&receipt).map_or(0, |net_id| net_id.0), met, "{receipt:?}");
    }
}

#[test]
fn a_shot_without_end_looks_along_all_of_its_way() {
    let mut range = Range::new(vec![]);
    range.add(1, 0.0, 40.0);
    range.add(2, 0.0, -40.0);
    range.tick();
    for range_m in [79.0, 81.0, 1e6, 1e30, f32::MAX] {
        let receipt = range.judge(&Shot { range_m, ..shot(0.0, 1.0) });
        assert_eq!(hit_of(&receipt).is_some(), range_m > 80.0, "{range_m}: {receipt:?}");
    }
}

#[test]
fn walls_stop_shots_and_what_is_behind_the_target_does_not() {
    let outline = Outline::Box { half_size_m: Vec2::new(3.0, 0.5), axis_x: Vec2::X };
    let wall =
        |z: f32, top_m: f32| Obstacle { center_m: Vec2::new(0.0, z), outline: outline.clone(), bottom_m: -1.0, top_m };
    for (obstacle, is_met) in [(wall(20.0, 3.0), false), (wall(-5.0, 3.0), true), (wall(20.0, 1.0), true)] {
        let mut range = Range::new(vec![obstacle]);
        range.add(1, 0.0, 40.0);
        range.add(2, 0.0, 0.0);
        range.tick();
        let receipt = range.judge(&shot(0.0, 1.0));
        assert_eq!(hit_of(&receipt).is_some(), is_met, "{receipt:?}");
        assert_eq!(receipt.verdict == Verdict::Wall { distance_m: 19.5 }, !is_met, "{receipt:?}");
    }
}

#[test]
fn whoever_has_leapt_away_is_met_where_it_was_and_who_has_leapt_in_is_not() {
    let mut range = Range::new(vec![]);
    range.add(1, 0.0, 40.0);
    range.add(2, 0.0, 0.0);
    range.add(3, -40.0, -40.0);
    range.tick();
    range.tick();
    range.people[1].1 = Vec3::new(45.0, 0.0, 30.0);
    range.people[2].1 = Vec3::new(0.0, 0.0, 5.0);
    range.tick();
    range.tick();
    assert_eq!(hit_of(&range.judge(&shot(0.0, 2.0))), Some(NetId(2)));
    assert_eq!(hit_of(&range.judge(&shot(0.0, 3.0))), Some(NetId(3)));
}

/// Judges by looking at everybody.
fn full_scan(range: &Range, shot: &Shot, at_tick: f64) -> Option<NetId> {
    let ray = shot.ray()?;
    let met = range.people.iter().filter_map(|&(net_id, _)| {
        let feet_m = range.poses.feet_m(net_id, at_tick)?;
        let distance_m = range.body_at(net_id, feet_m).first_hit_m(&ray)?;
        (net_id != shot.shooter).then_some((distance_m, net_id))
    });
    met.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))).map(|(_, net_id)| net_id)
}

#[test]
fn the_verdict_is_that_of_looking_at_everybody_and_receipts_say_it_again() {
    assert_verdicts(Range::new(vec![]));
}

#[test]
fn the_verdict_among_giants_and_rats_is_that_of_looking_at_everybody() {
    assert_verdicts(Range::of_all_sizes());
}

fn assert_verdicts(mut range: Range) {
    let mut random = Random::new(4, 0);
    let (mut next_id, mut hits) = (2, 0);
    for number in 0..400 {
        for (_, feet_m) in &mut range.people {
            let way_m = if random.percent(2.0) { 60.0 } else { STEP_M / 2.0 };
            feet_m.x = (feet_m.x + random.between(-way_m, way_m)).clamp(-48.0, 48.0);
            feet_m.z = (feet_m.z + random.between(-way_m, way_m)).clamp(-48.0, 48.0);
        }
        if range.people.len() > 60 || random.percent(20.0) && !range.people.is_empty() {
            range.people.remove(random.below(range.people.len() as u32) as usize);
        }
        if number < 80 || random.percent(40.0) {
            range.add(next_id, random.between(-48.0, 48.0), random.between(-48.0, 48.0));
            next_id += 1;
        }
        range.tick();
        for _ in 0..10 {
            let direction =
                Vec3::new(random.between(-1.0, 1.0), random.between(-0.02, 0.02), random.between(-1.0, 1.0));
            let origin_m = Vec3::new(random.between(-48.0, 48.0), 1.2, random.between(-48.0, 48.0));
            let view_tick = f64::from(range.tick.0) - f64::from(random.between(0.0, 5.0));
            let shot = Shot { shooter: NetId(1), origin_m, direction, range_m: 50.0, view_tick };
            let receipt = range.judge(&shot);
            let expected = full_scan(&range, &shot, f64::from(range.tick.0) - receipt.granted_rewind_ticks);
            assert_eq!(hit_of(&receipt), expected, "{receipt:?}");
            assert_eq!(receipt.judge_again(&range.map), receipt.verdict);
            hits += u32::from(expected.is_some());
        }
    }
    assert!(hits > 300, "{hits} of 4,000");
}

/// Whoever a shot that met nobody came nearest to is its target, as seen from above, and all who were so near were considered.
fn assert_nearest(range: &Range, receipt: &Receipt, at_tick: f64) {
    const ROUNDING_M: f32 = 1e-3;
    let near_m = 1.0 + range.map.bodies.radius_max_m();
    let (from_m, to_m) = receipt.shot.ray().expect("it has a line").ground_m();
    let apart_m = |feet_m: Vec3| {
        let point_m = Vec2::new(feet_m.x, feet_m.z);
        let share = (point_m - from_m).dot(to_m - from_m) / from_m.distance_squared(to_m);
        point_m.distance(from_m.lerp(to_m, share.clamp(0.0, 1.0)))
    };
    let all = range.people.iter().filter_map(|&(net_id, _)| Some((net_id, range.poses.feet_m(net_id, at_tick)?)));
    let all_m: Vec<(NetId, f32)> = all.map(|(net_id, feet_m)| (net_id, apart_m(feet_m))).collect();
    let others_m = all_m.iter().filter(|(net_id, _)| *net_id != receipt.shot.shooter).map(|(_, apart_m)| *apart_m);
    let nearest_m = others_m.fold(f32::INFINITY, f32::min);
    match &receipt.target {
        Some(target) => {
            assert!((apart_m(target.feet_then_m) - nearest_m).abs() < ROUNDING_M, "{nearest_m}: {receipt:?}")
        }
        None => assert!(nearest_m > near_m - ROUNDING_M, "{nearest_m}: {receipt:?}"),
    }
    let within = |reach_m: f32| all_m.iter().filter(|(_, apart_m)| *apart_m < reach_m).count() as u32;
    let counts = within(near_m - ROUNDING_M)..=within(near_m + ROUNDING_M);
    assert!(counts.contains(&receipt.considered), "{counts:?}: {receipt:?}");
}

#[test]
fn the_verdict_in_a_crowd_that_gathers_and_scatters_is_that_of_looking_at_everybody() {
    assert_verdicts_in_crowd(Range::new(vec![]), 0.0);
}

#[test]
fn the_verdict_in_a_crowd_above_and_below_one_another_is_that_of_looking_at_everybody() {
    let mut range = Range::of_all_sizes();
    range.map.terrain = Terrain::flat(SIZE_M, -100.0);
    assert_verdicts_in_crowd(range, 1.0);
}

#[test]
fn the_verdict_in_a_crowd_of_giants_and_rats_is_that_of_looking_at_everybody() {
    assert_verdicts_in_crowd(Range::of_all_sizes(), 0.0);
}

/// In a crowd that is 6 m high times `tallness`, with shots as much more up and down.
fn assert_verdicts_in_crowd(mut range: Range, tallness: f32) {
    let mut random = Random::new(9, 0);
    (2..402).for_each(|id| range.add(id, random.between(-48.0, 48.0), random.between(-48.0, 48.0)));
    let (mut cells_m, mut hits, mut passed) = (Vec::new(), 0, 0);
    for number in 0..240 {
        // Towards the middle, and away from it again.
        let factor = if number < 120 { 0.97 } else { 1.03 };
        for (_, feet_m) in &mut range.people {
            let way_m = Vec2::new(random.between(-0.1, 0.1), random.between(-0.1, 0.1));
            feet_m.x = (feet_m.x * factor + way_m.x).clamp(-48.0, 48.0);
            feet_m.z = (feet_m.z * factor + way_m.y).clamp(-48.0, 48.0);
            feet_m.y = (feet_m.y + tallness * random.between(-0.5, 0.5)).clamp(-3.0, 3.0);
        }
        range.tick();
        let (mut shots, mut one_by_one) = (Vec::new(), Vec::new());
        cells_m.push(range.poses.newest_cell_m());
        for _ in 0..10 {
            let direction =
                Vec3::new(random.between(-1.0, 1.0), random.between(-0.04, 0.04), random.between(-1.0, 1.0));
            // Every tenth nearly straight up or down.
            let squeeze = if tallness > 0.0 && random.percent(10.0) { 1e-3 } else { 1.0 };
            let steepness = 1.0 + 10.0 * tallness;
            let direction = direction * Vec3::new(squeeze, steepness, squeeze);
            let view_tick = f64::from(range.tick.0) - f64::from(random.between(0.0, 5.0));
            // One of them, from within itself.
            let shooter = NetId(2 + random.below(400));
            let feet_m = range.poses.feet_m(shooter, range.poses.granted_tick(view_tick)).expect("all are there");
            let shot = Shot { shooter, origin_m: feet_m + Vec3::Y * 1.2, direction, range_m: 50.0, view_tick };
            let receipt = range.judge(&shot);
            let at_tick = f64::from(range.tick.0) - receipt.granted_rewind_ticks;
            let expected = full_scan(&range, &shot, at_tick);
            assert_eq!(hit_of(&receipt), expected, "{receipt:?}");
            hits += u32::from(expected.is_some());
            if expected.is_none() {
                passed += u32::from(receipt.target.is_some());
                assert_nearest(&range, &receipt, at_tick);
            }
            assert_eq!(receipt.judge_again(&range.map), receipt.verdict);
            shots.push(shot);
            one_by_one.push(receipt);
        }
        let mut together = one_by_one[..1].to_vec();
        judge_all(&range.poses, &range.columns, &range.map, &shots, &mut together);
        assert_eq!(together[1..], one_by_one, "behind what was there, and in the order of the shots");
    }
    let [scattered_m, gathered_m, scattered_again_m] = [20, 119, 239].map(|number: usize| cells_m[number]);
    assert!(
        scattered_m > gathered_m && gathered_m < scattered_again_m,
        "cells are as large as suits who stands in them: {cells_m:?} m"
    );
    assert!(hits > 300 && passed > 100, "{hits} and {passed} of 2,400");
}
