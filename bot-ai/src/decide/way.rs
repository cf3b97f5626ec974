//! Whether one can go straight where one wants to, and whom to ask otherwise.

use glam::Vec2;
use throng_shared::tick::Tick;

use super::{Situation, choose};
use crate::mind::{BotMind, Goal, Leg};
use crate::navigate::Destination;
use crate::world::BotWorld;

/// Whoever goes after somebody looks for another way when that one has moved so far, in metres.
const MOVED_M: f32 = 3.0;
/// Nobody looks for a way for the same goal more often than once in this time, in seconds.
const LOOK_S: f32 = 0.5;
/// Who was not told a way, or none that leads there, asks again after this time, in seconds.
const ASK_AGAIN_S: f32 = 5.0;

/// What a bot knows of the way to its goal.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Way {
    /// For which goal it looked, where that was, and when.
    pub(crate) goal_started: Tick,
    target_m: Vec2,
    pub(crate) looked: Tick,
    /// Whether something is between, so that it has asked for a way.
    pub(crate) is_asked: bool,
}

/// Looks whether something is in the way to the goal, when there is reason to look again; where to, if a way is to be asked for.
pub(super) fn look_ahead(mind: &mut BotMind, situation: &Situation<'_>) -> Option<Destination> {
    let Situation { world, tick, position_m, route, .. } = *situation;
    let to = destination(mind, situation)?;
    let since_s = world.seconds_between(mind.way.looked, tick);
    let is_new = mind.way.goal_started != mind.goal_started;
    // Nobody asks again and again for what cannot be reached.
    let patience_s = if route.is_dead_end(mind.goal_started) { ASK_AGAIN_S } else { LOOK_S };
    let is_time = since_s >= patience_s;
    let has_moved = mind.way.target_m.distance_squared(to.position_m) > MOVED_M * MOVED_M && is_time;
    let is_time_to_ask = mind.is_on_its_way()
        && match route.corner_m(mind.goal_started) {
            // It may have been pushed to where it does not see the next corner.
            Some(corner_m) => is_time && !world.navigation.is_narrow_way(position_m, corner_m),
            None => is_time && route.is_used_up(mind.goal_started) || since_s >= ASK_AGAIN_S,
        };
    if !is_new && !has_moved && !is_time_to_ask {
        return None;
    }
    let is_asked = !world.navigation.is_clear_line(position_m, to.position_m);
    mind.way = Way { goal_started: mind.goal_started, target_m: to.position_m, looked: tick, is_asked };
    is_asked.then_some(to)
}

/// Whether it has gone as far as a way led that does not lead to the goal. Who fights goes on: the other may come nearer.
pub(super) fn is_at_a_dead_end(mind: &BotMind, situation: &Situation<'_>) -> bool {
    let (route, is_following) = (situation.route, matches!(mind.goal, Goal::Follow { .. }));
    (mind.goal.is_walk() || is_following)
        && route.is_dead_end(mind.goal_started)
        && route.corner_m(mind.goal_started).is_none()
}

/// Where the goal is; none for one that is nowhere.
fn destination(mind: &BotMind, situation: &Situation<'_>) -> Option<Destination> {
    let world = situation.world;
    let (position_m, place) = match mind.goal {
        Goal::Idle | Goal::Flee { .. } | Goal::Fight { is_in_view: true, .. } => return None,
        Goal::Wander { target_m } => (target_m, None),
        Goal::Patrol(Leg { route, point, .. }) => {
            (choose::route_point(world, route, point)?, destination_of_point(world, route, point))
        }
        Goal::Gather { place, target_m } => (target_m, destination_of_place(world, place, target_m)),
        Goal::Follow { net_id } | Goal::Fight { net_id, .. } => (situation.percepts.find(net_id)?.position_m, None),
        Goal::March { net_id, offset_m } => (situation.percepts.find(net_id)?.position_m + offset_m, None),
    };
    Some(Destination { position_m, place })
}

/// The place, if it is still the one that the bot set out for.
fn destination_of_place(world: &BotWorld, place: u32, target_m: Vec2) -> Option<u32> {
    let still = world.places.get(place as usize)?;
    let is_in_it = still.center_m.distance(target_m) <= still.radius_m;
    world.navigation.destination_of_place(place).filter(|_| is_in_it)
}

fn destination_of_point(world: &BotWorld, route: u32, point: u32) -> Option<u32> {
    let points = world.patrols.get(route as usize)?.points_m.len() as u32;
    world.navigation.destination(route, point.checked_rem(points)?)
}
