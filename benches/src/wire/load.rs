//! The other end of a workload over real sockets: thousands of clients in one thread, as lean as a client can be that does
//! what the protocol asks. It opens and acknowledges every snapshot and looks at nothing in it but its tick.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use renet::RenetClient;
use throng_client::{connect_token, token_data};
use throng_shared::ids::ClientId;
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::netcode::NetcodeClient;
use throng_shared::netcode::client::Heard;
use throng_shared::random::Random;
use throng_shared::tick::Tick;
use throng_shared::wire::control::{self, ClientControl, Hello, ServerControl};
use throng_shared::wire::datagram::{CONTROL, Datagram, FRAME};
use throng_shared::wire::inputs::{InputFrame, SnapshotAcks};
use throng_shared::wire::key::ConnectKey;

use super::stock::{CHANNEL, connection_config};
use crate::shared_sockets::SharedSockets;

/// Length of a tick: every workload runs at 20 Hz.
const TICK: Duration = Duration::from_millis(50);

/// How long is waited between two looks at what is to be done. By the clock, not for a datagram, and no list is asked for of the sockets that have
/// one: where both ends are on one machine, to wake whoever waits and to keep such a list is the sender's work. Clients are elsewhere.
const LOOK_INTERVAL: Duration = Duration::from_micros(500);

/// How often it is looked whether anything has arrived.
const RECEIVE_INTERVAL: Duration = Duration::from_millis(2);

/// How often those who are not in yet are looked after.
const CONNECTING_INTERVAL: Duration = Duration::from_millis(10);

/// How often a hello is repeated.
const HELLO_INTERVAL: Duration = Duration::from_millis(250);

/// How far ahead of the newest snapshot an input is made. A client of a busy server needs as much: the snapshot of a tick
/// leaves up to a whole tick after it began, and an input that arrives in the middle of a tick waits for the next.
const LEAD_TICKS: u32 = 5;

/// What a load is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoadOptions {
    pub(crate) server: SocketAddr,
    pub(crate) world_hash: u64,
    pub(crate) is_stock: bool,
    /// Share of datagrams that are lost each way, in percent.
    pub(crate) loss_percent: f32,
    pub(crate) first_client_id: u64,
    /// Clients that only connect do not ask to be let into the world.
    pub(crate) enters_world: bool,
}

/// Many clients.
pub(crate) struct Load {
    options: LoadOptions,
    clients: Vec<LoadClient>,
    sockets: SharedSockets,
    start: Instant,
    random: Random,
    /// Inputs that were due so far, all clients in turn.
    turns: u64,
    turns_since: Duration,
    next_look: Duration,
    next_receive: Duration,
    frame: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Connecting,
    Greeting,
    Playing,
    Ended,
}

struct LoadClient {
    netcode: NetcodeClient,
    renet: Option<Box<RenetClient>>,
    progress: Progress,
    began: Duration,
    connected_at: Option<Duration>,
    hello_at: Option<Duration>,
    input: PlayerInput,
    sent_at: Duration,
}

/// What a client has heard.
struct Progress {
    stage: Stage,
    acks: SnapshotAcks,
    snapshots: u64,
    /// By the newest snapshot, or the welcome.
    server_tick: Tick,
}

impl Load {
    /// Nobody yet.
    pub(crate) fn new(options: LoadOptions) -> Load {
        Load {
            options,
            clients: Vec::new(),
            sockets: SharedSockets::new(),
            start: now(),
            random: Random::new(1, 0),
            turns: 0,
            turns_since: Duration::ZERO,
            next_look: Duration::ZERO,
            next_receive: Duration::ZERO,
            frame: Vec::new(),
        }
    }

    /// Time since the load began.
    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Begins to connect another client.
    pub(crate) fn add_client(&mut self) -> anyhow::Result<()> {
        let now = self.now();
        let place = self.clients.len();
        let id = ClientId(self.options.first_client_id + place as u64);
        let token = connect_token(&[self.options.server], id, token_data(), &ConnectKey::DEVELOPMENT)?;
        self.sockets.grow_to(place + 1)?;
        let renet = self.options.is_stock.then(|| {
            let mut renet = RenetClient::new(connection_config());
            renet.set_connected();
            Box::new(renet)
        });
        self.clients.push(LoadClient {
            netcode: NetcodeClient::new(token, now),
            renet,
            progress: Progress {
                stage: Stage::Connecting,
                acks: SnapshotAcks::default(),
                snapshots: 0,
                server_tick: Tick(0),
            },
            began: now,
            connected_at: None,
            hello_at: None,
            input: PlayerInput::default(),
            sent_at: now,
        });
        Ok(())
    }

    /// Number of clients in the world, or connected if they do not enter it.
    pub(crate) fn in_count(&self) -> usize {
        let wanted = if self.options.enters_world { Stage::Playing } else { Stage::Greeting };
        self.clients.iter().filter(|client| client.progress.stage == wanted).count()
    }

    /// How long each client that is connected took for it, in milliseconds, the shortest first.
    pub(crate) fn connect_ms(&self) -> Vec<f64> {
        let took = |client: &LoadClient| client.connected_at.map(|at| (at - client.began).as_secs_f64() * 1e3);
        let mut times: Vec<f64> = self.clients.iter().filter_map(took).collect();
        times.sort_by(f64::total_cmp);
        times
    }

    /// Snapshots that each client has received.
    pub(crate) fn snapshots(&self) -> Vec<u64> {
        self.clients.iter().map(|client| client.progress.snapshots).collect()
    }

    /// Lets everybody live until `end`.
    pub(crate) fn run_until(&mut self, end: Duration) {
        while self.now() < end {
            self.step();
            rest();
        }
    }

