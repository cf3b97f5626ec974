//! Inputs → movement and deeds, and deeds → blows: the order of a tick.

use bevy_ecs::prelude::{Component, Query, Res, ResMut};
use glam::Vec3;
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};
use throng_shared::abilities::{Ability, Act, Fighter, UseRefusal};
use throng_shared::attributes::Attributes;
use throng_shared::spatial::CharacterColumns;
use throng_shared::tick::Tick;
use throng_shared::wire::combat::{CombatEvent, MissReason};

use super::blows::{Vitals, strike};
use super::field::{Field, Fighters};
use super::log::{CombatLog, Refusal, RefusalRule, ShotReceipt};
use super::projectiles::{PROJECTILES_MAX, Projectiles};
use super::reach::{Done, Outcome, chest_m};
use super::rules::CombatRules;
use crate::combat::{Clamp, Poses, Verdict};
use crate::instance::InstanceRules;
use crate::simulation::{LOOK_AHEAD, LastInput, PARALLEL_MIN, Roster, Walker, fetch_ground};

/// How often somebody is told that its wishes are refused, in milliseconds.
const REFUSAL_INTERVAL_MS: u32 = 250;

/// What somebody has done or wished to do in this tick, until it is seen to.
#[derive(Component, Clone, Copy, Debug, Default)]
pub(crate) struct Deed {
    done: Option<(Act, Vec3)>,
    has_leapt: bool,
    begun: Option<u8>,
    refused: Option<(u8, UseRefusal)>,
}

/// As [`crate::simulation::move_characters`], for those who can use abilities: they are moved as their [`Fighter`] lets them, and what they do is noted.
pub(crate) fn move_fighters(
    tick: Res<Tick>,
    rules: Res<InstanceRules>,
    combat: Option<Res<CombatRules>>,
    mut fighters: Query<(Walker, &mut Fighter, &mut Deed, &Attributes)>,
) {
    let Some(combat) = combat else { return };
    let (tick, rules, abilities) = (*tick, &*rules, &*combat.abilities);
    let step_s = rules.tick_rate.step_s();
    let tables = fighters.contiguous_iter_mut().expect("none of these components is kept outside of tables");
    for (walkers, mut fighters, mut deeds, attributes) in tables {
        let (mut states, mut grounds, mut buffers, mut lasts, archetypes) = walkers;
        let columns = states.par_chunks_mut(LOOK_AHEAD).zip(grounds.par_chunks_mut(LOOK_AHEAD));
        let columns = columns.zip(buffers.par_chunks_mut(LOOK_AHEAD)).zip(lasts.par_chunks_mut(LOOK_AHEAD));
        let columns = columns.zip(fighters.par_chunks_mut(LOOK_AHEAD));
        let columns = columns.zip(deeds.par_chunks_mut(LOOK_AHEAD)).zip(archetypes.par_chunks(LOOK_AHEAD));
        let columns = columns.zip(attributes.par_chunks(LOOK_AHEAD)).with_min_len(PARALLEL_MIN / LOOK_AHEAD);
        columns.for_each(|(((((((states, grounds), buffers), lasts), fighters), deeds), archetypes), attributes)| {
            fetch_ground(&rules.map, states, grounds, step_s);
            let each = states.iter_mut().zip(grounds).zip(buffers).zip(lasts);
            let each = each.zip(fighters).zip(deeds).zip(archetypes).zip(attributes);
            for (((((((state, ground), buffer), last), fighter), deed), archetype), attributes) in each {
                let (input, source) = buffer.take(tick, rules.input_repeat_ticks);
                *last = LastInput { input, source };
                let gait = rules.gaits.of(*archetype);
                let can_pay = |ability: &Ability| ability.is_affordable(attributes);
                let map = &rules.map;
                let step = abilities.step(map, ground, fighter, *state, *archetype, gait, input, tick, step_s, can_pay);
                *state = step.state;
                let has_leapt = step.has_leapt;
                *deed = Deed { done: step.done, has_leapt, begun: step.begun, refused: step.refused };
            }
        });
    }
}

