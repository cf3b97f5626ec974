//! Where a ray meets the ground.

use glam::Vec2;

use super::Ray;
use super::cell_walk::CellWalk;
use crate::map::Terrain;

impl Terrain {
    /// How far along a ray it goes into the ground, in metres; 0 for one that begins there. Beyond the world's edge there is none.
    ///
    /// Goes over the ground cell by cell. Most lie lower than the ray with all their corners; over the others the height along the ray is a polynomial of the second degree, whose first root is looked for.
    pub fn first_hit_m(&self, ray: &Ray) -> Option<f32> {
        let (mut from_m, end_m) = ray.over_square_m(self.half_size_m())?;
        let mut walk = CellWalk::new(self.half_size_m(), self.cell_m(), self.side() - 1, ray, from_m);
        loop {
            let to_m = walk.leaves_at_m().min(end_m);
            let lowest_m = ray.point_m(from_m).y.min(ray.point_m(to_m).y);
            if lowest_m <= self.highest_corner_m(walk.column(), walk.row())
                && let Some(hit_m) = self.first_hit_between_m(ray, from_m, to_m)
            {
                return Some(hit_m);
            }
            if to_m >= end_m {
                return None;
            }
            from_m = to_m;
            walk.step();
        }
    }

    /// The same for a part of a ray that is over one cell.
    fn first_hit_between_m(&self, ray: &Ray, from_m: f32, to_m: f32) -> Option<f32> {
        let above_m = |distance_m: f32| {
            let point_m = ray.point_m(distance_m);
            point_m.y - self.height_m(Vec2::new(point_m.x, point_m.z))
        };
        let from_above_m = above_m(from_m);
        if from_above_m < 0.0 {
            return Some(from_m);
        }
        let share = first_root(from_above_m, above_m(0.5 * (from_m + to_m)), above_m(to_m))?;
        Some(from_m + (to_m - from_m) * share)
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
