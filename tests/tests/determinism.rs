//! Invariant 2: a tick is a function of (world, inbound batch, tick), whatever the threads and the order of systems.

use std::any::TypeId;
use std::collections::BTreeSet;

use glam::Vec2;
use throng_server::abilities::CombatLog;
use throng_server::tick::Phase;
use throng_shared::archetypes::{Body, Gait};
use throng_shared::config::{
    ArchetypeConfig, BotProfileConfig, DayConfig, EventConfig, Formation, OutlineConfig, PackConfig, PopulationConfig,
    WorldConfig, ZoneConfig, ZoneKind,
};
use throng_shared::ids::{Archetype, InstanceId};
use throng_tests::{Aim, Link, Plan, Sim, fighting_world, hilly_world};

const TICKS: u32 = 80;

/// More than the server leaves to one thread, so that several really share the work.
const CHARACTERS: u32 = 1_400;
const PLAYERS: u32 = 150;

/// Number of threads, and the seed of the order of systems.
type Variant = (usize, Option<u64>);

/// What is compared with one thread and the order as written, by the world's seed.
const VARIANTS: [(u64, &[Variant]); 2] =
    [(1, &[(1, None), (2, None), (4, Some(1)), (2, Some(2))]), (2, &[(3, Some(3)), (1, Some(4)), (1, Some(5))])];

/// A village with bots of its own, walls around it, and a feast that begins after 25 ticks.
fn add_zones(config: &mut WorldConfig) {
    config.zones = vec![ZoneConfig {
        name: "village".to_owned(),
        kind: ZoneKind::Indoor,
        center_m: Vec2::new(150.0, 50.0),
        outline: OutlineConfig::Box { size_m: Vec2::new(120.0, 80.0), yaw_deg: 20.0 },
        population: Some(150),
        hours_percent: vec![100.0],
    }];
    config.day = DayConfig { length_min: 1.0, begins_h: 12.0 };
    config.events = vec![EventConfig {
        name: "feast".to_owned(),
        from_h: 12.5,
        lasts_h: 6.0,
        every_days: 1,
        zones: vec![0],
        population_percent: 150.0,
        zones_become: Some(ZoneKind::Open),
        feature: None,
    }];
}

/// Half of the bots go alone, half are wolves and go in packs.
fn add_kinds(config: &mut WorldConfig) {
    let gait = Gait { walk_speed_mps: 2.5, run_speed_mps: 9.0 };
    config.archetypes =
        vec![ArchetypeConfig { name: "wolf".to_owned(), gait, body: Body { radius_m: 0.3, height_m: 0.8 } }];
    let wolf = Archetype::own(0).expect("there is room for one");
    let kind = |name: &str, size: u32, formation: Formation| BotProfileConfig {
        archetype: if size > 1 { wolf } else { Archetype::BOT },
        pack: PackConfig { size, formation, ..PackConfig::default() },
        ..BotProfileConfig::new(name, config.bots.clone())
    };
    config.bot_profiles = vec![kind("alone", 1, Formation::Loose), kind("wedge", 6, Formation::Wedge)];
}

/// Fingerprints of every tick of a meadow with bots and players on bad links.
fn fingerprints(seed: u64, threads: usize, order_seed: Option<u64>) -> Vec<u64> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads are to be had");
    pool.install(|| {
        let world = hilly_world(|config| {
            config.seed = seed;
            config.population =
                PopulationConfig { target: CHARACTERS, players_max: 200, ..PopulationConfig::default() };
            add_zones(config);
            add_kinds(config);
        });
        let link = Link { one_way_ms: 40.0, jitter_ms: 20.0, loss_percent: 3.0, ..Link::default() };
        let mut builder = Sim::new(seed).world(world).link(link);
        if let Some(order_seed) = order_seed {
            builder = builder.system_order(order_seed);
        }
        let mut sim = builder.start();
        let players = sim.connect_wanderers(PLAYERS);
        sim.run_ticks(TICKS / 2);
        sim.leave(players[0]);
        sim.plan(players[1], Plan::run_east());
        sim.run_ticks(TICKS / 2);
        let packs = sim.instance(InstanceId(0)).totals().packs;
        assert!(packs.packs > 60 && packs.members > 2 * packs.packs, "{packs:?}");
        sim.fingerprints().to_vec()
    })
}

