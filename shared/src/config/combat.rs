//! What an abilities file says, once read and checked.

use glam::Vec2;

/// How characters fight and help one another: everything in `abilities.toml`.
#[derive(Clone, Debug, PartialEq)]
pub struct CombatConfig {
    /// The attribute that damage takes from; whoever has its least is dead.
    pub health: String,
    /// How long somebody is dead, in milliseconds.
    pub respawn_ms: u32,
    /// Height of the eyes above the feet, in metres: where shots begin.
    pub eyes_m: f32,
    /// How far back shots are judged at most, in milliseconds.
    pub rewind_max_ms: u32,
    /// How much later than it was told of them a client may show others, in milliseconds.
    pub view_delay_max_ms: u32,
    /// The word of the team attribute of those who are of no side.
    pub no_side: Option<String>,
    /// Whether those who appear are dealt to the teams in turn.
    pub deal_teams: bool,
    /// Where nobody is hurt.
    pub safe_zones: Vec<SafeZoneConfig>,
    /// What can be done; a client names them by their place, from 1.
    pub abilities: Vec<AbilityConfig>,
}

/// A disc in which nobody is hurt and nobody hurts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SafeZoneConfig {
    /// Centre on the ground plane (x, z), in metres.
    pub center_m: Vec2,
    /// Radius, in metres.
    pub radius_m: f32,
}

impl SafeZoneConfig {
    /// Whether a point (x, z) is in it.
    pub fn contains(&self, point_m: Vec2) -> bool {
        self.center_m.distance_squared(point_m) <= self.radius_m * self.radius_m
    }
}

/// Something that a character can do.
#[derive(Clone, Debug, PartialEq)]
pub struct AbilityConfig {
    /// Short name, for rules and people.
    pub name: String,
    /// Bit n: archetype n has it.
    pub archetypes: u16,
    /// Whom it can reach.
    pub aim: AimConfig,
    /// Which of them it is for.
    pub hits: Hits,
    /// How long until it can be used again, in milliseconds.
    pub cooldown_ms: u32,
    /// How long it takes until it happens, in milliseconds.
    pub cast_ms: u32,
    /// What it costs.
    pub cost: Option<CostConfig>,
    /// What it does.
    pub effects: EffectsConfig,
}

/// Whom an ability can reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AimConfig {
    /// The first in a straight line, at once, where the shooter sees it.
    Hitscan {
        /// How far, in metres.
        range_m: f32,
        /// How far it strays at most, in degrees.
        spread_deg: f32,
    },
    /// The first in the way of something that flies straight ahead.
    Projectile {
        /// How far, in metres.
        range_m: f32,
        /// How fast, in metres per second.
        speed_mps: f32,
        /// Whoever is so near where it ends is hit too, in metres; 0 for nobody.
        blast_radius_m: f32,
    },
    /// Everybody near who is in front.
    Melee {
        /// How far, in metres.
        range_m: f32,
        /// The whole angle that is in front, in degrees.
        arc_deg: f32,
    },
    /// Everybody around the place that is aimed at.
    Area {
        /// How far away that place may be, in metres; 0 for where the user stands.
        range_m: f32,
        /// How far around it, in metres.
        radius_m: f32,
    },
    /// The user alone.
    Own,
}

/// Which of those in reach an ability is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hits {
    /// Whoever is not of the user's team.
    Enemies,
    /// Whoever is of the user's team, and the user where it reaches itself.
    Allies,
    /// All but the user.
    Others,
}

impl Hits {
    /// Whether an ability is for somebody who is its user, or of the user's side: the one rule of server and client.
    pub fn includes(self, is_user: bool, are_allies: bool) -> bool {
        match self {
            Hits::Enemies => !is_user && !are_allies,
            Hits::Allies => is_user || are_allies,
            Hits::Others => !is_user,
        }
    }
}

/// What an ability costs.
#[derive(Clone, Debug, PartialEq)]
pub struct CostConfig {
    /// The attribute that it is taken from.
    pub attribute: String,
    /// How much.
    pub amount: f32,
}

/// What an ability does; zero for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EffectsConfig {
    /// What is taken from the health of whoever is hit.
    pub damage: f32,
    /// What is given to it.
    pub heal: f32,
    /// By how much it is slower for a while, in percent.
    pub slow_percent: u8,
    /// For how long, in milliseconds.
    pub slow_ms: u32,
    /// How fast it is pushed away, in metres per second.
    pub knock_back_mps: f32,
    /// How far the user leaps ahead, in metres.
    pub blink_m: f32,
}
