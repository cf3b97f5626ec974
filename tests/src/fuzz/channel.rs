//! The reliable channel under any packets.

use std::collections::VecDeque;
use std::time::Duration;

use throng_shared::limits::{CHANNEL_PACKET_BYTES_MAX, DATAGRAM_BYTES_MAX, MESSAGE_BYTES_MAX};
use throng_shared::wire::channel::MessageChannel;

use super::script::Script;

/// Most packets that a channel has to send at once: four of full messages; of messages of one byte, whose numbers and
/// lengths renet does not count, up to eight times as many.
const PACKETS_MAX: usize = 40;

const TIME_STEPS_MS: [u64; 4] = [0, 20, 200, 3_000];

/// A script of packets for one end of a channel, whose other end is honest and hears everything that the first one says.
///
/// | step | then | what happens |
/// |---|---|---|
/// | 0, 1 | count, bytes | a packet arrives |
/// | 2 | two bytes | a message of that length is sent |
/// | 3 | | time passes, by the next bits of the step; everything due is sent |
pub fn channel_packet(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let (mut channel, mut peer) = (MessageChannel::default(), MessageChannel::default());
    let mut now = Duration::ZERO;
    let mut under_way = VecDeque::new();
    let (mut received_bytes, mut delivered_bytes) = (0, 0);
    while let Some(step) = script.byte() {
        match step & 3 {
            0 | 1 => {
                let packet = script.counted();
                received_bytes += packet.len();
                // What is wrong with it does not matter.
                let _ = channel.receive_packet(now, packet);
                while let Some(message) = channel.next_message() {
                    assert!((1..=MESSAGE_BYTES_MAX).contains(&message.len()));
                    delivered_bytes += message.len();
                }
                assert!(delivered_bytes <= received_bytes, "messages out of nothing");
            }
            2 => {
                let number = under_way.len() as u8;
                let message = vec![number; 1 + usize::from(script.short()) % MESSAGE_BYTES_MAX];
                if channel.send(message.clone()).is_ok() {
                    under_way.push_back(message);
                }
            }
            _ => {
                now += Duration::from_millis(TIME_STEPS_MS[usize::from(step >> 2 & 3)]);
                let packets = channel.packets_to_send(now);
                check_packets(&packets);
                for packet in packets {
                    peer.receive_packet(now, &packet).expect("our packets pass our guard");
                }
                while let Some(message) = peer.next_message() {
                    assert_eq!(Some(message), under_way.pop_front(), "messages arrive once and in order");
                }
            }
        }
    }
}

fn check_packets(packets: &[Vec<u8>]) {
    assert!(packets.len() <= PACKETS_MAX, "{} packets at once", packets.len());
    let longest_bytes = packets.iter().map(Vec::len).max().unwrap_or(0);
    assert!(longest_bytes <= CHANNEL_PACKET_BYTES_MAX, "a packet of {longest_bytes} bytes");
    let all_bytes: usize = packets.iter().map(Vec::len).sum();
    assert!(all_bytes <= PACKETS_MAX * DATAGRAM_BYTES_MAX);
}
