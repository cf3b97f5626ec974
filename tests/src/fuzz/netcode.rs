//! The connection layer's decoders, and its client.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use throng_shared::limits::DISCONNECT_REPEATS;
use throng_shared::netcode::challenge::ChallengeToken;
use throng_shared::netcode::client::Heard;
use throng_shared::netcode::connect_token::{ADDRESSES_MAX, PRIVATE_BYTES, TOKEN_BYTES};
use throng_shared::netcode::crypto::{TAG_BYTES, TOKEN_NONCE_BYTES};
use throng_shared::netcode::packet::{
    self, Header, KeepAlive, MOVE_DATA_BYTES_FILLED, PacketType, REQUEST_BYTES, Request,
};
use throng_shared::netcode::{
    ConnectToken, Key, NetcodeClient, PACKET_BYTES_MAX, PAYLOAD_BYTES_MAX, PrivateToken, VERSION_INFO,
};
use throng_shared::wire::token::TokenData;

use super::script::Script;

/// Which game.
pub(super) const PROTOCOL_ID: u64 = 77;

/// Seals connect tokens, and packets where only one key is needed.
pub(super) const KEY: Key = Key([9; 32]);

/// When tokens were made, in seconds since 1970.
pub(super) const CREATED_AT_S: u64 = 1_000;

/// When they expire.
pub(super) const EXPIRES_AT_S: u64 = CREATED_AT_S + 60;

const TIME_STEPS_MS: [u64; 4] = [0, 20, 120, 2_000];

/// What scripts may send; the eighth is the move of that direction.
const PACKET_TYPES: [PacketType; 7] = [
    PacketType::Request,
    PacketType::Denied,
    PacketType::Challenge,
    PacketType::Response,
    PacketType::KeepAlive,
    PacketType::Payload,
    PacketType::Disconnect,
];

/// Where the server is that tokens name.
pub(super) fn server_address() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 7_777))
}

/// What the token of a client says; each number has keys of its own.
pub(super) fn private_token(number: u8) -> PrivateToken {
    PrivateToken {
        client_id: u64::from(number),
        timeout_s: 5,
        addresses: vec![server_address()],
        client_to_server: Key([number; 32]),
        server_to_client: Key([number + 100; 32]),
        user_data: TokenData { session: u64::from(number), ..TokenData::default() }.encode(),
    }
}

/// The token of a client.
pub(super) fn connect_token_of(number: u8) -> ConnectToken {
    let nonce = [number; TOKEN_NONCE_BYTES];
    ConnectToken::new(&private_token(number), PROTOCOL_ID, CREATED_AT_S, EXPIRES_AT_S, nonce, &KEY)
        .expect("one address, and a minute of life")
}

/// A packet as it comes from a stranger: header, seal, request.
pub fn netcode_header(bytes: &[u8]) {
    if let Ok(header) = Header::read(bytes) {
        assert!(bytes.len() <= PACKET_BYTES_MAX);
        let mut packet = bytes.to_vec();
        let is_request = header.packet_type == PacketType::Request;
        assert!(!is_request || (bytes.len(), header.sequence) == (REQUEST_BYTES, 0));
        if let (Ok(data), false) = (header.open(PROTOCOL_ID, &KEY, &mut packet), is_request) {
            check_sealed_again(&header, data);
        }
    }
    if let Ok(request) = Request::read(PROTOCOL_ID, bytes) {
        let mut again = [0; REQUEST_BYTES];
        assert_eq!(request.write(PROTOCOL_ID, &mut again), REQUEST_BYTES);
        assert_eq!(again[1..], bytes[1..REQUEST_BYTES]);
    }
    if let Some(place) = KeepAlive::decode(bytes) {
        assert_eq!(place.encode(), bytes);
    }
    if let Some(token) = ChallengeToken::open(&KEY, 0, &mut bytes.to_vec()) {
        assert_eq!(ChallengeToken::open(&KEY, 0, &mut token.seal(&KEY, 0)), Some(token));
    }
}

