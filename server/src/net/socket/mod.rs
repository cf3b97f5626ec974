//! A UDP socket that takes and hands over many datagrams with one call, where the system has such a call.
//!
//! | module | does |
//! |---|---|
//! | `many` | `recvmmsg` and `sendmmsg` on Linux: the only place in the server that is `unsafe` |
//! | `single` | one datagram per call, elsewhere |
//! | `polled` | waits for datagrams or another thread on Linux |
//! | `registered` | the same elsewhere |

#[cfg(target_os = "linux")]
mod many;
#[cfg(target_os = "linux")]
mod polled;
#[cfg(any(not(target_os = "linux"), test))]
mod registered;
#[cfg(any(not(target_os = "linux"), test))]
mod single;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::UdpSocket;
use throng_shared::netcode::PACKET_BYTES_MAX;

#[cfg(target_os = "linux")]
use {many as calls, polled as waits};
#[cfg(not(target_os = "linux"))]
use {registered as waits, single as calls};

/// Most datagrams per call.
pub const BATCH: usize = 64;

/// Room for each datagram: a longer one than any packet of ours is cut, and then refused for its length.
const DATAGRAM_ROOM: usize = 1_408;

/// Size asked of the operating system for each socket buffer; its default holds some 140 clients' inputs.
const SOCKET_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// How long is waited, and how often for one batch, while the system's send buffer is full; then what is left is dropped.
const FULL_BUFFER_WAIT: Duration = Duration::from_micros(200);
const FULL_BUFFER_WAITS_MAX: u32 = 10;

/// Datagrams in one direction, each with an address.
pub struct Batch {
    buffers: Box<[[u8; DATAGRAM_ROOM]]>,
    lengths: [usize; BATCH],
    addresses: [SocketAddr; BATCH],
    count: usize,
    /// Whether the last look left nothing in the socket.
    is_emptied: bool,
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Batch").field("count", &self.count).finish_non_exhaustive()
    }
}

impl Default for Batch {
    fn default() -> Self {
        Batch {
            buffers: vec![[0; DATAGRAM_ROOM]; BATCH].into(),
            lengths: [0; BATCH],
            addresses: [SocketAddr::from(([0, 0, 0, 0], 0)); BATCH],
            count: 0,
            is_emptied: false,
        }
    }
}

impl Batch {
    /// The datagrams, each with its address.
    pub fn datagrams(&mut self) -> impl Iterator<Item = (SocketAddr, &mut [u8])> {
        let buffers = self.buffers.iter_mut().zip(self.lengths).map(|(buffer, length)| &mut buffer[..length]);
        self.addresses.iter().copied().zip(buffers).take(self.count)
    }

    /// Their addresses.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses[..self.count]
    }

    /// Whether the look that has filled it left nothing in the socket.
    pub(crate) fn is_emptied(&self) -> bool {
        self.is_emptied
    }

    /// Whether there is no room for another datagram.
    pub fn is_full(&self) -> bool {
        self.count == BATCH
    }

    /// Adds what `write` writes over the beginning of a buffer, when it says where that goes and how long it is. There must
    /// be room.
    pub fn push_with(&mut self, write: impl FnOnce(&mut [u8]) -> Option<(SocketAddr, usize)>) {
        if let Some((address, length)) = write(&mut self.buffers[self.count]) {
            (self.addresses[self.count], self.lengths[self.count]) = (address, length);
            self.count += 1;
        }
    }

    /// Adds a packet. There must be room.
    pub fn push(&mut self, address: SocketAddr, packet: &[u8]) {
        self.push_with(|buffer| {
            buffer[..packet.len()].copy_from_slice(packet);
            Some((address, packet.len()))
        });
    }
}

/// A bound UDP socket that does not block.
#[derive(Debug)]
pub struct DatagramSocket {
    /// As the operating system has it.
    pub socket: UdpSocket,
    waiter: waits::Waiter,
    /// Size of the receive buffer that the operating system granted, in bytes.
    pub receive_buffer_bytes: usize,
}

