//! The tables of a world file that declare attributes.

use super::reader::{Choice, Name, Number, TableReader, Truth, Word, number, words};
use super::world_archetypes::{HOLDER_NAMES_DOC, HOLDERS, KnownArchetypes, holder_mistake, read_holder_names};
use crate::attributes::{
    AttributeHandle, AttributeKind, AttributeRule, CHOICES_MAX, Concealment, FAR_RADII_MAX, NUMBER_STEPS_MAX, Readers,
    Schema, SchemaError, VALUE_BITS_MAX,
};

/// A value of a number.
pub(super) const VALUE: Number = number(-1_000_000.0, 1_000_000.0, "");

const READERS: &[Choice<Readers>] = &[
    Choice { word: "everybody", means: Readers::Everybody, doc: "All who are told of the character." },
    Choice { word: "team", means: Readers::Team, doc: "Those of its team, and itself." },
    Choice { word: "owner", means: Readers::Owner, doc: "Itself." },
    Choice { word: "nobody", means: Readers::Nobody, doc: "The server's rules alone." },
];

const CONCEALMENTS: &[Choice<Concealment>] = &[
    Choice { word: "nobody", means: Concealment::None, doc: "It says something and hides nothing." },
    Choice {
        word: "other-teams",
        means: Concealment::FromOtherTeams,
        doc: "Whoever is not of its team is not told that it exists.",
    },
    Choice { word: "others", means: Concealment::FromOthers, doc: "Nobody but itself is told that it exists." },
];

#[derive(Clone, Copy)]
enum Form {
    Number,
    Flag,
    Choice,
}

const FORMS: &[Choice<Form>] = &[
    Choice { word: "number", means: Form::Number, doc: "A number within a range." },
    Choice { word: "flag", means: Form::Flag, doc: "True or false." },
    Choice { word: "choice", means: Form::Choice, doc: "One of a few words." },
];

/// The attributes before one.
#[derive(Default)]
pub(super) struct Former {
    /// Those that are right.
    pub(super) rules: Vec<AttributeRule>,
    /// Whether any is not, of which nothing is known.
    pub(super) has_unsound: bool,
    /// Who may have them.
    pub(super) archetypes: KnownArchetypes,
    /// From how far characters are seen, in metres; none where that is wrong.
    enter_radius_m: Option<f32>,
}

impl Former {
    /// None yet, in a world with these archetypes in which characters are seen from so far.
    pub(super) fn new(archetypes: KnownArchetypes, enter_radius_m: Option<f32>) -> Former {
        Former { archetypes, enter_radius_m, ..Former::default() }
    }

    /// The team, if there is one.
    fn team(&self) -> Option<&AttributeRule> {
        self.rules.iter().find(|rule| rule.kind.is_team())
    }

    /// Reads the next attribute.
    pub(super) fn read(&mut self, table: &mut TableReader<'_, '_>) {
        let rule = read_attribute(table, self);
        self.has_unsound |= !table.is_sound("name");
        match rule {
            Some(rule) => self.rules.push(rule),
            None => self.has_unsound = true,
        }
    }
}

fn read_attribute(table: &mut TableReader<'_, '_>, former: &Former) -> Option<AttributeRule> {
    let name = table.required("name", Name, "What rules and clients call it.");
    let doc = "no two attributes have the same `name`";
    table.rule(&["name"], doc, former.rules.iter().all(|other| other.name != name), || {
        format!("there is an attribute {name} before this one")
    });
    let archetypes = read_holders(table, &former.archetypes);
    let readers = table.word("visible_to", READERS, "Who is told its value; nobody else gets a bit of it.");
    let is_team_known = former.team().is_some() || former.has_unsound;
    let doc = "what is visible to a team comes after the choice that says which team somebody is of";
    table.rule(&["visible_to"], doc, readers != Readers::Team || is_team_known, || {
        "no attribute before this one has is_team = true".to_owned()
    });
    let (kind, default, conceals, seen_from_m) =
        table.choose("kind", FORMS, "What it can be.", |table, form| match form {
            Form::Number => read_number(table),
            Form::Flag => read_flag(table, is_team_known, former.enter_radius_m),
            Form::Choice => read_choice(table, former.team().is_some()),
        })??;
    let is_of_team = readers == Readers::Team || conceals == Concealment::FromOtherTeams;
    let is_without = is_of_team && former.team().is_some_and(|team| archetypes & !team.archetypes != 0);
    let doc = "whoever has what is for its team, has a team";
    table.rule(&["held_by"], doc, !is_without, || {
        "some who have this do not have the attribute with is_team = true".to_owned()
    });
    let is_secret = kind.is_team() && readers != Readers::Everybody;
    table.rule(&["visible_to"], "the team is visible to everybody", !is_secret, || {
        "who is told of whose team could be told apart from who is not".to_owned()
    });
    let rule = AttributeRule { name, kind, archetypes, readers, conceals, seen_from_m, default };
    let all: Vec<AttributeRule> = former.rules.iter().chain([&rule]).cloned().collect();
    let schema = Schema::new(all);
    let is_too_large = matches!(schema, Err(SchemaError::TooLarge(_)));
    let doc = "the values of one character take no more than 256 bits together; a number takes as many as its steps have in binary";
    const _: () = assert!(VALUE_BITS_MAX == 256);
    table.rule(&["name"], doc, !is_too_large, || "with this one, they take more".to_owned());
    let has_too_many_radii = matches!(schema, Err(SchemaError::TooManyRadii(_)));
    const _: () = assert!(FAR_RADII_MAX == 3);
    let doc = "all `seen_from_m` together are at most three different distances";
    table.rule(&["name"], doc, !has_too_many_radii, || "with this one, they are four".to_owned());
    schema.is_ok().then_some(rule)
}

