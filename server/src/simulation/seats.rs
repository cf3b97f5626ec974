//! Bots and people take one another's characters over, where and as they are.

use std::collections::{BTreeMap, VecDeque};

use bevy_ecs::prelude::{Entity, Mut, World};
use glam::Vec2;
use throng_bot_ai::{BotBundle, BotMind, BotWorld, stand_in_bundle};
use throng_shared::abilities::Fighter;
use throng_shared::attributes::Attributes;
use throng_shared::ids::{Archetype, NetId};
use throng_shared::input::InputBuffer;
use throng_shared::movement::CharacterState;

use super::spawn::Roster;
use crate::abilities::CombatRules;
use crate::commit::Totals;
use crate::director::{WorldHours, home_at};
use crate::instance::InstanceRules;
use crate::session::Sessions;

/// Characters of bots that people who join in one tick can take over. Nothing is looked for until the first joins.
#[derive(Debug, Default)]
pub(crate) struct SeatsOnOffer {
    sides: Option<BTreeMap<Option<u32>, Side>>,
}

/// A team, or all who have none.
#[derive(Debug, Default)]
struct Side {
    people: usize,
    /// Bots whose characters nobody can take over.
    beasts: usize,
    /// The oldest first, and behind all others those who are dead.
    bots: VecDeque<(NetId, Entity)>,
}

impl SeatsOnOffer {
    /// Hands a bot's character to a person: of the team that has the fewest people, the oldest. None when there are no bots, or
    /// the world's seats are not shared. O(characters) for the first of a tick, O(teams) for the others.
    pub(crate) fn take(&mut self, world: &mut World) -> Option<(NetId, Entity)> {
        if !world.resource::<InstanceRules>().population.shared_seats {
            return None;
        }
        if world.resource::<Roster>().characters.len() <= world.resource::<Sessions>().all().len() {
            return None;
        }
        let sides = self.sides.get_or_insert_with(|| sides(world));
        let side = sides.values_mut().filter(|side| !side.bots.is_empty()).min_by_key(|side| side.people)?;
        let (net_id, entity) = side.bots.pop_front()?;
        side.people += 1;
        end_stand_in(world, entity);
        world.resource_mut::<Totals>().seats_to_people += 1;
        change_archetype(world, net_id, entity, Archetype::PLAYER);
        Some((net_id, entity))
    }
}

impl SeatsOnOffer {
    /// The side that a person joins who takes over nobody's character: that with the fewest people, of those with as many the one
    /// with the fewest characters. None where nobody is dealt to sides.
    pub(crate) fn side_for_newcomer(&mut self, world: &World) -> Option<u32> {
        let dealt = world.get_resource::<CombatRules>()?.dealt_sides();
        if dealt.is_empty() {
            return None;
        }
        let turn = world.resource::<Roster>().next_net_id().0 as usize;
        let sides = self.sides.get_or_insert_with(|| sides(world));
        let count = |side: u32| {
            sides.get(&Some(side)).map_or((0, 0), |side| (side.people, side.people + side.bots.len() + side.beasts))
        };
        let turns = (0..dealt.len()).map(|step| dealt[(turn + step) % dealt.len()]);
        let side = turns.min_by_key(|&side| count(side))?;
        sides.entry(Some(side)).or_default().people += 1;
        Some(side)
    }
}

fn sides(world: &World) -> BTreeMap<Option<u32>, Side> {
    let team = world.resource::<InstanceRules>().attributes.team();
    let is_dead = |entity| world.get::<Fighter>(entity).is_some_and(|fighter| fighter.is_dead);
    let (mut sides, mut dead) = (BTreeMap::<Option<u32>, Side>::new(), Vec::new());
    for &(net_id, entity) in &world.resource::<Roster>().characters {
        let values = world.get::<Attributes>(entity).map(Attributes::view);
        let known = values.zip(team).filter(|(values, team)| values.known >> team & 1 == 1);
        let key = known.map(|(values, team)| values.values[team]);
        let side = sides.entry(key).or_default();
        match world.get::<Archetype>(entity) {
            Some(&Archetype::BOT) if is_dead(entity) => dead.push((net_id, entity, key)),
            Some(&Archetype::BOT) => side.bots.push_back((net_id, entity)),
            Some(&Archetype::PLAYER) => side.people += 1,
            Some(_) => side.beasts += 1,
            None => {}
        }
    }
    for (net_id, entity, key) in dead {
        sides.entry(key).or_default().bots.push_back((net_id, entity));
    }
    sides
}

/// From now on a bot plays a character, with all it has, where it is.
pub(crate) fn stand_in(world: &mut World, net_id: NetId, entity: Entity) {
    let seed = world.resource::<InstanceRules>().seed;
    let Some(state) = world.get::<CharacterState>(entity) else { return };
    let bot = stand_in_bundle(seed, net_id, state);
    world.entity_mut(entity).insert(bot);
    hand_over_inputs(world, entity);
    world.resource_mut::<Totals>().seats_to_bots += 1;
}

