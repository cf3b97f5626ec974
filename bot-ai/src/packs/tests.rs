//! Packs that form, walk, squeeze through doors and outlive what happens to them; by the step of the simulation itself.

use std::collections::BTreeSet;

use bevy_ecs::prelude::World;
use glam::Vec2;
use throng_shared::config::{
    BotProfileConfig, BotsConfig, Formation, ObstacleConfig, ObstacleShapeConfig, PackConfig, PatrolConfig,
    PlaceConfig, WorldConfig,
};
use throng_shared::ids::NetId;
use throng_shared::input::InputBuffer;
use throng_shared::movement::CharacterState;

use super::*;
use crate::mind::{BotBundle, bot_bundle};
use crate::tests::population::Population;
use crate::tests::{open_config, village_config};

/// A kind that does nothing but patrol, in packs.
fn kind(name: &str, size: u32, formation: Formation) -> BotProfileConfig {
    let bots = BotsConfig {
        idle_weight: 0.0,
        wander_weight: 0.0,
        patrol_weight: 1.0,
        follow_weight: 0.0,
        gather_weight: 0.0,
        flee_weight: 0.0,
        sight_m: 40.0,
        ..open_config().bots
    };
    let pack = PackConfig { size, formation, spacing_m: 2.5 };
    BotProfileConfig { pack, ..BotProfileConfig::new(name, bots) }
}

/// Bots of these kinds, and a long way there and back to patrol.
fn config(kinds: &[BotProfileConfig]) -> WorldConfig {
    let points_m = vec![Vec2::new(-80.0, 0.0), Vec2::new(80.0, 0.0)];
    let patrols = vec![PatrolConfig { name: "long".to_owned(), points_m }];
    WorldConfig { bot_profiles: kinds.to_vec(), patrols, ..open_config() }
}

/// Who goes together, who leads first; the packs in the order of their leaders.
fn packs(population: &Population) -> Vec<Vec<NetId>> {
    let packs = population.world().resource::<Packs>();
    let mut all: Vec<Vec<NetId>> = packs.all().map(<[NetId]>::to_vec).collect();
    all.sort();
    let members = all.iter().map(|pack| pack.len() as u64).sum();
    assert_eq!(packs.counts(), PackCounts { packs: all.len() as u64, members });
    all
}

fn sizes(population: &Population) -> Vec<usize> {
    packs(population).iter().map(Vec::len).collect()
}

/// Everybody's state and mind, by name.
fn bots(population: &mut Population) -> Vec<(NetId, CharacterState, BotMind)> {
    let world = population.world_mut();
    let mut bots: Vec<_> = world.query::<(&NetId, &CharacterState, &BotMind)>().iter(world).collect();
    bots.sort_by_key(|(net_id, ..)| **net_id);
    bots.into_iter().map(|(net_id, state, mind)| (*net_id, *state, mind.clone())).collect()
}

/// What the packs say and what the bots say is the same, and nobody is in two.
fn check(population: &mut Population) {
    let bots = bots(population);
    let packs = population.world().resource::<Packs>();
    let mut known = BTreeSet::new();
    for (place, pack) in packs.packs.iter().enumerate() {
        assert_ne!(pack.members().len(), 1, "nobody goes together with nobody");
        assert_eq!(pack.members().is_empty(), packs.free.contains(&(place as u32)));
        for member in pack.members() {
            assert!(known.insert(*member), "{member:?} is in two packs");
            let mind = bots.iter().find(|(net_id, ..)| net_id == member).map(|(.., mind)| mind);
            let mind = mind.unwrap_or_else(|| panic!("{member:?} is no bot"));
            assert_eq!(mind.membership.pack, Some(place as u32), "{member:?}");
        }
    }
    for (net_id, _, mind) in &bots {
        assert_eq!(mind.membership.pack.is_some(), known.contains(net_id), "{net_id:?}");
    }
    assert!(packs.roll.len() <= bots.len(), "{} on the roll of {}", packs.roll.len(), bots.len());
}

fn run(population: &mut Population, ticks: u32) {
    (0..ticks).for_each(|_| drop(population.step()));
}

fn entity_of(world: &mut World, net_id: NetId) -> Entity {
    let mut query = world.query::<(Entity, &NetId)>();
    query.iter(world).find(|(_, other)| **other == net_id).map(|(entity, _)| entity).expect("it is there")
}

