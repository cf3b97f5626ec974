//! A network in memory: both ends of the transport seams, with a seeded link for each direction of each client.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use throng_client::{ClientTransport, Traffic, TransportStatus};
use throng_server::net::{Transport, TransportEvent};
use throng_shared::ids::{ClientId, InstanceId};
use throng_shared::link::{LinkConditions, LinkQueue};
use throng_shared::wire::token::TokenData;

/// The cables between a server and its clients.
#[derive(Clone, Debug, Default)]
pub struct MemoryNetwork {
    hub: Arc<Mutex<Hub>>,
}

#[derive(Debug, Default)]
struct Hub {
    cables: BTreeMap<ClientId, Cable>,
    /// What the server has not heard of yet.
    news: Vec<News>,
}

#[derive(Debug)]
enum News {
    Connected(ClientId, InstanceId),
    Disconnected(ClientId),
}

#[derive(Debug)]
struct Cable {
    to_server: LinkQueue<Vec<u8>>,
    to_client: LinkQueue<Vec<u8>>,
    is_open: bool,
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

    /// Plugs a client in, whose token names `instance`.
    pub fn connect(
        &self,
        client: ClientId,
        instance: InstanceId,
        conditions: LinkConditions,
        seed: u64,
    ) -> MemoryClientTransport {
        let mut hub = self.hub();
        let link = |stream| LinkQueue::new(conditions, seed, client.0 * 2 + stream);
        let cable = Cable {
            to_server: link(0),
            to_client: link(1),
            is_open: true,
            traffic: Traffic::default(),
            frames_to_client: 0,
            longest_to_client_bytes: 0,
        };
        hub.cables.insert(client, cable);
        hub.news.push(News::Connected(client, instance));
        drop(hub);
        MemoryClientTransport { network: self.clone(), client }
    }

    /// For each client, how many datagrams with a frame it was sent since the last call, and the longest of all.
    pub fn take_frame_counts(&self) -> Vec<(ClientId, u32, usize)> {
        let mut hub = self.hub();
        let take = |(client, cable): (&ClientId, &mut Cable)| {
            (*client, std::mem::take(&mut cable.frames_to_client), std::mem::take(&mut cable.longest_to_client_bytes))
        };
        hub.cables.iter_mut().map(take).collect()
    }

    fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().expect("nobody panics with the cables in hand")
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
                News::Connected(client, instance) => {
                    TransportEvent::Connected { client, token: Some(TokenData { instance }) }
                }
                News::Disconnected(client) => TransportEvent::Disconnected { client },
            });
        }
        for (&client, cable) in hub.cables.iter_mut().filter(|(_, cable)| cable.is_open) {
            while let Some((received_at, bytes)) = cable.to_server.pop_due(now) {
                report(TransportEvent::Datagram { client, received_at, bytes: &bytes });
            }
        }
    }

    fn send(&mut self, now: Duration, client: ClientId, datagram: &[u8]) {
        let mut hub = self.network.hub();
        if let Some(cable) = hub.cables.get_mut(&client).filter(|cable| cable.is_open) {
            cable.frames_to_client += u32::from(datagram[0] & 1);
            cable.longest_to_client_bytes = cable.longest_to_client_bytes.max(datagram.len());
            cable.to_client.push(now, datagram.to_vec());
        }
    }

    fn disconnect(&mut self, _now: Duration, client: ClientId) {
        if let Some(cable) = self.network.hub().cables.get_mut(&client) {
            cable.is_open = false;
        }
    }
}

/// A client's end of a [`MemoryNetwork`].
#[derive(Debug)]
pub struct MemoryClientTransport {
    network: MemoryNetwork,
    client: ClientId,
}

impl MemoryClientTransport {
    /// Whose end it is.
    pub fn client(&self) -> ClientId {
        self.client
    }
}

impl ClientTransport for MemoryClientTransport {
    fn receive(&mut self, now: Duration, deliver: &mut dyn FnMut(&[u8])) {
        let mut hub = self.network.hub();
        let Some(cable) = hub.cables.get_mut(&self.client) else { return };
        while let Some((_, bytes)) = cable.to_client.pop_due(now) {
            cable.traffic.datagrams_in += 1;
            cable.traffic.bytes_in += bytes.len() as u64;
            deliver(&bytes);
        }
    }

    fn send(&mut self, now: Duration, datagram: &[u8]) {
        let mut hub = self.network.hub();
        if let Some(cable) = hub.cables.get_mut(&self.client).filter(|cable| cable.is_open) {
            cable.traffic.datagrams_out += 1;
            cable.traffic.bytes_out += datagram.len() as u64;
            cable.to_server.push(now, datagram.to_vec());
        }
    }

    fn status(&self) -> TransportStatus {
        match self.network.hub().cables.get(&self.client) {
            Some(cable) if cable.is_open => TransportStatus::Connected,
            // What is under way still arrives.
            Some(cable) if cable.to_client.next_due().is_some() => TransportStatus::Connected,
            _ => TransportStatus::Disconnected("unplugged".to_owned()),
        }
    }

    fn disconnect(&mut self, _now: Duration) {
        let mut hub = self.network.hub();
        if let Some(cable) = hub.cables.get_mut(&self.client)
            && std::mem::take(&mut cable.is_open)
        {
            hub.news.push(News::Disconnected(self.client));
        }
    }

    fn traffic(&self) -> Traffic {
        self.network.hub().cables.get(&self.client).map_or_else(Traffic::default, |cable| cable.traffic)
    }
}
