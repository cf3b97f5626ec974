//! The choice of a goal by the weights of the world file.

use glam::Vec2;
use throng_shared::archetypes::Gait;
use throng_shared::config::{BotProfileConfig, BotsConfig, PlaceConfig};
use throng_shared::tick::Tick;

use super::Situation;
use crate::mind::{BotMind, Goal, Leg};
use crate::perceive::Seen;
use crate::world::BotWorld;

/// How long a bot idles, in seconds.
const IDLE_S: [f32; 2] = [2.0, 8.0];
/// How long a bot stays in a place, in seconds.
const STAY_S: [f32; 2] = [8.0, 40.0];
/// How long a bot follows somebody, in seconds.
const FOLLOW_S: [f32; 2] = [10.0, 30.0];
/// How far a bot wanders at most, in metres.
const WANDER_M: f32 = 40.0;
/// How far a bot steps aside that is stuck, in metres.
const STEP_ASIDE_M: f32 = 12.0;
/// Places that are tried for wandering; when none can be stood upon, the bot idles.
const WANDER_TRIES_MAX: u32 = 12;
/// A walk is given up after this many times the time that it should take, and `PATIENCE_S` more.
const PATIENCE_SHARE: f32 = 2.0;
/// See `PATIENCE_SHARE`; in seconds.
const PATIENCE_S: f32 = 8.0;
/// Longest walk, in seconds.
const WALK_S_MAX: f32 = 600.0;

/// Gives `mind` another goal, drawn by weight.
///
/// Without routes, patrolling counts as wandering; with nobody in sight, following counts for nothing. A bot that is
/// stuck first steps aside, whatever the weights. Who was on patrol when something else came between goes on with it.
pub(super) fn choose_goal(mind: &mut BotMind, situation: &Situation<'_>) {
    if situation.is_stuck {
        mind.leave_patrol();
        return wander_about(mind, situation, STEP_ASIDE_M);
    }
    if is_away_from_post(mind, situation) {
        return match situation.world.homes.is_astray(mind.home, situation.position_m) {
            true => wander_home(mind, situation),
            false => gather(mind, situation),
        };
    }
    if let Some(leg) = mind.unfinished.take()
        && go_on_patrol(mind, situation, leg)
    {
        return;
    }
    let weights = Weights::new(situation.world.rules_of(mind));
    let (wander, patrol) = match routes_of(mind, situation.world) == 0 {
        true => (weights.wander + weights.patrol, 0.0),
        false => (weights.wander, weights.patrol),
    };
    let follow = if strangers(situation).next().is_none() { 0.0 } else { weights.follow };
    let gather_weight = if has_place(mind, situation.world) { weights.gather } else { 0.0 };
    let mut draw = mind.random.unit() * (weights.idle + wander + patrol + follow + gather_weight);
    let mut is_drawn = |weight: f32| {
        draw -= weight;
        draw < 0.0
    };
    if is_drawn(wander) {
        wander_about(mind, situation, WANDER_M);
    } else if is_drawn(patrol) {
        start_patrol(mind, situation);
    } else if is_drawn(follow) {
        follow_somebody(mind, situation);
    } else if is_drawn(gather_weight) {
        gather(mind, situation);
    } else {
        idle(mind, situation);
    }
}

/// Makes a leg of a patrol the goal of `mind`; false when it has no points left, or there is no such route any more.
pub(super) fn go_on_patrol(mind: &mut BotMind, situation: &Situation<'_>, leg: Leg) -> bool {
    let point_m = route_point(situation.world, leg.route, leg.point).filter(|_| leg.points_left > 0);
    let Some(point_m) = point_m else { return false };
    set_walk(mind, situation, Goal::Patrol(leg), point_m);
    true
}

/// A point of a route, counted around it; none when there is no such route any more.
pub(crate) fn route_point(world: &BotWorld, route: u32, point: u32) -> Option<Vec2> {
    let points_m = &world.patrols.get(route as usize)?.points_m;
    points_m.get((point as usize).checked_rem(points_m.len())?).copied()
}

/// Makes `goal` the goal of `mind` for `duration_s` seconds.
pub(super) fn set_goal(mind: &mut BotMind, situation: &Situation<'_>, goal: Goal, duration_s: f32) {
    mind.goal = goal;
    mind.goal_started = situation.tick;
    mind.goal_ends = situation.tick + situation.world.ticks_for_s(duration_s);
}

