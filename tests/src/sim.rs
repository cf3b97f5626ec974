//! A server and its clients, moved along together.

use std::sync::Arc;
use std::time::Duration;

use glam::{Vec2, Vec3, Vec3Swizzles};
use throng_client::{Client, State, Wanderer};
use throng_server::batch::OutboundBatch;
use throng_server::clock::ManualClock;
use throng_server::host::{Host, HostOptions};
use throng_server::instance::Instance;
use throng_server::memory_network::{MemoryClientTransport, MemoryNetwork, MemoryServerTransport};
use throng_server::net::{Connections, NetInbound};
use throng_server::tick::Phase;
use throng_shared::abilities::aim_towards;
use throng_shared::config::LoadedWorld;
use throng_shared::ids::{ClientId, InstanceId, NetId};
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::limits::DATAGRAM_BYTES_MAX;
use throng_shared::link::LinkConditions;
use throng_shared::map::Map;
use throng_shared::movement::CharacterState;
use throng_shared::random::Random;
use throng_shared::wire::token::TokenData;

use crate::oracle::Oracle;
use crate::rules::check_rules;
use crate::world::flat_world;

/// Clients that the oracle looks at in a tick; more take turns.
const COMPARED_PER_TICK: usize = 250;

/// Time between two looks at everything.
const SUBSTEP: Duration = Duration::from_millis(5);

/// A simulation to be.
pub struct SimBuilder {
    seed: u64,
    worlds: Vec<LoadedWorld>,
    link: LinkConditions,
    order_seed: Option<u64>,
    staleness_ticks_max: Option<u32>,
    hold: Duration,
    frame: Duration,
}

/// A player of a [`Sim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlayerHandle(usize);

impl PlayerHandle {
    /// The player who came as the `number`th, counted from 0.
    pub fn nth(number: usize) -> PlayerHandle {
        PlayerHandle(number)
    }
}

/// What a player does.
#[derive(Clone, Debug)]
pub enum Plan {
    /// Makes the same input in every tick.
    Hold(PlayerInput),
    /// Runs and walks about, and jumps now and then.
    Wander(Random),
    /// Does what members of a swarm do.
    Swarm(Wanderer),
    /// Stands and turns, a little further in each tick, beginning with this facing.
    Spin(u16),
    /// Uses an ability on somebody where it sees it.
    Aim(Aim),
}

/// How a player aims.
#[derive(Clone, Debug)]
pub struct Aim {
    /// At whom.
    pub target: NetId,
    /// With which ability, by its number.
    pub ability: u8,
    /// In every so manieth tick.
    pub every_ticks: u32,
    /// How far above its feet, in metres.
    pub height_m: f32,
    /// By how much it misses that at most, in metres.
    pub stray_m: f32,
    /// What it does besides.
    pub moves: Vec2,
    /// By what it strays.
    pub random: Random,
    /// Ticks so far.
    pub ticks: u32,
}

impl Aim {
    /// Stands, and aims at the middle of somebody in every so manieth tick.
    pub fn at(target: NetId, ability: u8, every_ticks: u32) -> Aim {
        Aim {
            target,
            ability,
            every_ticks,
            height_m: 1.0,
            stray_m: 0.0,
            moves: Vec2::ZERO,
            random: Random::new(1, 0),
            ticks: 0,
        }
    }

    fn input(&mut self, client: &Client<MemoryClientTransport>, now: Duration) -> PlayerInput {
        self.ticks += 1;
        let moves = PlayerInput::towards(self.moves, Buttons::RUN);
        let target = client.replica().get(self.target);
        let (Some(target), true) = (target, self.ticks.is_multiple_of(self.every_ticks)) else { return moves };
        let mut at_m = client.interpolated(target, now).position_m + Vec3::Y * self.height_m;
        at_m += self.random.in_disc(self.stray_m).extend(0.0).xzy();
        let eyes_m = client.prediction().state().position_m + Vec3::Y * 1.6;
        let (yaw, pitch) = aim_towards(at_m - eyes_m);
        PlayerInput { yaw, pitch, ability: self.ability, ..moves }
    }
}

