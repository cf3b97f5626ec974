//! The client's frame: its inputs for the newest tick and the two before it, and which snapshots it has received.
//!
//! | bytes | field |
//! |---|---|
//! | 4 | tick of the newest input |
//! | 1 | number of inputs, 1 to 3: for that tick, the one before it, … |
//! | 4 | newest snapshot received: its tick; 0 for none |
//! | 4 | snapshots before it: bit n is the one n + 1 ticks earlier |
//! | 5 or 10 each | input: move x, move z (signed), yaw (2), buttons; and with bit 7 of the buttons set: ability, pitch (2, signed), view back (2) |
//!
//! Numbers are little-endian.

use super::WireError;
use crate::input::{Buttons, PlayerInput};
use crate::limits::INPUTS_PER_DATAGRAM_MAX;
use crate::tick::Tick;

const HEADER_BYTES: usize = 13;
const INPUT_BYTES: usize = 5;
const ABILITY_BYTES: usize = 5;

/// Set in the buttons when an ability follows.
const ABILITY_FLAG: u8 = 0x80;

/// Which snapshots have arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotAcks {
    /// The newest; tick 0, which has no snapshot, for none.
    pub newest: Tick,
    /// The ones before: bit n for `newest - 1 - n`.
    pub before: u32,
}

impl SnapshotAcks {
    /// Notes that the snapshot of `tick` has arrived.
    pub fn insert(&mut self, tick: Tick) {
        if tick > self.newest {
            let shift = tick.since(self.newest);
            let with_newest = (u64::from(self.before) << 1) | u64::from(self.newest > Tick(0));
            self.before = if shift > 32 { 0 } else { (with_newest << (shift - 1)) as u32 };
            self.newest = tick;
        } else if let Some(bit) = self.newest.since(tick).checked_sub(1)
            && bit < 32
        {
            self.before |= 1 << bit;
        }
    }

    /// Whether the snapshot of `tick` is acknowledged.
    pub fn contains(&self, tick: Tick) -> bool {
        tick > Tick(0)
            && tick <= self.newest
            && match self.newest.since(tick) {
                0 => true,
                back => back <= 32 && self.before >> (back - 1) & 1 == 1,
            }
    }
}

/// A client's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputFrame {
    /// Tick that the first input is for.
    pub newest: Tick,
    count: u8,
    inputs: [PlayerInput; INPUTS_PER_DATAGRAM_MAX],
    /// What has arrived from the server.
    pub acks: SnapshotAcks,
}

impl InputFrame {
    /// A frame of one to three `inputs`, newest first; further ones are left out.
    ///
    /// # Panics
    /// When there is none.
    pub fn new(newest: Tick, inputs: &[PlayerInput], acks: SnapshotAcks) -> InputFrame {
        assert!(!inputs.is_empty(), "an input frame holds at least one input");
        let count = inputs.len().min(INPUTS_PER_DATAGRAM_MAX);
        let mut kept = [PlayerInput::default(); INPUTS_PER_DATAGRAM_MAX];
        kept[..count].copy_from_slice(&inputs[..count]);
        InputFrame { newest, count: count as u8, inputs: kept, acks }
    }

    /// The inputs with their ticks, newest first.
    pub fn inputs(&self) -> impl Iterator<Item = (Tick, PlayerInput)> {
        let newest = self.newest;
        let known = self.inputs.iter().take(usize::from(self.count)).copied();
        (0..).zip(known).filter(move |(back, _)| *back <= newest.0).map(move |(back, input)| (newest - back, input))
    }

