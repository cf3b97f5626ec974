//! Messages of the game that have arrived and wait for whoever asks.

use std::collections::VecDeque;

use throng_shared::limits::CHANNEL_MEMORY_BYTES_MAX;

/// They wait here so that what the server tells of the world, over the same channel, does not wait behind them. As many as the channel
/// itself may hold; further ones stay there, and when nobody asks, it fills.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    messages: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl Inbox {
    /// Whether nothing more is taken from the channel.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= CHANNEL_MEMORY_BYTES_MAX
    }

    /// Sets a message aside, with the byte that says of what kind it is.
    pub(crate) fn put(&mut self, message: Vec<u8>) {
        self.bytes += message.len();
        self.messages.push_back(message);
    }

    /// The oldest, without that byte.
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        let mut message = self.messages.pop_front()?;
        self.bytes -= message.len();
        message.remove(0);
        Some(message)
    }
}
