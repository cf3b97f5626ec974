//! The table against real clients of the codec, and against those who break the rules. The defects that are named were
//! found in another implementation of the standard; each test fails for an implementation that has it.

mod moves;
mod places;

use std::collections::{BTreeMap, BTreeSet};

use super::handshake::HandshakeRefusal;
use super::*;
use crate::net::transport::ConnectionId;
use std::net::SocketAddr;
use std::time::Duration;
use throng_shared::ids::ClientId;
use throng_shared::limits::{
    HANDSHAKES_PER_50_MS_MAX, HANDSHAKES_PER_SOURCE_MAX, PACKETS_PER_50_MS_MAX, PENDING_HANDSHAKES_MAX, PENDING_MS,
    TIMEOUT_S_MAX,
};
use throng_shared::netcode::client::Heard;
use throng_shared::netcode::packet::{self, Header, MOVE_DATA_BYTES_MAX, Move, PacketType, REQUEST_BYTES};
use throng_shared::netcode::{
    ClientEnd, ConnectToken, HANDSHAKE_SEQUENCE_FIRST, Key, NetcodeClient, NetcodeError, PACKET_BYTES_MAX,
    PAYLOAD_BYTES_MAX, PrivateToken,
};
use throng_shared::random::Random;

const PROTOCOL: u64 = 77;
const KEY: Key = Key([9; 32]);
const UNIX_S: u64 = 1_000;

fn server_address() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 7_777))
}

fn client_address(number: u16) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, (number >> 8) as u8], 1_000 + number % 60_000))
}

/// A token of its own for each number.
fn token(number: u16, change: impl FnOnce(&mut PrivateToken)) -> ConnectToken {
    let mut private = PrivateToken {
        client_id: u64::from(number),
        timeout_s: 5,
        addresses: vec![server_address()],
        client_to_server: Key([number as u8; 32]),
        server_to_client: Key([100u8.wrapping_add(number as u8); 32]),
        user_data: [number as u8; 256],
    };
    change(&mut private);
    let mut nonce = [0; 24];
    nonce[..2].copy_from_slice(&number.to_le_bytes());
    ConnectToken::new(&private, PROTOCOL, UNIX_S, UNIX_S + 60, nonce, &KEY).expect("one address")
}

/// A table, and everything that it has sent.
struct Scene {
    table: Table,
    now: Duration,
    /// Where to, and the packet.
    sent: Vec<(SocketAddr, Vec<u8>)>,
    connections: Vec<(ConnectionId, ClientId, [u8; 256])>,
    payloads: Vec<(ConnectionId, Vec<u8>)>,
    disconnected: Vec<ConnectionId>,
    /// Where each address was once found, however long ago: no such memory may change what becomes of a packet.
    found: BTreeMap<SocketAddr, u32>,
}

fn scene(clients_max: usize) -> Scene {
    let options = TableOptions {
        protocol_id: PROTOCOL,
        key: KEY,
        public: server_address(),
        clients_max,
        places: TakenPlaces::default(),
        worker: 0,
        used_tokens: UsedTokens::default(),
        unix_offset: Duration::from_secs(UNIX_S),
        challenge_key: Key([5; 32]),
        handshake_start: 3,
    };
    Scene {
        table: Table::new(options),
        now: Duration::ZERO,
        sent: Vec::new(),
        connections: Vec::new(),
        payloads: Vec::new(),
        disconnected: Vec::new(),
        found: BTreeMap::new(),
    }
}

impl Scene {
    /// Gives a packet to the table.
    fn receive(&mut self, from: SocketAddr, packet: &[u8]) {
        let (mut packet, mut reply) = (packet.to_vec(), ReplyBuffer::default());
        let asked_bytes = packet.len();
        let found = self.found.get(&from).copied();
        let received = self.table.receive_found(self.now, from, found, &mut packet, &mut reply);
        let is_answered = match received {
            Received::Nothing => false,
            Received::Reply => true,
            Received::Connected { connection, client, user_data } => {
                self.connections.push((connection, client, *user_data));
                true
            }
            Received::Payload { connection, payload } => {
                self.payloads.push((connection, payload.to_vec()));
                false
            }
            Received::Moved { connection, payload } => {
                self.payloads.push((connection, payload.to_vec()));
                true
            }
            Received::Disconnected { connection } => {
                self.disconnected.push(connection);
                false
            }
        };
        if let (None, Some(place)) = (found, self.table.find(from)) {
            self.found.insert(from, place);
        }
        if is_answered {
            assert!(reply.packet().len() <= asked_bytes, "an answer is never longer than what it answers");
            self.sent.push((from, reply.packet().to_vec()));
        }
    }

