//! `idle`: clients that are connected, in a world where nothing moves.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::TryRecvError;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use throng_client::{Client, ClientTransport, State, Traffic, UdpTransport, connect_token, token_data};
use throng_shared::ids::ClientId;
use throng_shared::input::PlayerInput;
use throng_shared::map::Map;
use throng_shared::wire::key::ConnectKey;

use super::subprocess::{Subprocess, answer, commands};
use super::{LOAD_CORE, SERVER_CORE, ServerParameters, ServerProcess, bar, number};
use crate::figures::Report;
use crate::process::{allow_sockets, pin_to_core};
use crate::walk::world_without_bots;

/// Time between two looks at every client.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// How long everything may take to come to rest.
const SETTLE: Duration = Duration::from_secs(5);

/// Most clients of one process: it has a socket for each, and systems grant no more than some twenty thousand.
const CLIENTS_PER_PROCESS_MAX: u32 = 12_000;

/// What a process of clients is to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StandParameters {
    pub(crate) server: SocketAddr,
    /// Clients of all processes together: the world is made for them.
    pub(crate) players: u32,
    pub(crate) first: u32,
    pub(crate) count: u32,
}

/// Characters that a client sees.
const VISIBLE: u32 = 32;

/// The library's own clients, all of them standing.
struct Crowd {
    clients: Vec<Client<UdpTransport>>,
    start: Instant,
}

/// Runs it with `count` clients for `seconds`.
pub(crate) fn run(count: u32, seconds: u64, is_quick: bool) -> anyhow::Result<Report> {
    pin_to_core(LOAD_CORE)?;
    let mut server = ServerProcess::start(&ServerParameters {
        players: count,
        visible: VISIBLE,
        clients_max: count,
        core: SERVER_CORE,
        is_stock: false,
    })?;
    let mut crowds = start_crowds(server.address, count)?;
    let settle = SETTLE.as_secs();
    let playing: f64 =
        live(&mut crowds, settle, "idle: coming to rest")?.iter().map(|crowd| number(crowd, "playing")).sum();
    server.mark()?;
    let lived = live(&mut crowds, seconds, "idle: standing about")?;
    let measured = server.report()?;
    let mut report =
        Report::new("idle", json!({ "clients": count, "visible": VISIBLE, "seconds": seconds, "quick": is_quick }));
    let mean = |name| lived.iter().map(|crowd| number(crowd, name)).sum::<f64>() / f64::from(count);
    let most = |name| lived.iter().map(|crowd| number(crowd, name)).fold(0.0, f64::max);
    let elapsed_s = number(&measured, "seconds");
    report.add("clients_playing", playing);
    report.add("client_processes", crowds.len() as f64);
    report.add("datagrams_out_per_client_s", mean("to_clients_per_s"));
    report.add("datagrams_out_per_client_s_max", most("to_client_per_s_max"));
    report.add("datagrams_in_per_client_s", mean("to_server_per_s"));
    report.add("datagrams_in_per_client_s_max", most("to_server_per_s_max"));
    report.add("payload_bytes_out_per_client_s", number(&measured, "bytes_out") / elapsed_s / f64::from(count));
    report.add("payload_bytes_in_per_client_s", number(&measured, "bytes_in") / elapsed_s / f64::from(count));
    let cpu_s = number(&measured, "user_s") + number(&measured, "system_s");
    report.add("cpu_us_per_client_tick", cpu_s * 1e6 / number(&measured, "ticks") / f64::from(count));
    report.add("server_resident_bytes_per_client", number(&measured, "resident_bytes") / f64::from(count));
    report.add("tick_ms_p99", number(&measured, "tick_ms_p99"));
    Ok(report)
}

/// Connects everybody, in as many processes as it takes.
fn start_crowds(server: SocketAddr, count: u32) -> anyhow::Result<Vec<Subprocess>> {
    let processes = count.div_ceil(CLIENTS_PER_PROCESS_MAX);
    let progress = bar(format!("idle: {count} connecting"), u64::from(count))?;
    let mut crowds = Vec::new();
    for process in 0..processes {
        let (first, end) = (count * process / processes, count * (process + 1) / processes);
        let share = end - first;
        let arguments = format!("stand --server {server} --players {count} --first {first} --count {share}");
        let mut crowd = Subprocess::start(arguments.split(' '))?;
        // One after the other: the processes share a core.
        while number(&crowd.hear()?, "connecting") < f64::from(share) {
            progress.inc(CONNECTS_PER_LINE.into());
        }
        progress.set_position(end.into());
        crowds.push(crowd);
    }
    progress.finish_and_clear();
    Ok(crowds)
}