/// The weights, without those that are no weights.
pub(super) struct Weights {
    idle: f32,
    wander: f32,
    patrol: f32,
    follow: f32,
    gather: f32,
    pub(super) flee: f32,
}

impl Weights {
    pub(super) fn new(rules: &BotsConfig) -> Weights {
        let weight = |configured: f32| {
            if configured.is_finite() { configured.max(0.0) } else { 0.0 }
        };
        Weights {
            idle: weight(rules.idle_weight),
            wander: weight(rules.wander_weight),
            patrol: weight(rules.patrol_weight),
            follow: weight(rules.follow_weight),
            gather: weight(rules.gather_weight),
            flee: weight(rules.flee_weight),
        }
    }

    pub(super) fn sum(&self) -> f32 {
        self.idle + self.wander + self.patrol + self.follow + self.gather + self.flee
    }
}

fn idle(mind: &mut BotMind, situation: &Situation<'_>) {
    let duration_s = mind.random.between(IDLE_S[0], IDLE_S[1]);
    set_goal(mind, situation, Goal::Idle, duration_s);
}

fn wander_about(mind: &mut BotMind, situation: &Situation<'_>, reach_m: f32) {
    let map = &situation.world.map;
    let reach_m = reach_m.min(map.half_size_m);
    for _ in 0..WANDER_TRIES_MAX {
        let target_m = situation.position_m + mind.random.in_disc(reach_m);
        if map.is_standable(target_m) && situation.world.homes.is_home(mind.home, target_m) {
            return set_walk(mind, situation, Goal::Wander { target_m }, target_m);
        }
    }
    wander_home(mind, situation);
}

/// Goes to some place of the zone that it lives in; stands still for a while, if it lives everywhere.
fn wander_home(mind: &mut BotMind, situation: &Situation<'_>) {
    let world = situation.world;
    let outline = world.homes.outline(mind.home);
    let target_m = outline.and_then(|outline| {
        let mut places_m = (0..WANDER_TRIES_MAX).map(|_| world.map.clamp_inside(outline.draw(&mut mind.random)));
        places_m.find(|&place_m| world.map.is_standable(place_m))
    });
    match target_m {
        Some(target_m) => set_walk(mind, situation, Goal::Wander { target_m }, target_m),
        None => idle(mind, situation),
    }
}

/// How many patrol routes there are where a bot lives.
fn routes_of(mind: &BotMind, world: &BotWorld) -> usize {
    world.homes.routes(mind.home).map_or(world.patrols.len(), <[u32]>::len)
}

fn start_patrol(mind: &mut BotMind, situation: &Situation<'_>) {
    let routes = &situation.world.patrols;
    let drawn = mind.random.below(routes_of(mind, situation.world) as u32);
    let here = situation.world.homes.routes(mind.home);
    let route = here.map_or(Some(drawn), |here| here.get(drawn as usize).copied()).unwrap_or_default();
    let points_m = routes.get(route as usize).map_or(&[][..], |route| &route.points_m);
    let distance = |index: &usize| points_m[*index].distance_squared(situation.position_m);
    let nearest = (0..points_m.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)));
    let point = nearest.unwrap_or_default() as u32;
    // Once around, back to where it started.
    let leg = Leg { route, point, points_left: points_m.len() as u32 + 1 };
    if !go_on_patrol(mind, situation, leg) {
        wander_about(mind, situation, WANDER_M);
    }
}

/// Goes to a place and stays there: to the one that it guards, or to one that draws it.
fn gather(mind: &mut BotMind, situation: &Situation<'_>) {
    let world = situation.world;
    let Some((number, place)) = drawn_place(mind, situation) else { return idle(mind, situation) };
    for _ in 0..WANDER_TRIES_MAX {
        let target_m = place.center_m + mind.random.in_disc(place.radius_m);
        if world.map.is_standable(target_m) {
            return set_walk(mind, situation, Goal::Gather { place: number, target_m }, target_m);
        }
    }
    idle(mind, situation);
}

/// Stays where it is for as long as one stays in a place.
pub(super) fn stay(mind: &mut BotMind, situation: &Situation<'_>) {
    let duration_s = mind.random.between(STAY_S[0], STAY_S[1]);
    set_goal(mind, situation, Goal::Idle, duration_s);
}

