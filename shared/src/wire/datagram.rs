//! The payload of one netcode packet: a frame, packets of the reliable channel, or both; or a control message.
//!
//! | bytes | field | when |
//! |---|---|---|
//! | 1 | kind: bit 0 frame, bit 1 channel packets, bit 2 control; other bits 0 | always |
//! | 2 | frame length, little-endian | bits 0 and 1 |
//! | n | frame | bit 0 |
//! | 2 + n, repeated to the end | channel packet: length, bytes | bit 1 |
//! | to the end | control message | bit 2, which is then the only one |

use super::WireError;
use crate::limits::{CHANNEL_PACKET_BYTES_MAX, DATAGRAM_BYTES_MAX, MESSAGE_BYTES_MAX};

/// Kind of a datagram that is a frame and nothing else.
pub const FRAME: u8 = 1;
const CHANNEL: u8 = 2;
/// Kind of a datagram that is a control message.
pub const CONTROL: u8 = 4;

/// A received datagram, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// A snapshot (to the client) or inputs (to the server).
    pub frame: Option<&'a [u8]>,
    /// A message of [`super::control`].
    pub control: Option<&'a [u8]>,
    packets: &'a [u8],
}

impl<'a> Datagram<'a> {
    /// Takes a netcode payload apart. All lengths are checked here, so that [`Datagram::packets`] cannot fail.
    ///
    /// # Errors
    /// When a length does not agree with the bytes, or nothing is inside.
    pub fn parse(bytes: &'a [u8]) -> Result<Datagram<'a>, WireError> {
        let (&kind, rest) = bytes.split_first().ok_or(WireError::TooShort)?;
        if kind == CONTROL {
            return match rest.len() {
                0 => Err(WireError::TooShort),
                1..=MESSAGE_BYTES_MAX => Ok(Datagram { frame: None, control: Some(rest), packets: &[] }),
                _ => Err(WireError::TooLong),
            };
        }
        let (frame, packets) = match kind {
            FRAME if rest.is_empty() => return Err(WireError::TooShort),
            FRAME => (Some(rest), &rest[rest.len()..]),
            CHANNEL if rest.is_empty() => return Err(WireError::TooShort),
            CHANNEL => (None, rest),
            _ if kind == FRAME | CHANNEL => {
                let (frame, packets) = split_counted(rest)?;
                (Some(frame), packets)
            }
            _ => return Err(WireError::InvalidField),
        };
        let mut unchecked = packets;
        while !unchecked.is_empty() {
            let (packet, after) = split_counted(unchecked)?;
            if packet.len() > CHANNEL_PACKET_BYTES_MAX {
                return Err(WireError::TooLong);
            }
            unchecked = after;
        }
        Ok(Datagram { frame, control: None, packets })
    }

    /// The packets of the reliable channel.
    pub fn packets(&self) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.packets;
        std::iter::from_fn(move || {
            let (packet, after) = split_counted(rest).ok()?;
            rest = after;
            Some(packet)
        })
    }
}

/// The bytes after a two-byte count, and what follows them.
fn split_counted(bytes: &[u8]) -> Result<(&[u8], &[u8]), WireError> {
    let (count, rest) = bytes.split_first_chunk::<2>().ok_or(WireError::TooShort)?;
    rest.split_at_checked(usize::from(u16::from_le_bytes(*count))).ok_or(WireError::TooShort)
}

/// Packs `frame` and `packets` into as few datagrams as their order allows, calling `send` for each. A datagram stays
/// within [`DATAGRAM_BYTES_MAX`], but for a single channel packet that is larger by itself.
pub fn pack<'p>(
    frame: Option<&[u8]>,
    packets: impl Iterator<Item = &'p [u8]>,
    scratch: &mut Vec<u8>,
    mut send: impl FnMut(&[u8]),
) {
    scratch.clear();
    let mut packets = packets.peekable();
    match (frame, packets.peek()) {
        (Some(frame), Some(packet)) if 5 + frame.len() + packet.len() <= DATAGRAM_BYTES_MAX => {
            scratch.push(FRAME | CHANNEL);
            put_counted(scratch, frame);
        }
        (Some(frame), _) => {
            scratch.push(FRAME);
            scratch.extend_from_slice(frame);
            send(scratch);
            scratch.clear();
        }
        (None, _) => {}
    }
    for packet in packets {
        if scratch.len() > 1 && scratch.len() + 2 + packet.len() > DATAGRAM_BYTES_MAX {
            send(scratch);
            scratch.clear();
        }
        if scratch.is_empty() {
            scratch.push(CHANNEL);
        }
        put_counted(scratch, packet);
    }
    if !scratch.is_empty() {
        send(scratch);
    }
}

fn put_counted(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_arrives_in_order_within_the_size(
            frame in prop::option::of(prop::collection::vec(any::<u8>(), 1..=1_199)),
            packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..=CHANNEL_PACKET_BYTES_MAX), 0..6),
        ) {
            let mut sent: Vec<Vec<u8>> = Vec::new();
            pack(frame.as_deref(), packets.iter().map(Vec::as_slice), &mut Vec::new(), |bytes| sent.push(bytes.to_vec()));
            let mut frames = Vec::new();
            let mut arrived = Vec::new();
            for bytes in &sent {
                let datagram = Datagram::parse(bytes).expect("what we pack can be parsed");
                frames.extend(datagram.frame.map(<[u8]>::to_vec));
                let count = arrived.len();
                arrived.extend(datagram.packets().map(<[u8]>::to_vec));
                prop_assert!(bytes.len() <= DATAGRAM_BYTES_MAX || arrived.len() == count + 1);
                prop_assert!(bytes.len() <= 1_300, "netcode's payload");
            }
            prop_assert_eq!(frames, frame.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(arrived, packets);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(datagram) = Datagram::parse(&bytes) {
                let _ = datagram.packets().count();
            }
        }
    }
}
