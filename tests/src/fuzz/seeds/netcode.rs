//! The connection layer: packets, tokens, and whole handshakes, recorded from clients that mean well.

use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;

use throng_shared::netcode::challenge::ChallengeToken;
use throng_shared::netcode::connect_token::ADDRESSES_MAX;
use throng_shared::netcode::crypto::TOKEN_NONCE_BYTES;
use throng_shared::netcode::packet::{self, Header, KeepAlive, PacketType};
use throng_shared::netcode::{ConnectToken, NetcodeClient, PACKET_BYTES_MAX, PrivateToken, USER_DATA_BYTES};

use crate::fuzz::netcode::{
    CREATED_AT_S, EXPIRES_AT_S, KEY, PROTOCOL_ID, connect_token_of, private_token, token_associated_data,
};
use crate::fuzz::script::put_counted;
use crate::fuzz::table::{CLIENTS, Scene, request};

/// How a script's packet gets its number: the next one, one a little before, or any.
const NEXT: u8 = 0;
const BEFORE: u8 = 2 << 3;
const ANY: u8 = 3 << 3;

/// A script's packet is damaged on its way.
const DAMAGED: u8 = 3 << 5;

pub(super) fn netcode_header() -> Vec<(&'static str, Vec<u8>)> {
    let sealed = |packet_type, number, data: &[u8]| {
        let mut out = [0; PACKET_BYTES_MAX];
        let length = packet::seal(packet_type, PROTOCOL_ID, &KEY, number, &[data], &mut out);
        out[..length].to_vec()
    };
    let place = KeepAlive { client_index: 3, clients_max: 1_000 }.encode();
    vec![
        ("request", request(CLIENTS[1])),
        ("denied", sealed(PacketType::Denied, 1 << 63, &[])),
        ("challenge", sealed(PacketType::Challenge, 1 << 63 | 1, &challenge_data())),
        ("response", sealed(PacketType::Response, 0, &challenge_data())),
        ("keep_alive", sealed(PacketType::KeepAlive, 255, &place)),
        ("payload", sealed(PacketType::Payload, 70_000, b"payload")),
        ("disconnect", sealed(PacketType::Disconnect, 256, &[])),
        ("place", place.to_vec()),
        ("challenge_token", challenge_data()[8..].to_vec()),
    ]
}

pub(super) fn connect_token() -> Vec<(&'static str, Vec<u8>)> {
    let one = private_token(1);
    let many = PrivateToken { timeout_s: -1, addresses: addresses(ADDRESSES_MAX), ..one.clone() };
    let mut too_many = private_bytes(&many);
    // Their number stands behind client id and timeout.
    too_many[12] += 1;
    let two = PrivateToken { addresses: addresses(2), ..one.clone() };
    vec![
        ("token", token_bytes(&one)),
        ("token_of_many_addresses", token_bytes(&many)),
        ("private_part", private_bytes(&two)),
        ("private_part_of_many_addresses", private_bytes(&many)),
        ("private_part_of_too_many_addresses", too_many),
    ]
}

pub(super) fn netcode_client() -> Vec<(&'static str, Vec<u8>)> {
    let place = KeepAlive { client_index: 3, clients_max: 1_000 }.encode();
    let challenge = packet_step(1, PacketType::Challenge, ANY, &(1u64 << 63).to_le_bytes(), &challenge_data());
    let kept = packet_step(1, PacketType::KeepAlive, NEXT, &[], &place);
    let payload = packet_step(1, PacketType::Payload, NEXT, &[], b"payload");
    let replayed = packet_step(1, PacketType::Payload, BEFORE, &[0], b"payload");
    let parting = packet_step(0, PacketType::Disconnect, NEXT, &[], &[]);
    let begun = packet_step(4, PacketType::KeepAlive, NEXT, &[], &place);
    let challenged = packet_step(1, PacketType::Move, NEXT, &[], &[9; 8]);
    let mut damaged = packet_step(2, PacketType::Payload, NEXT | DAMAGED, &[], b"payload");
    damaged.extend_from_slice(&[4, 0, 0x10]);
    vec![
        ("denied", packet_step(1, PacketType::Denied, NEXT, &[], &[])),
        ("connected", [&challenge[..], &kept, &payload, &replayed, &damaged, &parting].concat()),
        ("moving", [&challenge[..], &kept, &begun, &payload, &challenged, &kept, &payload].concat()),
        ("timed_out", [&challenge[..], &kept, &[3, 5, 0, 0, 3, 5, 0, 0, 3, 5, 0, 0]].concat()),
    ]
}

pub(super) fn table() -> Vec<(&'static str, Vec<u8>)> {
    let stranger = CLIENTS[1];
    let mut handshake = Vec::new();
    for packet in handshake_packets(stranger) {
        raw_step(&mut handshake, 1, &packet);
    }
    let sealed = |client, packet_type, number, data: &[u8]| {
        let mut out = [0; PACKET_BYTES_MAX];
        let key = private_token(client).client_to_server;
        let length = packet::seal(packet_type, PROTOCOL_ID, &key, number, &[data], &mut out);
        out[..length].to_vec()
    };
    raw_step(&mut handshake, 1, &sealed(stranger, PacketType::Payload, 5, b"here I am"));
    let mut connected = Vec::new();
    for number in [9, 11, 10, 10, 1 << 40] {
        raw_step(&mut connected, 1 << 2, &sealed(CLIENTS[0], PacketType::Payload, number, b"payload"));
    }
    raw_step(&mut connected, 0, &sealed(CLIENTS[0], PacketType::Disconnect, 1 << 41, &[]));
    raw_step(&mut connected, 0, &sealed(CLIENTS[0], PacketType::Payload, 1 << 42, b"late"));
    let mut asked_twice = Vec::new();
    raw_step(&mut asked_twice, 2, &request(CLIENTS[2]));
    raw_step(&mut asked_twice, 3 << 2 | 3, &[0x15; 40]);
    vec![("handshake", handshake), ("connected", connected), ("asked", asked_twice)]
}

