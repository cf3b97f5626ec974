//! Attacking enemies, and running from them when it goes badly.

use glam::{Vec2, Vec3};
use throng_shared::combat::Ray;
use throng_shared::ids::NetId;

use super::Situation;
use super::choose::{is_within_leash, set_goal};
use crate::arms::Arms;
use crate::mind::{BotMind, Goal};
use crate::perceive::Seen;

/// How long a bot keeps at one enemy until it looks for the nearest again, in seconds.
const FIGHT_S: [f32; 2] = [4.0, 10.0];
/// How long a bot runs that has had enough, in seconds.
const RETREAT_S: [f32; 2] = [2.0, 5.0];
/// For how long a bot that did not care for an enemy does not care for any, in seconds.
const PEACE_S: [f32; 2] = [5.0, 15.0];

/// Lets a bot that sees an enemy attack it, with the chance that the world file says; and one that fights go on, or
/// run. Whether the goal is settled.
pub(super) fn take_arms(mind: &mut BotMind, situation: &Situation<'_>) -> bool {
    let (world, percepts) = (situation.world, situation.percepts);
    let Some(arms) = world.arms_of(mind.archetype).filter(|arms| !arms.is_safe(situation.position_m)) else {
        return false;
    };
    let (rules, profile) = (world.rules_of(mind), world.profile_of(mind));
    let is_near = |point_m| profile.is_none_or(|profile| is_within_leash(world, profile, point_m));
    let enemies = || percepts.enemies().filter(|seen| !arms.is_safe(seen.position_m) && is_near(seen.position_m));
    let Some(nearest) = enemies().next() else { return false };
    let had_enough = f32::from(percepts.own_health_percent()) < rules.retreat_below_percent;
    if let Goal::Fight { net_id, .. } = mind.goal {
        let opponent = enemies().find(|seen| seen.net_id == net_id).filter(|_| situation.tick < mind.goal_ends);
        if had_enough {
            let goal = Goal::Flee { net_id: nearest.net_id, from_m: nearest.position_m };
            let duration_s = mind.random.between(RETREAT_S[0], RETREAT_S[1]);
            set_goal(mind, situation, goal, duration_s);
            mind.peaceful_until = mind.goal_ends;
            return true;
        }
        if let Some(opponent) = opponent {
            // The fight began when it did: who goes on needs no time to react.
            mind.goal = Goal::Fight { net_id, is_in_view: is_in_view(arms, situation, opponent) };
            return !situation.is_stuck;
        }
    }
    let is_fighting = matches!(mind.goal, Goal::Fight { .. });
    // Whoever goes with one that fights does not ask itself whether to; but who runs has had enough, and who fights takes the nearest.
    let is_willing = !had_enough && !is_fighting && !matches!(mind.goal, Goal::Flee { .. });
    let foe = situation.mates.and_then(|mates| mates.pack.foe()).filter(|_| is_willing);
    let called = foe.and_then(|foe| enemies().find(|seen| seen.net_id == foe));
    let is_settled = is_fighting || called.is_some();
    if !is_settled && (situation.tick < mind.peaceful_until || had_enough) {
        return false;
    }
    if !is_settled && !mind.random.percent(rules.attack_percent) {
        let peace_s = mind.random.between(PEACE_S[0], PEACE_S[1]);
        mind.peaceful_until = situation.tick + world.ticks_for_s(peace_s);
        return false;
    }
    mind.leave_patrol();
    let opponent = called.unwrap_or(nearest);
    let goal = Goal::Fight { net_id: opponent.net_id, is_in_view: is_in_view(arms, situation, opponent) };
    let duration_s = mind.random.between(FIGHT_S[0], FIGHT_S[1]);
    set_goal(mind, situation, goal, duration_s);
    true
}

/// Whether a fight is over: the enemy is dead, gone or hidden, or one of the two is where nobody is harmed, or too far from what the bot guards.
pub(super) fn is_over(mind: &BotMind, situation: &Situation<'_>, net_id: NetId) -> bool {
    let Some(arms) = situation.world.arms_of(mind.archetype) else { return true };
    let opponent = situation.percepts.enemies().find(|seen| seen.net_id == net_id);
    let world = situation.world;
    let is_out_of_reach = |point_m| {
        arms.is_safe(point_m) || world.profile_of(mind).is_some_and(|profile| !is_within_leash(world, profile, point_m))
    };
    is_out_of_reach(situation.position_m) || opponent.is_none_or(|opponent| is_out_of_reach(opponent.position_m))
}

/// Whether no wall is between the bot's eyes and the middle of somebody.
fn is_in_view(arms: &Arms, situation: &Situation<'_>, seen: &Seen) -> bool {
    let map = &situation.world.map;
    let over = |point_m: Vec2, height_m: f32| Vec3::new(point_m.x, height_m, point_m.y);
    let eyes_m = over(situation.position_m, situation.height_m + arms.eyes_m());
    let body = situation.world.body_of(situation.percepts, seen.net_id, over(seen.position_m, seen.height_m));
    let middle_m = body.feet_m + Vec3::Y * (0.5 * body.height_m);
    Ray::between(eyes_m, middle_m).is_none_or(|ray| map.first_wall_m(&ray).is_none())
}