fn state_of(population: &mut Population, net_id: NetId) -> CharacterState {
    let world = population.world_mut();
    let entity = entity_of(world, net_id);
    *world.get(entity).expect("it has one")
}

#[test]
fn those_who_see_one_another_go_together_in_full_packs() {
    for (count, size, expected) in [(12, 4, vec![4; 3]), (9, 12, vec![9]), (13, 12, vec![12]), (7, 3, vec![3, 3])] {
        let mut population = Population::new(&config(&[kind("kind", size, Formation::Loose)]), count, 12.0, false);
        // Those who set out the other way meet the others again.
        for _ in 0..300 {
            run(&mut population, 10);
            check(&mut population);
            if sizes(&population) == expected {
                break;
            }
        }
        assert_eq!(sizes(&population), expected, "{count} in packs of {size}");
    }
}

#[test]
fn nobody_goes_together_alone_or_with_another_kind_or_with_whom_it_does_not_see() {
    let alone = kind("alone", 1, Formation::Loose);
    let mut population = Population::new(&config(&[alone]), 20, 12.0, false);
    run(&mut population, 100);
    assert!(sizes(&population).is_empty());
    assert!(population.world().resource::<Packs>().roll.is_empty(), "nobody pays for what nobody has");
    let mut population = Population::new(
        &config(&[kind("one", 5, Formation::Loose), kind("other", 5, Formation::Line)]),
        40,
        15.0,
        false,
    );
    let kinds: Vec<Option<usize>> = {
        let minds = bots(&mut population);
        let world = population.world().resource::<BotWorld>();
        minds.iter().map(|(.., mind)| world.kind_of(mind)).collect()
    };
    for _ in 0..60 {
        run(&mut population, 5);
        check(&mut population);
        for pack in packs(&population) {
            let of: BTreeSet<_> = pack.iter().map(|net_id| kinds[net_id.0 as usize - 1]).collect();
            assert_eq!(of.len(), 1, "{pack:?} are of {of:?}");
        }
    }
    assert!(sizes(&population).len() >= 6, "{:?}", sizes(&population));
    let mut blind = kind("blind", 5, Formation::Loose);
    blind.bots.sight_m = 1.0;
    let mut population = Population::new(&config(&[blind]), 10, 60.0, false);
    run(&mut population, 60);
    assert!(sizes(&population).is_empty());
}

/// How far each who is led is from its place at most and on average, in metres, over the ticks in which who leads walks straight on.
fn errors_m(formation: Formation, unwatched: bool) -> (f32, f32) {
    let config = config(&[kind("kind", 6, formation)]);
    let mut population = Population::new(&config, 6, 10.0, false);
    if unwatched {
        population = population.unwatched();
    }
    let profile = &config.bot_profiles[0];
    run(&mut population, 300);
    let (mut most_m, mut sum_m, mut count) = (0.0_f32, 0.0, 0);
    let mut straight_ticks = 0;
    for _ in 0..2_000 {
        run(&mut population, 1);
        let all = packs(&population);
        assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [6], "they stay together");
        let leader = state_of(&mut population, all[0][0]);
        let velocity_mps = Vec2::new(leader.velocity_mps.x, leader.velocity_mps.z);
        let heading = velocity_mps.normalize_or_zero();
        let is_straight = heading.x.abs() > 0.995 && velocity_mps.length() > 1.5 && leader.position_m.x.abs() < 72.0;
        straight_ticks = if is_straight { straight_ticks + 1 } else { 0 };
        // Eight seconds after a turn everybody is where it belongs.
        if straight_ticks < 160 {
            continue;
        }
        for (rank, net_id) in all[0].iter().enumerate().skip(1) {
            let place_m = leader.ground_position_m() + offset_m(&profile.pack, rank, heading);
            let error_m = place_m.distance(state_of(&mut population, *net_id).ground_position_m());
            (most_m, sum_m, count) = (most_m.max(error_m), sum_m + error_m, count + 1);
        }
    }
    assert!(count > 1_000, "who leads walks: {count}");
    (most_m, sum_m / count as f32)
}

