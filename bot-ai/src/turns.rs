//! Whose turn it is: bots think, and far ones steer, each in its own tick of so many.

use bevy_ecs::prelude::Component;
use throng_shared::ids::NetId;
use throng_shared::tick::Tick;

/// What decides whether a bot has its turn, apart from all else of it: everybody is asked in every tick, and of most nothing more is read. Each of
/// the two has a writer of its own.
#[derive(Clone, Copy, Debug, Default, Component)]
pub struct Alertness {
    /// Whether people may be near; by [`crate::perceive`].
    pub(crate) is_near: bool,
    /// Whether it was trying in vain to move when it last steered; by [`crate::steer`].
    pub(crate) was_stuck: bool,
}

/// Whose turn it is to do something in one tick, of those who are near people and of the others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turns {
    near: Turn,
    far: Turn,
}

/// Once in so many ticks, neighbouring ids one tick apart.
#[derive(Clone, Copy, Debug)]
struct Turn {
    interval_ticks: u32,
    rest: u32,
}

impl Turns {
    /// In `tick`, of intervals of so many ticks; none has less than one.
    pub(crate) fn new(tick: Tick, near_ticks: u32, far_ticks: u32) -> Turns {
        let turn = |ticks: u32| Turn { interval_ticks: ticks.max(1), rest: tick.0 % ticks.max(1) };
        Turns { near: turn(near_ticks), far: turn(far_ticks) }
    }

    /// Whether it is this bot's.
    pub(crate) fn is_of(&self, net_id: NetId, is_near: bool) -> bool {
        let turn = if is_near { self.near } else { self.far };
        // Mostly the near ones, and they have all ticks.
        turn.interval_ticks == 1 || net_id.0 % turn.interval_ticks == turn.rest
    }
}