/// A running simulation.
pub struct Sim {
    seed: u64,
    now: Duration,
    link: LinkConditions,
    clock: Arc<ManualClock>,
    host: Host,
    network: MemoryNetwork,
    connections: Connections<MemoryServerTransport>,
    inbound: NetInbound,
    outbound: OutboundBatch,
    worlds: Vec<(LoadedWorld, Arc<Map>)>,
    players: Vec<Player>,
    /// How long a frame of the players' programs is, and when the last one was.
    frame: Duration,
    framed_at: Duration,
    oracles: Vec<Option<Oracle>>,
    before: Vec<Vec<(u32, CharacterState)>>,
    fingerprints: Vec<u64>,
    ticks: u32,
    /// Tokens handed out so far.
    tokens: u64,
}

struct Player {
    client: Client<MemoryClientTransport>,
    id: ClientId,
    instance: InstanceId,
    plan: Plan,
}

impl SimBuilder {
    /// Uses this world, in place of the flat one; a second call adds a second world to the host.
    pub fn world(mut self, world: LoadedWorld) -> SimBuilder {
        self.worlds.push(world);
        self
    }

    /// Makes every player's link this bad.
    pub fn link(mut self, link: LinkConditions) -> SimBuilder {
        self.link = link;
        self
    }

    /// Shuffles the order of systems wherever none is written.
    pub fn system_order(mut self, order_seed: u64) -> SimBuilder {
        self.order_seed = Some(order_seed);
        self
    }

    /// Compares every replica after every tick, allowing this staleness.
    pub fn oracle(mut self, staleness_ticks_max: u32) -> SimBuilder {
        self.staleness_ticks_max = Some(staleness_ticks_max);
        self
    }

    /// Holds the seats of players whose connections break for so long; by default for 30 s.
    pub fn hold(mut self, hold: Duration) -> SimBuilder {
        self.hold = hold;
        self
    }

    /// Lets the players' programs look after their clients only so often, as games do once per frame; by default at every look.
    pub fn frame(mut self, frame: Duration) -> SimBuilder {
        self.frame = frame;
        self
    }

    /// Starts it.
    pub fn start(mut self) -> Sim {
        if self.worlds.is_empty() {
            self.worlds.push(flat_world(|_| ()));
        }
        let clock = Arc::new(ManualClock::default());
        let instances = self.worlds.iter().map(|world| {
            Instance::with_system_order(world, clock.clone(), self.order_seed)
                .expect("the kit's worlds have their files")
        });
        let options = HostOptions { hold: self.hold, ..HostOptions::default() };
        let host = Host::new(instances.collect(), options, Duration::ZERO);
        let network = MemoryNetwork::default();
        let count = self.worlds.len();
        let with_map = |world: LoadedWorld| {
            let map =
                Map::new(&world.config, world.terrain_samples.as_ref()).expect("the kit's worlds have their files");
            (world, Arc::new(map))
        };
        Sim {
            seed: self.seed,
            now: Duration::ZERO,
            link: self.link,
            clock,
            host,
            connections: Connections::new(network.server()),
            network,
            inbound: NetInbound::default(),
            outbound: OutboundBatch::default(),
            worlds: self.worlds.into_iter().map(with_map).collect(),
            players: Vec::new(),
            frame: self.frame,
            framed_at: Duration::ZERO,
            oracles: (0..count).map(|_| self.staleness_ticks_max.map(Oracle::new)).collect(),
            before: vec![Vec::new(); count],
            fingerprints: Vec::new(),
            ticks: 0,
            tokens: 0,
        }
    }
}

impl Sim {
    /// A simulation in which `seed` fixes everything.
    #[expect(clippy::new_ret_no_self, reason = "a simulation is described before it starts")]
    pub fn new(seed: u64) -> SimBuilder {
        SimBuilder {
            seed,
            worlds: Vec::new(),
            link: LinkConditions::default(),
            order_seed: None,
            staleness_ticks_max: None,
            hold: Duration::from_secs(30),
            frame: Duration::ZERO,
        }
    }

    /// Connects players to the first world and runs until all are in it.
    pub fn connect<const COUNT: usize>(&mut self) -> [PlayerHandle; COUNT] {
        let players = std::array::from_fn(|_| self.start_connecting(InstanceId(0)));
        self.run_until_playing();
        players
    }

