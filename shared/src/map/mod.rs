//! The unmoving part of a world: the ground and what stands on it.

mod obstacles;
mod terrain;

pub use obstacles::{Obstacle, Obstacles, Outline};
pub use terrain::{KnownGround, Terrain, TerrainError};

use glam::Vec2;

use crate::archetypes::Bodies;
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
    /// How large they are.
    pub bodies: Bodies,
    /// Half the side of the square world around the origin, in metres.
    pub half_size_m: f32,
}

impl Map {
    /// Builds the map that `config` describes. `samples` are the heights of the file that its terrain names, if it
    /// names one.
    ///
    /// Cost: a height per terrain cell; about 50 ms for a procedural world of 1,000 m. The ground takes 7 bytes a cell, and 4 more while it is made.
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
            bodies: Bodies::new(&config.movement, &config.archetypes),
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

    /// The free place for a character near a point (x, z): inside the world and in no wall, whatever the ground; what is no higher than a step
    /// can be stood upon. The point itself where it is free, else where the shortest ways out of what is there lead, else the nearest of
    /// 1,600 places tried in circles around, up to 100 m away. Where none of these is free, the point.
    ///
    /// Cost: some 10 ns where the point is free; 100 us where nothing is.
    pub fn nearest_free(&self, point_m: Vec2) -> Vec2 {
        const PASSES: usize = 8;
        const CIRCLES: usize = 100;
        const PER_CIRCLE: usize = 16;
        let radius_m = self.rules.capsule_radius_m;
        let way_out_m = |point_m: Vec2| {
            let step_m = self.terrain.height_m(point_m) + self.rules.step_height_m;
            let mut walls = self.obstacles.near(point_m).filter(|obstacle| obstacle.top_m > step_m);
            walls.find_map(|wall| wall.push_out(point_m, radius_m))
        };
        let start_m = self.clamp_inside(point_m);
        let mut pushed_m = start_m;
        for _ in 0..PASSES {
            let Some(push) = way_out_m(pushed_m) else { return pushed_m };
            // A little farther, so that rounding does not leave it touching.
            pushed_m = self.clamp_inside(pushed_m + push + push.normalize_or_zero() * 0.01);
        }
        let around = (1..=CIRCLES).flat_map(|circle| {
            (0..PER_CIRCLE).map(move |number| {
                let (sin, cos) = libm::sincosf(number as f32 * (std::f32::consts::TAU / PER_CIRCLE as f32));
                Vec2::new(cos, sin) * circle as f32
            })
        });
        around
            .map(|step_m| self.clamp_inside(start_m + step_m))
            .find(|&tried_m| way_out_m(tried_m).is_none())
            .unwrap_or(start_m)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::builtin_world;
    use crate::random::Random;

    fn boxed(center_m: Vec2, half_size_m: Vec2) -> Obstacle {
        Obstacle { center_m, outline: Outline::Box { half_size_m, axis_x: Vec2::X }, bottom_m: -1.0, top_m: 9.0 }
    }

    fn map_with(obstacles: Vec<Obstacle>) -> Map {
        let config = builtin_world().config;
        Map {
            terrain: Terrain::flat(64.0, 0.0),
            obstacles: Obstacles::new(64.0, obstacles),
            rules: MovementRules::new(&config.movement),
            bodies: Bodies::new(&config.movement, &config.archetypes),
            half_size_m: 32.0,
        }
    }

    #[test]
    fn wherever_somebody_is_set_down_there_is_a_free_place_near() {
        let wall = |x: f32| boxed(Vec2::new(x, 0.0), Vec2::new(0.5, 20.0));
        // Walls too near one another for anybody to stand between, a tower in the corner, and a pillar.
        let pillar = Obstacle { outline: Outline::Circle { radius_m: 3.0 }, ..boxed(Vec2::new(20.0, 5.0), Vec2::ONE) };
        let map = map_with(vec![wall(0.0), wall(1.2), wall(2.4), boxed(Vec2::splat(28.0), Vec2::splat(6.0)), pillar]);
        let mut random = Random::new(5, 0);
        let mut moved = 0;
        for _ in 0..5_000 {
            let point_m = Vec2::new(random.between(-40.0, 40.0), random.between(-40.0, 40.0));
            let free_m = map.nearest_free(point_m);
            assert!(!map.obstacles.touches(free_m, map.rules.capsule_radius_m), "{point_m} leads into a wall");
            assert_eq!(map.clamp_inside(free_m), free_m, "{point_m} leads out of the world");
            let away_m = free_m.distance(map.clamp_inside(point_m));
            assert!(away_m < 11.0, "{point_m} leads {away_m} m away");
            moved += usize::from(away_m > 0.0);
        }
        assert!((200..2_500).contains(&moved), "{moved} of 5,000 were in the way of something");
    }

    #[test]
    fn what_is_no_higher_than_a_step_is_stood_upon() {
        let plaza = |top_m: f32| Obstacle { top_m, ..boxed(Vec2::ZERO, Vec2::splat(10.0)) };
        assert_eq!(map_with(vec![plaza(0.2)]).nearest_free(Vec2::ONE), Vec2::ONE);
        assert_ne!(map_with(vec![plaza(2.0)]).nearest_free(Vec2::ONE), Vec2::ONE);
    }

    #[test]
    fn in_a_world_without_a_free_place_it_is_the_point() {
        let map = map_with(vec![boxed(Vec2::ZERO, Vec2::splat(50.0))]);
        assert_eq!(map.nearest_free(Vec2::new(3.0, 4.0)), Vec2::new(3.0, 4.0));
    }
}
