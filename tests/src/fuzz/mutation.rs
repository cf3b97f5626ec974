//! Mutations of seeds, for where there is no libFuzzer: blind, but the same ones every time.

use throng_shared::random::Random;

/// Longest result, in bytes: what one packet can carry, and a little more.
const BYTES_MAX: usize = 2_048;

/// Most changes that one mutation makes.
const CHANGES_MAX: u32 = 6;

/// Values at which counts and comparisons go wrong.
const EDGES: [u8; 8] = [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xfe, 0xff];

/// A mutation of one of `seeds`, or, now and then and when there are none, bytes out of nothing.
pub fn mutate(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    if seeds.is_empty() || random.percent(5.0) {
        return (0..random.below(300)).map(|_| random.next_u32() as u8).collect();
    }
    let mut bytes = seeds[place(random, seeds.len())].clone();
    for _ in 0..=random.below(CHANGES_MAX) {
        let other = &seeds[place(random, seeds.len())];
        change(random, &mut bytes, other);
    }
    bytes.truncate(BYTES_MAX);
    bytes
}

fn change(random: &mut Random, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = place(random, bytes.len());
    let rest = bytes.len() - at;
    match random.below(8) {
        _ if bytes.is_empty() => bytes.push(random.next_u32() as u8),
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = random.next_u32() as u8,
        2 => bytes[at] = EDGES[place(random, EDGES.len())],
        3 => bytes.insert(at, random.next_u32() as u8),
        4 => drop(bytes.drain(at..at + place(random, rest.min(40)) + 1)),
        5 => bytes.truncate(at),
        // A piece of it once more, or the end of another one.
        6 => {
            let piece = bytes[at..at + place(random, rest) + 1].to_vec();
            let to = place(random, bytes.len());
            bytes.splice(to..to, piece);
        }
        _ => {
            bytes.truncate(at);
            bytes.extend_from_slice(&other[place(random, other.len())..]);
        }
    }
}

/// A place in a list of so many; 0 when it is empty.
fn place(random: &mut Random, count: usize) -> usize {
    random.below(count as u32) as usize
}
