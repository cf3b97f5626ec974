//! One way from one place to another, by A*.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use glam::IVec2;

use super::cells::{CELL_M, Cells, DIRECTIONS, opposite};
use super::field::step_cost;

/// How far around its start a search looks, in cells, along both axes.
const REACH_CELLS: i32 = 96;
const SIDE: i32 = 2 * REACH_CELLS + 1;
/// Most cells that a search goes on from until it takes the best that it has found.
const CELLS_MAX: u32 = 8_192;

/// What a search has found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found {
    /// Whether the way leads to the goal, rather than as near as can be seen.
    pub(super) is_whole: bool,
    /// How many cells it went on from.
    pub(super) cells: u32,
}

/// What searches need while they run, used again by the next one.
#[derive(Debug, Default)]
pub(super) struct Search {
    nodes: Box<[Node]>,
    open: BinaryHeap<Reverse<(u32, u32, u32)>>,
    number: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    /// Of which search it is.
    search: u32,
    cost: u32,
    from: u8,
    is_done: bool,
}

impl Search {
    /// The cells from `start` to `goal`, without the first; or to the one nearest to `goal` that can be reached. Cost: some 100 ns for
    /// each cell that it goes on from, of which there are 8,192 at most.
    pub(super) fn find(&mut self, cells: &Cells, start: IVec2, goal: IVec2, way: &mut Vec<IVec2>) -> Found {
        self.begin();
        let low = start - REACH_CELLS;
        let place_of = |cell: IVec2| {
            let offset = cell - low;
            let is_inside = offset.cmpge(IVec2::ZERO).all() && offset.cmplt(IVec2::splat(SIDE)).all();
            is_inside.then_some((offset.y * SIDE + offset.x) as u32)
        };
        let cell_of = |place: u32| low + IVec2::new(place as i32 % SIDE, place as i32 / SIDE);
        let start_place = (REACH_CELLS * SIDE + REACH_CELLS) as u32;
        self.reach(start_place, 0, u8::MAX, estimate(start, goal));
        let (mut best, mut best_left) = (start_place, estimate(start, goal));
        let mut found = Found { is_whole: false, cells: 0 };
        while let Some(Reverse((_, _, place))) = self.open.pop() {
            let node = &mut self.nodes[place as usize];
            if node.is_done {
                continue;
            }
            node.is_done = true;
            let (cost, cell) = (node.cost, cell_of(place));
            let left = estimate(cell, goal);
            if left < best_left {
                (best, best_left) = (place, left);
            }
            found.is_whole = cell == goal;
            if found.is_whole || found.cells == CELLS_MAX {
                break;
            }
            found.cells += 1;
            let (links, is_roomy) = (cells.links(cell), cells.is_roomy(cell));
            for direction in (0..DIRECTIONS.len()).filter(|direction| links >> direction & 1 == 1) {
                let next = cell + DIRECTIONS[direction];
                let Some(place) = place_of(next) else { continue };
                let cost = cost + step_cost(direction, is_roomy);
                self.reach(place, cost, opposite(direction) as u8, estimate(next, goal));
            }
        }
        let first = way.len();
        let mut place = best;
        while place != start_place {
            let cell = cell_of(place);
            way.push(cell);
            place = place_of(cell + DIRECTIONS[usize::from(self.nodes[place as usize].from)]).unwrap_or(start_place);
        }
        way[first..].reverse();
        found
    }

    /// Forgets the last search.
    fn begin(&mut self) {
        self.open.clear();
        self.number = self.number.wrapping_add(1);
        if self.nodes.is_empty() || self.number == 0 {
            self.nodes = vec![Node::default(); (SIDE * SIDE) as usize].into();
            self.number = 1;
        }
    }

    /// Notes a way to a place, if it is the first or cheaper.
    fn reach(&mut self, place: u32, cost: u32, from: u8, left: u32) {
        let node = &mut self.nodes[place as usize];
        if node.search != self.number || cost < node.cost {
            *node = Node { search: self.number, cost, from, is_done: false };
            // Of equally good ones first the one that is nearer to the goal.
            self.open.push(Reverse((cost + left, left, place)));
        }
    }
}

/// What a way costs at least.
fn estimate(from: IVec2, to: IVec2) -> u32 {
    let apart = (to - from).abs();
    let (long, short) = (apart.max_element() as u32, apart.min_element() as u32);
    5 * long + 2 * short
}

const _: () = assert!(CELL_M == 1.0, "costs are counted in cells of a metre");
