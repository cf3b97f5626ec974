//! Where bots may appear and disappear.

use bevy_ecs::prelude::World;
use glam::Vec2;
use throng_bot_ai::{BotMind, Home};
use throng_shared::config::{SpawnAreaConfig, SpawnFor, ZoneKind};
use throng_shared::movement::CharacterState;
use throng_shared::random::Random;
use throng_shared::zones::{Outline, zone_at};

use super::census::Census;
use super::hours::WorldHours;
use super::is_far_from;
use crate::instance::InstanceRules;
use crate::session::Sessions;
use crate::simulation::draw_spawn_point;

/// Places that are tried for a bot to appear out of sight; when all are in somebody's sight, it is tried again later.
const PLACES_TRIED: usize = 16;

/// Points of a zone that are tried until one can be stood upon.
const POINTS_TRIED: usize = 32;

/// Those who look on, each with the walls that it is within.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    all: Vec<(Vec2, Option<usize>)>,
    rooms: Vec<Outline>,
}

impl Watchers {
    /// Everybody who is connected. Nobody looks on in a seat that is held.
    pub(super) fn new(world: &World) -> Watchers {
        let zones = world.resource::<WorldHours>().calendar.zones();
        let rooms: Vec<Outline> = zones.iter().filter(|zone| zone.kind == ZoneKind::Indoor).map(Outline::of).collect();
        let connected = world.resource::<Sessions>().all().iter().filter(|session| session.connection.is_some());
        let states = connected.filter_map(|session| world.get::<CharacterState>(session.entity));
        let points_m = states.map(CharacterState::ground_position_m);
        Watchers { all: points_m.map(|point_m| (point_m, zone_at(&rooms, point_m))).collect(), rooms }
    }

    /// Whether none of them sees a point (x, z): it is farther than `sight_m` from each that is within the same walls.
    pub(super) fn are_away_from(&self, point_m: Vec2, sight_m: f32) -> bool {
        let room = zone_at(&self.rooms, point_m);
        self.all.iter().all(|&(watcher_m, of_room)| of_room != room || is_far_from(point_m, watcher_m, sight_m))
    }
}

/// A place for a bot of a home that nobody sees, and the spawn area that it is in, if it is in one.
pub(super) fn draw_place(
    rules: &InstanceRules,
    hours: &WorldHours,
    census: &Census,
    home: Home,
    watchers: &Watchers,
    random: &mut Random,
) -> Option<(Vec2, Option<u16>)> {
    let areas: Vec<(u16, &SpawnAreaConfig)> = areas_of(rules, hours, home)
        .filter(|(number, area)| {
            let here = census.areas.get(usize::from(*number)).copied().unwrap_or(0);
            area.bots_max.is_none_or(|bots_max| here < bots_max)
        })
        .collect();
    let zone = home.place().and_then(|place| hours.outlines.get(place));
    let has_areas = areas_of(rules, hours, home).next().is_some();
    (0..PLACES_TRIED).find_map(|_| {
        let (point_m, area) = match (has_areas, zone) {
            (false, Some(zone)) => {
                let mut points_m = (0..POINTS_TRIED).map(|_| rules.map.clamp_inside(zone.draw(random)));
                (points_m.find(|&point_m| rules.map.is_standable(point_m))?, None)
            }
            _ => {
                let (point_m, place) = draw_spawn_point(&rules.map, areas.iter().map(|(_, area)| *area), random)?;
                (point_m, areas.get(place).map(|(number, _)| *number))
            }
        };
        watchers.are_away_from(point_m, rules.bots_seen_from_m).then_some((point_m, area))
    })
}

/// Where somebody appears again who was dead: a bot where it first came from, or else at home; a person where people appear.
pub(crate) fn place_to_reappear(
    rules: &InstanceRules,
    hours: &WorldHours,
    mind: Option<&BotMind>,
    random: &mut Random,
) -> Vec2 {
    let Some(mind) = mind.filter(|mind| !mind.plays().is_player()) else {
        return draw_place_of_person(rules, random);
    };
    let origin = mind.origin().and_then(|number| rules.spawn_areas.get(usize::from(number)));
    let origin = origin.filter(|area| area.who != SpawnFor::Players);
    let drawn = match origin {
        Some(area) => draw_spawn_point(&rules.map, std::iter::once(area), random).map(|(point_m, _)| point_m),
        None => draw_place(rules, hours, &Census::default(), mind.home(), &Watchers::default(), random)
            .map(|(point_m, _)| point_m),
    };
    drawn.unwrap_or_else(|| draw_place_of_person(rules, random))
}

/// Where a person appears.
pub(crate) fn draw_place_of_person(rules: &InstanceRules, random: &mut Random) -> Vec2 {
    let for_people = rules.spawn_areas.iter().filter(|area| area.who != SpawnFor::Bots);
    // Where none is for people, they appear in all.
    let drawn = draw_spawn_point(&rules.map, for_people, random);
    let drawn = drawn.or_else(|| draw_spawn_point(&rules.map, rules.spawn_areas.iter(), random));
    drawn.map_or(rules.map.nearest_free(Vec2::ZERO), |(point_m, _)| point_m)
}

/// The spawn areas for bots of a home: of a zone, those whose middle is in it; of the rest of the world those that are in no zone with a number
/// of its own, or all, if there are none.
fn areas_of<'r>(
    rules: &'r InstanceRules,
    hours: &'r WorldHours,
    home: Home,
) -> impl Iterator<Item = (u16, &'r SpawnAreaConfig)> {
    let kept_zone = |area: &SpawnAreaConfig| hours.kept_zone_at(area.center_m);
    // Where none is for bots, they appear in all, as people do.
    let is_any_for_bots = rules.spawn_areas.iter().any(|area| area.who != SpawnFor::Players);
    let is_for_bots = move |area: &SpawnAreaConfig| !is_any_for_bots || area.who != SpawnFor::Players;
    let for_bots = || rules.spawn_areas.iter().filter(|area| is_for_bots(area));
    let has_own = home.place().is_some() || for_bots().any(|area| kept_zone(area).is_none());
    let is_for = move |area: &SpawnAreaConfig| !has_own || kept_zone(area) == home.place();
    let numbered = rules.spawn_areas.iter().enumerate().map(|(number, area)| (number as u16, area));
    numbered.filter(move |(_, area)| is_for_bots(area) && is_for(area))
}
