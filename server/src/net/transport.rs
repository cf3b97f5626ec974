//! The seam between connections and whatever carries their datagrams.

use std::time::Duration;

use throng_shared::ids::ClientId;
use throng_shared::wire::token::TokenData;

/// Carries authenticated datagrams of up to 1,300 bytes. They may be lost, duplicated or overtaken.
pub trait Transport {
    /// Reports everything that has happened until `now`.
    fn receive(&mut self, now: Duration, report: &mut dyn FnMut(TransportEvent<'_>));

    /// Sends a datagram to a client; nothing happens when it is not connected.
    fn send(&mut self, now: Duration, client: ClientId, datagram: &[u8]);

    /// Ends a client's connection. No [`TransportEvent::Disconnected`] follows.
    fn disconnect(&mut self, now: Duration, client: ClientId);

    /// What was refused before it could be told whose it is.
    fn refused_datagrams(&self) -> u64 {
        0
    }

    /// Requests for a connection that got no answer.
    fn refused_handshakes(&self) -> u64 {
        0
    }
}

/// What a transport reports.
#[derive(Clone, Copy, Debug)]
pub enum TransportEvent<'a> {
    /// A client has connected.
    Connected {
        /// Who, according to its token.
        client: ClientId,
        /// What else its token says; none when that cannot be read.
        token: Option<TokenData>,
    },
    /// A datagram has arrived.
    Datagram {
        /// Who sent it.
        client: ClientId,
        /// When it arrived.
        received_at: Duration,
        /// Its payload, decrypted.
        bytes: &'a [u8],
    },
    /// A connection has ended, by the client's wish or for want of packets.
    Disconnected {
        /// Whose.
        client: ClientId,
    },
}
