//! The server's frame: one client's view of one tick.
//!
//! | bytes | field |
//! |---|---|
//! | 4 | tick; never 0 |
//! | 12 | own position x, y, z: 32-bit floats, metres |
//! | 12 | own velocity x, y, z: 32-bit floats, metres per second |
//! | 1 | bit 0: standing on something; bit 1: what hinders the own character is told; bit 2: the pages tell what was done, as in every snapshot of a world with abilities; other bits 0 |
//! | 1 | ticks since an input of the client's was applied; 255 for 255 or more, or never |
//! | 2 | input margin, signed, in milliseconds: how long before it was needed the newest input arrived; -32,768 for none since the last snapshot |
//! | … | what hinders the own character, if it is told, see [`crate::abilities::Fighter`]; nothing does otherwise |
//! | 1, n | number of pages that are told no longer, with the highest bit set when there is a crowd, and the one below it when own attributes are told; and the number of each |
//! | … | the crowd, if there is one, see [`super::crowd`] |
//! | … | own attributes, if they are told, see [`super::attributes`] |
//! | … | until the end, for each page: its number (1), what is told of it, see [`super::page`], and in worlds with attributes for teams the team's part, see [`super::attributes`] |
//!
//! A number names a page for one client from the first time that it is told to when it is told no longer. Whatever is told
//! without a baseline replaces all that the client has under its number.
//!
//! A client acknowledges only what it has applied: the server tells pages against what was acknowledged. Of a snapshot that others have
//! overtaken, it applies what they did not tell. That a page is told no longer is repeated until it is acknowledged.

use glam::Vec3;

use super::WireError;
use crate::abilities::{FIGHTER_BYTES_MAX, Fighter};
use crate::attributes::Schema;
use crate::limits::{ENDS_PER_SNAPSHOT_MAX, SNAPSHOT_BYTES_MAX};
use crate::tick::Tick;
use crate::wire::attributes::{OWN_BYTES_MAX, OwnAttributes};
use crate::wire::crowd::{CROWD_BYTES_MAX, CrowdScan};
use crate::wire::page::PAGE_BYTES_MAX;

/// Size of everything before the ends and pages, in bytes.
pub const HEADER_BYTES: usize = 32;

/// Set in the number of ends when a crowd follows them.
const CROWD_FLAG: u8 = 0x80;

/// Set when own attributes are told.
const OWN_FLAG: u8 = 0x40;

/// Set in the header's flags when the own character stands on something.
const GROUNDED_FLAG: u8 = 1;

/// Set when what hinders the own character follows the header.
const FIGHTER_FLAG: u8 = 2;

/// Set when the pages tell what those in them have done.
const DEEDS_FLAG: u8 = 4;

/// Most pages that one client can be told of at a time.
pub const PAGES_MAX: usize = 256;

/// Everything before the pages.
const REST_BYTES_MAX: usize = HEADER_BYTES + 1 + ENDS_PER_SNAPSHOT_MAX + CROWD_BYTES_MAX + OWN_BYTES_MAX;

/// What hinders the own character takes the room of so many ends; some are told in any case.
const _: () = assert!(FIGHTER_BYTES_MAX < ENDS_PER_SNAPSHOT_MAX);

// The longest page has room beside everything else, so that none waits for ever.
const _: () =
    assert!(REST_BYTES_MAX + 1 + PAGE_BYTES_MAX <= SNAPSHOT_BYTES_MAX && ENDS_PER_SNAPSHOT_MAX < OWN_FLAG as usize);

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
    /// Whether the pages tell what those in them have done.
    pub tells_deeds: bool,
}

/// A snapshot, taken apart but for its pages, which only who has their baselines can read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Snapshot<'b> {
    /// Tick and own character.
    pub header: SnapshotHeader,
    /// What hinders the own character, for [`Fighter::decode`]; empty when nothing does.
    pub fighter: &'b [u8],
    /// Numbers of pages that are told no longer.
    pub ends: &'b [u8],
    /// A stretch of the crowd of whom the client is not told one by one.
    pub crowd: Option<CrowdScan>,
    /// What is told of the own attributes.
    pub own: Option<OwnAttributes>,
    /// The pages, one behind the other.
    pub pages: &'b [u8],
}

/// How long parts of a snapshot are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartLengths {
    /// The crowd.
    pub crowd_bytes: usize,
    /// The own attributes.
    pub own_bytes: usize,
}