    /// Connects many wandering players to the first world and runs until all are in it.
    pub fn connect_wanderers(&mut self, count: u32) -> Vec<PlayerHandle> {
        let players = (0..count)
            .map(|number| {
                let player = self.start_connecting(InstanceId(0));
                self.plan(player, Plan::Wander(Random::new(self.seed, 1_000 + u64::from(number))));
                player
            })
            .collect();
        self.run_until_playing();
        players
    }

    /// Connects a player to a world, without waiting.
    pub fn start_connecting(&mut self, instance: InstanceId) -> PlayerHandle {
        let id = ClientId(self.players.len() as u64 + 1);
        let transport = self.connect_raw_to(id.0, instance);
        let (world, map) = &self.worlds[usize::from(instance.0)];
        let client = Client::new(transport, Arc::clone(map), world, &format!("player {}", id.0));
        self.players.push(Player { client, id, instance, plan: Plan::Hold(PlayerInput::default()) });
        PlayerHandle(self.players.len() - 1)
    }

    /// Plugs in a connection to the first world that no player of ours drives, for those who break the rules.
    pub fn connect_raw(&mut self, id: u64) -> MemoryClientTransport {
        self.connect_raw_to(id, InstanceId(0))
    }

    /// As [`Sim::connect_raw`], with a token for any world. Each token is newer than those before, and of session 0.
    pub fn connect_raw_to(&mut self, id: u64, instance: InstanceId) -> MemoryClientTransport {
        self.tokens += 1;
        let data = TokenData { instance, session: 0, issued_at_ms: self.tokens };
        self.network.connect(ClientId(id), data, self.link, self.seed)
    }

    /// Lets nothing through between a player and the server any more. Neither is told; see [`Sim::time_out`].
    pub fn cut(&mut self, player: PlayerHandle) {
        self.network.cut(self.players[player.0].client.transport());
    }

    /// Lets the server notice that nothing comes from a player any more.
    pub fn time_out(&mut self, player: PlayerHandle) {
        self.network.time_out(self.players[player.0].client.transport());
    }

    /// Connects a player anew, with a newer token.
    pub fn reconnect(&mut self, player: PlayerHandle) {
        let Player { id, instance, .. } = self.players[player.0];
        let transport = self.connect_raw_to(id.0, instance);
        self.players[player.0].client.reconnect(transport);
    }

    /// Who a player is to the server.
    pub fn client_id(&self, player: PlayerHandle) -> ClientId {
        self.players[player.0].id
    }

    /// A client of the first world over such a connection, to be driven by the test.
    pub fn client_over(&self, transport: MemoryClientTransport) -> Client<MemoryClientTransport> {
        let (world, map) = &self.worlds[0];
        Client::new(transport, Arc::clone(map), world, "raw")
    }

    /// Sets a player's character down elsewhere, standing at a point (x, z).
    pub fn teleport(&mut self, player: PlayerHandle, point_m: Vec2) {
        let (net_id, _) = self.character(player);
        let InstanceId(place) = self.players[player.0].instance;
        assert!(self.instance_mut(InstanceId(place)).place(net_id, point_m), "the player has a character");
        // The rules of movement do not hold for whoever is carried.
        self.before[usize::from(place)].retain(|(other, _)| *other != net_id.0);
    }

    /// Changes what a player does.
    pub fn plan(&mut self, player: PlayerHandle, plan: Plan) {
        self.players[player.0].plan = plan;
    }

    /// Lets a player leave.
    pub fn leave(&mut self, player: PlayerHandle) {
        let Player { client, id, instance, .. } = &mut self.players[player.0];
        client.leave(self.now);
        if let Some(oracle) = &mut self.oracles[usize::from(instance.0)] {
            oracle.forget(*id);
        }
    }

    /// Runs until every world has lived through `count` more ticks of the first.
    pub fn run_ticks(&mut self, count: u32) {
        self.run_ticks_with(count, |_| ());
    }

    /// As [`Sim::run_ticks`], calling `look` after each tick.
    pub fn run_ticks_with(&mut self, count: u32, mut look: impl FnMut(&mut Sim)) {
        let end = self.ticks + count;
        while self.ticks < end {
            let before = self.ticks;
            self.substep();
            if self.ticks > before {
                look(self);
            }
        }
    }

    /// Lets each tick of a world take so much time from now on; without this, it takes none.
    pub fn set_tick_time(&mut self, time: Duration) {
        self.clock.set_reading_time(time / Phase::ALL.len() as u32);
    }

