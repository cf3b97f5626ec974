//! Workloads over real sockets: the server in a process and on a core of its own, the load on another.

mod hostile;
mod idle;
mod load;
mod server;
mod stock;
mod storm;

pub(crate) use hostile::run as run_hostile;
pub(crate) use idle::run as run_idle;
pub(crate) use server::{ServerParameters, serve};
pub(crate) use storm::{StormParameters, run as run_storm};

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::figures::Report;
use crate::floor::{self, Floor, Sizes};
use crate::process::{Usage, allow_sockets, own_usage, pin_to_core};
use crate::walk::world_without_bots;
use load::{Load, LoadOptions};

/// The server's core and the load's.
pub(crate) const SERVER_CORE: usize = 0;
pub(crate) const LOAD_CORE: usize = 1;

/// Connections that are begun in a second.
const CONNECTS_PER_S: f64 = 1_000.0;

/// How long all may take to get in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(60);

/// How long they play before anything is measured.
const SETTLE: Duration = Duration::from_secs(3);

/// The slowest client must get so many snapshots in a second, of 20.
const SNAPSHOTS_PER_S_MIN: f64 = 19.0;
/// Smallest share of inputs in time at which a number of clients still holds.
const INPUTS_IN_TIME_SHARE_MIN: f64 = 0.98;

/// A tick at 20 Hz.
const TICK_MS_MAX: f64 = 50.0;

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
    pub(crate) is_quick: bool,
}

/// One step of the ramp.
struct Step {
    clients: u32,
    entered: usize,
    report: Value,
    load: Usage,
    seconds: f64,
    snapshots_per_s_min: f64,
    snapshots_per_s_p50: f64,
}

impl Step {
    fn holds(&self) -> bool {
        self.entered == self.clients as usize
            && self.snapshots_per_s_min >= SNAPSHOTS_PER_S_MIN
            && number(&self.report, "tick_ms_p99") <= TICK_MS_MAX
            && self.inputs_in_time_share() >= INPUTS_IN_TIME_SHARE_MIN
    }

    /// Share of player-ticks for which there was an input in time. Without this one a server that is late to its clients
    /// looks cheap: their characters stand still, and of those there is nothing to tell.
    fn inputs_in_time_share(&self) -> f64 {
        1.0 - number(&self.report, "inputs_missing") / self.client_ticks()
    }

    fn updates_per_client_tick(&self) -> f64 {
        number(&self.report, "updates") / self.client_ticks()
    }

    fn client_ticks(&self) -> f64 {
        f64::from(self.clients) * number(&self.report, "ticks")
    }

    /// Processor time of the server, in microseconds per client and tick: user, system.
    fn us_per_client_tick(&self) -> (f64, f64) {
        let us = |name| number(&self.report, name) * 1e6 / self.client_ticks();
        (us("user_s"), us("system_s"))
    }

    /// The part of it that is not the game's, but its transport's.
    fn transport_us_per_client_tick(&self) -> f64 {
        let (user, system) = self.us_per_client_tick();
        user + system - number(&self.report, "game_s") * 1e6 / self.client_ticks()
    }

    fn load_share(&self) -> f64 {
        self.load.total().as_secs_f64() / self.seconds
    }

    fn line(&self, name: &str) -> String {
        let (user, system) = self.us_per_client_tick();
        let busy = (number(&self.report, "user_s") + number(&self.report, "system_s")) / self.seconds;
        format!(
            "  {name:<7}{:>7} clients  {:>6.2} /s slowest {:>6.2} /s median  tick p50 {:>6.2} p99 {:>6.2} max {:>6.2} ms  \
             {:>6.2} us per client-tick ({user:.2} user, {system:.2} system; {:.2} of it transport)  \
             inputs in time {:>5.1} %  updates {:>5.1}  server {:>4.0} %  load {:>4.0} % of a core{}",
            self.clients,
            self.snapshots_per_s_min,
            self.snapshots_per_s_p50,
            number(&self.report, "tick_ms_p50"),
            number(&self.report, "tick_ms_p99"),
            number(&self.report, "tick_ms_max"),
            user + system,
            self.transport_us_per_client_tick(),
            self.inputs_in_time_share() * 100.0,
            self.updates_per_client_tick(),
            busy * 100.0,
            self.load_share() * 100.0,
            if self.holds() { "" } else { "  does not hold" },
        )
    }
}

fn run_step(parameters: &WireParameters, clients: u32, is_stock: bool) -> anyhow::Result<Step> {
    let name = if is_stock { "stock" } else { "throng" };
    let mut server = ServerProcess::start(&ServerParameters {
        players: clients,
        visible: parameters.visible,
        clients_max: clients,
        core: SERVER_CORE,
        is_stock,
    })?;
    let mut load = Load::new(LoadOptions {
        server: server.address,
        world_hash: world_without_bots(clients, parameters.visible).hash,
        is_stock,
        loss_percent: 0.0,
        first_client_id: 1,
        enters_world: true,
    })?;
    let entered = connect_all(&mut load, clients, &format!("wire, {name}: {clients} connecting"))?;
    play(&mut load, SETTLE, &format!("wire, {name}: {clients} settling"))?;
    server.mark()?;
    let (before, usage, start) = (load.snapshots(), own_usage()?, load.now());
    play(&mut load, Duration::from_secs(parameters.seconds), &format!("wire, {name}: {clients} playing"))?;
    let (after, usage, seconds) = (load.snapshots(), own_usage()?.since(&usage), (load.now() - start).as_secs_f64());
    let report = server.report()?;
    let mut per_s: Vec<f64> =
        before.iter().zip(&after).map(|(before, after)| (after - before) as f64 / seconds).collect();
    per_s.sort_by(f64::total_cmp);
    let step = Step {
        clients,
        entered,
        report,
        load: usage,
        seconds,
        snapshots_per_s_min: per_s.first().copied().unwrap_or(0.0),
        snapshots_per_s_p50: per_s.get(per_s.len() / 2).copied().unwrap_or(0.0),
    };
    println!("{}", step.line(name));
    Ok(step)
}