impl DatagramSocket {
    /// Opens a socket.
    ///
    /// # Errors
    /// When the address is not to be had.
    pub fn bind(address: SocketAddr) -> io::Result<DatagramSocket> {
        let domain = socket2::Domain::for_address(address);
        let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, Some(socket2::Protocol::UDP))?;
        // A system may grant less than what is asked; what it granted is told to the operator.
        let _ = socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
        let _ = socket.set_send_buffer_size(SOCKET_BUFFER_BYTES);
        let receive_buffer_bytes = socket.recv_buffer_size()?;
        socket.set_nonblocking(true)?;
        keep_whole(&socket);
        socket.bind(&address.into())?;
        let mut socket = UdpSocket::from_std(socket.into());
        let waiter = waits::Waiter::new(&mut socket)?;
        Ok(DatagramSocket { socket, waiter, receive_buffer_bytes })
    }

    /// Something that ends a [`DatagramSocket::wait`] from another thread, or the next one when nobody waits. Can be asked for once.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn waker(&self) -> io::Result<SocketWaker> {
        self.waiter.bell().map(SocketWaker)
    }

    /// Waits until a datagram has arrived, somebody wakes us, or `longest` is over. On some systems datagrams that an earlier wait
    /// has told of, but nobody has taken since, are not waited for again.
    pub fn wait(&mut self, longest: Duration) {
        self.waiter.wait(&self.socket, longest);
    }

    /// Takes what has arrived, up to a batch of it.
    ///
    /// # Errors
    /// `WouldBlock` when nothing has, or what the operating system says.
    pub fn receive(&self, batch: &mut Batch) -> io::Result<usize> {
        batch.count = 0;
        batch.count = calls::receive(&self.socket, batch)?;
        Ok(batch.count)
    }

    /// Sends a batch and empties it; returns how many of its datagrams the operating system did not take. Those are lost,
    /// as any may be on their way.
    pub fn send(&self, batch: &mut Batch) -> usize {
        let (mut start, mut failed, mut waits) = (0, 0, 0);
        while start < batch.count {
            match calls::send(&self.socket, batch, start) {
                Ok(sent) if sent > 0 => start += sent,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The buffer is full. It empties as fast as the network takes it, so a moment's wait is worth it: those at the
                // end of a tick's snapshots are always the same.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if waits == FULL_BUFFER_WAITS_MAX {
                        failed += batch.count - start;
                        break;
                    }
                    waits += 1;
                    std::thread::sleep(FULL_BUFFER_WAIT);
                }
                Err(error) if send_in_pieces(&self.socket, batch, start, &error) => start += 1,
                // This one cannot be sent, or an earlier one came back; others may be.
                _ => (start, failed) = (start + 1, failed + 1),
            }
        }
        batch.count = 0;
        failed
    }
}

/// Ends a wait for a socket from another thread.
#[derive(Debug)]
pub struct SocketWaker(waits::Bell);

impl SocketWaker {
    /// Ends the wait, or the next one.
    pub fn wake(&self) {
        self.0.ring();
    }
}

/// Has datagrams travel whole over IPv4: the system then need not number them for whoever would put their pieces together. IPv6 numbers
/// nothing anyway.
#[cfg(target_os = "linux")]
fn keep_whole(socket: impl std::os::fd::AsFd) {
    use rustix::net::sockopt::{Ipv4PathMtuDiscovery, set_ip_mtu_discover};
    // Where the system refuses, it does as it always did.
    let _ = set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::DO);
}

/// Sends the datagram at `start` in pieces when that is what it was not sent for: the path is known to be too narrow for it. Few are.
#[cfg(target_os = "linux")]
fn send_in_pieces(socket: &UdpSocket, batch: &Batch, start: usize, refused: &io::Error) -> bool {
    use rustix::net::sockopt::{Ipv4PathMtuDiscovery, set_ip_mtu_discover};
    if refused.raw_os_error() != Some(libc::EMSGSIZE) {
        return false;
    }
    let _ = set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::WANT);
    let sent = socket.send_to(&batch.buffers[start][..batch.lengths[start]], batch.addresses[start]);
    keep_whole(socket);
    sent.is_ok()
}

/// Elsewhere the system does as it always did.
#[cfg(not(target_os = "linux"))]
fn keep_whole(_socket: &socket2::Socket) {}

/// Elsewhere it does so by itself.
#[cfg(not(target_os = "linux"))]
fn send_in_pieces(_socket: &UdpSocket, _batch: &Batch, _start: usize, _refused: &io::Error) -> bool {
    false
}

