use glam::{Vec2, Vec3};
use proptest::prelude::*;

use super::*;
use crate::archetypes::Bodies;
use crate::config::builtin_world;
use crate::map::{Obstacle, Obstacles, Outline, Terrain};
use crate::random::Random;

const STEP_S: f32 = 0.05;
const SIZE_M: f32 = 64.0;

fn rules() -> MovementRules {
    MovementRules {
        walk_speed_mps: 2.0,
        run_speed_mps: 6.0,
        jump_speed_mps: 6.0,
        gravity_mps2: 15.0,
        ground_acceleration_mps2: 40.0,
        air_acceleration_mps2: 10.0,
        slope_max: 1.0,
        step_height_m: 0.35,
        capsule_radius_m: 0.4,
        capsule_height_m: 1.8,
    }
}

/// A world whose ground is `height` at (x, z), sampled every metre.
fn map(height: impl Fn(f32, f32) -> f32, obstacles: Vec<Obstacle>) -> Map {
    let side = SIZE_M as usize + 1;
    let at = |index: usize| index as f32 - SIZE_M / 2.0;
    let heights_m = (0..side * side).map(|i| height(at(i % side), at(i / side))).collect();
    Map {
        terrain: Terrain::from_samples(SIZE_M, side, heights_m).expect("as many heights as cells need"),
        obstacles: Obstacles::new(SIZE_M, obstacles),
        rules: rules(),
        bodies: Bodies::new(&builtin_world().config.movement, &[]),
        half_size_m: SIZE_M / 2.0,
    }
}

fn boxed(center_m: Vec2, half_size_m: Vec2, top_m: f32) -> Obstacle {
    Obstacle { center_m, outline: Outline::Box { half_size_m, axis_x: Vec2::X }, bottom_m: -9.0, top_m }
}

fn run(direction: Vec2) -> PlayerInput {
    PlayerInput::towards(direction, Buttons::RUN)
}

fn after(map: &Map, start: CharacterState, input: PlayerInput, ticks: u32) -> CharacterState {
    (0..ticks).fold(start, |state, _| step_character(map, state, input, STEP_S))
}

#[test]
fn walking_and_running_reach_their_speeds_and_no_more() {
    let map = map(|_, _| 0.0, vec![]);
    let start = CharacterState::standing_at(&map, Vec2::ZERO);
    for (buttons, speed) in [(Buttons::default(), 2.0), (Buttons::RUN, 6.0)] {
        let early = after(&map, start, PlayerInput::towards(Vec2::X, buttons), 10);
        let late = after(&map, early, PlayerInput::towards(Vec2::X, buttons), 20);
        assert!((late.position_m.x - early.position_m.x - speed).abs() < 1e-3, "{speed} m in a second");
    }
}

#[test]
fn a_jump_rises_as_high_at_any_tick_rate() {
    let map = map(|_, _| 3.0, vec![]);
    let start = CharacterState::standing_at(&map, Vec2::ZERO);
    let expected_m = 6.0f32.powi(2) / (2.0 * 15.0);
    for hz in [10.0, 20.0, 60.0, 128.0] {
        let jump = PlayerInput { buttons: Buttons::JUMP, ..PlayerInput::default() };
        let mut state = step_character(&map, start, jump, 1.0 / hz);
        let mut top_m: f32 = 0.0;
        while !state.grounded {
            top_m = top_m.max(state.position_m.y - 3.0);
            state = step_character(&map, state, PlayerInput::default(), 1.0 / hz);
        }
        assert_eq!(state.position_m.y, 3.0, "lands where it stood");
        assert!(top_m <= expected_m + 1e-3 && top_m > expected_m - 0.04 * 20.0 / hz * 1.2, "{top_m} m at {hz} Hz");
    }
}

#[test]
fn walls_stop_and_low_edges_are_stepped_onto() {
    let wall = boxed(Vec2::new(5.0, 0.0), Vec2::new(0.1, 20.0), 3.0);
    let step = boxed(Vec2::new(-5.0, 0.0), Vec2::new(1.0, 20.0), 0.3);
    let map = map(|_, _| 0.0, vec![wall, step]);
    let start = CharacterState::standing_at(&map, Vec2::ZERO);
    let stopped = after(&map, start, run(Vec2::X), 60);
    assert!((stopped.position_m.x - 4.5).abs() < 0.01, "in front of the wall, not at {}", stopped.position_m);
    let slid = after(&map, start, run(Vec2::new(1.0, 1.0)), 60);
    assert!(slid.position_m.z > 6.0, "slides along the wall");
    let on_step = after(&map, start, run(Vec2::NEG_X), 17);
    assert_eq!(on_step.position_m.y, 0.3);
    let behind = after(&map, start, run(Vec2::NEG_X), 40);
    assert!(behind.position_m.y == 0.0 && behind.position_m.x < -7.0, "over the step and down again");
}

