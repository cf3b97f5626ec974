//! Changes that are applied on trial: who has asked, which worlds are watched, and what has come of it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use throng_shared::config::{ApplySettings, LoadedWorld};
use throng_shared::ids::InstanceId;
use throng_shared::tick::Tick;
use tokio::sync::oneshot;
use tracing::{error, info, warn};

use super::trial::{TickCounts, Trial, Verdict};
use crate::instance::Instance;

/// What has become of a request: how the world is, as JSON, or why it goes on as before.
pub type ApplyAnswer = Result<Value, String>;

/// Why nobody even looks at a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyRefusal {
    /// The settings do not allow it.
    #[error(
        "nothing may be applied here\n  help: write enabled = true below [apply] in the server's settings, and restart it"
    )]
    Disabled,
    /// There is none of this number.
    #[error("there is no such world")]
    NoWorld,
    /// The world has no folder that others could lie beside.
    #[error("this world is built into the server\n  help: start it with --world FOLDER")]
    BuiltIn,
    /// Another change of this world is looked at or watched.
    #[error("another change of this world is watched\n  help: wait until that is over")]
    Busy,
}

/// How the last change of a world that was applied has fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// There was none.
    #[default]
    None,
    /// Its files are looked at.
    Waiting,
    /// It was refused, and the world goes on as before.
    Refused,
    /// It is in force, and the world is watched.
    Watched,
    /// It has kept to the limits, and stays.
    Kept,
    /// It has broken a limit, and the world goes on as before.
    RolledBack,
    /// It has broken a limit and could not be taken back.
    Stuck,
}

/// Shared by the thread that serves HTTP, the one that looks at files, and the one that ticks.
#[derive(Debug, Default)]
pub struct ApplyDesk {
    limits: ApplySettings,
    worlds: Mutex<Vec<World>>,
}

#[derive(Debug, Default)]
struct World {
    name: String,
    has_folder: bool,
    state: State,
    /// As it was asked for.
    folder: Option<String>,
    /// Whether the thread that looks at files has not seen the request yet.
    is_new: bool,
    problem: Option<String>,
    since: Option<Tick>,
    rollbacks: u64,
    answer: Option<oneshot::Sender<ApplyAnswer>>,
    trial: Option<OnTrial>,
    /// When it was last heard of the world, on the scale of the trial.
    now: Duration,
}

#[derive(Debug)]
struct OnTrial {
    number: u64,
    former: LoadedWorld,
    trial: Trial,
    is_broken: bool,
}

/// A world that has broken a limit, and what it goes back to.
#[derive(Debug)]
pub(super) struct WayBack {
    pub(super) world: InstanceId,
    /// Number of the change that is taken back.
    pub(super) number: u64,
    pub(super) former: LoadedWorld,
}

impl ApplyDesk {
    /// For worlds of these names, in the order of their numbers, of which the first `folders` come from folders.
    pub(super) fn new(limits: ApplySettings, names: impl Iterator<Item = String>, folders: usize) -> ApplyDesk {
        let world = |(number, name)| World { name, has_folder: number < folders, ..World::default() };
        ApplyDesk { limits, worlds: Mutex::new(names.enumerate().map(world).collect()) }
    }

    /// Asks for a folder to be applied to a world. The answer comes when the folder was looked at and the world has taken it over, or has not.
    ///
    /// # Errors
    /// When that will not happen.
    pub fn ask(&self, world: InstanceId, folder: &str) -> Result<oneshot::Receiver<ApplyAnswer>, ApplyRefusal> {
        if !self.limits.is_enabled {
            return Err(ApplyRefusal::Disabled);
        }
        let mut worlds = self.worlds();
        let asked = worlds.get_mut(usize::from(world.0)).ok_or(ApplyRefusal::NoWorld)?;
        if !asked.has_folder {
            return Err(ApplyRefusal::BuiltIn);
        }
        if asked.is_busy() {
            return Err(ApplyRefusal::Busy);
        }
        let (sender, receiver) = oneshot::channel();
        (asked.state, asked.folder, asked.is_new) = (State::Waiting, Some(folder.to_owned()), true);
        (asked.problem, asked.since, asked.answer) = (None, None, Some(sender));
        Ok(receiver)
    }

    /// How all worlds fare, as JSON.
    pub fn to_json(&self) -> Value {
        let ApplySettings { is_enabled, watch_s, .. } = self.limits;
        let worlds: Vec<Value> = self.worlds().iter().map(World::to_json).collect();
        json!({
            "enabled": is_enabled,
            "watch_s": watch_s,
            "limits": {
                "tick_ms_p99_max": self.limits.tick_ms_p99_max,
                "client_bytes_per_s_max": self.limits.client_bytes_per_s_max,
                "players_lost_percent_max": self.limits.players_lost_percent_max,
            },
            "worlds": worlds,
        })
    }

    /// How often changes of each world were taken back.
    pub(super) fn rollbacks(&self) -> Vec<u64> {
        self.worlds().iter().map(|world| world.rollbacks).collect()
    }

