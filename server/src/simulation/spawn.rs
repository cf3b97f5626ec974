//! Characters appear and disappear.

use bevy_ecs::prelude::{Entity, Resource, World};
use glam::Vec2;
use throng_bot_ai::{BotBundle, BotWorld, Home};
use throng_shared::attributes::Attributes;
use throng_shared::config::SpawnAreaConfig;
use throng_shared::ids::{Archetype, NetId};
use throng_shared::input::InputBuffer;
use throng_shared::map::{KnownGround, Map};
use throng_shared::movement::CharacterState;
use throng_shared::random::Random;

use super::LastInput;
use crate::abilities::{CombatRules, fighter_bundle};
use crate::director::draw_place_of_person;
use crate::instance::InstanceRules;
use crate::record::{Replicated, Row};

/// Every character, in the order of the columns' rows; and what is needed to make more.
#[derive(Resource, Debug)]
pub(crate) struct Roster {
    /// Sorted by name; names rise, so new ones go to the end.
    pub(crate) characters: Vec<(NetId, Entity)>,
    /// Whether characters have come or gone since rows were last numbered.
    pub(crate) is_changed: bool,
    next_net_id: NetId,
    /// Draws the places where characters appear.
    pub(crate) random: Random,
}

impl Roster {
    /// The entity of a character, if it exists. O(log n).
    pub(crate) fn entity_of(&self, net_id: NetId) -> Option<Entity> {
        let row = self.characters.binary_search_by_key(&net_id, |(net_id, _)| *net_id).ok()?;
        Some(self.characters[row].1)
    }

    /// The name that the next character will have.
    pub(crate) fn next_net_id(&self) -> NetId {
        self.next_net_id
    }

    fn name_next(&mut self) -> NetId {
        let net_id = self.next_net_id;
        self.next_net_id = NetId(net_id.0 + 1);
        net_id
    }

    fn add(&mut self, net_id: NetId, entity: Entity) {
        self.characters.push((net_id, entity));
        self.is_changed = true;
    }

    /// Nobody yet; places are drawn from `seed`.
    pub(crate) fn new(seed: u64) -> Roster {
        const STREAM: u64 = 0x0073_7061_776e;
        Roster { characters: Vec::new(), is_changed: true, next_net_id: NetId(1), random: Random::new(seed, STREAM) }
    }
}

/// A bot that is about to appear.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewBot {
    /// Where (x, z), in metres.
    pub(crate) point_m: Vec2,
    /// Where it will live.
    pub(crate) home: Home,
    /// The number of the spawn area, if it appears in one.
    pub(crate) origin: Option<u16>,
    /// What makes it the kind that it is; none where there are no kinds.
    pub(crate) temper: Option<u32>,
    /// The side that it is dealt to, if it is.
    pub(crate) side: Option<u32>,
}

/// Lets a player's character appear at a random free place of a random spawn area for people.
pub(crate) fn spawn_player(world: &mut World, side: Option<u32>) -> (NetId, Entity) {
    let rules = world.resource::<InstanceRules>().clone();
    let point_m = draw_place_of_person(&rules, &mut world.resource_mut::<Roster>().random);
    let net_id = world.resource_mut::<Roster>().name_next();
    let attributes = first_attributes(world, &rules, Archetype::PLAYER, net_id, side);
    let mut entity = world.spawn(character(&rules, Archetype::PLAYER, net_id, point_m));
    if !rules.attributes.is_empty() {
        entity.insert(attributes);
    }
    if rules.has_abilities {
        entity.insert(fighter_bundle());
    }
    let entity = entity.id();
    world.resource_mut::<Roster>().add(net_id, entity);
    (net_id, entity)
}

