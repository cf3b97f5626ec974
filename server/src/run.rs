//! The program's life: open everything, tick until told to stop, say goodbye.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, anyhow, ensure};
use throng_shared::config::WORKERS_MAX;
use throng_shared::limits::LINGER_MS;
use throng_shared::tick::TickRate;
use tracing::{info, warn};

use crate::admin::{Status, spawn_control};
use crate::batch::OutboundBatch;
use crate::clock::{Clock, SystemClock};
use crate::host::{Host, HostOptions};
use crate::instance::Instance;
use crate::net::netcode::{TakenPlaces, UsedTokens};
use crate::net::{NetInbound, NetTotals, NetWorker, UdpOptions, UdpTransport, spawn_worker};
use crate::reload::spawn_watcher;
use crate::settings::Prepared;

/// A server that listens.
pub struct Server {
    host: Host,
    workers: Vec<NetWorker>,
    status: Arc<Status>,
    clock: Arc<dyn Clock>,
    pool: rayon::ThreadPool,
    /// Where it serves HTTP, if it does.
    pub http_address: Option<SocketAddr>,
}

/// How often the loop looks up from waiting, so that a request to stop is noticed in slow worlds too.
const WAIT_MAX: Duration = Duration::from_millis(50);

/// Receive buffers below this lose inputs when many players send at once.
const RECEIVE_BUFFER_WANTED_BYTES: usize = 1024 * 1024;

impl Server {
    /// Opens sockets and builds worlds.
    ///
    /// # Errors
    /// When a port is taken or a world cannot be built; the message names it and the remedy.
    pub fn open(prepared: &Prepared) -> anyhow::Result<Server> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let settings = &prepared.settings;
        let http = settings.http_bind.map(open_http).transpose()?;
        let http_address = http.as_ref().map(TcpListener::local_addr).transpose()?;
        let workers = open_workers(prepared, &clock)?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(settings.threads as usize)
            .thread_name(|number| format!("tick-{number}"))
            .build()
            .context("cannot start the simulation's threads (simulation.threads)")?;
        let instances = prepared.worlds.iter().map(|world| Instance::new(world, Arc::clone(&clock)));
        let instances = instances.collect::<Result<Vec<_>, _>>()?;
        pool.install(|| instances.iter().for_each(Instance::prepare));
        let names = prepared.worlds.iter().map(|world| world.config.name.clone());
        let status = Arc::new(Status::new(Arc::clone(&clock), settings, names, prepared.world_folders.len()));
        let watched = prepared.world_folders.iter().cloned().zip(prepared.worlds.iter().cloned());
        spawn_watcher(watched.collect(), Arc::clone(&status))
            .context("cannot start the thread that watches world files")?;
        spawn_control(Arc::clone(&status), http).context("cannot start the control thread")?;
        let options = HostOptions {
            hold: Duration::from_secs(settings.hold_s.into()),
            // More channels than microseconds are not opened.
            first_channel: unix_time().as_micros() as u64,
        };
        let host = Host::new(instances, options, clock.now());
        Ok(Server { host, workers, status, clock, pool, http_address })
    }

    /// Where players connect: an address for each network thread.
    pub fn game_addresses(&self) -> Vec<SocketAddr> {
        self.workers.iter().map(|worker| worker.address).collect()
    }

    /// How the server is; also the way to stop it.
    pub fn status(&self) -> &Arc<Status> {
        &self.status
    }

    /// Lives until it is told to stop, then says goodbye to everybody.
    ///
    /// # Errors
    /// When a network thread has died; the clients of the others are told goodbye nevertheless.
    pub fn run(self) -> anyhow::Result<()> {
        let Server { mut host, workers, status, clock, pool, .. } = self;
        // Inside the pool, so that the tick's own thread does its share of the parallel work.
        let lived = pool.install(|| tick_until_stopped(&mut host, &workers, &status, &*clock));
        say_goodbye(&mut host, &workers, &*clock);
        // All at once, for nobody may come in at one while another is still waited for.
        workers.iter().for_each(NetWorker::close);
        workers.into_iter().for_each(NetWorker::finish);
        lived
    }
}

