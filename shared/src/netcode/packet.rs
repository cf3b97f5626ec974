//! Packets other than the connection request:
//!
//! | bytes | field |
//! |---|---|
//! | 1 | prefix: type in the low four bits, number of sequence bytes (1 to 8) in the high four |
//! | 1-8 | sequence number, little-endian, without its high zero bytes |
//! | n | data of the type, encrypted |
//! | 16 | tag; version, protocol id and prefix are authenticated with the data |
//!
//! A move, with which a client says that its address is another one now, names its place before the data:
//!
//! | bytes | field |
//! |---|---|
//! | 1, 1-8 | prefix and sequence number, as above |
//! | 4 | the client's place, little-endian; authenticated too |
//! | 8 | encrypted from here on: the number of the challenge that it answers; 0 for none |
//! | 2 | length of the payload, little-endian |
//! | n | payload, which may be empty, and zero bytes behind it |
//! | 16 | tag |
//!
//! And the connection request, which is not encrypted:
//!
//! | bytes | field |
//! |---|---|
//! | 1 | 0 |
//! | 13 | version |
//! | 8 | protocol id |
//! | 8 | when the token expires, in seconds since 1970 |
//! | 24 | the token's nonce |
//! | 1,024 | the token's private part, sealed |

use super::challenge::CHALLENGE_BYTES;
use super::connect_token::PRIVATE_BYTES;
use super::crypto::{TAG_BYTES, TOKEN_NONCE_BYTES};
use super::{Key, NetcodeError, PAYLOAD_BYTES_MAX, VERSION_INFO};

/// Bytes of a connection request.
pub const REQUEST_BYTES: usize = 1 + VERSION_INFO.len() + 8 + 8 + TOKEN_NONCE_BYTES + PRIVATE_BYTES;

/// Fewest bytes of any packet.
const PACKET_BYTES_MIN: usize = 1 + 1 + TAG_BYTES;

/// Most bytes before the payload: the prefix and a sequence number.
pub const HEADER_BYTES_MAX: usize = 1 + 8;

/// Data of a challenge and of its response: a number and a challenge token.
const CHALLENGE_DATA_BYTES: usize = 8 + CHALLENGE_BYTES;

/// What a move names in the clear.
const PLACE_BYTES: usize = 4;

/// Data of a move before its payload.
const MOVE_DATA_BYTES_MIN: usize = 8 + 2;

/// Most bytes of it: the packet is no longer than others.
pub const MOVE_DATA_BYTES_MAX: usize = PAYLOAD_BYTES_MAX - PLACE_BYTES;

/// Fewest bytes of a move: a server takes no shorter ones, so that a flood of them is as dear as one of requests.
pub const MOVE_BYTES_MIN: usize = REQUEST_BYTES;

/// To how many bytes a move is filled: as far as every path carries it, which is 1,280 bytes with the headers of IPv6 and UDP.
const MOVE_BYTES_FILLED: usize = 1_280 - 40 - 8;

/// Data of such a move, in bytes.
pub const MOVE_DATA_BYTES_FILLED: usize = MOVE_BYTES_FILLED - HEADER_BYTES_MAX - PLACE_BYTES - TAG_BYTES;

/// Largest payload of a move, in bytes.
pub const MOVE_PAYLOAD_BYTES_MAX: usize = MOVE_DATA_BYTES_MAX - MOVE_DATA_BYTES_MIN;

/// Data of a keep-alive: client index and most clients.
const KEEP_ALIVE_BYTES: usize = 4 + 4;

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PacketType {
    /// Client: asks for a connection.
    Request = 0,
    /// Server: there is no room.
    Denied = 1,
    /// Server: show that you receive at this address.
    Challenge = 2,
    /// Client: shows it.
    Response = 3,
    /// Both: still here.
    KeepAlive = 4,
    /// Both: what all this is for.
    Payload = 5,
    /// Both: gone.
    Disconnect = 6,
    /// Client: a payload, and I am here now. Not of the standard, which ignores what it does not know.
    Move = 7,
    /// Server: show that you receive here too, or, with number 0, there is nothing to show. Not of the standard either.
    MoveChallenge = 8,
}

