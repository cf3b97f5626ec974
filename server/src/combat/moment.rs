//! Where everybody was at one tick, so that it is found fast who was near a line.
//!
//! What a shot looks at is as little memory as can be, for the moments of all ticks do not stay in the cache: 64 bits for where somebody stood
//! as seen from above, eight of them to a line of memory and looked at together; who that is, and how high, is in the line behind.

use std::ops::Range;

use glam::{IVec3, Vec3};
use throng_shared::archetypes::{Bodies, Body};
use throng_shared::combat::Capsules;
use throng_shared::ids::{Archetype, NetId};
use throng_shared::memory::fetch;
use throng_shared::quantised::STEPS_PER_M;
use throng_shared::spatial::{CharacterColumns, Grid};
use throng_shared::tick::Tick;
use wide::{f32x8, i32x8};

/// Smallest side of a cell, in metres.
const CELL_M_MIN: f32 = 2.0;

/// Largest side of a cell that it grows to, in metres.
const CELL_M_MAX: f32 = 32.0;

/// Most cells along a side of the world, so that they take no more memory than characters.
const CELLS_PER_SIDE_MAX: f32 = 256.0;

/// Fewer than these in the cell that somebody stands in, on average and itself included, and the next tick's cells are twice as large …
const TOGETHER_MIN: f32 = 4.0;

/// … and more than these, half as large. A quarter of this and four times that are between them, so that cells do not change to and fro.
const TOGETHER_MAX: f32 = 20.0;

/// How many are looked at together.
pub(super) const LANES: usize = 8;

/// A tick of the past.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    /// 0 for none yet.
    pub(super) tick: Tick,
    /// As in the columns: names, rising, and beside them where each stood.
    net_ids: Vec<NetId>,
    feet_steps: Vec<IVec3>,
    /// Side of the smallest cells that it may have, in metres.
    cell_m_min: f32,
    pub(super) grid: Grid,
    /// Everybody in the grid's order; behind the last is nobody.
    blocks: Vec<Block>,
    /// Those who have gone farther since the tick before than anybody walks.
    pub(super) leapt: Vec<Pose>,
    /// How far anybody had gone who has not leapt, in metres.
    pub(super) stride_m: f32,
}

/// Where somebody stood at a tick, and at the one before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pose {
    pub(super) net_id: NetId,
    pub(super) archetype: Archetype,
    feet_steps: IVec3,
    before_steps: IVec3,
}

/// Where [`LANES`] stood and which way they had come: as seen from above in one line of memory, which is read whole anyway, and in the next who they are and
/// how high they stood.
///
/// An axis of somebody is its place in steps times 256, plus by how many steps that was more at the tick before, signed; [`Block::LEAPT`] in x for
/// who came from farther away. How high it stood has 20 bits, by how many steps that was more 8, and the archetype the 4 above.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Block {
    x: [i32; LANES],
    z: [i32; LANES],
    y: [i32; LANES],
    net_ids: [NetId; LANES],
}

const _: () = assert!(size_of::<Block>() == 128);

/// Where [`LANES`] were as seen from above, in metres.
#[derive(Clone, Copy, Debug)]
pub(super) struct Points {
    pub(super) x_m: f32x8,
    pub(super) z_m: f32x8,
}

impl Block {
    const WAY_BITS: u32 = 8;
    /// Farthest from the middle of a world that there is room for, in steps.
    const AT_STEPS_MAX: i32 = i32::MAX >> Block::WAY_BITS;
    const LEAPT: i8 = i8::MIN;
    const HEIGHT_STEPS_MAX: i32 = (1 << 19) - 1;
    const FALL_STEPS_MAX: i32 = i8::MAX as i32;
    const NOBODY: Block = Block { x: [0; LANES], z: [0; LANES], y: [0; LANES], net_ids: [NetId(0); LANES] };

    fn put(&mut self, lane: usize, pose: &Pose, has_leapt: bool) {
        let way = pose.before_steps - pose.feet_steps;
        let (way_x, way_z) = if has_leapt { (Block::LEAPT, 0) } else { (way.x as i8, way.z as i8) };
        let axis = |steps: i32, way: i8| {
            debug_assert!(steps.abs() <= Block::AT_STEPS_MAX, "{pose:?} is in no world");
            steps << Block::WAY_BITS | i32::from(way as u8)
        };
        (self.x[lane], self.z[lane]) = (axis(pose.feet_steps.x, way_x), axis(pose.feet_steps.z, way_z));
        let height = pose.feet_steps.y.clamp(-Block::HEIGHT_STEPS_MAX, Block::HEIGHT_STEPS_MAX) & 0xf_ffff;
        let fall = way.y.clamp(-Block::FALL_STEPS_MAX, Block::FALL_STEPS_MAX) & 0xff;
        self.y[lane] = i32::from(pose.archetype.number()) << 28 | fall << 20 | height;
        self.net_ids[lane] = pose.net_id;
    }

