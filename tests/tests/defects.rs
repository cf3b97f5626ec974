//! Datagrams that crash the stock stack, from anybody and from any player: the same bytes are given to it and to our server. Should it be mended one day,
//! these tests say so.

use std::net::{SocketAddr, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use renet::{ChannelConfig, ConnectionConfig, RenetClient, SendType};
use renetcode::{ClientAuthentication, NetcodeClient, NetcodeServer, ServerAuthentication, ServerConfig, ServerResult};
use throng_client::{ClientTransport, token_data};
use throng_server::net::{Transport, TransportEvent};
use throng_shared::ids::{ClientId, InstanceId};
use throng_shared::wire::control::{self, ClientControl, GoodbyeReason, Hello, ServerControl};
use throng_shared::wire::datagram::{self, CONTROL, Datagram};
use throng_shared::wire::key::ConnectKey;
use throng_shared::wire::{MESSAGE_CHANNEL, PROTOCOL_ID};
use throng_tests::{MemoryClientTransport, Sim, flat_world, open_transport};

fn unix_time() -> Duration {
    Duration::from_millis(token_data().issued_at_ms)
}

/// A datagram of so many bytes that claims a number of so many. Anybody can send it who knows where somebody is connected from.
fn packet(number_bytes: u8, length: usize) -> Vec<u8> {
    const PAYLOAD: u8 = 5;
    [&[number_bytes << 4 | PAYLOAD][..], &vec![0; length - 1]].concat()
}

/// Numbers of more bytes than there are numbers for.
fn impossible_numbers() -> impl Iterator<Item = Vec<u8>> {
    (9..=15).map(|number_bytes| packet(number_bytes, 40))
}

/// Packets that are too short for their number.
fn impossible_lengths() -> impl Iterator<Item = Vec<u8>> {
    (18..25).map(|length| packet(8, length))
}

fn stock_ends() -> (NetcodeClient, NetcodeServer) {
    let (address, key) = (SocketAddr::from(([192, 0, 2, 1], 7_777)), ConnectKey::DEVELOPMENT);
    let authentication = ServerAuthentication::Secure { private_key: *key.bytes() };
    let server = NetcodeServer::new(ServerConfig {
        current_time: unix_time(),
        max_clients: 1,
        protocol_id: PROTOCOL_ID,
        public_addresses: vec![address],
        authentication,
    });
    (stock_client(address), server)
}

fn stock_client(server: SocketAddr) -> NetcodeClient {
    let key = ConnectKey::DEVELOPMENT;
    let token = renetcode::ConnectToken::generate(unix_time(), PROTOCOL_ID, 60, 7, 5, vec![server], None, key.bytes());
    let authentication = ClientAuthentication::Secure { connect_token: token.expect("one address") };
    NetcodeClient::new(unix_time(), authentication).expect("a token of its own")
}

#[test]
fn a_datagram_in_the_name_of_a_client_crashes_the_stock_server() {
    const HERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 9)), 9);
    let (mut client, mut server) = stock_ends();
    for _ in 0..10 {
        let Some((packet, _)) = client.update(Duration::from_millis(300)) else { continue };
        let answer = match server.process_packet(HERE, packet) {
            ServerResult::PacketToSend { payload, .. } | ServerResult::ClientConnected { payload, .. } => {
                Some(payload.to_vec())
            }
            _ => None,
        };
        answer.into_iter().for_each(|mut answer| {
            client.process_packet(&mut answer);
        });
    }
    assert!(client.is_connected());
    let mut is_crashed_by = |mut packet: Vec<u8>| {
        catch_unwind(AssertUnwindSafe(|| matches!(server.process_packet(HERE, &mut packet), ServerResult::None)))
            .is_err()
    };
    assert!(impossible_numbers().any(&mut is_crashed_by), "it has been mended");
    assert!(impossible_lengths().any(&mut is_crashed_by), "it has been mended");
}