    /// Lets time pass.
    fn wait(&mut self, time: Duration) {
        self.now += time;
        let (sent, ended) = (&mut self.sent, &mut self.disconnected);
        let mut out = [0; PACKET_BYTES_MAX];
        let send = |address: SocketAddr, packet: &[u8]| sent.push((address, packet.to_vec()));
        self.table.look_after(self.now, &mut out, send, |connection| ended.push(connection));
    }

    /// Hands a client what was sent to it, and the table what the client says to that, until both are silent.
    fn exchange(&mut self, client: &mut NetcodeClient, address: SocketAddr) {
        for _ in 0..10 {
            let mut said = client.update(self.now).map(<[u8]>::to_vec);
            if let Some(packet) = said.take() {
                self.receive(address, &packet);
            }
            for (to, mut packet) in std::mem::take(&mut self.sent) {
                if to == address {
                    client.receive(self.now, &mut packet).expect("the table's packets are well-formed");
                } else {
                    self.sent.push((to, packet));
                }
            }
        }
    }

    /// A client that has asked and has been challenged.
    fn challenge(&mut self, token: ConnectToken, address: SocketAddr) -> NetcodeClient {
        let mut client = NetcodeClient::new(token, self.now);
        let asked = client.update(self.now).expect("it asks at once").to_vec();
        self.receive(address, &asked);
        let (_, mut challenge) = self.sent.pop().expect("it is challenged");
        client.receive(self.now, &mut challenge).expect("well-formed");
        client
    }

    fn connect(&mut self, token: ConnectToken, address: SocketAddr) -> NetcodeClient {
        let mut client = NetcodeClient::new(token, self.now);
        self.exchange(&mut client, address);
        client
    }

    /// Sends a payload to a client, with whatever must go before it.
    fn send(&mut self, connection: ConnectionId, payload: &[u8]) {
        let mut out = [0; PACKET_BYTES_MAX];
        for is_payload in [false, true] {
            let sealed = match is_payload {
                false => self.table.seal_confirmation(self.now, connection, &mut out),
                true => self.table.seal_payload(self.now, connection, &[payload], &mut out),
            };
            self.sent.extend(sealed.map(|(address, length)| (address, out[..length].to_vec())));
        }
    }

    fn refused(&self, error: NetcodeError) -> u64 {
        self.table.totals().refused[error as usize]
    }

    fn turned_away(&self, refusal: HandshakeRefusal) -> u64 {
        self.table.totals().handshakes_refused[refusal as usize]
    }
}

/// The request that a client with this token sends.
fn request(token: &ConnectToken) -> Vec<u8> {
    let mut client = NetcodeClient::new(token.clone(), Duration::ZERO);
    client.update(Duration::ZERO).expect("it asks at once").to_vec()
}

#[test]
fn a_client_connects_talks_and_leaves_and_its_place_is_another_ones() {
    let mut scene = scene(1);
    let mut client = scene.connect(token(1, |_| ()), client_address(1));
    let (connection, id, user_data) = scene.connections[0];
    assert_eq!((client.is_connected(), id, user_data), (true, ClientId(1), [1; 256]));
    let packet = client.payload(scene.now, &[b"hello"]).expect("connected").to_vec();
    scene.receive(client_address(1), &packet);
    assert_eq!(scene.payloads, [(connection, b"hello".to_vec())]);
    scene.send(connection, b"welcome");
    let (_, mut packet) = scene.sent.pop().expect("it was sent");
    assert_eq!(client.receive(scene.now, &mut packet), Ok(Heard::Payload(b"welcome")));
    let mut parting = Vec::new();
    client.disconnect(|packet| parting.push(packet.to_vec()));
    parting.iter().for_each(|packet| scene.receive(client_address(1), packet));
    assert_eq!(scene.disconnected, [connection]);
    let other = scene.connect(token(2, |_| ()), client_address(2));
    let (new, ..) = scene.connections[1];
    assert!(other.is_connected() && new.slot == connection.slot && new != connection);
    // What is meant for the one who left does not reach the one who came.
    scene.send(connection, b"late");
    assert_eq!(scene.sent, []);
}

