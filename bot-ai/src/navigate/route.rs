//! The corners that a bot goes by.

use glam::Vec2;
use throng_shared::tick::Tick;

use super::{Navigation, Way};

/// Corners that a bot keeps in mind; it asks again when it has come to the last.
pub(super) const CORNERS_MAX: usize = 4;
/// How near a bot comes to a corner from where it does not see the next, in metres.
const REACHED_M: f32 = 0.25;
/// Within so much of a corner it is enough that one can squeeze through to the next, in metres.
const NEAR_M: f32 = 0.6;
/// From where on it looks whether it can go on to the next already, in metres.
const LOOK_PAST_M: f32 = 3.0;

/// The way that a bot has been told, and how far it has come.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    corners_m: [Vec2; CORNERS_MAX],
    count: u8,
    next: u8,
    is_dead_end: bool,
    /// For which goal it is.
    goal_started: Tick,
}

impl Default for Route {
    fn default() -> Route {
        Route::NONE
    }
}

impl Route {
    /// Nothing has been told.
    pub(crate) const NONE: Route =
        Route { corners_m: [Vec2::ZERO; CORNERS_MAX], count: 0, next: 0, is_dead_end: false, goal_started: Tick(0) };

    pub(super) fn new(goal_started: Tick, way: &Way) -> Route {
        Route { corners_m: way.corners_m, count: way.count as u8, next: 0, is_dead_end: way.is_dead_end, goal_started }
    }

    /// Where to go now for a goal that was taken in a tick; none when the way has been gone, or is for another goal.
    pub(crate) fn corner_m(&self, goal_started: Tick) -> Option<Vec2> {
        let is_its_own = self.goal_started == goal_started && self.next < self.count;
        is_its_own.then(|| self.corners_m[usize::from(self.next)])
    }

    /// Goes on to the next corner when this one is reached, or the next is seen from near it.
    pub(crate) fn go_on(&mut self, navigation: &Navigation, position_m: Vec2, is_time_to_look: bool) {
        while let Some(corner_m) = self.corners_m[..usize::from(self.count)].get(usize::from(self.next)) {
            let apart_m = corner_m.distance(position_m);
            let sees_next = || match self.corners_m[..usize::from(self.count)].get(usize::from(self.next) + 1) {
                Some(&next_m) if apart_m <= NEAR_M => navigation.is_narrow_way(position_m, next_m),
                Some(&next_m) => navigation.is_straight_way(position_m, next_m),
                None => apart_m <= NEAR_M,
            };
            if apart_m > REACHED_M && !(is_time_to_look && apart_m < LOOK_PAST_M && sees_next()) {
                return;
            }
            self.next += 1;
        }
    }

    /// Whether the bot has gone it to its end, for this goal.
    pub(crate) fn is_used_up(&self, goal_started: Tick) -> bool {
        self.goal_started == goal_started && self.count > 0 && self.next >= self.count
    }

    /// Whether it was found, for this goal, that no way leads there.
    pub(crate) fn is_dead_end(&self, goal_started: Tick) -> bool {
        self.goal_started == goal_started && self.is_dead_end
    }
}
