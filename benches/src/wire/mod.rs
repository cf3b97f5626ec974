//! Workloads over real sockets: the server in a process and on a core of its own, the load on another.

mod compare;
mod hostile;
mod idle;
mod load;
mod memory;
mod server;
mod step;
mod stock;
mod storm;
mod subprocess;

pub(crate) use compare::run;
pub(crate) use hostile::run as run_hostile;
pub(crate) use idle::{StandParameters, run as run_idle, stand};
pub(crate) use memory::run as client_memory;
pub(crate) use server::{ServerParameters, serve};
pub(crate) use storm::{StormParameters, run as run_storm};

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use load::{Load, rest};
use subprocess::Subprocess;

/// The server's core and the load's.
pub(crate) const SERVER_CORE: usize = 0;
pub(crate) const LOAD_CORE: usize = 1;

/// Connections that are begun in a second.
const CONNECTS_PER_S: f64 = 1_000.0;

/// How long all may take to get in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(60);

/// How long they play before anything is measured.
const SETTLE: Duration = Duration::from_secs(3);

/// A running server process; it ends with this.
pub(crate) struct ServerProcess {
    process: Subprocess,
    pub(crate) address: SocketAddr,
}

impl ServerProcess {
    /// Starts this program as a server.
    pub(crate) fn start(parameters: &ServerParameters) -> anyhow::Result<ServerProcess> {
        let ServerParameters { players, visible, clients_max, core, is_stock } = parameters;
        let arguments =
            format!("serve --players {players} --visible {visible} --clients-max {clients_max} --core {core}");
        let mut process = Subprocess::start(arguments.split(' ').chain(is_stock.then_some("--stock")))?;
        let address = process.hear()?["address"].as_str().context("it says where")?.parse()?;
        Ok(ServerProcess { process, address })
    }

    /// Begins to measure.
    pub(crate) fn mark(&mut self) -> anyhow::Result<()> {
        self.process.ask("mark").map(|_| ())
    }

    /// What was measured since.
    pub(crate) fn report(&mut self) -> anyhow::Result<Value> {
        self.process.ask("report")
    }

    /// Lets the server end; whether it did so in peace.
    pub(crate) fn finish(self) -> anyhow::Result<bool> {
        self.process.finish()
    }
}

/// A number of a server's report.
pub(crate) fn number(report: &Value, name: &str) -> f64 {
    report[name].as_f64().unwrap_or(f64::NAN)
}

/// A bar for a stage of a workload.
pub(crate) fn bar(message: String, length: u64) -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::new(length);
    bar.set_style(ProgressStyle::with_template("  {msg:<44} {wide_bar} {pos} of {len}")?);
    bar.set_message(message);
    Ok(bar)
}

/// Connects `count` clients at an even pace and waits until all are in. How many got in.
pub(crate) fn connect_all(load: &mut Load, count: u32, message: &str) -> anyhow::Result<usize> {
    let bar = bar(message.to_owned(), u64::from(count))?;
    let start = load.now();
    let mut added = 0;
    loop {
        let due = ((load.now() - start).as_secs_f64() * CONNECTS_PER_S) as u32 + 1;
        while added < due.min(count) {
            load.add_client()?;
            added += 1;
        }
        load.step();
        rest();
        let is_over = load.now() - start > CONNECT_TIMEOUT;
        let is_look = added == count || added.is_multiple_of(100);
        if is_look {
            let inside = load.in_count();
            bar.set_position(inside as u64);
            if inside == count as usize || is_over {
                bar.finish_and_clear();
                return Ok(inside);
            }
        }
    }
}

/// Plays for a while, with a bar.
pub(crate) fn play(load: &mut Load, time: Duration, message: &str) -> anyhow::Result<()> {
    let bar = bar(message.to_owned(), time.as_secs().max(1))?;
    let end = load.now() + time;
    while load.now() < end {
        let next = (load.now() + Duration::from_secs(1)).min(end);
        load.run_until(next);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

/// What `wire` is to do.
#[derive(Clone, Debug)]
pub(crate) struct WireParameters {
    /// Numbers of clients to try, rising; the first that does not hold ends the ramp.
    pub(crate) clients: Vec<u32>,
    pub(crate) stock_clients: Vec<u32>,
    pub(crate) visible: u32,
    pub(crate) seconds: u64,
    /// How often ours, the stock and the floor are measured in turn, at the most clients that held.
    pub(crate) rounds: usize,
    pub(crate) is_quick: bool,
}
