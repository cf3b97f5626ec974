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
struct Watched {
    world: InstanceId,
    folder: PathBuf,
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
}

/// What the files of a world say, read and written down. Without the samples of its terrain: they are large, and their hash is here.
#[derive(Debug)]
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
    fn new(world: InstanceId, folder: PathBuf, loaded: LoadedWorld) -> Watched {
        let running = Said { texts: None, loaded: without_samples(loaded) };
        let read = [WORLD_FILE_NAME, ABILITIES_FILE_NAME].map(|name| (name.to_owned(), look_at(&folder, name)));
        // Read once more in any case: they may have changed since the world was built, and it is not known what they include.
        let (read, is_stale) = (Looks::from(read), true);
        Watched { world, folder, seen: read.clone(), read, is_stale, running, proposed: Vec::new(), number: 0 }
    }

    /// Looks, and reads the files once they have changed and look the same twice: whoever writes several of them, or a long one, is done then.
    fn look(&mut self, desk: &ReloadDesk) {
        self.learn_fates(desk);
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
                let (world, number, loaded) = (self.world, self.number, said.loaded.clone());
                desk.propose(Proposal { world, number, loaded, changes: self.running.changes_to(&said) });
                self.proposed.push((number, said));
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
                self.is_stale = true;
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::host::{Host, HostOptions};
    use crate::instance::Instance;
    use crate::settings::read_world_folder;

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
    fn what_is_included_is_watched_too_and_taken_over_with_the_rest_or_not_at_all() {
        let mut scene = scene("include");
        scene.look();
        let folder = scene.watched.folder.clone();
        let say = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file can be written");
        let world = std::fs::read_to_string(folder.join(WORLD_FILE_NAME)).expect("it is there");
        // A file that is not there yet.
        say(WORLD_FILE_NAME, &format!("include = [\"parts.toml\"]\n{world}"));
        scene.look();
        assert_eq!(scene.state(), (1, 1, 10, true));
        say("parts.toml", "[population]\nplayers_max = 1_000\n[bots]\nsight_m = 12.0\n");
        scene.look();
        scene.tick();
        assert_eq!(scene.state(), (2, 1, 10, false), "it is there, and the world goes by it");
        assert_eq!(scene.desk.to_json()["worlds"][0]["changes"][0], "bots.sight_m: 40.0 -> 12.0");
        say("parts.toml", "[population]\ntarget = 2_000\n[bots]\nsight_m = -1.0\n");
        scene.look();
        scene.tick();
        assert_eq!(scene.state(), (2, 2, 10, true), "all of it or nothing");
        let problem = scene.desk.to_json()["worlds"][0]["problem"].to_string();
        assert!(problem.contains("parts.toml:4:11: bots.sight_m"), "{problem}");
        let without_target = world.replace("[population]\ntarget = 10\n", "");
        say(WORLD_FILE_NAME, &format!("include = [\"parts.toml\"]\n{without_target}"));
        say("parts.toml", "[population]\ntarget = 2_000\n");
        scene.look();
        scene.tick();
        assert_eq!(scene.state(), (3, 2, 2_000, false));
        say("parts.toml", "[population]\ntarget = 100\n");
        scene.look();
        scene.tick();
        assert_eq!(scene.state(), (4, 2, 100, false));
        // What is not included any more is not looked at.
        say(WORLD_FILE_NAME, &without_target);
        scene.look();
        say("parts.toml", "nonsense");
        scene.look();
        scene.tick();
        assert_eq!(scene.state(), (5, 2, 0, false));
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
