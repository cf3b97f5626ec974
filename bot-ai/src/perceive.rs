//! What a bot sees: the nearest few characters within its sight, as they were in the last tick.

use bevy_ecs::prelude::{Component, Query, Res};
use glam::Vec2;
use rayon::prelude::{IntoParallelRefMutIterator, ParallelIterator, IndexedParallelIterator};
use throng_shared::ids::{Archetype, NetId};
use throng_shared::movement::CharacterState;
use throng_shared::spatial::{CharacterColumns, Grid, Hit};
use throng_shared::tick::Tick;

use crate::mind::BotMind;
use crate::world::BotWorld;

/// Most characters that a bot keeps in mind; farther ones go unnoticed.
pub const SEEN_MAX: usize = 8;

/// Bots per rayon job at least; fewer are not worth handing over.
pub(crate) const BOTS_PER_JOB_MIN: usize = 64;

/// Somebody in sight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Who.
    pub net_id: NetId,
    /// Position on the ground plane (x, z), in metres.
    pub position_m: Vec2,
    /// Horizontal velocity, in metres per second.
    pub velocity_mps: Vec2,
    /// What kind of character.
    pub archetype: Archetype,
}

/// What a bot saw when it last looked; written by [`perceive`] only.
#[derive(Clone, Debug, Component)]
pub struct Percepts {
    seen: [Seen; SEEN_MAX],
    count: usize,
    looked: Tick,
}

impl Default for Percepts {
    fn default() -> Self {
        let nobody = Seen {
            net_id: NetId(0),
            position_m: Vec2::ZERO,
            velocity_mps: Vec2::ZERO,
            archetype: Archetype::Bot,
        };
        Percepts { seen: [nobody; SEEN_MAX], count: 0, looked: Tick(0) }
    }
}

impl Percepts {
    /// Up to [`SEEN_MAX`] characters, nearest first, ties by [`NetId`]; never the bot itself. One that is followed or
    /// fled from is among them whenever it is in sight, as the last if others are nearer.
    pub fn seen(&self) -> &[Seen] {
        &self.seen[..self.count]
    }

    /// The tick in which the bot looked; what it saw is the state after the tick before.
    pub fn looked(&self) -> Tick {
        self.looked
    }

    /// Somebody among [`Percepts::seen`].
    pub fn find(&self, net_id: NetId) -> Option<&Seen> {
        self.seen().iter().find(|seen| seen.net_id == net_id)
    }
}

/// Lets the bots that are due look around.
pub fn perceive(
    tick: Res<Tick>,
    world: Res<BotWorld>,
    columns: Res<CharacterColumns>,
    grid: Res<Grid>,
    mut bots: Query<(&NetId, &CharacterState, &BotMind, &mut Percepts)>,
) {
    let (tick, columns, grid) = (*tick, &*columns, &*grid);
    let sight_m = world.rules.sight_m;
    let mut due: Vec<_> = bots
        .iter_mut()
        .filter(|(net_id, ..)| world.is_due(tick, **net_id))
        .map(|(net_id, state, mind, percepts)| {
            let viewer = Viewer {
                net_id: *net_id,
                position_m: state.ground_position_m(),
                sight_m,
                attention: mind.goal.attention(),
            };
            (viewer, percepts.into_inner())
        })
        .collect();
    due.par_iter_mut().with_min_len(BOTS_PER_JOB_MIN).for_each(|(viewer, percepts)| {
        look_around(columns, grid, viewer, percepts);
        percepts.looked = tick;
    });
}

/// Who looks.
struct Viewer {
    net_id: NetId,
    position_m: Vec2,
    sight_m: f32,
    /// Whom it keeps an eye on.
    attention: Option<NetId>,
}

/// Replaces what `percepts` hold by what `viewer` sees. O(cells touched + rows in them); in a crowd only the near part
/// of the sight is searched.
fn look_around(columns: &CharacterColumns, grid: &Grid, viewer: &Viewer, percepts: &mut Percepts) {
    // The nearest are mostly very near: where there are enough of them, there is no need to look farther.
    const NEAR_SHARE: f32 = 0.25;
    percepts.count = 0;
    if viewer.sight_m.is_nan() || viewer.sight_m <= 0.0 {
        return;
    }
    let mut nearest = Nearest::default();
    for radius_m in [viewer.sight_m * NEAR_SHARE, viewer.sight_m] {
        nearest.count = 0;
        grid.for_each_within(viewer.position_m, radius_m, |hit| {
            let is_candidate = nearest.has_place_for(hit) && columns.net_ids[hit.row as usize] != viewer.net_id;
            if is_candidate {
                nearest.insert(hit);
            }
        });
        if nearest.count == SEEN_MAX {
            break;
        }
    }
    if let Some(row) = viewer.attention.and_then(|net_id| columns.row(net_id)) {
        let distance_squared_m2 = columns.positions_m[row].distance_squared(viewer.position_m);
        if distance_squared_m2 <= viewer.sight_m * viewer.sight_m {
            nearest.include(Hit { row: row as u32, distance_squared_m2 });
        }
    }
    percepts.count = nearest.count;
    for (seen, hit) in percepts.seen.iter_mut().zip(nearest.hits()) {
        let row = hit.row as usize;
        *seen = Seen {
            net_id: columns.net_ids[row],
            position_m: columns.positions_m[row],
            velocity_mps: columns.velocities_mps[row],
            archetype: columns.archetypes[row],
        };
    }
}

