//! Control messages: how a client is let in, and how it is sent away.
//!
//! They travel in datagrams of their own, outside of the reliable channel, for they say whether there is one: the client
//! repeats its hello until it is answered, the server its goodbye until the client has gone.
//!
//! Encoded by bincode with fixed-width little-endian integers: an enum is its variant's number (4 bytes) and then the
//! fields, a string its length (8 bytes) and then UTF-8.
//!
//! | message | number | fields |
//! |---|---|---|
//! | [`Hello`], client's first | 0 | magic (4), lowest and highest version (2 + 2), world hash (8), channel (8), name (string) |
//! | [`Welcome`], server's answer | 0 | version (2), tick (4), own net id (4), ticks per second (2), channel (8), resumed (1), attributes (1) |
//! | [`Refused`] | 1 | reason (4, [`RefusalReason`]), lowest and highest version (2 + 2), world hash (8), world name (string) |
//! | [`ServerControl::Goodbye`] | 2 | reason (4, [`GoodbyeReason`]) |
//!
//! The first twelve bytes of a hello and of a refusal, and a goodbye as a whole, never change their meaning, in any
//! version from 2 on, so that every server can tell every client why it does not fit.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::WireError;
use crate::ids::NetId;
use crate::limits::{MESSAGE_BYTES_MAX, NAME_BYTES_MAX};

/// First field of a hello ("HELO" read as little-endian bytes).
pub const HELLO_MAGIC: u32 = u32::from_le_bytes(*b"HELO");

/// The client's first words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`HELLO_MAGIC`].
    pub magic: u32,
    /// Oldest protocol version that the client speaks.
    pub version_min: u16,
    /// Newest protocol version that the client speaks.
    pub version_max: u16,
    /// Hash of the world files that the client has; it predicts its own movement in them.
    pub world_hash: u64,
    /// The reliable channel that the client still has from an earlier connection, see [`Welcome::channel`]; 0 for none.
    pub channel: u64,
    /// The player's name, at most 32 bytes.
    pub name: String,
}

/// What clients say of their connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientControl {
    /// Asks to be let in.
    Hello(Hello),
}

/// Lets a client in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The protocol version that both will speak.
    pub version: u16,
    /// The server's tick when it wrote this.
    pub tick: u32,
    /// The client's own character.
    pub net_id: NetId,
    /// Ticks per second.
    pub tick_rate_hz: u16,
    /// Names the reliable channel of this session; never 0.
    pub channel: u64,
    /// Whether everything goes on where the connection broke: the channel is the one that the hello named, and what the
    /// client knows of the world still holds. Otherwise both begin anew.
    pub is_resumed: bool,
    /// How many attributes the world has. When not everything goes on, they are told over the reliable channel before anything else,
    /// see [`super::attributes`].
    pub attributes: u8,
}

/// Does not let a client in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Why.
    pub reason: RefusalReason,
    /// Oldest protocol version that the server speaks.
    pub version_min: u16,
    /// Newest protocol version that the server speaks.
    pub version_max: u16,
    /// Hash of the server's world files.
    pub world_hash: u64,
    /// Name of the server's world.
    pub world_name: String,
}

/// What the server says of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServerControl {
    /// Come in.
    Welcome(Welcome),
    /// Stay out.
    Refused(Refused),
    /// The connection ends, and why.
    Goodbye(GoodbyeReason),
}

/// Why a client is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
pub enum RefusalReason {
    /// No protocol version that both speak.
    #[error("client and server share no protocol version")]
    Version,
    /// The client has other world files.
    #[error("client and server have different world files")]
    World,
    /// The world has as many players as it may have.
    #[error("the world is full")]
    Full,
    /// The token names a world that this server does not run.
    #[error("this server does not run the world that the token names")]
    UnknownInstance,
}

/// Why the server ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
pub enum GoodbyeReason {
    /// The server is being stopped.
    #[error("the server is stopping")]
    ServerStopping,
    /// Too much of what the client sent was malformed.
    #[error("too many malformed messages")]
    Malformed,
    /// The client did not say hello in time.
    #[error("no hello in time")]
    HelloTimeout,
    /// Somebody in charge has sent the player away.
    #[error("sent away")]
    Kicked,
    /// The same player has come in anew, with a newer token.
    #[error("the same player has come in from elsewhere")]
    Replaced,
    /// The same player is in with a newer token than the one that was shown.
    #[error("the same player is in with a newer token")]
    Superseded,
    /// Too many reliable messages were not acknowledged.
    #[error("too many messages were not acknowledged")]
    ChannelFull,
}