impl PacketType {
    fn from_prefix(prefix: u8) -> Option<PacketType> {
        Some(match prefix & 0x0f {
            0 => PacketType::Request,
            1 => PacketType::Denied,
            2 => PacketType::Challenge,
            3 => PacketType::Response,
            4 => PacketType::KeepAlive,
            5 => PacketType::Payload,
            6 => PacketType::Disconnect,
            7 => PacketType::Move,
            8 => PacketType::MoveChallenge,
            _ => return None,
        })
    }

    /// Fewest and most bytes of data.
    fn data_bytes(self) -> (usize, usize) {
        match self {
            PacketType::Request => (REQUEST_BYTES - 1, REQUEST_BYTES - 1),
            PacketType::Denied | PacketType::Disconnect => (0, 0),
            PacketType::Challenge | PacketType::Response => (CHALLENGE_DATA_BYTES, CHALLENGE_DATA_BYTES),
            PacketType::KeepAlive => (KEEP_ALIVE_BYTES, KEEP_ALIVE_BYTES),
            PacketType::Payload => (1, PAYLOAD_BYTES_MAX),
            PacketType::Move => (MOVE_DATA_BYTES_MIN, MOVE_DATA_BYTES_MAX),
            PacketType::MoveChallenge => (8, 8),
        }
    }

    /// Whether a second packet with the same number is ignored.
    pub fn is_replay_protected(self) -> bool {
        use PacketType::{Disconnect, KeepAlive, Move, MoveChallenge, Payload};
        matches!(self, KeepAlive | Payload | Disconnect | Move | MoveChallenge)
    }
}

/// A received packet whose bytes fit one another; nothing is known yet of who sealed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What it is.
    pub packet_type: PacketType,
    /// Its number; 0 for a request.
    pub sequence: u64,
    /// The place that a move is for; 0 for others.
    pub place: u32,
    /// Where the sealed data begins.
    data_start: usize,
}

impl Header {
    /// Reads the unsealed part of a packet. Every length and number is checked here, before anything is indexed by them.
    ///
    /// # Errors
    /// When the bytes cannot be a packet.
    pub fn read(bytes: &[u8]) -> Result<Header, NetcodeError> {
        let &prefix = bytes.first().ok_or(NetcodeError::TooShort)?;
        let packet_type = PacketType::from_prefix(prefix).ok_or(NetcodeError::Type)?;
        let (data_bytes_min, data_bytes_max) = packet_type.data_bytes();
        if packet_type == PacketType::Request {
            return match bytes.len() {
                _ if prefix != 0 => Err(NetcodeError::Type),
                length if length < REQUEST_BYTES => Err(NetcodeError::TooShort),
                length if length > REQUEST_BYTES => Err(NetcodeError::TooLong),
                _ => Ok(Header { packet_type, sequence: 0, place: 0, data_start: 1 }),
            };
        }
        let sequence_bytes = usize::from(prefix >> 4);
        if sequence_bytes > 8 {
            return Err(NetcodeError::Sequence);
        }
        if bytes.len() < PACKET_BYTES_MIN {
            return Err(NetcodeError::TooShort);
        }
        let sequence_end = 1 + sequence_bytes;
        let data_start = sequence_end + if packet_type == PacketType::Move { PLACE_BYTES } else { 0 };
        let data_bytes = bytes.len().checked_sub(data_start + TAG_BYTES).ok_or(NetcodeError::TooShort)?;
        if data_bytes < data_bytes_min {
            return Err(NetcodeError::TooShort);
        }
        if data_bytes > data_bytes_max {
            return Err(NetcodeError::TooLong);
        }
        let (mut sequence, mut place) = ([0; 8], [0; PLACE_BYTES]);
        sequence[..sequence_bytes].copy_from_slice(&bytes[1..sequence_end]);
        place[..data_start - sequence_end].copy_from_slice(&bytes[sequence_end..data_start]);
        let (sequence, place) = (u64::from_le_bytes(sequence), u32::from_le_bytes(place));
        Ok(Header { packet_type, sequence, place, data_start })
    }

