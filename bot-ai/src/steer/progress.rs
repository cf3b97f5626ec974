//! Whether a bot that wants to move gets anywhere.

use glam::Vec2;
use throng_shared::input::Buttons;
use throng_shared::tick::Tick;

use super::Body;
use crate::world::BotWorld;

/// What counts as getting somewhere, as a share of what walking freely would make.
const PROGRESS_SHARE: f32 = 0.25;
/// A bot that gets nowhere for this long is stuck, in seconds.
const HALTED_S: f32 = 1.2;
/// The same for one that moves but not away, such as to and fro in a dead end, in seconds.
const ASTRAY_S: f32 = 8.0;
/// A bot that gets nowhere for this long tries a jump, in seconds.
const JUMP_S: f32 = 0.6;

/// How a bot gets on with its goal.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    goal_started: Tick,
    near: Checkpoint,
    far: Checkpoint,
    is_stuck: bool,
}

/// Where and when a bot last got somewhere.
#[derive(Clone, Debug, Default)]
struct Checkpoint {
    position_m: Vec2,
    tick: Tick,
}

impl Progress {
    /// Whether the bot is stuck, and that with the goal that it took in tick `goal_started`.
    pub(super) fn is_stuck_since(&self, goal_started: Tick) -> bool {
        self.is_stuck && self.goal_started == goal_started
    }

    /// Takes note of where the bot is; returns the buttons with which to help itself, rarely any.
    pub(super) fn track(&mut self, world: &BotWorld, tick: Tick, body: &Body<'_>, is_travelling: bool) -> Buttons {
        let here = Checkpoint { position_m: body.state.ground_position_m(), tick };
        if !is_travelling || self.goal_started != body.mind.goal_started {
            let goal_started = body.mind.goal_started;
            *self = Progress { goal_started, near: here.clone(), far: here, is_stuck: false };
            return Buttons::default();
        }
        let halted_ticks = self.near.ticks_until(world, &here, HALTED_S);
        let astray_ticks = self.far.ticks_until(world, &here, ASTRAY_S);
        self.is_stuck = halted_ticks >= world.ticks_for_s(HALTED_S) || astray_ticks >= world.ticks_for_s(ASTRAY_S);
        if halted_ticks == world.ticks_for_s(JUMP_S) { Buttons::JUMP } else { Buttons::default() }
    }
}

impl Checkpoint {
    /// The ticks since the checkpoint; it moves on to `here` once that is far enough from it for `duration_s`.
    fn ticks_until(&mut self, world: &BotWorld, here: &Checkpoint, duration_s: f32) -> u32 {
        let enough_m = PROGRESS_SHARE * free_way_m(world, duration_s);
        if here.position_m.distance_squared(self.position_m) >= enough_m * enough_m {
            *self = here.clone();
        }
        here.tick.since(self.tick)
    }
}

/// How far a bot walks from rest when nothing is in its way, or a little less, in metres.
fn free_way_m(world: &BotWorld, duration_s: f32) -> f32 {
    let rules = &world.map.rules;
    let accelerating_m = 0.5 * rules.ground_acceleration_mps2 * duration_s * duration_s;
    accelerating_m.min(rules.walk_speed_mps * duration_s)
}
