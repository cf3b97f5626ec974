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
use throng_shared::config::SpawnAreaConfig;
use throng_shared::ids::NetId;
use throng_shared::tick::Tick;

use crate::abilities::CombatRules;
use crate::instance::InstanceRules;
use crate::session::Sessions;
use crate::simulation::{NewBot, Roster, despawn_characters, spawn_bots};
pub(crate) use census::home_at;
use census::{Census, HomeCount, bots_of};
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
    let is_due = is_time || is_first || world.resource::<Attendance>().is_outdated;
    let is_plain = !world.resource::<WorldHours>().is_kept.contains(&true) && !deals_sides(world);
    if !is_due || (is_plain && is_as_wanted(world)) {
        return;
    }
    let has_players = !world.resource::<Sessions>().all().is_empty();
    let changes_max =
        if !has_players || is_first { usize::MAX } else { CHANGES_PER_TICK_MAX * interval_ticks as usize };
    direct(world, changes_max, if is_first { Watchers::default() } else { Watchers::new(world) });
}

/// The first tick of a world.
const FIRST: Tick = Tick(1);

/// Whether whoever appears is dealt to sides.
fn deals_sides(world: &World) -> bool {
    world.get_resource::<CombatRules>().is_some_and(|combat| !combat.dealt_sides().is_empty())
}

/// Whether there are as many as there should be, in a world without zones that have numbers of their own, and without sides. O(1).
fn is_as_wanted(world: &mut World) -> bool {
    let people = world.resource::<Sessions>().all().len() as u32;
    let bots = (world.resource::<Roster>().characters.len() as u32).saturating_sub(people);
    let wanted = world.resource::<WorldHours>().now.target;
    let mut attendance = world.resource_mut::<Attendance>();
    // Keeping its memory: a steady server asks for none.
    attendance.homes.clear();
    attendance.homes.push(HomeAttendance { people, bots, wanted: Some(wanted) });
    attendance.is_outdated = false;
    bots == wanted.saturating_sub(people)
}

/// Counts, and has bots come and go, `changes_max` of them in all: first where the fewest are amiss, so that a small zone does not wait
/// for the whole world.
fn direct(world: &mut World, changes_max: usize, watchers: Watchers) {
    let mut census = Census::take(world);
    let now = &world.resource::<WorldHours>().now;
    let wanted = std::iter::once(Some(now.target)).chain(now.zones.iter().map(|zone| zone.target));
    let counts = census.homes.iter().zip(wanted);
    let homes: Vec<HomeAttendance> =
        counts.map(|(count, wanted)| HomeAttendance { people: count.people, bots: count.bots, wanted }).collect();
    let mut order: Vec<(usize, usize, usize)> = homes.iter().enumerate().filter_map(bots_wanted).collect();
    order.sort_by_key(|&(place, bots, wanted)| (bots.abs_diff(wanted), place));
    let (mut left, mut coming, mut evened_out) = (changes_max, Vec::new(), 0);
    for (place, bots, wanted) in order {
        let home = place.checked_sub(1).map_or(Home::WORLD, Home::zone);
        let before = coming.len();
        if bots < wanted {
            invite(world, &mut census, home, (wanted - bots).min(left), &watchers, &mut coming);
            left -= coming.len() - before;
        } else if bots > wanted {
            left -= dismiss(world, &mut census.homes[place], home, (bots - wanted).min(left), &watchers);
        }
        // Where nobody comes, whoever is of a side that has too many makes place for one of another.
        if coming.len() == before && bots <= wanted && census.homes[place].overfull_side().is_some() {
            evened_out += dismiss(world, &mut census.homes[place], home, 1.min(left), &watchers);
        }
    }
    spawn_bots(world, &coming);
    let mut attendance = world.resource_mut::<Attendance>();
    (attendance.homes, attendance.is_outdated) = (homes, false);
    attendance.evened_out += evened_out as u64;
}

