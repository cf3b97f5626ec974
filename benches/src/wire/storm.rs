//! `storm`: thousands connect within seconds while others play; then strangers flood the port on top, while others still come
//! in, and then while nobody does.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use throng_shared::netcode::VERSION_INFO;
use throng_shared::netcode::packet::REQUEST_BYTES;
use throng_shared::random::Random;
use throng_shared::wire::PROTOCOL_ID;

use super::load::{Load, LoadOptions, rest};
use super::{LOAD_CORE, SERVER_CORE, SETTLE, ServerParameters, ServerProcess, connect_all, number, play};
use crate::figures::Report;
use crate::process::pin_to_core;
use crate::walk::world_without_bots;

/// What `storm` is to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StormParameters {
    pub(crate) players: u32,
    pub(crate) newcomers: u32,
    pub(crate) connect_seconds: u64,
    pub(crate) loss_percent: f32,
    pub(crate) junk_per_s: u32,
    pub(crate) junk_seconds: u64,
    pub(crate) is_quick: bool,
}

const VISIBLE: u32 = 32;

/// Runs it.
pub(crate) fn run(parameters: &StormParameters) -> anyhow::Result<Report> {
    let StormParameters { players, newcomers, loss_percent, .. } = *parameters;
    pin_to_core(LOAD_CORE)?;
    let mut server = ServerProcess::start(&ServerParameters {
        players,
        visible: VISIBLE,
        clients_max: players + 2 * newcomers,
        core: SERVER_CORE,
        is_stock: false,
    })?;
    let options = LoadOptions {
        server: server.address,
        world_hash: world_without_bots(players, VISIBLE).hash,
        is_stock: false,
        loss_percent: 0.0,
        first_client_id: 1,
        enters_world: true,
    };
    let mut load = Load::new(options);
    let entered = connect_all(&mut load, players, &format!("storm: {players} connecting"))?;
    play(&mut load, SETTLE, "storm: settling")?;
    let calm = watch(&mut load, &mut server, parameters.connect_seconds, |_| Ok(()))?;

    let storm_options = LoadOptions { loss_percent, first_client_id: 1_000_000, enters_world: false, ..options };
    let mut storm = Load::new(storm_options);
    let mut added = 0;
    let connecting = watch(&mut load, &mut server, parameters.connect_seconds, |elapsed_s| {
        let due = (elapsed_s * f64::from(newcomers) / parameters.connect_seconds as f64) as u32 + 1;
        while added < due.min(newcomers) {
            storm.add_client()?;
            added += 1;
        }
        storm.step();
        Ok(())
    })?;
    // The last ones have a moment to come through what they lost.
    let end = storm.now() + Duration::from_secs(2);
    while storm.now() < end && storm.connect_ms().len() < newcomers as usize {
        storm.step();
        load.step();
        rest();
    }
    // Who says nothing after that is sent away in time; it has been connected all the same.
    let connect_ms = storm.connect_ms();

    // The flood comes on top of everything: of the players, and of a fifth as many newcomers again.
    let mut late = Load::new(LoadOptions { first_client_id: 2_000_000, ..storm_options });
    let late_count = newcomers / 5;
    let mut late_added = 0;
    let junk = Junk::start(server.address, parameters.junk_per_s)?;
    let flooded = watch(&mut load, &mut server, parameters.junk_seconds, |elapsed_s| {
        // All of them within the first half.
        let due = (elapsed_s * 2.0 * f64::from(late_count) / parameters.junk_seconds as f64) as u32 + 1;
        while late_added < due.min(late_count) {
            late.add_client()?;
            late_added += 1;
        }
        late.step();
        Ok(())
    })?;
    // With nobody new, whatever grows now grows because of the flood.
    let alone = watch(&mut load, &mut server, parameters.junk_seconds, |_| {
        late.step();
        Ok(())
    })?;
    let junk_sent = junk.finish();

    let late_connected = late.connect_ms().len() as f64 / f64::from(late_count);
    let stages = [("calm", calm), ("connecting", connecting), ("junk", flooded), ("junk_alone", alone)];
    let mut report = new_report(parameters);
    report.add("players_entered", entered as f64);
    add_connects(&mut report, newcomers, &connect_ms);
    report.add("connected_share_junk", late_connected);
    add_stages(&mut report, &stages, junk_sent as f64);
    report.add("junk_per_s", junk_sent as f64 / (2 * parameters.junk_seconds) as f64);
    Ok(report)
}

fn new_report(parameters: &StormParameters) -> Report {
    let StormParameters { players, newcomers, connect_seconds, loss_percent, junk_per_s, junk_seconds, is_quick } =
        parameters;
    Report::new(
        "storm",
        json!({
            "players": players, "newcomers": newcomers, "connect_seconds": connect_seconds,
            "loss_percent": loss_percent, "junk_per_s": junk_per_s, "junk_seconds": junk_seconds,
            "tick_rate_hz": 20, "quick": is_quick,
        }),
    )
}

/// How many of the newcomers got in, and after how long; `connect_ms` is sorted.
fn add_connects(report: &mut Report, newcomers: u32, connect_ms: &[f64]) {
    let quantile = |share: f64| {
        let place = ((connect_ms.len() as f64 * share) as usize).min(connect_ms.len().saturating_sub(1));
        connect_ms.get(place).copied().unwrap_or(0.0)
    };
    report.add("connected_share", connect_ms.len() as f64 / f64::from(newcomers));
    report.add("connect_ms_p50", quantile(0.5));
    report.add("connect_ms_p99", quantile(0.99));
    report.add("connect_ms_max", quantile(1.0));
}