#[test]
fn what_can_be_jumped_onto_can_be_stood_upon() {
    let block = boxed(Vec2::new(3.0, 0.0), Vec2::new(1.5, 1.5), 1.0);
    let map = map(|_, _| 0.0, vec![block]);
    let start = CharacterState::standing_at(&map, Vec2::ZERO);
    let jump = PlayerInput { buttons: Buttons::RUN.with(Buttons::JUMP), ..run(Vec2::X) };
    let mut state = after(&map, start, jump, 8);
    state = after(&map, state, PlayerInput::default(), 20);
    assert!(state.grounded && state.position_m.y == 1.0, "on the block, not {state:?}");
}

#[test]
fn nobody_hops_over_a_cliff_however_fast_and_seldom() {
    let mut random = Random::new(8, 0);
    for (run_speed_mps, step_s) in [(6.0, 0.05), (6.0, 0.1), (10.0, 0.05), (20.0, 0.05), (20.0, 0.1)] {
        let mut map = map(|x, _| if x > 0.0 { 6.0 } else { 0.0 }, vec![]);
        map.rules.run_speed_mps = run_speed_mps;
        for _ in 0..200 {
            let mut state = CharacterState::standing_at(&map, Vec2::new(-random.between(1.0, 8.0), 0.0));
            let direction = Vec2::new(1.0, random.between(-0.5, 0.5));
            for _ in 0..40 {
                let buttons = if random.percent(50.0) { Buttons::RUN.with(Buttons::JUMP) } else { Buttons::RUN };
                state = step_character(&map, state, PlayerInput::towards(direction, buttons), step_s);
                assert!(state.position_m.y < 2.0, "{run_speed_mps} m/s in steps of {step_s} s: {state:?}");
            }
        }
    }
}

#[test]
fn walkable_slopes_are_walked_and_steep_ones_are_not() {
    let gentle = map(|x, _| x.max(0.0) * 0.9, vec![]);
    let start = CharacterState::standing_at(&gentle, Vec2::new(-3.0, 0.0));
    assert!(after(&gentle, start, run(Vec2::X), 60).position_m.y > 5.0);
    let steep = map(|x, _| x.max(0.0) * 1.2, vec![]);
    let start = CharacterState::standing_at(&steep, Vec2::new(-3.0, 0.0));
    assert!(after(&steep, start, run(Vec2::X), 60).position_m.y < 0.3);
}

#[test]
fn rules_may_call_a_gentle_slope_too_steep() {
    let mut map = map(|x, _| x.max(0.0) * 0.1, vec![]);
    map.rules.slope_max = 0.0875;
    let start = CharacterState::standing_at(&map, Vec2::new(-3.0, 0.0));
    let jump = PlayerInput { buttons: Buttons::RUN.with(Buttons::JUMP), ..run(Vec2::X) };
    assert!(after(&map, start, run(Vec2::X), 200).position_m.y < 0.1);
    assert!(after(&map, start, jump, 400).position_m.y < 0.1 * 10.0 + 1.2, "one jump's length, not the hill");
}

#[test]
fn no_gully_leads_up_what_is_too_steep() {
    for rise in [1.2, 3.0] {
        for sides in [0.3, 1.0, 2.0, 4.0] {
            let map = map(|x, z| z.max(0.0) * rise + x.abs() * sides, vec![]);
            let start = CharacterState::standing_at(&map, Vec2::new(0.0, -3.0));
            let jump = PlayerInput { buttons: Buttons::RUN.with(Buttons::JUMP), ..run(Vec2::Y) };
            let mut highest_m: f32 = 0.0;
            let mut state = start;
            for tick in 0..600 {
                let sideways = if tick / 40 % 2 == 0 { 40 } else { -40 };
                state = step_character(&map, state, PlayerInput { move_x: sideways, ..jump }, STEP_S);
                highest_m = highest_m.max(map.terrain.height_m(Vec2::new(0.0, state.position_m.z)));
            }
            assert!(highest_m < 4.0, "up to {highest_m} m in a gully of rise {rise}, sides {sides}");
        }
    }
}

