//! Files that change, and folders that are applied, under a host that the tests tick.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use throng_shared::config::{ApplySettings, WORLD_FILE_NAME};
use throng_shared::ids::InstanceId;

use super::apply::{ApplyAnswer, ApplyRefusal};
use super::desk::ReloadDesk;
use super::watch::Watched;
use crate::batch::OutboundBatch;
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
    clock: Arc<ManualClock>,
    /// All that it has written is in here.
    root: PathBuf,
    now: Duration,
}

const TRIAL: ApplySettings = ApplySettings {
    is_enabled: true,
    watch_s: 10,
    tick_ms_p99_max: Some(20.0),
    client_bytes_per_s_max: None,
    players_lost_percent_max: None,
};

/// A world whose population has so many, in a folder of its own.
fn scene(name: &str) -> Scene {
    let root = std::env::temp_dir().join(format!("throng-watch-{}-{name}", std::process::id()));
    let folder = root.join("own");
    write(&folder, "10");
    let loaded = read_world_folder(&folder).expect("the world is right");
    let clock = Arc::new(ManualClock::default());
    let instance = Instance::new(&loaded, clock.clone()).expect("it can begin");
    Scene {
        watched: Watched::new(WORLD, folder, loaded),
        desk: ReloadDesk::new(TRIAL, ["flat", "built in"].map(str::to_owned).into_iter(), 1),
        host: Host::new(vec![instance], HostOptions::default(), Duration::ZERO),
        clock,
        root,
        now: Duration::ZERO,
    }
}