/// Sees to the deeds of a tick, in the order of their doers' names: costs are paid; whom each reaches is judged while nobody has been hurt yet; then
/// all are hurt. So two who shoot each other in the same tick are both hit.
#[expect(clippy::too_many_arguments, reason = "a system's parameters are what it touches")]
pub(crate) fn perform_deeds(
    tick: Res<Tick>,
    rules: Res<InstanceRules>,
    combat: Option<Res<CombatRules>>,
    poses: Option<Res<Poses>>,
    columns: Res<CharacterColumns>,
    roster: Res<Roster>,
    log: Option<ResMut<CombatLog>>,
    projectiles: Option<ResMut<Projectiles>>,
    mut fighters: Fighters,
) {
    let Some(((combat, poses), (mut log, mut projectiles))) = combat.zip(poses).zip(log.zip(projectiles)) else {
        return;
    };
    let tick = *tick;
    log.blows.clear();
    log.leapt.clear();
    log.done.clear();
    let refusal_interval_ticks = rules.tick_rate.ticks_for_ms(REFUSAL_INTERVAL_MS);
    let done = begin_deeds(tick, refusal_interval_ticks, &combat, &mut fighters, &mut log);
    if done.is_empty() && projectiles.flying.is_empty() {
        return;
    }
    log.done.extend(done.iter().map(|done| (done.user, done.act)));
    let mut outcome = Outcome::default();
    let field = Field {
        rules: &combat,
        map: &rules.map,
        poses: &poses,
        columns: &columns,
        roster: &roster,
        fighters: &fighters,
    };
    done.iter().for_each(|done| field.reach(tick, done, &mut outcome));
    for projectile in std::mem::take(&mut outcome.projectiles) {
        if projectiles.flying.len() < PROJECTILES_MAX {
            projectiles.flying.push(projectile);
        } else {
            let (who, ability) = (projectile.done.user, projectile.done.act.ability);
            let (rule, max) = (RefusalRule::TooManyProjectiles, PROJECTILES_MAX as f64);
            log.refuse(Refusal { tick, who, ability, rule, asked: max + 1.0, allowed: max });
        }
    }
    let step_s = rules.tick_rate.step_s();
    projectiles.flying.retain_mut(|projectile| field.fly(tick, projectile, step_s, &mut outcome));
    for receipt in &outcome.receipts {
        let behind_cover_ms = behind_cover_ticks(&field, receipt) * rules.tick_rate.step_ms();
        keep_receipt(&mut log, receipt, rules.tick_rate.step_ms(), behind_cover_ms);
    }
    for blow in outcome.blows {
        if strike(tick, &combat, &roster, &mut fighters, &blow, &mut log) {
            log.blows.push(blow);
        }
    }
}

/// Costs are paid and refusals noted; returns what has happened, in the order of their doers' names.
fn begin_deeds(
    tick: Tick,
    refusal_interval_ticks: u32,
    rules: &CombatRules,
    fighters: &mut Fighters<'_, '_>,
    log: &mut CombatLog,
) -> Vec<Done> {
    let mut done: Vec<Done> = Vec::new();
    let mut refused: Vec<(Refusal, bool)> = Vec::new();
    for (net_id, _, _, fighter, mut attributes, mut deed, mut vitals) in fighters.iter_mut() {
        if deed.done.is_none() && deed.begun.is_none() && deed.refused.is_none() {
            continue;
        }
        let Deed { done: happened, has_leapt, begun, refused: refusal } = std::mem::take(&mut *deed);
        if let Some(ability) = begun.and_then(|number| rules.abilities.get(number)) {
            log.totals.used += 1;
            ability.pay(&mut attributes);
        }
        if let Some((ability, why)) = refusal {
            let (asked, allowed) = numbers(rules, &fighter, &attributes, ability, why, tick);
            let rule = RefusalRule::Use(why);
            // Who holds a button down is not told in every tick.
            let is_told = vitals.refusal_told_at.is_none_or(|at| tick.since(at) >= refusal_interval_ticks);
            if is_told {
                vitals.refusal_told_at = Some(tick);
            }
            refused.push((Refusal { tick, who: *net_id, ability, rule, asked, allowed }, is_told));
        }
        if let Some((act, from_m)) = happened {
            if has_leapt {
                vitals.evaded_at = Some(tick);
                log.leapt.push(*net_id);
            }
            done.push(Done { user: *net_id, act, from_m });
        }
    }
    done.sort_unstable_by_key(|done| done.user);
    refused.sort_unstable_by_key(|(refusal, _)| refusal.who);
    for (refusal, is_told) in refused {
        log.refuse(refusal);
        if let (RefusalRule::Use(why), true) = (refusal.rule, is_told) {
            log.tell([refusal.who], CombatEvent::Refused { ability: refusal.ability, refusal: why });
        }
    }
    done
}

