//! Reads a world file as a whole: its tables in the order of the reference page. `[world]`, `[[obstacle]]` and
//! `[population]` come before the tables whose rules look at them.

use std::ops::Range;

use super::error::ConfigErrors;
use super::limits::{
    ARCHETYPE_VALUES_MAX, BOT_PROFILES_MAX, CHARACTERS_MAX, EVENTS_MAX, FEATURES_MAX, INTEREST_TIERS_MAX,
    OBSTACLES_MAX, OVERLOAD_RUNGS_MAX, PATROLS_MAX, PLACES_MAX, SPAWN_AREAS_MAX, WORLD_FILE_BYTES_MAX, ZONES_MAX,
};
use super::reader::{FileFormat, Name, Presence, TableReader, Truth, number, whole};
use super::world::{
    ArchetypeConfig, ArchetypeValueConfig, BotProfileConfig, BotsConfig, InterestConfig, MovementConfig,
    ObstacleConfig, ObstacleShapeConfig, OverloadConfig, PatrolConfig, PlaceConfig, PopulationConfig, ReliefConfig,
    TierConfig, WorldConfig,
};
use super::world_archetypes::{CommonMovement, KnownArchetypes, read_archetype, read_archetype_value};
use super::world_attributes::Former;
use super::world_bots::{read_bot_profile, read_bots, read_patrol, read_place};
use super::world_ground::{read_obstacle, read_terrain};
use super::world_overload::{read_overload, read_rung};
use super::world_rules::Settled;
use super::world_tables::{SIZE_MAX_M, read_interest, read_movement, read_spawn_area, read_tier};
use super::world_zones::{read_day, read_event, read_feature, read_hours, read_zone};
use super::zones::{DayConfig, EventConfig, FeatureConfig, ZoneConfig};
use crate::attributes::ATTRIBUTES_MAX;
use crate::ids::Archetype;

/// Reads the text of a world file that includes no others. `file_name` is only for messages.
///
/// # Errors
/// With every mistake in the file, not just the first.
pub fn read_world(file_name: &str, text: &str) -> Result<WorldConfig, ConfigErrors> {
    let (file, mistakes) = WORLD_FORMAT.check(file_name, text)?;
    mistakes.into_result(file.config)
}

/// A world file, right or wrong.
pub(super) struct WorldFile {
    /// What it says; a default or some accepted value where it is wrong.
    pub(super) config: WorldConfig,
    /// Its archetypes, for other files that name them.
    pub(super) archetypes: KnownArchetypes,
    /// Where it names the terrain's file, when it does so rightly.
    pub(super) terrain_file: Option<Range<usize>>,
    /// Whether it may have attributes that are not in `config`, because they are wrong.
    pub(super) has_unsound_attributes: bool,
}

/// World files.
pub(super) const WORLD_FORMAT: FileFormat<WorldFile> = FileFormat {
    name: "the world file",
    page: "docs/world-config.md",
    bytes_max: WORLD_FILE_BYTES_MAX,
    can_include: true,
    read: read_file,
};

fn read_file(file: &mut TableReader<'_, '_>) -> WorldFile {
    let mut settled = Settled::default();
    let (name, seed, size_m) = file.table("world", Presence::Required, "What the world is.", |table| {
        let name = table.required("name", Name, "Short name, for operators and metrics.");
        let seed_doc = "Seed of every random choice in this world. Another seed gives other hills and other bots.";
        let seed = table.optional("seed", whole(0, i64::MAX as u64, ""), 1, seed_doc);
        let size_doc = "Side of the square world. Its middle is x = 0, z = 0; x grows to the east, z to the south.";
        let size_m = table.required("size_m", number(64.0, SIZE_MAX_M, "m"), size_doc);
        settled.size_m = table.is_sound("size_m").then_some(size_m);
        (name, seed, size_m)
    });
    let doc = "How time passes.";
    let (tick_rate_hz, input_repeat_ticks) = file.table("simulation", Presence::Optional, doc, |table| {
        let rate_doc = "Steps of the simulation per second. More cost more, and need more bandwidth.";
        let tick_rate_hz = table.optional("tick_rate_hz", whole(10, 128, "Hz"), 20, rate_doc);
        let repeat_doc = "For how many ticks a player's last input is repeated while no newer one arrives.";
        (tick_rate_hz, table.optional("input_repeat_ticks", whole(0, 20, "ticks"), 4, repeat_doc))
    });
    let doc = "The ground.";
    let (terrain, terrain_file) = file.table("terrain", Presence::Required, doc, |table| read_terrain(table, settled));
    let (obstacles, outlines) = read_obstacle_tables(file, settled);
    let (movement, archetypes, known_archetypes) = read_movement_tables(file);
    let doc = "A disc in which characters appear. Write one table per area; a larger one gets more of them, in \
               proportion to the ground that it covers.";
    let spawn_areas =
        file.tables("spawn", 1..=SPAWN_AREAS_MAX, doc, |table| read_spawn_area(table, settled, &outlines));
    let (interest, enter_radius_m) = read_interest_tables(file);
    let (attributes, archetype_values) = read_attribute_tables(file, known_archetypes, enter_radius_m);
    let overload = read_overload_tables(file);
    let doc = "How many characters the world wants.";
    let population = file.table("population", Presence::Optional, doc, |table| {
        let population = read_population(table);
        settled.population = table.is_sound("target").then_some(population.target);
        population
    });
    let Surroundings { day, zones, features, events } = read_zone_tables(file, &mut settled);
    let Inhabitants { bots, bot_profiles, places, patrols } =
        read_bot_tables(file, &mut settled, &zones, &attributes.archetypes);
    let Former { rules: attributes, has_unsound: has_unsound_attributes, archetypes: known_archetypes, .. } =
        attributes;
    let config = WorldConfig {
        name,
        seed,
        size_m,
        tick_rate_hz,
        input_repeat_ticks,
        terrain,
        obstacles,
        movement,
        archetypes,
        spawn_areas,
        interest,
        attributes,
        archetype_values,
        overload,
        population,
        day,
        zones,
        features,
        events,
        bots,
        bot_profiles,
        places,
        patrols,
    };
    WorldFile { config, archetypes: known_archetypes, terrain_file, has_unsound_attributes }
}

