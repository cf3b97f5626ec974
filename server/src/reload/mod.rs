//! World files that change while their world runs.
//!
//! ```text
//! watch    files ──► looked at four times a second; two like looks after a change, and they are read and checked as a whole
//! changes  old and new text ──► which keys have changed, from what to what
//! adopt    a world that is right ──► between two ticks, all of it or nothing
//! desk     what was adopted and what was refused, for logs, /config and metrics
//! apply    another folder, asked for over HTTP ──► the same way, and then watched for some time
//! trial    ticks of a world that is watched ──► whether it keeps to its limits; if not, the desk takes the change back
//! ```

mod adopt;
mod apply;
mod changes;
mod desk;
#[cfg(test)]
mod tests;
mod trial;
mod watch;

pub use adopt::AdoptError;
pub use apply::{ApplyAnswer, ApplyDesk, ApplyRefusal};
pub use changes::KeyChange;
pub use desk::{Proposal, ReloadDesk};
pub(crate) use watch::spawn_watcher;
