//! How a bot gets there: its input for this tick.

mod aim;
mod course;
mod march;
mod progress;
mod separation;
mod strike;
mod surroundings;

use bevy_ecs::prelude::{Component, Query, Res, Without};
use glam::Vec2;
use rayon::prelude::{IndexedParallelIterator, IntoParallelRefIterator, IntoParallelRefMutIterator, ParallelIterator};
use throng_shared::abilities::Fighter;
use throng_shared::archetypes::Gait;
use throng_shared::attributes::Attributes;
use throng_shared::ids::NetId;
use throng_shared::input::{Buttons, InputBuffer, PlayerInput};
use throng_shared::movement::CharacterState;
use throng_shared::tick::Tick;

use crate::mind::{BotMind, Goal};
use crate::navigate::Route;
use crate::perceive::{BOTS_PER_JOB_MIN, IN_TABLES, Percepts};
use crate::turns::Alertness;
use crate::world::BotWorld;
use course::Course;
use progress::Progress;
use surroundings::Surroundings;

pub(crate) use surroundings::Caution;

/// A bot does not move for less than this share of full speed.
const STILL_SHARE: f32 = 0.15;
/// A bot that wants at least this share of full speed should be getting somewhere.
const TRAVEL_SHARE: f32 = 0.5;
/// How much the wish to keep apart counts beside the wish to get on.
const SEPARATION_SHARE: f32 = 0.5;
/// The same beside walls, for who goes around them: in doors people squeeze past one another.
const NARROW_SEPARATION_SHARE: f32 = 0.15;
/// By how much of its speed a bot slows down for others.
const SLOW_DOWN_SHARE: f32 = 0.3;
/// Cosine of an angle between two headings, about three degrees, that makes no difference.
const STRAIGHT_ON_COSINE: f32 = 0.999;
/// A turn is spread over about this time, in seconds.
const TURN_S: f32 = 0.1;

/// What a bot remembers of its steering from one tick to the next; written by [`steer`] only.
#[derive(Clone, Debug, Default, Component)]
pub struct Steering {
    /// Direction of the last step (x, z), of length 1; zero before the first.
    heading: Vec2,
    course: Course,
    progress: Progress,
    /// The way that the bot has been told; by [`crate::plan_routes`].
    pub(crate) route: Route,
}

impl Steering {
    /// Whether what it remembers of getting on is about the goal that it took in tick `goal_started`.
    pub(crate) fn is_of_goal(&self, goal_started: Tick) -> bool {
        self.progress.is_of_goal(goal_started)
    }
}

/// What steering reads of a bot, and writes.
type Walker = (
    &'static NetId,
    &'static CharacterState,
    &'static Percepts,
    &'static BotMind,
    &'static mut Alertness,
    &'static mut Steering,
    &'static mut InputBuffer,
);

/// Writes the input of every bot for the current tick; those who are near nobody go on with their last one for a while.
pub fn steer(tick: Res<Tick>, world: Res<BotWorld>, mut bots: Query<Walker, Without<Fighter>>) {
    let (tick, world, turns) = (*tick, &*world, world.steer_turns(*tick));
    let tables = bots.contiguous_iter_mut().expect(IN_TABLES);
    for (net_ids, states, percepts, minds, mut alertness, mut steerings, mut buffers) in tables {
        let bots = net_ids.par_iter().zip(states).zip(percepts).zip(minds).zip(alertness.par_iter_mut());
        let bots = bots.zip(steerings.par_iter_mut()).zip(buffers.par_iter_mut()).with_min_len(BOTS_PER_JOB_MIN);
        bots.for_each(|((((((net_id, state), percepts), mind), alertness), steering), buffer)| {
            if turns.is_of(*net_id, alertness.is_near) {
                let steer_ticks = world.steer_ticks(alertness.is_near);
                let gait = world.gait_of(mind);
                let body = Body { net_id: *net_id, state, percepts, mind, gait, steer_ticks, keep_m: 0.0 };
                put(world, tick, steer_ticks, next_input(world, tick, &body, steering, alertness), buffer);
            }
        });
    }
}

/// The same for bots who can use abilities: they look every tick whether to use one.
pub fn steer_fighters(tick: Res<Tick>, world: Res<BotWorld>, mut bots: Query<(Walker, &Fighter, &Attributes)>) {
    let (tick, world, turns) = (*tick, &*world, world.steer_turns(*tick));
    for (walkers, fighters, attributes) in bots.contiguous_iter_mut().expect(IN_TABLES) {
        let (net_ids, states, percepts, minds, mut alertness, mut steerings, mut buffers) = walkers;
        let bots = net_ids.par_iter().zip(states).zip(percepts).zip(minds).zip(fighters).zip(attributes);
        let bots = bots.zip(alertness.par_iter_mut()).zip(steerings.par_iter_mut()).zip(buffers.par_iter_mut());
        let bots = bots.with_min_len(BOTS_PER_JOB_MIN);
        bots.for_each(
            |((((((((net_id, state), percepts), mind), fighter), attributes), alertness), steering), buffer)| {
                let is_fighting = matches!(mind.goal, Goal::Fight { .. });
                let is_watched = is_fighting || alertness.is_near;
                if turns.is_of(*net_id, is_watched) {
                    let steer_ticks = world.steer_ticks(is_watched);
                    let arms = world.arms_of(mind.archetype).filter(|_| is_fighting);
                    let keep_m = arms.map_or(0.0, |arms| arms.keep_m(attributes));
                    let gait = world.gait_of(mind);
                    let body = Body { net_id: *net_id, state, percepts, mind, gait, steer_ticks, keep_m };
                    let mut input = next_input(world, tick, &body, steering, alertness);
                    strike::strike(world, tick, &body, fighter, attributes, &mut input);
                    put(world, tick, steer_ticks, input, buffer);
                }
            },
        );
    }
}

