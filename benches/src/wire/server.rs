//! The server of a workload: a process of its own on a core of its own, asked by lines.
//!
//! It says where it listens, then answers `mark` (begin to measure) and `report` (what was measured since) with a line
//! each, until its input ends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, SystemTime};

use anyhow::{Context, ensure};
use cpu_time::ThreadTime;
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use throng_server::batch::OutboundBatch;
use throng_server::clock::{Clock, SystemClock};
use throng_server::host::{Host, HostOptions};
use throng_server::instance::Instance;
use throng_server::net::netcode::{TakenPlaces, UsedTokens};
use throng_server::net::{
    Connections, NetInbound, NetTotals, NetWorker, TransportTotals, UdpOptions, UdpTransport, spawn_worker,
};
use throng_shared::wire::key::ConnectKey;

use super::stock::StockTransport;
use super::subprocess::{answer, commands};
use crate::alloc::heap_bytes;
use crate::process::{Usage, own_usage, pin_to_core};
use crate::walk::{visible, world_without_bots};

/// What the server is to run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerParameters {
    pub(crate) players: u32,
    pub(crate) visible: u32,
    /// Room for clients beyond the players, who are let in no farther than netcode.
    pub(crate) clients_max: u32,
    pub(crate) core: usize,
    pub(crate) is_stock: bool,
}

/// Either way of carrying datagrams.
enum Network {
    Throng(NetWorker),
    Stock(Box<Connections<StockTransport>>),
}

/// Runs until the input ends.
pub(crate) fn serve(parameters: &ServerParameters) -> anyhow::Result<()> {
    pin_to_core(parameters.core)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let instance = Instance::new(&world_without_bots(parameters.players, parameters.visible), Arc::clone(&clock))?;
    let (mut network, address) = open(parameters, &clock)?;
    let host = Host::new(vec![instance], HostOptions::default(), clock.now());
    let commands = commands();
    answer(&json!({ "address": address.to_string() }))?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    pool.install(move || run(host, &mut network, &*clock, &commands))
}

fn open(parameters: &ServerParameters, clock: &Arc<dyn Clock>) -> anyhow::Result<(Network, SocketAddr)> {
    let bind = SocketAddr::from(([127, 0, 0, 1], 0));
    if parameters.is_stock {
        let transport = StockTransport::bind(bind, parameters.clients_max as usize, unix_time(), clock.now())?;
        let address = transport.address();
        return Ok((Network::Stock(Box::new(Connections::new(transport))), address));
    }
    let options = UdpOptions {
        bind,
        public: None,
        key: ConnectKey::DEVELOPMENT,
        clients_max: parameters.clients_max as usize,
        places: TakenPlaces::default(),
        unix_clock: unix_time,
        worker: 0,
        used_tokens: UsedTokens::default(),
    };
    let transport = UdpTransport::bind(options, clock.now())?;
    let address = transport.local_address();
    Ok((Network::Throng(spawn_worker(0, transport, Arc::clone(clock), Duration::ZERO)?), address))
}

#[expect(clippy::disallowed_methods, reason = "connect tokens expire by the calendar")]
fn unix_time() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// What is measured from a mark on.
struct Meter {
    since: Duration,
    usage: Usage,
    /// Processor time of the game's part: what sessions and ticks take, whatever carries them.
    game: Duration,
    tick_us: Histogram<u64>,
    net: NetTotals,
    snapshots: u64,
    updates: u64,
    enters: u64,
    inputs_missing: u64,
    snapshot_bytes: u64,
    given_up: u64,
}

fn run(mut host: Host, network: &mut Network, clock: &dyn Clock, commands: &Receiver<String>) -> anyhow::Result<()> {
    let (mut inbound, mut outbound) = (NetInbound::default(), OutboundBatch::default());
    let mut net = NetTotals::default();
    let mut meter = mark(&host, clock, &net)?;
    loop {
        if let Network::Throng(worker) = &network {
            ensure!(worker.is_alive(), "the network thread has died; what it said before is above");
        }
        let now = clock.now();
        let wait = host.next_due().map_or(Duration::ZERO, |due| due.saturating_sub(now));
        if !wait.is_zero() {
            std::thread::sleep(wait);
            continue;
        }
        match network {
            Network::Throng(worker) => worker.mailbox().collect(&mut inbound),
            Network::Stock(connections) => connections.receive(now, &mut inbound),
        }
        net = inbound.totals;
        let game = ThreadTime::now();
        host.receive(now, &inbound);
        host.run_due(now, &mut outbound, |_, _| ());
        meter.game += game.elapsed();
        inbound.clear();
        match network {
            Network::Throng(worker) => worker.post(outbound.shard(0)),
            Network::Stock(connections) => {
                let shard = outbound.shard(0);
                connections.begin(now, shard);
                connections.send_frames(now, shard, 0..shard.frame_count());
                connections.finish(now, shard);
                connections.transport_mut().send_packets();
            }
        }
        outbound.clear();
        meter.tick_us.record((clock.now() - now).as_micros() as u64)?;
        match commands.try_recv().as_deref() {
            Ok("mark") => {
                meter = mark(&host, clock, &net)?;
                answer(&json!({}))?;
            }
            Ok("report") => answer(&report(&meter, &host, clock, &net)?)?,
            Ok(_) | Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return Ok(()),
        }
    }
}

