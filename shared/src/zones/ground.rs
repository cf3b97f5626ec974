//! Where nobody is hurt.

use glam::Vec2;

use super::outline::Outline;
use crate::config::{SafeZoneConfig, ZoneConfig, ZoneKind};

/// Where nobody is hurt and nobody hurts, as the zones are now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SafeGround {
    safe: Vec<Outline>,
    contested: Vec<Outline>,
}

impl SafeGround {
    /// What an abilities file says is safe, and zones of these kinds.
    pub fn new<'z>(
        always_safe: &[SafeZoneConfig],
        zones: impl Iterator<Item = (&'z ZoneConfig, ZoneKind)>,
    ) -> SafeGround {
        let safe = always_safe.iter().map(|zone| Outline::circle(zone.center_m, zone.radius_m)).collect();
        let mut ground = SafeGround { safe, contested: Vec::new() };
        for (zone, kind) in zones {
            match kind {
                ZoneKind::Safe => ground.safe.push(Outline::of(zone)),
                ZoneKind::Contested => ground.contested.push(Outline::of(zone)),
                ZoneKind::Open | ZoneKind::Indoor => {}
            }
        }
        ground
    }

    /// Whether nobody is hurt at a point (x, z). O(zones).
    pub fn is_safe(&self, point_m: Vec2) -> bool {
        let is_in = |outlines: &[Outline]| outlines.iter().any(|outline| outline.contains(point_m));
        is_in(&self.safe) && !is_in(&self.contested)
    }
}
