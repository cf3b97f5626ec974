//! Whether a bot that wants to move gets anywhere.

use glam::Vec2;
use throng_shared::archetypes::Gait;
use throng_shared::input::Buttons;
use throng_shared::tick::Tick;

use super::Body;
use super::surroundings::Caution;
use crate::world::BotWorld;

/// When a bot gets nowhere: it has not covered `share` of what it would walk freely within `duration_s`.
#[derive(Clone, Copy)]
struct Patience {
    duration_s: f32,
    share: f32,
}

/// It stands, or as good as.
const HALTED: Patience = Patience { duration_s: 1.2, share: 0.25 };
/// It moves but not away, such as to and fro in a dead end.
const ASTRAY: Patience = Patience { duration_s: 5.0, share: 0.4 };
/// A bot that stands for this long tries a jump, in seconds.
const JUMP_S: f32 = 0.6;

/// A bot that was stuck is less careful for this long, in seconds: it may be shut in by nothing but its own caution.
const DARING_S: f32 = 10.0;

/// How a bot gets on with its goal.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    goal_started: Tick,
    near: Checkpoint,
    far: Checkpoint,
    daring_until: Tick,
}

/// Where and when a bot last got somewhere.
#[derive(Clone, Debug, Default)]
struct Checkpoint {
    position_m: Vec2,
    tick: Tick,
}

impl Progress {
    /// Whether this is about the goal that the bot took in tick `goal_started`.
    pub(super) fn is_of_goal(&self, goal_started: Tick) -> bool {
        self.goal_started == goal_started
    }

    /// How careful the bot is in `tick`.
    pub(super) fn caution(&self, tick: Tick) -> Caution {
        if tick < self.daring_until { Caution::DARING } else { Caution::CAREFUL }
    }

    /// Takes note of where the bot is; returns whether it is stuck, and the buttons with which to help itself, rarely any.
    pub(super) fn track(
        &mut self,
        world: &BotWorld,
        tick: Tick,
        body: &Body<'_>,
        is_travelling: bool,
    ) -> (bool, Buttons) {
        let here = Checkpoint { position_m: body.state.ground_position_m(), tick };
        if !is_travelling || self.goal_started != body.mind.goal_started {
            let goal_started = body.mind.goal_started;
            *self = Progress { goal_started, near: here.clone(), far: here, daring_until: self.daring_until };
            return (false, Buttons::default());
        }
        let halted_ticks = self.near.ticks_until(world, body, &here, HALTED);
        let astray_ticks = self.far.ticks_until(world, body, &here, ASTRAY);
        let is_stuck = halted_ticks >= world.ticks_for_s(HALTED.duration_s)
            || astray_ticks >= world.ticks_for_s(ASTRAY.duration_s);
        if is_stuck {
            self.daring_until = tick + world.ticks_for_s(DARING_S);
        }
        let jump_ticks = world.ticks_for_s(JUMP_S);
        // Once, however seldom it is looked.
        let is_time = (jump_ticks..jump_ticks + body.steer_ticks).contains(&halted_ticks);
        (is_stuck, if is_time { Buttons::JUMP } else { Buttons::default() })
    }
}

impl Checkpoint {
    /// The ticks since the checkpoint; it moves on to `here` once that is far enough from it.
    fn ticks_until(&mut self, world: &BotWorld, body: &Body<'_>, here: &Checkpoint, patience: Patience) -> u32 {
        let enough_m = patience.share * free_way_m(world, body.gait, patience.duration_s);
        if here.position_m.distance_squared(self.position_m) >= enough_m * enough_m {
            *self = here.clone();
        }
        here.tick.since(self.tick)
    }
}

/// How far a bot walks from rest when nothing is in its way, or a little less, in metres.
fn free_way_m(world: &BotWorld, gait: Gait, duration_s: f32) -> f32 {
    let accelerating_m = 0.5 * world.map.rules.ground_acceleration_mps2 * duration_s * duration_s;
    accelerating_m.min(gait.walk_speed_mps * duration_s)
}
