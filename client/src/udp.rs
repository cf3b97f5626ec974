//! A netcode connection over a UDP socket of its own, behind a link that can be made bad on purpose.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use throng_shared::link::{LinkConditions, LinkQueue};
use throng_shared::netcode::client::Heard;
use throng_shared::netcode::{ConnectToken, NetcodeClient};

use crate::transport::{ClientTransport, Traffic, TransportEnd, TransportStatus};

/// Datagrams taken from the socket in one go, so that a flood cannot hold the caller.
const RECEIVE_BUDGET: usize = 1_024;

/// How long the server may be silent before we move. It speaks about twice a second at least. First we tell it, over the same socket,
/// that our address may be another one: that suffices when a router on the way has forgotten us. Then we go on from other
/// sockets: the first after as long again, and each later one has twice the time of the one before, for the answer may only be
/// slow.
pub const MOVE_AFTER: Duration = Duration::from_secs(1);

/// Most times that the wait is doubled.
const MOVE_DOUBLINGS_MAX: u32 = 2;

/// How often a socket that is broken is replaced: there may be no network at the moment.
const REPAIR_INTERVAL: Duration = Duration::from_millis(100);

/// A socket that is replaced when it is broken, or when the server is silent and goes on to be, see [`MOVE_AFTER`]: the network
/// may be another one now, or somebody on the way may have forgotten us. The connection goes on where it was, within a round
/// trip.
#[derive(Debug)]
pub struct UdpTransport {
    socket: UdpSocket,
    netcode: Box<NetcodeClient>,
    /// The server that the socket is connected to: one of those that the token names.
    server: SocketAddr,
    link: Option<Link>,
    traffic: Traffic,
    has_more: bool,
    /// Who is told of arrivals, and as what.
    registration: Option<(Registry, Token)>,
    moves: u32,
    moved_at: Duration,
    /// Moves for its silence since the server was last heard of.
    silent_moves: u32,
    /// What is wrong with the socket.
    broken: Option<ErrorKind>,
    /// What was wrong with it when there was no connection yet that could go on.
    failure: Option<ErrorKind>,
}

/// Both directions of a bad link.
#[derive(Debug)]
struct Link {
    out: LinkQueue<Vec<u8>>,
    back: LinkQueue<Vec<u8>>,
}

impl UdpTransport {
    /// Starts to connect with `token`; `now` is the caller's time, on which all later times are.
    ///
    /// # Errors
    /// When no socket is to be had.
    pub fn connect(token: ConnectToken, now: Duration) -> std::io::Result<UdpTransport> {
        let netcode = NetcodeClient::new(token, now);
        let server = netcode.server();
        Ok(UdpTransport {
            socket: open_socket(server)?,
            netcode: Box::new(netcode),
            server,
            link: None,
            traffic: Traffic::default(),
            has_more: false,
            registration: None,
            moves: 0,
            moved_at: now,
            silent_moves: 0,
            broken: None,
            failure: None,
        })
    }

    /// Makes the link as bad as `conditions` say, both ways; `seed` fixes every datagram's fate.
    pub fn with_conditions(mut self, conditions: LinkConditions, seed: u64) -> UdpTransport {
        self.link = (!conditions.is_perfect())
            .then(|| Link { out: LinkQueue::new(conditions, seed, 0), back: LinkQueue::new(conditions, seed, 1) });
        self
    }

    /// Lets `registry` report when datagrams have arrived, as `token`. It reports only what is new: while
    /// [`UdpTransport::has_more`], receive again without waiting for a report.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn register(&mut self, registry: &Registry, token: Token) -> std::io::Result<()> {
        let kept = registry.try_clone()?;
        registry.register(&mut self.socket, token, Interest::READABLE)?;
        self.registration = Some((kept, token));
        Ok(())
    }

    /// Goes on from another socket, at once: for a program that knows that the network has changed. The transport does so by
    /// itself, but later.
    ///
    /// # Errors
    /// When no socket is to be had; the old one is kept.
    pub fn move_now(&mut self, now: Duration) -> std::io::Result<()> {
        self.moved_at = now;
        let mut socket = open_socket(self.netcode.server())?;
        if let Some((registry, token)) = &self.registration {
            registry.register(&mut socket, *token, Interest::READABLE)?;
            drop(registry.deregister(&mut self.socket));
        }
        self.socket = socket;
        // What came before it was registered is not reported.
        self.has_more = true;
        self.broken = None;
        self.note_move(now);
        Ok(())
    }

    /// Goes on from another socket without telling anybody, as when a router on the way forgets us; the old one is returned. For
    /// tests.
    ///
    /// # Errors
    /// When no socket is to be had.
    pub fn replace_socket_unnoticed(&mut self) -> std::io::Result<UdpSocket> {
        let socket = open_socket(self.netcode.server())?;
        Ok(std::mem::replace(&mut self.socket, socket))
    }

    /// Replaces a socket that is broken, or over which nothing comes.
    fn repair(&mut self, now: Duration) {
        if !self.netcode.is_connected() {
            self.failure = self.failure.or(self.broken);
            return;
        }
        if self.netcode.heard_at() > self.moved_at {
            self.silent_moves = 0;
        }
        let patience = MOVE_AFTER * (1 << self.silent_moves.saturating_sub(1).min(MOVE_DOUBLINGS_MAX));
        let is_silent = now >= self.netcode.heard_at().max(self.moved_at) + patience;
        let is_broken = self.broken.is_some() && now >= self.moved_at + REPAIR_INTERVAL;
        if is_silent && self.silent_moves == 0 && self.broken.is_none() {
            self.note_move(now);
        } else if is_silent || is_broken {
            // Without a network there is no other socket: netcode's timeout decides how long we try.
            if let Err(error) = self.move_now(now) {
                self.broken = Some(error.kind());
            }
        }
        self.silent_moves += u32::from(is_silent);
    }

    /// Tells the server, from now on, that our address may be another one.
    fn note_move(&mut self, now: Duration) {
        self.moved_at = now;
        self.moves += 1;
        self.netcode.begin_move();
    }

    /// Whether the last receiving has left datagrams in the socket.
    pub fn has_more(&self) -> bool {
        self.has_more
    }

    /// When something on the bad link is due to move; none for a good link.
    pub fn next_due(&self) -> Option<Duration> {
        let link = self.link.as_ref()?;
        [link.out.next_due(), link.back.next_due()].into_iter().flatten().min()
    }

    fn take_from_socket(&mut self, budget: usize, now: Duration, deliver: &mut dyn FnMut(&[u8])) {
        let mut buffer = [0; 2_048];
        for _ in 0..budget {
            let length = match self.socket.recv(&mut buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // Nobody listens there, yet or any more: netcode's timeouts decide.
                Err(error) if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset) => {
                    continue;
                }
                Err(error) => {
                    if error.kind() != ErrorKind::WouldBlock {
                        self.broken = Some(error.kind());
                    }
                    self.has_more = false;
                    return;
                }
            };
            match &mut self.link {
                Some(link) => link.back.push(now, buffer[..length].to_vec()),
                None => self.take_packet(now, &mut buffer[..length], deliver),
            }
        }
        self.has_more = true;
    }

    fn take_packet(&mut self, now: Duration, packet: &mut [u8], deliver: &mut dyn FnMut(&[u8])) {
        self.traffic.datagrams_in += 1;
        self.traffic.bytes_in += packet.len() as u64;
        // What is not the server's, or comes twice, is none of our business.
        if let Ok(Heard::Payload(payload)) = self.netcode.receive(now, packet) {
            deliver(payload);
        }
    }

    /// Turns to the server that is to be asked now, when it is another one than before.
    fn follow_server(&mut self) {
        let server = self.netcode.server();
        if server != self.server {
            self.server = server;
            if let Err(error) = self.socket.connect(server) {
                self.broken = Some(error.kind());
            }
        }
    }
}

