//! The ground: a square grid of heights, interpolated bilinearly.

use std::hint::black_box;

use fastnoise_lite::{FastNoiseLite, FractalType, NoiseType};
use glam::Vec2;

/// Heights over a square centred on the origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Terrain {
    /// Row by row from north (-z) to south, each from west (-x) to east; `side * side` of them, in metres.
    heights_m: Vec<f32>,
    side: usize,
    cell_m: f32,
    /// One over `cell_m`.
    cells_per_m: f32,
    half_size_m: f32,
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
        Terrain { heights_m, side, cell_m, cells_per_m: 1.0 / cell_m, half_size_m: size_m / 2.0 }
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
        let first = row * self.side + column;
        let (north, south) =
            (&self.heights_m[first..first + 2], &self.heights_m[first + self.side..first + self.side + 2]);
        north[0].max(north[1]).max(south[0].max(south[1]))
    }

    /// Has the ground at points (x, z) brought near: what has to come from far away comes together, while looking at one point
    /// after another waits for each.
    pub fn fetch(&self, points_m: impl Iterator<Item = Vec2>) {
        for point_m in points_m {
            let (first, _) = self.place(point_m);
            black_box((self.heights_m[first], self.heights_m[first + self.side]));
        }
    }

    /// The number of the height north-west of a point, and where between it and its neighbours the point lies.
    fn place(&self, point_m: Vec2) -> (usize, Vec2) {
        let last = (self.side - 1) as f32;
        let scaled = ((point_m + self.half_size_m) * self.cells_per_m).clamp(Vec2::ZERO, Vec2::splat(last));
        let column = (scaled.x as usize).min(self.side - 2);
        let row = (scaled.y as usize).min(self.side - 2);
        (row * self.side + column, scaled - Vec2::new(column as f32, row as f32))
    }

    fn patch(&self, point_m: Vec2) -> Patch {
        let (first, share) = self.place(point_m);
        let heights = &self.heights_m;
        let corners_m =
            [heights[first], heights[first + 1], heights[first + self.side], heights[first + self.side + 1]];
        Patch { corners_m, share }
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
    fn a_wrong_number_of_heights_is_refused() {
        assert_eq!(Terrain::from_samples(2.0, 3, vec![0.0; 8]), Err(TerrainError { side: 3, found: 8 }));
    }

    #[test]
    fn procedural_hills_depend_on_the_seed_and_stay_in_range() {
        let hills = Hills { height_min_m: -5.0, height_max_m: 20.0, feature_m: 50.0, octaves: 3 };
        let terrain = Terrain::procedural(1, 200.0, 2.0, hills);
        assert_eq!(terrain, Terrain::procedural(1, 200.0, 2.0, hills));
        assert_ne!(terrain, Terrain::procedural(2, 200.0, 2.0, hills));
        assert!(terrain.heights_m.iter().all(|height| (-5.0..=20.0).contains(height)));
    }
}
