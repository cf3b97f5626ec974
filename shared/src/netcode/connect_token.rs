//! The connect token: what a game's login service gives to a player, and what lets that player in.
//!
//! The private part, for the server, sealed with the key that the login service and the server share:
//!
//! | bytes | field |
//! |---|---|
//! | 8 | client id |
//! | 4 | seconds without a packet after which a connection ends; negative for never |
//! | 4 | number of server addresses, 1 to 32 |
//! | 7 or 19 each | address: 1 and an IPv4 address, or 2 and an IPv6 address; port (2) |
//! | 32 + 32 | key from client to server, key from server to client |
//! | 256 | user data |
//! | to 1,008 | 0 |
//! | 16 | tag; version, protocol id and expiry are authenticated with the rest |
//!
//! The whole, for the client:
//!
//! | bytes | field |
//! |---|---|
//! | 13 | version |
//! | 8 | protocol id |
//! | 8 + 8 | when it was made, when it expires; seconds since 1970 |
//! | 24 | nonce |
//! | 1,024 | private part, sealed |
//! | 4 | seconds without a packet, as above |
//! | 4, and each | server addresses, as above |
//! | 32 + 32 | keys, as above |
//! | to 2,048 | 0 |

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use super::crypto::{KEY_BYTES, TAG_BYTES, TOKEN_NONCE_BYTES};
use super::{Key, USER_DATA_BYTES, VERSION_INFO};

/// Bytes of the private part.
pub const PRIVATE_BYTES: usize = 1_024;

/// Bytes of a connect token.
pub const TOKEN_BYTES: usize = 2_048;

/// Most server addresses in a token.
pub const ADDRESSES_MAX: usize = 32;

const IPV4: u8 = 1;
const IPV6: u8 = 2;

/// What a server learns from a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateToken {
    /// Who the player is.
    pub client_id: u64,
    /// Seconds without a packet after which a connection ends; negative for never.
    pub timeout_s: i32,
    /// Where it may connect, 1 to 32 addresses.
    pub addresses: Vec<SocketAddr>,
    /// Seals what the client sends.
    pub client_to_server: Key,
    /// Seals what the server sends.
    pub server_to_client: Key,
    /// What the game wants to tell its server.
    pub user_data: [u8; USER_DATA_BYTES],
}

/// A connect token, as the client has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectToken {
    /// Which game.
    pub protocol_id: u64,
    /// When it was made, in seconds since 1970.
    pub created_at_s: u64,
    /// From when on it is refused, in seconds since 1970.
    pub expires_at_s: u64,
    /// The private part's nonce.
    pub nonce: [u8; TOKEN_NONCE_BYTES],
    /// The private part, sealed.
    pub sealed: [u8; PRIVATE_BYTES],
    /// Seconds without a packet after which a connection ends; negative for never.
    pub timeout_s: i32,
    /// Where to connect; the first is tried first.
    pub addresses: Vec<SocketAddr>,
    /// Seals what the client sends.
    pub client_to_server: Key,
    /// Seals what the server sends.
    pub server_to_client: Key,
}

/// Why bytes are not a connect token, or a token cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// A token has 1 to 32 server addresses.
    #[error("a connect token names 1 to 32 server addresses")]
    Addresses,
    /// Made by another version.
    #[error("the connect token is of another version of netcode")]
    Version,
    /// Expires before it was made.
    #[error("the connect token expires before it was made")]
    Expiry,
    /// Too short, or with an address that is none.
    #[error("the connect token is malformed")]
    Malformed,
    /// The private part is sealed with another key, or not that of this token.
    #[error("the connect token is sealed with another key")]
    Seal,
}

