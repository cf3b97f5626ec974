//! From cell to cell of a grid along a ray.

use super::Ray;

/// The cells of a square grid around the origin that a ray goes over, one after another.
///
/// After Amanatides and Woo, "A Fast Voxel Traversal Algorithm for Ray Tracing" (1987): a comparison and an addition per cell.
pub(crate) struct CellWalk {
    /// Column and row, and what they change by: -1, 0 or 1.
    cell: [i32; 2],
    step: [i32; 2],
    /// How far along the ray it next leaves its column and its row, and how far that is from one to the next, in metres.
    leaves_m: [f32; 2],
    apart_m: [f32; 2],
    last: i32,
}

impl CellWalk {
    /// Begins in the cell that a ray is in at a distance, in a grid of so many cells along a side.
    pub(crate) fn new(half_size_m: f32, cell_m: f32, side: usize, ray: &Ray, from_m: f32) -> CellWalk {
        let last = side as i32 - 1;
        let start_m = ray.point_m(from_m);
        let axis = |origin_m: f32, start_m: f32, direction: f32| {
            let cell = (((start_m + half_size_m) / cell_m) as i32).clamp(0, last);
            if direction.abs() < 1e-9 {
                return (cell, 0, f32::INFINITY, f32::INFINITY);
            }
            let (step, edge) = if direction > 0.0 { (1, cell + 1) } else { (-1, cell) };
            let leaves_m = (edge as f32 * cell_m - half_size_m - origin_m) / direction;
            (cell, step, leaves_m, cell_m / direction.abs())
        };
        let x = axis(ray.origin_m.x, start_m.x, ray.direction.x);
        let z = axis(ray.origin_m.z, start_m.z, ray.direction.z);
        CellWalk { cell: [x.0, z.0], step: [x.1, z.1], leaves_m: [x.2, z.2], apart_m: [x.3, z.3], last }
    }

    /// Of the cell.
    pub(crate) fn column(&self) -> usize {
        self.cell[0] as usize
    }

    /// Of the cell.
    pub(crate) fn row(&self) -> usize {
        self.cell[1] as usize
    }

    /// How far along the ray the cell ends, in metres.
    pub(crate) fn leaves_at_m(&self) -> f32 {
        self.leaves_m[0].min(self.leaves_m[1])
    }

    /// Goes to the next cell; beyond the grid's edge, it stays.
    pub(crate) fn step(&mut self) {
        let axis = usize::from(self.leaves_m[1] < self.leaves_m[0]);
        self.leaves_m[axis] += self.apart_m[axis];
        self.cell[axis] = (self.cell[axis] + self.step[axis]).clamp(0, self.last);
    }
}
