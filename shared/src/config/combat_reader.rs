//! Reads an abilities file.

use std::ops::Range;

use super::combat::{AbilityConfig, AimConfig, CombatConfig, CostConfig, EffectsConfig, Hits, SafeZoneConfig};
use super::error::{ConfigError, ConfigErrorKind};
use super::limits::{ABILITIES_FILE_BYTES_MAX, ABILITIES_MAX, REWIND_MS_MAX, SAFE_ZONES_MAX};
use super::reader::{Choice, FileFormat, Name, Number, Presence, Source, TableReader, Truth, Word, number, whole};
use super::world::ArchetypeValueConfig;
use super::world_archetypes::{HOLDER_NAMES_DOC, HOLDERS, Holders, KnownArchetypes, holder_mistake, read_holder_names};
use super::world_tables::POINT;
use crate::attributes::{AttributeKind, AttributeRule};

/// Longest range and widest reach of an ability, in metres.
const RANGE: Number = number(0.5, 1_000.0, "m");
/// A change of an attribute.
const AMOUNT: Number = number(0.0, 1_000_000.0, "");

#[derive(Clone, Copy)]
enum Form {
    Hitscan,
    Projectile,
    Melee,
    Area,
    Own,
}

const FORMS: &[Choice<Form>] = &[
    Choice {
        word: "hitscan",
        means: Form::Hitscan,
        doc: "The first in a straight line, at once, where the user sees it.",
    },
    Choice {
        word: "projectile",
        means: Form::Projectile,
        doc: "The first in the way of something that flies straight ahead.",
    },
    Choice {
        word: "melee",
        means: Form::Melee,
        doc: "Everybody in front of the user whose body is as near to the line from its feet to its eyes as it reaches.",
    },
    Choice { word: "area", means: Form::Area, doc: "Everybody around the place that is aimed at." },
    Choice { word: "own", means: Form::Own, doc: "The user alone." },
];

const HITS: &[Choice<Hits>] = &[
    Choice {
        word: "enemies",
        means: Hits::Enemies,
        doc: "Whoever is not of the user's team; all others, where there are no teams.",
    },
    Choice {
        word: "allies",
        means: Hits::Allies,
        doc: "Whoever is of the user's team, the user too where it is in reach.",
    },
    Choice { word: "others", means: Hits::Others, doc: "All but the user." },
];

/// The rule between dealing to teams and archetypes.
const DEALT_DOC: &str = "`deal_teams` goes with no `[[archetype_value]]` of the attribute with is_team = true";

/// What an abilities file must know of its world.
pub(super) struct KnownWorld<'w> {
    pub(super) attributes: &'w [AttributeRule],
    pub(super) archetypes: KnownArchetypes,
    pub(super) archetype_values: &'w [ArchetypeValueConfig],
    /// Whether there may be more.
    pub(super) is_partial: bool,
}

/// An abilities file, and what it says of attributes, which another file declares.
pub(super) struct CombatFile {
    pub(super) config: CombatConfig,
    mentions: Vec<Mention>,
    /// Who has each ability.
    held: Vec<Held>,
    /// The word of no side, and where it stands.
    side: Option<(String, Range<usize>)>,
    /// Where it says that those who appear are dealt to teams, if it does.
    deals: Option<Range<usize>>,
}

/// An attribute that is named.
struct Mention {
    key: String,
    span: Option<Range<usize>>,
    name: String,
    /// The place of the ability whose holders must have it.
    needed_for: Option<usize>,
}

/// Who has an ability, as far as its file knows.
struct Held {
    holders: Holders,
    names: Vec<String>,
    /// Where each name stands.
    spans: Vec<Option<Range<usize>>>,
}

/// Abilities files.
pub(super) const COMBAT_FORMAT: FileFormat<CombatFile> = FileFormat {
    name: "the abilities file",
    page: "docs/abilities.md",
    bytes_max: ABILITIES_FILE_BYTES_MAX,
    can_include: true,
    read: read_file,
};

