//! Who is connected: a place for each, found by address or by connection without a search.

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::Duration;

use hashbrown::HashMap;
use throng_shared::ids::ClientId;
use throng_shared::limits::{DISCONNECT_REPEATS, PACKETS_PER_50_MS_MAX, TIMEOUT_S_MAX};
use throng_shared::netcode::client::KEEP_ALIVE_INTERVAL;
use throng_shared::netcode::packet::{self, Header, KeepAlive, PacketType};
use throng_shared::netcode::replay::ReplayWindow;
use throng_shared::netcode::{
    HANDSHAKE_SEQUENCE_FIRST, Key, NetcodeError, PACKET_BYTES_MAX, PAYLOAD_BYTES_MAX, PrivateToken, USER_DATA_BYTES,
};

use super::handshake::Handshakes;
use super::places::TakenPlaces;
use super::source_limits::{SourceLimits, StrangerLimits};
use super::tokens::UsedTokens;
use crate::net::inbound::TransportTotals;
use crate::net::transport::ConnectionId;

/// How often the place is told again to a client that has not shown yet that it knows it.
const CONFIRM_INTERVAL: Duration = Duration::from_millis(100);

/// Length of the window in which a connection's packets are counted.
const FLOOD_WINDOW: Duration = Duration::from_millis(50);

/// What a [`Table`] needs to know.
#[derive(Clone, Debug)]
pub struct TableOptions {
    /// Which game.
    pub protocol_id: u64,
    /// Seals connect tokens.
    pub key: Key,
    /// What tokens for this table name.
    pub public: SocketAddr,
    /// Most clients at once, of all that share `places`. Whoever takes over its own connection has two for a moment.
    pub clients_max: usize,
    /// Places taken; shared by the tables of a server.
    pub places: TakenPlaces,
    /// The network thread that has the table.
    pub worker: u16,
    /// Shared by all of them.
    pub used_tokens: UsedTokens,
    /// Time since 1970 when the clock shows zero.
    pub unix_offset: Duration,
    /// Drawn at random.
    pub challenge_key: Key,
    /// Drawn at random: where this run's handshake packets begin to count, so that another run uses other numbers.
    pub handshake_start: u32,
}

/// All connections of one socket.
#[derive(Debug)]
pub struct Table {
    pub(super) options: TableOptions,
    pub(super) handshakes: Handshakes,
    /// What those who move may cost, and those who answer a challenge.
    pub(super) movers: StrangerLimits,
    pub(super) respondents: SourceLimits,
    /// Number of the next packet outside of a connection.
    handshake_sequence: u64,
    pub(super) slots: Vec<Slot>,
    free: Vec<u32>,
    pub(super) by_address: HashMap<SocketAddr, u32>,
    /// Who claims which address; only farewells are taken by it. No more than there are places.
    pub(super) claims: HashMap<SocketAddr, u32>,
    pub(super) totals: TransportTotals,
}

/// A place. Some 300 bytes.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) is_connected: bool,
    /// Whether the client has shown that it knows its place.
    pub(super) is_confirmed: bool,
    generation: u32,
    client: ClientId,
    pub(super) address: SocketAddr,
    pub(super) path: Path,
    send_key: Key,
    pub(super) receive_key: Key,
    send_sequence: u64,
    pub(super) replay: ReplayWindow,
    pub(super) heard_at: Duration,
    sent_at: Duration,
    timeout: Duration,
    /// Packets since `counted_since`.
    packets: u32,
    counted_since: Duration,
}

/// Whether a client is known to receive at the address that it sends from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Path {
    /// It has answered a challenge that went there.
    Proven,
    /// It says so. Until it has answered `challenge`, no more bytes go there than have come from there.
    Claimed { challenge: u64, allowance_bytes: usize },
}

/// What a received packet meant.
#[derive(Debug, PartialEq)]
pub enum Received<'p> {
    /// Nothing to anybody.
    Nothing,
    /// Something that is to be answered: the reply goes back where the packet came from.
    Reply,
    /// A client is connected; the reply tells it.
    Connected {
        /// Its connection.
        connection: ConnectionId,
        /// Who, according to its token.
        client: ClientId,
        /// What else its token says.
        user_data: Box<[u8; USER_DATA_BYTES]>,
    },
    /// Bytes from a client.
    Payload {
        /// From where.
        connection: ConnectionId,
        /// The bytes.
        payload: &'p [u8],
    },
    /// The same, perhaps without any bytes, from a client that says that it is at another address; the reply goes there.
    Moved {
        /// Which connection has moved.
        connection: ConnectionId,
        /// The bytes.
        payload: &'p [u8],
    },
    /// A client has left.
    Disconnected {
        /// Which connection has ended.
        connection: ConnectionId,
    },
}

