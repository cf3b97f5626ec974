//! A leap ahead.

use glam::{Vec2, Vec3};

use super::aim_direction;
use crate::map::Map;
use crate::movement::CharacterState;

/// The way is looked at in steps of this length, in metres; less than the radius of any character, so that no wall is leapt through.
const STEP_M: f32 = 0.15;

/// Whoever stands at a wall touches it by rounding, in metres.
const TOUCH_M: f32 = 0.005;

/// Where a character is that leaps so far ahead: at the last place on the straight way that it could walk to, standing, or falling from where the way
/// has led over an edge.
pub(super) fn blink(map: &Map, state: &CharacterState, yaw: u16, distance_m: f32) -> CharacterState {
    let ahead = aim_direction(yaw, 0);
    let (start_m, way) = (state.ground_position_m(), Vec2::new(ahead.x, ahead.z));
    let steps = (distance_m / STEP_M).floor() as u32;
    let along = (1..=steps).map(|step| step as f32 * STEP_M).chain([distance_m]);
    let (mut reached_m, mut feet_m) = (start_m, state.position_m.y);
    for along_m in along {
        let next_m = start_m + way * along_m;
        match floor_m(map, next_m, feet_m) {
            Some(floor_m) => (reached_m, feet_m) = (next_m, floor_m),
            None => break,
        }
    }
    if reached_m == start_m {
        return *state;
    }
    let position_m = Vec3::new(reached_m.x, feet_m, reached_m.y);
    CharacterState { position_m, velocity_mps: Vec3::ZERO, grounded: true, ..*state }
}

/// What is underfoot at a point, for whoever comes from beside it with its feet this high; none where it cannot go.
fn floor_m(map: &Map, point_m: Vec2, feet_m: f32) -> Option<f32> {
    if map.clamp_inside(point_m) != point_m {
        return None;
    }
    let (ground_m, slope) = map.terrain.height_and_slope(point_m);
    let climbs_to_m = feet_m + map.rules.step_height_m.max(map.rules.slope_max * STEP_M);
    if ground_m > climbs_to_m || ground_m > feet_m && slope > map.rules.slope_max {
        return None;
    }
    let mut floor_m = ground_m;
    for obstacle in map.obstacles.near(point_m) {
        if obstacle.push_out(point_m, map.rules.capsule_radius_m - TOUCH_M).is_none() {
            continue;
        }
        if obstacle.top_m > feet_m + map.rules.step_height_m {
            return None;
        }
        // Over its edge it is still beside it: what it stood upon is no wall then.
        floor_m = floor_m.max(obstacle.top_m);
    }
    Some(floor_m)
}
