//! Looks at the files of worlds, and reads them when they have changed.
//!
//! By looking instead of by being told: editors replace files instead of writing them, and shared folders and containers tell of nothing. To look at a
//! handful of files four times a second costs nothing that could be measured.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use throng_shared::config::{ABILITIES_FILE_NAME, LoadedWorld, TerrainConfig, WORLD_FILE_NAME};
use throng_shared::ids::InstanceId;

use super::changes::{KeyChange, changes};
use super::desk::{Proposal, ReloadDesk};
use crate::admin::Status;
use crate::settings::{error_text, read_world_folder};

/// How often is looked.
const INTERVAL: Duration = Duration::from_millis(250);

/// A file as it looks without reading it: its length and when it was written; none when it is not there.
type Look = Option<(u64, Option<SystemTime>)>;

/// How the files of a world look, by name.
type Looks = Vec<(String, Look)>;

/// The folder of one world.
#[derive(Debug)]
struct Watched {
    world: InstanceId,
    folder: PathBuf,
    /// How its files looked when they were last read.
    read: Looks,
    /// How they looked the last time.
    seen: Looks,
    /// What the world goes by.
    running: Said,
    /// What it was to go by, by number, until that is known.
    proposed: Vec<(u64, Said)>,
    /// Number of the last time that the files had something else to say.
    number: u64,
}

/// What the files of a world say, read and as texts. Without the samples of its terrain: they are large, and their hash is here.
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
        let running = Said { texts: texts_of(&folder), loaded: without_samples(loaded) };
        let seen = look_at(&folder, &running.loaded);
        // Read once more in any case: they may have changed since the world was built.
        Watched { world, folder, read: Vec::new(), seen, running, proposed: Vec::new(), number: 0 }
    }

    /// Looks, and reads the files once they have changed and look the same twice: whoever writes several of them, or a long one, is done then.
    fn look(&mut self, desk: &ReloadDesk) {
        self.learn_fates(desk);
        let newest = self.proposed.last().map_or(&self.running, |(_, said)| said);
        let now = look_at(&self.folder, &newest.loaded);
        let is_still = now == self.seen;
        self.seen = now;
        if !is_still || self.seen == self.read {
            return;
        }
        self.read.clone_from(&self.seen);
        self.number += 1;
        match read_world_folder(&self.folder).map(without_samples) {
            // Should a change of it be taken over at this very moment, that is learned and it is compared once more.
            Ok(loaded) if loaded == self.running.loaded => desk.settle(self.world, self.number),
            Ok(loaded) => {
                let texts = texts_of(&self.folder);
                let pairs = self.running.texts.iter().zip(&texts);
                let changes: Vec<KeyChange> = pairs.flat_map(|(before, after)| changes(before, after)).collect();
                let (world, number) = (self.world, self.number);
                desk.propose(Proposal { world, number, loaded: loaded.clone(), changes });
                self.proposed.push((number, Said { loaded, texts }));
            }
            Err(error) => desk.refuse(self.world, self.number, error_text(&error)),
        }
    }

    /// What became of changes: the world goes by the newest that was taken over. Then the files are compared with that.
    fn learn_fates(&mut self, desk: &ReloadDesk) {
        for (number, is_adopted) in desk.take_fates(self.world) {
            let known = self.proposed.iter().position(|(of, _)| *of == number);
            let said = known.and_then(|known| self.proposed.drain(..=known).next_back());
            if let (Some((_, said)), true) = (said, is_adopted) {
                self.running = said;
                self.read.clear();
            }
        }
    }
}

fn without_samples(loaded: LoadedWorld) -> LoadedWorld {
    LoadedWorld { terrain_samples: None, ..loaded }
}

/// How the files of a world look: the two that say what it is, and the one that its ground comes from.
fn look_at(folder: &Path, loaded: &LoadedWorld) -> Looks {
    let terrain = match &loaded.config.terrain {
        TerrainConfig::Png { file, .. } | TerrainConfig::Raw { file, .. } => Some(file.as_str()),
        TerrainConfig::Flat { .. } | TerrainConfig::Procedural { .. } => None,
    };
    let look = |name: &str| {
        // What a link leads to counts, and not the link.
        let metadata = std::fs::metadata(folder.join(name)).ok()?;
        Some((metadata.len(), metadata.modified().ok()))
    };
    let names = [Some(WORLD_FILE_NAME), Some(ABILITIES_FILE_NAME), terrain];
    names.into_iter().flatten().map(|name| (name.to_owned(), look(name))).collect()
}

