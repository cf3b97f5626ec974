//! Full servers: who is let in nevertheless, and who is told what.

use super::*;

/// Two tables of one server, which share places and used tokens.
fn two_scenes(clients_max: usize) -> [Scene; 2] {
    let mut scenes = [scene(clients_max), scene(clients_max)];
    let TableOptions { places, used_tokens, .. } = &scenes[0].table.options;
    let shared = (places.clone(), used_tokens.clone());
    let options = &mut scenes[1].table.options;
    (options.places, options.used_tokens) = shared;
    options.worker = 1;
    scenes
}

/// A newer token of the client with the number 1.
fn another_of_first(number: u16) -> ConnectToken {
    token(number, |private| private.client_id = 1)
}

#[test]
fn on_a_full_server_a_newer_token_takes_over_and_nobody_else_comes_in() {
    let [mut scene, mut other] = two_scenes(1);
    let _first = scene.connect(token(1, |_| ()), client_address(1));
    // Over either network thread, while the former connection still stands.
    let over_other = other.connect(another_of_first(11), client_address(11));
    assert_eq!((over_other.is_connected(), other.connections[0].1), (true, ClientId(1)));
    let third = scene.connect(another_of_first(12), client_address(12));
    assert_eq!(third.end(), Some(ClientEnd::Denied), "two are enough");
    let stranger = other.connect(token(2, |_| ()), client_address(2));
    assert_eq!(stranger.end(), Some(ClientEnd::Denied));
    let full = [&scene, &other].map(|scene| scene.turned_away(HandshakeRefusal::Full));
    assert_eq!(full, [1, 1]);
    // The front door ends what was superseded; then it can be done again.
    let (former, ..) = scene.connections[0];
    scene.table.disconnect(former, &mut [0; PACKET_BYTES_MAX]).expect("it is connected");
    assert!(scene.connect(another_of_first(13), client_address(13)).is_connected());
}

#[test]
fn who_loses_the_last_place_to_another_thread_is_told_and_its_token_stays_good() {
    let [mut scene, mut other] = two_scenes(1);
    let mut loser = scene.challenge(token(2, |_| ()), client_address(2));
    let _winner = other.connect(token(1, |_| ()), client_address(1));
    scene.exchange(&mut loser, client_address(2));
    assert_eq!((loser.end(), scene.connections.len()), (Some(ClientEnd::Denied), 0));
    assert_eq!(scene.turned_away(HandshakeRefusal::Full), 1);
    let (winner, ..) = other.connections[0];
    other.table.disconnect(winner, &mut [0; PACKET_BYTES_MAX]).expect("it is connected");
    assert!(other.connect(token(2, |_| ()), client_address(3)).is_connected(), "the same token, from elsewhere");
}

#[test]
fn a_place_that_was_taken_for_a_token_that_is_used_up_is_given_back() {
    let mut scene = scene(1);
    let asked = request(&token(1, |_| ()));
    let mut client = scene.challenge(token(1, |_| ()), client_address(1));
    // Its token is used up behind its back.
    let tag = std::array::from_fn(|place| asked[asked.len() - 16 + place]);
    assert!(scene.table.options.used_tokens.connect(tag));
    scene.exchange(&mut client, client_address(1));
    assert_eq!((client.is_connected(), scene.turned_away(HandshakeRefusal::Used)), (false, 1));
    assert!(scene.connect(token(2, |_| ()), client_address(2)).is_connected(), "its place is free again");
}
