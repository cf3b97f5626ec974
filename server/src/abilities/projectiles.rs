//! What flies.

use bevy_ecs::prelude::Resource;
use glam::Vec3;
use throng_shared::combat::Ray;
use throng_shared::config::AimConfig;
use throng_shared::tick::Tick;

use super::blows::Blow;
use super::field::{Field, User};
use super::log::ShotReceipt;
use super::reach::{Done, OFF_WALL_M, Outcome};
use crate::combat::{Clamp, Receipt, Verdict};

/// Most projectiles in a world; further ones are not fired, and counted.
pub(super) const PROJECTILES_MAX: usize = 16_384;

/// Everything that flies.
#[derive(Resource, Clone, Debug, Default)]
pub struct Projectiles {
    pub(super) flying: Vec<Projectile>,
}

/// Something that flies straight ahead.
#[derive(Clone, Debug)]
pub struct Projectile {
    pub(super) done: Done,
    /// Who has fired it, as it was then: it flies on whatever becomes of that one.
    user: User,
    fired_at: Tick,
    /// Where it is, in metres.
    pub position_m: Vec3,
    /// How far it flies yet, in metres.
    pub left_m: f32,
    /// How far behind the present the moment is that it flies in, in ticks: at first what its shooter saw, and less with each piece that it catches up.
    behind_ticks: f64,
    /// How far back its shooter saw when it was fired, in ticks, and whether that was more than is granted.
    requested_ticks: f64,
    clamp: Clamp,
}

impl Projectiles {
    /// All of them.
    pub fn flying(&self) -> &[Projectile] {
        &self.flying
    }
}

impl Projectile {
    pub(super) fn fired(done: &Done, user: User, tick: Tick, range_m: f32) -> Projectile {
        // Before the last tick that is known.
        let behind_ticks = f64::from(tick.0) - done.act.view_tick() - 1.0;
        Projectile {
            done: *done,
            user,
            fired_at: tick,
            position_m: done.from_m,
            left_m: range_m,
            behind_ticks,
            requested_ticks: behind_ticks,
            clamp: Clamp::None,
        }
    }
}

impl Field<'_, '_, '_> {
    /// Lets it fly for a tick; in its first, also for the ticks that its shooter was behind, among those whom it saw then: it leaves where the shooter
    /// saw it leave, and has caught up afterwards. False when it has ended.
    pub(super) fn fly(&self, tick: Tick, projectile: &mut Projectile, step_s: f32, outcome: &mut Outcome) -> bool {
        let newest = f64::from(self.poses.newest().0);
        let ticks = if projectile.fired_at == tick {
            let granted_ticks = newest - self.poses.granted_tick(newest - projectile.requested_ticks);
            if granted_ticks < projectile.requested_ticks {
                projectile.clamp = Clamp::TooOld;
            }
            projectile.behind_ticks = granted_ticks;
            granted_ticks.floor() as u32 + 1
        } else {
            1
        };
        for _ in 0..ticks {
            let view_tick = newest - projectile.behind_ticks;
            if !self.fly_piece(projectile, view_tick, step_s, outcome) {
                return false;
            }
            projectile.behind_ticks = (projectile.behind_ticks - 1.0).max(0.0);
        }
        true
    }

    fn fly_piece(&self, projectile: &mut Projectile, view_tick: f64, step_s: f32, outcome: &mut Outcome) -> bool {
        let (done, user) = (projectile.done, &projectile.user);
        let Some(ability) = self.rules.abilities.get(done.act.ability) else { return false };
        let AimConfig::Projectile { speed_mps, blast_radius_m, .. } = ability.aim else { return false };
        let (direction, piece_m) = (done.act.direction(), (speed_mps * step_s).min(projectile.left_m));
        let shot = self.shoot(user, ability, &done, projectile.position_m, direction, piece_m, view_tick);
        let receipt =
            Receipt { clamp: projectile.clamp, requested_rewind_ticks: projectile.requested_ticks, ..shot.receipt };
        let wall_m = || Ray::new(projectile.position_m, direction, piece_m).and_then(|ray| self.map.first_wall_m(&ray));
        let end_m = match receipt.verdict {
            Verdict::Hit { distance_m, .. } => Some(distance_m),
            Verdict::Wall { .. } | Verdict::Miss => wall_m(),
        };
        let first = outcome.blows.len();
        let position_m = projectile.position_m + direction * end_m.unwrap_or(piece_m);
        let ends = end_m.is_some() || projectile.left_m - piece_m <= 1e-3;
        if ends {
            let hit = receipt.hit();
            let blow = |target| Blow { by: done.user, target, ability: done.act.ability, push: direction };
            outcome.blows.extend(hit.map(blow));
            if blast_radius_m > 0.0 {
                let middle_m = position_m - direction * OFF_WALL_M;
                self.burst(user, ability, &done, middle_m, blast_radius_m, view_tick, outcome);
                // Whoever it has met is not hit twice.
                let met = first + usize::from(hit.is_some());
                let mut place = 0;
                outcome.blows.retain(|blow| {
                    place += 1;
                    place <= met || Some(blow.target) != hit
                });
            }
            let hurt = (outcome.blows.len() - first) as u32;
            outcome.receipts.push(ShotReceipt { receipt, hurt, ..shot });
        }
        projectile.position_m = position_m;
        projectile.left_m -= end_m.unwrap_or(piece_m);
        !ends
    }
}
