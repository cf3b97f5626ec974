//! Readers of what designers and operators write, on any text, and of pictures that come with a world.

use std::io;

use throng_shared::abilities::Abilities;
use throng_shared::attributes::Schema;
use throng_shared::config::{
    ABILITIES_FILE_NAME, CONFIG_ERRORS_MAX, ConfigErrors, LoadedWorld, TerrainConfig, WORLD_FILE_NAME,
    load_and_show_world, load_world, read_common_file, read_settings, read_world,
};
use throng_shared::map::Map;
use throng_shared::tick::TickRate;

/// Longest side of a world whose map the target builds, in cells: larger ones are as right and take longer.
const MAP_SIDE_MAX: f32 = 128.0;

/// Longest side of a flat world whose map the target builds, in metres.
const MAP_SIZE_MAX_M: f32 = 1_000.0;

/// Longest world file that the target writes down and reads again, in bytes.
const SHOWN_BYTES_MAX: usize = 8_192;

/// A world's folder: the bytes of its `world.toml`, and after the first zero byte, which no text has, those of every file that
/// it includes, and of the one that its ground comes from.
pub fn world_file(bytes: &[u8]) {
    let end = bytes.iter().position(|&byte| byte == 0);
    let (text, terrain) = (&bytes[..end.unwrap_or(bytes.len())], end.map(|end| &bytes[end + 1..]));
    let result = load_world("fuzz", |name| match (name, terrain) {
        (WORLD_FILE_NAME, _) => Ok(text.to_vec()),
        (ABILITIES_FILE_NAME, _) => Err(io::ErrorKind::NotFound.into()),
        (_, Some(terrain)) => Ok(terrain.to_vec()),
        (_, None) => Err(io::ErrorKind::NotFound.into()),
    });
    match &result {
        Ok(world) => {
            let config = &world.config;
            let is_small = match config.terrain {
                TerrainConfig::Procedural { cell_m, .. } => config.size_m / cell_m <= MAP_SIDE_MAX,
                TerrainConfig::Flat { .. } | TerrainConfig::Png { .. } | TerrainConfig::Raw { .. } => true,
            };
            if is_small && config.size_m <= MAP_SIZE_MAX_M {
                let map = Map::new(config, world.terrain_samples.as_ref()).expect("its files were read");
                assert!(map.terrain.height_m(glam::Vec2::ZERO).is_finite());
            }
        }
        Err(errors) => check_errors(errors),
    }
    // Behind a \ the word may be written in other characters.
    let includes = text.contains(&b'\\') || text.windows(7).any(|word| word == b"include");
    let read_alone = std::str::from_utf8(text).is_ok_and(|text| read_world("fuzz/world.toml", text).is_ok());
    assert!(includes || read_alone || result.is_err(), "a world is right with its files and wrong without");
    check_shown(text, terrain, result.ok());
}

/// What is written down of a world that is right is the same world.
fn check_shown(text: &[u8], others: Option<&[u8]>, world: Option<LoadedWorld>) {
    let Some(world) = world.filter(|_| text.len() <= SHOWN_BYTES_MAX) else { return };
    let read = |text: &[u8], name: &str| match (name, others) {
        (WORLD_FILE_NAME, _) => Ok(text.to_vec()),
        (ABILITIES_FILE_NAME, _) | (_, None) => Err(io::ErrorKind::NotFound.into()),
        (_, Some(others)) => Ok(others.to_vec()),
    };
    let shown = load_and_show_world("fuzz", |name| read(text, name)).expect("it is right");
    let again =
        load_world("fuzz", |name| read(shown.world_toml.as_bytes(), name)).expect("what is written down is right");
    assert!(shown.loaded == world && again == world, "{}", shown.world_toml);
}

/// The `abilities.toml` of the arena.
pub fn abilities_file(bytes: &[u8]) {
    const WORLD: &str = include_str!("../../../assets/worlds/arena/world.toml");
    let result = load_world("fuzz", |name| match name {
        WORLD_FILE_NAME => Ok(WORLD.into()),
        ABILITIES_FILE_NAME => Ok(bytes.to_vec()),
        _ => read_common_file(name),
    });
    match &result {
        Ok(world) => {
            let combat = world.combat.as_ref().expect("there was a file");
            let schema = Schema::new(world.config.attributes.clone()).expect("they were read");
            let abilities = Abilities::new(combat, TickRate::new(world.config.tick_rate_hz), &schema);
            assert_eq!(abilities.expect("its attributes were looked for").all().len(), combat.abilities.len());
        }
        Err(errors) => check_errors(errors),
    }
}

/// A settings file.
pub fn settings_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(errors) = read_settings("server.toml", &text) {
        check_errors(&errors);
    }
}

/// Every mistake can be shown, stands where it says, and there are not too many.
fn check_errors(errors: &ConfigErrors) {
    let mistakes = errors.as_slice();
    assert!((1..=CONFIG_ERRORS_MAX).contains(&mistakes.len()));
    for mistake in mistakes {
        let shown = mistake.to_string();
        assert!(shown.starts_with("error: "), "{shown}");
        assert!(!shown.ends_with('\n') && (mistake.line > 0) == (mistake.column > 0), "{shown}");
        assert!(mistake.underline.end <= mistake.source_line.chars().count().max(1) + 1, "{shown}");
    }
    assert!(errors.to_string().contains(&mistakes[0].to_string()));
}