#[test]
fn a_datagram_in_the_name_of_a_client_is_counted_here() {
    let mut server = open_transport(1);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has a port");
    socket.set_nonblocking(true).expect("it can");
    let mut client = stock_client(server.local_address());
    let (mut now, mut payloads) = (Duration::ZERO, 0);
    let mut exchange = |client: &mut NetcodeClient, also: &mut dyn Iterator<Item = Vec<u8>>| {
        let mut buffer = [0; 2_048];
        for _ in 0..100 {
            now += Duration::from_millis(20);
            if let Some((packet, to)) = client.update(Duration::from_millis(20)) {
                socket.send_to(packet, to).expect("loopback takes it");
            }
            if client.is_connected() {
                let (to, packet) = client.generate_payload_packet(b"payload").expect("connected");
                socket.send_to(packet, to).expect("loopback takes it");
            }
            also.next().into_iter().for_each(|packet| {
                socket.send_to(&packet, server.local_address()).expect("loopback takes it");
            });
            server.receive(now, &mut |event| match event {
                TransportEvent::Datagram { bytes: b"payload", .. } => payloads += 1,
                TransportEvent::Connected { .. } => (),
                other => panic!("{other:?}"),
            });
            while let Ok(length) = socket.recv(&mut buffer) {
                client.process_packet(&mut buffer[..length]);
            }
        }
        assert!(client.is_connected());
        (payloads, server.totals().refused.iter().sum::<u64>())
    };
    let (before, refused) = exchange(&mut client, &mut std::iter::empty());
    assert_eq!(refused, 0);
    let (after, refused) = exchange(&mut client, &mut impossible_numbers().chain(impossible_lengths()));
    assert_eq!(refused, 14);
    assert!(after >= before + 99, "{before}, then {after} payloads");
}

/// Pieces of long messages, in packets of the reliable channel, each with its number, the message's number, the piece's, how many there are, and its
/// bytes: one beyond the last, and a message whose number of pieces changes.
fn pieces() -> [Vec<Vec<u8>>; 2] {
    const PIECE: u8 = 2;
    let of = |number: u8, message: u8, piece: u8, pieces: u8| {
        let length = 0x4000_u16 | 1_200;
        let head = [PIECE, number, MESSAGE_CHANNEL, message, piece, pieces];
        [&head[..], &length.to_be_bytes(), &[0; 1_200]].concat()
    };
    [vec![of(0, 0, 5, 2)], vec![of(1, 1, 0, 2), of(2, 1, 1, 40)]]
}

#[test]
fn a_piece_of_a_message_crashes_the_stock_channel() {
    let send_type = SendType::ReliableOrdered { resend_time: Duration::from_millis(100) };
    let channel = ChannelConfig { channel_id: MESSAGE_CHANNEL, max_memory_usage_bytes: 1 << 20, send_type };
    let config = || vec![channel.clone()];
    let config = ConnectionConfig {
        available_bytes_per_tick: 60_000,
        server_channels_config: config(),
        client_channels_config: config(),
    };
    for pieces in pieces() {
        let mut channel = RenetClient::new(config.clone());
        channel.set_connected();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            pieces.iter().for_each(|piece| channel.process_packet(piece));
        }));
        assert!(outcome.is_err(), "it has been mended");
    }
}

#[test]
fn whoever_sends_pieces_of_messages_is_sent_away_here_and_nobody_else_notices() {
    let mut sim = Sim::new(3).world(flat_world(|config| config.population.target = 3)).start();
    let [other] = sim.connect();
    sim.run_until_playing();
    let mut transport: MemoryClientTransport = sim.connect_raw(666);
    let hello = ClientControl::Hello(Hello::new(sim.instance(InstanceId(0)).world_hash(), "cheat"));
    let hello = [&[CONTROL], &control::encode(&hello)[..]].concat();
    sim.run_ticks_with(5, |sim| transport.send(sim.now(), &hello));
    assert!(sim.instance(InstanceId(0)).character_of(ClientId(666)).is_some(), "it is in");
    let mut goodbye = None;
    sim.run_ticks_with(40, |sim| {
        let now = sim.now();
        for piece in pieces().concat() {
            datagram::pack(None, [&piece[..]].into_iter(), &mut Vec::new(), |bytes| transport.send(now, bytes));
        }
        transport.receive(now, &mut |bytes| {
            let control = Datagram::parse(bytes).expect("the server packs it").control;
            if let Some(Ok(ServerControl::Goodbye(reason))) = control.map(control::decode) {
                goodbye = Some(reason);
            }
        });
    });
    assert_eq!(goodbye, Some(GoodbyeReason::Malformed));
    sim.run_ticks(20);
    assert!(sim.is_playing(other));
    assert_eq!(sim.client(other).stats().malformed, 0);
}
