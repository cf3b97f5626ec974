//! A crowd: those in reach of whom a client is not told one by one, page by page as one number.
//!
//! Such pages are gone through in the order of their keys, some in each snapshot, again and again. A scan says which stretch of
//! them it covers: whatever the client knew there and is not in the scan is no longer part of the crowd.
//!
//! | bits | field |
//! |---|---|
//! | 32 | the key after which the scan begins |
//! | 1 | whether it ends behind the last of all; otherwise with its last record |
//! | 4 | number of records |
//!
//! and for each record, by rising keys:
//!
//! | bits | field |
//! |---|---|
//! | 2 | bytes of the next field, less 1; no more than it needs |
//! | 8 to 32 | its key, less that of the record before or else the one after which the scan begins; never 0 |
//! | 5 | characters, less 1 |
//! | 6 | how many of them are players; not more than there are |
//! | 15, 15 | x and z of their middle, signed, in half metres |
//! | 6, 6 | x and z of their mean velocity, signed, in half metres per second |
//! | 1, 5 for each team | in worlds whose characters have a team that everybody may know: whether any of them is of it, and then how many are, less 1; of the first eight |
//!
//! The scan ends at a whole byte.

use glam::Vec2;

use super::WireError;
#[cfg(doc)]
use crate::attributes::Schema;
use crate::wire::{BitReader, BitWriter};

/// Most records of a scan.
pub const CROWD_RECORDS_MAX: usize = 8;

/// Longest scan, in bytes.
pub const CROWD_BYTES_MAX: usize =
    (37 + CROWD_RECORDS_MAX * (2 + 32 + 5 + 6 + 2 * 15 + 2 * 6 + 6 * CROWD_TEAMS_MAX)).div_ceil(8);

/// Teams that are told apart in a crowd.
pub const CROWD_TEAMS_MAX: usize = 8;

const STEPS_PER_M: f32 = 2.0;
const PLACE_BITS: u32 = 15;
const SPEED_BITS: u32 = 6;

/// The characters of one page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CrowdRecord {
    /// Names the page; the same in every scan.
    pub key: u32,
    /// How many there are, 1 to 32.
    pub count: u8,
    /// How many of them are players.
    pub players: u8,
    middle: [i16; 2],
    velocity: [i8; 2],
    teams: [u8; CROWD_TEAMS_MAX],
}

impl CrowdRecord {
    /// A record of `count` characters, of whom some are players, around `middle_m` with a mean velocity. What is out of range is held at
    /// the limit.
    pub fn new(key: u32, count: u8, players: u8, middle_m: Vec2, velocity_mps: Vec2) -> CrowdRecord {
        let steps = |number: f32, bits: u32| {
            let limit = ((1 << (bits - 1)) - 1) as f32;
            (number * STEPS_PER_M).round().clamp(-limit, limit)
        };
        CrowdRecord {
            key,
            count,
            players,
            middle: middle_m.to_array().map(|place_m| steps(place_m, PLACE_BITS) as i16),
            velocity: velocity_mps.to_array().map(|speed_mps| steps(speed_mps, SPEED_BITS) as i8),
            teams: [0; CROWD_TEAMS_MAX],
        }
    }

    /// The same with how many are of each of the first teams.
    pub fn with_teams(self, teams: [u8; CROWD_TEAMS_MAX]) -> CrowdRecord {
        CrowdRecord { teams, ..self }
    }

    /// How many are of each of the first teams, by their numbers.
    pub fn teams(&self) -> &[u8; CROWD_TEAMS_MAX] {
        &self.teams
    }

    /// Their middle (x, z), in metres.
    pub fn middle_m(&self) -> Vec2 {
        Vec2::from_array(self.middle.map(f32::from)) / STEPS_PER_M
    }

    /// Their mean velocity (x, z), in metres per second.
    pub fn velocity_mps(&self) -> Vec2 {
        Vec2::from_array(self.velocity.map(f32::from)) / STEPS_PER_M
    }
}

/// A stretch of a crowd.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CrowdScan {
    /// It begins behind this key.
    pub after: u32,
    /// Whether it reaches behind the last of all.
    pub is_last: bool,
    records: [CrowdRecord; CROWD_RECORDS_MAX],
    length: usize,
}

impl CrowdScan {
    /// An empty one that begins behind a key.
    pub fn new(after: u32) -> CrowdScan {
        CrowdScan { after, ..CrowdScan::default() }
    }

    /// Adds a record, whose key must be higher than all before. False, and nothing happens, when the scan is full.
    pub fn push(&mut self, record: CrowdRecord) -> bool {
        debug_assert!(record.key > self.end() && (1..=32).contains(&record.count) && record.players <= record.count);
        let Some(place) = self.records.get_mut(self.length) else { return false };
        *place = record;
        self.length += 1;
        true
    }

    /// The records, by rising keys.
    pub fn records(&self) -> &[CrowdRecord] {
        &self.records[..self.length]
    }

    /// The last key that it covers, unless it is the last scan.
    pub fn end(&self) -> u32 {
        self.records().last().map_or(self.after, |record| record.key)
    }

