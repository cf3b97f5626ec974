//! Who may be hit by whom.

use bevy_ecs::prelude::Query;
use glam::{Vec2, Vec3, Vec3Swizzles};
use throng_shared::abilities::{Ability, Fighter};
use throng_shared::attributes::Attributes;
use throng_shared::combat::{Capsule, Ray};
use throng_shared::ids::{Archetype, NetId};
use throng_shared::map::Map;
use throng_shared::movement::CharacterState;
use throng_shared::spatial::CharacterColumns;

use super::blows::Vitals;
use super::perform::Deed;
use super::rules::CombatRules;
use crate::combat::Poses;
use crate::simulation::Roster;

/// Everybody who fights, as they are kept.
pub(crate) type Fighters<'w, 's> = Query<
    'w,
    's,
    (
        &'static NetId,
        &'static Archetype,
        &'static mut CharacterState,
        &'static mut Fighter,
        &'static mut Attributes,
        &'static mut Deed,
        &'static mut Vitals,
    ),
>;

/// All that deeds are judged by: how things are while nobody has been hurt yet in the tick.
pub(super) struct Field<'f, 'w, 's> {
    pub(super) rules: &'f CombatRules,
    pub(super) map: &'f Map,
    pub(super) poses: &'f Poses,
    pub(super) columns: &'f CharacterColumns,
    pub(super) roster: &'f Roster,
    pub(super) fighters: &'f Fighters<'w, 's>,
}

/// Who does something, as far as it matters for whom it may hit: as it was when it was done.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) net_id: NetId,
    attributes: Attributes,
    is_safe: bool,
}

impl Field<'_, '_, '_> {
    pub(super) fn user(&self, net_id: NetId) -> Option<User> {
        let (_, _, state, _, attributes, ..) = self.fighters.get(self.roster.entity_of(net_id)?).ok()?;
        let is_safe = self.rules.is_safe(state.ground_position_m());
        Some(User { net_id, attributes: attributes.clone(), is_safe })
    }

    /// Whether an ability of somebody may hit a character whom it saw at a moment: one that is alive, of the right side, in no safe zone if it would be hurt,
    /// and that has not leapt out of the way since, which overrides what the user saw.
    pub(super) fn may_hit(&self, user: &User, ability: &Ability, target: NetId, view_tick: f64) -> bool {
        self.is_meant(user, ability, target) && !self.has_evaded(ability, target, view_tick)
    }

    /// Whether somebody has leapt out of the way of an ability since a moment. Nobody evades what does good.
    pub(super) fn has_evaded(&self, ability: &Ability, target: NetId, view_tick: f64) -> bool {
        let fighter = self.roster.entity_of(target).and_then(|entity| self.fighters.get(entity).ok());
        ability.is_harmful()
            && fighter.is_some_and(|(.., vitals)| vitals.evaded_at.is_some_and(|at| f64::from(at.0) > view_tick))
    }

    /// The same as [`Field::may_hit`] but for leaps.
    pub(super) fn is_meant(&self, user: &User, ability: &Ability, target: NetId) -> bool {
        let Some(entity) = self.roster.entity_of(target) else { return false };
        self.fighters.get(entity).is_ok_and(|(_, _, state, fighter, attributes, ..)| {
            let are_allies = self.rules.abilities.are_allies(&user.attributes, attributes);
            let is_meant = ability.hits.includes(target == user.net_id, are_allies);
            let is_spared = ability.is_harmful() && (user.is_safe || self.rules.is_safe(state.ground_position_m()));
            is_meant && !is_spared && !fighter.is_dead
        })
    }

    /// The moment in which an ability looks for whom it reaches: what its user saw, as far as that is granted; the last tick, for what does good.
    pub(super) fn moment(&self, ability: &Ability, view_tick: f64) -> f64 {
        match ability.is_harmful() {
            true => self.poses.granted_tick(view_tick),
            false => f64::from(self.poses.newest().0),
        }
    }

    /// Whether no wall is between two points.
    pub(super) fn is_in_sight(&self, from_m: Vec3, to_m: Vec3) -> bool {
        Ray::between(from_m, to_m).is_none_or(|ray| self.map.first_wall_m(&ray).is_none())
    }

    /// Calls `found` for everybody whose body reaches to within a distance of a point (x, z) at a moment, with that body.
    pub(super) fn for_each_near(
        &self,
        view_tick: f64,
        point_m: Vec2,
        within_m: f32,
        mut found: impl FnMut(NetId, Capsule),
    ) {
        let bodies = &self.map.bodies;
        let reach_m = within_m + bodies.radius_max_m();
        self.poses.for_each_near(view_tick, point_m, reach_m, |net_id, archetype, feet_m| {
            let body = bodies.of(archetype).at(feet_m);
            let reach_m = within_m + body.radius_m;
            if feet_m.xz().distance_squared(point_m) <= reach_m * reach_m {
                found(net_id, body);
            }
        });
    }
}
