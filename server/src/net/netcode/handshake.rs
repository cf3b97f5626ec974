//! Requests and responses: who is let through to a place.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use hashbrown::HashMap;
use rustc_hash::FxHashMap;
use throng_shared::ids::ClientId;
use throng_shared::limits::{PENDING_HANDSHAKES_MAX, PENDING_MS, QUARANTINED_MAX};
use throng_shared::netcode::challenge::ChallengeToken;
use throng_shared::netcode::connect_token::PRIVATE_BYTES;
use throng_shared::netcode::packet::{Header, PacketType, Request};
use throng_shared::netcode::{Key, NetcodeError, PrivateToken, USER_DATA_BYTES};

use super::source_limits::StrangerLimits;
use super::table::{Newcomer, Received, ReplyBuffer, Table};
use super::tokens::{Shown, TokenTag, UsedTokens};

/// Why a request for a connection was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HandshakeRefusal {
    /// The token has expired, or somebody's clock is wrong.
    Expired,
    /// The source has asked too often in this second.
    SourceLimit,
    /// All sources together have asked too often.
    Budget,
    /// The token is sealed with another key, or holds what no token holds.
    Seal,
    /// The token is for another server, or another address of this one.
    OtherServer,
    /// The client has misbehaved.
    Quarantined,
    /// The token was used, or is in use elsewhere.
    Used,
    /// There is no place. The client is told.
    Full,
    /// It was the oldest of too many handshakes under way, and was forgotten.
    Displaced,
    /// Too many tokens were shown that have not expired: they live too long.
    TokenMemoryFull,
}

impl HandshakeRefusal {
    /// All of them, for metrics that start at zero.
    pub const ALL: [HandshakeRefusal; 10] = [
        HandshakeRefusal::Expired,
        HandshakeRefusal::SourceLimit,
        HandshakeRefusal::Budget,
        HandshakeRefusal::Seal,
        HandshakeRefusal::OtherServer,
        HandshakeRefusal::Quarantined,
        HandshakeRefusal::Used,
        HandshakeRefusal::Full,
        HandshakeRefusal::Displaced,
        HandshakeRefusal::TokenMemoryFull,
    ];

    /// Name in metrics.
    pub fn label(self) -> &'static str {
        match self {
            HandshakeRefusal::Expired => "expired",
            HandshakeRefusal::SourceLimit => "source_limit",
            HandshakeRefusal::Budget => "budget",
            HandshakeRefusal::Seal => "seal",
            HandshakeRefusal::OtherServer => "other_server",
            HandshakeRefusal::Quarantined => "quarantined",
            HandshakeRefusal::Used => "used",
            HandshakeRefusal::Full => "full",
            HandshakeRefusal::Displaced => "displaced",
            HandshakeRefusal::TokenMemoryFull => "token_memory_full",
        }
    }
}

/// Handshakes under way.
#[derive(Debug, Default)]
pub(super) struct Handshakes {
    pending: HashMap<SocketAddr, Pending>,
    /// When each is forgotten, oldest first; those that are done are still in it.
    expiries: VecDeque<(Duration, SocketAddr)>,
    requests: StrangerLimits,
    challenge_sequence: u64,
    /// Clients that may not come in, and until when.
    quarantined: FxHashMap<ClientId, Duration>,
}

/// A client that has shown a token and has been challenged.
#[derive(Debug)]
struct Pending {
    newcomer: Newcomer,
    user_data: Box<[u8; USER_DATA_BYTES]>,
    tag: TokenTag,
    expires_at: Duration,
}

impl Handshakes {
    /// Forgets handshakes that were not completed in time, and quarantines that are over.
    pub(super) fn forget_expired(&mut self, now: Duration, used_tokens: &UsedTokens) {
        while self.expiries.front().is_some_and(|(expires_at, _)| *expires_at <= now) {
            self.forget_oldest(used_tokens);
        }
        self.quarantined.retain(|_, until| *until > now);
    }

    /// Number of handshakes under way.
    #[cfg(test)]
    pub(super) fn pending_count(&self) -> usize {
        self.pending.len()
    }

    /// Keeps a client out until then. When [`QUARANTINED_MAX`] are kept out, no further one is.
    pub(super) fn quarantine(&mut self, client: ClientId, until: Duration) {
        if self.quarantined.len() < QUARANTINED_MAX || self.quarantined.contains_key(&client) {
            self.quarantined.insert(client, until);
        }
    }

