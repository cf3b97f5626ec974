//! What a world file says, once read and checked.
//!
//! The keys, their units, ranges and defaults are declared where they are read, in [`super::read_world`]; the
//! reference page `docs/world-config.md` is generated from those declarations.

use glam::Vec2;

use super::zones::{DayConfig, EventConfig, FeatureConfig, SpawnFor, ZoneConfig};
use crate::archetypes::{Body, Gait};
use crate::attributes::AttributeRule;
use crate::ids::Archetype;

/// One world: everything that the simulation, the bots and a predicting client need to know about it.
#[derive(Clone, Debug, PartialEq)]
pub struct WorldConfig {
    /// Short name, shown to operators and in metrics.
    pub name: String,
    /// Seed of every random choice in this world: terrain, spawns and bots.
    pub seed: u64,
    /// Side of the square world, centred on the origin, in metres.
    pub size_m: f32,
    /// Simulation ticks per second.
    pub tick_rate_hz: u32,
    /// How many ticks a player's last input is repeated when no newer one has arrived; then neutral.
    pub input_repeat_ticks: u32,
    /// The ground.
    pub terrain: TerrainConfig,
    /// Static things that characters walk around or stand upon.
    pub obstacles: Vec<ObstacleConfig>,
    /// How characters move.
    pub movement: MovementConfig,
    /// Archetypes besides those of people and bots; [`Archetype::own`] is the one at a place.
    pub archetypes: Vec<ArchetypeConfig>,
    /// Where characters appear; never empty.
    pub spawn_areas: Vec<SpawnAreaConfig>,
    /// What each client is told about.
    pub interest: InterestConfig,
    /// What characters have besides a place; together they make a [`crate::attributes::Schema`].
    pub attributes: Vec<AttributeRule>,
    /// What attributes are at first for some archetypes, instead of their default.
    pub archetype_values: Vec<ArchetypeValueConfig>,
    /// What gives way when the server cannot keep up.
    pub overload: OverloadConfig,
    /// How many characters the world wants.
    pub population: PopulationConfig,
    /// How fast its days go by.
    pub day: DayConfig,
    /// Parts of it.
    pub zones: Vec<ZoneConfig>,
    /// What is on or off.
    pub features: Vec<FeatureConfig>,
    /// What happens when.
    pub events: Vec<EventConfig>,
    /// What bots do.
    pub bots: BotsConfig,
    /// Kinds of bots; where there are none, all are as `bots` says.
    pub bot_profiles: Vec<BotProfileConfig>,
    /// Where bots gather, and what they guard.
    pub places: Vec<PlaceConfig>,
    /// Routes that bots patrol.
    pub patrols: Vec<PatrolConfig>,
}

impl WorldConfig {
    /// What files call the archetypes that there are, by their numbers.
    pub fn archetype_names(&self) -> Vec<String> {
        let own = self.archetypes.iter().map(|own| own.name.as_str());
        Archetype::COMMON_NAMES.into_iter().chain(own).take(Archetype::COUNT).map(str::to_owned).collect()
    }
}

/// Where the ground's heights come from.
#[derive(Clone, Debug, PartialEq)]
pub enum TerrainConfig {
    /// The same height everywhere.
    Flat {
        /// Height of the ground, in metres.
        height_m: f32,
    },
    /// Rolling hills computed from the world's seed.
    Procedural {
        /// Lowest and highest ground, in metres.
        height_min_m: f32,
        /// See `height_min_m`.
        height_max_m: f32,
        /// Distance between neighbouring hills, in metres.
        feature_m: f32,
        /// Layers of detail.
        octaves: u32,
        /// Distance between height samples, in metres.
        cell_m: f32,
    },
    /// A square 16-bit grey PNG, north (-z) up, black lowest.
    Png {
        /// File name, beside the world file.
        file: String,
        /// Height of black, in metres.
        height_min_m: f32,
        /// Height of white, in metres.
        height_max_m: f32,
    },
    /// Square rows of little-endian 16-bit samples without a header, north (-z) first.
    Raw {
        /// File name, beside the world file.
        file: String,
        /// Height of sample 0, in metres.
        height_min_m: f32,
        /// Height of sample 65,535, in metres.
        height_max_m: f32,
    },
}

/// A static obstacle standing on the ground.
#[derive(Clone, Debug, PartialEq)]
pub struct ObstacleConfig {
    /// Centre on the ground plane (x, z), in metres.
    pub center_m: Vec2,
    /// How far it rises above the ground at its centre, in metres.
    pub height_m: f32,
    /// Its outline.
    pub shape: ObstacleShapeConfig,
}

/// The outline of an obstacle.
#[derive(Clone, Debug, PartialEq)]
pub enum ObstacleShapeConfig {
    /// A rectangle.
    Box {
        /// Full extents along its own x and z, in metres.
        size_m: Vec2,
        /// Turn about the vertical axis, in degrees.
        yaw_deg: f32,
    },
    /// A circle.
    Cylinder {
        /// Radius in metres.
        radius_m: f32,
    },
}

