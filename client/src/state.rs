//! How far a client has come, how it ended, and how it came back.

use throng_shared::wire::control::{GoodbyeReason, RefusalReason, Refused};

use crate::transport::TransportEnd;

/// How far a client has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The encrypted connection is being made.
    Connecting,
    /// Connected; hello has been said.
    Greeting,
    /// In the world.
    Playing,
    /// It is over.
    Closed(CloseReason),
}

/// Why it is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// The server did not let us in.
    #[error("refused: {}", describe(.0))]
    Refused(Refused),
    /// The server ended it.
    #[error("sent away: {0}")]
    Goodbye(GoodbyeReason),
    /// The connection broke, or was never made. [`crate::Client::reconnect`] may help.
    #[error("no connection: {0}")]
    Transport(TransportEnd),
    /// We ended it.
    #[error("left")]
    Left,
}

/// How a client came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resumption {
    /// Whether everything went on: the same character, the same view, and no message missed. Otherwise the seat was no
    /// longer held, or another program had it: the world was entered anew.
    pub is_complete: bool,
    /// How many ticks of the server went by between the last snapshot before and the first sign after, a welcome or a
    /// snapshot; 0 when it is not complete.
    pub gap_ticks: u32,
}

fn describe(refused: &Refused) -> String {
    let Refused { reason, version_min, version_max, world_name, world_hash } = refused;
    match reason {
        RefusalReason::Version => format!("{reason}; the server speaks {version_min} to {version_max}"),
        RefusalReason::World => {
            format!("{reason}; the server runs `{world_name}` with hash {world_hash:016x}: use the same world files")
        }
        RefusalReason::Full | RefusalReason::UnknownInstance => reason.to_string(),
    }
}