/// Lets bots appear. All at once, so that the memory for them is as large as they are.
pub(crate) fn spawn_bots(world: &mut World, new: &[NewBot]) {
    if new.is_empty() {
        return;
    }
    let rules = world.resource::<InstanceRules>().clone();
    let mut roster = world.resource_mut::<Roster>();
    roster.characters.reserve(new.len());
    let net_ids: Vec<NetId> = new.iter().map(|_| roster.name_next()).collect();
    let bots = net_ids.iter().zip(new).map(|(&net_id, new)| {
        let mut bot = throng_bot_ai::bot_bundle(rules.seed, net_id);
        bot.0.settle(new.home, new.origin, new.temper);
        let archetype = world.resource::<BotWorld>().archetype_of(&bot.0);
        bot.0.go_on_as(archetype);
        (net_id, archetype, new, bot)
    });
    let bots: Vec<(NetId, Archetype, &NewBot, BotBundle)> = bots.collect();
    // One kind of bundle or the other: an entity that gets a component later is moved from table to table.
    let attributes: Vec<Attributes> = match rules.attributes.is_empty() {
        true => Vec::new(),
        false => {
            let each = bots.iter();
            each.map(|(net_id, archetype, new, _)| first_attributes(world, &rules, *archetype, *net_id, new.side))
                .collect()
        }
    };
    let bots =
        bots.into_iter().map(|(net_id, archetype, new, bot)| (character(&rules, archetype, net_id, new.point_m), bot));
    let entities: Vec<Entity> = match (rules.attributes.is_empty(), rules.has_abilities) {
        (true, _) => world.spawn_batch(bots).collect(),
        (false, false) => world.spawn_batch(bots.zip(attributes)).collect(),
        (false, true) => world
            .spawn_batch(bots.zip(attributes).map(|(bot, attributes)| (bot, attributes, fighter_bundle())))
            .collect(),
    };
    let mut roster = world.resource_mut::<Roster>();
    net_ids.into_iter().zip(entities).for_each(|(net_id, entity)| roster.add(net_id, entity));
}

/// What a character has at first.
fn first_attributes(
    world: &World,
    rules: &InstanceRules,
    archetype: Archetype,
    net_id: NetId,
    side: Option<u32>,
) -> Attributes {
    let mut attributes = Attributes::first(&rules.attributes, archetype, &rules.first_values);
    if let Some(combat) = world.get_resource::<CombatRules>() {
        combat.deal(net_id, side, &mut attributes);
    }
    attributes
}

/// What every character is made of.
type Character = (NetId, Archetype, CharacterState, KnownGround, InputBuffer, LastInput, Replicated, Row);

fn character(rules: &InstanceRules, archetype: Archetype, net_id: NetId, point_m: Vec2) -> Character {
    let state = CharacterState::standing_at(&rules.map, point_m);
    let (ground, buffer, last) = (KnownGround::default(), InputBuffer::default(), LastInput::default());
    (net_id, archetype, state, ground, buffer, last, Replicated::default(), Row::default())
}

/// Takes a character out of the world; nothing happens when it is not there.
pub(crate) fn despawn_character(world: &mut World, net_id: NetId) {
    let mut roster = world.resource_mut::<Roster>();
    if let Ok(row) = roster.characters.binary_search_by_key(&net_id, |(net_id, _)| *net_id) {
        let (_, entity) = roster.characters.remove(row);
        roster.is_changed = true;
        world.despawn(entity);
    }
}

/// Takes characters out of the world, those of them that are there: their names are sorted. O(characters).
pub(crate) fn despawn_characters(world: &mut World, net_ids: &mut [NetId]) {
    net_ids.sort_unstable();
    let mut roster = world.resource_mut::<Roster>();
    let mut gone = Vec::with_capacity(net_ids.len());
    roster.characters.retain(|(net_id, entity)| {
        let goes = net_ids.binary_search(net_id).is_ok();
        gone.extend(goes.then_some(*entity));
        !goes
    });
    roster.is_changed |= !gone.is_empty();
    gone.into_iter().for_each(|entity| _ = world.despawn(entity));
}

/// A point where a character can stand, in one of `areas`, by their weights, and which; none when there are no areas. When none of a number of tries
/// is good, it is the free place next to the last one.
pub(crate) fn draw_spawn_point<'a>(
    map: &Map,
    areas: impl Iterator<Item = &'a SpawnAreaConfig> + Clone,
    random: &mut Random,
) -> Option<(Vec2, usize)> {
    const TRIES: usize = 64;
    let weight = |area: &SpawnAreaConfig| area.weight.unwrap_or(area.radius_m * area.radius_m);
    let total: f32 = areas.clone().map(weight).sum();
    let mut drawn = None;
    for _ in 0..TRIES {
        let mut share = random.unit() * total;
        let place = areas.clone().position(|area| {
            share -= weight(area);
            share <= 0.0 && weight(area) > 0.0
        });
        // Rounding may leave something; and where no area has a weight, the last one serves.
        let (place, area) = areas.clone().enumerate().take(place.map_or(usize::MAX, |place| place + 1)).last()?;
        let point_m = map.clamp_inside(area.center_m + random.in_disc(area.radius_m));
        if map.is_standable(point_m) {
            return Some((point_m, place));
        }
        drawn = Some((point_m, place));
    }
    drawn.map(|(point_m, place)| (map.nearest_free(point_m), place))
}
