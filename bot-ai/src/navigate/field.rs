//! The ways to one destination from everywhere around it, found at once.

use glam::{IVec2, Vec2};

use throng_shared::random::mix;

use super::cells::{Cells, DIRECTIONS, opposite};

/// How far around its destination a field reaches, in cells, along both axes.
const REACH_CELLS: i32 = 192;

/// Most cells of a field.
pub(super) const CELLS_MAX: u32 = ((2 * REACH_CELLS + 1) * (2 * REACH_CELLS + 1)) as u32;

/// What a step costs: five to a side, seven to a corner, 1.4 times as much where there is little room, so that who can choose keeps off
/// the walls.
const COSTS: [[u32; 2]; 2] = [[5, 7], [7, 10]];
/// How many ways around a town there are to the same place: the shortest, and others that some prefer, as everybody has streets of one's
/// own. Otherwise a whole crowd would take the same door.
pub(super) const TASTES: u32 = 3;
/// Side of the quarters that are liked more or less, in cells.
const QUARTER_CELLS: i32 = 20;
/// By how many quarters of its cost a step can be dearer where nobody of a taste likes to go.
const DISLIKE_MAX: u32 = 2;
/// More than the dearest step, so that as many lists hold all that is still to be gone on from.
const LISTS: usize = 16;
const _: () = assert!(LISTS > (COSTS[1][1] + COSTS[1][1] * DISLIKE_MAX / 4) as usize);

/// No way leads from there.
const NOWHERE: u8 = u8::MAX;
/// There is the destination.
const HERE: u8 = DIRECTIONS.len() as u8;

/// What a step in this direction costs that is gone on with from a cell with or without room.
pub(super) fn step_cost(direction: usize, is_roomy: bool) -> u32 {
    COSTS[usize::from(!is_roomy)][direction % 2]
}

/// How much more a step costs to those of a taste, in quarters: nothing to those of the first.
fn dislike(taste: u32, cell: IVec2) -> u32 {
    let quarter = cell / QUARTER_CELLS;
    let drawn = mix(u64::from(taste) << 32 | (quarter.y as u64) << 16 | quarter.x as u64);
    if taste == 0 { 0 } else { (drawn >> 32) as u32 % (DISLIKE_MAX + 1) }
}

/// For each cell around a destination, which of its neighbours is nearer. A byte per cell: 150 kB.
#[derive(Debug)]
pub(super) struct Field {
    low: IVec2,
    size: IVec2,
    steps: Box<[u8]>,
}

impl Field {
    /// The ways to `destination_m` of those of a taste, by the algorithm of Dijkstra, with as many lists instead of a heap as a step can cost (Dial, 1969).
    /// Cost: some 10 ms.
    pub(super) fn new(cells: &Cells, destination_m: Vec2, taste: u32) -> Field {
        let middle = cells.cell_at(destination_m);
        let low = (middle - REACH_CELLS).max(IVec2::ZERO);
        let size = (middle + REACH_CELLS + 1).min(IVec2::splat(cells.side())) - low;
        let mut field = Field { low, size, steps: vec![NOWHERE; (size.x * size.y) as usize].into() };
        let Some(start) = cells.cell_to_set_out(destination_m) else { return field };
        let mut costs = vec![u32::MAX; field.steps.len()];
        let mut lists: [Vec<IVec2>; LISTS] = Default::default();
        lists[0].push(start);
        if let Some(place) = field.place(start) {
            (costs[place], field.steps[place]) = (0, HERE);
        }
        let (mut cost, mut waiting) = (0, 1);
        while waiting > 0 {
            let mut list = std::mem::take(&mut lists[cost as usize % LISTS]);
            waiting -= list.len();
            for cell in list.drain(..) {
                if field.place(cell).is_none_or(|place| costs[place] != cost) {
                    continue;
                }
                let (links, is_roomy, dislike) = (cells.links(cell), cells.is_roomy(cell), dislike(taste, cell));
                for direction in (0..DIRECTIONS.len()).filter(|direction| links >> direction & 1 == 1) {
                    let next = cell + DIRECTIONS[direction];
                    let Some(place) = field.place(next) else { continue };
                    let step = step_cost(direction, is_roomy);
                    let next_cost = cost + step + step * dislike / 4;
                    if next_cost < costs[place] {
                        (costs[place], field.steps[place]) = (next_cost, opposite(direction) as u8);
                        lists[next_cost as usize % LISTS].push(next);
                        waiting += 1;
                    }
                }
            }
            lists[cost as usize % LISTS] = list;
            cost += 1;
        }
        field
    }

    /// The cells from one to the destination, without the first, as many as fit; `false` when no way is known.
    pub(super) fn trace(&self, from: IVec2, cells_max: usize, way: &mut Vec<IVec2>) -> bool {
        let mut cell = from;
        for _ in 0..cells_max {
            match self.place(cell).map_or(NOWHERE, |place| self.steps[place]) {
                NOWHERE => return false,
                HERE => return true,
                direction => cell += DIRECTIONS[usize::from(direction)],
            }
            way.push(cell);
        }
        true
    }

    fn place(&self, cell: IVec2) -> Option<usize> {
        let offset = cell - self.low;
        let is_inside = offset.cmpge(IVec2::ZERO).all() && offset.cmplt(self.size).all();
        is_inside.then_some((offset.y * self.size.x + offset.x) as usize)
    }
}
