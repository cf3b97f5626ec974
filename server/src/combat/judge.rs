//! The judge: rewinds, looks whom a shot meets, and looks for walls between.

use std::hint::black_box;
use std::ops::Range;

use bevy_ecs::prelude::Res;
use bevy_ecs::system::SystemParam;
use glam::{Vec2, Vec3, Vec3Swizzles};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use throng_shared::combat::Ray;
use throng_shared::ids::NetId;
use throng_shared::map::Map;
use throng_shared::spatial::CharacterColumns;

use super::poses::{Moment, Poses, Stand};
use super::receipt::{Clamp, Receipt, Target, Verdict, body_at, verdict_on};
use crate::instance::InstanceRules;

/// Whoever a shot misses by more than this was not aimed at, in metres.
const NARROW_M: f32 = 1.0;

/// A shot's line is looked at piece by piece, for most meet somebody near. So long is one, in metres, and so many are the most.
const PIECE_M: f32 = 8.0;
const PIECES_MAX: f32 = 64.0;

/// So many are looked at before what is near is looked at closer.
const NEAR_TOGETHER: usize = 32;

/// A shot that somebody says it has fired.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shot {
    /// Who, which it does not meet.
    pub shooter: NetId,
    /// From where, in metres.
    pub origin_m: Vec3,
    /// Where to, of any length.
    pub direction: Vec3,
    /// How far it goes, in metres.
    pub range_m: f32,
    /// What the shooter saw meanwhile: a moment between two ticks.
    pub view_tick: f64,
}

impl Shot {
    /// Its line; none when there is none, or a number is not finite.
    pub fn ray(&self) -> Option<Ray> {
        Ray::new(self.origin_m, self.direction, self.range_m)
    }
}

/// Judges shots. A parameter of systems in worlds that keep [`Poses`]: in phases up to Simulate by what was at the end of the tick before,
/// and in those after Record by what is.
#[derive(SystemParam)]
pub struct Judge<'w> {
    poses: Res<'w, Poses>,
    columns: Res<'w, CharacterColumns>,
    rules: Res<'w, InstanceRules>,
}

impl Judge<'_> {
    /// Judges a shot where its shooter saw its target, but no longer ago than the world allows: whom it meets first there, if no wall is between.
    ///
    /// Cost: O(who was near its line), and for a shot that meets somebody the ground up to there.
    pub fn judge(&self, shot: &Shot) -> Receipt {
        judge(&self.poses, &self.columns, &self.rules.map, shot)
    }

    /// Judges many at once, and appends the receipts in the order of the shots: the same as one by one, but those of the same moment together, whose
    /// memory is then brought near once.
    pub fn judge_all(&self, shots: &[Shot], out: &mut Vec<Receipt>) {
        judge_all(&self.poses, &self.columns, &self.rules.map, shots, out);
    }
}

/// From so many shots that are judged by the same moment on, all of it is brought near first.
const FETCHED_FOR: usize = 16;

/// See [`Judge::judge_all`].
pub(crate) fn judge_all(poses: &Poses, columns: &CharacterColumns, map: &Map, shots: &[Shot], out: &mut Vec<Receipt>) {
    let newest = f64::from(poses.newest().0);
    let moment_of = |shot: &Shot| {
        let (granted_ticks, _) = clamped(newest - shot.view_tick, poses.rewind_ticks_max());
        (newest - granted_ticks).ceil() as u32
    };
    let mut order: Vec<(u32, u32)> = shots.iter().zip(0..).map(|(shot, place)| (moment_of(shot), place)).collect();
    order.sort_unstable();
    let mut judged: Vec<(u32, Receipt)> = Vec::with_capacity(shots.len());
    for same in order.chunk_by(|one, other| one.0 == other.0) {
        if same.len() >= FETCHED_FOR
            && let Some((moment, _)) = poses.after(f64::from(same[0].0))
        {
            moment.fetch();
        }
        judged.extend(same.iter().map(|&(_, place)| (place, judge(poses, columns, map, &shots[place as usize]))));
    }
    judged.sort_unstable_by_key(|(place, _)| *place);
    out.extend(judged.into_iter().map(|(_, receipt)| receipt));
}

/// See [`Judge::judge`].
pub(crate) fn judge(poses: &Poses, columns: &CharacterColumns, map: &Map, shot: &Shot) -> Receipt {
    judge_among(poses, columns, map, shot, &|_| true)
}

