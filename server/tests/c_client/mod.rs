//! The client for other languages: its example, compiled by the system's C compiler, against the real server.

use std::ffi::CString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::ptr;

use crate::support::{Folder, Server, repository};
use throng::{ThrongCharacter, ThrongEvent, ThrongInput, ThrongState, ThrongStatus};

/// The library that this test was built beside.
fn library() -> PathBuf {
    let deps = std::env::current_exe().expect("this test is a file").parent().expect("in a folder").to_owned();
    deps.join("libthrong.a")
}

/// Compiles the example; none where there is no C compiler.
fn compile(folder: &Path) -> Option<PathBuf> {
    let program = folder.join("walk_and_shoot");
    let compiled = Command::new("cc")
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-g", "-I"])
        .arg(repository("client/include"))
        .arg(repository("client/c/examples/walk_and_shoot.c"))
        .arg(library())
        .args(["-lm", "-lpthread", "-ldl", "-o"])
        .arg(&program)
        .output()
        .ok()?;
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    Some(program)
}

#[test]
fn the_example_in_c_walks_and_shoots_and_sees_what_it_does() {
    let folder = Folder::new();
    let Some(program) = compile(folder.path()) else { return };
    // The arena, with bots who leave the player alone: its shot is the last.
    let arena = folder.path().join("arena");
    std::fs::create_dir(&arena).expect("the folder is new");
    for name in ["world.toml", "abilities.toml"] {
        let text = std::fs::read_to_string(repository("assets/worlds/arena").join(name)).expect("it is there");
        let text = text.replace(r#", "../../bots/fighters.toml""#, "");
        let bots = if name == "world.toml" { "\n[bots]\nattack_percent = 0.0\n" } else { "" };
        std::fs::write(arena.join(name), text + bots).expect("it can be written");
    }
    folder.copy_common_files();
    let arena = arena.to_str().expect("a path of a test");
    let server = Server::start_in(Folder::new(), &["--world", arena]);
    let state = server.local_key().path().ancestors().nth(2).expect("it is in a folder of a folder").to_owned();
    let played = Command::new(program)
        .args([server.game.to_string().as_str(), arena])
        .env("XDG_STATE_HOME", state)
        .output()
        .expect("it can be run");
    let (said, errors) = (String::from_utf8_lossy(&played.stdout), String::from_utf8_lossy(&played.stderr));
    assert_eq!(played.status.code(), Some(0), "{said}{errors}");
    for part in [
        "I am ",
        "the rifle is ability 1",
        " is a bot, 1.8 m high",
        "I shoot, and see it meet ",
        " health",
        "I have gone ",
        "it is 08:",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let shots: serde_json::Value = serde_json::from_str(&server.get("/shots").body).expect("it is JSON");
    assert_eq!(shots["receipts"][0]["ability"], 1, "{shots}");
    assert!(shots["receipts"][0]["granted_rewind_ticks"].is_number() && shots["refusals"].is_array(), "{shots}");
    assert!(server.world_metric("throng_blows_total", "arena", 0).is_some_and(|blows| blows >= 1.0));
}

#[test]
#[expect(unsafe_code, reason = "the calls are those of C")]
fn stale_handles_and_null_pointers_are_answered() {
    let name = CString::new("x").expect("no zero in it");
    let mut client = 7_u64;
    // SAFETY: null is what is tried.
    unsafe {
        let null = ptr::null();
        let connect = |server, name, client| throng::throng_connect_local(server, 1, name, null, ptr::null(), client);
        assert_eq!(connect(null, name.as_ptr(), &raw mut client), ThrongStatus::NullPointer);
        assert_eq!(connect(name.as_ptr(), null, &raw mut client), ThrongStatus::BadAddress);
        assert_eq!(connect(name.as_ptr(), name.as_ptr(), ptr::null_mut()), ThrongStatus::NullPointer);
        assert_eq!(client, 0, "no handle without a client");
        let token = [0_u8; 2_048];
        let connect =
            |bytes, length, client| throng::throng_connect(bytes, length, name.as_ptr(), null, ptr::null(), client);
        assert_eq!(connect(token.as_ptr(), token.len(), &raw mut client), ThrongStatus::BadToken);
        assert_eq!(connect(token.as_ptr(), 3, &raw mut client), ThrongStatus::BadToken);
        assert_eq!(connect(ptr::null(), 2_048, &raw mut client), ThrongStatus::NullPointer);
        for stale in [0, 1, 1 << 32, u64::MAX] {
            let (mut state, mut count) = (ThrongState::Closed, 0);
            let (mut own, mut event) = (ThrongCharacter::default(), ThrongEvent::default());
            assert_eq!(throng::throng_update(stale), ThrongStatus::UnknownHandle);
            assert_eq!(throng::throng_close(stale), ThrongStatus::UnknownHandle);
            assert_eq!(throng::throng_state(stale, &raw mut state), ThrongStatus::UnknownHandle);
            assert_eq!(throng::throng_own(stale, &raw mut own), ThrongStatus::UnknownHandle);
            assert_eq!(throng::throng_next_event(stale, &raw mut event), ThrongStatus::UnknownHandle);
            let none = throng::throng_characters(stale, ptr::null_mut(), 0, &raw mut count);
            assert_eq!(none, ThrongStatus::UnknownHandle);
            let archetype = throng::throng_archetype(stale, 0, ptr::null_mut());
            let named = throng::throng_archetype_name(stale, 0, ptr::null_mut(), 0, ptr::null_mut());
            assert_eq!((archetype, named), (ThrongStatus::UnknownHandle, ThrongStatus::UnknownHandle));
            assert_eq!(throng::throng_use_ability(stale, 1, 0.0, 0.0), ThrongStatus::UnknownHandle);
            assert_eq!(throng::throng_use_ability(stale, 1, f32::NAN, 0.0), ThrongStatus::BadNumber);
            assert_eq!(throng::throng_set_input(stale, &ThrongInput::default()), ThrongStatus::UnknownHandle);
            assert_eq!(throng::throng_set_input(stale, ptr::null()), ThrongStatus::NullPointer);
            assert_eq!(throng::throng_send_message(stale, ptr::null(), 3), ThrongStatus::NullPointer);
        }
        for status in 0..20 {
            let text = std::ffi::CStr::from_ptr(throng::throng_status_text(status));
            assert!(text.to_bytes().len() > 5);
        }
    }
}

#[test]
fn the_guides_name_calls_that_there_are() {
    let header = fs::read_to_string(repository("client/include/throng.h")).expect("it is there");
    for guide in ["unity", "unreal", "godot"] {
        let text = fs::read_to_string(repository(&format!("docs/guides/{guide}.md"))).expect("there is a guide");
        let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
        let calls: Vec<&str> = words.filter(|word| word.starts_with("throng_")).collect();
        assert!(calls.len() > 8, "{guide} names what to bind");
        for call in calls {
            assert!(header.contains(call), "{guide}.md: {call} is not in throng.h");
        }
    }
}
