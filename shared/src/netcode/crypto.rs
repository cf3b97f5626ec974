//! Sealing and opening: ChaCha20-Poly1305 for packets and challenges (RFC 8439), XChaCha20-Poly1305 for connect tokens.
//!
//! Packets are sealed with ring, whose assembly takes less than half the time of portable code. For the web, where ring
//! would need a C compiler, the portable implementation that seals tokens seals packets too.

use std::fmt;

use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};

/// Bytes that a seal adds.
pub const TAG_BYTES: usize = 16;

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;

/// Bytes of the nonce of a connect token.
pub const TOKEN_NONCE_BYTES: usize = 24;

/// A symmetric key. Its `Debug` output does not show it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key(pub [u8; KEY_BYTES]);

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(secret)")
    }
}

/// A seal that does not fit its bytes, key, number or associated data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealError;

impl Key {
    /// Encrypts `bytes` in place and returns their tag. The nonce is four zero bytes and `sequence`, little-endian; it
    /// must not be used twice with one key.
    pub fn seal(&self, sequence: u64, associated: &[u8], bytes: &mut [u8]) -> [u8; TAG_BYTES] {
        packet_cipher::seal(&self.0, nonce(sequence), associated, bytes)
    }

    /// Decrypts `sealed`, bytes and their tag, in place; returns the bytes.
    ///
    /// # Errors
    /// When the seal does not fit; `sealed` is then of no use.
    pub fn open<'b>(&self, sequence: u64, associated: &[u8], sealed: &'b mut [u8]) -> Result<&'b mut [u8], SealError> {
        packet_cipher::open(&self.0, nonce(sequence), associated, sealed)
    }

    /// As [`Key::seal`], with XChaCha20 and a nonce that is drawn at random.
    pub fn seal_token(&self, nonce: &[u8; TOKEN_NONCE_BYTES], associated: &[u8], bytes: &mut [u8]) -> [u8; TAG_BYTES] {
        let cipher = XChaCha20Poly1305::new((&self.0).into());
        let tag = cipher.encrypt_in_place_detached(XNonce::from_slice(nonce), associated, bytes);
        tag.expect("a kilobyte is far below what the cipher can take").into()
    }

    /// As [`Key::open`], with XChaCha20.
    ///
    /// # Errors
    /// As [`Key::open`].
    pub fn open_token<'b>(
        &self,
        nonce: &[u8; TOKEN_NONCE_BYTES],
        associated: &[u8],
        sealed: &'b mut [u8],
    ) -> Result<&'b mut [u8], SealError> {
        let length = sealed.len().checked_sub(TAG_BYTES).ok_or(SealError)?;
        let (bytes, tag) = sealed.split_at_mut(length);
        let cipher = XChaCha20Poly1305::new((&self.0).into());
        let opened = cipher.decrypt_in_place_detached(XNonce::from_slice(nonce), associated, bytes, (&*tag).into());
        opened.map(|()| bytes).map_err(|_| SealError)
    }
}

fn nonce(sequence: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&sequence.to_le_bytes());
    nonce
}

#[cfg(not(target_arch = "wasm32"))]
mod packet_cipher {
    use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

    use super::{KEY_BYTES, SealError, TAG_BYTES};

    /// A key costs 13 ns to set up; kept ready, it would take half a kilobyte per client and direction.
    fn cipher(key: &[u8; KEY_BYTES]) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).expect("the key has the cipher's length"))
    }

    #[inline]
    pub(super) fn seal(key: &[u8; KEY_BYTES], nonce: [u8; 12], associated: &[u8], bytes: &mut [u8]) -> [u8; TAG_BYTES] {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = cipher(key).seal_in_place_separate_tag(nonce, Aad::from(associated), bytes);
        let mut out = [0; TAG_BYTES];
        out.copy_from_slice(tag.expect("a datagram is far below what the cipher can take").as_ref());
        out
    }

    #[inline]
    pub(super) fn open<'b>(
        key: &[u8; KEY_BYTES],
        nonce: [u8; 12],
        associated: &[u8],
        sealed: &'b mut [u8],
    ) -> Result<&'b mut [u8], SealError> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        cipher(key).open_in_place(nonce, Aad::from(associated), sealed).map_err(|_| SealError)
    }
}

