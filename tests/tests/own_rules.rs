//! A game adds its own rules to the tick.

use bevy_ecs::prelude::{IntoScheduleConfigs, Query, Res, Resource};
use glam::Vec2;
use throng_server::tick::{BuiltIn, Phase};
use throng_shared::ids::InstanceId;
use throng_shared::movement::CharacterState;
use throng_tests::{Plan, Sim};

/// Nobody is farther east than this, in metres.
#[derive(Resource)]
struct Fence(f32);

fn keep_west_of_fence(fence: Res<Fence>, mut characters: Query<&mut CharacterState>) {
    for mut state in &mut characters {
        state.position_m.x = state.position_m.x.min(fence.0);
    }
}

#[test]
fn a_rule_of_a_games_own_runs_after_ours_and_reaches_every_client() {
    let mut sim = Sim::new(1).start();
    let instance = sim.instance_mut(InstanceId(0));
    instance.world_mut().insert_resource(Fence(5.0));
    instance.phase_mut(Phase::Simulate).add_systems(keep_west_of_fence.after(BuiltIn));
    let [runner, watcher] = sim.connect();
    sim.teleport(runner, Vec2::new(0.0, 30.0));
    sim.plan(runner, Plan::run_east());
    sim.run_ticks(100);
    let (net_id, state) = sim.character(runner);
    assert_eq!(state.position_m.x, 5.0);
    let replica = sim.client(watcher).replica().get(net_id).expect("it is near");
    assert_eq!(replica.state.position_m().x, 5.0);
}
