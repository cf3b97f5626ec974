//! Keeping one's place beside somebody who walks.

use glam::Vec2;
use throng_shared::tick::Tick;

use super::Body;
use super::aim::{Aim, is_running, position_now_m};
use crate::perceive::Seen;
use crate::world::BotWorld;

/// Who is off its place gets so much nearer in a second, as a share of what is missing.
const CLOSE_PER_S: f32 = 1.5;
/// How far behind the one in front who goes in file keeps, in metres.
const FILE_GAP_M: f32 = 1.4;
/// Nearer than this to its place somebody is there, in metres.
const THERE_M: f32 = 0.2;
/// Who walks begins to run when it would have to be faster than walking by this much, as a share.
const RUN_FROM_SHARE: f32 = 1.15;

/// Goes as the one goes that it keeps beside, and a little nearer to its place.
pub(super) fn keep_place(world: &BotWorld, tick: Tick, body: &Body<'_>, ahead: &Seen, offset_m: Vec2) -> Aim {
    let gait = body.gait;
    let missing_m = position_now_m(world, tick, body, ahead) + offset_m - body.state.ground_position_m();
    let wanted_mps = if offset_m == Vec2::ZERO {
        // Whoever is in front may come back: nobody gives way backwards.
        let (direction, apart_m) = (missing_m.normalize_or_zero(), missing_m.length());
        let along_mps = ahead.velocity_mps.dot(direction) + (apart_m - FILE_GAP_M) * CLOSE_PER_S;
        if apart_m > FILE_GAP_M { direction * along_mps.max(0.0) } else { Vec2::ZERO }
    } else if missing_m.length() > THERE_M || ahead.velocity_mps != Vec2::ZERO {
        ahead.velocity_mps + missing_m * CLOSE_PER_S
    } else {
        Vec2::ZERO
    };
    let wanted_length_mps = wanted_mps.length();
    let run_from_mps = gait.walk_speed_mps * if is_running(body) { 1.0 } else { RUN_FROM_SHARE };
    let is_running = wanted_length_mps > run_from_mps && gait.run_speed_mps > gait.walk_speed_mps;
    let speed_mps = if is_running { gait.run_speed_mps } else { gait.walk_speed_mps };
    let is_there = wanted_length_mps < THERE_M * CLOSE_PER_S;
    Aim {
        direction: wanted_mps.normalize_or_zero(),
        // As far as it gets in a second.
        distance_m: wanted_length_mps,
        speed_share: if is_there { 0.0 } else { (wanted_length_mps / speed_mps.max(f32::MIN_POSITIVE)).min(1.0) },
        speed_mps,
        is_running,
    }
}