fn mark(host: &Host, clock: &dyn Clock, net: &NetTotals) -> anyhow::Result<Meter> {
    let totals = host.instances().next().context("there is one world")?.totals();
    Ok(Meter {
        since: clock.now(),
        usage: own_usage()?,
        game: Duration::ZERO,
        tick_us: Histogram::new(3)?,
        net: *net,
        snapshots: totals.snapshots,
        updates: totals.updates + totals.enters,
        enters: totals.enters,
        inputs_missing: totals.inputs_repeated + totals.inputs_neutral,
        snapshot_bytes: totals.snapshot_bytes,
        given_up: host.ticks_given_up(),
    })
}

fn report(meter: &Meter, host: &Host, clock: &dyn Clock, net: &NetTotals) -> anyhow::Result<Value> {
    let totals = host.instances().next().context("there is one world")?.totals();
    let usage = own_usage()?.since(&meter.usage);
    let tick_ms = |quantile| meter.tick_us.value_at_quantile(quantile) as f64 / 1e3;
    let visible = host.instances().next().map_or(0, visible);
    let (now, before) = (&net.transport, &meter.net.transport);
    let since = |of: fn(&TransportTotals) -> u64| of(now) - of(before);
    let refused = since(|totals| totals.refused.iter().sum());
    let handshakes_refused = since(|totals| totals.handshakes_refused.iter().sum());
    let unknown_source = since(|totals| totals.unknown_source);
    let flooded = since(|totals| totals.flooded);
    let moves_refused = since(|totals| totals.moves_refused);
    let handshakes_late = since(|totals| totals.handshakes_late);
    let turned_away = refused + handshakes_refused + handshakes_late + unknown_source + flooded + moves_refused;
    let datagrams_in = net.datagrams_in - meter.net.datagrams_in;
    Ok(json!({
        "seconds": (clock.now() - meter.since).as_secs_f64(),
        "user_s": usage.user.as_secs_f64(),
        "system_s": usage.system.as_secs_f64(),
        "game_s": meter.game.as_secs_f64(),
        "resident_bytes": usage.resident_bytes,
        "heap_bytes": heap_bytes(),
        "ticks": meter.tick_us.len(),
        "tick_ms_p50": tick_ms(0.5),
        "tick_ms_p99": tick_ms(0.99),
        "tick_ms_p999": tick_ms(0.999),
        "tick_ms_max": meter.tick_us.max() as f64 / 1e3,
        "ticks_given_up": host.ticks_given_up() - meter.given_up,
        "players": totals.players,
        "connected": net.connected,
        "visible": visible,
        "snapshots": totals.snapshots - meter.snapshots,
        "updates": totals.updates + totals.enters - meter.updates,
        "enters": totals.enters - meter.enters,
        "inputs_missing": totals.inputs_repeated + totals.inputs_neutral - meter.inputs_missing,
        "snapshot_bytes": totals.snapshot_bytes - meter.snapshot_bytes,
        "datagrams_in": datagrams_in,
        "datagrams_out": net.datagrams_out - meter.net.datagrams_out,
        "bytes_in": net.bytes_in - meter.net.bytes_in,
        "bytes_out": net.bytes_out - meter.net.bytes_out,
        "received": datagrams_in + turned_away,
        "refused": refused,
        "handshakes_refused": handshakes_refused,
        "unknown_source": unknown_source,
        "flooded": flooded,
        "handshakes_late": handshakes_late,
        "moves": since(|totals| totals.moves),
        "moves_refused": moves_refused,
        "malformed": net.malformed.iter().sum::<u64>() - meter.net.malformed.iter().sum::<u64>(),
        "expelled": net.ended[2] - meter.net.ended[2],
        "send_failures": net.transport.send_failures,
        "outbound_dropped": net.outbound_dropped,
    }))
}
