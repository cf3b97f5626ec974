//! Files that include others: what counts, and where mistakes are told.

use std::cell::RefCell;
use std::io;

use super::{SMALLEST, labels};
use crate::config::{
    ConfigErrors, INCLUDE_DEPTH_MAX, INCLUDED_FILES_MAX, LoadedWorld, ObstacleShapeConfig, TerrainConfig,
    WORLD_FILE_BYTES_MAX, load_world, read_world,
};

/// Loads the world in `worlds/here`, whose files are in memory, `world.toml` first: each a name and a text.
fn load(files: &[(&str, &str)]) -> Result<LoadedWorld, ConfigErrors> {
    load_world("worlds/here", |name| {
        let file = files.iter().find(|(known, _)| *known == name);
        file.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| io::ErrorKind::NotFound.into())
    })
}

/// The smallest world, with an `include` above it in line 1.
fn including(paths: &str) -> String {
    format!("include = [{paths}]\n{SMALLEST}")
}

/// File, line and label of each mistake.
fn mistakes(files: &[(&str, &str)]) -> Vec<(String, usize, &'static str)> {
    let errors = load(files).expect_err("there is a mistake");
    errors.into_iter().map(|error| (error.file.clone(), error.line, error.kind.label())).collect()
}

fn told(file: &str, line: usize, label: &'static str) -> Vec<(String, usize, &'static str)> {
    vec![(file.to_owned(), line, label)]
}

#[test]
fn keys_count_as_the_strongest_file_has_them_and_lists_follow_one_another() {
    let tree =
        |x: u32| format!("[[obstacle]]\nshape = \"cylinder\"\ncenter_m = [{x}, 0]\nradius_m = 1\nheight_m = 2\n");
    let first = format!("include = [\"base.toml\"]\n[movement]\nrun_speed_mps = 7\njump_height_m = 2\n{}", tree(2));
    let files = [
        (
            "world.toml",
            &*format!("{}[movement]\njump_height_m = 3\n{}", including("\"a.toml\", \"parts/b.toml\""), tree(4)),
        ),
        ("a.toml", &*first),
        ("parts/b.toml", &*format!("include = [\"../base.toml\"]\n[movement]\nrun_speed_mps = 8\n{}", tree(3))),
        ("base.toml", &*format!("[movement]\nrun_speed_mps = 9\nwalk_speed_mps = 4\n{}", tree(1))),
    ];
    let config = load(&files).expect("it is right").config;
    let movement = &config.movement;
    assert_eq!((movement.walk_speed_mps, movement.run_speed_mps, movement.jump_height_m), (4.0, 8.0, 3.0));
    let places: Vec<f32> = config.obstacles.iter().map(|obstacle| obstacle.center_m.x).collect();
    assert_eq!(places, [1.0, 2.0, 3.0, 4.0], "each file once, where it is included first");
}

#[test]
fn a_world_may_be_nothing_but_what_it_changes_of_another() {
    let world = "include = [\"../meadow/world.toml\"]\n[world]\nname = \"dusk\"\n";
    let config = load(&[("world.toml", world), ("../meadow/world.toml", SMALLEST)]).expect("it is right").config;
    assert_eq!((config.name.as_str(), config.size_m, config.spawn_areas.len()), ("dusk", 100.0, 1));
}

#[test]
fn entries_with_names_are_changed_in_their_place() {
    let common = "[[attribute]]\nname = \"health\"\nkind = \"number\"\nmax = 100\n\
                  [[attribute]]\nname = \"mana\"\nkind = \"number\"\nmax = 50\nvisible_to = \"owner\"\n";
    let own =
        "[[attribute]]\nname = \"gold\"\nkind = \"number\"\nmax = 9\n[[attribute]]\nname = \"health\"\nmax = 200\n";
    let text = format!("{}{own}", including("\"c.toml\""));
    let attributes = load(&[("world.toml", &text), ("c.toml", common)]).expect("it is right").config.attributes;
    let names: Vec<&str> = attributes.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["health", "mana", "gold"]);
    assert!(format!("{:?}", attributes[0].kind).contains("max: 200.0"), "{attributes:?}");
    // Twice in one file is a mistake of that file.
    let twice = format!("{text}[[attribute]]\nname = \"health\"\nkind = \"flag\"\n");
    assert_eq!(mistakes(&[("world.toml", &twice), ("c.toml", common)]), told("worlds/here/world.toml", 18, "conflict"));
}

