//! The tables of a world file that are about bots: what kinds there are, what they do, and where.

use super::limits::{PACK_SIZE_MAX, PATROL_POINTS_MAX};
use super::reader::{Choice, Name, Number, TableReader, number, pairs, whole};
use super::world::{BotProfileConfig, BotsConfig, Formation, PackConfig, PatrolConfig, PlaceConfig};
use super::world_archetypes::KnownArchetypes;
use super::world_rules::{Settled, check_center_inside, check_points_inside};
use super::world_tables::{POINT, REACH_MAX_M};
use super::world_zones::read_zone_names;
use super::zones::ZoneConfig;
use crate::ids::Archetype;

/// How often something is drawn, beside the others.
const WEIGHT: Number = number(0.0, 1_000.0, "");

const FORMATIONS: &[Choice<Formation>] = &[
    Choice {
        word: "loose",
        means: Formation::Loose,
        doc: "Around and behind the leader, in no order that is noticed.",
    },
    Choice { word: "line", means: Formation::Line, doc: "Abreast, the leader in the middle." },
    Choice { word: "column", means: Formation::Column, doc: "One behind the other, the leader in front." },
    Choice { word: "wedge", means: Formation::Wedge, doc: "Behind the leader on both sides, as geese fly." },
];

pub(super) fn read_bots(table: &mut TableReader<'_, '_>, settled: Settled) -> BotsConfig {
    let bots = read_habits(table, settled);
    let think_doc = "A bot thinks anew once in this time; it steers every tick. Bots of all profiles do.";
    let think_interval_ms = table.optional("think_interval_ms", whole(50, 10_000, "ms"), 250, think_doc);
    BotsConfig { think_interval_ms, ..bots }
}

/// Reads a kind of bot, of a world with these places.
pub(super) fn read_bot_profile(
    table: &mut TableReader<'_, '_>,
    settled: Settled,
    think_interval_ms: u32,
    places: &[PlaceConfig],
    zones: &[ZoneConfig],
    archetypes: &KnownArchetypes,
) -> BotProfileConfig {
    let name = table.required("name", Name, "Name, by which a file changes what it includes.");
    let share_doc = "How many of the bots are of this kind: of two with shares 3 and 1, three quarters are of the first. Where all have 0, bots go by `[bots]`.";
    let share = table.optional("share", WEIGHT, BotProfileConfig::SHARE, share_doc);
    let archetype = read_archetype_name(table, archetypes);
    let bots = read_habits(table, settled);
    let guards_doc =
        "The name of the place that it guards: it gathers there alone, and fights nobody farther away than its leash.";
    let guarded = table.optional_without_default("guards", Name, guards_doc);
    let guards = guarded.as_ref().and_then(|name| places.iter().position(|place| place.name == *name));
    let doc = "`guards` is the `name` of a `[[place]]`";
    table.rule(&["guards"], doc, guarded.is_none() || guards.is_some() || settled.has_unsound_place, || {
        match places.is_empty() {
            true => "there are no places in this world".to_owned(),
            false => {
                let names: Vec<&str> = places.iter().map(|place| place.name.as_str()).collect();
                format!("no place is called that; there are {}", names.join(", "))
            }
        }
    });
    let leash_doc = "How far from the middle of the place that it guards it goes; then it returns.";
    let leash_m = table.optional("leash_m", number(1.0, 1_000.0, "m"), BotProfileConfig::LEASH_M, leash_doc);
    let radius_m = guards.map_or(0.0, |place| places[place].radius_m);
    let doc = "`leash_m` is at least the `radius_m` of the place that it guards";
    table.rule(&["leash_m", "guards"], doc, leash_m >= radius_m, || {
        format!("the place reaches {radius_m} m from its middle: the guard would be away at its own post")
    });
    let guards = guards.map(|place| place as u32);
    let zones_doc =
        "The zones whose bots are of this kind, if they have numbers of their own; without it, it is everywhere.";
    let zones = read_zone_names(table, settled, zones, zones_doc);
    let pack = read_pack(table, bots.sight_m);
    let bots = BotsConfig { think_interval_ms, ..bots };
    BotProfileConfig { name, share, archetype, bots, guards, leash_m, pack, zones }
}

/// What the archetype of bots is called that are as people are.
const BOT_NAME: &str = Archetype::COMMON_NAMES[1];

/// Reads of which archetype the bots of a kind are.
fn read_archetype_name(table: &mut TableReader<'_, '_>, known: &KnownArchetypes) -> Archetype {
    let doc = "The name of the archetype that they are of; without it, their bodies and speeds are those of people. Nobody takes over the character of a bot that is of one.";
    let wanted = table.optional_without_default("archetype", Name, doc);
    let archetype = wanted.as_ref().and_then(|name| known.find(name)).filter(|archetype| !archetype.is_player());
    let doc = "`archetype` is `bot`, or the `name` of an `[[archetype]]`";
    table.rule(&["archetype"], doc, wanted.is_none() || archetype.is_some() || known.has_unsound, || {
        known.unknown(&[BOT_NAME])
    });
    archetype.unwrap_or(Archetype::BOT)
}

