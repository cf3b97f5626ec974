//! The seam between connections and whatever carries their datagrams.

use std::time::Duration;

use throng_shared::ids::ClientId;
use throng_shared::wire::token::TokenData;

use super::inbound::{ConnectionEnd, TransportTotals};

/// One connection, from its handshake to its end. A client that comes again has another one, even in the same place: what
/// was meant for the former does not reach the latter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId {
    /// The network thread that has it.
    pub worker: u16,
    /// Its place there.
    pub slot: u32,
    /// Distinguishes those that had the same place.
    pub generation: u32,
}

/// Carries authenticated datagrams of up to 1,300 bytes. They may be lost, duplicated or overtaken.
pub trait Transport {
    /// Reports everything that has happened until `now`.
    fn receive(&mut self, now: Duration, report: &mut dyn FnMut(TransportEvent<'_>));

    /// Sends a datagram, in `parts`, with the next [`Transport::flush`] or before; nothing happens when the connection is
    /// no more.
    fn send(&mut self, now: Duration, connection: ConnectionId, parts: &[&[u8]]);

    /// Sends what waits to be sent.
    fn flush(&mut self) {}

    /// Ends a connection. No [`TransportEvent::Disconnected`] follows.
    fn disconnect(&mut self, now: Duration, connection: ConnectionId);

    /// Lets no connection of a client stand until `until`.
    fn quarantine(&mut self, client: ClientId, until: Duration) {
        let _ = (client, until);
    }

    /// Counts since the start.
    fn totals(&self) -> TransportTotals {
        TransportTotals::default()
    }
}

/// What a transport reports.
#[derive(Clone, Copy, Debug)]
pub enum TransportEvent<'a> {
    /// A client has connected.
    Connected {
        /// Its connection.
        connection: ConnectionId,
        /// Who, according to its token.
        client: ClientId,
        /// What else its token says; none when that cannot be read.
        token: Option<TokenData>,
    },
    /// A datagram has arrived.
    Datagram {
        /// From where.
        connection: ConnectionId,
        /// When it arrived.
        received_at: Duration,
        /// Its payload, decrypted.
        bytes: &'a [u8],
    },
    /// A connection has ended, by the client's wish or for want of packets.
    Disconnected {
        /// Which.
        connection: ConnectionId,
        /// Why.
        end: ConnectionEnd,
    },
}
