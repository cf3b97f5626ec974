//! What the abilities file says, made ready for use.

use std::sync::Arc;

use bevy_ecs::prelude::Resource;
use glam::Vec2;
use throng_shared::abilities::Abilities;
use throng_shared::attributes::{Attributes, Schema};
use throng_shared::config::{CombatConfig, SafeZoneConfig};
use throng_shared::ids::NetId;
use throng_shared::tick::TickRate;

/// How characters fight; a resource of worlds in which they do.
#[derive(Resource, Clone, Debug)]
pub struct CombatRules {
    /// What can be done.
    pub abilities: Arc<Abilities>,
    /// How much later than it was told of them a client may show others, in ticks.
    pub view_delay_ticks_max: u32,
    /// How far back shots are judged at most, in milliseconds.
    pub rewind_max_ms: u32,
    /// What the file says.
    pub config: CombatConfig,
    deal_teams: bool,
    /// Where nobody is harmed.
    pub safe_zones: Arc<[SafeZoneConfig]>,
}

impl CombatRules {
    /// None where an attribute is missing, which [`throng_shared::config::load_world`] rules out.
    pub fn new(config: &CombatConfig, rate: TickRate, schema: &Schema) -> Option<CombatRules> {
        Some(CombatRules {
            abilities: Arc::new(Abilities::new(config, rate, schema)?),
            view_delay_ticks_max: rate.ticks_for_ms(config.view_delay_max_ms),
            rewind_max_ms: config.rewind_max_ms,
            config: config.clone(),
            deal_teams: config.deal_teams,
            safe_zones: config.safe_zones.as_slice().into(),
        })
    }

    /// Puts a character that appears into a team, if that is done.
    pub(crate) fn deal(&self, net_id: NetId, attributes: &mut Attributes) {
        if let Some(team) = self.abilities.team.as_ref().filter(|_| self.deal_teams) {
            let sides = (0..team.len() as u32).filter(|side| Some(*side) != self.abilities.no_side);
            if let Some(side) = sides.clone().nth(net_id.0 as usize % sides.count().max(1)) {
                attributes.set(team, side);
            }
        }
    }

    /// Whether nobody is hurt at a point (x, z). O(zones).
    pub fn is_safe(&self, point_m: Vec2) -> bool {
        self.safe_zones.iter().any(|zone| zone.contains(point_m))
    }
}