impl<'b> Snapshot<'b> {
    /// Takes a snapshot apart.
    ///
    /// # Errors
    /// When it is too short, or a field of the header or the crowd is out of its range. Pages are not looked at.
    pub fn decode(schema: &Schema, bytes: &'b [u8]) -> Result<Snapshot<'b>, WireError> {
        let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(WireError::TooShort)?;
        let fighter_bytes = if header[28] & FIGHTER_FLAG == 0 { 0 } else { Fighter::scan(rest)? };
        let header = decode_header(header)?;
        let (fighter, rest) = rest.split_at(fighter_bytes);
        let (count, rest) = rest.split_first().ok_or(WireError::TooShort)?;
        let ends_count = usize::from(count & !(CROWD_FLAG | OWN_FLAG));
        let (ends, mut rest) = rest.split_at_checked(ends_count).ok_or(WireError::TooShort)?;
        let mut snapshot = Snapshot { header, fighter, ends, crowd: None, own: None, pages: rest };
        if count & CROWD_FLAG != 0 {
            let (crowd, length) = CrowdScan::decode(schema.crowd_teams(), rest)?;
            (snapshot.crowd, rest) = (Some(crowd), &rest[length..]);
        }
        if count & OWN_FLAG != 0 {
            let (own, length) = OwnAttributes::decode(rest, schema)?;
            (snapshot.own, rest) = (Some(own), &rest[length..]);
        }
        Ok(Snapshot { pages: rest, ..snapshot })
    }

    /// Appends the snapshot to `out`, and says how long parts of it are.
    ///
    /// # Panics
    /// In debug builds, when the pages that end and the bytes of what hinders the own character are more than [`ENDS_PER_SNAPSHOT_MAX`] together.
    pub fn encode(&self, schema: &Schema, out: &mut Vec<u8>) -> PartLengths {
        debug_assert!(self.ends.len() + self.fighter.len() <= ENDS_PER_SNAPSHOT_MAX);
        encode_header(&self.header, !self.fighter.is_empty(), out);
        out.extend_from_slice(self.fighter);
        let crowd_flag = if self.crowd.is_some() { CROWD_FLAG } else { 0 };
        let own_flag = if self.own.is_some() { OWN_FLAG } else { 0 };
        out.push(self.ends.len() as u8 | crowd_flag | own_flag);
        out.extend_from_slice(self.ends);
        let crowd_start = out.len();
        if let Some(crowd) = &self.crowd {
            crowd.encode(schema.crowd_teams(), out);
        }
        let own_start = out.len();
        if let Some(own) = &self.own {
            own.encode(schema, out);
        }
        let lengths = PartLengths { crowd_bytes: own_start - crowd_start, own_bytes: out.len() - own_start };
        out.extend_from_slice(self.pages);
        lengths
    }
}

fn encode_header(header: &SnapshotHeader, has_fighter: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(&header.tick.0.to_le_bytes());
    for number in header.position_m.to_array().into_iter().chain(header.velocity_mps.to_array()) {
        out.extend_from_slice(&number.to_le_bytes());
    }
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    out.push(
        flag(header.grounded, GROUNDED_FLAG) | flag(has_fighter, FIGHTER_FLAG) | flag(header.tells_deeds, DEEDS_FLAG),
    );
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
    if !in_range || bytes[28] & !(GROUNDED_FLAG | FIGHTER_FLAG | DEEDS_FLAG) != 0 || tick == Tick(0) {
        return Err(WireError::InvalidField);
    }
    let margin_ms = i16::from_le_bytes([bytes[30], bytes[31]]);
    Ok(SnapshotHeader {
        tick,
        position_m,
        velocity_mps,
        grounded: bytes[28] & GROUNDED_FLAG != 0,
        input_age_ticks: bytes[29],
        input_margin_ms: (margin_ms != i16::MIN).then_some(margin_ms),
        tells_deeds: bytes[28] & DEEDS_FLAG != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn any_header()(tick in 1u32.., margin in any::<i16>(), age: u8, grounded: bool, tells_deeds: bool) -> SnapshotHeader {
            SnapshotHeader {
                tick: Tick(tick), position_m: Vec3::new(100.0, 7.5, -100.0), velocity_mps: Vec3::new(-1.0, 0.5, 9.0),
                grounded, tells_deeds, input_age_ticks: age, input_margin_ms: (margin != i16::MIN).then_some(margin),
            }
        }
    }

    proptest! {
        #[test]
        fn any_snapshot_comes_back(
            header in any_header(), ends in prop::collection::vec(any::<u8>(), 0..55),
            pages in prop::collection::vec(any::<u8>(), 0..400), cut in 0usize..90, has_crowd: bool, is_dead: bool,
        ) {
            let crowd = has_crowd.then(|| CrowdScan::new(5));
            let fighter = Fighter { is_dead, ..Fighter::default() }.encode(header.tick);
            let snapshot = Snapshot { header, fighter: &fighter, ends: &ends, crowd, own: None, pages: &pages };
            let mut bytes = Vec::new();
            snapshot.encode(Schema::EMPTY, &mut bytes);
            prop_assert_eq!(Snapshot::decode(Schema::EMPTY, &bytes), Ok(snapshot));
            let cut = cut % (HEADER_BYTES + fighter.len() + 1 + ends.len());
            prop_assert_eq!(Snapshot::decode(Schema::EMPTY, &bytes[..cut]), Err(WireError::TooShort));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Snapshot::decode(Schema::EMPTY, &bytes);
        }
    }
}