/// A packet that answers another. It is never longer than that.
#[derive(Debug)]
pub struct ReplyBuffer {
    pub(super) bytes: [u8; PACKET_BYTES_MAX],
    pub(super) length: usize,
}

impl Default for ReplyBuffer {
    fn default() -> Self {
        ReplyBuffer { bytes: [0; PACKET_BYTES_MAX], length: 0 }
    }
}

impl ReplyBuffer {
    /// The packet.
    pub fn packet(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Who is let in: what a [`Slot`] keeps of a handshake.
#[derive(Clone, Copy, Debug)]
pub(super) struct Newcomer {
    pub(super) client: ClientId,
    pub(super) address: SocketAddr,
    pub(super) send_key: Key,
    pub(super) receive_key: Key,
    pub(super) timeout: Duration,
}

impl Newcomer {
    pub(super) fn new(token: &PrivateToken, address: SocketAddr) -> Newcomer {
        // A token may ask never to be timed out, which would fill the table for ever.
        let timeout_s = u64::try_from(token.timeout_s).unwrap_or(TIMEOUT_S_MAX).min(TIMEOUT_S_MAX);
        Newcomer {
            client: ClientId(token.client_id),
            address,
            send_key: token.server_to_client,
            receive_key: token.client_to_server,
            timeout: Duration::from_secs(timeout_s),
        }
    }
}

impl Table {
    /// Nobody connected yet.
    pub fn new(options: TableOptions) -> Table {
        Table {
            handshakes: Handshakes::default(),
            movers: StrangerLimits::default(),
            respondents: SourceLimits::default(),
            handshake_sequence: HANDSHAKE_SEQUENCE_FIRST | u64::from(options.handshake_start) << 24,
            slots: Vec::new(),
            free: Vec::new(),
            by_address: HashMap::new(),
            claims: HashMap::new(),
            totals: TransportTotals::default(),
            options,
        }
    }

    /// Counts since the start.
    pub fn totals(&self) -> &TransportTotals {
        &self.totals
    }

    /// The place of whoever is connected from `from`; what a packet from there will need of it is brought near. To find all of a batch before
    /// the first packet is taken lets the processor wait for all of them at once.
    pub(crate) fn find(&self, from: SocketAddr) -> Option<u32> {
        let place = *self.by_address.get(&from)?;
        let slot = &self.slots[place as usize];
        black_box((slot.has_proven(from), slot.heard_at, slot.receive_key.0[0]));
        slot.replay.fetch();
        Some(place)
    }

    /// Takes a packet that came `from` somewhere, and is decrypted in place. Whatever is wrong with it is counted.
    pub fn receive<'p>(
        &mut self,
        now: Duration,
        from: SocketAddr,
        packet: &'p mut [u8],
        reply: &mut ReplyBuffer,
    ) -> Received<'p> {
        self.receive_found(now, from, self.find(from), packet, reply)
    }

