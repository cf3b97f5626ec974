//! The reliable, ordered channel of one connection, the same on both ends: renet, guarded.
//!
//! What arrives is checked by [`super::guard`] first, and nothing is sent that renet would end the connection for.

use std::time::Duration;

use renet::{ChannelConfig, ConnectionConfig, RenetClient, SendType};

use super::guard::check_channel_packet;
use super::{MESSAGE_CHANNEL, WireError};
use crate::limits::{CHANNEL_MEMORY_BYTES_MAX, DATAGRAM_BYTES_MAX, MESSAGE_BYTES_MAX, MESSAGE_RESEND_MS};

/// First byte of renet's acknowledgement packets.
const ACK_PACKET: u8 = 4;

/// One end of the channel.
#[derive(Debug)]
pub struct MessageChannel {
    renet: RenetClient,
    delivered: u64,
    /// Number of the newest packet received; none before the first.
    newest_sequence: Option<u64>,
    /// Whether messages have come in that were not acknowledged yet. renet would acknowledge acknowledgements, for ever.
    owes_ack: bool,
}

/// The other end acknowledges too slowly: there is no memory for another message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many unacknowledged messages")]
pub struct ChannelFull;

impl Default for MessageChannel {
    fn default() -> Self {
        let config = || {
            vec![ChannelConfig {
                channel_id: MESSAGE_CHANNEL,
                max_memory_usage_bytes: CHANNEL_MEMORY_BYTES_MAX,
                send_type: SendType::ReliableOrdered { resend_time: Duration::from_millis(MESSAGE_RESEND_MS) },
            }]
        };
        // Both directions are alike, so that both ends can be a renet "client".
        let mut renet = RenetClient::new(ConnectionConfig {
            available_bytes_per_tick: 4 * DATAGRAM_BYTES_MAX as u64,
            server_channels_config: config(),
            client_channels_config: config(),
        });
        renet.set_connected();
        MessageChannel { renet, delivered: 0, newest_sequence: None, owes_ack: false }
    }
}

impl MessageChannel {
    /// Queues a message of 1 to [`MESSAGE_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// When the channel's memory is used up.
    pub fn send(&mut self, message: Vec<u8>) -> Result<(), ChannelFull> {
        debug_assert!((1..=MESSAGE_BYTES_MAX).contains(&message.len()), "our messages are short and not empty");
        if !self.renet.can_send_message(MESSAGE_CHANNEL, message.len()) {
            return Err(ChannelFull);
        }
        self.renet.send_message(MESSAGE_CHANNEL, message);
        Ok(())
    }

    /// Takes a received packet in. One that others have overtaken is dropped, as if it were lost, and so is a copy: renet
    /// keeps a list of the gaps between packet numbers, which is bounded only at its newer end.
    ///
    /// # Errors
    /// When it is malformed; the channel is as it was.
    pub fn receive_packet(&mut self, packet: &[u8]) -> Result<(), WireError> {
        let checked = check_channel_packet(packet, self.delivered)?;
        if self.newest_sequence.is_some_and(|newest| checked.sequence <= newest) {
            return Ok(());
        }
        self.newest_sequence = Some(checked.sequence);
        self.owes_ack |= checked.has_messages;
        self.renet.process_packet(packet);
        if self.renet.is_disconnected() { Err(WireError::NotAccepted) } else { Ok(()) }
    }

    /// The next message in order, if it has arrived.
    pub fn next_message(&mut self) -> Option<Vec<u8>> {
        let message = self.renet.receive_message(MESSAGE_CHANNEL)?;
        self.delivered += 1;
        Some(message.to_vec())
    }

    /// Lets time pass.
    pub fn advance(&mut self, elapsed: Duration) {
        self.renet.update(elapsed);
    }

    /// The packets that are to be sent now: new messages, old ones not acknowledged in time, and acknowledgements of
    /// messages. An idle channel has none, and asks for no memory.
    pub fn packets_to_send(&mut self) -> Vec<Vec<u8>> {
        if self.is_drained() && !self.owes_ack {
            return Vec::new();
        }
        let owes_ack = std::mem::take(&mut self.owes_ack);
        let mut packets = self.renet.get_packets_to_send();
        if !owes_ack {
            packets.retain(|packet| packet.first() != Some(&ACK_PACKET));
        }
        packets
    }

    /// Whether everything that was sent has been acknowledged.
    pub fn is_drained(&self) -> bool {
        self.renet.channel_available_memory(MESSAGE_CHANNEL) == CHANNEL_MEMORY_BYTES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{LinkConditions, LinkQueue};

    #[test]
    fn messages_arrive_once_and_in_order_over_a_bad_link() {
        let conditions = LinkConditions {
            one_way_ms: 60.0,
            jitter_ms: 50.0,
            loss_percent: 20.0,
            duplicate_percent: 10.0,
            reorder_percent: 10.0,
        };
        let (mut here, mut there) = (MessageChannel::default(), MessageChannel::default());
        let mut forth = LinkQueue::new(conditions, 1, 0);
        let mut back = LinkQueue::new(conditions, 1, 1);
        let mut arrived = Vec::new();
        for step in 0u32..400 {
            let now = Duration::from_millis(u64::from(step) * 50);
            if step < 200 {
                here.send(step.to_le_bytes().to_vec()).expect("there is room");
            }
            here.advance(Duration::from_millis(50));
            there.advance(Duration::from_millis(50));
            here.packets_to_send().into_iter().for_each(|packet| forth.push(now, packet));
            there.packets_to_send().into_iter().for_each(|packet| back.push(now, packet));
            while let Some((_, packet)) = forth.pop_due(now) {
                there.receive_packet(&packet).expect("our packets pass our guard");
            }
            while let Some((_, packet)) = back.pop_due(now) {
                here.receive_packet(&packet).expect("our packets pass our guard");
            }
            arrived.extend(std::iter::from_fn(|| there.next_message()));
        }
        let expected: Vec<Vec<u8>> = (0u32..200).map(|number| number.to_le_bytes().to_vec()).collect();
        assert_eq!(arrived, expected);
        assert!(here.is_drained());
        assert!(here.packets_to_send().is_empty() && there.packets_to_send().is_empty(), "an idle channel is silent");
    }

    #[test]
    fn packets_that_come_backwards_with_gaps_cost_no_memory() {
        let mut channel = MessageChannel::default();
        // Acknowledgements of nothing, numbered 16,383, 16,381, …: as QUIC writes numbers of two bytes.
        for number in (0..8_192u16).rev().map(|number| number * 2 + 1) {
            let [high, low] = number.to_be_bytes();
            channel.receive_packet(&[4, 0x40 | high, low, 0, 0, 0]).expect("each is well-formed");
        }
        channel.send(b"hello".to_vec()).expect("there is room");
        let longest = channel.packets_to_send().iter().map(Vec::len).max();
        assert!(longest < Some(100), "the list of received packets has {longest:?} bytes");
        channel.owes_ack = true;
        let acknowledgement = channel.packets_to_send().iter().map(Vec::len).max();
        assert!(acknowledgement < Some(100), "the list of received packets has {acknowledgement:?} bytes");
    }

    #[test]
    fn a_full_channel_says_so_and_stays_usable() {
        let mut channel = MessageChannel::default();
        let sent = (0..1_000).take_while(|_| channel.send(vec![7; MESSAGE_BYTES_MAX]).is_ok()).count();
        assert_eq!(sent, CHANNEL_MEMORY_BYTES_MAX / MESSAGE_BYTES_MAX);
        assert!(!channel.packets_to_send().is_empty());
    }
}
