//! A network thread: one port, one socket, one mailbox.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use throng_shared::limits::LINGER_MS;

use super::exchange::Exchange;
use super::mailbox::Mailbox;
use super::socket::SocketWaker;
use super::udp::UdpTransport;
use crate::batch::OutboundShard;
use crate::clock::Clock;

/// A running network thread.
#[derive(Debug)]
pub struct NetWorker {
    /// Where it listens.
    pub address: SocketAddr,
    mailbox: Arc<Mailbox>,
    waker: SocketWaker,
    thread: JoinHandle<()>,
}

/// Starts the network thread `number` over an open socket. The snapshots of a tick are spread over `spread`; zero sends them
/// as fast as it goes.
///
/// # Errors
/// When the operating system grants no thread or no waker.
pub fn spawn_worker(
    number: u16,
    transport: UdpTransport,
    clock: Arc<dyn Clock>,
    spread: Duration,
) -> std::io::Result<NetWorker> {
    let (address, waker) = (transport.local_address(), transport.waker()?);
    let mailbox = Arc::new(Mailbox::default());
    let shared = Arc::clone(&mailbox);
    let thread = std::thread::Builder::new()
        .name(format!("net-{number}"))
        .spawn(move || run(Exchange::new(transport, spread), &shared, &*clock))?;
    Ok(NetWorker { address, mailbox, waker, thread })
}

impl NetWorker {
    /// Where the tick thread meets it.
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// The same, for whoever does not keep the worker.
    #[cfg(test)]
    pub(crate) fn shared_mailbox(&self) -> Arc<Mailbox> {
        Arc::clone(&self.mailbox)
    }

    /// Whether the thread still runs; it ends by itself only by a panic.
    pub fn is_alive(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Hands over what is to be sent now; gets an empty shard in its place.
    pub fn post(&self, shard: &mut OutboundShard) {
        self.mailbox.post(shard);
        self.wake();
    }

    fn wake(&self) {
        // From its pause, and from its wait.
        self.thread.thread().unpark();
        self.waker.wake();
    }

    /// Nothing more will be posted: the thread sends what is left and ends when nobody is connected any more, or a second later. Whoever comes
    /// meanwhile is told that the server is stopping.
    pub fn close(&self) {
        self.mailbox.close();
        self.wake();
    }

    /// Waits until the thread, which was closed, has ended.
    pub fn finish(self) {
        // A panic there has been reported where it happened.
        let _ = self.thread.join();
    }
}

/// After a look at an emptied socket the next is not sooner, unless something is to be sent: what arrives meanwhile is taken in
/// one go. At tens of thousands of datagrams a second, waking up for each costs more than all that is done with it; to an input
/// that waits for its tick, a millisecond is nothing.
const RECEIVE_PAUSE: Duration = Duration::from_millis(1);

/// Windows may take sixteen times as long for it.
const PAUSES: bool = !cfg!(windows);

fn run(mut exchange: Exchange<UdpTransport>, mailbox: &Mailbox, clock: &dyn Clock) {
    let mut finish_by: Option<Duration> = None;
    loop {
        let longest = exchange.longest_wait(clock.now());
        let transport = exchange.connections_mut().transport_mut();
        if PAUSES && longest == Duration::MAX && transport.is_emptied() {
            // Ended by whoever posts something.
            std::thread::park_timeout(RECEIVE_PAUSE);
        }
        transport.wait(longest);
        exchange.turn(mailbox, clock);
        if exchange.is_finished(mailbox) {
            let (now, connections) = (clock.now(), exchange.connections_mut());
            connections.close_up();
            let finish_by = *finish_by.get_or_insert(now + Duration::from_millis(LINGER_MS));
            if connections.count() == 0 || now >= finish_by {
                connections.dismiss_all(now);
                return;
            }
        }
    }
}
