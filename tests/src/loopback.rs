//! A whole server over a real socket of this machine, moved along by hand: time is what the test says, and what is sent over
//! loopback has arrived when the call returns.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use throng_client::{Client, UdpTransport as ClientUdp, connect_token, token_data};
use throng_server::batch::OutboundBatch;
use throng_server::clock::ManualClock;
use throng_server::host::{Host, HostOptions};
use throng_server::instance::Instance;
use throng_server::net::netcode::{TakenPlaces, UsedTokens};
use throng_server::net::{Connections, Mailbox, NetInbound, NetTotals, UdpOptions, UdpTransport};
use throng_shared::config::LoadedWorld;
use throng_shared::ids::{ClientId, InstanceId};
use throng_shared::map::Map;
use throng_shared::wire::key::ConnectKey;
use throng_shared::wire::token::TokenData;

/// Time between two looks at everything.
const STEP: Duration = Duration::from_millis(10);

/// See the module's documentation.
pub struct LoopbackServer {
    world: LoadedWorld,
    map: Arc<Map>,
    clock: Arc<ManualClock>,
    host: Host,
    connections: Connections<UdpTransport>,
    /// What the network side fills, what the tick takes, and where they meet.
    received: NetInbound,
    inbound: NetInbound,
    mailbox: Mailbox,
    totals: NetTotals,
    outbound: OutboundBatch,
    now: Duration,
    tokens: u64,
}

/// Opens the network side of a server on any free port, with the development key.
///
/// # Panics
/// When loopback has no port.
pub fn open_transport(clients_max: usize) -> UdpTransport {
    let options = UdpOptions {
        bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        public: None,
        key: ConnectKey::DEVELOPMENT,
        clients_max,
        places: TakenPlaces::default(),
        unix_clock: || Duration::from_millis(token_data().issued_at_ms),
        worker: 0,
        used_tokens: UsedTokens::default(),
    };
    UdpTransport::bind(options, Duration::ZERO).expect("loopback has a port")
}

impl LoopbackServer {
    /// Starts a server of one world.
    ///
    /// # Panics
    /// When loopback has no port, or the world lacks its files.
    pub fn start(world: LoadedWorld) -> LoopbackServer {
        LoopbackServer::start_with_places(world, 100)
    }

    /// The same for so many clients.
    ///
    /// # Panics
    /// As [`LoopbackServer::start`].
    pub fn start_with_places(world: LoadedWorld, clients_max: usize) -> LoopbackServer {
        let clock = Arc::new(ManualClock::default());
        let instance = Instance::new(&world, clock.clone()).expect("the kit's worlds have their files");
        let map = Map::new(&world.config, world.terrain_samples.as_ref()).expect("the kit's worlds have their files");
        LoopbackServer {
            world,
            map: Arc::new(map),
            clock,
            host: Host::new(vec![instance], HostOptions::default(), Duration::ZERO),
            connections: Connections::new(open_transport(clients_max)),
            received: NetInbound::default(),
            inbound: NetInbound::default(),
            mailbox: Mailbox::default(),
            totals: NetTotals::default(),
            outbound: OutboundBatch::default(),
            now: Duration::ZERO,
            tokens: 0,
        }
    }

    /// Where it listens.
    pub fn address(&mut self) -> SocketAddr {
        self.connections.transport_mut().local_address()
    }

    /// The time.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// What the network side has counted.
    pub fn totals(&self) -> NetTotals {
        self.totals
    }

    /// The world.
    ///
    /// # Panics
    /// Never: there is one.
    pub fn instance_mut(&mut self) -> &mut Instance {
        self.host.instance_mut(InstanceId(0)).expect("there is one world")
    }

    /// Another socket for a player, with a token that is newer than those before.
    ///
    /// # Panics
    /// When loopback has no port.
    pub fn open_client_transport(&mut self, client: ClientId) -> ClientUdp {
        self.tokens += 1;
        let data = TokenData { issued_at_ms: self.tokens, ..TokenData::default() };
        let token = connect_token(&[self.address()], client, data, &ConnectKey::DEVELOPMENT);
        ClientUdp::connect(token.expect("loopback is allowed"), self.now).expect("loopback has a port")
    }

    /// A player that begins to connect.
    pub fn open_client(&mut self, client: ClientId) -> Client<ClientUdp> {
        let transport = self.open_client_transport(client);
        Client::new(transport, Arc::clone(&self.map), &self.world, "loopback")
    }

    /// Lets a step's time pass as a server's threads do, one after the other: what has arrived is taken, ticks that are due are lived through, and what they
    /// tell is sent.
    pub fn step(&mut self) {
        self.now += STEP;
        self.clock.set(self.now);
        self.connections.receive(self.now, &mut self.received);
        self.totals = self.received.totals;
        self.mailbox.deliver(&mut self.received);
        if self.host.next_due().is_some_and(|due| due <= self.now) {
            self.mailbox.collect(&mut self.inbound);
            self.host.receive(self.now, &self.inbound);
            self.host.run_due(self.now, &mut self.outbound, |_, _| ());
            self.mailbox.post(self.outbound.shard(0));
            self.outbound.clear();
        }
        while let Some(shard) = self.mailbox.take_outbound() {
            self.connections.begin(self.now, &shard);
            self.connections.send_frames(self.now, &shard, 0..shard.frame_count());
            self.connections.finish(self.now, &shard);
            self.mailbox.give_back(shard);
        }
    }
}
