use throng_shared::config::{ObstacleConfig, ObstacleShapeConfig, WorldConfig};
use throng_shared::movement::step_character;

use super::*;
use crate::mind::Goal;
use crate::tests::{open_config, open_world, seeing, somebody, somebody_at, world_of};
use crate::turns::Alertness;

/// A bot's inputs and states for `ticks` ticks from the origin, without thinking.
fn walk(world: &BotWorld, goal: Goal, percepts: &Percepts, ticks: u32) -> Vec<(PlayerInput, CharacterState)> {
    let mut mind = BotMind::new(1, NetId(1));
    mind.goal = goal;
    let mut steering = Steering::default();
    let mut state = CharacterState::standing_at(&world.map, Vec2::ZERO);
    let mut step = |tick| {
        let body = Body {
            net_id: NetId(1),
            state: &state,
            percepts,
            mind: &mind,
            gait: world.gait_of(&mind),
            steer_ticks: 1,
            keep_m: 0.0,
        };
        let input = next_input(world, Tick(tick), &body, &mut steering, &mut Alertness::default());
        state = step_character(&world.map, state, input, world.tick_rate.step_s());
        (input, state)
    };
    (0..ticks).map(&mut step).collect()
}

fn wander_to(x: f32, z: f32) -> Goal {
    Goal::Wander { target_m: Vec2::new(x, z) }
}

#[test]
fn an_idle_bot_stands_still_and_keeps_facing() {
    for (input, state) in walk(&open_world(), Goal::Idle, &Percepts::default(), 40) {
        assert_eq!(input, PlayerInput { yaw: state.yaw, ..PlayerInput::default() });
    }
}

#[test]
fn a_wanderer_walks_straight_and_stops_smoothly_at_its_target() {
    let steps = walk(&open_world(), wander_to(6.0, 8.0), &Percepts::default(), 200);
    let target_m = Vec2::new(6.0, 8.0);
    assert!(steps.iter().all(|(input, _)| !input.buttons.contains(Buttons::RUN)));
    assert!(steps.iter().all(|(_, state)| state.ground_position_m().perp_dot(target_m).abs() < 0.5));
    let end = steps[199].1;
    assert!(end.ground_position_m().distance(target_m) < 1.0 && end.velocity_mps.length() < 0.05, "{end:?}");
    let braking = steps.windows(2).map(|pair| pair[0].1.velocity_mps.length() - pair[1].1.velocity_mps.length());
    assert!(braking.fold(0.0, f32::max) < 0.5, "no sudden stop");
}

#[test]
fn a_follower_keeps_a_polite_distance_and_runs_only_when_far_behind() {
    for (distance_m, runs) in [(10.0, false), (20.0, true)] {
        let percepts = somebody_at(Vec2::new(distance_m, 0.0));
        let steps = walk(&open_world(), Goal::Follow { net_id: NetId(9) }, &percepts, 300);
        assert_eq!(steps.iter().any(|(input, _)| input.buttons.contains(Buttons::RUN)), runs, "{distance_m}");
        let left_m = steps[299].1.ground_position_m().distance(Vec2::new(distance_m, 0.0));
        assert!((2.5..4.0).contains(&left_m), "{left_m}");
    }
}

#[test]
fn a_fleeing_bot_runs_away() {
    let goal = Goal::Flee { net_id: NetId(9), from_m: Vec2::new(0.0, 3.0) };
    for percepts in [Percepts::default(), somebody_at(Vec2::new(0.0, 3.0))] {
        let (input, state) = walk(&open_world(), goal, &percepts, 40)[39];
        assert!(input.buttons.contains(Buttons::RUN));
        assert!(state.position_m.z < -10.0 && state.position_m.x.abs() < 0.5, "{state:?}");
    }
}

#[test]
fn bots_in_one_place_part_in_opposite_directions() {
    for (other, direction) in [(0, -1.0), (2, 1.0)] {
        let percepts = seeing(&[somebody(other, Vec2::ZERO, Vec2::ZERO)]);
        let x_m = walk(&open_world(), Goal::Idle, &percepts, 20)[19].1.position_m.x;
        assert!(x_m * direction > 0.3, "{x_m}");
    }
}

