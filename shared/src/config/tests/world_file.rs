//! The text of world files.

use glam::Vec2;

use super::{SMALLEST, labels, read};
use crate::config::builtin::BUILTIN_WORLD_TEXT as MEADOW;
use crate::config::{
    BotsConfig, CONFIG_ERRORS_MAX, ConfigError, ConfigErrorKind, DayConfig, InterestConfig, MovementConfig,
    ObstacleShapeConfig, OverloadConfig, PopulationConfig, SPAWN_AREAS_MAX, SpawnAreaConfig, TerrainConfig,
    WORLD_FILE_BYTES_MAX, WorldConfig,
};

/// Labels of the mistakes in `text`, each with its line.
fn mistakes(text: &str) -> Vec<(usize, &'static str)> {
    labels(&read(text).expect_err("the text has a mistake"))
}

/// Index and key of each line of `text` that gives a key a value.
fn key_lines(text: &str) -> Vec<(usize, &str)> {
    let keys = text.lines().enumerate().filter_map(|(index, line)| Some((index, line.split_once(" = ")?.0)));
    keys.filter(|(_, key)| !key.starts_with('#')).collect()
}

fn with_line(text: &str, index: usize, line: &str) -> String {
    let lines = text.lines().enumerate().map(|(at, old)| if at == index { line } else { old });
    lines.flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn the_default_world_is_read() {
    let meadow = read(MEADOW).expect("the default world has no mistakes");
    assert_eq!((meadow.name.as_str(), meadow.size_m, meadow.population.target), ("meadow", 1_000.0, 500));
    assert!((40..=60).contains(&meadow.obstacles.len()), "{} obstacles", meadow.obstacles.len());
    assert_eq!(meadow.patrols.len(), 3);
    assert!(meadow.obstacles.iter().any(|it| matches!(it.shape, ObstacleShapeConfig::Box { .. })));
    assert!(meadow.obstacles.iter().any(|it| matches!(it.shape, ObstacleShapeConfig::Cylinder { .. })));
}

#[test]
fn tables_that_are_not_written_have_their_defaults() {
    let expected = WorldConfig {
        name: "smallest".to_owned(),
        seed: 1,
        size_m: 100.0,
        tick_rate_hz: 20,
        input_repeat_ticks: 4,
        terrain: TerrainConfig::Flat { height_m: 0.0 },
        obstacles: Vec::new(),
        movement: MovementConfig {
            walk_speed_mps: 2.0,
            run_speed_mps: 6.0,
            jump_height_m: 1.2,
            gravity_mps2: 15.0,
            ground_acceleration_mps2: 40.0,
            air_acceleration_mps2: 10.0,
            slope_max_deg: 45.0,
            step_height_m: 0.35,
            capsule_radius_m: 0.4,
            capsule_height_m: 1.8,
        },
        archetypes: Vec::new(),
        spawn_areas: vec![SpawnAreaConfig::disc(Vec2::ZERO, 10.0)],
        interest: InterestConfig {
            enter_radius_m: 100.0,
            leave_radius_m: 115.0,
            visible_max: 250,
            bandwidth_kbit_per_s: 512,
            tiers: Vec::new(),
        },
        attributes: Vec::new(),
        archetype_values: Vec::new(),
        overload: OverloadConfig {
            bots_yield_percent: 60,
            climb_percent: 85,
            descend_percent: 60,
            climb_after_ms: 1_000,
            descend_after_ms: 5_000,
            rungs: Vec::new(),
        },
        population: PopulationConfig::default(),
        day: DayConfig { length_min: 1_440.0, begins_h: 8.0 },
        zones: vec![],
        features: vec![],
        events: vec![],
        bots: BotsConfig {
            idle_weight: 1.0,
            wander_weight: 4.0,
            patrol_weight: 2.0,
            follow_weight: 1.0,
            gather_weight: 0.0,
            flee_weight: 1.0,
            sight_m: 40.0,
            think_interval_ms: 250,
            attack_percent: 100.0,
            retreat_below_percent: 25.0,
            reaction_ms: 350,
            aim_error_deg: 2.5,
        },
        bot_profiles: Vec::new(),
        places: Vec::new(),
        patrols: Vec::new(),
    };
    assert_eq!(read(SMALLEST), Ok(expected));
}

#[test]
fn any_key_of_the_default_world_with_another_name_is_refused_at_its_line() {
    for (index, key) in key_lines(MEADOW) {
        let line = MEADOW.lines().nth(index).expect("the line is there").replacen(key, &format!("{key}_x"), 1);
        let errors = read(&with_line(MEADOW, index, &line)).expect_err(&line);
        let unknown = |error: &&ConfigError| error.kind == ConfigErrorKind::UnknownKey && error.line == index + 1;
        let error = errors.into_iter().find(unknown).expect(&line);
        assert_eq!(error.suggestion, Some(format!("did you mean {key}?")), "{error}");
    }
}

#[test]
fn any_value_of_the_default_world_of_another_type_or_range_is_refused_at_its_line() {
    for (index, key) in key_lines(MEADOW) {
        for wrong in
            ["nan", "-1e30", "1e30", "99999999999999999999999999", "true", "[]", "[[1]]", "{}", "'€'", "1979-05-27"]
        {
            let text = with_line(MEADOW, index, &format!("{key} = {wrong}"));
            let Err(errors) = read(&text) else { panic!("{key} = {wrong} is accepted") };
            assert!(errors.into_iter().any(|error| error.line == index + 1), "{key} = {wrong}\n{errors}");
        }
    }
}

#[test]
fn whole_numbers_are_accepted_as_numbers_and_not_the_reverse() {
    assert!(read(&SMALLEST.replace("100", "100.0")).is_ok());
    assert!(read(&SMALLEST.replace("100", "1_00")).is_ok());
    let text = format!("{SMALLEST}[population]\ntarget = 5.0\n");
    assert_eq!(mistakes(&text), [(10, "wrong_type")]);
}

#[test]
fn all_mistakes_are_collected_in_one_pass_and_in_the_order_of_their_lines() {
    let text = "[population]\ntarget = -1\n[bots]\nsight = 3\n[world]\nname = 5\nsize_m = 1\n[[spawn]]\n";
    let wrong_values = [(2, "out_of_range"), (4, "unknown_key"), (6, "wrong_type"), (7, "out_of_range")];
    let missing = [(8, "missing_key"), (8, "missing_key")];
    assert_eq!(mistakes(text), [&[(0, "missing_table")], &wrong_values[..], &missing].concat());
    // Where the file is not TOML, what seems missing may be there.
    assert_eq!(mistakes(&format!("{text}1,5")), [&wrong_values[..], &[(9, "syntax")]].concat());
}

#[test]
fn what_depends_on_a_mistake_is_not_judged() {
    assert_eq!(
        mistakes(&SMALLEST.replace("size_m = 100", "size_m = 9").replace("[0, 0]", "[90, 0]")),
        [(3, "out_of_range")]
    );
    let text = format!("{SMALLEST}[interest]\nenter_radius_m = 'x'\nleave_radius_m = 20\n");
    assert_eq!(mistakes(&text), [(10, "wrong_type")]);
    let text = SMALLEST.replace("\"flat\"", "\"flart\"\nfile = 3\nheight = 1");
    assert_eq!(mistakes(&text), [(5, "unknown_choice"), (7, "unknown_key")]);
}

#[test]
fn beyond_a_limit_is_refused() {
    let spawns = "[[spawn]]\ncenter_m = [0, 0]\nradius_m = 10\n".repeat(SPAWN_AREAS_MAX);
    let line = SMALLEST.lines().count() + 3 * (SPAWN_AREAS_MAX - 1) + 1;
    assert_eq!(mistakes(&format!("{SMALLEST}{spawns}")), [(line, "wrong_table_count")]);
    assert_eq!(mistakes(&" ".repeat(WORLD_FILE_BYTES_MAX + 1)), [(0, "file")]);
    let unknown: String = (0..3 * CONFIG_ERRORS_MAX).map(|index| format!("key_{index} = 1\n")).collect();
    let errors = read(&format!("{SMALLEST}{unknown}")).expect_err("unknown keys");
    assert_eq!((errors.as_slice().len(), errors.omitted_count()), (CONFIG_ERRORS_MAX, 2 * CONFIG_ERRORS_MAX));
}

#[test]
fn inline_tables_and_dotted_keys_are_the_same_tables() {
    let text = "world = { name = 'smallest', size_m = 100 }\nterrain.kind = 'flat'\n\
                spawn = [{ center_m = [0, 0], radius_m = 10 }]\n";
    assert_eq!(read(text), read(SMALLEST));
    assert_eq!(mistakes(&text.replace("radius_m", "radius")), [(3, "missing_key"), (3, "unknown_key")]);
}
