//! The reference pages for designers and operators, generated from the readers' own declarations.

use std::fmt::{self, Write};

use super::combat_reader::COMBAT_FORMAT;
use super::limits::{INCLUDE_DEPTH_MAX, INCLUDED_FILES_MAX};
use super::reader::{FormatDoc, KeyDoc, TableDoc, Unwritten};
use super::settings_reader::SETTINGS_FORMAT;
use super::world_reader::WORLD_FORMAT;

const WORLD_INTRODUCTION: &str = "\
# World files

<!-- Generated from the declarations in shared/src/config; do not edit. To regenerate:
     THRONG_UPDATE_DOCS=1 cargo test -p throng-shared reference -->

A world is a folder with a `world.toml` in it. `assets/worlds/README.md` tells how to make one, and how to let an editor
complete and check it; this page lists every table and key. Keys and tables that are not listed here are refused, and so
is every value out of its range, each with its line, the reason and what would be accepted.

- Units are part of a key's name: `_m` metres, `_mps` metres per second, `_mps2` metres per second squared, `_deg`
  degrees, `_ms` milliseconds, `_hz` times per second.
- Places are `[x, z]` in metres. The middle of the world is `[0, 0]`; x grows to the east, z to the south. Heights come
  from the ground.
- Messages count tables and list elements from 1: `obstacle[3]` is the third `[[obstacle]]`, where those of included files
  come first.
- *Required* in the column of defaults means that the key must be written, in the file or in one that it includes.
- `throng show FOLDER` prints a world with every key, its value, and where that is written or that it is the default.
";

const ABILITIES_INTRODUCTION: &str = "\
# Abilities files

<!-- Generated from the declarations in shared/src/config; do not edit. To regenerate:
     THRONG_UPDATE_DOCS=1 cargo test -p throng-shared reference -->

A world whose characters fight, or help one another, has an `abilities.toml` beside its `world.toml`. This page lists every
table and key, as `docs/world-config.md` does for the world itself; units and places are written as there.

What an ability takes or gives are attributes, which `world.toml` declares: at least one number for the health. Who is
whose enemy is said by the attribute with `is_team = true`, if there is one. People and bots use abilities in the same way,
by naming one in their input; the server alone says what comes of it. Effects are those of the table below, and
whatever a game's own rules make of a hit.
";

const SETTINGS_INTRODUCTION: &str = "\
# Server settings

<!-- Generated from the declarations in shared/src/config; do not edit. To regenerate:
     THRONG_UPDATE_DOCS=1 cargo test -p throng-shared reference -->

A settings file says how a server process runs: where players connect, where its metrics are, and which worlds it runs.
`assets/server.toml` is the one that a server uses when it is given none, with notes on what to change for a public
server. Keys and tables that are not listed here are refused, and so is every value that is not accepted, each with its
line, the reason and what would be right. Every table and nearly every key can be left out.

- Addresses are IP addresses with a port, as text: `\"127.0.0.1:7777\"`, or `\"[::1]:7777\"` for IPv6. Names of hosts are
  not accepted.
- Paths are relative to the folder of the settings file, unless they are absolute. Write `/` between folders.
- *Required* in the column of defaults means that the key must be written, *none* that it has no value unless it is.
- What happens in a world, such as its size and the number of its bots, stands in the `world.toml` of the world's
  folder: see `docs/world-config.md`.
";

/// The page `docs/world-config.md`, in Markdown: every table and key of a world file.
pub fn world_reference_markdown() -> String {
    page(WORLD_INTRODUCTION, &WORLD_FORMAT.describe())
}

/// The page `docs/abilities.md`, in Markdown: every table and key of an abilities file.
pub fn abilities_reference_markdown() -> String {
    page(ABILITIES_INTRODUCTION, &COMBAT_FORMAT.describe())
}

/// The page `docs/server-settings.md`, in Markdown: every table and key of a settings file.
pub fn settings_reference_markdown() -> String {
    page(SETTINGS_INTRODUCTION, &SETTINGS_FORMAT.describe())
}

fn page(introduction: &str, format: &FormatDoc) -> String {
    let mut page = introduction.to_owned();
    let include = format.include.iter().try_for_each(|include| write_include(&mut page, include));
    let tables = format.tables.iter().try_for_each(|table| write_table(&mut page, table));
    include.and(tables).expect("writing to a string does not fail");
    page
}

