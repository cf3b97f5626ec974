//! The 256 bytes of user data that a connect token carries to the server, sealed.
//!
//! | bytes | field |
//! |---|---|
//! | 1 | layout, 1 |
//! | 2 | instance, little-endian |
//! | 253 | 0 |

use super::WireError;
use crate::ids::InstanceId;

/// Size of a connect token's user data.
pub const USER_DATA_BYTES: usize = 256;

/// What whoever hands out tokens tells the server about a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenData {
    /// The world that the client is sent to.
    pub instance: InstanceId,
}

const LAYOUT: u8 = 1;

impl TokenData {
    /// The user data of a token.
    pub fn encode(&self) -> [u8; USER_DATA_BYTES] {
        let mut bytes = [0; USER_DATA_BYTES];
        bytes[0] = LAYOUT;
        bytes[1..3].copy_from_slice(&self.instance.0.to_le_bytes());
        bytes
    }

    /// Reads the user data of a token.
    ///
    /// # Errors
    /// When the layout is another one.
    pub fn decode(bytes: &[u8; USER_DATA_BYTES]) -> Result<TokenData, WireError> {
        if bytes[0] != LAYOUT || bytes[3..].iter().any(|&byte| byte != 0) {
            return Err(WireError::InvalidField);
        }
        Ok(TokenData { instance: InstanceId(u16::from_le_bytes([bytes[1], bytes[2]])) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_data_comes_back_and_other_layouts_are_refused() {
        let data = TokenData { instance: InstanceId(513) };
        let mut bytes = data.encode();
        assert_eq!(TokenData::decode(&bytes), Ok(data));
        bytes[0] = 2;
        assert_eq!(TokenData::decode(&bytes), Err(WireError::InvalidField));
    }
}
