//! Where people are near: what nobody sees from close by may take its time.

use bevy_ecs::prelude::{Res, ResMut, Resource};
use glam::Vec2;
use throng_shared::ids::Archetype;
use throng_shared::spatial::CharacterColumns;

use crate::world::BotWorld;

/// Side of the squares in which it is kept, in metres.
const SQUARE_M: f32 = 32.0;

/// The squares of a world that are within sight of people, as bits; written by [`notice_people`] only.
#[derive(Clone, Debug, Default, Resource)]
pub struct NearPeople {
    near: Vec<u64>,
    side: usize,
    half_size_m: f32,
}

impl NearPeople {
    /// Whether people may be near a point (x, z). O(1).
    pub fn contains(&self, point_m: Vec2) -> bool {
        let square = self.row(point_m.y) * self.side + self.row(point_m.x);
        self.near.get(square / 64).is_some_and(|word| word >> (square % 64) & 1 == 1)
    }

    /// Notes that everything within `reach_m` of a point is near, and some more around it.
    fn add(&mut self, point_m: Vec2, reach_m: f32) {
        for row in self.row(point_m.y - reach_m)..=self.row(point_m.y + reach_m) {
            for column in self.row(point_m.x - reach_m)..=self.row(point_m.x + reach_m) {
                let square = row * self.side + column;
                self.near[square / 64] |= 1 << (square % 64);
            }
        }
    }

    fn clear(&mut self, half_size_m: f32) {
        self.half_size_m = half_size_m;
        self.side = (2.0 * half_size_m / SQUARE_M).ceil().max(1.0) as usize;
        self.near.clear();
        self.near.resize((self.side * self.side).div_ceil(64), 0);
    }

    fn row(&self, coordinate_m: f32) -> usize {
        (((coordinate_m + self.half_size_m) / SQUARE_M).max(0.0) as usize).min(self.side.saturating_sub(1))
    }
}

/// Notes where people were in the last tick. O(characters + squares of the world + squares near people).
pub fn notice_people(world: Res<BotWorld>, columns: Res<CharacterColumns>, mut near: ResMut<NearPeople>) {
    near.clear(world.map.half_size_m);
    for (archetype, position_m) in columns.archetypes.iter().zip(&columns.positions_m) {
        if *archetype == Archetype::Player {
            near.add(*position_m, world.near_m);
        }
    }
}

#[cfg(test)]
impl NearPeople {
    /// People look everywhere.
    pub(crate) fn everywhere() -> NearPeople {
        NearPeople { near: vec![u64::MAX], side: 1, half_size_m: 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use throng_shared::random::Random;

    use super::*;

    #[test]
    fn whatever_is_within_reach_of_people_is_near_and_what_is_far_beyond_it_is_not() {
        let mut random = Random::new(4, 0);
        for _ in 0..2_000 {
            let (half_size_m, reach_m) = (random.between(32.0, 2_000.0), random.between(1.0, 300.0));
            let mut point = || Vec2::new(random.between(-1.0, 1.0), random.between(-1.0, 1.0)) * half_size_m;
            let (person_m, other_m) = (point(), point());
            let mut near = NearPeople::default();
            assert!(!near.contains(other_m), "of no world");
            near.clear(half_size_m);
            assert!(!near.contains(other_m));
            near.add(person_m, reach_m);
            let apart_m = (other_m - person_m).abs().max_element();
            assert!(near.contains(other_m) || apart_m > reach_m, "{apart_m} of {reach_m}");
            assert!(!near.contains(other_m) || apart_m < reach_m + 2.0 * SQUARE_M, "{apart_m} of {reach_m}");
        }
    }
}
