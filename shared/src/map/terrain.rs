//! The ground: a square grid of heights, interpolated bilinearly.

use fastnoise_lite::{FastNoiseLite, FractalType, NoiseType};
use glam::Vec2;

use crate::memory::fetch;

/// Heights over a square centred on the origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Terrain {
    /// Row by row from north (-z) to south, each from west (-x) to east; `tiles_side * tiles_side` of them.
    tiles: Vec<Tile>,
    tiles_side: usize,
    /// Heights along a side.
    side: usize,
    cell_m: f32,
    /// One over `cell_m`.
    cells_per_m: f32,
    half_size_m: f32,
}

/// The heights of [`TILE_CELLS`] by [`TILE_CELLS`] cells, in metres, those on every edge included: row by row from north to south, each from west to
/// east.
///
/// Neighbours share an edge and both have it, so that whoever asks for the ground anywhere waits for one line of memory, in one page. In rows of a whole
/// world each place would need two, in two pages, and where a hundred thousand walk nearly all of them come from far away. Costs 16 heights
/// for each 9 cells.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(align(64))]
struct Tile([f32; TILE_HEIGHTS * TILE_HEIGHTS]);

/// Cells along a side of a tile.
const TILE_CELLS: usize = 3;

/// Heights along a side of a tile.
const TILE_HEIGHTS: usize = TILE_CELLS + 1;

/// The ground of one cell, for whoever asks there again: who walks is in the same one for many steps, and what it has at hand need not come from far away.
///
/// Of one terrain only; that of another has to be begun anew.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "ecs", derive(bevy_ecs::prelude::Component))]
pub struct KnownGround {
    /// Number of the cell, from 1; 0 for none.
    cell: u32,
    /// As in [`Patch`].
    corners_m: [f32; 4],
}

/// Why heights were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a terrain of side {side} needs {} heights, not {found}", side * side)]
pub struct TerrainError {
    /// The claimed side.
    pub side: usize,
    /// The number of heights given.
    pub found: usize,
}

/// Shape of a procedural terrain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hills {
    pub(super) height_min_m: f32,
    pub(super) height_max_m: f32,
    pub(super) feature_m: f32,
    pub(super) octaves: u32,
}

impl Terrain {
    /// The same height everywhere.
    pub fn flat(size_m: f32, height_m: f32) -> Terrain {
        Terrain::spread(size_m, 2, vec![height_m; 4])
    }

    /// `side` rows of `side` heights spread over `size_m`: north (-z) first, each from west to east.
    ///
    /// # Errors
    /// When `heights_m` does not hold `side * side` heights, or `side` is below 2.
    pub fn from_samples(size_m: f32, side: usize, heights_m: Vec<f32>) -> Result<Terrain, TerrainError> {
        if side < 2 || heights_m.len() != side * side {
            return Err(TerrainError { side, found: heights_m.len() });
        }
        Ok(Terrain::spread(size_m, side, heights_m))
    }

    fn spread(size_m: f32, side: usize, heights_m: Vec<f32>) -> Terrain {
        let cell_m = size_m / (side - 1) as f32;
        let tiles_side = (side - 1).div_ceil(TILE_CELLS);
        let mut tiles = Vec::with_capacity(tiles_side * tiles_side);
        for tile_row in 0..tiles_side {
            for tile_column in 0..tiles_side {
                // Of the last tiles, what lies beyond the edge is of no use.
                let height_m = |place: usize| {
                    let row = (tile_row * TILE_CELLS + place / TILE_HEIGHTS).min(side - 1);
                    let column = (tile_column * TILE_CELLS + place % TILE_HEIGHTS).min(side - 1);
                    heights_m[row * side + column]
                };
                tiles.push(Tile(std::array::from_fn(height_m)));
            }
        }
        Terrain { tiles, tiles_side, side, cell_m, cells_per_m: 1.0 / cell_m, half_size_m: size_m / 2.0 }
    }

