//! Where bots live: a zone of the world, or all of it.

use glam::Vec2;
use throng_shared::config::{WorldConfig, ZoneConfig, ZoneKind};
use throng_shared::zones::{Outline, zone_at};

/// How far out of its zone a bot may come until it goes back, in metres.
const STRAY_M: f32 = 15.0;

/// A zone that bots live in, by its place in the world file; or the whole world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Home(u8);

const _: () = assert!(throng_shared::config::ZONES_MAX < u8::MAX as usize);

impl Home {
    /// All of the world.
    pub const WORLD: Home = Home(0);

    /// A zone.
    pub fn zone(place: usize) -> Home {
        Home(u8::try_from(place + 1).unwrap_or(0))
    }

    /// Which zone; none for all of the world.
    pub fn place(self) -> Option<usize> {
        usize::from(self.0).checked_sub(1)
    }
}

/// The zones of a world as bots know them.
#[derive(Clone, Debug, Default)]
pub struct Homes {
    outlines: Vec<Outline>,
    /// Those of them that have walls around them.
    indoor: Vec<Outline>,
    /// For each zone, which places and which patrol routes lie in it.
    places: Vec<Vec<u32>>,
    routes: Vec<Vec<u32>>,
}

impl Homes {
    /// Those of a world file.
    pub(crate) fn new(config: &WorldConfig) -> Homes {
        let of_zones = |has: &dyn Fn(&Outline) -> Vec<u32>| -> Vec<Vec<u32>> {
            config.zones.iter().map(Outline::of).map(|outline| has(&outline)).collect()
        };
        let numbers = |count: usize, is_in: &dyn Fn(usize) -> bool| -> Vec<u32> {
            (0..count).filter(|&number| is_in(number)).map(|number| number as u32).collect()
        };
        let (places, patrols) = (&config.places, &config.patrols);
        let is_indoor = |zone: &&ZoneConfig| zone.kind == ZoneKind::Indoor;
        Homes {
            outlines: config.zones.iter().map(Outline::of).collect(),
            indoor: config.zones.iter().filter(is_indoor).map(Outline::of).collect(),
            places: of_zones(&|outline| numbers(places.len(), &|number| outline.contains(places[number].center_m))),
            routes: of_zones(&|outline| {
                let is_in = |number: usize| patrols[number].points_m.iter().all(|&point_m| outline.contains(point_m));
                numbers(patrols.len(), &is_in)
            }),
        }
    }

    /// Outline of a home; none for all of the world, and for a zone that there is no more.
    pub(crate) fn outline(&self, home: Home) -> Option<&Outline> {
        self.outlines.get(home.place()?)
    }

    /// Whether somebody who lives here has gone too far.
    pub(crate) fn is_astray(&self, home: Home, point_m: Vec2) -> bool {
        self.outline(home).is_some_and(|outline| !outline.contains_within(point_m, STRAY_M))
    }

    /// Whether a point (x, z) is at home; all points are for who lives everywhere.
    pub(crate) fn is_home(&self, home: Home, point_m: Vec2) -> bool {
        self.outline(home).is_none_or(|outline| outline.contains(point_m))
    }

    /// Whether a place of the world file is at home.
    pub(crate) fn has_place(&self, home: Home, place: u32) -> bool {
        has(&self.places, home, place)
    }

    /// The patrol routes that are at home, by their numbers; none for all that there are.
    pub(crate) fn routes(&self, home: Home) -> Option<&[u32]> {
        self.routes.get(home.place()?).map(Vec::as_slice)
    }

    /// The walls that a point (x, z) is within, if any.
    pub(crate) fn room(&self, point_m: Vec2) -> Option<usize> {
        zone_at(&self.indoor, point_m)
    }

    /// Whether there are walls at all.
    pub(crate) fn has_rooms(&self) -> bool {
        !self.indoor.is_empty()
    }
}

fn has(of_zones: &[Vec<u32>], home: Home, number: u32) -> bool {
    let here = home.place().and_then(|place| of_zones.get(place));
    here.is_none_or(|here| here.contains(&number))
}
