//! The tables of a world file that are about parts of the world, times of the day, and what is on or off.

use super::limits::{CHARACTERS_MAX, DAY_PARTS_MAX, ZONES_MAX};
use super::reader::{Choice, Name, Number, TableReader, Truth, names, number, numbers, pair, whole};
use super::world_rules::{Settled, check_center_inside};
use super::world_tables::{POINT, REACH_MAX_M, SIZE_MAX_M};
use super::zones::{DayConfig, EventConfig, FeatureConfig, OutlineConfig, ZoneConfig, ZoneKind};

/// A share that may be more than all.
const SHARE: Number = number(0.0, 1_000.0, "%");

const KINDS: &[Choice<ZoneKind>] = &[
    Choice { word: "open", means: ZoneKind::Open, doc: "What holds everywhere." },
    Choice { word: "safe", means: ZoneKind::Safe, doc: "Nobody is hurt, and nobody hurts from there." },
    Choice { word: "contested", means: ZoneKind::Contested, doc: "Fights are on, whatever safe zone it lies in." },
    Choice {
        word: "indoor",
        means: ZoneKind::Indoor,
        doc: "Walls are around it: bots do not look in or out, and come and go unseen by whoever is not in it.",
    },
];

/// What the zones of an event become.
const CHANGES: &[Choice<Option<ZoneKind>>] = &[
    Choice { word: "as-ever", means: None, doc: "They stay what they are." },
    Choice { word: "open", means: Some(ZoneKind::Open), doc: "What holds everywhere holds there." },
    Choice { word: "safe", means: Some(ZoneKind::Safe), doc: "Nobody is hurt, and nobody hurts from there." },
    Choice {
        word: "contested",
        means: Some(ZoneKind::Contested),
        doc: "Fights are on, whatever safe zone they lie in.",
    },
];

#[derive(Clone, Copy)]
enum Outline {
    Circle,
    Box,
}

const OUTLINES: &[Choice<Outline>] = &[
    Choice { word: "circle", means: Outline::Circle, doc: "A circle seen from above." },
    Choice { word: "box", means: Outline::Box, doc: "A rectangle seen from above, such as a house or a street." },
];

pub(super) fn read_day(table: &mut TableReader<'_, '_>) -> DayConfig {
    let default = DayConfig::default();
    let length_doc = "How long a day of 24 hours takes, in minutes of the simulation. 1440 is as long as a day is.";
    let length_min = table.optional("length_min", number(1.0, 14_400.0, "min"), default.length_min, length_doc);
    let begins_doc =
        "The hour at which the world begins when the server starts. Changed while it runs, the hour is as much later.";
    let begins_h = table.optional("begins_h", number(0.0, 23.99, "h"), default.begins_h, begins_doc);
    DayConfig { length_min, begins_h }
}

/// As many at every hour.
const ALL_DAY: [f32; 1] = [100.0];

/// How many there are in each part of the day.
pub(super) fn read_hours(table: &mut TableReader<'_, '_>) -> Vec<f32> {
    let doc = "How many of them there are in each part of the day: parts of equal length, the first begins at midnight. [20, 100] is a fifth \
               until noon and all after it; 24 numbers are one for each hour.";
    table.optional("hours_percent", numbers(SHARE, 1, DAY_PARTS_MAX), ALL_DAY.to_vec(), doc)
}

pub(super) fn read_zone(table: &mut TableReader<'_, '_>, settled: Settled) -> ZoneConfig {
    let name = table.required("name", Name, "Name, by which events, features and profiles of bots say where they are.");
    let kind = table.word("kind", KINDS, "What holds there.");
    let center_m = table.required("center_m", POINT, "Where its middle is.");
    check_center_inside(table, settled, center_m);
    let population_doc = "People and bots together that there are to be in it, besides those of the rest of the world, for whom \
                          `population.target` counts: its own bots fill what people leave empty. 0 for a place without bots. Without it, it is \
                          as full as chance has it.";
    let population = table.optional_without_default("population", whole(0, CHARACTERS_MAX, ""), population_doc);
    let sum =
        population.unwrap_or(0).saturating_add(settled.zone_population).saturating_add(settled.population.unwrap_or(0));
    let doc = "`population`, with `population.target` and those of the zones before it, is at most 100000";
    table.rule(&["population"], doc, sum <= CHARACTERS_MAX, || format!("the world would have {sum} characters"));
    let hours_percent = read_hours(table);
    let doc = "`hours_percent` needs `population`";
    table.rule(&["hours_percent", "population"], doc, hours_percent == ALL_DAY || population.is_some(), || {
        "there is no number of which these would be shares".to_owned()
    });
    let outline = table.choose("shape", OUTLINES, "Its outline.", |table, outline| match outline {
        Outline::Circle => {
            let radius_m = table.required("radius_m", number(1.0, REACH_MAX_M, "m"), "Its radius.");
            OutlineConfig::Circle { radius_m }
        }
        Outline::Box => {
            let size_m = table.required("size_m", pair(1.0, SIZE_MAX_M, "m"), "Its full extents from side to side.");
            let yaw_doc = "How far it is turned about its middle, clockwise seen from above.";
            let yaw_deg = table.optional("yaw_deg", number(-360.0, 360.0, "degrees"), 0.0, yaw_doc);
            OutlineConfig::Box { size_m, yaw_deg }
        }
    });
    let outline = outline.unwrap_or(OutlineConfig::Circle { radius_m: 1.0 });
    ZoneConfig { name, kind, center_m, outline, population, hours_percent }
}

