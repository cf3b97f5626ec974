//! What all bots of an instance share.

use std::sync::Arc;

use bevy_ecs::prelude::Resource;
use throng_shared::config::{BotsConfig, PatrolConfig, WorldConfig};
use throng_shared::ids::NetId;
use throng_shared::map::Map;
use throng_shared::tick::{Tick, TickRate};

/// What all bots of an instance share; it may be replaced between two ticks.
#[derive(Clone, Debug, Resource)]
pub struct BotWorld {
    /// Ground and obstacles.
    pub map: Arc<Map>,
    /// Goal weights, sight and think interval.
    pub rules: BotsConfig,
    /// Routes to patrol.
    pub patrols: Arc<[PatrolConfig]>,
    /// Ticks per second.
    pub tick_rate: TickRate,
}

impl BotWorld {
    /// What `config` says about bots; `map` is the one built from the same `config`.
    pub fn new(map: Arc<Map>, config: &WorldConfig) -> BotWorld {
        BotWorld {
            map,
            rules: config.bots.clone(),
            patrols: config.patrols.as_slice().into(),
            tick_rate: TickRate::new(config.tick_rate_hz),
        }
    }

    /// Whether a bot looks around and thinks in this tick.
    pub(crate) fn is_due(&self, tick: Tick, net_id: NetId) -> bool {
        self.is_due_every(self.rules.think_interval_ms, tick, net_id)
    }

    /// Whether something is due in this tick that each bot does once in `interval_ms`, neighbouring ids one tick apart.
    pub(crate) fn is_due_every(&self, interval_ms: u32, tick: Tick, net_id: NetId) -> bool {
        let interval_ticks = self.tick_rate.ticks_for_ms(interval_ms).max(1);
        tick.0 % interval_ticks == net_id.0 % interval_ticks
    }

    /// The number of ticks in a duration, rounded down; 0 for one that is negative or not a number.
    pub(crate) fn ticks_for_s(&self, duration_s: f32) -> u32 {
        (duration_s * self.tick_rate.hz() as f32) as u32
    }

    /// Seconds from `earlier` to `later`; 0 when `earlier` is later.
    pub(crate) fn seconds_between(&self, earlier: Tick, later: Tick) -> f32 {
        later.since(earlier) as f32 * self.tick_rate.step_s()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::open_world;

    #[test]
    fn each_bot_thinks_once_per_interval_and_not_all_at_once() {
        let mut world = open_world();
        world.rules.think_interval_ms = 250;
        for bot in 0..20 {
            assert_eq!((100..105).filter(|&tick| world.is_due(Tick(tick), NetId(bot))).count(), 1);
        }
        assert_eq!((0..20).filter(|&bot| world.is_due(Tick(100), NetId(bot))).count(), 4);
    }

    #[test]
    fn an_interval_of_nothing_means_every_tick() {
        let mut world = open_world();
        world.rules.think_interval_ms = 0;
        assert!((0..10).all(|tick| world.is_due(Tick(tick), NetId(3))));
    }
}
