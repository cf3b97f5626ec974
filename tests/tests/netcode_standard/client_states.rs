//! "Client State Machine": every state, whatever can happen in it, and where that leads; the table below is the
//! standard's text. Nothing is sent: the client is moved along by packets that a server could have sealed, and by time.
//!
//! Two of the standard's states are not the client's. *Disconnected* before the beginning is not to have made a
//! [`NetcodeClient`] yet, and *invalid connect token* is an error of [`ConnectToken::decode`], so that no client begins
//! with such a token; its causes are tested beside the decoder.

use std::collections::BTreeSet;
use std::time::Duration;

use throng_shared::netcode::client::{HANDSHAKE_INTERVAL, Heard};
use throng_shared::netcode::packet::{self, Header, KeepAlive, PacketType};
use throng_shared::netcode::{ClientEnd, ConnectToken, NetcodeClient, NetcodeError, PACKET_BYTES_MAX};
use throng_shared::random::Random;

use crate::server::data_of;
use crate::vectors::Vectors;

/// The timeout of the vectors' token, and how long it lasts.
const TIMEOUT: Duration = Duration::from_secs(5);
const LIFE: Duration = Duration::from_secs(60);

/// A state of the standard, with its number there where it is an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// "Sending connection request", to the address with this number.
    Requesting(usize),
    /// "Sending challenge response".
    Responding(usize),
    Connected(usize),
    Ended(i32),
}

const EXPIRED: State = State::Ended(-6);
const TIMED_OUT: State = State::Ended(-4);
const RESPONSE_TIMED_OUT: State = State::Ended(-3);
const REQUEST_TIMED_OUT: State = State::Ended(-2);
const DENIED: State = State::Ended(-1);
const DISCONNECTED: State = State::Ended(0);

/// What can happen to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// A packet from the server.
    Hear(PacketType),
    /// "Within the timeout period specified in the connect token" nothing came.
    Timeout,
    /// The token's life is over.
    Expiry,
    /// "If the client wishes to disconnect".
    Leave,
}

use Event::{Expiry, Hear, Leave, Timeout};
use PacketType::{Challenge, Denied, Disconnect, KeepAlive as KeepAlivePacket, Payload, Request, Response};

const PACKETS: [PacketType; 7] = [Request, Denied, Challenge, Response, KeepAlivePacket, Payload, Disconnect];

/// A client, its time, and the server that it talks to.
struct Subject {
    client: NetcodeClient,
    token: ConnectToken,
    now: Duration,
    /// Number of the server's next packet.
    number: u64,
    /// What the client has sent last.
    sent: Option<PacketType>,
}

/// A client that has sent its first request. Its token names `addresses` servers.
fn subject(addresses: usize) -> Subject {
    let mut token = Vectors::read().token();
    token.addresses.truncate(addresses);
    assert_eq!(token.addresses.len(), addresses, "the vectors' token has two");
    begin(token)
}

fn begin(token: ConnectToken) -> Subject {
    let client = NetcodeClient::new(token.clone(), Duration::ZERO);
    let mut subject = Subject { client, token, now: Duration::ZERO, number: 0, sent: None };
    subject.update();
    subject
}

impl Subject {
    fn packet(&mut self, packet_type: PacketType) -> Vec<u8> {
        let mut out = [0; PACKET_BYTES_MAX];
        let (protocol_id, key) = (self.token.protocol_id, self.token.server_to_client);
        let data = data_of(packet_type);
        let length = match packet_type {
            Request => return Vectors::read().tokens[0].request.to_vec(),
            _ => packet::seal(packet_type, protocol_id, &key, self.number, &[&data], &mut out),
        };
        self.number += 1;
        out[..length].to_vec()
    }

