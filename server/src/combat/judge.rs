//! The judge: rewinds, looks whom a shot meets, and looks for walls between.

use bevy_ecs::prelude::Res;
use bevy_ecs::system::SystemParam;
use glam::Vec3;
use serde::{Deserialize, Serialize};
use throng_shared::combat::Ray;
use throng_shared::ids::NetId;
use throng_shared::map::Map;
use throng_shared::memory::fetch;
use throng_shared::spatial::CharacterColumns;

use super::poses::Poses;
use super::receipt::{Clamp, Receipt, Verdict, verdict_on, verdict_on_met};
use super::search::Search;
use crate::instance::InstanceRules;

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

    /// Judges many at once, and appends the receipts in the order of the shots: the same as one by one, but those of the same moment after one
    /// another, which find near what others of it have looked at.
    pub fn judge_all(&self, shots: &[Shot], out: &mut Vec<Receipt>) {
        judge_all(&self.poses, &self.columns, &self.rules.map, shots, out);
    }
}

/// Receipts are brought near so many before they are written.
const RECEIPTS_AHEAD: usize = 4;

/// See [`Judge::judge_all`].
pub(crate) fn judge_all(poses: &Poses, columns: &CharacterColumns, map: &Map, shots: &[Shot], out: &mut Vec<Receipt>) {
    let first = out.len();
    out.extend(shots.iter().map(|shot| Receipt::unjudged(poses, shot)));
    let receipts = &mut out[first..];
    // The moment above, the place below: sorted, those of a moment are together, and find near what others of it have looked at.
    let key = |(receipt, place): (&Receipt, u64)| (receipt.at_tick().ceil() as u64) << 32 | place;
    let mut order: Vec<u64> = receipts.iter().zip(0..).map(key).collect();
    order.sort_unstable();
    for (number, &key) in order.iter().enumerate() {
        if let Some(&ahead) = order.get(number + RECEIPTS_AHEAD) {
            let ahead = &receipts[ahead as u32 as usize];
            fetch(&ahead.shot);
            fetch(&ahead.verdict);
        }
        receipts[key as u32 as usize].judge(poses, columns, map, &|_| true);
    }
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
    let mut receipt = Receipt::unjudged(poses, shot);
    receipt.judge(poses, columns, map, may_hit);
    receipt
}

impl Receipt {
    /// What is asked and what is granted, and of a shot that meets nobody.
    fn unjudged(poses: &Poses, shot: &Shot) -> Receipt {
        let judged = poses.newest();
        let requested_rewind_ticks = f64::from(judged.0) - shot.view_tick;
        let (granted_rewind_ticks, clamp) = clamped(requested_rewind_ticks, poses.rewind_ticks_max());
        Receipt {
            judged,
            shot: *shot,
            requested_rewind_ticks,
            granted_rewind_ticks,
            clamp,
            considered: 0,
            target: None,
            verdict: Verdict::Miss,
        }
    }

    /// The moment that it is judged by, between two ticks.
    fn at_tick(&self) -> f64 {
        f64::from(self.judged.0) - self.granted_rewind_ticks
    }

    fn judge(&mut self, poses: &Poses, columns: &CharacterColumns, map: &Map, may_hit: &dyn Fn(NetId) -> bool) {
        let Some(ray) = self.shot.ray() else { return };
        let Some((moment, earlier_ticks)) = poses.after(self.at_tick()) else { return };
        let mut search = Search::new(moment, earlier_ticks, ray, self.shot.shooter, columns, map, may_hit);
        self.target = search.target();
        self.considered = search.considered();
        self.verdict = match (&self.target, search.met_m()) {
            (None, _) => Verdict::Miss,
            (Some(target), Some(distance_m)) => verdict_on_met(map, &ray, target, distance_m),
            (Some(target), None) => verdict_on(map, &ray, target),
        };
    }
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
