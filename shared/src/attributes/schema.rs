//! Which attributes there are, and how their values are told.

use serde::{Deserialize, Serialize};

use super::handle::{AttributeHandle, ChoiceAttribute, FlagAttribute, NumberAttribute};
use crate::ids::Archetype;
use crate::limits::MESSAGE_BYTES_MAX;
use crate::wire::crowd::CROWD_TEAMS_MAX;

/// Most attributes of a world.
pub const ATTRIBUTES_MAX: usize = 32;

/// Most values of a choice.
pub const CHOICES_MAX: usize = 32;

/// Most steps of a number.
pub const NUMBER_STEPS_MAX: u32 = (1 << 24) - 1;

/// Most distances from which somebody is seen who is seen from farther than others.
pub const FAR_RADII_MAX: usize = 3;

/// Most bits that the values of one character take together.
pub const VALUE_BITS_MAX: u32 = 256;

/// How far the steps of a number may be from whole ones, for steps such as a tenth are rounded.
const STEPS_ROUNDED: f64 = 0.01;

/// Longest name of an attribute, and of a choice, in bytes: all of it fits a reliable message.
const NAME_BYTES_MAX: usize = 32;
const CHOICE_BYTES_MAX: usize = 20;

const _: () = assert!(8 + NAME_BYTES_MAX + 13 + CHOICES_MAX * (8 + CHOICE_BYTES_MAX) + 14 < MESSAGE_BYTES_MAX);

/// One attribute, as a world declares it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributeRule {
    /// Its name, for rules and clients.
    pub name: String,
    /// What it can be.
    pub kind: AttributeKind,
    /// Who has it: bit n is the archetype with that number.
    pub archetypes: u16,
    /// Who is told its value.
    pub readers: Readers,
    /// From whom a character is concealed while this is set; only of flags.
    pub conceals: Concealment,
    /// From how far a character is seen while this is set, in metres; 0 for no farther than others. Only of flags, and nothing that clients
    /// are told.
    #[serde(skip)]
    pub seen_from_m: f32,
    /// What it is at first: steps above the least, 0 or 1, or the number of a choice.
    pub default: u32,
}

/// What an attribute can be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AttributeKind {
    /// A number from `min` to `max` in steps.
    Number {
        /// The least.
        min: f32,
        /// The greatest.
        max: f32,
        /// The least difference that is told.
        step: f32,
    },
    /// Set or not.
    Flag,
    /// One of a few names.
    Choice {
        /// The names, each once.
        names: Vec<String>,
        /// Whether those with the same choice are a team.
        is_team: bool,
    },
}

/// Who is told a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Readers {
    /// Everybody who is told of the character.
    #[default]
    Everybody,
    /// Those of its team, and itself.
    Team,
    /// Itself.
    Owner,
    /// Nobody: for the server's rules alone.
    Nobody,
}

/// From whom a character is concealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Concealment {
    /// From nobody.
    #[default]
    None,
    /// From all who are not of its team.
    FromOtherTeams,
    /// From all but its owner.
    FromOthers,
}

/// Why a list of attributes is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// More than there may be.
    #[error("there are more than {ATTRIBUTES_MAX} attributes")]
    TooMany,
    /// A name is missing, too long, or there twice.
    #[error("the name \"{0}\" is empty, too long, or there twice")]
    Name(String),
    /// A number without a range, not of whole steps, with too many or too small ones; too few or too many choices.
    #[error("\"{0}\" has no range, or not one of 1 to {NUMBER_STEPS_MAX} whole steps that can be told apart")]
    Range(String),
    /// A default beyond the range.
    #[error("the default of \"{0}\" is not one of its values")]
    Default(String),
    /// A second team.
    #[error("\"{0}\" would be a second team")]
    SecondTeam(String),
    /// A team's own, without a team.
    #[error("\"{0}\" is for a team, and no attribute says which team somebody is of")]
    NoTeam(String),
    /// A team that not everybody may know.
    #[error("\"{0}\" is the team, and everybody must be told it")]
    SecretTeam(String),
    /// Somebody has what is for its team, and no team.
    #[error("\"{0}\" is for a team, and some who have it have none")]
    WithoutTeam(String),
    /// Something conceals, or lets be seen from afar, that is not a flag.
    #[error("\"{0}\" is no flag and can neither conceal nor let be seen from afar")]
    NoFlag(String),
    /// More distances from which somebody is seen than there may be.
    #[error("with \"{0}\" there are more than {FAR_RADII_MAX} distances from which somebody is seen")]
    TooManyRadii(String),
    /// Too many bits together.
    #[error("with \"{0}\" the values of one character take more than {VALUE_BITS_MAX} bits")]
    TooLarge(String),
}

