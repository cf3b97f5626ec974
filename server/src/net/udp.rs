//! Netcode connections over one UDP socket.
//!
//! renetcode keeps the connections' state; the socket, its budget and the checks that renetcode lacks are ours.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token, Waker};
use renetcode::{NetcodeServer, ServerAuthentication, ServerConfig, ServerResult};
use throng_shared::ids::ClientId;
use throng_shared::wire::PROTOCOL_ID;
use throng_shared::wire::guard::check_netcode_packet;
use throng_shared::wire::key::ConnectKey;
use throng_shared::wire::token::TokenData;

use super::transport::{Transport, TransportEvent};

/// Most clients that this transport can hold; renetcode's own limit.
const CLIENTS_MAX: usize = 1_024;

/// Datagrams taken from the socket in one go, so that a flood cannot keep the thread from sending.
const RECEIVE_BUDGET: usize = 4_096;

/// Size asked of the operating system for each socket buffer; its default holds some 140 clients' inputs.
const SOCKET_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// How often a disconnect packet is sent: it is not acknowledged, and any may be lost.
const DISCONNECT_REPEATS: u32 = 5;

/// How often connections are looked after: keep-alives and timeouts.
const UPKEEP_INTERVAL: Duration = Duration::from_millis(50);

const SOCKET: Token = Token(0);
const WAKE: Token = Token(1);

/// What a [`UdpTransport`] needs to know.
#[derive(Clone, Copy, Debug)]
pub struct UdpOptions {
    /// Address to listen on; port 0 for any free one.
    pub bind: SocketAddr,
    /// Address that clients connect to and that their tokens name; none when it is the one listened on.
    pub public: Option<SocketAddr>,
    /// Seals connect tokens.
    pub key: ConnectKey,
    /// Most clients at once; brought down to 1,024, renetcode's own limit.
    pub clients_max: usize,
    /// Time since 1970, by which the expiry of tokens is judged.
    pub unix_time: Duration,
}

/// Why a socket could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen for players on UDP {address}: {source}")]
pub struct BindError {
    /// The wanted address.
    pub address: SocketAddr,
    /// What the operating system said.
    pub source: std::io::Error,
}

/// A UDP socket and the connections over it.
#[derive(Debug)]
pub struct UdpTransport {
    socket: UdpSocket,
    poll: Poll,
    events: Events,
    netcode: Box<NetcodeServer>,
    /// Added to the clock's time to get the time since 1970.
    unix_offset: Duration,
    upkept_at: Duration,
    refused: u64,
    local_address: SocketAddr,
    receive_buffer_bytes: usize,
}

impl UdpTransport {
    /// Opens the socket. `now` is the clock's time at the moment of [`UdpOptions::unix_time`].
    ///
    /// # Errors
    /// When the address is not to be had.
    pub fn bind(options: UdpOptions, now: Duration) -> Result<UdpTransport, BindError> {
        let fail = |source| BindError { address: options.bind, source };
        let (socket, receive_buffer_bytes) = open_socket(options.bind).map_err(fail)?;
        let local_address = socket.local_addr().map_err(fail)?;
        let poll = Poll::new().map_err(fail)?;
        let mut socket = UdpSocket::from_std(socket);
        poll.registry().register(&mut socket, SOCKET, Interest::READABLE).map_err(fail)?;
        let netcode = NetcodeServer::new(ServerConfig {
            current_time: options.unix_time,
            max_clients: options.clients_max.min(CLIENTS_MAX),
            protocol_id: PROTOCOL_ID,
            public_addresses: vec![options.public.unwrap_or(local_address)],
            authentication: ServerAuthentication::Secure { private_key: *options.key.bytes() },
        });
        Ok(UdpTransport {
            socket,
            poll,
            events: Events::with_capacity(8),
            netcode: Box::new(netcode),
            unix_offset: options.unix_time.saturating_sub(now),
            upkept_at: now,
            refused: 0,
            local_address,
            receive_buffer_bytes,
        })
    }

