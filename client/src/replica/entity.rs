//! Somebody in view, and its last states.

use std::collections::VecDeque;

use glam::Vec3;
use throng_shared::ids::{Archetype, NetId};
use throng_shared::quantised::{Locomotion, QuantisedState};
use throng_shared::tick::Tick;
use throng_shared::wire::page::PageOwner;

/// An entity in view.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaEntity {
    /// Who it is.
    pub net_id: NetId,
    /// What it is.
    pub archetype: Archetype,
    /// Its newest known state.
    pub state: QuantisedState,
    /// The tick of that state. It is no older than what the server has: what does not change is not sent.
    pub updated: Tick,
    /// Number of the page that it was last told in.
    pub(super) page: u8,
    /// Oldest first; the newest is `state`.
    samples: VecDeque<(Tick, QuantisedState)>,
}

/// An entity between two of its states.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interpolated {
    /// Position of the feet, in metres.
    pub position_m: Vec3,
    /// Facing, in radians, clockwise from north.
    pub yaw_rad: f32,
    /// What it is doing.
    pub locomotion: Locomotion,
}

impl ReplicaEntity {
    /// Where the entity was at `tick`, between the states around it; the nearest known state beyond them.
    pub fn interpolate(&self, tick: f64) -> Interpolated {
        let after = self.samples.partition_point(|(sample, _)| f64::from(sample.0) <= tick);
        let before = after.checked_sub(1).and_then(|place| self.samples.get(place));
        let (before, after) = match (before, self.samples.get(after)) {
            (Some(before), Some(after)) => (before, after),
            (Some(only), None) | (None, Some(only)) => (only, only),
            (None, None) => return Interpolated::at(&self.state),
        };
        // What moves changes in every tick, so that a gap then means that snapshots were lost or had no room for it. Who
        // stood idle was not sent because nothing changed, and started to move one tick before the first new state.
        let start = if before.1.locomotion == Locomotion::Idle { before.0.max(after.0 - 1) } else { before.0 };
        let share = (tick - f64::from(start.0)) / f64::from(after.0.since(start).max(1));
        Interpolated::between(&before.1, &after.1, share.clamp(0.0, 1.0) as f32)
    }

    /// Somebody who is told of for the first time.
    pub(super) fn new(tick: Tick, page: u8, owner: PageOwner, state: QuantisedState) -> ReplicaEntity {
        let PageOwner { net_id, archetype } = owner;
        let samples = VecDeque::from([(tick, state)]);
        ReplicaEntity { net_id, archetype, state, updated: tick, page, samples }
    }

    /// Takes in what `tick`, newer than all before, says of it.
    pub(super) fn update(&mut self, tick: Tick, page: u8, state: QuantisedState, samples_max: usize) {
        self.page = page;
        self.updated = tick;
        self.state = state;
        while self.samples.len() >= samples_max {
            self.samples.pop_front();
        }
        self.samples.push_back((tick, state));
    }
}

impl Interpolated {
    fn at(state: &QuantisedState) -> Interpolated {
        Interpolated { position_m: state.position_m(), yaw_rad: state.yaw_rad(), locomotion: state.locomotion }
    }

    fn between(before: &QuantisedState, after: &QuantisedState, share: f32) -> Interpolated {
        let turn = f32::from(after.yaw.wrapping_sub(before.yaw) as i8) * (std::f32::consts::TAU / 256.0);
        Interpolated {
            position_m: before.position_m().lerp(after.position_m(), share),
            yaw_rad: before.yaw_rad() + turn * share,
            locomotion: if share < 0.5 { before.locomotion } else { after.locomotion },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::IVec3;

    fn at(x: i32, locomotion: Locomotion) -> QuantisedState {
        QuantisedState { position: IVec3::new(x, 0, 0), locomotion, ..QuantisedState::default() }
    }

    fn entity(samples: &[(u32, i32, Locomotion)]) -> ReplicaEntity {
        let owner = PageOwner { net_id: NetId(1), archetype: Archetype::Bot };
        let mut entity = ReplicaEntity::new(Tick(10), 0, owner, at(0, Locomotion::Idle));
        for &(tick, x, locomotion) in samples {
            entity.update(Tick(tick), 0, at(x, locomotion), 50);
        }
        entity
    }

    #[test]
    fn an_entity_is_shown_between_its_states_and_still_while_it_stood() {
        use Locomotion::{Idle, Running};
        let entity = entity(&[(11, 64, Running), (13, 192, Idle), (50, 256, Running)]);
        let x_m = |tick: f64| entity.interpolate(tick).position_m.x;
        assert_eq!([x_m(9.0), x_m(10.5), x_m(12.0), x_m(13.0)], [0.0, 0.5, 2.0, 3.0]);
        assert_eq!([x_m(30.0), x_m(49.0), x_m(49.5), x_m(99.0)], [3.0, 3.0, 3.5, 4.0]);
    }

    #[test]
    fn a_runner_who_had_to_wait_for_room_is_shown_running_all_the_while() {
        let entity = entity(&[(11, 0, Locomotion::Running), (31, 20 * 64, Locomotion::Running)]);
        for tick in 11..=31_u8 {
            assert_eq!(entity.interpolate(f64::from(tick)).position_m.x, f32::from(tick) - 11.0);
        }
    }

    #[test]
    fn as_many_states_are_kept_as_was_asked_for() {
        let mut entity = entity(&[]);
        for (tick, kept) in (11..200).map(|tick| (tick, 50)).chain([(200, 8)]) {
            entity.update(Tick(tick), 0, at(tick as i32, Locomotion::Running), kept);
            assert!(entity.samples.len() <= kept);
        }
        assert_eq!(entity.samples.len(), 8);
    }

    #[test]
    fn facing_turns_the_short_way() {
        let facing = |yaw| QuantisedState { yaw, ..at(0, Locomotion::Idle) };
        let middle = Interpolated::between(&facing(250), &facing(6), 0.5).yaw_rad;
        assert!((middle - std::f32::consts::TAU).abs() < 1e-5, "{middle}");
    }
}