    /// Rolling hills from a seed: fractal simplex noise, the same bits on every platform.
    pub(super) fn procedural(seed: u64, size_m: f32, cell_m: f32, hills: Hills) -> Terrain {
        let side = (size_m / cell_m).ceil().max(1.0) as usize + 1;
        let mut noise = FastNoiseLite::with_seed(crate::random::mix(seed) as i32);
        noise.set_noise_type(Some(NoiseType::OpenSimplex2));
        noise.set_fractal_type(Some(FractalType::FBm));
        noise.set_fractal_octaves(Some(hills.octaves as i32));
        noise.set_frequency(Some(1.0 / hills.feature_m));
        let step_m = size_m / (side - 1) as f32;
        let mut heights_m = Vec::with_capacity(side * side);
        for row in 0..side {
            for column in 0..side {
                let sample = noise.get_noise_2d(column as f32 * step_m, row as f32 * step_m);
                let share = (sample * 0.5 + 0.5).clamp(0.0, 1.0);
                heights_m.push(hills.height_min_m + (hills.height_max_m - hills.height_min_m) * share);
            }
        }
        Terrain::spread(size_m, side, heights_m)
    }

    /// Height of the ground at (x, z), in metres. Outside the terrain, that of its nearest edge.
    pub fn height_m(&self, point_m: Vec2) -> f32 {
        self.patch(point_m).height_m()
    }

    /// Direction of steepest ascent at (x, z); its length is the slope as rise over run.
    pub fn gradient(&self, point_m: Vec2) -> Vec2 {
        self.patch(point_m).gradient(self.cells_per_m)
    }

    /// Slope at (x, z) as rise over run; 1 is 45 degrees.
    pub fn slope(&self, point_m: Vec2) -> f32 {
        self.gradient(point_m).length()
    }

    /// [`Terrain::height_m`] and [`Terrain::slope`], for less than both.
    pub fn height_and_slope(&self, point_m: Vec2) -> (f32, f32) {
        let patch = self.patch(point_m);
        (patch.height_m(), patch.gradient(self.cells_per_m).length())
    }

    /// The same for whoever has been near, and takes note of the cell.
    pub(crate) fn height_and_slope_from(&self, known: &mut KnownGround, point_m: Vec2) -> (f32, f32) {
        let (column, row, share) = self.place(point_m);
        let cell = self.number(column, row);
        if known.cell != cell {
            *known = KnownGround { cell, corners_m: self.corners_m(column, row) };
        }
        debug_assert_eq!(known.corners_m, self.corners_m(column, row), "what is known is of this terrain");
        let patch = Patch { corners_m: known.corners_m, share };
        (patch.height_m(), patch.gradient(self.cells_per_m).length())
    }

    /// Distance between neighbouring heights, in metres.
    pub fn cell_m(&self) -> f32 {
        self.cell_m
    }

    /// Half the side of the square that it covers, in metres.
    pub(crate) fn half_size_m(&self) -> f32 {
        self.half_size_m
    }

    /// Heights along a side.
    pub(crate) fn side(&self) -> usize {
        self.side
    }

    /// The highest place of a cell, in metres: one of its corners.
    pub(crate) fn highest_corner_m(&self, column: usize, row: usize) -> f32 {
        let [north_west, north_east, south_west, south_east] = self.corners_m(column, row);
        north_west.max(north_east).max(south_west.max(south_east))
    }

