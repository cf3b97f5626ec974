//! The program's life: open everything, tick until told to stop, say goodbye.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, anyhow, ensure};
use tracing::{info, warn};

use crate::admin::{Status, spawn_control};
use crate::batch::OutboundBatch;
use crate::clock::{Clock, SystemClock};
use crate::host::Host;
use crate::instance::Instance;
use crate::net::{NetInbound, NetTotals, NetWorker, UdpOptions, UdpTransport, spawn_worker};
use crate::settings::Prepared;

/// A server that listens.
pub struct Server {
    host: Host,
    worker: NetWorker,
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
        let worker = open_worker(prepared, &clock)?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(settings.threads as usize)
            .thread_name(|number| format!("tick-{number}"))
            .build()
            .context("cannot start the simulation's threads (simulation.threads)")?;
        let instances = prepared.worlds.iter().map(|world| Instance::new(world, Arc::clone(&clock)));
        let instances = instances.collect::<Result<Vec<_>, _>>()?;
        let status = Arc::new(Status::new(Arc::clone(&clock)));
        spawn_control(Arc::clone(&status), http).context("cannot start the control thread")?;
        let host = Host::new(instances, clock.now());
        Ok(Server { host, worker, status, clock, pool, http_address })
    }

    /// Where players connect.
    pub fn game_address(&self) -> SocketAddr {
        self.worker.address
    }

    /// How the server is; also the way to stop it.
    pub fn status(&self) -> &Arc<Status> {
        &self.status
    }

    /// Lives until it is told to stop, then says goodbye to everybody.
    ///
    /// # Errors
    /// When the network thread has died; there is then nobody to say goodbye to.
    pub fn run(self) -> anyhow::Result<()> {
        let Server { mut host, worker, status, clock, pool, .. } = self;
        // Inside the pool, so that the tick's own thread does its share of the parallel work.
        pool.install(|| tick_until_stopped(&mut host, &worker, &status, &*clock))?;
        let (mut inbound, mut outbound) = (NetInbound::default(), OutboundBatch::default());
        // Who has just come is told as well.
        worker.mailbox().collect(&mut inbound);
        host.receive(clock.now(), &inbound, &mut outbound);
        host.say_goodbye(&mut outbound);
        info!(clients = outbound.dismissals.len(), "stopping");
        worker.post(&mut outbound);
        worker.finish();
        Ok(())
    }
}

fn tick_until_stopped(host: &mut Host, worker: &NetWorker, status: &Status, clock: &dyn Clock) -> anyhow::Result<()> {
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
        ensure!(worker.is_alive(), "the network thread has died; what it said before is above");
        worker.mailbox().collect(&mut inbound);
        host.receive(now, &inbound, &mut outbound);
        host.run_due(now, &mut outbound, |id, instance| status.metrics.note_tick(id, instance));
        worker.post(&mut outbound);
        let net = NetTotals { outbound_dropped: worker.mailbox().dropped_batches(), ..inbound.totals };
        status.metrics.note_host(host, &net);
        status.note_tick(now);
        overload.note(now, host.ticks_given_up());
    }
    Ok(())
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

fn open_worker(prepared: &Prepared, clock: &Arc<dyn Clock>) -> anyhow::Result<NetWorker> {
    let net = &prepared.settings.net;
    #[expect(clippy::disallowed_methods, reason = "connect tokens expire by the calendar")]
    let unix_time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let options = UdpOptions {
        bind: net.bind,
        public: net.public_address,
        key: prepared.key,
        clients_max: net.clients_max as usize,
        unix_time,
    };
    // The error names the address and the cause; as a context it would say the cause twice.
    let transport = UdpTransport::bind(options, clock.now()).map_err(|error| {
        anyhow!("{error}\n  help: is another server running there? Choose another address with --bind IP:PORT or net.bind in the settings")
    })?;
    if transport.receive_buffer_bytes() < RECEIVE_BUFFER_WANTED_BYTES {
        warn!(
            bytes = transport.receive_buffer_bytes(),
            "the system grants a small receive buffer: with hundreds of players inputs may be lost (sysctl net.core.rmem_max)"
        );
    }
    spawn_worker(transport, Arc::clone(clock)).context("cannot start the network thread")
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
    let text =
        format!("{{\"game\": \"{}\", \"http\": {http}, \"pid\": {}}}\n", server.game_address(), std::process::id());
    // Renamed into place, so that nobody reads half of it.
    let unfinished = file.with_extension("unfinished");
    std::fs::write(&unfinished, text).and_then(|()| std::fs::rename(&unfinished, file)).map_err(|error| {
        anyhow!(
            "cannot write {}: {error}\n  help: --ready-file takes a file in a folder that can be written to",
            file.display()
        )
    })
}
