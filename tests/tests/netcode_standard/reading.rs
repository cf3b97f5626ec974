//! "Reading Encrypted Packets" and "Replay Protection", at both ends of a connection. Sizes and numbers of sequence
//! bytes are checked beside the codec, and the window against all histories beside it.

use std::net::SocketAddr;

use throng_shared::netcode::client::Heard;
use throng_shared::netcode::packet::{KeepAlive, PacketType};
use throng_shared::netcode::replay::REPLAY_WINDOW;
use throng_shared::netcode::{Key, NetcodeClient, NetcodeError};

use crate::server::{Outcome, Server, client_address, data_of};

const TYPES: [PacketType; 6] = [
    PacketType::Denied,
    PacketType::Challenge,
    PacketType::Response,
    PacketType::KeepAlive,
    PacketType::Payload,
    PacketType::Disconnect,
];

/// A connection, and numbers of packets that it has not seen.
struct Connection {
    server: Server,
    client: NetcodeClient,
    from: SocketAddr,
    client_to_server: Key,
    server_to_client: Key,
}

/// What became of a packet at one of the ends.
type Fate = Result<&'static str, NetcodeError>;

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Server,
    Client,
}

const ENDS: [End; 2] = [End::Server, End::Client];

fn connection() -> Connection {
    let mut server = Server::new(1);
    let token = server.vectors.token();
    let (client_to_server, server_to_client) = (token.client_to_server, token.server_to_client);
    let from = client_address(1);
    let (client, _) = server.connect(from, token);
    Connection { server, client, from, client_to_server, server_to_client }
}

impl Connection {
    fn key(&self, end: End) -> Key {
        match end {
            End::Server => self.client_to_server,
            End::Client => self.server_to_client,
        }
    }

    fn sealed(&self, end: End, packet_type: PacketType, number: u64) -> Vec<u8> {
        self.server.seal(&self.key(end), packet_type, number, &data_of(packet_type))
    }

    fn receive(&mut self, end: End, packet: &[u8]) -> Fate {
        match end {
            End::Client => self.client.receive(self.server.now, &mut packet.to_vec()).map(|heard| match heard {
                Heard::Nothing => "nothing",
                Heard::Payload(_) => "payload",
                Heard::Ended(_) => "ended",
                Heard::Connected => "connected",
            }),
            End::Server => {
                let before = self.server.totals().refused;
                let outcome = self.server.receive(self.from, packet);
                let after = self.server.totals().refused;
                if let Some(error) = NetcodeError::ALL.into_iter().find(|&e| after[e as usize] > before[e as usize]) {
                    assert_eq!(outcome, Outcome::Nothing);
                    return Err(error);
                }
                Ok(match outcome {
                    Outcome::Nothing => "nothing",
                    Outcome::Payload(_) => "payload",
                    Outcome::Disconnected => "ended",
                    Outcome::Reply(_) | Outcome::Connected(..) => "answered",
                })
            }
        }
    }
}

/// "The server ignores packets with type connection challenge packet. The client ignores packets with type connection
/// request packet and connection response packet." Nor has a connected end any use for the other packets of a
/// handshake.
#[test]
fn each_end_takes_the_types_that_are_meant_for_it() {
    let ignored = Ok("nothing");
    let table = [
        // Nobody but a server sends the first two, and nobody but a client the third.
        (PacketType::Denied, Err(NetcodeError::Type), ignored),
        (PacketType::Challenge, Err(NetcodeError::Type), ignored),
        (PacketType::Response, ignored, Err(NetcodeError::Type)),
        (PacketType::KeepAlive, ignored, ignored),
        (PacketType::Payload, Ok("payload"), Ok("payload")),
        (PacketType::Disconnect, Ok("ended"), Ok("ended")),
    ];
    for (packet_type, at_server, at_client) in table {
        for (end, expected) in [(End::Server, at_server), (End::Client, at_client)] {
            let mut connection = connection();
            let packet = connection.sealed(end, packet_type, 40);
            assert_eq!(connection.receive(end, &packet), expected, "{packet_type:?} at the {end:?}");
            // What was ignored has not used up its number; what was heard has.
            let has_counted = packet_type.is_replay_protected();
            let again = connection.sealed(end, PacketType::Payload, 40);
            if packet_type != PacketType::Disconnect {
                let expected = if has_counted { Err(NetcodeError::Replayed) } else { Ok("payload") };
                assert_eq!(connection.receive(end, &again), expected, "after {packet_type:?} at the {end:?}");
            }
        }
    }
    let mut connection = connection();
    let request = connection.server.vectors.tokens[0].request;
    assert_eq!(connection.receive(End::Client, &request), Err(NetcodeError::Type));
    assert_eq!(connection.receive(End::Server, &request), ignored, "its address is connected");
}

