//! `bots`: a world full of bots, alone and with clients who watch.

use std::sync::Arc;
use std::time::Duration;

use cpu_time::ProcessTime;
use hdrhistogram::Histogram;
use serde_json::json;
use throng_server::batch::{InboundBatch, OutboundBatch};
use throng_server::clock::{Clock, SystemClock};
use throng_server::instance::Instance;
use throng_server::overload::ThinkPace;
use throng_server::tick::Phase;
use throng_shared::config::{LoadedWorld, builtin_world};

use crate::figures::Report;
use crate::players::{Players, Sink, Swallowed};
use crate::walk;
use crate::wire::bar;

/// Characters within the enter radius of each, on average.
const VISIBLE: u32 = 32;

/// Ticks before measuring: bots have made up their minds.
const WARM_UP_TICKS: u32 = 60;

/// So many bots, and clients who watch them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crowd {
    pub(crate) bots: u32,
    pub(crate) clients: u32,
}

/// What a run has measured.
struct Measured {
    tick_us: Histogram<u64>,
    /// The same of the first and of the last tenth of the ticks.
    first_us: Histogram<u64>,
    last_us: Histogram<u64>,
    phases: [Duration; Phase::ALL.len()],
    cpu: Duration,
    ticks: u32,
    /// By how much longer bots waited until they thought, on average, in percent: the server has them wait when it is busy.
    think_delay_percent: f64,
}

/// Runs it for each crowd.
///
/// # Errors
/// When a world cannot be made.
pub(crate) fn run(crowds: &[Crowd], seconds: u32, threads: usize, is_quick: bool) -> anyhow::Result<Report> {
    let listed: Vec<String> = crowds.iter().map(|crowd| format!("{}+{}", crowd.bots, crowd.clients)).collect();
    let parameters = json!({
        "tick_rate_hz": 20, "bots_and_clients": listed, "visible": VISIBLE, "seconds": seconds, "threads": threads, "quick": is_quick,
    });
    let mut report = Report::new("bots", parameters);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    for &crowd in crowds {
        let measured = pool.install(|| measure(crowd, seconds))?;
        let of = crowd.bots;
        let ms = |histogram: &Histogram<u64>, quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
        let per_bot_us =
            |time: Duration| time.as_secs_f64() * 1e6 / (f64::from(measured.ticks) * f64::from(crowd.bots));
        report.add(format!("clients_{of}"), f64::from(crowd.clients));
        for (name, quantile) in [("p50", 0.5), ("p99", 0.99), ("p999", 0.999), ("max", 1.0)] {
            report.add(format!("tick_ms_{name}_{of}"), ms(&measured.tick_us, quantile));
        }
        report.add(format!("first_tenth_tick_ms_p50_{of}"), ms(&measured.first_us, 0.5));
        report.add(format!("last_tenth_tick_ms_p50_{of}"), ms(&measured.last_us, 0.5));
        report.add(format!("us_per_bot_{of}"), per_bot_us(measured.cpu));
        report.add(format!("think_delay_percent_{of}"), measured.think_delay_percent);
        for (phase, time) in Phase::ALL.iter().zip(measured.phases) {
            report.add(format!("{}_wall_us_per_bot_{of}", phase.label()), per_bot_us(time));
        }
    }
    Ok(report)
}

/// The meadow's bots, who do all that bots do, in an open world in which all are equally far apart.
fn world(crowd: Crowd) -> LoadedWorld {
    let mut world = walk::world(crowd.clients, crowd.bots, VISIBLE);
    let meadow = builtin_world().config;
    (world.config.bots, world.config.interest.tiers) = (meadow.bots, meadow.interest.tiers);
    world
}

fn measure(crowd: Crowd, seconds: u32) -> anyhow::Result<Measured> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut instance = Instance::new(&world(crowd), Arc::clone(&clock))?;
    let ticks = seconds * instance.tick_rate().hz();
    let progress = bar(format!("{} bots, {} clients", crowd.bots, crowd.clients), u64::from(WARM_UP_TICKS + ticks))?;
    let (mut inbound, mut outbound) = (InboundBatch::default(), OutboundBatch::default());
    let mut players = Players::new(crowd.clients, &mut inbound);
    let (mut sink, mut swallowed) = (Sink::new(crowd.clients), Swallowed::default());
    let histogram = || Histogram::new(3);
    let (tick_us, first_us, last_us) = (histogram()?, histogram()?, histogram()?);
    let (phases, cpu) = Default::default();
    let mut measured = Measured { tick_us, first_us, last_us, phases, cpu, ticks, think_delay_percent: 0.0 };
    // As a host does.
    let mut pace = ThinkPace::new(instance.overload().config.bots_yield_percent);
    for number in 0..WARM_UP_TICKS + ticks {
        players.send_inputs(instance.current_tick() + 1, &mut inbound);
        let (cpu, start) = (ProcessTime::now(), clock.now());
        instance.tick(&mut inbound, &mut outbound);
        if crowd.clients > 0 {
            sink.swallow(outbound.shard(0), &mut swallowed);
        }
        let (cpu, took) = (cpu.elapsed(), clock.now() - start);
        if crowd.clients > 0 {
            players.receive(outbound.shard(0));
        }
        outbound.clear();
        pace.note_tick(took.as_secs_f64() * f64::from(instance.tick_rate().hz()));
        inbound.think_delay_percent = pace.delay_percent();
        progress.inc(1);
        let Some(number) = number.checked_sub(WARM_UP_TICKS) else { continue };
        let took_us = took.as_micros() as u64;
        measured.tick_us.record(took_us)?;
        measured.cpu += cpu;
        measured.think_delay_percent += f64::from(inbound.think_delay_percent) / f64::from(ticks);
        if number < ticks.div_ceil(10) {
            measured.first_us.record(took_us)?;
        } else if number >= ticks - ticks / 10 {
            measured.last_us.record(took_us)?;
        }
        for (sum, time) in measured.phases.iter_mut().zip(instance.phase_times()) {
            *sum += *time;
        }
    }
    progress.finish_and_clear();
    Ok(measured)
}
