//! Where the goal draws a bot, and how fast.

use glam::Vec2;
use throng_shared::tick::Tick;

use super::{Body, march};
use crate::decide::{ARRIVE_M, route_point};
use crate::mind::Goal;
use crate::navigate::Route;
use crate::perceive::Seen;
use crate::world::BotWorld;

/// How near a follower comes, in metres.
const POLITE_M: f32 = 3.0;
/// A follower farther away than this runs, in metres.
const CATCH_UP_M: f32 = 12.0;
/// A running follower nearer than this walks again, in metres; farther than where a runner frightens anybody.
const CAUGHT_UP_M: f32 = 7.0;
/// How near a bot walks to a place, in metres; well within the distance at which it has arrived.
const STOP_M: f32 = ARRIVE_M / 4.0;
/// A bot slows down on its last metres: as many as it covers in this time, in seconds, and one.
const SLOW_S: f32 = 0.3;
/// How long who fights goes to one side, in seconds.
const ASIDE_S: f32 = 1.2;
/// How far ahead somebody's walk is foreseen, in seconds.
const FORESEE_S_MAX: f32 = 1.0;

/// Where the goal draws a bot.
pub(super) struct Aim {
    /// Direction (x, z), of length 1; zero for nowhere.
    pub(super) direction: Vec2,
    /// Distance in that direction that should be free of obstacles, in metres.
    pub(super) distance_m: f32,
    /// Share of full speed, 0 to 1.
    pub(super) speed_share: f32,
    /// Full speed, in metres per second.
    pub(super) speed_mps: f32,
    /// Whether that is running speed.
    pub(super) is_running: bool,
}

/// Where its goal draws a bot: to the next corner of the way there, if it has been told one.
pub(super) fn aim(world: &BotWorld, tick: Tick, body: &Body<'_>, route: &Route) -> Aim {
    let aim = aim_at_goal(world, tick, body);
    // Who is where it belongs need not go around any corner.
    let is_in_place = matches!(body.mind.goal, Goal::March { .. }) && aim.speed_share == 0.0;
    let is_on_its_way = body.mind.is_on_its_way() && !is_in_place;
    let corner_m = route.corner_m(body.mind.goal_started).filter(|_| is_on_its_way);
    let Some(offset_m) = corner_m.map(|corner_m| corner_m - body.state.ground_position_m()) else { return aim };
    let direction = offset_m.try_normalize().unwrap_or(aim.direction);
    Aim { direction, distance_m: offset_m.length(), speed_share: 1.0, ..aim }
}

/// Where it would go straight.
fn aim_at_goal(world: &BotWorld, tick: Tick, body: &Body<'_>) -> Aim {
    let position_m = body.state.ground_position_m();
    match body.mind.goal {
        Goal::Idle => stay(body),
        Goal::Wander { target_m } | Goal::Gather { target_m, .. } => {
            approach(body, target_m - position_m, STOP_M, false)
        }
        Goal::Patrol(leg) => match route_point(world, leg.route, leg.point) {
            Some(point_m) => approach(body, point_m - position_m, STOP_M, false),
            None => stay(body),
        },
        Goal::Follow { net_id } => match body.percepts.find(net_id) {
            Some(somebody) => {
                let offset_m = position_now_m(world, tick, body, somebody) - position_m;
                let run_from_m = if is_running(body) { CAUGHT_UP_M } else { CATCH_UP_M };
                approach(body, offset_m, POLITE_M, offset_m.length_squared() > run_from_m * run_from_m)
            }
            None => stay(body),
        },
        Goal::March { net_id, offset_m } => match body.percepts.find(net_id) {
            Some(ahead) => march::keep_place(world, tick, body, ahead, offset_m),
            None => stay(body),
        },
        Goal::Fight { net_id, is_in_view } => match body.percepts.find(net_id) {
            Some(opponent) => close_in(world, tick, body, opponent, is_in_view),
            None => stay(body),
        },
        Goal::Flee { net_id, from_m } => {
            let threat = body.percepts.find(net_id);
            let from_m = threat.map_or(from_m, |threat| position_now_m(world, tick, body, threat));
            let direction = (position_m - from_m).try_normalize().unwrap_or(Vec2::X);
            let speed_mps = body.gait.run_speed_mps;
            Aim { direction, distance_m: f32::MAX, speed_share: 1.0, speed_mps, is_running: true }
        }
    }
}

/// Comes near enough to somebody to harm it and sees to it that nothing is between; from there goes to and fro, across the line of fire.
fn close_in(world: &BotWorld, tick: Tick, body: &Body<'_>, opponent: &Seen, is_in_view: bool) -> Aim {
    let offset_m = position_now_m(world, tick, body, opponent) - body.state.ground_position_m();
    let keep_m = body.keep_m;
    if !is_in_view || offset_m.length_squared() > keep_m * keep_m {
        return approach(body, offset_m, 0.5 * keep_m.min(POLITE_M), true);
    }
    let since_start_s = world.seconds_between(body.mind.goal_started, tick);
    let to_and_fro = (since_start_s / ASIDE_S) as u32 + body.net_id.0;
    let aside = offset_m.perp().try_normalize().unwrap_or(Vec2::X);
    let direction = if to_and_fro.is_multiple_of(2) { aside } else { -aside };
    let speed_mps = body.gait.run_speed_mps;
    Aim { direction, distance_m: f32::MAX, speed_share: 1.0, speed_mps, is_running: true }
}

/// Where somebody who was seen is by now, going on as then.
pub(super) fn position_now_m(world: &BotWorld, tick: Tick, body: &Body<'_>, seen: &Seen) -> Vec2 {
    let age_s = world.seconds_between(body.percepts.looked(), tick).min(FORESEE_S_MAX);
    seen.position_m + seen.velocity_mps * age_s
}

fn stay(body: &Body<'_>) -> Aim {
    approach(body, Vec2::ZERO, 0.0, false)
}

/// Goes along `offset_m` until `stop_m` from its end, slower on the last metres.
fn approach(body: &Body<'_>, offset_m: Vec2, stop_m: f32, is_running: bool) -> Aim {
    let speed_mps = if is_running { body.gait.run_speed_mps } else { body.gait.walk_speed_mps };
    let distance_m = offset_m.length();
    let remaining_m = distance_m - stop_m;
    Aim {
        direction: offset_m.try_normalize().unwrap_or(Vec2::ZERO),
        // What stands right beside the target need not be avoided.
        distance_m: (distance_m - ARRIVE_M).max(0.0),
        speed_share: (remaining_m / (1.0 + speed_mps * SLOW_S)).clamp(0.0, 1.0),
        speed_mps,
        is_running,
    }
}

pub(super) fn is_running(body: &Body<'_>) -> bool {
    let velocity_mps = Vec2::new(body.state.velocity_mps.x, body.state.velocity_mps.z);
    let fast_mps = body.gait.running_from_mps();
    velocity_mps.length_squared() > fast_mps * fast_mps
}
