//! What a process has used, as Linux tells it; and which core it runs on.

use std::time::Duration;

use anyhow::{Context, ensure};

/// Processor time of a process so far, and the memory that it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) user: Duration,
    pub(crate) system: Duration,
    pub(crate) resident_bytes: u64,
}

impl Usage {
    /// What has been used since `before`; the memory is that of now.
    pub(crate) fn since(&self, before: &Usage) -> Usage {
        Usage { user: self.user - before.user, system: self.system - before.system, ..*self }
    }

    /// User and system time.
    pub(crate) fn total(&self) -> Duration {
        self.user + self.system
    }
}

/// What this process has used.
///
/// # Errors
/// Where there is no `/proc`.
pub(crate) fn own_usage() -> anyhow::Result<Usage> {
    usage("/proc/self")
}

fn usage(folder: &str) -> anyhow::Result<Usage> {
    let read =
        |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).context("processor times need Linux's /proc");
    let stat = read("stat")?;
    // The name, in brackets, may hold spaces; user and system time are the 12th and 13th field after it.
    let after_name = stat.rsplit_once(')').context("/proc is not as expected")?.1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |place: usize| -> anyhow::Result<Duration> {
        let ticks: u64 = fields.get(place).context("/proc is not as expected")?.parse()?;
        Ok(Duration::from_millis(ticks * 1_000 / TICKS_PER_S))
    };
    let statm = read("statm")?;
    let pages: u64 = statm.split_whitespace().nth(1).context("/proc is not as expected")?.parse()?;
    Ok(Usage { user: ticks(11)?, system: ticks(12)?, resident_bytes: pages * rustix::param::page_size() as u64 })
}

/// In which `/proc` counts, on every Linux.
const TICKS_PER_S: u64 = 100;

/// Binds this process, and every thread that it starts from now on, to a core.
///
/// # Errors
/// When there is no such core.
pub(crate) fn pin_to_core(core: usize) -> anyhow::Result<()> {
    let mut set = rustix::thread::CpuSet::new();
    set.set(core);
    rustix::thread::sched_setaffinity(None, &set).with_context(|| format!("cannot run on core {core}"))
}

/// Lets this process open as many sockets as the system allows at all; checks that `wanted` are possible.
///
/// # Errors
/// When they are not.
pub(crate) fn allow_sockets(wanted: u64) -> anyhow::Result<()> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // What was allowed before may be enough.
    let _ = setrlimit(Resource::Nofile, limit);
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let needed = wanted + 64;
    ensure!(needed <= allowed, "{needed} sockets are needed and {allowed} allowed: raise `ulimit -n`");
    Ok(())
}
