//! The client's side of a connection, without a socket and without a clock.

use std::net::SocketAddr;
use std::time::Duration;

use super::challenge::CHALLENGE_BYTES;
use super::connect_token::ConnectToken;
use super::packet::{self, Header, KeepAlive, MOVE_DATA_BYTES_MAX, MOVE_PAYLOAD_BYTES_MAX, Move, PacketType, Request};
use super::replay::ReplayWindow;
use super::{NetcodeError, PACKET_BYTES_MAX};
use crate::limits::DISCONNECT_REPEATS;

/// How often a request and a response are repeated while a connection is made.
pub const HANDSHAKE_INTERVAL: Duration = Duration::from_millis(100);

/// After how long without another packet a keep-alive is sent, by both ends.
pub const KEEP_ALIVE_INTERVAL: Duration = Duration::from_millis(500);

/// Why there is no connection any more, or never was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ClientEnd {
    /// The token expired before the connection stood.
    #[error("the connect token has expired")]
    TokenExpired,
    /// No server named in the token answered.
    #[error("no answer")]
    RequestTimedOut,
    /// A server answered, and then no more.
    #[error("no answer to the response")]
    ResponseTimedOut,
    /// The connection stood, and then nothing more came.
    #[error("nothing was heard for too long")]
    TimedOut,
    /// The server has no room, or keeps this player out for a while.
    #[error("the server is full, or keeps this player out")]
    Denied,
    /// The server ended it.
    #[error("the server has closed the connection")]
    ClosedByServer,
    /// We ended it.
    #[error("left")]
    Left,
}

/// How far a client has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Requesting,
    Responding,
    Connected(KeepAlive),
    Ended(ClientEnd),
}

/// What a received packet meant.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard<'p> {
    /// Nothing to the caller.
    Nothing,
    /// The connection stands.
    Connected,
    /// Bytes from the server.
    Payload(&'p [u8]),
    /// It is over.
    Ended(ClientEnd),
}

/// A client's connection: packets in, packets out. `now` is on any scale that does not run backwards.
#[derive(Clone, Debug)]
pub struct NetcodeClient {
    token: ConnectToken,
    stage: Stage,
    /// What is sent in response: the challenge's number and token.
    response: [u8; 8 + CHALLENGE_BYTES],
    /// Which of the token's addresses is tried or was reached.
    address: usize,
    started_at: Duration,
    /// When this phase began, or the server was last heard of in it.
    heard_at: Duration,
    sent_at: Option<Duration>,
    sequence: u64,
    replay: ReplayWindow,
    moving: Option<Moving>,
    scratch: [u8; PACKET_BYTES_MAX],
}

/// A move under way: the server does not know yet that we are at another address, or not yet that it is ours.
#[derive(Clone, Copy, Debug, Default)]
struct Moving {
    /// The newest challenge; 0 for none.
    answer: u64,
    /// The number of the packet that it came in; 0 for none.
    challenged_by: u64,
}

impl NetcodeClient {
    /// Begins to connect.
    pub fn new(token: ConnectToken, now: Duration) -> NetcodeClient {
        debug_assert!(!token.addresses.is_empty(), "no token without an address can be made or read");
        NetcodeClient {
            token,
            stage: Stage::Requesting,
            response: [0; 8 + CHALLENGE_BYTES],
            address: 0,
            started_at: now,
            heard_at: now,
            sent_at: None,
            sequence: 0,
            replay: ReplayWindow::default(),
            moving: None,
            scratch: [0; PACKET_BYTES_MAX],
        }
    }

    /// The server that is asked, or connected to.
    pub fn server(&self) -> SocketAddr {
        self.token.addresses[self.address]
    }

    /// Whether the connection stands.
    pub fn is_connected(&self) -> bool {
        matches!(self.stage, Stage::Connected(_))
    }

    /// Why it is over; none while it is not.
    pub fn end(&self) -> Option<ClientEnd> {
        match self.stage {
            Stage::Ended(end) => Some(end),
            _ => None,
        }
    }

    /// Our place on the server and how many places it has, once connected.
    pub fn place(&self) -> Option<KeepAlive> {
        match self.stage {
            Stage::Connected(place) => Some(place),
            _ => None,
        }
    }

    /// When the server was last heard of, or first asked.
    pub fn heard_at(&self) -> Duration {
        self.heard_at
    }

