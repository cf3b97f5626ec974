//! A whole server past the seal: two clients say whatever a script wants, a bystander plays on.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use throng_client::{Client, State};
use throng_server::batch::OutboundBatch;
use throng_server::clock::ManualClock;
use throng_server::host::{Host, HostOptions};
use throng_server::instance::Instance;
use throng_server::net::{ConnectionEnd, ConnectionId, Connections, NetInbound};
use throng_shared::config::LoadedWorld;
use throng_shared::ids::{ClientId, InstanceId};
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::map::Map;
use throng_shared::movement::CharacterState;
use throng_shared::tick::Tick;
use throng_shared::wire::control::{self, ClientControl, Hello};
use throng_shared::wire::datagram::{CONTROL, FRAME};
use throng_shared::wire::inputs::{InputFrame, SnapshotAcks};
use throng_shared::wire::token::TokenData;

use super::script::Script;
use super::transports::{News, QueuedTransport, ScriptedTransport};
use super::wire::check_replica;
use crate::rules::check_rules;
use crate::world::flat_world;

/// Ticks that one script may ask for; what it says after them is not heard.
const TICKS_MAX: u32 = 150;

/// Snapshots that the bystander may be behind: it stands idle.
const STALE_TICKS_MAX: u32 = 6;

/// Connections of speakers that stand at once; the oldest makes room.
const CONNECTIONS_MAX: usize = 8;

const BYSTANDER: ClientId = ClientId(1);
const BYSTANDER_CONNECTION: ConnectionId = ConnectionId { worker: 0, slot: 0, generation: 1 };
const SPEAKERS: [ClientId; 2] = [ClientId(2), ClientId(3)];

/// How long the seats of those whose connections break are held.
const HOLD: Duration = Duration::from_secs(2);

static WORLD: LazyLock<(LoadedWorld, Arc<Map>)> = LazyLock::new(|| {
    let world = flat_world(|config| {
        config.size_m = 128.0;
        config.population.target = 0;
        config.population.players_max = 3;
    });
    let map = Map::new(&world.config, None).expect("a flat world needs no file");
    (world, Arc::new(map))
});

/// The world that targets play in, and its map.
pub(super) fn small_world() -> &'static (LoadedWorld, Arc<Map>) {
    &WORLD
}

/// A script of two clients, the *speakers*. The first byte says in its lowest bits which of them have come in honestly.
/// Then each step has the speaker in its highest bit and what happens in the lowest:
///
/// | step | then | what happens |
/// |---|---|---|
/// | 0, 1 | count, bytes | the speaker sends these bytes |
/// | 2 | | ticks pass, one more than the next four bits say |
/// | 3 | two bytes, count, bytes | a frame that is nearly right: tick and acknowledgement relative to the current tick |
/// | 4 | channel (1) | a right hello |
/// | 5 | token (1) | another connection is made; see `Stage::connect` |
/// | 6 | | the connection ends: it breaks, or when the next bit is set, is quit |
/// | 7 | count, bytes | the speaker sends these bytes, and a tick passes |
pub fn host(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let mut stage = Stage::new(script.byte().unwrap_or(0));
    while let Some(step) = script.byte() {
        let speaker = usize::from(step >> 7);
        match step & 7 {
            0 | 1 => stage.say(speaker, script.counted().to_vec()),
            2 => (0..=step >> 3 & 15).for_each(|_| stage.tick()),
            3 => stage.say_frame(speaker, &mut script),
            4 => stage.say_hello(speaker, u64::from(script.byte().unwrap_or(0))),
            5 => stage.connect(speaker, script.byte().unwrap_or(0)),
            6 => {
                let end = if step & 8 == 0 { ConnectionEnd::TimedOut } else { ConnectionEnd::Quit };
                stage.disconnect(speaker, end);
            }
            _ => {
                stage.say(speaker, script.counted().to_vec());
                stage.tick();
            }
        }
        if stage.ticks >= TICKS_MAX {
            break;
        }
    }
    (0..3).for_each(|_| stage.tick());
    stage.check_bystander();
}

