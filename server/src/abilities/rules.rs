//! What the abilities file says, made ready for use.

use std::sync::Arc;

use bevy_ecs::prelude::Resource;
use glam::Vec2;
use throng_shared::abilities::Abilities;
use throng_shared::archetypes::ByArchetype;
use throng_shared::attributes::{Attributes, Schema};
use throng_shared::config::{ArchetypeValueConfig, CombatConfig};
use throng_shared::ids::NetId;
use throng_shared::tick::TickRate;
use throng_shared::zones::SafeGround;

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
    pub(crate) deal_teams: bool,
    /// The health that characters of each archetype begin with: what they are healed to at most, and wounded is less.
    pub(crate) whole_health: ByArchetype<f32>,
    /// Where nobody is harmed.
    pub safe_ground: Arc<SafeGround>,
}

impl CombatRules {
    /// None where an attribute is missing, which [`throng_shared::config::load_world`] rules out.
    pub fn new(
        config: &CombatConfig,
        rate: TickRate,
        schema: &Schema,
        first_values: &[ArchetypeValueConfig],
    ) -> Option<CombatRules> {
        let abilities = Abilities::new(config, rate, schema)?;
        let health = &abilities.health;
        let whole_health = |archetype| {
            let first = Attributes::first(schema, archetype, first_values).get(health);
            // Where somebody begins with nothing, a rule of the game gives it more.
            first.filter(|&first| first > health.min()).unwrap_or(health.max())
        };
        Some(CombatRules {
            whole_health: ByArchetype::from_fn(whole_health),
            abilities: Arc::new(abilities),
            view_delay_ticks_max: rate.ticks_for_ms(config.view_delay_max_ms),
            rewind_max_ms: config.rewind_max_ms,
            config: config.clone(),
            deal_teams: config.deal_teams,
            // Without zones, which the hours of the world add.
            safe_ground: Arc::new(SafeGround::new(&config.safe_zones, std::iter::empty())),
        })
    }

    /// The sides that those who appear are dealt to; none where that is not done.
    pub(crate) fn dealt_sides(&self) -> Vec<u32> {
        let team = self.abilities.team.as_ref().filter(|_| self.deal_teams);
        let sides = |len: usize| (0..len as u32).filter(|side| Some(*side) != self.abilities.no_side).collect();
        team.map_or(Vec::new(), |team| sides(team.len()))
    }

    /// Puts a character that appears into a team, if that is done: into this one, or into that whose turn it is.
    pub(crate) fn deal(&self, net_id: NetId, side: Option<u32>, attributes: &mut Attributes) {
        let sides = self.dealt_sides();
        let turn = sides.get(net_id.0 as usize % sides.len().max(1)).copied();
        if let Some((team, side)) = self.abilities.team.as_ref().zip(turn.map(|turn| side.unwrap_or(turn))) {
            attributes.set(team, side);
        }
    }

    /// Whether nobody is hurt at a point (x, z). O(zones).
    pub fn is_safe(&self, point_m: Vec2) -> bool {
        self.safe_ground.is_safe(point_m)
    }
}