#[test]
fn another_choice_leaves_behind_what_goes_with_the_former_one() {
    let hills = "[terrain]\nkind = \"procedural\"\nheight_min_m = 3\nheight_max_m = 70\noctaves = 2\n";
    let files = [("world.toml", &*including("\"hills.toml\"")), ("hills.toml", hills)];
    assert_eq!(load(&files).expect("it is right").config.terrain, TerrainConfig::Flat { height_m: 0.0 });
    // It is checked all the same, by its own choice.
    let wrong = hills.replace("octaves = 2", "octaves = 20\nheight_m = 5");
    let files = [("world.toml", &*including("\"hills.toml\"")), ("hills.toml", &*wrong)];
    let expected =
        [told("worlds/here/hills.toml", 5, "out_of_range"), told("worlds/here/hills.toml", 6, "unknown_key")];
    assert_eq!(mistakes(&files), expected.concat());
    // The same choice is no other.
    let text = including("\"hills.toml\"").replace("flat", "procedural\"\nheight_min_m = \"").replace("= \"\"", "= 1");
    let files = [("world.toml", &*text), ("hills.toml", hills)];
    let terrain = load(&files).expect("it is right").config.terrain;
    assert!(matches!(terrain, TerrainConfig::Procedural { height_min_m: 1.0, height_max_m: 70.0, octaves: 2, .. }));
}

#[test]
fn what_is_missing_is_told_where_the_table_is_in_the_strongest_file() {
    let part = "[[obstacle]]\nshape = \"box\"\ncenter_m = [0, 30]\nheight_m = 2\n";
    let files = [("world.toml", &*including("\"a.toml\"")), ("a.toml", part)];
    assert_eq!(mistakes(&files), told("worlds/here/a.toml", 1, "missing_key"));
    let text = including("\"a.toml\"").replace("size_m = 100\n", "");
    let files = [("world.toml", &*text), ("a.toml", "[world]\nseed = 5\n")];
    assert_eq!(mistakes(&files), told("worlds/here/world.toml", 2, "missing_key"));
    let files = [("world.toml", &*text), ("a.toml", "[world]\nsize_m = 100\n")];
    assert!(load(&files).is_ok());
    let part = SMALLEST.replace("size_m = 100\n", "");
    let files = [("world.toml", "include = [\"a.toml\"]"), ("a.toml", &*part)];
    assert_eq!(mistakes(&files), told("worlds/here/a.toml", 1, "missing_key"));
}

#[test]
fn what_is_overridden_is_to_be_right_too() {
    let text = format!("{}[movement]\nwalk_speed_mps = 3\n", including("\"a.toml\""));
    for (part, line, label) in [
        ("[movement]\nwalk_speed_mps = 300\n", 2, "out_of_range"),
        ("[movement]\nwalk_speed_mps = true\n", 2, "wrong_type"),
        ("\n\n[movement]\nwalk_speed = 3\n", 4, "unknown_key"),
        ("[[movement]]\nwalk_speed_mps = 3\n", 1, "wrong_brackets"),
        ("[movement]\nwalk_speed_mps = 3 m/s\n", 2, "syntax"),
        ("[movement]\nwalk_speed_mps = 3\n[move]\n", 3, "unknown_table"),
        ("[movement]\nwalk_speed_mps = 3\n[movement]\n", 3, "duplicate"),
        ("[[patrol]]\nname = \"a\"\npoints_m = [[1, 2], [3, 4]", 3, "syntax"),
    ] {
        let found = mistakes(&[("world.toml", &text), ("a.toml", part)]);
        assert_eq!(found, told("worlds/here/a.toml", line, label), "{part}");
    }
}