/// How characters move; shared by the server's simulation and the client's prediction.
#[derive(Clone, Debug, PartialEq)]
pub struct MovementConfig {
    /// Walking speed, in metres per second.
    pub walk_speed_mps: f32,
    /// Running speed, in metres per second.
    pub run_speed_mps: f32,
    /// How high a standing jump rises, in metres.
    pub jump_height_m: f32,
    /// Downward acceleration, in metres per second squared.
    pub gravity_mps2: f32,
    /// How quickly the wanted velocity is reached on the ground, in metres per second squared.
    pub ground_acceleration_mps2: f32,
    /// The same in the air.
    pub air_acceleration_mps2: f32,
    /// Steepest ground that can be walked up, in degrees.
    pub slope_max_deg: f32,
    /// Highest obstacle edge that is stepped onto, in metres.
    pub step_height_m: f32,
    /// Radius of the character's capsule, in metres.
    pub capsule_radius_m: f32,
    /// Height of the character's capsule, in metres.
    pub capsule_height_m: f32,
}

/// A kind of character that bots alone are of.
#[derive(Clone, Debug, PartialEq)]
pub struct ArchetypeConfig {
    /// Its name.
    pub name: String,
    /// How fast it goes.
    pub gait: Gait,
    /// How large it is.
    pub body: Body,
}

/// What an attribute is at first for an archetype.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchetypeValueConfig {
    /// Which archetype.
    pub archetype: Archetype,
    /// The attribute's place among [`WorldConfig::attributes`].
    pub attribute: u8,
    /// The value as it is told.
    pub value: u32,
}

/// A disc in which characters appear.
#[derive(Clone, Debug, PartialEq)]
pub struct SpawnAreaConfig {
    /// Centre (x, z), in metres.
    pub center_m: Vec2,
    /// Radius in metres.
    pub radius_m: f32,
    /// How many of those who appear do so here, beside the weights of the others; none for as many as it is large.
    pub weight: Option<f32>,
    /// Who appears here.
    pub who: SpawnFor,
    /// Most bots at once that have appeared here.
    pub bots_max: Option<u32>,
}

impl SpawnAreaConfig {
    /// For everybody, and as many as it is large.
    pub fn disc(center_m: Vec2, radius_m: f32) -> SpawnAreaConfig {
        SpawnAreaConfig { center_m, radius_m, weight: None, who: SpawnFor::All, bots_max: None }
    }
}

/// What each client is told about.
#[derive(Clone, Debug, PartialEq)]
pub struct InterestConfig {
    /// A character nearer than this enters a client's view, in metres.
    pub enter_radius_m: f32,
    /// A character in view stays there until it is farther than this, in metres.
    pub leave_radius_m: f32,
    /// Most characters in one client's view; the farthest are left out.
    pub visible_max: u32,
    /// Most that a client is sent of the world, with all headers, in kilobits (1,000 bits) per second.
    pub bandwidth_kbit_per_s: u32,
    /// How old what a client is told may be, by distance, the nearest first; the last counts for all that is farther. Without
    /// any, everything is told in every tick.
    pub tiers: Vec<TierConfig>,
}

/// How old what a client is told of those within a distance may be.
#[derive(Clone, Debug, PartialEq)]
pub struct TierConfig {
    /// The distance, in metres.
    pub within_m: f32,
    /// Longest time between two tellings of somebody who moves, in milliseconds.
    pub staleness_ms: u32,
}

/// What gives way when the server cannot keep up, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct OverloadConfig {
    /// When ticks take more of their time than this, in percent, bots think less often, as much as it takes.
    pub bots_yield_percent: u32,
    /// A rung up is taken when ticks take more of their time than this, in percent.
    pub climb_percent: u32,
    /// A rung down is taken when they take less than this, in percent.
    pub descend_percent: u32,
    /// For how long it must be more, in milliseconds.
    pub climb_after_ms: u32,
    /// For how long it must be less, in milliseconds.
    pub descend_after_ms: u32,
    /// What gives way, the least bad first; each counts on all rungs above it too.
    pub rungs: Vec<ReliefConfig>,
}

impl Default for OverloadConfig {
    /// Nothing gives way.
    fn default() -> OverloadConfig {
        OverloadConfig {
            bots_yield_percent: 60,
            climb_percent: 85,
            descend_percent: 60,
            climb_after_ms: 1_000,
            descend_after_ms: 5_000,
            rungs: Vec::new(),
        }
    }
}

/// What gives way on a rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReliefConfig {
    /// Bots think less often.
    BotThinking {
        /// How many times as long they wait.
        interval_factor: u32,
    },
    /// All but the nearest tier of interest are told less often.
    FarTiers {
        /// How many times as old what is told may be.
        staleness_factor: u32,
    },
    /// Fewer characters are told one by one.
    View {
        /// What is left of the most that there may be, in percent.
        visible_percent: u32,
    },
    /// Time runs slower.
    Time {
        /// How fast, in percent.
        time_percent: u32,
    },
}