/// The same among those who may be hit; it passes through all others.
pub(crate) fn judge_among(
    poses: &Poses,
    columns: &CharacterColumns,
    map: &Map,
    shot: &Shot,
    may_hit: &dyn Fn(NetId) -> bool,
) -> Receipt {
    let newest = f64::from(poses.newest().0);
    let requested_rewind_ticks = newest - shot.view_tick;
    let (granted_rewind_ticks, clamp) = clamped(requested_rewind_ticks, poses.rewind_ticks_max());
    let mut receipt = Receipt {
        judged: poses.newest(),
        shot: *shot,
        requested_rewind_ticks,
        granted_rewind_ticks,
        clamp,
        considered: 0,
        target: None,
        verdict: Verdict::Miss,
    };
    let Some(ray) = shot.ray() else { return receipt };
    let Some((moment, earlier_ticks)) = poses.after(newest - granted_rewind_ticks) else { return receipt };
    let line = Line::of(&ray);
    let mut search = Search {
        columns,
        map,
        shooter: shot.shooter,
        ray,
        line,
        steepness: ray.length_m / line.length_m.max(1e-3),
        moment,
        earlier_ticks,
        considered: 0,
        met: None,
        passed: None,
        asks_who_is_there: false,
        may_hit,
    };
    receipt.target = search.target(poses.stride_m());
    receipt.considered = search.considered;
    receipt.verdict = receipt.target.map_or(Verdict::Miss, |target| verdict_on(map, &ray, &target));
    receipt
}

/// How far back a shot is judged, and why not as far as was asked.
pub(super) fn clamped(requested_ticks: f64, ticks_max: f64) -> (f64, Clamp) {
    match requested_ticks {
        ticks if ticks.is_nan() => (0.0, Clamp::NoNumber),
        ticks if ticks < 0.0 => (0.0, Clamp::NotYet),
        ticks if ticks > ticks_max => (ticks_max, Clamp::TooOld),
        ticks => (ticks, Clamp::None),
    }
}

/// The search for whom a shot meets first, or else comes nearest to.
struct Search<'s> {
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
    met: Option<Found>,
    passed: Option<Found>,
    /// Whether those who have left the world are left out.
    asks_who_is_there: bool,
    may_hit: &'s dyn Fn(NetId) -> bool,
}

/// Somebody near a shot's line, and how good a find that is: less is better.
#[derive(Clone, Copy, Debug)]
struct Found {
    number: f32,
    net_id: NetId,
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
        let (from_m, to_m) = ray.ground_m();
        let length_m = from_m.distance(to_m);
        Line { from_m, along: (to_m - from_m).normalize_or_zero(), length_m }
    }

    /// How far a point is from it, squared, and how far along it that is: negative before its beginning, and more than its length beyond its end.
    fn distance_squared_m2(&self, point_m: Vec2) -> (f32, f32) {
        let (x_m, z_m) = (point_m.x - self.from_m.x, point_m.y - self.from_m.y);
        let along_m = x_m * self.along.x + z_m * self.along.y;
        let nearest_m = along_m.clamp(0.0, self.length_m);
        let (x_m, z_m) = (x_m - self.along.x * nearest_m, z_m - self.along.y * nearest_m);
        (x_m * x_m + z_m * z_m, along_m)
    }
}