fn check_sealed_again(header: &Header, data: &[u8]) {
    let mut out = [0; PACKET_BYTES_MAX];
    let length = seal(header.packet_type, header.place, &KEY, header.sequence, data, &mut out);
    let again = Header::read(&out[..length]).expect("what we seal can be read");
    assert_eq!((again.packet_type, again.sequence, again.place), (header.packet_type, header.sequence, header.place));
    assert_eq!(again.open(PROTOCOL_ID, &KEY, &mut out[..length]).map(|data| &*data), Ok(data));
}

/// Seals any packet; only a move has a place.
fn seal(packet_type: PacketType, place: u32, key: &Key, sequence: u64, data: &[u8], out: &mut [u8]) -> usize {
    match packet_type {
        PacketType::Move => packet::seal_move(PROTOCOL_ID, key, sequence, place, data, out),
        _ => packet::seal(packet_type, PROTOCOL_ID, key, sequence, &[data], out),
    }
}

/// A connect token, as a client gets it from its login service; and the same bytes as a token's private part, which the
/// target seals itself, as whoever has the key could. Missing bytes at the end are zero.
pub fn connect_token(bytes: &[u8]) {
    if bytes.len() != TOKEN_BYTES {
        assert!(ConnectToken::decode(bytes).is_err());
    }
    if let Ok(token) = ConnectToken::decode(&padded::<TOKEN_BYTES>(bytes)) {
        check_connect_token(token);
    }
    let (nonce, mut sealed) = ([0; TOKEN_NONCE_BYTES], padded::<PRIVATE_BYTES>(bytes));
    let (plain, tag) = sealed.split_at_mut(PRIVATE_BYTES - TAG_BYTES);
    tag.copy_from_slice(&KEY.seal_token(&nonce, &token_associated_data(), plain));
    let open = |sealed| PrivateToken::open(sealed, PROTOCOL_ID, EXPIRES_AT_S, &nonce, &KEY);
    if let Ok(token) = open(&sealed) {
        assert!((1..=ADDRESSES_MAX).contains(&token.addresses.len()));
        assert!(token.addresses.iter().all(|&address| token.names(address)));
        let again = token.seal(PROTOCOL_ID, EXPIRES_AT_S, &nonce, &KEY).expect("what was read can be written");
        if let Ok(data) = TokenData::decode(&token.user_data) {
            assert_eq!(data.encode(), token.user_data);
        }
        assert_eq!(open(&again), Ok(token));
    }
}

/// What a token's private part is sealed together with.
pub(super) fn token_associated_data() -> Vec<u8> {
    [&VERSION_INFO[..], &PROTOCOL_ID.to_le_bytes(), &EXPIRES_AT_S.to_le_bytes()].concat()
}

/// A token that can be read can be written, and used by a client, whatever it says.
fn check_connect_token(token: ConnectToken) {
    let again = token.encode().expect("what was read can be written");
    assert_eq!(ConnectToken::decode(&again).as_ref(), Ok(&token));
    let addresses = token.addresses.clone();
    assert!((1..=ADDRESSES_MAX).contains(&addresses.len()));
    let mut client = NetcodeClient::new(token, Duration::ZERO);
    for now_s in [0, 1, 10, 1 << 31, 1 << 40] {
        assert!(addresses.contains(&client.server()));
        if let Some(packet) = client.update(Duration::from_secs(now_s)) {
            assert_eq!(packet.len(), REQUEST_BYTES);
        }
    }
}

fn padded<const COUNT: usize>(bytes: &[u8]) -> [u8; COUNT] {
    let mut padded = [0; COUNT];
    let count = COUNT.min(bytes.len());
    padded[..count].copy_from_slice(&bytes[..count]);
    padded
}

/// A packet that a script has sealed, and perhaps damaged on its way.
#[derive(Debug)]
pub(super) struct SealedPacket {
    pub(super) bytes: Vec<u8>,
    pub(super) packet_type: PacketType,
    pub(super) sequence: u64,
    pub(super) data: Vec<u8>,
    pub(super) is_damaged: bool,
}

