//! Reads a world's files through a function of the caller's.

use std::io;

use super::combat::CombatConfig;
use super::combat_reader::COMBAT_FORMAT;
use super::error::{ConfigError, ConfigErrorKind, ConfigErrors};
use super::reader::{Mistakes, Source};
use super::terrain_samples::{HeightRange, TerrainRefusal, TerrainSamples, decode_png, decode_raw};
use super::world::{TerrainConfig, WorldConfig};
use super::world_hash::world_hash;
use super::world_reader::{WORLD_FORMAT, WorldFile, check_world};

/// Name of the file in a world's folder that describes the world.
pub const WORLD_FILE_NAME: &str = "world.toml";

/// Name of the file in a world's folder that describes what its characters can do, if they can.
pub const ABILITIES_FILE_NAME: &str = "abilities.toml";

/// A world's files, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedWorld {
    /// What `world.toml` says.
    pub config: WorldConfig,
    /// What `abilities.toml` says, if there is one.
    pub combat: Option<CombatConfig>,
    /// The heights of the terrain's file, if it has one.
    pub terrain_samples: Option<TerrainSamples>,
    /// A hash of what a client that predicts must have in common with the server: seed, size, tick rate, terrain,
    /// obstacles, movement, and of abilities who has them, how they reach others and when they can be used. Client and server refuse each other when theirs differ. Anything else may differ:
    /// comments and names, and how the world is populated, where characters appear and who sees whom.
    pub hash: u64,
}

/// Reads the world in `folder`, which is only for messages: `read_file` is given the bare name of each file that is
/// needed, [`WORLD_FILE_NAME`] first and [`ABILITIES_FILE_NAME`], which need not exist, last, and returns its bytes, from a directory or from memory.
///
/// # Errors
/// With every mistake in all of the files, not just the first.
pub fn load_world(
    folder: &str,
    mut read_file: impl FnMut(&str) -> io::Result<Vec<u8>>,
) -> Result<LoadedWorld, ConfigErrors> {
    let path_of = |name: &str| match folder.trim_end_matches(['/', '\\']) {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    };
    let file_name = path_of(WORLD_FILE_NAME);
    let bytes = read_file(WORLD_FILE_NAME).map_err(|error| refuse_unreadable_world(&file_name, &error))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| WORLD_FORMAT.refuse(encoding_mistake(&file_name, error.as_bytes())))?;
    let WorldFile { config, terrain_file: named_at, mut mistakes } = check_world(&file_name, &text)?;
    let mut terrain_samples = None;
    if let (Some(named_at), Some((name, range, decode))) = (named_at, terrain_file(&config.terrain)) {
        let read = read_file(name).map_err(|error| refuse_unreadable(&error));
        match read.and_then(|bytes| decode(&bytes, range)) {
            Ok(samples) => terrain_samples = Some(samples),
            Err(TerrainRefusal { reason, accepted, suggestion }) => {
                let kind = ConfigErrorKind::File { name: path_of(name), reason };
                let error = Source::new(&file_name, &text).error(Some(named_at), kind);
                let (key, suggestion) = ("terrain.file".to_owned(), suggestion.map(str::to_owned));
                mistakes.push(ConfigError { key, accepted, suggestion, ..error });
            }
        }
    }
    let combat = load_combat(&path_of(ABILITIES_FILE_NAME), &config, &mut mistakes, read_file(ABILITIES_FILE_NAME))?;
    let hash = world_hash(&config, combat.as_ref(), terrain_samples.as_ref());
    mistakes.into_result(LoadedWorld { config, combat, terrain_samples, hash })
}

/// Reads the abilities file, if there is one, and adds its mistakes to those of the world file.
fn load_combat(
    file_name: &str,
    world: &WorldConfig,
    mistakes: &mut Mistakes,
    bytes: io::Result<Vec<u8>>,
) -> Result<Option<CombatConfig>, ConfigErrors> {
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let kind =
                ConfigErrorKind::File { name: ABILITIES_FILE_NAME.to_owned(), reason: unreadable_reason(&error) };
            let accepted = "a file that everybody may read, or none".to_owned();
            return Err(COMBAT_FORMAT.refuse(ConfigError { accepted, ..ConfigError::whole_file(file_name, kind) }));
        }
    };
    let text = String::from_utf8(bytes)
        .map_err(|error| COMBAT_FORMAT.refuse(encoding_mistake(file_name, error.as_bytes())))?;
    let (file, found) = COMBAT_FORMAT.check(file_name, &text)?;
    mistakes.extend(found);
    for error in file.mistakes(&Source::new(file_name, &text), &world.attributes) {
        mistakes.push(error);
    }
    Ok(Some(file.config))
}

type Decode = fn(&[u8], HeightRange) -> Result<TerrainSamples, TerrainRefusal>;

/// The file that a terrain comes from, and what to make of it.
fn terrain_file(terrain: &TerrainConfig) -> Option<(&str, HeightRange, Decode)> {
    match terrain {
        TerrainConfig::Flat { .. } | TerrainConfig::Procedural { .. } => None,
        TerrainConfig::Png { file, height_min_m, height_max_m } => {
            Some((file, HeightRange { min_m: *height_min_m, max_m: *height_max_m }, decode_png))
        }
        TerrainConfig::Raw { file, height_min_m, height_max_m } => {
            Some((file, HeightRange { min_m: *height_min_m, max_m: *height_max_m }, decode_raw))
        }
    }
}

fn refuse_unreadable_world(file_name: &str, error: &io::Error) -> ConfigErrors {
    let kind = ConfigErrorKind::File { name: WORLD_FILE_NAME.to_owned(), reason: unreadable_reason(error) };
    let accepted = format!("a world is a folder with a {WORLD_FILE_NAME} in it");
    WORLD_FORMAT.refuse(ConfigError { accepted, ..ConfigError::whole_file(file_name, kind) })
}

fn refuse_unreadable(error: &io::Error) -> TerrainRefusal {
    let suggestion = match error.kind() {
        io::ErrorKind::NotFound => "put it there or correct the name; capital and small letters count",
        _ => "make sure that it is a file that everybody may read",
    };
    TerrainRefusal {
        reason: unreadable_reason(error),
        accepted: format!("the name of a file in the same folder as {WORLD_FILE_NAME}"),
        suggestion: Some(suggestion),
    }
}

fn unreadable_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "may not be read: permission denied".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

fn encoding_mistake(file_name: &str, bytes: &[u8]) -> ConfigError {
    let valid_bytes = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    let text = String::from_utf8_lossy(bytes);
    let kind = ConfigErrorKind::Syntax { reason: "this character is not in UTF-8".to_owned() };
    let replaced = valid_bytes..valid_bytes + char::REPLACEMENT_CHARACTER.len_utf8();
    let error = Source::new(file_name, &text).error(Some(replaced), kind);
    let suggestion = Some("save the file with the encoding UTF-8".to_owned());
    ConfigError { suggestion, ..error }
}
