//! One connection to a world, from the first packet to the last.

use std::sync::Arc;
use std::time::Duration;

use glam::Vec3;
use throng_shared::config::LoadedWorld;
use throng_shared::ids::NetId;
use throng_shared::input::PlayerInput;
use throng_shared::limits::INPUTS_PER_DATAGRAM_MAX;
use throng_shared::map::Map;
use throng_shared::movement::CharacterState;
use throng_shared::tick::{Tick, TickRate};
use throng_shared::wire::WireError;
use throng_shared::wire::channel::MessageChannel;
use throng_shared::wire::datagram::{self, Datagram};
use throng_shared::wire::inputs::{InputFrame, SnapshotAcks};
use throng_shared::wire::message::{self, ClientMessage, GoodbyeReason, Hello, Refused, ServerMessage, Welcome};
use throng_shared::wire::snapshot::Snapshot;

use crate::pace::Pace;
use crate::prediction::Prediction;
use crate::replica::{Interpolated, Replica, ReplicaEntity};
use crate::server_clock::ServerClock;
use crate::transport::{ClientTransport, Traffic, TransportStatus};

/// How far behind the newest snapshot others are shown unless [`Client::set_interpolation_delay`] says otherwise: at
/// 20 Hz one lost snapshot is then bridged.
const INTERPOLATION_DELAY: Duration = Duration::from_millis(100);

/// The least and the most that this may be: two ticks, and what states are kept for.
const INTERPOLATION_DELAY_TICKS_MIN: f64 = 2.0;
const INTERPOLATION_DELAY_MAX: Duration = Duration::from_secs(1);

/// States of others are kept for this long beyond the interpolation delay, in milliseconds: snapshots arrive late and
/// in any order.
const SAMPLES_MS: u32 = 400;

/// Most inputs that are made at once after a pause of the program; what was missed before them is given up.
const CATCH_UP_INPUTS_MAX: u32 = 32;

/// How often the reliable channel may send by itself; with every input it sends anyway.
const CHANNEL_INTERVAL: Duration = Duration::from_millis(50);

/// Inputs whose echo is awaited.
const ECHOES_MAX: usize = 128;

/// A client. It is driven by three calls: [`Client::update`] often, [`Client::step`] whenever
/// [`Client::is_input_due`], and whatever you like to read in between.
#[derive(Debug)]
pub struct Client<T> {
    transport: T,
    channel: MessageChannel,
    updated_at: Duration,
    channel_sent_at: Option<Duration>,
    state: State,
    world_hash: u64,
    name: String,
    rate: TickRate,
    net_id: Option<NetId>,
    pace: Option<Pace>,
    server_clock: ServerClock,
    prediction: Prediction,
    replica: Replica,
    interpolation_delay_ticks: f64,
    snapshot: Snapshot,
    acks: SnapshotAcks,
    /// Newest first.
    recent_inputs: Vec<PlayerInput>,
    /// When inputs were sent that no snapshot has shown yet.
    unechoed: std::collections::VecDeque<(Tick, Duration)>,
    stats: ClientStats,
    scratch: Vec<u8>,
    frame: Vec<u8>,
}

/// How far a client has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The encrypted connection is being made.
    Connecting,
    /// Connected; hello has been said.
    Greeting,
    /// In the world.
    Playing,
    /// It is over.
    Closed(CloseReason),
}

/// Why it is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// The server did not let us in.
    #[error("refused: {}", describe(.0))]
    Refused(Refused),
    /// The server ended it.
    #[error("sent away: {0}")]
    Goodbye(GoodbyeReason),
    /// The connection broke, or was never made.
    #[error("no connection: {0}")]
    Transport(String),
    /// We ended it.
    #[error("left")]
    Left,
}

/// What a client has seen so far.
#[derive(Clone, Debug, Default)]
pub struct ClientStats {
    /// Snapshots received, each counted once.
    pub snapshots: u64,
    /// Entities that entered, with repetitions.
    pub enters: u64,
    /// Entity updates.
    pub updates: u64,
    /// Datagrams and messages that could not be understood.
    pub malformed: u64,
    /// Time from sending an input to the arrival of the first snapshot that shows it applied, in milliseconds; one for
    /// each input. To be drained by whoever is interested.
    pub echoes_ms: Vec<f32>,
    /// By how much the own position was predicted wrong, in metres; one for each snapshot. To be drained.
    pub prediction_errors_m: Vec<f32>,
}

