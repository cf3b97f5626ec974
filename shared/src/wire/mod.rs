//! Every byte that is sent. `docs/protocol.md` describes the same, for those who write a client in another language.
//!
//! ```text
//! UDP datagram
//! └ netcode 1.02 packet (encrypted, replay-protected)
//!   └ datagram  ([`datagram`])       one kind byte, then
//!     ├ frame                        a snapshot ([`snapshot`]) or inputs ([`inputs`])
//!     ├ channel packets              renet's reliable channel ([`channel`]), carrying the game's messages
//!     └ control message              hello, welcome, goodbye ([`control`]); travels alone
//! ```

pub mod attributes;
mod bits;
pub mod channel;
pub mod channel_pace;
pub mod combat;
pub mod control;
pub mod crowd;
pub mod datagram;
pub mod guard;
pub mod hours;
pub mod inputs;
pub mod key;
pub mod overload;
pub mod page;
pub mod snapshot;
pub mod token;

pub use bits::{BitReader, BitWriter};

/// Netcode protocol id of every Throng server and client ("THRONG01" read as little-endian bytes). It never changes:
/// versions are negotiated by [`control::Hello`], which can say why it refuses.
pub const PROTOCOL_ID: u64 = u64::from_le_bytes(*b"THRONG01");

/// The version of everything inside netcode packets that this code speaks.
pub const PROTOCOL_VERSION: u16 = 3;

/// Number of the one reliable, ordered channel in each direction.
pub const MESSAGE_CHANNEL: u8 = 0;

/// Why received bytes were refused. Counted by [`WireError::label`], never logged one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum WireError {
    /// The bytes end before what they announce.
    #[error("the bytes end too early")]
    TooShort,
    /// There are more bytes than announced, or than allowed.
    #[error("there are too many bytes")]
    TooLong,
    /// A field holds a value that nothing means.
    #[error("a field is out of its range")]
    InvalidField,
    /// A packet type, channel or message that this end does not accept.
    #[error("not accepted here")]
    NotAccepted,
    /// A reliable message number too far ahead of what is awaited.
    #[error("a message number is too far ahead")]
    MessageGap,
}

impl WireError {
    /// All of them, for metrics that start at zero.
    pub const ALL: [WireError; 5] = [
        WireError::TooShort,
        WireError::TooLong,
        WireError::InvalidField,
        WireError::NotAccepted,
        WireError::MessageGap,
    ];

    /// Name in metrics.
    pub fn label(self) -> &'static str {
        match self {
            WireError::TooShort => "too_short",
            WireError::TooLong => "too_long",
            WireError::InvalidField => "invalid_field",
            WireError::NotAccepted => "not_accepted",
            WireError::MessageGap => "message_gap",
        }
    }
}
