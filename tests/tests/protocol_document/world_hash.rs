//! The world hash, computed as the page says.

use throng_shared::config::{
    ABILITIES_FILE_NAME, AimConfig, MovementConfig, ObstacleShapeConfig, TerrainConfig, WORLD_FILE_NAME, WorldConfig,
    load_world, read_common_file,
};

use super::*;

pub(super) fn flat() -> LoadedWorld {
    const TEXT: &str = "world = { name = \"flat\", size_m = 100.0, seed = 9 }\n\
        terrain = { kind = \"flat\", height_m = 2.5 }\n\
        spawn = [{ center_m = [0.0, 0.0], radius_m = 5.0 }]\n";
    let read = |name: &str| match name {
        WORLD_FILE_NAME => Ok(TEXT.as_bytes().to_vec()),
        _ => Err(std::io::ErrorKind::NotFound.into()),
    };
    load_world("flat", read).expect("the world is right")
}

/// A world that comes with the server, and has abilities.
fn fighting(world: &str, abilities: &str) -> LoadedWorld {
    let read = |name: &str| match name {
        WORLD_FILE_NAME => Ok(world.into()),
        ABILITIES_FILE_NAME => Ok(abilities.into()),
        _ => read_common_file(name),
    };
    load_world("fighting", read).expect("the world is right")
}

fn arena() -> LoadedWorld {
    fighting(
        include_str!("../../../assets/worlds/arena/world.toml"),
        include_str!("../../../assets/worlds/arena/abilities.toml"),
    )
}

/// It has archetypes of its own too.
fn wilds() -> LoadedWorld {
    fighting(
        include_str!("../../../assets/worlds/wilds/world.toml"),
        include_str!("../../../assets/worlds/wilds/abilities.toml"),
    )
}

fn put(bytes: &mut Vec<u8>, numbers: &[f32]) {
    numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
}

fn put_obstacles(config: &WorldConfig, bytes: &mut Vec<u8>) {
    bytes.extend((config.obstacles.len() as u64).to_le_bytes());
    for obstacle in &config.obstacles {
        put(bytes, &[obstacle.center_m.x, obstacle.center_m.y, obstacle.height_m]);
        match obstacle.shape {
            ObstacleShapeConfig::Box { size_m, yaw_deg } => {
                bytes.push(0);
                put(bytes, &[size_m.x, size_m.y, yaw_deg]);
            }
            ObstacleShapeConfig::Cylinder { radius_m } => {
                bytes.push(1);
                put(bytes, &[radius_m]);
            }
        }
    }
}

/// The world hash, written after the page.
fn documented_hash(world: &LoadedWorld) -> u64 {
    let config = &world.config;
    let mut bytes = Vec::new();
    bytes.extend(config.seed.to_le_bytes());
    put(&mut bytes, &[config.size_m]);
    bytes.extend(config.tick_rate_hz.to_le_bytes());
    match &config.terrain {
        TerrainConfig::Flat { height_m } => {
            bytes.push(0);
            put(&mut bytes, &[*height_m]);
        }
        TerrainConfig::Procedural { height_min_m, height_max_m, feature_m, octaves, cell_m } => {
            bytes.push(1);
            put(&mut bytes, &[*height_min_m, *height_max_m, *feature_m]);
            bytes.extend(octaves.to_le_bytes());
            put(&mut bytes, &[*cell_m]);
        }
        other => panic!("{other:?}"),
    }
    put_obstacles(config, &mut bytes);
    let MovementConfig { walk_speed_mps, run_speed_mps, jump_height_m, gravity_mps2, .. } = config.movement;
    let MovementConfig { ground_acceleration_mps2, air_acceleration_mps2, slope_max_deg, .. } = config.movement;
    let MovementConfig { step_height_m, capsule_radius_m, capsule_height_m, .. } = config.movement;
    put(&mut bytes, &[walk_speed_mps, run_speed_mps, jump_height_m, gravity_mps2, ground_acceleration_mps2]);
    put(&mut bytes, &[air_acceleration_mps2, slope_max_deg, step_height_m, capsule_radius_m, capsule_height_m]);
    if !config.archetypes.is_empty() {
        bytes.extend((config.archetypes.len() as u64).to_le_bytes());
        for own in &config.archetypes {
            bytes.extend((own.name.len() as u64).to_le_bytes());
            bytes.extend(own.name.bytes());
            put(&mut bytes, &[own.body.radius_m, own.body.height_m]);
        }
    }
    if let Some(combat) = &world.combat {
        put(&mut bytes, &[combat.eyes_m]);
        bytes.extend((combat.abilities.len() as u64).to_le_bytes());
        for ability in &combat.abilities {
            for number in [u32::from(ability.archetypes), ability.cooldown_ms, ability.cast_ms] {
                bytes.extend(number.to_le_bytes());
            }
            put(&mut bytes, &[ability.cost.as_ref().map_or(0.0, |cost| cost.amount)]);
            bytes.extend(ability.cost.iter().flat_map(|cost| cost.attribute.bytes()));
            put(&mut bytes, &[ability.effects.blink_m]);
            let (kind, numbers) = match ability.aim {
                AimConfig::Hitscan { range_m, spread_deg } => (0, [range_m, spread_deg, 0.0]),
                AimConfig::Projectile { range_m, speed_mps, blast_radius_m } => {
                    (1, [range_m, speed_mps, blast_radius_m])
                }
                AimConfig::Melee { range_m, arc_deg } => (2, [range_m, arc_deg, 0.0]),
                AimConfig::Area { range_m, radius_m } => (3, [range_m, radius_m, 0.0]),
                AimConfig::Own => (4, [0.0; 3]),
            };
            bytes.push(kind);
            put(&mut bytes, &numbers);
        }
    }
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[test]
fn the_world_hash_is_computed_as_the_page_says() {
    for world in [builtin_world(), flat(), arena(), wilds()] {
        assert_eq!(documented_hash(&world), world.hash, "{}", world.config.name);
    }
}
