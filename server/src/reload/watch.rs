//! Looks at the files of worlds, and reads them when they have changed.
//!
//! By looking instead of by being told: editors replace files instead of writing them, and shared folders and containers tell of nothing. To look at a
//! handful of files four times a second costs nothing that could be measured.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use throng_shared::config::{ABILITIES_FILE_NAME, LoadedWorld, ShownWorld, WORLD_FILE_NAME, load_and_show_world};
use throng_shared::ids::InstanceId;

use super::changes::{KeyChange, changes};
use super::desk::{Proposal, ReloadDesk};
use crate::admin::Status;
use crate::settings::error_text;

/// How often is looked.
const INTERVAL: Duration = Duration::from_millis(250);

/// A file as it looks without reading it: its length and when it was written; none when it is not there.
type Look = Option<(u64, Option<SystemTime>)>;

/// How the files of a world look, by name.
type Looks = Vec<(String, Look)>;

/// The folder of one world.
#[derive(Debug)]
pub(super) struct Watched {
    world: InstanceId,
    pub(super) folder: PathBuf,
    /// How its files looked when they were last read, all that were asked for, whether they were there or not.
    read: Looks,
    /// How they looked the last time.
    seen: Looks,
    /// Whether they are read anew, however they look.
    is_stale: bool,
    /// What the world goes by.
    running: Said,
    /// What it was to go by, by number, until that is known.
    proposed: Vec<(u64, Said)>,
    /// Number of the last time that the files had something else to say.
    number: u64,
    /// Number of the last change that came from another folder.
    applied: Option<u64>,
}

/// What the files of a world say, read and written down. Without the samples of its terrain: they are large, and their hash is here.
#[derive(Clone, Debug)]
struct Said {
    loaded: LoadedWorld,
    /// Both files with all that they include; none when it was read elsewhere.
    texts: Option<[String; 2]>,
}

impl From<ShownWorld> for Said {
    fn from(shown: ShownWorld) -> Said {
        let ShownWorld { loaded, world_toml, abilities_toml } = shown;
        Said { loaded: without_samples(loaded), texts: Some([world_toml, abilities_toml.unwrap_or_default()]) }
    }
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
    pub(super) fn new(world: InstanceId, folder: PathBuf, loaded: LoadedWorld) -> Watched {
        let running = Said { texts: None, loaded: without_samples(loaded) };
        let read = [WORLD_FILE_NAME, ABILITIES_FILE_NAME].map(|name| (name.to_owned(), look_at(&folder, name)));
        // Read once more in any case: they may have changed since the world was built, and it is not known what they include.
        let (read, is_stale) = (Looks::from(read), true);
        let (seen, proposed) = (read.clone(), Vec::new());
        Watched { world, folder, read, seen, is_stale, running, proposed, number: 0, applied: None }
    }

    /// Looks, and reads the files once they have changed and look the same twice: whoever writes several of them, or a long one, is done then.
    /// While another folder is applied and watched they wait: whoever is last has the say.
    pub(super) fn look(&mut self, desk: &ReloadDesk) {
        self.learn_fates(desk);
        // What the files have to say comes first, if it is not known yet: after a trial it would be taken for news, and undo it.
        let has_heard = !self.is_stale && self.proposed.is_empty();
        if let Some(folder) = has_heard.then(|| desk.applies.take_request(self.world)).flatten() {
            self.apply(&folder, desk);
        }
        let is_way_back = |number: u64| self.applied.is_some_and(|applied| number == applied + 1);
        if !self.proposed.iter().any(|(number, _)| is_way_back(*number)) {
            self.look_at_files(desk);
        }
    }

    fn look_at_files(&mut self, desk: &ReloadDesk) {
        let now: Looks = self.read.iter().map(|(name, _)| (name.clone(), look_at(&self.folder, name))).collect();
        let is_still = now == self.seen;
        self.seen = now;
        if !is_still || (self.seen == self.read && !self.is_stale) {
            return;
        }
        self.number += 1;
        let (said, looks) = read_and_look(&self.folder);
        // What is asked for now may be other files than before.
        (self.read, self.is_stale) = (looks.clone(), false);
        self.seen = looks;
        match said {
            // Should a change of it be taken over at this very moment, that is learned and it is compared once more.
            Ok(said) if said.loaded == self.running.loaded => {
                self.running.texts = said.texts;
                desk.settle(self.world, self.number);
            }
            Ok(said) => {
                desk.propose(self.proposal(&said, None));
                self.proposed.push((self.number, said));
            }
            Err(error) => desk.refuse(self.world, self.number, error_text(&error)),
        }
    }