#[test]
fn nobody_without_a_right_token_gets_an_answer() {
    let mut scene = scene(10);
    let cases = [
        (ConnectToken { created_at_s: 1, expires_at_s: UNIX_S, ..token(1, |_| ()) }, HandshakeRefusal::Expired),
        (ConnectToken { expires_at_s: UNIX_S + 61, ..token(1, |_| ()) }, HandshakeRefusal::Seal),
        (ConnectToken { nonce: [8; 24], ..token(1, |_| ()) }, HandshakeRefusal::Seal),
        (token(1, |private| private.addresses = vec![client_address(1)]), HandshakeRefusal::OtherServer),
    ];
    for (token, refusal) in cases {
        let before = scene.turned_away(refusal);
        scene.receive(client_address(1), &request(&token));
        assert_eq!((scene.turned_away(refusal), &scene.sent[..]), (before + 1, &[][..]), "{refusal:?}");
    }
    let mut other_game = token(1, |_| ());
    other_game.protocol_id += 1;
    scene.receive(client_address(1), &request(&other_game));
    assert_eq!((scene.refused(NetcodeError::Version), scene.sent.len()), (1, 0));
}

#[test]
fn a_token_lets_in_once_and_from_one_address() {
    let mut scene = scene(10);
    let mut client = NetcodeClient::new(token(1, |_| ()), scene.now);
    let asked = client.update(scene.now).expect("it asks at once").to_vec();
    scene.receive(client_address(1), &asked);
    scene.receive(client_address(2), &asked);
    assert_eq!((scene.sent.len(), scene.turned_away(HandshakeRefusal::Used)), (1, 1), "another address");
    scene.exchange(&mut client, client_address(1));
    assert!(client.is_connected());
    scene.receive(client_address(1), &asked);
    assert_eq!((scene.sent.len(), scene.table.totals().handshakes_late), (0, 1), "it was repeated, and is in");
    let mut parting = Vec::new();
    client.disconnect(|packet| parting.push(packet.to_vec()));
    parting.iter().for_each(|packet| scene.receive(client_address(1), packet));
    assert_eq!((scene.disconnected.len(), scene.sent.len()), (1, 0));
    scene.receive(client_address(1), &asked);
    assert_eq!((scene.sent.len(), scene.turned_away(HandshakeRefusal::Used)), (0, 2), "it has been let in");
}

#[test]
fn a_full_server_and_a_quarantine_are_told_and_not_timed_out() {
    let mut scene = scene(1);
    let _first = scene.connect(token(1, |_| ()), client_address(1));
    let second = scene.connect(token(2, |_| ()), client_address(2));
    assert_eq!((second.end(), scene.turned_away(HandshakeRefusal::Full)), (Some(ClientEnd::Denied), 1));
    assert!(scene.table.options.used_tokens.show([0; 16], 0, client_address(2), UNIX_S, UNIX_S + 1).is_good());
    let asked = request(&token(2, |_| ()));
    let tag = std::array::from_fn(|place| asked[asked.len() - 16 + place]);
    let at_another_port =
        scene.table.options.used_tokens.show(tag, 1, client_address(2), UNIX_S, UNIX_S + 60).is_good();
    assert!(at_another_port, "a denied token is good elsewhere");
    let mut scene = self::scene(10);
    scene.table.quarantine(ClientId(3), scene.now + Duration::from_secs(1));
    let kept_out = scene.connect(token(3, |_| ()), client_address(3));
    assert_eq!((kept_out.end(), scene.turned_away(HandshakeRefusal::Quarantined)), (Some(ClientEnd::Denied), 1));
    scene.wait(Duration::from_secs(1));
    assert!(scene.connect(token(3, |_| ()), client_address(3)).is_connected(), "it is over");
}

