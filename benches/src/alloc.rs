//! `alloc`: what a steady server asks of the allocator, over real sockets.

use std::alloc::System;

use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use throng_client::{Client, UdpTransport};
use throng_shared::config::PopulationConfig;
use throng_shared::ids::ClientId;
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::random::Random;
use throng_tests::{LoopbackOptions, LoopbackServer, flat_world};

use crate::figures::Report;

/// Takes the place of the system's allocator, as the server's program has it: linked, and no more.
#[cfg(target_os = "linux")]
use mimalloc as _;

/// Counts every allocation of this program; that costs an atomic addition for each.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Steps of a server between two ticks.
const STEPS_PER_TICK: u32 = 5;

/// Ticks until every buffer has grown to what it needs.
const WARM_UP_TICKS: u32 = 400;

/// Bytes that this program has asked for and not given back.
pub(crate) fn heap_bytes() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Runs it.
pub(crate) fn run(clients: u32, ticks: u32, is_quick: bool) -> Report {
    let population = PopulationConfig { target: 0, players_max: clients, ..PopulationConfig::default() };
    let world = flat_world(|config| config.population = population);
    let mut server = LoopbackServer::start_with(
        world,
        LoopbackOptions { clients_max: clients as usize, ..LoopbackOptions::default() },
    );
    let mut players: Vec<Client<UdpTransport>> =
        (1..=u64::from(clients)).map(|id| server.open_client(ClientId(id))).collect();
    let mut random = Random::new(1, 0);
    let (mut allocations, mut bytes) = (0, 0);
    for step in 0..(WARM_UP_TICKS + ticks) * STEPS_PER_TICK {
        let region = Region::new(ALLOCATOR);
        server.step();
        let change = region.change();
        if step >= WARM_UP_TICKS * STEPS_PER_TICK {
            allocations += change.allocations + change.reallocations;
            bytes += change.bytes_allocated;
        }
        for player in &mut players {
            player.update(server.now());
            while player.is_input_due(server.now()) {
                // To and fro, so that everybody stays in sight.
                let away_m = player.prediction().state().ground_position_m();
                let direction = random.in_disc(1.0) - away_m / 20.0;
                player.step(server.now(), PlayerInput::towards(direction, Buttons::RUN));
            }
        }
    }
    let mut report = Report::new("alloc", json!({ "clients": clients, "ticks": ticks, "quick": is_quick }));
    report.add("allocs_per_client_tick", allocations as f64 / f64::from(clients * ticks));
    report.add("allocations", allocations as f64);
    report.add("allocated_bytes", bytes as f64);
    report
}
