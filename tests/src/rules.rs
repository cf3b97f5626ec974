//! What must hold for every character after every tick, whatever anybody sent.

use throng_server::instance::Instance;
use throng_shared::movement::CharacterState;
use throng_shared::tick::Tick;

/// Most that gravity can make a character slide beyond its running speed, in metres per second, in worlds with hills.
const SLIDE_MAX_MPS: f32 = 30.0;

/// Checks every character of an instance: inside the world, outside of obstacles, not below ground, and not moved
/// farther in the last tick than the rules allow. `before` are the positions after the tick before, by row; rows whose
/// names differ are skipped.
///
/// # Panics
/// When a rule is broken.
pub fn check_rules(instance: &Instance, before: &[(u32, CharacterState)], states: &[(u32, CharacterState)]) {
    let rules = instance.rules();
    let map = &rules.map;
    let is_flat = map.terrain.slope(glam::Vec2::ZERO) == 0.0;
    let speed_max_mps = if is_flat { map.rules.run_speed_mps } else { map.rules.run_speed_mps + SLIDE_MAX_MPS };
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
        if let Ok(row) = before.binary_search_by_key(net_id, |(net_id, _)| *net_id) {
            let moved_m = before[row].1.ground_position_m().distance(point_m);
            let allowed_m = speed_max_mps * rules.tick_rate.step_s() + 5e-3;
            assert!(moved_m <= allowed_m, "{tick:?}: {net_id} moved {moved_m} m in one tick, {allowed_m} allowed");
        }
    }
}
