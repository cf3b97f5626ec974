//! Scripts for a whole server and for a whole client.

use std::time::Duration;

use throng_shared::wire::channel::{GAME_MESSAGE, MessageChannel};
use throng_shared::wire::control::{self, GoodbyeReason, ServerControl};
use throng_shared::wire::datagram::CONTROL;

use super::wire::{input_bytes, packed, story, welcome};
use crate::fuzz::script::put_counted;

/// The second speaker, in a step of the host's script.
const SECOND: u8 = 0x80;

pub(super) fn host() -> Vec<(&'static str, Vec<u8>)> {
    let run = [3, 9, 0, 5, 0, 127, 0, 0, 64, 1, 2, 3 | SECOND, 12, 0x21, 10, 0, 0, 129, 0, 0, 3, 0, 0, 0, 0, 2];
    let mut play = vec![0b11];
    (0..5).for_each(|_| play.extend_from_slice(&run));
    let mut talk = vec![0b01];
    for packets in channel_packets(4) {
        let packets: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
        talk.push(7);
        put_counted(&mut talk, &packed(Some(&input_bytes(9, 2)), &packets));
    }
    // Connects, says hello, breaks, comes back with a newer token of the same session, then with one of another.
    let comes_back = vec![0, 5, 1, 4, 0, 2, 6, 2 | 3 << 3, 5, 1 | 1 << 2, 4, 1, 2, 5, 2 | 2 << 2, 4, 0, 2, 6 | 8, 2];
    let twice = vec![0b10, 5 | SECOND, 2 << 2, 4 | SECOND, 1, 2, 5, 1 << 5, 4, 0, 2, 5, 0x80, 4, 0, 2 | 15 << 3];
    let mut garbage = vec![0b11];
    for bytes in [&b"\xff"[..], b"\x04garbage", b"\x01", b"\x03\x02\x00ab\x05\x00short", b"\x02\x03\x00\x04\x00\x00"] {
        for speaker in [0, SECOND] {
            garbage.push(speaker);
            put_counted(&mut garbage, bytes);
        }
        garbage.push(2);
    }
    vec![("play", play), ("talk", talk), ("comes_back", comes_back), ("twice", twice), ("garbage", garbage)]
}

pub(super) fn client() -> Vec<(&'static str, Vec<u8>)> {
    let hears = |script: &mut Vec<u8>, datagram: &[u8]| {
        script.push(2 << 3);
        put_counted(script, datagram);
    };
    let control = |message: &ServerControl| [&[CONTROL], &control::encode(message)[..]].concat();
    let mut play = vec![0];
    hears(&mut play, &control(&welcome()));
    play.extend_from_slice(&[3, 127, 0, 0, 64, 1]);
    for snapshot in story() {
        hears(&mut play, &packed(Some(&snapshot), &[]));
    }
    hears(&mut play, &control(&ServerControl::Goodbye(GoodbyeReason::Kicked)));
    let mut talk = vec![1, 4, 200, 0, 4 | 3 << 3, 0xff, 0xff];
    for (snapshot, packets) in story().iter().cycle().zip(channel_packets(5)) {
        let packets: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
        hears(&mut talk, &packed(Some(snapshot), &packets));
        talk.extend_from_slice(&[4, 9, 0]);
    }
    let mut reconnects = vec![1];
    hears(&mut reconnects, &packed(Some(&story()[0]), &[]));
    reconnects.extend_from_slice(&[7, 0xf4, 1, 5, 6, 60, 0, 0, 0, 0, 0, 0, 0, 1]);
    hears(&mut reconnects, &packed(Some(&story()[1]), &[]));
    reconnects.extend_from_slice(&[5 | 1 << 3, 6, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 3 << 3, 0, 0]);
    vec![("play", play), ("talk", talk), ("reconnects", reconnects)]
}

/// What an honest end of a channel sends, step by step.
fn channel_packets(steps: u64) -> Vec<Vec<Vec<u8>>> {
    let mut channel = MessageChannel::default();
    let step = |step| {
        channel.send(vec![GAME_MESSAGE; 3 + 20 * step as usize]).expect("there is room");
        channel.packets_to_send(Duration::from_millis(50 * step))
    };
    (0..steps).map(step).collect()
}
