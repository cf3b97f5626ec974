//! Where pages are of: the cells of the world, and the parts of those that a crowd is in.
//!
//! What is told of a crowd is told by nearness, and a cell is too large for that when hundreds are in it. Such a cell is split
//! into parts, each with pages of its own, until it is nearly empty again.

use glam::Vec2;

use super::cells::{Cell, Cells};

/// Number of an area: first the cells, then the parts of those that were split once.
pub(crate) type Area = u32;

/// No page, and no parts.
pub(super) const NONE: u32 = u32::MAX;

/// A cell with more characters than this is split, and one with fewer than that is whole again: three full pages and one and a
/// half, for everybody in it is told anew.
const SPLIT_ABOVE: u32 = 96;
const MERGE_BELOW: u32 = 48;

/// Smallest side of a part, in metres: whoever walks leaves a smaller one too soon.
const PART_M_MIN: f32 = 8.0;

/// Most parts along the side of a cell.
const PARTS_MAX: f32 = 8.0;

/// All areas of a world.
#[derive(Debug)]
pub(crate) struct Areas {
    cells: Cells,
    parts_side: usize,
    areas: Vec<AreaState>,
    /// Cells that have become full, or nearly empty, since the last review.
    to_review: Vec<Cell>,
}

/// One area.
#[derive(Clone, Copy, Debug)]
struct AreaState {
    center_m: Vec2,
    /// Half its side, in metres.
    half_m: f32,
    first_page: u32,
    /// Its cell, itself for a cell.
    cell: Cell,
    /// Characters of a whole cell, those in its parts included.
    characters: u32,
    /// First part of a cell.
    parts: u32,
    is_split: bool,
}

impl Areas {
    /// The whole cells of a world.
    pub(super) fn new(cells: Cells) -> Areas {
        let area = |cell: Cell| AreaState {
            center_m: cells.center_m(cell),
            half_m: cells.cell_m() / 2.0,
            first_page: NONE,
            cell,
            characters: 0,
            parts: NONE,
            is_split: false,
        };
        Areas {
            parts_side: (cells.cell_m() / PART_M_MIN).floor().clamp(1.0, PARTS_MAX) as usize,
            areas: (0..cells.count() as Cell).map(area).collect(),
            to_review: Vec::new(),
            cells,
        }
    }

    /// The area that somebody at a point (x, z) belongs into.
    pub(super) fn at(&self, point_m: Vec2) -> Area {
        let cell = self.cells.at(point_m);
        let AreaState { center_m, half_m, parts, is_split, .. } = self.areas[cell as usize];
        if !is_split {
            return cell;
        }
        let part_m = 2.0 * half_m / self.parts_side as f32;
        let place =
            ((point_m - center_m + half_m) / part_m).max(Vec2::ZERO).min(Vec2::splat(self.parts_side as f32 - 1.0));
        parts + place.y as u32 * self.parts_side as u32 + place.x as u32
    }

    /// The middle of an area, and half its side, in metres.
    pub(super) fn extent_m(&self, area: Area) -> (Vec2, f32) {
        let AreaState { center_m, half_m, .. } = self.areas[area as usize];
        (center_m, half_m)
    }

    /// Its first page, or [`NONE`].
    pub(super) fn first_page(&self, area: Area) -> u32 {
        self.areas[area as usize].first_page
    }

    pub(super) fn set_first_page(&mut self, area: Area, page: u32) {
        self.areas[area as usize].first_page = page;
    }

    /// Whether an area is a part of a cell.
    pub(super) fn is_part(&self, area: Area) -> bool {
        area as usize >= self.cells.count()
    }

    /// Somebody has come into an area.
    pub(super) fn enter(&mut self, area: Area) {
        let cell = self.areas[area as usize].cell;
        let state = &mut self.areas[cell as usize];
        state.characters += 1;
        if state.characters == SPLIT_ABOVE + 1 {
            self.to_review.push(cell);
        }
    }

    /// Somebody has gone from an area.
    pub(super) fn leave(&mut self, area: Area) {
        let cell = self.areas[area as usize].cell;
        let state = &mut self.areas[cell as usize];
        state.characters -= 1;
        if state.characters + 1 == MERGE_BELOW {
            self.to_review.push(cell);
        }
    }

    /// Splits the cells that have become full, and makes those whole again that are nearly empty. Calls `retire` for each area
    /// whose pages must be left, and `revive` for each that takes characters from now on.
    pub(super) fn review(&mut self, mut retire: impl FnMut(Area), mut revive: impl FnMut(Area)) {
        while let Some(cell) = self.to_review.pop() {
            let AreaState { characters, is_split, .. } = self.areas[cell as usize];
            let parts_count = (self.parts_side * self.parts_side) as u32;
            if !is_split && characters > SPLIT_ABOVE && parts_count > 1 {
                if self.areas[cell as usize].parts == NONE {
                    self.add_parts(cell);
                }
                self.areas[cell as usize].is_split = true;
                let parts = self.areas[cell as usize].parts;
                retire(cell);
                (parts..parts + parts_count).for_each(&mut revive);
            } else if is_split && characters < MERGE_BELOW {
                self.areas[cell as usize].is_split = false;
                let parts = self.areas[cell as usize].parts;
                (parts..parts + parts_count).for_each(&mut retire);
                revive(cell);
            }
        }
    }

    fn add_parts(&mut self, cell: Cell) {
        let whole = self.areas[cell as usize];
        self.areas[cell as usize].parts = self.areas.len() as u32;
        let part_m = 2.0 * whole.half_m / self.parts_side as f32;
        for place in 0..self.parts_side * self.parts_side {
            let (column, row) = (place % self.parts_side, place / self.parts_side);
            let corner_m = Vec2::new(column as f32, row as f32) * part_m - whole.half_m;
            let center_m = whole.center_m + corner_m + part_m / 2.0;
            self.areas.push(AreaState { center_m, half_m: part_m / 2.0, first_page: NONE, parts: NONE, ..whole });
        }
    }

    /// Calls `visit` for each area in which somebody can be within `radius_m` of a point, with the squared distance to the
    /// nearest place where that can be: cells in the order of their numbers, a split one by its parts. Says whether any is split.
    pub(crate) fn for_each_within(&self, point_m: Vec2, radius_m: f32, mut visit: impl FnMut(Area, f32)) -> bool {
        let mut is_any_split = false;
        self.cells.for_each_within(point_m, radius_m, |cell, distance_squared_m2| {
            let AreaState { parts, is_split, .. } = self.areas[cell as usize];
            if !is_split {
                return visit(cell, distance_squared_m2);
            }
            is_any_split = true;
            for part in parts..parts + (self.parts_side * self.parts_side) as u32 {
                let (center_m, half_m) = self.extent_m(part);
                let distance_squared_m2 = super::cells::distance_squared_m2(center_m, half_m, point_m);
                if distance_squared_m2 <= radius_m * radius_m {
                    visit(part, distance_squared_m2);
                }
            }
        });
        is_any_split
    }
}
