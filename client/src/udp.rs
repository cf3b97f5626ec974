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

/// See the module's documentation.
#[derive(Debug)]
pub struct UdpTransport {
    socket: UdpSocket,
    netcode: Box<NetcodeClient>,
    /// The server that the socket is connected to: one of those that the token names.
    server: SocketAddr,
    link: Option<Link>,
    traffic: Traffic,
    has_more: bool,
    /// What went wrong with the socket itself.
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
        let any: SocketAddr =
            if server.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
        let socket = UdpSocket::bind(any)?;
        socket.connect(server)?;
        Ok(UdpTransport {
            socket,
            netcode: Box::new(netcode),
            server,
            link: None,
            traffic: Traffic::default(),
            has_more: false,
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
        registry.register(&mut self.socket, token, Interest::READABLE)
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
                        self.failure = Some(error.kind());
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
                self.failure = Some(error.kind());
            }
        }
    }
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
