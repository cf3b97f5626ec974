//! The volumes that a shot can hit.

use glam::{Vec2, Vec3};
use wide::f32x8;

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
        let [hit_m, ..] = Capsules::alike(self).first_hits_m(ray).to_array();
        (hit_m <= ray.length_m).then_some(hit_m)
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

/// A ray of which a metre is less than the root of this as seen from above stays where it is: it enters no column beside it.
const SQUARE_MIN: f32 = 1e-20;

/// Eight of them, to be looked at together.
#[derive(Clone, Copy, Debug)]
pub struct Capsules {
    /// Middles of the feet, in metres.
    pub x_m: f32x8,
    /// Height of the feet, in metres.
    pub y_m: f32x8,
    /// As for x.
    pub z_m: f32x8,
    /// Radii, in metres.
    pub radius_m: f32x8,
    /// Heights from the feet to the top of the head, in metres; each at least twice the radius.
    pub height_m: f32x8,
}

impl Capsules {
    fn alike(capsule: &Capsule) -> Capsules {
        let Capsule { feet_m, radius_m, height_m } = *capsule;
        let [x_m, y_m, z_m, radius_m, height_m] = [feet_m.x, feet_m.y, feet_m.z, radius_m, height_m].map(f32x8::splat);
        Capsules { x_m, y_m, z_m, radius_m, height_m }
    }

    /// How far along a ray each is first met, in metres: 0 for a ray that begins inside, and infinitely far for one that is not met.
    ///
    /// A ray enters the endless column that a capsule is a piece of, or begins within. Where the capsule fills the column it is met there; beyond one of
    /// its ends only the ball there can be the first of it that is met.
    pub fn first_hits_m(&self, ray: &Ray) -> f32x8 {
        let none = f32x8::splat(f32::INFINITY);
        let [origin_x_m, origin_y_m, origin_z_m] = ray.origin_m.to_array().map(f32x8::splat);
        let [along_x, along_y, along_z] = ray.direction.to_array().map(f32x8::splat);
        let (away_x_m, away_z_m) = (origin_x_m - self.x_m, origin_z_m - self.z_m);
        let squared_radius_m2 = self.radius_m * self.radius_m;

        let outside = away_x_m * away_x_m + away_z_m * away_z_m - squared_radius_m2;
        let (square, half) = (along_x * along_x + along_z * along_z, away_x_m * along_x + away_z_m * along_z);
        // How far aside it goes, by a cross product: the difference of two large squares would be off by decimetres a kilometre away.
        let aside_m = away_x_m * along_z - away_z_m * along_x;
        let root = square * squared_radius_m2 - aside_m * aside_m;
        let enters = square.simd_ge(SQUARE_MIN) & half.simd_lt(0.0) & root.simd_ge(0.0);
        let entry_m = enters.select((-half - root.fast_max(f32x8::ZERO).sqrt()) / square, none);
        let entry_m = outside.simd_le(0.0).select(f32x8::ZERO, entry_m);

        // Of what is infinitely far away nothing below makes less; no number is above no end.
        let entry_y_m = origin_y_m + along_y * entry_m;
        let low_m = self.y_m + self.radius_m;
        let high_m = self.y_m + (self.height_m - self.radius_m).fast_max(self.radius_m);
        let is_beyond = entry_y_m.simd_lt(low_m) | entry_y_m.simd_gt(high_m);
        let end_m = entry_y_m.simd_lt(low_m).select(low_m, high_m);

        let away_y_m = origin_y_m - end_m;
        let outside = away_x_m * away_x_m + away_y_m * away_y_m + away_z_m * away_z_m - squared_radius_m2;
        let half = away_x_m * along_x + away_y_m * along_y + away_z_m * along_z;
        let (aside_x_m, aside_y_m) = (away_y_m * along_z - away_z_m * along_y, away_z_m * along_x - away_x_m * along_z);
        let aside_z_m = away_x_m * along_y - away_y_m * along_x;
        let root = squared_radius_m2 - (aside_x_m * aside_x_m + aside_y_m * aside_y_m + aside_z_m * aside_z_m);
        let is_met = half.simd_lt(0.0) & root.simd_ge(0.0) & entry_m.simd_lt(none);
        let ball_m = is_met.select((-half - root.fast_max(f32x8::ZERO).sqrt()).fast_max(f32x8::ZERO), none);
        let ball_m = (outside.simd_le(0.0) & entry_m.simd_le(0.0)).select(f32x8::ZERO, ball_m);

        let hit_m = is_beyond.select(ball_m, entry_m);
        hit_m.simd_le(ray.length_m).select(hit_m, none)
    }
}
