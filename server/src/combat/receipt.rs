//! What a shot was judged by, so that anybody can judge it again.

use glam::Vec3;
use serde::{Deserialize, Serialize};
use throng_shared::combat::{Capsule, Ray};
use throng_shared::ids::{Archetype, NetId};
use throng_shared::map::Map;
use throng_shared::tick::Tick;

use super::Shot;

/// A verdict, with all that led to it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The last tick that was known when it was judged.
    pub judged: Tick,
    /// What was asked.
    pub shot: Shot,
    /// How far back the shooter says it saw, in ticks; negative for what was not yet.
    pub requested_rewind_ticks: f64,
    /// How far back it was judged.
    pub granted_rewind_ticks: f64,
    /// Why that is something else.
    pub clamp: Clamp,
    /// How many it touched as seen from above, along as much of its line as was looked at: to some metres behind whom it met. Of a shot that met
    /// nobody, how many were within a metre of being touched.
    pub considered: u32,
    /// Whom it met first, or else who was nearest to it; none when nobody was near.
    pub target: Option<Target>,
    /// What became of it.
    pub verdict: Verdict,
}

/// Why a shot was not judged where the shooter says it saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clamp {
    /// It was.
    None,
    /// That is longer ago than the world allows.
    TooOld,
    /// That has not been yet.
    NotYet,
    /// That is no number.
    NoNumber,
}

/// Somebody whom a shot met, or nearly met.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Who.
    pub net_id: NetId,
    /// What it was, which says how large.
    pub archetype: Archetype,
    /// Where the shooter saw it: its feet, in metres.
    pub feet_then_m: Vec3,
    /// Where it was when the shot was judged.
    pub feet_now_m: Vec3,
    /// How far from the middle line of its body the shot went, in metres.
    pub missed_by_m: f32,
}

/// What became of a shot.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Verdict {
    /// It met somebody, so far away, in metres.
    Hit {
        /// Whom.
        net_id: NetId,
        /// How far away, in metres.
        distance_m: f32,
    },
    /// Somebody is behind a wall that is so far away, in metres.
    Wall {
        /// How far away, in metres.
        distance_m: f32,
    },
    /// It met nobody.
    Miss,
}

impl Receipt {
    /// Whom it has met.
    pub fn hit(&self) -> Option<NetId> {
        match self.verdict {
            Verdict::Hit { net_id, .. } => Some(net_id),
            Verdict::Wall { .. } | Verdict::Miss => None,
        }
    }

    /// Judges again, from what the receipt says and the map alone; the same verdict.
    pub fn judge_again(&self, map: &Map) -> Verdict {
        let Some(ray) = self.shot.ray() else { return Verdict::Miss };
        self.target.map_or(Verdict::Miss, |target| verdict_on(map, &ray, &target))
    }
}

/// The verdict on a shot whose nearest target is this one.
pub(super) fn verdict_on(map: &Map, ray: &Ray, target: &Target) -> Verdict {
    target.body(map).first_hit_m(ray).map_or(Verdict::Miss, |distance_m| verdict_on_met(map, ray, target, distance_m))
}

/// The same when it is known how far away it meets it, in metres.
pub(super) fn verdict_on_met(map: &Map, ray: &Ray, target: &Target, distance_m: f32) -> Verdict {
    match map.first_wall_m(&Ray { length_m: distance_m, ..*ray }) {
        Some(distance_m) => Verdict::Wall { distance_m },
        None => Verdict::Hit { net_id: target.net_id, distance_m },
    }
}

impl Target {
    /// Its volume, where the shooter saw it.
    pub(super) fn body(&self, map: &Map) -> Capsule {
        map.bodies.of(self.archetype).at(self.feet_then_m)
    }
}
