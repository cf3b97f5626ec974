//! Real servers and real players: processes that end with their test, and folders that vanish with it.

mod folder;
mod player;
mod server;

use std::time::{Duration, Instant};

pub(crate) use folder::{Folder, repository};
pub(crate) use player::{Player, swarm_options};
pub(crate) use server::{Finished, Server, run};

/// How long anything may take on a busy machine. Less than the 10 s after which a silent connection ends: whoever is
/// gone by then has said goodbye.
const PATIENCE: Duration = Duration::from_secs(8);

/// Asks until something is so.
///
/// # Panics
/// When it still is not after [`PATIENCE`].
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::yield_now();
    }
}

#[expect(clippy::disallowed_methods, reason = "processes and sockets live in real time")]
fn now() -> Instant {
    Instant::now()
}