pub(super) fn read_feature(table: &mut TableReader<'_, '_>, settled: Settled, zones: &[ZoneConfig]) -> FeatureConfig {
    let name = table.required("name", Name, "Name, by which rules and events ask whether it is on.");
    let is_on = table.optional("is_on", Truth, true, "Whether it is on in this world at all.");
    let zones = read_zone_names(table, settled, zones, "In which zones it is on; without it, everywhere.");
    let sessions_doc = "For how many of a hundred players it is on: always the same ones, by their client ids. Who has it with 10 has it with 20.";
    let sessions_percent = table.optional("sessions_percent", number(0.0, 100.0, "%"), 100.0, sessions_doc);
    FeatureConfig { name, is_on, zones, sessions_percent }
}

pub(super) fn read_event(
    table: &mut TableReader<'_, '_>,
    settled: Settled,
    zones: &[ZoneConfig],
    features: &[FeatureConfig],
    day: DayConfig,
) -> EventConfig {
    let name = table.required("name", Name, "Name, by which clients and metrics tell it.");
    let from_h = table.required("from_h", number(0.0, 23.99, "h"), "The hour at which it begins.");
    let lasts_h = table.required("lasts_h", number(0.01, 24.0, "h"), "How long it lasts, past midnight too.");
    let lasts_s = lasts_h / 24.0 * day.length_min * 60.0;
    let doc = "`lasts_h` is at least 2 seconds of the simulation, by `day.length_min`";
    table.rule(&["lasts_h"], doc, lasts_s >= 2.0, || {
        format!("a day of {} min makes that {lasts_s} s, and it is looked once a second", day.length_min)
    });
    let every_doc = "It is once in so many days, on the first day and then again.";
    let every_days = table.optional("every_days", whole(1, 365, "days"), 1, every_doc);
    let zones = read_zone_names(table, settled, zones, "In which zones it is; without it, in the whole world.");
    let population_doc = "How many there are meanwhile of those who would be there otherwise; of several events at once the shares multiply.";
    let population_percent = table.optional("population_percent", SHARE, 100.0, population_doc);
    let become_doc = "What its zones are meanwhile. The walls of one that is indoor stay.";
    let zones_become = table.word("zones_become", CHANGES, become_doc);
    let doc = "`zones_become` needs `zones`";
    let has_zones = !zones.is_empty() || settled.has_unsound_zone;
    table.rule(&["zones_become", "zones"], doc, zones_become.is_none() || has_zones, || {
        "there are no zones that would become that".to_owned()
    });
    let feature_doc = "The name of a feature without which it is not: with `is_on = false` there, the event is over. For whom the feature is on does not matter.";
    let wanted = table.optional_without_default("feature", Name, feature_doc);
    let feature = wanted.as_ref().and_then(|name| features.iter().position(|feature| feature.name == *name));
    let doc = "`feature` is the `name` of a `[[feature]]`";
    table.rule(&["feature"], doc, wanted.is_none() || feature.is_some() || settled.has_unsound_feature, || {
        unknown("feature", features.iter().map(|feature| feature.name.as_str()))
    });
    let feature = feature.map(|place| place as u32);
    EventConfig { name, from_h, lasts_h, every_days, zones, population_percent, zones_become, feature }
}

/// Reads the key `zones`: which of them, by their places.
pub(super) fn read_zone_names(
    table: &mut TableReader<'_, '_>,
    settled: Settled,
    zones: &[ZoneConfig],
    doc: &'static str,
) -> Vec<u32> {
    let wanted = table.optional_without_default("zones", names(ZONES_MAX), doc).unwrap_or_default();
    let doc = "each of `zones` is the `name` of a `[[zone]]`";
    // For the reference page, where nothing is written.
    table.rule(&["zones"], doc, true, String::new);
    let place_of = |name: &String| zones.iter().position(|zone| zone.name == *name);
    let is_known = |name: &String| place_of(name).is_some() || settled.has_unsound_zone;
    for (index, name) in wanted.iter().enumerate() {
        table.rule_for_element("zones", index, doc, is_known(name), || {
            unknown("zone", zones.iter().map(|zone| zone.name.as_str()))
        });
    }
    wanted.iter().filter_map(place_of).map(|place| place as u32).collect()
}

/// Why a name is refused that is none of `known`.
pub(super) fn unknown<'n>(what: &str, known: impl Iterator<Item = &'n str>) -> String {
    let known: Vec<&str> = known.collect();
    match known.is_empty() {
        true => format!("there is no {what} in this world"),
        false => format!("no {what} is called that; there are {}", known.join(", ")),
    }
}
