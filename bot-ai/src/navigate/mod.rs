//! Finding ways around what is in the way.
//!
//! | | what | when |
//! |---|---|---|
//! | [`cells`](cells) | where one can stand, and step from there | when first needed, for 32 by 32 m at once |
//! | [`field`](field) | the ways to one place of the world file, from everywhere | when first needed |
//! | [`search`](search) | one way to anywhere else | for each that is asked for |
//! | [`planner`](planner) | ways that bots ask for | beside the next tick |
//!
//! A bot goes straight where it can, and asks for a way where it cannot. A way is a few corners, from each of which one sees the next.

mod cells;
mod chunk;
mod field;
mod footing;
mod planner;
mod route;
mod search;

pub(crate) use planner::{Asked, Destination};
pub use planner::{RouteCounts, RoutePlanner, hand_over_routes, plan_routes};
pub(crate) use route::Route;

use std::sync::{Arc, OnceLock};

use glam::{IVec2, Vec2};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use throng_shared::config::{PatrolConfig, PlaceConfig};
use throng_shared::ids::NetId;
use throng_shared::map::Map;
use throng_shared::random::Random;

use cells::Cells;
use field::{Field, TASTES};
use route::CORNERS_MAX;
use search::Search;

/// Most places of a world file to which ways are found for all at once; to others each bot searches for itself. Each takes up to 450 kB.
const PLACES_WITH_FIELDS_MAX: usize = 128;
/// How far a way is looked at, in cells: farther than its corners reach in most towns.
const TRACE_CELLS_MAX: usize = 128;

/// Everything that is known of the ways of a world. What it says depends on the world file alone.
#[derive(Debug)]
pub struct Navigation {
    cells: Arc<Cells>,
    destinations: Vec<PlaceToGo>,
    /// Where the points of each route begin among `destinations`, behind all places.
    routes: Vec<u32>,
}

/// A place of the world file.
#[derive(Debug)]
struct PlaceToGo {
    position_m: Vec2,
    /// By taste; those of a place that is in the next version of the world file too go on.
    fields: Arc<[OnceLock<Field>; TASTES as usize]>,
}

/// A way, as far as it was looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Way {
    corners_m: [Vec2; CORNERS_MAX],
    count: usize,
    /// Its length up to the last of the corners, in metres.
    length_m: f32,
    /// Whether it leads to where it should, as far as it was looked at.
    is_whole: bool,
    /// Whether it does not, nor nearer.
    is_dead_end: bool,
    /// What it cost to find, in cells that were looked at.
    cells: u32,
}

/// How somebody goes: each a little differently, and always the same.
#[derive(Clone, Copy, Debug, Default)]
struct Habit {
    /// How much farther than needed it goes around corners, in metres.
    spread_m: f32,
    /// Which quarters it likes, less than [`TASTES`].
    taste: u32,
}

impl Habit {
    fn of(net_id: NetId) -> Habit {
        // Apart from other streams.
        const HABIT_STREAMS: u64 = 0x6861_6269_7473;
        let mut random = Random::new(HABIT_STREAMS, u64::from(net_id.0));
        Habit { spread_m: SPREAD_M * random.unit(), taste: random.below(TASTES) }
    }
}

/// What is needed to find ways, and used again for the next one.
#[derive(Debug, Default)]
struct Scratch {
    search: Search,
    way: Vec<IVec2>,
    places_m: Vec<Vec2>,
    /// Which fields have been asked for, as bits.
    asked: Vec<u64>,
}

/// Whether a field is asked for by the first.
fn is_first(asked: &mut Vec<u64>, destination: u32, taste: u32) -> bool {
    let number = (destination * TASTES + taste) as usize;
    asked.resize(asked.len().max(number / 64 + 1), 0);
    let (word, bit) = (&mut asked[number / 64], 1 << (number % 64));
    std::mem::replace(word, *word | bit) & bit == 0
}

impl Navigation {
    /// The ways of a world, of which none is known yet.
    pub(crate) fn new(map: &Arc<Map>, places: &[PlaceConfig], patrols: &[PatrolConfig]) -> Navigation {
        Navigation::over(Arc::new(Cells::new(Arc::clone(map))), places, patrols, &[])
    }