#[test]
fn who_is_led_keeps_its_place_while_who_leads_walks() {
    for formation in [Formation::Line, Formation::Column, Formation::Wedge] {
        let (most_m, mean_m) = errors_m(formation, false);
        assert!(most_m < 0.5 && mean_m < 0.25, "{formation:?}: {most_m} m at most, {mean_m} on average");
    }
    let (most_m, mean_m) = errors_m(Formation::Loose, false);
    assert!(most_m < 2.0 && mean_m < 1.3, "loosely: {most_m} m at most, {mean_m} on average");
    let (most_m, mean_m) = errors_m(Formation::Wedge, true);
    assert!(most_m < 2.0 && mean_m < 1.0, "where nobody looks: {most_m} m at most, {mean_m} on average");
}

/// A wall across the way of the patrol, with a door.
fn wall_with_door(door_m: f32) -> Vec<ObstacleConfig> {
    let side_m = 0.5 * (120.0 - door_m);
    [-1.0, 1.0]
        .map(|side| ObstacleConfig {
            center_m: Vec2::new(0.0, side * 0.5 * (door_m + side_m)),
            height_m: 3.0,
            shape: ObstacleShapeConfig::Box { size_m: Vec2::new(0.6, side_m), yaw_deg: 0.0 },
        })
        .to_vec()
}

#[test]
fn packs_squeeze_through_doors_and_nobody_is_left_behind() {
    for formation in [Formation::Line, Formation::Column, Formation::Wedge, Formation::Loose] {
        let mut config = config(&[kind("kind", 8, formation)]);
        config.obstacles = wall_with_door(1.6);
        // All on one side, in one pack.
        let mut population = Population::new(&config, 8, 10.0, false);
        gather_at(&mut population, Vec2::new(-30.0, 8.0));
        run(&mut population, 100);
        assert_eq!(sizes(&population), [8]);
        let leader = packs(&population)[0][0];
        let (mut crossings, mut side) = (0, -1.0);
        for _ in 0..7_500 {
            run(&mut population, 1);
            let x = state_of(&mut population, leader).position_m.x;
            // Well beyond, so that those who follow have had the time of a few metres.
            if x * side < -25.0 {
                (crossings, side) = (crossings + 1, -side);
                let behind =
                    bots(&mut population).iter().filter(|(_, state, _)| state.position_m.x * side < 0.0).count();
                assert_eq!(behind, 0, "{formation:?}, crossing {crossings}");
            }
        }
        assert!(crossings >= 3, "{formation:?}: {crossings}");
        assert_eq!(sizes(&population), [8], "{formation:?}: nobody has lost the others");
    }
}

/// Sets everybody down around a point, an arm's length from one another.
fn gather_at(population: &mut Population, middle_m: Vec2) {
    let map = population.map();
    let world = population.world_mut();
    for (net_id, mut state) in world.query::<(&NetId, &mut CharacterState)>().iter_mut(world) {
        let place = Vec2::new((net_id.0 % 4) as f32, (net_id.0 / 4) as f32);
        *state = CharacterState::standing_at(&map, middle_m + place);
    }
}

/// One full pack of six, as it walks.
fn six() -> (Population, Vec<NetId>) {
    let mut population = Population::new(&config(&[kind("kind", 6, Formation::Wedge)]), 6, 8.0, false);
    run(&mut population, 200);
    assert_eq!(sizes(&population), [6]);
    let pack = packs(&population).remove(0);
    (population, pack)
}

#[test]
fn whoever_leads_and_is_gone_is_followed_by_who_came_next() {
    // Despawned; played by a person; dead and elsewhere.
    let losses: [fn(&mut World, Entity); 3] = [
        |world, entity| assert!(world.despawn(entity)),
        |world, entity| {
            world.entity_mut(entity).remove::<BotBundle>().remove::<InputBuffer>();
        },
        |world, entity| {
            let mut state = world.get_mut::<CharacterState>(entity).expect("it has one");
            let there = if state.position_m.x < 0.0 { 90.0 } else { -90.0 };
            (state.position_m.x, state.position_m.z) = (there, there);
        },
    ];
    for (number, lose) in losses.into_iter().enumerate() {
        let (mut population, pack) = six();
        let entity = entity_of(population.world_mut(), pack[0]);
        lose(population.world_mut(), entity);
        run(&mut population, 10);
        check(&mut population);
        assert_eq!(packs(&population), [&pack[1..]], "loss {number}");
        run(&mut population, 200);
        let leader = state_of(&mut population, pack[1]);
        for net_id in &pack[2..] {
            let apart_m = state_of(&mut population, *net_id).position_m.distance(leader.position_m);
            assert!(apart_m < 12.0, "loss {number}: {net_id:?} is {apart_m} m away");
        }
    }
}