    /// Adds a handshake; returns how many were forgotten for it.
    fn add(&mut self, mut pending: Pending, used_tokens: &UsedTokens) -> u64 {
        let mut displaced = 0;
        let address = pending.newcomer.address;
        match self.pending.get(&address) {
            // Another token from the same address: it has what is left of the former one's time.
            Some(former) => {
                used_tokens.withdraw(former.tag);
                pending.expires_at = former.expires_at;
            }
            None => {
                // The oldest make room: whoever fills the memory with requests alone loses them first.
                while self.pending.len() >= PENDING_HANDSHAKES_MAX && !self.expiries.is_empty() {
                    let before = self.pending.len();
                    self.forget_oldest(used_tokens);
                    displaced += (before - self.pending.len()) as u64;
                }
                self.expiries.push_back((pending.expires_at, address));
            }
        }
        self.pending.insert(address, pending);
        displaced
    }

    /// Forgets the oldest handshake, unless it has been completed.
    fn forget_oldest(&mut self, used_tokens: &UsedTokens) {
        if let Some((expires_at, address)) = self.expiries.pop_front()
            && self.pending.get(&address).is_some_and(|pending| pending.expires_at == expires_at)
        {
            self.forget(address, used_tokens);
        }
    }

    /// Forgets a handshake that leads nowhere: its token may be shown elsewhere.
    fn forget(&mut self, address: SocketAddr, used_tokens: &UsedTokens) {
        if let Some(pending) = self.pending.remove(&address) {
            used_tokens.withdraw(pending.tag);
        }
    }

    /// A number that nobody can guess who has not received it.
    pub(super) fn draw_challenge(&mut self, challenge_key: &Key) -> u64 {
        let number = self.challenge_sequence;
        self.challenge_sequence += 1;
        // The tag of nothing, under a number that is used for nothing else. 0 stands for no challenge.
        let tag = challenge_key.seal(number, b"move", &mut []);
        tag.first_chunk().map_or(1, |bytes| u64::from_le_bytes(*bytes).max(1))
    }
}

impl Table {
    /// Keeps a client out until then.
    pub fn quarantine(&mut self, client: ClientId, until: Duration) {
        self.handshakes.quarantine(client, until);
    }

