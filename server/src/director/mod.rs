//! The director: how many there are where, at which hour, of which side and kind.
//!
//! ```text
//! hours    tick ──► hour, events, what each zone is, how many there are to be
//! census   everybody ──► people and bots by zone, side and kind
//! places   a home ──► where a bot may appear, out of everybody's sight
//! news     what has begun or ended ──► messages to clients
//! ```
//!
//! Bots fill what people leave empty, and give way as people join. Nobody sees a bot appear or disappear: it happens farther from every
//! player than the view reaches, or behind walls, or waits. In the first tick nobody has seen anything yet, and the world is filled.

mod census;
mod hours;
mod news;
mod places;

use bevy_ecs::prelude::{Resource, World};
use glam::Vec2;
use throng_bot_ai::{BotMind, BotWorld, Home};
use throng_shared::ids::{Archetype, NetId};
use throng_shared::spatial::CharacterColumns;
use throng_shared::tick::Tick;

use crate::instance::InstanceRules;
use crate::session::Sessions;
use crate::simulation::{NewBot, Roster, despawn_character, spawn_bots};
use census::{Census, is_bot_of};
pub use hours::WorldHours;
pub(crate) use hours::keep_hours;
pub(crate) use news::tell_hours;
use places::{Watchers, draw_place};
pub(crate) use places::{draw_place_of_person, place_to_reappear};

/// Most bots that come or go in one tick while somebody is connected, for each tick since the last look; a world without players is
/// filled at once.
const CHANGES_PER_TICK_MAX: usize = 8;

/// How often everybody is counted where that has to be done, in milliseconds.
const CENSUS_INTERVAL_MS: u32 = 500;

/// People and bots of each home, as they were last counted.
#[derive(Resource, Clone, Debug, Default)]
pub struct Attendance {
    /// First the whole world but for zones with numbers of their own, then each zone.
    pub homes: Vec<HomeAttendance>,
    /// Bots that went because their side had too many.
    pub evened_out: u64,
    /// Whether everybody is to be counted in the next tick: the world goes by other files.
    pub(crate) is_outdated: bool,
}

/// Those of a home.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HomeAttendance {
    /// People in it.
    pub people: u32,
    /// Bots that live in it.
    pub bots: u32,
    /// How many there are to be together; none where nobody sees to it.
    pub wanted: Option<u32>,
}

/// Moves the number of bots towards what it should be, everywhere.
pub(crate) fn balance_population(world: &mut World) {
    let rules = world.resource::<InstanceRules>();
    let interval_ticks = rules.tick_rate.ticks_for_ms(CENSUS_INTERVAL_MS).max(1);
    let is_time = world.resource::<Tick>().0.is_multiple_of(interval_ticks);
    let is_first = *world.resource::<Tick>() == FIRST;
    let needs_census = world.resource::<WorldHours>().is_kept.contains(&true) || deals_sides(world);
    let is_due = is_time || is_first || world.resource::<Attendance>().is_outdated;
    let is_unneeded = if needs_census { !is_due } else { is_as_wanted(world) };
    if is_unneeded {
        return;
    }
    let has_players = !world.resource::<Sessions>().all().is_empty();
    let ticks = if needs_census { interval_ticks as usize } else { 1 };
    let changes_max = if !has_players || is_first { usize::MAX } else { CHANGES_PER_TICK_MAX * ticks };
    direct(world, changes_max, if is_first { Watchers::default() } else { Watchers::new(world) });
}

/// The first tick of a world.
const FIRST: Tick = Tick(1);

/// Whether whoever appears is dealt to sides.
fn deals_sides(world: &World) -> bool {
    world.get_resource::<crate::abilities::CombatRules>().is_some_and(|combat| !combat.dealt_sides().is_empty())
}

/// Whether there are as many as there should be, in a world without zones that have numbers of their own, and without sides. O(1).
fn is_as_wanted(world: &mut World) -> bool {
    let people = world.resource::<Sessions>().all().len() as u32;
    let bots = (world.resource::<Roster>().characters.len() as u32).saturating_sub(people);
    let wanted = world.resource::<WorldHours>().now.target;
    world.resource_mut::<Attendance>().homes.clear();
    world.resource_mut::<Attendance>().homes.push(HomeAttendance { people, bots, wanted: Some(wanted) });
    bots == wanted.saturating_sub(people)
}