/// Numbers of sequence bytes that cannot be, and packets too short for what their prefix says, from the address of
/// a client who is connected, and from others.
#[test]
fn impossible_sequence_lengths_are_refused_wherever_they_come_from() {
    let mut scene = scene(10);
    let _client = scene.connect(token(1, |_| ()), client_address(1));
    for from in [client_address(1), client_address(2)] {
        for prefix in 0..=u8::MAX {
            for length in (1..40).chain([308, 325, 333, 1_078, PACKET_BYTES_MAX, PACKET_BYTES_MAX + 1]) {
                let mut packet = vec![0xff; length];
                packet[0] = prefix;
                scene.receive(from, &packet);
                scene.now += Duration::from_millis(1);
            }
        }
    }
    assert!(scene.refused(NetcodeError::Sequence) > 0 && scene.refused(NetcodeError::TooShort) > 0);
    assert_eq!((scene.payloads.len(), scene.disconnected.len(), scene.sent.len()), (0, 0, 0));
}

/// Packets outside of a connection are sealed under the same key as those within, so their numbers must be others.
#[test]
fn no_number_is_used_twice_under_one_key() {
    let mut scene = scene(1);
    let mut client = NetcodeClient::new(token(1, |_| ()), scene.now);
    let asked = client.update(scene.now).expect("it asks at once").to_vec();
    (0..5).for_each(|_| scene.receive(client_address(1), &asked));
    let challenges = scene.sent.clone();
    scene.exchange(&mut client, client_address(1));
    let (connection, ..) = scene.connections[0];
    (0..5).for_each(|_| scene.send(connection, b"payload"));
    let numbers: Vec<u64> = challenges
        .iter()
        .chain(&scene.sent)
        .map(|(_, packet)| Header::read(packet).expect("well-formed").sequence)
        .collect();
    assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len(), "{numbers:?}");
    assert!(numbers[..5].iter().all(|&number| number >= HANDSHAKE_SEQUENCE_FIRST));
    assert!(numbers[5..].iter().all(|&number| number < HANDSHAKE_SEQUENCE_FIRST));
}

/// A client that did not get its first keep-alive does not know that it is connected, and takes no payload.
#[test]
fn a_lost_keep_alive_is_sent_again_before_each_payload_until_the_client_answers() {
    let mut scene = scene(1);
    let mut client = NetcodeClient::new(token(1, |_| ()), scene.now);
    let asked = client.update(scene.now).expect("it asks at once").to_vec();
    scene.receive(client_address(1), &asked);
    let (_, mut challenge) = scene.sent.pop().expect("a challenge");
    client.receive(scene.now, &mut challenge).expect("well-formed");
    let response = client.update(scene.now).expect("it responds at once").to_vec();
    scene.receive(client_address(1), &response);
    scene.sent.clear();
    let (connection, ..) = scene.connections[0];
    scene.send(connection, b"first");
    assert_eq!(scene.sent.len(), 2, "the keep-alive again, and the payload");
    let heard: Vec<bool> = std::mem::take(&mut scene.sent)
        .into_iter()
        .map(|(_, mut packet)| {
            matches!(client.receive(scene.now, &mut packet), Ok(Heard::Connected | Heard::Payload(_)))
        })
        .collect();
    assert_eq!(heard, [true, true]);
    let packet = client.payload(scene.now, &[b"here I am"]).expect("connected").to_vec();
    scene.receive(client_address(1), &packet);
    scene.send(connection, b"second");
    assert_eq!(scene.sent.len(), 1, "the client knows its place");
    // And without any payload: the keep-alive is repeated soon.
    let mut scene = self::scene(1);
    let _silent = scene.connect(token(1, |_| ()), client_address(1));
    scene.sent.clear();
    scene.wait(Duration::from_millis(100));
    assert_eq!(scene.sent.len(), 1);
}

