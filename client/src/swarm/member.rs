//! One client of a swarm, and whoever plays it.

use std::time::Duration;

use crate::client::Client;
use crate::udp::UdpTransport;
use crate::wanderer::Wanderer;

/// A client and whoever plays it.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) client: Client<UdpTransport>,
    pub(super) was_playing: bool,
    /// Whether its end has been counted.
    pub(super) is_counted: bool,
    wanderer: Wanderer,
}

impl Member {
    pub(super) fn new(client: Client<UdpTransport>, wanderer: Wanderer) -> Member {
        Member { client, was_playing: false, is_counted: false, wanderer }
    }

    /// Makes an input if it is time.
    pub(super) fn play(&mut self, now: Duration) {
        if self.client.is_input_due(now) {
            let input = self.wanderer.input(&self.client, now);
            self.client.step(now, input);
        }
    }
}