const _: () = assert!(PACKET_BYTES_MAX < DATAGRAM_ROOM);

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(address: &str) -> (DatagramSocket, SocketAddr) {
        let socket = DatagramSocket::bind(address.parse().expect("an address")).expect("a port is to be had");
        let address = socket.socket.local_addr().expect("it is bound");
        (socket, address)
    }

    type Receive = fn(&UdpSocket, &mut Batch) -> io::Result<usize>;
    type Send = fn(&UdpSocket, &mut Batch, usize) -> io::Result<usize>;

    fn datagrams_come_over(address: &str, send: Send, receive: Receive) {
        let ((here, here_at), (there, there_at)) = (socket(address), socket(address));
        let mut batch = Batch::default();
        for number in 0..BATCH {
            assert!(!batch.is_full());
            batch.push(there_at, &vec![number as u8; 1 + number * 20]);
        }
        assert!(batch.is_full());
        let mut start = 0;
        while start < batch.count {
            start += send(&here.socket, &mut batch, start).expect("loopback takes them");
        }
        let (mut arrived, mut batch) = (0, Batch::default());
        while arrived < BATCH {
            match receive(&there.socket, &mut batch) {
                Ok(count) => batch.count = count,
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                    continue;
                }
            }
            for (from, bytes) in batch.datagrams() {
                assert_eq!((from, bytes.len()), (here_at, 1 + arrived * 20));
                assert!(bytes.iter().all(|&byte| byte == arrived as u8));
                arrived += 1;
            }
        }
        let nothing = receive(&there.socket, &mut batch).expect_err("nothing more was sent");
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_batch_comes_over_whole_and_in_order_by_every_kind_of_call() {
        let v6 = std::net::UdpSocket::bind("[::1]:0").is_ok();
        for address in ["127.0.0.1:0", "[::1]:0"].into_iter().take(if v6 { 2 } else { 1 }) {
            datagrams_come_over(address, calls::send, calls::receive);
            datagrams_come_over(address, single::send, single::receive);
        }
    }

    /// Each of these waits would never end by itself.
    fn a_wait_ends(wait: &mut dyn FnMut(&UdpSocket), ring: &(dyn Fn() + Sync), socket: &UdpSocket) {
        let sender = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port is to be had");
        let address = socket.local_addr().expect("it is bound");
        for _ in 0..3 {
            // Rung before, even twice: it is not forgotten. Rung meanwhile, or a moment before.
            ring();
            ring();
            wait(socket);
            std::thread::scope(|scope| {
                scope.spawn(ring);
                wait(socket);
            });
            sender.send_to(&[1], address).expect("loopback is there");
            wait(socket);
            while socket.recv(&mut [0; 8]).is_ok() {}
        }
    }

    #[test]
    fn a_wait_is_ended_by_a_datagram_and_by_a_bell_of_every_kind() {
        let socket = || UdpSocket::bind("127.0.0.1:0".parse().expect("an address")).expect("a port is to be had");
        let mut here = socket();
        let mut waiter = waits::Waiter::new(&mut here).expect("the system has one");
        let bell = waiter.bell().expect("the system has one");
        a_wait_ends(&mut |socket| waiter.wait(socket, Duration::MAX), &|| bell.ring(), &here);
        let mut here = socket();
        let mut waiter = registered::Waiter::new(&mut here).expect("the system has one");
        let bell = waiter.bell().expect("the system has one");
        a_wait_ends(&mut |socket| waiter.wait(socket, Duration::MAX), &|| bell.ring(), &here);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_goes_over_ipv4_travels_whole() {
        use rustix::net::sockopt::{Ipv4PathMtuDiscovery, ip_mtu_discover};
        let (socket, _) = socket("127.0.0.1:0");
        assert_eq!(ip_mtu_discover(&socket.socket).expect("the system tells"), Ipv4PathMtuDiscovery::DO);
    }

    /// Also where the loopback interface is too narrow for it, as `ip link set lo mtu 1000` in a network namespace makes it.
    #[test]
    fn the_longest_packet_arrives() {
        let ((here, _), (there, there_at)) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
        let mut batch = Batch::default();
        batch.push(there_at, &[1; 10]);
        batch.push(there_at, &[2; PACKET_BYTES_MAX]);
        batch.push(there_at, &[3; 10]);
        assert_eq!(here.send(&mut batch), 0);
        let mut arrived = Vec::new();
        while arrived.len() < 3 {
            if there.receive(&mut batch).is_ok() {
                arrived.extend(batch.datagrams().map(|(_, bytes)| (bytes[0], bytes.len())));
            }
        }
        assert_eq!(arrived, [(1, 10), (2, PACKET_BYTES_MAX), (3, 10)]);
    }

    #[test]
    fn a_datagram_that_cannot_be_sent_does_not_stop_the_others() {
        let ((here, _), (there, there_at)) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
        let mut batch = Batch::default();
        batch.push(there_at, b"first");
        batch.push("127.0.0.1:0".parse().expect("an address"), b"to no port");
        batch.push(there_at, b"last");
        assert_eq!(here.send(&mut batch), 1);
        let mut arrived = Vec::new();
        while arrived.len() < 2 {
            if there.receive(&mut batch).is_ok() {
                arrived.extend(batch.datagrams().map(|(_, bytes)| bytes.to_vec()));
            }
        }
        assert_eq!(arrived, [&b"first"[..], b"last"]);
    }
}
