//! Netcode connections over one UDP socket.
//!
//! renetcode keeps the connections' state; the socket, its budget and the checks that renetcode lacks are ours.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token, Waker};
use renetcode::{NetcodeServer, ServerAuthentication, ServerConfig, ServerResult};
use rustc_hash::FxHashSet;
use throng_shared::ids::ClientId;
use throng_shared::wire::PROTOCOL_ID;
use throng_shared::wire::guard::check_netcode_packet;
use throng_shared::wire::key::ConnectKey;
use throng_shared::wire::token::TokenData;
use tracing::warn;

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

/// Least time between two lines of the log about handshakes that were refused.
const REFUSALS_LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Prefix of the netcode packet that asks for a connection; it has no sequence number beside its type.
const CONNECTION_REQUEST: u8 = 0;

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
    handshakes: HandshakeLog,
    /// Addresses of connected clients: a request of theirs is only late, it has been granted. As many as there are
    /// clients, at most.
    connected: FxHashSet<SocketAddr>,
    /// Whether nothing was left in the socket: the operating system tells of what arrives, not of what has been left.
    is_emptied: bool,
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
            handshakes: HandshakeLog::default(),
            connected: FxHashSet::default(),
            // Datagrams may have come before anybody waited for them.
            is_emptied: false,
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

    /// Waits until a datagram has arrived, somebody wakes us, or it is time to look after connections. Does not wait when
    /// the last look at the socket left something in it.
    pub fn wait(&mut self) {
        let timeout = if self.is_emptied { UPKEEP_INTERVAL } else { Duration::ZERO };
        // An interrupted wait is a short one.
        let _ = self.poll.poll(&mut self.events, Some(timeout));
    }

    /// Takes at most `budget` datagrams from the socket.
    fn take_datagrams(&mut self, now: Duration, budget: usize, report: &mut dyn FnMut(TransportEvent<'_>)) {
        let mut buffer = [0; 2_048];
        self.is_emptied = false;
        for _ in 0..budget {
            let (length, from) = match self.socket.recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.is_emptied = true;
                    return;
                }
                // Some systems report here that an earlier datagram could not be delivered; more may wait behind that.
                Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::Interrupted) => continue,
                // A socket that is broken for good must not keep the thread busy.
                Err(_) => {
                    self.is_emptied = true;
                    return;
                }
            };
            let datagram = &mut buffer[..length];
            if check_netcode_packet(datagram).is_err() {
                self.refused += 1;
                continue;
            }
            let is_request = datagram[0] == CONNECTION_REQUEST;
            let result = self.netcode.process_packet(from, datagram);
            if is_request && result == ServerResult::None && !self.connected.contains(&from) {
                self.handshakes.refused += 1;
            }
            handle(&self.socket, &mut self.connected, result, now, report);
        }
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
            handle(&self.socket, &mut self.connected, result, now, report);
        }
        self.handshakes.tell(now);
    }
}

impl Transport for UdpTransport {
    fn receive(&mut self, now: Duration, report: &mut dyn FnMut(TransportEvent<'_>)) {
        self.take_datagrams(now, RECEIVE_BUDGET, report);
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
            self.connected.remove(&addr);
            for _ in 0..DISCONNECT_REPEATS {
                send_packet(&self.socket, addr, packet);
            }
        }
    }

    fn refused_datagrams(&self) -> u64 {
        self.refused
    }

    fn refused_handshakes(&self) -> u64 {
        self.handshakes.refused
    }
}

/// Handshakes that were refused, and when the operator was last told.
#[derive(Debug, Default)]
struct HandshakeLog {
    refused: u64,
    told: u64,
    told_at: Option<Duration>,
}

impl HandshakeLog {
    /// Says how many have been refused, but not one by one: anybody can cause them.
    fn tell(&mut self, now: Duration) {
        let is_time = self.told_at.is_none_or(|told_at| now >= told_at + REFUSALS_LOG_INTERVAL);
        if self.refused > self.told && is_time {
            warn!(
                requests = self.refused - self.told,
                "clients asked for a connection in vain: a token sealed with another key (--key-file, net.key, \
                 THRONG_KEY), an expired one or a clock that is wrong, one for an address other than \
                 net.public_address, or one that is in use"
            );
            (self.told, self.told_at) = (self.refused, Some(now));
        }
    }
}

fn handle(
    socket: &UdpSocket,
    connected: &mut FxHashSet<SocketAddr>,
    result: ServerResult<'_, '_>,
    now: Duration,
    report: &mut dyn FnMut(TransportEvent<'_>),
) {
    match result {
        ServerResult::None => {}
        ServerResult::PacketToSend { addr, payload } => send_packet(socket, addr, payload),
        ServerResult::Payload { client_id, payload } => {
            report(TransportEvent::Datagram { client: ClientId(client_id), received_at: now, bytes: payload });
        }
        ServerResult::ClientConnected { client_id, addr, user_data, payload } => {
            connected.insert(addr);
            send_packet(socket, addr, payload);
            let token = TokenData::decode(&user_data).ok();
            report(TransportEvent::Connected { client: ClientId(client_id), token });
        }
        ServerResult::ClientDisconnected { client_id, addr, payload } => {
            connected.remove(&addr);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_budget_leaves_in_the_socket_is_not_waited_for() {
        let options = UdpOptions {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            public: None,
            key: ConnectKey::DEVELOPMENT,
            clients_max: 1,
            unix_time: Duration::ZERO,
        };
        let mut transport = UdpTransport::bind(options, Duration::ZERO).expect("a port is to be had");
        let sender = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port is to be had");
        for _ in 0..3 {
            sender.send_to(&[0], transport.local_address()).expect("loopback is there");
        }
        // The first two are taken, the third is left.
        while transport.refused_datagrams() < 2 {
            transport.take_datagrams(Duration::ZERO, 1, &mut |_| ());
            assert!(transport.refused_datagrams() == 0 || !transport.is_emptied);
        }
        // The edge that told of all three is used up.
        transport.wait();
        transport.wait();
        assert!(!transport.is_emptied && transport.events.is_empty());
        transport.receive(Duration::ZERO, &mut |_| ());
        assert_eq!((transport.refused_datagrams(), transport.is_emptied), (3, true));
    }
}
