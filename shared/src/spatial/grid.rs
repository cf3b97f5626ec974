//! A uniform grid, rebuilt each tick by counting sort.

use std::ops::{Range, RangeInclusive};

use glam::Vec2;
use wide::f32x8;

/// Rows of [`super::CharacterColumns`] sorted by cell, so that a query reads memory in order.
///
/// Rebuilding is O(rows + cells); a query is O(cells touched + rows in them).
#[derive(Clone, Debug)]
#[cfg_attr(feature = "ecs", derive(bevy_ecs::prelude::Resource))]
pub struct Grid {
    side: usize,
    /// One less than `side`.
    last_cell: f32,
    cell_m: f32,
    /// One over `cell_m`.
    cells_per_m: f32,
    half_size_m: f32,
    /// Where each cell's rows start in the sorted columns; one more than there are cells.
    starts: Vec<u32>,
    sorted_rows: Vec<u32>,
    /// Where each stands (x, z), and anything behind the last, so that [`LANES`] can be read from anywhere.
    sorted_x_m: Vec<f32>,
    sorted_z_m: Vec<f32>,
    cell_of_row: Vec<u32>,
}

/// Rows whose distances are looked at together.
const LANES: usize = 8;

/// How much farther than asked a query looks for cells: what is found is measured, but a sum that was rounded must not leave out
/// the cell of somebody whose distance is rounded to just within. Far more than coordinates of a map are rounded by.
const ROUNDING_M: f32 = 0.01;

/// A row found by a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Row in the columns that the grid was built from.
    pub row: u32,
    /// Squared distance to the query's centre, in square metres.
    pub distance_squared_m2: f32,
}

/// A run of places in one grid row near a line; see [`Grid::runs_along`].
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// The places.
    pub places: Range<usize>,
    /// From which share of the line on somebody of the row can be near it.
    pub from_share: f32,
}

/// Runs of places near a line, one for each grid row and in the order in which the line goes over them; see [`Grid::runs_along`].
#[derive(Clone, Debug)]
pub struct RunsAlong<'g> {
    grid: &'g Grid,
    from_m: Vec2,
    way_m: Vec2,
    /// One over the line's extent across rows, or no number for one along a row.
    per_way_m: f32,
    reach_m: f32,
    rows: RangeInclusive<usize>,
}

/// Most cells along one side, so that a small radius in a large world does not cost memory for empty cells.
const SIDE_MAX: usize = 1_024;

impl Grid {
    /// An empty grid over a square world around the origin, with cells suited to queries of `radius_m`.
    pub fn new(size_m: f32, radius_m: f32) -> Grid {
        Grid::with_cells(size_m, (radius_m / 4.0).max(size_m / SIDE_MAX as f32).max(1.0))
    }

    /// An empty grid with cells of this size.
    pub fn with_cells(size_m: f32, cell_m: f32) -> Grid {
        let mut grid = Grid {
            side: 0,
            last_cell: 0.0,
            cell_m,
            cells_per_m: 0.0,
            half_size_m: size_m / 2.0,
            starts: Vec::new(),
            sorted_rows: Vec::new(),
            sorted_x_m: Vec::new(),
            sorted_z_m: Vec::new(),
            cell_of_row: Vec::new(),
        };
        grid.set_cells(cell_m);
        grid
    }

    /// Gives it cells of another size, and empties it; what memory it has, it keeps.
    pub fn set_cells(&mut self, cell_m: f32) {
        self.side = ((2.0 * self.half_size_m / cell_m).ceil() as usize).max(1);
        self.last_cell = (self.side - 1) as f32;
        (self.cell_m, self.cells_per_m) = (cell_m, 1.0 / cell_m);
        self.starts.clear();
        self.starts.resize(self.side * self.side + 1, 0);
        self.sorted_rows.clear();
    }

    /// Side of a cell, in metres.
    pub fn cell_m(&self) -> f32 {
        self.cell_m
    }

