//! What lies in the way of a bot's next steps.

use glam::Vec2;
use throng_shared::map::{Map, Obstacle};
use throng_shared::movement::CharacterState;

/// A bot looks as far ahead as it gets in this time, in seconds.
const LOOK_AHEAD_S: f32 = 1.0;
/// Shortest look ahead, in metres.
const LOOK_AHEAD_M_MIN: f32 = 1.0;
/// How far around a point the map lists all obstacles, in metres.
const NEAR_M: f32 = 4.0;
/// Most points of a heading that are tried.
const SAMPLES_MAX: f32 = 6.0;

/// How far a bot keeps from what could stop it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caution {
    /// Room that is left between it and an obstacle, in metres.
    pub(crate) margin_m: f32,
    /// Ground is avoided that is steeper than this share of the steepest that can be walked up.
    pub(crate) slope_share: f32,
}

impl Caution {
    /// What looks good, and leaves room for what lies between two points that are tried.
    pub(crate) const CAREFUL: Caution = Caution { margin_m: 0.15, slope_share: 0.9 };
    /// What is just possible, for who has found no other way.
    pub(super) const DARING: Caution = Caution { margin_m: 0.01, slope_share: 1.0 };
}

/// The part of the map that matters to the next steps of a bot.
pub(super) struct Surroundings<'a> {
    map: &'a Map,
    start_m: Vec2,
    feet_m: f32,
    caution: Caution,
    /// Distance between the points of a heading that are tried, in metres.
    spacing_m: f32,
    samples: u32,
    /// Whether any obstacle is near enough to matter.
    has_obstacles: bool,
}

impl<'a> Surroundings<'a> {
    /// What lies around `state`, as far as it gets with `speed_mps` in the next second, but no farther than
    /// `distance_m`.
    pub(super) fn new(
        map: &'a Map,
        state: &CharacterState,
        caution: Caution,
        speed_mps: f32,
        distance_m: f32,
    ) -> Surroundings<'a> {
        let start_m = state.ground_position_m();
        let radius_m = map.rules.capsule_radius_m;
        let reach_max_m = (NEAR_M - radius_m - caution.margin_m).max(0.0).min(distance_m);
        let reach_m = (speed_mps * LOOK_AHEAD_S).max(LOOK_AHEAD_M_MIN).min(reach_max_m);
        // Discs of the capsule's radius that overlap leave nothing out.
        let samples = (reach_m / (1.5 * radius_m)).ceil().min(SAMPLES_MAX);
        let outer_m = reach_m + radius_m + caution.margin_m;
        let has_obstacles = map.obstacles.near(start_m).any(|obstacle| obstacle.push_out(start_m, outer_m).is_some());
        Surroundings {
            map,
            start_m,
            feet_m: state.position_m.y,
            caution,
            spacing_m: reach_m / samples,
            samples: samples as u32,
            has_obstacles,
        }
    }

    /// How many points of a heading are tried.
    pub(super) fn samples(&self) -> u32 {
        self.samples
    }

    /// Whether the bot can go along `heading` without walking into something.
    pub(super) fn is_clear(&self, heading: Vec2) -> bool {
        self.clear_samples(heading) == self.samples
    }

    /// How many points along `heading` are clear before the first that is not.
    pub(super) fn clear_samples(&self, heading: Vec2) -> u32 {
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
        slope > self.map.rules.slope_max * self.caution.slope_share
            && (slope > terrain.slope(self.start_m) || terrain.height_m(point_m) > self.feet_m)
    }

    fn is_obstructed(&self, point_m: Vec2) -> bool {
        let feet_m = self.feet_m.max(self.map.terrain.height_m(point_m));
        self.map
            .obstacles
            .near(point_m)
            .any(|obstacle| self.blocks(obstacle, feet_m) && self.is_nearer(obstacle, point_m))
    }

    /// Whether an obstacle is a wall to a bot, rather than a step or a floor.
    fn blocks(&self, obstacle: &Obstacle, feet_m: f32) -> bool {
        let rules = &self.map.rules;
        obstacle.top_m > feet_m + rules.step_height_m && obstacle.bottom_m < feet_m + rules.capsule_height_m
    }

    /// Whether a point is too near to an obstacle, and nearer than the bot already is: along a wall that it touches,
    /// and away from it, it may go.
    fn is_nearer(&self, obstacle: &Obstacle, point_m: Vec2) -> bool {
        let radius_m = self.map.rules.capsule_radius_m + self.caution.margin_m;
        let depth_m = |point_m: Vec2| obstacle.push_out(point_m, radius_m).map(Vec2::length);
        depth_m(point_m).is_some_and(|depth| depth > depth_m(self.start_m).unwrap_or_default() + 1e-3)
    }
}
