//! The volume that a shot can hit.

use glam::{Vec2, Vec3};

use super::Ray;

/// An upright capsule: all points within its radius of a line from above its feet to below its head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capsule {
    /// Middle of the feet, in metres.
    pub feet_m: Vec3,
    /// Radius, in metres.
    pub radius_m: f32,
    /// Height from the feet to the top of the head, in metres; at least twice the radius.
    pub height_m: f32,
}

impl Capsule {
    /// How far a blow has to reach from somebody who stands upright between its feet and its eyes to meet this, in metres; 0 where it stands inside.
    pub fn blow_distance_m(&self, eyes_m: Vec3, feet_y_m: f32) -> f32 {
        let aside_m = Vec2::new(eyes_m.x - self.feet_m.x, eyes_m.z - self.feet_m.z).length() - self.radius_m;
        let above_m = self.feet_m.y - eyes_m.y;
        let below_m = feet_y_m - (self.feet_m.y + self.height_m);
        Vec2::new(aside_m, above_m.max(below_m)).max(Vec2::ZERO).length()
    }

    /// How far along a ray it is first met, in metres; 0 for a ray that begins inside.
    pub fn first_hit_m(&self, ray: &Ray) -> Option<f32> {
        let Capsule { feet_m, radius_m, height_m } = *self;
        let low_m = feet_m.y + radius_m;
        let high_m = feet_m.y + (height_m - radius_m).max(radius_m);
        let from_m = self.enters_column_m(ray)?;
        let entry_y_m = ray.origin_m.y + ray.direction.y * from_m;
        // It fills the column between its ends. Beyond one of them only the ball there can be the first of it that is met.
        let first_m = if entry_y_m < low_m {
            hit_of_ball_m(ray, feet_m.with_y(low_m), radius_m)?
        } else if entry_y_m > high_m {
            hit_of_ball_m(ray, feet_m.with_y(high_m), radius_m)?
        } else {
            from_m
        };
        (first_m <= ray.length_m).then_some(first_m)
    }

    /// Where a ray enters the endless column that it is a piece of, in metres; 0 for one that begins within. None for who never does.
    fn enters_column_m(&self, ray: &Ray) -> Option<f32> {
        let away = Vec2::new(ray.origin_m.x - self.feet_m.x, ray.origin_m.z - self.feet_m.z);
        let along = Vec2::new(ray.direction.x, ray.direction.z);
        let outside = away.length_squared() - self.radius_m * self.radius_m;
        if outside <= 0.0 {
            return Some(0.0);
        }
        let (square, half) = (along.length_squared(), away.dot(along));
        let root = half * half - square * outside;
        (square >= 1e-9 && half < 0.0 && root >= 0.0).then(|| (-half - root.sqrt()) / square)
    }

    /// How near a ray comes to its middle line, in metres: no more than the radius where it hits. For telling how narrowly it missed.
    pub fn distance_m(&self, ray: &Ray) -> f32 {
        let low_m = self.feet_m + Vec3::Y * self.radius_m;
        let high_m = self.feet_m + Vec3::Y * (self.height_m - self.radius_m).max(self.radius_m);
        // Below, beside and above the line the distance is that to its lower end, its axis, and its upper end; the least of all is where one of
        // these is least.
        let away = Vec2::new(low_m.x - ray.origin_m.x, low_m.z - ray.origin_m.z);
        let along = Vec2::new(ray.direction.x, ray.direction.z);
        let beside_m = away.dot(along) / along.length_squared().max(1e-9);
        let to_ends_m = [low_m, high_m].map(|end_m| (end_m - ray.origin_m).dot(ray.direction));
        let nearest = [beside_m, to_ends_m[0], to_ends_m[1]].map(|along_m| {
            let point_m = ray.point_m(along_m.clamp(0.0, ray.length_m));
            point_m.distance(Vec3::new(low_m.x, point_m.y.clamp(low_m.y, high_m.y), low_m.z))
        });
        nearest.into_iter().fold(f32::INFINITY, f32::min)
    }
}

fn hit_of_ball_m(ray: &Ray, center_m: Vec3, radius_m: f32) -> Option<f32> {
    let away = ray.origin_m - center_m;
    let outside = away.length_squared() - radius_m * radius_m;
    if outside <= 0.0 {
        return Some(0.0);
    }
    let half = away.dot(ray.direction);
    let root = half * half - outside;
    (half < 0.0 && root >= 0.0).then(|| (-half - root.sqrt()).max(0.0))
}
