//! Who is still of a pack, who leads it, where it heads and whom it fights.

use glam::Vec2;
use throng_shared::config::PACK_SIZE_MAX;
use throng_shared::config::PackConfig;
use throng_shared::ids::NetId;
use throng_shared::tick::Tick;

use super::formation::reach_m;
use super::pack::{Names, rope_m};
use super::{Bots, Membership, Pack, Packs, is_dead};
use crate::home::Home;
use crate::mind::{BotMind, Goal};
use crate::perceive::Percepts;
use crate::world::BotWorld;

/// Who is farther from who leads than its place can be, by this much, is too far away; in metres.
const APART_M: f32 = 20.0;
/// Who is too far away for so long goes its own way, in seconds.
const APART_S: f32 = 12.0;
/// Who leads and is suddenly farther away than it can have run, by this much, leads no more; in metres. It may have died, and live again elsewhere.
const TAKEN_AWAY_M: f32 = 20.0;

/// How far one may be from who leads, in metres: not out of its own sight.
pub(super) fn apart_m(pack: &PackConfig, sight_m: f32) -> f32 {
    (reach_m(pack, pack.size as usize) + APART_M).min(sight_m)
}

/// Who leads, as those have to keep to it who follow.
struct Leader<'a> {
    net_id: NetId,
    kind: usize,
    home: Home,
    pack: &'a PackConfig,
    position_m: Vec2,
    apart_m: f32,
}

/// Those who stay.
struct Kept {
    members: Names,
    /// Which of them lead or keep their places, as bits.
    keeping: u16,
    /// Whom the first of them fights who fights, and whether any fights whom the pack did.
    foe: Option<NetId>,
    is_at_old_foe: bool,
}

impl Kept {
    fn keep(&mut self, net_id: NetId, goal: Goal, old_foe: Option<NetId>) {
        let rank = self.count();
        self.keeping |= u16::from(rank == 0 || matches!(goal, Goal::March { .. })) << rank;
        if let Goal::Fight { net_id: foe, .. } = goal {
            self.foe = self.foe.or(Some(foe));
            self.is_at_old_foe |= old_foe == Some(foe);
        }
        self.members.push(net_id);
    }

    fn count(&self) -> usize {
        self.members.as_slice().len()
    }
}

impl Packs {
    /// Reviews the packs whose turn it is, or all: each as often as bots think who are near people.
    pub(super) fn review_all(&mut self, tick: Tick, world: &BotWorld, bots: &mut Bots<'_, '_>, is_all: bool) {
        let turns = world.think_turns(tick);
        for place in 0..self.packs.len() {
            let leader = self.packs[place].leader();
            if leader.is_some_and(|leader| is_all || turns.is_of(leader, true)) {
                self.review(place, world, bots);
            }
        }
    }

    fn review(&mut self, place: usize, world: &BotWorld, bots: &mut Bots<'_, '_>) {
        let before = self.packs[place].clone();
        let mut kept = Kept { members: Names::NONE, keeping: 0, foe: None, is_at_old_foe: false };
        let mut leader: Option<Leader<'_>> = None;
        for &net_id in before.members() {
            // Whoever is gone, or played by a person, or has begun anew has nothing to be told.
            let Some(entity) = self.roll.get(&net_id) else { continue };
            let Ok((_, _, state, _, percepts, fighter, mut mind)) = bots.get_mut(*entity) else { continue };
            if mind.membership.pack != Some(place as u32) {
                continue;
            }
            let position_m = state.ground_position_m();
            let stays = !is_dead(fighter)
                && match &leader {
                    Some(leader) => {
                        kept.count() < leader.pack.size as usize
                            && keeps_to(leader, world, &mut mind, percepts, position_m)
                    }
                    None => {
                        leader = lead(world, net_id, &mind, position_m).filter(|leader| {
                            before.leader() != Some(net_id)
                                || !is_taken_away(leader, world, before.tail_distance_m(position_m))
                        });
                        leader.is_some()
                    }
                };
            if stays {
                kept.keep(net_id, mind.goal, before.foe());
            } else {
                mind.membership = Membership::default();
            }
        }
        let foe = if kept.is_at_old_foe { before.foe() } else { kept.foe };
        let pack = &mut self.packs[place];
        (pack.members, pack.keeping, pack.foe) = (kept.members, kept.keeping, foe);
        let Some(leader) = leader.filter(|_| kept.count() > 1) else { return self.disband(place as u32, bots) };
        let (pack, reach_m) = (&mut self.packs[place], reach_m(leader.pack, kept.count()));
        if before.leader() == Some(leader.net_id) {
            pack.draw_rope(leader.position_m, reach_m);
        } else {
            pack.lay_rope(leader.position_m, before.heading(), reach_m);
        }
    }

    /// Lets whoever is left of a pack go alone, and frees its place.
    pub(super) fn disband(&mut self, place: u32, bots: &mut Bots<'_, '_>) {
        let pack = &mut self.packs[place as usize];
        for net_id in pack.members() {
            if let Some(entity) = self.roll.get(net_id)
                && let Ok((.., mut mind)) = bots.get_mut(*entity)
                && mind.membership.pack == Some(place)
            {
                mind.membership = Membership::default();
            }
        }
        *pack = Pack::EMPTY;
        self.free.push(place);
    }
}

/// What a bot is as one who leads; none where its kind goes alone.
fn lead<'a>(world: &'a BotWorld, net_id: NetId, mind: &BotMind, position_m: Vec2) -> Option<Leader<'a>> {
    let kind = world.kind_of(mind)?;
    let profile = &world.profiles[kind];
    let (pack, sight_m) = (&profile.pack, profile.bots.sight_m);
    (pack.size > 1).then(|| Leader { net_id, kind, home: mind.home, pack, position_m, apart_m: apart_m(pack, sight_m) })
}

/// Whether who led is suddenly so far from the end of its rope that it cannot have run there.
fn is_taken_away(leader: &Leader<'_>, world: &BotWorld, tail_distance_m: f32) -> bool {
    let run_m = world.gaits.of(world.profiles[leader.kind].archetype).run_speed_mps
        * world.rules.think_interval_ms as f32
        * 1e-3;
    tail_distance_m > rope_m(reach_m(leader.pack, PACK_SIZE_MAX)) + 2.0 * run_m + TAKEN_AWAY_M
}

/// Whether one goes on with who leads: of the same kind and home, no enemy, and not too far away for too long.
fn keeps_to(leader: &Leader<'_>, world: &BotWorld, mind: &mut BotMind, percepts: &Percepts, position_m: Vec2) -> bool {
    let is_one_of_us = world.kind_of(mind) == Some(leader.kind) && mind.home == leader.home;
    if !is_one_of_us || percepts.enemies().any(|seen| seen.net_id == leader.net_id) {
        return false;
    }
    let is_apart = position_m.distance_squared(leader.position_m) > leader.apart_m * leader.apart_m;
    mind.membership.apart_reviews = if is_apart { mind.membership.apart_reviews.saturating_add(1) } else { 0 };
    let interval_s = world.rules.think_interval_ms.max(1) as f32 * 1e-3;
    f32::from(mind.membership.apart_reviews) * interval_s <= APART_S
}