/// The place of a home, how many bots live in it, and how many should; none where nobody sees to it.
fn bots_wanted((place, attendance): (usize, &HomeAttendance)) -> Option<(usize, usize, usize)> {
    let wanted = attendance.wanted?.saturating_sub(attendance.people) as usize;
    Some((place, attendance.bots as usize, wanted))
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
    let shares: Vec<(usize, f64)> = bots.shares(home).collect();
    for _ in 0..count {
        let mut roster = world.resource_mut::<Roster>();
        let Some((point_m, origin)) = draw_place(&rules, &hours, census, home, watchers, &mut roster.random) else {
            break;
        };
        let here = &mut census.homes[place];
        let side = here.smallest_side(first + coming.len() as u32);
        let kind = here.sides.get(side).and_then(|side| side.wanted_kind(shares.iter().copied()));
        let temper = kind.and_then(|kind| bots.temper_of(home, kind, roster.random.unit()));
        let value = here.sides.get(side).and_then(|side| side.side);
        here.expect(side, kind);
        origin.and_then(|area| census.areas.get_mut(usize::from(area))).into_iter().for_each(|count| *count += 1);
        coming.push(NewBot { point_m, home, origin, temper, side: value });
    }
}

/// Bots of a home that are looked at whether anybody sees them, at most.
const CANDIDATES_MAX: usize = 4_096;

/// Has bots of a home go that nobody sees, of the sides that have the most, the youngest first. Returns how many went.
/// O(characters + candidates · people).
fn dismiss(world: &mut World, here: &mut HomeCount, home: Home, count: usize, watchers: &Watchers) -> usize {
    let sight_m = world.resource::<InstanceRules>().bots_seen_from_m;
    let mut candidates: Vec<(NetId, Option<u32>, Vec2)> = bots_of(world, home);
    candidates.sort_unstable_by_key(|(net_id, ..)| std::cmp::Reverse(*net_id));
    candidates.truncate(CANDIDATES_MAX);
    candidates.retain(|(.., position_m)| watchers.are_away_from(*position_m, sight_m));
    let mut going = Vec::new();
    while going.len() < count && !candidates.is_empty() {
        let fullest = here.fullest_side(|side| candidates.iter().any(|(_, of, _)| side.is_none() || *of == side));
        let next = candidates.iter().position(|(_, of, _)| fullest.is_none_or(|side| *of == side)).unwrap_or(0);
        let (net_id, side, _) = candidates.remove(next);
        here.dismissed(side);
        going.push(net_id);
    }
    despawn_characters(world, &mut going);
    going.len()
}

/// Bots go on by another file: in the zones of the same names, or in the whole world where there is none with a number of its own; and as of the
/// same spawn areas, as far as there are any where they were.
pub(crate) fn resettle(world: &mut World, former_zones: &[String], former_areas: &[SpawnAreaConfig]) {
    world.resource_mut::<Attendance>().is_outdated = true;
    let (hours, rules) = (world.resource::<WorldHours>(), world.resource::<InstanceRules>());
    let zones = hours.calendar.zones();
    let new_home = |name: &String| {
        let place = zones.iter().position(|zone| zone.name == *name);
        place.filter(|&place| hours.is_kept[place]).map_or(Home::WORLD, Home::zone)
    };
    let homes: Vec<Home> = former_zones.iter().map(new_home).collect();
    let is_same = |former: &SpawnAreaConfig, area: &SpawnAreaConfig| {
        (former.center_m, former.radius_m) == (area.center_m, area.radius_m)
    };
    let new_area = |former: &SpawnAreaConfig| rules.spawn_areas.iter().position(|area| is_same(former, area));
    let areas: Vec<Option<u16>> =
        former_areas.iter().map(|former| new_area(former).and_then(|place| u16::try_from(place).ok())).collect();
    let mut minds = world.query::<&mut BotMind>();
    for mut mind in minds.iter_mut(world) {
        let home = mind.home().place().map_or(Home::WORLD, |place| homes.get(place).copied().unwrap_or_default());
        let origin = mind.origin().and_then(|area| areas.get(usize::from(area)).copied().flatten());
        if (home, origin) != (mind.home(), mind.origin()) {
            mind.settle(home, origin, None);
        }
    }
}

/// Where a character is, for those who look on.
pub(crate) fn is_far_from(point_m: Vec2, watcher_m: Vec2, sight_m: f32) -> bool {
    watcher_m.distance_squared(point_m) > sight_m * sight_m
}