fn read_file(file: &mut TableReader<'_, '_>) -> CombatFile {
    let (mut mentions, mut held, mut side, mut deals) = (Vec::new(), Vec::new(), None, None);
    let mut config = file.table("combat", Presence::Required, "What all abilities have in common.", |table| {
        let health_doc = "The attribute that damage takes from: a number. Whom damage brings to its least dies.";
        let health = table.required("health", Name, health_doc);
        mentions.extend(Mention::of(table, "health", "combat.health", &health, None));
        let respawn_doc = "How long somebody is dead until it appears again, with all its health.";
        let eyes_doc = "How high above its feet a character's eyes are, where its shots begin.";
        let rewind_doc = "How far back a shot is judged at most: where its shooter saw its target.";
        let view_doc = "How much later than it was told of them a client may show others. Less is fairer to those who are shot at, more to \
                        those with restless links.";
        let side_doc = "The word, of the attribute with is_team = true, of those who are of no side: nobody's ally, and everybody's enemy. \
                        Without it, those who have the same word are always of the same side.";
        let no_side = table.optional_without_default("no_side", Word, side_doc);
        side = no_side.clone().zip(table.span("no_side"));
        let deal_doc = "Whether those who appear are dealt in turn to the words of the attribute with is_team = true, all but `no_side`. Otherwise \
                        they have its default, or the value of their archetype, and a rule of the game says who is of which team.";
        let deal_teams = table.optional("deal_teams", Truth, false, deal_doc);
        deals = table.span("deal_teams").filter(|_| deal_teams);
        // For the reference page; it is looked at when the world is known.
        table.rule(&["deal_teams"], DEALT_DOC, true, String::new);
        CombatConfig {
            health,
            respawn_ms: table.optional("respawn_ms", whole(0, 600_000, "ms"), 5_000, respawn_doc),
            eyes_m: table.optional("eyes_m", number(0.1, 4.0, "m"), 1.6, eyes_doc),
            rewind_max_ms: table.optional("rewind_max_ms", whole(0, REWIND_MS_MAX, "ms"), 250, rewind_doc),
            view_delay_max_ms: table.optional("view_delay_max_ms", whole(50, 1_000, "ms"), 250, view_doc),
            no_side,
            deal_teams,
            safe_zones: Vec::new(),
            abilities: Vec::new(),
        }
    });
    let doc = "A disc in which nobody is hurt, and from which nobody hurts others. Write one table per zone.";
    config.safe_zones = file.tables("safe_zone", 0..=SAFE_ZONES_MAX, doc, |table| SafeZoneConfig {
        center_m: table.required("center_m", POINT, "Where its middle is."),
        radius_m: table.required("radius_m", number(0.5, 4_096.0, "m"), "How far it reaches."),
    });
    let doc =
        "Something that characters can do. Write one table per ability; clients name them by their place in the file.";
    let mut abilities: Vec<AbilityConfig> = Vec::new();
    file.named_tables("ability", 1..=ABILITIES_MAX, doc, |table| {
        let ability = read_ability(table, &abilities, &mut held, &mut mentions);
        abilities.push(ability);
    });
    config.abilities = abilities;
    CombatFile { config, mentions, held, side, deals }
}

fn read_ability(
    table: &mut TableReader<'_, '_>,
    former: &[AbilityConfig],
    held: &mut Vec<Held>,
    mentions: &mut Vec<Mention>,
) -> AbilityConfig {
    let name = table.required("name", Name, "What rules and clients call it.");
    table.rule(
        &["name"],
        "no two abilities have the same `name`",
        former.iter().all(|other| other.name != name),
        || format!("there is an ability {name} before this one"),
    );
    held.push(Held::read(table));
    let hits = table.word("hits", HITS, "Which of those in reach it is for.");
    let duration = whole(0, 500_000, "ms");
    let cooldown_ms = table.optional("cooldown_ms", duration, 1_000, "How long until it can be used again.");
    let cast_ms = table.optional(
        "cast_ms",
        duration,
        0,
        "How long it takes until it happens; meanwhile nothing else can be used.",
    );
    let attribute =
        table.optional_without_default("cost_attribute", Name, "The attribute that it costs something of: a number.");
    let amount = table.optional("cost", AMOUNT, 1.0, "How much of that.");
    let path = format!("ability[{}].cost_attribute", former.len() + 1);
    let cost = attribute.map(|attribute| CostConfig { attribute, amount });
    if let Some(cost) = &cost {
        mentions.extend(Mention::of(table, "cost_attribute", &path, &cost.attribute, Some(former.len())));
    }
    let effects = read_effects(table);
    let aim = table.choose("kind", FORMS, "Whom it can reach.", read_aim).unwrap_or(AimConfig::Own);
    // Who has it is known when the archetypes are.
    AbilityConfig { name, archetypes: 0, aim, hits, cooldown_ms, cast_ms, cost, effects }
}

