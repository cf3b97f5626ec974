//! One connection to a world, from the first packet to the last.

mod abilities;
mod hours;
mod shown;

use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;
use throng_shared::abilities::Fighter;
use throng_shared::attributes::{Attributes, Schema};
use throng_shared::config::LoadedWorld;
use throng_shared::ids::NetId;
use throng_shared::input::PlayerInput;
use throng_shared::limits::{GAME_MESSAGE_BYTES_MAX, INPUTS_PER_DATAGRAM_MAX};
use throng_shared::map::Map;
use throng_shared::movement::CharacterState;
use throng_shared::tick::{Tick, TickRate};
use throng_shared::wire::WireError;
use throng_shared::wire::channel::{COMBAT, GAME_MESSAGE, HOURS, MessageChannel};
use throng_shared::wire::control::{self, ClientControl, Hello, ServerControl, Welcome};
use throng_shared::wire::datagram::{self, CONTROL, Datagram};
use throng_shared::wire::inputs::{InputFrame, SnapshotAcks};
use throng_shared::wire::overload::OverloadNews;
use throng_shared::wire::snapshot::{Snapshot, SnapshotHeader};

pub use abilities::ClientEvent;
use abilities::OwnAbilities;
pub use hours::WorldDay;

use crate::delay::InterpolationDelay;
use crate::idleness::Idleness;
use crate::inbox::Inbox;
use crate::pace::Pace;
use crate::prediction::Prediction;
use crate::replica::Replica;
use crate::server_clock::ServerClock;
use crate::state::{CloseReason, Resumption, State};
use crate::stats::{ClientStats, SendError};
use crate::transport::{ClientTransport, Traffic, TransportEnd, TransportStatus};
use crate::world_attributes::WorldAttributes;

/// Most inputs that are made at once after a pause of the program; what was missed before them is given up.
const CATCH_UP_INPUTS_MAX: u32 = 32;

/// How often the reliable channel may send by itself; with every input it sends anyway.
const CHANNEL_INTERVAL: Duration = Duration::from_millis(50);

/// How often the hello is repeated until it is answered.
const HELLO_INTERVAL: Duration = Duration::from_millis(100);

/// How long a welcome is awaited.
const WELCOME_TIMEOUT: Duration = Duration::from_secs(10);

/// Inputs whose echo is awaited.
const ECHOES_MAX: usize = 128;

/// A client. It is driven by three calls: [`Client::update`] often, [`Client::step`] whenever
/// [`Client::is_input_due`], and whatever you like to read in between.
#[derive(Debug)]
pub struct Client<T> {
    transport: T,
    /// What has gone over earlier transports.
    former_traffic: Traffic,
    channel: MessageChannel,
    /// What the server calls the channel; 0 before the first welcome.
    channel_number: u64,
    channel_sent_at: Option<Duration>,
    hello_sent_at: Option<Duration>,
    greeting_since: Option<Duration>,
    heard_at: Option<Duration>,
    resumption: Option<Resumption>,
    /// Moves of the transport that were noticed, and the newest tick known when the last began; none when it is over.
    moves: u32,
    moved_after: Option<Tick>,
    state: State,
    map: Arc<Map>,
    archetype_names: Box<[String]>,
    world_hash: u64,
    name: String,
    rate: TickRate,
    net_id: Option<NetId>,
    pace: Option<Pace>,
    server_clock: ServerClock,
    prediction: Prediction,
    abilities: OwnAbilities,
    world_attributes: WorldAttributes,
    /// Messages of the game that nobody has asked for yet.
    inbox: Inbox,
    overload: OverloadNews,
    day: WorldDay,
    replica: Replica,
    delay: InterpolationDelay,
    /// The moment in which the others are shown, as of the last update.
    shown_tick: f64,
    header: SnapshotHeader,
    acks: SnapshotAcks,
    /// Newest first.
    recent_inputs: Vec<PlayerInput>,
    idleness: Idleness,
    /// When inputs were sent that no snapshot has shown yet.
    unechoed: std::collections::VecDeque<(Tick, Duration)>,
    stats: ClientStats,
    scratch: Vec<u8>,
    frame: Vec<u8>,
}

