//! The server's frame: one client's view of one tick.
//!
//! | bytes | field |
//! |---|---|
//! | 4 | tick; never 0 |
//! | 12 | own position x, y, z: 32-bit floats, metres |
//! | 12 | own velocity x, y, z: 32-bit floats, metres per second |
//! | 1 | bit 0: standing on something; other bits 0 |
//! | 1 | ticks since an input of the client's was applied; 255 for 255 or more, or never |
//! | 2 | input margin, signed, in milliseconds: how long before it was needed the newest input arrived; -32,768 for none since the last snapshot |
//! | … | bit fields, lowest bit first: number of leaves (7), enters (10), updates (10); then |
//! | 10 bits | for each leave: slot |
//! | 105 bits | for each enter: slot (10), net id (32), archetype (4), state (59) |
//! | 69 bits | for each update: slot (10), state (59) |
//!
//! State: the low 16 bits of x and of z (1/64 m), which stand for the place that is nearest to the own position; y (17,
//! signed, 1/64 m), yaw (8, 1/256 turn), locomotion (2). So its bits are the same for every client.
//!
//! A slot names an entity for one client from its enter to its leave. Until the client has acknowledged a snapshot that
//! carried its enter, an entity is sent as an enter, whenever its state changes or the last one is lost; a leave is sent
//! in every snapshot until it is acknowledged. Each entry counts only when it is
//! newer than what the client already knows of that slot, so that snapshots may arrive in any order.

use glam::{IVec3, Vec3};

use super::bits::signed_bits;
use super::{BitReader, BitWriter, WireError};
use crate::ids::{Archetype, NetId};
use crate::limits::SNAPSHOT_BYTES_MAX;
use crate::quantised::{Locomotion, QuantisedState, quantise_position};
use crate::tick::Tick;

/// Width of a slot number.
pub const SLOT_BITS: u32 = 10;
/// Width of a leave.
pub const LEAVE_BITS: usize = SLOT_BITS as usize;
/// Width of an update.
pub const UPDATE_BITS: usize = SLOT_BITS as usize + STATE_BITS;
/// Width of an enter.
pub const ENTER_BITS: usize = SLOT_BITS as usize + 32 + ARCHETYPE_BITS as usize + STATE_BITS;
/// Size of everything before the bit fields, in bytes.
pub const HEADER_BYTES: usize = 32;
/// Width of the three counts.
pub const COUNTS_BITS: usize = (LEAVE_COUNT_BITS + 2 * COUNT_BITS) as usize;

const STATE_BITS: usize = (2 * PLANE_BITS + HEIGHT_BITS + YAW_BITS + LOCOMOTION_BITS) as usize;
const ARCHETYPE_BITS: u32 = 4;
const LEAVE_COUNT_BITS: u32 = 7;
const COUNT_BITS: u32 = 10;
const PLANE_BITS: u32 = 16;
const HEIGHT_BITS: u32 = 17;
const YAW_BITS: u32 = 8;
const LOCOMOTION_BITS: u32 = 2;

/// Farthest from the viewer that an entity can be along x or z and still be sent, in metres.
pub const RANGE_M: f32 = ((1 << (PLANE_BITS - 1)) as f32 - 1.0) / crate::quantised::STEPS_PER_M;

const _: () = {
    assert!(UPDATE_BITS <= 12 * 8, "an entity update stays within 12 bytes");
    assert!(crate::limits::LEAVES_PER_SNAPSHOT_MAX < 1 << LEAVE_COUNT_BITS);
    assert!(crate::limits::VISIBLE_MAX < 1 << COUNT_BITS);
};

/// Room in which the largest snapshot is written without asking for more memory.
pub const SNAPSHOT_BUFFER_BYTES: usize = SNAPSHOT_BYTES_MAX + BitWriter::SPARE_BYTES;

/// What every snapshot says about the client's own character.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SnapshotHeader {
    /// The tick that the snapshot shows, after its simulation.
    pub tick: Tick,
    /// Own position, exact, in metres.
    pub position_m: Vec3,
    /// Own velocity, exact, in metres per second.
    pub velocity_mps: Vec3,
    /// Whether the own character stands on something.
    pub grounded: bool,
    /// Ticks since an own input was applied in its own tick; 255 for 255 or more, or never.
    pub input_age_ticks: u8,
    /// How long before it was needed the newest input arrived, in milliseconds; negative when late; none when no input
    /// has arrived since the last snapshot.
    pub input_margin_ms: Option<i16>,
}

/// An entity that comes into view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enter {
    /// Slot that will name it.
    pub slot: u16,
    /// Who it is.
    pub net_id: NetId,
    /// What it is.
    pub archetype: Archetype,
    /// Its state.
    pub state: QuantisedState,
}

/// New state of an entity in view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update {
    /// Which one.
    pub slot: u16,
    /// Its state.
    pub state: QuantisedState,
}

/// A snapshot, taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Tick and own character.
    pub header: SnapshotHeader,
    /// Slots of entities that have left the view.
    pub leaves: Vec<u16>,
    /// Entities that have come into view.
    pub enters: Vec<Enter>,
    /// Entities whose state has changed.
    pub updates: Vec<Update>,
}

