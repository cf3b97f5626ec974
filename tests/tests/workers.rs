//! A server with several network threads, each with a socket and a port of its own: one world behind all of them.

use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use bevy_ecs::prelude::{IntoScheduleConfigs, ResMut};
use throng_client::{Client, ClientTransport, CloseReason, State, UdpTransport};
use throng_server::game_messages::GameMessages;
use throng_server::tick::{BuiltIn, Phase};
use throng_shared::ids::ClientId;
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::limits::STRIKES_MAX;
use throng_shared::wire::control::GoodbyeReason;
use throng_tests::{LoopbackOptions, LoopbackServer, flat_world};

/// Steps of a server between two ticks.
const STEPS_PER_TICK: usize = 5;

/// A world without bots behind three ports.
fn start(spread: Duration) -> LoopbackServer {
    let world = flat_world(|config| config.population.target = 0);
    LoopbackServer::start_with(world, LoopbackOptions { workers: 3, spread, ..LoopbackOptions::default() })
}

/// Lets everybody live for a step.
fn step<'c>(server: &mut LoopbackServer, clients: impl IntoIterator<Item = &'c mut Client<UdpTransport>>) {
    server.step();
    for client in clients {
        client.update(server.now());
        while client.is_input_due(server.now()) {
            client.step(server.now(), PlayerInput::towards(glam::Vec2::X, Buttons::default()));
        }
    }
}

/// Lets everybody live for so many steps.
fn live(server: &mut LoopbackServer, clients: &mut [Client<UdpTransport>], steps: usize) {
    (0..steps).for_each(|_| step(server, &mut *clients));
}

#[test]
fn players_at_different_ports_meet_in_one_world() {
    let mut server = start(Duration::ZERO);
    let addresses = server.addresses();
    let mut clients: Vec<_> =
        (0..9).map(|id| server.open_client_to(ClientId(id as u64), &[addresses[id % addresses.len()]])).collect();
    live(&mut server, &mut clients, 60);
    assert_eq!(server.connected(), [3, 3, 3]);
    let everybody: BTreeSet<_> = clients.iter().filter_map(Client::net_id).collect();
    assert_eq!(everybody.len(), clients.len());
    for client in &clients {
        let seen: BTreeSet<_> =
            client.replica().entities().map(|entity| entity.net_id).chain(client.net_id()).collect();
        assert_eq!(seen, everybody);
    }
}

/// The first address is one where nobody answers: something swallows what is sent there, or the system says that nothing listens.
#[test]
fn whoever_is_not_answered_at_the_first_port_plays_at_the_second() {
    let silent = UdpSocket::bind("127.0.0.1:0").expect("loopback has a port");
    let silent_address = silent.local_addr().expect("it is bound");
    // No program of a user has that port.
    let closed_address = SocketAddr::from(([127, 0, 0, 1], 1));
    let mut server = start(Duration::ZERO);
    let [_, second, third] = server.addresses()[..] else { panic!("three ports") };
    let mut clients = vec![
        server.open_client_to(ClientId(1), &[silent_address, second, third]),
        server.open_client_to(ClientId(2), &[closed_address, third, second]),
    ];
    // Ten seconds: as long as a token lets its client wait for an answer.
    live(&mut server, &mut clients, 1_500);
    assert!(clients.iter().all(|client| *client.state() == State::Playing), "{:?}", clients[0].state());
    assert_eq!(server.connected(), [0, 1, 1]);
}

/// A game that sends every message back.
fn echo(mut messages: ResMut<GameMessages>) {
    let received: Vec<_> = messages.received().map(|(client, bytes)| (client, bytes.to_vec())).collect();
    for (client, bytes) in received {
        messages.send(client, &bytes).expect("it came in, so it is not too long");
    }
}

