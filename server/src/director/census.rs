//! Who is where, and of which side and kind.

use bevy_ecs::prelude::World;
use glam::Vec2;
use throng_bot_ai::{BotMind, BotWorld, Home};
use throng_shared::attributes::Attributes;
use throng_shared::ids::{Archetype, NetId};
use throng_shared::movement::CharacterState;

use super::hours::WorldHours;
use crate::abilities::CombatRules;
use crate::instance::InstanceRules;

/// Everybody, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Census {
    /// By their homes: first the whole world but for the zones with numbers of their own, then each zone.
    pub(crate) homes: Vec<HomeCount>,
    /// Bots that have appeared in each spawn area.
    pub(crate) areas: Vec<u32>,
}

/// Those of a home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HomeCount {
    pub(crate) people: u32,
    pub(crate) bots: u32,
    /// For each side, people and bots together, and bots by kind.
    pub(crate) sides: Vec<SideCount>,
}

/// Those of a side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SideCount {
    /// The value of the team attribute; none where nobody is dealt to teams.
    pub(crate) side: Option<u32>,
    pub(crate) characters: u32,
    pub(crate) bots: u32,
    pub(crate) kinds: Vec<u32>,
}

impl HomeCount {
    /// Where somebody of this side is counted; where there are no sides, all together.
    fn side_mut(&mut self, side: Option<u32>) -> Option<&mut SideCount> {
        self.sides.iter_mut().find(|count| count.side.is_none() || count.side == side)
    }

    /// Takes in a character of this side.
    fn add(&mut self, side: Option<u32>, kind: Option<Option<usize>>) {
        self.people += u32::from(kind.is_none());
        self.bots += u32::from(kind.is_some());
        let Some(count) = self.side_mut(side) else {
            return;
        };
        count.characters += 1;
        if let Some(kind) = kind {
            count.bots += 1;
            kind.and_then(|kind| count.kinds.get_mut(kind)).into_iter().for_each(|count| *count += 1);
        }
    }

    /// The side that has the fewest; of equals the first from `turn` on, so that sides take turns.
    pub(crate) fn smallest_side(&self, turn: u32) -> usize {
        let sides = self.sides.len().max(1);
        let turns = (0..sides).map(|step| (turn as usize + step) % sides);
        turns.min_by_key(|&place| self.sides.get(place).map_or(0, |side| side.characters)).unwrap_or(0)
    }

    /// The side that has the most of those with bots, when another has so many fewer that a bot is on the wrong side.
    pub(crate) fn overfull_side(&self) -> Option<Option<u32>> {
        let fewest = self.sides.iter().map(|side| side.characters).min()?;
        let fullest = self.sides.iter().filter(|side| side.bots > 0).max_by_key(|side| side.characters)?;
        (fullest.characters > fewest + 1 + fewest / UNEVEN_SHARE).then_some(fullest.side)
    }

    /// The side that has the most of those that `may` lose a bot; none where there are no sides.
    pub(crate) fn fullest_side(&self, may: impl Fn(Option<u32>) -> bool) -> Option<Option<u32>> {
        let able = self.sides.iter().filter(|side| side.side.is_some() && side.bots > 0 && may(side.side));
        able.max_by_key(|side| side.characters).map(|side| side.side)
    }

    /// A bot of this side is about to disappear.
    pub(crate) fn dismissed(&mut self, side: Option<u32>) {
        self.bots = self.bots.saturating_sub(1);
        if let Some(count) = self.side_mut(side) {
            (count.characters, count.bots) = (count.characters.saturating_sub(1), count.bots.saturating_sub(1));
        }
    }

    /// Takes in a bot that is about to appear.
    pub(crate) fn expect(&mut self, place: usize, kind: Option<usize>) {
        self.bots += 1;
        if let Some(side) = self.sides.get_mut(place) {
            side.characters += 1;
            side.bots += 1;
            kind.and_then(|kind| side.kinds.get_mut(kind)).into_iter().for_each(|count| *count += 1);
        }
    }
}

/// Sides may differ by one in so many.
const UNEVEN_SHARE: u32 = 20;

impl SideCount {
    /// The kind of which this side has the fewest beside its share, of those with a share.
    pub(crate) fn wanted_kind(&self, shares: impl Iterator<Item = (usize, f64)> + Clone) -> Option<usize> {
        let sum: f64 = shares.clone().map(|(_, share)| share).sum();
        let next = f64::from(self.bots) + 1.0;
        let lacking = |(kind, share): (usize, f64)| {
            let here = f64::from(self.kinds.get(kind).copied().unwrap_or(0));
            (kind, next * share / sum - here)
        };
        let all = shares.filter(|(_, share)| *share > 0.0).map(lacking);
        // Of equals the first.
        all.reduce(|best, other| if other.1 > best.1 { other } else { best }).map(|(kind, _)| kind)
    }
}