    /// Lets time pass without a tick, as on a machine that is busy with something else. The late ticks that the server
    /// then catches up with are not compared by the oracle.
    pub fn pause_server(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.now < end {
            self.now += SUBSTEP;
            self.clock.set(self.now);
            self.connections.receive(self.now, &mut self.inbound);
            self.move_players();
        }
        self.host.receive(self.now, &self.inbound);
        self.inbound.clear();
        let fingerprints = &mut self.fingerprints;
        self.host.run_due(self.now, &mut self.outbound, |_, instance| fingerprints.push(instance.fingerprint()));
        self.before = self.host.instances().map(states).collect();
        self.send();
        // Several ticks at once are several snapshots at once.
        drop(self.network.take_frame_counts());
    }

    /// Runs until every player is in its world.
    ///
    /// # Panics
    /// When one is not after 200 ticks.
    pub fn run_until_playing(&mut self) {
        for _ in 0..200 {
            let is_waiting = |player: &Player| matches!(player.client.state(), State::Connecting | State::Greeting);
            if !self.players.iter().any(is_waiting) {
                return;
            }
            self.run_ticks(1);
        }
        panic!(
            "not everybody got in: {:?}",
            self.players.iter().map(|player| player.client.state()).collect::<Vec<_>>()
        );
    }

    /// A player's client.
    pub fn client(&self, player: PlayerHandle) -> &Client<MemoryClientTransport> {
        &self.players[player.0].client
    }

    /// A player's client, to be changed.
    pub fn client_mut(&mut self, player: PlayerHandle) -> &mut Client<MemoryClientTransport> {
        &mut self.players[player.0].client
    }

    /// Whether a player is in its world, by its own and by the server's account.
    pub fn is_playing(&self, player: PlayerHandle) -> bool {
        self.players.get(player.0).is_some_and(|Player { client, id, instance, .. }| {
            *client.state() == State::Playing && self.instance(*instance).character_of(*id).is_some()
        })
    }

    /// Whether `viewer` knows of `other`.
    pub fn sees(&self, viewer: PlayerHandle, other: PlayerHandle) -> bool {
        let net_id = self.client(other).net_id();
        net_id.is_some_and(|net_id| self.client(viewer).replica().get(net_id).is_some())
    }

    /// A player's character as the server has it.
    ///
    /// # Panics
    /// When it has none.
    pub fn character(&self, player: PlayerHandle) -> (NetId, CharacterState) {
        let Player { id, instance, .. } = &self.players[player.0];
        self.instance(*instance).character_of(*id).expect("the player is in the world")
    }

    /// A world.
    ///
    /// # Panics
    /// When there is none of that number.
    pub fn instance(&self, id: InstanceId) -> &Instance {
        self.host.instances().nth(usize::from(id.0)).expect("as many worlds as the test asked for")
    }

    /// A world, to be changed between ticks.
    ///
    /// # Panics
    /// When there is none of that number.
    pub fn instance_mut(&mut self, id: InstanceId) -> &mut Instance {
        self.host.instance_mut(id).expect("as many worlds as the test asked for")
    }

    /// The server.
    pub fn host_mut(&mut self) -> &mut Host {
        &mut self.host
    }

    /// Sends what the host says goodbye with, as a stopping server does.
    pub fn stop_server(&mut self) {
        self.host.say_goodbye(self.now);
        self.host.settle(self.now, &mut self.outbound);
        self.send();
    }

    /// The time.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Fingerprints of all worlds after every tick so far.
    pub fn fingerprints(&self) -> &[u64] {
        &self.fingerprints
    }

    /// The oracle of the first world.
    ///
    /// # Panics
    /// When the test asked for none.
    pub fn oracle(&self) -> &Oracle {
        self.oracles[0].as_ref().expect("the test asked for an oracle")
    }

    fn send(&mut self) {
        let shard = self.outbound.shard(0);
        self.connections.begin(self.now, shard);
        self.connections.send_frames(self.now, shard, 0..shard.frame_count());
        self.connections.finish(self.now, shard);
        self.outbound.clear();
    }