    /// Lets something happen, and then everything be sent that is due.
    fn apply(&mut self, event: Event) {
        match event {
            Hear(packet_type) => {
                let mut packet = self.packet(packet_type);
                let heard = self.client.receive(self.now, &mut packet);
                let is_for_servers = matches!(packet_type, Request | Response);
                assert_eq!(heard == Err(NetcodeError::Type), is_for_servers, "{packet_type:?}: {heard:?}");
            }
            Timeout => self.now += TIMEOUT,
            Expiry => self.now = LIFE,
            Leave => self.client.disconnect(|_| ()),
        }
        self.update();
    }

    /// Lets what is due be sent: with a new phase, its first packet.
    fn update(&mut self) {
        if let Some(packet) = self.client.update(self.now) {
            self.sent = Some(Header::read(packet).expect("well-formed").packet_type);
        }
    }

    /// Where the client is, by what it tells and by what it sends.
    fn state(&self) -> State {
        if let Some(end) = self.client.end() {
            return State::Ended(match end {
                ClientEnd::TokenExpired => -6,
                ClientEnd::TimedOut => -4,
                ClientEnd::ResponseTimedOut => -3,
                ClientEnd::RequestTimedOut => -2,
                ClientEnd::Denied => -1,
                ClientEnd::ClosedByServer | ClientEnd::Left => 0,
            });
        }
        let server = self.client.server();
        let address = self.token.addresses.iter().position(|&address| address == server).expect("one of the token's");
        match self.sent {
            _ if self.client.is_connected() => State::Connected(address),
            Some(Request) => State::Requesting(address),
            Some(Response) => State::Responding(address),
            other => panic!("{other:?} is not sent by a client that is to be connected"),
        }
    }
}

/// Leads a client to a state of the handshake or a connection, with the address with that number.
fn reach(addresses: usize, wanted: State) -> Subject {
    let mut subject = subject(addresses);
    let (address, events): (usize, &[Event]) = match wanted {
        State::Requesting(address) => (address, &[]),
        State::Responding(address) => (address, &[Hear(Challenge)]),
        State::Connected(address) => (address, &[Hear(Challenge), Hear(KeepAlivePacket)]),
        State::Ended(_) => panic!("an end is reached by an event"),
    };
    for _ in 0..address {
        subject.apply(Timeout);
    }
    events.iter().for_each(|&event| subject.apply(event));
    assert_eq!(subject.state(), wanted);
    subject
}

/// Every transition of the standard from a state; whatever is not listed leaves the client where it is. "All other
/// transitions are failure cases", in which the client first "attempts to connect to the next server address in the
/// connect token", of which there are `addresses`.
fn leads_to(from: State, event: Event, addresses: usize) -> State {
    let next = |address: usize, end| if address + 1 < addresses { State::Requesting(address + 1) } else { end };
    match (from, event) {
        (State::Requesting(address), Hear(Challenge)) => State::Responding(address),
        (State::Requesting(address), Hear(Denied)) => next(address, DENIED),
        (State::Requesting(address), Timeout) => next(address, REQUEST_TIMED_OUT),
        (State::Responding(address), Hear(KeepAlivePacket)) => State::Connected(address),
        (State::Responding(address), Hear(Denied)) => next(address, DENIED),
        (State::Responding(address), Timeout) => next(address, RESPONSE_TIMED_OUT),
        (State::Requesting(_) | State::Responding(_), Expiry) => EXPIRED,
        (State::Connected(_), Hear(Disconnect)) => DISCONNECTED,
        // The life of the token is that of the connection process. Nothing was heard for it, which is a timeout.
        (State::Connected(_), Timeout | Expiry) => TIMED_OUT,
        (State::Requesting(_) | State::Responding(_) | State::Connected(_), Leave) => DISCONNECTED,
        _ => from,
    }
}

const EVENTS: [Event; 10] = [
    Hear(Request),
    Hear(Denied),
    Hear(Challenge),
    Hear(Response),
    Hear(KeepAlivePacket),
    Hear(Payload),
    Hear(Disconnect),
    Timeout,
    Expiry,
    Leave,
];

