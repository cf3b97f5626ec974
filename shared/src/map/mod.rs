//! The unmoving part of a world: the ground and what stands on it.

mod obstacles;
mod terrain;

pub use obstacles::{Obstacle, Obstacles, Outline};
pub use terrain::{Terrain, TerrainError};

use glam::Vec2;

use crate::config::{TerrainConfig, TerrainSamples, WorldConfig};
use crate::movement::MovementRules;

/// Terrain, obstacles and bounds of one world, with the rules by which characters move in it. Never changes while the
/// world runs; shared by all who need it.
#[derive(Clone, Debug)]
pub struct Map {
    /// The ground.
    pub terrain: Terrain,
    /// What stands on it.
    pub obstacles: Obstacles,
    /// How characters move here.
    pub rules: MovementRules,
    /// Half the side of the square world around the origin, in metres.
    pub half_size_m: f32,
}

impl Map {
    /// Builds the map that `config` describes. `samples` are the heights of the file that its terrain names, if it
    /// names one.
    ///
    /// Cost: a height per terrain cell; about 50 ms for a procedural world of 1,000 m.
    ///
    /// # Errors
    /// When the terrain comes from a file and `samples` do not hold its heights.
    pub fn new(config: &WorldConfig, samples: Option<&TerrainSamples>) -> Result<Map, TerrainError> {
        let size_m = config.size_m;
        let terrain = match &config.terrain {
            TerrainConfig::Flat { height_m } => Terrain::flat(size_m, *height_m),
            TerrainConfig::Procedural { height_min_m, height_max_m, feature_m, octaves, cell_m } => {
                let hills = terrain::Hills {
                    height_min_m: *height_min_m,
                    height_max_m: *height_max_m,
                    feature_m: *feature_m,
                    octaves: *octaves,
                };
                Terrain::procedural(config.seed, size_m, *cell_m, hills)
            }
            TerrainConfig::Png { .. } | TerrainConfig::Raw { .. } => {
                let samples = samples.ok_or(TerrainError { side: 2, found: 0 })?;
                Terrain::from_samples(size_m, samples.side, samples.heights_m.clone())?
            }
        };
        let placed = config.obstacles.iter().map(|obstacle| Obstacle::on_terrain(obstacle, &terrain)).collect();
        Ok(Map {
            terrain,
            obstacles: Obstacles::new(size_m, placed),
            rules: MovementRules::new(&config.movement),
            half_size_m: size_m / 2.0,
        })
    }

    /// Brings a point (x, z) into the part of the world that a character's centre may reach.
    pub fn clamp_inside(&self, point_m: Vec2) -> Vec2 {
        let limit = self.half_size_m - self.rules.capsule_radius_m;
        point_m.clamp(Vec2::splat(-limit), Vec2::splat(limit))
    }

    /// Whether a character may stand at this point (x, z): inside the world, on ground that is not too steep, and
    /// clear of every obstacle.
    pub fn is_standable(&self, point_m: Vec2) -> bool {
        self.clamp_inside(point_m) == point_m
            && self.terrain.slope(point_m) <= self.rules.slope_max
            && !self.obstacles.touches(point_m, self.rules.capsule_radius_m + 0.05)
    }
}