/// What is above all tables, and how files go together.
fn write_include(page: &mut String, include: &KeyDoc) -> fmt::Result {
    writeln!(page, "\n## `{}`\n\n{}\n\n*Optional, above the first table.*", include.name, include.doc)?;
    writeln!(page, "\n| key | accepted | default | meaning |\n|---|---|---|---|")?;
    writeln!(page, "| `{}` | {} | *none* | Files to read before this one. |", include.name, cell(&include.accepted))?;
    writeln!(
        page,
        "
Rules:

- Paths start from the folder of the file that has them. They lead no farther than to the folder above the world's own,
  which holds the other worlds, and to the folder `bots` beside that.
- A file is read once, where it is included first; its own `include` counts. At most {INCLUDED_FILES_MAX} files are included, all
  together, and at most {INCLUDE_DEPTH_MAX} in a row; none includes itself, on whatever way.
- A key of a `[table]` counts as it is written in the strongest file: the including one before the included, of several
  included ones the later before the earlier.
- Tables of a `[[list]]` come one after another, those of included files first. Where they have names, as the page says with
  the table, one with the name of one in an included file is no further table: it changes that one, key by key, in its place.
- Where a file makes another choice, such as another `kind`, than what it includes, what that says counts only for the keys
  that go with every choice.
- Everything is checked, also what does not count. Rules between keys are checked of what counts; of the keys of a broken rule
  the one is blamed that is in the strongest file."
    )
}

fn write_table(page: &mut String, table: &TableDoc) -> fmt::Result {
    let by_name = if table.is_named { " One with the name of one in an included file changes that." } else { "" };
    writeln!(page, "\n## `{}`\n\n{}\n\n*{}.*{by_name}", table.heading(), table.doc, table.presence())?;
    let mut under = None;
    let mut is_first = true;
    for key in &table.keys {
        if is_first || key.only_with != under {
            under = key.only_with;
            if let Some(choice) = under {
                write!(page, "\nWith `{choice}`:\n")?;
            }
            writeln!(page, "\n| key | accepted | default | meaning |\n|---|---|---|---|")?;
            is_first = false;
        }
        write_key(page, key)?;
    }
    if !table.rules.is_empty() {
        writeln!(page, "\nRules:\n")?;
        table.rules.iter().try_for_each(|rule| writeln!(page, "- {rule}"))?;
    }
    Ok(())
}

fn write_key(page: &mut String, key: &KeyDoc) -> fmt::Result {
    let default = match &key.unwritten {
        Unwritten::Refused => "*required*".to_owned(),
        Unwritten::Default(default) => format!("`{default}`"),
        Unwritten::Nothing => "*none*".to_owned(),
    };
    let mut meaning = key.doc.to_owned();
    for (word, doc) in &key.choices {
        write!(meaning, "<br>`\"{word}\"`: {doc}")?;
    }
    writeln!(page, "| `{}` | {} | {default} | {meaning} |", key.name, cell(&key.accepted))
}

/// Text for a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{
        abilities_part_schema_json, abilities_schema_json, settings_schema_json, world_part_schema_json,
        world_schema_json,
    };

    /// The file at `path`, seen from the root of the repository, is `page`. Writes it there if asked to.
    fn check_page(path: &str, page: &str) {
        let file = format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("THRONG_UPDATE_DOCS").is_some() {
            std::fs::write(&file, page).expect("the page can be written");
        }
        let committed = std::fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
        assert!(
            committed == page,
            "{path} is out of date: run THRONG_UPDATE_DOCS=1 cargo test -p throng-shared reference"
        );
    }

    #[test]
    fn the_reference_pages_are_what_the_readers_declare() {
        check_page(WORLD_FORMAT.page, &world_reference_markdown());
        check_page(COMBAT_FORMAT.page, &abilities_reference_markdown());
        check_page(SETTINGS_FORMAT.page, &settings_reference_markdown());
    }

    #[test]
    fn the_reference_schemas_are_what_the_readers_declare() {
        check_page("assets/schema/world.schema.json", &world_schema_json());
        check_page("assets/schema/world-part.schema.json", &world_part_schema_json());
        check_page("assets/schema/abilities.schema.json", &abilities_schema_json());
        check_page("assets/schema/abilities-part.schema.json", &abilities_part_schema_json());
        check_page("assets/schema/server.schema.json", &settings_schema_json());
    }

    #[test]
    fn every_key_is_explained() {
        let [world, combat, settings] =
            [WORLD_FORMAT.describe().tables, COMBAT_FORMAT.describe().tables, SETTINGS_FORMAT.describe().tables];
        for table in world.iter().chain(&combat).chain(&settings) {
            assert!(table.doc.ends_with('.'), "{}", table.heading());
            for key in &table.keys {
                assert!(key.doc.ends_with('.') && !key.accepted.is_empty(), "{} {}", table.heading(), key.name);
            }
        }
    }
}
