//! Clients whose address changes in the middle of a connection: a telephone that leaves the house, a router that forgets.
//!
//! A move is sealed with the connection's own keys, so it is answered at once: one round trip after a client has noticed, it
//! gets snapshots again, with no handshake and no token. That the seal fits does not show that the client receives where the
//! move came from, for anybody who has a connection can write a stranger's address on a packet. So the address is
//! challenged; until it has answered, it gets no more bytes than it has sent, which is why moves are long. What comes from there
//! is taken when it is a move, for that names its place, or a farewell that nobody else could have sent; whose the other packets
//! from there are does not change before the answer, so that nobody can make us deaf to somebody else.

use std::net::SocketAddr;
use std::time::Duration;

use throng_shared::netcode::packet::{Header, MOVE_BYTES_MIN, Move, PacketType};
use throng_shared::netcode::{NetcodeError, PACKET_BYTES_MAX};

use super::table::{Path, Received, ReplyBuffer, Table};

/// Most bytes that a claimed address may be owed: what a tick or two of its packets were long.
const ALLOWANCE_BYTES_MAX: usize = 4 * PACKET_BYTES_MAX;

impl Path {
    /// Whether so many bytes may be sent; then they are taken for sent.
    pub(super) fn take_allowance(&mut self, bytes: usize) -> bool {
        match self {
            Path::Proven => true,
            Path::Claimed { allowance_bytes, .. } => match allowance_bytes.checked_sub(bytes) {
                Some(rest) => {
                    *allowance_bytes = rest;
                    true
                }
                None => false,
            },
        }
    }

    /// Notes that so many bytes have come from there.
    pub(super) fn add_allowance(&mut self, bytes: usize) {
        if let Path::Claimed { allowance_bytes, .. } = self {
            *allowance_bytes = (*allowance_bytes + bytes).min(ALLOWANCE_BYTES_MAX);
        }
    }
}

impl Table {
    /// Takes a move. Whoever is not at the place's address has limits as those who ask for a connection have, for its seal costs
    /// as much to look at.
    pub(super) fn take_move<'p>(
        &mut self,
        now: Duration,
        from: SocketAddr,
        header: Header,
        packet: &'p mut [u8],
        reply: &mut ReplyBuffer,
    ) -> Received<'p> {
        let (place, packet_bytes) = (header.place, packet.len());
        if packet_bytes < MOVE_BYTES_MIN {
            return self.refuse(NetcodeError::TooShort);
        }
        let Some(slot) = self.slots.get_mut(place as usize).filter(|slot| slot.is_connected) else {
            self.totals.unknown_source += 1;
            return Received::Nothing;
        };
        let is_there = slot.address == from;
        if is_there && !slot.may_receive(now) {
            self.totals.flooded += 1;
            return Received::Nothing;
        }
        if slot.replay.is_received(header.sequence) {
            return self.refuse(NetcodeError::Replayed);
        }
        if !is_there && !self.movers.admit(now, from) {
            self.totals.moves_refused += 1;
            return Received::Nothing;
        }
        let slot = &mut self.slots[place as usize];
        let opened = header.open(self.options.protocol_id, &slot.receive_key, packet);
        let Move { answer, payload } = match opened.and_then(|data| Move::decode(data)) {
            Ok(decoded) => decoded,
            Err(error) => return self.refuse(error),
        };
        // One that was overtaken tells of an address that may have been left again.
        let is_newest = slot.replay.is_newest(header.sequence);
        slot.replay.insert(header.sequence);
        slot.heard_at = now;
        slot.is_confirmed = true;
        let connection = self.connection(place);
        if !is_there && !is_newest {
            return if payload.is_empty() { Received::Nothing } else { Received::Payload { connection, payload } };
        }
        if !is_there {
            self.settle_at(place, from);
        }
        self.answer_move(place, answer, packet_bytes, reply);
        Received::Moved { connection, payload }
    }

    /// From now on, a place's moves come from and everything for it goes to `address`.
    fn settle_at(&mut self, place: u32, address: SocketAddr) {
        self.forget_address(place);
        self.claims.insert(address, place);
        let challenge = self.handshakes.draw_challenge(&self.options.challenge_key);
        let slot = &mut self.slots[place as usize];
        slot.address = address;
        slot.path = Path::Claimed { challenge, allowance_bytes: 0 };
        self.totals.moves += 1;
    }

    /// A place's client has shown that it receives at its address, and what comes from there is its own. Whose the address was
    /// before has moved away unheard, most probably; if not, it hears nothing now, will move and can show the same.
    fn prove(&mut self, place: u32) {
        let slot = &mut self.slots[place as usize];
        slot.path = Path::Proven;
        self.claims.remove(&slot.address);
        let former = self.by_address.insert(slot.address, place).filter(|&former| former != place);
        if let Some(former) = former {
            let challenge = self.handshakes.draw_challenge(&self.options.challenge_key);
            let slot = &mut self.slots[former as usize];
            slot.path = Path::Claimed { challenge, allowance_bytes: 0 };
            self.claims.insert(slot.address, former);
        }
    }

    /// Writes the answer to a move from where the place is now: the challenge, or, when that is answered, that there is none.
    fn answer_move(&mut self, place: u32, answer: u64, bytes: usize, reply: &mut ReplyBuffer) {
        let protocol_id = self.options.protocol_id;
        let slot = &mut self.slots[place as usize];
        slot.path.add_allowance(bytes);
        let challenge = match slot.path {
            Path::Claimed { challenge, .. } if challenge != answer => challenge,
            Path::Claimed { .. } => {
                self.prove(place);
                0
            }
            Path::Proven => 0,
        };
        let slot = &mut self.slots[place as usize];
        let data = challenge.to_le_bytes();
        reply.length = slot.seal(PacketType::MoveChallenge, protocol_id, &[&data], &mut reply.bytes);
        slot.path.take_allowance(reply.length);
    }
}