    /// The same, where `found` is what [`Table::find`] said of the address, perhaps before a few other packets.
    pub(crate) fn receive_found<'p>(
        &mut self,
        now: Duration,
        from: SocketAddr,
        found: Option<u32>,
        packet: &'p mut [u8],
        reply: &mut ReplyBuffer,
    ) -> Received<'p> {
        let header = match Header::read(packet) {
            Ok(header) => header,
            Err(error) => return self.refuse(error),
        };
        if header.packet_type == PacketType::Request {
            if self.by_address.contains_key(&from) {
                // It has been granted.
                self.totals.handshakes_late += 1;
                return Received::Nothing;
            }
            return self.request(now, from, packet, reply);
        }
        if header.packet_type == PacketType::Move {
            return self.take_move(now, from, header, packet, reply);
        }
        // A packet of the same batch may have ended the connection, or given its place to somebody else.
        let found = found.filter(|&place| self.slots[place as usize].has_proven(from));
        match found.or_else(|| self.by_address.get(&from).copied()) {
            Some(slot) => self.hear(now, slot, header, packet),
            None if header.packet_type == PacketType::Response => self.respond(now, from, header, packet, reply),
            None => match self.claims.get(&from) {
                // Whoever leaves before it has proven its address is not to be held for somebody who was cut off.
                Some(&slot) if header.packet_type == PacketType::Disconnect => self.hear(now, slot, header, packet),
                _ => {
                    self.totals.unknown_source += 1;
                    Received::Nothing
                }
            },
        }
    }

    pub(super) fn refuse<'p>(&mut self, error: NetcodeError) -> Received<'p> {
        self.totals.refused[error as usize] += 1;
        Received::Nothing
    }

    fn hear<'p>(&mut self, now: Duration, place: u32, header: Header, packet: &'p mut [u8]) -> Received<'p> {
        let connection = self.connection(place);
        let slot = &mut self.slots[place as usize];
        if !slot.may_receive(now) {
            self.totals.flooded += 1;
            return Received::Nothing;
        }
        match header.packet_type {
            PacketType::KeepAlive | PacketType::Payload | PacketType::Disconnect => {}
            // The keep-alives answer it.
            PacketType::Response => {
                self.totals.handshakes_late += 1;
                return Received::Nothing;
            }
            _ => return self.refuse(NetcodeError::Type),
        }
        if slot.replay.is_received(header.sequence) {
            return self.refuse(NetcodeError::Replayed);
        }
        let data = match header.open(self.options.protocol_id, &slot.receive_key, packet) {
            Ok(data) => data,
            Err(error) => return self.refuse(error),
        };
        slot.replay.insert(header.sequence);
        slot.heard_at = now;
        slot.is_confirmed = true;
        match header.packet_type {
            PacketType::Payload => Received::Payload { connection, payload: data },
            PacketType::Disconnect => {
                self.release(place);
                Received::Disconnected { connection }
            }
            _ => Received::Nothing,
        }
    }

    /// Gives a newcomer the place that was taken for it, and writes the keep-alive that tells it.
    pub(super) fn admit(&mut self, now: Duration, newcomer: &Newcomer, reply: &mut ReplyBuffer) -> ConnectionId {
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.slots.push(Slot::empty());
                self.slots.len() as u32 - 1
            }
        };
        let Newcomer { client, address, send_key, receive_key, timeout } = *newcomer;
        let slot = &mut self.slots[place as usize];
        *slot = Slot {
            is_connected: true,
            generation: slot.generation.wrapping_add(1),
            client,
            address,
            send_key,
            receive_key,
            timeout,
            heard_at: now,
            counted_since: now,
            ..Slot::empty()
        };
        self.by_address.insert(address, place);
        reply.length = self.seal_keep_alive(now, place, &mut reply.bytes);
        self.connection(place)
    }

    /// Whether there is a place for a client.
    pub(super) fn has_room_for(&self, client: ClientId) -> bool {
        self.options.places.are_open_to(client, self.options.clients_max)
    }

    /// Whether somebody is connected from `address`.
    pub(super) fn is_connected(&self, address: SocketAddr) -> bool {
        self.by_address.contains_key(&address)
    }

    /// Writes a packet that belongs to no connection.
    pub(super) fn reply(&mut self, packet_type: PacketType, key: &Key, parts: &[&[u8]], reply: &mut ReplyBuffer) {
        let sequence = self.handshake_sequence;
        self.handshake_sequence += 1;
        reply.length = packet::seal(packet_type, self.options.protocol_id, key, sequence, parts, &mut reply.bytes);
    }

    /// Writes a payload packet for a connection over the beginning of `out`: where to send it, and its size. None when
    /// the connection is no more.
    pub fn seal_payload(
        &mut self,
        now: Duration,
        connection: ConnectionId,
        parts: &[&[u8]],
        out: &mut [u8],
    ) -> Option<(SocketAddr, usize)> {
        let protocol_id = self.options.protocol_id;
        let slot = self.slot_mut(connection)?;
        slot.sent_at = now;
        let payload_bytes: usize = parts.iter().map(|part| part.len()).sum();
        if !slot.path.take_allowance(payload_bytes + PACKET_BYTES_MAX - PAYLOAD_BYTES_MAX) {
            self.totals.held_back += 1;
            return None;
        }
        Some((slot.address, slot.seal(PacketType::Payload, protocol_id, parts, out)))
    }

    /// Writes a keep-alive that must go before a payload, for the client may not know its place yet: where to send it, and
    /// its size. None when it is known, or the connection is no more.
    pub fn seal_confirmation(
        &mut self,
        now: Duration,
        connection: ConnectionId,
        out: &mut [u8],
    ) -> Option<(SocketAddr, usize)> {
        let slot = self.slot_mut(connection).filter(|slot| !slot.is_confirmed)?;
        let address = slot.address;
        Some((address, self.seal_keep_alive(now, connection.slot, out)))
    }

    /// Writes the packet that ends a connection, and frees its place: where to send it, its size, and how many times. None when
    /// it is no more.
    pub fn disconnect(&mut self, connection: ConnectionId, out: &mut [u8]) -> Option<(SocketAddr, usize, u32)> {
        let protocol_id = self.options.protocol_id;
        let slot = self.slot_mut(connection)?;
        let length = slot.seal(PacketType::Disconnect, protocol_id, &[], out);
        let repeats = (0..DISCONNECT_REPEATS).take_while(|_| slot.path.take_allowance(length)).count() as u32;
        let sent = (slot.address, length, repeats);
        self.release(connection.slot);
        Some(sent)
    }

    /// Takes it that it is `unix_time` since 1970 now: machines' clocks are set, and some stood still for a while.
    pub(crate) fn set_unix_time(&mut self, now: Duration, unix_time: Duration) {
        self.options.unix_offset = unix_time.saturating_sub(now);
    }

    /// Lets time pass: calls `send` with each keep-alive that is due and `end` with each connection that has timed out.
    /// O(places).
    pub fn look_after(
        &mut self,
        now: Duration,
        out: &mut [u8],
        mut send: impl FnMut(SocketAddr, &[u8]),
        mut end: impl FnMut(ConnectionId),
    ) {
        self.handshakes.forget_expired(now, &self.options.used_tokens);
        for place in 0..self.slots.len() as u32 {
            let slot = &self.slots[place as usize];
            if !slot.is_connected {
                continue;
            }
            let interval = if slot.is_confirmed { KEEP_ALIVE_INTERVAL } else { CONFIRM_INTERVAL };
            if now.saturating_sub(slot.heard_at) >= slot.timeout {
                end(self.connection(place));
                self.release(place);
            } else if now.saturating_sub(slot.sent_at) >= interval && slot.path == Path::Proven {
                let address = slot.address;
                let length = self.seal_keep_alive(now, place, out);
                send(address, &out[..length]);
            }
        }
    }

    pub(super) fn seal_keep_alive(&mut self, now: Duration, place: u32, out: &mut [u8]) -> usize {
        // Who takes over its own connection may stand behind the last.
        let clients_max = (self.options.clients_max as u32).max(place + 1);
        let told = KeepAlive { client_index: place, clients_max };
        let slot = &mut self.slots[place as usize];
        slot.sent_at = now;
        slot.seal(PacketType::KeepAlive, self.options.protocol_id, &[&told.encode()], out)
    }

    pub(super) fn connection(&self, place: u32) -> ConnectionId {
        let generation = self.slots[place as usize].generation;
        ConnectionId { worker: self.options.worker, slot: place, generation }
    }

    fn slot_mut(&mut self, connection: ConnectionId) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(connection.slot as usize)?;
        (slot.is_connected && slot.generation == connection.generation).then_some(slot)
    }

    /// Takes no packets for this place any more from where they came; unless somebody else has moved there.
    pub(super) fn forget_address(&mut self, place: u32) {
        let address = self.slots[place as usize].address;
        for owners in [&mut self.by_address, &mut self.claims] {
            if owners.get(&address) == Some(&place) {
                owners.remove(&address);
            }
        }
    }

    fn release(&mut self, place: u32) {
        self.slots[place as usize].is_connected = false;
        self.forget_address(place);
        self.free.push(place);
        self.options.places.give_back(self.slots[place as usize].client);
    }
}

