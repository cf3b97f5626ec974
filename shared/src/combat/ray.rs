//! A piece of a straight line.

use glam::{Vec2, Vec3};

/// A line from a point in a direction, so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ray {
    /// Where it begins, in metres.
    pub origin_m: Vec3,
    /// Where it goes, with length 1.
    pub direction: Vec3,
    /// How far, in metres.
    pub length_m: f32,
}

impl Ray {
    /// From a point towards a direction of any length. None when it has none, or a number is not finite.
    pub fn new(origin_m: Vec3, direction: Vec3, length_m: f32) -> Option<Ray> {
        let direction = direction.try_normalize()?;
        (origin_m.is_finite() && length_m.is_finite()).then_some(Ray {
            origin_m,
            direction,
            length_m: length_m.max(0.0),
        })
    }

    /// From one point to another. None when they are the same, or a number is not finite.
    pub fn between(from_m: Vec3, to_m: Vec3) -> Option<Ray> {
        Ray::new(from_m, to_m - from_m, from_m.distance(to_m))
    }

    /// The point so far along it, in metres.
    pub fn point_m(&self, distance_m: f32) -> Vec3 {
        self.origin_m + self.direction * distance_m
    }

    /// The part of it over the square of a world around the origin: from, to, in metres along it. None when it is nowhere over it.
    pub(crate) fn over_square_m(&self, half_size_m: f32) -> Option<(f32, f32)> {
        let x = slab_m(self.origin_m.x, self.direction.x, -half_size_m, half_size_m)?;
        let z = slab_m(self.origin_m.z, self.direction.z, -half_size_m, half_size_m)?;
        let (from_m, to_m) = (x.0.max(z.0).max(0.0), x.1.min(z.1).min(self.length_m));
        (from_m <= to_m).then_some((from_m, to_m))
    }

    /// Its beginning and its end on the ground plane (x, z), in metres.
    pub fn ground_m(&self) -> (Vec2, Vec2) {
        let on_ground = |point_m: Vec3| Vec2::new(point_m.x, point_m.z);
        (on_ground(self.origin_m), on_ground(self.point_m(self.length_m)))
    }
}

/// Where a line that moves by `direction` per metre from `start` is between `low` and `high`, on one axis: from, to. None where it never
/// is.
pub(super) fn slab_m(start: f32, direction: f32, low: f32, high: f32) -> Option<(f32, f32)> {
    if direction.abs() < 1e-9 {
        return (low <= start && start <= high).then_some((f32::NEG_INFINITY, f32::INFINITY));
    }
    let (one, other) = ((low - start) / direction, (high - start) / direction);
    Some((one.min(other), one.max(other)))
}
