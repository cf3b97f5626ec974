//! The reference page for designers, generated from the reader's own declarations.

use std::fmt::{self, Write};

use super::reader::{KeyDoc, TableDoc};
use super::world_reader::describe_world;

const INTRODUCTION: &str = "\
# World files

<!-- Generated from the declarations in shared/src/config; do not edit. To regenerate:
     THRONG_UPDATE_DOCS=1 cargo test -p throng-shared reference -->

A world is a folder with a `world.toml` in it. `assets/worlds/README.md` tells how to make one; this page lists every
table and key. Keys and tables that are not listed here are refused, and so is every value out of its range, each with
its line, the reason and what would be accepted.

- Units are part of a key's name: `_m` metres, `_mps` metres per second, `_mps2` metres per second squared, `_deg`
  degrees, `_ms` milliseconds, `_hz` times per second.
- Places are `[x, z]` in metres. The middle of the world is `[0, 0]`; x grows to the east, z to the south. Heights come
  from the ground.
- Messages count tables and list elements from 1: `obstacle[3]` is the third `[[obstacle]]` of the file.
- *Required* in the column of defaults means that the key must be written.
";

/// The page `docs/world-config.md`, in Markdown: every table and key of a world file.
pub fn world_reference_markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    for table in describe_world() {
        write_table(&mut page, &table).expect("writing to a string does not fail");
    }
    page
}

fn write_table(page: &mut String, table: &TableDoc) -> fmt::Result {
    writeln!(
        page,
        "\n## `{}`\n\n{}\n\n*{}*",
        table.heading, table.doc, table.presence
    )?;
    let mut under = None;
    let mut is_first = true;
    for key in &table.keys {
        if is_first || key.only_with.as_deref() != under {
            under = key.only_with.as_deref();
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
    let default = key
        .default
        .as_ref()
        .map_or("*required*".to_owned(), |default| format!("`{default}`"));
    let mut meaning = key.doc.to_owned();
    for (word, doc) in &key.choices {
        write!(meaning, "<br>`\"{word}\"`: {doc}")?;
    }
    writeln!(
        page,
        "| `{}` | {} | {default} | {meaning} |",
        key.name,
        cell(&key.accepted)
    )
}

/// Text for a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_page_is_what_the_reader_declares() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/world-config.md");
        let page = world_reference_markdown();
        if std::env::var_os("THRONG_UPDATE_DOCS").is_some() {
            std::fs::write(path, &page).expect("the page can be written");
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
        assert!(
            committed == page,
            "docs/world-config.md is out of date: run THRONG_UPDATE_DOCS=1 cargo test -p throng-shared reference"
        );
    }

    #[test]
    fn every_key_is_explained() {
        for table in describe_world() {
            assert!(
                table.doc.ends_with('.') && table.presence.ends_with('.'),
                "{}",
                table.heading
            );
            for key in &table.keys {
                assert!(
                    key.doc.ends_with('.') && !key.accepted.is_empty(),
                    "{} {}",
                    table.heading,
                    key.name
                );
            }
        }
    }
}