/// Lets everybody stand about for so long; what each process has counted.
fn live(crowds: &mut [Subprocess], seconds: u64, message: &str) -> anyhow::Result<Vec<Value>> {
    let progress = bar(message.to_owned(), seconds)?;
    crowds.iter_mut().try_for_each(|crowd| crowd.ask("mark").map(|_| ()))?;
    for _ in 0..seconds {
        std::thread::sleep(Duration::from_secs(1));
        progress.inc(1);
    }
    progress.finish_and_clear();
    crowds.iter_mut().map(|crowd| crowd.ask("report")).collect()
}

/// Clients of a process that have begun to connect since it last said how many.
const CONNECTS_PER_LINE: u32 = 200;

/// Is a process of clients, until its input ends.
pub(crate) fn stand(parameters: &StandParameters) -> anyhow::Result<()> {
    let StandParameters { server, players, first, count } = *parameters;
    pin_to_core(LOAD_CORE)?;
    allow_sockets(u64::from(count))?;
    let world = world_without_bots(players, VISIBLE);
    let map = Arc::new(Map::new(&world.config, world.terrain_samples.as_ref())?);
    let mut crowd = Crowd { clients: Vec::new(), start: now() };
    for number in 0..count {
        let token =
            connect_token(&[server], ClientId(u64::from(first + number)), token_data(), &ConnectKey::DEVELOPMENT)?;
        let transport = UdpTransport::connect(token, crowd.start.elapsed())?;
        crowd.clients.push(Client::new(transport, Arc::clone(&map), &world, "idle"));
        if number % 20 == 0 {
            crowd.look();
        }
        if (number + 1).is_multiple_of(CONNECTS_PER_LINE) || number + 1 == count {
            answer(&json!({ "connecting": number + 1 }))?;
        }
    }
    let commands = commands();
    let (mut before, mut began) = (crowd.traffic(), crowd.start.elapsed());
    loop {
        match commands.try_recv().as_deref() {
            Ok("mark") => {
                (before, began) = (crowd.traffic(), crowd.start.elapsed());
                answer(&json!({}))?;
            }
            Ok(_) => answer(&crowd.report(&before, began))?,
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return Ok(()),
        }
        let looked_at = crowd.start.elapsed();
        crowd.look();
        std::thread::sleep((looked_at + LOOK_INTERVAL).saturating_sub(crowd.start.elapsed()));
    }
}

impl Crowd {
    fn look(&mut self) {
        for client in &mut self.clients {
            let now = self.start.elapsed();
            client.update(now);
            while client.is_input_due(now) {
                client.step(now, PlayerInput::default());
            }
        }
    }

    /// What has gone to and fro since `began`, when it was `before`.
    fn report(&self, before: &[Traffic], began: Duration) -> Value {
        let elapsed_s = (self.start.elapsed() - began).as_secs_f64();
        let after = self.traffic();
        let per_s = |count_of: fn(&Traffic) -> u64| {
            let pairs = before.iter().zip(&after);
            let each = pairs.map(move |(before, after)| (count_of(after) - count_of(before)) as f64 / elapsed_s);
            (each.clone().sum::<f64>(), each.fold(0.0, f64::max))
        };
        let (to_clients, to_client_max) = per_s(|traffic| traffic.datagrams_in);
        let (to_server, to_server_max) = per_s(|traffic| traffic.datagrams_out);
        json!({
            "playing": self.clients.iter().filter(|client| *client.state() == State::Playing).count(),
            "to_clients_per_s": to_clients,
            "to_client_per_s_max": to_client_max,
            "to_server_per_s": to_server,
            "to_server_per_s_max": to_server_max,
        })
    }

    fn traffic(&self) -> Vec<Traffic> {
        self.clients.iter().map(|client| client.transport().traffic()).collect()
    }
}

#[expect(clippy::disallowed_methods, reason = "a load generator lives in real time")]
fn now() -> Instant {
    Instant::now()
}
