//! The codec against itself, against hostile bytes, and against the words of the standard.

use std::net::SocketAddr;
use std::time::Duration;

use proptest::prelude::*;

use super::challenge::ChallengeToken;
use super::client::{HANDSHAKE_INTERVAL, Heard};
use super::connect_token::{PRIVATE_BYTES, TOKEN_BYTES};
use super::packet::{self, Header, KeepAlive, PacketType, Request};
use super::*;

const PROTOCOL: u64 = 0x1234_5678_90ab_cdef;
const SERVER_KEY: Key = Key([9; 32]);
const SERVERS: [&str; 2] = ["127.0.0.1:40000", "[2001:db8::1]:40001"];

fn private_token() -> PrivateToken {
    PrivateToken {
        client_id: 0x0102_0304_0506_0708,
        timeout_s: 17,
        addresses: SERVERS.iter().map(|text| text.parse().expect("an address")).collect(),
        client_to_server: Key([1; 32]),
        server_to_client: Key([2; 32]),
        user_data: std::array::from_fn(|place| place as u8 ^ 0x5a),
    }
}

fn token() -> ConnectToken {
    ConnectToken::new(&private_token(), PROTOCOL, 1_000, 1_045, [7; 24], &SERVER_KEY).expect("two addresses")
}

/// Read by offsets counted by hand from the tables of the standard.
#[test]
fn a_connect_token_is_laid_out_as_the_standard_says() {
    let bytes = token().encode().expect("two addresses");
    assert_eq!(bytes.len(), 2_048);
    assert_eq!(&bytes[..13], b"NETCODE 1.02\0");
    assert_eq!(bytes[13..21], [0xef, 0xcd, 0xab, 0x90, 0x78, 0x56, 0x34, 0x12]);
    assert_eq!(bytes[21..37], [[0xe8, 3, 0, 0, 0, 0, 0, 0], [0x15, 4, 0, 0, 0, 0, 0, 0]].concat());
    assert_eq!(bytes[37..61], [7; 24]);
    assert_eq!(bytes[1_085..1_093], [17, 0, 0, 0, 2, 0, 0, 0]);
    assert_eq!(bytes[1_093..1_100], [1, 127, 0, 0, 1, 0x40, 0x9c]);
    assert_eq!(bytes[1_100..1_105], [2, 0x01, 0x20, 0xb8, 0x0d]);
    assert_eq!(bytes[1_115..1_119], [1, 0, 0x41, 0x9c]);
    assert_eq!((&bytes[1_119..1_151], &bytes[1_151..1_183]), (&[1; 32][..], &[2; 32][..]));
    assert!(bytes[1_183..].iter().all(|&byte| byte == 0));
    assert_eq!(ConnectToken::decode(&bytes), Ok(token()));
}

#[test]
fn a_private_token_is_laid_out_as_the_standard_says() {
    let mut sealed = token().sealed;
    let mut associated = b"NETCODE 1.02\0".to_vec();
    associated.extend_from_slice(&PROTOCOL.to_le_bytes());
    associated.extend_from_slice(&1_045u64.to_le_bytes());
    let plain = SERVER_KEY.open_token(&[7; 24], &associated, &mut sealed).expect("sealed with these");
    assert_eq!(plain.len(), 1_008);
    assert_eq!(plain[..16], [[8, 7, 6, 5, 4, 3, 2, 1], [17, 0, 0, 0, 2, 0, 0, 0]].concat());
    assert_eq!(plain[16..23], [1, 127, 0, 0, 1, 0x40, 0x9c]);
    assert_eq!((plain[42], plain[74], plain[106], plain[107]), (1, 2, 0x5a, 0x5b));
    assert!(plain[362..].iter().all(|&byte| byte == 0));
}