struct Stage {
    now: Duration,
    ticks: u32,
    host: Host,
    connections: Connections<ScriptedTransport>,
    inbound: NetInbound,
    outbound: OutboundBatch,
    bystander: Client<QueuedTransport>,
    /// The newest connection of each speaker.
    speakers: [Option<ConnectionId>; SPEAKERS.len()],
    /// Connections of speakers that stand, oldest first.
    open: Vec<ConnectionId>,
    connections_made: u32,
    before: Vec<(u32, CharacterState)>,
}

impl Stage {
    /// The bystander has come in, and so have the speakers whose bits are set.
    fn new(present: u8) -> Stage {
        let (world, map) = small_world();
        let instance = Instance::new(world, Arc::new(ManualClock::default())).expect("a flat world needs no file");
        let mut stage = Stage {
            now: Duration::ZERO,
            ticks: 0,
            host: Host::new(vec![instance], HostOptions { hold: HOLD, ..HostOptions::default() }, Duration::ZERO),
            connections: Connections::new(ScriptedTransport::default()),
            inbound: NetInbound::default(),
            outbound: OutboundBatch::default(),
            bystander: Client::new(QueuedTransport::default(), Arc::clone(map), world, "bystander"),
            speakers: [None; SPEAKERS.len()],
            open: Vec::new(),
            connections_made: 0,
            before: Vec::new(),
        };
        let token = Some(TokenData { issued_at_ms: 1, ..TokenData::default() });
        stage.news().push(News::Connected(BYSTANDER_CONNECTION, BYSTANDER, token));
        for speaker in (0..SPEAKERS.len()).filter(|speaker| present >> speaker & 1 == 1) {
            stage.connect(speaker, 0);
            stage.say_hello(speaker, 0);
        }
        (0..4).for_each(|_| stage.tick());
        stage.ticks = 0;
        stage.check_bystander();
        stage
    }

    fn news(&mut self) -> &mut Vec<News> {
        &mut self.connections.transport_mut().news
    }

    fn instance(&self) -> &Instance {
        self.host.instances().next().expect("the stage has one world")
    }

    fn current_tick(&self) -> Tick {
        self.instance().current_tick()
    }

    /// Makes another connection. The lowest two bits of `kind` are the session, the next three how new the token is; the
    /// next sends it to a world that does not exist, and the highest makes the token unreadable.
    fn connect(&mut self, speaker: usize, kind: u8) {
        if self.open.len() >= CONNECTIONS_MAX {
            let oldest = self.open.remove(0);
            self.news().push(News::Disconnected(oldest, ConnectionEnd::TimedOut));
        }
        self.connections_made += 1;
        let is_taken = |place: u32| self.open.iter().any(|connection| connection.slot == place);
        let place = (1..).find(|&place| !is_taken(place)).expect("there are more places than connections");
        let connection = ConnectionId { worker: 0, slot: place, generation: self.connections_made };
        let token = TokenData {
            instance: InstanceId(u16::from(kind >> 5 & 1)),
            session: u64::from(kind & 3),
            issued_at_ms: u64::from(kind >> 2 & 7),
        };
        let token = (kind < 128).then_some(token);
        self.news().push(News::Connected(connection, SPEAKERS[speaker], token));
        self.open.push(connection);
        self.speakers[speaker] = Some(connection);
    }

    fn disconnect(&mut self, speaker: usize, end: ConnectionEnd) {
        if let Some(connection) = self.speakers[speaker].take().filter(|connection| self.open.contains(connection)) {
            self.open.retain(|other| *other != connection);
            self.news().push(News::Disconnected(connection, end));
        }
    }

    fn say(&mut self, speaker: usize, datagram: Vec<u8>) {
        if let Some(connection) = self.speakers[speaker].filter(|connection| self.open.contains(connection)) {
            self.news().push(News::Datagram(connection, datagram));
        }
    }

    fn say_hello(&mut self, speaker: usize, channel: u64) {
        let hello = Hello { channel, ..Hello::new(small_world().0.hash, "speaker") };
        let hello = control::encode(&ClientControl::Hello(hello));
        self.say(speaker, [&[CONTROL], &hello[..]].concat());
    }