    /// Where the socket listens.
    pub fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// Size of the receive buffer that the operating system granted, in bytes.
    pub fn receive_buffer_bytes(&self) -> usize {
        self.receive_buffer_bytes
    }

    /// Something that ends a [`UdpTransport::wait`] from another thread. Can be called once.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn waker(&self) -> std::io::Result<Waker> {
        Waker::new(self.poll.registry(), WAKE)
    }

    /// Waits until a datagram has arrived, somebody wakes us, or it is time to look after connections.
    pub fn wait(&mut self) {
        // An interrupted wait is a short one.
        let _ = self.poll.poll(&mut self.events, Some(UPKEEP_INTERVAL));
    }

    fn look_after_connections(&mut self, now: Duration, report: &mut dyn FnMut(TransportEvent<'_>)) {
        if now < self.upkept_at + UPKEEP_INTERVAL {
            return;
        }
        self.upkept_at = now;
        let unix_time = now + self.unix_offset;
        self.netcode.update(unix_time.saturating_sub(self.netcode.current_time()));
        for client_id in self.netcode.clients_id() {
            let result = self.netcode.update_client(client_id);
            handle(&self.socket, result, now, report);
        }
    }
}

impl Transport for UdpTransport {
    fn receive(&mut self, now: Duration, report: &mut dyn FnMut(TransportEvent<'_>)) {
        let mut buffer = [0; 2_048];
        for _ in 0..RECEIVE_BUDGET {
            let (length, from) = match self.socket.recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // Some systems report here that an earlier datagram could not be delivered.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => continue,
                Err(_) => break,
            };
            let datagram = &mut buffer[..length];
            if check_netcode_packet(datagram).is_err() {
                self.refused += 1;
                continue;
            }
            let result = self.netcode.process_packet(from, datagram);
            handle(&self.socket, result, now, report);
        }
        self.look_after_connections(now, report);
    }

    fn send(&mut self, _now: Duration, client: ClientId, datagram: &[u8]) {
        if let Ok((address, packet)) = self.netcode.generate_payload_packet(client.0, datagram) {
            send_packet(&self.socket, address, packet);
        }
    }

    fn disconnect(&mut self, _now: Duration, client: ClientId) {
        if let ServerResult::ClientDisconnected { addr, payload: Some(packet), .. } = self.netcode.disconnect(client.0)
        {
            for _ in 0..DISCONNECT_REPEATS {
                send_packet(&self.socket, addr, packet);
            }
        }
    }

    fn refused_datagrams(&self) -> u64 {
        self.refused
    }
}

fn handle(socket: &UdpSocket, result: ServerResult<'_, '_>, now: Duration, report: &mut dyn FnMut(TransportEvent<'_>)) {
    match result {
        ServerResult::None => {}
        ServerResult::PacketToSend { addr, payload } => send_packet(socket, addr, payload),
        ServerResult::Payload { client_id, payload } => {
            report(TransportEvent::Datagram { client: ClientId(client_id), received_at: now, bytes: payload });
        }
        ServerResult::ClientConnected { client_id, addr, user_data, payload } => {
            send_packet(socket, addr, payload);
            let token = TokenData::decode(&user_data).ok();
            report(TransportEvent::Connected { client: ClientId(client_id), token });
        }
        ServerResult::ClientDisconnected { client_id, addr, payload } => {
            if let Some(packet) = payload {
                send_packet(socket, addr, packet);
            }
            report(TransportEvent::Disconnected { client: ClientId(client_id) });
        }
    }
}

/// Sends, or not: to whoever is behind a full buffer a lost datagram is like any other.
fn send_packet(socket: &UdpSocket, address: SocketAddr, packet: &[u8]) {
    let _ = socket.send_to(packet, address);
}

fn open_socket(address: SocketAddr) -> std::io::Result<(std::net::UdpSocket, usize)> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, Some(socket2::Protocol::UDP))?;
    // A system may grant less than what is asked; what it granted is told to the operator.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER_BYTES);
    let granted_bytes = socket.recv_buffer_size()?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok((socket.into(), granted_bytes))
}