    /// Replaces the contents; row `i` is at `positions_m[i]`.
    pub fn rebuild(&mut self, positions_m: &[Vec2]) {
        self.starts.fill(0);
        self.cell_of_row.clear();
        for &position_m in positions_m {
            let cell = self.axis(position_m.y) * self.side + self.axis(position_m.x);
            self.cell_of_row.push(cell as u32);
            self.starts[cell + 1] += 1;
        }
        for cell in 1..self.starts.len() {
            self.starts[cell] += self.starts[cell - 1];
        }
        self.sorted_rows.resize(positions_m.len(), 0);
        self.sorted_x_m.resize(positions_m.len() + LANES, f32::INFINITY);
        self.sorted_z_m.resize(positions_m.len() + LANES, f32::INFINITY);
        // Filled from the back, which moves each cell's end down to its start: afterwards `starts[c + 1]` holds the
        // start of cell `c`, and one shift puts the table right.
        for row in (0..positions_m.len()).rev() {
            let end = &mut self.starts[self.cell_of_row[row] as usize + 1];
            *end -= 1;
            self.sorted_rows[*end as usize] = row as u32;
            self.sorted_x_m[*end as usize] = positions_m[row].x;
            self.sorted_z_m[*end as usize] = positions_m[row].y;
        }
        self.starts.copy_within(1.., 0);
        if let Some(last) = self.starts.last_mut() {
            *last = positions_m.len() as u32;
        }
    }

    /// Number of rows within `radius_m` of a point: as many as [`Grid::for_each_within`] finds.
    pub fn count_within(&self, center_m: Vec2, radius_m: f32) -> usize {
        let mut count = 0;
        self.for_each_lanes_within(center_m, radius_m, |_, _, within| count += within.count_ones());
        count as usize
    }

    /// Calls `found` for each row within `radius_m` of a point, in the grid's order: cell by cell, rising rows within
    /// each.
    pub fn for_each_within(&self, center_m: Vec2, radius_m: f32, mut found: impl FnMut(Hit)) {
        self.for_each_lanes_within(center_m, radius_m, |first, distances_squared_m2, mut within| {
            if within == 0 {
                return;
            }
            let distances_squared_m2 = distances_squared_m2.to_array();
            while within != 0 {
                let lane = within.trailing_zeros() as usize;
                within &= within - 1;
                found(Hit { row: self.sorted_rows[first + lane], distance_squared_m2: distances_squared_m2[lane] });
            }
        });
    }

    /// Calls `visit` for [`LANES`] places at a time around a point, with the first of them, how far from the point each is, squared, and which of
    /// them are within `radius_m`, as bits.
    #[inline]
    fn for_each_lanes_within(&self, center_m: Vec2, radius_m: f32, mut visit: impl FnMut(usize, f32x8, u32)) {
        let (center_x_m, center_z_m) = (f32x8::splat(center_m.x), f32x8::splat(center_m.y));
        let radius_squared_m2 = f32x8::splat(radius_m * radius_m);
        let lanes_from = |axis_m: &[f32], first: usize| {
            f32x8::new(*axis_m[first..].first_chunk::<LANES>().unwrap_or(&[f32::INFINITY; LANES]))
        };
        let (rows, columns) = self.reach(center_m, radius_m);
        for row in rows {
            let run = self.run(row, columns.clone());
            for first in run.clone().step_by(LANES) {
                let x_m = lanes_from(&self.sorted_x_m, first) - center_x_m;
                let z_m = lanes_from(&self.sorted_z_m, first) - center_z_m;
                let distances_squared_m2 = x_m * x_m + z_m * z_m;
                // Those behind the run's end are in other cells.
                let in_run = (1 << (run.end - first).min(LANES)) - 1;
                visit(
                    first,
                    distances_squared_m2,
                    distances_squared_m2.simd_le(radius_squared_m2).to_bitmask() & in_run,
                );
            }
        }
    }

    /// How many rows are in the cell of a row, on average and with itself; 0 for none. O(cells).
    pub fn crowding(&self) -> f32 {
        let squares = self.starts.windows(2).map(|cell| u64::from(cell[1] - cell[0]).pow(2));
        squares.sum::<u64>() as f32 / self.sorted_rows.len().max(1) as f32
    }

    /// The rows in the grid's order: cell by cell, rising within each. Their places are what [`Grid::runs_along`] speaks of.
    pub fn sorted_rows(&self) -> &[u32] {
        &self.sorted_rows
    }

