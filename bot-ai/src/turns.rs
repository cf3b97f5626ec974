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
pub(crate) struct Turn {
    interval_ticks: u32,
    rest: u32,
}

impl Turn {
    /// In `tick`, of an interval of so many ticks, at least one.
    pub(crate) fn new(tick: Tick, interval_ticks: u32) -> Turn {
        let interval_ticks = interval_ticks.max(1);
        Turn { interval_ticks, rest: tick.0 % interval_ticks }
    }

    /// Whether it is this bot's.
    pub(crate) fn is_of(self, net_id: NetId) -> bool {
        // Whoever is near steers in every tick: nothing to divide.
        self.interval_ticks == 1 || net_id.0 % self.interval_ticks == self.rest
    }
}

impl Turns {
    /// In `tick`, of intervals of so many ticks.
    pub(crate) fn new(tick: Tick, near_ticks: u32, far_ticks: u32) -> Turns {
        Turns { near: Turn::new(tick, near_ticks), far: Turn::new(tick, far_ticks) }
    }

    /// Whether it is this bot's.
    pub(crate) fn is_of(&self, net_id: NetId, is_near: bool) -> bool {
        let turn = if is_near { self.near } else { self.far };
        turn.is_of(net_id)
    }
}