    /// One look at everything: what has arrived, who is to send. To be followed by a [`rest`].
    pub(crate) fn step(&mut self) {
        let now = self.now();
        if now >= self.next_receive {
            self.next_receive = now + RECEIVE_INTERVAL;
            self.receive();
        }
        self.send_inputs();
        if now >= self.next_look {
            self.next_look = now + CONNECTING_INTERVAL;
            self.look_after(now);
        }
    }

    fn receive(&mut self) {
        let now = self.now();
        let Load { clients, sockets, random, options, .. } = self;
        sockets.receive(|place, packet| {
            let is_lost = options.loss_percent > 0.0 && random.percent(options.loss_percent);
            // A datagram may be for somebody who had the port before.
            let Some(client) = clients.get_mut(place).filter(|_| !is_lost) else { return };
            match client.netcode.receive(now, packet) {
                Ok(Heard::Connected) => {
                    client.connected_at = Some(now);
                    client.progress.stage = Stage::Greeting;
                }
                Ok(Heard::Payload(payload)) => match &mut client.renet {
                    None => client.progress.hear(payload),
                    Some(renet) => {
                        renet.process_packet(payload);
                        while let Some(bytes) = renet.receive_message(CHANNEL) {
                            client.progress.hear(&bytes);
                        }
                    }
                },
                Ok(Heard::Ended(_)) => client.progress.stage = Stage::Ended,
                Ok(Heard::Nothing) | Err(_) => {}
            }
        });
    }

    /// Sends the inputs of those whose turn has come: each has its place in the tick.
    fn send_inputs(&mut self) {
        let count = self.clients.len() as u64;
        let elapsed = self.now().saturating_sub(self.turns_since);
        let due = (elapsed.as_nanos() as u64).saturating_mul(count) / TICK.as_nanos() as u64;
        // After a pause nobody makes up for what was missed.
        self.turns = self.turns.max(due.saturating_sub(count));
        while self.turns < due {
            let place = (self.turns % count) as usize;
            self.turns += 1;
            if self.clients[place].progress.stage == Stage::Playing {
                self.send_input(place);
            }
        }
    }

    fn send_input(&mut self, place: usize) {
        let now = self.start.elapsed();
        if self.random.percent(3.0) {
            let direction = self.random.in_disc(1.0).normalize_or(glam::Vec2::X);
            let buttons = if self.random.percent(70.0) { Buttons::RUN } else { Buttons::default() };
            self.clients[place].input = PlayerInput::towards(direction, buttons);
        }
        let Load { clients, sockets, random, frame, options, .. } = self;
        let client = &mut clients[place];
        frame.clear();
        let tick = client.progress.server_tick + LEAD_TICKS;
        InputFrame::new(tick, &[client.input; 3], client.progress.acks).encode(frame);
        if !random.percent(options.loss_percent) {
            client.send(now, &[&[FRAME], frame], |packet| sockets.send(place, options.server, packet));
        }
    }

    /// Moves those along who are not in yet.
    fn look_after(&mut self, now: Duration) {
        let LoadOptions { server, world_hash, enters_world, loss_percent, .. } = self.options;
        let Load { clients, sockets, random, .. } = self;
        for (place, client) in clients.iter_mut().enumerate() {
            if client.progress.stage == Stage::Playing || client.progress.stage == Stage::Ended {
                continue;
            }
            if let Some(packet) = client.netcode.update(now)
                && !random.percent(loss_percent)
            {
                sockets.send(place, server, packet);
            }
            let is_due = client.hello_at.is_none_or(|at| now >= at + HELLO_INTERVAL);
            if client.progress.stage == Stage::Greeting && enters_world && is_due {
                client.hello_at = Some(now);
                let hello = control::encode(&ClientControl::Hello(Hello::new(world_hash, "load")));
                if !random.percent(loss_percent) {
                    client.send(now, &[&[CONTROL], &hello], |packet| sockets.send(place, server, packet));
                }
            }
        }
        if self.turns == 0 {
            self.turns_since = now;
        }
    }
}

/// What comes between two steps.
pub(crate) fn rest() {
    std::thread::sleep(LOOK_INTERVAL);
}

impl Progress {
    fn hear(&mut self, payload: &[u8]) {
        let Ok(datagram) = Datagram::parse(payload) else { return };
        if let Some(frame) = datagram.frame
            && let Some(tick) = frame.first_chunk()
            && self.stage == Stage::Playing
        {
            let tick = Tick(u32::from_le_bytes(*tick));
            self.acks.insert(tick);
            self.server_tick = self.server_tick.max(tick);
            self.snapshots += 1;
        }
        let message = datagram.control.and_then(|message| control::decode(message).ok());
        match message {
            Some(ServerControl::Welcome(welcome)) if self.stage == Stage::Greeting => {
                self.stage = Stage::Playing;
                self.server_tick = Tick(welcome.tick);
            }
            Some(ServerControl::Welcome(_)) | None => {}
            Some(ServerControl::Refused(_) | ServerControl::Goodbye(_)) => self.stage = Stage::Ended,
        }
    }
}

impl LoadClient {
    /// Calls `out` with the packets of a payload.
    fn send(&mut self, now: Duration, parts: &[&[u8]], mut out: impl FnMut(&[u8])) {
        let LoadClient { netcode, renet, sent_at, .. } = self;
        match renet {
            None => netcode.payload(now, parts).into_iter().for_each(out),
            Some(renet) => {
                renet.update(now.saturating_sub(*sent_at));
                renet.send_message(CHANNEL, parts.concat());
                for packet in renet.get_packets_to_send() {
                    netcode.payload(now, &[&packet]).into_iter().for_each(&mut out);
                }
            }
        }
        *sent_at = now;
    }
}

#[expect(clippy::disallowed_methods, reason = "a load generator lives in real time")]
fn now() -> Instant {
    Instant::now()
}
