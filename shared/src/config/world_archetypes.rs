//! The tables of a world file that declare archetypes, and the keys of other tables that name them.

use super::reader::{Choice, Name, TableReader, Word, names, number};
use super::world::{ArchetypeConfig, ArchetypeValueConfig, MovementConfig};
use super::world_attributes::{Former, VALUE, told_number};
use super::world_tables::check_speeds;
use super::world_zones::unknown;
use crate::archetypes::{Body, Gait};
use crate::attributes::{AttributeKind, AttributeRule};
use crate::ids::Archetype;

/// Who has an attribute, or an ability. Whoever is of an archetype of the world's own is a bot.
pub(super) const HOLDERS: &[Choice<Holders>] = &[
    Choice { word: "everybody", means: Holders::Everybody, doc: "Players and bots." },
    Choice { word: "players", means: Holders::Players, doc: "Players alone." },
    Choice { word: "bots", means: Holders::Bots, doc: "Bots alone." },
];

/// Who has something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Holders {
    Everybody,
    Players,
    Bots,
}

/// The archetypes of a world, for those who name them.
#[derive(Clone, Default)]
pub(super) struct KnownArchetypes {
    /// In their order.
    pub(super) names: Vec<String>,
    /// Whether any has a wrong name, of which nothing is known.
    pub(super) has_unsound: bool,
}

impl KnownArchetypes {
    /// The one of a name.
    pub(super) fn find(&self, name: &str) -> Option<Archetype> {
        let common = Archetype::COMMON_NAMES.iter().position(|known| *known == name);
        let own = || self.names.iter().position(|known| known == name).and_then(Archetype::own);
        common.and_then(|number| Archetype::from_number(number as u8)).or_else(own)
    }