/// Echoes and prediction errors that are kept for somebody to drain.
const UNDRAINED_MAX: usize = 4_096;

impl<T: ClientTransport> Client<T> {
    /// A client of the world `world`, whose map is `map`, over a transport that is connecting.
    pub fn new(transport: T, map: Arc<Map>, world: &LoadedWorld, name: &str) -> Client<T> {
        let rate = TickRate::new(world.config.tick_rate_hz);
        let mut client = Client {
            transport,
            former_traffic: Traffic::default(),
            channel: MessageChannel::default(),
            channel_number: 0,
            channel_sent_at: None,
            hello_sent_at: None,
            greeting_since: None,
            heard_at: None,
            resumption: None,
            moves: 0,
            moved_after: None,
            map: Arc::clone(&map),
            archetype_names: world.config.archetype_names().into(),
            state: State::Connecting,
            world_hash: world.hash,
            name: name.to_owned(),
            rate,
            net_id: None,
            pace: None,
            server_clock: ServerClock::new(rate),
            prediction: Prediction::new(map, rate),
            abilities: OwnAbilities::new(world.combat.clone()),
            world_attributes: WorldAttributes::default(),
            inbox: Inbox::default(),
            overload: OverloadNews::default(),
            day: WorldDay::default(),
            replica: Replica::default(),
            delay: InterpolationDelay::default(),
            shown_tick: 0.0,
            header: SnapshotHeader::default(),
            acks: SnapshotAcks::default(),
            recent_inputs: Vec::with_capacity(INPUTS_PER_DATAGRAM_MAX + 1),
            idleness: Idleness::default(),
            unechoed: std::collections::VecDeque::with_capacity(ECHOES_MAX),
            stats: ClientStats::default(),
            scratch: Vec::new(),
            frame: Vec::new(),
        };
        client.adapt_interpolation_delay();
        client
    }

    /// Goes on over another transport, whose token is newer than the last one and of the same session: when the connection
    /// broke, or this player's address has changed. When the server still holds the seat, everything goes on, and
    /// [`Client::resumption`] says so; until then the replica stands still. False, and nothing happens, when we have left or
    /// were sent away.
    pub fn reconnect(&mut self, transport: T) -> bool {
        if matches!(self.state, State::Closed(CloseReason::Left | CloseReason::Goodbye(_) | CloseReason::Refused(_))) {
            return false;
        }
        let former = std::mem::replace(&mut self.transport, transport).traffic();
        self.former_traffic = self.former_traffic.plus(former);
        self.state = State::Connecting;
        self.hello_sent_at = None;
        self.heard_at = None;
        self.greeting_since = None;
        (self.moves, self.moved_after) = (0, None);
        true
    }

    /// How the last [`Client::reconnect`] ended, or the last time that the transport went on from another address by itself;
    /// none before one has.
    pub fn resumption(&self) -> Option<Resumption> {
        self.resumption
    }

    /// When anything was last heard of the server over this transport, on the caller's scale; none before it was.
    pub fn heard_at(&self) -> Option<Duration> {
        self.heard_at
    }

    /// Sends a message of the game's own, of up to [`GAME_MESSAGE_BYTES_MAX`] bytes. It arrives once, after those sent before.
    ///
    /// # Errors
    /// When it is too long, or too many are under way.
    pub fn send_message(&mut self, message: &[u8]) -> Result<(), SendError> {
        if message.len() > GAME_MESSAGE_BYTES_MAX {
            return Err(SendError::TooLong);
        }
        Ok(self.channel.send([&[GAME_MESSAGE], message].concat())?)
    }

