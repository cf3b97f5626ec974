//! Invariant 2: a tick is a function of (world, inbound batch, tick), whatever the threads and the order of systems.

use throng_shared::config::PopulationConfig;
use throng_tests::{Link, Plan, Sim, hilly_world};

const TICKS: u32 = 80;

/// More than the server leaves to one thread, so that several really share the work.
const CHARACTERS: u32 = 1_400;
const PLAYERS: u32 = 150;

/// Number of threads, and the seed of the order of systems.
type Variant = (usize, Option<u64>);

/// Fingerprints of every tick of a meadow with bots and players on bad links.
fn fingerprints(seed: u64, threads: usize, order_seed: Option<u64>) -> Vec<u64> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads are to be had");
    pool.install(|| {
        let world = hilly_world(|config| {
            config.seed = seed;
            config.population = PopulationConfig { target: CHARACTERS, players_max: 200 };
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
        sim.fingerprints().to_vec()
    })
}

#[test]
fn every_tick_is_the_same_for_any_number_of_threads_and_any_legal_order_of_systems() {
    let variants: [(u64, &[Variant]); 2] =
        [(1, &[(1, None), (2, None), (4, Some(1))]), (2, &[(3, Some(2)), (1, Some(3))])];
    for (seed, variants) in variants {
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

#[test]
fn other_seeds_give_other_worlds() {
    let (one, two) = (fingerprints(1, 2, None), fingerprints(2, 2, None));
    assert!(one.iter().zip(&two).all(|(a, b)| a != b));
}
