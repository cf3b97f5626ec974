//! State as the wire carries it: whole numbers, so that both ends can say "equal" and mean it.

use glam::{IVec3, Vec3};

use crate::archetypes::Gait;
use crate::movement::CharacterState;

/// Quantisation steps per metre. Positions are off by at most half a step per axis: 7.8 mm, and 13.6 mm in space.
pub const STEPS_PER_M: f32 = 64.0;

/// Heights that can be sent, in metres: `-HEIGHT_LIMIT_M..HEIGHT_LIMIT_M`. Beyond them they are held at the limit.
pub const HEIGHT_LIMIT_M: f32 = 1_024.0;

/// What clients are told about a character, each tick in which it changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct QuantisedState {
    /// Position of the feet, in steps of 1/64 m.
    pub position: IVec3,
    /// Facing, in 1/256 of a turn.
    pub yaw: u8,
    /// What it is doing.
    pub locomotion: Locomotion,
}

/// What a character's legs do, for animation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Locomotion {
    /// Standing.
    #[default]
    Idle = 0,
    /// On the ground, at up to walking speed.
    Walking = 1,
    /// On the ground, faster than walking.
    Running = 2,
    /// Jumping, falling or sliding.
    Airborne = 3,
}

impl Locomotion {
    /// The value with these two low bits.
    pub fn from_bits(bits: u32) -> Locomotion {
        match bits & 3 {
            0 => Locomotion::Idle,
            1 => Locomotion::Walking,
            2 => Locomotion::Running,
            _ => Locomotion::Airborne,
        }
    }
}

impl QuantisedState {
    /// Quantises the state of a character that goes so fast.
    pub fn new(state: &CharacterState, gait: Gait) -> QuantisedState {
        let speed_mps = glam::Vec2::new(state.velocity_mps.x, state.velocity_mps.z).length();
        let locomotion = if !state.grounded {
            Locomotion::Airborne
        } else if speed_mps < 0.1 {
            Locomotion::Idle
        } else if speed_mps <= gait.walk_speed_mps * 1.05 {
            Locomotion::Walking
        } else {
            Locomotion::Running
        };
        QuantisedState { position: quantise_position(state.position_m), yaw: quantise_yaw(state.yaw), locomotion }
    }

    /// The position in metres.
    pub fn position_m(&self) -> Vec3 {
        self.position.as_vec3() / STEPS_PER_M
    }

    /// The facing in radians, clockwise from north.
    pub fn yaw_rad(&self) -> f32 {
        f32::from(self.yaw) * (std::f32::consts::TAU / 256.0)
    }
}

/// The nearest facing that can be sent, in 1/256 of a turn, of one in 1/65,536.
pub fn quantise_yaw(yaw: u16) -> u8 {
    (yaw.wrapping_add(128) >> 8) as u8
}

/// The nearest position that can be sent.
pub fn quantise_position(position_m: Vec3) -> IVec3 {
    let height_m = position_m.y.clamp(-HEIGHT_LIMIT_M, HEIGHT_LIMIT_M - 1.0 / STEPS_PER_M);
    (Vec3::new(position_m.x, height_m, position_m.z) * STEPS_PER_M).round().as_ivec3()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_facing_is_off_by_at_most_half_a_step() {
        for yaw in 0..=u16::MAX {
            let error = (u16::from(quantise_yaw(yaw)) << 8).wrapping_sub(yaw) as i16;
            assert!((-128..=128).contains(&error), "{yaw} is off by {error}");
        }
    }

    #[test]
    fn a_position_is_off_by_less_than_two_centimetres() {
        let mut random = crate::random::Random::new(1, 0);
        for _ in 0..10_000 {
            let position_m =
                Vec3::new(random.between(-4096., 4096.), random.between(-500., 1000.), random.between(-4096., 4096.));
            let sent_m = quantise_position(position_m).as_vec3() / STEPS_PER_M;
            assert!(sent_m.distance(position_m) <= 0.0137, "{position_m} became {sent_m}");
        }
    }
}