#[test]
fn tokens_that_no_login_service_makes_are_refused() {
    let bytes = token().encode().expect("two addresses");
    let broken = |at: usize, value: u8| {
        let mut bytes = bytes;
        bytes[at] = value;
        ConnectToken::decode(&bytes)
    };
    assert_eq!(broken(11, b'1'), Err(TokenError::Version));
    assert_eq!(broken(30, 0), Err(TokenError::Expiry), "it expires before it was made");
    assert_eq!(broken(1_089, 0), Err(TokenError::Addresses));
    assert_eq!(broken(1_089, 33), Err(TokenError::Addresses));
    assert_eq!(broken(1_093, 0), Err(TokenError::Malformed), "an address of no kind");
    assert_eq!(broken(1_093, 3), Err(TokenError::Malformed));
    assert_eq!(ConnectToken::decode(&bytes[1..]), Err(TokenError::Malformed));
    let addresses =
        |count: usize| PrivateToken { addresses: vec![SERVERS[1].parse().expect("one"); count], ..private_token() };
    assert!(addresses(32).seal(PROTOCOL, 0, &[0; 24], &SERVER_KEY).is_ok());
    for count in [0, 33] {
        assert_eq!(addresses(count).seal(PROTOCOL, 0, &[0; 24], &SERVER_KEY), Err(TokenError::Addresses));
    }
}

#[test]
fn what_a_token_authenticates_cannot_be_changed() {
    let ConnectToken { sealed, nonce, .. } = token();
    let open = |protocol, expires, nonce: &[u8; 24], key: &Key| {
        PrivateToken::open(&sealed, protocol, expires, nonce, key).map(|private| private.client_id)
    };
    assert_eq!(open(PROTOCOL, 1_045, &nonce, &SERVER_KEY), Ok(private_token().client_id));
    assert_eq!(open(PROTOCOL + 1, 1_045, &nonce, &SERVER_KEY), Err(TokenError::Seal));
    assert_eq!(open(PROTOCOL, 1_046, &nonce, &SERVER_KEY), Err(TokenError::Seal));
    assert_eq!(open(PROTOCOL, 1_045, &[8; 24], &SERVER_KEY), Err(TokenError::Seal));
    assert_eq!(open(PROTOCOL, 1_045, &nonce, &Key([8; 32])), Err(TokenError::Seal));
}

#[test]
fn a_token_names_its_servers_in_either_order_of_an_ipv6_address() {
    let mut private = private_token();
    let server: SocketAddr = SERVERS[1].parse().expect("an address");
    assert!(private.names(server) && private.names(SERVERS[0].parse().expect("an address")));
    private.addresses = vec!["[120:b80d::100]:40001".parse().expect("the same, each number turned round")];
    assert!(private.names(server));
    assert!(!private.names("[2001:db8::1]:40002".parse().expect("an address")));
}

#[test]
fn a_packet_is_laid_out_as_the_standard_says() {
    let key = Key([3; 32]);
    for (sequence, prefix, bytes) in [
        (0u64, 0x14u8, &[0u8][..]),
        (255, 0x14, &[0xff]),
        (1_000, 0x24, &[0xe8, 0x03]),
        (0x10000, 0x34, &[0, 0, 1]),
        (HANDSHAKE_SEQUENCE_FIRST, 0x84, &[0, 0, 0, 0, 0, 0, 0, 0x80]),
    ] {
        let mut out = [0; PACKET_BYTES_MAX];
        let place = KeepAlive { client_index: 5, clients_max: 9 };
        let length = packet::seal(PacketType::KeepAlive, PROTOCOL, &key, sequence, &[&place.encode()], &mut out);
        assert_eq!(length, 1 + bytes.len() + 8 + 16, "{sequence}");
        assert_eq!((out[0], &out[1..=bytes.len()]), (prefix, bytes), "{sequence}");
        let mut associated = b"NETCODE 1.02\0".to_vec();
        associated.extend_from_slice(&PROTOCOL.to_le_bytes());
        associated.push(prefix);
        let opened = key.open(sequence, &associated, &mut out[1 + bytes.len()..length]).expect("sealed with these");
        assert_eq!(opened, [5, 0, 0, 0, 9, 0, 0, 0]);
    }
}