#[test]
fn a_bot_that_cannot_get_on_jumps_once_and_then_is_stuck() {
    // Four walls around the origin, and a target beyond.
    let walls = [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)].map(|(x, z): (f32, f32)| ObstacleConfig {
        center_m: Vec2::new(x, z),
        height_m: 3.0,
        shape: ObstacleShapeConfig::Box { size_m: Vec2::new(z.abs() * 2.0 + 0.5, x.abs() * 2.0 + 0.5), yaw_deg: 0.0 },
    });
    let world = world_of(&WorldConfig { obstacles: walls.to_vec(), ..open_config() });
    let mut mind = BotMind::new(1, NetId(1));
    mind.goal = wander_to(20.0, 0.0);
    let percepts = Percepts::default();
    let mut state = CharacterState::standing_at(&world.map, Vec2::ZERO);
    let (mut steering, mut alertness) = (Steering::default(), Alertness::default());
    let mut jumps = 0;
    let stuck_after = (0..200).find(|&tick| {
        let body = Body {
            net_id: NetId(1),
            state: &state,
            percepts: &percepts,
            mind: &mind,
            gait: world.gait_of(&mind),
            steer_ticks: 1,
            keep_m: 0.0,
        };
        let input = next_input(&world, Tick(tick), &body, &mut steering, &mut alertness);
        jumps += u32::from(input.buttons.contains(Buttons::JUMP));
        state = step_character(&world.map, state, input, world.tick_rate.step_s());
        alertness.was_stuck && steering.is_of_goal(mind.goal_started)
    });
    assert_eq!(jumps, 1);
    assert!(stuck_after.is_some_and(|tick| (20..40).contains(&tick)), "{stuck_after:?}");
    assert!(!steering.is_of_goal(Tick(50)), "another goal is another try");
}

#[test]
fn a_bot_gets_around_a_wide_wall() {
    let shape = ObstacleShapeConfig::Box { size_m: Vec2::new(0.5, 24.0), yaw_deg: 10.0 };
    let wall = ObstacleConfig { center_m: Vec2::new(6.0, 0.0), height_m: 3.0, shape };
    let world = world_of(&WorldConfig { obstacles: vec![wall], ..open_config() });
    let end = walk(&world, wander_to(12.0, 1.0), &Percepts::default(), 600)[599].1;
    assert!(end.ground_position_m().distance(Vec2::new(12.0, 1.0)) < 1.0, "{end:?}");
}

#[test]
fn a_bot_squeezes_out_of_a_pen_when_there_is_no_better_way() {
    // A pen of 4 m with one gap, in the east: wide enough for a bot, but not for a careful one.
    let wall = |x: f32, z: f32, size_x: f32, size_z: f32| ObstacleConfig {
        center_m: Vec2::new(x, z),
        height_m: 3.0,
        shape: ObstacleShapeConfig::Box { size_m: Vec2::new(size_x, size_z), yaw_deg: 0.0 },
    };
    let obstacles = vec![
        wall(-2.0, 0.0, 0.4, 4.0),
        wall(0.0, -2.0, 4.4, 0.4),
        wall(0.0, 2.0, 4.4, 0.4),
        wall(2.0, 1.25, 0.4, 1.5),
        wall(2.0, -1.25, 0.4, 1.5),
    ];
    let world = world_of(&WorldConfig { obstacles, ..open_config() });
    let steps = walk(&world, wander_to(20.0, 0.0), &Percepts::default(), 600);
    let escaped = steps.iter().position(|(_, state)| state.position_m.x > 3.0);
    assert!(escaped.is_some_and(|tick| tick > 24), "{escaped:?}");
}

#[test]
fn who_is_seen_by_nobody_goes_on_with_what_it_does_for_as_long_as_the_server_is_busy() {
    let mut world = open_world();
    world.input_repeat_ticks = 4;
    assert_eq!([true, false].map(|is_near| world.steer_ticks(is_near)), [1, 4]);
    world.think_delay_percent = 700;
    assert_eq!([true, false].map(|is_near| world.steer_ticks(is_near)), [1, 10]);
    let (mut buffer, input) = (InputBuffer::default(), PlayerInput::towards(Vec2::X, Buttons::RUN.with(Buttons::JUMP)));
    put(&world, Tick(7), 10, input, &mut buffer);
    let taken: Vec<PlayerInput> = (7..17).map(|tick| buffer.take(Tick(tick), world.input_repeat_ticks).0).collect();
    assert_eq!(taken[0], input);
    assert!(taken[1..].iter().all(|later| *later == input.repeated()), "{taken:?}");
    assert_eq!(
        buffer.take(Tick(17), world.input_repeat_ticks).0,
        PlayerInput { yaw: input.yaw, ..PlayerInput::default() }
    );
}