    /// Appends the frame to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.newest.0.to_le_bytes());
        out.push(self.count);
        out.extend_from_slice(&self.acks.newest.0.to_le_bytes());
        out.extend_from_slice(&self.acks.before.to_le_bytes());
        for input in &self.inputs[..usize::from(self.count)] {
            out.extend_from_slice(&[input.move_x as u8, input.move_z as u8]);
            out.extend_from_slice(&input.yaw.to_le_bytes());
            let ability_flag = if input.ability > 0 { ABILITY_FLAG } else { 0 };
            out.push(input.buttons.0 & !ABILITY_FLAG | ability_flag);
            if input.ability > 0 {
                out.push(input.ability);
                out.extend_from_slice(&input.pitch.to_le_bytes());
                out.extend_from_slice(&input.view_back_steps.to_le_bytes());
            }
        }
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// When the length does not agree with the number of inputs, or that is not 1 to 3.
    pub fn decode(bytes: &[u8]) -> Result<InputFrame, WireError> {
        let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(WireError::TooShort)?;
        let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let count = header[4];
        if count == 0 || usize::from(count) > INPUTS_PER_DATAGRAM_MAX {
            return Err(WireError::InvalidField);
        }
        let (mut inputs, mut rest) = ([PlayerInput::default(); INPUTS_PER_DATAGRAM_MAX], rest);
        for input in &mut inputs[..usize::from(count)] {
            (*input, rest) = decode_input(rest)?;
        }
        if !rest.is_empty() {
            return Err(WireError::TooLong);
        }
        let acks = SnapshotAcks { newest: Tick(word(5)), before: word(9) };
        Ok(InputFrame { newest: Tick(word(0)), count, inputs, acks })
    }
}

/// Reads an input; what comes after it.
fn decode_input(bytes: &[u8]) -> Result<(PlayerInput, &[u8]), WireError> {
    let (fields, rest) = bytes.split_first_chunk::<INPUT_BYTES>().ok_or(WireError::TooShort)?;
    let input = PlayerInput {
        move_x: fields[0] as i8,
        move_z: fields[1] as i8,
        yaw: u16::from_le_bytes([fields[2], fields[3]]),
        buttons: Buttons(fields[4] & !ABILITY_FLAG),
        ..PlayerInput::default()
    };
    if fields[4] & ABILITY_FLAG == 0 {
        return Ok((input, rest));
    }
    let (fields, rest) = rest.split_first_chunk::<ABILITY_BYTES>().ok_or(WireError::TooShort)?;
    if fields[0] == 0 {
        return Err(WireError::InvalidField);
    }
    let pitch = i16::from_le_bytes([fields[1], fields[2]]);
    let view_back_steps = u16::from_le_bytes([fields[3], fields[4]]);
    Ok((PlayerInput { ability: fields[0], pitch, view_back_steps, ..input }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn acks_remember_what_arrived_within_the_window(ticks in prop::collection::vec(1u32..200, 1..60)) {
            let mut acks = SnapshotAcks::default();
            let mut arrived = BTreeSet::new();
            for tick in ticks {
                acks.insert(Tick(tick));
                arrived.insert(tick);
                // What slid out of the window is forgotten even if the window could hold it again: it never moves back.
                let newest = *arrived.last().expect("one arrived");
                arrived.retain(|&tick| newest - tick <= 32);
                for tick in 0..240 {
                    prop_assert_eq!(acks.contains(Tick(tick)), arrived.contains(&tick), "tick {}", tick);
                }
            }
        }

        #[test]
        fn any_frame_comes_back(newest: u32, acked: u32, before: u32, raw in prop::collection::vec(any::<[u8; 10]>(), 1..=3)) {
            let inputs: Vec<PlayerInput> = raw.iter().map(|b| {
                let input = PlayerInput {
                    move_x: b[0] as i8, move_z: b[1] as i8, yaw: u16::from_le_bytes([b[2], b[3]]), buttons: Buttons(b[4] & 0x7f),
                    ..PlayerInput::default()
                };
                let [pitch, view_back_steps] = [5, 7].map(|at| u16::from_le_bytes([b[at], b[at + 1]]));
                let used = PlayerInput { ability: b[9], pitch: pitch as i16, view_back_steps, ..input };
                if b[9] > 0 && b[4] > 127 { used } else { input }
            }).collect();
            let frame = InputFrame::new(Tick(newest), &inputs, SnapshotAcks { newest: Tick(acked), before });
            let mut bytes = Vec::new();
            frame.encode(&mut bytes);
            prop_assert_eq!(InputFrame::decode(&bytes), Ok(frame));
            bytes.push(0);
            prop_assert_eq!(InputFrame::decode(&bytes), Err(WireError::TooLong));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(frame) = InputFrame::decode(&bytes) {
                prop_assert!(frame.inputs().count() <= 3);
            }
        }
    }
}
