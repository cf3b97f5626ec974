//! One client of a swarm: wanders about.

use std::time::Duration;

use glam::Vec2;
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::random::Random;

use crate::client::Client;
use crate::udp::UdpTransport;

/// A client and whoever plays it.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) client: Client<UdpTransport>,
    pub(super) was_playing: bool,
    /// Whether its end has been counted.
    pub(super) is_counted: bool,
    random: Random,
    heading: Vec2,
    buttons: Buttons,
    yaw: u16,
    inputs_to_next_turn: u32,
}

/// Share of the world's half side beyond which a member turns back.
const EDGE_SHARE: f32 = 0.9;

/// How far a member that stands turns with each input, in 1/65,536 of a turn.
const LOOK_ABOUT: u16 = 512;

impl Member {
    pub(super) fn new(client: Client<UdpTransport>, seed: u64, number: u32) -> Member {
        Member {
            client,
            was_playing: false,
            is_counted: false,
            random: Random::new(seed, u64::from(number)),
            heading: Vec2::X,
            buttons: Buttons::default(),
            yaw: 0,
            inputs_to_next_turn: 0,
        }
    }

    /// Makes an input if it is time.
    pub(super) fn play(&mut self, now: Duration, half_size_m: f32, rate_hz: u32) {
        if !self.client.is_input_due(now) {
            return;
        }
        if self.inputs_to_next_turn == 0 {
            self.turn(half_size_m);
            self.inputs_to_next_turn = rate_hz / 2 + self.random.below(rate_hz * 3);
        }
        self.inputs_to_next_turn -= 1;
        let jump = if self.random.percent(1.0) { Buttons::JUMP } else { Buttons::default() };
        let mut input = PlayerInput::towards(self.heading, self.buttons.with(jump));
        if self.heading == Vec2::ZERO {
            // Whoever stands looks about.
            self.yaw = self.yaw.wrapping_add(LOOK_ABOUT);
            input = PlayerInput { yaw: self.yaw, ..PlayerInput::default() };
        }
        self.client.step(now, input);
    }

    fn turn(&mut self, half_size_m: f32) {
        let position_m = self.client.prediction().state().ground_position_m();
        let is_at_edge = position_m.abs().max_element() > EDGE_SHARE * half_size_m;
        self.heading = match self.random.below(10) {
            _ if is_at_edge => -position_m.normalize_or_zero(),
            0 => Vec2::ZERO,
            _ => self.random.in_disc(1.0).normalize_or(Vec2::X),
        };
        self.buttons = if self.random.percent(70.0) { Buttons::RUN } else { Buttons::default() };
    }
}
