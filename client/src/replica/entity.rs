//! Somebody in view, and its last states.

use std::collections::VecDeque;

use glam::Vec3;
use throng_shared::attributes::{Attributes, Values};
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
    /// What it has besides a place, as far as this client may know; handles of [`crate::Client::attributes`] read it.
    pub attributes: Attributes,
    /// Number of the page that it was last told in.
    pub(super) page: u8,
    /// Whether it is in that page no longer, and in no other yet.
    pub(super) is_missing: bool,
    /// When it did the last of what we know that it has done.
    pub(super) last_deed: Tick,
    /// Oldest first; the newest is `state`.
    samples: VecDeque<Sample>,
}

/// An entity as one snapshot told of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) tick: Tick,
    pub(super) state: QuantisedState,
    /// How far it goes in a tick, in metres.
    pub(super) way_m: Vec3,
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
    /// Whether it has gone from its page and was not found in another yet: it may be out of view.
    pub fn is_missing(&self) -> bool {
        self.is_missing
    }

    /// Where the entity was at `tick`, between the states around it. Before the oldest it is where that was; beyond the newest it goes
    /// on as it went, for `ahead_ticks_max` at most: who is far away is not told of in every tick.
    pub fn interpolate(&self, tick: f64, ahead_ticks_max: f64) -> Interpolated {
        let after = self.samples.partition_point(|sample| f64::from(sample.tick.0) <= tick);
        let before = after.checked_sub(1).and_then(|place| self.samples.get(place));
        match (before, self.samples.get(after)) {
            (Some(before), Some(after)) => {
                let start = before.leaves_before(after);
                let share = (tick - f64::from(start.0)) / f64::from(after.tick.since(start).max(1));
                Interpolated::between(&before.state, &after.state, share.clamp(0.0, 1.0) as f32)
            }
            (Some(newest), None) => {
                let ahead_ticks = (tick - f64::from(newest.tick.0)).min(ahead_ticks_max) as f32;
                let mut shown = Interpolated::at(&newest.state);
                if newest.state.locomotion != Locomotion::Idle {
                    shown.position_m += newest.way_m * ahead_ticks;
                }
                shown
            }
            (None, Some(oldest)) => Interpolated::at(&oldest.state),
            (None, None) => Interpolated::at(&self.state),
        }
    }

    /// Somebody who is told of for the first time.
    pub(super) fn new(page: u8, owner: PageOwner, sample: Sample, values: Values<'_>) -> ReplicaEntity {
        let PageOwner { net_id, archetype } = owner;
        let Sample { tick: updated, state, .. } = sample;
        let samples = VecDeque::from([sample]);
        let mut attributes = Attributes::default();
        attributes.take_over(values);
        ReplicaEntity {
            net_id,
            archetype,
            state,
            updated,
            attributes,
            page,
            is_missing: false,
            last_deed: Tick(0),
            samples,
        }
    }

    /// Whether it is known where it was in a tick.
    pub(super) fn is_known_at(&self, tick: Tick) -> bool {
        self.samples.front().is_some_and(|oldest| oldest.tick <= tick)
    }

    /// Takes in what a snapshot newer than all before says of it.
    pub(super) fn update(&mut self, page: u8, sample: Sample, attributes: Values<'_>, samples_max: usize) {
        self.attributes.take_over(attributes);
        (self.page, self.is_missing) = (page, false);
        (self.updated, self.state) = (sample.tick, sample.state);
        while self.samples.len() >= samples_max {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }
}

impl Sample {
    /// When it began to go to the next sample. Who moves was on the way all the time. Who stood idle was not told of, for nothing
    /// changed, and is not told of at once when it starts: by then it has gone as many ticks as its speed says.
    fn leaves_before(&self, next: &Sample) -> Tick {
        if self.state.locomotion != Locomotion::Idle {
            return self.tick;
        }
        let gone_m = next.state.position_m().distance(self.state.position_m());
        let way_m = next.way_m.length().max(f32::MIN_POSITIVE);
        let gone_ticks = (gone_m / way_m).round().clamp(1.0, 1_000.0) as u32;
        self.tick.max(next.tick - gone_ticks)
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
        let owner = PageOwner { net_id: NetId(1), archetype: Archetype::BOT };
        let sample = |tick, x, locomotion| {
            let way_m = if locomotion == Locomotion::Idle { Vec3::ZERO } else { Vec3::X };
            Sample { tick: Tick(tick), state: at(x, locomotion), way_m }
        };
        let mut entity = ReplicaEntity::new(0, owner, sample(10, 0, Locomotion::Idle), Values::default());
        for &(tick, x, locomotion) in samples {
            entity.update(0, sample(tick, x, locomotion), Values::default(), 50);
        }
        entity
    }

    #[test]
    fn an_entity_is_shown_between_its_states_and_still_while_it_stood() {
        use Locomotion::{Idle, Running};
        let entity = entity(&[(11, 64, Running), (13, 192, Idle), (50, 256, Running)]);
        let x_m = |tick: f64| entity.interpolate(tick, 2.0).position_m.x;
        assert_eq!([x_m(9.0), x_m(10.5), x_m(12.0), x_m(13.0)], [0.0, 0.5, 2.0, 3.0]);
        assert_eq!([x_m(30.0), x_m(49.0), x_m(49.5), x_m(50.0)], [3.0, 3.0, 3.5, 4.0]);
    }

    #[test]
    fn beyond_its_newest_state_a_runner_goes_on_for_a_while_and_who_stands_does_not() {
        use Locomotion::{Idle, Running};
        let x_m = |entity: &ReplicaEntity, tick: f64| entity.interpolate(tick, 4.0).position_m.x;
        let runner = entity(&[(11, 64, Running)]);
        assert_eq!([11.0, 11.5, 15.0, 16.0, 99.0].map(|tick| x_m(&runner, tick)), [1.0, 1.5, 5.0, 5.0, 5.0]);
        let who_stands = entity(&[(11, 64, Running), (12, 128, Idle)]);
        assert_eq!([12.0, 13.0, 99.0].map(|tick| x_m(&who_stands, tick)), [2.0; 3]);
    }

    #[test]
    fn who_was_told_late_that_it_started_is_shown_at_its_speed() {
        let late = entity(&[(40, 3 * 64, Locomotion::Running)]);
        let x_m = |tick: f64| late.interpolate(tick, 0.0).position_m.x;
        assert_eq!([20.0, 37.0, 38.0, 39.5, 40.0].map(x_m), [0.0, 0.0, 1.0, 2.5, 3.0]);
    }

    #[test]
    fn a_runner_who_had_to_wait_for_room_is_shown_running_all_the_while() {
        let entity = entity(&[(11, 0, Locomotion::Running), (31, 20 * 64, Locomotion::Running)]);
        for tick in 11..=31_u8 {
            assert_eq!(entity.interpolate(f64::from(tick), 0.0).position_m.x, f32::from(tick) - 11.0);
        }
    }

    #[test]
    fn as_many_states_are_kept_as_was_asked_for() {
        let mut entity = entity(&[]);
        for (tick, kept) in (11..200).map(|tick| (tick, 50)).chain([(200, 8)]) {
            let state = at(tick as i32, Locomotion::Running);
            entity.update(0, Sample { tick: Tick(tick), state, way_m: Vec3::ZERO }, Values::default(), kept);
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
