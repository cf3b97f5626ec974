//! Running from somebody who comes running.

use glam::Vec2;
use throng_shared::ids::NetId;

use super::Situation;
use super::choose::{Weights, set_goal};
use crate::mind::{BotMind, Goal};
use crate::perceive::Seen;

/// Somebody running is too near within this distance, in metres.
const FRIGHT_M: f32 = 5.0;
/// Whoever is farther away than this is no longer fled from, in metres.
const SAFE_M: f32 = 20.0;
/// How long a bot flees at most, in seconds.
const FLEE_S: [f32; 2] = [3.0, 6.0];
/// For how long after a fright, whether it fled or not, nobody frightens a bot again, in seconds. Those who flee run,
/// and so frighten others: this is several times as long as fleeing, so that a panic dies down even in a crowd.
const CALM_S: [f32; 2] = [20.0, 40.0];

/// Lets a bot that has reason to flee do so, with a chance of the flee weight's share of all weights.
pub(super) fn take_fright(mind: &mut BotMind, situation: &Situation<'_>) -> bool {
    if situation.tick < mind.calm_until {
        return false;
    }
    let Some(threat) = threat(situation) else { return false };
    let calm_s = mind.random.between(CALM_S[0], CALM_S[1]);
    mind.calm_until = situation.tick + situation.world.ticks_for_s(calm_s);
    let weights = Weights::new(&situation.world.rules);
    if mind.random.unit() * weights.sum() >= weights.flee {
        return false;
    }
    let goal = Goal::Flee { net_id: threat.net_id, from_m: threat.position_m };
    let duration_s = mind.random.between(FLEE_S[0], FLEE_S[1]);
    set_goal(mind, situation, goal, duration_s);
    true
}

/// Whether a fleeing bot has shaken `net_id` off; if not, notes where that one is now.
pub(super) fn is_safe_from(mind: &mut BotMind, situation: &Situation<'_>, net_id: NetId) -> bool {
    match situation.percepts.find(net_id) {
        Some(threat) if threat.position_m.distance_squared(situation.position_m) <= SAFE_M * SAFE_M => {
            mind.goal = Goal::Flee { net_id, from_m: threat.position_m };
            false
        }
        _ => true,
    }
}

/// The nearest one who comes running.
fn threat<'a>(situation: &Situation<'a>) -> Option<&'a Seen> {
    let rules = &situation.world.map.rules;
    // Between walking and running; where those are the same, nobody can be told to run.
    let fast_mps = 0.5 * (rules.walk_speed_mps + rules.run_speed_mps);
    if rules.run_speed_mps <= rules.walk_speed_mps {
        return None;
    }
    situation.percepts.seen().iter().find(|seen| {
        let offset_m = situation.position_m - seen.position_m;
        seen.velocity_mps.length_squared() >= fast_mps * fast_mps
            && offset_m.length_squared() <= FRIGHT_M * FRIGHT_M
            && is_towards(seen.velocity_mps, offset_m)
    })
}

/// Whether the angle between two directions is at most 60 degrees.
fn is_towards(velocity: Vec2, offset: Vec2) -> bool {
    let along = velocity.dot(offset);
    along >= 0.0 && along * along >= 0.25 * velocity.length_squared() * offset.length_squared()
}

#[cfg(test)]
mod tests;