    #[inline]
    fn points_m(&self, earlier_ticks: f32) -> Points {
        let axis_m = |axis: [i32; LANES]| {
            let axis = i32x8::new(axis);
            // The way is shifted up and down again, for its sign.
            let (at_steps, way_steps) =
                (axis >> Block::WAY_BITS, (axis << (32 - Block::WAY_BITS)) >> (32 - Block::WAY_BITS));
            between_lanes_m(at_steps.round_float(), way_steps.round_float(), earlier_ticks)
        };
        Points { x_m: axis_m(self.x), z_m: axis_m(self.z) }
    }

    #[inline]
    fn heights_m(&self, earlier_ticks: f32) -> f32x8 {
        let y = i32x8::new(self.y);
        // Shifted up and down again, for their signs.
        let [height, fall]: [i32x8; 2] = [(y << 12) >> 12, (y << 4) >> 24];
        between_lanes_m(height.round_float(), fall.round_float(), earlier_ticks)
    }

    fn feet_m(&self, lane: usize, earlier_ticks: f32) -> Vec3 {
        let axis_m = |axis: i32| between_m(axis >> Block::WAY_BITS, i32::from(axis as u8 as i8), earlier_ticks);
        let y = self.y[lane];
        let height_m = between_m(y << 12 >> 12, y << 4 >> 24, earlier_ticks);
        Vec3::new(axis_m(self.x[lane]), height_m, axis_m(self.z[lane]))
    }

    fn archetype(&self, lane: usize) -> Archetype {
        Archetype::from_number((self.y[lane] as u32 >> 28) as u8).expect("every number of four bits is one")
    }

    /// The lanes whose way is that of who has leapt, as bits.
    fn leapt_lanes(&self) -> u32 {
        self.x.iter().enumerate().map(|(lane, &x)| u32::from(x as u8 as i8 == Block::LEAPT) << lane).sum()
    }

    fn has_leapt(&self, lane: usize) -> bool {
        self.x[lane] as u8 as i8 == Block::LEAPT
    }
}

impl Pose {
    /// Somebody who stood here, and there at the tick before.
    fn new(net_id: NetId, archetype: Archetype, feet_steps: IVec3, before_steps: IVec3) -> Pose {
        Pose { net_id, archetype, feet_steps, before_steps }
    }

    /// Where it was so much of a tick earlier, as a client shows it that knows both: its feet, in metres.
    pub(super) fn feet_m(&self, earlier_ticks: f32) -> Vec3 {
        feet_between_m(self.feet_steps, self.before_steps, earlier_ticks)
    }

    fn has_leapt(&self, stride_steps: f32) -> bool {
        let way = self.feet_steps - self.before_steps;
        let (x, z) = (way.x as f32, way.z as f32);
        // Or has gone farther than there are bits to say.
        x * x + z * z > stride_steps * stride_steps
            || way.x.abs().max(way.z.abs()) > i32::from(i8::MAX)
            || way.y.abs() > Block::FALL_STEPS_MAX
    }
}

/// Where somebody was between two ticks, so much of one earlier than at the later, in metres.
pub(super) fn feet_between_m(feet_steps: IVec3, before_steps: IVec3, earlier_ticks: f32) -> Vec3 {
    let way_steps = before_steps - feet_steps;
    let axis = |number: usize| between_m(feet_steps[number], way_steps[number], earlier_ticks);
    Vec3::new(axis(0), axis(1), axis(2))
}

/// The formula for a place between two ticks, on one axis, in metres; [`between_lanes_m`] is the same to the bit.
fn between_m(at_steps: i32, way_steps: i32, earlier_ticks: f32) -> f32 {
    (at_steps as f32 + way_steps as f32 * earlier_ticks) * (1.0 / STEPS_PER_M)
}

/// The same for [`LANES`] at once.
#[inline]
fn between_lanes_m(at_steps: f32x8, way_steps: f32x8, earlier_ticks: f32) -> f32x8 {
    (at_steps + way_steps * f32x8::splat(earlier_ticks)) * f32x8::splat(1.0 / STEPS_PER_M)
}

impl Moment {
    /// That of no tick, in a world of this size.
    pub(super) fn none(size_m: f32) -> Moment {
        // It begins with the smallest, so that it never needs more memory for cells.
        let cell_m_min = (size_m / CELLS_PER_SIDE_MAX).max(CELL_M_MIN);
        Moment {
            tick: Tick(0),
            net_ids: Vec::new(),
            feet_steps: Vec::new(),
            cell_m_min,
            grid: Grid::with_cells(size_m, cell_m_min),
            blocks: Vec::new(),
            leapt: Vec::new(),
            stride_m: 0.0,
        }
    }

