//! What both ends of the wire agree on: ticks, ids, limits, input, the one movement step, the spatial grid, the
//! wire codecs and the world's configuration.
//!
//! Nothing here does I/O, reads a clock, starts a thread or asks the operating system for randomness: time, bytes
//! and seeds are arguments. That is what lets the same code run in the server's tick, in a client's prediction, in
//! a test and in a browser.
//!
//! | module | holds |
//! |---|---|
//! | [`tick`], [`ids`], [`limits`] | the vocabulary |
//! | [`abilities`], [`combat`] | what characters can do, and when; what a line through the world meets |
//! | [`archetypes`] | how fast and how large characters are |
//! | [`attributes`] | what characters have besides a place |
//! | [`input`] | what may be asked for in one tick, and the buffer it waits in |
//! | [`map`] | terrain and static obstacles |
//! | [`movement`] | the one movement step |
//! | [`spatial`] | who is where: columns and the uniform grid |
//! | [`quantised`] | state as the wire carries it |
//! | [`netcode`] | the connection layer: packets, tokens, the client's side |
//! | [`wire`] | every byte that is sent within |
//! | [`link`] | a bad network, seeded |
//! | [`config`] | world files |

pub mod abilities;
pub mod archetypes;
pub mod attributes;
pub mod combat;
pub mod config;
pub mod ids;
pub mod input;
pub mod limits;
pub mod link;
pub mod map;
pub mod memory;
pub mod movement;
pub mod netcode;
pub mod quantised;
pub mod random;
pub mod spatial;
pub mod tick;
pub mod wire;
pub mod zones;