    fn substep(&mut self) {
        self.now += SUBSTEP;
        self.clock.set(self.now);
        self.connections.receive(self.now, &mut self.inbound);
        if self.host.next_due().is_some_and(|due| due <= self.now) {
            self.tick();
        }
        self.move_players();
    }

    fn move_players(&mut self) {
        if self.now < self.framed_at + self.frame {
            return;
        }
        self.framed_at = self.now;
        for player in &mut self.players {
            player.client.update(self.now);
            while player.client.is_input_due(self.now) {
                let input = player.plan.input(&player.client, self.now);
                player.client.step(self.now, input);
            }
        }
    }

    fn tick(&mut self) {
        let ticks_before = self.instance(InstanceId(0)).current_tick();
        self.host.receive(self.now, &self.inbound);
        self.inbound.clear();
        let fingerprints = &mut self.fingerprints;
        self.host.run_due(self.now, &mut self.outbound, |_, instance| fingerprints.push(instance.fingerprint()));
        self.ticks += self.instance(InstanceId(0)).current_tick().since(ticks_before);
        for (place, instance) in self.host.instances().enumerate() {
            let states = states(instance);
            check_rules(instance, &self.before[place], &states);
            self.before[place] = states;
            let totals = instance.totals();
            assert_eq!(totals.ledger.snapshot_bytes(), totals.snapshot_bytes, "every byte is in the ledger once");
            if let Some(oracle) = &mut self.oracles[place] {
                oracle.remember(instance);
                let here = self.players.iter().filter(|player| usize::from(player.instance.0) == place);
                let turns = self.players.len().div_ceil(COMPARED_PER_TICK).max(1);
                for player in here.skip(self.ticks as usize % turns).step_by(turns) {
                    if *player.client.state() == State::Playing {
                        assert_eq!(player.client.stats().malformed, 0, "what the client cannot read");
                        oracle.compare(player.id, player.client.replica());
                    }
                }
            }
        }
        self.send();
        for (client, frames, longest_bytes) in self.network.take_frame_counts() {
            assert!(frames <= 1, "{client:?} was sent {frames} snapshots in one tick");
            assert!(longest_bytes <= DATAGRAM_BYTES_MAX, "{client:?} was sent a datagram of {longest_bytes} bytes");
        }
    }
}

impl Plan {
    /// Stands still.
    pub fn stand() -> Plan {
        Plan::Hold(PlayerInput::default())
    }

    /// Runs east.
    pub fn run_east() -> Plan {
        Plan::run(Vec2::X)
    }

    /// Runs in a direction (x, z).
    pub fn run(direction: Vec2) -> Plan {
        Plan::Hold(PlayerInput::towards(direction, Buttons::RUN))
    }

    fn input(&mut self, client: &Client<MemoryClientTransport>, now: Duration) -> PlayerInput {
        match self {
            Plan::Aim(aim) => aim.input(client, now),
            Plan::Hold(input) => *input,
            Plan::Swarm(wanderer) => wanderer.input(client, now),
            Plan::Spin(yaw) => {
                *yaw = yaw.wrapping_add(1_024);
                PlayerInput { yaw: *yaw, ..PlayerInput::default() }
            }
            Plan::Wander(random) => {
                // The heading changes now and then; in between it is drawn from the facing.
                let yaw = client.prediction().state().yaw;
                let heading = if random.percent(3.0) {
                    random.in_disc(1.0).normalize_or(Vec2::X)
                } else {
                    let angle = f32::from(yaw) / 65_536.0 * std::f32::consts::TAU;
                    Vec2::new(libm::sinf(angle), -libm::cosf(angle))
                };
                let pause = random.percent(10.0);
                let jump = if random.percent(2.0) { Buttons::JUMP } else { Buttons::default() };
                let input = PlayerInput::towards(heading, Buttons::RUN.with(jump));
                if pause { PlayerInput { yaw: input.yaw, ..PlayerInput::default() } } else { input }
            }
        }
    }
}

/// Every character's exact state, by rising name.
fn states(instance: &Instance) -> Vec<(u32, CharacterState)> {
    let mut states: Vec<(u32, CharacterState)> = instance
        .world()
        .iter_entities()
        .filter_map(|entity| Some((entity.get::<NetId>()?.0, *entity.get::<CharacterState>()?)))
        .collect();
    states.sort_unstable_by_key(|(net_id, _)| *net_id);
    states
}