    /// Why a name is refused, where one of `common` or of the world's own is wanted.
    pub(super) fn unknown(&self, common: &[&'static str]) -> String {
        let own = self.names.iter().map(String::as_str).filter(|name| !Archetype::COMMON_NAMES.contains(name));
        unknown("archetype", common.iter().copied().chain(own))
    }

    /// Bit n: archetype n is one of them.
    pub(super) fn held_by(&self, holders: Holders) -> u16 {
        let own = (0..self.names.len()).filter_map(Archetype::own);
        let bots = own.fold(Archetype::BOT.bit(), |bits, archetype| bits | archetype.bit());
        match holders {
            Holders::Everybody => Archetype::PLAYER.bit() | bots,
            Holders::Players => Archetype::PLAYER.bit(),
            Holders::Bots => bots,
        }
    }

    /// Those of them that are named; all of them where none is.
    pub(super) fn among(&self, held_by: u16, names: &[String]) -> u16 {
        let named = names.iter().filter_map(|name| self.find(name));
        let named = named.fold(0, |bits, archetype| bits | archetype.bit());
        if names.is_empty() { held_by } else { held_by & named }
    }
}

/// How characters move that have nothing of their own.
pub(super) struct CommonMovement {
    pub(super) config: MovementConfig,
    /// Whether none of it is wrong: of what is, nothing is known.
    pub(super) is_sound: bool,
}

/// Reads an archetype of a world in which characters move like this, after those before it.
pub(super) fn read_archetype(
    table: &mut TableReader<'_, '_>,
    common: &CommonMovement,
    known: &mut KnownArchetypes,
) -> ArchetypeConfig {
    let CommonMovement { config: movement, is_sound } = common;
    let name = table.required("name", Name, "Name, by which attributes, abilities and kinds of bots mention it.");
    let is_new = known.find(&name).is_none();
    let doc = "no two archetypes have the same `name`, and none is called `player` or `bot`, which are there without being declared";
    table.rule(&["name"], doc, is_new, || match Archetype::COMMON_NAMES.contains(&name.as_str()) {
        true => format!("{name} is there already"),
        false => format!("there is an archetype {name} before this one"),
    });
    let speed = number(0.1, 20.0, "m/s");
    let doc = "Its walking speed; that of `[movement]` if it is not written.";
    let walk_mps = table.optional_without_default("walk_speed_mps", speed, doc);
    let doc = "Its running speed; that of `[movement]` if it is not written.";
    let run_mps = table.optional_without_default("run_speed_mps", speed, doc);
    let walk_speed_mps = walk_mps.unwrap_or(movement.walk_speed_mps);
    let run_speed_mps = run_mps.unwrap_or(movement.run_speed_mps);
    let is_known = *is_sound || walk_mps.is_some() && run_mps.is_some();
    check_speeds(table, is_known, walk_speed_mps, run_speed_mps);
    let doc = "Radius of its body, which is what others aim at and hit; `movement.capsule_radius_m` if it is not written. It walks through whatever \
               that lets through, however large its body is.";
    let own_radius_m = table.optional_without_default("body_radius_m", number(0.05, 5.0, "m"), doc);
    let doc = "Height of its body; `movement.capsule_height_m` if it is not written.";
    let own_height_m = table.optional_without_default("body_height_m", number(0.1, 20.0, "m"), doc);
    let radius_m = own_radius_m.unwrap_or(movement.capsule_radius_m);
    let height_m = own_height_m.unwrap_or(movement.capsule_height_m);
    let is_known = *is_sound || own_radius_m.is_some() && own_height_m.is_some();
    let doc = "`body_height_m` is at least twice `body_radius_m`";
    table.rule(&["body_height_m", "body_radius_m"], doc, !is_known || height_m >= 2.0 * radius_m, || {
        format!("a body of {height_m} m would be wider ({} m) than high", 2.0 * radius_m)
    });
    known.has_unsound |= !table.is_sound("name");
    known.names.push(name.clone());
    ArchetypeConfig { name, gait: Gait { walk_speed_mps, run_speed_mps }, body: Body { radius_m, height_m } }
}

/// Reads what an attribute is at first for an archetype; nothing where it mentions what is not there.
pub(super) fn read_archetype_value(
    table: &mut TableReader<'_, '_>,
    attributes: &Former,
) -> Option<ArchetypeValueConfig> {
    let archetypes = &attributes.archetypes;
    let wanted = table.required("archetype", Name, "The name of an archetype.");
    let archetype = archetypes.find(&wanted);
    let doc = "`archetype` is `player`, `bot`, or the `name` of an `[[archetype]]`";
    table.rule(&["archetype"], doc, archetype.is_some() || archetypes.has_unsound, || {
        archetypes.unknown(&Archetype::COMMON_NAMES)
    });
    let wanted = table.required("attribute", Name, "The name of an attribute that it has.");
    let rule = attributes.rules.iter().find(|rule| rule.name == wanted);
    let doc = "`attribute` is the `name` of an `[[attribute]]`";
    table.rule(&["attribute"], doc, rule.is_some() || attributes.has_unsound, || {
        unknown("attribute", attributes.rules.iter().map(|rule| rule.name.as_str()))
    });
    let told = read_first_value(table, rule);
    let (archetype, rule) = archetype.zip(rule)?;
    let doc = "the archetype has the attribute";
    table.rule(&["attribute", "archetype"], doc, rule.archetypes & archetype.bit() != 0, || {
        format!("by held_by or held_by_archetypes of {} it does not have it", rule.name)
    });
    let attribute = attributes.rules.iter().position(|other| other.name == rule.name)? as u8;
    Some(ArchetypeValueConfig { archetype, attribute, value: told? })
}

/// Reads the value of an attribute, as it is told; nothing for one that is not known, or that cannot be that.
fn read_first_value(table: &mut TableReader<'_, '_>, rule: Option<&AttributeRule>) -> Option<u32> {
    let doc = "What it is at first, instead of the attribute's `default`: of a number; of a flag 1 or 0.";
    let value = table.optional_without_default("value", VALUE, doc);
    let word = table.optional_without_default("word", Word, "The same of a choice: one of its `words`.");
    let kind = rule.map(|rule| &rule.kind);
    let is_choice = matches!(kind, Some(AttributeKind::Choice { .. }));
    let doc = "a choice has a `word`, everything else a `value`";
    const FITTING: &str = "it is what the attribute can be";
    // For the reference page, where nothing is written.
    table.rule(&["value", "word"], FITTING, true, String::new);
    let is_fitting = rule.is_none() || (value.is_some(), word.is_some()) == (!is_choice, is_choice);
    table.rule(&["value", "word", "attribute"], doc, is_fitting, || {
        format!("{} is {}", rule.map_or("it", |rule| &rule.name), if is_choice { "a choice" } else { "no choice" })
    });
    match kind? {
        kind @ AttributeKind::Number { min, max, .. } => {
            let value = value?;
            table.rule(&["value", "attribute"], FITTING, (*min..=*max).contains(&value), || {
                format!("{value} is not from {min} to {max}")
            });
            told_number(kind, value)
        }
        AttributeKind::Flag => {
            let value = value?;
            table.rule(&["value", "attribute"], FITTING, value == 0.0 || value == 1.0, || {
                format!("{value} is neither 0 nor 1")
            });
            Some(u32::from(value == 1.0))
        }
        AttributeKind::Choice { names, .. } => {
            let word = word?;
            let place = names.iter().position(|name| *name == word);
            table.rule(&["word", "attribute"], FITTING, place.is_some(), || {
                format!("{word} is none of {}", names.join(", "))
            });
            place.map(|place| place as u32)
        }
    }
}

/// Reads the key `held_by_archetypes`: which of those who have something have it, by name.
pub(super) fn read_holder_names(table: &mut TableReader<'_, '_>) -> Vec<String> {
    let doc = "Which of those have it, by the names of their archetypes; all of them if it is not written. `player` is that of people, and `bot` \
               that of bots without an `[[archetype]]`.";
    table.optional_without_default("held_by_archetypes", names(Archetype::COUNT), doc).unwrap_or_default()
}

/// The rule for the names of [`read_holder_names`].
pub(super) const HOLDER_NAMES_DOC: &str = "each of `held_by_archetypes` is `player`, `bot`, or the `name` of an `[[archetype]]`, and among those that `held_by` says";

/// Why a name is refused; none for one that is right.
pub(super) fn holder_mistake(known: &KnownArchetypes, held_by: u16, name: &str) -> Option<String> {
    match known.find(name) {
        None if known.has_unsound => None,
        None => Some(known.unknown(&Archetype::COMMON_NAMES)),
        Some(archetype) if held_by & archetype.bit() == 0 => {
            Some(format!("{name} is not among those that held_by says"))
        }
        Some(_) => None,
    }
}
