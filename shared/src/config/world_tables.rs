//! The tables of a world file that are about characters: how they move, appear and see.

use super::limits::STALENESS_MS_MAX;
use super::reader::{Choice, Pair, TableReader, number, pair, whole};
use super::world::{InterestConfig, MovementConfig, ObstacleConfig, SpawnAreaConfig, TierConfig};
use super::world_rules::{Settled, check_center_inside, check_not_blocked};
use super::zones::SpawnFor;
use crate::limits::{LEAVE_RADIUS_MAX_M, VISIBLE_MAX};

/// Largest world, in metres.
pub(super) const SIZE_MAX_M: f32 = 8_192.0;
/// Farthest that anything can be from the origin along an axis, in metres.
pub(super) const REACH_MAX_M: f32 = SIZE_MAX_M / 2.0;
/// A place on the ground.
pub(super) const POINT: Pair = pair(-REACH_MAX_M, REACH_MAX_M, "m");

const WHO: &[Choice<SpawnFor>] = &[
    Choice { word: "all", means: SpawnFor::All, doc: "People and bots." },
    Choice { word: "players", means: SpawnFor::Players, doc: "People." },
    Choice { word: "bots", means: SpawnFor::Bots, doc: "Bots." },
];

pub(super) fn read_movement(table: &mut TableReader<'_, '_>) -> MovementConfig {
    let speed = number(0.1, 20.0, "m/s");
    let acceleration = number(0.1, 500.0, "m/s²");
    let walk_speed_mps = table.optional("walk_speed_mps", speed, 2.0, "Walking speed.");
    let run_speed_mps = table.optional("run_speed_mps", speed, 6.0, "Running speed.");
    check_speeds(table, true, walk_speed_mps, run_speed_mps);
    let jump_height_m =
        table.optional("jump_height_m", number(0.0, 5.0, "m"), 1.2, "How high a standing jump rises; 0 forbids jumps.");
    let gravity_mps2 = table.optional(
        "gravity_mps2",
        number(1.0, 50.0, "m/s²"),
        15.0,
        "How quickly things fall. \
        The earth's is 9.81; games feel better with more.",
    );
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

/// Running is no slower than walking, as far as both `are_known`.
pub(super) fn check_speeds(table: &mut TableReader<'_, '_>, are_known: bool, walk_speed_mps: f32, run_speed_mps: f32) {
    let doc = "`run_speed_mps` is at least `walk_speed_mps`";
    table.rule(&["run_speed_mps", "walk_speed_mps"], doc, !are_known || run_speed_mps >= walk_speed_mps, || {
        format!("running ({run_speed_mps} m/s) would be slower than walking ({walk_speed_mps} m/s)")
    });
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
    let weight_doc = "How many of those who appear do so here: of two areas with weights 3 and 1, three quarters in the first. Without it, the square of \
                      its radius: as many as it is large.";
    let weight = table.optional_without_default("weight", number(0.0, 100_000_000.0, ""), weight_doc);
    let who = table.word("who", WHO, "Who appears here.");
    let bots_doc = "Most bots at once that have appeared here; without it, any number. It is for the bots of the whole world or of the zone that its middle \
                    lies in.";
    let bots_max = table.optional_without_default("bots_max", whole(0, 100_000, "bots"), bots_doc);
    let doc = "`bots_max` is for areas where bots appear";
    table.rule(&["bots_max", "who"], doc, bots_max.is_none() || who != SpawnFor::Players, || {
        "no bot appears in an area with who = \"players\"".to_owned()
    });
    let area = SpawnAreaConfig { center_m, radius_m, weight, who, bots_max };
    check_not_blocked(table, &area, obstacles);
    area
}

pub(super) fn read_interest(table: &mut TableReader<'_, '_>) -> InterestConfig {
    let enter_doc = "A character that comes nearer than this is shown.";
    let enter_radius_m = table.optional("enter_radius_m", number(10.0, 400.0, "m"), 100.0, enter_doc);
    let leave_doc = "A character that is shown stays so until it is farther away than this.";
    let leave_radius_m = table.optional("leave_radius_m", number(11.0, LEAVE_RADIUS_MAX_M, "m"), 115.0, leave_doc);
    let doc = "`leave_radius_m` is at least 1 m more than `enter_radius_m`";
    table.rule(&["leave_radius_m", "enter_radius_m"], doc, leave_radius_m >= enter_radius_m + 1.0, || {
        format!("characters would flicker: they enter at {enter_radius_m} m and leave at {leave_radius_m} m")
    });
    let visible_doc = "Most characters shown to one player; the farthest are left out.";
    let visible_max = table.optional("visible_max", whole(1, VISIBLE_MAX as u32, "characters"), 250, visible_doc);
    let bandwidth_doc = "Most that a player is sent of the world, with all headers. What does not fit waits, the near less than the far. A link \
                         that does not bear it gets less, but always 200 bytes per tick.";
    let bandwidth_kbit_per_s = table.optional("bandwidth_kbit_per_s", whole(32, 8_192, "kbit/s"), 512, bandwidth_doc);
    InterestConfig { enter_radius_m, leave_radius_m, visible_max, bandwidth_kbit_per_s, tiers: Vec::new() }
}

/// Reads a tier of interest; `nearer` is the one before it.
pub(super) fn read_tier(table: &mut TableReader<'_, '_>, nearer: Option<&TierConfig>) -> TierConfig {
    let within_doc = "Up to which distance this tier reaches.";
    let within_m = table.required("within_m", number(1.0, LEAVE_RADIUS_MAX_M, "m"), within_doc);
    let doc = "`within_m` is more than that of the tier before";
    table.rule(&["within_m"], doc, nearer.is_none_or(|nearer| within_m > nearer.within_m), || {
        format!("nobody would be in it: the tier before reaches to {} m", nearer.map_or(0.0, |nearer| nearer.within_m))
    });
    let staleness_doc = "Longest time between two tellings of somebody who moves, in whole ticks, but at least one. Less costs \
                         more bandwidth.";
    let staleness_ms = table.required("staleness_ms", whole(1, STALENESS_MS_MAX, "ms"), staleness_doc);
    let doc = "`staleness_ms` is no less than that of the tier before";
    table.rule(&["staleness_ms"], doc, nearer.is_none_or(|nearer| staleness_ms >= nearer.staleness_ms), || {
        let before_ms = nearer.map_or(0, |nearer| nearer.staleness_ms);
        format!("the far would be fresher than the near, who may be {before_ms} ms old")
    });
    TierConfig { within_m, staleness_ms }
}
