//! A changed world, taken over between two ticks.

use std::sync::Arc;

use throng_bot_ai::BotWorld;
use throng_shared::config::{CombatConfig, LoadedWorld, WorldConfig};
use throng_shared::map::Map;

use crate::abilities::CombatRules;
use crate::instance::{Instance, InstanceRules, bots_seen_from_m};
use crate::interest::InterestRules;
use crate::overload::OverloadRules;
use crate::pages::Pages;
use crate::session::Sessions;

/// Why a changed world was not taken over: these parts of it stand as long as the world runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} cannot change while the world runs\n  help: restart the server to apply it, or take the change back; everything goes on as before until then", .fixed.join("; "))]
pub struct AdoptError {
    /// What has changed that may not.
    pub fixed: Vec<&'static str>,
}

/// What clients predict with, and was sent to nobody: they have it in files of their own.
const PREDICTED: &str = "what clients predict with (seed, size, tick rate, terrain, obstacles, movement, and who has an ability, its cooldown, cast, \
                         cost, slow, blink and spread)";

impl Instance {
    /// Takes over what a world's changed files say, from the next tick on: interest and its tiers, population and spawn areas, bots and patrols, the
    /// overload ladder, input repetition, and of abilities whatever clients do not predict. All of it or nothing.
    ///
    /// Cells stay as large as they are: after a much larger radius views have more pages than they would after a restart.
    ///
    /// # Errors
    /// With everything that has changed and cannot while the world runs.
    pub fn adopt(&mut self, loaded: &LoadedWorld) -> Result<(), AdoptError> {
        let fixed = self.fixed_changes(loaded);
        if !fixed.is_empty() {
            return Err(AdoptError { fixed });
        }
        let config = &loaded.config;
        let rate = self.tick_rate();
        let combat = loaded.combat.as_ref().and_then(|combat| CombatRules::new(combat, rate, &self.rules().attributes));
        if let Some(combat) = combat {
            self.world_mut().insert_resource(combat);
        }
        self.adopt_interest(config);
        let map: Arc<Map> = Arc::clone(&self.rules().map);
        self.world_mut().insert_resource(BotWorld::new(map, config));
        let interest = InterestRules::new(config.size_m, &config.interest, rate);
        // On no rung, so that the one that the world stands on is taken again with the next tick.
        let overload = OverloadRules::new(config.overload.clone(), interest, config.bots.think_interval_ms);
        self.world_mut().insert_resource(overload);
        Ok(())
    }

    fn adopt_interest(&mut self, config: &WorldConfig) {
        let interest = InterestRules::new(config.size_m, &config.interest, self.tick_rate());
        let world = self.world_mut();
        let mut rules = world.resource_mut::<InstanceRules>();
        rules.bots_seen_from_m = bots_seen_from_m(&rules.attributes, &interest);
        rules.interest = interest;
        rules.input_repeat_ticks = config.input_repeat_ticks;
        rules.spawn_areas = config.spawn_areas.clone().into();
        rules.population_target = config.population.target;
        world.resource_mut::<Pages>().see_as_far_as(config.interest.enter_radius_m);
        world.resource_mut::<Sessions>().all_mut().iter_mut().for_each(|session| session.view.look_anew());
    }

    /// What has changed and cannot while the world runs.
    fn fixed_changes(&self, loaded: &LoadedWorld) -> Vec<&'static str> {
        let LoadedWorld { config, combat, hash, .. } = loaded;
        let rules = self.rules();
        let own = self.world().get_resource::<CombatRules>().map(|rules| &rules.config);
        let mut fixed = Vec::new();
        let mut check = |has_changed: bool, what| fixed.extend(has_changed.then_some(what));
        check(config.name != self.name(), "world.name");
        check(config.attributes != rules.attributes.rules(), "[[attribute]]");
        check(config.population.players_max as usize != self.players_max(), "population.players_max");
        check(combat.is_some() != own.is_some(), "whether there is an abilities file");
        if let (Some(combat), Some(own)) = (combat, own) {
            let names = |config: &CombatConfig| -> Vec<String> {
                config.abilities.iter().map(|ability| ability.name.clone()).collect()
            };
            check(names(combat) != names(own), "which abilities there are, and their order");
            check(combat.rewind_max_ms != own.rewind_max_ms, "combat.rewind_max_ms");
            check(combat.health != own.health || combat.no_side != own.no_side, "combat.health, combat.no_side");
        }
        // The others would show in it, too.
        let is_predicted = fixed.is_empty() && *hash != self.world_hash();
        fixed.extend(is_predicted.then_some(PREDICTED));
        fixed
    }
}
