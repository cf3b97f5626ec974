//! What the tests of bots share: worlds to put them into.

mod behaviour;
pub(crate) mod population;
mod profiles;

use std::sync::Arc;

use glam::Vec2;
use throng_shared::config::{
    BotsConfig, DayConfig, InterestConfig, MovementConfig, ObstacleConfig, ObstacleShapeConfig, OverloadConfig,
    PatrolConfig, PopulationConfig, SpawnAreaConfig, TerrainConfig, WorldConfig,
};
use throng_shared::ids::NetId;
use throng_shared::map::Map;
use throng_shared::random::Random;
use throng_shared::tick::Tick;

use crate::decide::Situation;
use crate::navigate::Route;
use crate::perceive::{Percepts, Seen};
use crate::world::BotWorld;

/// A flat, empty world of 200 m at 20 Hz, where all goals have the same weight.
pub(crate) fn open_config() -> WorldConfig {
    WorldConfig {
        name: "test".to_owned(),
        seed: 1,
        size_m: 200.0,
        tick_rate_hz: 20,
        input_repeat_ticks: 4,
        terrain: TerrainConfig::Flat { height_m: 0.0 },
        obstacles: Vec::new(),
        movement: MovementConfig {
            walk_speed_mps: 2.0,
            run_speed_mps: 6.0,
            jump_height_m: 1.2,
            gravity_mps2: 9.81,
            ground_acceleration_mps2: 30.0,
            air_acceleration_mps2: 3.0,
            slope_max_deg: 40.0,
            step_height_m: 0.4,
            capsule_radius_m: 0.4,
            capsule_height_m: 1.8,
        },
        archetypes: Vec::new(),
        spawn_areas: vec![SpawnAreaConfig::disc(Vec2::ZERO, 50.0)],
        interest: InterestConfig {
            enter_radius_m: 60.0,
            leave_radius_m: 70.0,
            visible_max: 100,
            bandwidth_kbit_per_s: 512,
            tiers: Vec::new(),
        },
        attributes: Vec::new(),
        archetype_values: Vec::new(),
        overload: OverloadConfig::default(),
        population: PopulationConfig { target: 200, players_max: 100, ..PopulationConfig::default() },
        day: DayConfig::default(),
        zones: vec![],
        features: vec![],
        events: vec![],
        bots: BotsConfig {
            idle_weight: 1.0,
            wander_weight: 1.0,
            patrol_weight: 1.0,
            follow_weight: 1.0,
            gather_weight: 0.0,
            flee_weight: 1.0,
            sight_m: 25.0,
            think_interval_ms: 250,
            attack_percent: 100.0,
            retreat_below_percent: 25.0,
            reaction_ms: 350,
            aim_error_deg: 2.5,
        },
        bot_profiles: Vec::new(),
        places: Vec::new(),
        patrols: Vec::new(),
    }
}

/// The world of [`open_config`].
pub(crate) fn open_world() -> BotWorld {
    world_of(&open_config())
}

/// The world of any config whose terrain needs no file.
pub(crate) fn world_of(config: &WorldConfig) -> BotWorld {
    let map = Map::new(config, None).expect("a terrain that needs no file");
    BotWorld::new(Arc::new(map), config)
}

/// What a bot that stands at a point decides by, on level ground.
pub(crate) fn situation<'a>(
    world: &'a BotWorld,
    tick: Tick,
    position_m: Vec2,
    percepts: &'a Percepts,
) -> Situation<'a> {
    const NO_ROUTE: &Route = &Route::NONE;
    Situation { world, tick, position_m, percepts, height_m: 0.0, route: NO_ROUTE, mates: None, is_stuck: false }
}

/// A person as bots see it.
pub(crate) fn somebody(net_id: u32, position_m: Vec2, velocity_mps: Vec2) -> Seen {
    Seen { net_id: NetId(net_id), position_m, velocity_mps, height_m: 0.0 }
}

/// The percepts of a bot that saw `seen` in tick 0.
pub(crate) fn seeing(seen: &[Seen]) -> Percepts {
    Percepts::of(seen)
}

/// The percepts of a bot that saw one person standing there in tick 0.
pub(crate) fn somebody_at(position_m: Vec2) -> Percepts {
    seeing(&[somebody(9, position_m, Vec2::ZERO)])
}

/// Hills with walls, huts, pillars and kerbs strewn over them, and three patrol routes.
pub(crate) fn village_config() -> WorldConfig {
    let mut random = Random::new(77, 0);
    let mut place = move || {
        let center_m = Vec2::new(random.between(-95.0, 95.0), random.between(-95.0, 95.0));
        let shape = match random.below(3) {
            0 => ObstacleShapeConfig::Cylinder { radius_m: random.between(0.3, 3.0) },
            1 => ObstacleShapeConfig::Box {
                size_m: Vec2::new(random.between(6.0, 20.0), 0.4),
                yaw_deg: random.between(0.0, 360.0),
            },
            _ => ObstacleShapeConfig::Box {
                size_m: Vec2::new(random.between(1.0, 8.0), random.between(1.0, 8.0)),
                yaw_deg: random.between(0.0, 360.0),
            },
        };
        ObstacleConfig { center_m, height_m: random.between(0.2, 4.0), shape }
    };
    let obstacles = (0..150).map(|_| place()).collect();
    let route = |name: &str, points_m: &[(f32, f32)]| PatrolConfig {
        name: name.to_owned(),
        points_m: points_m.iter().map(|&(x, z)| Vec2::new(x, z)).collect(),
    };
    WorldConfig {
        terrain: TerrainConfig::Procedural {
            height_min_m: 0.0,
            height_max_m: 20.0,
            feature_m: 60.0,
            octaves: 2,
            cell_m: 2.0,
        },
        obstacles,
        patrols: vec![
            route("north", &[(-40.0, -60.0), (0.0, -50.0), (40.0, -60.0)]),
            route("south", &[(-50.0, 60.0), (50.0, 60.0), (50.0, 30.0), (-50.0, 30.0)]),
            route("across", &[(-80.0, 0.0), (80.0, 0.0)]),
        ],
        ..open_config()
    }
}