pub(super) fn table_sealed() -> Vec<(&'static str, Vec<u8>)> {
    let ask = |place| packet_step(place, PacketType::Request, NEXT, &[], &[]);
    let answer = |place: u8, kind| {
        let said = handshake_packets(CLIENTS[usize::from(place)]);
        let mut packet = said.last().expect("a client responds").clone();
        let key = private_token(CLIENTS[usize::from(place)]).client_to_server;
        let header = Header::read(&packet).expect("it is well-formed");
        let data = header.open(PROTOCOL_ID, &key, &mut packet).expect("it is sealed by that client").to_vec();
        packet_step(place, PacketType::Response, kind, &[], &data)
    };
    // The client that is connected from the start, from the address of another.
    let moved = |place: u8| {
        let data = [&[0; 8][..], &4u16.to_le_bytes(), b"here, and padding"].concat();
        packet_step(place | 1 << 4, PacketType::Move, NEXT, &[], &data)
    };
    let damaged_answer = [answer(1, NEXT | DAMAGED), vec![60, 0, 1]].concat();
    let say = |place: u8| packet_step(place | 1 << 2, PacketType::Payload, NEXT, &[], b"payload");
    let keep = packet_step(0, PacketType::KeepAlive, NEXT, &[], &[0; 8]);
    let again = packet_step(0, PacketType::Payload, BEFORE, &[1], b"payload");
    let far = packet_step(0, PacketType::Payload, ANY, &(u64::MAX - 1).to_le_bytes(), b"payload");
    let part = packet_step(0, PacketType::Disconnect, NEXT, &[], &[]);
    let mut damaged = packet_step(0, PacketType::Payload, NEXT | DAMAGED, &[], b"payload");
    damaged.extend_from_slice(&[9, 0, 1]);
    vec![
        ("handshake", [ask(1), damaged_answer, answer(1, NEXT), say(1), ask(2)].concat()),
        ("connected", [say(0), keep.clone(), again.clone(), damaged, say(0), far].concat()),
        ("another_in_its_place", [say(0), part, say(0), ask(2), ask(1), answer(1, NEXT), say(1), again].concat()),
        ("moved", [say(0), moved(3), say(0), moved(2), moved(3), say(3), say(1), moved(0), say(0)].concat()),
        ("silent", [3 << 2, 5, 0, 0].repeat(12)),
    ]
}

/// What a client says until it is connected, in a scene of its own.
fn handshake_packets(number: u8) -> Vec<Vec<u8>> {
    let mut client = NetcodeClient::new(connect_token_of(number), Duration::ZERO);
    let said = Scene::new().connect(number, &mut client);
    assert!(client.is_connected() && said.len() == 2, "a request and a response");
    said
}

fn challenge_data() -> Vec<u8> {
    let token = ChallengeToken { client_id: 1, user_data: [7; USER_DATA_BYTES] };
    [&[0; 8][..], &token.seal(&KEY, 0)].concat()
}

/// A step of a script whose packets are sealed by the target.
fn packet_step(step: u8, packet_type: PacketType, kind: u8, number: &[u8], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![step, packet_type as u8 | kind];
    bytes.extend_from_slice(number);
    put_counted(&mut bytes, data);
    bytes
}

fn raw_step(script: &mut Vec<u8>, step: u8, packet: &[u8]) {
    script.push(step);
    put_counted(script, packet);
}

fn token_bytes(private: &PrivateToken) -> Vec<u8> {
    let nonce = [3; TOKEN_NONCE_BYTES];
    let token = ConnectToken::new(private, PROTOCOL_ID, CREATED_AT_S, EXPIRES_AT_S, nonce, &KEY);
    without_zeros(&token.and_then(|token| token.encode()).expect("it has addresses"))
}

fn private_bytes(private: &PrivateToken) -> Vec<u8> {
    let nonce = [0; TOKEN_NONCE_BYTES];
    let mut sealed = private.seal(PROTOCOL_ID, EXPIRES_AT_S, &nonce, &KEY).expect("it has addresses");
    let plain = KEY.open_token(&nonce, &token_associated_data(), &mut sealed);
    without_zeros(plain.expect("it was sealed just now"))
}

/// Bytes without the zeros at their end, which the target adds.
fn without_zeros(bytes: &[u8]) -> Vec<u8> {
    let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    bytes[..end].to_vec()
}

fn addresses(count: usize) -> Vec<SocketAddr> {
    let v6 = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    let both = [SocketAddr::from(([192, 0, 2, 1], 7_777)), SocketAddr::from((v6, 7_777))];
    both.into_iter().cycle().take(count).collect()
}