fn read_effects(table: &mut TableReader<'_, '_>) -> EffectsConfig {
    let effects = EffectsConfig {
        damage: table.optional("damage", AMOUNT, 0.0, "What it takes from the health of whoever is hit."),
        heal: table.optional(
            "heal",
            AMOUNT,
            0.0,
            "What it gives to the health of whoever is hit, up to what that one begins with.",
        ),
        slow_percent: table.optional(
            "slow_percent",
            whole(0, 100, "%"),
            0,
            "By how much whoever is hit is slower for a while.",
        ),
        slow_ms: table.optional("slow_ms", whole(0, 60_000, "ms"), 1_000, "For how long."),
        knock_back_mps: table.optional(
            "knock_back_mps",
            number(0.0, 20.0, "m/s"),
            0.0,
            "How fast whoever is hit is pushed away, and a little up.",
        ),
        blink_m: table.optional(
            "blink_m",
            number(0.0, 100.0, "m"),
            0.0,
            "How far the user leaps ahead, up to the first wall.",
        ),
    };
    let nothing = EffectsConfig { slow_ms: effects.slow_ms, ..EffectsConfig::default() };
    let doc = "it does something: `damage`, `heal`, `slow_percent`, `knock_back_mps` or `blink_m` is more than 0, or `is_custom` is true";
    let is_custom =
        table.optional("is_custom", Truth, false, "Whether a rule of the game's own does something besides.");
    table.rule(
        &["damage", "heal", "slow_percent", "knock_back_mps", "blink_m", "is_custom"],
        doc,
        is_custom || effects != nothing,
        || "nothing would happen".to_owned(),
    );
    effects
}

fn read_aim(table: &mut TableReader<'_, '_>, form: Form) -> AimConfig {
    let range_doc = "How far it reaches.";
    match form {
        Form::Hitscan => AimConfig::Hitscan {
            range_m: table.required("range_m", RANGE, range_doc),
            spread_deg: table.optional(
                "spread_deg",
                number(0.0, 45.0, "degrees"),
                0.0,
                "How far it strays from its aim at most.",
            ),
        },
        Form::Projectile => AimConfig::Projectile {
            range_m: table.required("range_m", RANGE, range_doc),
            speed_mps: table.required("speed_mps", number(1.0, 1_000.0, "m/s"), "How fast it flies."),
            blast_radius_m: table.optional(
                "blast_radius_m",
                number(0.0, 50.0, "m"),
                0.0,
                "Whoever is so near where it ends is hit too.",
            ),
        },
        Form::Melee => AimConfig::Melee {
            range_m: table.required("range_m", number(0.5, 20.0, "m"), range_doc),
            arc_deg: table.optional(
                "arc_deg",
                number(1.0, 360.0, "degrees"),
                90.0,
                "The whole angle that is in front.",
            ),
        },
        Form::Area => AimConfig::Area {
            range_m: table.optional(
                "range_m",
                number(0.0, 1_000.0, "m"),
                0.0,
                "How far away its middle may be; 0 for where the user stands.",
            ),
            radius_m: table.required("radius_m", number(0.5, 100.0, "m"), "How far around its middle it reaches."),
        },
        Form::Own => AimConfig::Own,
    }
}

impl Mention {
    /// Nothing for a key that is wrong by itself.
    fn of(
        table: &TableReader<'_, '_>,
        key: &str,
        path: &str,
        name: &str,
        needed_for: Option<usize>,
    ) -> Option<Mention> {
        let span = table.span(key).filter(|_| table.is_sound(key))?;
        Some(Mention { key: path.to_owned(), span: Some(span), name: name.to_owned(), needed_for })
    }

    /// What is wrong with it in a world that declares these attributes, among these abilities.
    fn mistake(
        &self,
        source: &Source<'_>,
        rules: &[AttributeRule],
        abilities: &[AbilityConfig],
    ) -> Option<ConfigError> {
        let archetypes = self.needed_for.map_or(0, |ability| abilities[ability].archetypes);
        let rule = rules.iter().find(|rule| rule.name == self.name);
        let reason = match rule {
            None => format!("the world file declares no attribute {}", self.name),
            Some(rule) if !matches!(rule.kind, AttributeKind::Number { .. }) => {
                format!("the attribute {} is not a number", self.name)
            }
            Some(rule) if archetypes & !rule.archetypes != 0 => {
                format!("some who have this ability do not have the attribute {}", self.name)
            }
            Some(_) => return None,
        };
        let numbers = rules.iter().filter(|rule| matches!(rule.kind, AttributeKind::Number { .. }));
        let known: Vec<String> = numbers.map(|rule| format!("\"{}\"", rule.name)).collect();
        let accepted = "the name of an attribute of the world file with kind = \"number\", which all have who need it";
        let suggestion = match known.is_empty() {
            true => "add an [[attribute]] of this name to world.toml".to_owned(),
            false => format!("the numbers that it declares: {}", known.join(", ")),
        };
        let error = source.error(self.span.clone(), ConfigErrorKind::Conflict { reason });
        Some(ConfigError {
            key: self.key.clone(),
            accepted: accepted.to_owned(),
            suggestion: Some(suggestion),
            ..error
        })
    }
}

