//! The schemas agree with the readers.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::declarations::{Broken, SEEN_DAMAGES, broken, can_be_broken, drawn};
use super::drawn_file::{FORMATS, Format};
use super::split_files::split_files;
use crate::config::{abilities_part_schema_json, world_part_schema_json};

static VALIDATORS: LazyLock<[Validator; 3]> =
    LazyLock::new(|| [0, 1, 2].map(|index| validator(&FORMATS[index].schema)));

fn validator(schema: &str) -> Validator {
    let schema: Value = serde_json::from_str(schema).expect("a schema is JSON");
    jsonschema::meta::validate(&schema).expect("a schema is one");
    jsonschema::draft7::new(&schema).expect("a schema can be used")
}

/// What an editor sees of a TOML file. Dates are text to it.
fn as_json(text: &str) -> Value {
    let table = DeTable::parse(text).expect("it is TOML");
    Value::Object(members(table.get_ref()))
}

fn members(table: &DeTable<'_>) -> serde_json::Map<String, Value> {
    table.iter().map(|(key, value)| (key.get_ref().to_string(), value_as_json(value.get_ref()))).collect()
}

fn value_as_json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(integer) => serde_json::from_str(integer.as_str()).expect("these are written as in JSON"),
        DeValue::Float(float) => Value::from(float.as_str().parse::<f64>().expect("a number")),
        DeValue::Boolean(truth) => Value::from(*truth),
        DeValue::Datetime(date) => Value::from(date.to_string()),
        DeValue::Array(elements) => elements.iter().map(|element| value_as_json(element.get_ref())).collect(),
        DeValue::Table(table) => Value::Object(members(table)),
    }
}

/// Every file of this name that comes along, seen from the root of the repository.
fn shipped(name: &str) -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.file_name().is_some_and(|file| file == name) => found.push(path),
                false => {}
            }
        }
    }
    found
}

#[test]
fn every_file_that_comes_along_names_its_schema_and_goes_by_it() {
    let kinds = [("world.toml", "world", 2), ("abilities.toml", "abilities", 1), ("server.toml", "server", 1)];
    for (index, (name, kind, count_min)) in kinds.into_iter().enumerate() {
        let files = shipped(name);
        assert!(files.len() >= count_min, "{name}: {files:?}");
        for file in files {
            let text = std::fs::read_to_string(&file).expect("it can be read");
            let errors: Vec<String> =
                VALIDATORS[index].iter_errors(&as_json(&text)).map(|error| error.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new(), "{}", file.display());
            let named = text.lines().next().and_then(|line| line.strip_prefix("#:schema ")).expect("its first line");
            let named = file.with_file_name("").join(named);
            let schema = std::fs::read_to_string(&named).expect("what it names is there");
            assert_eq!(schema.replace("\r\n", "\n"), FORMATS[index].schema, "{}", file.display());
            assert!(named.ends_with(format!("{kind}.schema.json")));
        }
    }
}

#[test]
fn every_part_that_comes_along_names_its_schema_and_goes_by_it() {
    let validator = validator(&world_part_schema_json());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/worlds/common");
    let files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    assert!(files.len() >= 2, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).expect("it can be read");
        assert!(text.starts_with("#:schema ../../schema/world-part.schema.json\n"), "{}", file.display());
        assert!(validator.is_valid(&as_json(&text)), "{}", file.display());
        let broken = text.replace("2.0", "200.0").replace("\"view\"", "\"vue\"");
        assert!(!validator.is_valid(&as_json(&broken)), "{broken}");
    }
}

#[test]
fn files_that_are_read_together_go_by_their_schemas_one_by_one() {
    let parts = [validator(&world_part_schema_json()), validator(&abilities_part_schema_json())];
    for seed in 0..64 {
        for (name, text) in split_files(seed) {
            let index = usize::from(name.contains("fight") || name == "abilities.toml");
            let is_first = matches!(name, "world.toml" | "abilities.toml");
            let validator = if is_first { &VALIDATORS[index] } else { &parts[index] };
            let errors: Vec<String> = validator.iter_errors(&as_json(&text)).map(|error| error.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new(), "{name}\n{text}");
        }
    }
}

#[test]
fn paths_are_what_the_reader_says_they_are() {
    let settings = |folder: &str| format!("[[world]]\nfolder = {}\n", super::drawn_file::quoted(folder));
    let format: &Format = &FORMATS[2];
    let characters = (0..0x3100_u32).filter_map(char::from_u32).chain(['\u{feff}', '😀']);
    for character in characters {
        for folder in
            [format!("{character}a"), format!("a{character}b"), format!("a{character}"), character.to_string()]
        {
            // JSON does not escape it, and TOML wants it to be.
            let text = settings(&folder).replace('\u{7f}', "\\u007f");
            let is_accepted = format.mistakes(&text).is_empty();
            assert_eq!(VALIDATORS[2].is_valid(&as_json(&text)), is_accepted, "{folder:?}");
        }
    }
}

proptest! {
    #[test]
    fn every_address_goes_by_the_schema(ip in any::<IpAddr>(), port in any::<u16>()) {
        let text = format!("[http]\nbind = '{}'\n", SocketAddr::new(ip, port));
        prop_assert!(VALIDATORS[2].is_valid(&as_json(&text)), "{}", text);
        // Nor does anything go by it that has more to it than that.
        for wrong in [text.replace("bind = '", "bind = 'x"), text.replace("'\n", "x'\n"), text.replace("'\n", "99999'\n")] {
            prop_assert!(!FORMATS[2].mistakes(&wrong).is_empty());
            prop_assert!(!VALIDATORS[2].is_valid(&as_json(&wrong)), "{}", wrong);
        }
    }

    #[test]
    fn what_the_reader_accepts_goes_by_the_schema(seed in any::<u64>(), index in 0..3_usize) {
        let text = drawn(seed, |draw| draw.file(&FORMATS[index])).text();
        let instance = as_json(&text);
        let errors: Vec<String> = VALIDATORS[index].iter_errors(&instance).map(|error| error.to_string()).collect();
        prop_assert_eq!(errors, Vec::<String>::new(), "{}", text);
    }

    #[test]
    fn what_the_reader_refuses_does_not_go_by_the_schema(
        seed in any::<u64>(),
        index in 0..3_usize,
        damage in proptest::sample::select(SEEN_DAMAGES),
    ) {
        prop_assume!(can_be_broken(index, damage));
        let Broken { text, .. } = drawn(seed, |draw| {
            let file = draw.file(&FORMATS[index])?;
            broken(draw, file, damage)
        });
        prop_assert!(!FORMATS[index].mistakes(&text).is_empty());
        prop_assert!(!VALIDATORS[index].is_valid(&as_json(&text)), "{:?} in\n{}", damage, text);
    }
}
