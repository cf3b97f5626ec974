//! The readers as a whole.

mod any_text;
mod archetypes;
mod attributes;
mod declarations;
mod drawn_file;
mod includes;
mod overload;
mod schema;
mod settings;
mod split_files;
mod world_file;
mod world_folder;
mod world_hash;

use std::io;

use super::{ConfigErrors, LoadedWorld, WorldConfig, load_world, read_common_file, read_world};

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

/// Reads a world file, which may include what those that come along do.
fn read(text: &str) -> Result<WorldConfig, ConfigErrors> {
    let read_file = |name: &str| if name == "world.toml" { Ok(text.into()) } else { read_common_file(name) };
    match load_world("", read_file) {
        // Of a world with a file for its ground, the text is all that there is here.
        Err(errors) if is_only_without_ground(&errors) => read_world("world.toml", text),
        result => result.map(|world| world.config),
    }
}

fn is_only_without_ground(errors: &ConfigErrors) -> bool {
    errors.into_iter().all(|error| error.key == "terrain.file" && error.kind.label() == "file")
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
