//! Files for a test.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// An empty folder, removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("throng-process-test-{}-{number}", std::process::id()));
        // Left behind by a test process that was killed and had the same id.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("the temporary folder can be written to");
        Folder(path)
    }

    /// Writes a file, such as `world/world.toml`.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("it is inside of the folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }

    /// Copies what the worlds that come along include, for copies of them in folders of this one.
    pub(crate) fn copy_common_files(&self) {
        for entry in fs::read_dir(repository("assets/worlds/common")).expect("they come along") {
            let file = entry.expect("an entry").path();
            let name = file.file_name().expect("a file").to_str().expect("a name without oddities");
            self.write(&format!("common/{name}"), &fs::read_to_string(&file).expect("it can be read"));
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is for the operating system to tidy up; the test's verdict stands.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A folder of the repository.
pub(crate) fn repository(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder)
}
