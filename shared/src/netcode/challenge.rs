//! The challenge token: what a server gives to whoever asks for a connection, to see whether it comes back.
//!
//! | bytes | field |
//! |---|---|
//! | 8 | client id |
//! | 256 | the connect token's user data |
//! | 20 | 0 |
//! | 16 | tag |
//!
//! Sealed with a key that the server draws when it starts, and with a number of its own.

use super::crypto::TAG_BYTES;
use super::{Key, USER_DATA_BYTES};

/// Bytes of a sealed challenge token.
pub const CHALLENGE_BYTES: usize = 300;

/// A challenge token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengeToken {
    /// Who asked.
    pub client_id: u64,
    /// The user data of the connect token that was shown.
    pub user_data: [u8; USER_DATA_BYTES],
}

impl ChallengeToken {
    /// Its sealed bytes.
    pub fn seal(&self, key: &Key, sequence: u64) -> [u8; CHALLENGE_BYTES] {
        let mut bytes = [0; CHALLENGE_BYTES];
        bytes[..8].copy_from_slice(&self.client_id.to_le_bytes());
        bytes[8..8 + USER_DATA_BYTES].copy_from_slice(&self.user_data);
        let (plain, tag) = bytes.split_at_mut(CHALLENGE_BYTES - TAG_BYTES);
        tag.copy_from_slice(&key.seal(sequence, &[], plain));
        bytes
    }

    /// Opens sealed bytes; none when they were not sealed with `key` and `sequence`.
    pub fn open(key: &Key, sequence: u64, sealed: &mut [u8]) -> Option<ChallengeToken> {
        let plain = key.open(sequence, &[], sealed).ok()?;
        let (client_id, rest) = plain.split_first_chunk::<8>()?;
        let user_data = rest.first_chunk::<USER_DATA_BYTES>()?;
        Some(ChallengeToken { client_id: u64::from_le_bytes(*client_id), user_data: *user_data })
    }
}
