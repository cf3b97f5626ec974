//! The tables of a world file, one function each.

use std::ops::Range;

use super::limits::{PATROL_POINTS_MAX, TERRAIN_SIDE_MAX};
use super::reader::{Choice, FileName, Name, Number, Pair, TableReader, number, pair, pairs, whole};
use super::world::{
    BotsConfig, InterestConfig, MovementConfig, ObstacleConfig, ObstacleShapeConfig, PatrolConfig, SpawnAreaConfig,
    TerrainConfig,
};
use super::world_rules::{Settled, check_center_inside, check_not_blocked, check_points_inside};
use crate::limits::VISIBLE_MAX;

/// Largest world, in metres.
pub(super) const SIZE_MAX_M: f32 = 8_192.0;
/// Farthest that anything can be from the origin along an axis, in metres.
const REACH_MAX_M: f32 = SIZE_MAX_M / 2.0;
/// A place on the ground.
const POINT: Pair = pair(-REACH_MAX_M, REACH_MAX_M, "m");

/// Where the ground's heights come from.
#[derive(Clone, Copy)]
enum TerrainKind {
    Flat,
    Procedural,
    Png,
    Raw,
}

const TERRAIN_KINDS: &[Choice<TerrainKind>] = &[
    Choice { word: "flat", means: TerrainKind::Flat, doc: "The same height everywhere." },
    Choice { word: "procedural", means: TerrainKind::Procedural, doc: "Rolling hills, computed from the world's seed." },
    Choice { word: "png", means: TerrainKind::Png, doc: "A square 16-bit greyscale PNG; its upper edge is north." },
    Choice {
        word: "raw",
        means: TerrainKind::Raw,
        doc: "A file of nothing but 16-bit little-endian samples, as many rows as columns, north first.",
    },
];

/// A height of the ground.
const GROUND: Number = number(-500.0, 1_000.0, "m");

pub(super) fn read_terrain(table: &mut TableReader<'_, '_>, settled: Settled) -> (TerrainConfig, Option<Range<usize>>) {
    let doc = "Where the ground's heights come from.";
    let terrain = table.choose("kind", TERRAIN_KINDS, doc, |table, kind| match kind {
        TerrainKind::Flat => {
            TerrainConfig::Flat { height_m: table.optional("height_m", GROUND, 0.0, "Height of the ground.") }
        }
        TerrainKind::Procedural => read_procedural(table, settled),
        TerrainKind::Png => {
            let file = table.required("file", FileName, "The picture.");
            let height_min_m = table.required("height_min_m", GROUND, "Height of black.");
            let height_max_m = table.required("height_max_m", GROUND, "Height of white.");
            check_height_order(table, height_min_m, height_max_m);
            TerrainConfig::Png { file, height_min_m, height_max_m }
        }
        TerrainKind::Raw => {
            let file = table.required("file", FileName, "The samples.");
            let height_min_m = table.required("height_min_m", GROUND, "Height of sample 0.");
            let height_max_m = table.required("height_max_m", GROUND, "Height of sample 65535.");
            check_height_order(table, height_min_m, height_max_m);
            TerrainConfig::Raw { file, height_min_m, height_max_m }
        }
    });
    let file = if table.is_sound("file") { table.span("file") } else { None };
    (terrain.unwrap_or(TerrainConfig::Flat { height_m: 0.0 }), file)
}

fn read_procedural(table: &mut TableReader<'_, '_>, settled: Settled) -> TerrainConfig {
    let height_min_m = table.optional("height_min_m", GROUND, 0.0, "Height of the deepest possible valley.");
    let height_max_m = table.optional("height_max_m", GROUND, 30.0, "Height of the highest possible hill.");
    check_height_order(table, height_min_m, height_max_m);
    let feature_doc = "Distance between neighbouring hills. Shorter makes them steeper.";
    let feature_m = table.optional("feature_m", number(8.0, 4_096.0, "m"), 200.0, feature_doc);
    let octaves_doc = "Layers of detail, each half as wide and half as high as the one before.";
    let octaves = table.optional("octaves", whole(1, 8, "layers"), 4, octaves_doc);
    let cell_doc = "Distance between computed heights; between them the ground is even.";
    let cell_m = table.optional("cell_m", number(0.5, 16.0, "m"), 2.0, cell_doc);
    let cells_max = TERRAIN_SIDE_MAX - 1;
    let is_bounded = settled.size_m.is_none_or(|size_m| size_m / cell_m <= cells_max as f32);
    table.rule(&["cell_m"], "`world.size_m` is at most 8192 times `cell_m`", is_bounded, || {
        let size_m = settled.size_m.unwrap_or_default();
        format!("a world of {size_m} m would have more than {cells_max} of these cells along a side")
    });
    TerrainConfig::Procedural { height_min_m, height_max_m, feature_m, octaves, cell_m }
}