#[test]
fn whoever_begins_anew_is_the_last_of_its_pack() {
    let (mut population, pack) = six();
    let entity = entity_of(population.world_mut(), pack[0]);
    // As when a person has played it for a moment.
    population.world_mut().entity_mut(entity).remove::<BotBundle>().insert(bot_bundle(1, pack[0]));
    run(&mut population, 15);
    check(&mut population);
    assert_eq!(packs(&population), [[&pack[1..], &pack[..1]].concat()]);
}

#[test]
fn whoever_is_dead_is_of_no_pack_and_a_pack_that_is_gone_leaves_nothing() {
    let (mut population, pack) = six();
    let world = population.world_mut();
    for net_id in [pack[0], pack[3]] {
        let entity = entity_of(world, net_id);
        // Nobody steers it here; the input that it would have is not asked for.
        world.entity_mut(entity).insert(Fighter { is_dead: true, ..Fighter::default() }).remove::<InputBuffer>();
    }
    run(&mut population, 10);
    check(&mut population);
    assert_eq!(packs(&population), [[pack[1], pack[2], pack[4], pack[5]]]);
    let world = population.world_mut();
    for net_id in &pack[..5] {
        let entity = entity_of(world, *net_id);
        world.despawn(entity);
    }
    run(&mut population, 10);
    check(&mut population);
    assert!(packs(&population).is_empty(), "one alone is no pack");
    assert_eq!(population.world().resource::<Packs>().roll.len(), 1);
    let world = population.world_mut();
    let entity = entity_of(world, pack[5]);
    world.despawn(entity);
    run(&mut population, 1);
    assert!(population.world().resource::<Packs>().roll.is_empty());
}

#[test]
fn whoever_is_separated_goes_its_own_way_and_finds_others() {
    let (mut population, pack) = six();
    let map = population.map();
    let world = population.world_mut();
    for net_id in &pack[4..] {
        let entity = entity_of(world, *net_id);
        let mut state = world.get_mut::<CharacterState>(entity).expect("it has one");
        let there_m = Vec2::new(-state.position_m.x.signum() * 60.0, -70.0);
        *state = CharacterState::standing_at(&map, there_m);
    }
    run(&mut population, 100);
    assert_eq!(sizes(&population), [6], "not at once");
    let mut is_apart = false;
    for _ in 0..60 {
        run(&mut population, 10);
        check(&mut population);
        let mut apart = pack[4..].to_vec();
        apart.sort();
        is_apart |= packs(&population).iter().any(|pack| pack.iter().all(|net_id| apart.contains(net_id)));
    }
    assert!(is_apart, "the two who were separated go together: {:?}", packs(&population));
}

#[test]
fn packs_change_with_the_world_file() {
    let (mut population, pack) = six();
    let adopt = |population: &mut Population, kinds: &[BotProfileConfig]| {
        let bots = population.world().resource::<BotWorld>().with(&config(kinds));
        population.world_mut().insert_resource(bots);
        run(population, 10);
        check(population);
    };
    adopt(&mut population, &[kind("kind", 4, Formation::Column)]);
    let all = packs(&population);
    assert_eq!(all[0], pack[..4], "the first four stay");
    adopt(&mut population, &[kind("kind", 1, Formation::Column)]);
    assert!(packs(&population).is_empty() && population.world().resource::<Packs>().roll.is_empty());
    let labels = |population: &mut Population| -> BTreeSet<&str> {
        bots(population).iter().map(|(.., mind)| mind.goal().label()).collect()
    };
    assert_eq!(labels(&mut population), BTreeSet::from(["patrol"]), "nobody marches alone");
    adopt(&mut population, &[kind("kind", 6, Formation::Column)]);
    run(&mut population, 1_500);
    assert_eq!(sizes(&population), [6]);
    assert_eq!(labels(&mut population), BTreeSet::from(["march", "patrol"]));
    // Half of them are of another kind now.
    adopt(&mut population, &[kind("kind", 6, Formation::Column), kind("other", 6, Formation::Wedge)]);
    let world = population.world().resource::<BotWorld>().clone();
    let kinds: Vec<Option<usize>> = bots(&mut population).iter().map(|(.., mind)| world.kind_of(mind)).collect();
    assert!(kinds.iter().any(|kind| kinds[0] != *kind), "{kinds:?}");
    for pack in packs(&population) {
        assert!(pack.iter().all(|net_id| kinds[net_id.0 as usize - 1] == kinds[pack[0].0 as usize - 1]));
    }
}

