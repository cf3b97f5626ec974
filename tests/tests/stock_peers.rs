//! Our connection layer and the stock one, over real sockets and in memory: each end with the other's.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use renet::{ChannelConfig, ConnectionConfig, RenetClient, SendType};
use renet_netcode::{ClientAuthentication, NetcodeClientTransport};
use renetcode::{NetcodeClient, NetcodeServer, ServerAuthentication, ServerConfig, ServerResult};
use throng_client::{connect_token, token_data};
use throng_server::net::{Connections, Transport, TransportEvent};
use throng_shared::ids::{ClientId, InstanceId};
use throng_shared::netcode::client::Heard;
use throng_shared::netcode::{self, ClientEnd};
use throng_shared::wire::PROTOCOL_ID;
use throng_shared::wire::control::{self, ClientControl, Hello, ServerControl};
use throng_shared::wire::datagram::{CONTROL, Datagram, FRAME};
use throng_shared::wire::inputs::{InputFrame, SnapshotAcks};
use throng_shared::wire::key::ConnectKey;
use throng_shared::wire::token::TokenData;
use throng_tests::{LoopbackServer, flat_world, open_transport};

const STEP: Duration = Duration::from_millis(20);

fn unix_time() -> Duration {
    Duration::from_millis(token_data().issued_at_ms)
}

/// A token as the stock library makes it.
fn stock_token(server: SocketAddr, client_id: u64) -> renetcode::ConnectToken {
    let user_data = TokenData { instance: InstanceId(0), session: 5, issued_at_ms: 6 }.encode();
    let key = ConnectKey::DEVELOPMENT;
    renetcode::ConnectToken::generate(
        unix_time(),
        PROTOCOL_ID,
        60,
        client_id,
        5,
        vec![server],
        Some(&user_data),
        key.bytes(),
    )
    .expect("one address")
}

/// A channel of each kind, both ways.
fn channels() -> ConnectionConfig {
    let config = || {
        let channel = |channel_id, send_type| ChannelConfig { channel_id, max_memory_usage_bytes: 1 << 20, send_type };
        let resend_time = Duration::from_millis(100);
        vec![channel(0, SendType::ReliableOrdered { resend_time }), channel(1, SendType::Unreliable)]
    };
    ConnectionConfig {
        available_bytes_per_tick: 60_000,
        server_channels_config: config(),
        client_channels_config: config(),
    }
}

#[test]
fn a_stock_renet_client_connects_and_exchanges_messages_with_our_transport() {
    let mut server = open_transport(10);
    let address = server.local_address();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has a port");
    let authentication = ClientAuthentication::Secure { connect_token: stock_token(address, 77) };
    let mut transport = NetcodeClientTransport::new(unix_time(), authentication, socket).expect("a token of its own");
    let (mut here, mut there) = (RenetClient::new(channels()), RenetClient::new(channels()));
    there.set_connected();
    let (mut connected, mut connection, mut heard_there, mut heard_here) = (None, None, Vec::new(), Vec::new());
    for step in 0..100u32 {
        let now = STEP * step;
        here.update(STEP);
        transport.update(STEP, &mut here).expect("the connection stands or is being made");
        if here.is_connected() {
            here.send_message(0, format!("reliable {step}"));
            here.send_message(1, format!("unreliable {step}"));
            transport.send_packets(&mut here).expect("connected");
        }
        server.receive(now, &mut |event| match event {
            TransportEvent::Connected { client, token, connection: at } => {
                connected = Some((client, token));
                connection = Some(at);
            }
            TransportEvent::Datagram { bytes, .. } => there.process_packet(bytes),
            TransportEvent::Disconnected { end, .. } => panic!("{end:?}"),
        });
        there.update(STEP);
        for channel in [0, 1u8] {
            while let Some(message) = there.receive_message(channel) {
                heard_there.push(message.clone());
                there.send_message(channel, message);
            }
            while let Some(message) = here.receive_message(channel) {
                heard_here.push(message);
            }
        }
        if let Some(connection) = connection {
            for packet in there.get_packets_to_send() {
                server.send(now, connection, &[&packet]);
            }
            server.flush();
        }
    }
    let data = TokenData { instance: InstanceId(0), session: 5, issued_at_ms: 6 };
    assert_eq!(connected, Some((ClientId(77), Some(data))));
    assert!(heard_there.len() > 150, "{} messages came", heard_there.len());
    let both = |text: &str| heard_there.iter().any(|message| message == text) && heard_here.iter().any(|m| m == text);
    assert!(both("reliable 50") && both("unreliable 50"));
}

