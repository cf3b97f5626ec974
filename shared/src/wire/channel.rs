//! The reliable, ordered channel of one connection, the same on both ends: renet, guarded.
//!
//! What arrives is checked by [`super::guard`] first, and nothing is sent that renet would end the connection for. How much is
//! sent, and after how long again, is [`ChannelPace`]'s to say. A channel belongs to a session, not to a connection: when
//! that breaks and another takes its place, both ends go on with the channel that they have, and nothing is missed.

use std::collections::VecDeque;
use std::time::Duration;

use renet::{ChannelConfig, ConnectionConfig, RenetClient, SendType};

use super::channel_pace::ChannelPace;
use super::guard::{CheckedPacket, PacketContent, check_channel_packet};
use super::{MESSAGE_CHANNEL, WireError};
use crate::limits::{
    CHANNEL_MEMORY_BYTES_MAX, DATAGRAM_BYTES_MAX, MESSAGE_BYTES_MAX, MESSAGE_GAP_MAX, MESSAGE_RESEND_MS,
};

/// First byte of a message: what follows is the game's own.
pub const GAME_MESSAGE: u8 = 0;

/// Kind of the messages that tell a world's attributes, one by one; see [`super::attributes`].
pub const ATTRIBUTE: u8 = 1;

/// Kind of the messages that tell how far the server keeps up; see [`super::overload`].
pub const OVERLOAD: u8 = 2;

/// Kind of the messages that tell what abilities have done; see [`super::combat`].
pub const COMBAT: u8 = 3;

/// Kind of the messages that tell the hour of the world and what is on; see [`super::hours`].
pub const HOURS: u8 = 4;

/// One end of the channel.
#[derive(Debug)]
pub struct MessageChannel {
    renet: RenetClient,
    /// Messages that are held back, for the other end refuses numbers that are too far ahead.
    waiting: VecDeque<Vec<u8>>,
    waiting_bytes: usize,
    /// Messages given to renet since it last had everything acknowledged.
    under_way: u64,
    delivered: u64,
    /// Number of the newest packet received; none before the first.
    newest_sequence: Option<u64>,
    /// Whether messages have come in that were not acknowledged yet. renet would acknowledge acknowledgements, for ever.
    owes_ack: bool,
    advanced_to: Duration,
    pace: ChannelPace,
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
        MessageChannel {
            renet,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            under_way: 0,
            delivered: 0,
            newest_sequence: None,
            owes_ack: false,
            advanced_to: Duration::ZERO,
            pace: ChannelPace::default(),
        }
    }
}

impl MessageChannel {
    /// Queues a message of 1 to [`MESSAGE_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// When the channel's memory is used up.
    pub fn send(&mut self, message: Vec<u8>) -> Result<(), ChannelFull> {
        debug_assert!((1..=MESSAGE_BYTES_MAX).contains(&message.len()), "our messages are short and not empty");
        if !self.renet.can_send_message(MESSAGE_CHANNEL, self.waiting_bytes + message.len()) {
            return Err(ChannelFull);
        }
        self.waiting_bytes += message.len();
        self.waiting.push_back(message);
        self.feed();
        Ok(())
    }

    /// Gives renet as many messages as may be under way at once.
    fn feed(&mut self) {
        if self.is_drained() {
            self.under_way = 0;
        }
        while self.under_way < MESSAGE_GAP_MAX
            && let Some(message) = self.waiting.pop_front()
        {
            self.waiting_bytes -= message.len();
            self.under_way += 1;
            self.renet.send_message(MESSAGE_CHANNEL, message);
        }
    }

    /// Takes a received packet in. One that others have overtaken is dropped, as if it were lost, and so is a copy: renet
    /// keeps a list of the gaps between packet numbers, which is bounded only at its newer end.
    ///
    /// # Errors
    /// When it is malformed; the channel is as it was. Or when more waits behind a missing message, or to be taken out, than
    /// there is memory for: the channel is then of no use any more.
    pub fn receive_packet(&mut self, now: Duration, packet: &[u8]) -> Result<(), WireError> {
        let checked = check_channel_packet(packet, self.delivered)?;
        if self.newest_sequence.is_some_and(|newest| checked.sequence <= newest) {
            return Ok(());
        }
        self.newest_sequence = Some(checked.sequence);
        match checked.content {
            PacketContent::Messages => self.owes_ack = true,
            PacketContent::Acknowledgements { oldest, newest } => self.pace.note_acknowledged(now, oldest, newest),
        }
        self.renet.process_packet(packet);
        if self.renet.is_disconnected() { Err(WireError::NotAccepted) } else { Ok(()) }
    }

    /// The next message in order, if it has arrived.
    pub fn next_message(&mut self) -> Option<Vec<u8>> {
        let message = self.renet.receive_message(MESSAGE_CHANNEL)?;
        self.delivered += 1;
        Some(message.to_vec())
    }

    /// The packets that are to be sent at `now`: new messages, old ones not acknowledged in time, and acknowledgements of
    /// messages. An idle channel has none, and asks for no memory.
    pub fn packets_to_send(&mut self, now: Duration) -> Vec<Vec<u8>> {
        self.advance(now);
        self.feed();
        if self.is_idle() || !(self.pace.may_send(now) || self.owes_ack) {
            return Vec::new();
        }
        let owes_ack = std::mem::take(&mut self.owes_ack);
        let mut packets = self.renet.get_packets_to_send();
        packets.retain(|packet| match check_channel_packet(packet, u64::MAX - MESSAGE_GAP_MAX) {
            Ok(CheckedPacket { content: PacketContent::Acknowledgements { .. }, .. }) => owes_ack,
            Ok(CheckedPacket { sequence, .. }) => {
                self.pace.note_sent(now, sequence, packet.len());
                true
            }
            Err(_) => true,
        });
        packets
    }

