//! Who comes to be of a pack.

use bevy_ecs::prelude::Entity;
use glam::Vec2;
use throng_shared::ids::NetId;

use super::formation::reach_m;
use super::pack::Names;
use super::review::apart_m;
use super::{Bots, Membership, PACKS_MAX, Pack, Packs, is_dead};
use crate::perceive::SEEN_MAX;
use crate::world::BotWorld;

/// One comes to be of a pack within this share of the distance at which one may be from who leads.
const NEAR_SHARE: f32 = 0.75;

/// A pack, or one who is alone.
#[derive(Clone, Copy)]
struct Band {
    pack: Option<u32>,
    members: Names,
    leader: NetId,
}

impl Band {
    fn members(&self) -> &[NetId] {
        self.members.as_slice()
    }
}

impl Packs {
    /// Has one who is alone, or leads, come together with the nearest of its kind and home whom it sees and who see it, if they are not enemies. The larger
    /// pack takes in as many as it has places for; what is left of the other goes on by itself.
    pub(super) fn look_for_others(&mut self, world: &BotWorld, bots: &mut Bots<'_, '_>, net_id: NetId, entity: Entity) {
        let Ok((_, _, _, _, percepts, _, mind)) = bots.get(entity) else { return };
        let (Some(kind), home) = (world.kind_of(mind), mind.home) else { return };
        let own = self.band(self.pack_of(net_id, mind), net_id);
        if own.members().len() >= world.profiles[kind].pack.size as usize {
            return;
        }
        let mut others = [NetId(0); SEEN_MAX];
        let mut count = 0;
        for seen in percepts.seen_without_enemies() {
            others[count] = seen.net_id;
            count += 1;
        }
        for &other in &others[..count] {
            let Some(Ok((_, _, _, _, percepts, fighter, mind))) = self.roll.get(&other).map(|entity| bots.get(*entity))
            else {
                continue;
            };
            let is_one_of_us = world.kind_of(mind) == Some(kind) && mind.home == home && !is_dead(fighter);
            if !is_one_of_us || percepts.find(net_id).is_none() {
                continue;
            }
            let theirs = self.band(self.pack_of(other, mind), other);
            let are_together = own.pack.is_some() && own.pack == theirs.pack;
            if !are_together && self.unite(world, bots, kind, &own, &theirs) {
                return;
            }
        }
    }

    /// A pack, or somebody alone.
    fn band(&self, pack: Option<u32>, net_id: NetId) -> Band {
        let known = pack.and_then(|place| self.packs.get(place as usize));
        let mut members = known.map_or(Names::NONE, |pack| pack.members);
        if members.as_slice().is_empty() {
            members.push(net_id);
        }
        Band { pack, members, leader: members.as_slice().first().copied().unwrap_or(net_id) }
    }

    /// Has the last of the smaller of two bands go over to the larger, as many as it has places for; of two of one size to the one whose leader has
    /// the lower name. Whether anybody did.
    fn unite(&mut self, world: &BotWorld, bots: &mut Bots<'_, '_>, kind: usize, one: &Band, other: &Band) -> bool {
        let size_max = world.profiles[kind].pack.size as usize;
        let is_larger = (other.members().len(), one.leader) < (one.members().len(), other.leader);
        let (large, small) = if is_larger { (one, other) } else { (other, one) };
        let room = size_max.saturating_sub(large.members().len());
        let Some(leader_m) = self.position_m(bots, large.leader) else { return false };
        let near_m = NEAR_SHARE * apart_m(&world.profiles[kind].pack, world.profiles[kind].bots.sight_m);
        let is_near = |net_id: &NetId| {
            self.position_m(bots, *net_id).is_some_and(|position_m| position_m.distance(leader_m) <= near_m)
        };
        // The last of them, so that who leads those who are left is the same.
        let last = small.members().len().saturating_sub(room);
        let mut going = Names::NONE;
        small.members()[last..].iter().filter(|net_id| is_near(net_id)).for_each(|net_id| going.push(*net_id));
        let going = going.as_slice();
        let Some(first_m) = going.first().and_then(|first| self.position_m(bots, *first)) else {
            return false;
        };
        let Some(place) = large.pack.or_else(|| self.found(world, kind, large.leader, leader_m, first_m)) else {
            return false;
        };
        self.take_in(bots, place, large.leader);
        going.iter().for_each(|net_id| self.take_in(bots, place, *net_id));
        if let Some(left) = small.pack {
            self.leave(bots, left, going);
        }
        true
    }

    /// Founds a pack that heads away from where the first joins it; none when there are too many.
    fn found(&mut self, world: &BotWorld, kind: usize, leader: NetId, leader_m: Vec2, first_m: Vec2) -> Option<u32> {
        let place = self.free.pop().or_else(|| (self.packs.len() < PACKS_MAX).then_some(self.packs.len() as u32))?;
        let mut pack = Pack::EMPTY;
        pack.members.push(leader);
        pack.lay_rope(leader_m, leader_m - first_m, reach_m(&world.profiles[kind].pack, 2));
        match self.packs.get_mut(place as usize) {
            Some(free) => *free = pack,
            None => self.packs.push(pack),
        }
        Some(place)
    }

    fn take_in(&mut self, bots: &mut Bots<'_, '_>, place: u32, net_id: NetId) {
        let Some(Ok((.., mut mind))) = self.roll.get(&net_id).map(|entity| bots.get_mut(*entity)) else { return };
        if mind.membership.pack != Some(place) {
            mind.membership = Membership { pack: Some(place), apart_reviews: 0 };
            self.packs[place as usize].members.push(net_id);
        }
    }

    /// Strikes those off a pack who have gone over to another.
    fn leave(&mut self, bots: &mut Bots<'_, '_>, place: u32, gone: &[NetId]) {
        let pack = &mut self.packs[place as usize];
        let mut kept = Names::NONE;
        pack.members().iter().filter(|net_id| !gone.contains(net_id)).for_each(|net_id| kept.push(*net_id));
        // Who keeps its place is known anew with the next review.
        (pack.members, pack.keeping) = (kept, 0);
        if kept.as_slice().len() < 2 {
            self.disband(place, bots);
        }
    }

    fn position_m(&self, bots: &Bots<'_, '_>, net_id: NetId) -> Option<Vec2> {
        let (_, _, state, ..) = bots.get(*self.roll.get(&net_id)?).ok()?;
        Some(state.ground_position_m())
    }
}