#[test]
fn every_event_in_every_state_leads_where_the_standard_says() {
    let mut reached = BTreeSet::new();
    for addresses in [1, 2] {
        for address in 0..addresses {
            for from in [State::Requesting(address), State::Responding(address), State::Connected(address)] {
                for event in EVENTS {
                    let mut subject = reach(addresses, from);
                    subject.apply(event);
                    let to = leads_to(from, event, addresses);
                    assert_eq!(subject.state(), to, "{event:?} in {from:?} of {addresses}");
                    reached.insert(to);
                    if let State::Ended(_) = to {
                        // An end is an end.
                        for event in EVENTS {
                            subject.apply(event);
                            assert_eq!(subject.state(), to, "{event:?} after the end");
                        }
                    }
                }
            }
        }
    }
    let ends: Vec<i32> = reached
        .iter()
        .filter_map(|state| if let State::Ended(number) = state { Some(*number) } else { None })
        .collect();
    assert_eq!(ends, [-6, -4, -3, -2, -1, 0], "all ends of the standard but the invalid token");
}

/// "Connected" has one way in, and no history leads another way than the table.
#[test]
fn random_histories_make_only_the_transitions_of_the_standard() {
    let mut random = Random::new(11, 0);
    let mut transitions = BTreeSet::new();
    for _ in 0..2_000 {
        let mut subject = subject(2);
        for _ in 0..12 {
            let from = subject.state();
            // Ends would come too soon if every event were as likely as those that lead on.
            let event = match random.below(20) {
                number @ 0..7 => EVENTS[number as usize],
                7 => Timeout,
                8 => Leave,
                9..14 => Hear(Challenge),
                14..18 => Hear(KeepAlivePacket),
                _ => Hear(Payload),
            };
            subject.apply(event);
            let to = subject.state();
            assert_eq!(to, leads_to(from, event, 2), "{event:?} in {from:?}");
            if from != to {
                transitions.insert((from, to));
            }
        }
    }
    let ways_in: Vec<State> =
        transitions.iter().filter(|(_, to)| matches!(to, State::Connected(_))).map(|(from, _)| *from).collect();
    assert_eq!(ways_in, [State::Responding(0), State::Responding(1)]);
}

#[test]
fn a_keep_alive_tells_the_place_and_payloads_before_it_are_discarded() {
    let mut subject = reach(1, State::Responding(0));
    let mut early = subject.packet(Payload);
    assert_eq!(subject.client.receive(subject.now, &mut early), Ok(Heard::Nothing));
    let mut keep_alive = subject.packet(KeepAlivePacket);
    assert_eq!(subject.client.receive(subject.now, &mut keep_alive), Ok(Heard::Connected));
    let told = KeepAlive { client_index: 0x0101_0101, clients_max: 0x0101_0101 };
    assert_eq!(subject.client.place(), Some(told), "the bytes of the packet");
    let mut payload = subject.packet(Payload);
    assert_eq!(subject.client.receive(subject.now, &mut payload), Ok(Heard::Payload(&[1; 5])));
}