#[test]
fn a_rule_that_is_broken_across_files_blames_the_strongest_and_names_the_other() {
    let part = "# How far players see.\n[interest]\nenter_radius_m = 100\nleave_radius_m = 120\n";
    for (own, line) in [("leave_radius_m = 90", 11), ("enter_radius_m = 119.5", 11)] {
        let text = format!("{}[interest]\n{own}\n", including("\"../common/see.toml\""));
        let files = [("world.toml", &*text), ("../common/see.toml", part)];
        assert_eq!(mistakes(&files), told("worlds/here/world.toml", line, "conflict"));
        let message = load(&files).expect_err("it is broken").to_string();
        let other = if own.starts_with("leave") { "enter_radius_m" } else { "leave_radius_m" };
        let place = if own.starts_with("leave") { 3 } else { 4 };
        assert!(message.contains(&format!("help: {other} is written in worlds/common/see.toml:{place}")), "{message}");
    }
    // A rule with a key of another table, in another file.
    let part = "[[obstacle]]\nshape = \"cylinder\"\ncenter_m = [60, 0]\nradius_m = 1\nheight_m = 2\n";
    let files = [("world.toml", &*including("\"a.toml\"")), ("a.toml", part)];
    let errors = load(&files).expect_err("it is outside");
    assert_eq!(labels(&errors), [(3, "conflict")]);
    let message = errors.to_string();
    assert!(message.contains("here/a.toml:3:12: obstacle[1].center_m"), "{message}");
    assert!(message.contains("help: world.size_m is written in worlds/here/world.toml:4"), "{message}");
}

#[test]
fn what_cannot_be_included_is_told_once_at_its_line() {
    let text = including("\"a.toml\"");
    for (paths, part, reason) in [
        ("\"b.toml\"", "", "worlds/here/b.toml does not exist"),
        ("\"../../server.toml\"", "", "leads out of the folder that holds the worlds"),
        ("\"a.toml\"", "include = [\"../here/a.toml\"]", ""),
        ("\"world.toml\"", "", "would include itself: worlds/here/world.toml -> worlds/here/world.toml"),
        (
            "\"a.toml\"",
            "include = [\"world.toml\"]",
            "itself: worlds/here/world.toml -> worlds/here/a.toml -> worlds/here/world.toml",
        ),
        ("\"a.txt\"", "", "does not end with .toml"),
        ("\"a\\\\b.toml\"", "", "has a \\ in it"),
        ("5", "", "5 is a whole number, not text"),
        ("", "", "is empty"),
    ] {
        // Whoever writes the key in other characters writes the same.
        let escaped = including(paths).replacen("include", "\"inc\\u006cude\"", 1);
        assert_eq!(mistakes(&[("world.toml", &escaped), ("a.toml", part)]).len(), 1, "{escaped}");
        let text = including(paths);
        let files = [("world.toml", &*text), ("a.toml", part)];
        let errors = load(&files).expect_err(paths);
        assert_eq!((errors.as_slice().len(), errors.as_slice()[0].line), (1, 1), "{errors}");
        assert!(errors.to_string().contains(reason), "{errors}");
    }
    for wrong in [text.replace("[\"a.toml\"]", "\"a.toml\""), format!("{SMALLEST}include = [\"a.toml\"]\n")] {
        assert_eq!(mistakes(&[("world.toml", &wrong), ("a.toml", "")]).len(), 1);
    }
    let message =
        load(&[("world.toml", &format!("{SMALLEST}include = [\"a.toml\"]\n"))]).expect_err("too late").to_string();
    assert!(message.contains("include belongs at the top of the file"), "{message}");
    let alone = read_world("my.toml", &text).expect_err("there is nothing to include");
    assert!(alone.to_string().contains("my.toml:1:12: include[1]: a.toml cannot be read: nothing but"), "{alone}");
}

