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

pub(crate) use compare::run;
pub(crate) use hostile::run as run_hostile;
pub(crate) use idle::run as run_idle;
pub(crate) use memory::run as client_memory;
pub(crate) use server::{ServerParameters, serve};
pub(crate) use storm::{StormParameters, run as run_storm};

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use load::Load;

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
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
}

impl ServerProcess {
    /// Starts this program as a server.
    pub(crate) fn start(parameters: &ServerParameters) -> anyhow::Result<ServerProcess> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve");
        for (name, value) in [
            ("--players", parameters.players as usize),
            ("--visible", parameters.visible as usize),
            ("--clients-max", parameters.clients_max as usize),
            ("--core", parameters.core),
        ] {
            command.arg(name).arg(value.to_string());
        }
        if parameters.is_stock {
            command.arg("--stock");
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let commands = child.stdin.take();
        let mut answers = BufReader::new(child.stdout.take().context("the server has an output")?);
        let address = answer(&mut answers)?["address"].as_str().context("it says where")?.parse()?;
        Ok(ServerProcess { child, commands, answers, address })
    }

    /// Begins to measure.
    pub(crate) fn mark(&mut self) -> anyhow::Result<()> {
        self.ask("mark").map(|_| ())
    }

    /// What was measured since.
    pub(crate) fn report(&mut self) -> anyhow::Result<Value> {
        self.ask("report")
    }

    fn ask(&mut self, command: &str) -> anyhow::Result<Value> {
        let commands = self.commands.as_mut().context("the server listens")?;
        writeln!(commands, "{command}")?;
        commands.flush()?;
        answer(&mut self.answers)
    }

    /// Lets the server end; whether it did so in peace.
    pub(crate) fn finish(mut self) -> anyhow::Result<bool> {
        drop(self.commands.take());
        Ok(self.child.wait()?.success())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.commands.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answer(answers: &mut BufReader<ChildStdout>) -> anyhow::Result<Value> {
    let mut line = String::new();
    ensure!(answers.read_line(&mut line)? > 0, "the server has ended; what it said is above");
    Ok(serde_json::from_str(&line)?)
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
        load.step()?;
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
        load.run_until(next)?;
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
