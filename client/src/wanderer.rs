//! Somebody who plays a client as a player might: walks about, and fights where there are abilities.

use std::time::Duration;

use glam::{Vec2, Vec3};
use throng_shared::abilities::{Ability, aim_towards};
use throng_shared::config::{AimConfig, WorldConfig};
use throng_shared::ids::Archetype;
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::random::Random;

use crate::client::Client;
use crate::transport::ClientTransport;

/// Share of the world's half side beyond which a wanderer turns back.
const EDGE_SHARE: f32 = 0.9;

/// How far a wanderer that stands turns with each input, in 1/65,536 of a turn.
const LOOK_ABOUT: u16 = 512;

/// Share of inputs in which a wanderer would like to use an ability, in percent.
const USES_PERCENT: f32 = 10.0;

/// Where it aims, above the feet of whom it has found, in metres.
const AIM_HEIGHT_M: f32 = 1.0;

/// Decides what a client does, tick by tick, by nothing but its seed and what the client knows.
#[derive(Clone, Debug)]
pub struct Wanderer {
    random: Random,
    heading: Vec2,
    buttons: Buttons,
    yaw: u16,
    inputs_to_next_turn: u32,
    half_size_m: f32,
    rate_hz: u32,
}

impl Wanderer {
    /// The wanderer of this number in a world; what those of one seed do is different for each number.
    pub fn new(seed: u64, number: u32, world: &WorldConfig) -> Wanderer {
        Wanderer {
            random: Random::new(seed, u64::from(number)),
            heading: Vec2::X,
            buttons: Buttons::default(),
            yaw: 0,
            inputs_to_next_turn: 0,
            half_size_m: world.size_m / 2.0,
            rate_hz: world.tick_rate_hz,
        }
    }

    /// The next input of the client that it plays. To be asked once for each input that is due. O(characters in view) when it looks
    /// for somebody to aim at.
    pub fn input<T: ClientTransport>(&mut self, client: &Client<T>, now: Duration) -> PlayerInput {
        if self.inputs_to_next_turn == 0 {
            self.turn(client.prediction().state().ground_position_m());
            self.inputs_to_next_turn = self.rate_hz / 2 + self.random.below(self.rate_hz * 3);
        }
        self.inputs_to_next_turn -= 1;
        let jump = if self.random.percent(1.0) { Buttons::JUMP } else { Buttons::default() };
        let mut input = PlayerInput::towards(self.heading, self.buttons.with(jump));
        if self.heading == Vec2::ZERO {
            // Whoever stands looks about.
            self.yaw = self.yaw.wrapping_add(LOOK_ABOUT);
            input = PlayerInput { yaw: self.yaw, ..PlayerInput::default() };
        }
        match self.choose_ability(client, now) {
            Some((ability, yaw, pitch)) => PlayerInput { ability, yaw, pitch, ..input },
            None => input,
        }
    }

    fn turn(&mut self, position_m: Vec2) {
        let is_at_edge = position_m.abs().max_element() > EDGE_SHARE * self.half_size_m;
        self.heading = match self.random.below(10) {
            _ if is_at_edge => -position_m.normalize_or_zero(),
            0 => Vec2::ZERO,
            _ => self.random.in_disc(1.0).normalize_or(Vec2::X),
        };
        self.buttons = if self.random.percent(70.0) { Buttons::RUN } else { Buttons::default() };
    }

    /// An ability to use now, and where to aim it; none where there are none, mostly, and when nobody is in reach whom it is for.
    fn choose_ability<T: ClientTransport>(&mut self, client: &Client<T>, now: Duration) -> Option<(u8, u16, i16)> {
        let abilities = client.abilities()?;
        if client.fighter().is_dead || !self.random.percent(USES_PERCENT) {
            return None;
        }
        let number = 1 + self.random.below(abilities.all().len().max(1) as u32) as u8;
        let ability = abilities.get(number)?;
        if !ability.is_held_by(Archetype::PLAYER) {
            return None;
        }
        let own_m = client.prediction().state().position_m;
        let (range_m, needs_somebody) = reach(ability);
        let eyes_m = own_m + Vec3::Y * abilities.eyes_m;
        let others = client.replica().entities().filter(|other| {
            let are_allies = abilities.are_allies(client.own_attributes(), &other.attributes);
            !other.is_missing() && ability.hits.includes(false, are_allies)
        });
        let places_m = others.map(|other| client.interpolated(other, now).position_m);
        let nearest_m = places_m.min_by(|a, b| a.distance_squared(own_m).total_cmp(&b.distance_squared(own_m)));
        match nearest_m.filter(|place_m| place_m.distance(own_m) <= range_m) {
            Some(place_m) => {
                let (yaw, pitch) = aim_towards(place_m + Vec3::Y * AIM_HEIGHT_M - eyes_m);
                Some((number, yaw, pitch))
            }
            None if needs_somebody => None,
            None => Some((number, client.prediction().state().yaw, 0)),
        }
    }
}

/// How far an ability reaches, in metres, and whether it is of no use without somebody there.
fn reach(ability: &Ability) -> (f32, bool) {
    match ability.aim {
        AimConfig::Hitscan { range_m, .. }
        | AimConfig::Projectile { range_m, .. }
        | AimConfig::Melee { range_m, .. } => (range_m, true),
        AimConfig::Area { range_m, radius_m } => (range_m + radius_m, true),
        AimConfig::Own => (0.0, false),
    }
}
