//! `hostile`: packets that are changed, replayed, forged and sealed by misbehaving clients, through the real receive path of a
//! running server, while others play on it.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use serde_json::json;
use throng_client::{connect_token, token_data};
use throng_shared::ids::ClientId;
use throng_shared::netcode::client::Heard;
use throng_shared::netcode::{NetcodeClient, PAYLOAD_BYTES_MAX};
use throng_shared::random::Random;
use throng_shared::wire::control::{self, ClientControl, Hello};
use throng_shared::wire::datagram::CONTROL;
use throng_shared::wire::key::ConnectKey;

use super::load::{Load, LoadOptions};
use super::{LOAD_CORE, SERVER_CORE, SETTLE, ServerParameters, ServerProcess, bar, connect_all, number, play};
use crate::figures::Report;
use crate::process::{allow_sockets, pin_to_core};
use crate::walk::world_without_bots;

/// Players who want no harm.
const PLAYERS: u32 = 100;

/// Attackers at a time. Each may have 128 packets looked at in 50 ms.
const ATTACKERS: usize = 128;

/// Packets that an attacker sends before the next one's turn.
const BURST: usize = 16;

/// Share of the packets after which memory is expected to grow no more.
const WARM_UP_SHARE: f64 = 0.2;

const VISIBLE: u32 = 32;

/// Somebody who has a token and means no good.
struct Attacker {
    socket: UdpSocket,
    netcode: NetcodeClient,
    /// What was last sent rightly.
    valid: Vec<u8>,
    began: Duration,
    has_greeted: bool,
}

/// All of them, and what they have done.
struct Attack {
    server: SocketAddr,
    world_hash: u64,
    attackers: Vec<Attacker>,
    random: Random,
    start: Instant,
    next_id: u64,
    packets: u64,
    connections: u64,
    packet: Vec<u8>,
    data: Vec<u8>,
}

/// Sends `packets` packets.
pub(crate) fn run(packets: u64, is_quick: bool) -> anyhow::Result<Report> {
    pin_to_core(LOAD_CORE)?;
    allow_sockets(u64::from(PLAYERS) + ATTACKERS as u64)?;
    let mut server = ServerProcess::start(&ServerParameters {
        players: PLAYERS + 2 * ATTACKERS as u32,
        visible: VISIBLE,
        clients_max: 4_096,
        core: SERVER_CORE,
        is_stock: false,
    })?;
    let world_hash = world_without_bots(PLAYERS + 2 * ATTACKERS as u32, VISIBLE).hash;
    let mut load = Load::new(LoadOptions {
        server: server.address,
        world_hash,
        is_stock: false,
        loss_percent: 0.0,
        first_client_id: 1,
        enters_world: true,
    })?;
    connect_all(&mut load, PLAYERS, "hostile: players connecting")?;
    play(&mut load, SETTLE, "hostile: settling")?;
    let mut attack = Attack::new(server.address, world_hash);
    let progress = bar("hostile: packets sent".to_owned(), packets)?;
    server.mark()?;
    let (before, start) = (load.snapshots(), load.now());
    let (mut warm, mut judged, mut next_look) = (None, 0, 0);
    // Until so many have been taken from the socket and judged, whatever the kernel drops on the way.
    while judged < packets {
        for place in 0..ATTACKERS {
            attack.burst(place)?;
        }
        load.step()?;
        if attack.packets >= next_look {
            next_look = attack.packets + packets / 100;
            judged = number(&server.report()?, "received") as u64;
            progress.set_position(judged.min(packets));
        }
        if warm.is_none() && judged as f64 >= packets as f64 * WARM_UP_SHARE {
            warm = Some(number(&server.report()?, "resident_bytes"));
        }
    }
    progress.finish_and_clear();
    let seconds = (load.now() - start).as_secs_f64();
    let least = before.iter().zip(load.snapshots()).map(|(before, after)| after - before).min().unwrap_or(0);
    let measured = server.report()?;
    let is_alive = server.finish()?;
    let mut report = Report::new(
        "hostile",
        json!({ "packets": packets, "players": PLAYERS, "attackers": ATTACKERS, "quick": is_quick }),
    );
    report.add("packets", number(&measured, "received"));
    report.add("packets_sent", attack.packets as f64);
    report.add("packets_per_s", attack.packets as f64 / seconds);
    report.add("panics", f64::from(u8::from(!is_alive)));
    report.add("rss_growth_share", number(&measured, "resident_bytes") / warm.unwrap_or(f64::NAN) - 1.0);
    report.add("resident_mb", number(&measured, "resident_bytes") / 1e6);
    report.add("attacker_connections", attack.connections as f64);
    report.add("snapshots_per_s_min", least as f64 / seconds);
    report.add("tick_ms_p99", number(&measured, "tick_ms_p99"));
    for name in [
        "received",
        "datagrams_in",
        "refused",
        "handshakes_refused",
        "unknown_source",
        "flooded",
        "malformed",
        "expelled",
    ] {
        report.add(format!("counted_{name}"), number(&measured, name));
    }
    Ok(report)
}

impl Attack {
    fn new(server: SocketAddr, world_hash: u64) -> Attack {
        Attack {
            server,
            world_hash,
            attackers: Vec::new(),
            random: Random::new(5, 0),
            start: now(),
            next_id: 1_000_000,
            packets: 0,
            connections: 0,
            packet: Vec::new(),
            data: Vec::new(),
        }
    }

