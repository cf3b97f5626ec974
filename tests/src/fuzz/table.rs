//! The server's table of connections under any packets, from strangers and from those who hold a key. A bystander is
//! connected all the while, and must neither be harmed nor notice anything.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use throng_server::net::ConnectionId;
use throng_server::net::netcode::{Received, ReplyBuffer, Table, TableOptions, TakenPlaces, UsedTokens};
use throng_shared::netcode::client::Heard;
use throng_shared::netcode::packet::{Move, PacketType};
use throng_shared::netcode::{Key, NetcodeClient, PACKET_BYTES_MAX};

use super::netcode::{CREATED_AT_S, KEY, PROTOCOL_ID, SealedPacket, connect_token_of, private_token, server_address};
use super::script::Script;

/// The bystander, a room for one stranger, and one for the client whose key the script has.
const CLIENTS_MAX: usize = 3;

const BYSTANDER: u8 = 50;

/// Clients that scripts speak for, by the address that they speak from. The first is connected from the start.
pub(super) const CLIENTS: [u8; 4] = [1, 2, 3, 4];

/// Where the first of them is in the table: after the bystander.
const FIRST_CLIENT_PLACE: u32 = 1;

/// Fewer than scripts show, so that they meet the end of that memory too.
const USED_TOKENS_MAX: usize = 4;

const TIME_STEPS_MS: [u64; 4] = [0, 1, 50, 1_500];

/// A script of raw packets. Each step: a byte, in whose low bits is from which address of `CLIENTS`, in the next how much
/// time passes before; then a packet with its count.
pub fn table(bytes: &[u8]) {
    let (mut script, mut scene) = (Script::new(bytes), Scene::new());
    while let Some(step) = script.byte() {
        scene.wait(TIME_STEPS_MS[usize::from(step >> 2 & 3)]);
        let packet = script.counted();
        let client = CLIENTS[usize::from(step & 3)];
        scene.receive(client, packet);
    }
    scene.check_bystander();
}

/// As [`table()`], but the script chooses type, number and data of its packets, which are then sealed with the key of the
/// client that they come from; see `SealedPacket`. A request is the right one of that client. A further bit
/// of the step's byte lets the first client speak from there.
pub fn table_sealed(bytes: &[u8]) {
    let (mut script, mut scene) = (Script::new(bytes), Scene::new());
    let mut newest = CLIENTS.map(|client| if client == CLIENTS[0] { 10 } else { 0 });
    let mut accepted: BTreeSet<(ConnectionId, u64)> = BTreeSet::new();
    while let Some(step) = script.byte() {
        scene.wait(TIME_STEPS_MS[usize::from(step >> 2 & 3)]);
        let place = usize::from(step & 3);
        let client = CLIENTS[place];
        let speaker = if step & 1 << 4 == 0 { place } else { 0 };
        let key = private_token(CLIENTS[speaker]).client_to_server;
        let sealed =
            SealedPacket::from_script(&mut script, &key, &mut newest[speaker], PacketType::Move, FIRST_CLIENT_PLACE);
        let Some(sealed) = sealed else { break };
        if sealed.packet_type == PacketType::Request && !sealed.is_damaged {
            scene.receive(client, &request(client));
            continue;
        }
        match scene.receive(client, &sealed.bytes) {
            Outcome::Payload(connection, payload) => {
                // A move that was overtaken is a payload like any other.
                let said = Move::decode(&sealed.data).map(|decoded| decoded.payload);
                let expected = if sealed.packet_type == PacketType::Move { said } else { Ok(&sealed.data[..]) };
                assert!(!sealed.is_damaged && expected == Ok(&payload[..]), "{sealed:?}");
                assert!(accepted.insert((connection, sealed.sequence)), "a packet is taken once");
            }
            Outcome::Moved(connection, payload) => {
                assert!(!sealed.is_damaged && sealed.packet_type == PacketType::Move);
                assert_eq!(Move::decode(&sealed.data).map(|decoded| decoded.payload), Ok(&payload[..]));
                assert!(accepted.insert((connection, sealed.sequence)), "a packet is taken once");
            }
            Outcome::Disconnected => assert!(!sealed.is_damaged && sealed.packet_type == PacketType::Disconnect),
            Outcome::Replied => assert!(!sealed.is_damaged && sealed.packet_type == PacketType::Response),
            Outcome::Nothing => {}
        }
    }
    scene.check_bystander();
}

/// Where a client is.
pub(super) fn address(client: u8) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, client / 2], 1_000 + u16::from(client)))
}

/// The request of a client.
pub(super) fn request(client: u8) -> Vec<u8> {
    let mut client = NetcodeClient::new(connect_token_of(client), Duration::ZERO);
    client.update(Duration::ZERO).expect("it asks at once").to_vec()
}

/// What a packet has led to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Nothing,
    Replied,
    Payload(ConnectionId, Vec<u8>),
    Moved(ConnectionId, Vec<u8>),
    Disconnected,
}

