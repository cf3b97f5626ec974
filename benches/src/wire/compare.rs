//! `wire`: how many clients hold, then ours, the stock and the floor in turn.
//!
//! The machine moves by a tenth within minutes. A ratio of two figures that were measured minutes apart moves with it, so the
//! ratios are taken within rounds, each of which measures all three one after the other. The floor takes a second only, and is measured
//! before and after ours.

use anyhow::Context;
use serde_json::json;

use super::step::{self, Step};
use super::{LOAD_CORE, SERVER_CORE, WireParameters, number};
use crate::figures::Report;
use crate::floor::{self, Floor, Sizes};
use crate::process::pin_to_core;

/// Batches per measurement of the floor.
const FLOOR_BATCHES: usize = 2_000;
const FLOOR_BATCHES_QUICK: usize = 200;

/// The three, measured one after the other.
struct Round {
    ours: Step,
    /// `None` when no stock was to be measured.
    stock: Option<Step>,
    floor: Floor,
    sizes: Sizes,
}

impl Round {
    /// In turn, every other round the other way around, so that a machine that becomes slower all the while favours none.
    fn run(
        parameters: &WireParameters,
        tried: &Step,
        stock_clients: Option<u32>,
        is_turned: bool,
    ) -> anyhow::Result<Round> {
        let stock = || stock_clients.map(|clients| step::run(parameters, clients, true)).transpose();
        let batches = if parameters.is_quick { FLOOR_BATCHES_QUICK } else { FLOOR_BATCHES };
        let floor = |sizes| floor::measure(sizes, SERVER_CORE, LOAD_CORE, batches);
        let before = if is_turned { None } else { stock()? };
        let floor_before = floor(tried.sizes())?;
        let ours = step::run(parameters, tried.clients, false)?;
        let sizes = ours.sizes();
        let floor = floor_before.mean(&floor(sizes)?);
        let stock = if is_turned { stock()? } else { before };
        let round = Round { ours, stock, floor, sizes };
        println!("  {}", round.line());
        Ok(round)
    }

    fn floor_share(&self) -> f64 {
        self.floor.us_per_client_tick() / self.ours.cpu_us_per_client_tick()
    }

    fn transport_floor_share(&self) -> f64 {
        self.floor.us_per_client_tick() / self.ours.transport_us_per_client_tick()
    }

    /// How many times our processor time the stock takes.
    fn stock_share(&self) -> Option<f64> {
        self.stock.as_ref().map(|stock| stock.cpu_us_per_client_tick() / self.ours.cpu_us_per_client_tick())
    }

    fn stock_transport_share(&self) -> Option<f64> {
        let ours = self.ours.transport_us_per_client_tick();
        self.stock.as_ref().map(|stock| stock.transport_us_per_client_tick() / ours)
    }

    fn line(&self) -> String {
        let stock = match (&self.stock, self.stock_share()) {
            (Some(stock), Some(share)) => {
                format!("stock {:.2} us, {share:.2} times ours; ", stock.cpu_us_per_client_tick())
            }
            _ => String::new(),
        };
        format!(
            "round:  ours {:.2} us; {stock}floor {:.2} us, {:.0} % of ours",
            self.ours.cpu_us_per_client_tick(),
            self.floor.us_per_client_tick(),
            self.floor_share() * 100.0,
        )
    }
}

