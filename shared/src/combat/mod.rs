//! Shots: what a line through the world meets. The server judges with it, and whoever has a receipt can judge again.
//!
//! Only `+ - * /`, `sqrt` and comparisons on `f32` are used, whose results IEEE 754 fixes.

mod capsule;
mod cell_walk;
mod ground;
mod ray;
mod walls;

pub use capsule::{Capsule, Capsules};
pub(crate) use cell_walk::CellWalk;
pub use ray::Ray;

use crate::map::Map;

impl Map {
    /// How far along a ray its first wall is, in metres: the ground, or an obstacle. None when the way is free.
    ///
    /// Cost: O(cells of the ground that the ray goes over + obstacles near it).
    pub fn first_wall_m(&self, ray: &Ray) -> Option<f32> {
        let obstacle_m = self.obstacles.first_hit_m(ray);
        let ray = Ray { length_m: obstacle_m.unwrap_or(ray.length_m), ..*ray };
        self.terrain.first_hit_m(&ray).or(obstacle_m)
    }
}

#[cfg(test)]
mod tests;