#[test]
fn a_stock_netcode_client_plays_in_a_whole_server() {
    let mut server = LoopbackServer::start(flat_world(|config| config.population.target = 20));
    let address = server.address();
    let hash = server.instance_mut().world_hash();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has a port");
    socket.set_nonblocking(true).expect("it can");
    let authentication = renetcode::ClientAuthentication::Secure { connect_token: stock_token(address, 78) };
    let mut client = NetcodeClient::new(unix_time(), authentication).expect("a token of its own");
    let (mut welcomed, mut snapshots, mut last) = (None, 0, server.now());
    for _ in 0..400 {
        server.step();
        let mut buffer = [0; 2_048];
        while let Ok(length) = socket.recv(&mut buffer) {
            let Some(payload) = client.process_packet(&mut buffer[..length]) else { continue };
            let datagram = Datagram::parse(payload).expect("the server packs it");
            snapshots += u32::from(datagram.frame.is_some());
            if let Some(message) = datagram.control {
                let Ok(ServerControl::Welcome(welcome)) = control::decode(message) else { panic!("let in") };
                welcomed = Some(welcome);
            }
        }
        if let Some((packet, to)) = client.update(server.now() - last) {
            socket.send_to(packet, to).expect("loopback takes it");
        }
        last = server.now();
        if !client.is_connected() {
            continue;
        }
        let payload = match &welcomed {
            None => [&[CONTROL], &control::encode(&ClientControl::Hello(Hello::new(hash, "stock")))[..]].concat(),
            Some(welcome) => {
                let mut frame = vec![FRAME];
                let tick = throng_shared::tick::Tick(welcome.tick) + snapshots + 2;
                InputFrame::new(tick, &[Default::default()], SnapshotAcks::default()).encode(&mut frame);
                frame
            }
        };
        let (to, packet) = client.generate_payload_packet(&payload).expect("connected");
        socket.send_to(packet, to).expect("loopback takes it");
    }
    assert!(welcomed.is_some() && snapshots > 40, "{welcomed:?}, {snapshots} snapshots");
}

/// What our client is to the stock server, after each has heard what the other had to say.
fn exchange_with_stock(
    client: &mut netcode::NetcodeClient,
    server: &mut NetcodeServer,
    now: Duration,
    payloads: &mut Vec<Vec<u8>>,
) {
    let address = SocketAddr::from(([192, 0, 2, 9], 9));
    let Some(packet) = client.update(now) else { return };
    let mut packet = packet.to_vec();
    let answer = match server.process_packet(address, &mut packet) {
        ServerResult::PacketToSend { payload, .. } | ServerResult::ClientConnected { payload, .. } => payload.to_vec(),
        ServerResult::Payload { payload, .. } => {
            payloads.push(payload.to_vec());
            return;
        }
        ServerResult::None | ServerResult::ClientDisconnected { .. } => return,
    };
    let mut answer = answer;
    client.receive(now, &mut answer).expect("the stock server's packets are well-formed");
}

#[test]
fn our_client_connects_and_exchanges_payloads_with_the_stock_server() {
    let address: SocketAddr = "[2001:db8::1]:7777".parse().expect("an address");
    let key = ConnectKey::parse(&"ab".repeat(32)).expect("a key");
    // The stock server reads an IPv6 address in another order than the standard's, so that one is in our token too.
    let swapped: SocketAddr = "[120:b80d::100]:7777".parse().expect("an address");
    let token = connect_token(&[address, swapped], ClientId(5), token_data(), &key).expect("two addresses");
    let mut server = NetcodeServer::new(ServerConfig {
        current_time: unix_time(),
        max_clients: 1,
        protocol_id: PROTOCOL_ID,
        public_addresses: vec![address],
        authentication: ServerAuthentication::Secure { private_key: *key.bytes() },
    });
    let mut client = netcode::NetcodeClient::new(token, Duration::ZERO);
    let mut payloads = Vec::new();
    for step in 0..20 {
        exchange_with_stock(&mut client, &mut server, STEP * 5 * step, &mut payloads);
    }
    assert!(client.is_connected());
    for (length, byte) in [(1, 1), (1_200, 2)] {
        let payload = vec![byte; length];
        let mut packet = client.payload(STEP * 101, &[&payload]).expect("connected").to_vec();
        let from = SocketAddr::from(([192, 0, 2, 9], 9));
        let ServerResult::Payload { client_id: 5, payload: heard } = server.process_packet(from, &mut packet) else {
            panic!("it is the client's")
        };
        assert_eq!(heard, payload);
        let (_, packet) = server.generate_payload_packet(5, &payload).expect("it is connected");
        let mut packet = packet.to_vec();
        assert_eq!(client.receive(STEP * 101, &mut packet), Ok(Heard::Payload(&payload)));
    }
    let ServerResult::ClientDisconnected { payload: Some(packet), .. } = server.disconnect(5) else {
        panic!("it is connected")
    };
    let mut packet = packet.to_vec();
    assert_eq!(client.receive(STEP * 102, &mut packet), Ok(Heard::Ended(ClientEnd::ClosedByServer)));
}

#[test]
fn connections_count_stock_clients_like_any_others() {
    let mut connections = Connections::new(open_transport(1));
    let address = connections.transport_mut().local_address();
    let mut inbound = Default::default();
    let mut clients: Vec<(UdpSocket, NetcodeClient)> = (1..3)
        .map(|id| {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has a port");
            socket.set_nonblocking(true).expect("it can");
            let connect_token = stock_token(address, id);
            let authentication = renetcode::ClientAuthentication::Secure { connect_token };
            (socket, NetcodeClient::new(unix_time(), authentication).expect("a token of its own"))
        })
        .collect();
    for step in 0..40u32 {
        for (socket, client) in &mut clients {
            let mut buffer = [0; 2_048];
            while let Ok(length) = socket.recv(&mut buffer) {
                client.process_packet(&mut buffer[..length]);
            }
            if let Some((packet, to)) = client.update(STEP) {
                socket.send_to(packet, to).expect("loopback takes it");
            }
        }
        connections.receive(STEP * step, &mut inbound);
    }
    assert!(clients[0].1.is_connected() && connections.count() == 1);
    assert_eq!(clients[1].1.disconnect_reason(), Some(renetcode::DisconnectReason::ConnectionDenied), "it is told");
}
