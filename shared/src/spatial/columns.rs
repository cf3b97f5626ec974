//! All characters of an instance as parallel columns.

use glam::Vec2;

use crate::ids::{Archetype, NetId};
use crate::quantised::QuantisedState;
use crate::tick::Tick;

/// One row per character, sorted by [`NetId`]; all columns have the same length. Written once per tick, after the
/// simulation; read by interest and replication in the same tick and by bots in the next.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "ecs", derive(bevy_ecs::prelude::Resource))]
pub struct CharacterColumns {
    /// Names, rising.
    pub net_ids: Vec<NetId>,
    /// Positions on the ground plane (x, z), in metres.
    pub positions_m: Vec<Vec2>,
    /// Heights, in metres.
    pub heights_m: Vec<f32>,
    /// Horizontal velocities, in metres per second.
    pub velocities_mps: Vec<Vec2>,
    /// What they are.
    pub archetypes: Vec<Archetype>,
    /// What clients are told.
    pub states: Vec<QuantisedState>,
    /// The tick in which `states` last became what it is.
    pub changed: Vec<Tick>,
}

impl CharacterColumns {
    /// Number of characters.
    pub fn len(&self) -> usize {
        self.net_ids.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.net_ids.is_empty()
    }

    /// The row of a character, if it exists. One look as long as nobody has left the world, else O(log n).
    pub fn row(&self, net_id: NetId) -> Option<usize> {
        // Names rise by at least one from row to row.
        let row_max = net_id.0.checked_sub(self.net_ids.first()?.0)? as usize;
        match self.net_ids.get(row_max) {
            Some(&other) if other == net_id => Some(row_max),
            _ => self.net_ids[..row_max.min(self.net_ids.len())].binary_search(&net_id).ok(),
        }
    }

    /// Makes room for exactly `count` rows, keeping what is there.
    pub fn resize(&mut self, count: usize) {
        self.net_ids.resize(count, NetId(0));
        self.positions_m.resize(count, Vec2::ZERO);
        self.velocities_mps.resize(count, Vec2::ZERO);
        self.archetypes.resize(count, Archetype::BOT);
        self.states.resize(count, QuantisedState::default());
        self.heights_m.resize(count, 0.0);
        self.changed.resize(count, Tick(0));
    }
}