    /// Opens the data of the packet that this is the header of.
    ///
    /// # Errors
    /// When it was not sealed with `key`, or anything of it was changed on its way.
    pub fn open<'p>(&self, protocol_id: u64, key: &Key, packet: &'p mut [u8]) -> Result<&'p mut [u8], NetcodeError> {
        let (header, sealed) = packet.split_at_mut_checked(self.data_start).ok_or(NetcodeError::TooShort)?;
        let &prefix = header.first().ok_or(NetcodeError::TooShort)?;
        let place = self.place.to_le_bytes();
        let place_field = if self.packet_type == PacketType::Move { &place[..] } else { &[] };
        let associated = Associated::new(protocol_id, prefix, place_field);
        key.open(self.sequence, associated.bytes(), sealed).map_err(|_| NetcodeError::Seal)
    }
}

/// What an encrypted packet authenticates besides its data: version, protocol id, prefix and, of a move, the place.
struct Associated {
    bytes: [u8; Associated::BYTES + PLACE_BYTES],
    length: usize,
}

impl Associated {
    /// Without a place.
    const BYTES: usize = VERSION_INFO.len() + 8 + 1;

    fn new(protocol_id: u64, prefix: u8, place_field: &[u8]) -> Associated {
        let mut bytes = [0; Associated::BYTES + PLACE_BYTES];
        bytes[..13].copy_from_slice(VERSION_INFO);
        bytes[13..21].copy_from_slice(&protocol_id.to_le_bytes());
        bytes[21] = prefix;
        let length = Associated::BYTES + place_field.len();
        bytes[Associated::BYTES..length].copy_from_slice(place_field);
        Associated { bytes, length }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Writes a packet over the beginning of `out`: header, the `parts` of its data, sealed, and the tag. Returns its size.
/// Not for moves: see [`seal_move`].
///
/// # Panics
/// When it does not fit: the caller knows how much it sends.
pub fn seal(
    packet_type: PacketType,
    protocol_id: u64,
    key: &Key,
    sequence: u64,
    parts: &[&[u8]],
    out: &mut [u8],
) -> usize {
    seal_parts(packet_type, protocol_id, key, sequence, &[], parts, out)
}

/// Writes a move for a place over the beginning of `out`; `data` as [`Move::encode`] makes it. Returns its size.
///
/// # Panics
/// When it does not fit.
pub fn seal_move(protocol_id: u64, key: &Key, sequence: u64, place: u32, data: &[u8], out: &mut [u8]) -> usize {
    seal_parts(PacketType::Move, protocol_id, key, sequence, &place.to_le_bytes(), &[data], out)
}

/// Writes prefix, number and, of a move, the place in the clear; then the data, sealed, and the tag.
fn seal_parts(
    packet_type: PacketType,
    protocol_id: u64,
    key: &Key,
    sequence: u64,
    place_field: &[u8],
    parts: &[&[u8]],
    out: &mut [u8],
) -> usize {
    let sequence_bytes = (8 - sequence.leading_zeros() as usize / 8).max(1);
    let prefix = packet_type as u8 | (sequence_bytes as u8) << 4;
    out[0] = prefix;
    let sequence_end = 1 + sequence_bytes;
    out[1..sequence_end].copy_from_slice(&sequence.to_le_bytes()[..sequence_bytes]);
    let data_start = sequence_end + place_field.len();
    out[sequence_end..data_start].copy_from_slice(place_field);
    let mut end = data_start;
    for part in parts {
        out[end..end + part.len()].copy_from_slice(part);
        end += part.len();
    }
    let associated = Associated::new(protocol_id, prefix, place_field);
    let tag = key.seal(sequence, associated.bytes(), &mut out[data_start..end]);
    out[end..end + TAG_BYTES].copy_from_slice(&tag);
    end + TAG_BYTES
}

/// The data of a move, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move<'p> {
    /// The number of the challenge that it answers; 0 for none.
    pub answer: u64,
    /// A payload as of any other packet; may be empty.
    pub payload: &'p [u8],
}

impl<'p> Move<'p> {
    /// Takes the data apart.
    ///
    /// # Errors
    /// When the payload would be longer than the data.
    pub fn decode(data: &'p [u8]) -> Result<Move<'p>, NetcodeError> {
        let (answer, rest) = data.split_first_chunk::<8>().ok_or(NetcodeError::TooShort)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(NetcodeError::TooShort)?;
        let payload = rest.get(..usize::from(u16::from_le_bytes(*length))).ok_or(NetcodeError::TooShort)?;
        Ok(Move { answer: u64::from_le_bytes(*answer), payload })
    }

    /// Writes the data into `data`, filled as far as every path carries it: an address that is not proven to be the sender's gets
    /// no more than has come from there.
    ///
    /// # Panics
    /// When the payload of `parts` is longer than [`MOVE_PAYLOAD_BYTES_MAX`].
    pub fn encode<'d>(answer: u64, parts: &[&[u8]], data: &'d mut [u8; MOVE_DATA_BYTES_MAX]) -> &'d [u8] {
        data.fill(0);
        let (fields, payload) = data.split_at_mut(MOVE_DATA_BYTES_MIN);
        let mut end = 0;
        for part in parts {
            payload[end..end + part.len()].copy_from_slice(part);
            end += part.len();
        }
        fields[..8].copy_from_slice(&answer.to_le_bytes());
        fields[8..].copy_from_slice(&(end as u16).to_le_bytes());
        &data[..(MOVE_DATA_BYTES_MIN + end).max(MOVE_DATA_BYTES_FILLED)]
    }
}

