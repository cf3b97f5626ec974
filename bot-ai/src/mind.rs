//! What a bot wants.

use bevy_ecs::prelude::Component;
use glam::Vec2;
use throng_shared::ids::{Archetype, NetId};
use throng_shared::movement::CharacterState;
use throng_shared::random::{Random, mix};
use throng_shared::tick::Tick;

use crate::decide::{ARRIVE_M, Way};
use crate::home::Home;
use crate::navigate::Asked;
use crate::packs::Membership;
use crate::perceive::Percepts;
use crate::steer::Steering;
use crate::turns::Alertness;

/// What a bot is about to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// Stand still for a while.
    Idle,
    /// Walk to a place.
    Wander {
        /// The place (x, z), in metres.
        target_m: Vec2,
    },
    /// Walk a route once around.
    Patrol(Leg),
    /// Walk to a place, and stay there for a while.
    Gather {
        /// Which of [`crate::BotWorld::places`].
        place: u32,
        /// Where in it (x, z), in metres.
        target_m: Vec2,
    },
    /// Stay near somebody.
    Follow {
        /// Whom.
        net_id: NetId,
    },
    /// Keep one's place in a pack.
    March {
        /// Whom one goes with: who leads, or who is in front where there is no room.
        net_id: NetId,
        /// Where one's place is from there (x, z), in metres; zero for right behind.
        offset_m: Vec2,
    },
    /// Attack somebody.
    Fight {
        /// Whom.
        net_id: NetId,
        /// Whether nothing was between when the bot last looked.
        is_in_view: bool,
    },
    /// Run from somebody.
    Flee {
        /// From whom.
        net_id: NetId,
        /// Where that one was last seen (x, z), in metres.
        from_m: Vec2,
    },
}

impl Goal {
    /// One word for each kind of goal, for metrics and logs.
    pub const LABELS: [&'static str; 8] = ["idle", "wander", "patrol", "gather", "follow", "march", "fight", "flee"];

    /// Which of [`Goal::LABELS`] it is.
    pub fn kind(self) -> usize {
        match self {
            Goal::Idle => 0,
            Goal::Wander { .. } => 1,
            Goal::Patrol(_) => 2,
            Goal::Gather { .. } => 3,
            Goal::Follow { .. } => 4,
            Goal::March { .. } => 5,
            Goal::Fight { .. } => 6,
            Goal::Flee { .. } => 7,
        }
    }

    /// Whether it is to walk somewhere that does not move.
    pub(crate) fn is_walk(self) -> bool {
        matches!(self, Goal::Wander { .. } | Goal::Patrol(_) | Goal::Gather { .. })
    }

    /// One word for metrics and logs.
    pub fn label(self) -> &'static str {
        Goal::LABELS[self.kind()]
    }

    /// Whom the bot keeps an eye on.
    pub(crate) fn attention(self) -> Option<NetId> {
        match self {
            Goal::Follow { net_id }
            | Goal::March { net_id, .. }
            | Goal::Fight { net_id, .. }
            | Goal::Flee { net_id, .. } => Some(net_id),
            Goal::Idle | Goal::Wander { .. } | Goal::Patrol(_) | Goal::Gather { .. } => None,
        }
    }
}

/// A leg of a patrol.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leg {
    /// Which of [`crate::BotWorld::patrols`].
    pub route: u32,
    /// The point of it that is walked to.
    pub point: u32,
    /// Points still to be reached, with this one.
    pub points_left: u32,
}

impl Leg {
    /// The one after it.
    pub(crate) fn next(self) -> Leg {
        Leg { point: self.point + 1, points_left: self.points_left - 1, ..self }
    }
}

/// The will of a bot; written by [`crate::decide`] only, but for its place among others, which [`crate::muster`] writes. Its presence is what makes an entity a bot.
#[derive(Clone, Debug, Component)]
pub struct BotMind {
    pub(crate) random: Random,
    pub(crate) goal: Goal,
    /// Tells one goal, and one leg of a patrol, from the next.
    pub(crate) goal_started: Tick,
    /// When idling or following is over, and when anything else is given up.
    pub(crate) goal_ends: Tick,
    /// Until then nobody frightens the bot.
    pub(crate) calm_until: Tick,
    /// Until then nobody provokes it.
    pub(crate) peaceful_until: Tick,
    /// Whose abilities it has.
    pub(crate) archetype: Archetype,
    /// By which it is of one profile or another: any number, its own for ever.
    pub(crate) temper: u32,
    /// Where it lives.
    pub(crate) home: Home,
    /// Which spawn area it has appeared in, plus 1; 0 for none.
    origin: u16,
    /// The leg of a patrol that it goes on with when it has got free.
    pub(crate) unfinished: Option<Leg>,
    /// Whether it goes straight where it wants to, or asks for a way.
    pub(crate) way: Way,
    /// In which pack it is.
    pub(crate) membership: Membership,
}

