//! Random stories: whoever comes, goes, runs and is carried about, over whatever network, the rules hold and every
//! replica is right. The kit checks both after every tick.

use glam::Vec2;
use proptest::prelude::*;
use throng_shared::config::PopulationConfig;
use throng_tests::{Action, Link, PlayerHandle, Sim, flat_world};

/// Players that a script speaks of.
const PLAYERS: usize = 8;

fn any_action() -> impl Strategy<Value = Action> {
    let player = || (0..PLAYERS).prop_map(PlayerHandle::nth);
    let direction = || (-1.0f32..1.0, -1.0f32..1.0).prop_map(|(x, z)| Vec2::new(x, z));
    prop_oneof![
        2 => Just(Action::Join),
        4 => (player(), direction()).prop_map(|(player, direction)| Action::Run(player, direction)),
        2 => player().prop_map(Action::Stand),
        2 => (player(), any::<u64>()).prop_map(|(player, seed)| Action::Wander(player, seed)),
        1 => (player(), direction()).prop_map(|(player, direction)| Action::Teleport(player, direction * 190.0)),
        1 => player().prop_map(Action::Leave),
        6 => (1u32..30).prop_map(Action::Wait),
    ]
}

prop_compose! {
    fn any_link()(
        one_way_ms in 0.0f32..150.0, jitter_ms in 0.0f32..30.0, loss_percent in 0.0f32..10.0,
        duplicate_percent in 0.0f32..10.0, reorder_percent in 0.0f32..10.0,
    ) -> Link {
        Link { one_way_ms, jitter_ms, loss_percent, duplicate_percent, reorder_percent }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_story_keeps_the_rules(seed: u64, link in any_link(), script in prop::collection::vec(any_action(), 1..60)) {
        let world = flat_world(|config| config.population = PopulationConfig { target: 30, players_max: 100, ..PopulationConfig::default() });
        // Two seconds: at 150 ms and 10 % loss a last word may be lost four times.
        let mut sim = Sim::new(seed).world(world).link(link).oracle(40).start();
        sim.run(&[Action::Join, Action::Join]);
        sim.run(&script);
        sim.run(&[Action::Wait(60)]);
    }
}

#[test]
fn whoever_is_set_down_in_an_obstacle_stands_beside_it() {
    let mut sim = Sim::new(0).world(flat_world(|_| ())).start();
    let [ann] = sim.connect();
    // The rim of the cylinder, its middle, a corner of the box, and beyond the world's edge.
    for (x, z) in [(-32.289, 29.127), (-30.0, 30.0), (22.3, 15.3), (900.0, 900.0)] {
        let point_m = Vec2::new(x, z);
        sim.run(&[Action::Teleport(ann, point_m), Action::Wait(1)]);
        let (_, state) = sim.character(ann);
        let wanted_m = point_m.clamp(Vec2::splat(-200.0), Vec2::splat(200.0));
        let away_m = state.ground_position_m().distance(wanted_m);
        assert!(away_m < 3.6, "{away_m} m from {point_m}");
    }
}