/// The place that a bot guards; for any other one of those that draw, by how much they draw.
fn drawn_place<'a>(mind: &mut BotMind, situation: &Situation<'a>) -> Option<(u32, &'a PlaceConfig)> {
    let world = situation.world;
    let of_number = |number: u32| Some((number, world.places.get(number as usize)?));
    if let Some(guarded) = world.profile_of(mind).and_then(|profile| profile.guards) {
        return of_number(guarded);
    }
    let mut draw = mind.random.unit() * draws(mind, world);
    let number = places_of(mind, world).find_map(|(number, place)| {
        draw -= place.draw;
        (draw < 0.0).then_some(number)
    });
    of_number(number?)
}

/// Whether there is any place to gather at.
fn has_place(mind: &BotMind, world: &BotWorld) -> bool {
    draws(mind, world) > 0.0 || world.profile_of(mind).is_some_and(|profile| profile.guards.is_some())
}

/// The places where a bot lives, with their numbers.
fn places_of<'w>(mind: &BotMind, world: &'w BotWorld) -> impl Iterator<Item = (u32, &'w PlaceConfig)> + use<'w> {
    let home = mind.home;
    let all = world.places.iter().enumerate().map(|(number, place)| (number as u32, place));
    all.filter(move |(number, _)| world.homes.has_place(home, *number))
}

/// How much all places where a bot lives draw together.
fn draws(mind: &BotMind, world: &BotWorld) -> f32 {
    places_of(mind, world).map(|(_, place)| place.draw).sum()
}

/// Whether a bot that guards a place is beyond its leash, or one that lives in a zone has strayed from it, and it is not on its way back.
pub(super) fn is_away_from_post(mind: &BotMind, situation: &Situation<'_>) -> bool {
    let Situation { world, position_m, .. } = situation;
    let is_busy = matches!(mind.goal, Goal::Gather { .. } | Goal::Fight { .. } | Goal::Flee { .. });
    if is_busy {
        return false;
    }
    let is_going_home = matches!(mind.goal, Goal::Wander { target_m } if world.homes.is_home(mind.home, target_m));
    let has_strayed = !is_going_home && world.homes.is_astray(mind.home, *position_m);
    has_strayed || world.profile_of(mind).is_some_and(|profile| !is_within_leash(world, profile, *position_m))
}

/// Whether a point is within the leash of who guards a place; for all others every point is.
pub(super) fn is_within_leash(world: &BotWorld, profile: &BotProfileConfig, point_m: Vec2) -> bool {
    let place = profile.guards.and_then(|number| world.places.get(number as usize));
    place.is_none_or(|place| place.center_m.distance_squared(point_m) <= profile.leash_m * profile.leash_m)
}

fn follow_somebody(mind: &mut BotMind, situation: &Situation<'_>) {
    let count = strangers(situation).count() as u32;
    match strangers(situation).nth(mind.random.below(count) as usize) {
        Some(somebody) => {
            let duration_s = mind.random.between(FOLLOW_S[0], FOLLOW_S[1]);
            set_goal(mind, situation, Goal::Follow { net_id: somebody.net_id }, duration_s);
        }
        None => idle(mind, situation),
    }
}

/// Those in sight who do not go with the bot anyway.
fn strangers<'a>(situation: &Situation<'a>) -> impl Iterator<Item = &'a Seen> {
    let mates = situation.mates;
    let is_strange = move |seen: &&Seen| !mates.is_some_and(|mates| mates.include(seen.net_id));
    situation.percepts.seen().iter().filter(is_strange)
}

/// Makes `goal`, a walk to `target_m`, the goal of `mind`, for as long as patience lasts.
fn set_walk(mind: &mut BotMind, situation: &Situation<'_>, goal: Goal, target_m: Vec2) {
    let gait = situation.world.gait_of(mind);
    set_goal(mind, situation, goal, patience_s(gait, situation.position_m.distance(target_m)));
}

/// How long a walk of a length may take who goes so fast, in seconds.
fn patience_s(gait: Gait, length_m: f32) -> f32 {
    let walk_s = length_m / gait.walk_speed_mps;
    (walk_s * PATIENCE_SHARE + PATIENCE_S).min(WALK_S_MAX)
}

impl BotMind {
    /// Keeps on walking for as long as a way of this length takes, at least.
    pub(crate) fn be_patient_for(&mut self, world: &BotWorld, tick: Tick, length_m: f32) {
        if !self.goal.is_walk() {
            return;
        }
        self.goal_ends = self.goal_ends.max(tick + world.ticks_for_s(patience_s(world.gait_of(self), length_m)));
    }
}

#[cfg(test)]
mod tests;
