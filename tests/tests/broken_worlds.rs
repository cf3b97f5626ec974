//! Every way to get a world wrong has a folder in `broken-worlds/`, with the message that its designer gets.
//!
//! `THRONG_UPDATE_DOCS=1 cargo test -p throng-tests --test broken_worlds` writes the messages anew. Read them as
//! somebody would who has never seen the program's source.

use std::fs;
use std::path::{Path, PathBuf};

use throng_shared::config::load_world;

/// Fewest faults that are covered; raise it with every new one.
const FOLDERS_MIN: usize = 20;

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("broken-worlds");
    let entries = fs::read_dir(&root).expect("the folder of broken worlds exists");
    let mut folders: Vec<_> = entries
        .map(|entry| entry.expect("the folder can be listed").path())
        .collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

/// The message for the world in `folder`.
fn message(folder: &Path) -> String {
    let name = folder.file_name().expect("a folder has a name").to_string_lossy();
    let result = load_world(&format!("broken-worlds/{name}"), |file| fs::read(folder.join(file)));
    match result {
        Ok(_) => panic!("{name} is accepted"),
        Err(errors) => format!("{errors}\n"),
    }
}

#[test]
fn every_broken_world_is_refused_with_the_expected_message() {
    let folders = folders();
    assert!(folders.len() >= FOLDERS_MIN, "only {} broken worlds", folders.len());
    let mut wrong = Vec::new();
    for folder in &folders {
        let message = message(folder);
        let expected_path = folder.join("expected.txt");
        if std::env::var_os("THRONG_UPDATE_DOCS").is_some() {
            fs::write(&expected_path, &message).expect("the message can be written");
        }
        let expected = fs::read_to_string(&expected_path)
            .unwrap_or_default()
            .replace("\r\n", "\n");
        if message != expected {
            wrong.push(format!(
                "{}\n--- expected\n{expected}--- actual\n{message}",
                folder.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_message_names_its_file_and_says_what_to_do() {
    for folder in folders() {
        let message = message(&folder);
        let mistakes = message.matches("error: broken-worlds/").count();
        assert!(mistakes > 0, "{message}");
        let remedies = message.matches("\n  accepted: ").count() + message.matches("\n  help: ").count();
        assert!(remedies >= mistakes, "a mistake without a remedy:\n{message}");
    }
}