/// A table with two clients connected.
pub(super) struct Scene {
    table: Table,
    now: Duration,
    connections: BTreeMap<ConnectionId, SocketAddr>,
    bystander: NetcodeClient,
    reply: ReplyBuffer,
}

impl Scene {
    pub(super) fn new() -> Scene {
        let options = TableOptions {
            protocol_id: PROTOCOL_ID,
            key: KEY,
            public: server_address(),
            clients_max: CLIENTS_MAX,
            places: TakenPlaces::default(),
            worker: 0,
            // A whole server's would be most of what a run does.
            used_tokens: UsedTokens::with_room_for(USED_TOKENS_MAX),
            unix_offset: Duration::from_secs(CREATED_AT_S),
            challenge_key: Key([5; 32]),
            handshake_start: 3,
        };
        let now = Duration::ZERO;
        let mut scene = Scene {
            table: Table::new(options),
            now,
            connections: BTreeMap::new(),
            bystander: NetcodeClient::new(connect_token_of(BYSTANDER), now),
            reply: ReplyBuffer::default(),
        };
        let mut bystander = scene.bystander.clone();
        scene.connect(BYSTANDER, &mut bystander);
        scene.connect(CLIENTS[0], &mut NetcodeClient::new(connect_token_of(CLIENTS[0]), now));
        assert!(bystander.is_connected());
        scene.bystander = bystander;
        scene
    }

    /// Lets a client say what it has to, until it is connected; returns all that it said.
    pub(super) fn connect(&mut self, number: u8, client: &mut NetcodeClient) -> Vec<Vec<u8>> {
        let mut said = Vec::new();
        while let Some(packet) = client.update(self.now).map(<[u8]>::to_vec) {
            if self.receive(number, &packet) == Outcome::Replied {
                let mut reply = self.reply.packet().to_vec();
                client.receive(self.now, &mut reply).expect("the table's packets are well-formed");
            }
            said.push(packet);
        }
        said
    }

    /// Gives a packet to the table.
    pub(super) fn receive(&mut self, client: u8, packet: &[u8]) -> Outcome {
        let (from, mut bytes) = (address(client), packet.to_vec());
        let outcome = match self.table.receive(self.now, from, &mut bytes, &mut self.reply) {
            Received::Nothing => Outcome::Nothing,
            Received::Reply => Outcome::Replied,
            Received::Connected { connection, client: id, .. } => {
                assert_eq!(id.0, u64::from(client), "a token is good for its own client");
                assert_eq!(self.connections.insert(connection, from), None, "a connection has a name of its own");
                Outcome::Replied
            }
            Received::Payload { connection, payload } => {
                // From where it is, or in a move that was overtaken.
                assert!(self.connections.contains_key(&connection), "payloads are of who is connected");
                Outcome::Payload(connection, payload.to_vec())
            }
            Received::Moved { connection, payload } => {
                let before = self.connections.insert(connection, from);
                assert!(before.is_some(), "only who is connected moves");
                Outcome::Moved(connection, payload.to_vec())
            }
            Received::Disconnected { connection } => {
                assert_eq!(self.connections.remove(&connection), Some(from));
                Outcome::Disconnected
            }
        };
        assert!(self.connections.len() <= CLIENTS_MAX);
        if matches!(outcome, Outcome::Replied | Outcome::Moved(..)) {
            let reply_bytes = self.reply.packet().len();
            assert!((1..=packet.len()).contains(&reply_bytes), "an answer is never longer than what it answers");
        }
        outcome
    }

    /// Lets time pass; the bystander says something, and is answered.
    fn wait(&mut self, ms: u64) {
        if ms == 0 {
            return;
        }
        self.now += Duration::from_millis(ms);
        let Scene { table, now, connections, .. } = self;
        let mut out = [0; PACKET_BYTES_MAX];
        let mut ended = Vec::new();
        table.look_after(*now, &mut out, |_, packet| assert!(!packet.is_empty()), |connection| ended.push(connection));
        for connection in ended {
            let from = connections.remove(&connection);
            assert!(from.is_some_and(|from| from != address(BYSTANDER)), "who speaks is not timed out");
        }
        self.check_bystander();
    }

    fn check_bystander(&mut self) {
        let packet = self.bystander.payload(self.now, &[b"here I am"]).expect("it is connected").to_vec();
        let Outcome::Payload(connection, payload) = self.receive(BYSTANDER, &packet) else {
            panic!("the bystander is not heard");
        };
        assert_eq!(payload, b"here I am");
        let mut out = [0; PACKET_BYTES_MAX];
        assert_eq!(self.table.seal_confirmation(self.now, connection, &mut out), None);
        let sealed = self.table.seal_payload(self.now, connection, &[b"so ", b"are we"], &mut out);
        let (to, length) = sealed.expect("it is connected");
        assert_eq!(to, address(BYSTANDER));
        assert_eq!(self.bystander.receive(self.now, &mut out[..length]), Ok(Heard::Payload(b"so are we")));
    }
}