#[test]
fn an_included_file_that_is_no_text_is_told_itself() {
    let errors = load_world("here", |name| match name {
        "world.toml" => Ok(including("\"a.toml\"").into()),
        "a.toml" => Ok(b"# fine\n# \xff".to_vec()),
        _ => Err(io::ErrorKind::NotFound.into()),
    });
    let errors = errors.expect_err("it is no text");
    assert_eq!((errors.as_slice()[0].file.as_str(), labels(&errors)), ("here/a.toml", vec![(2, "syntax")]));
}

#[test]
fn depth_and_number_and_size_are_bounded() {
    let asked = RefCell::new(0);
    // File n includes n + 1, and so on for ever.
    let deep = load_world("here", |name| {
        *asked.borrow_mut() += 1;
        let number: usize = name.trim_start_matches(char::is_alphabetic).trim_end_matches(".toml").parse().unwrap_or(0);
        match name {
            "abilities.toml" => Err(io::ErrorKind::NotFound.into()),
            "world.toml" => Ok(including("\"p1.toml\"").into()),
            _ => Ok(format!("include = [\"p{}.toml\"]", number + 1).into()),
        }
    });
    let errors = deep.expect_err("it is too deep");
    assert_eq!((errors.as_slice().len(), errors.as_slice()[0].file.as_str()), (1, "here/p8.toml"));
    assert_eq!((INCLUDE_DEPTH_MAX, *asked.borrow()), (8, 10), "{errors}");
    // Sixteen, of which each includes sixteen more.
    *asked.borrow_mut() = 0;
    let many = load_world("here", |name| {
        let number = *asked.borrow();
        *asked.borrow_mut() += 1;
        let paths: Vec<String> = (0..16).map(|index| format!("\"p{number}-{index}.toml\"")).collect();
        match name {
            "abilities.toml" => Err(io::ErrorKind::NotFound.into()),
            "world.toml" => Ok(including(&paths.join(", ")).into()),
            _ if name.starts_with('q') => Ok(Vec::new()),
            _ => Ok(format!("include = [{}]", paths.join(", ").replace('p', "q")).into()),
        }
    });
    assert!(many.expect_err("they are too many").to_string().contains("at most 64 are included"));
    assert_eq!(*asked.borrow(), INCLUDED_FILES_MAX + 2);
    let long = " ".repeat(WORLD_FILE_BYTES_MAX / 2);
    let text = including("\"a.toml\", \"b.toml\"");
    let errors = load(&[("world.toml", &text), ("a.toml", &long), ("b.toml", &long)]).expect_err("they are too long");
    assert_eq!(labels(&errors), [(1, "file")]);
    assert!(errors.to_string().contains("b.toml is too large"), "{errors}");
    assert!(load(&[("world.toml", &text), ("a.toml", &long), ("b.toml", "")]).is_ok());
}

#[test]
fn the_hash_is_of_what_the_files_mean() {
    let walls = "[[obstacle]]\nshape = \"box\"\ncenter_m = [0, 30]\nheight_m = 2\nsize_m = [4, 2]\n";
    let whole =
        load(&[("world.toml", &format!("{SMALLEST}{walls}[movement]\nwalk_speed_mps = 3\n"))]).expect("it is right");
    let text = format!("{}[movement]\nwalk_speed_mps = 3\n", including("\"walls.toml\""));
    let walls = format!("{walls}[movement]\nwalk_speed_mps = 1\n");
    let split = load(&[("world.toml", &text), ("walls.toml", &walls)]).expect("it is right");
    assert_eq!(split, whole);
    assert!(matches!(split.config.obstacles[0].shape, ObstacleShapeConfig::Box { .. }));
}
