//! Static boxes and cylinders, found through a coarse grid.

use glam::Vec2;

use super::Terrain;
use crate::combat::{CellWalk, Ray};
use crate::config::{ObstacleConfig, ObstacleShapeConfig};

/// A static obstacle: an outline on the ground plane, raised from `bottom_m` to `top_m`.
#[derive(Clone, Debug, PartialEq)]
pub struct Obstacle {
    /// Centre (x, z), in metres.
    pub center_m: Vec2,
    /// Its outline.
    pub outline: Outline,
    /// Height of its underside, in metres; below the ground, so that nothing slips under it on a slope.
    pub bottom_m: f32,
    /// Height of its top, in metres.
    pub top_m: f32,
}

/// Outline of an obstacle on the ground plane.
#[derive(Clone, Debug, PartialEq)]
pub enum Outline {
    /// A rectangle turned about its centre.
    Box {
        /// Half its extents along its own axes, in metres.
        half_size_m: Vec2,
        /// Its own x axis in world coordinates, of length 1.
        axis_x: Vec2,
    },
    /// A circle.
    Circle {
        /// Radius in metres.
        radius_m: f32,
    },
}

impl Obstacle {
    /// Places a configured obstacle on the ground.
    pub fn on_terrain(config: &ObstacleConfig, terrain: &Terrain) -> Obstacle {
        let outline = match &config.shape {
            ObstacleShapeConfig::Box { size_m, yaw_deg } => {
                let (sin, cos) = libm::sincosf(yaw_deg.to_radians());
                Outline::Box { half_size_m: *size_m / 2.0, axis_x: Vec2::new(cos, sin) }
            }
            ObstacleShapeConfig::Cylinder { radius_m } => Outline::Circle { radius_m: *radius_m },
        };
        let ground_m = terrain.height_m(config.center_m);
        let reach_m = outline.reach_m();
        Obstacle {
            center_m: config.center_m,
            outline,
            bottom_m: ground_m - 2.0 * reach_m - 1.0,
            top_m: ground_m + config.height_m,
        }
    }

    /// The shortest move that takes a disc out of this outline; none when they do not touch.
    pub fn push_out(&self, disc_center_m: Vec2, disc_radius_m: f32) -> Option<Vec2> {
        let offset = disc_center_m - self.center_m;
        match self.outline {
            Outline::Circle { radius_m } => {
                let reach = radius_m + disc_radius_m;
                let distance = offset.length();
                if distance >= reach {
                    return None;
                }
                let direction = if distance > 1e-4 { offset / distance } else { Vec2::X };
                Some(direction * (reach - distance))
            }
            Outline::Box { half_size_m, axis_x } => {
                let axis_z = axis_x.perp();
                let local = Vec2::new(offset.dot(axis_x), offset.dot(axis_z));
                let push = push_out_of_rectangle(local, half_size_m, disc_radius_m)?;
                Some(axis_x * push.x + axis_z * push.y)
            }
        }
    }
}

impl Outline {
    /// Farthest point of the outline from its centre, in metres.
    pub fn reach_m(&self) -> f32 {
        match self {
            Outline::Box { half_size_m, .. } => half_size_m.length(),
            Outline::Circle { radius_m } => *radius_m,
        }
    }
}

/// As [`Obstacle::push_out`], for a rectangle around the origin.
fn push_out_of_rectangle(point: Vec2, half_size: Vec2, radius: f32) -> Option<Vec2> {
    let nearest = point.clamp(-half_size, half_size);
    let outward = point - nearest;
    let distance = outward.length();
    if distance >= radius {
        return None;
    }
    if distance > 1e-4 {
        return Some(outward * ((radius - distance) / distance));
    }
    // The centre is inside: leave by the nearest side.
    let depth = half_size - point.abs();
    if depth.x < depth.y {
        Some(Vec2::new((depth.x + radius).copysign(point.x), 0.0))
    } else {
        Some(Vec2::new(0.0, (depth.y + radius).copysign(point.y)))
    }
}

/// All obstacles of a world.
#[derive(Clone, Debug)]
pub struct Obstacles {
    all: Vec<Obstacle>,
    /// For each cell, row by row, as bits, whether anything touches it: so few that they stay in the cache, and mostly all
    /// that has to be looked at.
    cells_with_any: Vec<u64>,
    /// For each cell the range of `indices` that lists what touches it.
    cell_starts: Vec<u32>,
    indices: Vec<u32>,
    side: usize,
    half_size_m: f32,
}

/// Side of a lookup cell, in metres. A character and its step together are smaller.
const CELL_M: f32 = 8.0;
/// Room around an obstacle within which it is listed in a cell, in metres: the widest capsule, and a little more, so
/// that looking into the one cell of a character's centre finds all that it can touch.
const MARGIN_M: f32 = 4.0;

