//! The search for whom a shot meets first, or else comes nearest to.

use std::ops::Range;

use glam::{Vec2, Vec3, Vec3Swizzles};
use throng_shared::combat::Ray;
use throng_shared::ids::{Archetype, NetId};
use throng_shared::map::Map;
use throng_shared::quantised::STEPS_PER_M;
use throng_shared::spatial::{CharacterColumns, Run};
use throng_shared::wire::page::slots_of;
use wide::f32x8;

use super::moment::{LANES, Moment, Points};
use super::receipt::Target;

/// Whoever a shot misses by more than this was not aimed at, in metres, as if all were as wide as the widest.
const NARROW_M: f32 = 1.0;

/// A shot's line is looked at piece by piece, for most meet somebody near. So long is the first, in cells; each is twice as long as the one before.
const FIRST_PIECE_CELLS: f32 = 2.0;

/// Longest piece, in cells, if [`PIECES_MAX`] of them reach.
const PIECE_CELLS: f32 = 16.0;

/// Most of the longest pieces.
const PIECES_MAX: f32 = 64.0;

/// So many runs of a piece are asked for before the first is looked at: what has to come from far away comes together.
const RUNS_TOGETHER: usize = 16;

/// A ray of which a metre is less than this as seen from above is taken for one straight up or down, in metres.
const STEEP_MIN: f32 = 1e-6;

/// More than places along a shot's line are rounded by, in metres.
const ROUNDING_M: f32 = 0.01;

/// By how much a place that is told differs from the true one at most, in metres: half a step on each axis is less.
const STEP_M: f32 = 1.0 / STEPS_PER_M;

/// The search for whom a shot meets first, or else comes nearest to.
pub(super) struct Search<'s> {
    columns: &'s CharacterColumns,
    map: &'s Map,
    shooter: NetId,
    ray: Ray,
    line: Line,
    /// How much longer the way along the ray is than as seen from above.
    steepness: f32,
    moment: &'s Moment,
    earlier_ticks: f32,
    considered: u32,
    /// Whether it is looked for those whom the shot meets, and not only comes near to.
    asks_for_met: bool,
    /// Whoever is farther from the line than this is not looked at, squared.
    wanted_squared_m2: f32,
    /// The best of what is looked for.
    best: Option<Found>,
    /// Whether those who have left the world are left out.
    asks_who_is_there: bool,
    may_hit: &'s dyn Fn(NetId) -> bool,
}

/// Somebody near a shot's line, and how good a find that is: less is better.
#[derive(Clone, Copy, Debug)]
struct Found {
    number: f32,
    net_id: NetId,
    archetype: Archetype,
    feet_m: Vec3,
}

/// The ray as seen from above.
#[derive(Clone, Copy, Debug)]
struct Line {
    from_m: Vec2,
    /// Of length 1; nothing for a ray straight up or down.
    along: Vec2,
    length_m: f32,
}

impl Line {
    fn of(ray: &Ray) -> Line {
        // By its direction, for its end is rounded, and may be farther away than there are numbers.
        let along = ray.direction.xz();
        let from_m = ray.origin_m.xz();
        Line { from_m, along: along.normalize_or_zero(), length_m: ray.length_m * along.length() }
    }

    /// How far a point is from it, squared, and how far along it that is: negative before its beginning, and more than its length beyond its end.
    fn distance_squared_m2(&self, point_m: Vec2) -> (f32, f32) {
        let (x_m, z_m) = (point_m.x - self.from_m.x, point_m.y - self.from_m.y);
        let along_m = x_m * self.along.x + z_m * self.along.y;
        let nearest_m = along_m.max(0.0).min(self.length_m);
        let (x_m, z_m) = (x_m - self.along.x * nearest_m, z_m - self.along.y * nearest_m);
        (x_m * x_m + z_m * z_m, along_m)
    }

    /// The same of several points.
    #[inline]
    fn distances(&self, points_m: &Points) -> (f32x8, f32x8) {
        let (x_m, z_m) = (points_m.x_m - f32x8::splat(self.from_m.x), points_m.z_m - f32x8::splat(self.from_m.y));
        let (along_x, along_z) = (f32x8::splat(self.along.x), f32x8::splat(self.along.y));
        let along_m = x_m * along_x + z_m * along_z;
        let nearest_m = along_m.fast_max(f32x8::ZERO).fast_min(f32x8::splat(self.length_m));
        let (x_m, z_m) = (x_m - along_x * nearest_m, z_m - along_z * nearest_m);
        (x_m * x_m + z_m * z_m, along_m)
    }
}

