//! A thousand cells: where to stand in each, and to which neighbours a way leads.

use glam::{IVec2, Vec2};

use super::cells::{CELL_M, CHUNK_SIDE, DIRECTIONS};
use super::footing::Footing;

/// How far from where walls matter a cell is roomy, in metres: half its diagonal, and a little more.
const ROOMY_M: f32 = 0.75 * CELL_M;
/// Steps of a place in a cell, per metre.
const STEPS_PER_M: f32 = 250.0;

/// The cells of a square.
#[derive(Debug)]
pub(super) enum Chunk {
    /// Nothing is in the way in any of them.
    Open,
    /// Something is in some.
    Mixed(Box<Mixed>),
}

/// Cells in some of which something is in the way. Most are plain even so, and those take a bit each.
#[derive(Debug)]
pub(super) struct Mixed {
    /// For each row of cells those that are plain, as bits.
    plain: [u32; CHUNK_SIDE as usize],
    /// How many of the others are before each row.
    before: [u16; CHUNK_SIDE as usize],
    others: Box<[Cell]>,
}

const _: () = assert!(CHUNK_SIDE == u32::BITS as i32);

/// One cell of a chunk in which something is in the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    /// Where to stand, from the middle (x, z), in steps of 4 mm.
    offset: [i8; 2],
    /// To which neighbours a way leads; none from where nobody can stand.
    pub(super) links: u8,
    can_stand: bool,
    pub(super) is_roomy: bool,
}

impl Cell {
    /// One stands in its middle, has room all around, and a way to each neighbour.
    const PLAIN: Cell = Cell { offset: [0; 2], links: u8::MAX, can_stand: true, is_roomy: true };

    pub(super) fn place_m(self, center_m: Vec2) -> Option<Vec2> {
        let offset_m = Vec2::new(f32::from(self.offset[0]), f32::from(self.offset[1])) / STEPS_PER_M;
        self.can_stand.then_some(center_m + offset_m)
    }
}

impl Mixed {
    /// Of all cells, row by row.
    fn new(cells: impl Iterator<Item = Cell>) -> Mixed {
        let (mut plain, mut before) = ([0; CHUNK_SIDE as usize], [0; CHUNK_SIDE as usize]);
        let mut others = Vec::new();
        for (place, cell) in cells.enumerate() {
            let (row, column) = (place / CHUNK_SIDE as usize, place % CHUNK_SIDE as usize);
            if column == 0 {
                before[row] = others.len() as u16;
            }
            if cell == Cell::PLAIN {
                plain[row] |= 1 << column;
            } else {
                others.push(cell);
            }
        }
        Mixed { plain, before, others: others.into() }
    }

    /// The cell at a place (column, row) of the chunk.
    pub(super) fn cell(&self, place: IVec2) -> Cell {
        let (column, row) = (place.x as u32, place.y as usize);
        let plain = self.plain[row];
        if plain >> column & 1 == 1 {
            return Cell::PLAIN;
        }
        let before_in_row = (!plain & ((1 << column) - 1)).count_ones() as usize;
        self.others[usize::from(self.before[row]) + before_in_row]
    }
}

