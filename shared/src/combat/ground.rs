//! Where a ray meets the ground.

use glam::Vec2;

use super::Ray;
use crate::map::Terrain;

impl Terrain {
    /// How far along a ray it goes into the ground, in metres; 0 for one that begins there. Beyond the world's edge there is none.
    ///
    /// Goes over the ground cell by cell: within one the height along the ray is a polynomial of the second degree, whose first root is
    /// looked for.
    pub fn first_hit_m(&self, ray: &Ray) -> Option<f32> {
        let (mut from_m, end_m) = ray.over_square_m(self.half_size_m())?;
        let above_m = |distance_m: f32| {
            let point_m = ray.point_m(distance_m);
            point_m.y - self.height_m(Vec2::new(point_m.x, point_m.z))
        };
        let mut from_above_m = above_m(from_m);
        while from_m < end_m {
            if from_above_m < 0.0 {
                return Some(from_m);
            }
            let to_m = ray.end_of_cell_m(self.half_size_m(), self.cell_m(), from_m).min(end_m);
            let to_above_m = above_m(to_m);
            let middle_above_m = above_m(0.5 * (from_m + to_m));
            if let Some(share) = first_root(from_above_m, middle_above_m, to_above_m) {
                return Some(from_m + (to_m - from_m) * share);
            }
            (from_m, from_above_m) = (to_m, to_above_m);
        }
        (from_above_m < 0.0).then_some(from_m)
    }
}

/// Where a parabola with these values at 0, one half and 1 first becomes negative, if it does.
fn first_root(start: f32, middle: f32, end: f32) -> Option<f32> {
    let square = 2.0 * (start + end) - 4.0 * middle;
    let linear = end - start - square;
    if square.abs() < 1e-6 * (start.abs() + end.abs() + middle.abs()) {
        return (end < 0.0).then(|| (start / (start - end)).clamp(0.0, 1.0));
    }
    let root = linear * linear - 4.0 * square * start;
    if root < 0.0 {
        return None;
    }
    // Neither root by a difference of what is nearly the same.
    let half = -0.5 * (linear + root.sqrt().copysign(linear));
    let (one, other) = (half / square, if half == 0.0 { 0.0 } else { start / half });
    let first =
        |from: f32, to: f32| [from.min(to), from.max(to)].into_iter().find(|&share| (0.0..=1.0).contains(&share));
    // A root that only touches is one too: the ground is there.
    first(one, other).filter(|_| end < 0.0 || square > 0.0)
}
