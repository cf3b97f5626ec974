//! Using abilities: on whom the bot fights, and to mend itself.

use glam::Vec3;
use throng_shared::abilities::{Fighter, VIEW_STEPS_PER_TICK, aim_towards, stray};
use throng_shared::attributes::Attributes;
use throng_shared::input::PlayerInput;
use throng_shared::tick::Tick;

use super::Body;
use super::aim::position_now_m;
use crate::arms::lead;
use crate::mind::Goal;
use crate::world::BotWorld;

/// With less health than this, in percent, a bot mends itself if it can.
const MEND_BELOW_PERCENT: u8 = 60;

/// Tells the errors of aiming apart from the spread of the ability itself.
const AIM_ERROR: u8 = u8::MAX;

/// Adds to an input what the bot uses in this tick, if anything: its legs go on meanwhile.
pub(super) fn strike(
    world: &BotWorld,
    tick: Tick,
    body: &Body<'_>,
    fighter: &Fighter,
    attributes: &Attributes,
    input: &mut PlayerInput,
) {
    let Some(arms) = world.arms_of(body.mind.archetype) else { return };
    if body.percepts.own_health_percent() < MEND_BELOW_PERCENT
        && let Some(ability) = arms.healing(tick, fighter, attributes)
    {
        input.ability = ability;
        return;
    }
    let Goal::Fight { net_id, is_in_view: true } = body.mind.goal else { return };
    if world.seconds_between(body.mind.goal_started, tick) * 1e3 < world.rules_of(body.mind).reaction_ms as f32 {
        return;
    }
    let Some(opponent) = body.percepts.find(net_id) else { return };
    let there_m = position_now_m(world, tick, body, opponent);
    // It sees the eyes' height of its own, and aims at the middle of the other.
    let eyes_m = body.state.position_m + Vec3::Y * arms.eyes_m();
    let theirs = world.body_of(body.percepts, net_id, Vec3::new(there_m.x, opponent.height_m, there_m.y));
    let offset_m = theirs.feet_m + Vec3::Y * (0.5 * theirs.height_m) - eyes_m;
    let distances_m = (offset_m.length(), theirs.blow_distance_m(eyes_m, body.state.position_m.y));
    let Some((number, ability)) = arms.harm_at(distances_m, tick, fighter, attributes) else { return };
    let velocity_mps = Vec3::new(opponent.velocity_mps.x, 0.0, opponent.velocity_mps.y);
    let Some(direction) = lead(ability, offset_m, velocity_mps).try_normalize() else { return };
    let direction = stray(direction, world.rules_of(body.mind).aim_error_deg, body.net_id, tick, AIM_ERROR);
    (input.yaw, input.pitch) = aim_towards(direction);
    input.ability = number;
    // It has seen what the last tick has brought.
    input.view_back_steps = VIEW_STEPS_PER_TICK as u16;
}