#[test]
fn packets_whose_numbers_and_lengths_do_not_fit_are_ignored() {
    let read = |prefix: u8, length: usize| Header::read(&[&[prefix][..], &vec![0; length - 1]].concat()).map(|_| ());
    assert_eq!(Header::read(&[]), Err(NetcodeError::TooShort));
    for prefix in [0x95, 0xa5, 0xb5, 0xc5, 0xd5, 0xe5, 0xf5] {
        assert_eq!(read(prefix, 200), Err(NetcodeError::Sequence), "{prefix:#x} has more than eight bytes");
    }
    // As the stock implementation writes the number 0.
    assert_eq!(Header::read(&[0x05; 40]).map(|header| header.sequence), Ok(0));
    assert_eq!(read(0x06, 17), Err(NetcodeError::TooShort));
    for prefix in [0x19, 0x1f, 0x10, 0x80] {
        assert_eq!(read(prefix, 200), Err(NetcodeError::Type), "{prefix:#x}");
    }
    // Prefix, eight bytes of a sequence number and a tag, and then nothing: not even a disconnect is shorter.
    assert_eq!(read(0x86, 25), Ok(()));
    for length in 1..25 {
        assert_eq!(read(0x86, length), Err(NetcodeError::TooShort), "{length}");
    }
    let payload = (5, 1, PAYLOAD_BYTES_MAX);
    // A move names its place besides.
    let moves = [(7, 4 + 10, PAYLOAD_BYTES_MAX), (8, 8, 8)];
    let sizes = [(1u8, 0, 0), (2, 308, 308), (3, 308, 308), (4, 8, 8), payload, (6, 0, 0), moves[0], moves[1]];
    for (number, least, most) in sizes {
        let around = 1 + 1 + 16;
        assert_eq!(read(0x10 | number, around + least), Ok(()), "{number}");
        assert_eq!(read(0x10 | number, around + most), Ok(()), "{number}");
        assert_eq!(read(0x10 | number, around + most + 1), Err(NetcodeError::TooLong), "{number}");
        if least > 0 {
            assert_eq!(read(0x10 | number, around + least - 1), Err(NetcodeError::TooShort), "{number}");
        }
    }
    assert_eq!(read(0, packet::REQUEST_BYTES), Ok(()));
    assert_eq!(packet::REQUEST_BYTES, 1_078);
    assert_eq!(read(0, packet::REQUEST_BYTES - 1), Err(NetcodeError::TooShort));
    assert_eq!(read(0, packet::REQUEST_BYTES + 1), Err(NetcodeError::TooLong));
}

/// A server of one client, as small as the standard allows.
struct Server {
    challenge_key: Key,
    sequence: u64,
    heard: Vec<PacketType>,
}

impl Server {
    /// Answers a packet of the client's as a server does.
    fn answer(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = bytes.to_vec();
        let header = Header::read(&bytes).expect("our client's packets are well-formed");
        self.heard.push(header.packet_type);
        let private = private_token();
        let mut seal = |packet_type, parts: &[&[u8]]| {
            let mut out = [0; PACKET_BYTES_MAX];
            let key = &private.server_to_client;
            let length = packet::seal(packet_type, PROTOCOL, key, self.sequence, parts, &mut out);
            self.sequence += 1;
            out[..length].to_vec()
        };
        if header.packet_type == PacketType::Request {
            let request = Request::read(PROTOCOL, &bytes).expect("of our protocol");
            let Request { sealed, expires_at_s, nonce } = request;
            let opened = PrivateToken::open(sealed, PROTOCOL, expires_at_s, nonce, &SERVER_KEY).expect("our seal");
            assert_eq!(opened, private);
            let challenge = ChallengeToken { client_id: opened.client_id, user_data: opened.user_data };
            return Some(seal(PacketType::Challenge, &[&3u64.to_le_bytes(), &challenge.seal(&self.challenge_key, 3)]));
        }
        let data = header.open(PROTOCOL, &private.client_to_server, &mut bytes).expect("sealed by our client");
        match header.packet_type {
            PacketType::Response => {
                let (number, token) = data.split_first_chunk::<8>().expect("308 bytes");
                let mut token = token.to_vec();
                let number = u64::from_le_bytes(*number);
                let challenge = ChallengeToken::open(&self.challenge_key, number, &mut token).expect("ours");
                assert_eq!((challenge.client_id, challenge.user_data), (private.client_id, private.user_data));
                Some(seal(PacketType::KeepAlive, &[&KeepAlive { client_index: 1, clients_max: 2 }.encode()]))
            }
            PacketType::Payload => {
                let echo = data.to_vec();
                Some(seal(PacketType::Payload, &[&echo]))
            }
            _ => None,
        }
    }
}

