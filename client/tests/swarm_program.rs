//! The load generator as a program: what it says when it has no key.

use std::process::Command;

#[test]
fn without_a_key_it_says_how_to_come_by_one() {
    // No folder of that name: what the user who runs the tests keeps is left alone.
    let state = std::env::temp_dir().join(format!("throng-swarm-test-{}", std::process::id()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_throng-swarm"));
    command.env("XDG_STATE_HOME", &state).env_remove("THRONG_KEY");
    let output = command.output().expect("the program can be started");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*output.stdout), (Some(2), &b""[..]), "{stderr}");
    let path = state.join("throng/local.key").display().to_string();
    for part in [&*path, "cargo run --release", "--key-file FILE", "--development-key"] {
        assert!(stderr.contains(part), "no {part} in {stderr}");
    }
    assert!(!state.exists(), "only servers make a key");
}
