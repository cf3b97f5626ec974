//! Where a zone is.

use glam::Vec2;

use crate::config::{OutlineConfig, ZoneConfig};
use crate::random::Random;

/// A circle or a rectangle on the ground plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outline {
    /// Its middle (x, z), in metres.
    pub center_m: Vec2,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Circle {
        radius_m: f32,
    },
    /// `axis` is its own x.
    Box {
        half_m: Vec2,
        axis: Vec2,
    },
}

impl Outline {
    /// Around a middle.
    pub fn new(center_m: Vec2, outline: OutlineConfig) -> Outline {
        let form = match outline {
            OutlineConfig::Circle { radius_m } => Form::Circle { radius_m },
            OutlineConfig::Box { size_m, yaw_deg } => {
                let (sin, cos) = libm::sincosf(yaw_deg.to_radians());
                Form::Box { half_m: size_m / 2.0, axis: Vec2::new(cos, sin) }
            }
        };
        Outline { center_m, form }
    }

    /// A circle.
    pub fn circle(center_m: Vec2, radius_m: f32) -> Outline {
        Outline { center_m, form: Form::Circle { radius_m } }
    }

    /// That of a zone.
    pub fn of(zone: &ZoneConfig) -> Outline {
        Outline::new(zone.center_m, zone.outline)
    }

    /// Whether a point (x, z) is in it, its edge included.
    pub fn contains(&self, point_m: Vec2) -> bool {
        self.contains_within(point_m, 0.0)
    }

    /// Whether a point (x, z) is in it, or about as near to it as `margin_m`.
    pub fn contains_within(&self, point_m: Vec2, margin_m: f32) -> bool {
        let offset_m = point_m - self.center_m;
        match self.form {
            Form::Circle { radius_m } => {
                let reach_m = radius_m + margin_m;
                offset_m.length_squared() <= reach_m * reach_m
            }
            Form::Box { half_m, axis } => {
                let local_m = Vec2::new(offset_m.dot(axis), offset_m.dot(axis.perp()));
                local_m.abs().cmple(half_m + margin_m).all()
            }
        }
    }

    /// A point of it, all equally likely.
    pub fn draw(&self, random: &mut Random) -> Vec2 {
        match self.form {
            Form::Circle { radius_m } => self.center_m + random.in_disc(radius_m),
            Form::Box { half_m, axis } => {
                let (x, z) = (random.between(-half_m.x, half_m.x), random.between(-half_m.y, half_m.y));
                self.center_m + axis * x + axis.perp() * z
            }
        }
    }
}

/// The first of `outlines` that a point (x, z) is in.
pub fn zone_at(outlines: &[Outline], point_m: Vec2) -> Option<usize> {
    outlines.iter().position(|outline| outline.contains(point_m))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_turned_box_reaches_along_its_own_axes() {
        let outline = OutlineConfig::Box { size_m: Vec2::new(20.0, 4.0), yaw_deg: 90.0 };
        let outline = Outline::new(Vec2::new(5.0, 5.0), outline);
        assert!(outline.contains(Vec2::new(5.0, 14.9)) && outline.contains(Vec2::new(6.9, 5.0)));
        assert!(!outline.contains(Vec2::new(8.0, 5.0)) && !outline.contains(Vec2::new(5.0, 15.1)));
        assert!(outline.contains_within(Vec2::new(8.0, 5.0), 1.5));
    }

    proptest! {
        #[test]
        fn what_is_drawn_from_an_outline_is_in_it(
            seed in any::<u64>(), x in -50.0f32..50.0, z in -50.0f32..50.0, side in 1.0f32..80.0, yaw_deg in -360.0f32..360.0,
        ) {
            let center_m = Vec2::new(x, z);
            let forms = [
                OutlineConfig::Circle { radius_m: side },
                OutlineConfig::Box { size_m: Vec2::new(side, 3.0), yaw_deg },
            ];
            let mut random = Random::new(seed, 0);
            for form in forms {
                let outline = Outline::new(center_m, form);
                for _ in 0..50 {
                    let point_m = outline.draw(&mut random);
                    prop_assert!(outline.contains_within(point_m, 0.001), "{} of {:?}", point_m, outline);
                }
            }
        }
    }
}