    /// Appends its bytes to `out`, in a world whose crowds are told by so many teams; see [`Schema::crowd_teams`].
    pub fn encode(&self, teams: usize, out: &mut Vec<u8>) {
        let mut bits = BitWriter::new(out);
        bits.put(self.after, 32);
        bits.put(u32::from(self.is_last), 1);
        bits.put(self.length as u32, 4);
        let mut before = self.after;
        for record in self.records() {
            let step = record.key - before;
            let bytes = step_bytes(step);
            bits.put(bytes - 1, 2);
            bits.put(step, bytes * 8);
            bits.put(u32::from(record.count) - 1, 5);
            bits.put(u32::from(record.players), 6);
            record.middle.iter().for_each(|&place| bits.put_signed(place.into(), PLACE_BITS));
            record.velocity.iter().for_each(|&speed| bits.put_signed(speed.into(), SPEED_BITS));
            for &of_team in &record.teams[..teams] {
                bits.put(u32::from(of_team > 0), 1);
                if of_team > 0 {
                    bits.put(u32::from(of_team) - 1, 5);
                }
            }
            before = record.key;
        }
        bits.finish();
    }

    /// Reads a scan from the beginning of `bytes`, in a world whose crowds are told by so many teams; and how many bytes it had.
    ///
    /// # Errors
    /// When the bytes end too early, or a field is out of its range.
    pub fn decode(teams: usize, bytes: &[u8]) -> Result<(CrowdScan, usize), WireError> {
        let mut bits = BitReader::new(bytes);
        let mut scan = CrowdScan::new(bits.get(32)?);
        scan.is_last = bits.get(1)? == 1;
        let count = bits.get(4)? as usize;
        if count > CROWD_RECORDS_MAX {
            return Err(WireError::InvalidField);
        }
        for place in 0..count {
            let bytes = bits.get(2)? + 1;
            let step = bits.get(bytes * 8)?;
            let is_brief = step > 0 && bytes == step_bytes(step);
            let key = scan.end().checked_add(step).filter(|_| is_brief).ok_or(WireError::InvalidField)?;
            let (count, players) = (bits.get(5)? as u8 + 1, bits.get(6)? as u8);
            if players > count {
                return Err(WireError::InvalidField);
            }
            let middle = [bits.get_signed(PLACE_BITS)? as i16, bits.get_signed(PLACE_BITS)? as i16];
            let velocity = [bits.get_signed(SPEED_BITS)? as i8, bits.get_signed(SPEED_BITS)? as i8];
            let mut of_teams = [0; CROWD_TEAMS_MAX];
            for of_team in &mut of_teams[..teams] {
                if bits.get(1)? == 1 {
                    *of_team = bits.get(5)? as u8 + 1;
                }
            }
            if of_teams.iter().map(|&of_team| u32::from(of_team)).sum::<u32>() > u32::from(count) {
                return Err(WireError::InvalidField);
            }
            scan.records[place] = CrowdRecord { key, count, players, middle, velocity, teams: of_teams };
            scan.length = place + 1;
        }
        Ok((scan, bits.skip_to_byte()?))
    }
}

/// Bytes that a step from key to key needs.
fn step_bytes(step: u32) -> u32 {
    (32 - step.leading_zeros()).div_ceil(8).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn any_scan()(
            teams in 0..=CROWD_TEAMS_MAX, after in prop_oneof![0u32..300, any::<u32>()], is_last: bool,
            records in prop::collection::vec((prop_oneof![1u32..5, 1u32..400_000_000], 1u8..=32, 0u8..=32, any::<[i16; 4]>()), 0..=CROWD_RECORDS_MAX),
        ) -> (usize, CrowdScan) {
            let mut scan = CrowdScan { is_last, ..CrowdScan::new(after) };
            for (step, count, players, [x, z, speed_x, speed_z]) in records {
                let Some(key) = scan.end().checked_add(step) else { break };
                let vector = |x: i16, z: i16| Vec2::new(x.into(), z.into()) / 4.0;
                let record = CrowdRecord::new(key, count, players.min(count), vector(x, z), vector(speed_x, speed_z));
                let mut of_teams = [0; CROWD_TEAMS_MAX];
                (of_teams[players as usize % teams.max(1)], of_teams[0]) = (count / 2, count / 3);
                scan.push(if teams == 0 { record } else { record.with_teams(of_teams) });
            }
            (teams, scan)
        }
    }

    proptest! {
        #[test]
        fn any_scan_comes_back((teams, scan) in any_scan(), cut: usize) {
            let mut bytes = Vec::new();
            scan.encode(teams, &mut bytes);
            let length = bytes.len();
            prop_assert!(length <= CROWD_BYTES_MAX);
            bytes.extend_from_slice(&[0xcd; 3]);
            prop_assert_eq!(CrowdScan::decode(teams, &bytes), Ok((scan, length)));
            prop_assert!(CrowdScan::decode(teams, &bytes[..cut % length]).is_err());
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..150), teams in 0..=CROWD_TEAMS_MAX) {
            let _ = CrowdScan::decode(teams, &bytes);
        }
    }

    #[test]
    fn a_record_is_as_near_as_its_steps_and_held_at_its_limits() {
        let record = CrowdRecord::new(7, 3, 1, Vec2::new(-100.2, 8_000.3), Vec2::new(3.3, -99.0));
        assert_eq!((record.middle_m(), record.velocity_mps()), (Vec2::new(-100.0, 8_000.5), Vec2::new(3.5, -15.5)));
    }

    #[test]
    fn a_full_scan_takes_no_more() {
        let mut scan = CrowdScan::new(0);
        let record = |key| CrowdRecord::new(key, 1, 0, Vec2::ZERO, Vec2::ZERO);
        assert!((1..=CROWD_RECORDS_MAX as u32).all(|key| scan.push(record(key))));
        assert!(!scan.push(record(99)) && scan.end() == CROWD_RECORDS_MAX as u32);
        let mut bytes = Vec::new();
        scan.encode(0, &mut bytes);
        assert_eq!(bytes.len(), 68, "keys that follow closely take eight bytes each");
    }
}
