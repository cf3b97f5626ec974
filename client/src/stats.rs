//! What a client reports of itself.

use throng_shared::limits::GAME_MESSAGE_BYTES_MAX;
use throng_shared::wire::channel::ChannelFull;

/// Why a message cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Too many are under way: try again later.
    #[error(transparent)]
    Full(#[from] ChannelFull),
    /// Longer than [`GAME_MESSAGE_BYTES_MAX`].
    #[error("a message has at most {GAME_MESSAGE_BYTES_MAX} bytes")]
    TooLong,
}

/// What a client has seen so far.
#[derive(Clone, Debug, Default)]
pub struct ClientStats {
    /// Snapshots received, each counted once.
    pub snapshots: u64,
    /// Entities that entered, with repetitions.
    pub enters: u64,
    /// Entity updates.
    pub updates: u64,
    /// Datagrams and messages that could not be understood.
    pub malformed: u64,
    /// Time from sending an input to the arrival of the first snapshot that shows it applied, in milliseconds; one for
    /// each input. To be drained by whoever is interested.
    pub echoes_ms: Vec<f32>,
    /// By how much the own position was predicted wrong, in metres; one for each snapshot. To be drained.
    pub prediction_errors_m: Vec<f32>,
}