    /// A folder that somebody has asked for; each is told once.
    pub(super) fn take_request(&self, world: InstanceId) -> Option<String> {
        let mut worlds = self.worlds();
        let world = worlds.get_mut(usize::from(world.0))?;
        std::mem::take(&mut world.is_new).then(|| world.folder.clone())?
    }

    /// What was asked for will not be.
    pub(super) fn refuse(&self, world: InstanceId, problem: String) {
        let mut worlds = self.worlds();
        let Some(world) = worlds.get_mut(usize::from(world.0)) else { return };
        let folder = world.folder.as_deref().unwrap_or_default();
        warn!(world = %world.name, folder, "what was to be applied was refused, and the world goes on as it was:\n{problem}\n ");
        (world.state, world.problem) = (State::Refused, Some(problem.clone()));
        world.answer(Err(problem));
    }

    /// A change was taken over at `now`, and the world is watched from its next tick on.
    pub(super) fn begin(&self, instance: &Instance, back: WayBack, now: Duration, since: Tick) {
        let mut worlds = self.worlds();
        let Some(world) = worlds.get_mut(usize::from(back.world.0)) else { return };
        let trial = Trial::begin(self.limits, now, counts(instance));
        world.trial = Some(OnTrial { number: back.number, former: back.former, trial, is_broken: false });
        (world.state, world.since, world.now) = (State::Watched, Some(since), now);
        let answer = Ok(world.to_json());
        world.answer(answer);
    }

    /// A world has lived through a tick that began at `now`. Returns the number of a change that stays from now on.
    pub(super) fn note_tick(&self, now: Duration, id: InstanceId, instance: &Instance) -> Option<u64> {
        let mut worlds = self.worlds();
        let world = worlds.get_mut(usize::from(id.0))?;
        let on_trial = world.trial.as_mut().filter(|on_trial| !on_trial.is_broken)?;
        world.now = now;
        match on_trial.trial.note_tick(now, counts(instance)) {
            Verdict::Pending => None,
            Verdict::Kept => {
                let number = on_trial.number;
                let folder = world.folder.as_deref().unwrap_or_default();
                info!(world = %world.name, folder, "what was applied has kept to the limits, and stays");
                (world.state, world.trial) = (State::Kept, None);
                Some(number)
            }
            Verdict::Broken(limit) => {
                on_trial.is_broken = true;
                world.problem = Some(limit);
                None
            }
        }
    }

    /// Worlds that have broken a limit since somebody asked.
    pub(super) fn take_broken(&self) -> Vec<WayBack> {
        let mut worlds = self.worlds();
        let broken = worlds.iter_mut().enumerate().filter_map(|(number, world)| {
            let OnTrial { number: change, former, .. } = world.trial.take_if(|on_trial| on_trial.is_broken)?;
            Some(WayBack { world: InstanceId(number as u16), number: change, former })
        });
        broken.collect()
    }

    /// A change was taken back, or could not be.
    pub(super) fn note_way_back(&self, world: InstanceId, result: Result<(), String>) {
        let mut worlds = self.worlds();
        let Some(world) = worlds.get_mut(usize::from(world.0)) else { return };
        let (folder, limit) =
            (world.folder.as_deref().unwrap_or_default(), world.problem.as_deref().unwrap_or_default());
        match result {
            Ok(()) => {
                warn!(world = %world.name, folder, "what was applied has broken a limit and was taken back: {limit}");
                world.state = State::RolledBack;
                world.rollbacks += 1;
            }
            Err(problem) => {
                error!(world = %world.name, folder, "what was applied has broken a limit ({limit}) and could not be taken back: {problem}");
                (world.state, world.problem) = (State::Stuck, Some(format!("{limit}; {problem}")));
            }
        }
    }

    fn worlds(&self) -> MutexGuard<'_, Vec<World>> {
        // Whoever panicked with the lock has left entries that are whole.
        self.worlds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    fn is_busy(&self) -> bool {
        matches!(self.state, State::Waiting | State::Watched)
    }

    /// Tells whoever has asked; who has gone away since does not mind.
    fn answer(&mut self, answer: ApplyAnswer) {
        if let Some(sender) = self.answer.take() {
            let _ = sender.send(answer);
        }
    }

    fn to_json(&self) -> Value {
        let trial = self.trial.as_ref().map(|on_trial| &on_trial.trial);
        json!({
            "name": self.name,
            "state": self.state,
            "folder": self.folder,
            "since_tick": self.since.map(|tick| tick.0),
            "problem": self.problem,
            "left_s": trial.map(|trial| trial.left(self.now).as_secs()),
            "figures": trial.and_then(|trial| trial.figures),
            "rollbacks": self.rollbacks,
        })
    }
}

fn counts(instance: &Instance) -> TickCounts {
    let totals = instance.totals();
    TickCounts { took: instance.tick_time(), players: totals.players, snapshot_bytes: totals.snapshot_bytes }
}
