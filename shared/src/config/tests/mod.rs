//! The readers as a whole.

mod any_text;
mod attributes;
mod declarations;
mod drawn_file;
mod overload;
mod schema;
mod settings;
mod world_file;
mod world_folder;
mod world_hash;

use std::io;

use super::{ConfigErrors, LoadedWorld, WorldConfig, load_world, read_world};

const SMALLEST: &str = "\
[world]
name = \"smallest\"
size_m = 100
[terrain]
kind = \"flat\"
[[spawn]]
center_m = [0, 0]
radius_m = 10
";

/// A terrain to put in the place of the flat one.
const RAW: &str = "kind = \"raw\"\nfile = \"hills.raw\"\nheight_min_m = 0\nheight_max_m = 200";

fn read(text: &str) -> Result<WorldConfig, ConfigErrors> {
    read_world("world.toml", text)
}

/// Labels of `errors`, each with its line.
fn labels(errors: &ConfigErrors) -> Vec<(usize, &'static str)> {
    errors.into_iter().map(|error| (error.line, error.kind.label())).collect()
}

/// Loads a world whose files are in memory.
fn load(files: &[(&str, &[u8])]) -> Result<LoadedWorld, ConfigErrors> {
    load_world("worlds/here/", |name| {
        let file = files.iter().find(|(known, _)| *known == name);
        file.map(|(_, bytes)| bytes.to_vec()).ok_or_else(|| io::ErrorKind::NotFound.into())
    })
}