impl Held {
    fn read(table: &mut TableReader<'_, '_>) -> Held {
        let holders = table.word("held_by", HOLDERS, "Who has it.");
        let names = read_holder_names(table);
        // For the reference page; it is looked at when the archetypes are known.
        table.rule(&["held_by_archetypes"], HOLDER_NAMES_DOC, true, String::new);
        let spans = (0..names.len()).map(|index| table.element_span("held_by_archetypes", index)).collect();
        Held { holders, names, spans }
    }

    /// What is wrong with those of an ability at a place, in a world with these archetypes.
    fn mistakes(&self, place: usize, source: &Source<'_>, known: &KnownArchetypes) -> Vec<ConfigError> {
        let held_by = known.held_by(self.holders);
        let each = self.names.iter().zip(&self.spans).enumerate();
        let mistakes = each.filter_map(|(index, (name, span))| {
            let reason = holder_mistake(known, held_by, name)?;
            let error = source.error(span.clone(), ConfigErrorKind::Conflict { reason });
            let key = format!("ability[{}].held_by_archetypes[{}]", place + 1, index + 1);
            Some(ConfigError { key, accepted: HOLDER_NAMES_DOC.replace('`', ""), ..error })
        });
        mistakes.collect()
    }
}

impl CombatFile {
    /// Says who has each ability, in a world with these archetypes.
    pub(super) fn settle_holders(&mut self, known: &KnownArchetypes) {
        for (ability, held) in self.config.abilities.iter_mut().zip(&self.held) {
            ability.archetypes = known.among(known.held_by(held.holders), &held.names);
        }
    }

    /// What is wrong with it in a world like this.
    pub(super) fn mistakes(&self, source: &Source<'_>, world: &KnownWorld<'_>) -> Vec<ConfigError> {
        let (rules, known) = (world.attributes, &world.archetypes);
        let abilities = &self.config.abilities;
        let held = self.held.iter().enumerate().flat_map(|(place, held)| held.mistakes(place, source, known));
        let mentioned = self.mentions.iter().filter_map(|mention| mention.mistake(source, rules, abilities));
        held.chain(mentioned).chain(self.side_mistake(source, rules)).chain(self.deal_mistake(source, world)).collect()
    }

    /// Whoever is dealt to a team in turn is not of the one that its archetype says.
    fn deal_mistake(&self, source: &Source<'_>, world: &KnownWorld<'_>) -> Option<ConfigError> {
        let is_team = |value: &&ArchetypeValueConfig| world.attributes[usize::from(value.attribute)].kind.is_team();
        let value = world.archetype_values.iter().find(is_team)?;
        let team = &world.attributes[usize::from(value.attribute)].name;
        let reason = format!("an [[archetype_value]] of the world file says which {team} an archetype has");
        let error = source.error(Some(self.deals.clone()?), ConfigErrorKind::Conflict { reason });
        let suggestion =
            "leave it out, and let the default of the attribute and the values of archetypes say it".to_owned();
        let accepted = DEALT_DOC.replace('`', "");
        Some(ConfigError { key: "combat.deal_teams".to_owned(), accepted, suggestion: Some(suggestion), ..error })
    }

    fn side_mistake(&self, source: &Source<'_>, rules: &[AttributeRule]) -> Option<ConfigError> {
        let (word, span) = self.side.as_ref()?;
        let words = rules.iter().find_map(|rule| match &rule.kind {
            AttributeKind::Choice { names, is_team: true } => Some(names),
            _ => None,
        });
        if words.is_some_and(|words| words.contains(word)) {
            return None;
        }
        let suggestion = match words {
            Some(words) => format!("its words: {}", words.join(", ")),
            None => "the world file declares no attribute with is_team = true".to_owned(),
        };
        let kind = ConfigErrorKind::Conflict { reason: format!("{word} is no word of the world's teams") };
        let error = source.error(Some(span.clone()), kind);
        let accepted = "a word of the attribute with is_team = true".to_owned();
        Some(ConfigError { key: "combat.no_side".to_owned(), accepted, suggestion: Some(suggestion), ..error })
    }
}
