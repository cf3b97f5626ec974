//! netcode 1.02, the connection layer's packets, tokens and client, as the published standard describes them
//! (mas-bandwidth/netcode, `STANDARD.md` and `IMPLEMENTERS.md`).
//!
//! Everything here is pure: bytes, keys, time and randomness are arguments. The server's table of connections is in
//! `server/src/net/netcode/`; both ends use the same codec.
//!
//! | module | does |
//! |---|---|
//! | [`crypto`] | ChaCha20-Poly1305 for packets, XChaCha20-Poly1305 for tokens |
//! | [`packet`] | packets: prefix, sequence number, sealing, opening |
//! | [`replay`] | which sequence numbers were received |
//! | [`connect_token`] | what lets a client in, and its sealed part |
//! | [`challenge`] | what proves that a client receives at its address |
//! | [`client`] | the client's state machine |
//!
//! Where the standard leaves a choice: at most 1,200 bytes of payload are sent, as the standard says, and up to
//! [`PAYLOAD_BYTES_MAX`] are accepted, for that is what the stock Rust implementation may send. Numbers of handshake
//! packets of the server start at 2^63, as in the reference implementation, so that no nonce is used twice under a
//! client's key. Two packets are our own, [`packet::PacketType::Move`] and its challenge, with which a client goes on from
//! another address; whoever does not know them ignores them, as the standard says. The stock Rust implementation writes the number 0 in no bytes, where the standard wants one; that is
//! understood, and not written.

pub mod challenge;
pub mod client;
pub mod connect_token;
pub mod crypto;
pub mod packet;
pub mod replay;

#[cfg(test)]
mod tests;

pub use client::{ClientEnd, NetcodeClient};
pub use connect_token::{ConnectToken, PrivateToken, TokenError};
pub use crypto::Key;

/// First field of requests and tokens.
pub const VERSION_INFO: &[u8; 13] = b"NETCODE 1.02\0";

/// Bytes of the user data in a token.
pub const USER_DATA_BYTES: usize = 256;

/// Largest payload that is accepted, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 1_300;

/// Largest packet, in bytes: prefix, sequence number, payload, tag.
pub const PACKET_BYTES_MAX: usize = 1 + 8 + PAYLOAD_BYTES_MAX + crypto::TAG_BYTES;

/// First number of the packets that a server sends outside of a connection; those of a connection count from 0.
pub const HANDSHAKE_SEQUENCE_FIRST: u64 = 1 << 63;

/// Why a packet was ignored. Counted by [`NetcodeError::label`], never logged one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NetcodeError {
    /// Fewer bytes than any packet of its type has.
    #[error("the packet is too short")]
    TooShort,
    /// More bytes than any packet of its type has.
    #[error("the packet is too long")]
    TooLong,
    /// A type that does not exist, or that this end does not receive.
    #[error("a packet type that is not received here")]
    Type,
    /// The sequence number has more than eight bytes.
    #[error("a sequence number that cannot be")]
    Sequence,
    /// Received before, or too old to tell.
    #[error("a packet that was received before")]
    Replayed,
    /// Not sealed with the key of its sender.
    #[error("a seal that does not fit")]
    Seal,
    /// Another version or game.
    #[error("another version or another game")]
    Version,
}

impl NetcodeError {
    /// All of them, for metrics that start at zero.
    pub const ALL: [NetcodeError; 7] = [
        NetcodeError::TooShort,
        NetcodeError::TooLong,
        NetcodeError::Type,
        NetcodeError::Sequence,
        NetcodeError::Replayed,
        NetcodeError::Seal,
        NetcodeError::Version,
    ];

    /// Name in metrics.
    pub fn label(self) -> &'static str {
        match self {
            NetcodeError::TooShort => "too_short",
            NetcodeError::TooLong => "too_long",
            NetcodeError::Type => "type",
            NetcodeError::Sequence => "sequence",
            NetcodeError::Replayed => "replayed",
            NetcodeError::Seal => "seal",
            NetcodeError::Version => "version",
        }
    }
}
