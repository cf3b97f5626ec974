//! A wish to use an ability.

use std::f32::consts::TAU;

use glam::{Vec2, Vec3};

use crate::ids::NetId;
use crate::input::{PlayerInput, yaw_of};
use crate::random::Random;
use crate::tick::Tick;

/// A moment between two ticks is said in so many steps per tick.
pub const VIEW_STEPS_PER_TICK: u32 = 64;

/// Straight up, in 1/65,536 of a turn; straight down is as much below 0.
pub const PITCH_MAX: i16 = 16_384;

/// Which ability, where it is aimed, and what its user saw meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Act {
    /// By its place in the abilities file, from 1.
    pub ability: u8,
    /// Where to on the ground, in 1/65,536 of a turn, as in [`PlayerInput::yaw`].
    pub yaw: u16,
    /// How far up, in 1/65,536 of a turn: from -[`PITCH_MAX`] to it.
    pub pitch: i16,
    /// The moment in which the user saw the others, in 1/[`VIEW_STEPS_PER_TICK`] of a tick since tick 0.
    pub view_steps: i64,
}

impl Act {
    /// What an input for a tick asks for, if it asks for anything.
    pub fn of(tick: Tick, input: &PlayerInput) -> Option<Act> {
        (input.ability > 0).then(|| Act {
            ability: input.ability,
            yaw: input.yaw,
            pitch: input.pitch.clamp(-PITCH_MAX, PITCH_MAX),
            view_steps: i64::from(tick.0) * i64::from(VIEW_STEPS_PER_TICK) - i64::from(input.view_back_steps),
        })
    }

    /// The moment in which the user saw the others, in ticks.
    pub fn view_tick(&self) -> f64 {
        self.view_steps as f64 / f64::from(VIEW_STEPS_PER_TICK)
    }

    /// Where it is aimed; of length 1.
    pub fn direction(&self) -> Vec3 {
        aim_direction(self.yaw, self.pitch)
    }
}

/// The direction of a facing and a pitch, both in 1/65,536 of a turn; of length 1. By `libm`, so that it is the same everywhere.
pub fn aim_direction(yaw: u16, pitch: i16) -> Vec3 {
    let (yaw_sin, yaw_cos) = libm::sincosf(f32::from(yaw) * (TAU / 65_536.0));
    let (pitch_sin, pitch_cos) = libm::sincosf(f32::from(pitch) * (TAU / 65_536.0));
    Vec3::new(yaw_sin * pitch_cos, pitch_sin, -yaw_cos * pitch_cos)
}

/// The facing and the pitch that look along a direction; the inverse of [`aim_direction`].
pub fn aim_towards(direction: Vec3) -> (u16, i16) {
    let ground = Vec2::new(direction.x, direction.z);
    let turn = libm::atan2f(direction.y, ground.length()) / TAU;
    (yaw_of(ground), (turn * 65_536.0).round().clamp(-f32::from(PITCH_MAX), f32::from(PITCH_MAX)) as i16)
}

/// A direction that strays from another by up to so many degrees: for the same user, tick and ability always by the same, so that the user's client knows where its shot
/// goes.
pub fn stray(direction: Vec3, spread_deg: f32, user: NetId, tick: Tick, ability: u8) -> Vec3 {
    if spread_deg <= 0.0 {
        return direction;
    }
    let mut random = Random::new(u64::from(user.0) << 32 | u64::from(tick.0), u64::from(ability));
    // As many in each part of the disc.
    let (away, around) = (random.unit().sqrt() * spread_deg.to_radians(), random.unit() * TAU);
    let aside = direction.any_orthonormal_vector();
    let upward = direction.cross(aside);
    let (around_sin, around_cos) = libm::sincosf(around);
    (direction + (aside * around_cos + upward * around_sin) * libm::tanf(away)).normalize_or(direction)
}

/// The cosine of an angle in degrees; the same everywhere.
pub fn cosine_of_deg(angle_deg: f32) -> f32 {
    libm::cosf(angle_deg.to_radians())
}
