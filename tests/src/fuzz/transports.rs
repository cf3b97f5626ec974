//! Both ends of the transport seams, with nothing between them: what comes in is put there by hand, what goes out is kept.

use std::collections::VecDeque;
use std::time::Duration;

use throng_client::{ClientTransport, Traffic, TransportStatus};
use throng_server::net::{ConnectionEnd, ConnectionId, Transport, TransportEvent};
use throng_shared::ids::ClientId;
use throng_shared::netcode::PAYLOAD_BYTES_MAX;
use throng_shared::wire::token::TokenData;

/// What a [`ScriptedTransport`] will report.
#[derive(Clone, Debug)]
pub(super) enum News {
    Connected(ConnectionId, ClientId, Option<TokenData>),
    Datagram(ConnectionId, Vec<u8>),
    Disconnected(ConnectionId, ConnectionEnd),
}

/// A server's end.
#[derive(Debug, Default)]
pub(super) struct ScriptedTransport {
    /// What is reported next.
    pub(super) news: Vec<News>,
    /// What was sent.
    pub(super) sent: Vec<(ConnectionId, Vec<u8>)>,
    /// Connections that the server has ended.
    pub(super) ended: Vec<ConnectionId>,
}

impl Transport for ScriptedTransport {
    fn receive(&mut self, now: Duration, report: &mut dyn FnMut(TransportEvent<'_>)) {
        for news in self.news.drain(..) {
            match news {
                News::Connected(connection, client, token) => {
                    report(TransportEvent::Connected { connection, client, token });
                }
                News::Datagram(connection, bytes) => {
                    report(TransportEvent::Datagram { connection, received_at: now, bytes: &bytes });
                }
                News::Disconnected(connection, end) => report(TransportEvent::Disconnected { connection, end }),
            }
        }
    }

    fn send(&mut self, _now: Duration, connection: ConnectionId, parts: &[&[u8]]) {
        let datagram = parts.concat();
        assert!((1..=PAYLOAD_BYTES_MAX).contains(&datagram.len()), "a datagram of {} bytes", datagram.len());
        self.sent.push((connection, datagram));
    }

    fn disconnect(&mut self, _now: Duration, connection: ConnectionId) {
        self.ended.push(connection);
    }
}

/// A client's end.
#[derive(Debug)]
pub(super) struct QueuedTransport {
    /// What arrives next.
    pub(super) inbox: VecDeque<Vec<u8>>,
    /// What was sent.
    pub(super) outbox: Vec<Vec<u8>>,
    /// How the connection is.
    pub(super) status: TransportStatus,
}

impl Default for QueuedTransport {
    fn default() -> Self {
        QueuedTransport { inbox: VecDeque::new(), outbox: Vec::new(), status: TransportStatus::Connected }
    }
}

impl ClientTransport for QueuedTransport {
    fn receive(&mut self, _now: Duration, deliver: &mut dyn FnMut(&[u8])) {
        self.inbox.drain(..).for_each(|datagram| deliver(&datagram));
    }

    fn send(&mut self, _now: Duration, datagram: &[u8]) {
        assert!((1..=PAYLOAD_BYTES_MAX).contains(&datagram.len()), "a datagram of {} bytes", datagram.len());
        self.outbox.push(datagram.to_vec());
    }

    fn status(&self) -> TransportStatus {
        self.status.clone()
    }

    fn disconnect(&mut self, _now: Duration) {}

    fn traffic(&self) -> Traffic {
        Traffic::default()
    }
}