impl Census {
    /// Counts everybody. O(characters).
    pub(crate) fn take(world: &mut World) -> Census {
        // In whatever order: it is only counted.
        let mut characters = world.query::<(&Archetype, &CharacterState, Option<&Attributes>, Option<&BotMind>)>();
        let world = &*world;
        let (rules, hours) = (world.resource::<InstanceRules>(), world.resource::<WorldHours>());
        let (bots, team) = (world.resource::<BotWorld>(), rules.attributes.team());
        let mut census = Census::empty(world);
        for (archetype, state, attributes, mind) in characters.iter(world) {
            let side = team.zip(attributes).and_then(|(team, attributes)| side_in(team, attributes));
            let mind = mind.filter(|_| !archetype.is_player());
            let home = match mind {
                Some(mind) => mind.home(),
                None => home_at(hours, state.ground_position_m()),
            };
            let kept = home.place().filter(|&place| hours.is_kept.get(place) == Some(&true));
            let Some(count) = census.homes.get_mut(kept.map_or(0, |place| place + 1)) else { continue };
            count.add(side, (!archetype.is_player()).then(|| mind.and_then(|mind| bots.kind_of(mind))));
            let area = mind.and_then(BotMind::origin).and_then(|area| census.areas.get_mut(usize::from(area)));
            area.into_iter().for_each(|count| *count += 1);
        }
        census
    }

    /// Nobody, in a world with these homes, sides and kinds.
    fn empty(world: &World) -> Census {
        let sides = world.get_resource::<CombatRules>().map_or(Vec::new(), CombatRules::dealt_sides);
        let sides = if sides.is_empty() { vec![None] } else { sides.into_iter().map(Some).collect() };
        let kinds = vec![0; world.resource::<BotWorld>().profiles.len()];
        let count = |side| SideCount { side, characters: 0, bots: 0, kinds: kinds.clone() };
        let home = HomeCount { people: 0, bots: 0, sides: sides.into_iter().map(count).collect() };
        Census {
            homes: vec![home; world.resource::<WorldHours>().outlines.len() + 1],
            areas: vec![0; world.resource::<InstanceRules>().spawn_areas.len()],
        }
    }
}

/// The value of an attribute, if it is known.
fn side_in(team: usize, attributes: &Attributes) -> Option<u32> {
    let values = attributes.view();
    (values.known >> team & 1 == 1).then(|| values.values[team])
}

/// The zone with a number of its own that a point (x, z) is in: a person there counts for it.
pub(crate) fn home_at(hours: &WorldHours, point_m: Vec2) -> Home {
    hours.kept_zone_at(point_m).map_or(Home::WORLD, Home::zone)
}

/// The bots that live somewhere, each with its side and where it is (x, z), in metres. O(characters).
pub(super) fn bots_of(world: &mut World, home: Home) -> Vec<(NetId, Option<u32>, Vec2)> {
    let mut bots = world.query::<(&NetId, &Archetype, &CharacterState, Option<&Attributes>, &BotMind)>();
    let team = world.resource::<InstanceRules>().attributes.team();
    let live_here = bots.iter(world).filter(|(_, archetype, .., mind)| !archetype.is_player() && mind.home() == home);
    let known = live_here.map(|(net_id, _, state, attributes, _)| {
        let side = team.zip(attributes).and_then(|(team, attributes)| side_in(team, attributes));
        (*net_id, side, state.ground_position_m())
    });
    known.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(sides: &[(u32, u32, Vec<u32>)]) -> HomeCount {
        let sides = sides.iter().enumerate().map(|(side, (characters, bots, kinds))| SideCount {
            side: Some(side as u32),
            characters: *characters,
            bots: *bots,
            kinds: kinds.clone(),
        });
        HomeCount { people: 0, bots: 0, sides: sides.collect() }
    }

    #[test]
    fn the_smallest_side_gets_the_next_and_equals_take_turns() {
        assert_eq!(home(&[(5, 5, vec![]), (3, 3, vec![]), (4, 4, vec![])]).smallest_side(0), 1);
        let equal = home(&[(2, 2, vec![]), (2, 2, vec![]), (2, 2, vec![])]);
        assert_eq!([0, 1, 2, 3].map(|turn| equal.smallest_side(turn)), [0, 1, 2, 0]);
    }

    #[test]
    fn a_side_is_overfull_when_a_bot_of_it_would_be_better_on_another() {
        assert_eq!(home(&[(10, 10, vec![]), (9, 9, vec![])]).overfull_side(), None);
        assert_eq!(home(&[(12, 10, vec![]), (9, 9, vec![])]).overfull_side(), Some(Some(0)));
        assert_eq!(home(&[(12, 0, vec![]), (9, 9, vec![])]).overfull_side(), None, "all of them are people");
        assert_eq!(home(&[(104, 50, vec![]), (100, 9, vec![])]).overfull_side(), None, "a few in a hundred");
    }

    #[test]
    fn each_side_gets_of_each_kind_as_many_as_its_share_in_whatever_order_they_come() {
        let shares = [(0, 5.0), (1, 0.0), (2, 3.0), (3, 2.0)];
        let mut here = home(&[(0, 0, vec![0; 4]), (0, 0, vec![0; 4])]);
        for turn in 0..40 {
            let place = here.smallest_side(turn);
            let kind = here.sides[place].wanted_kind(shares.into_iter());
            here.expect(place, kind);
        }
        for side in &here.sides {
            assert_eq!((side.characters, &side.kinds[..]), (20, &[10, 0, 6, 4][..]));
        }
        assert_eq!(here.sides[0].wanted_kind([(0, 0.0)].into_iter()), None);
    }
}
