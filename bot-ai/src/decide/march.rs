//! Keeping one's place among those with whom one goes.

use glam::Vec2;
use throng_shared::config::BotProfileConfig;
use throng_shared::ids::NetId;

use super::Situation;
use super::choose::{is_away_from_post, is_within_leash, set_goal};
use crate::mind::{BotMind, Goal};
use crate::packs::{Mates, offset_m, slack_m};
use crate::perceive::Seen;

/// Who got stuck steps aside for so long before it goes on with the others, in seconds.
const STEP_ASIDE_S: f32 = 2.0;
/// So much room all around is enough for any formation, in metres; where there is less, cells are asked.
const ROOM_M: f32 = 2.0;

/// Lets a bot that is led keep its place, if it has nothing better to do. Whether the goal is settled.
pub(super) fn keep_place(mind: &mut BotMind, situation: &Situation<'_>) -> bool {
    let Some(mates) = situation.mates.filter(|mates| mates.rank > 0) else { return false };
    let Some((leader, profile)) = mates.pack.leader().zip(situation.world.profile_of(mind)) else { return false };
    if situation.is_stuck || is_away_from_post(mind, situation) {
        return false;
    }
    if is_busy(mind, situation, profile) {
        return true;
    }
    // Whom it does not see it keeps in mind, and sees when it next looks, if that one is in sight.
    let (net_id, offset_m) = match situation.percepts.find(leader) {
        Some(ahead) => match place_in_formation(situation, profile, mates, ahead) {
            Some(offset_m) => (leader, offset_m),
            None => (one_in_front(situation, mates).unwrap_or(leader), Vec2::ZERO),
        },
        None => (leader, Vec2::ZERO),
    };
    match &mut mind.goal {
        Goal::March { net_id: known, offset_m: known_m } if *known == net_id => *known_m = offset_m,
        _ => {
            mind.leave_patrol();
            set_goal(mind, situation, Goal::March { net_id, offset_m }, 0.0);
        }
    }
    true
}

/// Whether a bot has something to do before it goes on with the others.
fn is_busy(mind: &mut BotMind, situation: &Situation<'_>, profile: &BotProfileConfig) -> bool {
    match mind.goal {
        Goal::Fight { .. } | Goal::Flee { .. } => situation.tick < mind.goal_ends && !super::has_ended(mind, situation),
        Goal::Gather { .. } => !is_within_leash(situation.world, profile, situation.position_m),
        Goal::Wander { .. } => situation.world.seconds_between(mind.goal_started, situation.tick) < STEP_ASIDE_S,
        Goal::Idle | Goal::Patrol(_) | Goal::Follow { .. } | Goal::March { .. } => false,
    }
}

/// Where its place is from who leads, in metres, if there is room for a formation: about who leads, about the bot, at its place and between.
fn place_in_formation(
    situation: &Situation<'_>,
    profile: &BotProfileConfig,
    mates: Mates<'_>,
    ahead: &Seen,
) -> Option<Vec2> {
    let Situation { world, position_m, .. } = *situation;
    let offset_m = offset_m(&profile.pack, mates.rank, mates.pack.heading());
    let place_m = ahead.position_m + offset_m;
    // Open country is not made into cells because somebody walks there.
    let has_room = |point_m: Vec2| world.map.obstacles.is_clear(point_m, ROOM_M) || world.navigation.is_roomy(point_m);
    let is_open = [ahead.position_m, position_m, place_m].into_iter().all(has_room)
        && world.map.clamp_inside(place_m) == place_m
        && world.navigation.is_clear_line(ahead.position_m, place_m)
        && is_within_leash(world, profile, place_m);
    let own_m = position_m - ahead.position_m;
    let is_near_enough = own_m.distance(offset_m) <= slack_m(&profile.pack);
    is_open.then_some(if is_near_enough { own_m } else { offset_m })
}

/// Who goes in front of it, if it sees that one.
fn one_in_front(situation: &Situation<'_>, mates: Mates<'_>) -> Option<NetId> {
    mates.pack.before(mates.rank).filter(|net_id| situation.percepts.find(*net_id).is_some())
}
