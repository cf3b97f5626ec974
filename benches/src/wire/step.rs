//! A number of clients that play over sockets for a while, and what that took.

use std::time::Duration;

use serde_json::Value;

use super::load::{Load, LoadOptions};
use super::{SERVER_CORE, SETTLE, ServerParameters, ServerProcess, WireParameters, connect_all, number, play};
use crate::floor::Sizes;
use crate::process::{Usage, own_usage};
use crate::walk::world_without_bots;

/// The slowest client must get so many snapshots in a second, of 20.
const SNAPSHOTS_PER_S_MIN: f64 = 19.0;
/// Smallest share of inputs in time at which a number of clients still holds.
const INPUTS_IN_TIME_SHARE_MIN: f64 = 0.98;

/// A tick at 20 Hz.
const TICK_MS_MAX: f64 = 50.0;

/// A number of clients, measured.
pub(super) struct Step {
    pub(super) clients: u32,
    entered: usize,
    pub(super) report: Value,
    pub(super) load: Usage,
    seconds: f64,
    pub(super) snapshots_per_s_min: f64,
    snapshots_per_s_p50: f64,
}

impl Step {
    pub(super) fn holds(&self) -> bool {
        self.entered == self.clients as usize
            && self.snapshots_per_s_min >= SNAPSHOTS_PER_S_MIN
            && number(&self.report, "tick_ms_p99") <= TICK_MS_MAX
            && self.inputs_in_time_share() >= INPUTS_IN_TIME_SHARE_MIN
    }

    /// Share of player-ticks for which there was an input in time. Without this one a server that is late to its clients
    /// looks cheap: their characters stand still, and of those there is nothing to tell.
    pub(super) fn inputs_in_time_share(&self) -> f64 {
        1.0 - number(&self.report, "inputs_missing") / self.client_ticks()
    }

    pub(super) fn updates_per_client_tick(&self) -> f64 {
        number(&self.report, "updates") / self.client_ticks()
    }

    pub(super) fn enters_per_client_tick(&self) -> f64 {
        number(&self.report, "enters") / self.client_ticks()
    }

    pub(super) fn client_ticks(&self) -> f64 {
        f64::from(self.clients) * number(&self.report, "ticks")
    }

    /// Processor time of the server, in microseconds per client and tick: user, system.
    pub(super) fn us_per_client_tick(&self) -> (f64, f64) {
        let us = |name| number(&self.report, name) * 1e6 / self.client_ticks();
        (us("user_s"), us("system_s"))
    }

    /// Both together.
    pub(super) fn cpu_us_per_client_tick(&self) -> f64 {
        let (user, system) = self.us_per_client_tick();
        user + system
    }

    /// What its datagrams carried, on average.
    pub(super) fn sizes(&self) -> Sizes {
        let mean = |bytes, datagrams| (number(&self.report, bytes) / number(&self.report, datagrams)) as usize;
        let receivers = self.clients as usize;
        Sizes { out_bytes: mean("bytes_out", "datagrams_out"), in_bytes: mean("bytes_in", "datagrams_in"), receivers }
    }

    /// The part of it that is not the game's, but its transport's.
    pub(super) fn transport_us_per_client_tick(&self) -> f64 {
        self.cpu_us_per_client_tick() - number(&self.report, "game_s") * 1e6 / self.client_ticks()
    }

    pub(super) fn load_share(&self) -> f64 {
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

/// Starts a server, lets the clients in and measures.
pub(super) fn run(parameters: &WireParameters, clients: u32, is_stock: bool) -> anyhow::Result<Step> {
    run_in(parameters, clients, clients, is_stock)
}

/// The same in a world that is made for so many players.
pub(super) fn run_in(parameters: &WireParameters, players: u32, clients: u32, is_stock: bool) -> anyhow::Result<Step> {
    let name = if is_stock { "stock" } else { "throng" };
    let mut server = ServerProcess::start(&ServerParameters {
        players,
        visible: parameters.visible,
        clients_max: players,
        core: SERVER_CORE,
        is_stock,
    })?;
    let mut load = Load::new(LoadOptions {
        server: server.address,
        world_hash: world_without_bots(players, parameters.visible).hash,
        is_stock,
        loss_percent: 0.0,
        first_client_id: 1,
        enters_world: true,
    });
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
