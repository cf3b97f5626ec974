//! The unmoving part of a world file: the ground and the obstacles on it.

use std::ops::Range;

use super::limits::TERRAIN_SIDE_MAX;
use super::reader::{Choice, FileName, Number, TableReader, number, pair, whole};
use super::world::{ObstacleConfig, ObstacleShapeConfig, TerrainConfig};
use super::world_rules::{Settled, check_center_inside};
use super::world_tables::POINT;

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
    Choice {
        word: "procedural",
        means: TerrainKind::Procedural,
        doc: "Rolling hills, computed from the world's seed.",
    },
    Choice { word: "png", means: TerrainKind::Png, doc: "A square 16-bit greyscale PNG; its upper edge is north." },
    Choice {
        word: "raw",
        means: TerrainKind::Raw,
        doc: "A file of nothing but 16-bit little-endian samples, as many rows as columns, north first.",
    },
];

/// Lowest and highest ground, in metres.
const GROUND_MIN_M: f32 = -500.0;
const GROUND_MAX_M: f32 = 800.0;
/// Highest obstacle, in metres.
const OBSTACLE_HEIGHT_MAX_M: f32 = 200.0;
/// A height of the ground.
const GROUND: Number = number(GROUND_MIN_M, GROUND_MAX_M, "m");

/// Whoever jumps on the highest obstacle on the highest ground can still be sent to clients.
const _: () = assert!(GROUND_MAX_M + OBSTACLE_HEIGHT_MAX_M + 10.0 < crate::quantised::HEIGHT_LIMIT_M);

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
    let file = table.span("file").filter(|_| table.is_sound("file") && !table.is_partial());
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
    let height_m = table.required("height_m", number(0.1, OBSTACLE_HEIGHT_MAX_M, "m"), height_doc);
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