fn texts_of(folder: &Path) -> [String; 2] {
    [WORLD_FILE_NAME, ABILITIES_FILE_NAME].map(|name| std::fs::read_to_string(folder.join(name)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::host::{Host, HostOptions};
    use crate::instance::Instance;

    const WORLD: InstanceId = InstanceId(0);

    /// A world's folder, a host that runs the world, and what they know of each other.
    struct Scene {
        watched: Watched,
        desk: ReloadDesk,
        host: Host,
    }

    /// A world whose population has so many, in a folder of its own.
    fn scene(name: &str) -> Scene {
        let folder = std::env::temp_dir().join(format!("throng-watch-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the temporary folder can be written to");
        write(&folder, "10");
        let loaded = read_world_folder(&folder).expect("the world is right");
        let instance = Instance::new(&loaded, Arc::new(ManualClock::default())).expect("it can begin");
        let host = Host::new(vec![instance], HostOptions::default(), Duration::ZERO);
        Scene {
            watched: Watched::new(WORLD, folder, loaded),
            desk: ReloadDesk::new(["flat".to_owned()].into_iter()),
            host,
        }
    }

    fn write(folder: &Path, target: &str) {
        let text = format!(
            "[world]\nname = \"flat\"\nsize_m = 200.0\n[terrain]\nkind = \"flat\"\n[[spawn]]\ncenter_m = [0.0, 0.0]\nradius_m = 9.0\n\
             [population]\ntarget = {target}\n"
        );
        std::fs::write(folder.join(WORLD_FILE_NAME), text).expect("a file can be written");
    }

    impl Scene {
        /// The file says something else now, of another length than before, and is looked at until that was noticed.
        fn say(&mut self, target: &str) {
            write(&self.watched.folder, target);
            self.look();
        }

        fn look(&mut self) {
            (0..3).for_each(|_| self.watched.look(&self.desk));
        }

        /// The version, how often was refused, the population that the world wants, and whether there is a problem.
        fn state(&mut self) -> (u64, u64, u32, bool) {
            let (version, refused) = self.desk.counts()[0];
            let target = self.host.instances().next().expect("there is one").rules().population.target;
            let has_problem = !self.desk.to_json()["worlds"][0]["problem"].is_null();
            (version, refused, target, has_problem)
        }

        fn tick(&mut self) {
            self.desk.carry_out(Duration::ZERO, &mut self.host);
        }
    }

    impl Drop for Scene {
        fn drop(&mut self) {
            // What cannot be removed is for the operating system to tidy up.
            let _ = std::fs::remove_dir_all(&self.watched.folder);
        }
    }

    #[test]
    fn what_the_files_say_last_counts_however_late_the_tick_is() {
        let mut scene = scene("late");
        scene.look();
        scene.tick();
        assert_eq!(scene.state(), (1, 0, 10, false), "nothing has changed");
        scene.say("100");
        scene.say("nonsense");
        scene.tick();
        assert_eq!(scene.state(), (1, 1, 10, true), "what waited is not wanted any more");
        scene.say("1000");
        scene.say("10");
        scene.tick();
        assert_eq!(scene.state(), (1, 1, 10, false), "and neither is what was taken back");
        scene.say("200");
        scene.say("3000");
        scene.tick();
        scene.look();
        assert_eq!(scene.state(), (2, 1, 3_000, false));
        scene.say("100");
        scene.tick();
        assert_eq!(scene.state(), (3, 1, 100, false));
        assert_eq!(scene.desk.to_json()["worlds"][0]["changes"][0], "population.target: 3000 -> 100");
    }

    #[test]
    fn a_change_that_comes_while_another_is_taken_over_is_compared_with_that() {
        let mut scene = scene("while");
        scene.look();
        scene.say("100");
        // The tick thread has it, and before its fate is known the file says something else: what was before.
        let waiting = std::mem::take(&mut *scene.desk.waiting_for_test());
        scene.say("10");
        waiting.into_iter().for_each(|proposal| scene.desk.waiting_for_test().push(proposal));
        scene.tick();
        assert_eq!(scene.state().2, 100);
        scene.look();
        scene.tick();
        assert_eq!((scene.state().2, scene.state().3), (10, false), "the world goes by the files in the end");
    }
}