#[test]
fn every_tick_is_the_same_for_any_number_of_threads_and_any_legal_order_of_systems() {
    for (seed, variants) in VARIANTS {
        let expected = fingerprints(seed, 1, None);
        assert!(expected.len() >= TICKS as usize);
        for &(threads, order_seed) in variants {
            let found = fingerprints(seed, threads, order_seed);
            let diverged = expected.iter().zip(&found).position(|(a, b)| a != b);
            assert_eq!(diverged, None, "seed {seed}, {threads} threads, order {order_seed:?}: first differing tick");
            assert_eq!(expected.len(), found.len());
        }
    }
}

/// Fingerprints of every tick of a world in which everybody shoots, throws, leaps and mends.
fn fighting_fingerprints(threads: usize, order_seed: Option<u64>) -> Vec<u64> {
    const ABILITIES: &str = include_str!("../../assets/worlds/arena/abilities.toml");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads are to be had");
    pool.install(|| {
        // As many as several threads share the work for.
        let world = fighting_world(ABILITIES, |config| {
            config.population = PopulationConfig { target: 1_100, players_max: 200, ..PopulationConfig::default() };
            config.spawn_areas[0].radius_m = 180.0;
            add_kinds(config);
        });
        let link = Link { one_way_ms: 40.0, jitter_ms: 20.0, loss_percent: 3.0, ..Link::default() };
        let mut builder = Sim::new(3).world(world).link(link);
        if let Some(order_seed) = order_seed {
            builder = builder.system_order(order_seed);
        }
        let mut sim = builder.start();
        let players = sim.connect_wanderers(30);
        sim.run_ticks(10);
        for (number, &player) in (0..).zip(&players) {
            sim.teleport(player, Vec2::new(-90.0, -60.0) + Vec2::from_angle(number as f32) * (number as f32 * 0.5));
        }
        sim.run_ticks(20);
        for (number, &player) in (0..).zip(&players) {
            // Half of them at the same one.
            let target = if number % 2 == 0 { 0 } else { (number as usize + 1) % 30 };
            let target = sim.client(players[target]).net_id().expect("it plays");
            let aim = Aim { moves: Vec2::new(1.0, 0.3), ..Aim::at(target, 1 + number as u8 % 6, 5 + number % 7) };
            sim.plan(player, Plan::Aim(aim));
        }
        sim.run_ticks(TICKS);
        let packs = sim.instance(InstanceId(0)).totals().packs;
        assert!(packs.packs > 60, "{packs:?}");
        let log = sim.instance(InstanceId(0)).world().resource::<CombatLog>();
        assert!(log.totals.hits > 60 && log.totals.deaths > 0, "{:?}", log.totals);
        sim.fingerprints().to_vec()
    })
}

#[test]
fn every_tick_of_a_fight_is_the_same_for_any_number_of_threads_and_any_legal_order_of_systems() {
    let expected = fighting_fingerprints(1, None);
    for (threads, order_seed) in [(2, None), (4, Some(1)), (1, Some(2))] {
        let found = fighting_fingerprints(threads, order_seed);
        let diverged = expected.iter().zip(&found).position(|(a, b)| a != b);
        assert_eq!(diverged, None, "{threads} threads, order {order_seed:?}: first differing tick");
        assert_eq!(expected.len(), found.len());
    }
}

/// The systems of a phase in the order in which they run.
fn order(phase: Phase, order_seed: Option<u64>) -> Vec<TypeId> {
    let builder = Sim::new(1);
    let mut sim = match order_seed {
        Some(order_seed) => builder.system_order(order_seed),
        None => builder,
    }
    .start();
    sim.run_ticks(1);
    let schedule = sim.instance_mut(InstanceId(0)).phase_mut(phase);
    let systems = schedule.systems().expect("it has run");
    systems.map(|(_, system)| system.system_type()).collect()
}

#[test]
fn the_orders_of_systems_that_are_compared_differ() {
    let variants = VARIANTS.iter().flat_map(|(_, variants)| variants.iter());
    let order_seeds: BTreeSet<Option<u64>> = variants.map(|&(_, order_seed)| order_seed).collect();
    let orders: BTreeSet<Vec<TypeId>> = order_seeds.iter().map(|&seed| order(Phase::Record, seed)).collect();
    assert!(orders.len() >= 3, "{} orders by the seeds {order_seeds:?}", orders.len());
    assert!(orders.iter().all(|order| order.len() == 5));
}

#[test]
fn other_seeds_give_other_worlds() {
    let (one, two) = (fingerprints(1, 2, None), fingerprints(2, 2, None));
    assert!(one.iter().zip(&two).all(|(a, b)| a != b));
}
