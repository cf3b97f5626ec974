//! Bots as ECS systems: perceive, decide, steer.
//!
//! A bot is an entity like a player's, with [`bot_bundle`] added. It knows what it has seen in last tick's grid and
//! acts by writing a `PlayerInput` for the current tick into its `InputBuffer`; it has no other power. Add
//! `(notice_people, perceive, decide, steer).chain()` and a [`NearPeople`] to the schedule, after last tick's columns and grid are complete and before
//! inputs are taken.
//!
//! | system | reads | writes | how often |
//! |---|---|---|---|
//! | [`notice_people`] | columns of the last tick | [`NearPeople`] | every tick |
//! | [`perceive`] | columns and grid of the last tick | [`Percepts`] | each think interval, staggered by `NetId` |
//! | [`decide`] | percepts | [`BotMind`] | with perceiving, and at once when stuck |
//! | [`steer`] | mind, percepts, map | [`Steering`], `InputBuffer` | every tick |
//!
//! Where no people are near, bots think a quarter as often and steer five times a second: what they do is the same, but nobody sees how smoothly.
//!
//! Every bot draws from its own random numbers and writes only to itself, so that neither the order of bots nor the
//! number of threads can change what they do.

mod decide;
mod mind;
mod near;
mod perceive;
mod steer;
mod world;

pub use decide::decide;
pub use mind::{BotBundle, BotMind, Goal, bot_bundle, stand_in_bundle};
pub use near::{NearPeople, notice_people};
pub use perceive::{Percepts, SEEN_MAX, Seen, perceive};
pub use steer::{Steering, steer};
pub use world::BotWorld;

#[cfg(test)]
mod tests;