impl PrivateToken {
    /// Seals the private part of a token that expires at `expires_at_s`. `nonce` is drawn at random for each token.
    ///
    /// # Errors
    /// When it has no address, or more than 32.
    pub fn seal(
        &self,
        protocol_id: u64,
        expires_at_s: u64,
        nonce: &[u8; TOKEN_NONCE_BYTES],
        key: &Key,
    ) -> Result<[u8; PRIVATE_BYTES], TokenError> {
        let mut bytes = Vec::with_capacity(PRIVATE_BYTES);
        bytes.extend_from_slice(&self.client_id.to_le_bytes());
        bytes.extend_from_slice(&self.timeout_s.to_le_bytes());
        write_addresses(&self.addresses, &mut bytes)?;
        bytes.extend_from_slice(&self.client_to_server.0);
        bytes.extend_from_slice(&self.server_to_client.0);
        bytes.extend_from_slice(&self.user_data);
        let mut sealed = [0; PRIVATE_BYTES];
        sealed[..bytes.len()].copy_from_slice(&bytes);
        let (plain, tag) = sealed.split_at_mut(PRIVATE_BYTES - TAG_BYTES);
        tag.copy_from_slice(&key.seal_token(nonce, &associated_data(protocol_id, expires_at_s), plain));
        Ok(sealed)
    }

    /// Opens the private part of a token.
    ///
    /// # Errors
    /// When it is sealed with another key, or holds anything that no token holds.
    pub fn open(
        sealed: &[u8; PRIVATE_BYTES],
        protocol_id: u64,
        expires_at_s: u64,
        nonce: &[u8; TOKEN_NONCE_BYTES],
        key: &Key,
    ) -> Result<PrivateToken, TokenError> {
        let mut bytes = *sealed;
        let plain = key.open_token(nonce, &associated_data(protocol_id, expires_at_s), &mut bytes);
        let mut reader = Reader { bytes: plain.map_err(|_| TokenError::Seal)? };
        Ok(PrivateToken {
            client_id: u64::from_le_bytes(reader.take()?),
            timeout_s: i32::from_le_bytes(reader.take()?),
            addresses: read_addresses(&mut reader)?,
            client_to_server: Key(reader.take()?),
            server_to_client: Key(reader.take()?),
            user_data: reader.take()?,
        })
    }
}

impl PrivateToken {
    /// Whether the token lets its owner connect to `server`. The stock Rust implementation writes an IPv6 address in the
    /// order of the network, not in that of the standard; its tokens are understood too.
    pub fn names(&self, server: SocketAddr) -> bool {
        self.addresses.iter().any(|&address| is_same(address, server) || is_same(swapped(address), server))
    }
}

/// Whether two addresses lead to the same place; the scope of an IPv6 address is this machine's own affair.
fn is_same(a: SocketAddr, b: SocketAddr) -> bool {
    a.ip() == b.ip() && a.port() == b.port()
}

fn swapped(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => address,
        SocketAddr::V6(v6) => SocketAddr::new(v6.ip().segments().map(u16::swap_bytes).into(), v6.port()),
    }
}

impl ConnectToken {
    /// Makes a token that lasts from `created_at_s` to `expires_at_s`. `nonce` and the keys in `private` are drawn at
    /// random by the caller.
    ///
    /// # Errors
    /// When it has no address, or more than 32, or would expire before it was made.
    pub fn new(
        private: &PrivateToken,
        protocol_id: u64,
        created_at_s: u64,
        expires_at_s: u64,
        nonce: [u8; TOKEN_NONCE_BYTES],
        key: &Key,
    ) -> Result<ConnectToken, TokenError> {
        if expires_at_s < created_at_s {
            return Err(TokenError::Expiry);
        }
        Ok(ConnectToken {
            protocol_id,
            created_at_s,
            expires_at_s,
            nonce,
            sealed: private.seal(protocol_id, expires_at_s, &nonce, key)?,
            timeout_s: private.timeout_s,
            addresses: private.addresses.clone(),
            client_to_server: private.client_to_server,
            server_to_client: private.server_to_client,
        })
    }