impl GoodbyeReason {
    /// All of them, for metrics that start at zero.
    pub const ALL: [GoodbyeReason; 7] = [
        GoodbyeReason::ServerStopping,
        GoodbyeReason::Malformed,
        GoodbyeReason::HelloTimeout,
        GoodbyeReason::Kicked,
        GoodbyeReason::Replaced,
        GoodbyeReason::Superseded,
        GoodbyeReason::ChannelFull,
    ];

    /// Name in metrics.
    pub fn label(self) -> &'static str {
        match self {
            GoodbyeReason::ServerStopping => "server_stopping",
            GoodbyeReason::Malformed => "malformed",
            GoodbyeReason::HelloTimeout => "hello_timeout",
            GoodbyeReason::Kicked => "kicked",
            GoodbyeReason::Replaced => "replaced",
            GoodbyeReason::Superseded => "superseded",
            GoodbyeReason::ChannelFull => "channel_full",
        }
    }
}

impl Hello {
    /// The hello of this code's client. A longer name is cut at a character boundary.
    pub fn new(world_hash: u64, name: &str) -> Hello {
        Hello {
            magic: HELLO_MAGIC,
            version_min: super::PROTOCOL_VERSION,
            version_max: super::PROTOCOL_VERSION,
            world_hash,
            channel: 0,
            name: cut_name(name).to_owned(),
        }
    }
}

/// The longest beginning of a player's name that is allowed: at most [`NAME_BYTES_MAX`] bytes.
pub fn cut_name(name: &str) -> &str {
    &name[..name.floor_char_boundary(NAME_BYTES_MAX)]
}

/// The versions that a hello offers, read from the bytes that never change their meaning; none when `bytes` are not a
/// hello of any version.
pub fn hello_versions(bytes: &[u8]) -> Option<std::ops::RangeInclusive<u16>> {
    let prefix = bytes.first_chunk::<12>()?;
    let (number, magic) = (&prefix[..4], &prefix[4..8]);
    let version = |at: usize| u16::from_le_bytes([prefix[at], prefix[at + 1]]);
    (number == [0; 4] && magic == HELLO_MAGIC.to_le_bytes()).then(|| version(8)..=version(10))
}

/// Encodes a control message.
///
/// # Panics
/// When it is longer than [`MESSAGE_BYTES_MAX`], which none of ours can be.
pub fn encode(message: &impl Serialize) -> Vec<u8> {
    let bytes = bincode::serde::encode_to_vec(message, layout()).expect("our messages can be encoded");
    assert!(bytes.len() <= MESSAGE_BYTES_MAX, "our messages are short");
    bytes
}

/// Decodes a control message.
///
/// # Errors
/// When `bytes` are not exactly one message.
pub fn decode<Message: DeserializeOwned>(bytes: &[u8]) -> Result<Message, WireError> {
    match bincode::serde::decode_from_slice(bytes, layout()) {
        Ok((message, length)) if length == bytes.len() => Ok(message),
        Ok(_) => Err(WireError::TooLong),
        Err(bincode::error::DecodeError::UnexpectedEnd { .. }) => Err(WireError::TooShort),
        Err(_) => Err(WireError::InvalidField),
    }
}

fn layout() -> impl bincode::config::Config {
    bincode::config::standard().with_little_endian().with_fixed_int_encoding().with_limit::<MESSAGE_BYTES_MAX>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_bytes_of_a_hello_are_as_documented() {
        let bytes = encode(&ClientControl::Hello(Hello {
            version_min: 2,
            version_max: 3,
            ..Hello::new(0x0102_0304_0506_0708, "Ann")
        }));
        let expected = [
            &[0, 0, 0, 0][..],
            b"HELO",
            &[2, 0, 3, 0],
            &[8, 7, 6, 5, 4, 3, 2, 1],
            &[0; 8],
            &[3, 0, 0, 0, 0, 0, 0, 0],
            b"Ann",
        ];
        assert_eq!(bytes, expected.concat());
        assert_eq!(hello_versions(&bytes), Some(2..=3));
    }

    #[test]
    fn the_versions_of_a_hello_from_the_future_can_be_read() {
        let mut bytes = encode(&ClientControl::Hello(Hello { version_min: 7, version_max: 9, ..Hello::new(0, "") }));
        bytes.truncate(12);
        bytes.extend_from_slice(b"something else entirely");
        assert_eq!(hello_versions(&bytes), Some(7..=9));
        assert!(decode::<ClientControl>(&bytes).is_err());
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        assert_eq!(Hello::new(0, &"ä".repeat(40)).name, "ä".repeat(16));
        assert_eq!(Hello::new(0, &format!("x{}", "ä".repeat(40))).name.len(), 31);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = decode::<ClientControl>(&bytes);
            let _ = decode::<ServerControl>(&bytes);
            let _ = hello_versions(&bytes);
        }
    }
}