/// The same in portable code.
#[cfg(any(target_arch = "wasm32", test))]
mod portable_cipher {
    use chacha20poly1305::aead::AeadInPlace;
    use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce};

    use super::{KEY_BYTES, SealError, TAG_BYTES};

    pub(super) fn seal(key: &[u8; KEY_BYTES], nonce: [u8; 12], associated: &[u8], bytes: &mut [u8]) -> [u8; TAG_BYTES] {
        let cipher = ChaCha20Poly1305::new(key.into());
        let tag = cipher.encrypt_in_place_detached(Nonce::from_slice(&nonce), associated, bytes);
        tag.expect("a datagram is far below what the cipher can take").into()
    }

    pub(super) fn open<'b>(
        key: &[u8; KEY_BYTES],
        nonce: [u8; 12],
        associated: &[u8],
        sealed: &'b mut [u8],
    ) -> Result<&'b mut [u8], SealError> {
        let length = sealed.len().checked_sub(TAG_BYTES).ok_or(SealError)?;
        let (bytes, tag) = sealed.split_at_mut(length);
        let cipher = ChaCha20Poly1305::new(key.into());
        let opened = cipher.decrypt_in_place_detached(Nonce::from_slice(&nonce), associated, bytes, (&*tag).into());
        opened.map(|()| bytes).map_err(|_| SealError)
    }
}

#[cfg(target_arch = "wasm32")]
use portable_cipher as packet_cipher;

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 8439, section 2.8.2, but for its nonce, whose first four bytes are not zero there: what both
    /// implementations make of the same bytes is compared instead.
    #[test]
    fn both_implementations_seal_alike_and_open_what_the_other_sealed() {
        let key = Key(std::array::from_fn(|place| place as u8));
        for length in [0, 1, 15, 16, 17, 63, 64, 65, 300, 1_200] {
            let plain: Vec<u8> = (0..length).map(|place| place as u8).collect();
            let sequence = 1 << (length % 64);
            let (mut fast, mut portable) = (plain.clone(), plain.clone());
            let fast_tag = key.seal(sequence, b"prefix", &mut fast);
            let portable_tag = portable_cipher::seal(&key.0, nonce(sequence), b"prefix", &mut portable);
            assert_eq!((&fast, fast_tag), (&portable, portable_tag), "{length} bytes");
            let mut sealed = [fast, fast_tag.to_vec()].concat();
            let opened =
                portable_cipher::open(&key.0, nonce(sequence), b"prefix", &mut sealed.clone()).map(|b| b.to_vec());
            assert_eq!(opened, Ok(plain.clone()));
            assert_eq!(key.open(sequence + 1, b"prefix", &mut sealed.clone()), Err(SealError), "another number");
            assert_eq!(key.open(sequence, b"prefiy", &mut sealed.clone()), Err(SealError), "another prefix");
            assert_eq!(key.open(sequence, b"prefix", &mut sealed).map(|bytes| bytes.to_vec()), Ok(plain));
        }
        assert_eq!(key.open(0, b"", &mut [0; 15]), Err(SealError), "shorter than a tag");
    }

    /// The example of draft-irtf-cfrg-xchacha-03, section A.3.1.
    #[test]
    fn tokens_are_sealed_as_the_xchacha_draft_says() {
        let mut bytes = *b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the \
future, sunscreen would be it.";
        let associated = [0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7];
        let key = Key(std::array::from_fn(|place| 0x80 + place as u8));
        let nonce = std::array::from_fn(|place| 0x40 + place as u8);
        let tag = key.seal_token(&nonce, &associated, &mut bytes);
        assert_eq!(bytes[..8], [0xbd, 0x6d, 0x17, 0x9d, 0x3e, 0x83, 0xd4, 0x3b]);
        assert_eq!(
            tag,
            [0xc0, 0x87, 0x59, 0x24, 0xc1, 0xc7, 0x98, 0x79, 0x47, 0xde, 0xaf, 0xd8, 0x78, 0x0a, 0xcf, 0x49]
        );
        let mut sealed = [&bytes[..], &tag].concat();
        let opened = key.open_token(&nonce, &associated, &mut sealed).map(|bytes| bytes.starts_with(b"Ladies"));
        assert_eq!(opened, Ok(true));
    }
}