impl Slot {
    fn empty() -> Slot {
        Slot {
            is_connected: false,
            is_confirmed: false,
            generation: 0,
            client: ClientId(0),
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
            path: Path::Proven,
            send_key: Key([0; 32]),
            receive_key: Key([0; 32]),
            send_sequence: 0,
            replay: ReplayWindow::default(),
            heard_at: Duration::ZERO,
            sent_at: Duration::ZERO,
            timeout: Duration::ZERO,
            packets: 0,
            counted_since: Duration::ZERO,
        }
    }

    fn has_proven(&self, from: SocketAddr) -> bool {
        self.is_connected && self.path == Path::Proven && self.address == from
    }

    pub(super) fn seal(&mut self, packet_type: PacketType, protocol_id: u64, parts: &[&[u8]], out: &mut [u8]) -> usize {
        let sequence = self.send_sequence;
        self.send_sequence += 1;
        packet::seal(packet_type, protocol_id, &self.send_key, sequence, parts, out)
    }

    /// Whether another packet from this address is looked at. The limit is far above what anybody needs: whoever writes this
    /// address on packets of its own could otherwise use up its owner's share.
    pub(super) fn may_receive(&mut self, now: Duration) -> bool {
        if now.saturating_sub(self.counted_since) >= FLOOD_WINDOW {
            (self.packets, self.counted_since) = (0, now);
        }
        self.packets += 1;
        self.packets <= PACKETS_PER_50_MS_MAX
    }
}
