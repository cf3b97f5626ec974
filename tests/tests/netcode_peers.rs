//! Our connection layer with a second implementation of the standard, by another author, over loopback: each end with
//! the other's, and each with tokens of either. Time is what the test says; but whether a token has expired, the other
//! implementation asks the system's clock.

use std::net::SocketAddr;
use std::time::Duration;

use netcode_rs::{Client, ClientState, Server};
use throng_client::{ClientTransport, TransportEnd, TransportStatus, UdpTransport, connect_token, token_data};
use throng_server::net::{ConnectionEnd, ConnectionId, Transport, TransportEvent};
use throng_shared::ids::ClientId;
use throng_shared::netcode::{ClientEnd, ConnectToken};
use throng_shared::wire::PROTOCOL_ID;
use throng_shared::wire::key::ConnectKey;
use throng_shared::wire::token::TokenData;
use throng_tests::open_transport;

const STEP: Duration = Duration::from_millis(20);
const STEPS: u32 = 100;
const KEY: ConnectKey = ConnectKey::DEVELOPMENT;

/// The other implementation receives into a buffer of 1,200 bytes, which is less than the largest packet of the
/// standard.
const PAYLOAD_BYTES_MAX_THERE: usize = 1_200 - 1 - 8 - 16;

/// Who has made the token.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Maker {
    Us,
    Them,
}

fn token(maker: Maker, server: SocketAddr, client_id: u64) -> [u8; 2_048] {
    match maker {
        Maker::Us => {
            let token = connect_token(&[server], ClientId(client_id), token_data(), &KEY).expect("one address");
            token.encode().expect("one address")
        }
        Maker::Them => {
            let builder = netcode_rs::ConnectToken::build(server, PROTOCOL_ID, client_id, *KEY.bytes());
            let token = builder.user_data(token_data().encode()).timeout_seconds(5).generate();
            token.expect("one address").try_into_bytes().expect("2,048 bytes")
        }
    }
}

/// What is sent in a step: of another length each time, up to `bytes_max`.
fn payload(step: u32, bytes_max: usize) -> Vec<u8> {
    let length = if step == STEPS { bytes_max } else { 1 + step as usize * 37 % bytes_max };
    vec![step as u8; length]
}

#[test]
fn anothers_client_talks_over_our_transport() {
    for (maker, leaves) in [(Maker::Us, "client"), (Maker::Them, "client"), (Maker::Them, "server")] {
        let mut server = open_transport(10);
        let mut client = Client::new(&token(maker, server.local_address(), 7)).expect("a token of the standard");
        client.connect();
        let mut connected: Option<(ConnectionId, ClientId, Option<TokenData>)> = None;
        let (mut said_here, mut said_there, mut heard_here, mut heard_there) = (vec![], vec![], vec![], vec![]);
        for step in 1..=STEPS {
            let now = STEP * step;
            client.update(now.as_secs_f64());
            if client.is_connected() {
                said_here.push(payload(step, 1_200));
                client.send(&payload(step, 1_200)).expect("loopback takes it");
            }
            server.receive(now, &mut |event| match event {
                TransportEvent::Connected { connection, client, token } => {
                    connected = Some((connection, client, token));
                }
                TransportEvent::Datagram { bytes, .. } => heard_there.push(bytes.to_vec()),
                TransportEvent::Disconnected { end, .. } => panic!("{end:?}"),
            });
            if let Some((connection, ..)) = connected {
                said_there.push(payload(step, PAYLOAD_BYTES_MAX_THERE));
                server.send(now, connection, &[&payload(step, PAYLOAD_BYTES_MAX_THERE)]);
                server.flush();
            }
        }
        let end = STEP * (STEPS + 1);
        client.update(end.as_secs_f64());
        heard_here.extend(std::iter::from_fn(|| client.recv()));
        let (connection, id, data) = connected.expect("its token is right");
        assert_eq!((id, data.is_some()), (ClientId(7), true), "{maker:?}");
        assert!(said_here.len() > 90 && said_there.len() > 90, "{maker:?}");
        assert_eq!((heard_here, heard_there), (said_there, said_here), "{maker:?}");
        if leaves == "client" {
            client.disconnect().expect("loopback takes it");
            let mut ends = Vec::new();
            server.receive(end, &mut |event| {
                if let TransportEvent::Disconnected { end, .. } = event {
                    ends.push(end);
                }
            });
            assert_eq!(ends, [ConnectionEnd::Quit]);
        } else {
            server.disconnect(end, connection);
            server.flush();
            client.update(end.as_secs_f64());
            assert_eq!(client.state(), ClientState::Disconnected);
        }
    }
}

#[test]
fn anothers_client_is_denied_by_a_full_transport() {
    let mut server = open_transport(1);
    let mut clients =
        [1, 2].map(|id| Client::new(&token(Maker::Them, server.local_address(), id)).expect("a token of the standard"));
    clients.iter_mut().for_each(Client::connect);
    for step in 1..=STEPS {
        clients.iter_mut().for_each(|client| client.update((STEP * step).as_secs_f64()));
        server.receive(STEP * step, &mut |_| ());
    }
    assert_eq!(clients.map(|client| client.state()), [ClientState::Connected, ClientState::ConnectionDenied]);
}

#[test]
fn our_transport_talks_with_anothers_server() {
    for (maker, leaves) in [(Maker::Us, "client"), (Maker::Them, "client"), (Maker::Us, "server")] {
        let mut server = Server::new("127.0.0.1:0", PROTOCOL_ID, *KEY.bytes()).expect("loopback has a port");
        let token = ConnectToken::decode(&token(maker, server.addr(), 8)).expect("a token of the standard");
        let mut client = UdpTransport::connect(token, Duration::ZERO).expect("loopback has a port");
        let mut index = None;
        let (mut said_here, mut said_there, mut heard_here, mut heard_there) = (vec![], vec![], vec![], vec![]);
        for step in 1..=STEPS {
            let now = STEP * step;
            client.receive(now, &mut |datagram| heard_here.push(datagram.to_vec()));
            if client.status() == TransportStatus::Connected {
                said_here.push(payload(step, PAYLOAD_BYTES_MAX_THERE));
                client.send(now, &payload(step, PAYLOAD_BYTES_MAX_THERE));
            }
            server.update(now.as_secs_f64());
            while let Some((datagram, from)) = server.recv() {
                index = Some(from);
                heard_there.push(datagram);
            }
            if let Some(index) = index {
                said_there.push(payload(step, 1_200));
                server.send(&payload(step, 1_200), index).expect("loopback takes it");
            }
        }
        let end = STEP * (STEPS + 1);
        client.receive(end, &mut |datagram| heard_here.push(datagram.to_vec()));
        let index = index.expect("the client has said something");
        assert_eq!(server.client_id(index), Some(8), "{maker:?}");
        assert!(said_here.len() > 90 && said_there.len() > 90, "{maker:?}");
        assert_eq!((heard_here, heard_there), (said_there, said_here), "{maker:?}");
        if leaves == "client" {
            client.disconnect(end);
            server.update(end.as_secs_f64());
            assert_eq!(server.num_connected_clients(), 0);
        } else {
            server.disconnect(index).expect("loopback takes it");
            client.receive(end, &mut |_| ());
            let closed = TransportEnd::Netcode(ClientEnd::ClosedByServer);
            assert_eq!(client.status(), TransportStatus::Disconnected(closed));
        }
    }
}
