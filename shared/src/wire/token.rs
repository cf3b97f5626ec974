//! The 256 bytes of user data that a connect token carries to the server, sealed.
//!
//! | bytes | field |
//! |---|---|
//! | 1 | layout, 2 |
//! | 2 | instance, little-endian |
//! | 8 | session, little-endian |
//! | 8 | issued at, little-endian |
//! | 237 | 0 |

use super::WireError;
use crate::ids::InstanceId;
use crate::netcode::USER_DATA_BYTES;

/// What whoever hands out tokens tells the server about a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenData {
    /// The world that the client is sent to.
    pub instance: InstanceId,
    /// Names the player's visit: a token for the same one goes on where an earlier connection broke, a token for another
    /// one begins anew.
    pub session: u64,
    /// When the token was made, in milliseconds since 1970, or any number that rises from token to token of a player: a
    /// newer token takes the place of an older one, and never the other way round.
    pub issued_at_ms: u64,
}

const LAYOUT: u8 = 2;

impl TokenData {
    /// The user data of a token.
    pub fn encode(&self) -> [u8; USER_DATA_BYTES] {
        let mut bytes = [0; USER_DATA_BYTES];
        bytes[0] = LAYOUT;
        bytes[1..3].copy_from_slice(&self.instance.0.to_le_bytes());
        bytes[3..11].copy_from_slice(&self.session.to_le_bytes());
        bytes[11..19].copy_from_slice(&self.issued_at_ms.to_le_bytes());
        bytes
    }

    /// Reads the user data of a token.
    ///
    /// # Errors
    /// When the layout is another one.
    pub fn decode(bytes: &[u8; USER_DATA_BYTES]) -> Result<TokenData, WireError> {
        if bytes[0] != LAYOUT || bytes[19..].iter().any(|&byte| byte != 0) {
            return Err(WireError::InvalidField);
        }
        let long = |at: usize| u64::from_le_bytes(std::array::from_fn(|place| bytes[at + place]));
        Ok(TokenData {
            instance: InstanceId(u16::from_le_bytes([bytes[1], bytes[2]])),
            session: long(3),
            issued_at_ms: long(11),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_data_comes_back_and_other_layouts_are_refused() {
        let data = TokenData { instance: InstanceId(513), session: 1 << 63 | 5, issued_at_ms: 1 << 40 };
        let mut bytes = data.encode();
        assert_eq!(TokenData::decode(&bytes), Ok(data));
        bytes[0] = 1;
        assert_eq!(TokenData::decode(&bytes), Err(WireError::InvalidField));
    }
}