/// The lanes of the block that begins at a place which are in a run, as bits.
#[inline]
fn lanes_of(run: &Range<usize>, first: usize) -> u32 {
    let up_to = |end: usize| (1_u32 << end.saturating_sub(first).min(LANES)) - 1;
    up_to(run.end) & !up_to(run.start)
}

impl<'s> Search<'s> {
    /// Among those who stood there so much of a tick before a moment, and may be hit.
    pub(super) fn new(
        moment: &'s Moment,
        earlier_ticks: f32,
        ray: Ray,
        shooter: NetId,
        columns: &'s CharacterColumns,
        map: &'s Map,
        may_hit: &'s dyn Fn(NetId) -> bool,
    ) -> Search<'s> {
        let line = Line::of(&ray);
        Search {
            columns,
            map,
            shooter,
            ray,
            line,
            steepness: 1.0 / ray.direction.xz().length().max(STEEP_MIN),
            moment,
            earlier_ticks,
            considered: 0,
            asks_for_met: true,
            wanted_squared_m2: 0.0,
            best: None,
            asks_who_is_there: false,
            may_hit,
        }
    }

    /// How many were near enough to be looked at closely.
    pub(super) fn considered(&self) -> u32 {
        self.considered
    }

    /// Looks for whom it meets; and when it meets nobody, for who is nearest.
    fn run(&mut self) {
        let widest_m = self.map.bodies.radius_max_m();
        self.best = None;
        self.run_along(true, widest_m + ROUNDING_M);
        if self.best.is_none() {
            self.run_along(false, widest_m + NARROW_M);
        }
    }

    fn run_along(&mut self, asks_for_met: bool, wanted_m: f32) {
        (self.asks_for_met, self.wanted_squared_m2, self.considered) = (asks_for_met, wanted_m * wanted_m, 0);
        if self.earlier_ticks > 0.0 {
            self.run_leapt();
        }
        // The grid has them where they are, and the moment as they are told.
        let reach_m = wanted_m + STEP_M + self.moment.stride_m * self.earlier_ticks;
        let cell_m = self.moment.grid.cell_m();
        let longest_m = (self.line.length_m / PIECES_MAX).max(PIECE_CELLS * cell_m);
        let (mut from_m, mut piece_m) = (0.0, FIRST_PIECE_CELLS * cell_m);
        while !self.is_met_before(from_m) {
            let to_m = (from_m + piece_m).min(self.line.length_m);
            let is_last = to_m >= self.line.length_m;
            self.run_piece(from_m..to_m, is_last, reach_m);
            if is_last {
                break;
            }
            (from_m, piece_m) = (to_m, (2.0 * piece_m).min(longest_m));
        }
    }

    /// Whether somebody is met before anybody can be who is so far along the line or farther: that is no more than its radius before.
    fn is_met_before(&self, along_m: f32) -> bool {
        let may_be_met_m = (along_m - self.map.bodies.radius_max_m()) * self.steepness;
        // Both are rounded, each in its own way.
        self.met_m().is_some_and(|met_m| met_m + ROUNDING_M < may_be_met_m)
    }

    /// Looks at those who may be on their way from anywhere.
    fn run_leapt(&mut self) {
        for pose in &self.moment.leapt {
            let feet_m = pose.feet_m(self.earlier_ticks);
            let (apart_squared_m2, _) = self.line.distance_squared_m2(feet_m.xz());
            if apart_squared_m2 <= self.wanted_squared_m2 {
                self.considered += 1;
                let body = self.map.bodies.of(pose.archetype).at(feet_m);
                let number = if self.asks_for_met { body.first_hit_m(&self.ray) } else { Some(apart_squared_m2) };
                if let Some(number) = number {
                    self.offer(Found { number, net_id: pose.net_id, archetype: pose.archetype, feet_m });
                }
            }
        }
    }

    /// Looks at whoever is near a part of the line and counts for it, by how far along the line it is.
    fn run_piece(&mut self, part_m: Range<f32>, is_last: bool, reach_m: f32) {
        let (moment, line) = (self.moment, self.line);
        let point_m = |along_m: f32| line.from_m + line.along * along_m;
        // The ends have whoever is beyond them.
        let counted_from_m = if part_m.start == 0.0 { f32::NEG_INFINITY } else { part_m.start };
        let counted_m = counted_from_m..if is_last { f32::INFINITY } else { part_m.end };
        let mut runs = moment.grid.runs_along(point_m(part_m.start), point_m(part_m.end), reach_m);
        let mut together: [Run; RUNS_TOGETHER] = Default::default();
        loop {
            let mut count = 0;
            for run in runs.by_ref().filter(|run| !run.places.is_empty()).take(RUNS_TOGETHER) {
                moment.fetch_blocks(&run.places);
                together[count] = run;
                count += 1;
            }
            for run in &together[..count] {
                if self.is_met_before(part_m.start + run.from_share * (part_m.end - part_m.start)) {
                    return;
                }
                self.run_places(&run.places, &counted_m);
            }
            if count < RUNS_TOGETHER {
                return;
            }
        }
    }

    /// Looks at a run of places, all of a block together.
    fn run_places(&mut self, run: &Range<usize>, counted_m: &Range<f32>) {
        let (moment, line, earlier_ticks) = (self.moment, self.line, self.earlier_ticks);
        let are_on_their_way = earlier_ticks > 0.0 && !moment.leapt.is_empty();
        let [from_m, to_m, wanted_squared_m2] =
            [counted_m.start, counted_m.end, self.wanted_squared_m2].map(f32x8::splat);
        for block in Moment::blocks_of(run) {
            let points_m = moment.points_m(block, earlier_ticks);
            let (apart_squared_m2, along_m) = line.distances(&points_m);
            let is_wanted =
                apart_squared_m2.simd_le(wanted_squared_m2) & along_m.simd_ge(from_m) & along_m.simd_lt(to_m);
            let mut wanted = is_wanted.to_bitmask() & lanes_of(run, block * LANES);
            if wanted == 0 {
                continue;
            }
            if are_on_their_way {
                wanted &= !moment.leapt_lanes(block);
            }
            self.considered += wanted.count_ones();
            let numbers = if self.asks_for_met { self.hits_m(block, &points_m) } else { apart_squared_m2 };
            self.offer_lanes(block, numbers, wanted);
        }
    }

    /// How far along the ray those of a block are met who were at these points, in metres; infinitely far who are not.
    fn hits_m(&self, block: usize, points_m: &Points) -> f32x8 {
        self.moment.capsules(block, points_m, self.earlier_ticks, &self.map.bodies).first_hits_m(&self.ray)
    }

    /// Offers the wanted of a block.
    fn offer_lanes(&mut self, block: usize, numbers: f32x8, wanted: u32) {
        let worst = self.best.map_or(f32::MAX, |best| best.number);
        let better = numbers.simd_le(worst).to_bitmask() & wanted;
        let numbers = numbers.to_array();
        for lane in slots_of(better) {
            let place = block * LANES + lane;
            let (net_id, archetype) = (self.moment.net_id(place), self.moment.archetype(place));
            let feet_m = self.moment.feet_at_m(place, self.earlier_ticks);
            self.offer(Found { number: numbers[lane], net_id, archetype, feet_m });
        }
    }

    fn offer(&mut self, found: Found) {
        let Found { number, net_id, .. } = found;
        let is_there = || !self.asks_who_is_there || self.columns.row(net_id).is_some();
        if self.best.is_none_or(|best| (number, net_id) < (best.number, best.net_id))
            && net_id != self.shooter
            && is_there()
            && (self.may_hit)(net_id)
        {
            self.best = Some(found);
        }
    }

    /// Whom it met, or else who was nearest to it as seen from above.
    pub(super) fn target(&mut self) -> Option<Target> {
        self.run();
        let mut found = self.best?;
        if self.columns.row(found.net_id).is_none() {
            // Whoever has left the world since is not met. That is seldom, so that not everybody is looked up.
            self.asks_who_is_there = true;
            self.run();
            found = self.best?;
        }
        let Found { net_id, archetype, feet_m, .. } = found;
        let row = self.columns.row(net_id)?;
        let ground_m = self.columns.positions_m[row];
        Some(Target {
            net_id,
            archetype,
            feet_then_m: feet_m,
            feet_now_m: Vec3::new(ground_m.x, self.columns.heights_m[row], ground_m.y),
            missed_by_m: self.map.bodies.of(archetype).at(feet_m).distance_m(&self.ray),
        })
    }

    /// How far away whoever it has met is, in metres.
    pub(super) fn met_m(&self) -> Option<f32> {
        self.best.filter(|_| self.asks_for_met).map(|met| met.number)
    }
}
