//! Reliable messages between a game's own rules and its clients.

use bevy_ecs::prelude::{ResMut, Resource};
use throng_shared::ids::ClientId;
use throng_shared::limits::GAME_MESSAGE_BYTES_MAX;
use throng_shared::wire::channel::GAME_MESSAGE;
use throng_shared::wire::control::GoodbyeReason;

use crate::egress::Outbound;
use crate::ingress::Inbound;

/// Messages of this tick, to be read and written by a game's own systems: bytes that only the game knows the meaning of.
///
/// They arrive once and in order, over however many connections: also those that are sent to a client while its connection
/// is broken, once it is back in its seat. A client that acknowledges too few of them is sent away. A client that comes back
/// without its channel, because its program was started anew, misses what was under way; [`crate::session::Session::visits`]
/// tells.
#[derive(Resource, Debug, Default)]
pub struct GameMessages {
    received: Vec<(ClientId, Vec<u8>)>,
    sent: Vec<(ClientId, Vec<u8>)>,
    sent_away: Vec<ClientId>,
}

/// A message longer than [`GAME_MESSAGE_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message has at most {GAME_MESSAGE_BYTES_MAX} bytes")]
pub struct MessageTooLong;

impl GameMessages {
    /// What has arrived since the last tick, each client's in the order of its sending.
    pub fn received(&self) -> impl ExactSizeIterator<Item = (ClientId, &[u8])> {
        self.received.iter().map(|(client, message)| (*client, &message[..]))
    }

    /// Sends a message to a client; nothing happens when it has no seat.
    ///
    /// # Errors
    /// When it is longer than [`GAME_MESSAGE_BYTES_MAX`].
    pub fn send(&mut self, client: ClientId, message: &[u8]) -> Result<(), MessageTooLong> {
        if message.len() > GAME_MESSAGE_BYTES_MAX {
            return Err(MessageTooLong);
        }
        self.sent.push((client, [&[GAME_MESSAGE], message].concat()));
        Ok(())
    }
}

impl GameMessages {
    /// Sends a client away, with the next tick's end; it is told that it was.
    pub fn send_away(&mut self, client: ClientId) {
        self.sent_away.push(client);
    }
}

/// Takes over what has arrived.
pub(crate) fn receive_messages(mut inbound: ResMut<Inbound>, mut messages: ResMut<GameMessages>) {
    messages.received.clear();
    messages.received.append(&mut inbound.0.messages);
}

/// Hands over what is to be sent.
pub(crate) fn queue_messages(mut messages: ResMut<GameMessages>, mut outbound: ResMut<Outbound>) {
    outbound.0.messages.append(&mut messages.sent);
    messages.sent_away.drain(..).for_each(|client| outbound.0.dismiss(client, GoodbyeReason::Kicked));
}