#[test]
fn who_walks_off_a_block_falls_and_is_not_pulled_down() {
    let mut map = map(|_, _| 0.0, vec![boxed(Vec2::ZERO, Vec2::splat(2.0), 2.0)]);
    map.rules.slope_max = 5.67;
    let start = CharacterState { position_m: Vec3::new(0.0, 2.0, 0.0), grounded: true, ..CharacterState::default() };
    let mut before = start;
    for _ in 0..20 {
        let state = step_character(&map, before, run(Vec2::X), STEP_S);
        assert!(before.position_m.y - state.position_m.y < 0.6, "{before:?} -> {state:?}");
        before = state;
    }
}

#[test]
fn who_lands_on_a_steep_slope_slides_down() {
    let map = map(|x, _| x.max(0.0) * 2.0, vec![]);
    let dropped = CharacterState { position_m: Vec3::new(8.0, 20.0, 0.0), ..CharacterState::default() };
    let state = after(&map, dropped, run(Vec2::X), 100);
    assert!(state.grounded && state.position_m.y < 0.5, "at the foot, not {state:?}");
}

/// A table mountain: a plateau that only a cliff of slope 1.5 leads up to.
fn plateau(x: f32, z: f32) -> f32 {
    (15.0 - Vec2::new(x, z).length() * 1.5 + 12.0).clamp(0.0, 9.0)
}