/// Who has an attribute: bit n for archetype n.
fn read_holders(table: &mut TableReader<'_, '_>, known: &KnownArchetypes) -> u16 {
    let held_by = known.held_by(table.word("held_by", HOLDERS, "Who has it."));
    let names = read_holder_names(table);
    // For the reference page, where nothing is written.
    table.rule(&["held_by_archetypes"], HOLDER_NAMES_DOC, true, String::new);
    for (index, name) in names.iter().enumerate() {
        let mistake = holder_mistake(known, held_by, name);
        table.rule_for_element("held_by_archetypes", index, HOLDER_NAMES_DOC, mistake.is_none(), || {
            mistake.unwrap_or_default()
        });
    }
    known.among(held_by, &names)
}

/// The kind, the default, from whom it conceals, and from how far it lets be seen.
type Read = Option<(AttributeKind, u32, Concealment, f32)>;

fn read_number(table: &mut TableReader<'_, '_>) -> Read {
    let min = table.optional("min", VALUE, 0.0, "The least that it can be.");
    let max = table.required("max", VALUE, "The greatest that it can be.");
    table.rule(&["max", "min"], "`max` is more than `min`", max > min, || format!("{max} is not more than {min}"));
    let step = table.optional("step", number(0.000_001, 1_000_000.0, ""), 1.0, "The least difference that is told.");
    let steps = (f64::from(max) - f64::from(min)) / f64::from(step);
    let kind = AttributeKind::Number { min, max, step };
    let doc =
        "from `min` to `max` are 1 to 16,777,215 whole steps, each large enough to be told apart in 32-bit floats";
    const _: () = assert!(NUMBER_STEPS_MAX == 16_777_215);
    table.rule(&["step", "max", "min"], doc, max <= min || kind.is_sound(), || format!("these are {steps}"));
    let default = table.optional_without_default("default", VALUE, "What it is at first; `min` if it is not written.");
    let default = default.unwrap_or(min);
    let doc = "`default` is from `min` to `max`";
    table.rule(&["default", "min", "max"], doc, max <= min || (min..=max).contains(&default), || {
        format!("{default} is not from {min} to {max}")
    });
    let told = told_number(&kind, default)?;
    Some((kind, told, Concealment::None, 0.0))
}

/// A number of this kind as it is told; none for a kind that is not sound, or no number.
pub(super) fn told_number(kind: &AttributeKind, value: f32) -> Option<u32> {
    let schema = Schema::new(vec![AttributeRule::new("n", kind.clone())]).ok()?;
    Some(schema.number("n")?.told_as(value))
}

fn read_flag(table: &mut TableReader<'_, '_>, is_team_known: bool, enter_radius_m: Option<f32>) -> Read {
    let default = table.optional("default", Truth, false, "What it is at first.");
    let conceals = table.word("conceals_from", CONCEALMENTS, "From whom a character is concealed while this is set.");
    let doc = "what conceals from other teams comes after the choice that says which team somebody is of";
    table.rule(&["conceals_from"], doc, conceals != Concealment::FromOtherTeams || is_team_known, || {
        "no attribute before this one has is_team = true".to_owned()
    });
    let seen_doc = "From how far a character is seen while this is set, when that is farther than others are: something large, or with \
                    12000 something that all must know of. Tiers and urgency go by how large it looks.";
    let seen_from_m = table.optional_without_default("seen_from_m", number(12.0, 12_000.0, "m"), seen_doc);
    let doc = "`seen_from_m` is more than `interest.enter_radius_m`";
    let is_farther = seen_from_m.zip(enter_radius_m).is_none_or(|(seen_from_m, enter_m)| seen_from_m > enter_m);
    table.rule(&["seen_from_m"], doc, is_farther, || {
        format!("everybody is seen from {} m", enter_radius_m.unwrap_or_default())
    });
    Some((AttributeKind::Flag, default.into(), conceals, seen_from_m.unwrap_or(0.0)))
}

fn read_choice(table: &mut TableReader<'_, '_>, has_team: bool) -> Read {
    let names = table.required("words", words(CHOICES_MAX), "What it can be.");
    for (index, word) in names.iter().enumerate() {
        let is_new = !names[..index].contains(word);
        table.rule_for_element("words", index, "no word is there twice", is_new, || format!("{word} is there before"));
    }
    let default =
        table.optional_without_default("default", Word, "What it is at first; the first word if it is not written.");
    let place = default.as_ref().map_or(Some(0), |default| names.iter().position(|name| name == default));
    table.rule(&["default", "words"], "`default` is one of `words`", place.is_some(), || {
        format!("{} is none of them", default.unwrap_or_default())
    });
    let is_team = table.optional("is_team", Truth, false, "Whether those with the same word are a team.");
    let doc = "only one attribute has `is_team`";
    table.rule(&["is_team"], doc, !(is_team && has_team), || "an attribute before this one has it".to_owned());
    Some((AttributeKind::Choice { names, is_team }, place? as u32, Concealment::None, 0.0))
}