/// Whoever asks and never responds is forgotten, soon and in any number.
#[test]
fn handshakes_that_lead_nowhere_are_forgotten() {
    let mut scene = scene(10);
    scene.receive(client_address(1), &request(&token(1, |_| ())));
    assert_eq!(scene.table.handshakes.pending_count(), 1);
    scene.wait(Duration::from_millis(PENDING_MS - 1));
    assert_eq!(scene.table.handshakes.pending_count(), 1);
    scene.wait(Duration::from_millis(1));
    assert_eq!(scene.table.handshakes.pending_count(), 0);
    for number in 0..PENDING_HANDSHAKES_MAX as u16 + 300 {
        scene.now += Duration::from_micros(100);
        scene.receive(client_address(number), &request(&token(number, |_| ())));
    }
    assert_eq!(scene.table.handshakes.pending_count(), PENDING_HANDSHAKES_MAX);
    assert_eq!(scene.turned_away(HandshakeRefusal::Displaced), 300);
    // Whoever alternates between two tokens takes one place, not one for each request.
    let tokens = [token(60_001, |_| ()), token(60_002, |_| ())].map(|token| request(&token));
    for number in 0..600 {
        scene.now += Duration::from_millis(1);
        scene.receive(client_address(60_001), &tokens[number % 2]);
    }
    assert_eq!(scene.table.handshakes.pending_count(), PENDING_HANDSHAKES_MAX);
    let newest = PENDING_HANDSHAKES_MAX as u16 + 299;
    let mut client = NetcodeClient::new(token(newest, |_| ()), scene.now);
    scene.exchange(&mut client, client_address(newest));
    assert!(client.is_connected(), "the oldest made room, not the newest");
}

/// Two players, or one with two tokens, who answer with each other's challenge would swap what their tokens say.
#[test]
fn a_challenge_is_good_only_for_the_token_that_it_was_made_for() {
    let mut scene = scene(10);
    let same_player = token(3, |private| private.client_id = 1);
    let mut clients = [token(1, |_| ()), same_player].map(|token| NetcodeClient::new(token, scene.now));
    let mut challenges = Vec::new();
    for (number, client) in clients.iter_mut().enumerate() {
        let asked = client.update(scene.now).expect("it asks at once").to_vec();
        scene.receive(client_address(number as u16), &asked);
        let (_, mut packet) = scene.sent.pop().expect("a challenge");
        let header = Header::read(&packet).expect("well-formed");
        let key = Key([[101, 103][number]; 32]);
        challenges.push(header.open(PROTOCOL, &key, &mut packet).expect("sealed for it").to_vec());
    }
    for (number, other) in [(0, 1), (1, 0)] {
        let mut out = [0; PACKET_BYTES_MAX];
        let key = Key([[1, 3][number]; 32]);
        let length = packet::seal(PacketType::Response, PROTOCOL, &key, 9, &[&challenges[other]], &mut out);
        scene.receive(client_address(number as u16), &out[..length]);
    }
    assert_eq!((scene.connections.len(), scene.refused(NetcodeError::Seal)), (0, 2));
}

/// Numbers near the end of their range, from somebody who holds a key.
#[test]
fn numbers_near_the_end_of_their_range_overflow_nothing() {
    let mut scene = scene(10);
    let _client = scene.connect(token(1, |_| ()), client_address(1));
    for number in [u64::MAX, u64::MAX - 1, u64::MAX - 300, 7, HANDSHAKE_SEQUENCE_FIRST] {
        let mut out = [0; PACKET_BYTES_MAX];
        let length = packet::seal(PacketType::Payload, PROTOCOL, &Key([1; 32]), number, &[b"x"], &mut out);
        scene.receive(client_address(1), &out[..length]);
    }
    assert_eq!((scene.payloads.len(), scene.refused(NetcodeError::Replayed)), (3, 2));
}

#[test]
fn replayed_and_changed_packets_come_to_nothing() {
    let mut scene = scene(10);
    let mut client = scene.connect(token(1, |_| ()), client_address(1));
    let mut random = Random::new(1, 0);
    let mut accepted = 0;
    for number in 0..200u32 {
        let packet = client.payload(scene.now, &[&number.to_le_bytes()]).expect("connected").to_vec();
        let mut changed = packet.clone();
        changed[random.below(packet.len() as u32) as usize] ^= 1 << random.below(8);
        for packet in [&changed, &packet, &packet] {
            scene.receive(client_address(1), packet);
        }
        accepted += 1;
        scene.now += Duration::from_millis(10);
    }
    let numbers = scene.payloads.iter().map(|(_, payload)| payload.clone());
    assert_eq!(numbers.collect::<Vec<_>>(), (0..accepted).map(|n: u32| n.to_le_bytes().to_vec()).collect::<Vec<_>>());
    // A changed number may be one of the past.
    assert!(scene.refused(NetcodeError::Replayed) >= 200);
}