    /// The bytes that a login service hands to a client.
    ///
    /// # Errors
    /// When it has no address, or more than 32.
    pub fn encode(&self) -> Result<[u8; TOKEN_BYTES], TokenError> {
        let mut bytes = Vec::with_capacity(TOKEN_BYTES);
        bytes.extend_from_slice(VERSION_INFO);
        for number in [self.protocol_id, self.created_at_s, self.expires_at_s] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.nonce);
        bytes.extend_from_slice(&self.sealed);
        bytes.extend_from_slice(&self.timeout_s.to_le_bytes());
        write_addresses(&self.addresses, &mut bytes)?;
        bytes.extend_from_slice(&self.client_to_server.0);
        bytes.extend_from_slice(&self.server_to_client.0);
        let mut token = [0; TOKEN_BYTES];
        token[..bytes.len()].copy_from_slice(&bytes);
        Ok(token)
    }

    /// Reads a token from a login service.
    ///
    /// # Errors
    /// When it is malformed, or of another version.
    pub fn decode(bytes: &[u8]) -> Result<ConnectToken, TokenError> {
        if bytes.len() != TOKEN_BYTES {
            return Err(TokenError::Malformed);
        }
        let mut reader = Reader { bytes };
        if reader.take()? != *VERSION_INFO {
            return Err(TokenError::Version);
        }
        let [protocol_id, created_at_s, expires_at_s] = [(); 3].map(|()| reader.take().map(u64::from_le_bytes));
        let (created_at_s, expires_at_s) = (created_at_s?, expires_at_s?);
        if expires_at_s < created_at_s {
            return Err(TokenError::Expiry);
        }
        Ok(ConnectToken {
            protocol_id: protocol_id?,
            created_at_s,
            expires_at_s,
            nonce: reader.take()?,
            sealed: reader.take()?,
            timeout_s: i32::from_le_bytes(reader.take()?),
            addresses: read_addresses(&mut reader)?,
            client_to_server: Key(reader.take()?),
            server_to_client: Key(reader.take()?),
        })
    }
}

/// What the private part authenticates besides itself: version, protocol id and expiry.
fn associated_data(protocol_id: u64, expires_at_s: u64) -> [u8; 29] {
    let mut bytes = [0; 29];
    bytes[..13].copy_from_slice(VERSION_INFO);
    bytes[13..21].copy_from_slice(&protocol_id.to_le_bytes());
    bytes[21..].copy_from_slice(&expires_at_s.to_le_bytes());
    bytes
}

fn write_addresses(addresses: &[SocketAddr], out: &mut Vec<u8>) -> Result<(), TokenError> {
    if !(1..=ADDRESSES_MAX).contains(&addresses.len()) {
        return Err(TokenError::Addresses);
    }
    out.extend_from_slice(&(addresses.len() as u32).to_le_bytes());
    for address in addresses {
        match address {
            SocketAddr::V4(address) => {
                out.push(IPV4);
                out.extend_from_slice(&address.ip().octets());
            }
            SocketAddr::V6(address) => {
                out.push(IPV6);
                // Eight numbers of two bytes, each little-endian like every number of the standard.
                address.ip().segments().iter().for_each(|segment| out.extend_from_slice(&segment.to_le_bytes()));
            }
        }
        out.extend_from_slice(&address.port().to_le_bytes());
    }
    Ok(())
}

fn read_addresses(reader: &mut Reader<'_>) -> Result<Vec<SocketAddr>, TokenError> {
    let count = u32::from_le_bytes(reader.take()?) as usize;
    if !(1..=ADDRESSES_MAX).contains(&count) {
        return Err(TokenError::Addresses);
    }
    (0..count).map(|_| read_address(reader)).collect()
}

fn read_address(reader: &mut Reader<'_>) -> Result<SocketAddr, TokenError> {
    let ip = match reader.take::<1>()? {
        [IPV4] => Ipv4Addr::from(reader.take::<4>()?).into(),
        [IPV6] => {
            let bytes = reader.take::<16>()?;
            let segment = |place: usize| u16::from_le_bytes([bytes[2 * place], bytes[2 * place + 1]]);
            Ipv6Addr::from(std::array::from_fn::<u16, 8, _>(segment)).into()
        }
        _ => return Err(TokenError::Malformed),
    };
    Ok(SocketAddr::new(ip, u16::from_le_bytes(reader.take()?)))
}

struct Reader<'b> {
    bytes: &'b [u8],
}

impl Reader<'_> {
    fn take<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], TokenError> {
        let (taken, rest) = self.bytes.split_first_chunk::<COUNT>().ok_or(TokenError::Malformed)?;
        self.bytes = rest;
        Ok(*taken)
    }
}

const _: () = {
    // The largest token fits, whatever its addresses.
    const ADDRESS_BYTES_MAX: usize = 1 + 16 + 2;
    assert!(
        8 + 4 + 4 + ADDRESSES_MAX * ADDRESS_BYTES_MAX + 2 * KEY_BYTES + USER_DATA_BYTES + TAG_BYTES <= PRIVATE_BYTES
    );
};