/// Runs `wire`.
pub(crate) fn run(parameters: &WireParameters) -> anyhow::Result<Report> {
    pin_to_core(LOAD_CORE)?;
    let stock = ramp(parameters, &parameters.stock_clients, true)?;
    let ours = ramp(parameters, &parameters.clients, false)?;
    let tried = most(&ours).context("at least one number of clients was tried")?;
    let stock_clients = most(&stock).map(|step| step.clients);
    let rounds = (0..parameters.rounds)
        .map(|round| Round::run(parameters, tried, stock_clients, !round.is_multiple_of(2)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut report = Report::new(
        "wire",
        json!({
            "visible": parameters.visible,
            "tick_rate_hz": 20,
            "seconds": parameters.seconds,
            "rounds": parameters.rounds,
            "loopback": true,
            "quick": parameters.is_quick,
        }),
    );
    report.add("clients_per_core", held(&ours));
    if !stock.is_empty() {
        report.add("stock_clients_per_core", held(&stock));
    }
    add_round(&mut report, middle(&rounds).context("at least one round was run")?);
    add_shares(&mut report, &rounds);
    Ok(report)
}

fn ramp(parameters: &WireParameters, clients: &[u32], is_stock: bool) -> anyhow::Result<Vec<Step>> {
    let mut steps = Vec::new();
    for &clients in clients {
        let step = step::run(parameters, clients, is_stock)?;
        let holds = step.holds();
        steps.push(step);
        if !holds {
            break;
        }
    }
    Ok(steps)
}

/// The most clients that held.
fn held(steps: &[Step]) -> f64 {
    steps.iter().filter(|step| step.holds()).map(|step| f64::from(step.clients)).fold(0.0, f64::max)
}

/// The try with most clients that held, or with the fewest when none did.
fn most(steps: &[Step]) -> Option<&Step> {
    steps.iter().rev().find(|step| step.holds()).or(steps.first())
}

/// The round whose own cost is the median.
fn middle(rounds: &[Round]) -> Option<&Round> {
    let mut sorted: Vec<&Round> = rounds.iter().collect();
    sorted.sort_by(|a, b| a.ours.cpu_us_per_client_tick().total_cmp(&b.ours.cpu_us_per_client_tick()));
    sorted.get(sorted.len() / 2).copied()
}

/// Figures of one round: absolute ones belong together only within it.
fn add_round(report: &mut Report, round: &Round) {
    let ours = &round.ours;
    let (user, system) = ours.us_per_client_tick();
    report.add("measured_at_clients", f64::from(ours.clients));
    report.add("cpu_us_per_client_tick", user + system);
    report.add("user_us_per_client_tick", user);
    report.add("system_us_per_client_tick", system);
    report.add("transport_us_per_client_tick", ours.transport_us_per_client_tick());
    report.add("snapshots_per_s_min", ours.snapshots_per_s_min);
    for name in ["tick_ms_p50", "tick_ms_p99", "tick_ms_p999", "tick_ms_max"] {
        report.add(name, number(&ours.report, name));
    }
    report.add("visible_mean", number(&ours.report, "visible") / f64::from(ours.clients));
    report.add("updates_per_client_tick", ours.updates_per_client_tick());
    report.add("enters_per_client_tick", ours.enters_per_client_tick());
    report.add("inputs_in_time_share", ours.inputs_in_time_share());
    report.add("payload_bytes_out", round.sizes.out_bytes as f64);
    report.add("payload_bytes_in", round.sizes.in_bytes as f64);
    report.add("datagrams_out_per_client_tick", number(&ours.report, "datagrams_out") / ours.client_ticks());
    report.add("datagrams_in_per_client_tick", number(&ours.report, "datagrams_in") / ours.client_ticks());
    report.add("server_resident_mb", number(&ours.report, "resident_bytes") / 1e6);
    report.add("load_cpu_us_per_client_tick", ours.load.total().as_secs_f64() * 1e6 / ours.client_ticks());
    report.add("load_core_share", ours.load_share());
    round.floor.add_to(report);
    if let Some(stock) = &round.stock {
        report.add("stock_measured_at_clients", f64::from(stock.clients));
        report.add("stock_us_per_client_tick", stock.cpu_us_per_client_tick());
        report.add("stock_transport_us_per_client_tick", stock.transport_us_per_client_tick());
        report.add("stock_tick_ms_p99", number(&stock.report, "tick_ms_p99"));
    }
}

/// A ratio of a round; `None` when what it is a ratio of was not measured.
type Share = fn(&Round) -> Option<f64>;

/// Ratios of all rounds: the median, and how far they lie apart.
fn add_shares(report: &mut Report, rounds: &[Round]) {
    report.add("rounds_held", rounds.iter().filter(|round| round.ours.holds()).count() as f64);
    let shares: [(&str, Share); 4] = [
        ("floor_share", |round| Some(round.floor_share())),
        ("transport_floor_share", |round| Some(round.transport_floor_share())),
        ("stock_share", Round::stock_share),
        ("stock_transport_share", Round::stock_transport_share),
    ];
    for (name, share) in shares {
        let mut values: Vec<f64> = rounds.iter().filter_map(share).collect();
        values.sort_by(f64::total_cmp);
        if let [least, .., most] | [least @ most] = values[..] {
            report.add(name, values[values.len() / 2]);
            report.add(format!("{name}_min"), least);
            report.add(format!("{name}_max"), most);
        }
    }
}