    /// Takes a packet from the server, which is decrypted in place.
    ///
    /// # Errors
    /// When it is not from the server, or was received before.
    pub fn receive<'p>(&mut self, now: Duration, packet: &'p mut [u8]) -> Result<Heard<'p>, NetcodeError> {
        let header = Header::read(packet)?;
        match (header.packet_type, &self.stage) {
            (PacketType::Request | PacketType::Response | PacketType::Move, _) => return Err(NetcodeError::Type),
            (_, Stage::Ended(_)) => return Ok(Heard::Nothing),
            _ => {}
        }
        let is_protected = header.packet_type.is_replay_protected();
        if is_protected && self.replay.is_received(header.sequence) {
            return Err(NetcodeError::Replayed);
        }
        let data = header.open(self.token.protocol_id, &self.token.server_to_client, packet)?;
        if is_protected {
            self.replay.insert(header.sequence);
        }
        if is_sign_of_life(header.packet_type, self.stage) {
            self.heard_at = now;
        }
        Ok(match (header.packet_type, self.stage) {
            (PacketType::Challenge, Stage::Requesting) => {
                self.response.copy_from_slice(data);
                self.stage = Stage::Responding;
                self.sent_at = None;
                Heard::Nothing
            }
            (PacketType::KeepAlive, Stage::Responding) => match KeepAlive::decode(data) {
                Some(place) => {
                    self.stage = Stage::Connected(place);
                    Heard::Connected
                }
                None => Heard::Nothing,
            },
            (PacketType::MoveChallenge, Stage::Connected(_)) => {
                self.take_move_challenge(header.sequence, data);
                Heard::Nothing
            }
            (PacketType::Payload, Stage::Connected(_)) => Heard::Payload(data),
            (PacketType::Disconnect, Stage::Connected(_)) => self.finish(ClientEnd::ClosedByServer),
            // Nothing was sent to this address yet: it is the answer of another one.
            (PacketType::Denied, _) if self.sent_at.is_none() => Heard::Nothing,
            (PacketType::Denied, Stage::Requesting | Stage::Responding) => {
                if self.try_next_address(now) {
                    Heard::Nothing
                } else {
                    self.finish(ClientEnd::Denied)
                }
            }
            _ => Heard::Nothing,
        })
    }

    /// Lets time pass: whether it is over now, and the packet that is to be sent now, if one is. To be called at least as
    /// often as [`HANDSHAKE_INTERVAL`] says.
    pub fn update(&mut self, now: Duration) -> Option<&[u8]> {
        self.check_timeouts(now);
        let interval = match self.stage {
            Stage::Requesting | Stage::Responding => HANDSHAKE_INTERVAL,
            Stage::Connected(_) if self.moving.is_some() => HANDSHAKE_INTERVAL,
            Stage::Connected(_) => KEEP_ALIVE_INTERVAL,
            Stage::Ended(_) => return None,
        };
        if self.sent_at.is_some_and(|sent_at| now < sent_at + interval) {
            return None;
        }
        self.sent_at = Some(now);
        let length = match self.stage {
            Stage::Requesting => {
                let ConnectToken { expires_at_s, nonce, sealed, protocol_id, .. } = &self.token;
                Request { expires_at_s: *expires_at_s, nonce, sealed }.write(*protocol_id, &mut self.scratch)
            }
            Stage::Responding => {
                let response = self.response;
                self.seal(PacketType::Response, &[&response])
            }
            Stage::Connected(_) if self.moving.is_some() => self.seal_payload(&[]),
            Stage::Connected(place) => self.seal(PacketType::KeepAlive, &[&place.encode()]),
            Stage::Ended(_) => return None,
        };
        Some(&self.scratch[..length])
    }

    /// Tells the server, with every packet until it knows, that our address is another one now: because the socket is, or
    /// because somebody on the way may have changed it. Nothing happens while there is no connection.
    ///
    /// A server that does not know of moves ignores them.
    pub fn begin_move(&mut self) {
        if self.is_connected() {
            self.moving = Some(Moving::default());
            self.sent_at = None;
        }
    }

    /// Whether the server does not know our address yet, as far as we know.
    pub fn is_moving(&self) -> bool {
        self.is_connected() && self.moving.is_some()
    }

    fn take_move_challenge(&mut self, sequence: u64, data: &[u8]) {
        let (Some(moving), Ok(challenge)) = (self.moving, data.try_into()) else { return };
        if sequence <= moving.challenged_by {
            return;
        }
        let answer = u64::from_le_bytes(challenge);
        self.moving = (answer != 0).then_some(Moving { answer, challenged_by: sequence });
        if self.is_moving() {
            // To be answered at once.
            self.sent_at = None;
        }
    }

    /// The packet that carries a payload of `parts`; none while there is no connection.
    ///
    /// # Panics
    /// When the payload is empty or longer than [`MOVE_PAYLOAD_BYTES_MAX`].
    pub fn payload(&mut self, now: Duration, parts: &[&[u8]]) -> Option<&[u8]> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        assert!((1..=MOVE_PAYLOAD_BYTES_MAX).contains(&length), "a payload has 1 to {MOVE_PAYLOAD_BYTES_MAX} bytes");
        if !self.is_connected() {
            return None;
        }
        self.sent_at = Some(now);
        let length = self.seal_payload(parts);
        Some(&self.scratch[..length])
    }

    /// Ends the connection: calls `send` with each packet that tells the server.
    pub fn disconnect(&mut self, mut send: impl FnMut(&[u8])) {
        if self.is_connected() {
            for _ in 0..DISCONNECT_REPEATS {
                let length = self.seal(PacketType::Disconnect, &[]);
                send(&self.scratch[..length]);
            }
        }
        if self.end().is_none() {
            self.stage = Stage::Ended(ClientEnd::Left);
        }
    }

    /// Seals a payload into a packet of its own kind, or into a move while one is under way.
    fn seal_payload(&mut self, parts: &[&[u8]]) -> usize {
        let (Some(Moving { answer, .. }), Stage::Connected(KeepAlive { client_index, .. })) = (self.moving, self.stage)
        else {
            return self.seal(PacketType::Payload, parts);
        };
        let sequence = self.sequence;
        self.sequence += 1;
        let ConnectToken { protocol_id, client_to_server, .. } = &self.token;
        let mut data = [0; MOVE_DATA_BYTES_MAX];
        let data = Move::encode(answer, parts, &mut data);
        packet::seal_move(*protocol_id, client_to_server, sequence, client_index, data, &mut self.scratch)
    }

    fn seal(&mut self, packet_type: PacketType, parts: &[&[u8]]) -> usize {
        let sequence = self.sequence;
        self.sequence += 1;
        let ConnectToken { protocol_id, client_to_server, .. } = &self.token;
        packet::seal(packet_type, *protocol_id, client_to_server, sequence, parts, &mut self.scratch)
    }

    /// Lets time pass without a packet to send: it may be over now, or another of the token's servers be tried.
    pub fn check_timeouts(&mut self, now: Duration) {
        let end = match self.stage {
            Stage::Ended(_) => return,
            Stage::Requesting => ClientEnd::RequestTimedOut,
            Stage::Responding => ClientEnd::ResponseTimedOut,
            Stage::Connected(_) => ClientEnd::TimedOut,
        };
        // The standard counts the life of a token from when it is used: clocks of players may be wrong.
        let lasts = Duration::from_secs(self.token.expires_at_s.saturating_sub(self.token.created_at_s));
        if !self.is_connected() && now.saturating_sub(self.started_at) >= lasts {
            self.finish(ClientEnd::TokenExpired);
            return;
        }
        let Ok(timeout_s) = u64::try_from(self.token.timeout_s) else { return };
        if now.saturating_sub(self.heard_at) >= Duration::from_secs(timeout_s)
            && (self.is_connected() || !self.try_next_address(now))
        {
            self.finish(end);
        }
    }

    /// Turns to the token's next server, if it names another.
    fn try_next_address(&mut self, now: Duration) -> bool {
        if self.address + 1 >= self.token.addresses.len() {
            return false;
        }
        self.address += 1;
        self.stage = Stage::Requesting;
        self.heard_at = now;
        self.sent_at = None;
        // Each server counts from 0.
        self.replay = ReplayWindow::default();
        true
    }

    fn finish(&mut self, end: ClientEnd) -> Heard<'static> {
        self.stage = Stage::Ended(end);
        Heard::Ended(end)
    }
}

/// Whether a packet puts off the timeout: only what leads on, and what a connection lives on. Challenges and denials
/// are not protected against being sent again, so whoever has recorded one could keep a client waiting for a server
/// that is gone.
fn is_sign_of_life(packet_type: PacketType, stage: Stage) -> bool {
    matches!(
        (packet_type, stage),
        (PacketType::Challenge, Stage::Requesting)
            | (PacketType::KeepAlive, Stage::Responding)
            | (PacketType::KeepAlive | PacketType::Payload, Stage::Connected(_))
    )
}
