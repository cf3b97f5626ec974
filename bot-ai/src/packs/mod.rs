//! Packs: bots of a kind that go together, one of them leading.
//!
//! | | what | when |
//! |---|---|---|
//! | [`review`](review) | who is still of a pack, who leads it, where it heads, whom it fights | each think interval of who leads |
//! | [`join`](join) | who comes to be of it | when somebody thinks who is alone, or leads |
//! | [`formation`](formation) | where each has its place | when somebody thinks who is led |
//!
//! What concerns several is settled here alone, by one thread and in the order of [`NetId`]. What somebody does about it is its own affair: who is
//! led keeps its place when it has nothing better to do.

mod formation;
mod join;
mod pack;
mod review;

use bevy_ecs::prelude::{Entity, Query, Res, ResMut, Resource};
use rustc_hash::FxHashMap;
use throng_shared::abilities::Fighter;
use throng_shared::ids::NetId;
use throng_shared::movement::CharacterState;
use throng_shared::tick::Tick;

use crate::mind::{BotMind, Goal};
use crate::perceive::Percepts;
use crate::turns::Alertness;
use crate::world::BotWorld;
pub(crate) use formation::{offset_m, slack_m};
pub(crate) use pack::Pack;

/// Most packs at once: as many as there can be in the largest population. Who finds all of them taken goes alone.
const PACKS_MAX: usize = 50_000;

/// What a bot knows of the pack that it is in; written by [`muster`] only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Membership {
    /// Which of [`Packs`]; none for who goes alone.
    pub(crate) pack: Option<u32>,
    /// At how many reviews in a row it was too far away from who leads.
    pub(super) apart_reviews: u16,
}

const _: () = assert!(size_of::<Membership>() <= 12 && size_of::<Pack>() <= 80);

/// How many go together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PackCounts {
    /// Packs of two or more.
    pub packs: u64,
    /// Bots that are in them, those who lead with them.
    pub members: u64,
}

/// The packs of an instance; written by [`muster`] only.
#[derive(Debug, Default, Resource)]
pub struct Packs {
    packs: Vec<Pack>,
    /// Places among `packs` that are free, the next to be taken last.
    free: Vec<u32>,
    /// Everybody who has thought and is of a kind that goes in packs; never more than there are bots.
    roll: FxHashMap<NetId, Entity>,
    /// Those of this tick's turn.
    due: Vec<(NetId, Entity)>,
    counts: PackCounts,
}

/// What is looked at, and who is told.
type Bots<'w, 's> = Query<
    'w,
    's,
    (
        Entity,
        &'static NetId,
        &'static CharacterState,
        &'static Alertness,
        &'static Percepts,
        Option<&'static Fighter>,
        &'static mut BotMind,
    ),
>;

/// A bot's place among those with whom it goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mates<'a> {
    pub(crate) pack: &'a Pack,
    /// Its place in the order of the pack; 0 for who leads.
    pub(crate) rank: usize,
}

impl Mates<'_> {
    /// Whether somebody is one of them.
    pub(crate) fn include(&self, net_id: NetId) -> bool {
        self.pack.rank(net_id).is_some()
    }
}

impl Packs {
    /// How many go together.
    pub fn counts(&self) -> PackCounts {
        self.counts
    }

    /// Who goes together, who leads first, then in the order in which they came.
    pub fn all(&self) -> impl Iterator<Item = &[NetId]> {
        self.packs.iter().map(Pack::members).filter(|members| !members.is_empty())
    }

    /// With whom a bot goes; none for who goes alone.
    pub(crate) fn mates(&self, net_id: NetId, mind: &BotMind) -> Option<Mates<'_>> {
        let pack = self.packs.get(mind.membership.pack? as usize)?;
        Some(Mates { pack, rank: pack.rank(net_id)? })
    }

    /// Whom those fight with whom a bot goes.
    pub(crate) fn foe_of(&self, mind: &BotMind) -> Option<NetId> {
        self.packs.get(mind.membership.pack? as usize)?.foe()
    }

    /// Which pack a bot is in, as both it and the pack know.
    fn pack_of(&self, net_id: NetId, mind: &BotMind) -> Option<u32> {
        mind.membership.pack.filter(|_| self.mates(net_id, mind).is_some())
    }

    /// Writes down whose turn it is, of the kinds that go in packs.
    fn call_up(&mut self, tick: Tick, world: &BotWorld, bots: &Bots<'_, '_>) {
        self.due.clear();
        let (turns, mut bots_count) = (world.think_turns(tick), 0);
        for (entity, net_id, _, alertness, _, fighter, mind) in bots {
            bots_count += 1;
            if turns.is_of(*net_id, alertness.is_near)
                && world.profile_of(mind).is_some_and(|profile| profile.pack.size > 1)
            {
                self.roll.insert(*net_id, entity);
                if !is_dead(fighter) {
                    self.due.push((*net_id, entity));
                }
            }
        }
        self.due.sort_unstable_by_key(|(net_id, _)| *net_id);
        if self.roll.len() > bots_count {
            self.roll.retain(|_, entity| bots.contains(*entity));
        }
    }

    /// Lets a bot take its turn: it tells its pack whom it fights, or looks for others when it is alone or leads.
    fn take_turn(&mut self, world: &BotWorld, bots: &mut Bots<'_, '_>, net_id: NetId, entity: Entity) {
        let Ok((.., mut mind)) = bots.get_mut(entity) else { return };
        let own = self.pack_of(net_id, &mind);
        if own.is_none() && mind.membership.pack.is_some() {
            mind.membership = Membership::default();
        }
        if let Some(pack) = own.and_then(|own| self.packs.get_mut(own as usize)) {
            if let Goal::Fight { net_id: foe, .. } = mind.goal
                && pack.foe().is_none()
            {
                pack.foe = Some(foe);
            }
            if pack.leader() != Some(net_id) {
                return;
            }
        }
        self.look_for_others(world, bots, net_id, entity);
    }
}

/// Lets those come together who belong together, and go who do not any more. Nothing where no kind of bot goes in packs; else O(bots) for whose
/// turn it is, and for each of those O(members · seen).
pub fn muster(tick: Res<Tick>, world: Res<BotWorld>, mut packs: ResMut<Packs>, mut bots: Bots<'_, '_>) {
    let (packs, world) = (&mut *packs, &*world);
    let has_packs = world.profiles.iter().any(|profile| profile.pack.size > 1);
    if !has_packs && packs.roll.is_empty() {
        return;
    }
    packs.review_all(*tick, world, &mut bots, !has_packs);
    if has_packs {
        packs.call_up(*tick, world, &bots);
        let due = std::mem::take(&mut packs.due);
        due.iter().for_each(|&(net_id, entity)| packs.take_turn(world, &mut bots, net_id, entity));
        packs.due = due;
    } else {
        *packs = Packs::default();
    }
    let members = packs.packs.iter().map(|pack| pack.members().len() as u64).sum();
    packs.counts = PackCounts { packs: (packs.packs.len() - packs.free.len()) as u64, members };
}

fn is_dead(fighter: Option<&Fighter>) -> bool {
    fighter.is_some_and(|fighter| fighter.is_dead)
}

#[cfg(test)]
mod tests;