impl Snapshot {
    /// Appends the snapshot to `out`. Counts and distances must be within the limits of the format; the sender's
    /// selection sees to that.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let counts = Counts { leaves: self.leaves.len(), enters: self.enters.len(), updates: self.updates.len() };
        let mut writer = SnapshotWriter::new(&self.header, counts, out);
        self.leaves.iter().for_each(|&slot| writer.leave(slot));
        for Enter { slot, net_id, archetype, state } in &self.enters {
            writer.enter(*slot, *net_id, *archetype, PackedState::new(state));
        }
        self.updates.iter().for_each(|update| writer.update(update.slot, PackedState::new(&update.state)));
        writer.finish();
    }

    /// Empties the snapshot, keeping its memory.
    pub fn clear(&mut self) {
        self.leaves.clear();
        self.enters.clear();
        self.updates.clear();
    }

    /// Reads a snapshot into `self`, whose memory is used again.
    ///
    /// # Errors
    /// When the bytes are not exactly one well-formed snapshot; `self` then holds nothing of use.
    pub fn decode_from(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        self.clear();
        let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(WireError::TooShort)?;
        self.header = decode_header(header)?;
        let origin = quantise_position(self.header.position_m);
        let mut bits = BitReader::new(rest);
        let leave_count = bits.get(LEAVE_COUNT_BITS)? as usize;
        let enter_count = bits.get(COUNT_BITS)? as usize;
        let update_count = bits.get(COUNT_BITS)? as usize;
        if leave_count * LEAVE_BITS + enter_count * ENTER_BITS + update_count * UPDATE_BITS > bits.remaining_bits() {
            return Err(WireError::TooShort);
        }
        for _ in 0..leave_count {
            self.leaves.push(bits.get(SLOT_BITS)? as u16);
        }
        for _ in 0..enter_count {
            let slot = bits.get(SLOT_BITS)? as u16;
            let net_id = NetId(bits.get(32)?);
            let archetype = Archetype::from_number(bits.get(ARCHETYPE_BITS)? as u8).ok_or(WireError::InvalidField)?;
            self.enters.push(Enter { slot, net_id, archetype, state: get_state(&mut bits, origin)? });
        }
        for _ in 0..update_count {
            let slot = bits.get(SLOT_BITS)? as u16;
            self.updates.push(Update { slot, state: get_state(&mut bits, origin)? });
        }
        bits.finish()
    }
}

fn encode_header(header: &SnapshotHeader, out: &mut Vec<u8>) {
    out.extend_from_slice(&header.tick.0.to_le_bytes());
    for number in header.position_m.to_array().into_iter().chain(header.velocity_mps.to_array()) {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.push(u8::from(header.grounded));
    out.push(header.input_age_ticks);
    let margin_ms = header.input_margin_ms.map_or(i16::MIN, |margin_ms| margin_ms.max(-i16::MAX));
    out.extend_from_slice(&margin_ms.to_le_bytes());
}

fn decode_header(bytes: &[u8; HEADER_BYTES]) -> Result<SnapshotHeader, WireError> {
    let word = |at: usize| [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    let vector = |at: usize| {
        Vec3::new(f32::from_le_bytes(word(at)), f32::from_le_bytes(word(at + 4)), f32::from_le_bytes(word(at + 8)))
    };
    let (position_m, velocity_mps) = (vector(4), vector(16));
    let in_range = position_m.is_finite() && position_m.abs().max_element() <= 16_384.0 && velocity_mps.is_finite();
    let tick = Tick(u32::from_le_bytes(word(0)));
    if !in_range || bytes[28] > 1 || tick == Tick(0) {
        return Err(WireError::InvalidField);
    }
    let margin_ms = i16::from_le_bytes([bytes[30], bytes[31]]);
    Ok(SnapshotHeader {
        tick,
        position_m,
        velocity_mps,
        grounded: bytes[28] == 1,
        input_age_ticks: bytes[29],
        input_margin_ms: (margin_ms != i16::MIN).then_some(margin_ms),
    })
}

/// The bits of a state on the wire: the same for every client, so that they are made once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PackedState(u64);

impl PackedState {
    /// Packs a state.
    pub fn new(state: &QuantisedState) -> PackedState {
        let QuantisedState { position, yaw, locomotion } = state;
        let plane = u64::from(position.x as u16) | u64::from(position.z as u16) << PLANE_BITS;
        let height = u64::from(signed_bits(position.y, HEIGHT_BITS));
        let rest = height | u64::from(*yaw) << HEIGHT_BITS | (*locomotion as u64) << (HEIGHT_BITS + YAW_BITS);
        PackedState(plane | rest << (2 * PLANE_BITS))
    }
}

/// How many entries of each kind a snapshot has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// At most [`crate::limits::LEAVES_PER_SNAPSHOT_MAX`].
    pub leaves: usize,
    /// With the updates at most [`crate::limits::VISIBLE_MAX`].
    pub enters: usize,
    /// See above.
    pub updates: usize,
}

/// Writes a snapshot: all leaves, then all enters, then all updates, as many as were announced.
#[derive(Debug)]
pub struct SnapshotWriter<'o> {
    bits: BitWriter<'o>,
}

