//! Where pages are of: the cells of the world, and the parts of those that a crowd is in.
//!
//! What is told of a crowd is told by nearness, and a cell is too large for that when hundreds are in it. Such a cell is split
//! into parts, each with pages of its own, until it is nearly empty again.

use std::ops::Range;

use glam::Vec2;

use super::cells::{Cell, Cells};

/// Number of an area: first the cells, then the parts of those that were split once.
pub(crate) type Area = u32;

/// No page, and no parts.
pub(super) const NONE: u32 = u32::MAX;

/// How a cell is split: the more are in it, the finer.
#[derive(Clone, Copy, Debug)]
struct Level {
    /// More characters than this are too many for the level before.
    above: u32,
    /// Fewer than this are too few for this one. Far below, for everybody in the cell is told anew.
    below: u32,
    /// Parts along the side.
    side: usize,
}

/// Parts that are evenly filled have 3 to 16 characters, and only the finest more: of the nearest fifty, most are in a few of them.
const LEVELS: [Level; 5] = [
    Level { above: 0, below: 0, side: 1 },
    Level { above: 96, below: 48, side: 4 },
    Level { above: 256, below: 160, side: 8 },
    Level { above: 768, below: 512, side: 12 },
    Level { above: 1_152, below: 832, side: 16 },
];

/// Smallest side of a part, in metres: whoever walks leaves a smaller one too soon.
const PART_M_MIN: f32 = 4.0;

/// All areas of a world.
#[derive(Debug)]
pub(crate) struct Areas {
    cells: Cells,
    /// Parts along the side of a cell, by level.
    sides: [usize; LEVELS.len()],
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
    /// First part of a cell by level: itself when it is whole.
    parts: [u32; LEVELS.len()],
    level: u8,
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
            parts: [cell, NONE, NONE, NONE, NONE],
            level: 0,
        };
        let finest = (cells.cell_m() / PART_M_MIN).floor().max(1.0) as usize;
        Areas {
            sides: LEVELS.map(|level| level.side.min(finest)),
            areas: (0..cells.count() as Cell).map(area).collect(),
            to_review: Vec::new(),
            cells,
        }
    }

    /// The cells of the world, whole.
    pub(super) fn cells(&self) -> &Cells {
        &self.cells
    }

    /// The area that somebody at a point (x, z) belongs into.
    pub(super) fn at(&self, point_m: Vec2) -> Area {
        let cell = self.cells.at(point_m);
        let state = &self.areas[cell as usize];
        if state.level == 0 {
            return cell;
        }
        let (AreaState { center_m, half_m, .. }, side) = (*state, self.sides[usize::from(state.level)]);
        let place = ((point_m - center_m + half_m) / (2.0 * half_m / side as f32)).max(Vec2::ZERO);
        let place = place.min(Vec2::splat(side as f32 - 1.0));
        state.first_part() + place.y as u32 * side as u32 + place.x as u32
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
        if state.characters > state.most() {
            self.to_review.push(cell);
        }
    }

    /// Somebody has gone from an area.
    pub(super) fn leave(&mut self, area: Area) {
        let cell = self.areas[area as usize].cell;
        let state = &mut self.areas[cell as usize];
        state.characters -= 1;
        if state.characters < state.fewest() {
            self.to_review.push(cell);
        }
    }

    /// Splits the cells that have become too full, and joins the parts of those that are too empty. Calls `retire` for each area whose pages must
    /// be left, and `revive` for each that takes characters from now on.
    pub(super) fn review(&mut self, mut retire: impl FnMut(Area), mut revive: impl FnMut(Area)) {
        while let Some(cell) = self.to_review.pop() {
            let state = self.areas[cell as usize];
            let mut level = usize::from(state.level);
            while LEVELS.get(level + 1).is_some_and(|finer| state.characters > finer.above) {
                level += 1;
            }
            while state.characters < LEVELS[level].below {
                level -= 1;
            }
            if level == usize::from(state.level) {
                continue;
            }
            if self.sides[level] == self.sides[usize::from(state.level)] {
                // The same parts, in a world whose cells are too small for finer ones.
                let parts = state.first_part();
                let state = &mut self.areas[cell as usize];
                (state.parts[level], state.level) = (parts, level as u8);
                continue;
            }
            self.parts(cell).for_each(&mut retire);
            if state.parts[level] == NONE {
                self.add_parts(cell, level);
            }
            self.areas[cell as usize].level = level as u8;
            self.parts(cell).for_each(&mut revive);
        }
    }

    /// The areas of a cell.
    fn parts(&self, cell: Cell) -> Range<Area> {
        let state = &self.areas[cell as usize];
        let side = self.sides[usize::from(state.level)] as u32;
        state.first_part()..state.first_part() + side * side
    }

    fn add_parts(&mut self, cell: Cell, level: usize) {
        let (whole, side) = (self.areas[cell as usize], self.sides[level]);
        self.areas[cell as usize].parts[level] = self.areas.len() as u32;
        let part_m = 2.0 * whole.half_m / side as f32;
        for place in 0..side * side {
            let corner_m = Vec2::new((place % side) as f32, (place / side) as f32) * part_m - whole.half_m;
            let center_m = whole.center_m + corner_m + part_m / 2.0;
            self.areas.push(AreaState { center_m, half_m: part_m / 2.0, first_page: NONE, ..whole });
        }
    }

    /// Calls `visit` for each area in which somebody can be within `radius_m` of a point, with the squared distance to the
    /// nearest place where that can be: cells in the order of their numbers, a split one by its parts. Says whether any is split.
    pub(crate) fn for_each_within(&self, point_m: Vec2, radius_m: f32, mut visit: impl FnMut(Area, f32)) -> bool {
        let mut is_any_split = false;
        self.cells.for_each_within(point_m, radius_m, |cell, distance_squared_m2| {
            if self.areas[cell as usize].level == 0 {
                return visit(cell, distance_squared_m2);
            }
            is_any_split = true;
            for part in self.parts(cell) {
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

impl AreaState {
    fn first_part(&self) -> Area {
        self.parts[usize::from(self.level)]
    }

    /// Most characters that a cell may have as it is.
    fn most(&self) -> u32 {
        LEVELS.get(usize::from(self.level) + 1).map_or(u32::MAX, |finer| finer.above)
    }

    /// Fewest characters that a cell may have as it is.
    fn fewest(&self) -> u32 {
        LEVELS[usize::from(self.level)].below
    }
}
