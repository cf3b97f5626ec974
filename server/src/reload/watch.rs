//! Looks at the files of worlds, and reads them when they have changed.
//!
//! By looking instead of by being told: editors replace files instead of writing them, and shared folders and containers tell of nothing. To look at a
//! handful of files four times a second costs nothing that could be measured.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use throng_shared::config::{ABILITIES_FILE_NAME, LoadedWorld, WORLD_FILE_NAME};
use throng_shared::ids::InstanceId;

use super::changes::{KeyChange, changes};
use super::desk::{Proposal, ReloadDesk};
use crate::admin::Status;
use crate::settings::{error_text, read_world_folder};

/// How often is looked.
const INTERVAL: Duration = Duration::from_millis(250);

/// Most files of a folder that are looked at; a world has three.
const FILES_MAX: usize = 64;

/// A file as it looks without reading it.
type Look = (std::ffi::OsString, u64, Option<SystemTime>);

/// The folder of one world.
#[derive(Debug)]
struct Watched {
    world: InstanceId,
    folder: PathBuf,
    /// How its files looked when they were last read.
    read: Vec<Look>,
    /// How they looked the last time.
    seen: Vec<Look>,
    /// What the world goes by.
    running: Said,
    /// What it is to go by, if it can.
    proposed: Option<Said>,
}

/// What the files of a world say, read and as texts.
#[derive(Debug)]
struct Said {
    loaded: LoadedWorld,
    texts: [String; 2],
}

/// Starts the thread that watches the folders of worlds, in the order of the worlds' numbers, until the server stops.
///
/// # Errors
/// When the operating system grants no thread.
pub(crate) fn spawn_watcher(worlds: Vec<(PathBuf, LoadedWorld)>, status: Arc<Status>) -> std::io::Result<()> {
    if worlds.is_empty() {
        return Ok(());
    }
    let watched = (0..).map(InstanceId).zip(worlds);
    let mut watched: Vec<Watched> =
        watched.map(|(world, (folder, loaded))| Watched::new(world, folder, loaded)).collect();
    std::thread::Builder::new().name("files".to_owned()).spawn(move || {
        while !status.is_stopping() {
            std::thread::sleep(INTERVAL);
            watched.iter_mut().for_each(|watched| watched.look(&status.reloads));
        }
    })?;
    Ok(())
}

impl Watched {
    fn new(world: InstanceId, folder: PathBuf, loaded: LoadedWorld) -> Watched {
        let running = Said { loaded, texts: texts_of(&folder) };
        // Read once more in any case: they may have changed since the world was built.
        Watched { world, read: Vec::new(), seen: look_at(&folder), folder, running, proposed: None }
    }

    /// Looks, and reads the files once they have changed and look the same twice: whoever writes several of them, or a long one, is done then.
    fn look(&mut self, desk: &ReloadDesk) {
        if let Some(is_adopted) = desk.take_fate(self.world)
            && let Some(proposed) = self.proposed.take()
            && is_adopted
        {
            self.running = proposed;
        }
        let now = look_at(&self.folder);
        let is_still = now == self.seen;
        self.seen = now;
        if !is_still || self.seen == self.read {
            return;
        }
        self.read.clone_from(&self.seen);
        match read_world_folder(&self.folder) {
            Ok(loaded) if self.proposed.is_none() && loaded == self.running.loaded => desk.settle(self.world),
            Ok(loaded) => {
                let texts = texts_of(&self.folder);
                let pairs = self.running.texts.iter().zip(&texts);
                let changes: Vec<KeyChange> = pairs.flat_map(|(before, after)| changes(before, after)).collect();
                desk.propose(Proposal { world: self.world, loaded: loaded.clone(), changes });
                self.proposed = Some(Said { loaded, texts });
            }
            Err(error) => desk.refuse(self.world, error_text(&error)),
        }
    }
}

/// The files of a folder, by name. One that cannot be read has none.
fn look_at(folder: &Path) -> Vec<Look> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().take(FILES_MAX);
    let mut looks: Vec<Look> = entries
        // What a link leads to counts, and not the link.
        .filter_map(|entry| Some((entry.file_name(), std::fs::metadata(entry.path()).ok()?)))
        .filter(|(_, metadata)| metadata.is_file())
        .map(|(name, metadata)| (name, metadata.len(), metadata.modified().ok()))
        .collect();
    looks.sort();
    looks
}

fn texts_of(folder: &Path) -> [String; 2] {
    [WORLD_FILE_NAME, ABILITIES_FILE_NAME].map(|name| std::fs::read_to_string(folder.join(name)).unwrap_or_default())
}
