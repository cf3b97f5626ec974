//! Where everybody was in the last ticks, as clients were told it, and so that it is found fast who was near a line.

use std::hint::black_box;

use bevy_ecs::prelude::{Res, ResMut, Resource};
use glam::{IVec3, Vec2, Vec3};
use throng_shared::ids::NetId;
use throng_shared::quantised::STEPS_PER_M;
use throng_shared::spatial::{CharacterColumns, Grid};
use throng_shared::tick::{Tick, TickRate};

use super::judge::clamped;

/// By how much the places that are told can be farther apart than the true ones, in metres.
const ROUNDING_M: f32 = 0.03;

/// Smallest side of a cell, in metres, and most cells along a side of the world: as fine as shots want it, and not more memory for cells than for
/// characters.
const CELL_M_MIN: f32 = 2.0;
const CELLS_PER_SIDE_MAX: f32 = 256.0;

/// A ring of moments, one for each tick that a shot may be judged in. 48 bytes per character and tick (its stand 16, its place 12, its
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

/// A tick of the past.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    /// 0 for none yet.
    tick: Tick,
    /// As in the columns: names, rising, and beside them where each stood.
    net_ids: Vec<NetId>,
    feet_steps: Vec<IVec3>,
    pub(super) grid: Grid,
    /// Everybody in the grid's order.
    pub(super) stands: Vec<Stand>,
    /// Those who have gone farther since the tick before than anybody walks.
    pub(super) leapt: Vec<Pose>,
}

/// Where somebody stood at a tick, and at the one before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pose {
    pub(super) net_id: NetId,
    feet_steps: IVec3,
    before_steps: IVec3,
}

/// Where somebody stood and which way it had come, in 128 bits: few lines of memory have all that are near a shot.
///
/// | bits of the first half | is |
/// |---|---|
/// | 0..21; 21..42 | x; z, in steps from the corner of a square of 32,768 m |
/// | 42..50; 50..58 | by how many steps x; z was more at the tick before, signed; [`Stand::LEAPT`] in x for who came from farther away |
///
/// | bits of the second half | is |
/// |---|---|
/// | 0..32 | who it is |
/// | 32..52 | y, in steps, signed |
/// | 52..64 | by how many steps that was more at the tick before, signed |
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
pub(super) struct Stand {
    ground: u64,
    body: u64,
}

impl Stand {
    const AXIS_BITS: u32 = 21;
    const CORNER_STEPS: i32 = 1 << (Stand::AXIS_BITS - 1);
    const HEIGHT_STEPS_MAX: i32 = (1 << 19) - 1;
    const FALL_STEPS_MAX: i32 = (1 << 11) - 1;
    const LEAPT: i8 = i8::MIN;

    fn of(pose: &Pose, has_leapt: bool) -> Stand {
        let axis = |steps: i32| {
            let from_corner = steps + Stand::CORNER_STEPS;
            debug_assert!((0..2 * Stand::CORNER_STEPS).contains(&from_corner), "{pose:?} is in no world");
            u64::from(from_corner as u32) & ((1 << Stand::AXIS_BITS) - 1)
        };
        let way = pose.before_steps - pose.feet_steps;
        let (way_x, way_z) = if has_leapt { (Stand::LEAPT, 0) } else { (way.x as i8, way.z as i8) };
        let ways = u64::from(way_x as u8) | u64::from(way_z as u8) << 8;
        let [x, z] = [pose.feet_steps.x, pose.feet_steps.z].map(axis);
        let height = pose.feet_steps.y.clamp(-Stand::HEIGHT_STEPS_MAX, Stand::HEIGHT_STEPS_MAX) as u32 & 0xf_ffff;
        let fall = way.y.clamp(-Stand::FALL_STEPS_MAX, Stand::FALL_STEPS_MAX) as u32 & 0xfff;
        Stand {
            ground: x | z << Stand::AXIS_BITS | ways << (2 * Stand::AXIS_BITS),
            body: u64::from(pose.net_id.0) | u64::from(fall << 20 | height) << 32,
        }
    }

    /// Where it was so much of a tick earlier (x, z), in metres.
    pub(super) fn ground_m(self, earlier_ticks: f32) -> Vec2 {
        let axis = |bits: u64| (bits as u32 & ((1 << Stand::AXIS_BITS) - 1)) as i32 - Stand::CORNER_STEPS;
        let way = |bits: u64| i32::from(bits as u8 as i8);
        let ways = self.ground >> (2 * Stand::AXIS_BITS);
        Vec2::new(
            between_m(axis(self.ground), way(ways), earlier_ticks),
            between_m(axis(self.ground >> Stand::AXIS_BITS), way(ways >> 8), earlier_ticks),
        )
    }

    /// The same with its height: its feet.
    pub(super) fn feet_m(self, earlier_ticks: f32) -> Vec3 {
        let ground_m = self.ground_m(earlier_ticks);
        let high = (self.body >> 32) as i32;
        // Shifted up and down again, for their signs.
        let (height, fall) = (high << 12 >> 12, high >> 20);
        Vec3::new(ground_m.x, between_m(height, fall, earlier_ticks), ground_m.y)
    }

    /// Who it is.
    pub(super) fn net_id(self) -> NetId {
        NetId(self.body as u32)
    }

    /// Whether it stands among [`Moment::leapt`].
    pub(super) fn has_leapt(self) -> bool {
        (self.ground >> (2 * Stand::AXIS_BITS)) as u8 as i8 == Stand::LEAPT
    }
}

impl Pose {
    /// Where it was so much of a tick earlier, as a client shows it that knows both: its feet, in metres.
    pub(super) fn feet_m(&self, earlier_ticks: f32) -> Vec3 {
        let way_steps = self.before_steps - self.feet_steps;
        let axis = |number: usize| between_m(self.feet_steps[number], way_steps[number], earlier_ticks);
        Vec3::new(axis(0), axis(1), axis(2))
    }

