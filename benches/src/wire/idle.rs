//! `idle`: clients that are connected, in a world where nothing moves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use throng_client::{Client, ClientTransport, State, Traffic, UdpTransport, connect_token, token_data};
use throng_shared::ids::ClientId;
use throng_shared::input::PlayerInput;
use throng_shared::map::Map;
use throng_shared::wire::key::ConnectKey;

use super::{LOAD_CORE, SERVER_CORE, ServerParameters, ServerProcess, bar, number};
use crate::figures::Report;
use crate::process::{allow_sockets, pin_to_core};
use crate::walk::world_without_bots;

/// Time between two looks at every client.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// How long everything may take to come to rest.
const SETTLE: Duration = Duration::from_secs(5);

/// The library's own clients, all of them standing.
struct Crowd {
    clients: Vec<Client<UdpTransport>>,
    start: Instant,
}

/// Runs it with `count` clients for `seconds`.
pub(crate) fn run(count: u32, seconds: u64, is_quick: bool) -> anyhow::Result<Report> {
    const VISIBLE: u32 = 32;
    pin_to_core(LOAD_CORE)?;
    allow_sockets(u64::from(count))?;
    let mut server = ServerProcess::start(&ServerParameters {
        players: count,
        visible: VISIBLE,
        clients_max: count,
        core: SERVER_CORE,
        is_stock: false,
    })?;
    let world = world_without_bots(count, VISIBLE);
    let map = Arc::new(Map::new(&world.config, world.terrain_samples.as_ref())?);
    let mut crowd = Crowd { clients: Vec::new(), start: now() };
    let progress = bar(format!("idle: {count} connecting"), u64::from(count))?;
    for number in 0..count {
        let token =
            connect_token(&[server.address], ClientId(u64::from(number)), token_data(), &ConnectKey::DEVELOPMENT)?;
        let transport = UdpTransport::connect(token, crowd.start.elapsed())?;
        crowd.clients.push(Client::new(transport, Arc::clone(&map), &world, "idle"));
        if number % 20 == 0 {
            crowd.look();
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    crowd.live(SETTLE, "idle: coming to rest")?;
    let playing = crowd.clients.iter().filter(|client| *client.state() == State::Playing).count();
    server.mark()?;
    let (before, began) = (crowd.traffic(), crowd.start.elapsed());
    crowd.live(Duration::from_secs(seconds), "idle: standing about")?;
    let (after, elapsed_s) = (crowd.traffic(), (crowd.start.elapsed() - began).as_secs_f64());
    let measured = server.report()?;
    let mut report =
        Report::new("idle", json!({ "clients": count, "visible": VISIBLE, "seconds": seconds, "quick": is_quick }));
    let per_s = |count_of: fn(&Traffic) -> u64| -> Vec<f64> {
        let pairs = before.iter().zip(&after);
        pairs.map(|(before, after)| (count_of(after) - count_of(before)) as f64 / elapsed_s).collect()
    };
    let (to_clients, to_server) = (per_s(|traffic| traffic.datagrams_in), per_s(|traffic| traffic.datagrams_out));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    report.add("clients_playing", playing as f64);
    report.add("datagrams_out_per_client_s", mean(&to_clients));
    report.add("datagrams_out_per_client_s_max", most(&to_clients));
    report.add("datagrams_in_per_client_s", mean(&to_server));
    report.add("datagrams_in_per_client_s_max", most(&to_server));
    report.add("payload_bytes_out_per_client_s", number(&measured, "bytes_out") / elapsed_s / f64::from(count));
    report.add("payload_bytes_in_per_client_s", number(&measured, "bytes_in") / elapsed_s / f64::from(count));
    let cpu_s = number(&measured, "user_s") + number(&measured, "system_s");
    report.add("cpu_us_per_client_tick", cpu_s * 1e6 / number(&measured, "ticks") / f64::from(count));
    Ok(report)
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

    fn live(&mut self, time: Duration, message: &str) -> anyhow::Result<()> {
        let bar = bar(message.to_owned(), time.as_secs())?;
        let end = self.start.elapsed() + time;
        loop {
            let began = self.start.elapsed();
            if began >= end {
                bar.finish_and_clear();
                return Ok(());
            }
            self.look();
            bar.set_position(time.as_secs().saturating_sub((end - began).as_secs()));
            std::thread::sleep((began + LOOK_INTERVAL).saturating_sub(self.start.elapsed()));
        }
    }

    fn traffic(&self) -> Vec<Traffic> {
        self.clients.iter().map(|client| client.transport().traffic()).collect()
    }
}

#[expect(clippy::disallowed_methods, reason = "a load generator lives in real time")]
fn now() -> Instant {
    Instant::now()
}