    /// The ways to other places of the same map.
    pub(crate) fn to_other_places(&self, places: &[PlaceConfig], patrols: &[PatrolConfig]) -> Navigation {
        Navigation::over(Arc::clone(&self.cells), places, patrols, &self.destinations)
    }

    /// What `known` places have in common with these is kept.
    fn over(cells: Arc<Cells>, places: &[PlaceConfig], patrols: &[PatrolConfig], known: &[PlaceToGo]) -> Navigation {
        let place_to_go = |position_m: Vec2| {
            let same = known.iter().find(|known| known.position_m == position_m);
            PlaceToGo { position_m, fields: same.map_or_else(Default::default, |same| Arc::clone(&same.fields)) }
        };
        let mut destinations: Vec<PlaceToGo> = places.iter().map(|place| place_to_go(place.center_m)).collect();
        let mut routes = Vec::new();
        for patrol in patrols {
            routes.push(destinations.len() as u32);
            destinations.extend(patrol.points_m.iter().copied().map(place_to_go));
        }
        destinations.truncate(PLACES_WITH_FIELDS_MAX);
        Navigation { cells, destinations, routes }
    }

    /// Finds the ways to all places of the world file at once, on all threads, which would otherwise be found when first asked for. Cost: 30 ms for each.
    pub fn prepare(&self) {
        self.destinations.par_iter().for_each(|place| {
            (0..TASTES).for_each(|taste| {
                self.field(place, taste);
            });
        });
    }

    /// Whether one can walk straight from one point to another; see [`Cells::is_straight_way`].
    pub(crate) fn is_straight_way(&self, from_m: Vec2, to_m: Vec2) -> bool {
        self.cells.is_straight_way(from_m, to_m)
    }

    /// The same where nobody needs to know more than that; see [`Cells::is_clear_line`].
    pub(crate) fn is_clear_line(&self, from_m: Vec2, to_m: Vec2) -> bool {
        self.cells.is_clear_line(from_m, to_m)
    }

    /// The same for who squeezes through, along walls.
    pub(crate) fn is_narrow_way(&self, from_m: Vec2, to_m: Vec2) -> bool {
        self.cells.is_narrow_way(from_m, to_m)
    }

    /// Whether there is room all around a point.
    pub(crate) fn is_roomy(&self, point_m: Vec2) -> bool {
        self.cells.is_roomy(self.cells.cell_at(point_m))
    }

    /// Which of the destinations a place is.
    pub(crate) fn destination_of_place(&self, place: u32) -> Option<u32> {
        ((place as usize) < self.destinations.len()).then_some(place)
    }

    /// Which of the destinations a point of a route is; none when there are too many, or no such route.
    pub(crate) fn destination(&self, route: u32, point: u32) -> Option<u32> {
        let destination = self.routes.get(route as usize)?.checked_add(point)?;
        ((destination as usize) < self.destinations.len()).then_some(destination)
    }

