//! What a bot wants next.

mod choose;
mod fear;
mod fight;
mod march;
mod way;

pub(crate) use choose::route_point;
pub(crate) use way::Way;

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use bevy_ecs::prelude::{Entity, Query, Res, Resource};
use glam::Vec2;
use rayon::prelude::{IndexedParallelIterator, IntoParallelRefIterator, IntoParallelRefMutIterator, ParallelIterator};
use throng_shared::ids::NetId;
use throng_shared::movement::CharacterState;
use throng_shared::tick::Tick;

use crate::mind::{BotMind, Goal};
use crate::navigate::{Asked, Route, RoutePlanner};
use crate::packs::{Mates, Packs};
use crate::perceive::{BOTS_PER_JOB_MIN, IN_TABLES, Percepts};
use crate::steer::Steering;
use crate::turns::Alertness;
use crate::world::BotWorld;

/// How near to its target a bot has arrived, in metres.
pub(crate) const ARRIVE_M: f32 = 1.2;

/// How near it has arrived in a crowd, in metres.
const ARRIVE_CROWDED_M: f32 = 10.0;
/// A bot is in a crowd when eight others are nearer to it than this, in metres.
const CROWDED_M: f32 = 2.5;

/// What thinking reads of a bot, and writes.
type Thinker = (
    Entity,
    &'static NetId,
    &'static Alertness,
    &'static CharacterState,
    &'static Percepts,
    &'static Steering,
    &'static mut BotMind,
);

/// Lets the bots think that are due, and those that are stuck.
pub fn decide(
    tick: Res<Tick>,
    world: Res<BotWorld>,
    (packs, planner): (Res<Packs>, Res<RoutePlanner>),
    thoughts: Res<Thoughts>,
    mut bots: Query<Thinker>,
) {
    let (tick, world, thoughts) = (*tick, &*world, &*thoughts);
    let (packs, planner) = (&*packs, &*planner);
    let turns = world.think_turns(tick);
    let tables = bots.contiguous_iter_mut().expect(IN_TABLES);
    for (entities, net_ids, alertness, states, percepts, steerings, mut minds) in tables {
        let bots = entities.par_iter().zip(net_ids).zip(alertness).zip(states).zip(percepts).zip(steerings);
        let bots = bots.zip(minds.par_iter_mut()).with_min_len(BOTS_PER_JOB_MIN);
        bots.for_each(|((((((entity, net_id), alertness), state), percepts), steering), mind)| {
            let is_stuck = alertness.was_stuck && steering.is_of_goal(mind.goal_started);
            if is_stuck || turns.is_of(*net_id, alertness.is_near) {
                let (position_m, height_m) = (state.ground_position_m(), state.position_m.y);
                let route = &steering.route;
                let mates = packs.mates(*net_id, mind);
                let situation = Situation { world, tick, position_m, height_m, percepts, route, mates, is_stuck };
                think(mind, &situation);
                if let Some(to) = way::look_ahead(mind, &situation) {
                    let goal_started = mind.goal_started;
                    let (from_m, asked) = (position_m, tick);
                    planner.ask(Asked { entity: *entity, net_id: *net_id, from_m, to, goal_started, asked });
                }
                thoughts.by_goal[mind.goal.kind()].fetch_add(1, Relaxed);
            }
        });
    }
}

/// How often bots have thought, by the goal that they had afterwards; written by [`decide`] only.
#[derive(Debug, Default, Resource)]
pub struct Thoughts {
    /// Added to by all threads: in which order numbers are added does not matter.
    by_goal: [AtomicU64; Goal::LABELS.len()],
}

impl Thoughts {
    /// In the order of [`Goal::LABELS`].
    pub fn by_goal(&self) -> [u64; Goal::LABELS.len()] {
        self.by_goal.each_ref().map(|count| count.load(Relaxed))
    }
}

/// What a decision depends on, besides the mind itself.
pub(crate) struct Situation<'a> {
    pub(crate) world: &'a BotWorld,
    pub(crate) tick: Tick,
    pub(crate) position_m: Vec2,
    /// Of its feet.
    pub(crate) height_m: f32,
    pub(crate) percepts: &'a Percepts,
    /// The way that it has been told.
    pub(crate) route: &'a Route,
    /// With whom it goes.
    pub(crate) mates: Option<Mates<'a>>,
    /// Whether the bot has been trying in vain to move.
    pub(crate) is_stuck: bool,
}

impl Situation<'_> {
    /// Whether somebody goes with it.
    fn is_mate(&self, net_id: NetId) -> bool {
        self.mates.is_some_and(|mates| mates.include(net_id))
    }
}

/// Keeps the goal, moves on to the next leg of a patrol, or takes another goal.
fn think(mind: &mut BotMind, situation: &Situation<'_>) {
    if fight::take_arms(mind, situation) || fear::take_fright(mind, situation) || march::keep_place(mind, situation) {
        return;
    }
    if situation.is_stuck || situation.tick >= mind.goal_ends || has_ended(mind, situation) {
        choose::choose_goal(mind, situation);
    }
}

/// Whether the goal is reached or has become pointless.
fn has_ended(mind: &mut BotMind, situation: &Situation<'_>) -> bool {
    if way::is_at_a_dead_end(mind, situation) || choose::is_away_from_post(mind, situation) {
        return true;
    }
    match mind.goal {
        Goal::Idle => false,
        Goal::Wander { target_m } => has_reached(situation, target_m),
        Goal::Patrol(leg) => {
            let Some(point_m) = choose::route_point(situation.world, leg.route, leg.point) else {
                return true;
            };
            has_reached(situation, point_m) && !choose::go_on_patrol(mind, situation, leg.next())
        }
        Goal::Gather { target_m, .. } => {
            if has_reached(situation, target_m) {
                choose::stay(mind, situation);
            }
            false
        }
        Goal::Follow { net_id } => situation.percepts.find(net_id).is_none(),
        // Whoever is led keeps at it without being asked.
        Goal::March { .. } => true,
        Goal::Fight { net_id, .. } => fight::is_over(mind, situation, net_id),
        Goal::Flee { net_id, .. } => fear::is_safe_from(mind, situation, net_id),
    }
}

/// Whether a bot is there, or sees it and is as near as a crowd lets it come.
fn has_reached(situation: &Situation<'_>, target_m: Vec2) -> bool {
    let Situation { world, position_m, percepts, .. } = situation;
    let apart_m = position_m.distance(target_m);
    let is_near_enough =
        || percepts.crowd_radius_m() < CROWDED_M && world.navigation.is_clear_line(*position_m, target_m);
    apart_m <= ARRIVE_M || (apart_m <= ARRIVE_CROWDED_M && is_near_enough())
}