/// All attributes of a world.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    rules: Vec<AttributeRule>,
    /// Greatest value of each, and how many bits it has.
    ranges: Vec<(u32, u8)>,
    layouts: [Layout; 16],
    /// Distances from which somebody is seen who is seen from farther than others, rising.
    far_radii_m: Vec<f32>,
    team: Option<u8>,
    has_public: bool,
    has_team: bool,
    can_conceal: bool,
}

/// Which attributes an archetype has, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// All.
    pub all: u32,
    /// Those that everybody may know.
    pub public: u32,
    /// Those that its team may know.
    pub team: u32,
    /// Those that its owner is told: all but the rules' own.
    pub own: u32,
    /// Flags that conceal from other teams, and from all others.
    conceals: [u32; 2],
    /// Flags that let be seen from each of the schema's distances.
    far: [u32; FAR_RADII_MAX],
}

impl AttributeKind {
    /// Whether those with the same choice are a team.
    pub fn is_team(&self) -> bool {
        matches!(self, AttributeKind::Choice { is_team: true, .. })
    }

    /// Whether all that it can be can be told.
    pub fn is_sound(&self) -> bool {
        self.value_max().is_some()
    }

    /// The greatest value as it is told; the least is 0.
    fn value_max(&self) -> Option<u32> {
        match self {
            AttributeKind::Flag => Some(1),
            AttributeKind::Choice { names, .. } => {
                (1..=CHOICES_MAX).contains(&names.len()).then(|| names.len() as u32 - 1)
            }
            AttributeKind::Number { min, max, step } => {
                let steps = (f64::from(*max) - f64::from(*min)) / f64::from(*step);
                let is_range = min.is_finite() && max.is_finite() && max > min && *step > 0.0;
                // Every value must be another number, and the greatest one of them.
                let farthest = min.abs().max(max.abs());
                let is_told_apart = farthest.next_up() - farthest <= *step;
                let is_whole = (steps - steps.round()).abs() <= STEPS_ROUNDED && steps.round() >= 1.0;
                let is_sound = is_range && is_told_apart && is_whole && steps.round() <= f64::from(NUMBER_STEPS_MAX);
                is_sound.then_some(steps.round() as u32)
            }
        }
    }
}

impl AttributeRule {
    /// An attribute that everybody has and everybody is told, at first the least that it can be.
    pub fn new(name: &str, kind: AttributeKind) -> AttributeRule {
        AttributeRule {
            name: name.to_owned(),
            kind,
            archetypes: Archetype::PLAYER.bit() | Archetype::BOT.bit(),
            readers: Readers::default(),
            conceals: Concealment::default(),
            seen_from_m: 0.0,
            default: 0,
        }
    }

    /// Checks what it says by itself and beside those before it; its greatest value.
    fn check(&self, former: &[AttributeRule]) -> Result<u32, SchemaError> {
        let name = || self.name.clone();
        if !is_name(&self.name, NAME_BYTES_MAX) || former.iter().any(|known| known.name == self.name) {
            return Err(SchemaError::Name(name()));
        }
        let value_max = self.kind.value_max().ok_or_else(|| SchemaError::Range(name()))?;
        if self.default > value_max {
            return Err(SchemaError::Default(name()));
        }
        if let AttributeKind::Choice { names, .. } = &self.kind {
            let is_wrong =
                |(place, name): (usize, &String)| names[..place].contains(name) || !is_name(name, CHOICE_BYTES_MAX);
            if let Some((_, wrong)) = names.iter().enumerate().find(|&choice| is_wrong(choice)) {
                return Err(SchemaError::Name(wrong.clone()));
            }
        }
        if self.kind.is_team() && self.readers != Readers::Everybody {
            // That somebody is of the reader's team no longer would tell those who never knew of which it was.
            return Err(SchemaError::SecretTeam(name()));
        }
        let is_special = self.conceals != Concealment::None || self.seen_from_m > 0.0;
        if is_special && self.kind != AttributeKind::Flag {
            return Err(SchemaError::NoFlag(name()));
        }
        Ok(value_max)
    }
}