#[test]
fn a_flood_from_one_source_from_all_and_from_a_connected_address_is_bounded() {
    let mut scene = scene(10);
    // From one address: the requests of one token are repeated, which costs little, but counts.
    let asked = request(&token(1, |_| ()));
    (0..HANDSHAKES_PER_SOURCE_MAX + 50).for_each(|_| scene.receive(client_address(1), &asked));
    assert_eq!(scene.turned_away(HandshakeRefusal::SourceLimit), 50);
    // From everywhere: each with a token that cannot be opened.
    scene.now += Duration::from_secs(1);
    let mut junk = vec![7; REQUEST_BYTES];
    junk[..30].copy_from_slice(&asked[..30]);
    for number in 0..HANDSHAKES_PER_50_MS_MAX + 70 {
        let [a, b, c, d] = number.to_be_bytes();
        scene.receive(SocketAddr::from(([10 + a, b, c, d], 1)), &junk);
    }
    assert_eq!(scene.turned_away(HandshakeRefusal::Budget), 70);
    scene.now += Duration::from_millis(50);
    let _client = scene.connect(token(2, |_| ()), client_address(2));
    scene.now += Duration::from_millis(50);
    for _ in 0..PACKETS_PER_50_MS_MAX + 30 {
        scene.receive(client_address(2), &[0x15; 40]);
    }
    assert_eq!(scene.table.totals().flooded, 30);
    assert_eq!(scene.refused(NetcodeError::Seal), u64::from(PACKETS_PER_50_MS_MAX));
}

/// Whoever has one token could otherwise have any number of answers opened.
#[test]
fn a_flood_of_answers_to_a_challenge_is_bounded() {
    let mut scene = scene(10);
    let mut client = scene.challenge(token(1, |_| ()), client_address(1));
    let answer = client.update(scene.now).expect("it answers").to_vec();
    let mut forged = answer.clone();
    forged[answer.len() - 1] ^= 1;
    (0..HANDSHAKES_PER_SOURCE_MAX + 50).for_each(|_| scene.receive(client_address(1), &forged));
    assert_eq!(scene.refused(NetcodeError::Seal), u64::from(HANDSHAKES_PER_SOURCE_MAX));
    assert_eq!(scene.turned_away(HandshakeRefusal::SourceLimit), 50);
    scene.now += Duration::from_secs(1);
    scene.receive(client_address(1), &answer);
    assert_eq!(scene.connections.len(), 1, "its own answer, a second later");
}

#[test]
fn silence_ends_a_connection_and_keep_alives_keep_it() {
    let mut scene = scene(10);
    let mut kept = scene.connect(token(1, |_| ()), client_address(1));
    let _silent = scene.connect(token(2, |_| ()), client_address(2));
    let _never = scene.connect(token(3, |private| private.timeout_s = -1), client_address(3));
    for _ in 0..50 {
        scene.wait(Duration::from_millis(100));
        scene.exchange(&mut kept, client_address(1));
    }
    let ended: Vec<u32> = scene.disconnected.iter().map(|connection| connection.slot).collect();
    assert_eq!((ended, kept.is_connected()), (vec![1], true));
    scene.wait(Duration::from_secs(TIMEOUT_S_MAX));
    assert!(scene.disconnected.iter().any(|connection| connection.slot == 2), "nobody stays for ever");
}

