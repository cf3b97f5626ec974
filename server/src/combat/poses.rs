//! Where everybody was in the last ticks, as clients were told it, and so that it is found fast who was near a line.

use bevy_ecs::prelude::{Res, ResMut, Resource};
use glam::{Vec2, Vec3};
use throng_shared::ids::{Archetype, NetId};
use throng_shared::spatial::CharacterColumns;
use throng_shared::tick::{Tick, TickRate};

use super::judge::clamped;
use super::moment::{Moment, feet_between_m};

/// By how much the places that are told can be farther apart than the true ones, in metres.
const ROUNDING_M: f32 = 0.03;

/// A ring of moments, one for each tick that a shot may be judged in. 48 bytes per character and tick (where it stood and came from 16, its place 12, its
/// name 4, the grid 16), and 4 per cell of the grid.
///
/// Each moment has a grid of its own, and in its order where everybody stood and came from: whoever looks back far need not look in wider
/// surroundings, whoever has leapt across the world since is where it was, and what a shot looks at stands together in memory.
#[derive(Resource, Clone, Debug)]
pub struct Poses {
    /// That of a tick stands at its number modulo their count.
    moments: Vec<Moment>,
    /// Of no tick, but while a moment is filled.
    filled: Moment,
    newest: Tick,
    rewind_ticks_max: f64,
    /// Who goes farther in a tick, in metres, has leapt.
    stride_m: f32,
}

impl Poses {
    /// None yet, in a world of this rate and size in which nobody goes faster than `speed_mps` on foot. Shots are judged up to `rewind_max_ms` back.
    pub fn new(rate: TickRate, rewind_max_ms: u32, size_m: f32, speed_mps: f32) -> Poses {
        let rewind_ticks_max = f64::from(rewind_max_ms) * f64::from(rate.hz()) / 1_000.0;
        let mut poses = Poses {
            // One more, for the tick before the first.
            moments: vec![Moment::none(size_m); (rewind_ticks_max.ceil() as usize + 1).next_power_of_two()],
            filled: Moment::none(size_m),
            newest: Tick(0),
            rewind_ticks_max,
            stride_m: 0.0,
        };
        poses.expect_speed(rate, speed_mps);
        poses
    }

    /// From the next tick on nobody goes faster than `speed_mps` on foot.
    pub(crate) fn expect_speed(&mut self, rate: TickRate, speed_mps: f32) {
        self.stride_m = speed_mps * rate.step_s() + ROUNDING_M;
    }

    /// The last tick that is known.
    pub fn newest(&self) -> Tick {
        self.newest
    }

    /// How far back shots are judged at most, in ticks: what the world allows, or less while it is young.
    pub fn rewind_ticks_max(&self) -> f64 {
        self.rewind_ticks_max.min(f64::from(self.newest.0.saturating_sub(1)))
    }

    /// The moment that is granted to whoever has seen one.
    pub(crate) fn granted_tick(&self, view_tick: f64) -> f64 {
        let newest = f64::from(self.newest.0);
        newest - clamped(newest - view_tick, self.rewind_ticks_max()).0
    }

    /// Calls `found` for everybody who may have been near a point (x, z) at a moment that was granted, with what it is and where it was: its feet, in metres.
    pub(crate) fn for_each_near(
        &self,
        at_tick: f64,
        point_m: Vec2,
        radius_m: f32,
        mut found: impl FnMut(NetId, Archetype, Vec3),
    ) {
        let Some((moment, earlier_ticks)) = self.after(at_tick) else { return };
        if earlier_ticks > 0.0 {
            moment.leapt.iter().for_each(|pose| found(pose.net_id, pose.archetype, pose.feet_m(earlier_ticks)));
        }
        let reach_m = radius_m + moment.stride_m * earlier_ticks;
        for run in moment.grid.runs_along(point_m, point_m, reach_m) {
            let places = run.places.filter(|&place| earlier_ticks == 0.0 || !moment.has_leapt(place));
            places.for_each(|place| {
                found(moment.net_id(place), moment.archetype(place), moment.feet_at_m(place, earlier_ticks));
            });
        }
    }

    #[cfg(test)]
    pub(super) fn newest_cell_m(&self) -> f32 {
        self.moment(self.newest).map_or(0.0, |moment| moment.grid.cell_m())
    }

    /// Notes where everybody is at `tick`. O(characters).
    pub fn remember(&mut self, tick: Tick, columns: &CharacterColumns) {
        let place = self.place(tick);
        // Taken out, for it is filled from the one before; the memory of both stays.
        std::mem::swap(&mut self.filled, &mut self.moments[place]);
        let Poses { moments, filled, stride_m, .. } = self;
        let before = moment_of(moments, tick - 1);
        filled.fill(tick, columns, before, *stride_m);
        std::mem::swap(&mut self.filled, &mut self.moments[place]);
        self.newest = tick;
    }

    /// Where somebody was at a moment between two ticks, as a client shows it that knows both: its feet, in metres. None for who was not there
    /// at the end of it. O(log n).
    pub fn feet_m(&self, net_id: NetId, at_tick: f64) -> Option<Vec3> {
        let (moment, earlier_ticks) = self.after(at_tick)?;
        let after_steps = moment.feet_steps(net_id, 0)?;
        let before = if earlier_ticks > 0.0 { self.moment(moment.tick - 1) } else { None };
        let before_steps = before.and_then(|before| before.feet_steps(net_id, 0)).unwrap_or(after_steps);
        Some(feet_between_m(after_steps, before_steps, earlier_ticks))
    }

    /// The first tick that is not before a moment, and how much earlier than that the moment is, in ticks.
    pub(super) fn after(&self, at_tick: f64) -> Option<(&Moment, f32)> {
        let tick = at_tick.ceil();
        Some((self.moment(Tick(tick as u32))?, (tick - at_tick) as f32))
    }

    fn place(&self, tick: Tick) -> usize {
        tick.0 as usize & (self.moments.len() - 1)
    }

    fn moment(&self, tick: Tick) -> Option<&Moment> {
        moment_of(&self.moments, tick)
    }
}

/// That of a tick in a ring, if it is there.
fn moment_of(moments: &[Moment], tick: Tick) -> Option<&Moment> {
    Some(&moments[tick.0 as usize & (moments.len() - 1)]).filter(|moment| moment.tick == tick && tick > Tick(0))
}

/// See [`Poses::remember`].
pub(crate) fn remember_poses(tick: Res<Tick>, columns: Res<CharacterColumns>, mut poses: ResMut<Poses>) {
    poses.remember(*tick, &columns);
}
