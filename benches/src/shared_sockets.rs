//! Sockets that many clients share, each of whom has an address of its own in the loopback network.
//!
//! Where both ends are on one machine, a sender's system call goes on until the datagram lies in its receiver's socket. With a socket for each
//! client it would pay for finding one of thousands that are in no cache, as no server does whose clients are elsewhere.

use std::io::IoSliceMut;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};

/// Clients of one socket; as many datagrams have room in any socket's buffer.
const CLIENTS_PER_SOCKET: usize = 64;

/// The first of their addresses is 127.0.0.2; servers have the one before.
const FIRST_ADDRESS: usize = 2;

/// Most bytes that are received at once: a system may hand over several datagrams behind one another.
const DATAGRAM_BYTES_MAX: usize = 1 << 16;

/// Sockets of clients that are known by their places, from 0 on.
pub(crate) struct SharedSockets {
    sockets: Vec<SharedSocket>,
    buffers: Vec<Box<[u8]>>,
}

struct SharedSocket {
    socket: UdpSocket,
    state: UdpSocketState,
    port: u16,
}

impl SharedSockets {
    /// Nobody yet.
    pub(crate) fn new() -> SharedSockets {
        SharedSockets { sockets: Vec::new(), buffers: vec![vec![0; DATAGRAM_BYTES_MAX].into_boxed_slice(); BATCH_SIZE] }
    }

    /// Has sockets for so many clients, if it has not yet.
    ///
    /// # Errors
    /// When the system has no more.
    pub(crate) fn grow_to(&mut self, clients: usize) -> anyhow::Result<()> {
        while self.sockets.len() * CLIENTS_PER_SOCKET < clients {
            // Of all addresses, for it is to receive at many; only those of the loopback network are ever sent from.
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
            let (state, port) = (UdpSocketState::new((&socket).into())?, socket.local_addr()?.port());
            self.sockets.push(SharedSocket { socket, state, port });
        }
        Ok(())
    }

    /// Where a client receives.
    pub(crate) fn address(&self, place: usize) -> SocketAddr {
        SocketAddr::new(ip_of(place), self.sockets[place / CLIENTS_PER_SOCKET].port)
    }

    /// Sends a client's datagram. What the system does not take is lost.
    pub(crate) fn send(&self, place: usize, to: SocketAddr, contents: &[u8]) {
        let SharedSocket { socket, state, .. } = &self.sockets[place / CLIENTS_PER_SOCKET];
        let transmit =
            Transmit { destination: to, ecn: None, contents, segment_size: None, src_ip: Some(ip_of(place)) };
        let _ = state.try_send(socket.into(), &transmit);
    }

    /// Calls `each` with every datagram that has arrived, and whose it is.
    pub(crate) fn receive(&mut self, mut each: impl FnMut(usize, &mut [u8])) {
        let SharedSockets { sockets, buffers } = self;
        for (number, SharedSocket { socket, state, .. }) in sockets.iter().enumerate() {
            loop {
                let mut metas = [RecvMeta::default(); BATCH_SIZE];
                let mut slices = buffers.iter_mut().map(|buffer| IoSliceMut::new(buffer));
                let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
                    std::array::from_fn(|_| slices.next().expect("there is a buffer for each"));
                let Ok(count) = state.recv(socket.into(), &mut slices, &mut metas) else { break };
                for (meta, buffer) in metas[..count].iter().zip(buffers.iter_mut()) {
                    let Some(client) = client_at(meta.dst_ip).filter(|_| meta.addr.ip().is_loopback()) else {
                        continue;
                    };
                    // Several of one sender may lie behind one another, all of a length but the last.
                    let datagrams = buffer[..meta.len].chunks_mut(meta.stride.max(1));
                    datagrams.for_each(|datagram| each(number * CLIENTS_PER_SOCKET + client, datagram));
                }
                if count < BATCH_SIZE {
                    break;
                }
            }
        }
    }
}

/// Which client of a socket has an address.
fn client_at(ip: Option<IpAddr>) -> Option<usize> {
    let Some(IpAddr::V4(ip)) = ip else { return None };
    let [127, 0, 0, last] = ip.octets() else { return None };
    usize::from(last).checked_sub(FIRST_ADDRESS).filter(|&client| client < CLIENTS_PER_SOCKET)
}

/// The address of a client.
fn ip_of(place: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, (FIRST_ADDRESS + place % CLIENTS_PER_SOCKET) as u8))
}
