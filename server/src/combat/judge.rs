//! The judge: rewinds, looks whom a shot meets, and looks for walls between.

use std::hint::black_box;
use std::ops::Range;

use bevy_ecs::prelude::Res;
use bevy_ecs::system::SystemParam;
use glam::{Vec2, Vec3};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use throng_shared::combat::Ray;
use throng_shared::ids::NetId;
use throng_shared::map::Map;
use throng_shared::spatial::CharacterColumns;

use super::poses::{Moment, Pose, Poses};
use super::receipt::{Clamp, Receipt, Target, Verdict, body_at, verdict_on};
use crate::instance::InstanceRules;

/// Whoever a shot misses by more than this was not aimed at, in metres.
const NARROW_M: f32 = 1.0;

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
}

/// See [`Judge::judge`].
pub(crate) fn judge(poses: &Poses, columns: &CharacterColumns, map: &Map, shot: &Shot) -> Receipt {
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
    let (shooter, considered) = (shot.shooter, 0);
    let mut search = Search { columns, map, shooter, ray, line, earlier_ticks, considered, met: None, passed: None };
    search.run(moment, poses.stride_m());
    receipt.considered = search.considered;
    receipt.target = search.target();
    receipt.verdict = receipt.target.map_or(Verdict::Miss, |target| verdict_on(map, &ray, &target));
    receipt
}

/// How far back a shot is judged, and why not as far as was asked.
fn clamped(requested_ticks: f64, ticks_max: f64) -> (f64, Clamp) {
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
    earlier_ticks: f32,
    considered: u32,
    met: Option<(f32, Pose)>,
    passed: Option<(f32, Pose)>,
}

/// The ray as seen from above.
#[derive(Clone, Copy, Debug)]
struct Line {
    from_m: Vec2,
    way_m: Vec2,
    /// One over its length squared; 0 for a ray straight up or down.
    per_square_m2: f32,
}

impl Line {
    fn of(ray: &Ray) -> Line {
        let (from_m, to_m) = ray.ground_m();
        let way_m = to_m - from_m;
        let square_m2 = way_m.length_squared();
        Line { from_m, way_m, per_square_m2: if square_m2 > 1e-9 { 1.0 / square_m2 } else { 0.0 } }
    }

    /// How far a point is from it, squared.
    fn distance_squared_m2(&self, point_m: Vec2) -> f32 {
        let away_m = point_m - self.from_m;
        let share = (away_m.dot(self.way_m) * self.per_square_m2).clamp(0.0, 1.0);
        (away_m - self.way_m * share).length_squared()
    }
}

impl Search<'_> {
    fn run(&mut self, moment: &Moment, stride_m: f32) {
        let reach_m = self.map.rules.capsule_radius_m + NARROW_M + stride_m * self.earlier_ticks;
        let Line { from_m, way_m, .. } = self.line;
        let mut runs: SmallVec<[Range<usize>; 64]> = SmallVec::new();
        moment.grid.for_each_run_along(from_m, from_m + way_m, reach_m, |run| runs.push(run));
        let poses = || runs.iter().flat_map(|run| &moment.poses[run.clone()]);
        // What has to come from far away comes together; see [`throng_shared::map::Terrain::fetch`].
        poses().step_by(2).for_each(|pose| {
            black_box(pose.net_id);
        });
        poses().for_each(|pose| self.consider(pose));
        if self.earlier_ticks > 0.0 {
            // These may be on their way from anywhere.
            moment.leapt.iter().for_each(|pose| self.consider(pose));
        }
    }

    /// Most are looked at from above alone.
    fn consider(&mut self, pose: &Pose) {
        let radius_m = self.map.rules.capsule_radius_m;
        let apart_squared_m2 = self.line.distance_squared_m2(pose.ground_m(self.earlier_ticks));
        if apart_squared_m2 > (radius_m + NARROW_M) * (radius_m + NARROW_M) {
            return;
        }
        self.considered += 1;
        if pose.net_id == self.shooter {
            return;
        }
        let comes_before = |best: &Option<(f32, Pose)>, number: f32| {
            best.is_none_or(|(known, other)| (number, pose.net_id) < (known, other.net_id))
        };
        if apart_squared_m2 <= radius_m * radius_m {
            let hit_m = body_at(self.map, pose.feet_m(self.earlier_ticks)).first_hit_m(&self.ray);
            // Whoever has left the world since is not met.
            if let Some(hit_m) = hit_m.filter(|&hit_m| comes_before(&self.met, hit_m) && self.is_there(pose)) {
                self.met = Some((hit_m, *pose));
            }
        }
        if self.met.is_none() && comes_before(&self.passed, apart_squared_m2) && self.is_there(pose) {
            self.passed = Some((apart_squared_m2, *pose));
        }
    }

    fn is_there(&self, pose: &Pose) -> bool {
        self.columns.row(pose.net_id).is_some()
    }

    /// Whom it met, or else who was nearest to it as seen from above.
    fn target(&self) -> Option<Target> {
        let (_, pose) = self.met.or(self.passed)?;
        let row = self.columns.row(pose.net_id)?;
        let ground_m = self.columns.positions_m[row];
        let feet_then_m = pose.feet_m(self.earlier_ticks);
        Some(Target {
            net_id: pose.net_id,
            feet_then_m,
            feet_now_m: Vec3::new(ground_m.x, self.columns.heights_m[row], ground_m.y),
            missed_by_m: body_at(self.map, feet_then_m).distance_m(&self.ray),
        })
    }
}