    fn say_frame(&mut self, speaker: usize, script: &mut Script<'_>) {
        let (ahead, acked) = (script.byte().unwrap_or(0), script.byte().unwrap_or(0));
        let input = |bytes: &[u8; 5]| PlayerInput {
            move_x: bytes[0] as i8,
            move_z: bytes[1] as i8,
            yaw: u16::from_le_bytes([bytes[2], bytes[3]]),
            buttons: Buttons(bytes[4] & 0x0f),
            ability: bytes[4] >> 4,
            pitch: i16::from_le_bytes([bytes[0], bytes[1]]),
            view_back_steps: u16::from_le_bytes([bytes[1], bytes[3]]),
        };
        let mut inputs: Vec<PlayerInput> = script.counted().as_chunks().0.iter().map(input).collect();
        inputs.resize(inputs.len().max(1), PlayerInput::default());
        let current = self.current_tick();
        let acks = SnapshotAcks { newest: current - u32::from(acked & 15), before: u32::MAX >> (acked >> 4) };
        let mut frame = vec![FRAME];
        InputFrame::new(current + u32::from(ahead) - 8, &inputs, acks).encode(&mut frame);
        self.say(speaker, frame);
    }

    /// Lives through a tick: everything that was said is heard, everything that is to be sent is sent.
    fn tick(&mut self) {
        let before = self.current_tick();
        self.now += self.instance().tick_rate().due(Tick(1));
        self.connections.receive(self.now, &mut self.inbound);
        self.host.receive(self.now, &self.inbound);
        self.inbound.clear();
        self.host.run_due(self.now, &mut self.outbound, |_, _| ());
        assert_eq!(self.current_tick(), before + 1, "ticks go on");
        let shard = self.outbound.shard(0);
        self.connections.begin(self.now, shard);
        self.connections.send_frames(self.now, shard, 0..shard.frame_count());
        self.connections.finish(self.now, shard);
        self.outbound.clear();
        self.ticks += 1;
        self.check_characters();
        self.move_bystander();
        let transport = self.connections.transport_mut();
        for ended in transport.ended.drain(..) {
            assert_ne!(ended, BYSTANDER_CONNECTION, "the bystander is sent away");
            self.open.retain(|connection| *connection != ended);
        }
    }

    fn move_bystander(&mut self) {
        let heard = self.connections.transport_mut().sent.drain(..);
        let inbox = heard.filter(|(to, _)| *to == BYSTANDER_CONNECTION).map(|(_, datagram)| datagram);
        self.bystander.transport_mut().inbox.extend(inbox);
        self.bystander.update(self.now);
        while self.bystander.is_input_due(self.now) {
            self.bystander.step(self.now, PlayerInput::default());
        }
        let said = std::mem::take(&mut self.bystander.transport_mut().outbox);
        self.news().extend(said.into_iter().map(|datagram| News::Datagram(BYSTANDER_CONNECTION, datagram)));
    }

    /// Nobody gets around the rules of movement.
    fn check_characters(&mut self) {
        let instance = self.instance();
        let clients = SPEAKERS.iter().chain([&BYSTANDER]);
        let characters = clients.filter_map(|client| instance.character_of(*client));
        let mut states: Vec<_> = characters.map(|(net_id, state)| (net_id.0, state)).collect();
        states.sort_unstable_by_key(|(net_id, _)| *net_id);
        check_rules(instance, &self.before, &states);
        self.before = states;
    }

    fn check_bystander(&self) {
        assert_eq!(*self.bystander.state(), State::Playing);
        assert!(self.instance().character_of(BYSTANDER).is_some(), "the bystander is gone");
        let stale_ticks = self.current_tick().since(self.bystander.replica().newest_tick());
        assert!(stale_ticks <= STALE_TICKS_MAX, "the bystander has heard nothing for {stale_ticks} ticks");
        assert_eq!(self.bystander.stats().malformed, 0);
        check_replica(self.bystander.replica());
    }
}
