//! `throng check`: validates files without starting.

use std::path::{Path, PathBuf};

use throng_keys::{KeyFileError, read_key_file};
use throng_shared::config::{KeySource, LoadedWorld, TerrainConfig, WORLD_FILE_NAME};

use crate::settings::{error_text, read_settings_file, read_world_folder};

/// Tables that every world file has and no settings file knows.
const WORLD_TABLES: [&str; 3] = ["[world]", "[terrain]", "[[spawn]]"];

/// What is checked when nothing is named.
pub const DEFAULT_PATH: &str = "assets";

/// What a check found.
#[derive(Debug, Default)]
pub struct Findings {
    /// A line for each file that is right.
    pub right: Vec<String>,
    /// A message for each file that is not.
    pub wrong: Vec<String>,
    /// Worlds that have been looked at: settings may name one that lies beside them.
    worlds: Vec<PathBuf>,
}

/// Checks a settings file and the worlds that it names, a world's folder or its `world.toml`, or every world and settings
/// file below a folder.
pub fn check(path: &Path) -> Findings {
    let mut findings = Findings::default();
    if path.is_dir() {
        check_folder(path, &mut findings);
        if findings.right.is_empty() && findings.wrong.is_empty() {
            findings.wrong.push(format!("error: {}: no {WORLD_FILE_NAME} and no server.toml in it", path.display()));
        }
    } else if path.file_name().is_some_and(|name| name == WORLD_FILE_NAME) {
        check_world(path.parent().unwrap_or(Path::new("")), &mut findings);
    } else if path.exists() {
        check_settings(path, &mut findings);
    } else {
        let help = "name a world's folder or file, a settings file, or a folder with any number of those";
        findings.wrong.push(format!("error: {} does not exist\n  help: {help}", path.display()));
    }
    findings
}

fn check_folder(folder: &Path, findings: &mut Findings) {
    if folder.join(WORLD_FILE_NAME).is_file() {
        check_world(folder, findings);
        return;
    }
    if folder.join("server.toml").is_file() {
        check_settings(&folder.join("server.toml"), findings);
    }
    match std::fs::read_dir(folder) {
        Ok(entries) => {
            let mut folders: Vec<PathBuf> = entries
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| path.is_dir() && !path.is_symlink())
                .collect();
            folders.sort();
            folders.iter().for_each(|folder| check_folder(folder, findings));
        }
        Err(error) => findings.wrong.push(format!("error: {}: cannot be read: {error}", folder.display())),
    }
}

fn check_world(folder: &Path, findings: &mut Findings) {
    if findings.worlds.iter().any(|world| world == folder) {
        return;
    }
    findings.worlds.push(folder.to_owned());
    match read_world_folder(folder) {
        Ok(world) => findings.right.push(format!("ok: {}: {}", folder.display(), describe(&world))),
        Err(error) => findings.wrong.push(error_text(&error)),
    }
}

fn check_settings(file: &Path, findings: &mut Findings) {
    if has_world_tables(file) {
        findings.wrong.push(format!(
            "error: {}: this is a world, but not named {WORLD_FILE_NAME}\n  help: a world is a folder of its own with a \
             {WORLD_FILE_NAME} in it: give it that name there, and check or run the folder",
            file.display()
        ));
        return;
    }
    match read_settings_file(file) {
        Ok(settings) => {
            let base = file.parent().unwrap_or(Path::new(""));
            match check_key(&settings.net.key, base) {
                Ok(()) => findings.right.push(format!("ok: {}: server settings", file.display())),
                Err(error) => {
                    findings.wrong.push(format!("error: {}: net.key_file: {error}", file.display()));
                }
            }
            settings.world_folders.iter().for_each(|folder| check_world(&base.join(folder), findings));
        }
        Err(error) => findings.wrong.push(error_text(&error)),
    }
}

/// Whether a file has the tables of a world. One that cannot be read has none; why it cannot is said elsewhere.
fn has_world_tables(file: &Path) -> bool {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().any(|line| line.split('#').next().is_some_and(|table| WORLD_TABLES.contains(&table.trim())))
}

/// Looks for the key where the settings say it is; the environment, and the user with a local key, are others where the
/// server is to run.
fn check_key(source: &KeySource, base: &Path) -> Result<(), KeyFileError> {
    match source {
        KeySource::Environment | KeySource::Local => Ok(()),
        KeySource::File(file) => read_key_file(&base.join(file)).map(|_| ()),
    }
}

fn describe(world: &LoadedWorld) -> String {
    let config = &world.config;
    let ground = match &config.terrain {
        TerrainConfig::Flat { .. } => "flat",
        TerrainConfig::Procedural { .. } => "procedural hills",
        TerrainConfig::Png { file, .. } | TerrainConfig::Raw { file, .. } => file,
    };
    let zones = match (config.zones.len(), config.events.len()) {
        (0, 0) => String::new(),
        (zones, events) => format!(" in {zones} zones, {events} events"),
    };
    let abilities =
        world.combat.as_ref().map_or(String::new(), |combat| format!(", {} abilities", combat.abilities.len()));
    format!(
        "{} x {} m, {ground}, {} obstacles, {} Hz, population {}{zones}{abilities}, hash {:016x}",
        config.size_m,
        config.size_m,
        config.obstacles.len(),
        config.tick_rate_hz,
        // Everybody, at the hours at which all are there.
        config.population.target + config.zones.iter().filter_map(|zone| zone.population).sum::<u32>(),
        world.hash
    )
}