/// The obstacles; and again, without extent where they are wrong, for those who look whether anything is in their way.
fn read_obstacle_tables(
    file: &mut TableReader<'_, '_>,
    settled: Settled,
) -> (Vec<ObstacleConfig>, Vec<ObstacleConfig>) {
    let doc = "Something that characters walk around or stand upon. Write one table per obstacle.";
    let mut outlines = Vec::new();
    let obstacles = file.tables("obstacle", 0..=OBSTACLES_MAX, doc, |table| {
        let obstacle = read_obstacle(table, settled);
        let nothing = ObstacleShapeConfig::Cylinder { radius_m: 0.0 };
        let shape = if table.are_all_sound() { obstacle.shape.clone() } else { nothing };
        outlines.push(ObstacleConfig { shape, ..obstacle.clone() });
        obstacle
    });
    (obstacles, outlines)
}

/// How characters move, the archetypes that there are, and what these are called.
fn read_movement_tables(file: &mut TableReader<'_, '_>) -> (MovementConfig, Vec<ArchetypeConfig>, KnownArchetypes) {
    let doc = "How characters move, players and bots alike.";
    let common = file.table("movement", Presence::Optional, doc, |table| {
        let config = read_movement(table);
        CommonMovement { config, is_sound: table.are_all_sound() }
    });
    let doc = "A kind of character that bots alone are of, with a body and a speed of its own: a wolf, a giant. Kinds of bots, attributes and abilities \
               mention it by its name, clients know who is of it. Write one table per archetype.";
    let mut known = KnownArchetypes::default();
    let archetypes =
        file.named_tables("archetype", 0..=Archetype::OWN_MAX, doc, |table| read_archetype(table, &common, &mut known));
    (common.config, archetypes, known)
}

/// The attributes of a world with these archetypes, in which characters are seen from so far, and what archetypes begin with.
fn read_attribute_tables(
    file: &mut TableReader<'_, '_>,
    archetypes: KnownArchetypes,
    enter_radius_m: Option<f32>,
) -> (Former, Vec<ArchetypeValueConfig>) {
    let doc = "Something that characters have besides a place, such as health or a team. The server's rules change it, clients are told \
               it. Write one table per attribute.";
    let mut attributes = Former::new(archetypes, enter_radius_m);
    file.named_tables("attribute", 0..=ATTRIBUTES_MAX, doc, |table| attributes.read(table));
    let doc = "What an attribute is at first for an archetype, such as the health of a giant. Write one table per archetype and attribute; of two, \
               the later counts.";
    let mut values = Vec::new();
    file.tables("archetype_value", 0..=ARCHETYPE_VALUES_MAX, doc, |table| {
        let Some(value) = read_archetype_value(table, &attributes) else { return };
        values.retain(|other: &ArchetypeValueConfig| {
            (other.archetype, other.attribute) != (value.archetype, value.attribute)
        });
        values.push(value);
    });
    (attributes, values)
}

fn read_population(table: &mut TableReader<'_, '_>) -> PopulationConfig {
    let target_doc = "People and bots together; bots fill what people leave empty.";
    let default = PopulationConfig::default();
    let target = table.optional("target", whole(0, CHARACTERS_MAX, ""), default.target, target_doc);
    let players_max = table.optional("players_max", whole(0, 100_000, ""), default.players_max, "Most people at once.");
    let stand_ins_doc = "Whether a bot plays on for whoever's connection breaks, until it is back or its seat is given up. Otherwise its \
                         character stands still.";
    let stand_ins = table.optional("stand_ins", Truth, default.stand_ins, stand_ins_doc);
    let shared_doc = "Whether people who join take over the characters of bots where they are, and give them back to bots when they leave. \
                      Otherwise people appear in the spawn areas, and disappear.";
    let shared_seats = table.optional("shared_seats", Truth, default.shared_seats, shared_doc);
    let hours_percent = read_hours(table);
    PopulationConfig { target, hours_percent, players_max, stand_ins, shared_seats }
}

