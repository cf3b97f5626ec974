//! Checks on bytes that renet, beneath us, does not make itself: it indexes and counts with numbers from the wire. No packet
//! reaches it unguarded.

use super::{MESSAGE_CHANNEL, WireError};
use crate::limits::{MESSAGE_BYTES_MAX, MESSAGE_GAP_MAX};

/// A packet of the reliable channel that may be shown to renet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedPacket {
    /// Its number.
    pub sequence: u64,
    /// What is in it.
    pub content: PacketContent,
}

/// What is in a packet of the reliable channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketContent {
    /// Messages.
    Messages,
    /// Acknowledgements; the newest of them are of the packets with these numbers, both ends included.
    Acknowledgements {
        /// The first of them.
        oldest: u64,
        /// The last of them.
        newest: u64,
    },
}

/// Checks a packet of the reliable channel before renet sees it, where `delivered` messages have been taken out of the
/// channel so far: only whole small messages on our channel and acknowledgements are accepted; no message is empty (renet
/// would not count it) or so far ahead that the gap before it would have to be kept in memory.
///
/// # Errors
/// When it is anything else.
pub fn check_channel_packet(bytes: &[u8], delivered: u64) -> Result<CheckedPacket, WireError> {
    const SMALL_RELIABLE: u8 = 0;
    const ACK: u8 = 4;
    let mut reader = Reader { bytes };
    let packet_type = reader.byte()?;
    let sequence = reader.varint()?;
    let content = match packet_type {
        SMALL_RELIABLE => {
            check_messages(&mut reader, delivered)?;
            PacketContent::Messages
        }
        ACK => check_acknowledgements(&mut reader)?,
        _ => return Err(WireError::NotAccepted),
    };
    reader.finish()?;
    Ok(CheckedPacket { sequence, content })
}

fn check_messages(reader: &mut Reader<'_>, delivered: u64) -> Result<(), WireError> {
    if reader.byte()? != MESSAGE_CHANNEL {
        return Err(WireError::NotAccepted);
    }
    let count = u16::from_be_bytes([reader.byte()?, reader.byte()?]);
    for _ in 0..count {
        let number = reader.varint()?;
        let length = reader.varint()?;
        if length == 0 || length > MESSAGE_BYTES_MAX as u64 {
            return Err(WireError::InvalidField);
        }
        if number > delivered + MESSAGE_GAP_MAX {
            return Err(WireError::MessageGap);
        }
        reader.skip(length as usize)?;
    }
    Ok(())
}

fn check_acknowledgements(reader: &mut Reader<'_>) -> Result<PacketContent, WireError> {
    let (newest, size) = (reader.varint()?, reader.varint()?);
    let more = reader.varint()?;
    let oldest = newest.checked_sub(size).ok_or(WireError::InvalidField)?;
    let mut start = oldest;
    // Each further range is at least two bytes, so the bytes bound the loop.
    for _ in 0..more {
        let (gap, size) = (reader.varint()?, reader.varint()?);
        start = start.checked_sub(gap + 2 + size).ok_or(WireError::InvalidField)?;
    }
    Ok(PacketContent::Acknowledgements { oldest, newest })
}

/// Reads renet's packets: big-endian, with the variable-length integers of QUIC (RFC 9000, section 16).
struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, WireError> {
        let (&byte, rest) = self.bytes.split_first().ok_or(WireError::TooShort)?;
        self.bytes = rest;
        Ok(byte)
    }

    fn varint(&mut self) -> Result<u64, WireError> {
        let first = self.byte()?;
        let further_bytes = (1 << (first >> 6)) - 1;
        let mut value = u64::from(first & 0x3f);
        for _ in 0..further_bytes {
            value = value << 8 | u64::from(self.byte()?);
        }
        Ok(value)
    }

    fn skip(&mut self, count: usize) -> Result<(), WireError> {
        self.bytes = self.bytes.get(count..).ok_or(WireError::TooShort)?;
        Ok(())
    }

    fn finish(&self) -> Result<(), WireError> {
        if self.bytes.is_empty() { Ok(()) } else { Err(WireError::TooLong) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn channel_packets_that_renet_would_not_charge_for_are_refused() {
        let small = |number: u8, message: &[u8]| [&[0, 1, 0, 0, 1, number, message.len() as u8], message].concat();
        let accepted = CheckedPacket { sequence: 1, content: PacketContent::Messages };
        assert_eq!(check_channel_packet(&small(0, b"hi"), 0), Ok(accepted));
        assert_eq!(check_channel_packet(&small(0, b""), 0), Err(WireError::InvalidField));
        let long = |length: u16| {
            let [high, low] = (0x4000 | length).to_be_bytes();
            [&[0, 1, 0, 0, 1, 0, high, low][..], &vec![b'x'; length.into()]].concat()
        };
        assert_eq!(check_channel_packet(&long(MESSAGE_BYTES_MAX as u16), 0), Ok(accepted));
        assert_eq!(check_channel_packet(&long(MESSAGE_BYTES_MAX as u16 + 1), 0), Err(WireError::InvalidField));
        let far = [0, 1, 0, 0, 1, 0x80, 0, 0xff, 0xff, 1, b'x'];
        assert_eq!(check_channel_packet(&far, 0), Err(WireError::MessageGap));
        assert_eq!(check_channel_packet(&far, 65_535), Ok(accepted));
        for slice_or_unreliable in [1, 2, 3, 5] {
            assert_eq!(check_channel_packet(&[slice_or_unreliable, 0, 0], 0), Err(WireError::NotAccepted));
        }
        assert_eq!(check_channel_packet(&[0, 1, 7, 0, 0], 0), Err(WireError::NotAccepted), "another channel");
        assert_eq!(check_channel_packet(&[4, 1, 5, 6, 0], 0), Err(WireError::InvalidField), "a range before zero");
        let further = [4, 1, 9, 3, 1, 3, 2];
        assert_eq!(check_channel_packet(&further, 0), Err(WireError::InvalidField), "a further one before zero");
        assert_eq!(check_channel_packet(&[4, 1, 5, 0, 0, 0], 0), Err(WireError::TooLong), "and something behind it");
        assert_eq!(
            check_channel_packet(&[4, 1, 9, 3, 1, 1, 1], 0),
            Ok(CheckedPacket { sequence: 1, content: PacketContent::Acknowledgements { oldest: 6, newest: 9 } })
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), delivered in 0u64..1 << 40) {
            let _ = check_channel_packet(&bytes, delivered);
        }
    }
}
