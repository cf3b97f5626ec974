//! Sealing of datagrams as the connection layer does it: one key and one counter per client.

use throng_shared::netcode::packet::{self, PacketType};
use throng_shared::netcode::{Key, PACKET_BYTES_MAX};
use throng_shared::wire::PROTOCOL_ID;
use throng_shared::wire::datagram::FRAME;

/// UDP and IPv4 headers.
const UDP_IP_BYTES: usize = 8 + 20;

/// A client's sealing key and counter.
pub(crate) struct Sealer {
    key: Key,
    sequence: u64,
}

impl Sealer {
    pub(crate) fn new(client: u64) -> Sealer {
        let mut key = [7; 32];
        key[..8].copy_from_slice(&client.to_le_bytes());
        Sealer { key: Key(key), sequence: 0 }
    }

    /// Seals a frame into `buffer`; returns its size on the wire, all headers included.
    pub(crate) fn seal(&mut self, frame: &[u8], buffer: &mut [u8; PACKET_BYTES_MAX]) -> usize {
        self.sequence += 1;
        let parts = [&[FRAME], frame];
        packet::seal(PacketType::Payload, PROTOCOL_ID, &self.key, self.sequence, &parts, buffer) + UDP_IP_BYTES
    }
}
