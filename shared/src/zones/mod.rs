//! Parts of a world and times of its day: where somebody is, what holds there, what happens when, and what is on for whom.
//!
//! ```text
//! outline    a point ──► whether it is in a zone; a draw ──► a point of it
//! ground     zones as they are now ──► where nobody is hurt
//! calendar   a tick ──► day and hour, which events are on, how many there are to be, what each zone is
//! features   a feature, a client, a point ──► whether it is on
//! ```

mod calendar;
mod features;
mod ground;
mod outline;

pub use calendar::{Calendar, Moment, ZoneMoment};
pub use features::Features;
pub use ground::SafeGround;
pub use outline::{Outline, zone_at};
