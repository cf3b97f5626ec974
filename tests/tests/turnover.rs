//! Who has gone leaves nothing behind, however many come and go.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use throng_client::{Client, State, UdpTransport};
use throng_shared::config::PopulationConfig;
use throng_shared::ids::ClientId;
use throng_tests::{LoopbackServer, flat_world};

/// Counts every allocation of this program.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Players at a time.
const PLAYERS: u64 = 40;

fn heap_bytes() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Lets players come who have never been there, play for a moment, and leave.
fn visit(server: &mut LoopbackServer, round: u64) {
    let ids = round * PLAYERS + 1..=(round + 1) * PLAYERS;
    let mut clients: Vec<Client<UdpTransport>> = ids.map(|id| server.open_client(ClientId(id))).collect();
    let until = |clients: &mut Vec<Client<UdpTransport>>, server: &mut LoopbackServer, wanted: fn(&State) -> bool| {
        let is_reached = (0..200).any(|_| {
            server.step();
            clients.iter_mut().for_each(|client| client.update(server.now()));
            clients.iter().all(|client| wanted(client.state()))
        });
        assert!(is_reached, "round {round}: {:?}", clients[0].state());
    };
    until(&mut clients, server, |state| *state == State::Playing);
    clients.iter_mut().for_each(|client| client.leave(server.now()));
    drop(clients);
    (0..100).for_each(|_| server.step());
    assert_eq!(server.instance_mut().totals().players, 0);
}

#[test]
fn players_who_come_and_go_leave_no_memory_behind() {
    let population = PopulationConfig { target: 0, players_max: 100, ..PopulationConfig::default() };
    let mut server = LoopbackServer::start(flat_world(|config| config.population = population));
    let (warm_up, rounds) = (10, 25);
    (0..warm_up).for_each(|round| visit(&mut server, round));
    let before = heap_bytes();
    (warm_up..warm_up + rounds).for_each(|round| visit(&mut server, round));
    let growth = heap_bytes() as i64 - before as i64;
    println!("{} players have come and gone: {growth} bytes more than before", rounds * PLAYERS);
    // A buffer may have grown once more; 100 bytes for each of them would be 80,000.
    assert!(growth < 16_384, "{growth} bytes for {} players", rounds * PLAYERS);
}
