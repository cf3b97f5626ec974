//! A changed world, taken over between two ticks.

use std::sync::Arc;

use throng_bot_ai::BotWorld;
use throng_shared::archetypes::Gait;
use throng_shared::config::{CombatConfig, LoadedWorld};

use crate::abilities::{CombatRules, keep_share_of_health};
use crate::combat::Poses;
use crate::director::{WorldHours, resettle};
use crate::instance::{Instance, InstanceRules, bot_world, bots_seen_from_m, combat_rules};
use crate::interest::InterestRules;
use crate::overload::OverloadRules;
use crate::pages::Pages;
use crate::session::Sessions;
use crate::simulation::{review_archetypes, review_stand_ins};

/// Why a changed world was not taken over: these parts of it stand as long as the world runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} cannot change while the world runs\n  help: restart the server to apply it, or take the change back; everything goes on as before until then", .fixed.join("; "))]
pub struct AdoptError {
    /// What has changed that may not.
    pub fixed: Vec<&'static str>,
}

/// What clients predict with and have in files of their own: whatever enters [`LoadedWorld::hash`].
const PREDICTED: &str = "what clients compute ahead (seed, size, tick rate, terrain, obstacles, movement, names and bodies of archetypes; of abilities their kind, who has them, \
                         range, radius, speed, arc, spread, cooldown, cast, cost and blink, and eyes_m)";

/// The most that the enter radius may come to be, in sides of the cells that were cut for another one: then some 130 of a client's 256 pages are cells.
const ENTER_RADIUS_CELLS_MAX: f32 = 6.0;

impl Instance {
    /// Takes over what a world's changed files say, from the next tick on: interest and its tiers, population, seats and spawn areas, day, zones, events and features, bots and patrols, the speeds of archetypes and what they begin with, the
    /// overload ladder, input repetition, and of abilities whatever clients do not compute ahead. All of it or nothing.
    ///
    /// Cells stay as large as they are: after a much larger radius views have more pages than they would after a restart.
    ///
    /// # Errors
    /// With everything that has changed and cannot while the world runs.
    pub fn adopt(&mut self, loaded: &LoadedWorld) -> Result<(), AdoptError> {
        let (config, rate) = (&loaded.config, self.tick_rate());
        let fixed = self.fixed_changes(loaded);
        if !fixed.is_empty() {
            return Err(AdoptError { fixed });
        }
        let interest = InterestRules::new(config.size_m, &config.interest, rate);
        let interest = interest.with_overshoot(self.pages().areas().cells().overshoot_m());
        let former = self.world().resource::<WorldHours>();
        let former_names: Vec<String> = former.calendar.zones().iter().map(|zone| zone.name.clone()).collect();
        let hours = former.replaced(config, self.current_tick());
        let former_areas = Arc::clone(&self.rules().spawn_areas);
        let combat = combat_rules(loaded, &self.rules().attributes, &hours);
        let bots = bot_world(self.world().resource::<BotWorld>().with(config), &interest, combat.as_ref());
        let world = self.world_mut();
        if let Some(combat) = combat {
            keep_share_of_health(world, &combat);
            world.insert_resource(combat);
        }
        let mut rules = world.resource_mut::<InstanceRules>();
        rules.bots_seen_from_m = bots_seen_from_m(&rules.attributes, &config.archetype_values, &interest);
        rules.interest = interest;
        rules.input_repeat_ticks = config.input_repeat_ticks;
        rules.gaits = Gait::of_all(&config.movement, &config.archetypes);
        rules.first_values = config.archetype_values.as_slice().into();
        let run_speed_max_mps = rules.run_speed_max_mps();
        rules.spawn_areas = config.spawn_areas.clone().into();
        rules.population = config.population.clone();
        if let Some(mut poses) = world.get_resource_mut::<Poses>() {
            poses.expect_speed(rate, run_speed_max_mps);
        }
        world.insert_resource(bots);
        world.insert_resource(hours);
        resettle(world, &former_names, &former_areas);
        review_archetypes(world);
        review_stand_ins(world);
        // On no rung, so that the one that the world stands on is taken again with the next tick.
        let overload = OverloadRules::new(config.overload.clone(), interest, config.bots.think_interval_ms);
        world.insert_resource(overload);
        world.resource_mut::<Pages>().see_as_far_as(config.interest.enter_radius_m);
        world.resource_mut::<Sessions>().all_mut().iter_mut().for_each(|session| session.view.look_anew());
        Ok(())
    }

    /// What is other in these files and cannot change while the world runs; empty when [`Instance::adopt`] would take them over.
    pub fn fixed_changes(&self, loaded: &LoadedWorld) -> Vec<&'static str> {
        let LoadedWorld { config, combat, hash, .. } = loaded;
        let rules = self.rules();
        let own = self.world().get_resource::<CombatRules>().map(|rules| &rules.config);
        let mut fixed = Vec::new();
        let mut check = |has_changed: bool, what| fixed.extend(has_changed.then_some(what));
        check(config.name != self.name(), "world.name");
        check(config.attributes != rules.attributes.rules(), "[[attribute]]");
        check(config.archetype_names() != *rules.archetype_names, "which archetypes there are, and their order");
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
        let is_too_far =
            config.interest.enter_radius_m > ENTER_RADIUS_CELLS_MAX * self.pages().areas().cells().cell_m();
        check(is_too_far, "interest.enter_radius_m to more than five times what it was at the start");
        check(*hash != self.world_hash(), PREDICTED);
        let lacks_attributes =
            fixed.is_empty() && combat.is_some() && combat_rules(loaded, &rules.attributes, self.hours()).is_none();
        fixed.extend(lacks_attributes.then_some("which attributes abilities need"));
        fixed
    }
}
