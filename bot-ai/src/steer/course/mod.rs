//! A heading near the wanted one that leads into nothing.

use std::cmp::Ordering;

use glam::Vec2;
use throng_shared::ids::NetId;
use throng_shared::tick::Tick;

use super::surroundings::Surroundings;
use crate::world::BotWorld;

/// A bot looks where it goes once in this many milliseconds, and whenever it wants to go elsewhere.
pub(super) const LOOK_INTERVAL_MS: u32 = 100;
/// Cosine of the angle, about 15 degrees, from which on a bot wants to go elsewhere.
const SAME_WISH_COSINE: f32 = 0.966;
/// Once a bot has begun to go around something on one side, it stays on that side until its way has been free for
/// this long, in seconds. Without that it would turn back in front of every wide wall.
const KEEP_SIDE_S: f32 = 1.5;

/// The headings that are tried when the wanted one is blocked, on both sides of it: cosine and sine of 15, 30, 50, 70,
/// 90, 115, 140 and 165 degrees.
const FAN: [Vec2; 8] = [
    Vec2::new(0.9659, 0.2588),
    Vec2::new(0.8660, 0.5),
    Vec2::new(0.6428, 0.7660),
    Vec2::new(0.3420, 0.9397),
    Vec2::new(0.0, 1.0),
    Vec2::new(-0.4226, 0.9063),
    Vec2::new(-0.7660, 0.6428),
    Vec2::new(-0.9659, 0.2588),
];

/// Where a bot heads, and on which side it goes around what is in its way.
#[derive(Clone, Debug, Default)]
pub(super) struct Course {
    /// The heading that was found, and the one that was wanted then; zero before the first.
    heading: Vec2,
    wanted: Vec2,
    side: Side,
    side_until: Tick,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Side {
    #[default]
    Right,
    Left,
}

impl Side {
    fn other(self) -> Side {
        match self {
            Side::Right => Side::Left,
            Side::Left => Side::Right,
        }
    }

    /// `wanted`, turned to this side by an angle of the fan.
    fn turn(self, wanted: Vec2, angle: Vec2) -> Vec2 {
        match self {
            // z points south, so that a positive turn is clockwise.
            Side::Right => angle.rotate(wanted),
            Side::Left => Vec2::new(angle.x, -angle.y).rotate(wanted),
        }
    }
}

/// A heading beside the wanted one.
#[derive(Clone, Copy)]
struct Detour {
    side: Side,
    heading: Vec2,
    /// How many points of it are clear, from the bot on.
    clear_samples: u32,
    /// Which angle of the fan it is.
    angle: usize,
}

impl Course {
    /// The heading that was found last (x, z), of length 1.
    pub(super) fn heading(&self) -> Vec2 {
        self.heading
    }

    /// Whether what was found last still holds: the bot wants about the same, and looked a moment ago.
    pub(super) fn is_current(&self, world: &BotWorld, tick: Tick, net_id: NetId, wanted: Vec2) -> bool {
        self.wanted.dot(wanted) > SAME_WISH_COSINE && !world.is_due_every(LOOK_INTERVAL_MS, tick, net_id)
    }

    /// Finds the clear heading nearest to `wanted`, on the side of the last detour if that was a moment ago. Where
    /// none is clear, the one that is clear farthest; `wanted` itself when even a single step is blocked on all.
    pub(super) fn find_heading(
        &mut self,
        world: &BotWorld,
        tick: Tick,
        surroundings: &Surroundings<'_>,
        wanted: Vec2,
    ) -> Vec2 {
        self.wanted = wanted;
        self.heading = wanted;
        if surroundings.is_clear(wanted) {
            return wanted;
        }
        let kept = Detour::find(surroundings, self.side, wanted);
        let is_keeping = tick < self.side_until && kept.clear_samples == surroundings.samples();
        let other = if is_keeping { kept } else { Detour::find(surroundings, self.side.other(), wanted) };
        let best = if other.is_better_than(kept) { other } else { kept };
        if best.clear_samples > 0 {
            self.heading = best.heading;
            self.side = best.side;
            self.side_until = tick + world.ticks_for_s(KEEP_SIDE_S);
        }
        self.heading
    }
}

impl Detour {
    /// The best heading beside `wanted` on one side.
    fn find(surroundings: &Surroundings<'_>, side: Side, wanted: Vec2) -> Detour {
        let mut best = Detour { side, heading: wanted, clear_samples: 0, angle: 0 };
        for (angle, &turn) in FAN.iter().enumerate() {
            let heading = side.turn(wanted, turn);
            let clear_samples = surroundings.clear_samples(heading);
            if clear_samples > best.clear_samples {
                best = Detour { side, heading, clear_samples, angle };
            }
            if clear_samples == surroundings.samples() {
                break;
            }
        }
        best
    }

    fn is_better_than(self, other: Detour) -> bool {
        match self.clear_samples.cmp(&other.clear_samples) {
            Ordering::Equal => self.angle < other.angle,
            order => order.is_gt(),
        }
    }
}

#[cfg(test)]
mod tests;