    fn has_leapt(&self, stride_steps: f32) -> bool {
        let way = self.feet_steps - self.before_steps;
        let (x, z) = (way.x as f32, way.z as f32);
        // Or has gone farther than is said in eight bits.
        x * x + z * z > stride_steps * stride_steps || way.x.abs().max(way.z.abs()) > i32::from(i8::MAX)
    }
}

/// The one formula for a place between two ticks, on one axis, in metres.
fn between_m(at_steps: i32, way_steps: i32, earlier_ticks: f32) -> f32 {
    (at_steps as f32 + way_steps as f32 * earlier_ticks) * (1.0 / STEPS_PER_M)
}

impl Poses {
    /// None yet, in a world of this rate and size in which nobody goes faster than `speed_mps` on foot. Shots are judged up to `rewind_max_ms` back.
    pub fn new(rate: TickRate, rewind_max_ms: u32, size_m: f32, speed_mps: f32) -> Poses {
        let rewind_ticks_max = f64::from(rewind_max_ms) * f64::from(rate.hz()) / 1_000.0;
        Poses {
            // One more, for the tick before the first.
            moments: vec![Moment::none(size_m); (rewind_ticks_max.ceil() as usize + 1).next_power_of_two()],
            filled: Moment::none(size_m),
            newest: Tick(0),
            rewind_ticks_max,
            stride_m: speed_mps * rate.step_s() + ROUNDING_M,
        }
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

    /// Calls `found` for everybody who may have been near a point (x, z) at a moment that was granted, with where it was: its feet, in metres.
    pub(crate) fn for_each_near(&self, at_tick: f64, point_m: Vec2, radius_m: f32, mut found: impl FnMut(NetId, Vec3)) {
        let Some((moment, earlier_ticks)) = self.after(at_tick) else { return };
        if earlier_ticks > 0.0 {
            moment.leapt.iter().for_each(|pose| found(pose.net_id, pose.feet_m(earlier_ticks)));
        }
        let reach_m = radius_m + self.stride_m * earlier_ticks;
        moment.grid.for_each_run_along(point_m, point_m, reach_m, |run| {
            let stands = moment.stands[run].iter().filter(|stand| earlier_ticks == 0.0 || !stand.has_leapt());
            stands.for_each(|stand| found(stand.net_id(), stand.feet_m(earlier_ticks)));
        });
    }

    /// How far anybody goes in a tick who does not leap, in metres.
    pub(super) fn stride_m(&self) -> f32 {
        self.stride_m
    }

    /// Notes where everybody is at `tick`. O(characters).
    pub fn remember(&mut self, tick: Tick, columns: &CharacterColumns) {
        let place = self.place(tick);
        // Taken out, for it is filled from the one before; the memory of both stays.
        std::mem::swap(&mut self.filled, &mut self.moments[place]);
        let Poses { moments, filled, stride_m, .. } = self;
        let before = moment_of(moments, tick - 1);
        filled.fill(tick, columns, before, *stride_m * STEPS_PER_M);
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
        Some(Pose { net_id, feet_steps: after_steps, before_steps }.feet_m(earlier_ticks))
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

impl Moment {
    /// That of no tick, in a world of this size.
    fn none(size_m: f32) -> Moment {
        Moment {
            tick: Tick(0),
            net_ids: Vec::new(),
            feet_steps: Vec::new(),
            grid: Grid::with_cells(size_m, (size_m / CELLS_PER_SIDE_MAX).max(CELL_M_MIN)),
            stands: Vec::new(),
            leapt: Vec::new(),
        }
    }

    fn fill(&mut self, tick: Tick, columns: &CharacterColumns, before: Option<&Moment>, stride_steps: f32) {
        self.tick = tick;
        self.net_ids.clone_from(&columns.net_ids);
        self.feet_steps.clear();
        self.feet_steps.extend(columns.states.iter().map(|state| state.position));
        self.grid.rebuild(&columns.positions_m);
        let Moment { net_ids, feet_steps, grid, stands, leapt, .. } = self;
        stands.clear();
        leapt.clear();
        for &row in grid.sorted_rows() {
            let (net_id, feet_steps) = (net_ids[row as usize], feet_steps[row as usize]);
            let before_steps = before.and_then(|before| before.feet_steps(net_id, row as usize)).unwrap_or(feet_steps);
            let pose = Pose { net_id, feet_steps, before_steps };
            let has_leapt = pose.has_leapt(stride_steps);
            stands.push(Stand::of(&pose, has_leapt));
            if has_leapt {
                leapt.push(pose);
            }
        }
    }

    /// Brings near all that shots look at, for many that are judged by it: read in order, that is faster than by each what it needs.
    pub(super) fn fetch(&self) {
        self.grid.fetch();
        self.stands.iter().step_by(64 / size_of::<Stand>()).for_each(|stand| {
            black_box(stand.ground);
        });
    }

    /// Where somebody stood, whose row was `row` in the next tick: as long as nobody comes or goes it is the same.
    fn feet_steps(&self, net_id: NetId, row: usize) -> Option<IVec3> {
        let is_same = self.net_ids.get(row) == Some(&net_id);
        let row = if is_same { Some(row) } else { self.net_ids.binary_search(&net_id).ok() };
        row.map(|row| self.feet_steps[row])
    }
}

/// See [`Poses::remember`].
pub(crate) fn remember_poses(tick: Res<Tick>, columns: Res<CharacterColumns>, mut poses: ResMut<Poses>) {
    poses.remember(*tick, &columns);
}