#[test]
fn a_village_full_of_packs_has_one_outcome_for_any_number_of_threads_and_any_order_of_bots() {
    let run_village = |threads: usize, is_reversed: bool| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
        pool.install(|| {
            let mut config = village_config();
            let kinds =
                [("guards", 5, Formation::Column), ("band", 8, Formation::Loose), ("geese", 6, Formation::Wedge)];
            config.bot_profiles = kinds.map(|(name, size, formation)| kind(name, size, formation)).to_vec();
            config.bot_profiles[1].bots = BotsConfig { flee_weight: 4.0, idle_weight: 1.0, ..village_config().bots };
            let mut population = Population::new(&config, 600, 90.0, is_reversed);
            let mut outcome = Vec::new();
            for tick in 0..600 {
                outcome.push(population.step());
                if tick % 50 == 0 {
                    check(&mut population);
                }
            }
            // Nearly all are where their packs are, in a village of walls and huts.
            let (mut near, mut all) = (0, 0);
            for pack in packs(&population) {
                let leader = state_of(&mut population, pack[0]);
                for net_id in &pack[1..] {
                    let apart_m = state_of(&mut population, *net_id).position_m.distance(leader.position_m);
                    (near, all) = (near + u32::from(apart_m < 20.0), all + 1);
                }
            }
            assert!(near * 20 > all * 19, "{near} of {all} are near those who lead them");
            (outcome, packs(&population))
        })
    };
    let (alone, packs) = run_village(1, false);
    let together: usize = packs.iter().map(Vec::len).sum();
    assert!(together > 400, "{together} of 600 go together");
    for (threads, is_reversed) in [(4, false), (3, true)] {
        let (other, other_packs) = run_village(threads, is_reversed);
        let difference = alone.iter().zip(&other).position(|(a, b)| a != b);
        assert_eq!(difference, None, "with {threads} threads, reversed: {is_reversed}");
        assert_eq!(packs, other_packs);
    }
}

#[test]
fn whoever_is_led_stands_when_who_leads_stands() {
    let mut idle = kind("kind", 6, Formation::Wedge);
    (idle.bots.idle_weight, idle.bots.patrol_weight) = (1.0, 0.0);
    let mut population = Population::new(&config(&[idle]), 6, 8.0, false);
    run(&mut population, 400);
    assert_eq!(sizes(&population), [6]);
    let before = bots(&mut population);
    run(&mut population, 200);
    for ((net_id, before, _), (_, after, _)) in before.iter().zip(bots(&mut population)) {
        let moved_m = before.position_m.distance(after.position_m);
        assert!(moved_m < 0.05, "{net_id:?} has moved {moved_m} m");
    }
}

#[test]
fn guards_that_go_together_stay_at_their_post() {
    let mut config = config(&[kind("guard", 4, Formation::Line)]);
    let center_m = Vec2::new(40.0, 30.0);
    config.places = vec![PlaceConfig { name: "gate".to_owned(), center_m, radius_m: 6.0, draw: 0.0 }];
    let guard = &mut config.bot_profiles[0];
    (guard.guards, guard.leash_m, guard.bots.gather_weight, guard.bots.patrol_weight) = (Some(0), 9.0, 1.0, 0.0);
    let mut population = Population::new(&config, 24, 60.0, false);
    run(&mut population, 2_000);
    assert!(packs(&population).iter().any(|pack| pack.len() == 4), "{:?}", sizes(&population));
    for _ in 0..100 {
        run(&mut population, 5);
        for (net_id, state, mind) in bots(&mut population) {
            let away_m = state.ground_position_m().distance(center_m);
            assert!(away_m < 9.0 + 1.5, "{net_id:?} is {away_m} m away, {:?}", mind.goal());
        }
    }
}