/// Runs `wire`.
pub(crate) fn run(parameters: &WireParameters) -> anyhow::Result<Report> {
    pin_to_core(LOAD_CORE)?;
    let most = parameters.clients.iter().chain(&parameters.stock_clients).max().copied().unwrap_or(0);
    allow_sockets(u64::from(most))?;
    let stock = ramp(parameters, &parameters.stock_clients, true)?;
    let ours = ramp(parameters, &parameters.clients, false)?;
    let mut report = Report::new(
        "wire",
        json!({
            "visible": parameters.visible,
            "tick_rate_hz": 20,
            "seconds": parameters.seconds,
            "loopback": true,
            "quick": parameters.is_quick,
        }),
    );
    let best = ours.iter().rev().find(|step| step.holds()).or(ours.first()).context("at least one step was run")?;
    let sizes = Sizes {
        out_bytes: (number(&best.report, "bytes_out") / number(&best.report, "datagrams_out")) as usize,
        in_bytes: (number(&best.report, "bytes_in") / number(&best.report, "datagrams_in")) as usize,
    };
    let floor = floor::measure(sizes, SERVER_CORE, LOAD_CORE, if parameters.is_quick { 200 } else { 2_000 })?;
    add_figures(&mut report, best, &ours, &stock, &floor, sizes);
    Ok(report)
}

fn ramp(parameters: &WireParameters, clients: &[u32], is_stock: bool) -> anyhow::Result<Vec<Step>> {
    let mut steps = Vec::new();
    for &clients in clients {
        let step = run_step(parameters, clients, is_stock)?;
        let holds = step.holds();
        steps.push(step);
        if !holds {
            break;
        }
    }
    Ok(steps)
}

fn held(steps: &[Step]) -> f64 {
    steps.iter().filter(|step| step.holds()).map(|step| f64::from(step.clients)).fold(0.0, f64::max)
}

fn add_figures(report: &mut Report, best: &Step, ours: &[Step], stock: &[Step], floor: &Floor, sizes: Sizes) {
    let (user, system) = best.us_per_client_tick();
    let player_ticks = best.client_ticks();
    report.add("clients_per_core", held(ours));
    report.add("measured_at_clients", f64::from(best.clients));
    report.add("cpu_us_per_client_tick", user + system);
    report.add("user_us_per_client_tick", user);
    report.add("system_us_per_client_tick", system);
    report.add("transport_us_per_client_tick", best.transport_us_per_client_tick());
    report.add("snapshots_per_s_min", best.snapshots_per_s_min);
    for name in ["tick_ms_p50", "tick_ms_p99", "tick_ms_p999", "tick_ms_max"] {
        report.add(name, number(&best.report, name));
    }
    report.add("visible_mean", number(&best.report, "visible") / f64::from(best.clients));
    report.add("updates_per_client_tick", best.updates_per_client_tick());
    report.add("inputs_in_time_share", best.inputs_in_time_share());
    report.add("payload_bytes_out", sizes.out_bytes as f64);
    report.add("payload_bytes_in", sizes.in_bytes as f64);
    report.add("datagrams_out_per_client_tick", number(&best.report, "datagrams_out") / player_ticks);
    report.add("datagrams_in_per_client_tick", number(&best.report, "datagrams_in") / player_ticks);
    report.add("server_resident_mb", number(&best.report, "resident_bytes") / 1e6);
    report.add("load_cpu_us_per_client_tick", best.load.total().as_secs_f64() * 1e6 / player_ticks);
    report.add("load_core_share", best.load_share());
    floor.add_to(report);
    report.add("floor_share", floor.us_per_client_tick() / (user + system));
    report.add("transport_floor_share", floor.us_per_client_tick() / best.transport_us_per_client_tick());
    if let Some(step) = stock.iter().rev().find(|step| step.holds()).or(stock.first()) {
        let (stock_user, stock_system) = step.us_per_client_tick();
        report.add("stock_clients_per_core", held(stock));
        report.add("stock_measured_at_clients", f64::from(step.clients));
        report.add("stock_us_per_client_tick", stock_user + stock_system);
        report.add("stock_transport_us_per_client_tick", step.transport_us_per_client_tick());
        report.add("stock_tick_ms_p99", number(&step.report, "tick_ms_p99"));
        report.add("stock_share", (stock_user + stock_system) / (user + system));
        let transport_share = step.transport_us_per_client_tick() / best.transport_us_per_client_tick();
        report.add("stock_transport_share", transport_share);
    }
}
