//! Folders of broken files: each holds what somebody may get wrong, and `expected.txt` with the message for it.

use std::fs;
use std::path::{Path, PathBuf};

/// One kind of broken files.
pub(crate) struct Broken {
    /// Folder of the folders, beside `tests/`.
    pub(crate) root: &'static str,
    /// Fewest faults that are covered; raise it with every new one.
    pub(crate) folders_min: usize,
    /// The message for the files in a folder, which messages call by the given name; `None` when they are accepted.
    pub(crate) message: fn(name: &str, folder: &Path) -> Option<String>,
}

impl Broken {
    /// Every message is the expected one. Writes them anew when `THRONG_UPDATE_DOCS` is set.
    pub(crate) fn check_messages(&self) {
        let folders = self.folders();
        let count = folders.len();
        assert!(count >= self.folders_min, "only {count} folders in {}", self.root);
        let mut wrong = Vec::new();
        for folder in &folders {
            let message = self.message(folder);
            let expected_path = folder.join("expected.txt");
            if std::env::var_os("THRONG_UPDATE_DOCS").is_some() {
                fs::write(&expected_path, &message).expect("the message can be written");
            }
            let expected = fs::read_to_string(&expected_path).unwrap_or_default().replace("\r\n", "\n");
            if message != expected {
                wrong.push(format!("{}\n--- expected\n{expected}--- actual\n{message}", folder.display()));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Every mistake names its file and comes with what would be right, or with what to do.
    pub(crate) fn check_remedies(&self) {
        for folder in self.folders() {
            let message = self.message(&folder);
            let mistakes = message.matches(&format!("error: {}/", self.root)).count();
            assert!(mistakes > 0, "{message}");
            let remedies = message.matches("\n  accepted: ").count() + message.matches("\n  help: ").count();
            assert!(remedies >= mistakes, "a mistake without a remedy:\n{message}");
        }
    }

    fn folders(&self) -> Vec<PathBuf> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(self.root);
        let entries = fs::read_dir(&root).expect("the folder of broken files exists");
        let mut folders: Vec<_> = entries.map(|entry| entry.expect("the folder can be listed").path()).collect();
        folders.retain(|path| path.is_dir());
        folders.sort();
        folders
    }

    fn message(&self, folder: &Path) -> String {
        let name = folder.file_name().expect("a folder has a name").to_string_lossy();
        let message = (self.message)(&format!("{}/{name}", self.root), folder);
        format!("{}\n", message.unwrap_or_else(|| panic!("{name} is accepted")))
    }
}
