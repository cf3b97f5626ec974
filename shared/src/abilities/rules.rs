//! Abilities, made ready for use.

use crate::attributes::{Attributes, ChoiceAttribute, NumberAttribute, Schema};
use crate::config::{AimConfig, CombatConfig, EffectsConfig, Hits};
use crate::ids::Archetype;
use crate::tick::TickRate;

/// All abilities of a world.
#[derive(Clone, Debug)]
pub struct Abilities {
    all: Vec<Ability>,
    /// Height of the eyes above the feet, in metres.
    pub eyes_m: f32,
    /// What damage takes from.
    pub health: NumberAttribute,
    /// How long somebody is dead, in ticks.
    pub respawn_ticks: u32,
    /// Which team somebody is of, if there are teams.
    pub team: Option<ChoiceAttribute>,
    /// The team of those who are of no side.
    pub no_side: Option<u32>,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct Ability {
    /// What rules call it.
    pub name: String,
    /// Bit n: archetype n has it.
    pub archetypes: u16,
    /// Whom it can reach.
    pub aim: AimConfig,
    /// Which of them it is for.
    pub hits: Hits,
    /// How long until it can be used again, in ticks.
    pub cooldown_ticks: u32,
    /// How long it takes until it happens, in ticks.
    pub cast_ticks: u32,
    /// What it costs.
    pub cost: Option<Cost>,
    /// What it does.
    pub effects: EffectsConfig,
    /// How long whoever is hit is slowed, in ticks.
    pub slow_ticks: u32,
}

/// What an ability costs.
#[derive(Clone, Debug)]
pub struct Cost {
    /// What it is taken from.
    pub attribute: NumberAttribute,
    /// How much of it.
    pub amount: f32,
}

impl Abilities {
    /// Those of an abilities file, in a world with this rate and these attributes. None where an attribute is missing, which
    /// [`crate::config::load_world`] rules out.
    pub fn new(config: &CombatConfig, rate: TickRate, schema: &Schema) -> Option<Abilities> {
        let ability = |config: &crate::config::AbilityConfig| {
            let cost = match &config.cost {
                None => None,
                Some(cost) => Some(Cost { attribute: schema.number(&cost.attribute)?, amount: cost.amount }),
            };
            Some(Ability {
                name: config.name.clone(),
                archetypes: config.archetypes,
                aim: config.aim,
                hits: config.hits,
                cooldown_ticks: rate.ticks_for_ms(config.cooldown_ms),
                cast_ticks: if config.cast_ms == 0 { 0 } else { rate.ticks_for_ms(config.cast_ms) },
                cost,
                effects: config.effects,
                slow_ticks: rate.ticks_for_ms(config.effects.slow_ms),
            })
        };
        let team = schema.team().and_then(|index| schema.choice(&schema.rules()[index].name));
        Some(Abilities {
            no_side: team.as_ref().zip(config.no_side.as_ref()).and_then(|(team, word)| team.number_of(word)),
            team,
            all: config.abilities.iter().map(ability).collect::<Option<Vec<Ability>>>()?,
            eyes_m: config.eyes_m,
            health: schema.number(&config.health)?,
            respawn_ticks: rate.ticks_for_ms(config.respawn_ms),
        })
    }

    /// Whether two characters are of the same side.
    pub fn are_allies(&self, one: &Attributes, other: &Attributes) -> bool {
        let team = |attributes| self.team.as_ref().and_then(|team| Attributes::get(attributes, team));
        let side = team(one).filter(|&team| Some(team) != self.no_side);
        side.is_some() && side == team(other)
    }

    /// By the number that inputs name it with, from 1.
    pub fn get(&self, number: u8) -> Option<&Ability> {
        self.all.get(usize::from(number).checked_sub(1)?)
    }

    /// The number of a name, to be named in inputs.
    pub fn number_of(&self, name: &str) -> Option<u8> {
        self.all.iter().position(|ability| ability.name == name).map(|place| place as u8 + 1)
    }

    /// All of them; the number of each is its place, from 1.
    pub fn all(&self) -> &[Ability] {
        &self.all
    }
}

impl Ability {
    /// Whether whoever is hit is worse off for it: nobody does that to somebody in a safe zone.
    pub fn is_harmful(&self) -> bool {
        self.effects.damage > 0.0 || self.effects.slow_percent > 0 || self.effects.knock_back_mps > 0.0
    }

    /// Whether somebody has what it costs.
    pub fn is_affordable(&self, attributes: &Attributes) -> bool {
        let can_pay = |cost: &Cost| {
            attributes.get(&cost.attribute).is_some_and(|value| value - cost.amount >= cost.attribute.min())
        };
        self.cost.as_ref().is_none_or(can_pay)
    }

    /// Takes what it costs.
    pub fn pay(&self, attributes: &mut Attributes) {
        if let Some(cost) = &self.cost
            && let Some(value) = attributes.get(&cost.attribute)
        {
            attributes.set(&cost.attribute, value - cost.amount);
        }
    }

    /// Whether such characters have it.
    pub fn is_held_by(&self, archetype: Archetype) -> bool {
        self.archetypes & archetype.bit() != 0
    }
}