fn check_height_order(table: &mut TableReader<'_, '_>, height_min_m: f32, height_max_m: f32) {
    let doc = "`height_max_m` is greater than `height_min_m`";
    table.rule(&["height_max_m", "height_min_m"], doc, height_max_m > height_min_m, || {
        format!("the highest ground ({height_max_m} m) is not above the lowest ({height_min_m} m)")
    });
}

/// The outline of an obstacle.
#[derive(Clone, Copy)]
enum Shape {
    Box,
    Cylinder,
}

const SHAPES: &[Choice<Shape>] = &[
    Choice { word: "box", means: Shape::Box, doc: "A rectangle seen from above, such as a house." },
    Choice { word: "cylinder", means: Shape::Cylinder, doc: "A circle seen from above, such as a tree." },
];

pub(super) fn read_obstacle(table: &mut TableReader<'_, '_>, settled: Settled) -> ObstacleConfig {
    let center_m = table.required("center_m", POINT, "Where its middle is.");
    check_center_inside(table, settled, center_m);
    let height_doc = "How far it rises above the ground at its middle.";
    let height_m = table.required("height_m", number(0.1, 200.0, "m"), height_doc);
    let shape = table.choose("shape", SHAPES, "Its outline.", |table, shape| match shape {
        Shape::Box => {
            let size_m = table.required("size_m", pair(0.1, 200.0, "m"), "Its full extents from side to side.");
            let yaw_doc = "How far it is turned about its middle, clockwise seen from above.";
            let yaw_deg = table.optional("yaw_deg", number(-360.0, 360.0, "degrees"), 0.0, yaw_doc);
            ObstacleShapeConfig::Box { size_m, yaw_deg }
        }
        Shape::Cylinder => {
            let radius_m = table.required("radius_m", number(0.1, 100.0, "m"), "Its radius.");
            ObstacleShapeConfig::Cylinder { radius_m }
        }
    });
    let shape = shape.unwrap_or(ObstacleShapeConfig::Cylinder { radius_m: 0.1 });
    ObstacleConfig { center_m, height_m, shape }
}

pub(super) fn read_movement(table: &mut TableReader<'_, '_>) -> MovementConfig {
    let speed = number(0.1, 20.0, "m/s");
    let acceleration = number(0.1, 500.0, "m/s²");
    let walk_speed_mps = table.optional("walk_speed_mps", speed, 2.0, "Walking speed.");
    let run_speed_mps = table.optional("run_speed_mps", speed, 6.0, "Running speed.");
    let doc = "`run_speed_mps` is at least `walk_speed_mps`";
    table.rule(&["run_speed_mps", "walk_speed_mps"], doc, run_speed_mps >= walk_speed_mps, || {
        format!("running ({run_speed_mps} m/s) would be slower than walking ({walk_speed_mps} m/s)")
    });
    let jump_height_m =
        table.optional("jump_height_m", number(0.0, 5.0, "m"), 1.2, "How high a standing jump rises; 0 forbids jumps.");
    let gravity_mps2 = table.optional("gravity_mps2", number(1.0, 50.0, "m/s²"), 15.0, "How quickly things fall. \
        The earth's is 9.81; games feel better with more.");
    let ground_doc = "How quickly characters start, turn and stop on the ground.";
    let ground_acceleration_mps2 = table.optional("ground_acceleration_mps2", acceleration, 40.0, ground_doc);
    let air_doc = "The same in the air.";
    let air_acceleration_mps2 = table.optional("air_acceleration_mps2", acceleration, 10.0, air_doc);
    let slope_doc = "Steepest ground that can be walked up.";
    let slope_max_deg = table.optional("slope_max_deg", number(5.0, 80.0, "degrees"), 45.0, slope_doc);
    let step_doc = "Highest edge of an obstacle that is stepped onto without a jump.";
    let step_height_m = table.optional("step_height_m", number(0.0, 1.0, "m"), 0.35, step_doc);
    let radius_doc = "Radius of a character.";
    let capsule_radius_m = table.optional("capsule_radius_m", number(0.2, 2.0, "m"), 0.4, radius_doc);
    let height_doc = "Height of a character.";
    let capsule_height_m = table.optional("capsule_height_m", number(0.5, 4.0, "m"), 1.8, height_doc);
    let doc = "`capsule_height_m` is at least twice `capsule_radius_m`";
    table.rule(&["capsule_height_m", "capsule_radius_m"], doc, capsule_height_m >= 2.0 * capsule_radius_m, || {
        format!("a character of {capsule_height_m} m would be wider ({} m) than high", 2.0 * capsule_radius_m)
    });
    MovementConfig {
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
    }
}