/// Reads how bots go together that see so far.
fn read_pack(table: &mut TableReader<'_, '_>, sight_m: f32) -> PackConfig {
    let default = PackConfig::default();
    let size_doc = "How many of the kind go together at most, one of them leading: those who see one another and are not enemies. 1: each goes alone.";
    let size = table.optional("pack_size", whole(1, PACK_SIZE_MAX as u32, ""), default.size, size_doc);
    let formation_doc = "How those go who go together; in doors and lanes one behind the other.";
    let formation = table.word("formation", FORMATIONS, formation_doc);
    let spacing_doc = "How far they go from one another.";
    let spacing_m = table.optional("spacing_m", number(0.8, 20.0, "m"), default.spacing_m, spacing_doc);
    let last_m = (size - 1) as f32 * spacing_m;
    let doc = "`pack_size` less one, times `spacing_m`, is at most `sight_m`";
    table.rule(&["pack_size", "spacing_m", "sight_m"], doc, last_m <= sight_m, || {
        format!("the last of a column would go {last_m} m behind its leader and see no farther than {sight_m} m")
    });
    PackConfig { size, formation, spacing_m }
}

/// Reads what bots do; their think interval is the default.
fn read_habits(table: &mut TableReader<'_, '_>, settled: Settled) -> BotsConfig {
    let idle_weight = table.optional("idle_weight", WEIGHT, 1.0, "Weight of standing still for a while.");
    let wander_weight = table.optional("wander_weight", WEIGHT, 4.0, "Weight of walking to a random place.");
    let patrol_doc = "Weight of walking a patrol route; without routes it counts as wandering.";
    let patrol_weight = table.optional("patrol_weight", WEIGHT, 2.0, patrol_doc);
    let follow_weight = table.optional("follow_weight", WEIGHT, 1.0, "Weight of following somebody in sight.");
    let gather_doc =
        "Weight of going to one of the places and staying there for a while; without places it counts for nothing.";
    let gather_weight = table.optional("gather_weight", WEIGHT, 0.0, gather_doc);
    let flee_doc = "Weight of running away from somebody who comes too near.";
    let flee_weight = table.optional("flee_weight", WEIGHT, 1.0, flee_doc);
    let weights = [idle_weight, wander_weight, patrol_weight, follow_weight, gather_weight, flee_weight];
    let keys = ["idle_weight", "wander_weight", "patrol_weight", "follow_weight", "gather_weight", "flee_weight"];
    let doc = "at least one weight is above 0 when `population.target` is";
    let has_goal = settled.population.is_none_or(|target| target == 0) || weights.iter().any(|weight| *weight > 0.0);
    table.rule(&keys, doc, has_goal, || "with every weight 0, bots have nothing to do".to_owned());
    let sight_m = table.optional("sight_m", number(1.0, 200.0, "m"), 40.0, "How far a bot sees.");
    let attack_doc = "Of a hundred enemies that a bot notices among the eight characters nearest to it, how many it attacks, in worlds with abilities; \
                      0 for peaceful bots.";
    let attack_percent = table.optional("attack_percent", number(0.0, 100.0, "%"), 100.0, attack_doc);
    let retreat_doc =
        "With less health than this, of what it begins with, a bot runs from those it fights; 0 for never.";
    let retreat_below_percent = table.optional("retreat_below_percent", number(0.0, 100.0, "%"), 25.0, retreat_doc);
    let reaction_doc = "How long a bot needs from noticing an enemy until it does it harm. People need 200 to 400.";
    let reaction_ms = table.optional("reaction_ms", whole(0, 5_000, "ms"), 350, reaction_doc);
    let error_doc = "By how much a bot's aim is off at most: the skill of bots. At 1 degree it meets most of those who stand 30 m away, at 4 one \
                     in ten.";
    let aim_error_deg = table.optional("aim_error_deg", number(0.0, 45.0, "degrees"), 2.5, error_doc);
    BotsConfig {
        idle_weight,
        wander_weight,
        patrol_weight,
        follow_weight,
        gather_weight,
        flee_weight,
        sight_m,
        think_interval_ms: 250,
        attack_percent,
        retreat_below_percent,
        reaction_ms,
        aim_error_deg,
    }
}

pub(super) fn read_patrol(table: &mut TableReader<'_, '_>, settled: Settled) -> PatrolConfig {
    let name = table.required("name", Name, "Name, for messages.");
    let points_doc = "Its corners, in order; from the last, bots walk back to the first.";
    let points_m = table.required("points_m", pairs(POINT, 2, PATROL_POINTS_MAX), points_doc);
    check_points_inside(table, settled, &points_m);
    PatrolConfig { name, points_m }
}

pub(super) fn read_place(table: &mut TableReader<'_, '_>, settled: Settled) -> PlaceConfig {
    let name = table.required("name", Name, "Name, by which profiles of bots say what they guard.");
    let center_m = table.required("center_m", POINT, "Where its middle is.");
    check_center_inside(table, settled, center_m);
    let radius_m = table.optional("radius_m", number(1.0, REACH_MAX_M, "m"), 5.0, "How far from there bots stand.");
    let draw_doc = "How many of those who gather come here: of two places with draws 3 and 1, three quarters go to the first. 0 for a place that \
                    is only guarded.";
    let draw = table.optional("draw", WEIGHT, 1.0, draw_doc);
    PlaceConfig { name, center_m, radius_m, draw }
}
