//! Real servers and real players: processes that end with their test, and folders that vanish with it.

mod folder;
mod player;
mod server;

use std::sync::mpsc;
use std::time::{Duration, Instant};

pub(crate) use folder::{Folder, repository};
pub(crate) use player::{Player, swarm_options};
pub(crate) use server::{Finished, Server, run, run_with};

/// How long anything may take on a busy machine. Less than the 10 s after which a silent connection ends: whoever is
/// gone by then has said goodbye.
const PATIENCE: Duration = Duration::from_secs(8);

/// Time between two looks at something that nobody tells us of. Looking all the time would take the processor away from
/// what is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Asks until something is so, and in between leaves the processor to others.
///
/// # Panics
/// When it still is not after [`PATIENCE`].
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let (_sender, nothing) = mpsc::channel::<()>();
    keep_asking(what, || {
        let answer = is_so();
        if !answer {
            // Nothing is ever sent: this is a wait that the processor is not busy with.
            let _ = nothing.recv_timeout(LOOK_INTERVAL);
        }
        answer
    });
}

/// Asks until something is so. `is_so` waits by itself for what it asks about.
///
/// # Panics
/// When it still is not after [`PATIENCE`].
fn keep_asking(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
    }
}

#[expect(clippy::disallowed_methods, reason = "processes and sockets live in real time")]
fn now() -> Instant {
    Instant::now()
}