    /// The next message of the game's own, once it has arrived. To be asked for now and then: when 64 KiB wait, nothing more is taken from the
    /// channel, not even what the server tells of the world, and in the end it sends the client away.
    pub fn next_message(&mut self) -> Option<Vec<u8>> {
        self.inbox.take()
    }

    /// How far the server keeps up with its world. When time runs slower, inputs are made as much more seldom, and others are shown as
    /// much slower, without more ado.
    pub fn overload(&self) -> OverloadNews {
        self.overload
    }

    /// Takes in what the server tells of the world over the channel, and sets aside what is of the game.
    fn sort_messages(&mut self, now: Duration) {
        // Before everything else comes what tells the world's attributes.
        while self.world_attributes.schema().is_some() && !self.inbox.is_full() {
            let Some(message) = self.channel.next_message() else { return };
            match message.first() {
                Some(&GAME_MESSAGE) => self.inbox.put(message),
                Some(&HOURS) => self.stats.malformed += u64::from(self.day.hear(&message).is_err()),
                Some(&COMBAT) => self.stats.malformed += u64::from(self.abilities.hear(&message).is_err()),
                _ => match OverloadNews::of(&message) {
                    Ok(news) => {
                        self.overload = news;
                        self.pace.iter_mut().for_each(|pace| pace.set_time_percent(news.time_percent));
                        self.server_clock.set_time_percent(now, news.time_percent);
                    }
                    // Of a kind that only a newer version knows.
                    Err(_) => self.stats.malformed += 1,
                },
            }
        }
    }