fn tick_until_stopped(
    host: &mut Host,
    workers: &[NetWorker],
    status: &Status,
    clock: &dyn Clock,
) -> anyhow::Result<()> {
    let mut inbound = NetInbound::default();
    let mut outbound = OutboundBatch::default();
    let mut overload = OverloadLog::default();
    while !status.is_stopping() {
        let now = clock.now();
        let wait = host.next_due().map_or(WAIT_MAX, |due| due.saturating_sub(now));
        if !wait.is_zero() {
            std::thread::sleep(wait.min(WAIT_MAX));
            continue;
        }
        ensure!(workers.iter().all(NetWorker::is_alive), "a network thread has died; what it said before is above");
        let net = collect(host, workers, now, &mut inbound);
        status.reloads.carry_out(now, host);
        host.run_due(now, &mut outbound, |id, instance| {
            status.metrics.note_tick(id, instance);
            status.reloads.note_tick(now, id, instance);
        });
        post(workers, &mut outbound);
        status.metrics.note_host(host, &net);
        status.metrics.note_reloads(host, &status.reloads.counts());
        status.questions.answer(now, host);
        status.note_tick(now);
        overload.note(now, host.ticks_given_up());
    }
    Ok(())
}

/// Gives the host what has arrived on every port; returns the counts of all of them.
fn collect(host: &mut Host, workers: &[NetWorker], now: Duration, inbound: &mut NetInbound) -> NetTotals {
    let mut totals = NetTotals::default();
    for worker in workers {
        worker.mailbox().collect(inbound);
        host.receive(now, inbound);
        totals.add(&inbound.totals);
        totals.outbound_dropped += worker.mailbox().dropped_batches();
        totals.outbound_messages_dropped += worker.mailbox().dropped_messages();
    }
    totals
}

/// Hands each network thread what it is to send.
fn post(workers: &[NetWorker], outbound: &mut OutboundBatch) {
    for (number, worker) in workers.iter().enumerate() {
        worker.post(outbound.shard(number as u16));
    }
    outbound.clear();
}

/// Tells everybody that it is over, until all have gone or have had time enough.
fn say_goodbye(host: &mut Host, workers: &[NetWorker], clock: &dyn Clock) {
    const REPEAT_AFTER: Duration = Duration::from_millis(50);
    let (mut inbound, mut outbound) = (NetInbound::default(), OutboundBatch::default());
    // Who has just come is told as well.
    collect(host, workers, clock.now(), &mut inbound);
    info!(clients = host.connection_count(), "stopping");
    host.say_goodbye(clock.now());
    // Whoever comes while the others go is told as well, but not for ever.
    let end = clock.now() + Duration::from_millis(2 * LINGER_MS);
    while host.connection_count() > 0 && clock.now() < end {
        host.settle(clock.now(), &mut outbound);
        post(workers, &mut outbound);
        std::thread::sleep(REPEAT_AFTER);
        collect(host, workers, clock.now(), &mut inbound);
    }
}

/// Says that the world runs late, but not in every tick of a bad hour.
#[derive(Default)]
struct OverloadLog {
    told: u64,
    told_at: Option<Duration>,
}

impl OverloadLog {
    const INTERVAL: Duration = Duration::from_secs(10);

    fn note(&mut self, now: Duration, ticks_given_up: u64) {
        let is_time = self.told_at.is_none_or(|told_at| now >= told_at + Self::INTERVAL);
        if ticks_given_up > self.told && is_time {
            let ticks = ticks_given_up - self.told;
            warn!(ticks, "overload: ticks were given up, the world runs late");
            (self.told, self.told_at) = (ticks_given_up, Some(now));
        }
    }
}

fn open_workers(prepared: &Prepared, clock: &Arc<dyn Clock>) -> anyhow::Result<Vec<NetWorker>> {
    let settings = &prepared.settings;
    let count = match settings.net.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from).div_ceil(2).min(WORKERS_MAX as usize) as u16,
        count => count as u16,
    };
    let shared = (UsedTokens::default(), TakenPlaces::default());
    (0..count).map(|number| open_worker(prepared, clock, number, count, &shared)).collect()
}

fn open_worker(
    prepared: &Prepared,
    clock: &Arc<dyn Clock>,
    number: u16,
    count: u16,
    (used_tokens, places): &(UsedTokens, TakenPlaces),
) -> anyhow::Result<NetWorker> {
    let net = &prepared.settings.net;
    let options = UdpOptions {
        bind: nth_address(net.bind, number)?,
        public: net.public_address.map(|address| nth_address(address, number)).transpose()?,
        key: prepared.key,
        clients_max: net.clients_max as usize,
        places: places.clone(),
        unix_clock: unix_time,
        worker: number,
        used_tokens: used_tokens.clone(),
    };
    // The error names the address and the cause; as a context it would say the cause twice.
    let transport = UdpTransport::bind(options, clock.now()).map_err(|error| {
        anyhow!(
            "{error}\n  help: is another server running there? Choose another address with --bind IP:PORT or net.bind \
             in the settings; net.workers = {count} takes that many ports from it on"
        )
    })?;
    if transport.receive_buffer_bytes() < RECEIVE_BUFFER_WANTED_BYTES {
        warn!(
            bytes = transport.receive_buffer_bytes(),
            "the system grants a small receive buffer: with hundreds of players inputs may be lost (sysctl net.core.rmem_max)"
        );
    }
    let step = prepared.worlds.iter().map(|world| TickRate::new(world.config.tick_rate_hz).step_s()).reduce(f32::min);
    let spread = Duration::from_secs_f32(step.unwrap_or(0.0) * net.spread_percent as f32 / 100.0);
    spawn_worker(number, transport, Arc::clone(clock), spread).context("cannot start a network thread")
}