    /// Makes it that of a tick, the one after `before`; who has gone farther since than `stride_m` has leapt. O(characters + cells).
    pub(super) fn fill(&mut self, tick: Tick, columns: &CharacterColumns, before: Option<&Moment>, stride_m: f32) {
        let stride_steps = stride_m * STEPS_PER_M;
        let cell_m = before.map_or(self.grid.cell_m(), Moment::next_cell_m);
        if cell_m != self.grid.cell_m() {
            self.grid.set_cells(cell_m);
        }
        (self.tick, self.stride_m) = (tick, stride_m);
        self.net_ids.clone_from(&columns.net_ids);
        self.feet_steps.clear();
        self.feet_steps.extend(columns.states.iter().map(|state| state.position));
        self.grid.rebuild(&columns.positions_m);
        let Moment { net_ids, feet_steps, grid, blocks, leapt, .. } = self;
        blocks.clear();
        blocks.resize(net_ids.len().div_ceil(LANES), Block::NOBODY);
        leapt.clear();
        for (place, &row) in grid.sorted_rows().iter().enumerate() {
            let (net_id, feet_steps) = (net_ids[row as usize], feet_steps[row as usize]);
            let before_steps = before.and_then(|before| before.feet_steps(net_id, row as usize)).unwrap_or(feet_steps);
            let pose = Pose::new(net_id, columns.archetypes[row as usize], feet_steps, before_steps);
            let has_leapt = pose.has_leapt(stride_steps);
            blocks[place / LANES].put(place % LANES, &pose, has_leapt);
            if has_leapt {
                leapt.push(pose);
            }
        }
    }

    /// What size of cells would have suited it, in metres.
    fn next_cell_m(&self) -> f32 {
        let (cell_m, together) = (self.grid.cell_m(), self.grid.crowding());
        if together > TOGETHER_MAX {
            (cell_m / 2.0).max(self.cell_m_min)
        } else if together < TOGETHER_MIN {
            (cell_m * 2.0).min(CELL_M_MAX.max(cell_m))
        } else {
            cell_m
        }
    }

    /// Has the blocks that have a run of places brought near; see [`throng_shared::memory::fetch`].
    pub(super) fn fetch_blocks(&self, run: &Range<usize>) {
        for block in &self.blocks[Moment::blocks_of(run)] {
            fetch(&block.x);
            fetch(&block.y);
        }
    }

    /// The blocks that have a run of places: [`LANES`] of them each.
    pub(super) fn blocks_of(run: &Range<usize>) -> Range<usize> {
        run.start / LANES..run.end.div_ceil(LANES)
    }

    /// Where those of a block were, so much of a tick earlier.
    #[inline]
    pub(super) fn points_m(&self, block: usize, earlier_ticks: f32) -> Points {
        self.blocks[block].points_m(earlier_ticks)
    }

    /// The bodies of those of a block, who were at these points so much of a tick earlier.
    #[inline]
    pub(super) fn capsules(&self, block: usize, points_m: &Points, earlier_ticks: f32, bodies: &Bodies) -> Capsules {
        let block = &self.blocks[block];
        let each: [Body; LANES] = std::array::from_fn(|lane| bodies.of(block.archetype(lane)));
        Capsules {
            x_m: points_m.x_m,
            y_m: block.heights_m(earlier_ticks),
            z_m: points_m.z_m,
            radius_m: f32x8::new(each.map(|body| body.radius_m)),
            height_m: f32x8::new(each.map(|body| body.height_m)),
        }
    }

    /// The feet of whoever stands at a place, so much of a tick earlier, in metres.
    pub(super) fn feet_at_m(&self, place: usize, earlier_ticks: f32) -> Vec3 {
        self.blocks[place / LANES].feet_m(place % LANES, earlier_ticks)
    }

    /// Who stands at a place.
    pub(super) fn net_id(&self, place: usize) -> NetId {
        self.blocks[place / LANES].net_ids[place % LANES]
    }

    /// Of which archetype whoever stands at a place is.
    pub(super) fn archetype(&self, place: usize) -> Archetype {
        self.blocks[place / LANES].archetype(place % LANES)
    }

    /// The lanes of a block that stand among [`Moment::leapt`], as bits.
    pub(super) fn leapt_lanes(&self, block: usize) -> u32 {
        self.blocks[block].leapt_lanes()
    }

    /// Whether whoever stands at a place stands among [`Moment::leapt`].
    pub(super) fn has_leapt(&self, place: usize) -> bool {
        self.blocks[place / LANES].has_leapt(place % LANES)
    }

    /// Where somebody stood, whose row was `row` in the next tick: as long as nobody comes or goes it is the same.
    pub(super) fn feet_steps(&self, net_id: NetId, row: usize) -> Option<IVec3> {
        let is_same = self.net_ids.get(row) == Some(&net_id);
        let row = if is_same { Some(row) } else { self.net_ids.binary_search(&net_id).ok() };
        row.map(|row| self.feet_steps[row])
    }
}