impl SealedPacket {
    /// Reads a packet from a script and seals it with `key`. `newest` is the highest number that the script has used;
    /// `moving` the eighth type that there is in this direction, and `place` whose move it is.
    ///
    /// | bytes | field |
    /// |---|---|
    /// | 1 | type (3 bits), kind of number (2 bits), damage (2 bits, both set for one), whether a move is short |
    /// | 0, 1 or 8 | number: the next one, a little before that, or any |
    /// | 2 + n | data |
    /// | 0 or 3 | damage: where (2), which bits (1); 0 cuts the packet off there |
    pub(super) fn from_script(
        script: &mut Script<'_>,
        key: &Key,
        newest: &mut u64,
        moving: PacketType,
        place: u32,
    ) -> Option<SealedPacket> {
        let kind = script.byte()?;
        let packet_type = PACKET_TYPES.get(usize::from(kind & 7)).copied().unwrap_or(moving);
        let sequence = match kind >> 3 & 3 {
            0 | 1 => newest.wrapping_add(1),
            2 => newest.wrapping_sub(u64::from(script.byte().unwrap_or(0))),
            _ => script.long(),
        };
        *newest = sequence.max(*newest);
        let mut data = script.counted().to_vec();
        data.truncate(PAYLOAD_BYTES_MAX - 4);
        if packet_type == PacketType::Move && kind >> 7 == 0 {
            data.resize(data.len().max(MOVE_DATA_BYTES_FILLED), 0);
        }
        let mut out = [0; PACKET_BYTES_MAX];
        let length = seal(packet_type, place, key, sequence, &data, &mut out);
        let mut bytes = out[..length].to_vec();
        let is_damaged = kind >> 5 & 3 == 3;
        if is_damaged {
            let place = usize::from(script.short()) % length;
            match script.byte().unwrap_or(0) {
                0 => bytes.truncate(place),
                bits => bytes[place] ^= bits,
            }
        }
        Some(SealedPacket { bytes, packet_type, sequence, data, is_damaged })
    }
}

/// A script of packets for a client, sealed with its server's key. Each step: a byte, in whose low bits is how much time
/// passes, in the next whether the client moves, and a `SealedPacket`.
pub fn netcode_client(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let token = connect_token_of(1);
    let key = token.server_to_client;
    let mut client = NetcodeClient::new(token, Duration::ZERO);
    let (mut now, mut newest, mut heard) = (Duration::ZERO, 0, BTreeSet::new());
    while let Some(step) = script.byte() {
        now += Duration::from_millis(TIME_STEPS_MS[usize::from(step & 3)]);
        let had_ended = client.end();
        if step & 4 != 0 {
            client.begin_move();
            assert_eq!(client.is_moving(), client.is_connected());
        }
        if let Some(packet) = client.update(now) {
            assert!(Header::read(packet).is_ok(), "what the client says can be read");
        }
        if let Some(packet) = client.payload(now, &[b"payload"]) {
            assert!(Header::read(packet).is_ok());
        }
        let sealed = SealedPacket::from_script(&mut script, &key, &mut newest, PacketType::MoveChallenge, 0);
        let Some(mut sealed) = sealed else { break };
        let was_connected = client.is_connected();
        match client.receive(now, &mut sealed.bytes) {
            Ok(Heard::Payload(payload)) => {
                assert!(was_connected && !sealed.is_damaged && sealed.packet_type == PacketType::Payload);
                assert_eq!(payload, sealed.data);
                assert!(heard.insert(sealed.sequence), "a packet is taken once");
            }
            Ok(Heard::Connected) => assert!(!was_connected && !sealed.is_damaged),
            Ok(Heard::Ended(end)) => assert_eq!(client.end(), Some(end)),
            Ok(Heard::Nothing) | Err(_) => assert!(client.is_connected() <= was_connected),
        }
        assert!(had_ended.is_none() || client.end() == had_ended, "what is over stays over");
    }
    let mut parting = 0;
    client.disconnect(|packet| {
        assert!(Header::read(packet).is_ok());
        parting += 1;
    });
    assert!(client.end().is_some() && parting <= DISCONNECT_REPEATS);
}
