//! A heading near the wanted one that leads into nothing.

use std::cmp::Ordering;

use glam::Vec2;
use throng_shared::map::{Map, Obstacle};
use throng_shared::movement::CharacterState;
use throng_shared::tick::Tick;

use crate::world::BotWorld;

/// A bot looks as far ahead as it gets in this time, in seconds.
const LOOK_AHEAD_S: f32 = 1.0;
/// Shortest look ahead, in metres.
const LOOK_AHEAD_M_MIN: f32 = 1.0;
/// How far around a point the map lists all obstacles, in metres.
const NEAR_M: f32 = 4.0;
/// Most points of a heading that are tried.
const SAMPLES_MAX: f32 = 6.0;
/// Room that is left between a bot and an obstacle, in metres.
const MARGIN_M: f32 = 0.15;
/// Ground is avoided that is steeper than this share of the steepest that can be walked up: between two points that
/// are tried it may be a little steeper.
const SLOPE_SHARE: f32 = 0.9;
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

/// On which side a bot goes around what is in its way.
#[derive(Clone, Debug, Default)]
pub(super) struct Course {
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
    /// The clear heading nearest to `wanted`, of length 1, on the side of the last detour if that was a moment ago.
    /// Where none is clear, the one that is clear farthest; `wanted` itself when even a single step is blocked on all.
    pub(super) fn clear_heading(
        &mut self,
        world: &BotWorld,
        tick: Tick,
        surroundings: &Surroundings<'_>,
        wanted: Vec2,
    ) -> Vec2 {
        if surroundings.is_clear(wanted) {
            return wanted;
        }
        let kept = surroundings.detour(self.side, wanted);
        let is_keeping = tick < self.side_until && kept.clear_samples == surroundings.samples;
        let other = if is_keeping { kept } else { surroundings.detour(self.side.other(), wanted) };
        let best = if other.is_better_than(kept) { other } else { kept };
        if best.clear_samples == 0 {
            return wanted;
        }
        self.side = best.side;
        self.side_until = tick + world.ticks_for_s(KEEP_SIDE_S);
        best.heading
    }
}

impl Detour {
    fn is_better_than(self, other: Detour) -> bool {
        match self.clear_samples.cmp(&other.clear_samples) {
            Ordering::Equal => self.angle < other.angle,
            order => order.is_gt(),
        }
    }
}

/// The part of the map that matters to the next steps of a bot.
pub(super) struct Surroundings<'a> {
    map: &'a Map,
    start_m: Vec2,
    feet_m: f32,
    /// Distance between the points of a heading that are tried, in metres.
    spacing_m: f32,
    samples: u32,
    /// Whether any obstacle is near enough to matter.
    has_obstacles: bool,
}

impl<'a> Surroundings<'a> {
    /// What lies around `state` when it moves with `speed_mps`; what is farther away than `distance_m` does not matter.
    pub(super) fn new(map: &'a Map, state: &CharacterState, speed_mps: f32, distance_m: f32) -> Surroundings<'a> {
        let start_m = state.ground_position_m();
        let radius_m = map.rules.capsule_radius_m;
        let reach_max_m = (NEAR_M - radius_m - MARGIN_M).max(0.0).min(distance_m);
        let reach_m = (speed_mps * LOOK_AHEAD_S).max(LOOK_AHEAD_M_MIN).min(reach_max_m);
        // Discs of the capsule's radius that overlap leave nothing out.
        let samples = (reach_m / (1.5 * radius_m)).ceil().min(SAMPLES_MAX);
        let outer_m = reach_m + radius_m + MARGIN_M;
        let has_obstacles = map.obstacles.near(start_m).any(|obstacle| obstacle.push_out(start_m, outer_m).is_some());
        Surroundings { map, start_m, feet_m: state.position_m.y, spacing_m: reach_m / samples, samples: samples as u32, has_obstacles }
    }

    /// Whether the bot can go along `heading` without walking into something.
    pub(super) fn is_clear(&self, heading: Vec2) -> bool {
        self.clear_samples(heading) == self.samples
    }

    /// The best heading beside `wanted` on one side.
    fn detour(&self, side: Side, wanted: Vec2) -> Detour {
        let mut best = Detour { side, heading: wanted, clear_samples: 0, angle: 0 };
        for (angle, &turn) in FAN.iter().enumerate() {
            let heading = side.turn(wanted, turn);
            let clear_samples = self.clear_samples(heading);
            if clear_samples > best.clear_samples {
                best = Detour { side, heading, clear_samples, angle };
            }
            if clear_samples == self.samples {
                break;
            }
        }
        best
    }

    /// How many points along `heading` are clear before the first that is not.
    fn clear_samples(&self, heading: Vec2) -> u32 {
        let is_clear = |&sample: &u32| !self.is_blocked(self.start_m + heading * (sample as f32 * self.spacing_m));
        (1..=self.samples).take_while(is_clear).count() as u32
    }

    fn is_blocked(&self, point_m: Vec2) -> bool {
        self.map.clamp_inside(point_m) != point_m
            || self.is_too_steep(point_m)
            || (self.has_obstacles && self.is_obstructed(point_m))
    }

    /// Steep ground is avoided; a bot that is on it already may go down to where it is less steep.
    fn is_too_steep(&self, point_m: Vec2) -> bool {
        let (terrain, slope) = (&self.map.terrain, self.map.terrain.slope(point_m));
        slope > self.map.rules.slope_max * SLOPE_SHARE
            && (slope > terrain.slope(self.start_m) || terrain.height_m(point_m) > self.feet_m)
    }

    fn is_obstructed(&self, point_m: Vec2) -> bool {
        let feet_m = self.feet_m.max(self.map.terrain.height_m(point_m));
        self.map.obstacles.near(point_m).any(|obstacle| self.blocks(obstacle, feet_m) && self.is_nearer(obstacle, point_m))
    }

    /// Whether an obstacle is a wall to a bot, rather than a step or a floor.
    fn blocks(&self, obstacle: &Obstacle, feet_m: f32) -> bool {
        let rules = &self.map.rules;
        obstacle.top_m > feet_m + rules.step_height_m && obstacle.bottom_m < feet_m + rules.capsule_height_m
    }

    /// Whether a point is too near to an obstacle, and nearer than the bot already is: along a wall that it touches,
    /// and away from it, it may go.
    fn is_nearer(&self, obstacle: &Obstacle, point_m: Vec2) -> bool {
        let radius_m = self.map.rules.capsule_radius_m + MARGIN_M;
        let depth_m = |point_m: Vec2| obstacle.push_out(point_m, radius_m).map(Vec2::length);
        depth_m(point_m).is_some_and(|depth| depth > depth_m(self.start_m).unwrap_or_default() + 1e-3)
    }
}

#[cfg(test)]
mod tests;