fn add_stages(report: &mut Report, stages: &[(&str, Stage); 4], junk_sent: f64) {
    let [_, (_, connecting), (_, flooded), (_, alone)] = stages;
    let stormy = [connecting, flooded, alone].map(|stage| stage.snapshots_per_s_min);
    report.add("snapshots_per_s_min", stormy.into_iter().fold(f64::INFINITY, f64::min));
    for (name, stage) in stages {
        report.add(format!("snapshots_per_s_min_{name}"), stage.snapshots_per_s_min);
        report.add(format!("tick_ms_p99_{name}"), stage.tick_ms_p99);
        report.add(format!("server_core_share_{name}"), stage.core_share);
        report.add(format!("resident_mb_{name}"), stage.resident_bytes / 1e6);
        report.add(format!("heap_mb_{name}"), stage.heap_bytes / 1e6);
    }
    report.add("junk_counted_share", (flooded.junk_counted + alone.junk_counted) / junk_sent);
    // The newcomers' places and tokens are remembered; what the flood adds on top is what must not be.
    report.add("rss_growth_share_newcomers", flooded.resident_bytes / connecting.resident_bytes - 1.0);
    report.add("rss_growth_share", alone.resident_bytes / flooded.resident_bytes - 1.0);
    report.add("heap_growth_share", alone.heap_bytes / flooded.heap_bytes - 1.0);
}

/// What players got during a stage.
struct Stage {
    snapshots_per_s_min: f64,
    tick_ms_p99: f64,
    core_share: f64,
    resident_bytes: f64,
    heap_bytes: f64,
    /// Datagrams that were not let any farther.
    junk_counted: f64,
}

/// Lets the players play for a while, and `meanwhile` happen.
fn watch(
    load: &mut Load,
    server: &mut ServerProcess,
    seconds: u64,
    mut meanwhile: impl FnMut(f64) -> anyhow::Result<()>,
) -> anyhow::Result<Stage> {
    server.mark()?;
    let (before, start) = (load.snapshots(), load.now());
    let end = start + Duration::from_secs(seconds);
    while load.now() < end {
        load.step();
        meanwhile((load.now() - start).as_secs_f64())?;
        rest();
    }
    let seconds = (load.now() - start).as_secs_f64();
    let after = load.snapshots();
    let report = server.report()?;
    let least = before.iter().zip(&after).map(|(before, after)| after - before).min().unwrap_or(0);
    Ok(Stage {
        snapshots_per_s_min: least as f64 / seconds,
        tick_ms_p99: number(&report, "tick_ms_p99"),
        core_share: (number(&report, "user_s") + number(&report, "system_s")) / seconds,
        resident_bytes: number(&report, "resident_bytes"),
        heap_bytes: number(&report, "heap_bytes"),
        junk_counted: ["refused", "handshakes_refused", "unknown_source"]
            .iter()
            .map(|name| number(&report, name))
            .sum(),
    })
}

/// A thread that sends what nobody asked for, from addresses of this machine that no client has.
struct Junk {
    is_over: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: std::thread::JoinHandle<()>,
}

impl Junk {
    fn start(server: SocketAddr, per_s: u32) -> anyhow::Result<Junk> {
        let (is_over, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let sockets = (2..18u8).map(|host| UdpSocket::bind(SocketAddr::from(([127, 0, 1, host], 0))));
        let sockets = sockets.collect::<Result<Vec<_>, _>>()?;
        let (seen_over, count) = (Arc::clone(&is_over), Arc::clone(&sent));
        let thread = std::thread::spawn(move || {
            let (start, mut random, mut packet) = (now(), Random::new(9, 0), vec![0; 1_200]);
            let mut number = 0u64;
            while !seen_over.load(Ordering::Relaxed) {
                let due = (start.elapsed().as_secs_f64() * f64::from(per_s)) as u64;
                while number < due {
                    let length = write_junk(&mut random, &mut packet);
                    let _ = sockets[number as usize % sockets.len()].send_to(&packet[..length], server);
                    number += 1;
                }
                count.store(number, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        Ok(Junk { is_over, sent, thread })
    }

    /// Stops it; how many packets it has sent.
    fn finish(self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = self.thread.join();
        self.sent.load(Ordering::Relaxed)
    }
}

/// Random bytes of a random length; or a request that looks right until its token is opened.
fn write_junk(random: &mut Random, packet: &mut [u8]) -> usize {
    let is_request = random.percent(20.0);
    let length = if is_request { REQUEST_BYTES } else { 1 + random.below(400) as usize };
    for word in packet[..length].chunks_mut(4) {
        let bytes = random.next_u32().to_le_bytes();
        word.copy_from_slice(&bytes[..word.len()]);
    }
    if is_request {
        packet[0] = 0;
        packet[1..14].copy_from_slice(VERSION_INFO);
        packet[14..22].copy_from_slice(&PROTOCOL_ID.to_le_bytes());
        // In a far future.
        packet[22..30].copy_from_slice(&(1u64 << 40).to_le_bytes());
    }
    length
}

#[expect(clippy::disallowed_methods, reason = "a load generator lives in real time")]
fn now() -> Instant {
    Instant::now()
}