    /// Answers a request with a challenge, or not at all. The cheap checks come first.
    pub(super) fn request<'p>(
        &mut self,
        now: Duration,
        from: SocketAddr,
        packet: &[u8],
        reply: &mut ReplyBuffer,
    ) -> Received<'p> {
        let request = match Request::read(self.options.protocol_id, packet) {
            Ok(request) => request,
            Err(error) => {
                self.totals.refused[error as usize] += 1;
                return Received::Nothing;
            }
        };
        match self.judge(now, from, &request) {
            Ok(()) => {
                self.challenge(from, reply);
                Received::Reply
            }
            Err(refusal) => {
                self.totals.handshakes_refused[refusal.0 as usize] += 1;
                match refusal.1 {
                    Some(newcomer) => {
                        self.reply(PacketType::Denied, &newcomer.send_key, &[], reply);
                        Received::Reply
                    }
                    None => Received::Nothing,
                }
            }
        }
    }

    /// Judges a request. Whoever is refused is only told when its token is right.
    fn judge(
        &mut self,
        now: Duration,
        from: SocketAddr,
        request: &Request<'_>,
    ) -> Result<(), (HandshakeRefusal, Option<Box<Newcomer>>)> {
        let silently = |refusal| (refusal, None);
        let unix_s = (now + self.options.unix_offset).as_secs();
        if request.expires_at_s <= unix_s {
            return Err(silently(HandshakeRefusal::Expired));
        }
        if !self.handshakes.requests.admit_source(now, from) {
            return Err(silently(HandshakeRefusal::SourceLimit));
        }
        let tag = tag_of(request.sealed);
        if let Some(pending) = self.handshakes.pending.get(&from).filter(|pending| pending.tag == tag) {
            // A repeated request: its token was found right before, but there may be no room any more.
            let newcomer = pending.newcomer;
            return match self.reason_to_deny(newcomer.client) {
                Some(refusal) => {
                    self.handshakes.forget(from, &self.options.used_tokens);
                    Err((refusal, Some(Box::new(newcomer))))
                }
                None => Ok(()),
            };
        }
        if !self.handshakes.requests.admit_to_budget(now) {
            return Err(silently(HandshakeRefusal::Budget));
        }
        let Request { sealed, expires_at_s, nonce } = *request;
        let private = PrivateToken::open(sealed, self.options.protocol_id, expires_at_s, nonce, &self.options.key)
            .map_err(|_| silently(HandshakeRefusal::Seal))?;
        if !private.names(self.options.public) {
            return Err(silently(HandshakeRefusal::OtherServer));
        }
        let newcomer = Newcomer::new(&private, from);
        if let Some(refusal) = self.reason_to_deny(newcomer.client) {
            // Before the token counts as shown here: it may be good at another port.
            return Err((refusal, Some(Box::new(newcomer))));
        }
        match self.options.used_tokens.show(tag, self.options.worker, from, unix_s, expires_at_s) {
            Shown::Good => {}
            Shown::InUse => return Err(silently(HandshakeRefusal::Used)),
            Shown::NoRoom => return Err(silently(HandshakeRefusal::TokenMemoryFull)),
        }
        let expires_at = now + Duration::from_millis(PENDING_MS);
        let pending = Pending { newcomer, user_data: Box::new(private.user_data), tag, expires_at };
        let displaced = self.handshakes.add(pending, &self.options.used_tokens);
        self.totals.handshakes_refused[HandshakeRefusal::Displaced as usize] += displaced;
        Ok(())
    }

    /// Why a client whose token is right may not come in now; it is told that it may not.
    fn reason_to_deny(&self, client: ClientId) -> Option<HandshakeRefusal> {
        if self.handshakes.quarantined.contains_key(&client) {
            Some(HandshakeRefusal::Quarantined)
        } else {
            (!self.has_room_for(client)).then_some(HandshakeRefusal::Full)
        }
    }

    fn challenge(&mut self, from: SocketAddr, reply: &mut ReplyBuffer) {
        let Some(pending) = self.handshakes.pending.get(&from) else { return };
        let token = ChallengeToken { client_id: pending.newcomer.client.0, user_data: *pending.user_data };
        let send_key = pending.newcomer.send_key;
        let number = self.handshakes.challenge_sequence;
        self.handshakes.challenge_sequence += 1;
        let sealed = token.seal(&self.options.challenge_key, number);
        self.reply(PacketType::Challenge, &send_key, &[&number.to_le_bytes(), &sealed], reply);
    }

    /// Lets in who answers the challenge that was sent to its address.
    pub(super) fn respond<'p>(
        &mut self,
        now: Duration,
        from: SocketAddr,
        header: Header,
        packet: &mut [u8],
        reply: &mut ReplyBuffer,
    ) -> Received<'p> {
        debug_assert!(!self.is_connected(from), "a connected client's packets go to its place");
        let Some(pending) = self.handshakes.pending.get(&from) else {
            self.totals.unknown_source += 1;
            return Received::Nothing;
        };
        if !self.respondents.admit(now, from) {
            self.totals.handshakes_refused[HandshakeRefusal::SourceLimit as usize] += 1;
            return Received::Nothing;
        }
        if !is_answer(self.options.protocol_id, &self.options.challenge_key, pending, header, packet) {
            self.totals.refused[NetcodeError::Seal as usize] += 1;
            return Received::Nothing;
        }
        let (newcomer, tag) = (pending.newcomer, pending.tag);
        let (places, clients_max) = (&self.options.places, self.options.clients_max);
        // Taken before the token counts as used: another thread may be about to take the last.
        let refusal = self.reason_to_deny(newcomer.client);
        let refusal =
            refusal.or_else(|| (!places.take(newcomer.client, clients_max)).then_some(HandshakeRefusal::Full));
        if let Some(refusal) = refusal {
            self.handshakes.forget(from, &self.options.used_tokens);
            self.totals.handshakes_refused[refusal as usize] += 1;
            self.reply(PacketType::Denied, &newcomer.send_key, &[], reply);
            return Received::Reply;
        }
        let pending = self.handshakes.pending.remove(&from);
        let Some(pending) = pending.filter(|_| self.options.used_tokens.connect(tag)) else {
            self.options.places.give_back(newcomer.client);
            self.totals.handshakes_refused[HandshakeRefusal::Used as usize] += 1;
            return Received::Nothing;
        };
        let connection = self.admit(now, &newcomer, reply);
        Received::Connected { connection, client: newcomer.client, user_data: pending.user_data }
    }
}

/// Whether a response carries the challenge that was sent to this very client: one that was made for another token of the
/// same player would bring that token's user data along.
fn is_answer(protocol_id: u64, challenge_key: &Key, pending: &Pending, header: Header, packet: &mut [u8]) -> bool {
    let Ok(data) = header.open(protocol_id, &pending.newcomer.receive_key, packet) else { return false };
    let Some((number, sealed)) = data.split_first_chunk_mut::<8>() else { return false };
    ChallengeToken::open(challenge_key, u64::from_le_bytes(*number), sealed)
        .is_some_and(|token| token.client_id == pending.newcomer.client.0 && token.user_data == *pending.user_data)
}

/// A token is known by the tag of its private part, as in the standard.
fn tag_of(sealed: &[u8; PRIVATE_BYTES]) -> TokenTag {
    let mut tag = [0; 16];
    tag.copy_from_slice(&sealed[PRIVATE_BYTES - 16..]);
    tag
}
