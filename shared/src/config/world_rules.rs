//! Rules of a world that tie values of several tables together.

use glam::Vec2;

use super::reader::TableReader;
use super::world::{ObstacleConfig, ObstacleShapeConfig, SpawnAreaConfig};

/// What the tables before it have settled for the ones that are read later. `None` where that failed.
#[derive(Clone, Copy, Default)]
pub(super) struct Settled {
    /// Side of the world, in metres.
    pub(super) size_m: Option<f32>,
    /// People and bots together.
    pub(super) population: Option<u32>,
    /// The same in all zones so far.
    pub(super) zone_population: u32,
    /// Whether any place has a wrong name, of which nothing is known.
    pub(super) has_unsound_place: bool,
    /// The same of zones.
    pub(super) has_unsound_zone: bool,
    /// The same of features.
    pub(super) has_unsound_feature: bool,
}

impl Settled {
    fn is_inside(self, point_m: Vec2) -> bool {
        self.size_m.is_none_or(|size_m| point_m.abs().max_element() <= size_m / 2.0)
    }

    /// Where the world ends, for people.
    fn edge(self) -> String {
        let half_size_m = self.size_m.unwrap_or_default() / 2.0;
        format!("from {} to {half_size_m} m, because world.size_m is {}", -half_size_m, half_size_m * 2.0)
    }
}

/// `center_m` is inside the world.
pub(super) fn check_center_inside(table: &mut TableReader<'_, '_>, settled: Settled, center_m: Vec2) {
    let doc = "`center_m` lies inside the world: x and z are at most half of `world.size_m` away from 0";
    table.rule(&["center_m"], doc, settled.is_inside(center_m), || {
        format!("this is outside of the world, which reaches {}", settled.edge())
    });
}

/// All of `points_m` are inside the world.
pub(super) fn check_points_inside(table: &mut TableReader<'_, '_>, settled: Settled, points_m: &[Vec2]) {
    let doc = "every point lies inside the world: x and z are at most half of `world.size_m` away from 0";
    for (index, point_m) in points_m.iter().enumerate() {
        table.rule_for_element("points_m", index, doc, settled.is_inside(*point_m), || {
            format!("this is outside of the world, which reaches {}", settled.edge())
        });
    }
}

/// Somebody can appear in `area`.
pub(super) fn check_not_blocked(table: &mut TableReader<'_, '_>, area: &SpawnAreaConfig, obstacles: &[ObstacleConfig]) {
    let blocking = obstacles.iter().position(|obstacle| covers(obstacle, area));
    let doc = "no obstacle covers a whole spawn area";
    table.rule(&["center_m", "radius_m"], doc, blocking.is_none(), || {
        let index = blocking.unwrap_or_default();
        format!("the whole area lies inside obstacle[{}]", index + 1)
    });
}

/// Whether all of `area` lies within the outline of `obstacle`.
fn covers(obstacle: &ObstacleConfig, area: &SpawnAreaConfig) -> bool {
    let offset = area.center_m - obstacle.center_m;
    match obstacle.shape {
        ObstacleShapeConfig::Cylinder { radius_m } => offset.length() + area.radius_m <= radius_m,
        ObstacleShapeConfig::Box { size_m, yaw_deg } => {
            let (sin, cos) = libm::sincosf(yaw_deg.to_radians());
            let axis_x = Vec2::new(cos, sin);
            let local = Vec2::new(offset.dot(axis_x), offset.dot(axis_x.perp()));
            (local.abs() + area.radius_m).cmple(size_m / 2.0).all()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_box_covers_what_lies_along_its_own_axes() {
        let shape = ObstacleShapeConfig::Box { size_m: Vec2::new(20.0, 4.0), yaw_deg: 90.0 };
        let obstacle = ObstacleConfig { center_m: Vec2::new(5.0, 5.0), height_m: 3.0, shape };
        let area = |x, z, radius_m| SpawnAreaConfig::disc(Vec2::new(x, z), radius_m);
        assert!(covers(&obstacle, &area(5.0, 12.0, 1.5)));
        assert!(!covers(&obstacle, &area(12.0, 5.0, 1.5)));
        assert!(!covers(&obstacle, &area(5.0, 12.0, 2.5)));
    }
}
