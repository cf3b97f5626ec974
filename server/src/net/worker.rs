//! The network thread.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use mio::Waker;
use throng_shared::limits::LINGER_MS;

use super::connections::Connections;
use super::inbound::NetInbound;
use super::mailbox::Mailbox;
use super::udp::UdpTransport;
use crate::batch::OutboundBatch;
use crate::clock::Clock;

/// A running network thread.
#[derive(Debug)]
pub struct NetWorker {
    /// Where it listens.
    pub address: SocketAddr,
    mailbox: Arc<Mailbox>,
    waker: Waker,
    thread: JoinHandle<()>,
}

/// Starts the network thread over an open socket.
///
/// # Errors
/// When the operating system grants no thread or no waker.
pub fn spawn_worker(transport: UdpTransport, clock: Arc<dyn Clock>) -> std::io::Result<NetWorker> {
    let (address, waker) = (transport.local_address(), transport.waker()?);
    let mailbox = Arc::new(Mailbox::default());
    let shared = Arc::clone(&mailbox);
    let thread = std::thread::Builder::new()
        .name("net-0".to_owned())
        .spawn(move || run(&mut Connections::new(transport), &shared, &*clock))?;
    Ok(NetWorker { address, mailbox, waker, thread })
}

impl NetWorker {
    /// Where the tick thread meets it.
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// Whether the thread still runs; it ends by itself only by a panic.
    pub fn is_alive(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Hands a batch over to be sent now.
    pub fn post(&self, batch: &mut OutboundBatch) {
        self.mailbox.post(batch);
        // A wake that fails only delays the batch until the thread's next look.
        let _ = self.waker.wake();
    }

    /// Sends what was posted, waits a moment for goodbyes to be acknowledged, and ends the thread.
    pub fn finish(self) {
        self.mailbox.close();
        let _ = self.waker.wake();
        // A panic there has been reported where it happened.
        let _ = self.thread.join();
    }
}

fn run(connections: &mut Connections<UdpTransport>, mailbox: &Mailbox, clock: &dyn Clock) {
    let mut inbound = NetInbound::default();
    let mut finish_by: Option<Duration> = None;
    loop {
        connections.transport_mut().wait();
        connections.receive(clock.now(), &mut inbound);
        mailbox.deliver(&mut inbound);
        while let Some(batch) = mailbox.take_outbound() {
            connections.send(clock.now(), &batch);
            mailbox.give_back(batch);
        }
        if mailbox.is_finished() {
            let now = clock.now();
            let finish_by = *finish_by.get_or_insert(now + Duration::from_millis(LINGER_MS + 200));
            if connections.count() == 0 || now >= finish_by {
                return;
            }
            connections.send(now, &OutboundBatch::default());
        }
    }
}
