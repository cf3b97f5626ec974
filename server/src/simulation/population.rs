//! Bots fill the slots that people leave empty, and give way as people join, out of their sight.

use bevy_ecs::prelude::World;
use glam::Vec2;
use throng_shared::ids::{Archetype, NetId};
use throng_shared::movement::CharacterState;
use throng_shared::spatial::CharacterColumns;
use throng_shared::tick::Tick;

use super::spawn::{Roster, despawn_character, draw_spawn_point, spawn_bots};
use crate::instance::InstanceRules;
use crate::session::Sessions;

/// Most bots that come or go in one tick while somebody is connected; a world without players is filled at once.
const CHANGES_PER_TICK_MAX: usize = 8;

/// Places that are tried for a bot to appear out of sight; when all are in somebody's sight, it is tried again next tick.
const PLACES_TRIED: usize = 16;

/// Moves the number of bots towards the target. Nobody sees a bot appear or disappear: it happens farther from every
/// player than the view reaches, or waits. In the first tick nobody has seen anything yet, and the world is filled.
pub(crate) fn balance_population(world: &mut World) {
    const FIRST: Tick = Tick(1);
    let players = world.resource::<Sessions>().all().len();
    let bots = world.resource::<Roster>().characters.len().saturating_sub(players);
    let wanted = (world.resource::<InstanceRules>().population.target as usize).saturating_sub(players);
    let is_first = *world.resource::<Tick>() == FIRST;
    let changes_max = if players == 0 || is_first { usize::MAX } else { CHANGES_PER_TICK_MAX };
    if bots < wanted {
        let watchers_m = if is_first { Vec::new() } else { player_positions_m(world) };
        add_bots(world, (wanted - bots).min(changes_max), &watchers_m);
    } else if bots > wanted {
        remove_bots(world, (bots - wanted).min(changes_max));
    }
}

/// Lets bots appear where none of `watchers_m` sees them.
fn add_bots(world: &mut World, count: usize, watchers_m: &[Vec2]) {
    let rules = world.resource::<InstanceRules>().clone();
    let mut places_m = Vec::with_capacity(count);
    for _ in 0..count {
        let place = (0..PLACES_TRIED).find_map(|_| {
            let random = &mut world.resource_mut::<Roster>().random;
            let point_m = draw_spawn_point(&rules.map, &rules.spawn_areas, random);
            is_out_of_sight(point_m, watchers_m, rules.bots_seen_from_m).then_some(point_m)
        });
        let Some(point_m) = place else { break };
        places_m.push(point_m);
    }
    spawn_bots(world, &places_m);
}

/// The youngest bots that nobody sees go first.
fn remove_bots(world: &mut World, count: usize) {
    let sight_m = world.resource::<InstanceRules>().bots_seen_from_m;
    let players_m = player_positions_m(world);
    let columns = world.resource::<CharacterColumns>();
    let unseen: Vec<NetId> = (0..columns.len())
        .rev()
        .filter(|&row| columns.archetypes[row] == Archetype::Bot && is_bot(world, columns.net_ids[row]))
        .filter(|&row| is_out_of_sight(columns.positions_m[row], &players_m, sight_m))
        .map(|row| columns.net_ids[row])
        .take(count)
        .collect();
    for net_id in unseen {
        despawn_character(world, net_id);
    }
}

/// Whether a character is a bot's still: columns are of the last tick, and somebody may have taken it over in this one.
fn is_bot(world: &World, net_id: NetId) -> bool {
    let entity = world.resource::<Roster>().entity_of(net_id);
    entity.and_then(|entity| world.get::<Archetype>(entity)) == Some(&Archetype::Bot)
}

/// Where those are who look on. Nobody looks on in a seat that is held.
fn player_positions_m(world: &World) -> Vec<Vec2> {
    let connected = world.resource::<Sessions>().all().iter().filter(|session| session.connection.is_some());
    let states = connected.filter_map(|session| world.get::<CharacterState>(session.entity));
    states.map(CharacterState::ground_position_m).collect()
}

fn is_out_of_sight(point_m: Vec2, players_m: &[Vec2], sight_m: f32) -> bool {
    players_m.iter().all(|player_m| player_m.distance_squared(point_m) > sight_m * sight_m)
}