fn server() -> Server {
    Server { challenge_key: Key([5; 32]), sequence: 0, heard: Vec::new() }
}

const fn at_ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Sends what is due, and hands back the answer.
fn exchange(client: &mut NetcodeClient, server: &mut Server, now: Duration) -> Option<&'static str> {
    let sent = client.update(now)?.to_vec();
    let mut answer = server.answer(&sent)?;
    Some(match client.receive(now, &mut answer).expect("our server's packets are well-formed") {
        Heard::Connected => "connected",
        Heard::Payload(_) => "payload",
        Heard::Ended(_) => "ended",
        Heard::Nothing => "nothing",
    })
}

#[test]
fn a_client_asks_responds_is_connected_and_says_when_it_leaves() {
    let (mut client, mut server) = (NetcodeClient::new(token(), at_ms(0)), server());
    assert_eq!(exchange(&mut client, &mut server, at_ms(0)), Some("nothing"));
    assert_eq!(exchange(&mut client, &mut server, at_ms(1)), Some("connected"), "the response is sent at once");
    assert_eq!(client.place(), Some(KeepAlive { client_index: 1, clients_max: 2 }));
    let sent = client.payload(at_ms(2), &[b"he", b"llo"]).expect("connected").to_vec();
    let mut answer = server.answer(&sent).expect("an echo");
    let mut replayed = answer.clone();
    assert_eq!(client.receive(at_ms(2), &mut answer), Ok(Heard::Payload(b"hello")));
    assert_eq!(client.receive(at_ms(2), &mut replayed), Err(NetcodeError::Replayed));
    assert_eq!(client.update(at_ms(501)), None, "the payload was sign of life enough");
    assert!(client.update(at_ms(502)).is_some());
    let mut packets = Vec::new();
    client.disconnect(|packet| packets.push(packet.to_vec()));
    packets.iter().for_each(|packet| assert_eq!(server.answer(packet), None));
    use PacketType::{Disconnect, Payload, Request, Response};
    assert_eq!(server.heard[..3], [Request, Response, Payload]);
    assert_eq!(server.heard[3..], [Disconnect; 5]);
    assert_eq!((client.end(), client.payload(at_ms(300), &[b"x"])), (Some(ClientEnd::Left), None));
}

#[test]
fn a_client_repeats_itself_turns_to_the_next_server_and_gives_up() {
    let mut client = NetcodeClient::new(token(), at_ms(0));
    let mut sent = 0;
    for step in 0..340 {
        sent += u32::from(client.update(HANDSHAKE_INTERVAL * step).is_some());
        assert_eq!(client.server(), SERVERS[usize::from(step >= 170)].parse().expect("an address"), "{step}");
    }
    assert_eq!(sent, 340);
    assert!(client.update(at_ms(34_000)).is_none());
    assert_eq!(client.end(), Some(ClientEnd::RequestTimedOut));
    let mut late = NetcodeClient::new(ConnectToken { timeout_s: -1, ..token() }, at_ms(0));
    assert!(late.update(at_ms(44_999)).is_some() && late.end().is_none());
    assert!(late.update(at_ms(45_000)).is_none());
    assert_eq!(late.end(), Some(ClientEnd::TokenExpired));
    let (mut silent, mut server) = (NetcodeClient::new(token(), at_ms(0)), server());
    exchange(&mut silent, &mut server, at_ms(0));
    exchange(&mut silent, &mut server, at_ms(0));
    assert!(silent.update(at_ms(16_999)).is_some() && silent.is_connected());
    silent.update(at_ms(17_000));
    assert_eq!(silent.end(), Some(ClientEnd::TimedOut));
}

