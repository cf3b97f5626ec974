//! `memory`: what a bot and a client hold on the heap, and whether that grows while people come and go.

use std::sync::Arc;

use serde_json::json;
use throng_server::batch::{InboundBatch, OutboundBatch};
use throng_server::clock::{Clock, ManualClock};
use throng_server::instance::Instance;
use throng_shared::random::Random;

use crate::alloc::heap_bytes;
use crate::figures::Report;
use crate::players::Players;
use crate::walk::{world, world_without_bots};
use crate::wire::{bar, client_memory};

/// How densely they stand.
const VISIBLE: u32 = 32;

/// Bots of two worlds that are the same otherwise, made for the larger number.
const BOTS: [u32; 2] = [1_000, 11_000];

/// Ticks after which a world has what it needs.
const SETTLE_TICKS: u32 = 200;

/// Players of the world in which people come and go, and how many of them change in a tick.
const CHURN_PLAYERS: u32 = 1_000;
const CHURN_PER_TICK: u32 = 2;

/// Runs it; `minutes` is how long people come and go, in simulated time.
///
/// # Errors
/// When a world cannot be made, or the server not be started.
pub(crate) fn run(minutes: u32, is_quick: bool) -> anyhow::Result<Report> {
    let mut report = Report::new("memory", json!({ "visible": VISIBLE, "minutes": minutes, "quick": is_quick }));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let [few, many] = [pool.install(|| bots(BOTS[0]))?, pool.install(|| bots(BOTS[1]))?];
    report.add("bytes_per_bot", (many - few) / f64::from(BOTS[1] - BOTS[0]));
    let clients = client_memory(VISIBLE, is_quick)?;
    report.add("bytes_per_client", clients.heap_bytes);
    report.add("resident_bytes_per_client", clients.resident_bytes);
    let heap_bytes = pool.install(|| churn(minutes))?;
    report.add("churn_visits", f64::from(minutes * 60 * 20 * CHURN_PER_TICK));
    for (minute, bytes) in heap_bytes.iter().enumerate() {
        report.add(format!("churn_heap_mb_minute_{}", minute + 1), bytes / 1e6);
    }
    let growth = |from: usize| heap_bytes[heap_bytes.len() - 1] / heap_bytes[from] - 1.0;
    report.add("growth_share", growth(0));
    report.add("growth_share_of_second_half", growth((heap_bytes.len() - 1) / 2));
    Ok(report)
}

/// The heap of a world of bots, in bytes.
fn bots(count: u32) -> anyhow::Result<f64> {
    let before = heap_bytes();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
    let mut config = world(0, BOTS[1], VISIBLE);
    config.config.population.target = count;
    let mut instance = Instance::new(&config, clock)?;
    let (mut inbound, mut outbound) = (InboundBatch::default(), OutboundBatch::default());
    for _ in 0..SETTLE_TICKS {
        instance.tick(&mut inbound, &mut outbound);
        outbound.clear();
    }
    anyhow::ensure!(instance.totals().characters == u64::from(count), "not all bots are there");
    Ok((heap_bytes() - before) as f64)
}

/// The heap of a world in which people come and go for so many minutes: the most in each of them, in bytes.
fn churn(minutes: u32) -> anyhow::Result<Vec<f64>> {
    let before = heap_bytes();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
    let mut instance = Instance::new(&world_without_bots(CHURN_PLAYERS, VISIBLE), clock)?;
    let rate_hz = instance.tick_rate().hz();
    let (mut inbound, mut outbound) = (InboundBatch::default(), OutboundBatch::default());
    let mut players = Players::new(CHURN_PLAYERS, &mut inbound);
    let mut random = Random::new(3, 0);
    let bar = bar("memory: minutes of coming and going".to_owned(), u64::from(minutes))?;
    let mut most_bytes = vec![0.0_f64; minutes as usize];
    for tick in 0..minutes * 60 * rate_hz {
        players.send_inputs(instance.current_tick() + 1, &mut inbound);
        for _ in 0..CHURN_PER_TICK {
            players.replace(random.below(CHURN_PLAYERS), &mut inbound);
        }
        instance.tick(&mut inbound, &mut outbound);
        players.receive(outbound.shard(0));
        outbound.clear();
        // What players keep for themselves is the same all the while.
        let bytes = (heap_bytes() - before) as f64;
        let most_bytes = &mut most_bytes[(tick / (60 * rate_hz)) as usize];
        *most_bytes = most_bytes.max(bytes);
        if tick % (60 * rate_hz) == 0 {
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(most_bytes)
}
