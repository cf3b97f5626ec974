//! What a change of a world's files would do, found out before it is made.
//!
//! ```text
//! old files ──► a host, its connections, clients in memory ──┐ the same minutes, in turns
//! new files ──► a host, its connections, clients in memory ──┘ slice by slice ──► figures of both ──► table or JSON
//! ```
//!
//! Nothing is modelled: both are the whole server but for its sockets, with bots as the files have them, and its people are
//! [`throng_client::Client`]s, who greet, send inputs, acknowledge, predict and rest as real ones do. What they do is drawn from the
//! seed, and is the same in both as long as the worlds are.

mod figures;
mod rehearsal;
mod table;

use std::sync::Arc;
use std::time::Duration;

use throng_shared::config::LoadedWorld;
use throng_shared::link::LinkConditions;
use throng_shared::map::TerrainError;

pub use figures::Figures;
pub(crate) use figures::quantile_ms;

use crate::clock::Clock;
use crate::instance::InstanceError;
use rehearsal::Rehearsal;

/// Most people in a plan: each is a client with a replica of its own, and there are two of each.
pub const PEOPLE_MAX: u32 = 10_000;

/// How long one world runs before it is the other's turn: short, so that a machine that is busy for a moment is so for both.
const SLICE: Duration = Duration::from_millis(50);

/// What is played.
#[derive(Clone, Copy, Debug)]
pub struct PlanOptions {
    /// How many people play, up to [`PEOPLE_MAX`]; bots are as many as the files say.
    pub people: u32,
    /// For how long bots are alone before people come: they have spread by then.
    pub warm_up: Duration,
    /// For how long is measured, once everybody is in and has settled.
    pub measured: Duration,
    /// Fixes what people do, and what their links lose.
    pub seed: u64,
    /// What is between people and server, each way.
    pub link: LinkConditions,
    /// Has the new world begin with its files even where a running one could take them over.
    pub is_restart: bool,
}

/// How the new files would come into force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A running world takes them over, and so did the one that was measured.
    Live,
    /// The server is restarted with them.
    Restart,
}

/// What was found out. `Display` is a table for people, [`Prediction::to_json`] is for programs.
#[derive(Clone, Debug)]
pub struct Prediction {
    /// What was played.
    pub options: PlanOptions,
    /// With the old files.
    pub old: Figures,
    /// With the new ones.
    pub new: Figures,
    /// How those came into force.
    pub way: Way,
    /// What is other in them and cannot change while the world runs.
    pub fixed: Vec<&'static str>,
}

/// Why there is nothing to tell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The worlds have not so many places for people.
    #[error(
        "{people} people do not fit: {of} has population.players_max = {players_max}\n  help: name fewer with --clients"
    )]
    TooManyPeople {
        /// How many were asked for.
        people: u32,
        /// Which of the two worlds.
        of: &'static str,
        /// Its places.
        players_max: u32,
    },
    /// A world cannot begin.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// It has no ground.
    #[error(transparent)]
    Terrain(#[from] TerrainError),
    /// People could not get in, or did not stay.
    #[error(
        "{missing} of {people} people are not in the {of} world: {state}\n  help: a link that loses less lets them in"
    )]
    NotIn {
        /// How many are not.
        missing: usize,
        /// How many were to be.
        people: u32,
        /// Which of the two worlds.
        of: &'static str,
        /// How the first of them fares.
        state: String,
    },
}

/// Lets both worlds live through the same time, in turns, and measures. `clock` times the ticks and fixes nothing else, as long as no world is so
/// overloaded that it climbs its ladder. `watch` is told how much of all is done, up to 1.0, some times per simulated second.
///
/// Costs what both worlds cost a server in that time, and the people's clients. The ticks' parallel work is done by the current rayon pool.
///
/// # Errors
/// When people do not fit in or do not get in, or a world cannot begin.
pub fn plan(
    old: &LoadedWorld,
    new: &LoadedWorld,
    options: PlanOptions,
    clock: &Arc<dyn Clock>,
    watch: &mut dyn FnMut(f32),
) -> Result<Prediction, PlanError> {
    for (of, world) in [("the old world", old), ("the new world", new)] {
        let players_max = world.config.population.players_max;
        if options.people > players_max {
            return Err(PlanError::TooManyPeople { people: options.people, of, players_max });
        }
    }
    let mut before = Rehearsal::begin("old", old, &options, clock)?;
    let fixed = before.fixed_changes(new);
    let way = if fixed.is_empty() && !options.is_restart { Way::Live } else { Way::Restart };
    let mut after = match way {
        Way::Live => Rehearsal::begin("new", old, &options, clock)?.adopt(new),
        Way::Restart => Rehearsal::begin("new", new, &options, clock)?,
    };
    let all = Rehearsal::whole_time(&options);
    let mut now = Duration::ZERO;
    let mut is_old_first = true;
    while now < all {
        now += SLICE;
        let [first, second] = if is_old_first { [&mut before, &mut after] } else { [&mut after, &mut before] };
        first.run_until(now)?;
        second.run_until(now)?;
        is_old_first = !is_old_first;
        watch((now.as_secs_f32() / all.as_secs_f32()).min(1.0));
    }
    Ok(Prediction { options, old: before.figures()?, new: after.figures()?, way, fixed })
}