    /// A way from one point to another, or as near as it gets.
    fn find(&self, from_m: Vec2, to: Destination, habit: Habit, scratch: &mut Scratch) -> Way {
        let Destination { position_m: to_m, place: destination } = to;
        let Scratch { search, way, places_m, asked } = scratch;
        way.clear();
        // Whoever stands where nobody could stand goes straight, and may get free.
        let Some(start) = self.cells.cell_to_set_out(from_m) else { return Way::none(from_m) };
        let Some(goal) = self.cells.cell_to_set_out(to_m) else {
            return Way { is_dead_end: true, ..Way::none(from_m) };
        };
        let place_to_go = destination.and_then(|destination| self.destinations.get(destination as usize));
        let is_first =
            place_to_go.is_some() && destination.is_some_and(|destination| is_first(asked, destination, habit.taste));
        // Whoever comes first pays for all, whether it was found ahead or not: otherwise the one would have other bots than the other.
        let mut searched = if is_first { field::CELLS_MAX } else { 0 };
        let is_traced =
            place_to_go.is_some_and(|place| self.field(place, habit.taste).trace(start, TRACE_CELLS_MAX, way));
        let mut is_whole = is_traced && way.len() < TRACE_CELLS_MAX;
        if !is_traced {
            way.clear();
        }
        let end = way.last().copied().unwrap_or(start);
        let is_seen = || self.cells.place_m(end).is_some_and(|end_m| self.is_straight_way(end_m, to_m));
        // A field leads to the middle of a place; where in it somebody wants to stand may be around a corner.
        if !is_traced || (is_whole && end != goal && !is_seen()) {
            let found = search.find(&self.cells, end, goal, way);
            (is_whole, searched) = (found.is_whole, searched + found.cells);
        }
        let cells = way.len() as u32 + searched;
        way.truncate(TRACE_CELLS_MAX);
        let is_cut = way.len() == TRACE_CELLS_MAX;
        places_m.clear();
        for place_m in std::iter::once(start).chain(way.iter().copied()).filter_map(|cell| self.cells.place_m(cell)) {
            let bend_m = places_m.last().and_then(|&before_m| self.cells.bend_m(before_m, place_m));
            places_m.extend(bend_m);
            places_m.push(place_m);
        }
        if is_whole && !is_cut {
            places_m.push(to_m);
        }
        let end_m = places_m.last().copied().unwrap_or(from_m);
        let is_nearer = end_m.distance(to_m) + NEARER_M < from_m.distance(to_m);
        let is_known = is_whole || (is_traced && is_cut);
        let is_dead_end = !is_known && !is_nearer;
        let mut way = Way { cells, is_whole: is_known, is_dead_end, ..self.pull(from_m, places_m) };
        self.spread(from_m, habit.spread_m, &mut way);
        way
    }

    /// Gives corners a wider berth where there is room for it: otherwise a crowd would go by every corner in single file.
    fn spread(&self, from_m: Vec2, spread_m: f32, way: &mut Way) {
        let mut before_m = from_m;
        for corner in 0..way.count.saturating_sub(1) {
            let (corner_m, after_m) = (way.corners_m[corner], way.corners_m[corner + 1]);
            let inwards = (before_m - corner_m).normalize_or_zero() + (after_m - corner_m).normalize_or_zero();
            let wide_m = corner_m - inwards.normalize_or_zero() * spread_m;
            let is_free = [(before_m, wide_m), (wide_m, after_m), (corner_m, wide_m)]
                .iter()
                .all(|&(from_m, to_m)| self.is_straight_way(from_m, to_m));
            if is_free {
                way.corners_m[corner] = wide_m;
            }
            before_m = way.corners_m[corner];
        }
    }

    /// Pulls a way tight: leaves out whatever one sees past. Cost: up to some 100 us.
    fn pull(&self, from_m: Vec2, places_m: &[Vec2]) -> Way {
        let mut way = Way::none(from_m);
        let mut corner_m = from_m;
        let mut passed = 0;
        while passed < places_m.len() && way.count < CORNERS_MAX {
            // The first is taken whether it is seen or not: it is where to set out.
            let (mut farthest, mut place) = (passed, passed + 1);
            while place < places_m.len() && place <= farthest + LOOK_PAST_PLACES {
                if self.is_straight_way(corner_m, places_m[place]) {
                    farthest = place;
                }
                place += 1;
            }
            let next_m = places_m[farthest];
            passed = farthest + 1;
            way.length_m += corner_m.distance(next_m);
            way.corners_m[way.count] = next_m;
            way.count += 1;
            corner_m = next_m;
        }
        way
    }

    fn field<'a>(&self, place: &'a PlaceToGo, taste: u32) -> &'a Field {
        place.fields[taste as usize].get_or_init(|| Field::new(&self.cells, place.position_m, taste))
    }
}

/// How much farther than needed some go around a corner, in metres.
const SPREAD_M: f32 = 1.6;
/// When a way is pulled tight, so many places are looked past that are not seen: beside walls ways are crooked.
const LOOK_PAST_PLACES: usize = 6;
/// A way that ends nearer to its goal than it begins by this much leads somewhere, in metres.
const NEARER_M: f32 = 4.0;

impl Way {
    /// No way at all.
    fn none(at_m: Vec2) -> Way {
        let (is_whole, is_dead_end) = (false, false);
        Way { corners_m: [at_m; CORNERS_MAX], count: 0, length_m: 0.0, is_whole, is_dead_end, cells: 0 }
    }
}

#[cfg(test)]
mod tests;
