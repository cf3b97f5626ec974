//! Deeds → blows: whom an ability reaches.

use std::cell::Cell;

use glam::{Vec2, Vec3, Vec3Swizzles};
use throng_shared::abilities::{Ability, Act, aim_direction, cosine_of_deg, stray};
use throng_shared::combat::{Capsule, Ray};
use throng_shared::config::AimConfig;
use throng_shared::ids::NetId;
use throng_shared::tick::Tick;

use super::blows::Blow;
use super::field::{Field, User};
use super::log::ShotReceipt;
use super::projectiles::Projectile;
use crate::combat::{Shot, Verdict, judge_among};

/// What happens at a wall happens so far before it, in metres, so that it is in sight of what is on its side.
pub(super) const OFF_WALL_M: f32 = 0.3;

/// A deed that is done now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    pub(super) user: NetId,
    pub(super) act: Act,
    /// The eyes of the user, in metres.
    pub(super) from_m: Vec3,
}

/// What has come of the deeds of a tick.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) blows: Vec<Blow>,
    pub(super) receipts: Vec<ShotReceipt>,
    pub(super) projectiles: Vec<Projectile>,
}

impl Field<'_, '_, '_> {
    /// Looks whom a deed reaches.
    pub(super) fn reach(&self, tick: Tick, done: &Done, outcome: &mut Outcome) {
        let Some((user, ability)) = self.user(done.user).zip(self.rules.abilities.get(done.act.ability)) else {
            return;
        };
        let direction = done.act.direction();
        match ability.aim {
            AimConfig::Hitscan { range_m, spread_deg } => {
                let direction = stray(direction, spread_deg, done.user, tick, done.act.ability);
                let shot = self.shoot(&user, ability, done, done.from_m, direction, range_m, done.act.view_tick());
                let hit = shot.receipt.hit();
                outcome.blows.extend(hit.map(|net_id| self.blow(done, net_id, direction)));
                outcome.receipts.push(ShotReceipt { hurt: hit.is_some().into(), ..shot });
            }
            AimConfig::Projectile { range_m, .. } => {
                outcome.projectiles.push(Projectile::fired(done, user, tick, range_m));
            }
            AimConfig::Melee { range_m, arc_deg } => self.swing(&user, ability, done, range_m, arc_deg, outcome),
            AimConfig::Area { range_m, radius_m } => {
                let middle_m = self.aimed_at_m(done, range_m);
                self.burst(&user, ability, done, middle_m, radius_m, done.act.view_tick(), outcome);
            }
            AimConfig::Own => outcome.blows.push(self.blow(done, done.user, direction)),
        }
    }

    /// Judges a shot among those whom it may hit.
    #[expect(clippy::too_many_arguments, reason = "each is a different thing of a different owner")]
    pub(super) fn shoot(
        &self,
        user: &User,
        ability: &Ability,
        done: &Done,
        origin_m: Vec3,
        direction: Vec3,
        range_m: f32,
        view_tick: f64,
    ) -> ShotReceipt {
        let shot = Shot { shooter: user.net_id, origin_m, direction, range_m, view_tick };
        // What overrides a view overrides that which is granted.
        let granted_tick = self.poses.granted_tick(view_tick);
        let judge = |may_hit: &dyn Fn(NetId) -> bool| judge_among(self.poses, self.columns, self.map, &shot, may_hit);
        let has_evaded = Cell::new(false);
        let receipt = judge(&|target| {
            let (is_meant, evaded) =
                (self.is_meant(user, ability, target), self.has_evaded(ability, target, granted_tick));
            has_evaded.set(has_evaded.get() || is_meant && evaded);
            is_meant && !evaded
        });
        // Seldom: whom it would have met without.
        let evaded = match receipt.verdict {
            Verdict::Wall { .. } | Verdict::Miss if has_evaded.get() => {
                match judge(&|target| self.is_meant(user, ability, target)).verdict {
                    Verdict::Hit { net_id, .. } => Some(net_id),
                    Verdict::Wall { .. } | Verdict::Miss => None,
                }
            }
            _ => None,
        };
        ShotReceipt { ability: done.act.ability, receipt, evaded, hurt: 0 }
    }

    fn blow(&self, done: &Done, target: NetId, push: Vec3) -> Blow {
        Blow { by: done.user, target, ability: done.act.ability, push }
    }

    /// Everybody in front.
    fn swing(&self, user: &User, ability: &Ability, done: &Done, range_m: f32, arc_deg: f32, outcome: &mut Outcome) {
        let ahead = aim_direction(done.act.yaw, 0).xz();
        let cosine_min = cosine_of_deg(0.5 * arc_deg);
        let view_tick = self.moment(ability, done.act.view_tick());
        self.for_each_near(view_tick, done.from_m.xz(), range_m, |target, body| {
            let way_m = body.feet_m.xz() - done.from_m.xz();
            // Whoever stands within a body has it in front, whichever way it looks.
            let is_in_front = way_m.dot(ahead) >= cosine_min * way_m.length() || way_m.length() <= body.radius_m;
            let feet_y_m = done.from_m.y - self.rules.abilities.eyes_m;
            if is_in_front
                && body.blow_distance_m(done.from_m, feet_y_m) <= range_m
                && self.may_hit(user, ability, target, view_tick)
                && self.is_in_sight(done.from_m, chest_m(&body))
            {
                outcome.blows.push(self.blow(done, target, push_along(way_m, ahead)));
            }
        });
    }

    /// Everybody around a place.
    #[expect(clippy::too_many_arguments, reason = "each is a different thing of a different owner")]
    pub(super) fn burst(
        &self,
        user: &User,
        ability: &Ability,
        done: &Done,
        middle_m: Vec3,
        radius_m: f32,
        view_tick: f64,
        outcome: &mut Outcome,
    ) {
        let view_tick = self.moment(ability, view_tick);
        self.for_each_near(view_tick, middle_m.xz(), radius_m, |target, body| {
            let feet_m = body.feet_m;
            let nearest_y = middle_m.y.clamp(feet_m.y, feet_m.y + body.height_m);
            let is_within = Vec3::new(feet_m.x, nearest_y, feet_m.z).distance(middle_m) <= radius_m + body.radius_m;
            if is_within && self.may_hit(user, ability, target, view_tick) && self.is_in_sight(middle_m, chest_m(&body))
            {
                let away = feet_m.xz() - middle_m.xz();
                outcome.blows.push(self.blow(done, target, push_along(away, aim_direction(done.act.yaw, 0).xz())));
            }
        });
    }

    /// The place that is aimed at: the first wall, or as far as it reaches.
    fn aimed_at_m(&self, done: &Done, range_m: f32) -> Vec3 {
        match Ray::new(done.from_m, done.act.direction(), range_m) {
            Some(ray) if range_m > 0.0 => {
                let wall_m = self.map.first_wall_m(&ray).map(|wall_m| (wall_m - OFF_WALL_M).max(0.0));
                ray.point_m(wall_m.unwrap_or(range_m))
            }
            _ => done.from_m,
        }
    }
}

/// The middle of a body, which blows and blasts must be in sight of.
pub(super) fn chest_m(body: &Capsule) -> Vec3 {
    body.feet_m + Vec3::Y * (0.6 * body.height_m)
}

/// A direction on the ground, as a push; `or` when it is none.
fn push_along(way: Vec2, or: Vec2) -> Vec3 {
    let way = way.try_normalize().unwrap_or(or);
    Vec3::new(way.x, 0.0, way.y)
}