impl BotMind {
    /// A mind that idles until it first thinks.
    pub(crate) fn new(seed: u64, net_id: NetId) -> BotMind {
        // Apart from other streams that the server may draw from the same seed.
        const BOT_STREAMS: u64 = 0x626f_7473;
        const TEMPERS: u64 = 0x7465_6d70_6572;
        BotMind {
            random: Random::new(mix(seed ^ BOT_STREAMS), u64::from(net_id.0)),
            goal: Goal::Idle,
            goal_started: Tick(0),
            goal_ends: Tick(0),
            calm_until: Tick(0),
            peaceful_until: Tick(0),
            archetype: Archetype::BOT,
            temper: (mix(mix(seed ^ TEMPERS) ^ u64::from(net_id.0)) >> 32) as u32,
            home: Home::WORLD,
            origin: 0,
            unfinished: None,
            way: Way::default(),
            membership: Membership::default(),
        }
    }

    /// It lives there from now on, has come from that spawn area, and is of the kind that `temper` makes it; see [`crate::BotWorld::temper_of`]. Without
    /// a temper it keeps its own.
    pub fn settle(&mut self, home: Home, origin: Option<u16>, temper: Option<u32>) {
        (self.home, self.origin) = (home, origin.map_or(0, |origin| origin.saturating_add(1)));
        self.temper = temper.unwrap_or(self.temper);
    }

    /// Whose abilities it has: a player's, while it stands in for one.
    pub fn plays(&self) -> Archetype {
        self.archetype
    }

    /// Which spawn area it has come from; none for who has come otherwise.
    pub fn origin(&self) -> Option<u16> {
        self.origin.checked_sub(1)
    }

    /// Where it lives.
    pub fn home(&self) -> Home {
        self.home
    }

    /// Its character goes on as another archetype, with the abilities of that.
    pub fn go_on_as(&mut self, archetype: Archetype) {
        self.archetype = archetype;
    }

    /// Whether it has asked for a way for the goal that it has, rather than going straight.
    pub(crate) fn is_on_its_way(&self) -> bool {
        self.way.is_asked && self.way.goal_started == self.goal_started
    }

    /// Whether this is what it has asked for last, for the goal that it has.
    pub(crate) fn is_waiting_for(&self, asked: &Asked) -> bool {
        self.is_on_its_way() && self.way.looked == asked.asked
    }

    /// Keeps in mind the patrol that it is about to leave for something else.
    pub(crate) fn leave_patrol(&mut self) {
        if let Goal::Patrol(leg) = self.goal {
            self.unfinished = Some(leg);
        }
    }

    /// What the bot is about to do.
    pub fn goal(&self) -> Goal {
        self.goal
    }
}

/// How far a bot looks ahead that goes on with the character of a person, in seconds.
const GOES_ON_S: f32 = 2.0;

/// What [`bot_bundle`] is made of.
pub type BotBundle = (BotMind, Percepts, Steering, Alertness);

/// The same for a bot that goes on with the character of a person: until it thinks, it goes where that one was going.
pub fn stand_in_bundle(seed: u64, net_id: NetId, state: &CharacterState) -> BotBundle {
    let mut bundle = bot_bundle(seed, net_id);
    bundle.0.archetype = Archetype::PLAYER;
    let way_m = Vec2::new(state.velocity_mps.x, state.velocity_mps.z) * GOES_ON_S;
    if way_m.length() > ARRIVE_M {
        bundle.0.goal = Goal::Wander { target_m: state.ground_position_m() + way_m };
    }
    bundle
}

/// What makes an entity with `NetId`, `CharacterState` and `InputBuffer` a bot: [`BotMind`], [`Percepts`],
/// [`Steering`] and [`Alertness`]. `seed` is the world's, `net_id` the entity's; together they fix every choice it will make.
pub fn bot_bundle(seed: u64, net_id: NetId) -> BotBundle {
    (BotMind::new(seed, net_id), Percepts::default(), Steering::default(), Alertness::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bots_of_one_seed_draw_different_numbers() {
        let draw = |seed, net_id| BotMind::new(seed, NetId(net_id)).random.next_u32();
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }
}