/// How many characters the world wants, and whose they are.
#[derive(Clone, Debug, PartialEq)]
pub struct PopulationConfig {
    /// People and bots together; bots fill what people leave empty. Zones with numbers of their own come on top.
    pub target: u32,
    /// How many of them there are in each part of the day; as [`ZoneConfig::hours_percent`].
    pub hours_percent: Vec<f32>,
    /// Most people at once.
    pub players_max: u32,
    /// Whether a bot plays on for whoever's connection breaks, until it is back or its seat is given up.
    pub stand_ins: bool,
    /// Whether people who join take over the characters of bots, and give them back to bots when they leave. A game's own rules see
    /// that as a change of the character's `Archetype`; what else they have put on it stays.
    pub shared_seats: bool,
}

impl Default for PopulationConfig {
    /// As an empty table says.
    fn default() -> PopulationConfig {
        PopulationConfig {
            target: 0,
            hours_percent: vec![100.0],
            players_max: 1_000,
            stand_ins: true,
            shared_seats: false,
        }
    }
}

/// What bots do: weights of the goals that a bot chooses among, and its senses.
#[derive(Clone, Debug, PartialEq)]
pub struct BotsConfig {
    /// Weight of standing still for a while.
    pub idle_weight: f32,
    /// Weight of walking to a random place.
    pub wander_weight: f32,
    /// Weight of walking a patrol route; without routes it counts as wandering.
    pub patrol_weight: f32,
    /// Weight of following somebody in sight.
    pub follow_weight: f32,
    /// Weight of going to a place and staying there for a while; without places it counts for nothing.
    pub gather_weight: f32,
    /// Weight of running from somebody who comes too near.
    pub flee_weight: f32,
    /// How far a bot sees, in metres.
    pub sight_m: f32,
    /// A bot thinks anew once in this many milliseconds; it steers every tick.
    pub think_interval_ms: u32,
    /// How many of the enemies that bots notice they attack, in percent.
    pub attack_percent: f32,
    /// With less health than this, in percent, a bot runs from those it fights.
    pub retreat_below_percent: f32,
    /// How long a bot needs from noticing an enemy until it does it harm, in milliseconds.
    pub reaction_ms: u32,
    /// By how much a bot's aim is off at most, in degrees.
    pub aim_error_deg: f32,
}

/// A kind of bot.
#[derive(Clone, Debug, PartialEq)]
pub struct BotProfileConfig {
    /// Name, by which a file changes what it includes.
    pub name: String,
    /// How many of the bots are of it, beside the shares of the others.
    pub share: f32,
    /// What they do, instead of [`WorldConfig::bots`]; their think interval is that of all.
    pub bots: BotsConfig,
    /// Of which archetype they are; [`Archetype::BOT`] for those that are as people are.
    pub archetype: Archetype,
    /// Which of [`WorldConfig::places`] they guard, if they guard any.
    pub guards: Option<u32>,
    /// How far from the middle of what they guard they go, in metres.
    pub leash_m: f32,
    /// Which of [`WorldConfig::zones`] have them; without any, all zones and the rest of the world.
    pub zones: Vec<u32>,
    /// How they go together.
    pub pack: PackConfig,
}

impl BotProfileConfig {
    /// [`BotProfileConfig::share`] where it is not written.
    pub(super) const SHARE: f32 = 1.0;
    /// [`BotProfileConfig::leash_m`] where it is not written.
    pub(super) const LEASH_M: f32 = 30.0;

    /// A kind of bots that do this, as a table with a name says that mentions nothing else.
    pub fn new(name: &str, bots: BotsConfig) -> BotProfileConfig {
        BotProfileConfig {
            name: name.to_owned(),
            share: BotProfileConfig::SHARE,
            archetype: Archetype::BOT,
            bots,
            guards: None,
            leash_m: BotProfileConfig::LEASH_M,
            zones: Vec::new(),
            pack: PackConfig::default(),
        }
    }
}

/// How bots of a kind go together.
#[derive(Clone, Debug, PartialEq)]
pub struct PackConfig {
    /// How many go together at most, with the one who leads; 1 for bots that go alone.
    pub size: u32,
    /// Where each has its place.
    pub formation: Formation,
    /// From one to the next, in metres.
    pub spacing_m: f32,
}

impl Default for PackConfig {
    /// As a table says that does not mention it.
    fn default() -> PackConfig {
        PackConfig { size: 1, formation: Formation::Loose, spacing_m: 2.5 }
    }
}

/// Where those who go together have their places, as seen from the one who leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formation {
    /// Behind it, in no order that is noticed.
    Loose,
    /// Beside it, to its right and to its left in turn.
    Line,
    /// Behind it, one behind the other.
    Column,
    /// Behind it on both sides, as geese fly.
    Wedge,
}

/// A place that has a name.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaceConfig {
    /// Its name.
    pub name: String,
    /// Its middle (x, z), in metres.
    pub center_m: Vec2,
    /// How far from there it reaches, in metres.
    pub radius_m: f32,
    /// How many of those who gather come here, beside the draws of the others.
    pub draw: f32,
}

/// A closed route.
#[derive(Clone, Debug, PartialEq)]
pub struct PatrolConfig {
    /// Name, for messages.
    pub name: String,
    /// Corner points (x, z), in metres; at least two.
    pub points_m: Vec<Vec2>,
}
