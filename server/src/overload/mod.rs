//! What gives way when a world cannot keep up: a ladder of rungs, climbed and descended by how much of their time its ticks
//! take.
//!
//! Before anything gives way that people would miss, bots think less often, as much as it takes.
//!
//! The host measures and decides, outside of the tick; an instance is told its rung and its bots' delay in its batch, so that a tick stays a function of
//! what goes into it. Clients are told too, for time may run slower.

mod ladder;
mod pace;
mod relief;

pub use ladder::{Ladder, Step};
pub use pace::ThinkPace;
pub(crate) use relief::take_rung;
pub use relief::{OverloadRules, Relief};
