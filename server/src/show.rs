//! `throng show`: all that a world's files or a settings file say, with what they include and every default.

use std::path::Path;

use anyhow::{Context, ensure};
use clap::ValueEnum;
use throng_shared::config::{ABILITIES_FILE_NAME, ShownWorld, TerrainConfig, WORLD_FILE_NAME, read_and_show_settings};

use crate::settings::{show_world_folder, world_folder};

/// A file of a world that can be shown by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WorldFileKind {
    /// world.toml
    World,
    /// abilities.toml
    Abilities,
}

/// All that the files of the world at `path` say, as TOML: its folder, or the `world.toml` in it; any other file is one of settings. Both files, one after the
/// other, unless one is asked for by its `kind`.
///
/// # Errors
/// With every mistake in the files, or that there is no such file.
pub fn show(path: &Path, kind: Option<WorldFileKind>) -> anyhow::Result<String> {
    if path.is_file() && path.file_name().is_some_and(|name| name != WORLD_FILE_NAME && name != ABILITIES_FILE_NAME) {
        ensure!(kind.is_none(), "{}: a settings file is not a world's", path.display());
        return show_settings(path);
    }
    let folder = world_folder(path);
    let files = texts(folder, show_world_folder(folder)?);
    let wanted = kind.map(|kind| match kind {
        WorldFileKind::World => WORLD_FILE_NAME,
        WorldFileKind::Abilities => ABILITIES_FILE_NAME,
    });
    let shown: Vec<String> = files
        .into_iter()
        .filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name))
        .map(|(_, text)| text)
        .collect();
    ensure!(!shown.is_empty(), "{}: there is no {ABILITIES_FILE_NAME} in it", folder.display());
    Ok(shown.join("\n"))
}

/// All that a settings file says, as TOML. What the environment and flags say instead is not in it.
fn show_settings(file: &Path) -> anyhow::Result<String> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(|| format!("{name}: cannot be read"))?;
    let (_, shown) = read_and_show_settings(&name, &text)?;
    let head = "every key. Behind each value: its unit, and where it is written or that it is the default.";
    Ok(format!("# {name}: {head}\n{shown}"))
}

/// Writes the same as the files of a world into the folder `into`, which is made if need be, with the file that the ground
/// comes from. Returns what was written.
///
/// # Errors
/// With every mistake in the world's files; when one of the files is there already or cannot be written.
pub fn write_shown(path: &Path, into: &Path) -> anyhow::Result<String> {
    let folder = world_folder(path);
    let shown = show_world_folder(folder)?;
    let terrain = match &shown.loaded.config.terrain {
        TerrainConfig::Png { file, .. } | TerrainConfig::Raw { file, .. } => Some(file.clone()),
        TerrainConfig::Flat { .. } | TerrainConfig::Procedural { .. } => None,
    };
    let files = texts(folder, shown);
    for name in files.iter().map(|(name, _)| *name).chain(terrain.as_deref()) {
        let file = into.join(name);
        ensure!(!file.exists(), "{} is there already\n  help: name another folder", file.display());
    }
    std::fs::create_dir_all(into).with_context(|| format!("{}: cannot be made a folder", into.display()))?;
    let mut lines = Vec::new();
    for (name, text) in files {
        let file = into.join(name);
        std::fs::write(&file, text).with_context(|| format!("{}: cannot be written", file.display()))?;
        lines.push(format!("wrote {}", file.display()));
    }
    if let Some(name) = terrain {
        let file = into.join(&name);
        std::fs::copy(folder.join(&name), &file).with_context(|| format!("{}: cannot be written", file.display()))?;
        lines.push(format!("wrote {}", file.display()));
    }
    Ok(lines.join("\n"))
}

/// The files of a world with their names.
fn texts(folder: &Path, shown: ShownWorld) -> Vec<(&'static str, String)> {
    let files = [(WORLD_FILE_NAME, Some(shown.world_toml)), (ABILITIES_FILE_NAME, shown.abilities_toml)];
    let headed = |(name, text): (&'static str, Option<String>)| {
        let folder = folder.display();
        let head = format!(
            "# {name} of {folder}: every key, with what is included in its place.\n# Behind each value: its unit, and where it \
             is written or that it is the default.\n"
        );
        Some((name, head + &text?))
    };
    files.into_iter().filter_map(headed).collect()
}
