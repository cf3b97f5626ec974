//! What a world file says of parts of the world and of times of the day, once read and checked.

use glam::Vec2;

/// How fast the world's days go by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayConfig {
    /// How long a day of 24 hours takes, in minutes.
    pub length_min: f32,
    /// The hour at tick 0.
    pub begins_h: f32,
}

impl Default for DayConfig {
    /// As an empty table says: as long as a day is.
    fn default() -> DayConfig {
        DayConfig { length_min: 1_440.0, begins_h: 8.0 }
    }
}

/// A part of the world with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct ZoneConfig {
    /// Its name.
    pub name: String,
    /// What holds there.
    pub kind: ZoneKind,
    /// Its middle (x, z), in metres.
    pub center_m: Vec2,
    /// Its outline.
    pub outline: OutlineConfig,
    /// People and bots together that there are to be in it, besides those of the rest of the world; none when it has no number of
    /// its own.
    pub population: Option<u32>,
    /// How many of them there are in each part of the day, in percent: parts of equal length, the first begins at midnight.
    pub hours_percent: Vec<f32>,
}

/// What holds in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneKind {
    /// What holds everywhere.
    Open,
    /// Nobody is hurt and nobody hurts.
    Safe,
    /// Fights are on, whatever safe zone it lies in.
    Contested,
    /// Walls are around it: bots do not look in or out, and come and go unseen by whoever is not in it.
    Indoor,
}

/// The outline of a zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OutlineConfig {
    /// A circle.
    Circle {
        /// Radius in metres.
        radius_m: f32,
    },
    /// A rectangle.
    Box {
        /// Full extents along its own x and z, in metres.
        size_m: Vec2,
        /// Turn about the vertical axis, in degrees.
        yaw_deg: f32,
    },
}

/// Something that happens at a time of the day.
#[derive(Clone, Debug, PartialEq)]
pub struct EventConfig {
    /// Its name.
    pub name: String,
    /// The hour at which it begins.
    pub from_h: f32,
    /// How long it lasts, in hours.
    pub lasts_h: f32,
    /// It is once in so many days, from the first on.
    pub every_days: u32,
    /// Which of [`super::WorldConfig::zones`] it is in; everywhere without any.
    pub zones: Vec<u32>,
    /// How many of those there are who would be there otherwise, in percent.
    pub population_percent: f32,
    /// What its zones are meanwhile, instead of what they are otherwise.
    pub zones_become: Option<ZoneKind>,
    /// Which of [`super::WorldConfig::features`] must be on.
    pub feature: Option<u32>,
}

/// Something that can be switched on and off, for some of the players or all.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureConfig {
    /// Its name.
    pub name: String,
    /// Whether it is on in this world at all.
    pub is_on: bool,
    /// In which of [`super::WorldConfig::zones`]; everywhere without any.
    pub zones: Vec<u32>,
    /// For how many of a hundred players.
    pub sessions_percent: f32,
}

/// Who appears in a spawn area.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpawnFor {
    /// People and bots.
    #[default]
    All,
    /// People.
    Players,
    /// Bots.
    Bots,
}
