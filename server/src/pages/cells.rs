//! The cells of a world, and how far away they are.

use std::ops::RangeInclusive;

use glam::Vec2;
use throng_shared::quantised::STEPS_PER_M;

/// A square world, cut into square cells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cells {
    side: usize,
    cell_m: f32,
    half_size_m: f32,
}

/// Number of a cell: rows from north to south, and west to east within them.
pub(crate) type Cell = u32;

/// Smallest side of a cell, in metres: smaller ones would have more of headers than of characters.
const CELL_M_MIN: f32 = 16.0;

/// Largest side of a cell, in metres: whoever is in it has a place that its page can tell.
const CELL_M_MAX: f32 = 960.0;

/// Cells along the enter radius.
pub(crate) const CELLS_PER_RADIUS: f32 = 1.2;

/// How far beyond its cell's edge a character must be to change its cell, in metres: whoever walks along an edge would otherwise
/// be told anew again and again.
pub(crate) const EDGE_M: f32 = 1.0;

const _: () = assert!(CELL_M_MAX / 2.0 + EDGE_M < i16::MAX as f32 / STEPS_PER_M);

impl Cells {
    /// Cells suited to an enter radius, both in metres.
    pub(crate) fn new(size_m: f32, enter_radius_m: f32) -> Cells {
        let cell_m = (enter_radius_m / CELLS_PER_RADIUS).clamp(CELL_M_MIN, CELL_M_MAX);
        let side = ((size_m / cell_m).ceil() as usize).max(1);
        Cells { side, cell_m, half_size_m: size_m / 2.0 }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.side * self.side
    }

    /// The cell of a point (x, z); beyond the world's edge the one that is nearest.
    pub(crate) fn at(&self, point_m: Vec2) -> Cell {
        (self.axis(point_m.y) * self.side + self.axis(point_m.x)) as Cell
    }

    /// Side of a cell, in metres.
    pub(crate) fn cell_m(&self) -> f32 {
        self.cell_m
    }

    /// The middle of a cell.
    pub(crate) fn center_m(&self, cell: Cell) -> Vec2 {
        self.center_of(cell as usize % self.side, cell as usize / self.side)
    }

    /// Calls `visit` for each cell in which somebody can be within `radius_m` of a point, in the order of their numbers.
    pub(crate) fn for_each_within(&self, point_m: Vec2, radius_m: f32, mut visit: impl FnMut(Cell, f32)) {
        let reach_m = radius_m + EDGE_M;
        for row in self.range(point_m.y, reach_m) {
            for column in self.range(point_m.x, reach_m) {
                let cell = (row * self.side + column) as Cell;
                let distance_squared_m2 = distance_squared_m2(self.center_of(column, row), self.cell_m / 2.0, point_m);
                if distance_squared_m2 <= radius_m * radius_m {
                    visit(cell, distance_squared_m2);
                }
            }
        }
    }

    /// How much farther than a radius somebody can be whose cell is within it.
    pub(crate) fn overshoot_m(&self) -> f32 {
        (self.cell_m + 2.0 * EDGE_M) * std::f32::consts::SQRT_2
    }

    fn range(&self, center_m: f32, reach_m: f32) -> RangeInclusive<usize> {
        self.axis(center_m - reach_m)..=self.axis(center_m + reach_m)
    }

    fn axis(&self, coordinate_m: f32) -> usize {
        (((coordinate_m + self.half_size_m) / self.cell_m).max(0.0) as usize).min(self.side - 1)
    }

    fn center_of(&self, column: usize, row: usize) -> Vec2 {
        Vec2::new(column as f32 + 0.5, row as f32 + 0.5) * self.cell_m - Vec2::splat(self.half_size_m)
    }
}

/// Squared distance from a point to the nearest place where somebody can be who is in the square around `center_m` with sides of twice
/// `half_m`; beyond the world's edge nobody is.
pub(crate) fn distance_squared_m2(center_m: Vec2, half_m: f32, point_m: Vec2) -> f32 {
    let apart_m = ((point_m - center_m).abs() - Vec2::splat(half_m + EDGE_M)).max(Vec2::ZERO);
    apart_m.length_squared()
}

/// Whether somebody at a point stays in the square that it was in.
pub(crate) fn keeps(center_m: Vec2, half_m: f32, point_m: Vec2) -> bool {
    distance_squared_m2(center_m, half_m, point_m) == 0.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whoever_is_within_a_radius_is_in_a_cell_that_is_visited_and_whose_distance_is_no_longer(
            size_m in 64.0f32..2_000.0, radius_m in 8.0f32..300.0, share in [0.0f32..1.0, 0.0..1.0, -1.2..1.2, -1.2..1.2],
        ) {
            let cells = Cells::new(size_m, radius_m);
            let anchor_m = (Vec2::new(share[0], share[1]) - 0.5) * size_m;
            let other_m = anchor_m + Vec2::new(share[2], share[3]) * radius_m;
            prop_assume!(other_m.abs().max_element() <= size_m / 2.0);
            let cell = cells.at(other_m);
            prop_assert!(keeps(cells.center_m(cell), cells.cell_m / 2.0, other_m) && (cell as usize) < cells.count());
            let mut visited = Vec::new();
            cells.for_each_within(anchor_m, radius_m, |cell, distance_squared_m2| visited.push((cell, distance_squared_m2)));
            prop_assert!(visited.is_sorted_by(|a, b| a.0 < b.0));
            let found = visited.iter().find(|(visited, _)| *visited == cell);
            let distance_m = anchor_m.distance(other_m);
            if distance_m <= radius_m {
                prop_assert!(found.is_some_and(|(_, squared_m2)| squared_m2.sqrt() <= distance_m), "{found:?}, {distance_m}");
            } else if distance_m > radius_m + cells.overshoot_m() {
                prop_assert_eq!(found, None);
            }
        }
    }

    #[test]
    fn whoever_walks_along_an_edge_stays_in_its_cell() {
        let cells = Cells::new(200.0, 40.0 * CELLS_PER_RADIUS);
        let cell = cells.at(Vec2::new(-20.1, 0.5));
        assert_ne!(cell, cells.at(Vec2::new(-19.9, 0.5)));
        let keeps = |x_m| keeps(cells.center_m(cell), cells.cell_m / 2.0, Vec2::new(x_m, 0.5));
        assert!(keeps(-20.0 + 0.9 * EDGE_M) && !keeps(-20.0 + 1.1 * EDGE_M));
    }
}