/// Echoes and prediction errors that are kept for somebody to drain.
const UNDRAINED_MAX: usize = 4_096;

impl<T: ClientTransport> Client<T> {
    /// A client of the world `world`, whose map is `map`, over a transport that is connecting.
    pub fn new(transport: T, map: Arc<Map>, world: &LoadedWorld, name: &str) -> Client<T> {
        let rate = TickRate::new(world.config.tick_rate_hz);
        let mut client = Client {
            transport,
            channel: MessageChannel::default(),
            updated_at: Duration::ZERO,
            channel_sent_at: None,
            state: State::Connecting,
            world_hash: world.hash,
            name: name.to_owned(),
            rate,
            net_id: None,
            pace: None,
            server_clock: ServerClock::new(rate),
            prediction: Prediction::new(map, rate),
            replica: Replica::default(),
            interpolation_delay_ticks: INTERPOLATION_DELAY_TICKS_MIN,
            snapshot: Snapshot::default(),
            acks: SnapshotAcks::default(),
            recent_inputs: Vec::with_capacity(INPUTS_PER_DATAGRAM_MAX + 1),
            unechoed: std::collections::VecDeque::with_capacity(ECHOES_MAX),
            stats: ClientStats::default(),
            scratch: Vec::new(),
            frame: Vec::new(),
        };
        client.set_interpolation_delay(INTERPOLATION_DELAY);
        client
    }

    /// Shows others this far behind the newest snapshot: the later, the more loss and jitter is bridged. At least two
    /// ticks, at most a second; 100 ms by default.
    pub fn set_interpolation_delay(&mut self, delay: Duration) {
        let delay = delay.min(INTERPOLATION_DELAY_MAX);
        let delay_ticks = delay.as_secs_f64() * f64::from(self.rate.hz());
        self.interpolation_delay_ticks = delay_ticks.max(INTERPOLATION_DELAY_TICKS_MIN);
        self.replica.keep(self.rate.ticks_for_ms(delay.as_millis() as u32 + SAMPLES_MS) as usize);
    }

    /// Takes in what has arrived, and moves the connection along. To be called as often as things should be noticed.
    pub fn update(&mut self, now: Duration) {
        if self.is_closed() {
            return;
        }
        self.channel.advance(now.saturating_sub(self.updated_at));
        self.updated_at = now;
        let mut arrived = std::mem::take(&mut self.scratch);
        let mut lengths = Vec::new();
        arrived.clear();
        self.transport.receive(now, &mut |bytes| {
            arrived.extend_from_slice(bytes);
            lengths.push(bytes.len());
        });
        let mut rest = &arrived[..];
        for length in lengths {
            let (bytes, after) = rest.split_at(length);
            rest = after;
            if self.take_datagram(now, bytes).is_err() {
                self.stats.malformed += 1;
            }
        }
        self.scratch = arrived;
        self.follow_connection(now);
    }

    /// Whether it is time to [`Client::step`].
    pub fn is_input_due(&self, now: Duration) -> bool {
        self.next_input_at().is_some_and(|due| due <= now)
    }

    /// When the next input is to be made; none while not in the world.
    pub fn next_input_at(&self) -> Option<Duration> {
        match self.state {
            State::Playing => self.pace.as_ref().map(Pace::next_at),
            _ => None,
        }
    }

    /// Makes `input` the wish for the tick whose turn it is: predicts with it, and sends it. After a pause, for every tick
    /// that has passed.
    pub fn step(&mut self, now: Duration, input: PlayerInput) {
        let State::Playing = self.state else { return };
        let Some(pace) = &mut self.pace else { return };
        pace.skip_overdue(now, CATCH_UP_INPUTS_MAX);
        let mut newest = None;
        while pace.next_at() <= now {
            let tick = pace.next_tick();
            pace.advance();
            self.prediction.step(tick, input);
            self.recent_inputs.insert(0, input);
            self.recent_inputs.truncate(INPUTS_PER_DATAGRAM_MAX);
            if self.unechoed.len() >= ECHOES_MAX {
                self.unechoed.pop_front();
            }
            self.unechoed.push_back((tick, now));
            newest = Some(tick);
        }
        if let Some(newest) = newest {
            self.frame.clear();
            InputFrame::new(newest, &self.recent_inputs, self.acks).encode(&mut self.frame);
            let frame = std::mem::take(&mut self.frame);
            self.send(now, Some(&frame));
            self.frame = frame;
        }
    }

