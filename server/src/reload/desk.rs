//! Where changed worlds wait for the tick thread, and what has become of them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use throng_shared::config::LoadedWorld;
use throng_shared::ids::InstanceId;
use throng_shared::tick::Tick;
use tracing::{info, warn};

use super::changes::KeyChange;
use crate::host::Host;

/// Changes of a world that are told; of more, their number.
const CHANGES_TOLD_MAX: usize = 32;

/// A changed world that is right by itself.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Which.
    pub world: InstanceId,
    /// What its files say now.
    pub loaded: LoadedWorld,
    /// What has changed.
    pub changes: Vec<KeyChange>,
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
}

/// Shared by the thread that looks at files, the one that ticks, and the one that serves HTTP.
#[derive(Debug, Default)]
pub struct ReloadDesk {
    waiting: Mutex<Vec<Proposal>>,
    /// Whether the last change of a world was taken over, until whoever proposed it asks.
    fates: Mutex<Vec<(InstanceId, bool)>>,
    worlds: Mutex<Vec<WorldVersion>>,
}

impl ReloadDesk {
    /// For worlds of these names, in the order of their numbers.
    pub fn new(names: impl Iterator<Item = String>) -> ReloadDesk {
        let world = |name| WorldVersion { name, version: 1, ..WorldVersion::default() };
        ReloadDesk {
            waiting: Mutex::default(),
            fates: Mutex::default(),
            worlds: Mutex::new(names.map(world).collect()),
        }
    }

    /// Hands in a changed world, in the place of an earlier change of it that still waits.
    pub fn propose(&self, proposal: Proposal) {
        let mut waiting = lock(&self.waiting);
        waiting.retain(|other| other.world != proposal.world);
        waiting.push(proposal);
    }

    /// The files of a world are as they may not be.
    pub fn refuse(&self, world: InstanceId, problem: String) {
        warn!(world = world.0, "changed files were refused, the world goes on as it was\n{problem}");
        if let Some(version) = lock(&self.worlds).get_mut(usize::from(world.0)) {
            version.refused += 1;
            version.problem = Some(problem);
        }
    }

    /// The files of a world are again what it goes by.
    pub fn settle(&self, world: InstanceId) {
        if let Some(version) = lock(&self.worlds).get_mut(usize::from(world.0)) {
            version.problem = None;
        }
    }

    /// Has the host take over what waits. For the thread that has it, between two ticks.
    pub fn carry_out(&self, now: Duration, host: &mut Host) {
        let waiting = std::mem::take(&mut *lock(&self.waiting));
        for Proposal { world, loaded, changes } in waiting {
            let fate = host.adopt(now, world, &loaded);
            lock(&self.fates).push((world, fate.is_ok()));
            match fate {
                Ok(tick) => self.note_adopted(world, tick, &changes),
                Err(error) => self.refuse(world, error.to_string()),
            }
        }
    }

    /// Whether the change of a world that was proposed last was taken over; none when that is not known, or was asked before.
    pub(super) fn take_fate(&self, world: InstanceId) -> Option<bool> {
        let mut fates = lock(&self.fates);
        let fate = fates.iter().rev().find(|(of, _)| *of == world).map(|(_, fate)| *fate);
        fates.retain(|(of, _)| *of != world);
        fate
    }

    fn note_adopted(&self, world: InstanceId, tick: Tick, changes: &[KeyChange]) {
        let mut told: Vec<String> = changes.iter().take(CHANGES_TOLD_MAX).map(KeyChange::to_string).collect();
        if let Some(more) = changes.len().checked_sub(CHANGES_TOLD_MAX).filter(|&more| more > 0) {
            told.push(format!("and {more} more"));
        }
        if let Some(version) = lock(&self.worlds).get_mut(usize::from(world.0)) {
            version.version += 1;
            let (name, number) = (&version.name, version.version);
            info!(world = %name, version = number, tick = tick.0, "changed files were taken over: {}", told.join(", "));
            (version.since_tick, version.changes, version.problem) = (tick.0, told, None);
        }
    }

    /// How the files of all worlds have fared, as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ "worlds": *lock(&self.worlds) })
    }

    /// The version that each world goes by, and how many changes of its files were refused.
    pub fn counts(&self) -> Vec<(u64, u64)> {
        lock(&self.worlds).iter().map(|world| (world.version, world.refused)).collect()
    }
}

/// Whoever panicked with the lock has left a list whose entries are whole.
fn lock<Item>(mutex: &Mutex<Item>) -> MutexGuard<'_, Item> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