/// What was asked for and what is allowed: of a cost, in its attribute's own measure; else for how many ticks it must wait yet.
fn numbers(
    rules: &CombatRules,
    fighter: &Fighter,
    attributes: &Attributes,
    ability: u8,
    why: UseRefusal,
    tick: Tick,
) -> (f64, f64) {
    let wait_ticks = |until: Option<Tick>| until.map_or(0, |until| until.signed_since(tick).max(0)) as f64;
    match why {
        UseRefusal::Cost => {
            let cost = rules.abilities.get(ability).and_then(|ability| ability.cost.as_ref());
            let has = cost.and_then(|cost| attributes.get(&cost.attribute)).unwrap_or(0.0);
            (cost.map_or(0.0, |cost| f64::from(cost.amount)), f64::from(has))
        }
        UseRefusal::Casting => (wait_ticks(fighter.cast.map(|cast| cast.at)), 0.0),
        _ => (wait_ticks(fighter.ready_at(ability)), 0.0),
    }
}

/// Notes a receipt, and tells the shooter why it has met nobody.
fn keep_receipt(log: &mut CombatLog, receipt: &ShotReceipt, step_ms: f64, behind_cover_ms: f64) {
    log.keep(*receipt, step_ms, behind_cover_ms);
    let reason = match (receipt.receipt.verdict, receipt.receipt.clamp) {
        _ if receipt.hurt > 0 => return,
        _ if receipt.evaded.is_some() => MissReason::Evaded,
        (Verdict::Wall { .. }, _) => MissReason::Wall,
        (_, Clamp::TooOld) => MissReason::TooOld,
        (_, _) => MissReason::Nobody,
    };
    log.tell([receipt.receipt.shot.shooter], CombatEvent::Missed { ability: receipt.ability, reason });
}

/// For how many ticks whoever was hit had been out of its shooter's sight when the shot was judged: what it feels as having died behind cover.
fn behind_cover_ticks(field: &Field<'_, '_, '_>, shot: &ShotReceipt) -> f64 {
    let receipt = &shot.receipt;
    let Verdict::Hit { net_id, .. } = receipt.verdict else { return 0.0 };
    let Some(target) = receipt.target else { return 0.0 };
    let body = field.map.bodies.of(target.archetype);
    let newest = f64::from(receipt.judged.0);
    let is_hidden = |at_tick: f64| {
        let feet_m = field.poses.feet_m(net_id, at_tick);
        feet_m.is_some_and(|feet_m| !field.is_in_sight(receipt.shot.origin_m, chest_m(&body.at(feet_m))))
    };
    if !is_hidden(newest) {
        return 0.0;
    }
    let ticks = receipt.granted_rewind_ticks.floor() as u32;
    let hidden = (1..=ticks).take_while(|&back| is_hidden(newest - f64::from(back))).count();
    hidden as f64 + 1.0
}

/// Sees to it that whoever comes into a world with abilities can use them.
pub(crate) fn fighter_bundle() -> (Fighter, Deed, Vitals) {
    (Fighter::default(), Deed::default(), Vitals::default())
}