fn hostile_input(random: &mut Random) -> PlayerInput {
    let raw = random.next_u32();
    PlayerInput {
        move_x: raw as i8,
        move_z: (raw >> 8) as i8,
        yaw: (raw >> 16) as u16,
        buttons: Buttons(random.next_u32() as u8),
        ..PlayerInput::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_input_breaks_the_rules_of_movement(seed: u64, hold in 1u32..30, hz in 10u32..=128) {
        let mut random = Random::new(seed, 1);
        let pillars = (0..12).map(|_| {
            let center = Vec2::new(random.between(-30.0, 30.0), random.between(-30.0, 30.0));
            let half = Vec2::new(random.between(0.1, 2.0), random.between(0.1, 2.0));
            boxed(center, half, plateau(center.x, center.y) + 4.0)
        }).collect();
        let map = map(plateau, pillars);
        let start = (0..).map(|_| Vec2::new(random.between(-31.0, -24.0), random.between(-31.0, 31.0)))
            .find(|&point| map.is_standable(point)).expect("the foot of the mountain is free");
        let mut state = CharacterState::standing_at(&map, start);
        let step_s = 1.0 / hz as f32;
        let mut input = PlayerInput::default();
        for tick in 0..600 {
            if tick % hold == 0 {
                input = hostile_input(&mut random);
            }
            let before = state;
            state = step_character(&map, state, input, step_s);
            let point = state.ground_position_m();
            let moved_m = point.distance(before.ground_position_m());
            prop_assert!(state.position_m.is_finite() && state.velocity_mps.is_finite());
            prop_assert!(map.clamp_inside(point) == point, "left the world: {}", state.position_m);
            prop_assert!(state.position_m.y >= map.terrain.height_m(point) - 1e-3, "below ground: {}", state.position_m);
            // Only sliding down the cliff is faster than running, and only gravity makes it so.
            let speed_mps = Vec2::new(before.velocity_mps.x, before.velocity_mps.z).length();
            let fastest_mps = (speed_mps + 15.0 * step_s).max(6.0);
            prop_assert!(moved_m <= fastest_mps * step_s + 0.01, "moved {moved_m} m: {before:?} -> {state:?}");
            prop_assert!(state.position_m.y < 7.0, "climbed the cliff: {}", state.position_m);
            for obstacle in map.obstacles.all() {
                let inside = obstacle.top_m > state.position_m.y + 0.36
                    && obstacle.push_out(point, 0.4 - 5e-3).is_some();
                prop_assert!(!inside, "inside an obstacle: {}", state.position_m);
            }
        }
    }
}

#[test]
fn nobody_is_faster_than_running_however_the_inputs_alternate() {
    let map = map(|_, _| 0.0, vec![boxed(Vec2::new(3.0, 3.0), Vec2::new(0.2, 3.0), 2.0)]);
    for seed in 0..20 {
        let mut random = Random::new(seed, 2);
        let mut state = CharacterState::standing_at(&map, Vec2::ZERO);
        for _ in 0..2_000 {
            let next = step_character(&map, state, hostile_input(&mut random), STEP_S);
            let moved_m = next.ground_position_m().distance(state.ground_position_m());
            assert!(moved_m <= 6.0 * STEP_S + 2e-3, "moved {moved_m} m from {state:?} to {next:?}");
            state = next;
        }
    }
}

/// Hills that are too steep in many places, with obstacles on them.
fn rough_map(seed: u64) -> Map {
    let mut random = Random::new(seed, 3);
    let waves: Vec<(Vec2, f32, f32)> =
        (0..6).map(|_| (random.in_disc(0.5), random.between(0.0, 6.0), random.between(0.5, 2.5))).collect();
    let height = |x: f32, z: f32| -> f32 {
        waves.iter().map(|(wave, phase, size_m)| libm::sinf(Vec2::new(x, z).dot(*wave) + phase) * size_m).sum()
    };
    let obstacles = (0..40)
        .map(|number| {
            let center_m = Vec2::new(random.between(-30.0, 30.0), random.between(-30.0, 30.0));
            let (sin, cos) = libm::sincosf(random.between(0.0, 6.3));
            let outline = match number % 2 {
                0 => Outline::Circle { radius_m: random.between(0.3, 2.0) },
                _ => Outline::Box {
                    half_size_m: Vec2::new(random.between(0.3, 3.0), random.between(0.3, 3.0)),
                    axis_x: Vec2::new(cos, sin),
                },
            };
            let ground_m = height(center_m.x, center_m.y);
            Obstacle { center_m, outline, bottom_m: ground_m - 9.0, top_m: ground_m + random.between(0.2, 4.0) }
        })
        .collect();
    map(height, obstacles)
}

#[test]
fn nobody_gets_caught_for_ever() {
    let mut caught = Vec::new();
    for seed in 0..150 {
        let map = rough_map(seed);
        let mut random = Random::new(seed, 4);
        let start =
            (0..).map(|_| random.in_disc(30.0)).find(|&point| map.is_standable(point)).expect("some place is free");
        let mut state = CharacterState::standing_at(&map, start);
        for _ in 0..60 {
            let direction = random.in_disc(1.0).normalize_or(Vec2::X);
            let jump = if random.percent(20.0) { Buttons::JUMP } else { Buttons::default() };
            let input = PlayerInput::towards(direction, Buttons::RUN.with(jump));
            state = after(&map, state, input, 1 + random.below(40));
            let can_leave = |state: CharacterState| {
                (0..16).any(|turn| {
                    let direction = Vec2::from_angle(turn as f32 * 0.4);
                    let input = PlayerInput::towards(direction, Buttons::RUN.with(Buttons::JUMP));
                    after(&map, state, input, 40).ground_position_m().distance(state.ground_position_m()) > 0.3
                })
            };
            if !can_leave(state) {
                caught.push((seed, state));
                break;
            }
        }
    }
    assert!(caught.is_empty(), "{} of 150 caught, such as {:?}", caught.len(), &caught[..caught.len().min(3)]);
}

#[test]
fn known_ground_and_open_country_save_time_and_change_nothing() {
    let (mut steps_in_the_open, mut steps) = (0, 0);
    for seed in 0..60 {
        let mut map = rough_map(seed);
        let few = map.obstacles.all()[..8].to_vec();
        map.obstacles = Obstacles::new(SIZE_M, few);
        let mut random = Random::new(seed, 5);
        let mut state = CharacterState::standing_at(&map, map.nearest_free(random.in_disc(30.0)));
        let mut known = KnownGround::default();
        let mut input = PlayerInput::default();
        for tick in 0..600 {
            if tick % 20 == 0 {
                input = PlayerInput { buttons: Buttons(random.below(4) as u8), ..hostile_input(&mut random) };
            }
            let next = step_at(&map, &mut known, state, input, STEP_S, map.rules.gait());
            assert_eq!(next, step_character(&map, state, input, STEP_S), "from {state:?}");
            let distance_m = ground_plane(state.velocity_mps).length() * STEP_S;
            if is_in_the_open(&map, &state, distance_m) {
                let after = [Around::Nothing, Around::Obstacles].map(|around| {
                    let mut after = state;
                    move_part(&map, &mut KnownGround::default(), &mut after, STEP_S, around);
                    after
                });
                assert_eq!(after[0], after[1], "from {state:?}");
                steps_in_the_open += 1;
            }
            (state, steps) = (next, steps + 1);
        }
    }
    let share = f64::from(steps_in_the_open) / f64::from(steps);
    assert!((0.05..0.95).contains(&share), "{share} in the open: the obstacles have no part in this");
}