/// Time since 1970; zero for a clock that is set to before it.
#[expect(clippy::disallowed_methods, reason = "connect tokens expire by the calendar")]
fn unix_time() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// The address of a network thread: as many ports further, unless any port will do.
fn nth_address(mut address: SocketAddr, number: u16) -> anyhow::Result<SocketAddr> {
    if address.port() != 0 {
        let port = address.port().checked_add(number);
        address.set_port(port.with_context(|| {
            format!("{address} leaves no port for network thread {number}: choose a lower port or fewer net.workers")
        })?);
    }
    Ok(address)
}

fn open_http(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| {
        anyhow!(
            "cannot listen for HTTP on TCP {address}: {error}\n  help: is another server running there? \
             Choose another address with --http IP:PORT or http.bind in the settings"
        )
    })
}

/// Writes where the server listens, as JSON, for programs that started it with port 0.
///
/// # Errors
/// When the file cannot be written.
pub fn write_ready_file(file: &Path, server: &Server) -> anyhow::Result<()> {
    let http = server.http_address.map_or("null".to_owned(), |address| format!("\"{address}\""));
    let addresses = server.game_addresses();
    let first = addresses.first().map_or(String::new(), SocketAddr::to_string);
    let all: Vec<String> = addresses.iter().map(|address| format!("\"{address}\"")).collect();
    let text = format!(
        "{{\"game\": \"{first}\", \"games\": [{}], \"http\": {http}, \"pid\": {}}}\n",
        all.join(", "),
        std::process::id()
    );
    // Renamed into place, so that nobody reads half of it.
    let unfinished = file.with_extension("unfinished");
    std::fs::write(&unfinished, text).and_then(|()| std::fs::rename(&unfinished, file)).map_err(|error| {
        anyhow!(
            "cannot write {}: {error}\n  help: --ready-file takes a file in a folder that can be written to",
            file.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use throng_client::{Client, CloseReason, State, connect_token, token_data};
    use throng_shared::ids::ClientId;
    use throng_shared::input::PlayerInput;
    use throng_shared::map::Map;
    use throng_shared::wire::control::GoodbyeReason;

    use super::*;
    use crate::settings::{Overrides, prepare};

    /// Far longer than any machine takes.
    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn a_server_whose_network_thread_has_died_says_goodbye_at_its_other_ports_and_ends() {
        let any_port = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        let (workers, threads) = (Some(2), Some(1));
        let flags = Overrides { bind: any_port, workers, http: any_port, threads, ..Overrides::default() };
        let prepared = prepare(&Overrides { development_key: true, ..flags }).expect("the built-in settings are right");
        let server = Server::open(&prepared).expect("loopback has ports");
        let (first, addresses) = (server.workers[0].shared_mailbox(), server.game_addresses());
        let clock = SystemClock::new();
        let token = connect_token(&addresses[1..], ClientId(5), token_data(), &prepared.key);
        let transport = throng_client::UdpTransport::connect(token.expect("loopback is allowed"), clock.now());
        let world = &prepared.worlds[0];
        let map = Map::new(&world.config, world.terrain_samples.as_ref()).expect("the world has its files");
        let mut client = Client::new(transport.expect("loopback has a port"), map.into(), world, "Ann");
        let lived = std::thread::spawn(move || server.run());
        while !matches!(client.state(), State::Closed(_)) {
            assert!(clock.now() < PATIENCE, "the server lives on");
            client.update(clock.now());
            while client.is_input_due(clock.now()) {
                client.step(clock.now(), PlayerInput::default());
            }
            if *client.state() == State::Playing {
                // A thread that finds its mailbox closed ends, as nobody else does before a server stops.
                first.close();
            }
            std::thread::yield_now();
        }
        assert_eq!(*client.state(), State::Closed(CloseReason::Goodbye(GoodbyeReason::ServerStopping)));
        let message = lived.join().expect("it does not panic").expect_err("it is not as it should be").to_string();
        assert!(message.contains("network thread has died"), "{message}");
    }
}
