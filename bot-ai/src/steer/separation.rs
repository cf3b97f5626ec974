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

/// How far ahead those are minded who come the other way, in metres.
const ONCOMING_M: f32 = 4.0;
/// Whoever comes towards a bot by at least this much is oncoming, in metres per second.
const ONCOMING_MPS: f32 = 0.5;
/// How much the wish to pass on the right counts beside the wish to keep apart.
const PASS_SHARE: f32 = 0.6;

/// The direction away from those who are very near, and to the right of those who come the other way; its length, 0 to 1, says how near. `onward` is
/// where the bot wants to go, of length 1 or zero.
pub(super) fn apart(world: &BotWorld, tick: Tick, body: &Body<'_>, onward: Vec2) -> Vec2 {
    if body.percepts.seen().is_empty() || world.seconds_between(body.percepts.looked(), tick) > FRESH_S {
        return Vec2::ZERO;
    }
    let position_m = body.state.ground_position_m();
    let room_m = 2.0 * world.map.rules.capsule_radius_m + ROOM_M;
    let mut sum = Vec2::ZERO;
    let mut nearest_oncoming_m = ONCOMING_M;
    for seen in body.percepts.seen() {
        let away_m = position_m - position_now_m(world, tick, body, seen);
        let distance_squared_m2 = away_m.length_squared();
        if seen.velocity_mps.dot(onward) < -ONCOMING_MPS && away_m.dot(onward) < 0.0 {
            nearest_oncoming_m = nearest_oncoming_m.min(distance_squared_m2.sqrt());
        }
        if distance_squared_m2 < room_m * room_m {
            let distance_m = distance_squared_m2.sqrt();
            // Two at the very same place part by the order of their ids.
            let by_id = if body.net_id < seen.net_id { Vec2::X } else { Vec2::NEG_X };
            let direction = if distance_m > 1e-3 { away_m / distance_m } else { by_id };
            sum += direction * (1.0 - distance_m / room_m);
        }
    }
    // z points south, so that this is to the right. All keep to the same side: so a crowd that meets another sorts itself into lanes.
    let aside = onward.perp() * (PASS_SHARE * (1.0 - nearest_oncoming_m / ONCOMING_M));
    (sum + aside).clamp_length_max(1.0)
}
