//! What the ground bears: whether a character can stand at a point and walk from one to another.

use std::sync::Arc;

use glam::{IVec2, Vec2};
use throng_shared::map::{Map, Obstacle};

use super::cells::CELL_M;
use crate::steer::Caution;

/// Room that is left to walls beyond what careful steering wants, in metres: so that it finds no fault with the way.
const EXTRA_ROOM_M: f32 = 0.03;
/// A way may be this much nearer to a wall than a place to stand, in metres: for rounding, and for corners between two points that are tried.
const TOLERANCE_M: f32 = 0.02;
/// Distance between the points of a way that are tried, in metres.
const SPACING_M: f32 = 0.25;
/// Where no obstacle is near, one in so many of them is enough.
const GROUND_STEPS: u32 = 4;
/// How often a point is pushed out of the walls that it touches until it is given up.
const PUSHES_MAX: usize = 6;

/// The map as those see it who look for a way.
#[derive(Debug)]
pub(super) struct Footing {
    map: Arc<Map>,
    /// From the middle of a character to the nearest wall, in metres.
    room_m: f32,
    slope_max: f32,
}

impl Footing {
    pub(super) fn new(map: Arc<Map>) -> Footing {
        let room_m = map.rules.capsule_radius_m + Caution::CAREFUL.margin_m + EXTRA_ROOM_M;
        let slope_max = map.rules.slope_max * Caution::CAREFUL.slope_share;
        Footing { map, room_m, slope_max }
    }

    pub(super) fn half_size_m(&self) -> f32 {
        self.map.half_size_m
    }

    /// The middle of a cell, in metres.
    pub(super) fn center_m(&self, cell: IVec2) -> Vec2 {
        (cell.as_vec2() + 0.5) * CELL_M - self.map.half_size_m
    }

    /// Whether a character can stand at a point, and keep `spare_m` more to all walls.
    pub(super) fn bears(&self, point_m: Vec2, spare_m: f32) -> bool {
        self.map.clamp_inside(point_m) == point_m
            && self.map.terrain.slope(point_m) <= self.slope_max
            && self.push_m(point_m, spare_m).is_none()
    }

    /// Where to stand in the cell around a point: there, or where the walls near push it, if that is in the cell.
    pub(super) fn place_m(&self, center_m: Vec2) -> Option<Vec2> {
        const QUARTERS: [Vec2; 5] =
            [Vec2::ZERO, Vec2::new(-0.3, -0.3), Vec2::new(0.3, -0.3), Vec2::new(-0.3, 0.3), Vec2::new(0.3, 0.3)];
        let is_in_cell = |point_m: &Vec2| (point_m - center_m).abs().max_element() < 0.498 * CELL_M;
        QUARTERS.iter().find_map(|quarter| self.pushed_out_m(center_m + *quarter * CELL_M).filter(is_in_cell))
    }

    /// The bend of the way between two places near one another, where it is not straight: a point between them or to the side, or where the
    /// walls there push it; none when no such point helps.
    pub(super) fn bend_m(&self, from_m: Vec2, to_m: Vec2) -> Option<Vec2> {
        const BESIDE: [f32; 5] = [0.0, 0.3, -0.3, 0.6, -0.6];
        let (middle_m, across_m) = (0.5 * (from_m + to_m), (to_m - from_m).perp());
        let is_way = |from_m, to_m| self.is_straight_way(from_m, to_m, |_| false);
        BESIDE.iter().find_map(|beside| {
            let bend_m = self.pushed_out_m(middle_m + across_m * *beside)?;
            (is_way(from_m, bend_m) && is_way(bend_m, to_m)).then_some(bend_m)
        })
    }

    /// The point, or where the walls that it touches push it; none where nobody can stand.
    fn pushed_out_m(&self, mut point_m: Vec2) -> Option<Vec2> {
        for _ in 0..PUSHES_MAX {
            let Some(push_m) = self.push_m(point_m, 0.0) else { break };
            point_m += push_m * 1.02;
        }
        self.bears(point_m, -TOLERANCE_M / 2.0).then_some(point_m)
    }

    /// Whether one can walk straight from one point to another, both ways. What `is_roomy` says of a point is believed.
    pub(super) fn is_straight_way(&self, from_m: Vec2, to_m: Vec2, is_roomy: impl Fn(Vec2) -> bool) -> bool {
        self.is_way(from_m, to_m, -TOLERANCE_M, is_roomy)
    }

    /// The same for who squeezes through, along walls.
    pub(super) fn is_narrow_way(&self, from_m: Vec2, to_m: Vec2, is_roomy: impl Fn(Vec2) -> bool) -> bool {
        self.is_way(from_m, to_m, -Caution::CAREFUL.margin_m - EXTRA_ROOM_M - TOLERANCE_M, is_roomy)
    }

    fn is_way(&self, from_m: Vec2, to_m: Vec2, spare_m: f32, is_roomy: impl Fn(Vec2) -> bool) -> bool {
        let way_m = to_m - from_m;
        let steps = (way_m.length() / SPACING_M).ceil();
        if !steps.is_finite() {
            return false;
        }
        (1..steps as u32).all(|step| {
            let point_m = from_m + way_m * (step as f32 / steps);
            // Ground changes less from step to step than walls do.
            let is_skipped = || step % GROUND_STEPS != 0 && self.map.obstacles.is_clear(point_m, self.room_m);
            is_roomy(point_m) || is_skipped() || self.bears(point_m, spare_m)
        })
    }

    /// Whether any obstacle may be in the way within a distance of a square.
    pub(super) fn has_obstacles_near(&self, middle_m: Vec2, half_side_m: f32, reach_m: f32) -> bool {
        let reach_m = reach_m + half_side_m + self.room_m;
        let apart_m =
            |obstacle: &Obstacle| (obstacle.center_m - middle_m).abs().max_element() - obstacle.outline.reach_m();
        self.map.obstacles.all().iter().any(|obstacle| apart_m(obstacle) < reach_m)
    }

    /// The way out of a wall that is too near; none when none is.
    fn push_m(&self, point_m: Vec2, spare_m: f32) -> Option<Vec2> {
        let mut near = self.map.obstacles.near(point_m).peekable();
        near.peek()?;
        let ground_m = self.map.terrain.height_m(point_m);
        let mut walls = near.filter(|obstacle| self.is_wall(obstacle, ground_m));
        walls.find_map(|wall| wall.push_out(point_m, self.room_m + spare_m))
    }

    /// Whether an obstacle is a wall to who stands on the ground, rather than a step or a bridge.
    fn is_wall(&self, obstacle: &Obstacle, ground_m: f32) -> bool {
        let rules = &self.map.rules;
        obstacle.top_m > ground_m + rules.step_height_m && obstacle.bottom_m < ground_m + rules.capsule_height_m
    }
}