    /// Proposes what another folder says, and keeps what the world goes by for the way back.
    fn apply(&mut self, asked: &str, desk: &ReloadDesk) {
        let read = |folder: PathBuf| read_and_look(&folder).0.map_err(|error| error_text(&error));
        let said = match folder_beside(&self.folder, asked).and_then(read) {
            Ok(said) if said.loaded == self.running.loaded => {
                return desk.applies.refuse(self.world, "the world goes by exactly this already".to_owned());
            }
            Ok(said) => said,
            Err(problem) => return desk.applies.refuse(self.world, problem),
        };
        self.number += 1;
        desk.propose(self.proposal(&said, Some(self.running.loaded.clone())));
        self.proposed.push((self.number, said));
        self.applied = Some(self.number);
        // The way back has a number of its own.
        self.number += 1;
        self.proposed.push((self.number, self.running.clone()));
    }

    fn proposal(&self, said: &Said, former: Option<LoadedWorld>) -> Proposal {
        let (loaded, changes) = (said.loaded.clone(), self.running.changes_to(said));
        Proposal { world: self.world, number: self.number, loaded, changes, former }
    }

    /// What became of changes: the world goes by the newest that was taken over. Then the files are compared with that.
    fn learn_fates(&mut self, desk: &ReloadDesk) {
        for (number, is_adopted) in desk.take_fates(self.world) {
            let known = self.proposed.iter().position(|(of, _)| *of == number);
            let said = known.and_then(|known| self.proposed.drain(..=known).next_back());
            if let (Some((_, said)), true) = (said, is_adopted) {
                self.running = said;
                // That files which nobody has touched say something else than what was applied is meant.
                self.is_stale = self.applied != Some(number);
            }
        }
    }
}

/// The folder that is asked for, by its name or its whole path: one that lies beside that of the running world, and nowhere else.
///
/// # Errors
/// When there is none; what is elsewhere is as if it were not there.
fn folder_beside(own: &Path, asked: &str) -> Result<PathBuf, String> {
    let own = std::fs::canonicalize(own).map_err(|error| format!("{}: cannot be found: {error}", own.display()))?;
    let beside = own.parent().unwrap_or(&own);
    let folder = std::fs::canonicalize(beside.join(asked)).ok();
    let folder = folder.filter(|folder| folder.parent() == Some(beside) && folder.is_dir());
    folder.ok_or_else(|| {
        let beside = beside.display();
        format!(
            "error: there is no world {asked:?} in {beside}\n  help: put its folder beside that of the running world, and name it"
        )
    })
}

fn without_samples(loaded: LoadedWorld) -> LoadedWorld {
    LoadedWorld { terrain_samples: None, ..loaded }
}

impl Said {
    /// Which keys say something else there.
    fn changes_to(&self, other: &Said) -> Vec<KeyChange> {
        let pairs = self.texts.iter().flatten().zip(other.texts.iter().flatten());
        pairs.flat_map(|(before, after)| changes(before, after)).collect()
    }
}

/// How a file looks. What a link leads to counts, and not the link.
fn look_at(folder: &Path, name: &str) -> Look {
    let metadata = std::fs::metadata(folder.join(name)).ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}

/// Reads a world, and says how each file looked that was asked for: the two that say what it is, what they include, and the one
/// that its ground comes from. They are looked at first, so that a change while they are read is not missed.
fn read_and_look(folder: &Path) -> (anyhow::Result<Said>, Looks) {
    let mut looks = Looks::new();
    let shown = load_and_show_world(&folder.display().to_string(), |name| {
        looks.push((name.to_owned(), look_at(folder, name)));
        std::fs::read(folder.join(name))
    });
    (shown.map(Said::from).map_err(anyhow::Error::from), looks)
}