/// The nearest hits so far, by distance and then by row, which is the order of [`NetId`].
struct Nearest {
    hits: [Hit; SEEN_MAX],
    count: usize,
}

impl Default for Nearest {
    fn default() -> Self {
        Nearest { hits: [Hit { row: 0, distance_squared_m2: 0.0 }; SEEN_MAX], count: 0 }
    }
}

impl Nearest {
    fn hits(&self) -> &[Hit] {
        &self.hits[..self.count]
    }

    fn has_place_for(&self, hit: Hit) -> bool {
        self.count < SEEN_MAX || is_nearer(hit, self.hits[SEEN_MAX - 1])
    }

    /// Puts `hit` in its place; the farthest makes room for it.
    fn insert(&mut self, hit: Hit) {
        self.count = (self.count + 1).min(SEEN_MAX);
        let mut place = self.count - 1;
        while place > 0 && is_nearer(hit, self.hits[place - 1]) {
            self.hits[place] = self.hits[place - 1];
            place -= 1;
        }
        self.hits[place] = hit;
    }

    /// As [`Nearest::insert`], if it is not there; however far away `hit` is.
    fn include(&mut self, hit: Hit) {
        if self.hits().iter().all(|other| other.row != hit.row) {
            self.insert(hit);
        }
    }
}

fn is_nearer(hit: Hit, other: Hit) -> bool {
    (hit.distance_squared_m2, hit.row) < (other.distance_squared_m2, other.row)
}

#[cfg(test)]
mod tests {
    use throng_shared::random::Random;

    use super::*;

    /// The columns and the grid of characters at `positions_m` with ids 10, 11, 12 and so on.
    fn crowd(positions_m: Vec<Vec2>) -> (CharacterColumns, Grid) {
        let mut columns = CharacterColumns::default();
        columns.resize(positions_m.len());
        columns.net_ids = (0..positions_m.len() as u32).map(|index| NetId(10 + index)).collect();
        columns.positions_m = positions_m;
        let mut grid = Grid::new(200.0, 40.0);
        grid.rebuild(&columns.positions_m);
        (columns, grid)
    }

    fn seen_ids((columns, grid): &(CharacterColumns, Grid), viewer: &Viewer) -> Vec<u32> {
        let mut percepts = Percepts::default();
        look_around(columns, grid, viewer, &mut percepts);
        percepts.seen().iter().map(|seen| seen.net_id.0).collect()
    }

    fn viewer(net_id: u32, position_m: Vec2, sight_m: f32) -> Viewer {
        Viewer { net_id: NetId(net_id), position_m, sight_m, attention: None }
    }

    #[test]
    fn a_bot_sees_what_a_full_scan_sees_and_never_itself() {
        let mut random = Random::new(5, 0);
        for (count, spread_m) in [(0, 1.0), (3, 30.0), (60, 90.0), (500, 90.0), (500, 3.0)] {
            let crowd = crowd((0..count).map(|_| random.in_disc(spread_m)).collect());
            for index in 0..count.min(40) {
                let viewer = viewer(10 + index as u32, crowd.0.positions_m[index], 25.0);
                let mut scan: Vec<(f32, u32)> = (0..count)
                    .filter(|&other| other != index)
                    .map(|other| (crowd.0.positions_m[other].distance_squared(viewer.position_m), 10 + other as u32))
                    .filter(|&(distance_squared, _)| distance_squared <= 25.0 * 25.0)
                    .collect();
                scan.sort_by(|a, b| a.partial_cmp(b).expect("finite distances"));
                let scan: Vec<u32> = scan.into_iter().take(SEEN_MAX).map(|(_, net_id)| net_id).collect();
                assert_eq!(seen_ids(&crowd, &viewer), scan);
            }
        }
    }

    #[test]
    fn ties_are_broken_by_id_whatever_cell_they_are_in() {
        let crowd = crowd(vec![Vec2::new(0.0, 3.0), Vec2::new(-3.0, 0.0), Vec2::new(3.0, 0.0), Vec2::new(0.0, -3.0)]);
        assert_eq!(seen_ids(&crowd, &viewer(99, Vec2::ZERO, 5.0)), [10, 11, 12, 13]);
    }

    #[test]
    fn whom_a_bot_attends_to_is_seen_behind_any_crowd_but_not_beyond_sight() {
        let mut positions_m = vec![Vec2::X; 20];
        positions_m.extend([Vec2::new(20.0, 0.0), Vec2::new(26.0, 0.0)]);
        let crowd = crowd(positions_m);
        let attending = |net_id| Viewer { attention: Some(NetId(net_id)), ..viewer(99, Vec2::ZERO, 25.0) };
        assert_eq!(seen_ids(&crowd, &attending(30)), [10, 11, 12, 13, 14, 15, 16, 30]);
        assert_eq!(seen_ids(&crowd, &attending(31)), [10, 11, 12, 13, 14, 15, 16, 17]);
        assert_eq!(seen_ids(&crowd, &attending(12)), [10, 11, 12, 13, 14, 15, 16, 17]);
        assert_eq!(seen_ids(&crowd, &attending(77)), [10, 11, 12, 13, 14, 15, 16, 17]);
    }

    #[test]
    fn without_sight_nobody_is_seen() {
        let crowd = crowd(vec![Vec2::ZERO; 3]);
        for sight_m in [0.0, -1.0, f32::NAN] {
            assert!(seen_ids(&crowd, &viewer(99, Vec2::ZERO, sight_m)).is_empty());
        }
    }
}