fn write(folder: &Path, target: &str) {
    std::fs::create_dir_all(folder).expect("the temporary folder can be written to");
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
        let (version, refused, _) = self.desk.counts()[0];
        let target = self.host.instances().next().expect("there is one").rules().population.target;
        let has_problem = !self.desk.to_json()["worlds"][0]["problem"].is_null();
        (version, refused, target, has_problem)
    }

    fn tick(&mut self) {
        self.desk.carry_out(self.now, &mut self.host);
    }

    /// Asks for a folder to be applied, which is looked at and taken over or not.
    fn apply(&mut self, folder: &str) -> ApplyAnswer {
        let mut answer = self.desk.applies.ask(WORLD, folder).expect("nothing else is watched");
        self.look();
        self.tick();
        answer.try_recv().expect("it is answered by then")
    }

    /// Lives through so many seconds in which each tick takes so long, as the program does.
    fn live(&mut self, seconds: u64, tick_ms: u64) {
        self.clock.set_reading_time(Duration::from_millis(tick_ms) / crate::tick::Phase::ALL.len() as u32);
        let end = self.now + Duration::from_secs(seconds);
        while self.now < end {
            self.now += Duration::from_millis(50);
            let (now, desk) = (self.now, &self.desk);
            desk.carry_out(now, &mut self.host);
            let mut outbound = OutboundBatch::default();
            self.host.run_due(now, &mut outbound, |id, instance| desk.note_tick(now, id, instance));
        }
        self.tick();
        self.look();
    }

    /// State, problem and what the world wants.
    fn trial(&mut self) -> (String, String, u32) {
        let world = self.desk.applies.to_json()["worlds"][0].clone();
        let text = |name: &str| world[name].as_str().unwrap_or_default().to_owned();
        (text("state"), text("problem"), self.state().2)
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // What cannot be removed is for the operating system to tidy up.
        let _ = std::fs::remove_dir_all(&self.root);
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

#[test]
fn what_is_applied_stays_when_it_keeps_to_the_limits_and_files_do_not_undo_it() {
    let mut scene = scene("kept");
    scene.look();
    write(&scene.root.join("more"), "300");
    let world = scene.apply("more").expect("it is taken over");
    assert_eq!((&world["state"], &world["since_tick"], &world["left_s"]), (&"watched".into(), &1.into(), &10.into()));
    assert_eq!(scene.state(), (2, 0, 300, false));
    scene.live(9, 9);
    assert_eq!(scene.trial(), ("watched".to_owned(), String::new(), 300));
    assert_eq!(scene.desk.applies.to_json()["worlds"][0]["figures"]["tick_ms_p99"], 9.0);
    scene.live(2, 9);
    assert_eq!(scene.trial(), ("kept".to_owned(), String::new(), 300));
    scene.live(2, 900);
    assert_eq!(
        scene.state(),
        (2, 0, 300, false),
        "nobody watches any more, and the folder's own files are as they were"
    );
    scene.say("40");
    scene.tick();
    assert_eq!(scene.state(), (3, 0, 40, false), "whoever saves them has the say");
    assert_eq!(scene.desk.to_json()["worlds"][0]["changes"][0], "population.target: 300 -> 40");
}

#[test]
fn what_is_applied_before_anybody_has_looked_at_the_files_is_not_undone_by_them() {
    let mut scene = scene("early");
    write(&scene.root.join("more"), "300");
    scene.apply("more").expect("it is taken over");
    scene.live(11, 9);
    scene.look();
    scene.tick();
    assert_eq!((scene.state(), scene.trial().0.as_str()), ((2, 0, 300, false), "kept"));
}

#[test]
fn a_saved_file_that_waits_for_its_tick_is_not_lost_to_what_is_applied_meanwhile() {
    let mut scene = scene("waits");
    scene.look();
    write(&scene.root.join("more"), "300");
    scene.say("60");
    let mut answer = scene.desk.applies.ask(WORLD, "more").expect("nothing else is watched");
    scene.look();
    assert!(answer.try_recv().is_err(), "the file was first");
    scene.tick();
    assert_eq!(scene.state().2, 60);
    scene.look();
    scene.tick();
    answer.try_recv().expect("it is answered by then").expect("and taken over");
    assert_eq!(scene.state().2, 300);
    scene.live(10, 27);
    assert_eq!((scene.trial().0.as_str(), scene.state().2), ("rolled_back", 60), "back to the file");
}

#[test]
fn what_breaks_a_limit_is_taken_back_by_itself_and_said() {
    let mut scene = scene("back");
    scene.look();
    write(&scene.root.join("more"), "300");
    scene.apply("more").expect("it is taken over");
    scene.live(10, 27);
    let (state, problem, target) = scene.trial();
    assert_eq!((state.as_str(), target), ("rolled_back", 10));
    assert_eq!(problem, "apply.tick_ms_p99_max = 20: ticks took 27.000 ms");
    assert_eq!((scene.state(), scene.desk.counts()[0].2), ((3, 0, 10, false), 1));
    // Everything goes on from what was before.
    scene.say("55");
    scene.tick();
    assert_eq!(scene.state(), (4, 0, 55, false));
    assert_eq!(scene.desk.to_json()["worlds"][0]["changes"][0], "population.target: 10 -> 55");
    scene.apply("more").expect("it may be tried again");
    assert_eq!(scene.trial().2, 300);
}

#[test]
fn files_that_are_saved_during_a_trial_wait_for_its_end() {
    for (tick_ms, name) in [(9, "waits-kept"), (27, "waits-back")] {
        let mut scene = scene(name);
        scene.look();
        write(&scene.root.join("more"), "300");
        scene.apply("more").expect("it is taken over");
        scene.live(2, tick_ms);
        scene.say("77");
        scene.tick();
        assert_eq!(scene.trial(), ("watched".to_owned(), String::new(), 300));
        scene.live(9, tick_ms);
        scene.look();
        scene.tick();
        assert_eq!((scene.state().2, scene.state().3), (77, false), "{name}");
    }
}

#[test]
fn what_is_broken_or_cannot_change_live_is_refused_and_nothing_is_watched() {
    let mut scene = scene("refused");
    scene.look();
    write(&scene.root.join("broken"), "nonsense");
    write(&scene.root.join("other"), "300");
    let file = scene.root.join("other").join(WORLD_FILE_NAME);
    let text = std::fs::read_to_string(&file).expect("it was written");
    std::fs::write(&file, text.replace("\"flat\"\nsize", "\"steep\"\nsize")).expect("a file can be written");
    for (folder, part) in [
        ("broken", "world.toml:10:10"),
        ("other", "world.name cannot change while the world runs"),
        ("own", "exactly this already"),
        ("none", "there is no world"),
    ] {
        let problem = scene.apply(folder).expect_err(folder);
        assert!(problem.contains(part), "{folder}: {problem}");
        assert_eq!(scene.trial().0, "refused");
    }
    assert_eq!(scene.state(), (1, 0, 10, false), "the files of the world are not to blame");
    scene.live(11, 900);
    assert_eq!(scene.trial().2, 10);
    scene.say("20");
    scene.tick();
    assert_eq!(scene.state(), (2, 0, 20, false), "and they are looked at as before");
}

#[test]
fn nothing_is_applied_from_elsewhere_than_beside_the_running_world() {
    let mut scene = scene("elsewhere");
    scene.look();
    let more = scene.root.join("more");
    write(&more, "300");
    write(&scene.root.join("own/inside"), "300");
    write(&scene.root.join("deep/down"), "300");
    let outside = scene.root.with_extension("outside");
    write(&outside, "300");
    let link = scene.root.join("link");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&outside, &link).expect("a link can be made");
    let texts = [&outside, &link, &scene.root.join("more/world.toml")].map(|path| path.display().to_string());
    let mut refused =
        vec!["..", ".", "/", "../..", "own/inside", "deep/down", "deep/../../etc", "/etc", "more\0", "\n"];
    refused.extend(texts.iter().map(String::as_str));
    for folder in refused {
        let problem = scene.apply(folder).expect_err(folder);
        assert!(problem.contains("there is no world"), "{folder}: {problem}");
    }
    std::fs::remove_dir_all(&outside).expect("it was written");
    let whole = more.display().to_string();
    scene.apply(&whole).expect("a whole path will do");
}

#[test]
fn one_change_of_a_world_is_watched_at_a_time_and_only_where_that_is_allowed() {
    let mut scene = scene("one");
    scene.look();
    write(&scene.root.join("more"), "300");
    let ask = |scene: &Scene, world| scene.desk.applies.ask(InstanceId(world), "more").map(drop);
    assert_eq!((ask(&scene, 1), ask(&scene, 2)), (Err(ApplyRefusal::BuiltIn), Err(ApplyRefusal::NoWorld)));
    assert_eq!((ask(&scene, 0), ask(&scene, 0)), (Ok(()), Err(ApplyRefusal::Busy)));
    scene.look();
    scene.tick();
    assert_eq!((scene.trial().2, ask(&scene, 0)), (300, Err(ApplyRefusal::Busy)));
    let names = || ["flat".to_owned()].into_iter();
    let closed = ReloadDesk::new(ApplySettings::default(), names(), 1);
    assert_eq!(closed.applies.ask(WORLD, "more").map(drop), Err(ApplyRefusal::Disabled));
}