/// Writes down what a bot does for so many ticks: for longer than an input lasts, it is made to last by a second one.
fn put(world: &BotWorld, tick: Tick, steer_ticks: u32, input: PlayerInput, buffer: &mut InputBuffer) {
    buffer.put(tick, tick, input);
    if steer_ticks > world.repeated_ticks() {
        buffer.put(tick, tick + world.repeated_ticks(), input.repeated());
    }
}

/// A bot as its steering sees it.
struct Body<'a> {
    net_id: NetId,
    state: &'a CharacterState,
    percepts: &'a Percepts,
    mind: &'a BotMind,
    /// How fast it goes.
    gait: Gait,
    /// For how many ticks it goes on with its input.
    steer_ticks: u32,
    /// How far it keeps from whom it fights, in metres.
    keep_m: f32,
}

/// The input of one bot for `tick`.
fn next_input(
    world: &BotWorld,
    tick: Tick,
    body: &Body<'_>,
    steering: &mut Steering,
    alertness: &mut Alertness,
) -> PlayerInput {
    if body.mind.is_on_its_way() {
        let is_time_to_look = world.is_due_every(course::LOOK_INTERVAL_MS, tick, body.net_id);
        steering.route.go_on(&world.navigation, body.state.ground_position_m(), is_time_to_look);
    }
    let aim = aim::aim(world, tick, body, &steering.route);
    let is_narrow = body.mind.is_on_its_way() && !world.navigation.is_roomy(body.state.ground_position_m());
    // In a formation everybody has a place of its own, which may be near to others.
    let is_marching = matches!(body.mind.goal, Goal::March { .. });
    let apart_share = if is_narrow || is_marching { NARROW_SEPARATION_SHARE } else { SEPARATION_SHARE };
    let apart = separation::apart(world, tick, body, aim.direction) * apart_share;
    let apart = give_way(apart, aim.direction * aim.speed_share);
    let wanted = aim.direction * aim.speed_share + apart;
    let is_travelling = aim.speed_share >= TRAVEL_SHARE;
    let (is_stuck, effort) = steering.progress.track(world, tick, body, is_travelling);
    alertness.was_stuck = is_stuck;
    let speed_share = wanted.length().min(1.0);
    if speed_share < STILL_SHARE {
        return PlayerInput { yaw: body.state.yaw, ..PlayerInput::default() };
    }
    let wanted = wanted.normalize_or_zero();
    let last = steering.heading;
    if steering.course.is_current(world, tick, body.net_id, wanted) {
        steering.heading = turn(world, body, last, steering.course.heading());
    } else {
        let caution = if is_narrow { Caution::DARING } else { steering.progress.caution(tick) };
        let speed_mps = aim.speed_mps * speed_share;
        let surroundings = Surroundings::new(&world.map, body.state, caution, speed_mps, aim.distance_m);
        let heading = steering.course.find_heading(world, tick, &surroundings, wanted);
        let turned = turn(world, body, last, heading);
        let is_straight_on = turned.dot(heading) > STRAIGHT_ON_COSINE;
        steering.heading = if is_straight_on || surroundings.is_clear(turned) { turned } else { heading };
    }
    let run = if aim.is_running { Buttons::RUN } else { Buttons::default() };
    PlayerInput::towards(steering.heading * speed_share, run.with(effort))
}

/// What is left of the wish to keep apart beside the wish to get on: whoever is on its way steps aside for others, and slows down, but
/// does not turn back. Otherwise a crowd would stand still before every door, each waiting for the others.
fn give_way(apart: Vec2, onward: Vec2) -> Vec2 {
    let Some(direction) = onward.try_normalize() else { return apart };
    let back = (-apart.dot(direction)).max(0.0);
    apart + direction * (back - back.min(SLOW_DOWN_SHARE * onward.length()))
}

/// The direction between the last and the wanted one that a turn has reached by now.
fn turn(world: &BotWorld, body: &Body<'_>, last: Vec2, wanted: Vec2) -> Vec2 {
    let share = (world.tick_rate.step_s() * body.steer_ticks as f32 / TURN_S).min(1.0);
    last.lerp(wanted, share).try_normalize().unwrap_or(wanted)
}

#[cfg(test)]
mod tests;
