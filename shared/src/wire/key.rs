//! The secret that connect tokens are sealed with.

use std::fmt;
use std::net::IpAddr;

/// Key shared by the server and whoever hands out connect tokens. Its `Debug` output does not show it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ConnectKey([u8; 32]);

/// Why a text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key is 64 hexadecimal digits (32 bytes), for example from `openssl rand -hex 32`")]
pub struct KeyError;

impl ConnectKey {
    /// A key that everybody knows: for development, on loopback addresses only.
    pub const DEVELOPMENT: ConnectKey = ConnectKey(*b"throng development key: no secre");

    /// Reads 64 hexadecimal digits; white space around them is ignored.
    ///
    /// # Errors
    /// When `text` is anything else.
    pub fn parse(text: &str) -> Result<ConnectKey, KeyError> {
        let digits = text.trim().as_bytes();
        let mut bytes = [0; 32];
        if digits.len() != 2 * bytes.len() {
            return Err(KeyError);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(ConnectKey(bytes))
    }

    /// Whether a server at `address` may have this key: the development key only protects what nobody else can reach.
    pub fn is_allowed_at(&self, address: IpAddr) -> bool {
        *self != ConnectKey::DEVELOPMENT || is_loopback(address)
    }

    /// The key itself.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Whether an address is reached from its own computer alone. `::ffff:127.0.0.1` is 127.0.0.1, written as an IPv6 address.
pub fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn digit(character: u8) -> Result<u8, KeyError> {
    (character as char).to_digit(16).map(|value| value as u8).ok_or(KeyError)
}

impl fmt::Debug for ConnectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if *self == ConnectKey::DEVELOPMENT {
            "ConnectKey(development)"
        } else {
            "ConnectKey(secret)"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_64_hexadecimal_digits_are_a_key() {
        let text = "00ff".repeat(16);
        let key = ConnectKey::parse(&format!("  {text}\n")).expect("a key");
        assert_eq!(&key.bytes()[..2], [0, 255]);
        for wrong in ["", "00", &text[1..], &text.replace('f', "g"), &format!("{text}0"), &"é".repeat(32)] {
            assert_eq!(ConnectKey::parse(wrong), Err(KeyError), "{wrong:?}");
        }
    }

    #[test]
    fn the_development_key_is_for_this_machine_only() {
        let key = ConnectKey::parse(&"ab".repeat(32)).expect("a key");
        let cases = [
            ("127.0.0.1", true),
            ("127.3.2.1", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("0.0.0.0", false),
            ("::", false),
            ("192.168.1.5", false),
            ("::ffff:10.0.0.1", false),
            ("2001:db8::1", false),
        ];
        for (text, is_loopback) in cases {
            let address = text.parse().expect(text);
            assert_eq!(ConnectKey::DEVELOPMENT.is_allowed_at(address), is_loopback, "{text}");
            assert!(key.is_allowed_at(address), "{text}");
        }
    }

    #[test]
    fn a_key_is_not_shown() {
        assert_eq!(format!("{:?}", ConnectKey::parse(&"ab".repeat(32)).expect("a key")), "ConnectKey(secret)");
    }
}
