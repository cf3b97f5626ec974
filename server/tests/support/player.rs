//! Players: one by one, or as a swarm.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use glam::Vec2;
use mio::{Events, Poll, Token};
use throng_client::swarm::SwarmOptions;
use throng_client::{Client, State, UdpTransport, connect_token, token_data};
use throng_shared::config::builtin_world;
use throng_shared::ids::{ClientId, InstanceId};
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::link::LinkConditions;
use throng_shared::map::Map;
use throng_shared::wire::key::ConnectKey;

use super::{keep_asking, now};

/// Longest wait for a datagram.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// A player of the meadow who keeps walking east.
pub(crate) struct Player {
    client: Client<UdpTransport>,
    poll: Poll,
    start: Instant,
    /// How many times faster than ours their clock is.
    speed: u32,
}

impl Player {
    /// Starts to connect.
    pub(crate) fn connect(server: SocketAddr, key: &ConnectKey) -> Player {
        let poll = Poll::new().expect("a poll is to be had");
        let transport = transport(server, key, &poll, Duration::ZERO);
        let world = builtin_world();
        let map = Arc::new(Map::new(&world.config, None).expect("the meadow has ground"));
        let client = Client::new(transport, map, &world, "Ann");
        Player { client, poll, start: now(), speed: 1 }
    }

    /// Goes on over another socket, from another port, with a newer token. Nobody is told that the former one is gone.
    pub(crate) fn reconnect(&mut self, server: SocketAddr, key: &ConnectKey) {
        let transport = transport(server, key, &self.poll, self.start.elapsed() * self.speed);
        self.client.reconnect(transport);
    }

    /// The client.
    pub(crate) fn client_mut(&mut self) -> &mut Client<UdpTransport> {
        &mut self.client
    }

    /// The same with a hasty clock, for those who wait in vain.
    pub(crate) fn hasty(self) -> Player {
        Player { speed: 20, ..self }
    }

    /// Plays until something has come about.
    pub(crate) fn play_until(&mut self, what: &str, is_so: impl Fn(&Client<UdpTransport>) -> bool) {
        let mut events = Events::with_capacity(8);
        keep_asking(what, || {
            // An interrupted wait is a short one.
            let _ = self.poll.poll(&mut events, Some(LOOK_INTERVAL));
            let now = self.start.elapsed() * self.speed;
            self.client.update(now);
            if self.client.is_input_due(now) {
                self.client.step(now, PlayerInput::towards(Vec2::X, Buttons::default()));
            }
            is_so(&self.client)
        });
    }

    pub(crate) fn state(&self) -> &State {
        self.client.state()
    }
}

fn transport(server: SocketAddr, key: &ConnectKey, poll: &Poll, now: Duration) -> UdpTransport {
    let token = connect_token(&[server], ClientId(7), token_data(), key).expect("a token for this machine");
    let mut transport = UdpTransport::connect(token, now).expect("a socket is to be had");
    transport.register(poll.registry(), Token(0)).expect("a socket can be waited for");
    transport
}

/// A swarm of 20 for the world that is built in, on a perfect link, with the development key.
pub(crate) fn swarm_options(server: SocketAddr) -> SwarmOptions {
    SwarmOptions {
        servers: vec![server],
        key: ConnectKey::DEVELOPMENT,
        instance: InstanceId(0),
        world: builtin_world(),
        clients: 20,
        measured: Duration::from_secs(2),
        conditions: LinkConditions::default(),
        seed: 1,
        first_client_id: 1_000,
    }
}