    /// Whether there is nothing to be sent, now or later, unless something happens.
    pub fn is_idle(&self) -> bool {
        self.is_drained() && self.waiting.is_empty() && !self.owes_ack
    }

    /// Whether nothing has come from the other end yet: whoever begins anew there may begin with this end as it is.
    pub fn is_untouched(&self) -> bool {
        self.newest_sequence.is_none()
    }

    /// What was measured of the way to the other end.
    pub fn pace(&self) -> &ChannelPace {
        &self.pace
    }

    /// Lets time pass. renet's resend time is fixed, so its clock runs by the measured one.
    fn advance(&mut self, now: Duration) {
        let elapsed = now.saturating_sub(self.advanced_to);
        self.advanced_to = self.advanced_to.max(now);
        let faster = MESSAGE_RESEND_MS as f64 / 1e3 / self.pace.resend_after().as_secs_f64();
        self.renet.update(elapsed.mul_f64(faster));
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

    /// Lets both ends send what is due, and receive what has arrived over the link from one to the other and that back.
    fn exchange(now: Duration, ends: [&mut MessageChannel; 2], links: [&mut LinkQueue<Vec<u8>>; 2]) {
        let ([here, there], [forth, back]) = (ends, links);
        here.packets_to_send(now).into_iter().for_each(|packet| forth.push(now, packet));
        there.packets_to_send(now).into_iter().for_each(|packet| back.push(now, packet));
        while let Some((_, packet)) = forth.pop_due(now) {
            there.receive_packet(now, &packet).expect("our packets pass our guard");
        }
        while let Some((_, packet)) = back.pop_due(now) {
            here.receive_packet(now, &packet).expect("our packets pass our guard");
        }
    }

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
            exchange(now, [&mut here, &mut there], [&mut forth, &mut back]);
            arrived.extend(std::iter::from_fn(|| there.next_message()));
        }
        let expected: Vec<Vec<u8>> = (0u32..200).map(|number| number.to_le_bytes().to_vec()).collect();
        assert_eq!(arrived, expected);
        assert!(here.is_drained());
        let later = Duration::from_secs(60);
        assert!(here.packets_to_send(later).is_empty() && there.packets_to_send(later).is_empty(), "idle, so silent");
        let round_trip_ms = here.pace().round_trip().expect("messages were acknowledged").as_millis();
        assert!((120..400).contains(&round_trip_ms), "{round_trip_ms} ms");
    }

    #[test]
    fn many_small_messages_never_run_ahead_of_what_the_other_end_takes() {
        for seed in 0..5 {
            let conditions = LinkConditions { one_way_ms: 40.0, loss_percent: 10.0, ..LinkConditions::default() };
            let (mut here, mut there) = (MessageChannel::default(), MessageChannel::default());
            let (mut forth, mut back) = (LinkQueue::new(conditions, seed, 0), LinkQueue::new(conditions, seed, 1));
            let (mut sent, mut arrived) = (0u32, 0u32);
            for step in 0u32..600 {
                let now = Duration::from_millis(u64::from(step) * 50);
                for _ in 0..if step < 200 { 60 } else { 0 } {
                    sent += u32::from(here.send(sent.to_le_bytes().to_vec()).is_ok());
                }
                exchange(now, [&mut here, &mut there], [&mut forth, &mut back]);
                while let Some(message) = there.next_message() {
                    assert_eq!(message, arrived.to_le_bytes());
                    arrived += 1;
                }
            }
            assert!(sent > 5_000 && arrived == sent && here.is_idle(), "{arrived} of {sent} arrived");
        }
    }

    #[test]
    fn packets_that_come_backwards_with_gaps_cost_no_memory() {
        let mut channel = MessageChannel::default();
        // Acknowledgements of nothing, numbered 16,383, 16,381, …: as QUIC writes numbers of two bytes.
        for number in (0..8_192u16).rev().map(|number| number * 2 + 1) {
            let [high, low] = number.to_be_bytes();
            channel.receive_packet(Duration::ZERO, &[4, 0x40 | high, low, 0, 0, 0]).expect("each is well-formed");
        }
        channel.send(b"hello".to_vec()).expect("there is room");
        let longest = channel.packets_to_send(Duration::ZERO).iter().map(Vec::len).max();
        assert!(longest < Some(100), "the list of received packets has {longest:?} bytes");
        channel.owes_ack = true;
        let acknowledgement = channel.packets_to_send(Duration::ZERO).iter().map(Vec::len).max();
        assert!(acknowledgement < Some(100), "the list of received packets has {acknowledgement:?} bytes");
    }

    #[test]
    fn a_full_channel_says_so_and_stays_usable() {
        let mut channel = MessageChannel::default();
        let sent = (0..1_000).take_while(|_| channel.send(vec![7; MESSAGE_BYTES_MAX]).is_ok()).count();
        assert_eq!(sent, CHANNEL_MEMORY_BYTES_MAX / MESSAGE_BYTES_MAX);
        assert!(!channel.packets_to_send(Duration::ZERO).is_empty());
    }
}