/// "Replay protection is applied to keep-alive, payload and disconnect packets", and to no others.
#[test]
fn a_number_counts_for_the_types_that_are_replay_protected() {
    for end in ENDS {
        for packet_type in TYPES {
            let mut connection = connection();
            let first = connection.sealed(end, PacketType::Payload, 9);
            assert_eq!(connection.receive(end, &first), Ok("payload"));
            let packet = connection.sealed(end, packet_type, 9);
            let is_replayed = connection.receive(end, &packet) == Err(NetcodeError::Replayed);
            let is_protected =
                matches!(packet_type, PacketType::KeepAlive | PacketType::Payload | PacketType::Disconnect);
            assert_eq!(is_replayed, is_protected, "{packet_type:?} at the {end:?}");
        }
    }
}

/// "If the packet type fails the replay protection already received test, ignore the packet. If the per-packet type
/// data fails to decrypt, ignore the packet", in this order: what was received before costs no decryption.
#[test]
fn a_number_is_looked_at_before_the_seal_and_kept_only_after_it() {
    for end in ENDS {
        let mut connection = connection();
        let [first, far, near] = [700, 5_000, 701].map(|number| connection.sealed(end, PacketType::Payload, number));
        assert_eq!(connection.receive(end, &first), Ok("payload"));
        let mut forged = first.clone();
        *forged.last_mut().expect("a tag") ^= 1;
        assert_eq!(connection.receive(end, &forged), Err(NetcodeError::Replayed), "at the {end:?}");
        // "Advance the most recent replay protection sequence #" comes after decryption: whoever cannot seal cannot
        // push the window beyond what the other end will say next.
        let mut forged = far.clone();
        *forged.last_mut().expect("a tag") ^= 1;
        assert_eq!(connection.receive(end, &forged), Err(NetcodeError::Seal), "at the {end:?}");
        assert_eq!(connection.receive(end, &near), Ok("payload"), "at the {end:?}");
        assert_eq!(connection.receive(end, &far), Ok("payload"), "at the {end:?}");
    }
}

/// "Any packet older than the most recent sequence number received, minus the replay buffer size, is discarded", up to
/// the last number there is: errata of the standard, an addition there would overflow.
#[test]
fn the_window_reaches_back_as_far_as_it_says_and_up_to_the_last_number() {
    for end in ENDS {
        for newest in [REPLAY_WINDOW, 1 << 32, u64::MAX - 1, u64::MAX] {
            let mut connection = connection();
            let expected = [
                (newest, Ok("payload")),
                (newest, Err(NetcodeError::Replayed)),
                (newest - REPLAY_WINDOW + 1, Ok("payload")),
                (newest - REPLAY_WINDOW + 1, Err(NetcodeError::Replayed)),
                (newest - REPLAY_WINDOW, Err(NetcodeError::Replayed)),
                (newest - 1, Ok("payload")),
            ];
            for (number, fate) in expected {
                let packet = connection.sealed(end, PacketType::Payload, number);
                assert_eq!(connection.receive(end, &packet), fate, "{number} after {newest} at the {end:?}");
            }
        }
    }
}

/// The keys have directions: what one end has sealed is nothing to itself.
#[test]
fn a_packet_that_comes_back_to_its_sender_is_not_taken() {
    let mut connection = connection();
    let now = connection.server.now;
    let sent = connection.client.payload(now, &[b"hello"]).expect("connected").to_vec();
    assert_eq!(connection.receive(End::Client, &sent), Err(NetcodeError::Seal));
    assert_eq!(connection.client.place(), Some(KeepAlive { client_index: 0, clients_max: 1 }));
    assert_eq!(connection.receive(End::Server, &sent), Ok("payload"));
}
