//! The file of the local key: who makes it, who may read it, and what becomes of a broken one.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Barrier;

use throng_keys::{LocalKey, LocalKeyError};

/// An empty folder, removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("throng-local-key-test-{}-{name}", std::process::id()));
        // Left behind by a test process that was killed and had the same id.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("the temporary folder can be written to");
        Folder(path)
    }

    /// A local key in it, in folders that do not exist yet.
    fn local_key(&self) -> LocalKey {
        LocalKey::at(self.0.join("state/throng/local.key"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is for the operating system to tidy up; the test's verdict stands.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    entries.map(|entry| entry.expect("it can be listed").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn it_is_made_once_by_a_server_and_then_read_by_everybody() {
    let (folder, other) = (Folder::new("once"), Folder::new("other"));
    let local = folder.local_key();
    let error = local.read().expect_err("a tool does not make it");
    assert!(matches!(error, LocalKeyError::Missing(_)), "{error}");
    let text = error.to_string();
    for part in ["local.key", "cargo run --release", "--key-file", "--development-key"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    let key = local.read_or_make().expect("it is made");
    assert_eq!(local.read().expect("it is there"), key);
    assert_eq!(local.read_or_make().expect("it is there"), key);
    assert_ne!(other.local_key().read_or_make().expect("it is made"), key, "it is random");
    assert_eq!(names(local.path().parent().expect("a folder")), ["local.key"], "nothing is left behind");
}

#[test]
fn servers_that_start_at_the_same_moment_get_the_same_key() {
    const SERVERS: usize = 8;
    for round in 0..20 {
        let folder = Folder::new(&format!("race-{round}"));
        let (local, start) = (folder.local_key(), Barrier::new(SERVERS));
        let keys: Vec<_> = std::thread::scope(|scope| {
            let begin = || {
                start.wait();
                local.read_or_make().expect("one of them makes it")
            };
            let servers: Vec<_> = (0..SERVERS).map(|_| scope.spawn(begin)).collect();
            servers.into_iter().map(|server| server.join().expect("no panic")).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]), "round {round}");
        assert_eq!(names(local.path().parent().expect("a folder")), ["local.key"]);
    }
}

#[test]
fn a_broken_file_is_refused_and_stays_as_it_is() {
    let folder = Folder::new("broken");
    let local = folder.local_key();
    local.read_or_make().expect("it is made");
    let digits = fs::read_to_string(local.path()).expect("it can be read").trim().to_owned();
    let no_digits = "z".repeat(64);
    let wrong: [&[u8]; 5] = [b"", &digits.as_bytes()[1..], b"\xff", no_digits.as_bytes(), &[b'0'; 100_000]];
    for text in wrong {
        // As it is written anew, the file keeps its permissions.
        fs::write(local.path(), text).expect("it can be written");
        for result in [local.read(), local.read_or_make()] {
            let error = result.expect_err("it is no key");
            assert!(matches!(error, LocalKeyError::NoKey(_)), "{error}");
            assert!(error.to_string().contains("--development-key"), "{error}");
        }
        assert_eq!(fs::read(local.path()).expect("it can be read"), text);
    }
    fs::write(local.path(), format!("{digits}\n")).expect("it can be written");
    local.read().expect("it is a key again");
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("private");
    let local = folder.local_key();
    local.read_or_make().expect("it is made");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(local.path()), mode(local.path().parent().expect("a folder"))), (0o600, 0o700));
    for wrong in [0o640, 0o604, 0o620, 0o602] {
        fs::set_permissions(local.path(), fs::Permissions::from_mode(wrong)).expect("it is ours");
        let error = local.read_or_make().expect_err("others may use it");
        assert!(matches!(error, LocalKeyError::NotPrivate { .. }), "{error}");
        assert!(error.to_string().contains(&format!("mode {wrong:03o}")), "{error}");
    }
    fs::set_permissions(local.path(), fs::Permissions::from_mode(0o600)).expect("it is ours");
    local.read_or_make().expect("it is private again");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let folder = Folder::new("no-folder");
    fs::write(folder.0.join("state"), "").expect("it can be written");
    let error = folder.local_key().read_or_make().expect_err("a file is no folder");
    assert!(error.to_string().contains("--key-file"), "{error}");
    // A link to nowhere is not followed, and nothing is put in its place.
    let link = folder.0.join("local.key");
    std::os::unix::fs::symlink(folder.0.join("nowhere"), &link).expect("a link can be made");
    LocalKey::at(link).read_or_make().expect_err("there is no key behind it");
    assert!(!folder.0.join("nowhere").exists());
}