/// What a file says of where and when.
struct Surroundings {
    day: DayConfig,
    zones: Vec<ZoneConfig>,
    features: Vec<FeatureConfig>,
    events: Vec<EventConfig>,
}

/// The tables about parts of the world and of the day, behind `[population]`.
fn read_zone_tables(file: &mut TableReader<'_, '_>, settled: &mut Settled) -> Surroundings {
    let doc = "The days of the world, by which there are more or fewer characters and events begin and end.";
    let day = file.table("day", Presence::Optional, doc, read_day);
    let doc = "A part of the world with a name: with bots of its own, other rules, or events. Where two overlap, a character counts for the first. Write one \
               table per zone.";
    let zones = file.named_tables("zone", 0..=ZONES_MAX, doc, |table| {
        let zone = read_zone(table, *settled);
        settled.has_unsound_zone |= !table.is_sound("name");
        settled.zone_population = settled.zone_population.saturating_add(zone.population.unwrap_or(0));
        zone
    });
    let doc = "Something that can be switched on and off, in parts of the world and for some of the players. The game's own rules ask whether it is on; so do \
               events. Write one table per feature.";
    let features = file.named_tables("feature", 0..=FEATURES_MAX, doc, |table| {
        let feature = read_feature(table, *settled, &zones);
        settled.has_unsound_feature |= !table.is_sound("name");
        feature
    });
    let doc = "Something that happens at a time of the day. Write one table per event.";
    let events =
        file.named_tables("event", 0..=EVENTS_MAX, doc, |table| read_event(table, *settled, &zones, &features, day));
    Surroundings { day, zones, features, events }
}

/// What a file says of bots.
struct Inhabitants {
    bots: BotsConfig,
    bot_profiles: Vec<BotProfileConfig>,
    places: Vec<PlaceConfig>,
    patrols: Vec<PatrolConfig>,
}

/// The tables about bots, behind `[population]`.
fn read_bot_tables(
    file: &mut TableReader<'_, '_>,
    settled: &mut Settled,
    zones: &[ZoneConfig],
    archetypes: &KnownArchetypes,
) -> Inhabitants {
    let doc = "A place that has a name: where bots gather, and what they guard. Write one table per place.";
    let places = file.named_tables("place", 0..=PLACES_MAX, doc, |table| {
        let place = read_place(table, *settled);
        settled.has_unsound_place |= !table.is_sound("name");
        place
    });
    let doc = "What bots do. A bot chooses among goals; a goal of weight 4 is chosen four times as often as one of \
               weight 1, and one of weight 0 never.";
    let bots = file.table("bots", Presence::Optional, doc, |table| read_bots(table, *settled));
    let doc = "A kind of bot. Where there are any, every bot is of one of them, and goes by what it says instead of `[bots]`; bots that stand \
               in for people go by `[bots]`. Write one table per kind.";
    let bot_profiles = file.named_tables("bot_profile", 0..=BOT_PROFILES_MAX, doc, |table| {
        read_bot_profile(table, *settled, bots.think_interval_ms, &places, zones, archetypes)
    });
    let doc = "A closed route that bots patrol. Write one table per route.";
    let patrols = file.named_tables("patrol", 0..=PATROLS_MAX, doc, |table| read_patrol(table, *settled));
    Inhabitants { bots, bot_profiles, places, patrols }
}

/// Interest, and the enter radius, if that is right.
fn read_interest_tables(file: &mut TableReader<'_, '_>) -> (InterestConfig, Option<f32>) {
    let doc = "What each player is told about.";
    let mut enter_radius_m = None;
    let mut interest = file.table("interest", Presence::Optional, doc, |table| {
        let interest = read_interest(table);
        enter_radius_m = table.is_sound("enter_radius_m").then_some(interest.enter_radius_m);
        interest
    });
    let doc = "How old what a player is told of others may be, by their distance. Write one table per tier, the nearest first; the \
               last counts for all who are farther away. Without any, whoever moves is told in every tick.";
    let mut nearer: Option<TierConfig> = None;
    interest.tiers = file.tables("interest_tier", 0..=INTEREST_TIERS_MAX, doc, |table| {
        let tier = read_tier(table, nearer.as_ref());
        nearer = Some(tier.clone());
        tier
    });
    (interest, enter_radius_m)
}

fn read_overload_tables(file: &mut TableReader<'_, '_>) -> OverloadConfig {
    let doc = "What gives way when the server cannot keep up, and when. Each world has a ladder of its own.";
    let mut overload = file.table("overload", Presence::Optional, doc, read_overload);
    let doc = "Something that gives way when the server cannot keep up. Write one table per rung, the least bad first; each counts on all \
               rungs above it too. Without any, the world runs late by as much as it cannot keep up.";
    let mut is_after_time = false;
    let rungs = file.tables("overload_rung", 0..=OVERLOAD_RUNGS_MAX, doc, |table| {
        let relief = read_rung(table, is_after_time);
        is_after_time = matches!(relief, Some(ReliefConfig::Time { .. }));
        relief
    });
    overload.rungs = rungs.into_iter().flatten().collect();
    overload
}
