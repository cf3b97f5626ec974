//! What bots can do to others and for themselves, from the abilities file.

use std::sync::Arc;

use glam::{Vec2, Vec3};
use throng_shared::abilities::{Abilities, Ability, Fighter};
use throng_shared::attributes::Attributes;
use throng_shared::config::{AimConfig, Hits};
use throng_shared::ids::Archetype;
use throng_shared::tick::Tick;
use throng_shared::zones::SafeGround;

/// Share of an ability's reach that bots keep from those they fight: who steps back is in reach still.
const REACH_SHARE: f32 = 0.6;

/// The abilities that characters of an archetype use when bots play them, the most harmful first; and where they do not.
#[derive(Clone, Debug)]
pub struct Arms {
    abilities: Arc<Abilities>,
    /// By their numbers.
    harmful: Vec<u8>,
    healing: Vec<u8>,
    safe_ground: Arc<SafeGround>,
}

impl Arms {
    /// What such characters can do in a world with these abilities, in which nobody is harmed on `safe_ground`; none where they
    /// can do no harm.
    pub fn new(abilities: Arc<Abilities>, safe_ground: Arc<SafeGround>, archetype: Archetype) -> Option<Arms> {
        let held = || (1..=u8::MAX).zip(abilities.all()).filter(|(_, ability)| ability.is_held_by(archetype));
        let is_against_others = |ability: &Ability| ability.hits != Hits::Allies && ability.aim != AimConfig::Own;
        let mut harmful: Vec<(u8, &Ability)> =
            held().filter(|(_, ability)| ability.is_harmful() && is_against_others(ability)).collect();
        harmful.sort_by(|(_, a), (_, b)| b.effects.damage.total_cmp(&a.effects.damage));
        let heals_user = |ability: &Ability| match ability.aim {
            AimConfig::Own => true,
            AimConfig::Area { range_m, .. } => range_m == 0.0 && ability.hits == Hits::Allies,
            _ => false,
        };
        let healing = held().filter(|(_, ability)| ability.effects.heal > 0.0 && heals_user(ability));
        let healing = healing.map(|(number, _)| number).collect();
        let harmful: Vec<u8> = harmful.into_iter().map(|(number, _)| number).collect();
        let arms = Arms { abilities, harmful, healing, safe_ground };
        (!arms.harmful.is_empty()).then_some(arms)
    }

    /// How far a bot keeps from whom it fights, in metres: near enough for the farthest of what it can pay for.
    pub(crate) fn keep_m(&self, attributes: &Attributes) -> f32 {
        let all = self.harmful.iter().filter_map(|&number| self.abilities.get(number));
        REACH_SHARE * all.filter(|ability| ability.is_affordable(attributes)).map(reach_m).fold(0.0, f32::max)
    }

    /// Whether nobody is harmed at a point (x, z), and nobody harms others from there. O(zones).
    pub(crate) fn is_safe(&self, point_m: Vec2) -> bool {
        self.safe_ground.is_safe(point_m)
    }

    /// How high the eyes of characters are, in metres.
    pub(crate) fn eyes_m(&self) -> f32 {
        self.abilities.eyes_m
    }

    /// The most harmful that can be used now on somebody whose middle is so far away, and whom blows and areas meet that reach so far, in metres.
    pub(crate) fn harm_at<'a>(
        &'a self,
        (middle_m, blow_m): (f32, f32),
        tick: Tick,
        fighter: &'a Fighter,
        attributes: &'a Attributes,
    ) -> Option<(u8, &'a Ability)> {
        self.usable(&self.harmful, tick, fighter, attributes).find(|(_, ability)| {
            let distance_m = match ability.aim {
                AimConfig::Melee { .. } | AimConfig::Area { .. } => blow_m,
                AimConfig::Hitscan { .. } | AimConfig::Projectile { .. } | AimConfig::Own => middle_m,
            };
            distance_m <= reach_m(ability)
        })
    }

    /// What heals the bot and can be used now.
    pub(crate) fn healing(&self, tick: Tick, fighter: &Fighter, attributes: &Attributes) -> Option<u8> {
        self.usable(&self.healing, tick, fighter, attributes).next().map(|(number, _)| number)
    }

    fn usable<'a>(
        &'a self,
        numbers: &'a [u8],
        tick: Tick,
        fighter: &'a Fighter,
        attributes: &'a Attributes,
    ) -> impl Iterator<Item = (u8, &'a Ability)> {
        let is_able = !fighter.is_dead && fighter.cast.is_none();
        let all = numbers.iter().filter_map(|&number| Some((number, self.abilities.get(number)?)));
        all.filter(move |(number, ability)| {
            is_able && fighter.is_ready(*number, tick) && ability.is_affordable(attributes)
        })
    }
}

/// How far an ability reaches, in metres.
fn reach_m(ability: &Ability) -> f32 {
    match ability.aim {
        AimConfig::Hitscan { range_m, .. } | AimConfig::Projectile { range_m, .. } => range_m,
        AimConfig::Melee { range_m, .. } => range_m,
        AimConfig::Area { range_m, radius_m } => range_m + 0.5 * radius_m,
        AimConfig::Own => 0.0,
    }
}

/// Where to aim so as to meet what moves on as it does, from a point; both relative to the shooter, in metres.
pub(crate) fn lead(ability: &Ability, offset_m: Vec3, velocity_mps: Vec3) -> Vec3 {
    match ability.aim {
        // Where it will be when the shot has come to where it is: for what is slower than shots that is near enough.
        AimConfig::Projectile { speed_mps, .. } => offset_m + velocity_mps * (offset_m.length() / speed_mps.max(1.0)),
        _ => offset_m,
    }
}
