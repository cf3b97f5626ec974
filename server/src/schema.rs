//! `throng schema`: JSON schemas by which editors complete and check worlds and settings.

use std::path::Path;

use anyhow::Context;
use clap::ValueEnum;
use throng_shared::config::{
    abilities_part_schema_json, abilities_schema_json, settings_schema_json, world_part_schema_json, world_schema_json,
};

/// A kind of file that has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FileKind {
    /// world.toml, in a world's folder
    World,
    /// Files that a world.toml includes
    WorldPart,
    /// abilities.toml beside it
    Abilities,
    /// Files that an abilities.toml includes
    AbilitiesPart,
    /// Settings of a server, such as assets/server.toml
    Server,
}

impl FileKind {
    const ALL: [FileKind; 5] =
        [FileKind::World, FileKind::WorldPart, FileKind::Abilities, FileKind::AbilitiesPart, FileKind::Server];

    /// The schema of such files, as JSON.
    pub fn schema_json(self) -> String {
        match self {
            FileKind::World => world_schema_json(),
            FileKind::WorldPart => world_part_schema_json(),
            FileKind::Abilities => abilities_schema_json(),
            FileKind::AbilitiesPart => abilities_part_schema_json(),
            FileKind::Server => settings_schema_json(),
        }
    }

    /// What its schema is called in a folder, and what such files are called themselves.
    fn file_names(self) -> (&'static str, &'static str) {
        match self {
            FileKind::World => ("world.schema.json", "world.toml"),
            FileKind::WorldPart => ("world-part.schema.json", "what it includes"),
            FileKind::Abilities => ("abilities.schema.json", "abilities.toml"),
            FileKind::AbilitiesPart => ("abilities-part.schema.json", "what it includes"),
            FileKind::Server => ("server.schema.json", "server.toml"),
        }
    }
}

/// Writes every schema into `folder`, which is made if need be. Returns what was written and what to do with it.
///
/// # Errors
/// When the folder or a file cannot be written, with its name.
pub fn write_schemas(folder: &Path) -> anyhow::Result<String> {
    std::fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made a folder", folder.display()))?;
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let (mut lines, mut help) = (Vec::new(), Vec::new());
    for kind in FileKind::ALL {
        let (schema_name, file_name) = kind.file_names();
        let file = folder.join(schema_name);
        std::fs::write(&file, kind.schema_json()).with_context(|| format!("{}: cannot be written", file.display()))?;
        lines.push(format!("wrote {}", file.display()));
        help.push(format!("  {file_name:<16}  #:schema {}", absolute.join(schema_name).display()));
    }
    lines.push("Make this the first line of a file, and editors with Taplo (such as VS Code with Even Better TOML) complete and".to_owned());
    lines.push("check it; a path from the file's own folder will do too:".to_owned());
    lines.extend(help);
    Ok(lines.join("\n"))
}