/// The bot that played a character, if one did, lets go of it: what it was about to do is not done any more. Whether one did.
pub(crate) fn end_stand_in(world: &mut World, entity: Entity) -> bool {
    let is_played_by_bot = world.get::<BotMind>(entity).is_some();
    if is_played_by_bot {
        world.entity_mut(entity).remove::<BotBundle>();
        hand_over_inputs(world, entity);
    }
    is_played_by_bot
}

fn hand_over_inputs(world: &mut World, entity: Entity) {
    if let Some(mut buffer) = world.get_mut::<InputBuffer>(entity) {
        buffer.hand_over();
    }
}

/// Gives the character of a person who leaves to a bot, if seats are shared and the world is to have so many. Whether it did.
pub(crate) fn give_back(world: &mut World, net_id: NetId, entity: Entity) -> bool {
    let population = &world.resource::<InstanceRules>().population;
    let has_room = world.resource::<Roster>().characters.len() <= world.resource::<WorldHours>().now.target_in_all();
    if !population.shared_seats || !has_room || world.get::<Archetype>(entity).is_none() {
        return false;
    }
    let point_m = world.get::<CharacterState>(entity).map_or(Vec2::ZERO, CharacterState::ground_position_m);
    let home = home_at(world.resource::<WorldHours>(), point_m);
    // What people are is what it stays, whatever else lives there.
    if !world.resource::<BotWorld>().has_people_like_bots(home) {
        return false;
    }
    if world.get::<BotMind>(entity).is_none() {
        stand_in(world, net_id, entity);
    }
    change_archetype(world, net_id, entity, Archetype::BOT);
    world.resource_scope(|world, bots: Mut<'_, BotWorld>| {
        if let Some(mut mind) = world.get_mut::<BotMind>(entity) {
            mind.go_on_as(Archetype::BOT);
            // It lives where it was left.
            mind.settle(home, None, None);
            bots.make_people_like(&mut mind);
        }
    });
    true
}

/// Bots whose kind is of another archetype than they were, since the world's files have changed, are of that from now on. O(characters).
pub(crate) fn review_archetypes(world: &mut World) {
    let mut minds = world.query::<(&NetId, Entity, &BotMind)>();
    let bots = world.resource::<BotWorld>();
    let changes: Vec<_> = minds
        .iter(world)
        .map(|(net_id, entity, mind)| (*net_id, entity, mind.plays(), bots.archetype_of(mind)))
        .filter(|(.., before, after)| before != after)
        .collect();
    for (net_id, entity, _, archetype) in changes {
        begin_as(world, net_id, entity, archetype);
        if let Some(mut mind) = world.get_mut::<BotMind>(entity) {
            mind.go_on_as(archetype);
        }
    }
}

/// A bot becomes one of another archetype, as a new one is: but it stays where it is, on the side that it was dealt to, and dead if it is.
fn begin_as(world: &mut World, net_id: NetId, entity: Entity, archetype: Archetype) {
    if let Some(mut fighter) = world.get_mut::<Fighter>(entity) {
        // What it was about to do, it may not be able to any more.
        fighter.cast = None;
    }
    if let Some(before) = world.get::<Attributes>(entity).cloned() {
        let rules = world.resource::<InstanceRules>();
        let mut attributes = Attributes::first(&rules.attributes, archetype, &rules.first_values);
        if let Some(combat) = world.get_resource::<CombatRules>() {
            let abilities = &combat.abilities;
            let side = abilities.team.as_ref().and_then(|team| before.get(team)).filter(|_| combat.deal_teams);
            combat.deal(net_id, side, &mut attributes);
            if world.get::<Fighter>(entity).is_some_and(|fighter| fighter.is_dead) {
                attributes.set(&abilities.health, abilities.health.min());
            }
        }
        world.entity_mut(entity).insert(attributes);
    }
    world.entity_mut(entity).insert(archetype);
}

/// As the seats of a world are from now on, so are those of whose connections are broken already.
pub(crate) fn review_stand_ins(world: &mut World) {
    let stand_ins = world.resource::<InstanceRules>().population.stand_ins;
    let sessions = world.resource::<Sessions>().all().iter();
    let broken: Vec<_> = sessions
        .filter(|session| session.connection.is_none())
        .map(|session| (session.net_id, session.entity))
        .collect();
    for (net_id, entity) in broken {
        match stand_ins {
            true if world.get::<BotMind>(entity).is_none() => stand_in(world, net_id, entity),
            true => {}
            false => {
                end_stand_in(world, entity);
            }
        }
    }
}

fn change_archetype(world: &mut World, net_id: NetId, entity: Entity, archetype: Archetype) {
    if let Some(mut attributes) = world.get::<Attributes>(entity).cloned() {
        let rules = world.resource::<InstanceRules>();
        let schema = &rules.attributes;
        let team = schema.team();
        let has_team = |attributes: &Attributes| team.is_some_and(|team| attributes.view().known >> team & 1 == 1);
        let had_team = has_team(&attributes);
        attributes.change_archetype(schema, archetype, &rules.first_values);
        if let Some(combat) = world.get_resource::<CombatRules>().filter(|_| !had_team) {
            combat.deal(net_id, None, &mut attributes);
        }
        world.entity_mut(entity).insert(attributes);
    }
    world.entity_mut(entity).insert(archetype);
}
