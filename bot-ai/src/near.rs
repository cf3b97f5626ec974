//! Where people are near: what nobody sees from close by may take its time.

use bevy_ecs::prelude::{Query, Res, ResMut, Resource, With};
use glam::Vec2;
use throng_shared::spatial::CharacterColumns;

use crate::mind::BotMind;
use crate::world::BotWorld;

/// Side of the squares in which it is kept, in metres.
const SQUARE_M: f32 = 32.0;

/// The squares of a world that are within sight of people, as bits in rows of whole words; written by [`notice_people`] only.
#[derive(Clone, Debug, Default, Resource)]
pub struct NearPeople {
    near: Vec<u64>,
    /// The squares that people are in, and those beside them within reach.
    rows: Vec<u64>,
    people: Vec<u64>,
    side: usize,
    half_size_m: f32,
}

impl NearPeople {
    /// Whether people may be near a point (x, z). O(1).
    pub fn contains(&self, point_m: Vec2) -> bool {
        is_set(&self.near, self.square(point_m))
    }

    /// Forgets everybody, in a world of so large a half.
    fn clear(&mut self, half_size_m: f32) {
        self.half_size_m = half_size_m;
        self.side = (2.0 * half_size_m / SQUARE_M).ceil().max(1.0) as usize;
        for squares in [&mut self.near, &mut self.rows, &mut self.people] {
            squares.clear();
            squares.resize(self.side * self.side.div_ceil(64), 0);
        }
    }

    fn add(&mut self, point_m: Vec2) {
        let square = self.square(point_m);
        set(&mut self.people, square);
    }

    /// Widens the squares that people are in by a reach, first along the rows and then across them: however many people are in a square, it is done once.
    fn widen(&mut self, reach_m: f32) {
        let (side, stride) = (self.side, self.side.div_ceil(64));
        let reach = (reach_m / SQUARE_M).ceil().max(0.0) as usize;
        for (word, bits) in self.people.iter().enumerate() {
            let (row, mut rest) = (word / stride, *bits);
            while rest != 0 {
                let column = word % stride * 64 + rest.trailing_zeros() as usize;
                rest &= rest - 1;
                let columns = column.saturating_sub(reach)..=(column + reach).min(side - 1);
                columns.for_each(|column| set(&mut self.rows, row * stride * 64 + column));
            }
        }
        for (row, bits) in
            self.rows.chunks_exact(stride).enumerate().filter(|(_, bits)| bits.iter().any(|&bits| bits != 0))
        {
            for near in row.saturating_sub(reach)..=(row + reach).min(side - 1) {
                self.near[near * stride..][..stride].iter_mut().zip(bits).for_each(|(near, bits)| *near |= bits);
            }
        }
    }

    fn square(&self, point_m: Vec2) -> usize {
        self.row(point_m.y) * self.side.div_ceil(64) * 64 + self.row(point_m.x)
    }

    fn row(&self, coordinate_m: f32) -> usize {
        (((coordinate_m + self.half_size_m) / SQUARE_M).max(0.0) as usize).min(self.side.saturating_sub(1))
    }
}

fn set(squares: &mut [u64], square: usize) {
    squares[square / 64] |= 1 << (square % 64);
}

fn is_set(squares: &[u64], square: usize) -> bool {
    squares.get(square / 64).is_some_and(|word| word >> (square % 64) & 1 == 1)
}

/// Notes where people were in the last tick. Whom they watch from afar, through an anchor, does not count. O(characters + squares of the world + squares
/// with people, times the reach); nothing where there are no bots.
pub fn notice_people(
    world: Res<BotWorld>,
    columns: Res<CharacterColumns>,
    bots: Query<(), With<BotMind>>,
    mut near: ResMut<NearPeople>,
) {
    if bots.is_empty() {
        return;
    }
    near.clear(world.map.half_size_m);
    for (archetype, position_m) in columns.archetypes.iter().zip(&columns.positions_m) {
        if archetype.is_player() {
            near.add(*position_m);
        }
    }
    near.widen(world.near_m);
}

#[cfg(test)]
impl NearPeople {
    /// People look everywhere.
    pub(crate) fn everywhere() -> NearPeople {
        NearPeople { near: vec![u64::MAX], side: 1, ..NearPeople::default() }
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
            near.add(person_m);
            near.widen(reach_m);
            let apart_m = (other_m - person_m).abs().max_element();
            assert!(near.contains(other_m) || apart_m > reach_m, "{apart_m} of {reach_m}");
            assert!(!near.contains(other_m) || apart_m < reach_m + 3.0 * SQUARE_M, "{apart_m} of {reach_m}");
        }
    }
}