impl Chunk {
    /// The chunk whose first cell is `low`. Cost: some 10 us where it is open, 1 ms among walls.
    pub(super) fn new(footing: &Footing, low: IVec2) -> Chunk {
        // With the neighbours of its outermost cells.
        let side = CHUNK_SIDE + 2;
        let middle_m = footing.center_m(low) + (CHUNK_SIDE - 1) as f32 * 0.5 * CELL_M;
        let has_obstacles = footing.has_obstacles_near(middle_m, side as f32 * 0.5 * CELL_M, ROOMY_M);
        let at = |column: i32, row: i32| low + IVec2::new(column - 1, row - 1);
        let cells = (0..side * side).map(|place| at(place % side, place / side));
        // Each corner once, though four cells have it.
        let bears_corner = |place: i32| {
            let [_, corner_m, ..] = corners(footing.center_m(at(place % (side + 1), place / (side + 1))));
            footing.bears(corner_m, 0.0)
        };
        let is_open = || {
            cells.clone().all(|cell| footing.bears(footing.center_m(cell), 0.0))
                && (0..(side + 1) * (side + 1)).all(bears_corner)
        };
        if !has_obstacles && is_open() {
            return Chunk::Open;
        }
        let all: Vec<Cell> = cells.map(|cell| stand_in(footing, cell)).collect();
        let place_of = |column: i32, row: i32| (row * side + column) as usize;
        let own = (1..=CHUNK_SIDE).flat_map(|row| (1..=CHUNK_SIDE).map(move |column| (column, row)));
        let linked = own.map(|(column, row)| {
            let cell = all[place_of(column, row)];
            let Some(from_m) = cell.place_m(footing.center_m(at(column, row))) else { return cell };
            let has_way = |&direction: &usize| {
                let (column, row) = (column + DIRECTIONS[direction].x, row + DIRECTIONS[direction].y);
                let neighbour = all[place_of(column, row)];
                let to_m = neighbour.place_m(footing.center_m(at(column, row)));
                to_m.is_some_and(|to_m| cell.is_roomy && neighbour.is_roomy || is_way(footing, from_m, to_m))
            };
            let links = (0..DIRECTIONS.len()).filter(has_way).fold(0, |links, direction| links | 1 << direction);
            Cell { links, ..cell }
        });
        Chunk::Mixed(Box::new(Mixed::new(linked)))
    }
}

/// Whether a way leads from one place to another, with one bend at most: the same for the way back, however it is rounded.
fn is_way(footing: &Footing, one_m: Vec2, other_m: Vec2) -> bool {
    let is_in_order = (one_m.x, one_m.y) <= (other_m.x, other_m.y);
    let (from_m, to_m) = if is_in_order { (one_m, other_m) } else { (other_m, one_m) };
    footing.is_straight_way(from_m, to_m, |_| false) || footing.bend_m(from_m, to_m).is_some()
}

fn stand_in(footing: &Footing, cell: IVec2) -> Cell {
    let center_m = footing.center_m(cell);
    if footing.bears(center_m, ROOMY_M) && corners(center_m).iter().all(|&point_m| footing.bears(point_m, 0.0)) {
        return Cell { can_stand: true, is_roomy: true, ..Cell::default() };
    }
    let Some(place_m) = footing.place_m(center_m) else { return Cell::default() };
    let steps = ((place_m - center_m) * STEPS_PER_M).round();
    Cell { offset: [steps.x as i8, steps.y as i8], can_stand: true, ..Cell::default() }
}

/// The middle and the corners of a cell.
fn corners(center_m: Vec2) -> [Vec2; 5] {
    let half_m = 0.5 * CELL_M;
    let corner = |x: f32, z: f32| center_m + Vec2::new(x, z) * half_m;
    [center_m, corner(-1.0, -1.0), corner(1.0, -1.0), corner(-1.0, 1.0), corner(1.0, 1.0)]
}

#[cfg(test)]
mod tests {
    use throng_shared::random::Random;

    use super::*;

    #[test]
    fn each_cell_of_a_chunk_is_found_again() {
        let mut random = Random::new(1, 0);
        for plain_percent in [0.0, 3.0, 50.0, 97.0, 100.0] {
            let some = |random: &mut Random| Cell {
                offset: [random.below(250) as u8 as i8, 0],
                links: random.below(256) as u8,
                can_stand: true,
                is_roomy: random.percent(50.0),
            };
            let cells: Vec<Cell> = (0..CHUNK_SIDE * CHUNK_SIDE)
                .map(|_| if random.percent(plain_percent) { Cell::PLAIN } else { some(&mut random) })
                .collect();
            let mixed = Mixed::new(cells.iter().copied());
            for (place, cell) in (0..).zip(&cells) {
                assert_eq!(mixed.cell(IVec2::new(place % CHUNK_SIDE, place / CHUNK_SIDE)), *cell, "{place}");
            }
            assert_eq!(mixed.others.len(), cells.iter().filter(|cell| **cell != Cell::PLAIN).count());
        }
    }
}
