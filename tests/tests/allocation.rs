//! A steady server asks for no memory: not for a packet, not for a client, not for a tick.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use throng_client::{Client, State, UdpTransport};
use throng_shared::config::PopulationConfig;
use throng_shared::ids::ClientId;
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::random::Random;
use throng_tests::{LoopbackOptions, LoopbackServer, flat_world};

/// Counts every allocation of this program.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// More than 100, for what takes a few bytes per client may find them on the stack while they are few.
const CLIENTS: u64 = 120;

/// Steps of a server between two ticks.
const STEPS_PER_TICK: usize = 5;

#[test]
fn a_steady_server_allocates_nothing_for_its_clients() {
    // As a server lives: on a thread of the pool, whose jobs others take from it.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
    pool.install(live_steadily);
}

fn live_steadily() {
    let population = PopulationConfig { target: 0, players_max: CLIENTS as u32, ..PopulationConfig::default() };
    let world = flat_world(|config| config.population = population.clone());
    let mut server = LoopbackServer::start_with(
        world,
        LoopbackOptions { clients_max: CLIENTS as usize, ..LoopbackOptions::default() },
    );
    let mut clients: Vec<Client<UdpTransport>> = (1..=CLIENTS).map(|id| server.open_client(ClientId(id))).collect();
    let mut random = Random::new(1, 0);
    let mut inputs = vec![PlayerInput::default(); clients.len()];
    let mut live = |ticks: usize| {
        let (mut allocations, mut bytes) = (0, 0);
        for _ in 0..ticks * STEPS_PER_TICK {
            // What the clients ask for is their own affair.
            let region = Region::new(ALLOCATOR);
            server.step();
            let change = region.change();
            allocations += change.allocations + change.reallocations;
            bytes += change.bytes_allocated;
            for (client, input) in clients.iter_mut().zip(&mut inputs) {
                client.update(server.now());
                while client.is_input_due(server.now()) {
                    // To and fro, so that all stay in sight of all.
                    if random.percent(5.0) {
                        let away_m = client.prediction().state().ground_position_m();
                        let direction = random.in_disc(1.0) - away_m / 20.0;
                        *input = PlayerInput::towards(direction, Buttons::RUN);
                    }
                    client.step(server.now(), *input);
                }
            }
        }
        assert!(clients.iter().all(|client| *client.state() == State::Playing));
        (allocations, bytes)
    };
    // Buffers grow to what a tick needs, and the rings of what was sent to what they hold.
    let (warm_up, _) = live(400);
    assert!(warm_up > 100, "the allocator is not counted: {warm_up}");
    let ticks = 200;
    let (allocations, bytes) = live(ticks);
    println!("{allocations} allocations and {bytes} bytes in {ticks} ticks of {CLIENTS} clients");
    assert_eq!(allocations, 0, "{bytes} bytes in {ticks} ticks of {CLIENTS} clients");
}
