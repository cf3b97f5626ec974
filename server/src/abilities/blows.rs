//! Blows → health, movement, death; and who appears again.

use bevy_ecs::prelude::{Component, Query, Res, ResMut, World};
use glam::Vec3;
use throng_bot_ai::BotMind;
use throng_shared::abilities::{Ability, Fighter, Slow};
use throng_shared::attributes::Attributes;
use throng_shared::ids::{Archetype, NetId};
use throng_shared::movement::CharacterState;
use throng_shared::tick::Tick;
use throng_shared::wire::combat::CombatEvent;

use super::field::Fighters;
use super::log::CombatLog;
use super::rules::CombatRules;
use crate::director::{WorldHours, place_to_reappear};
use crate::instance::InstanceRules;
use crate::simulation::Roster;

/// Somebody is hit by an ability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blow {
    /// By whom.
    pub by: NetId,
    /// Who.
    pub target: NetId,
    /// With which ability, by its number.
    pub ability: u8,
    /// Where to it is pushed; of length 1.
    pub push: Vec3,
}

/// What the server alone knows of a fighter.
#[derive(Component, Clone, Copy, Debug, Default)]
pub(crate) struct Vitals {
    /// When whoever is dead appears again.
    pub(crate) respawn_at: Option<Tick>,
    /// When it last leapt out of the way.
    pub(crate) evaded_at: Option<Tick>,
    /// When it was last told that a wish of it was refused.
    pub(crate) refusal_told_at: Option<Tick>,
}

/// Does what a blow does. False, and nothing happens, when somebody else was first.
pub(super) fn strike(
    tick: Tick,
    rules: &CombatRules,
    roster: &Roster,
    fighters: &mut Fighters<'_, '_>,
    blow: &Blow,
    log: &mut CombatLog,
) -> bool {
    let Some(ability) = rules.abilities.get(blow.ability) else { return false };
    let Some(entity) = roster.entity_of(blow.target) else { return false };
    let Ok((_, archetype, mut state, mut fighter, mut attributes, _, mut vitals)) = fighters.get_mut(entity) else {
        return false;
    };
    if fighter.is_dead {
        return false;
    }
    push(&mut state, ability, blow.push);
    slow(&mut fighter, ability, tick);
    let health = &rules.abilities.health;
    let Some(before) = attributes.get(health) else { return true };
    // Nobody is healed to more than it begins with; what a rule of the game has given it beyond that, it keeps.
    let whole = rules.whole_health.of(*archetype).max(before);
    attributes.set(health, (before - ability.effects.damage + ability.effects.heal).min(whole));
    let after = attributes.get(health).unwrap_or(before);
    let event = CombatEvent::Hit { by: blow.by, target: blow.target, ability: blow.ability, change: after - before };
    log.tell([blow.by, blow.target], event);
    log.totals.hits += 1;
    if after <= health.min() && ability.effects.damage > 0.0 {
        *fighter = Fighter { is_dead: true, ..Fighter::default() };
        state.velocity_mps = Vec3::ZERO;
        vitals.respawn_at = Some(tick + rules.abilities.respawn_ticks.max(1));
        log.tell([blow.by, blow.target], CombatEvent::Died { who: blow.target, by: blow.by, ability: blow.ability });
        log.totals.deaths += 1;
    }
    true
}

/// Whoever's archetype begins with another health by these rules keeps its share of a whole one. O(characters); nothing where all begin as before.
pub(crate) fn keep_share_of_health(world: &mut World, rules: &CombatRules) {
    let Some(before) = world.get_resource::<CombatRules>().map(|former| former.whole_health) else { return };
    if before == rules.whole_health {
        return;
    }
    let health = &rules.abilities.health;
    let above_least = |whole: f32| (whole - health.min()).max(f32::MIN_POSITIVE);
    for (archetype, mut attributes) in world.query::<(&Archetype, &mut Attributes)>().iter_mut(world) {
        if let Some(now) = attributes.get(health) {
            let share = above_least(now) / above_least(before.of(*archetype));
            let kept = if now > health.min() {
                health.min() + share * above_least(rules.whole_health.of(*archetype))
            } else {
                now
            };
            attributes.set(health, kept);
        }
    }
}

/// Nobody is pushed faster than this, by however many, in metres per second.
const PUSHED_MAX_MPS: f32 = 25.0;

/// Away, and a little up: whoever stands firm is not moved by anything.
fn push(state: &mut CharacterState, ability: &Ability, direction: Vec3) {
    const UPWARD: f32 = 0.4;
    let speed_mps = ability.effects.knock_back_mps;
    if speed_mps > 0.0 {
        let pushed_mps = state.velocity_mps + Vec3::new(direction.x, UPWARD, direction.z) * speed_mps;
        // Many at once push no farther than one may.
        state.velocity_mps = pushed_mps.clamp_length_max(PUSHED_MAX_MPS.max(state.velocity_mps.length()));
        state.grounded = false;
    }
}

/// The stronger of two counts, and of two that are as strong the longer.
fn slow(fighter: &mut Fighter, ability: &Ability, tick: Tick) {
    let (percent, until) = (ability.effects.slow_percent, tick + ability.slow_ticks);
    let is_stronger = fighter.slow.is_none_or(|slow| (slow.percent, slow.until) < (percent, until));
    if percent > 0 && is_stronger {
        fighter.slow = Some(Slow { percent, until });
    }
}

/// Somebody who can die, and what it is from then on.
type Mortal = (
    &'static NetId,
    &'static Archetype,
    &'static mut CharacterState,
    &'static mut Fighter,
    &'static mut Attributes,
    &'static mut Vitals,
    Option<&'static BotMind>,
);

/// Lets the dead whose time has come appear again, as they were at first, where those like them appear.
pub(crate) fn respawn_fighters(
    tick: Res<Tick>,
    rules: Res<InstanceRules>,
    combat: Option<Res<CombatRules>>,
    log: Option<ResMut<CombatLog>>,
    mut roster: ResMut<Roster>,
    hours: Res<WorldHours>,
    mut fighters: Query<Mortal>,
) {
    let Some((combat, mut log)) = combat.zip(log) else { return };
    let mut due: Vec<NetId> = fighters
        .iter()
        .filter(|(.., vitals, _)| vitals.respawn_at.is_some_and(|at| at <= *tick))
        .map(|(net_id, ..)| *net_id)
        .collect();
    // The places are drawn in an order that does not depend on how characters are kept.
    due.sort_unstable();
    for net_id in due {
        let Some(entity) = roster.entity_of(net_id) else { continue };
        let Ok((_, archetype, mut state, mut fighter, mut attributes, mut vitals, mind)) = fighters.get_mut(entity)
        else {
            continue;
        };
        let point_m = place_to_reappear(&rules, &hours, mind, &mut roster.random);
        *state = CharacterState { yaw: state.yaw, ..CharacterState::standing_at(&rules.map, point_m) };
        *fighter = Fighter::default();
        log.leapt.push(net_id);
        // Whoever has appeared anew is not hit where it died.
        *vitals = Vitals { respawn_at: None, evaded_at: Some(*tick), ..*vitals };
        let health = &combat.abilities.health;
        attributes.set(health, combat.whole_health.of(*archetype));
    }
}