    /// Takes in what has arrived, and moves the connection along. To be called as often as things should be noticed.
    pub fn update(&mut self, now: Duration) {
        if self.is_closed() {
            return;
        }
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
            self.heard_at = Some(now);
            if self.take_datagram(now, bytes).is_err() {
                self.stats.malformed += 1;
            }
        }
        self.scratch = arrived;
        self.sort_messages(now);
        self.delay.follow(now, f64::from(self.rate.hz()));
        self.shown_tick = self.view_tick(now);
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
        let mut due: SmallVec<[Tick; 4]> = SmallVec::new();
        while let Some(tick) = self.pace.as_mut().and_then(|pace| pace.take_due(now)) {
            due.push(tick);
        }
        let newest = due.last().copied();
        for &tick in &due {
            // What is done once is done in the newest tick: of many, that one is sent.
            let input = match Some(tick) == newest {
                true => self.with_use(now, tick, input),
                false => input.repeated(),
            };
            if let Some((act, from_m)) = self.prediction.step(tick, input) {
                self.note_use(tick, act, from_m);
            }
            self.idleness.note_input(now, input, self.recent_inputs.first());
            self.recent_inputs.insert(0, input);
            self.recent_inputs.truncate(INPUTS_PER_DATAGRAM_MAX);
        }
        if let Some(newest) = newest
            && self.idleness.is_worth_sending(now, &self.acks)
        {
            if self.unechoed.len() >= ECHOES_MAX {
                self.unechoed.pop_front();
            }
            self.unechoed.push_back((newest, now));
            self.idleness.note_sent(now, self.acks);
            self.frame.clear();
            InputFrame::new(newest, &self.recent_inputs, self.acks).encode(&mut self.frame);
            let frame = std::mem::take(&mut self.frame);
            self.send(now, Some(&frame));
            // When a frame of the game covers so many ticks, the next datagram does not repeat this input.
            if due.len() >= INPUTS_PER_DATAGRAM_MAX && self.recent_inputs.first().is_some_and(|input| input.ability > 0)
            {
                self.send(now, Some(&frame));
            }
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

    /// The own character as the server last told, and the tick of it; none before the first snapshot.
    pub fn confirmed(&self) -> Option<(Tick, CharacterState)> {
        (self.acks.newest > Tick(0)).then(|| (self.header.tick, self.own_state()))
    }

    /// The others.
    pub fn replica(&self) -> &Replica {
        &self.replica
    }

    /// The world's attributes: handles of them read what [`ReplicaEntity::attributes`] and [`Client::own_attributes`] hold. None before
    /// they are told, which is before the first snapshot is read.
    pub fn attributes(&self) -> Option<&Schema> {
        self.world_attributes.schema().map(Arc::as_ref)
    }

    /// What the own character has, as far as it was told; [`Prediction::own_attributes`] has paid what it has used since.
    pub fn own_attributes(&self) -> &Attributes {
        self.replica.own_attributes()
    }

    /// What it has seen so far.
    pub fn stats(&self) -> &ClientStats {
        &self.stats
    }

    /// The same, to be drained.
    pub fn stats_mut(&mut self) -> &mut ClientStats {
        &mut self.stats
    }

    /// What has gone over the connection, and over those before it.
    pub fn traffic(&self) -> Traffic {
        self.former_traffic.plus(self.transport.traffic())
    }

    /// What was measured of the reliable channel.
    pub fn channel(&self) -> &MessageChannel {
        &self.channel
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
        if let Some(message) = datagram.control {
            self.hear(now, control::decode(message)?);
        }
        if self.state != State::Playing {
            // Without the welcome we do not know who we are, and which channel it is. What we do not acknowledge is sent
            // again.
            return Ok(());
        }
        for packet in datagram.packets() {
            self.channel.receive_packet(now, packet)?;
        }
        if self.world_attributes.hear(&mut self.channel)? {
            let schema = self.world_attributes.schema().cloned().unwrap_or_default();
            self.abilities.learn(self.rate, &schema);
            self.prediction.learn(self.abilities.rules().cloned());
            self.replica.learn(schema);
        }
        self.sort_messages(now);
        // What cannot be read yet is not acknowledged, and told again.
        match (datagram.frame, self.world_attributes.schema().cloned()) {
            (Some(frame), Some(schema)) => self.take_snapshot(now, &schema, frame),
            _ => Ok(()),
        }
    }

    fn hear(&mut self, now: Duration, message: ServerControl) {
        match message {
            ServerControl::Welcome(welcome) if self.state == State::Greeting => self.enter_world(now, &welcome),
            // Said again, for the hello was.
            ServerControl::Welcome(_) => {}
            ServerControl::Refused(refused) => self.close(now, CloseReason::Refused(refused)),
            ServerControl::Goodbye(reason) => self.close(now, CloseReason::Goodbye(reason)),
        }
    }

    fn enter_world(&mut self, now: Duration, welcome: &Welcome) {
        let is_complete = welcome.is_resumed && welcome.channel == self.channel_number;
        if self.channel_number > 0 {
            let last = self.replica.newest_tick();
            let gap_ticks = if is_complete { Tick(welcome.tick).since(last) } else { 0 };
            self.resumption = Some(Resumption { is_complete, gap_ticks });
        }
        if !is_complete {
            self.begin_anew();
        }
        self.world_attributes.expect(welcome.attributes);
        self.channel_number = welcome.channel;
        self.state = State::Playing;
        self.net_id = Some(welcome.net_id);
        self.replica.leave_out(welcome.net_id);
        let mut pace = Pace::new(self.rate, now, Tick(welcome.tick));
        pace.set_time_percent(self.overload.time_percent);
        self.pace = Some(pace);
        self.recent_inputs.clear();
        self.unechoed.clear();
        self.prediction.forget_from(Tick(welcome.tick));
    }

    /// Forgets everything that an earlier connection told.
    fn begin_anew(&mut self) {
        if self.channel_number > 0 {
            // What was queued before the first welcome goes out after it.
            self.channel = MessageChannel::default();
        }
        self.prediction = Prediction::new(Arc::clone(&self.map), self.rate);
        self.prediction.learn(self.abilities.rules().cloned());
        self.replica.clear();
        self.world_attributes = WorldAttributes::default();
        self.overload = OverloadNews::default();
        self.day = WorldDay::default();
        self.server_clock = ServerClock::new(self.rate);
        self.header = SnapshotHeader::default();
        self.acks = SnapshotAcks::default();
        self.idleness = Idleness::default();
    }

    fn take_snapshot(&mut self, now: Duration, schema: &Schema, bytes: &[u8]) -> Result<(), WireError> {
        let snapshot = Snapshot::decode(schema, bytes)?;
        let Some(applied) = self.replica.apply(&snapshot)? else { return Ok(()) };
        let header = snapshot.header;
        self.acks.insert(header.tick);
        self.stats.snapshots += 1;
        self.stats.enters += u64::from(applied.enters);
        self.stats.updates += u64::from(applied.updates);
        if header.tick < self.header.tick {
            // It was overtaken: what it says of others may be new, what it says of us is not.
            return Ok(());
        }
        if let Some(last) = self.moved_after.filter(|&last| header.tick > last) {
            self.moved_after = None;
            self.resumption = Some(Resumption { is_complete: true, gap_ticks: header.tick.since(last) });
        }
        self.header = header;
        self.server_clock.hear(now, header.tick);
        let heard = self.server_clock.tick_heard_at(now).unwrap_or_default();
        self.delay.note(now, heard - f64::from(header.tick.0));
        if let (Some(pace), Some(margin_ms)) = (&mut self.pace, header.input_margin_ms) {
            let moved_to = pace.report(header.tick, f64::from(margin_ms));
            if let Some(next) = moved_to {
                self.prediction.forget_from(next);
                self.recent_inputs.clear();
                self.unechoed.clear();
            }
        }
        self.note_echo(now, header.tick, header.input_age_ticks);
        let fighter = match snapshot.fighter {
            [] => Fighter::default(),
            bytes => Fighter::decode(header.tick, bytes)?,
        };
        if let Some(error_m) =
            self.prediction.confirm(header.tick, self.own_state(), fighter, self.replica.own_attributes())
            && self.stats.prediction_errors_m.len() < UNDRAINED_MAX
        {
            self.stats.prediction_errors_m.push(error_m);
        }
        Ok(())
    }

    /// The own character by the newest snapshot; it does not tell the facing, which is the player's own.
    fn own_state(&self) -> CharacterState {
        let header = &self.header;
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
        if self.transport.moves() != self.moves {
            self.moves = self.transport.moves();
            // Before the welcome there is nothing to go on with.
            let moved_after = (self.state == State::Playing).then(|| self.replica.newest_tick());
            self.moved_after = self.moved_after.or(moved_after);
        }
        if self.state == State::Connecting {
            self.state = State::Greeting;
        }
        if self.state == State::Greeting {
            let since = *self.greeting_since.get_or_insert(now);
            if now >= since + WELCOME_TIMEOUT {
                self.close(now, CloseReason::Transport(TransportEnd::NoWelcome));
                return;
            }
            if self.hello_sent_at.is_none_or(|sent_at| now >= sent_at + HELLO_INTERVAL) {
                self.hello_sent_at = Some(now);
                let hello = Hello { channel: self.channel_number, ..Hello::new(self.world_hash, &self.name) };
                let hello = control::encode(&ClientControl::Hello(hello));
                self.transport.send(now, &[&[CONTROL], &hello[..]].concat());
            }
        } else if self.channel_sent_at.is_none_or(|sent_at| now >= sent_at + CHANNEL_INTERVAL) {
            self.send(now, None);
        }
    }

    fn send(&mut self, now: Duration, frame: Option<&[u8]>) {
        self.channel_sent_at = Some(now);
        let packets = self.channel.packets_to_send(now);
        let transport = &mut self.transport;
        datagram::pack(frame, packets.iter().map(Vec::as_slice), &mut self.scratch, |bytes| transport.send(now, bytes));
    }

    fn close(&mut self, now: Duration, reason: CloseReason) {
        if !self.is_closed() {
            // It tells the server that we have heard.
            self.transport.disconnect(now);
            self.state = State::Closed(reason);
        }
    }
}