/// The data of a keep-alive packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepAlive {
    /// The client's place on the server.
    pub client_index: u32,
    /// Number of places.
    pub clients_max: u32,
}

impl KeepAlive {
    /// Its bytes.
    pub fn encode(&self) -> [u8; KEEP_ALIVE_BYTES] {
        let mut bytes = [0; KEEP_ALIVE_BYTES];
        bytes[..4].copy_from_slice(&self.client_index.to_le_bytes());
        bytes[4..].copy_from_slice(&self.clients_max.to_le_bytes());
        bytes
    }

    /// Reads its bytes; none when there are not eight.
    pub fn decode(bytes: &[u8]) -> Option<KeepAlive> {
        let (index, max) = bytes.split_first_chunk::<4>()?;
        let max = max.try_into().ok()?;
        Some(KeepAlive { client_index: u32::from_le_bytes(*index), clients_max: u32::from_le_bytes(max) })
    }
}

/// A connection request, taken apart.
#[derive(Clone, Copy, Debug)]
pub struct Request<'p> {
    /// When the token expires, in seconds since 1970.
    pub expires_at_s: u64,
    /// The token's nonce.
    pub nonce: &'p [u8; TOKEN_NONCE_BYTES],
    /// The token's private part, sealed.
    pub sealed: &'p [u8; PRIVATE_BYTES],
}

impl<'p> Request<'p> {
    /// Takes a request apart.
    ///
    /// # Errors
    /// When it is of another version or for another game.
    pub fn read(protocol_id: u64, packet: &'p [u8]) -> Result<Request<'p>, NetcodeError> {
        let rest = packet.get(1..).ok_or(NetcodeError::TooShort)?;
        let (version, rest) = rest.split_first_chunk::<13>().ok_or(NetcodeError::TooShort)?;
        let (protocol, rest) = rest.split_first_chunk::<8>().ok_or(NetcodeError::TooShort)?;
        let (expires, rest) = rest.split_first_chunk::<8>().ok_or(NetcodeError::TooShort)?;
        let (nonce, rest) = rest.split_first_chunk::<TOKEN_NONCE_BYTES>().ok_or(NetcodeError::TooShort)?;
        let sealed = rest.first_chunk::<PRIVATE_BYTES>().ok_or(NetcodeError::TooShort)?;
        if version != VERSION_INFO || u64::from_le_bytes(*protocol) != protocol_id {
            return Err(NetcodeError::Version);
        }
        Ok(Request { expires_at_s: u64::from_le_bytes(*expires), nonce, sealed })
    }

    /// Writes the request over the beginning of `out`; returns its size.
    pub fn write(&self, protocol_id: u64, out: &mut [u8]) -> usize {
        let mut end = 0;
        let (protocol, expires) = (protocol_id.to_le_bytes(), self.expires_at_s.to_le_bytes());
        for part in [&[0][..], VERSION_INFO, &protocol, &expires, self.nonce, self.sealed] {
            out[end..end + part.len()].copy_from_slice(part);
            end += part.len();
        }
        end
    }
}