    /// Runs of places that have everybody within `radius_m` of a line from one point to another, and others near it: O(grid rows that it goes over).
    pub fn runs_along(&self, from_m: Vec2, to_m: Vec2, radius_m: f32) -> RunsAlong<'_> {
        let (reach_m, way_m) = (radius_m + ROUNDING_M, to_m - from_m);
        let rows = self.axis(from_m.y.min(to_m.y) - reach_m)..=self.axis(from_m.y.max(to_m.y) + reach_m);
        let per_way_m = if way_m.y.abs() > 1e-6 { 1.0 / way_m.y } else { f32::NAN };
        RunsAlong { grid: self, from_m, way_m, per_way_m, reach_m, rows }
    }

    /// The cells, as rows and columns, in which somebody within `radius_m` can be, rounding included.
    fn reach(&self, center_m: Vec2, radius_m: f32) -> (Range<usize>, Range<usize>) {
        let reach_m = radius_m + ROUNDING_M;
        let along = |center_m: f32| self.axis(center_m - reach_m)..self.axis(center_m + reach_m) + 1;
        (along(center_m.y), along(center_m.x))
    }

    /// The sorted places of a run of neighbouring cells in one grid row, which are contiguous.
    fn run(&self, row: usize, columns: Range<usize>) -> Range<usize> {
        let first = row * self.side;
        self.starts[first + columns.start] as usize..self.starts[first + columns.end] as usize
    }

    fn axis(&self, coordinate_m: f32) -> usize {
        // By way of 32 bits, for which processors have an instruction; no number is the first.
        ((coordinate_m + self.half_size_m) * self.cells_per_m).max(0.0).min(self.last_cell) as i32 as usize
    }
}

impl RunsAlong<'_> {
    fn of_row(&self, row: usize) -> Run {
        let RunsAlong { grid, from_m, way_m, per_way_m, reach_m, .. } = *self;
        let edge_m = row as f32 * grid.cell_m - grid.half_size_m;
        // The outermost cells have whoever is beyond the edge.
        let low_m = if row == 0 { f32::NEG_INFINITY } else { edge_m - reach_m };
        let high_m = if row + 1 == grid.side { f32::INFINITY } else { edge_m + grid.cell_m + reach_m };
        // The part of the line whose surroundings the row has; the least and the greatest of no number and a number is the number.
        let (low, high) = ((low_m - from_m.y) * per_way_m, (high_m - from_m.y) * per_way_m);
        let (first, last) = (low.min(high).max(0.0), high.max(low).min(1.0));
        let (one_m, other_m) = (from_m.x + way_m.x * first, from_m.x + way_m.x * last);
        let columns = grid.axis(one_m.min(other_m) - reach_m)..grid.axis(one_m.max(other_m) + reach_m) + 1;
        Run { places: grid.run(row, columns), from_share: first }
    }
}

