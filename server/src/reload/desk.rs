//! Where changed worlds wait for the tick thread, and what has become of them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use throng_shared::config::{ApplySettings, LoadedWorld};
use throng_shared::ids::InstanceId;
use throng_shared::tick::Tick;
use tracing::{info, warn};

use super::adopt::AdoptError;
use super::apply::{ApplyDesk, WayBack};
use super::changes::KeyChange;
use crate::host::Host;
use crate::instance::Instance;

/// Changes of a world that are told; of more, their number.
const CHANGES_TOLD_MAX: usize = 32;

/// A changed world that is right by itself.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Which.
    pub world: InstanceId,
    /// Rises with each thing that the world's files have to say.
    pub number: u64,
    /// What its files say now; the samples of its terrain are not needed.
    pub loaded: LoadedWorld,
    /// What has changed.
    pub changes: Vec<KeyChange>,
    /// What the world goes by now, when the change is applied on trial: what it goes back to. The way back has the number after this one's.
    pub former: Option<LoadedWorld>,
}

/// How the files of a world have fared.
#[derive(Clone, Debug, Default, Serialize)]
struct WorldVersion {
    name: String,
    /// 1 as it was started, and one more with each change that was taken over.
    version: u64,
    /// The first tick that goes by it; 0 as it was started.
    since_tick: u32,
    /// What the last change was.
    changes: Vec<String>,
    /// How many changes were refused.
    refused: u64,
    /// Why the files as they are now are not what the world goes by; none when they are.
    problem: Option<String>,
    /// Number of the last thing that its files had to say: what became of an earlier one says nothing of them as they are now.
    #[serde(skip)]
    newest: u64,
}

/// Shared by the thread that looks at files, the one that ticks, and the one that serves HTTP.
#[derive(Debug, Default)]
pub struct ReloadDesk {
    /// Changes that are applied on trial.
    pub applies: ApplyDesk,
    waiting: Mutex<Vec<Proposal>>,
    /// Whether changes of worlds were taken over, by number, until whoever proposed them asks.
    fates: Mutex<Vec<(InstanceId, u64, bool)>>,
    worlds: Mutex<Vec<WorldVersion>>,
}

impl ReloadDesk {
    /// For worlds of these names, in the order of their numbers, of which the first `folders` come from folders.
    pub fn new(apply: ApplySettings, names: impl Iterator<Item = String>, folders: usize) -> ReloadDesk {
        let names: Vec<String> = names.collect();
        let world = |name: &String| WorldVersion { name: name.clone(), version: 1, ..WorldVersion::default() };
        let worlds = names.iter().map(world).collect();
        ReloadDesk {
            applies: ApplyDesk::new(apply, names.into_iter(), folders),
            waiting: Mutex::default(),
            fates: Mutex::default(),
            worlds: Mutex::new(worlds),
        }
    }

    /// Hands in a changed world, in the place of an earlier change of it that still waits.
    pub fn propose(&self, proposal: Proposal) {
        self.note_newest(proposal.world, proposal.number, |_| ());
        lock(&self.waiting).push(proposal);
    }

    /// The files of a world are as they may not be; what they said before and still waits is not wanted any more.
    pub fn refuse(&self, world: InstanceId, number: u64, problem: String) {
        self.note_newest(world, number, |version| version.note_refused(problem));
    }

    /// The files of a world are again what it goes by; what they said before and still waits is not wanted any more.
    pub fn settle(&self, world: InstanceId, number: u64) {
        self.note_newest(world, number, |version| version.problem = None);
    }

    fn note_newest(&self, world: InstanceId, number: u64, note: impl FnOnce(&mut WorldVersion)) {
        lock(&self.waiting).retain(|other| {
            let is_kept = other.world != world;
            if !is_kept {
                lock(&self.fates).push((world, other.number, false));
            }
            is_kept
        });
        if let Some(version) = lock(&self.worlds).get_mut(usize::from(world.0)) {
            version.newest = number;
            note(version);
        }
    }