impl Search<'_> {
    fn run(&mut self, stride_m: f32) {
        if self.earlier_ticks > 0.0 {
            // These may be on their way from anywhere.
            for pose in &self.moment.leapt {
                let feet_m = pose.feet_m(self.earlier_ticks);
                let (apart_squared_m2, _) = self.line.distance_squared_m2(feet_m.xz());
                if apart_squared_m2 <= self.near_squared_m2() {
                    self.considered += 1;
                    self.consider(apart_squared_m2, feet_m, pose.net_id);
                }
            }
        }
        let reach_m = self.map.rules.capsule_radius_m + NARROW_M + stride_m * self.earlier_ticks;
        let length_m = self.line.length_m;
        let pieces = (length_m / PIECE_M).ceil().clamp(1.0, PIECES_MAX);
        let piece_m = length_m / pieces;
        for piece in 0..pieces as u32 {
            let (from_m, to_m) = (piece as f32 * piece_m, (piece + 1) as f32 * piece_m);
            // Whoever is first looked at in a piece is met no more than its radius before.
            let met_from_m = (from_m - self.map.rules.capsule_radius_m) * self.steepness;
            if self.met.is_some_and(|met| met.number < met_from_m) {
                break;
            }
            // The ends have whoever is beyond them.
            let is_last = piece as f32 + 1.0 >= pieces;
            let counted_from_m = if piece == 0 { f32::NEG_INFINITY } else { from_m };
            let counted_to_m = if is_last { f32::INFINITY } else { to_m };
            self.run_piece(from_m..to_m, counted_from_m..counted_to_m, reach_m);
        }
    }

    /// Looks at whoever is near a part of the line, and nearest to it in another, which may be longer.
    fn run_piece(&mut self, part_m: Range<f32>, counted_m: Range<f32>, reach_m: f32) {
        let (moment, line, earlier_ticks) = (self.moment, self.line, self.earlier_ticks);
        let point_m = |along_m: f32| line.from_m + line.along * along_m;
        let mut runs: SmallVec<[Range<usize>; 32]> = SmallVec::new();
        moment.grid.for_each_run_along(point_m(part_m.start), point_m(part_m.end), reach_m, |run| runs.push(run));
        // What has to come from far away comes together; see [`throng_shared::map::Terrain::fetch`].
        for run in &runs {
            moment.stands[run.clone()].iter().step_by(64 / size_of::<Stand>()).for_each(|stand| {
                black_box(stand.net_id());
            });
        }
        let near_squared_m2 = self.near_squared_m2();
        // Written whether it counts or not, and overwritten when not: one in three counts, which no processor foresees.
        let mut near = [(0.0, 0.0, 0); NEAR_TOGETHER];
        for run in runs {
            for places in (run.start..run.end).step_by(NEAR_TOGETHER) {
                let mut count = 0;
                for place in places..run.end.min(places + NEAR_TOGETHER) {
                    let (apart_squared_m2, along_m) =
                        line.distance_squared_m2(moment.stands[place].ground_m(earlier_ticks));
                    near[count] = (apart_squared_m2, along_m, place);
                    let is_here = (along_m >= counted_m.start) & (along_m < counted_m.end);
                    count += usize::from((apart_squared_m2 <= near_squared_m2) & is_here);
                }
                for &(apart_squared_m2, along_m, place) in &near[..count] {
                    self.consider_stand(apart_squared_m2, along_m, moment.stands[place]);
                }
            }
        }
    }

    fn near_squared_m2(&self) -> f32 {
        let near_m = self.map.rules.capsule_radius_m + NARROW_M;
        near_m * near_m
    }

    /// Most are looked at from above alone.
    fn consider_stand(&mut self, apart_squared_m2: f32, along_m: f32, stand: Stand) {
        if self.earlier_ticks > 0.0 && stand.has_leapt() {
            return;
        }
        self.considered += 1;
        let radius_m = self.map.rules.capsule_radius_m;
        let touches = apart_squared_m2 <= radius_m * radius_m;
        let can_be_better = match (self.met, self.passed) {
            (Some(met), _) => touches && (along_m - radius_m) * self.steepness <= met.number,
            (None, Some(passed)) => touches || apart_squared_m2 <= passed.number,
            (None, None) => true,
        };
        if !can_be_better {
            return;
        }
        let feet_m = stand.feet_m(self.earlier_ticks);
        self.consider(apart_squared_m2, feet_m, stand.net_id());
    }

    /// Somebody whose way is so far from the shot's as seen from above.
    fn consider(&mut self, apart_squared_m2: f32, feet_m: Vec3, net_id: NetId) {
        let radius_m = self.map.rules.capsule_radius_m;
        let touches = apart_squared_m2 <= radius_m * radius_m;
        let hit_m = if touches { body_at(self.map, feet_m).first_hit_m(&self.ray) } else { None };
        let (best, number) = match hit_m {
            Some(hit_m) => (&mut self.met, hit_m),
            None => (&mut self.passed, apart_squared_m2),
        };
        let is_better = best.is_none_or(|best| (number, net_id) < (best.number, best.net_id));
        let is_there = || !self.asks_who_is_there || self.columns.row(net_id).is_some();
        if is_better && net_id != self.shooter && is_there() && (self.may_hit)(net_id) {
            *best = Some(Found { number, net_id, feet_m });
        }
    }

    /// Whom it met, or else who was nearest to it as seen from above.
    fn target(&mut self, stride_m: f32) -> Option<Target> {
        self.run(stride_m);
        let found = self.met.or(self.passed)?;
        if self.columns.row(found.net_id).is_none() {
            // Whoever has left the world since is not met. That is seldom, so that not everybody is looked up.
            self.asks_who_is_there = true;
            (self.considered, self.met, self.passed) = (0, None, None);
            self.run(stride_m);
        }
        let Found { net_id, feet_m, .. } = self.met.or(self.passed)?;
        let row = self.columns.row(net_id)?;
        let ground_m = self.columns.positions_m[row];
        Some(Target {
            net_id,
            feet_then_m: feet_m,
            feet_now_m: Vec3::new(ground_m.x, self.columns.heights_m[row], ground_m.y),
            missed_by_m: body_at(self.map, feet_m).distance_m(&self.ray),
        })
    }
}