impl Schema {
    /// No attributes at all.
    pub const EMPTY: &'static Schema = &Schema {
        rules: Vec::new(),
        ranges: Vec::new(),
        layouts: [Layout { all: 0, public: 0, team: 0, own: 0, conceals: [0; 2], far: [0; FAR_RADII_MAX] }; 16],
        far_radii_m: Vec::new(),
        team: None,
        has_public: false,
        has_team: false,
        can_conceal: false,
    };

    /// The schema of these attributes, in this order.
    ///
    /// # Errors
    /// When they are too many or too large together, or one is not as it may be.
    pub fn new(rules: Vec<AttributeRule>) -> Result<Schema, SchemaError> {
        let mut schema = Schema::default();
        if rules.len() > ATTRIBUTES_MAX {
            return Err(SchemaError::TooMany);
        }
        let mut bits_of = [0; 16];
        for (index, rule) in rules.iter().enumerate() {
            let name = || rule.name.clone();
            let value_max = rule.check(&rules[..index])?;
            if rule.kind.is_team() && schema.team.replace(index as u8).is_some() {
                return Err(SchemaError::SecondTeam(name()));
            }
            if rule.seen_from_m > 0.0 && !schema.far_radii_m.contains(&rule.seen_from_m) {
                schema.far_radii_m.push(rule.seen_from_m);
                if schema.far_radii_m.len() > FAR_RADII_MAX {
                    return Err(SchemaError::TooManyRadii(name()));
                }
            }
            let bits = 32 - value_max.leading_zeros();
            schema.ranges.push((value_max, bits as u8));
            for (number, layout) in schema.layouts.iter_mut().enumerate() {
                if rule.archetypes >> number & 1 == 1 {
                    layout.add(index, rule);
                    bits_of[number] += bits;
                    if bits_of[number] > VALUE_BITS_MAX {
                        return Err(SchemaError::TooLarge(name()));
                    }
                }
            }
        }
        schema.far_radii_m.sort_by(f32::total_cmp);
        for (index, rule) in rules.iter().enumerate() {
            let radius = schema.far_radii_m.iter().position(|&radius_m| radius_m == rule.seen_from_m);
            for (number, layout) in schema.layouts.iter_mut().enumerate() {
                if let Some(radius) = radius.filter(|_| rule.archetypes >> number & 1 == 1) {
                    layout.far[radius] |= 1 << index;
                }
            }
        }
        let is_of_team =
            |rule: &&AttributeRule| rule.readers == Readers::Team || rule.conceals == Concealment::FromOtherTeams;
        if let (None, Some(lost)) = (schema.team, rules.iter().find(is_of_team)) {
            return Err(SchemaError::NoTeam(lost.name.clone()));
        }
        let with_team = schema.team.map_or(0, |team| rules[usize::from(team)].archetypes);
        let is_without = |rule: &&AttributeRule| is_of_team(rule) && rule.archetypes & !with_team != 0;
        if let Some(without) = rules.iter().find(is_without) {
            return Err(SchemaError::WithoutTeam(without.name.clone()));
        }
        let has = |of: fn(&Layout) -> bool| schema.layouts.iter().any(of);
        Ok(Schema {
            has_public: has(|layout| layout.public != 0),
            has_team: has(|layout| layout.team != 0),
            can_conceal: has(|layout| layout.conceals != [0; 2]),
            rules,
            ..schema
        })
    }

    /// The attributes, in order.
    pub fn rules(&self) -> &[AttributeRule] {
        &self.rules
    }

    /// Those that clients are told of: all but the rules' own. What is left out is in no value that is told, so that the others are told alike.
    pub fn told_rules(&self) -> impl Iterator<Item = &AttributeRule> {
        self.rules.iter().filter(|rule| rule.readers != Readers::Nobody)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What an archetype has.
    pub fn layout(&self, archetype: Archetype) -> &Layout {
        &self.layouts[usize::from(archetype.number())]
    }

    /// Greatest value of an attribute as it is told, and its bits.
    pub(crate) fn range(&self, index: usize) -> (u32, u32) {
        let (value_max, bits) = self.ranges[index];
        (value_max, bits.into())
    }

    /// Greatest value of an attribute as it is told.
    pub fn value_max(&self, index: usize) -> u32 {
        self.ranges[index].0
    }

    /// What an attribute is at first.
    pub(crate) fn default_value(&self, index: usize) -> u32 {
        self.rules[index].default
    }

    /// The attribute that says which team somebody is of.
    pub fn team(&self) -> Option<usize> {
        self.team.map(usize::from)
    }

    /// Whether anybody has what everybody may know.
    pub fn has_public(&self) -> bool {
        self.has_public
    }

    /// Whether anybody has what only its team may know.
    pub fn has_team(&self) -> bool {
        self.has_team
    }

    /// Whether anybody can be concealed.
    pub fn can_conceal(&self) -> bool {
        self.can_conceal
    }

    /// How many teams are told apart in a crowd.
    pub fn crowd_teams(&self) -> usize {
        match self.team().map(|team| &self.rules[team].kind) {
            Some(AttributeKind::Choice { names, .. }) => names.len().min(CROWD_TEAMS_MAX),
            _ => 0,
        }
    }

    /// The distances from which somebody is seen who is seen from farther than others, rising, in metres.
    pub fn far_radii_m(&self) -> &[f32] {
        &self.far_radii_m
    }

    /// The handle of a number; none when there is no such number.
    pub fn number(&self, name: &str) -> Option<NumberAttribute> {
        NumberAttribute::find(self, name)
    }

    /// The handle of a flag; none when there is no such flag.
    pub fn flag(&self, name: &str) -> Option<FlagAttribute> {
        FlagAttribute::find(self, name)
    }

    /// The handle of a choice; none when there is no such choice.
    pub fn choice(&self, name: &str) -> Option<ChoiceAttribute> {
        ChoiceAttribute::find(self, name)
    }

    /// Most bits that all values of one character take, each with one more that says whether it is told.
    pub(crate) fn told_bits_max(&self, of: impl Fn(&Layout) -> u32) -> usize {
        let bits = |layout: &Layout| -> usize {
            indices_of(of(layout)).map(|index| 1 + usize::from(self.ranges[index].1)).sum()
        };
        self.layouts.iter().map(bits).max().unwrap_or(0)
    }
}

