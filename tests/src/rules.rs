//! What must hold for every character after every tick, whatever anybody sent.

use glam::{Vec2, Vec3};
use throng_server::abilities::CombatLog;
use throng_server::instance::Instance;
use throng_shared::ids::{Archetype, NetId};
use throng_shared::movement::CharacterState;
use throng_shared::tick::Tick;

/// Slack for what is pushed out of an obstacle beside its way, in metres.
const SLACK_M: f32 = 0.01;

/// Checks every character of an instance: inside the world, outside of obstacles, not below ground, and not moved
/// farther in the last tick than the rules allow: nobody gets faster than running but by gravity. `before` are the states after the tick before, by row; rows whose
/// names differ are skipped.
///
/// # Panics
/// When a rule is broken.
pub fn check_rules(instance: &Instance, before: &[(u32, CharacterState)], states: &[(u32, CharacterState)]) {
    let rules = instance.rules();
    let map = &rules.map;
    let step_s = rules.tick_rate.step_s();
    let tick: Tick = instance.current_tick();
    for (net_id, state) in states {
        let point_m = state.ground_position_m();
        assert!(state.position_m.is_finite() && state.velocity_mps.is_finite(), "{tick:?}: {net_id} is nowhere");
        assert_eq!(map.clamp_inside(point_m), point_m, "{tick:?}: {net_id} left the world");
        let ground_m = map.terrain.height_m(point_m);
        assert!(state.position_m.y >= ground_m - 1e-3, "{tick:?}: {net_id} is below ground: {state:?}");
        let step_m = map.rules.step_height_m + 0.01;
        for obstacle in map.obstacles.near(point_m) {
            let is_wall = obstacle.top_m > state.position_m.y + step_m;
            let is_inside = obstacle.push_out(point_m, map.rules.capsule_radius_m - 5e-3).is_some();
            assert!(!(is_wall && is_inside), "{tick:?}: {net_id} is inside an obstacle: {state:?}");
        }
        let has_leapt =
            instance.world().get_resource::<CombatLog>().is_some_and(|log| log.leapt().contains(&NetId(*net_id)));
        if has_leapt {
            continue;
        }
        if let Ok(row) = before.binary_search_by_key(net_id, |(net_id, _)| *net_id) {
            let before = before[row].1;
            let moved_m = before.ground_position_m().distance(point_m);
            let speed_mps = horizontal(before.velocity_mps).length();
            // Only what is steep makes anybody slide, and only for as long as it is underfoot.
            let is_steep = [before.ground_position_m(), point_m]
                .iter()
                .any(|&end_m| map.terrain.slope(end_m) > map.rules.slope_max);
            // A fall that ends on it goes on as a slide.
            let speed_mps = if is_steep { before.velocity_mps.length() } else { speed_mps };
            let gain_mps = if is_steep { map.rules.gravity_mps2 * step_s } else { 0.0 };
            let archetype = instance.columns().row(NetId(*net_id)).map(|row| instance.columns().archetypes[row]);
            let run_speed_mps = rules.gaits.of(archetype.unwrap_or(Archetype::PLAYER)).run_speed_mps;
            let allowed_m = (speed_mps + gain_mps).max(run_speed_mps) * step_s + SLACK_M;
            assert!(moved_m <= allowed_m, "{tick:?}: {net_id} moved {moved_m} m in one tick, {allowed_m} allowed");
        }
    }
}

fn horizontal(vector: Vec3) -> Vec2 {
    Vec2::new(vector.x, vector.z)
}

#[cfg(test)]
mod tests {
    use throng_shared::ids::InstanceId;

    use super::*;
    use crate::{Sim, hilly_world};

    /// Checks a player of the meadow who has just moved at `speed_mps` from a stand.
    fn check_move(speed_mps: f32) {
        let mut sim = Sim::new(1).world(hilly_world(|config| config.population.target = 0)).start();
        let [player] = sim.connect();
        let instance = sim.instance(InstanceId(0));
        let (net_id, state) = sim.character(player);
        let moved_m = Vec3::X * speed_mps * instance.rules().tick_rate.step_s();
        let before = CharacterState { position_m: state.position_m - moved_m, ..state };
        check_rules(instance, &[(net_id.0, before)], &[(net_id.0, state)]);
    }

    #[test]
    fn a_runner_in_the_hills_keeps_the_rules() {
        check_move(6.0);
    }

    #[test]
    #[should_panic(expected = "in one tick")]
    fn whoever_is_a_little_faster_in_the_hills_does_not() {
        check_move(6.5);
    }
}