    /// Has the host take over what waits, and take back what has broken a limit. For the thread that has it, between two ticks.
    pub fn carry_out(&self, now: Duration, host: &mut Host) {
        self.applies.take_broken().into_iter().for_each(|back| self.take_back(now, host, back));
        let waiting = std::mem::take(&mut *lock(&self.waiting));
        for Proposal { world, number, loaded, changes, former } in waiting {
            let fate = host.adopt(now, world, &loaded);
            lock(&self.fates).push((world, number, fate.is_ok()));
            let told = told(&changes);
            let problem = |error: &AdoptError| format!("{error}\n  changed: {}", told.join(", "));
            match (fate, former) {
                (Ok(tick), former) => {
                    self.note_adopted(world, number, tick, told);
                    let instance = host.instances().nth(usize::from(world.0));
                    if let (Some(former), Some(instance)) = (former, instance) {
                        self.applies.begin(instance, WayBack { world, number, former }, now, tick);
                    }
                }
                (Err(error), None) => self.note_refused(world, number, problem(&error)),
                (Err(error), Some(_)) => {
                    // There is nothing to go back from. The files of the world are not to blame.
                    lock(&self.fates).push((world, number + 1, false));
                    self.applies.refuse(world, problem(&error));
                }
            }
        }
    }

    fn take_back(&self, now: Duration, host: &mut Host, WayBack { world, number, former }: WayBack) {
        let number = number + 1;
        let fate = host.adopt(now, world, &former);
        lock(&self.fates).push((world, number, fate.is_ok()));
        if let Ok(tick) = fate {
            self.note_adopted(world, number, tick, vec!["what was before, for a limit has broken".to_owned()]);
        }
        self.applies.note_way_back(world, fate.map(drop).map_err(|error| error.to_string()));
    }

    /// A world has lived through a tick that began at `now`.
    pub fn note_tick(&self, now: Duration, world: InstanceId, instance: &Instance) {
        if let Some(number) = self.applies.note_tick(now, world, instance) {
            // There is no way back any more.
            lock(&self.fates).push((world, number + 1, false));
        }
    }

    fn note_adopted(&self, world: InstanceId, number: u64, tick: Tick, told: Vec<String>) {
        if let Some(version) = lock(&self.worlds).get_mut(usize::from(world.0)) {
            let is_newest = version.newest <= number;
            version.note_adopted(tick, told, is_newest);
        }
    }

    fn note_refused(&self, world: InstanceId, number: u64, problem: String) {
        if let Some(version) = lock(&self.worlds).get_mut(usize::from(world.0)).filter(|it| it.newest == number) {
            version.note_refused(problem);
        }
    }

    /// Whether changes of a world were taken over, by number, the oldest first; each is told once.
    pub(super) fn take_fates(&self, world: InstanceId) -> Vec<(u64, bool)> {
        lock(&self.fates).extract_if(.., |(of, ..)| *of == world).map(|(_, number, fate)| (number, fate)).collect()
    }

    /// How the files of all worlds have fared, as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ "worlds": *lock(&self.worlds) })
    }

    /// The version that each world goes by, how many changes of its files were refused, and how many were taken back.
    pub fn counts(&self) -> Vec<(u64, u64, u64)> {
        let worlds = lock(&self.worlds);
        worlds.iter().zip(self.applies.rollbacks()).map(|(world, back)| (world.version, world.refused, back)).collect()
    }
}

#[cfg(test)]
impl ReloadDesk {
    /// What waits, for tests that play the tick thread.
    pub(super) fn waiting_for_test(&self) -> MutexGuard<'_, Vec<Proposal>> {
        lock(&self.waiting)
    }
}

impl WorldVersion {
    fn note_adopted(&mut self, tick: Tick, changes: Vec<String>, is_newest: bool) {
        self.version += 1;
        let (name, version, told) = (&self.name, self.version, changes.join(", "));
        info!(world = %name, version, tick = tick.0, "changed files were taken over: {told}");
        (self.since_tick, self.changes) = (tick.0, changes);
        if is_newest {
            self.problem = None;
        }
    }

    fn note_refused(&mut self, problem: String) {
        warn!(world = %self.name, "changed files were refused, and the world goes on as it was:\n{problem}\n ");
        self.refused += 1;
        self.problem = Some(problem);
    }
}

/// What has changed, for people.
fn told(changes: &[KeyChange]) -> Vec<String> {
    let mut told: Vec<String> = changes.iter().take(CHANGES_TOLD_MAX).map(KeyChange::to_string).collect();
    if changes.len() > CHANGES_TOLD_MAX {
        told.push(format!("and {} more", changes.len() - CHANGES_TOLD_MAX));
    }
    told
}

/// Whoever panicked with the lock has left a list whose entries are whole.
fn lock<Item>(mutex: &Mutex<Item>) -> MutexGuard<'_, Item> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
