//! A player's socket dies in the middle of the game, and another takes its place: over real sockets.

use std::time::Duration;

use bevy_ecs::prelude::{IntoScheduleConfigs, ResMut};
use throng_client::{Client, ClientTransport, CloseReason, MOVE_AFTER, State, UdpTransport};
use throng_server::game_messages::GameMessages;
use throng_server::net::netcode::HandshakeRefusal;
use throng_server::tick::{BuiltIn, Phase};
use throng_shared::ids::ClientId;
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::link::LinkConditions;
use throng_shared::netcode::ClientEnd;
use throng_tests::{LoopbackOptions, LoopbackServer, flat_world};

const ANN: ClientId = ClientId(7);

/// A game that sends every message back.
fn echo(mut messages: ResMut<GameMessages>) {
    let received: Vec<_> = messages.received().map(|(client, bytes)| (client, bytes.to_vec())).collect();
    for (client, bytes) in received {
        messages.send(client, &bytes).expect("it came in, so it is not too long");
    }
}

/// Lets everybody live for a while; what arrives is added to `echoed`.
fn play(server: &mut LoopbackServer, clients: &mut [&mut Client<UdpTransport>], steps: u32, echoed: &mut Vec<u8>) {
    for _ in 0..steps {
        server.step();
        for client in clients.iter_mut() {
            client.update(server.now());
            while client.is_input_due(server.now()) {
                client.step(server.now(), PlayerInput::towards(glam::Vec2::X, Buttons::default()));
            }
            echoed.extend(std::iter::from_fn(|| client.next_message()).flatten());
        }
    }
}

/// The socket dies and another is opened, again and again, and the program knows at once: the next snapshot is there a round
/// trip later, which over loopback is the next tick.
#[test]
fn a_player_that_moves_goes_on_within_a_round_trip_without_a_word_of_greeting() {
    let mut server = LoopbackServer::start(flat_world(|config| config.population.target = 20));
    server.instance_mut().phase_mut(Phase::Simulate).add_systems(echo.after(BuiltIn));
    let mut ann = server.open_client(ANN);
    let (mut echoed, mut said) = (Vec::new(), 0);
    play(&mut server, &mut [&mut ann], 60, &mut echoed);
    let net_id = ann.net_id();
    for move_number in 1..=10 {
        for _ in 0..7 {
            ann.send_message(&[said]).expect("there is room");
            said += 1;
            play(&mut server, &mut [&mut ann], 1, &mut echoed);
        }
        let before = ann.stats().snapshots;
        ann.transport_mut().move_now(server.now()).expect("loopback has a port");
        // A step for the move to arrive; a tick is five steps.
        play(&mut server, &mut [&mut ann], 6, &mut echoed);
        assert!(ann.stats().snapshots > before, "within a tick and the way there");
        let resumption = ann.resumption().expect("it has moved");
        assert!(resumption.is_complete && resumption.gap_ticks <= 2, "{resumption:?}");
        assert_eq!((ann.state(), ann.net_id(), ann.transport().moves()), (&State::Playing, net_id, move_number));
    }
    play(&mut server, &mut [&mut ann], 200, &mut echoed);
    assert_eq!(echoed, (0..said).collect::<Vec<_>>());
    assert_eq!(server.totals().transport.moves, 10);
}

/// Nobody tells the program, and it hears nothing any more: it moves by itself.
#[test]
fn a_player_who_hears_nothing_any_more_moves_by_itself_and_misses_no_message() {
    let mut server = LoopbackServer::start(flat_world(|config| config.population.target = 20));
    server.instance_mut().phase_mut(Phase::Simulate).add_systems(echo.after(BuiltIn));
    let mut ann = server.open_client(ANN);
    let mut echoed = Vec::new();
    play(&mut server, &mut [&mut ann], 60, &mut echoed);
    let net_id = ann.net_id();
    for said in 0..3 {
        // What the server sends to the old address is lost from here on, as when a router forgets it.
        let old = ann.transport_mut().replace_socket_unnoticed().expect("loopback has a port");
        ann.send_message(&[said]).expect("there is room");
        let cut_at = server.now();
        while ann.transport().moves() == u32::from(said) {
            play(&mut server, &mut [&mut ann], 1, &mut echoed);
            assert!(server.now() < cut_at + MOVE_AFTER + Duration::from_millis(100));
        }
        play(&mut server, &mut [&mut ann], 7, &mut echoed);
        let resumption = ann.resumption().expect("it has moved");
        assert!(resumption.is_complete && (19..24).contains(&resumption.gap_ticks), "{resumption:?}");
        assert_eq!((ann.state(), ann.net_id()), (&State::Playing, net_id));
        drop(old);
    }
    play(&mut server, &mut [&mut ann], 200, &mut echoed);
    assert_eq!(echoed, [0, 1, 2]);
}

