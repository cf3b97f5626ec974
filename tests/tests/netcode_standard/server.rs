//! Our table of connections, without a socket, with the keys and the address of the vectors.

use std::net::SocketAddr;
use std::time::Duration;

use throng_server::net::netcode::{
    HandshakeRefusal, Received, ReplyBuffer, Table, TableOptions, TakenPlaces, UsedTokens,
};
use throng_server::net::{ConnectionId, TransportTotals};
use throng_shared::netcode::challenge::CHALLENGE_BYTES;
use throng_shared::netcode::client::Heard;
use throng_shared::netcode::packet::{self, PacketType};
use throng_shared::netcode::{ConnectToken, Key, NetcodeClient, NetcodeError, PACKET_BYTES_MAX, PrivateToken};

use crate::vectors::Vectors;

/// Where clients are; the last number tells them apart.
pub(crate) fn client_address(number: u8) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, number], 1_000))
}

/// Data as long as the type of a packet demands.
pub(crate) fn data_of(packet_type: PacketType) -> Vec<u8> {
    let length = match packet_type {
        PacketType::Challenge | PacketType::Response => 8 + CHALLENGE_BYTES,
        PacketType::KeepAlive | PacketType::MoveChallenge => 8,
        PacketType::Move => 10,
        PacketType::Payload => 5,
        PacketType::Request | PacketType::Denied | PacketType::Disconnect => 0,
    };
    vec![1; length]
}

/// Has the table of a server, and says what came of each packet.
pub(crate) struct Server {
    pub(crate) table: Table,
    pub(crate) now: Duration,
    pub(crate) vectors: Vectors,
}

/// What came of a packet.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    Nothing,
    Reply(Vec<u8>),
    /// Somebody has a place; the reply tells of it.
    Connected(ConnectionId, Vec<u8>),
    Payload(Vec<u8>),
    Disconnected,
}

impl Outcome {
    /// The packet that goes back.
    pub(crate) fn reply(self) -> Vec<u8> {
        match self {
            Outcome::Reply(packet) | Outcome::Connected(_, packet) => packet,
            other => panic!("no answer: {other:?}"),
        }
    }
}

impl Server {
    /// Nobody connected; the clock shows the moment in which the first token was made.
    pub(crate) fn new(clients_max: usize) -> Server {
        let vectors = Vectors::read();
        let token = &vectors.tokens[0];
        let table = Table::new(TableOptions {
            protocol_id: vectors.protocol_id,
            key: vectors.private_key,
            public: token.private.addresses[0],
            clients_max,
            places: TakenPlaces::default(),
            worker: 0,
            used_tokens: UsedTokens::default(),
            unix_offset: Duration::from_secs(token.created_at_s),
            challenge_key: vectors.challenge_key,
            handshake_start: 0,
        });
        Server { table, now: Duration::ZERO, vectors }
    }

    /// Gives a packet to the table.
    pub(crate) fn receive(&mut self, from: SocketAddr, packet: &[u8]) -> Outcome {
        let (mut packet, mut reply) = (packet.to_vec(), ReplyBuffer::default());
        let asked_bytes = packet.len();
        let outcome = match self.table.receive(self.now, from, &mut packet, &mut reply) {
            Received::Nothing => return Outcome::Nothing,
            Received::Payload { payload, .. } => return Outcome::Payload(payload.to_vec()),
            Received::Moved { .. } => panic!("the standard knows no moves"),
            Received::Disconnected { .. } => return Outcome::Disconnected,
            Received::Reply => Outcome::Reply(reply.packet().to_vec()),
            Received::Connected { connection, .. } => Outcome::Connected(connection, reply.packet().to_vec()),
        };
        // "Make sure any response packet is smaller than the request packet".
        assert!(reply.packet().len() < asked_bytes, "{outcome:?}");
        outcome
    }

    /// Lets time pass; which connections have ended.
    pub(crate) fn wait(&mut self, time: Duration) -> Vec<ConnectionId> {
        self.now += time;
        let mut ended = Vec::new();
        self.table.look_after(self.now, &mut [0; PACKET_BYTES_MAX], |_, _| (), |connection| ended.push(connection));
        ended
    }

    /// A token for another client than that of the vectors, made by the rules of the first one.
    pub(crate) fn token(&self, client_id: u64, change: impl FnOnce(&mut PrivateToken)) -> ConnectToken {
        let vector = &self.vectors.tokens[0];
        let mut private = PrivateToken { client_id, ..vector.private.clone() };
        change(&mut private);
        let (protocol_id, mut nonce) = (self.vectors.protocol_id, vector.nonce);
        nonce[16..].copy_from_slice(&client_id.to_le_bytes());
        let (created_at_s, expires_at_s) = (vector.created_at_s, vector.expires_at_s);
        let key = &self.vectors.private_key;
        ConnectToken::new(&private, protocol_id, created_at_s, expires_at_s, nonce, key).expect("two addresses")
    }

    /// Shows a token, and answers the challenge; the client, connected, and its connection.
    pub(crate) fn connect(&mut self, from: SocketAddr, token: ConnectToken) -> (NetcodeClient, ConnectionId) {
        let mut client = NetcodeClient::new(token, self.now);
        let asked = client.update(self.now).expect("it asks at once").to_vec();
        let mut challenge = self.receive(from, &asked).reply();
        client.receive(self.now, &mut challenge).expect("a challenge");
        let response = client.update(self.now).expect("it responds at once").to_vec();
        let Outcome::Connected(connection, mut keep_alive) = self.receive(from, &response) else { panic!("let in") };
        assert_eq!(client.receive(self.now, &mut keep_alive), Ok(Heard::Connected));
        (client, connection)
    }

    /// A packet of any type, sealed as a client with the first token seals, or its server.
    pub(crate) fn seal(&self, key: &Key, packet_type: PacketType, number: u64, data: &[u8]) -> Vec<u8> {
        let mut out = [0; PACKET_BYTES_MAX];
        let length = packet::seal(packet_type, self.vectors.protocol_id, key, number, &[data], &mut out);
        out[..length].to_vec()
    }

    pub(crate) fn totals(&self) -> &TransportTotals {
        self.table.totals()
    }

    pub(crate) fn refused(&self, error: NetcodeError) -> u64 {
        self.totals().refused[error as usize]
    }

    pub(crate) fn turned_away(&self, refusal: HandshakeRefusal) -> u64 {
        self.totals().handshakes_refused[refusal as usize]
    }
}
