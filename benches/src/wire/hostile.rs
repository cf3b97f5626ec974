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

use super::load::{Load, LoadOptions, rest};
use super::{LOAD_CORE, SERVER_CORE, SETTLE, ServerParameters, ServerProcess, bar, connect_all, number, play};
use crate::figures::Report;
use crate::process::{allow_sockets, pin_to_core};
use crate::walk::world_without_bots;

/// Players who want no harm.
const PLAYERS: u32 = 100;

/// Attackers at a time.
const ATTACKERS: usize = 128;

/// Packets that an attacker sends before the next one's turn.
const BURST: usize = 16;

/// After so long, as many connections time out and as many held seats are given up as new ones are made: memory is expected to
/// grow no more.
const WARM_UP: Duration = Duration::from_secs(45);
const WARM_UP_QUICK: Duration = Duration::from_secs(3);

/// Packets between two looks at what the server has counted.
const LOOK_PACKETS: u64 = 100_000;

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
    allow_sockets(ATTACKERS as u64)?;
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
    });
    connect_all(&mut load, PLAYERS, "hostile: players connecting")?;
    play(&mut load, SETTLE, "hostile: settling")?;
    let mut attack = Attack::new(server.address, world_hash);
    let warm_up = if is_quick { WARM_UP_QUICK } else { WARM_UP };
    let progress = bar("hostile: warming up, seconds".to_owned(), warm_up.as_secs())?;
    let began = load.now();
    while load.now() < began + warm_up {
        attack.round(&mut load)?;
        progress.set_position((load.now() - began).as_secs());
    }
    progress.finish_and_clear();
    let figures = attack.measure(&mut server, &mut load, packets)?;
    let mut report = Report::new(
        "hostile",
        json!({
            "packets": packets, "players": PLAYERS, "attackers": ATTACKERS, "warm_up_seconds": warm_up.as_secs(),
            "quick": is_quick,
        }),
    );
    figures.into_iter().for_each(|(name, value)| report.add(name, value));
    report.add("panics", f64::from(u8::from(!server.finish()?)));
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

    /// Goes on until the server has judged so many packets; whatever the kernel drops on the way does not count.
    fn measure(
        &mut self,
        server: &mut ServerProcess,
        load: &mut Load,
        packets: u64,
    ) -> anyhow::Result<Vec<(&'static str, f64)>> {
        let progress = bar("hostile: packets judged".to_owned(), packets)?;
        server.mark()?;
        let warm = server.report()?;
        let (snapshots_before, start) = (load.snapshots(), load.now());
        let (packets_before, connections_before) = (self.packets, self.connections);
        let (mut judged, mut next_look) = (0, packets_before);
        while judged < packets {
            self.round(load)?;
            if self.packets >= next_look {
                next_look = self.packets + LOOK_PACKETS;
                judged = number(&server.report()?, "received") as u64;
                progress.set_position(judged.min(packets));
            }
        }
        progress.finish_and_clear();
        let seconds = (load.now() - start).as_secs_f64();
        let least =
            snapshots_before.iter().zip(load.snapshots()).map(|(before, after)| after - before).min().unwrap_or(0);
        let measured = server.report()?;
        let growth = |name| number(&measured, name) / number(&warm, name) - 1.0;
        let sent = (self.packets - packets_before) as f64;
        Ok(vec![
            ("packets", number(&measured, "received")),
            ("packets_sent", sent),
            ("packets_per_s", sent / seconds),
            ("rss_growth_share", growth("resident_bytes")),
            ("resident_mb", number(&measured, "resident_bytes") / 1e6),
            ("heap_growth_share", growth("heap_bytes")),
            ("heap_mb", number(&measured, "heap_bytes") / 1e6),
            ("attacker_connections", (self.connections - connections_before) as f64),
            ("snapshots_per_s_min", least as f64 / seconds),
            ("tick_ms_p99", number(&measured, "tick_ms_p99")),
            ("counted_datagrams_in", number(&measured, "datagrams_in")),
            ("counted_refused", number(&measured, "refused")),
            ("counted_handshakes_refused", number(&measured, "handshakes_refused")),
            ("counted_unknown_source", number(&measured, "unknown_source")),
            ("counted_flooded", number(&measured, "flooded")),
            ("counted_handshakes_late", number(&measured, "handshakes_late")),
            ("counted_moves", number(&measured, "moves")),
            ("counted_moves_refused", number(&measured, "moves_refused")),
            ("counted_malformed", number(&measured, "malformed")),
            ("counted_expelled", number(&measured, "expelled")),
        ])
    }

    /// Lets each attacker do its worst once, and the players play.
    fn round(&mut self, load: &mut Load) -> anyhow::Result<()> {
        (0..ATTACKERS).try_for_each(|place| self.burst(place))?;
        load.step();
        rest();
        Ok(())
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
            let from = self.write_packet(place, now);
            match self.attackers[from].socket.send(&self.packet) {
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

    /// Writes the next packet of an attacker; returns whose socket it is to be sent from.
    fn write_packet(&mut self, place: usize, now: Duration) -> usize {
        let Attack { attackers, random, packet, data, .. } = self;
        let count = attackers.len() as u32;
        let attacker = &mut attackers[place];
        packet.clear();
        match random.below(100) {
            // Nothing but noise.
            0..12 => fill(random, packet, 1_400),
            // A move, with whatever in it: from where it is, or from where somebody else is. What comes next brings it back.
            12..15 => {
                attacker.netcode.begin_move();
                fill(random, data, 64);
                seal_payload(attacker, now, data, packet);
                if random.percent(3.0) {
                    attacker.netcode.begin_move();
                    return random.below(count) as usize;
                }
            }
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
        place
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