/// Counts, and has bots come and go, `changes_max` of them in all.
fn direct(world: &mut World, changes_max: usize, watchers: Watchers) {
    let mut census = Census::take(world);
    let homes: Vec<HomeAttendance> = {
        let now = &world.resource::<WorldHours>().now;
        let wanted = std::iter::once(Some(now.target)).chain(now.zones.iter().map(|zone| zone.target));
        let counts = census.homes.iter().zip(wanted);
        counts.map(|(count, wanted)| HomeAttendance { people: count.people, bots: count.bots, wanted }).collect()
    };
    let (mut left, mut coming, mut evened_out) = (changes_max, Vec::new(), 0);
    for (place, attendance) in homes.iter().enumerate() {
        let Some(wanted) = attendance.wanted else { continue };
        let home = place.checked_sub(1).map_or(Home::WORLD, Home::zone);
        let wanted = wanted.saturating_sub(attendance.people) as usize;
        let bots = attendance.bots as usize;
        if bots < wanted {
            let count = (wanted - bots).min(left);
            let before = coming.len();
            invite(world, &mut census, home, count, &watchers, &mut coming);
            left -= coming.len() - before;
        } else if bots > wanted {
            left -= dismiss(world, home, None, (bots - wanted).min(left), &watchers);
        } else if let Some(side) = census.homes[place].overfull_side() {
            // Whoever comes in its place will be of the other side.
            evened_out += dismiss(world, home, side, 1, &watchers);
        }
    }
    spawn_bots(world, &coming);
    let mut attendance = world.resource_mut::<Attendance>();
    (attendance.homes, attendance.is_outdated) = (homes, false);
    attendance.evened_out += evened_out as u64;
}

/// Finds places, sides and kinds for bots of a home, as far as there are places that nobody sees.
fn invite(
    world: &mut World,
    census: &mut Census,
    home: Home,
    count: usize,
    watchers: &Watchers,
    coming: &mut Vec<NewBot>,
) {
    let rules = world.resource::<InstanceRules>().clone();
    let (bots, hours) = (world.resource::<BotWorld>().clone(), world.resource::<WorldHours>().clone());
    let place = home.place().map_or(0, |place| place + 1);
    let first = world.resource::<Roster>().next_net_id().0;
    for _ in 0..count {
        let mut roster = world.resource_mut::<Roster>();
        let Some((point_m, origin)) = draw_place(&rules, &hours, census, home, watchers, &mut roster.random) else {
            break;
        };
        let here = &mut census.homes[place];
        let side = here.smallest_side(first + coming.len() as u32);
        let kind =
            here.sides.get(side).and_then(|side| side.wanted_kind(bots.shares(home).collect::<Vec<_>>().into_iter()));
        let temper = kind.and_then(|kind| bots.temper_of(home, kind, roster.random.unit()));
        let value = here.sides.get(side).and_then(|side| side.side);
        here.expect(side, kind);
        origin.and_then(|area| census.areas.get_mut(usize::from(area))).into_iter().for_each(|count| *count += 1);
        coming.push(NewBot { point_m, home, origin, temper, side: value });
    }
}

/// The youngest bots of a home that nobody sees go first, if need be only those of a side. Returns how many went.
fn dismiss(world: &mut World, home: Home, side: Option<u32>, count: usize, watchers: &Watchers) -> usize {
    let sight_m = world.resource::<InstanceRules>().bots_seen_from_m;
    let columns = world.resource::<CharacterColumns>();
    let unseen: Vec<NetId> = (0..columns.len())
        .rev()
        .filter(|&row| columns.archetypes[row] == Archetype::Bot)
        .filter(|&row| watchers.are_away_from(columns.positions_m[row], sight_m))
        .map(|row| columns.net_ids[row])
        // Columns are of the last tick: somebody may have taken it over in this one.
        .filter(|&net_id| is_bot_of(world, net_id, home, side))
        .take(count)
        .collect();
    unseen.iter().for_each(|&net_id| despawn_character(world, net_id));
    unseen.len()
}

/// Bots go on in another file's zones: by their names, and in the whole world where there is none with a number of that name.
pub(crate) fn resettle(world: &mut World, former_names: &[String]) {
    let hours = world.resource::<WorldHours>();
    let zones = hours.calendar.zones();
    let new_home = |former: Home| {
        let name = former.place().and_then(|place| former_names.get(place));
        let place = name.and_then(|name| zones.iter().position(|zone| zone.name == *name));
        place.filter(|&place| hours.is_kept[place]).map_or(Home::WORLD, Home::zone)
    };
    let homes: Vec<Home> =
        (0..=former_names.len()).map(|place| new_home(place.checked_sub(1).map_or(Home::WORLD, Home::zone))).collect();
    world.resource_mut::<Attendance>().is_outdated = true;
    let mut minds = world.query::<&mut BotMind>();
    for mut mind in minds.iter_mut(world) {
        let former = mind.home();
        let place = former.place().map_or(0, |place| place + 1);
        let home = homes.get(place).copied().unwrap_or_default();
        if home != former {
            mind.settle(home, None, None);
        }
    }
}

/// Where a character is, for those who look on.
pub(crate) fn is_far_from(point_m: Vec2, watcher_m: Vec2, sight_m: f32) -> bool {
    watcher_m.distance_squared(point_m) > sight_m * sight_m
}
