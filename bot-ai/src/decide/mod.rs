//! What a bot wants next.

mod choose;
mod fear;
mod fight;

pub(crate) use choose::route_point;

use bevy_ecs::prelude::{Query, Res};
use glam::Vec2;
use rayon::prelude::{IndexedParallelIterator, IntoParallelRefIterator, IntoParallelRefMutIterator, ParallelIterator};
use throng_shared::ids::NetId;
use throng_shared::movement::CharacterState;
use throng_shared::tick::Tick;

use crate::mind::{BotMind, Goal};
use crate::near::NearPeople;
use crate::perceive::{BOTS_PER_JOB_MIN, IN_TABLES, Percepts};
use crate::steer::Steering;
use crate::world::BotWorld;

/// How near to its target a bot has arrived, in metres.
pub(crate) const ARRIVE_M: f32 = 1.2;

/// Lets the bots think that are due, and those that are stuck.
pub fn decide(
    tick: Res<Tick>,
    world: Res<BotWorld>,
    near: Res<NearPeople>,
    mut bots: Query<(&NetId, &CharacterState, &Percepts, &Steering, &mut BotMind)>,
) {
    let (tick, world, near) = (*tick, &*world, &*near);
    for (net_ids, states, percepts, steerings, mut minds) in bots.contiguous_iter_mut().expect(IN_TABLES) {
        let bots = net_ids.par_iter().zip(states).zip(percepts).zip(steerings).zip(minds.par_iter_mut());
        bots.with_min_len(BOTS_PER_JOB_MIN).for_each(|((((net_id, state), percepts), steering), mind)| {
            let (is_stuck, position_m) = (steering.is_stuck_since(mind.goal_started), state.ground_position_m());
            if is_stuck || world.is_due(tick, *net_id, near.contains(position_m)) {
                let height_m = state.position_m.y;
                think(mind, &Situation { world, tick, position_m, height_m, percepts, is_stuck });
            }
        });
    }
}

/// What a decision depends on, besides the mind itself.
struct Situation<'a> {
    world: &'a BotWorld,
    tick: Tick,
    position_m: Vec2,
    /// Of its feet.
    height_m: f32,
    percepts: &'a Percepts,
    /// Whether the bot has been trying in vain to move.
    is_stuck: bool,
}

/// Keeps the goal, moves on to the next leg of a patrol, or takes another goal.
fn think(mind: &mut BotMind, situation: &Situation<'_>) {
    if fight::take_arms(mind, situation) || fear::take_fright(mind, situation) {
        return;
    }
    if situation.is_stuck || situation.tick >= mind.goal_ends || has_ended(mind, situation) {
        choose::choose_goal(mind, situation);
    }
}

/// Whether the goal is reached or has become pointless.
fn has_ended(mind: &mut BotMind, situation: &Situation<'_>) -> bool {
    match mind.goal {
        Goal::Idle => false,
        Goal::Wander { target_m } => has_reached(situation, target_m),
        Goal::Patrol { route, point, points_left } => {
            let Some(point_m) = choose::route_point(situation.world, route, point) else {
                return true;
            };
            if !has_reached(situation, point_m) {
                return false;
            }
            !choose::go_on_patrol(
                mind,
                situation,
                Goal::Patrol { route, point: point + 1, points_left: points_left - 1 },
            )
        }
        Goal::Follow { net_id } => situation.percepts.find(net_id).is_none(),
        Goal::Fight { net_id, .. } => fight::is_over(mind, situation, net_id),
        Goal::Flee { net_id, .. } => fear::is_safe_from(mind, situation, net_id),
    }
}

fn has_reached(situation: &Situation<'_>, target_m: Vec2) -> bool {
    situation.position_m.distance_squared(target_m) <= ARRIVE_M * ARRIVE_M
}
