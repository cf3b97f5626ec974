//! The stock transport behind the server's seam: renet and renet_netcode as their documentation says, with one unreliable
//! channel that carries the same datagrams.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use renet::{ChannelConfig, ConnectionConfig, RenetServer, SendType, ServerEvent};
use renet_netcode::{NetcodeServerTransport, ServerAuthentication, ServerConfig};
use rustc_hash::FxHashMap;
use throng_server::net::{ConnectionEnd, ConnectionId, Transport, TransportEvent};
use throng_shared::ids::ClientId;
use throng_shared::wire::PROTOCOL_ID;
use throng_shared::wire::key::ConnectKey;
use throng_shared::wire::token::TokenData;

/// The one channel.
pub(crate) const CHANNEL: u8 = 0;

/// Room asked for in the socket's buffers, as for ours.
const SOCKET_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// What both ends of a stock connection agree on.
pub(crate) fn connection_config() -> ConnectionConfig {
    let channels = || {
        vec![ChannelConfig {
            channel_id: CHANNEL,
            max_memory_usage_bytes: 1024 * 1024,
            send_type: SendType::Unreliable,
        }]
    };
    ConnectionConfig {
        available_bytes_per_tick: 60_000,
        server_channels_config: channels(),
        client_channels_config: channels(),
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct StockTransport {
    server: RenetServer,
    transport: NetcodeServerTransport,
    address: SocketAddr,
    updated_at: Duration,
    /// The client at each place, and each client's place.
    clients: Vec<u64>,
    places: FxHashMap<u64, u32>,
}

impl StockTransport {
    pub(crate) fn bind(
        address: SocketAddr,
        clients_max: usize,
        unix_time: Duration,
        now: Duration,
    ) -> anyhow::Result<StockTransport> {
        let socket = UdpSocket::bind(address)?;
        let address = socket.local_addr()?;
        let options = rustix::net::sockopt::set_socket_recv_buffer_size;
        // What is granted is enough or not; the report shows what is lost.
        let _ = options(&socket, SOCKET_BUFFER_BYTES);
        let config = ServerConfig {
            current_time: unix_time,
            max_clients: clients_max.min(1_024),
            protocol_id: PROTOCOL_ID,
            public_addresses: vec![address],
            authentication: ServerAuthentication::Secure { private_key: *ConnectKey::DEVELOPMENT.bytes() },
        };
        Ok(StockTransport {
            server: RenetServer::new(connection_config()),
            transport: NetcodeServerTransport::new(config, socket)?,
            address,
            updated_at: now,
            clients: Vec::new(),
            places: FxHashMap::default(),
        })
    }

    /// Sends everything, once per tick as its documentation says: each time it sends an acknowledgement more.
    pub(crate) fn send_packets(&mut self) {
        self.transport.send_packets(&mut self.server);
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

fn connection(place: u32) -> ConnectionId {
    ConnectionId { worker: 0, slot: place, generation: 1 }
}

impl Transport for StockTransport {
    fn receive(&mut self, now: Duration, report: &mut dyn FnMut(TransportEvent<'_>)) {
        let elapsed = now.saturating_sub(self.updated_at);
        self.updated_at = now;
        self.server.update(elapsed);
        // An error is that of a single packet.
        let _ = self.transport.update(elapsed, &mut self.server);
        while let Some(event) = self.server.get_event() {
            match event {
                ServerEvent::ClientConnected { client_id } => {
                    let place = self.clients.len() as u32;
                    self.clients.push(client_id);
                    self.places.insert(client_id, place);
                    let token = self.transport.user_data(client_id).and_then(|data| TokenData::decode(&data).ok());
                    let client = ClientId(client_id);
                    report(TransportEvent::Connected { connection: connection(place), client, token });
                }
                ServerEvent::ClientDisconnected { client_id, .. } => {
                    if let Some(place) = self.places.remove(&client_id) {
                        let end = ConnectionEnd::TimedOut;
                        report(TransportEvent::Disconnected { connection: connection(place), end });
                    }
                }
            }
        }
        for (place, &client) in self.clients.iter().enumerate() {
            while let Some(bytes) = self.server.receive_message(client, CHANNEL) {
                let connection = connection(place as u32);
                report(TransportEvent::Datagram { connection, received_at: now, bytes: &bytes });
            }
        }
    }

    fn send(&mut self, _now: Duration, connection: ConnectionId, parts: &[&[u8]]) {
        if let Some(&client) = self.clients.get(connection.slot as usize) {
            self.server.send_message(client, CHANNEL, parts.concat());
        }
    }

    fn disconnect(&mut self, _now: Duration, connection: ConnectionId) {
        if let Some(&client) = self.clients.get(connection.slot as usize) {
            self.server.disconnect(client);
        }
    }
}