impl Layout {
    fn add(&mut self, index: usize, rule: &AttributeRule) {
        let bit = 1 << index;
        self.all |= bit;
        match rule.readers {
            Readers::Everybody => self.public |= bit,
            Readers::Team => self.team |= bit,
            Readers::Owner | Readers::Nobody => {}
        }
        if rule.readers != Readers::Nobody {
            self.own |= bit;
        }
        match rule.conceals {
            Concealment::None => {}
            Concealment::FromOtherTeams => self.conceals[0] |= bit,
            Concealment::FromOthers => self.conceals[1] |= bit,
        }
    }

    /// From how far somebody with these values is seen: 0 for no farther than others, otherwise the place of the distance in
    /// [`Schema::far_radii_m`], from 1.
    pub fn far_radius(&self, values: &[u32]) -> u8 {
        let is_set = |flags: u32| indices_of(flags).any(|index| values[index] != 0);
        self.far.iter().rposition(|&flags| is_set(flags)).map_or(0, |radius| radius as u8 + 1)
    }

    /// From whom somebody with these values is concealed.
    pub fn concealment(&self, values: &[u32]) -> Concealment {
        let is_set = |flags: u32| indices_of(flags).any(|index| values[index] != 0);
        match self.conceals {
            [_, flags] if is_set(flags) => Concealment::FromOthers,
            [flags, _] if is_set(flags) => Concealment::FromOtherTeams,
            _ => Concealment::None,
        }
    }
}

fn is_name(name: &str, bytes_max: usize) -> bool {
    !name.is_empty() && name.len() <= bytes_max
}

/// The attributes whose bit is set, rising.
pub(crate) fn indices_of(mask: u32) -> impl Iterator<Item = usize> {
    crate::wire::page::slots_of(mask)
}
