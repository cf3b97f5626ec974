//! Invariants 1, 4 and 5: which code may touch what. Read off the source, for the targets and lints that would say so
//! may not be installed.

use std::fs;
use std::path::{Path, PathBuf};

/// What reads the outside world.
const OUTSIDE: [&str; 9] = [
    "std::time::Instant",
    "Instant::now",
    "SystemTime",
    "std::thread",
    "std::net::Udp",
    "std::net::Tcp",
    "std::fs",
    "std::env",
    "getrandom",
];

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let mut folders = vec![root];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the crate has sources") {
            let path = entry.expect("the folder can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source can be read");
                found.push((path, text));
            }
        }
    }
    assert!(found.len() >= 3, "{folder} has sources");
    found
}

/// The code of a source: without comments and without what only tests contain.
fn code(text: &str) -> String {
    let body = text.split("#[cfg(test)]").next().unwrap_or_default();
    body.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn is_test_file(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "tests.rs") || path.iter().any(|part| part == "tests")
}

fn offenders(folder: &str, allowed: &[&str], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in sources(folder) {
        let shown = path.display().to_string().replace('\\', "/");
        // The folder of the tests crate is in every path; what follows it counts.
        let inside = shown.rsplit_once("/../").map_or(shown.as_str(), |(_, inside)| inside).to_owned();
        if is_test_file(Path::new(&inside)) || allowed.iter().any(|part| inside.starts_with(part)) {
            continue;
        }
        let code = code(&text);
        found.extend(words.iter().filter(|word| code.contains(*word)).map(|word| format!("{inside}: {word}")));
    }
    found
}

#[test]
fn shared_and_bot_ai_know_no_clock_no_socket_no_thread_and_no_randomness_of_the_system() {
    for folder in ["shared/src", "bot-ai/src"] {
        assert_eq!(offenders(folder, &[], &OUTSIDE), Vec::<String>::new());
    }
}

#[test]
fn only_the_rim_of_the_server_touches_the_operating_system() {
    let rim = [
        "server/src/net/",
        "server/src/admin/",
        "server/src/clock.rs",
        "server/src/main.rs",
        // What the program is told and where it runs: before and around the ticks.
        "server/src/run.rs",
        "server/src/settings.rs",
        "server/src/check.rs",
        "server/src/schema.rs",
        "server/src/apply_command.rs",
        "server/src/show.rs",
        "server/src/reload/watch.rs",
    ];
    assert_eq!(offenders("server/src", &rim, &OUTSIDE), Vec::<String>::new());
}

#[test]
fn one_place_is_unsafe_and_nothing_is_left_to_do() {
    assert_eq!(offenders("client/c/src", &[], &["todo!", "unimplemented!", "TODO", "FIXME"]), Vec::<String>::new());
    // The client for C hands over pointers, and is nothing but that: client/c is not looked at.
    for folder in ["shared/src", "shared/keys/src", "bot-ai/src", "server/src", "client/src"] {
        // The one place that hands many datagrams to the system at once.
        let exceptions = ["server/src/net/socket/many.rs"];
        assert_eq!(offenders(folder, &exceptions, &["unsafe ", "unsafe_code"]), Vec::<String>::new());
        assert_eq!(offenders(folder, &[], &["todo!", "unimplemented!", "TODO", "FIXME"]), Vec::<String>::new());
    }
}

#[test]
fn the_client_does_not_know_the_server() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../client/Cargo.toml"))
        .expect("the client has a manifest");
    assert!(!manifest.contains("throng-server") && !manifest.contains("throng-bot-ai"));
}
