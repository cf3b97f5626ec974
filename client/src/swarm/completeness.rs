//! Does everybody see everybody whom they should?
//!
//! The members know where they are, by the server's own word. Two that are clearly within the world's enter radius of
//! each other at one look and at the next, a second later, must know of each other by then.

use glam::Vec2;
use throng_shared::config::InterestConfig;
use throng_shared::ids::NetId;

use super::member::Member;

/// What is taken off the enter radius, in metres: positions of different members are from slightly different ticks.
const MARGIN_M: f32 = 8.0;

/// Pairs that were looked at, and those that saw each other.
#[derive(Debug, Default)]
pub(super) struct Completeness {
    pub(super) pairs: u64,
    pub(super) seen_pairs: u64,
    last: Vec<Option<(NetId, Vec2)>>,
}

impl Completeness {
    /// Looks once; to be called each second.
    pub(super) fn look(&mut self, members: &[Member], interest: &InterestConfig) {
        let now: Vec<Option<(NetId, Vec2)>> = members.iter().map(place).collect();
        let reach_squared_m2 = (interest.enter_radius_m - MARGIN_M).max(0.0).powi(2);
        let is_near = |places: &[Option<(NetId, Vec2)>], a: usize, b: usize| match (places.get(a), places.get(b)) {
            (Some(Some((_, a_m))), Some(Some((_, b_m)))) => a_m.distance_squared(*b_m) <= reach_squared_m2,
            _ => false,
        };
        for (a, member) in members.iter().enumerate() {
            let replica = member.client.replica();
            if replica.len() >= interest.visible_max as usize {
                // A full view leaves the farthest out, rightly.
                continue;
            }
            for (b, other) in now.iter().enumerate() {
                let Some((net_id, _)) = other else { continue };
                if a != b && is_near(&now, a, b) && is_near(&self.last, a, b) {
                    self.pairs += 1;
                    self.seen_pairs += u64::from(replica.get(*net_id).is_some());
                }
            }
        }
        self.last = now;
    }

    /// Share of the pairs that saw each other, in percent; 100 when there were none.
    pub(super) fn percent(&self) -> f64 {
        if self.pairs == 0 { 100.0 } else { 100.0 * self.seen_pairs as f64 / self.pairs as f64 }
    }
}

fn place(member: &Member) -> Option<(NetId, Vec2)> {
    let (_, state) = member.client.confirmed()?;
    Some((member.client.net_id()?, state.ground_position_m()))
}