impl Iterator for RunsAlong<'_> {
    type Item = Run;

    fn next(&mut self) -> Option<Run> {
        let row = if self.way_m.y < 0.0 { self.rows.next_back() } else { self.rows.next() };
        row.map(|row| self.of_row(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn whoever_is_just_within_a_rounded_reach_is_found_beyond_the_edge_of_a_cell() {
        let radius_m = 100.0;
        let mut random = Random::new(12, 0);
        for _ in 0..20_000 {
            let mut grid = Grid::new(1_000.0, random.between(90.0, 130.0));
            // At the edge of a cell, and as far from its neighbour as the reach, give or take the last bits of both.
            let edge_m = (random.below(grid.side as u32 - 1) as f32 + 1.0) * grid.cell_m - grid.half_size_m;
            let nudged = |number: f32, by: u32| f32::from_bits(number.to_bits().wrapping_add(by).wrapping_sub(4));
            let at_m = Vec2::new(nudged(edge_m, random.below(9)), 0.0);
            let center_m = Vec2::new(nudged(at_m.x - radius_m, random.below(9)), 0.0);
            grid.rebuild(&[at_m]);
            let is_near = at_m.distance_squared(center_m) <= radius_m * radius_m;
            assert_eq!(grid.count_within(center_m, radius_m), usize::from(is_near), "{at_m} from {center_m}");
        }
    }

    #[test]
    fn a_line_finds_everybody_near_it_in_few_runs() {
        let mut random = Random::new(12, 0);
        for (size_m, cell_m) in [(100.0, 4.0), (1_000.0, 50.0), (64.0, 1.0)] {
            let mut at = |share: f32| Vec2::new(random.between(-share, share), random.between(-share, share)) * size_m;
            let positions: Vec<Vec2> = (0..500).map(|_| at(0.5)).collect();
            let lines: Vec<[Vec2; 2]> = (0..200).map(|_| [at(0.6), at(0.6)]).collect();
            let mut grid = Grid::with_cells(size_m, cell_m);
            grid.rebuild(&positions);
            let mut visited = 0;
            for (number, &[from_m, to_m]) in lines.iter().enumerate() {
                // Along the axes, and no line at all, too.
                let to_m = [to_m, Vec2::new(from_m.x, to_m.y), Vec2::new(to_m.x, from_m.y), from_m][number % 4];
                let runs: Vec<Run> = grid.runs_along(from_m, to_m, 3.0).collect();
                assert!(runs.is_sorted_by_key(|run| run.from_share), "in the line's order: {runs:?}");
                let found: std::collections::BTreeMap<u32, f32> = runs
                    .iter()
                    .flat_map(|run| grid.sorted_rows()[run.places.clone()].iter().map(|&row| (row, run.from_share)))
                    .collect();
                visited += found.len();
                for (row, &position_m) in positions.iter().enumerate() {
                    let share = (position_m - from_m).dot(to_m - from_m) / from_m.distance_squared(to_m).max(1e-9);
                    let share = share.clamp(0.0, 1.0);
                    let is_near = position_m.distance(from_m.lerp(to_m, share)) <= 3.0;
                    let is_found = found.get(&(row as u32)).is_some_and(|from_share| *from_share <= share + 1e-4);
                    assert!(!is_near || is_found, "{position_m} from {from_m} to {to_m}: {runs:?}");
                }
            }
            assert!(visited < 200 * 300, "{visited}: the whole world");
        }
    }

    #[test]
    fn cells_of_another_size_find_the_same_in_the_same_memory() {
        let mut random = Random::new(13, 0);
        let positions: Vec<Vec2> =
            (0..300).map(|_| Vec2::new(random.between(-50.0, 50.0), random.between(-50.0, 50.0))).collect();
        let mut grid = Grid::with_cells(100.0, 1.0);
        let (memory, mut rows_together) = (grid.starts.as_ptr(), Vec::new());
        for cell_m in [1.0, 4.0, 33.0, 1.0] {
            grid.set_cells(cell_m);
            assert_eq!((grid.cell_m(), grid.count_within(Vec2::ZERO, 100.0)), (cell_m, 0));
            grid.rebuild(&positions);
            let near = positions.iter().filter(|position_m| position_m.length_squared() <= 400.0).count();
            assert_eq!(grid.count_within(Vec2::ZERO, 20.0), near, "cells of {cell_m} m");
            assert_eq!(grid.starts.as_ptr(), memory);
            rows_together.push(grid.crowding());
        }
        let [small, middle, large, small_again] = rows_together[..] else { panic!("four sizes") };
        assert!(small < middle && middle < large && small == small_again, "{rows_together:?}");
        grid.rebuild(&[Vec2::ZERO; 5]);
        assert_eq!(grid.crowding(), 5.0);
    }

    #[test]
    fn a_query_finds_exactly_what_a_full_scan_finds() {
        let mut random = Random::new(11, 0);
        for (size_m, radius_m, count) in [(100.0, 30.0, 500), (1000.0, 100.0, 2000), (50.0, 200.0, 50), (64.0, 1.0, 0)]
        {
            let half = size_m / 2.0;
            let positions: Vec<Vec2> =
                (0..count).map(|_| Vec2::new(random.between(-half, half), random.between(-half, half))).collect();
            let mut grid = Grid::new(size_m, radius_m);
            grid.rebuild(&[Vec2::ZERO; 3]);
            grid.rebuild(&positions);
            for _ in 0..100 {
                let center = Vec2::new(random.between(-half, half), random.between(-half, half));
                let mut found = Vec::new();
                grid.for_each_within(center, radius_m, |hit| found.push(hit.row));
                found.sort_unstable();
                let scan: Vec<u32> = (0..count as u32)
                    .filter(|&row| positions[row as usize].distance_squared(center) <= radius_m * radius_m)
                    .collect();
                assert_eq!(found, scan);
            }
        }
    }
}
