//! Bots as ECS systems: perceive, decide, steer.
//!
//! A bot is an entity like a player's, with [`bot_bundle`] added. It knows what it has seen in last tick's grid and
//! acts by writing a `PlayerInput` for the current tick into its `InputBuffer`; it has no other power. Add
//! `(notice_people, perceive, muster, decide, plan_routes, steer, steer_fighters).chain()`, a [`NearPeople`], [`Marks`], [`Packs`], [`Thoughts`] and a [`RoutePlanner`] to the schedule, after last tick's columns and grid are complete and before
//! inputs are taken, and [`hand_over_routes`] at its end.
//!
//! | system | reads | writes | how often |
//! |---|---|---|---|
//! | [`notice_people`] | columns of the last tick | [`NearPeople`] | every tick |
//! | [`perceive`] | columns, grid and [`Marks`] of the last tick | [`Percepts`], whether people are near in [`Alertness`] | each think interval, staggered by `NetId` |
//! | [`muster`] | percepts, alertness, who is dead | [`Packs`], places in them in [`BotMind`] | with perceiving, where there are kinds that go in packs |
//! | [`decide`] | percepts, packs, alertness | [`BotMind`] | with perceiving, and at once when stuck |
//! | [`plan_routes`] | what bots ask, [`Navigation`] | [`Steering`], patience in [`BotMind`] | every tick, what was asked in the last |
//! | [`steer`] | mind, percepts, map, alertness | [`Steering`], `InputBuffer`, whether the bot is stuck in [`Alertness`] | every tick |
//! | [`steer_fighters`] | the same, and what the bot can use | the same | every tick |
//!
//! A busy server has bots wait longer until they think, those first who are near nobody; see [`BotWorld::think_delay_percent`].
//!
//! Where no people are near, bots think a quarter as often and steer five times a second: what they do is the same, but nobody sees how smoothly.
//!
//! Where there are abilities, bots attack enemies whom they see, with the same abilities as people and by the same inputs, and err by as much as the world
//! file says. Of whom they may not know they know nothing.
//!
//! Bots of a kind may go together, one of them leading: who belongs together is settled by one thread, in the order of [`NetId`](throng_shared::ids::NetId).
//!
//! Every bot draws from its own random numbers and writes only to itself, so that neither the order of bots nor the
//! number of threads can change what they do.

mod arms;
mod decide;
mod home;
mod marks;
mod mind;
mod navigate;
mod near;
mod packs;
mod perceive;
mod steer;
mod turns;
mod world;

pub use arms::Arms;
pub use decide::{Thoughts, decide};
pub use home::{Home, Homes};
pub use marks::{Mark, Marks};
pub use mind::{BotBundle, BotMind, Goal, Leg, bot_bundle, stand_in_bundle};
pub use navigate::{Navigation, RouteCounts, RoutePlanner, hand_over_routes, plan_routes};
pub use near::{NearPeople, notice_people};
pub use packs::{PackCounts, Packs, muster};
pub use perceive::{Percepts, SEEN_MAX, Seen, perceive};
pub use steer::{Steering, steer, steer_fighters};
pub use turns::Alertness;
pub use world::{BotWorld, NEAR_DELAY_PERCENT_MAX};

#[cfg(test)]
mod tests;
