//! What characters of one archetype have in common: how fast they go, and how large they are.
//!
//! Where they fit through is the same for all: everybody walks as the capsule of the movement rules. The body is what others aim at and what is hit.

use glam::Vec3;

use crate::combat::Capsule;
use crate::config::{ArchetypeConfig, MovementConfig};
use crate::ids::Archetype;

/// Something for each archetype.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ByArchetype<T>([T; Archetype::COUNT]);

/// How fast characters go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gait {
    /// Walking speed, in metres per second.
    pub walk_speed_mps: f32,
    /// Running speed, in metres per second; at least the walking speed.
    pub run_speed_mps: f32,
}

/// How large characters are: an upright capsule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Body {
    /// Radius, in metres.
    pub radius_m: f32,
    /// Height from the feet to the top of the head, in metres; at least twice the radius.
    pub height_m: f32,
}

/// How large the characters of a world are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bodies {
    each: ByArchetype<Body>,
    /// Of the widest, in metres.
    radius_max_m: f32,
}

impl<T: Copy> ByArchetype<T> {
    /// `common` for the archetypes that are everywhere and those that the world does not have, and `own` for its own, in their order.
    pub fn new(common: T, own: impl Iterator<Item = T>) -> ByArchetype<T> {
        let mut all = [common; Archetype::COUNT];
        let own_places = (0..).map_while(Archetype::own);
        own_places.zip(own).for_each(|(archetype, own)| all[usize::from(archetype.number())] = own);
        ByArchetype(all)
    }

    /// What `of` says of each.
    pub fn from_fn(of: impl Fn(Archetype) -> T) -> ByArchetype<T> {
        let mut all = [of(Archetype::PLAYER); Archetype::COUNT];
        let archetypes = (0..).map_while(Archetype::from_number);
        archetypes.skip(1).for_each(|archetype| all[usize::from(archetype.number())] = of(archetype));
        ByArchetype(all)
    }

    /// That of one.
    pub fn of(&self, archetype: Archetype) -> T {
        self.0[usize::from(archetype.number())]
    }

    /// Those of all.
    pub fn all(&self) -> impl Iterator<Item = T> {
        self.0.into_iter()
    }
}

impl Gait {
    /// How fast each archetype goes.
    pub fn of_all(movement: &MovementConfig, own: &[ArchetypeConfig]) -> ByArchetype<Gait> {
        let common = Gait { walk_speed_mps: movement.walk_speed_mps, run_speed_mps: movement.run_speed_mps };
        ByArchetype::new(common, own.iter().map(|own| own.gait))
    }

    /// So much of it, 0 to 1.
    pub fn share(self, share: f32) -> Gait {
        Gait { walk_speed_mps: self.walk_speed_mps * share, run_speed_mps: self.run_speed_mps * share }
    }

    /// Between walking and running, in metres per second: who is faster, runs.
    pub fn running_from_mps(self) -> f32 {
        0.5 * (self.walk_speed_mps + self.run_speed_mps)
    }
}

impl Body {
    /// What it is when its feet are here.
    pub fn at(self, feet_m: Vec3) -> Capsule {
        Capsule { feet_m, radius_m: self.radius_m, height_m: self.height_m }
    }
}

impl Bodies {
    /// Those of a world: that of the movement rules, and those of its own archetypes.
    pub fn new(movement: &MovementConfig, own: &[ArchetypeConfig]) -> Bodies {
        let common = Body { radius_m: movement.capsule_radius_m, height_m: movement.capsule_height_m };
        let each = ByArchetype::new(common, own.iter().map(|own| own.body));
        Bodies { each, radius_max_m: each.all().map(|body| body.radius_m).fold(0.0, f32::max) }
    }

    /// That of an archetype.
    pub fn of(&self, archetype: Archetype) -> Body {
        self.each.of(archetype)
    }

    /// The radius of the widest, in metres.
    pub fn radius_max_m(&self) -> f32 {
        self.radius_max_m
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_archetype_has_its_own_and_the_others_what_is_common() {
        let numbers = ByArchetype::new(0, 1..100);
        let of_own: Vec<u32> = (0..).map_while(Archetype::own).map(|archetype| numbers.of(archetype)).collect();
        assert_eq!(of_own, (1..=14).collect::<Vec<u32>>());
        assert_eq!([Archetype::PLAYER, Archetype::BOT].map(|archetype| numbers.of(archetype)), [0, 0]);
        let few = ByArchetype::new(0, 1..=1);
        assert_eq!(few.all().collect::<Vec<u32>>()[..4], [0, 0, 1, 0]);
    }

    #[test]
    fn numbers_of_archetypes_are_those_on_the_wire() {
        let all: Vec<u8> = (0..=u8::MAX).filter_map(Archetype::from_number).map(Archetype::number).collect();
        assert_eq!(all, (0..16).collect::<Vec<u8>>());
        assert_eq!(Archetype::own(0).map(Archetype::number), Some(2));
        assert_eq!((Archetype::own(13).map(Archetype::number), Archetype::own(14)), (Some(15), None));
    }
}
