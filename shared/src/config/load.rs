//! Reads a world's files through a function of the caller's.

use std::io;

use super::combat::CombatConfig;
use super::combat_reader::{COMBAT_FORMAT, KnownWorld};
use super::error::{ConfigError, ConfigErrorKind, ConfigErrors};
use super::reader::{Folder, Mistakes, encoding_mistake, shown_text_of, unreadable_reason};
use super::terrain_samples::{HeightRange, TerrainRefusal, TerrainSamples, decode_png, decode_raw};
use super::world::{TerrainConfig, WorldConfig};
use super::world_hash::world_hash;
use super::world_reader::{WORLD_FORMAT, WorldFile};

/// Name of the file in a world's folder that describes the world.
pub const WORLD_FILE_NAME: &str = "world.toml";

/// Name of the file in a world's folder that describes what its characters can do, if they can.
pub const ABILITIES_FILE_NAME: &str = "abilities.toml";

/// A world's files, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedWorld {
    /// What `world.toml` says, with what it includes.
    pub config: WorldConfig,
    /// The same of `abilities.toml`, if there is one.
    pub combat: Option<CombatConfig>,
    /// The heights of the terrain's file, if it has one.
    pub terrain_samples: Option<TerrainSamples>,
    /// A hash of what a client that predicts must have in common with the server: seed, size, tick rate, terrain,
    /// obstacles, movement, and of abilities who has them, how they reach others and when they can be used. Client and server refuse each other when theirs differ. Anything else may differ:
    /// comments and names, and how the world is populated, where characters appear and who sees whom.
    pub hash: u64,
}

/// A world's files, read and checked, and all that they say.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownWorld {
    /// What they say.
    pub loaded: LoadedWorld,
    /// The text of a world file that says all of it by itself: every key with its value, with what files include in its
    /// place, and beside each value where it is written or that it is a default.
    pub world_toml: String,
    /// The same for the abilities file, if there is one.
    pub abilities_toml: Option<String>,
}

/// Reads the world in `folder`, which is only for messages: `read_file` is given the name of each file that is
/// needed, [`WORLD_FILE_NAME`] first and [`ABILITIES_FILE_NAME`], which need not exist, last, and returns its bytes, from a directory or from memory.
///
/// The names are paths from the folder. Files that others include may lie in folders within it, such as `parts/walls.toml`,
/// beside it, such as `../common/movement.toml`, or in `../../bots`: there is `/` between names, whatever the operating system has there, and
/// `../` only at the beginning.
///
/// # Errors
/// With every mistake in all of the files, not just the first.
pub fn load_world(
    folder: &str,
    read_file: impl FnMut(&str) -> io::Result<Vec<u8>>,
) -> Result<LoadedWorld, ConfigErrors> {
    load(folder, read_file, false).map(|shown| shown.loaded)
}

/// As [`load_world`], and writes down what was read.
///
/// # Errors
/// With every mistake in all of the files, not just the first.
pub fn load_and_show_world(
    folder: &str,
    read_file: impl FnMut(&str) -> io::Result<Vec<u8>>,
) -> Result<ShownWorld, ConfigErrors> {
    load(folder, read_file, true)
}

fn load(
    folder: &str,
    mut read_file: impl FnMut(&str) -> io::Result<Vec<u8>>,
    is_shown: bool,
) -> Result<ShownWorld, ConfigErrors> {
    let path_of = |name: &str| path_of(folder, name);
    let file_name = path_of(WORLD_FILE_NAME);
    let bytes = read_file(WORLD_FILE_NAME).map_err(|error| refuse_unreadable_world(&file_name, &error))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| WORLD_FORMAT.refuse(encoding_mistake(&file_name, error.as_bytes())))?;
    let mut files = Folder { path_of: &path_of, read_file: &mut read_file };
    let set = WORLD_FORMAT.gather(WORLD_FILE_NAME, text, &mut files);
    let checked = WORLD_FORMAT.check_files(&set, is_shown)?;
    let WorldFile { config, archetypes, terrain_file: named_at, has_unsound_attributes } = checked.value;
    let mut mistakes = checked.mistakes;
    let mut terrain_samples = None;
    // A file that is missing may say that the ground is another.
    let named_at = named_at.filter(|_| !checked.is_partial);
    if let (Some(named_at), Some((name, range, decode))) = (named_at, terrain_file(&config.terrain)) {
        let read = (files.read_file)(name).map_err(|error| refuse_unreadable(&error));
        match read.and_then(|bytes| decode(&bytes, range)) {
            Ok(samples) => terrain_samples = Some(samples),
            Err(TerrainRefusal { reason, accepted, suggestion }) => {
                let kind = ConfigErrorKind::File { name: path_of(name), reason };
                let error = checked.source.error(Some(named_at), kind);
                let (key, suggestion) = ("terrain.file".to_owned(), suggestion.map(str::to_owned));
                mistakes.push(ConfigError { key, accepted, suggestion, ..error });
            }
        }
    }
    let is_partial = checked.is_partial || has_unsound_attributes;
    let archetype_values = &config.archetype_values;
    let world = KnownWorld { attributes: &config.attributes, archetypes, archetype_values, is_partial };
    let (combat, abilities_toml) = load_combat(&mut files, world, &mut mistakes, is_shown)?.unzip();
    let hash = world_hash(&config, combat.as_ref(), terrain_samples.as_ref());
    let loaded = LoadedWorld { config, combat, terrain_samples, hash };
    mistakes.into_result(ShownWorld { loaded, world_toml: shown_text_of(&checked.shown), abilities_toml })
}