impl Obstacles {
    /// Indexes `all` for a square world of side `size_m`.
    pub fn new(size_m: f32, all: Vec<Obstacle>) -> Obstacles {
        let side = (size_m / CELL_M).ceil().max(1.0) as usize;
        let half_size_m = size_m / 2.0;
        let mut cells: Vec<Vec<u32>> = vec![Vec::new(); side * side];
        let cell_of = |coordinate_m: f32| (((coordinate_m + half_size_m) / CELL_M).max(0.0) as usize).min(side - 1);
        for (index, obstacle) in all.iter().enumerate() {
            let reach = Vec2::splat(obstacle.outline.reach_m() + MARGIN_M);
            let (low, high) = (obstacle.center_m - reach, obstacle.center_m + reach);
            for row in cell_of(low.y)..=cell_of(high.y) {
                for column in cell_of(low.x)..=cell_of(high.x) {
                    cells[row * side + column].push(index as u32);
                }
            }
        }
        let mut cells_with_any = vec![0; cells.len().div_ceil(64)];
        let mut cell_starts = Vec::with_capacity(cells.len() + 1);
        let mut indices = Vec::new();
        for (number, cell) in cells.iter().enumerate() {
            cells_with_any[number / 64] |= u64::from(!cell.is_empty()) << (number % 64);
            cell_starts.push(indices.len() as u32);
            indices.extend_from_slice(cell);
        }
        cell_starts.push(indices.len() as u32);
        Obstacles { all, cells_with_any, cell_starts, indices, side, half_size_m }
    }

    /// The obstacles within 4 m of a point (x, z), and perhaps some farther ones.
    pub fn near(&self, point_m: Vec2) -> impl Iterator<Item = &Obstacle> {
        self.of_cell(self.cell_of(point_m))
    }

    fn of_cell(&self, cell: usize) -> impl Iterator<Item = &Obstacle> {
        let range = match self.has_any(cell) {
            true => self.cell_starts[cell] as usize..self.cell_starts[cell + 1] as usize,
            false => 0..0,
        };
        self.indices[range].iter().map(|&index| &self.all[index as usize])
    }

    /// Calls `visit` for the obstacles near a ray, those near its beginning first, until `visit` says that something is met before
    /// the others begin. Some are visited more than once.
    pub(crate) fn for_each_along(&self, ray: &Ray, mut visit: impl FnMut(&Obstacle) -> Option<f32>) {
        let Some((from_m, end_m)) = ray.over_square_m(self.half_size_m) else { return };
        let mut walk = CellWalk::new(self.half_size_m, CELL_M, self.side, ray, from_m);
        loop {
            let cell = walk.row() * self.side + walk.column();
            let mut met_m: Option<f32> = None;
            self.of_cell(cell).for_each(|obstacle| met_m = visit(obstacle));
            let to_m = walk.leaves_at_m();
            if to_m >= end_m || met_m.is_some_and(|met_m| met_m <= to_m) {
                return;
            }
            walk.step();
        }
    }

    fn cell_of(&self, point_m: Vec2) -> usize {
        let axis =
            |coordinate_m: f32| (((coordinate_m + self.half_size_m) / CELL_M).max(0.0) as usize).min(self.side - 1);
        axis(point_m.y) * self.side + axis(point_m.x)
    }

    fn has_any(&self, cell: usize) -> bool {
        self.cells_with_any[cell / 64] >> (cell % 64) & 1 == 1
    }

    /// Whether nothing can be nearer to a point (x, z) than this, whatever its height. False when that is not known: near
    /// obstacles, and for more than 4 m.
    pub fn is_clear(&self, point_m: Vec2, distance_m: f32) -> bool {
        distance_m <= MARGIN_M && !self.has_any(self.cell_of(point_m))
    }

    /// Whether a disc (of a radius up to 4 m) touches any outline, whatever the heights.
    pub fn touches(&self, center_m: Vec2, radius_m: f32) -> bool {
        self.near(center_m).any(|obstacle| obstacle.push_out(center_m, radius_m).is_some())
    }

    /// All of them, in the order of the world file.
    pub fn all(&self) -> &[Obstacle] {
        &self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(center_m: Vec2, half_size_m: Vec2, yaw_rad: f32) -> Obstacle {
        let (sin, cos) = libm::sincosf(yaw_rad);
        let outline = Outline::Box { half_size_m, axis_x: Vec2::new(cos, sin) };
        Obstacle { center_m, outline, bottom_m: -1.0, top_m: 2.0 }
    }

    #[test]
    fn a_pushed_disc_no_longer_touches() {
        let mut random = crate::random::Random::new(3, 0);
        let obstacle = boxed(Vec2::new(1.0, 2.0), Vec2::new(3.0, 0.5), 0.7);
        let mut touched = 0;
        for _ in 0..10_000 {
            let center = obstacle.center_m + random.in_disc(5.0);
            if let Some(push) = obstacle.push_out(center, 0.4) {
                touched += 1;
                assert!(obstacle.push_out(center + push, 0.399).is_none(), "still touching from {center}");
            }
        }
        assert!(touched > 1000);
    }

    #[test]
    fn the_grid_finds_what_a_full_scan_finds() {
        let mut random = crate::random::Random::new(4, 0);
        let all: Vec<Obstacle> = (0..200)
            .map(|_| {
                let half_size = Vec2::new(random.between(0.2, 12.0), random.between(0.2, 3.0));
                let center = Vec2::new(random.between(-100.0, 100.0), random.between(-100.0, 100.0));
                boxed(center, half_size, random.between(0.0, 6.0))
            })
            .collect();
        let indexed = Obstacles::new(200.0, all.clone());
        for _ in 0..5_000 {
            let point = Vec2::new(random.between(-99.0, 105.0), random.between(-105.0, 99.0));
            let scan = all.iter().any(|obstacle| obstacle.push_out(point, 0.5).is_some());
            assert_eq!(indexed.touches(point, 0.5), scan, "at {point}");
            let reach_m = random.between(0.2, 5.0);
            let is_near = all.iter().any(|obstacle| obstacle.push_out(point, reach_m).is_some());
            assert!(!(indexed.is_clear(point, reach_m) && is_near), "{reach_m} m around {point}");
        }
    }
}
