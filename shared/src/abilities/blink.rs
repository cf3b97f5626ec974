//! A leap ahead.

use glam::Vec2;

use super::aim_direction;
use crate::map::Map;
use crate::movement::CharacterState;

/// The way is looked at in steps of this length, in metres; less than the radius of any character, so that no wall is leapt through.
const STEP_M: f32 = 0.15;

/// Where a character is that leaps so far ahead: at the last place on the straight way that can be walked to, standing.
pub(super) fn blink(map: &Map, state: &CharacterState, yaw: u16, distance_m: f32) -> CharacterState {
    let ahead = aim_direction(yaw, 0);
    let (start_m, way) = (state.ground_position_m(), Vec2::new(ahead.x, ahead.z));
    let steps = (distance_m / STEP_M).floor() as u32;
    let along = (1..=steps).map(|step| step as f32 * STEP_M).chain([distance_m]);
    let mut reached_m = start_m;
    for along_m in along {
        let next_m = start_m + way * along_m;
        let rise_m = map.terrain.height_m(next_m) - map.terrain.height_m(reached_m);
        let is_cliff = rise_m > map.rules.step_height_m.max(map.rules.slope_max * STEP_M);
        if is_cliff || !map.is_standable(next_m) {
            break;
        }
        reached_m = next_m;
    }
    if reached_m == start_m {
        return *state;
    }
    CharacterState { yaw: state.yaw, ..CharacterState::standing_at(map, reached_m) }
}