/// Each timeout is that of its phase: "if neither a challenge nor a denied packet", "if neither a keep-alive nor a
/// denied packet", "if no payload or keep-alive packet" is received within it. Challenges and denials are not protected
/// against being sent again, so whoever has recorded one could otherwise keep a client where it is for ever.
#[test]
fn only_what_the_standard_names_keeps_a_client_from_timing_out() {
    for from in [State::Requesting(0), State::Responding(0), State::Connected(0)] {
        for packet_type in PACKETS.into_iter().filter(|&packet_type| leads_to(from, Hear(packet_type), 1) == from) {
            let mut subject = reach(1, from);
            subject.now += TIMEOUT - Duration::from_millis(1);
            subject.apply(Hear(packet_type));
            assert_eq!(subject.state(), from, "{packet_type:?}");
            subject.now += Duration::from_millis(1);
            subject.update();
            let keeps = matches!((from, packet_type), (State::Connected(_), KeepAlivePacket | Payload));
            let expected = if keeps { from } else { leads_to(from, Timeout, 1) };
            assert_eq!(subject.state(), expected, "{packet_type:?} in {from:?}");
        }
    }
    // A keep-alive that was recorded is no other than the first one.
    let mut subject = reach(1, State::Connected(0));
    let recorded = subject.packet(KeepAlivePacket);
    subject.client.receive(subject.now, &mut recorded.clone()).expect("the first time");
    subject.now += TIMEOUT;
    assert_eq!(subject.client.receive(subject.now, &mut recorded.clone()), Err(NetcodeError::Replayed));
    subject.update();
    assert_eq!(subject.state(), TIMED_OUT);
}

/// The timeout begins anew with each phase and each address.
#[test]
fn each_phase_has_the_whole_timeout() {
    let almost = TIMEOUT - Duration::from_millis(1);
    let mut subject = subject(2);
    for _ in 0..2 {
        let State::Requesting(address) = subject.state() else { panic!("it asks") };
        subject.now += almost;
        subject.apply(Hear(Challenge));
        assert_eq!(subject.state(), State::Responding(address));
        subject.now += almost;
        subject.update();
        assert_eq!(subject.state(), State::Responding(address));
        subject.now += Duration::from_millis(1);
        subject.update();
    }
    assert_eq!((subject.state(), subject.now), (RESPONSE_TIMED_OUT, 4 * TIMEOUT - Duration::from_millis(2)));
}

/// "This length of time should be determined by subtracting the create timestamp of the connect token from its expiry
/// timestamp", over all addresses together, whatever phase it falls into.
#[test]
fn a_token_expires_over_all_addresses_together() {
    for is_challenged in [false, true] {
        // Without a timeout of its own.
        let mut subject = begin(ConnectToken { timeout_s: -1, ..Vectors::read().token() });
        subject.now = Duration::from_secs(30);
        subject.apply(Hear(Denied));
        assert_eq!(subject.state(), State::Requesting(1));
        subject.now = LIFE - Duration::from_millis(1);
        if is_challenged {
            subject.apply(Hear(Challenge));
        }
        let expected = if is_challenged { State::Responding(1) } else { State::Requesting(1) };
        assert_eq!(subject.state(), expected);
        subject.apply(Expiry);
        assert_eq!(subject.state(), EXPIRED);
    }
}

/// A server numbers the packets of a connection from 0: what an earlier one has said does not make the next one's old.
#[test]
fn the_next_server_begins_to_count_anew() {
    let mut subject = reach(2, State::Responding(0));
    // The first server has let the client in, but its keep-alives were lost.
    (0..1_000).for_each(|_| subject.apply(Hear(Payload)));
    subject.apply(Timeout);
    assert_eq!(subject.state(), State::Requesting(1));
    subject.apply(Hear(Challenge));
    subject.number = 0;
    subject.apply(Hear(KeepAlivePacket));
    assert_eq!(subject.state(), State::Connected(1));
}

/// A connection on which nothing happens but keep-alives, both ways, stays as it is, longer than its token's life.
#[test]
fn an_idle_connection_makes_no_transition() {
    let mut subject = reach(1, State::Connected(0));
    let mut sent = 0;
    while subject.now < 2 * LIFE {
        subject.now += HANDSHAKE_INTERVAL;
        sent += u32::from(subject.client.update(subject.now).is_some());
        if subject.now.as_millis().is_multiple_of(1_000) {
            let mut packet = subject.packet(KeepAlivePacket);
            assert_eq!(subject.client.receive(subject.now, &mut packet), Ok(Heard::Nothing));
        }
        assert_eq!(subject.state(), State::Connected(0));
    }
    assert_eq!(sent, 2 * 120, "two keep-alives a second");
}