#[test]
fn a_newer_token_takes_over_at_another_port_and_the_character_stays() {
    let mut server = start(Duration::ZERO);
    server.instance_mut().phase_mut(Phase::Simulate).add_systems(echo.after(BuiltIn));
    let addresses = server.addresses();
    let ann = ClientId(7);
    let mut former = server.open_client_to(ann, &addresses[..1]);
    for _ in 0..60 {
        step(&mut server, [&mut former]);
    }
    let net_id = former.net_id().expect("it plays");
    let mut newer = server.open_client_to(ann, &addresses[1..2]);
    for _ in 0..60 {
        step(&mut server, [&mut former, &mut newer]);
    }
    assert_eq!(*former.state(), State::Closed(CloseReason::Goodbye(GoodbyeReason::Replaced)));
    assert_eq!((newer.state(), newer.net_id()), (&State::Playing, Some(net_id)));
    assert_eq!(server.connected(), [0, 1, 0]);
    // And what it says comes back over the port where it is now.
    newer.send_message(b"here").expect("there is room");
    for _ in 0..4 * STEPS_PER_TICK {
        step(&mut server, [&mut newer]);
    }
    assert_eq!(newer.next_message().as_deref(), Some(&b"here"[..]));
}

#[test]
fn whoever_is_sent_away_is_told_so_at_its_own_port() {
    let mut server = start(Duration::ZERO);
    let addresses = server.addresses();
    let mut clients: Vec<_> = (0..3).map(|id| server.open_client_to(ClientId(id), &[addresses[id as usize]])).collect();
    live(&mut server, &mut clients, 60);
    // It has another token in its pocket.
    let mut again = vec![server.open_client_to(ClientId(2), &addresses[..1])];
    let now = server.now();
    assert!(server.host_mut().kick(now, ClientId(2)) && !server.host_mut().kick(now, ClientId(2)));
    live(&mut server, &mut clients, 60);
    assert_eq!(*clients[2].state(), State::Closed(CloseReason::Goodbye(GoodbyeReason::Kicked)));
    assert!(clients[..2].iter().all(|client| *client.state() == State::Playing));
    assert_eq!(server.connected(), [1, 1, 0]);
    // With which it comes in again: to give it none is whoever gives tokens' to do.
    live(&mut server, &mut again, 60);
    assert_eq!(*again[0].state(), State::Playing);
}

#[test]
fn whoever_misbehaves_at_one_port_is_let_in_at_none() {
    let mut server = start(Duration::ZERO);
    let addresses = server.addresses();
    let mut clients = vec![server.open_client_to(ClientId(66), &addresses[..1])];
    live(&mut server, &mut clients, 60);
    for _ in 0..=STRIKES_MAX {
        let now = server.now();
        clients[0].transport_mut().send(now, &[77; 40]);
    }
    live(&mut server, &mut clients, 60);
    assert_eq!(*clients[0].state(), State::Closed(CloseReason::Goodbye(GoodbyeReason::Malformed)));
    let again = |address: SocketAddr| server.open_client_to(ClientId(66), &[address]);
    let mut clients: Vec<_> = addresses.iter().copied().map(again).collect();
    live(&mut server, &mut clients, 200);
    assert!(clients.iter().all(|client| *client.state() != State::Playing));
    assert_eq!(server.connected(), [0, 0, 0]);
}

/// With `net.spread_percent` a tick's snapshots leave little by little, at each port for itself.
#[test]
fn snapshots_of_a_tick_that_are_spread_leave_one_by_one() {
    const PLAYERS: usize = 24;
    for (spread_ms, most_per_step) in [(0, PLAYERS), (40, 6)] {
        let mut server = start(Duration::from_millis(spread_ms));
        let addresses = server.addresses();
        let mut clients: Vec<_> = (0..PLAYERS)
            .map(|id| server.open_client_to(ClientId(id as u64), &[addresses[id % addresses.len()]]))
            .collect();
        live(&mut server, &mut clients, 100);
        let snapshots = |clients: &[Client<UdpTransport>]| clients.iter().map(|client| client.stats().snapshots).sum();
        let arrived: Vec<usize> = (0..4 * STEPS_PER_TICK)
            .map(|_| {
                let before: u64 = snapshots(&clients);
                live(&mut server, &mut clients, 1);
                (snapshots(&clients) - before) as usize
            })
            .collect();
        assert_eq!(arrived.iter().sum::<usize>(), 4 * PLAYERS, "each has one of each tick: {arrived:?}");
        assert_eq!(*arrived.iter().max().expect("steps were lived"), most_per_step, "{arrived:?}");
    }
}
