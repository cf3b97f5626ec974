//! Where a ray meets an obstacle.

use glam::Vec2;

use super::Ray;
use super::ray::slab_m;
use crate::map::{Obstacle, Obstacles, Outline};

impl Obstacle {
    /// How far along a ray it is first met, in metres; 0 for a ray that begins inside.
    pub fn first_hit_m(&self, ray: &Ray) -> Option<f32> {
        let offset = Vec2::new(ray.origin_m.x - self.center_m.x, ray.origin_m.z - self.center_m.y);
        let along = Vec2::new(ray.direction.x, ray.direction.z);
        let (from_m, to_m) = slab_m(ray.origin_m.y, ray.direction.y, self.bottom_m, self.top_m)?;
        let (outline_from_m, outline_to_m) = self.outline.crossing_m(offset, along)?;
        let (from_m, to_m) = (from_m.max(outline_from_m).max(0.0), to_m.min(outline_to_m).min(ray.length_m));
        (from_m <= to_m).then_some(from_m)
    }
}

impl Outline {
    /// Where a line on the ground plane is within it: from, to.
    fn crossing_m(&self, offset: Vec2, along: Vec2) -> Option<(f32, f32)> {
        match *self {
            Outline::Box { half_size_m, axis_x } => {
                let axis_z = axis_x.perp();
                let x = slab_m(offset.dot(axis_x), along.dot(axis_x), -half_size_m.x, half_size_m.x)?;
                let z = slab_m(offset.dot(axis_z), along.dot(axis_z), -half_size_m.y, half_size_m.y)?;
                Some((x.0.max(z.0), x.1.min(z.1)))
            }
            Outline::Circle { radius_m } => {
                let (square, half) = (along.length_squared(), offset.dot(along));
                let outside = offset.length_squared() - radius_m * radius_m;
                if square < 1e-9 {
                    return (outside <= 0.0).then_some((f32::NEG_INFINITY, f32::INFINITY));
                }
                let root = half * half - square * outside;
                let root = (root >= 0.0).then(|| root.sqrt())?;
                Some(((-half - root) / square, (-half + root) / square))
            }
        }
    }
}

impl Obstacles {
    /// How far along a ray the first of them is, in metres.
    pub fn first_hit_m(&self, ray: &Ray) -> Option<f32> {
        let mut first_m: Option<f32> = None;
        self.for_each_along(ray, |obstacle| {
            let hit_m = obstacle.first_hit_m(ray);
            first_m = match (first_m, hit_m) {
                (Some(first_m), Some(hit_m)) => Some(first_m.min(hit_m)),
                (one, other) => one.or(other),
            };
            first_m
        });
        first_m
    }
}
