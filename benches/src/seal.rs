//! Sealing of datagrams as the connection layer does it: ChaCha20-Poly1305, one key and one counter per client.

use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit, Nonce};

/// Bytes that sealing adds: netcode's prefix byte and the authentication tag. The sequence number is counted apart.
const SEAL_BYTES: usize = 1 + 16;

/// UDP and IPv4 headers.
const UDP_IP_BYTES: usize = 8 + 20;

/// A client's sealing key and counter.
pub(crate) struct Sealer {
    cipher: ChaCha20Poly1305,
    sequence: u64,
}

impl Sealer {
    pub(crate) fn new(client: u64) -> Sealer {
        let mut key = [7; 32];
        key[..8].copy_from_slice(&client.to_le_bytes());
        Sealer { cipher: ChaCha20Poly1305::new(Key::from_slice(&key)), sequence: 0 }
    }

    /// Seals a datagram in `buffer`; returns its size on the wire, all headers included.
    pub(crate) fn seal(&mut self, datagram: &[u8], buffer: &mut Vec<u8>) -> usize {
        self.sequence += 1;
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&self.sequence.to_le_bytes());
        buffer.clear();
        buffer.extend_from_slice(datagram);
        let tag = self.cipher.encrypt_in_place_detached(Nonce::from_slice(&nonce), b"NETCODE 1.02 and more", buffer);
        std::hint::black_box(tag.is_ok());
        let sequence_bytes = 8 - self.sequence.leading_zeros() as usize / 8;
        buffer.len() + SEAL_BYTES + sequence_bytes + UDP_IP_BYTES
    }
}
