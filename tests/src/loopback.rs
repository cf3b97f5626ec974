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
use throng_server::net::{Exchange, Mailbox, NetInbound, NetTotals, UdpOptions, UdpTransport};
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
    /// What each network thread does, and where it meets the tick.
    workers: Vec<(Exchange<UdpTransport>, Mailbox)>,
    inbound: NetInbound,
    outbound: OutboundBatch,
    now: Duration,
    tokens: u64,
}

/// How a [`LoopbackServer`] is to be.
#[derive(Clone, Copy, Debug)]
pub struct LoopbackOptions {
    /// Most clients at once.
    pub clients_max: usize,
    /// Network threads, at least one, each with a port of its own; but their work is done by the one who steps.
    pub workers: u16,
    /// Time over which the snapshots of a tick are spread.
    pub spread: Duration,
}

impl Default for LoopbackOptions {
    fn default() -> Self {
        LoopbackOptions { clients_max: 100, workers: 1, spread: Duration::ZERO }
    }
}

/// Opens the network side of a server on any free port, with the development key.
///
/// # Panics
/// When loopback has no port.
pub fn open_transport(clients_max: usize) -> UdpTransport {
    open_transport_of(0, clients_max, &UsedTokens::default(), &TakenPlaces::default())
}

fn open_transport_of(worker: u16, clients_max: usize, used_tokens: &UsedTokens, places: &TakenPlaces) -> UdpTransport {
    let options = UdpOptions {
        bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        public: None,
        key: ConnectKey::DEVELOPMENT,
        clients_max,
        places: places.clone(),
        unix_clock: || Duration::from_millis(token_data().issued_at_ms),
        worker,
        used_tokens: used_tokens.clone(),
    };
    UdpTransport::bind(options, Duration::ZERO).expect("loopback has a port")
}

impl LoopbackServer {
    /// Starts a server of one world.
    ///
    /// # Panics
    /// When loopback has no port, or the world lacks its files.
    pub fn start(world: LoadedWorld) -> LoopbackServer {
        LoopbackServer::start_with(world, LoopbackOptions::default())
    }

    /// The same with these options.
    ///
    /// # Panics
    /// As [`LoopbackServer::start`], and without a network thread.
    pub fn start_with(world: LoadedWorld, options: LoopbackOptions) -> LoopbackServer {
        let clock = Arc::new(ManualClock::default());
        let instance = Instance::new(&world, clock.clone()).expect("the kit's worlds have their files");
        let map = Map::new(&world.config, world.terrain_samples.as_ref()).expect("the kit's worlds have their files");
        assert!(options.workers > 0, "somebody must listen");
        let shared = (UsedTokens::default(), TakenPlaces::default());
        let open = |worker| {
            let transport = open_transport_of(worker, options.clients_max, &shared.0, &shared.1);
            (Exchange::new(transport, options.spread), Mailbox::default())
        };
        LoopbackServer {
            world,
            map: Arc::new(map),
            clock,
            host: Host::new(vec![instance], HostOptions::default(), Duration::ZERO),
            workers: (0..options.workers).map(open).collect(),
            inbound: NetInbound::default(),
            outbound: OutboundBatch::default(),
            now: Duration::ZERO,
            tokens: 0,
        }
    }

    /// Where it listens first.
    ///
    /// # Panics
    /// Never: there is a network thread.
    pub fn address(&mut self) -> SocketAddr {
        self.addresses()[0]
    }

    /// Where each network thread listens.
    pub fn addresses(&mut self) -> Vec<SocketAddr> {
        let address = |(exchange, _): &mut (Exchange<UdpTransport>, _)| {
            exchange.connections_mut().transport_mut().local_address()
        };
        self.workers.iter_mut().map(address).collect()
    }

    /// The time.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// What the network side has counted, all of it together.
    pub fn totals(&self) -> NetTotals {
        let mut totals = NetTotals::default();
        self.workers.iter().for_each(|(exchange, _)| totals.add(exchange.totals()));
        totals
    }

    /// Clients connected at each network thread.
    pub fn connected(&self) -> Vec<u64> {
        self.workers.iter().map(|(exchange, _)| exchange.totals().connected).collect()
    }

    /// The worlds and their front door.
    pub fn host_mut(&mut self) -> &mut Host {
        &mut self.host
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
        let address = self.address();
        self.open_client_transport_to(client, &[address])
    }

    /// The same, to these addresses in turn.
    ///
    /// # Panics
    /// As [`LoopbackServer::open_client_transport`], and when an address is not of loopback.
    pub fn open_client_transport_to(&mut self, client: ClientId, addresses: &[SocketAddr]) -> ClientUdp {
        self.tokens += 1;
        let data = TokenData { issued_at_ms: self.tokens, ..TokenData::default() };
        let token = connect_token(addresses, client, data, &ConnectKey::DEVELOPMENT);
        ClientUdp::connect(token.expect("loopback is allowed"), self.now).expect("loopback has a port")
    }

    /// A player that begins to connect.
    pub fn open_client(&mut self, client: ClientId) -> Client<ClientUdp> {
        let address = self.address();
        self.open_client_to(client, &[address])
    }

    /// A player that begins to connect to these addresses in turn.
    pub fn open_client_to(&mut self, client: ClientId, addresses: &[SocketAddr]) -> Client<ClientUdp> {
        let transport = self.open_client_transport_to(client, addresses);
        Client::new(transport, Arc::clone(&self.map), &self.world, "loopback")
    }

    /// Lets a step's time pass as a server's threads do, one after the other: what has arrived is taken, ticks that are due are lived through, and what they
    /// tell is sent.
    pub fn step(&mut self) {
        self.now += STEP;
        self.clock.set(self.now);
        self.workers.iter_mut().for_each(|(exchange, mailbox)| exchange.turn(mailbox, &*self.clock));
        if self.host.next_due().is_none_or(|due| due > self.now) {
            return;
        }
        for (_, mailbox) in &self.workers {
            mailbox.collect(&mut self.inbound);
            self.host.receive(self.now, &self.inbound);
        }
        self.host.run_due(self.now, &mut self.outbound, |_, _| ());
        for (number, (exchange, mailbox)) in self.workers.iter_mut().enumerate() {
            mailbox.post(self.outbound.shard(number as u16));
            exchange.turn(mailbox, &*self.clock);
            // So many at once, and the rest when it has been looked whether something has arrived.
            while exchange.longest_wait(self.now).is_zero() {
                exchange.turn(mailbox, &*self.clock);
            }
        }
        self.outbound.clear();
    }
}