/// How messages call a file of a world: as short as it goes, for people are to open it.
fn path_of(folder: &str, name: &str) -> String {
    let folder = folder.trim_end_matches(['/', '\\']);
    let parent_end = folder.rfind(['/', '\\']).map_or(0, |at| at + 1);
    let own_name = &folder[parent_end..];
    match name.strip_prefix("../") {
        // What `..` leads to is known from the folder's own name, if that has one.
        Some(beside) if !matches!(own_name, "" | "." | "..") && beside.starts_with("../") && parent_end > 1 => {
            path_of(&folder[..parent_end], beside)
        }
        Some(beside) if !matches!(own_name, "" | "." | "..") => format!("{}{beside}", &folder[..parent_end]),
        _ if folder.is_empty() => name.to_owned(),
        _ => format!("{folder}/{name}"),
    }
}

/// Reads the abilities file, if there is one, and adds its mistakes to those of the world file. Returns it with its text as
/// shown.
fn load_combat(
    folder: &mut Folder<'_>,
    world: KnownWorld<'_>,
    mistakes: &mut Mistakes,
    is_shown: bool,
) -> Result<Option<(CombatConfig, String)>, ConfigErrors> {
    let file_name = (folder.path_of)(ABILITIES_FILE_NAME);
    let bytes = match (folder.read_file)(ABILITIES_FILE_NAME) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let kind =
                ConfigErrorKind::File { name: ABILITIES_FILE_NAME.to_owned(), reason: unreadable_reason(&error) };
            let accepted = "a file that everybody may read, or none".to_owned();
            return Err(COMBAT_FORMAT.refuse(ConfigError { accepted, ..ConfigError::whole_file(&file_name, kind) }));
        }
    };
    let text = String::from_utf8(bytes)
        .map_err(|error| COMBAT_FORMAT.refuse(encoding_mistake(&file_name, error.as_bytes())))?;
    let set = COMBAT_FORMAT.gather(ABILITIES_FILE_NAME, text, folder);
    let mut checked = COMBAT_FORMAT.check_files(&set, is_shown)?;
    mistakes.extend(checked.mistakes);
    checked.value.settle_holders(&world.archetypes);
    if !world.is_partial && !checked.is_partial {
        let found = checked.value.mistakes(&checked.source, &world);
        found.into_iter().for_each(|error| mistakes.push(error));
    }
    Ok(Some((checked.value.config, shown_text_of(&checked.shown))))
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

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn files_are_called_by_the_shortest_path_to_them() {
        for (folder, name, expected) in [
            ("worlds/here/", "world.toml", "worlds/here/world.toml"),
            ("worlds/here", "../common/a.toml", "worlds/common/a.toml"),
            ("here", "../common/a.toml", "common/a.toml"),
            ("assets/worlds/here", "../../bots/a.toml", "assets/bots/a.toml"),
            ("worlds/here", "../../bots/a.toml", "bots/a.toml"),
            ("here", "../../bots/a.toml", "../bots/a.toml"),
            ("/here", "../common/a.toml", "/common/a.toml"),
            ("", "../common/a.toml", "../common/a.toml"),
            (".", "../common/a.toml", "./../common/a.toml"),
            ("../..", "../common/a.toml", "../../../common/a.toml"),
            ("C:\\worlds\\here", "../common/a.toml", "C:\\worlds\\common/a.toml"),
        ] {
            assert_eq!(path_of(folder, name), expected, "{folder} {name}");
        }
    }
}