#[test]
fn twenty_thousand_clients_have_a_place_each_and_are_found_by_address_and_by_place() {
    const CLIENTS: u16 = 20_000;
    let mut scene = scene(CLIENTS.into());
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        // As many as the budgets let in.
        scene.now += Duration::from_micros(600);
        let timeout = |private: &mut PrivateToken| private.timeout_s = 60;
        let client = scene.connect(token(number, timeout), client_address(number));
        assert!(client.is_connected(), "{number}: {:?}", client.end());
        clients.push(client);
    }
    for number in [0, 1, CLIENTS / 2, CLIENTS - 1] {
        let client = &mut clients[usize::from(number)];
        let packet = client.payload(scene.now, &[&number.to_le_bytes()]).expect("connected").to_vec();
        scene.receive(client_address(number), &packet);
        let (connection, payload) = scene.payloads.pop().expect("it arrived");
        assert_eq!((connection.slot, payload), (u32::from(number), number.to_le_bytes().to_vec()));
        scene.sent.clear();
        scene.send(connection, b"you");
        let (address, mut packet) = scene.sent.pop().expect("it was sent");
        assert_eq!(address, client_address(number));
        assert_eq!(clients[usize::from(number)].receive(scene.now, &mut packet), Ok(Heard::Payload(b"you")));
    }
    let denied = scene.connect(token(CLIENTS, |_| ()), client_address(CLIENTS));
    assert_eq!(denied.end(), Some(ClientEnd::Denied));
}

/// Whatever holders of keys seal, and whatever strangers send, of every type and from every address, the bystander's own too: nothing
/// panics, and the bystander is heard and hears.
#[test]
fn random_packets_of_every_type_harm_nobody() {
    const TYPES: [PacketType; 8] = [
        PacketType::Request,
        PacketType::Denied,
        PacketType::Challenge,
        PacketType::Response,
        PacketType::KeepAlive,
        PacketType::Payload,
        PacketType::Move,
        PacketType::MoveChallenge,
    ];
    let mut scene = scene(40);
    let mut bystander = scene.connect(token(2, |_| ()), client_address(2));
    let (bystander_connection, ..) = scene.connections[0];
    let mut random = Random::new(3, 0);
    for client in 10..30 {
        scene.connect(token(client, |_| ()), client_address(client));
        let (connection, ..) = *scene.connections.last().expect("it is connected");
        let key = Key([client as u8; 32]);
        for number in 1_000..2_000u64 {
            // Whoever leaves can do no more, so few do before the end.
            let is_last = number == 1_999 || random.percent(0.05);
            let packet_type = if is_last { PacketType::Disconnect } else { TYPES[random.below(8) as usize] };
            let data: Vec<u8> = (0..random.below(1_220)).map(|_| random.next_u32() as u8).collect();
            let data = &data[..if is_last { 0 } else { data.len().min(PAYLOAD_BYTES_MAX - 4) }];
            // Of moves half are as they should be, or they would hardly ever be any.
            let mut told = [0; MOVE_DATA_BYTES_MAX];
            let data = match packet_type {
                PacketType::Move if random.percent(50.0) => {
                    Move::encode(u64::from(random.next_u32()), &[&data[..data.len() / 2]], &mut told)
                }
                _ => data,
            };
            let mut out = [0; PACKET_BYTES_MAX];
            let place = if random.percent(80.0) { connection.slot } else { random.below(50) };
            let mut length = match packet_type {
                PacketType::Move => packet::seal_move(PROTOCOL, &key, number, place, data, &mut out),
                other => packet::seal(other, PROTOCOL, &key, number, &[data], &mut out),
            };
            if !is_last && random.percent(30.0) {
                length = random.below(length as u32 + 1) as usize;
            }
            let from = if is_last || random.percent(70.0) { client } else { random.below(4) as u16 };
            scene.receive(client_address(from), &out[..length]);
            scene.now += Duration::from_micros(200);
        }
        scene.wait(Duration::from_millis(50));
        scene.payloads.clear();
        let packet = bystander.payload(scene.now, &[b"still here"]).expect("connected").to_vec();
        scene.receive(client_address(2), &packet);
        assert_eq!(scene.payloads, [(bystander_connection, b"still here".to_vec())]);
        scene.sent.clear();
        scene.send(bystander_connection, b"so are we");
        let (address, mut packet) = scene.sent.pop().expect("it was sent");
        assert_eq!(address, client_address(2));
        assert_eq!(bystander.receive(scene.now, &mut packet), Ok(Heard::Payload(b"so are we")));
    }
    let totals = scene.table.totals();
    assert!(totals.moves > 100 && scene.disconnected.len() > 5, "{totals:?}, {}", scene.disconnected.len());
}
