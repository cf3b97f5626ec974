//! What changes a world's hash, and what does not.

use super::{RAW, SMALLEST, load};

/// Every table, and two obstacles of different shapes.
const FULL: &str = "\
[world]
name = \"full\"
seed = 7
size_m = 200
[simulation]
tick_rate_hz = 20
input_repeat_ticks = 4
[terrain]
kind = \"procedural\"
height_min_m = 1
height_max_m = 30
feature_m = 100
octaves = 3
cell_m = 2
[movement]
walk_speed_mps = 2
run_speed_mps = 6
jump_height_m = 1.2
gravity_mps2 = 15
ground_acceleration_mps2 = 40
air_acceleration_mps2 = 10
slope_max_deg = 45
step_height_m = 0.35
capsule_radius_m = 0.4
capsule_height_m = 1.8
[interest]
enter_radius_m = 100
leave_radius_m = 115
visible_max = 250
[population]
target = 5
players_max = 9
[bots]
idle_weight = 1
wander_weight = 4
patrol_weight = 2
follow_weight = 1
flee_weight = 1
sight_m = 40
think_interval_ms = 250
[[spawn]]
center_m = [0, 0]
radius_m = 10
[[patrol]]
name = \"round\"
points_m = [[0, 0], [5, 5]]
[[obstacle]]
shape = \"box\"
center_m = [20, 30]
height_m = 4
size_m = [5, 6]
yaw_deg = 8
[[obstacle]]
shape = \"cylinder\"
center_m = [-20, -30]
height_m = 3
radius_m = 0.5
";

const BOX: &str = "[[obstacle]]\nshape = \"box\"\ncenter_m = [20, 30]\nheight_m = 4\nsize_m = [5, 6]\nyaw_deg = 8\n";
const CYLINDER: &str = "[[obstacle]]\nshape = \"cylinder\"\ncenter_m = [-20, -30]\nheight_m = 3\nradius_m = 0.5\n";

fn hash(text: &str) -> u64 {
    hash_with(text, "hills.raw", &[0; 8])
}

fn hash_with(text: &str, file: &str, bytes: &[u8]) -> u64 {
    load(&[("world.toml", text.as_bytes()), (file, bytes)]).expect("loads").hash
}

/// `text` with the only `old` replaced.
fn edited(text: &str, old: &str, new: &str) -> String {
    assert_eq!(text.matches(old).count(), 1, "{old}");
    text.replace(old, new)
}

#[test]
fn what_a_client_does_not_predict_keeps_the_hash() {
    let unchanged = hash(FULL);
    for (old, new) in [
        ("[world]\n", "# A comment.\n\n  [world]  # And another.\n"),
        ("size_m = 200", "size_m = 200.0"),
        ("yaw_deg = 8", "yaw_deg = 8.0"),
        ("step_height_m = 0.35\n", ""), // its default
        ("name = \"full\"", "name = \"other\""),
        ("input_repeat_ticks = 4", "input_repeat_ticks = 5"),
        ("enter_radius_m = 100", "enter_radius_m = 90"),
        ("leave_radius_m = 115", "leave_radius_m = 120"),
        ("visible_max = 250", "visible_max = 25"),
        ("target = 5", "target = 50"),
        ("players_max = 9", "players_max = 90"),
        ("idle_weight = 1", "idle_weight = 2"),
        ("wander_weight = 4", "wander_weight = 5"),
        ("patrol_weight = 2", "patrol_weight = 3"),
        ("follow_weight = 1", "follow_weight = 2"),
        ("flee_weight = 1", "flee_weight = 2"),
        ("sight_m = 40", "sight_m = 50"),
        ("think_interval_ms = 250", "think_interval_ms = 300"),
        ("center_m = [0, 0]", "center_m = [1, 0]"),
        ("radius_m = 10\n", "radius_m = 11\n[[spawn]]\ncenter_m = [9, 9]\nradius_m = 2\n"),
        ("name = \"round\"", "name = \"square\""),
        ("[5, 5]]", "[5, 5], [0, 5]]"),
    ] {
        assert_eq!(hash(&edited(FULL, old, new)), unchanged, "{old} -> {new}");
    }
    assert_eq!(hash(&FULL.replace('\n', "\r\n")), unchanged);
    assert_eq!(hash(&format!("\u{feff}{FULL}")), unchanged);
}

