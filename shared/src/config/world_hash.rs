//! What a client that predicts must have in common with the server, as one number.
//!
//! Every struct is taken apart by name: a new field does not compile until somebody decides whether a client whose
//! value differs would predict something else.

use super::combat::{AbilityConfig, AimConfig, CombatConfig, EffectsConfig};
use super::hash::Fnv1a;
use super::terrain_samples::TerrainSamples;
use super::world::{ArchetypeConfig, MovementConfig, ObstacleConfig, ObstacleShapeConfig, TerrainConfig, WorldConfig};
use crate::archetypes::Body;

/// The hash of what decides how a character moves when its inputs are known. `samples` are the heights of the
/// terrain's file, if it has one. It goes over the wire: it must never change for the same world.
///
/// Cost: a multiplication per byte; about 0.3 s for the largest terrain.
pub(super) fn world_hash(config: &WorldConfig, combat: Option<&CombatConfig>, samples: Option<&TerrainSamples>) -> u64 {
    let WorldConfig {
        name: _,
        seed,
        size_m,
        tick_rate_hz,
        // Inputs that do arrive are not repeated, and those that do not are corrected by the server's answer.
        input_repeat_ticks: _,
        terrain,
        obstacles,
        movement,
        archetypes,
        spawn_areas: _,
        interest: _,
        // Clients are told these.
        attributes: _,
        // With what somebody begins.
        archetype_values: _,
        overload: _,
        population: _,
        day: _,
        zones: _,
        features: _,
        events: _,
        bots: _,
        bot_profiles: _,
        places: _,
        patrols: _,
    } = config;
    let mut hash = Fnv1a::new();
    hash.write_u64(*seed);
    hash.write_f32(*size_m);
    hash.write_u32(*tick_rate_hz);
    write_terrain(&mut hash, terrain, samples);
    hash.write_u64(obstacles.len() as u64);
    for obstacle in obstacles {
        write_obstacle(&mut hash, obstacle);
    }
    write_movement(&mut hash, movement);
    // Nothing for a world without: its hash is what it always was. A client shoots at bodies; how fast bots go, it is told.
    if !archetypes.is_empty() {
        hash.write_u64(archetypes.len() as u64);
    }
    for ArchetypeConfig { name, gait: _, body: Body { radius_m, height_m } } in archetypes {
        // What is shown goes by it.
        hash.write_u64(name.len() as u64);
        hash.write(name.bytes());
        hash.write_f32(*radius_m);
        hash.write_f32(*height_m);
    }
    // Nothing for a world without: its hash is what it always was.
    if let Some(combat) = combat {
        write_combat(&mut hash, combat);
    }
    hash.finish()
}

fn write_combat(hash: &mut Fnv1a, combat: &CombatConfig) {
    let CombatConfig {
        // Clients are told who is dead, and since when.
        health: _,
        respawn_ms: _,
        eyes_m,
        // How shots are judged is the server's.
        rewind_max_ms: _,
        view_delay_max_ms: _,
        no_side: _,
        deal_teams: _,
        safe_zones: _,
        abilities,
    } = combat;
    hash.write_f32(*eyes_m);
    hash.write_u64(abilities.len() as u64);
    for ability in abilities {
        write_ability(hash, ability);
    }
}

/// What it takes to know whether somebody can use it, where that lets it leap to, and how it looks until the server has said what came of it.
fn write_ability(hash: &mut Fnv1a, ability: &AbilityConfig) {
    let AbilityConfig { name: _, archetypes, aim, hits: _, cooldown_ms, cast_ms, cost, effects } = ability;
    hash.write_u32(u32::from(*archetypes));
    hash.write_u32(*cooldown_ms);
    hash.write_u32(*cast_ms);
    hash.write_f32(cost.as_ref().map_or(0.0, |cost| cost.amount));
    if let Some(cost) = cost {
        hash.write(cost.attribute.bytes());
    }
    let EffectsConfig { damage: _, heal: _, slow_percent: _, slow_ms: _, knock_back_mps: _, blink_m } = effects;
    hash.write_f32(*blink_m);
    let (kind, numbers) = match *aim {
        AimConfig::Hitscan { range_m, spread_deg } => (0, [range_m, spread_deg, 0.0]),
        AimConfig::Projectile { range_m, speed_mps, blast_radius_m } => (1, [range_m, speed_mps, blast_radius_m]),
        AimConfig::Melee { range_m, arc_deg } => (2, [range_m, arc_deg, 0.0]),
        AimConfig::Area { range_m, radius_m } => (3, [range_m, radius_m, 0.0]),
        AimConfig::Own => (4, [0.0; 3]),
    };
    hash.write([kind]);
    numbers.into_iter().for_each(|number| hash.write_f32(number));
}

fn write_terrain(hash: &mut Fnv1a, terrain: &TerrainConfig, samples: Option<&TerrainSamples>) {
    match terrain {
        TerrainConfig::Flat { height_m } => {
            hash.write([0]);
            hash.write_f32(*height_m);
        }
        TerrainConfig::Procedural { height_min_m, height_max_m, feature_m, octaves, cell_m } => {
            hash.write([1]);
            hash.write_f32(*height_min_m);
            hash.write_f32(*height_max_m);
            hash.write_f32(*feature_m);
            hash.write_u32(*octaves);
            hash.write_f32(*cell_m);
        }
        // The least and the greatest height are already in the samples.
        TerrainConfig::Png { file: _, height_min_m: _, height_max_m: _ } => {
            hash.write([2]);
            write_samples(hash, samples);
        }
        TerrainConfig::Raw { file: _, height_min_m: _, height_max_m: _ } => {
            hash.write([3]);
            write_samples(hash, samples);
        }
    }
}

/// Writes nothing for samples that could not be read: such a world is refused.
fn write_samples(hash: &mut Fnv1a, samples: Option<&TerrainSamples>) {
    let Some(TerrainSamples { side, heights_m }) = samples else {
        return;
    };
    hash.write_u64(*side as u64);
    for height_m in heights_m {
        hash.write_f32(*height_m);
    }
}

fn write_obstacle(hash: &mut Fnv1a, obstacle: &ObstacleConfig) {
    let ObstacleConfig { center_m, height_m, shape } = obstacle;
    hash.write_vec2(*center_m);
    hash.write_f32(*height_m);
    match shape {
        ObstacleShapeConfig::Box { size_m, yaw_deg } => {
            hash.write([0]);
            hash.write_vec2(*size_m);
            hash.write_f32(*yaw_deg);
        }
        ObstacleShapeConfig::Cylinder { radius_m } => {
            hash.write([1]);
            hash.write_f32(*radius_m);
        }
    }
}

fn write_movement(hash: &mut Fnv1a, movement: &MovementConfig) {
    let MovementConfig {
        walk_speed_mps,
        run_speed_mps,
        jump_height_m,
        gravity_mps2,
        ground_acceleration_mps2,
        air_acceleration_mps2,
        slope_max_deg,
        step_height_m,
        capsule_radius_m,
        capsule_height_m,
    } = movement;
    for number in [
        walk_speed_mps,
        run_speed_mps,
        jump_height_m,
        gravity_mps2,
        ground_acceleration_mps2,
        air_acceleration_mps2,
        slope_max_deg,
        step_height_m,
        capsule_radius_m,
        capsule_height_m,
    ] {
        hash.write_f32(*number);
    }
}