    /// Lets the attacker at a place do its worst.
    fn burst(&mut self, place: usize) -> anyhow::Result<()> {
        let now = self.start.elapsed();
        if self.attackers.len() <= place {
            let attacker = self.newcomer(now)?;
            self.attackers.push(attacker);
        }
        self.listen(place, now);
        let attacker = &mut self.attackers[place];
        let is_stuck = !attacker.netcode.is_connected() && now > attacker.began + Duration::from_secs(3);
        // Some leave without a word, and come again as somebody else.
        if attacker.netcode.end().is_some() || is_stuck || self.random.percent(0.02) {
            self.attackers[place] = self.newcomer(now)?;
            return Ok(());
        }
        for _ in 0..BURST {
            self.write_packet(place, now);
            let attacker = &self.attackers[place];
            match attacker.socket.send(&self.packet) {
                Ok(_) => self.packets += 1,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn newcomer(&mut self, now: Duration) -> anyhow::Result<Attacker> {
        self.next_id += 1;
        self.connections += 1;
        let token = connect_token(&[self.server], ClientId(self.next_id), token_data(), &ConnectKey::DEVELOPMENT)?;
        let socket = UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1 + self.random.below(200) as u8], 0)))?;
        socket.connect(self.server)?;
        socket.set_nonblocking(true)?;
        let netcode = NetcodeClient::new(token, now);
        Ok(Attacker { socket, netcode, valid: vec![0; 20], began: now, has_greeted: false })
    }

    /// Takes the handshake along honestly, so that what follows gets past it.
    fn listen(&mut self, place: usize, now: Duration) {
        let attacker = &mut self.attackers[place];
        let mut buffer = [0; 2_048];
        while let Ok(length) = attacker.socket.recv(&mut buffer) {
            if let Ok(Heard::Connected) = attacker.netcode.receive(now, &mut buffer[..length]) {
                attacker.has_greeted = false;
            }
        }
        if let Some(packet) = attacker.netcode.update(now) {
            let _ = attacker.socket.send(packet);
            attacker.valid.clear();
            attacker.valid.extend_from_slice(packet);
        }
        if attacker.netcode.is_connected() && !attacker.has_greeted {
            attacker.has_greeted = true;
            let hello = control::encode(&ClientControl::Hello(Hello::new(self.world_hash, "attacker")));
            if let Some(packet) = attacker.netcode.payload(now, &[&[CONTROL], &hello]) {
                let _ = attacker.socket.send(packet);
            }
        }
    }

    /// Writes the next packet of an attacker.
    fn write_packet(&mut self, place: usize, now: Duration) {
        let Attack { attackers, random, packet, data, .. } = self;
        let attacker = &mut attackers[place];
        packet.clear();
        match random.below(100) {
            // Nothing but noise.
            0..15 => fill(random, packet, 1_400),
            // As it was, once more.
            15..30 => packet.extend_from_slice(&attacker.valid),
            // Past the seal: noise.
            30..31 => {
                fill(random, data, 64);
                seal_payload(attacker, now, data, packet);
            }
            31..45 => {
                data.clear();
                data.push(1);
                // The shape of an input frame, with whatever numbers.
                let length = 13 + 5 * (1 + random.below(3) as usize);
                (0..length).for_each(|_| data.push(random.next_u32() as u8));
                data[5] = ((length - 13) / 5) as u8;
                seal_payload(attacker, now, data, packet);
            }
            // Past the seal and the datagram's shape: a packet of the reliable channel of whatever type, with whatever numbers.
            45..52 => {
                let mut inner = Vec::new();
                fill(random, &mut inner, 60);
                inner[0] = random.below(6) as u8;
                data.clear();
                data.push(2);
                data.extend_from_slice(&(inner.len() as u16).to_le_bytes());
                data.extend_from_slice(&inner);
                seal_payload(attacker, now, data, packet);
            }
            // As it was, but for some of it.
            _ => {
                packet.extend_from_slice(&attacker.valid);
                for _ in 0..=random.below(4) {
                    let at = random.below(packet.len() as u32) as usize;
                    packet[at] ^= 1 << random.below(8);
                }
                if random.percent(20.0) {
                    packet.truncate(random.below(packet.len() as u32 + 1) as usize);
                }
                if random.percent(10.0) {
                    fill(random, data, 64);
                    packet.extend_from_slice(data);
                }
            }
        }
    }
}

fn seal_payload(attacker: &mut Attacker, now: Duration, data: &[u8], packet: &mut Vec<u8>) {
    let data = &data[..data.len().min(PAYLOAD_BYTES_MAX)];
    match attacker.netcode.payload(now, &[data]) {
        Some(sealed) => {
            packet.extend_from_slice(sealed);
            attacker.valid.clear();
            attacker.valid.extend_from_slice(sealed);
        }
        None => packet.extend_from_slice(&attacker.valid),
    }
}

/// One to `most` random bytes.
fn fill(random: &mut Random, bytes: &mut Vec<u8>, most: u32) {
    bytes.clear();
    let length = 1 + random.below(most) as usize;
    while bytes.len() < length {
        bytes.extend_from_slice(&random.next_u32().to_le_bytes());
    }
    bytes.truncate(length);
}

#[expect(clippy::disallowed_methods, reason = "a load generator lives in real time")]
fn now() -> Instant {
    Instant::now()
}