#[test]
fn whatever_a_client_predicts_with_changes_the_hash() {
    let (both, swapped) = (format!("{BOX}{CYLINDER}"), format!("{CYLINDER}{BOX}"));
    let mut hashes = vec![("", hash(FULL))];
    for (old, new) in [
        ("seed = 7", "seed = 8"),
        ("size_m = 200", "size_m = 201"),
        ("tick_rate_hz = 20", "tick_rate_hz = 30"),
        ("height_min_m = 1", "height_min_m = 2"),
        ("height_max_m = 30", "height_max_m = 31"),
        ("feature_m = 100", "feature_m = 101"),
        ("octaves = 3", "octaves = 4"),
        ("cell_m = 2", "cell_m = 4"),
        ("walk_speed_mps = 2", "walk_speed_mps = 3"),
        ("run_speed_mps = 6", "run_speed_mps = 7"),
        ("jump_height_m = 1.2", "jump_height_m = 1.3"),
        ("gravity_mps2 = 15", "gravity_mps2 = 16"),
        ("ground_acceleration_mps2 = 40", "ground_acceleration_mps2 = 41"),
        ("air_acceleration_mps2 = 10", "air_acceleration_mps2 = 11"),
        ("slope_max_deg = 45", "slope_max_deg = 46"),
        ("step_height_m = 0.35", "step_height_m = 0.36"),
        ("capsule_radius_m = 0.4", "capsule_radius_m = 0.5"),
        ("capsule_height_m = 1.8", "capsule_height_m = 1.9"),
        ("center_m = [20, 30]", "center_m = [21, 30]"),
        ("[20, 30]", "[20, 31]"),
        ("height_m = 4", "height_m = 5"),
        ("[5, 6]", "[6, 6]"),
        ("size_m = [5, 6]", "size_m = [5, 7]"),
        ("yaw_deg = 8", "yaw_deg = 9"),
        ("center_m = [-20, -30]", "center_m = [-20, -31]"),
        ("height_m = 3\n", "height_m = 3.5\n"),
        ("radius_m = 0.5", "radius_m = 0.6"),
        (CYLINDER, ""),
        (&both, &swapped),
    ] {
        hashes.push((old, hash(&edited(FULL, old, new))));
    }
    for (index, (changed, hash)) in hashes.iter().enumerate() {
        let same = hashes[..index].iter().find(|(_, earlier)| earlier == hash);
        assert_eq!(same, None, "{changed}");
    }
}

#[test]
fn the_heights_of_a_terrain_file_count_and_its_name_does_not() {
    let raw = SMALLEST.replace("kind = \"flat\"", RAW);
    let level = hash_with(&raw, "hills.raw", &[0; 8]);
    assert_eq!(hash_with(&edited(&raw, "hills.raw", "h.raw"), "h.raw", &[0; 8]), level);
    // Samples of 0 stay where they are.
    assert_eq!(hash_with(&edited(&raw, "height_max_m = 200", "height_max_m = 300"), "hills.raw", &[0; 8]), level);
    assert_ne!(hash_with(&edited(&raw, "height_min_m = 0", "height_min_m = -1"), "hills.raw", &[0; 8]), level);
    assert_ne!(hash_with(&raw, "hills.raw", &[0, 0, 0, 0, 0, 0, 0, 1]), level);
    assert_ne!(hash_with(&raw, "hills.raw", &[0; 18]), level);
    assert_ne!(hash(SMALLEST), level);
}

/// It goes over the wire: it must never change for the same world.
#[test]
fn the_hash_of_a_world_stays_the_same_from_version_to_version() {
    assert_eq!(hash(SMALLEST), 0xde6e_b315_c321_cd2c, "the smallest world");
    assert_eq!(hash(FULL), 0x9b76_d383_4ce7_acfe, "a world with procedural hills and both kinds of obstacles");
    let raw = SMALLEST.replace("kind = \"flat\"", RAW);
    assert_eq!(
        hash_with(&raw, "hills.raw", &[0, 0, 255, 255, 51, 51, 0, 0]),
        0x9ddd_7431_979d_b0ac,
        "a world with a terrain file"
    );
}
