//! Keeping a little apart from those who are very near.

use glam::Vec2;
use throng_shared::tick::Tick;

use super::Body;
use super::aim::position_now_m;
use crate::world::BotWorld;

/// Free room between two characters that is kept, in metres.
const ROOM_M: f32 = 0.5;
/// What was seen longer ago than this says nothing about who is very near, in seconds.
const FRESH_S: f32 = 1.0;

/// The direction away from those who are very near; its length, 0 to 1, says how near.
pub(super) fn apart(world: &BotWorld, tick: Tick, body: &Body<'_>) -> Vec2 {
    if body.percepts.seen().is_empty() || world.seconds_between(body.percepts.looked(), tick) > FRESH_S {
        return Vec2::ZERO;
    }
    let position_m = body.state.ground_position_m();
    let room_m = 2.0 * world.map.rules.capsule_radius_m + ROOM_M;
    let mut sum = Vec2::ZERO;
    for seen in body.percepts.seen() {
        let away_m = position_m - position_now_m(world, tick, body, seen);
        let distance_squared_m2 = away_m.length_squared();
        if distance_squared_m2 < room_m * room_m {
            let distance_m = distance_squared_m2.sqrt();
            // Two at the very same place part by the order of their ids.
            let by_id = if body.net_id < seen.net_id { Vec2::X } else { Vec2::NEG_X };
            let direction = if distance_m > 1e-3 { away_m / distance_m } else { by_id };
            sum += direction * (1.0 - distance_m / room_m);
        }
    }
    sum.clamp_length_max(1.0)
}