impl<'o> SnapshotWriter<'o> {
    /// Appends what comes before the entries to `out`.
    pub fn new(header: &SnapshotHeader, counts: Counts, out: &'o mut Vec<u8>) -> SnapshotWriter<'o> {
        encode_header(header, out);
        let mut bits = BitWriter::new(out);
        bits.put(counts.leaves as u32, LEAVE_COUNT_BITS);
        bits.put(counts.enters as u32, COUNT_BITS);
        bits.put(counts.updates as u32, COUNT_BITS);
        SnapshotWriter { bits }
    }

    /// The entity in a slot is gone.
    pub fn leave(&mut self, slot: u16) {
        self.bits.put(u32::from(slot), SLOT_BITS);
    }

    /// An entity comes into a slot. It must be within [`RANGE_M`] of the own position along x and z.
    pub fn enter(&mut self, slot: u16, net_id: NetId, archetype: Archetype, state: PackedState) {
        self.bits.put(u32::from(slot), SLOT_BITS);
        let who = u128::from(net_id.0) | (archetype as u128) << 32;
        self.bits.put_wide(who | u128::from(state.0) << (32 + ARCHETYPE_BITS), 32 + ARCHETYPE_BITS + STATE_BITS as u32);
    }

    /// The new state of the entity in a slot, which must be as near.
    pub fn update(&mut self, slot: u16, state: PackedState) {
        self.bits.put_wide(u128::from(slot) | u128::from(state.0) << SLOT_BITS, UPDATE_BITS as u32);
    }

    /// Fills the last byte.
    pub fn finish(self) {
        self.bits.finish();
    }
}

fn get_state(bits: &mut BitReader<'_>, origin: IVec3) -> Result<QuantisedState, WireError> {
    let x = nearest(bits.get(PLANE_BITS)?, origin.x);
    let z = nearest(bits.get(PLANE_BITS)?, origin.z);
    let y = bits.get_signed(HEIGHT_BITS)?;
    let yaw = bits.get(YAW_BITS)? as u8;
    let locomotion = Locomotion::from_bits(bits.get(LOCOMOTION_BITS)?);
    Ok(QuantisedState { position: IVec3::new(x, y, z), yaw, locomotion })
}

/// The number nearest to `origin` whose low 16 bits are these.
fn nearest(low_bits: u32, origin: i32) -> i32 {
    origin + i32::from((low_bits as u16).wrapping_sub(origin as u16) as i16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_state() -> impl Strategy<Value = QuantisedState> {
        (-30_000i32..30_000, -60_000i32..60_000, -30_000i32..30_000, any::<u8>(), 0u32..4).prop_map(
            |(x, y, z, yaw, locomotion)| QuantisedState {
                position: IVec3::new(x + 6_400, y, z - 6_400),
                yaw,
                locomotion: Locomotion::from_bits(locomotion),
            },
        )
    }

    prop_compose! {
        fn any_snapshot()(
            tick in 1u32.., margin in any::<i16>(), age: u8, grounded: bool,
            leaves in prop::collection::vec(0u16..1024, 0..20),
            enters in prop::collection::vec((0u16..1024, any::<u32>(), any_state()), 0..20),
            updates in prop::collection::vec((0u16..1024, any_state()), 0..40),
        ) -> Snapshot {
            Snapshot {
                header: SnapshotHeader {
                    tick: Tick(tick), position_m: Vec3::new(100.0, 7.5, -100.0), velocity_mps: Vec3::new(-1.0, 0.5, 9.0),
                    grounded, input_age_ticks: age, input_margin_ms: (margin != i16::MIN).then_some(margin),
                },
                leaves,
                enters: enters.into_iter().map(|(slot, id, state)| Enter {
                    slot, net_id: NetId(id), archetype: Archetype::Bot, state,
                }).collect(),
                updates: updates.into_iter().map(|(slot, state)| Update { slot, state }).collect(),
            }
        }
    }

    proptest! {
        #[test]
        fn any_snapshot_comes_back(snapshot in any_snapshot(), cut in 0usize..2000) {
            let mut bytes = Vec::new();
            snapshot.encode(&mut bytes);
            let mut decoded = Snapshot::default();
            prop_assert_eq!(decoded.decode_from(&bytes), Ok(()));
            prop_assert_eq!(&decoded, &snapshot);
            let bits = COUNTS_BITS + snapshot.leaves.len() * LEAVE_BITS + snapshot.enters.len() * ENTER_BITS
                + snapshot.updates.len() * UPDATE_BITS;
            prop_assert_eq!(bytes.len(), HEADER_BYTES + bits.div_ceil(8));
            let cut = cut % bytes.len();
            prop_assert!(decoded.decode_from(&bytes[..cut]).is_err(), "a cut snapshot is refused");
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Snapshot::default().decode_from(&bytes);
        }
    }
}