/// A socket for one server.
fn open_socket(server: SocketAddr) -> std::io::Result<UdpSocket> {
    let any: SocketAddr =
        if server.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(any)?;
    socket.connect(server)?;
    Ok(socket)
}

/// Sends a packet over the bad link or the good one. A free function, for `packet` mostly lives in another field.
fn send_packet(socket: &UdpSocket, link: &mut Option<Link>, traffic: &mut Traffic, now: Duration, packet: &[u8]) {
    traffic.datagrams_out += 1;
    traffic.bytes_out += packet.len() as u64;
    match link {
        Some(link) => link.out.push(now, packet.to_vec()),
        // A datagram that cannot be sent is a lost one.
        None => drop(socket.send(packet)),
    }
}

impl ClientTransport for UdpTransport {
    fn receive(&mut self, now: Duration, deliver: &mut dyn FnMut(&[u8])) {
        self.take_from_socket(RECEIVE_BUDGET, now, deliver);
        while let Some((_, mut packet)) = self.link.as_mut().and_then(|link| link.back.pop_due(now)) {
            self.take_packet(now, &mut packet, deliver);
        }
        while let Some((_, packet)) = self.link.as_mut().and_then(|link| link.out.pop_due(now)) {
            drop(self.socket.send(&packet));
        }
        self.netcode.check_timeouts(now);
        self.follow_server();
        self.repair(now);
        if let Some(packet) = self.netcode.update(now) {
            send_packet(&self.socket, &mut self.link, &mut self.traffic, now, packet);
        }
    }

    fn send(&mut self, now: Duration, datagram: &[u8]) {
        if let Some(packet) = self.netcode.payload(now, &[datagram]) {
            send_packet(&self.socket, &mut self.link, &mut self.traffic, now, packet);
        }
    }

    fn status(&self) -> TransportStatus {
        if let Some(kind) = self.failure {
            TransportStatus::Disconnected(TransportEnd::Socket(kind))
        } else if let Some(end) = self.netcode.end() {
            TransportStatus::Disconnected(end.into())
        } else if self.netcode.is_connected() {
            TransportStatus::Connected
        } else {
            TransportStatus::Connecting
        }
    }

    fn disconnect(&mut self, now: Duration) {
        let UdpTransport { socket, link, traffic, netcode, .. } = self;
        netcode.disconnect(|packet| send_packet(socket, link, traffic, now, packet));
    }

    fn traffic(&self) -> Traffic {
        self.traffic
    }

    fn moves(&self) -> u32 {
        self.moves
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::development_token;

    #[test]
    fn what_one_receiving_leaves_in_the_socket_is_told_and_taken_by_the_next() {
        let server = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a port");
        let address = server.local_addr().expect("it is bound");
        let token = development_token(address, 1).expect("loopback is allowed");
        let mut transport = UdpTransport::connect(token, Duration::ZERO).expect("loopback has a port");
        transport.receive(Duration::ZERO, &mut |_| {});
        assert!(!transport.has_more(), "nothing was sent");
        let (_, client) = server.recv_from(&mut [0; 2_048]).expect("netcode asks for a connection at once");
        for _ in 0..25 {
            server.send_to(&[0; 18], client).expect("loopback takes it");
        }
        for taken in [10, 20] {
            transport.take_from_socket(10, Duration::ZERO, &mut |_| {});
            assert_eq!((transport.traffic().datagrams_in, transport.has_more()), (taken, true));
        }
        transport.receive(Duration::ZERO, &mut |_| {});
        assert_eq!((transport.traffic().datagrams_in, transport.has_more()), (25, false));
    }
}