    /// Has the ground brought near at points (x, z) where it is not known: what has to come from far away comes together, while looking at one point
    /// after another waits for each.
    pub fn fetch<'k>(&self, points: impl Iterator<Item = (&'k KnownGround, Vec2)>) {
        for (known, point_m) in points {
            let (column, row, _) = self.place(point_m);
            if known.cell != self.number(column, row) {
                fetch(self.tile(column, row));
            }
        }
    }

    /// The number of a cell, from 1.
    fn number(&self, column: usize, row: usize) -> u32 {
        (row * (self.side - 1) + column) as u32 + 1
    }

    /// The cell of a point by column and row, and where between its corners the point lies.
    fn place(&self, point_m: Vec2) -> (usize, usize, Vec2) {
        let last = (self.side - 1) as f32;
        let scaled = ((point_m + self.half_size_m) * self.cells_per_m).clamp(Vec2::ZERO, Vec2::splat(last));
        let column = (scaled.x as usize).min(self.side - 2);
        let row = (scaled.y as usize).min(self.side - 2);
        (column, row, scaled - Vec2::new(column as f32, row as f32))
    }

    /// The tile that has a cell.
    fn tile(&self, column: usize, row: usize) -> &Tile {
        &self.tiles[row / TILE_CELLS * self.tiles_side + column / TILE_CELLS]
    }

    /// The heights of a cell's corners: north-west, north-east, south-west, south-east.
    fn corners_m(&self, column: usize, row: usize) -> [f32; 4] {
        let Tile(heights_m) = self.tile(column, row);
        let first = row % TILE_CELLS * TILE_HEIGHTS + column % TILE_CELLS;
        [0, 1, TILE_HEIGHTS, TILE_HEIGHTS + 1].map(|behind| heights_m[first + behind])
    }

    fn patch(&self, point_m: Vec2) -> Patch {
        let (column, row, share) = self.place(point_m);
        Patch { corners_m: self.corners_m(column, row), share }
    }
}

/// The ground between four neighbouring heights, at a point.
struct Patch {
    /// North-west, north-east, south-west, south-east.
    corners_m: [f32; 4],
    /// Where between them the point lies: 0 to 1 along x and z.
    share: Vec2,
}

impl Patch {
    fn height_m(&self) -> f32 {
        let Patch { corners_m: corners, share } = self;
        let north = corners[0] + (corners[1] - corners[0]) * share.x;
        let south = corners[2] + (corners[3] - corners[2]) * share.x;
        north + (south - north) * share.y
    }

    fn gradient(&self, cells_per_m: f32) -> Vec2 {
        let Patch { corners_m: corners, share } = self;
        let x_north = corners[1] - corners[0];
        let x_south = corners[3] - corners[2];
        let z_west = corners[2] - corners[0];
        let z_east = corners[3] - corners[1];
        Vec2::new(x_north + (x_south - x_north) * share.y, z_west + (z_east - z_west) * share.x) * cells_per_m
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_are_interpolated_and_held_beyond_the_edge() {
        let terrain = Terrain::from_samples(2.0, 3, vec![0., 1., 2., 0., 1., 2., 0., 1., 2.]).expect("nine heights");
        assert_eq!(terrain.height_m(Vec2::new(0.5, 0.0)), 1.5);
        assert_eq!(terrain.height_m(Vec2::new(99.0, -99.0)), 2.0);
        assert_eq!(terrain.gradient(Vec2::new(0.3, 0.3)), Vec2::new(1.0, 0.0));
    }

    #[test]
    fn every_cell_has_its_own_corners_wherever_tiles_begin() {
        for side in 2..12 {
            let heights_m: Vec<f32> = (0..side * side).map(|place| place as f32).collect();
            let terrain = Terrain::from_samples(side as f32 - 1.0, side, heights_m.clone()).expect("as many as wanted");
            for (row, column) in (0..side - 1).flat_map(|row| (0..side - 1).map(move |column| (row, column))) {
                let first = row * side + column;
                let corners_m = [first, first + 1, first + side, first + side + 1].map(|place| heights_m[place]);
                assert_eq!(terrain.corners_m(column, row), corners_m, "row {row}, column {column} of side {side}");
            }
        }
    }

    #[test]
    fn a_wrong_number_of_heights_is_refused() {
        assert_eq!(Terrain::from_samples(2.0, 3, vec![0.0; 8]), Err(TerrainError { side: 3, found: 8 }));
    }

    #[test]
    fn procedural_hills_depend_on_the_seed_and_stay_in_range() {
        let hills = Hills { height_min_m: -5.0, height_max_m: 20.0, feature_m: 50.0, octaves: 3 };
        let terrain = Terrain::procedural(1, 200.0, 2.0, hills);
        assert_eq!(terrain, Terrain::procedural(1, 200.0, 2.0, hills));
        assert_ne!(terrain, Terrain::procedural(2, 200.0, 2.0, hills));
        assert!(terrain.tiles.iter().flat_map(|tile| tile.0).all(|height_m| (-5.0..=20.0).contains(&height_m)));
    }
}
