//! A network in memory: both ends of the transport seams, with a seeded link for each direction of each connection. For plans and for the test kit.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use throng_client::{ClientTransport, Traffic, TransportEnd, TransportStatus};
use throng_shared::ids::ClientId;
use throng_shared::link::{LinkConditions, LinkQueue};
use throng_shared::wire::token::TokenData;

use crate::net::{ConnectionEnd, ConnectionId, Transport, TransportEvent};

/// The cables between a server and its clients.
#[derive(Clone, Debug, Default)]
pub struct MemoryNetwork {
    hub: Arc<Mutex<Hub>>,
}

#[derive(Debug, Default)]
struct Hub {
    cables: BTreeMap<ConnectionId, Cable>,
    /// What the server has not heard of yet.
    news: Vec<News>,
}

#[derive(Debug)]
enum News {
    Connected(ConnectionId, ClientId, TokenData),
    Disconnected(ConnectionId, ConnectionEnd),
}

#[derive(Debug)]
struct Cable {
    client: ClientId,
    to_server: LinkQueue<Vec<u8>>,
    to_client: LinkQueue<Vec<u8>>,
    is_open: bool,
    /// Whether nothing comes over any more, which neither end has noticed.
    is_cut: bool,
    traffic: Traffic,
    /// Datagrams that carried a frame, sent since [`MemoryNetwork::take_frame_counts`] was last called.
    frames_to_client: u32,
    longest_to_client_bytes: usize,
}

impl MemoryNetwork {
    /// The server's end.
    pub fn server(&self) -> MemoryServerTransport {
        MemoryServerTransport { network: self.clone() }
    }

    /// Plugs a client in, whose token says `data`. Each time is another connection.
    pub fn connect(
        &self,
        client: ClientId,
        data: TokenData,
        conditions: LinkConditions,
        seed: u64,
    ) -> MemoryClientTransport {
        let mut hub = self.hub();
        let connection = ConnectionId { worker: 0, slot: hub.cables.len() as u32, generation: 1 };
        let link = |stream| LinkQueue::new(conditions, seed, client.0 * 2 + stream);
        let cable = Cable {
            client,
            to_server: link(0),
            to_client: link(1),
            is_open: true,
            is_cut: false,
            traffic: Traffic::default(),
            frames_to_client: 0,
            longest_to_client_bytes: 0,
        };
        hub.cables.insert(connection, cable);
        hub.news.push(News::Connected(connection, client, data));
        drop(hub);
        MemoryClientTransport { network: self.clone(), connection }
    }

    /// Cuts a cable: nothing comes over it any more, and neither end is told.
    pub fn cut(&self, transport: &MemoryClientTransport) {
        if let Some(cable) = self.hub().cables.get_mut(&transport.connection) {
            cable.is_cut = true;
        }
    }

    /// Lets the server notice that nothing comes over a cable any more.
    pub fn time_out(&self, transport: &MemoryClientTransport) {
        let mut hub = self.hub();
        if let Some(cable) = hub.cables.get_mut(&transport.connection)
            && std::mem::take(&mut cable.is_open)
        {
            hub.news.push(News::Disconnected(transport.connection, ConnectionEnd::TimedOut));
        }
    }

    /// For each client, how many datagrams with a frame it was sent since the last call, and the longest of all.
    pub fn take_frame_counts(&self) -> Vec<(ClientId, u32, usize)> {
        let mut hub = self.hub();
        let take = |cable: &mut Cable| {
            (
                cable.client,
                std::mem::take(&mut cable.frames_to_client),
                std::mem::take(&mut cable.longest_to_client_bytes),
            )
        };
        hub.cables.values_mut().map(take).collect()
    }

    fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server's end of a [`MemoryNetwork`].
#[derive(Debug)]
pub struct MemoryServerTransport {
    network: MemoryNetwork,
}

impl Transport for MemoryServerTransport {
    fn receive(&mut self, now: Duration, report: &mut dyn FnMut(TransportEvent<'_>)) {
        let mut hub = self.network.hub();
        for news in std::mem::take(&mut hub.news) {
            report(match news {
                News::Connected(connection, client, data) => {
                    TransportEvent::Connected { connection, client, token: Some(data) }
                }
                News::Disconnected(connection, end) => TransportEvent::Disconnected { connection, end },
            });
        }
        for (&connection, cable) in hub.cables.iter_mut().filter(|(_, cable)| cable.is_open) {
            while let Some((received_at, bytes)) = cable.to_server.pop_due(now) {
                report(TransportEvent::Datagram { connection, received_at, bytes: &bytes });
            }
        }
    }

    fn send(&mut self, now: Duration, connection: ConnectionId, parts: &[&[u8]]) {
        let mut hub = self.network.hub();
        if let Some(cable) = hub.cables.get_mut(&connection).filter(|cable| cable.is_open) {
            let datagram = parts.concat();
            cable.frames_to_client += u32::from(datagram[0] & 1);
            cable.longest_to_client_bytes = cable.longest_to_client_bytes.max(datagram.len());
            if !cable.is_cut {
                cable.to_client.push(now, datagram);
            }
        }
    }

    fn disconnect(&mut self, _now: Duration, connection: ConnectionId) {
        if let Some(cable) = self.network.hub().cables.get_mut(&connection) {
            cable.is_open = false;
        }
    }
}

/// A client's end of a [`MemoryNetwork`].
#[derive(Debug)]
pub struct MemoryClientTransport {
    network: MemoryNetwork,
    connection: ConnectionId,
}

impl MemoryClientTransport {
    /// Which connection it is the end of.
    pub fn connection(&self) -> ConnectionId {
        self.connection
    }
}

impl ClientTransport for MemoryClientTransport {
    fn receive(&mut self, now: Duration, deliver: &mut dyn FnMut(&[u8])) {
        let mut hub = self.network.hub();
        let Some(cable) = hub.cables.get_mut(&self.connection) else { return };
        while let Some((_, bytes)) = cable.to_client.pop_due(now) {
            cable.traffic.datagrams_in += 1;
            cable.traffic.bytes_in += bytes.len() as u64;
            deliver(&bytes);
        }
    }

    fn send(&mut self, now: Duration, datagram: &[u8]) {
        let mut hub = self.network.hub();
        if let Some(cable) = hub.cables.get_mut(&self.connection).filter(|cable| cable.is_open) {
            cable.traffic.datagrams_out += 1;
            cable.traffic.bytes_out += datagram.len() as u64;
            if !cable.is_cut {
                cable.to_server.push(now, datagram.to_vec());
            }
        }
    }

    fn status(&self) -> TransportStatus {
        match self.network.hub().cables.get(&self.connection) {
            Some(cable) if cable.is_open => TransportStatus::Connected,
            // What is under way still arrives.
            Some(cable) if cable.to_client.next_due().is_some() => TransportStatus::Connected,
            _ => TransportStatus::Disconnected(TransportEnd::Unplugged),
        }
    }

    fn disconnect(&mut self, _now: Duration) {
        let mut hub = self.network.hub();
        if let Some(cable) = hub.cables.get_mut(&self.connection)
            && std::mem::take(&mut cable.is_open)
            && !cable.is_cut
        {
            hub.news.push(News::Disconnected(self.connection, ConnectionEnd::Quit));
        }
    }

    fn traffic(&self) -> Traffic {
        self.network.hub().cables.get(&self.connection).map_or_else(Traffic::default, |cable| cable.traffic)
    }
}