#[test]
fn a_client_that_is_denied_everywhere_is_told_that_there_is_no_room() {
    let mut client = NetcodeClient::new(token(), at_ms(0));
    for sequence in 0..2 {
        assert!(client.update(at_ms(sequence)).is_some(), "it asks");
        let mut out = [0; PACKET_BYTES_MAX];
        let key = &private_token().server_to_client;
        let length = packet::seal(PacketType::Denied, PROTOCOL, key, sequence, &[], &mut out);
        assert!(client.end().is_none());
        let mut again = out;
        client.receive(at_ms(1), &mut out[..length]).expect("well-formed");
        // The answer to the request before is not that of the next server, which was not asked yet.
        client.receive(at_ms(1), &mut again[..length]).expect("well-formed");
    }
    assert_eq!(client.end(), Some(ClientEnd::Denied));
}

proptest! {
    #[test]
    fn packets_come_back_and_any_change_is_noticed(
        sequence in any::<u64>(),
        payload in prop::collection::vec(any::<u8>(), 1..=PAYLOAD_BYTES_MAX),
        flipped in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        let key = Key([4; 32]);
        let mut out = [0; PACKET_BYTES_MAX];
        let length = packet::seal(PacketType::Payload, PROTOCOL, &key, sequence, &[&payload], &mut out);
        let mut changed = out;
        changed[flipped.index(length)] ^= 1 << bit;
        if let Ok(header) = Header::read(&changed[..length]) {
            prop_assert_eq!(header.open(PROTOCOL, &key, &mut changed[..length]), Err(NetcodeError::Seal));
        }
        let header = Header::read(&out[..length]).expect("we wrote it");
        prop_assert_eq!(header.sequence, sequence);
        prop_assert_eq!(header.open(PROTOCOL, &key, &mut out[..length]).expect("we sealed it"), &payload[..]);
    }

    #[test]
    fn no_bytes_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..1_400), is_request in any::<bool>()) {
        if is_request && !bytes.is_empty() {
            bytes[0] = 0;
            bytes.resize(packet::REQUEST_BYTES, 0);
        }
        if let Ok(header) = Header::read(&bytes) {
            let _ = header.open(PROTOCOL, &SERVER_KEY, &mut bytes);
        }
        let _ = Request::read(PROTOCOL, &bytes);
        let _ = ChallengeToken::open(&SERVER_KEY, 0, &mut bytes);
        let _ = NetcodeClient::new(token(), at_ms(0)).receive(at_ms(0), &mut bytes);
        bytes.resize(TOKEN_BYTES, 0);
        let _ = ConnectToken::decode(&bytes);
        bytes[..13].copy_from_slice(VERSION_INFO);
        let _ = ConnectToken::decode(&bytes);
    }

    /// Past the seal: whatever a holder of the key seals is read without a panic.
    #[test]
    fn no_sealed_bytes_panic(bytes in prop::collection::vec(any::<u8>(), PRIVATE_BYTES - 16)) {
        let mut sealed: [u8; PRIVATE_BYTES] = [0; PRIVATE_BYTES];
        sealed[..PRIVATE_BYTES - 16].copy_from_slice(&bytes);
        // A number of addresses that gets the reader farther than random ones do.
        sealed[12..16].copy_from_slice(&[bytes[12] % 34, 0, 0, 0]);
        sealed[16] = bytes[16] % 4;
        let mut associated = VERSION_INFO.to_vec();
        associated.extend_from_slice(&[0; 16]);
        let tag = SERVER_KEY.seal_token(&[0; 24], &associated, &mut sealed[..PRIVATE_BYTES - 16]);
        sealed[PRIVATE_BYTES - 16..].copy_from_slice(&tag);
        prop_assert_ne!(PrivateToken::open(&sealed, 0, 0, &[0; 24], &SERVER_KEY), Err(TokenError::Seal));
    }
}