pub(super) fn read_spawn_area(
    table: &mut TableReader<'_, '_>,
    settled: Settled,
    obstacles: &[ObstacleConfig],
) -> SpawnAreaConfig {
    let center_m = table.required("center_m", POINT, "Where its middle is.");
    check_center_inside(table, settled, center_m);
    let radius_doc = "How far from there characters appear.";
    let radius_m = table.required("radius_m", number(0.5, REACH_MAX_M, "m"), radius_doc);
    let area = SpawnAreaConfig { center_m, radius_m };
    check_not_blocked(table, &area, obstacles);
    area
}

pub(super) fn read_interest(table: &mut TableReader<'_, '_>) -> InterestConfig {
    let enter_doc = "A character that comes nearer than this is shown.";
    let enter_radius_m = table.optional("enter_radius_m", number(10.0, 400.0, "m"), 100.0, enter_doc);
    let leave_doc = "A character that is shown stays so until it is farther away than this.";
    let leave_radius_m = table.optional("leave_radius_m", number(11.0, 480.0, "m"), 115.0, leave_doc);
    let doc = "`leave_radius_m` is at least 1 m more than `enter_radius_m`";
    table.rule(&["leave_radius_m", "enter_radius_m"], doc, leave_radius_m >= enter_radius_m + 1.0, || {
        format!("characters would flicker: they enter at {enter_radius_m} m and leave at {leave_radius_m} m")
    });
    let visible_doc = "Most characters shown to one player; the farthest are left out.";
    let visible_max = table.optional("visible_max", whole(1, VISIBLE_MAX as u32, "characters"), 250, visible_doc);
    InterestConfig { enter_radius_m, leave_radius_m, visible_max }
}

pub(super) fn read_bots(table: &mut TableReader<'_, '_>, settled: Settled) -> BotsConfig {
    let weight = number(0.0, 1_000.0, "");
    let idle_weight = table.optional("idle_weight", weight, 1.0, "Weight of standing still for a while.");
    let wander_weight = table.optional("wander_weight", weight, 4.0, "Weight of walking to a random place.");
    let patrol_doc = "Weight of walking a patrol route; without routes it counts as wandering.";
    let patrol_weight = table.optional("patrol_weight", weight, 2.0, patrol_doc);
    let follow_weight = table.optional("follow_weight", weight, 1.0, "Weight of following somebody in sight.");
    let flee_doc = "Weight of running away from somebody who comes too near.";
    let flee_weight = table.optional("flee_weight", weight, 1.0, flee_doc);
    let weights = [idle_weight, wander_weight, patrol_weight, follow_weight, flee_weight];
    let keys = ["idle_weight", "wander_weight", "patrol_weight", "follow_weight", "flee_weight"];
    let doc = "at least one weight is above 0 when `population.target` is";
    let has_goal = settled.population.is_none_or(|target| target == 0) || weights.iter().any(|weight| *weight > 0.0);
    table.rule(&keys, doc, has_goal, || "with every weight 0, bots have nothing to do".to_owned());
    let sight_m = table.optional("sight_m", number(1.0, 200.0, "m"), 40.0, "How far a bot sees.");
    let think_doc = "A bot thinks anew once in this time; it steers every tick.";
    let think_interval_ms = table.optional("think_interval_ms", whole(50, 10_000, "ms"), 250, think_doc);
    BotsConfig {
        idle_weight,
        wander_weight,
        patrol_weight,
        follow_weight,
        flee_weight,
        sight_m,
        think_interval_ms,
    }
}

pub(super) fn read_patrol(table: &mut TableReader<'_, '_>, settled: Settled) -> PatrolConfig {
    let name = table.required("name", Name, "Name, for messages.");
    let points_doc = "Its corners, in order; from the last, bots walk back to the first.";
    let points_m = table.required("points_m", pairs(POINT, 2, PATROL_POINTS_MAX), points_doc);
    check_points_inside(table, settled, &points_m);
    PatrolConfig { name, points_m }
}