/// Who is so far away that the answer to a move comes after the next one is due waits longer for the next.
#[test]
fn a_player_far_away_who_hears_nothing_any_more_moves_and_goes_on() {
    let mut server = LoopbackServer::start(flat_world(|config| config.population.target = 20));
    let mut ann = server.open_client(ANN);
    let far = LinkConditions { one_way_ms: 700.0, ..LinkConditions::default() };
    let transport = server.open_client_transport(ANN).with_conditions(far, 1);
    ann.reconnect(transport);
    play(&mut server, &mut [&mut ann], 1_000, &mut Vec::new());
    assert_eq!((ann.state(), ann.transport().moves()), (&State::Playing, 0));
    let old = ann.transport_mut().replace_socket_unnoticed().expect("loopback has a port");
    play(&mut server, &mut [&mut ann], 1_500, &mut Vec::new());
    drop(old);
    assert_eq!((ann.state(), ann.transport().moves()), (&State::Playing, 2), "over the same socket, then over another");
    let resumption = ann.resumption().expect("it has moved");
    assert!(resumption.is_complete && resumption.gap_ticks > 28, "{resumption:?}");
}

/// There is nothing to go on with before the welcome.
#[test]
fn a_player_that_moves_before_it_is_in_is_told_of_no_gap() {
    let mut server = LoopbackServer::start(flat_world(|config| config.population.target = 20));
    let mut ann = server.open_client(ANN);
    while *ann.state() != State::Greeting {
        play(&mut server, &mut [&mut ann], 1, &mut Vec::new());
    }
    ann.transport_mut().move_now(server.now()).expect("loopback has a port");
    play(&mut server, &mut [&mut ann], 100, &mut Vec::new());
    assert_eq!((ann.state(), ann.transport().moves(), ann.resumption()), (&State::Playing, 1, None));
}

#[test]
fn a_player_whose_socket_dies_goes_on_over_another_as_the_same_character_and_misses_no_message() {
    let mut server = LoopbackServer::start(flat_world(|config| config.population.target = 20));
    server.instance_mut().phase_mut(Phase::Simulate).add_systems(echo.after(BuiltIn));
    let mut ann = server.open_client(ANN);
    let mut echoed = Vec::new();
    play(&mut server, &mut [&mut ann], 60, &mut echoed);
    assert_eq!(*ann.state(), State::Playing);
    let (net_id, visible) = (ann.net_id(), ann.replica().len());
    let mut said = 0;
    for silent_steps in [0, 30, 200] {
        for _ in 0..20 {
            ann.send_message(&[said]).expect("there is room");
            said += 1;
            play(&mut server, &mut [&mut ann], 1, &mut echoed);
        }
        // The socket is gone, and nobody is told: it is the program that notices.
        let transport = server.open_client_transport(ANN);
        play(&mut server, &mut [], silent_steps, &mut echoed);
        ann.reconnect(transport);
        ann.send_message(&[said]).expect("there is room");
        said += 1;
        let lost_at = server.now();
        while *ann.state() != State::Playing {
            play(&mut server, &mut [&mut ann], 1, &mut echoed);
            assert!(server.now() < lost_at + Duration::from_millis(150), "{:?}", ann.state());
        }
        let resumption = ann.resumption().expect("it came back");
        assert!(resumption.is_complete, "{resumption:?}");
        // A tick is five steps; the handshake takes up to three ticks.
        let silent_ticks = silent_steps / 5;
        assert!((silent_ticks..silent_ticks + 5).contains(&resumption.gap_ticks), "{resumption:?}");
        assert_eq!((ann.net_id(), ann.replica().len() >= visible.min(1)), (net_id, true));
    }
    play(&mut server, &mut [&mut ann], 200, &mut echoed);
    assert_eq!(echoed, (0..said).collect::<Vec<_>>());
    assert_eq!(server.instance_mut().sessions().all().len(), 1);
}

/// Her program is started anew while the server is full and still believes in her former connection.
#[test]
fn on_a_full_server_a_player_takes_over_her_own_connection_at_once_and_nobody_else_comes_in() {
    let world = flat_world(|config| config.population.players_max = 1);
    let mut server =
        LoopbackServer::start_with(world, LoopbackOptions { clients_max: 1, ..LoopbackOptions::default() });
    let mut ann = server.open_client(ANN);
    play(&mut server, &mut [&mut ann], 60, &mut Vec::new());
    assert_eq!(*ann.state(), State::Playing);
    let mut bob = server.open_client(ClientId(8));
    play(&mut server, &mut [&mut ann, &mut bob], 60, &mut Vec::new());
    assert_eq!(*bob.state(), State::Closed(CloseReason::Transport(ClientEnd::Denied.into())));
    // She says no word of parting.
    let lost_at = server.now();
    let mut anew = server.open_client(ANN);
    while *anew.state() != State::Playing {
        play(&mut server, &mut [&mut anew], 1, &mut Vec::new());
        assert!(server.now() < lost_at + Duration::from_millis(250), "{:?}", anew.state());
    }
    play(&mut server, &mut [&mut anew], 100, &mut Vec::new());
    assert_eq!((anew.state(), anew.net_id()), (&State::Playing, ann.net_id()));
    assert_eq!(server.totals().transport.handshakes_refused[HandshakeRefusal::Full as usize], 1, "Bob's");
}