    /// Leaves the world and tells the server.
    pub fn leave(&mut self, now: Duration) {
        if !self.is_closed() {
            self.transport.disconnect(now);
            self.state = State::Closed(CloseReason::Left);
        }
    }

    /// How far it has come.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether it is over.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed(_))
    }

    /// The own character's name on the wire, once in the world.
    pub fn net_id(&self) -> Option<NetId> {
        self.net_id
    }

    /// The own character, predicted.
    pub fn prediction(&self) -> &Prediction {
        &self.prediction
    }

    /// Where to show the own character now, in metres: between its last two predicted positions, with corrections
    /// blended in. None before the first snapshot.
    pub fn own_position_m(&self, now: Duration) -> Option<Vec3> {
        let share = self.pace.as_ref()?.share_since_newest(now);
        self.prediction.is_placed().then(|| self.prediction.shown_position_m(share))
    }

    /// The own character as the server last told, and the tick of it; none before the first snapshot.
    pub fn confirmed(&self) -> Option<(Tick, CharacterState)> {
        (self.acks.newest > Tick(0)).then(|| (self.snapshot.header.tick, self.own_state()))
    }

    /// The others.
    pub fn replica(&self) -> &Replica {
        &self.replica
    }

    /// Where to show an entity now: a little in the past, between two states that have arrived.
    pub fn interpolated(&self, entity: &ReplicaEntity, now: Duration) -> Interpolated {
        let newest = f64::from(self.replica.newest_tick().0);
        let heard = self.server_clock.tick_heard_at(now).unwrap_or(newest);
        entity.interpolate(heard - self.interpolation_delay_ticks)
    }

    /// What it has seen so far.
    pub fn stats(&self) -> &ClientStats {
        &self.stats
    }

    /// The same, to be drained.
    pub fn stats_mut(&mut self) -> &mut ClientStats {
        &mut self.stats
    }

    /// What has gone over the connection.
    pub fn traffic(&self) -> Traffic {
        self.transport.traffic()
    }

    /// The transport.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// The transport, for tests that cheat.
    pub fn transport_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    fn take_datagram(&mut self, now: Duration, bytes: &[u8]) -> Result<(), WireError> {
        let datagram = Datagram::parse(bytes)?;
        for packet in datagram.packets() {
            self.channel.receive_packet(packet)?;
        }
        while let Some(bytes) = self.channel.next_message() {
            self.hear(now, message::decode(&bytes)?);
        }
        match datagram.frame {
            Some(frame) if self.state == State::Playing => self.take_snapshot(now, frame),
            // Without the welcome we do not know who we are. It is not acknowledged, so what it says is sent again.
            Some(_) | None => Ok(()),
        }
    }

    fn hear(&mut self, now: Duration, message: ServerMessage) {
        match message {
            ServerMessage::Welcome(welcome) => self.enter_world(now, &welcome),
            ServerMessage::Refused(refused) => self.close(now, CloseReason::Refused(refused)),
            ServerMessage::Goodbye(reason) => self.close(now, CloseReason::Goodbye(reason)),
        }
    }

    fn enter_world(&mut self, now: Duration, welcome: &Welcome) {
        self.state = State::Playing;
        self.net_id = Some(welcome.net_id);
        self.pace = Some(Pace::new(self.rate, now, Tick(welcome.tick)));
    }

    fn take_snapshot(&mut self, now: Duration, bytes: &[u8]) -> Result<(), WireError> {
        let newest_header = self.snapshot.header;
        self.snapshot.decode_from(bytes).inspect_err(|_| self.snapshot.header = newest_header)?;
        let header = self.snapshot.header;
        if self.acks.contains(header.tick) {
            self.snapshot.header = newest_header;
            return Ok(());
        }
        self.acks.insert(header.tick);
        self.stats.snapshots += 1;
        self.stats.enters += self.snapshot.enters.len() as u64;
        self.stats.updates += self.snapshot.updates.len() as u64;
        self.replica.apply(&self.snapshot);
        self.server_clock.hear(now, header.tick);
        if header.tick < newest_header.tick {
            // Overtaken: what it says of ourselves is old.
            self.snapshot.header = newest_header;
            return Ok(());
        }
        if let (Some(pace), Some(margin_ms)) = (&mut self.pace, header.input_margin_ms) {
            let moved_to = pace.report(header.tick, f64::from(margin_ms));
            if let Some(next) = moved_to {
                self.prediction.forget_from(next);
                self.recent_inputs.clear();
                self.unechoed.clear();
            }
        }
        self.note_echo(now, header.tick, header.input_age_ticks);
        if let Some(error_m) = self.prediction.confirm(header.tick, self.own_state())
            && self.stats.prediction_errors_m.len() < UNDRAINED_MAX
        {
            self.stats.prediction_errors_m.push(error_m);
        }
        Ok(())
    }

    /// The own character by the newest snapshot; it does not tell the facing, which is the player's own.
    fn own_state(&self) -> CharacterState {
        let header = &self.snapshot.header;
        CharacterState {
            position_m: header.position_m,
            velocity_mps: header.velocity_mps,
            grounded: header.grounded,
            yaw: self.prediction.state().yaw,
        }
    }

    /// Notes how long the newest applied input took to come back.
    fn note_echo(&mut self, now: Duration, tick: Tick, input_age_ticks: u8) {
        if input_age_ticks == u8::MAX {
            return;
        }
        let applied = tick - u32::from(input_age_ticks);
        while let Some(&(input_tick, sent_at)) = self.unechoed.front() {
            if input_tick > applied {
                return;
            }
            self.unechoed.pop_front();
            if input_tick == applied && self.stats.echoes_ms.len() < UNDRAINED_MAX {
                self.stats.echoes_ms.push(now.saturating_sub(sent_at).as_secs_f32() * 1000.0);
            }
        }
    }

    /// Says hello when the connection stands, notices when it breaks, and repeats messages that need it.
    fn follow_connection(&mut self, now: Duration) {
        match self.transport.status() {
            TransportStatus::Connecting => return,
            TransportStatus::Disconnected(reason) => {
                if !self.is_closed() {
                    self.state = State::Closed(CloseReason::Transport(reason));
                }
                return;
            }
            TransportStatus::Connected => {}
        }
        if self.state == State::Connecting {
            let hello = ClientMessage::Hello(Hello::new(self.world_hash, &self.name));
            self.channel.send(message::encode(&hello)).expect("the first message finds the channel empty");
            self.state = State::Greeting;
        }
        if self.channel_sent_at.is_none_or(|sent_at| now >= sent_at + CHANNEL_INTERVAL) {
            self.send(now, None);
        }
    }

    fn send(&mut self, now: Duration, frame: Option<&[u8]>) {
        self.channel_sent_at = Some(now);
        let packets = self.channel.packets_to_send();
        let transport = &mut self.transport;
        datagram::pack(frame, packets.iter().map(Vec::as_slice), &mut self.scratch, |bytes| transport.send(now, bytes));
    }

    fn close(&mut self, now: Duration, reason: CloseReason) {
        if !self.is_closed() {
            // The acknowledgement of the last message lets the server close at once.
            self.send(now, None);
            self.transport.disconnect(now);
            self.state = State::Closed(reason);
        }
    }
}

fn describe(refused: &Refused) -> String {
    let Refused { reason, version_min, version_max, world_name, world_hash } = refused;
    match reason {
        message::RefusalReason::Version => format!("{reason}; the server speaks {version_min} to {version_max}"),
        message::RefusalReason::World => {
            format!("{reason}; the server runs `{world_name}` with hash {world_hash:016x}: use the same world files")
        }
        message::RefusalReason::Full | message::RefusalReason::UnknownInstance => reason.to_string(),
    }
}
