//! A network thread: one port, one socket, one mailbox.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use throng_shared::limits::LINGER_MS;

use super::connections::Connections;
use super::inbound::NetInbound;
use super::mailbox::Mailbox;
use super::socket::SocketWaker;
use super::udp::UdpTransport;
use crate::batch::OutboundShard;
use crate::clock::Clock;

/// Snapshots that are sealed and sent in one go; then it is looked whether something has arrived.
const FRAMES_AT_ONCE: usize = 256;

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
        .spawn(move || run(&mut Connections::new(transport), &shared, &*clock, spread))?;
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

/// A shard that is being sent.
struct Sending {
    shard: OutboundShard,
    began: Duration,
    /// Snapshots sent so far.
    sent: usize,
}

impl Sending {
    /// How many snapshots are to be out at `now`.
    fn wanted(&self, now: Duration, spread: Duration) -> usize {
        let count = self.shard.frame_count();
        let elapsed = now.saturating_sub(self.began);
        if elapsed >= spread {
            return (self.sent + FRAMES_AT_ONCE).min(count);
        }
        let share = elapsed.as_secs_f64() / spread.as_secs_f64();
        ((count as f64 * share) as usize + 1).clamp(self.sent, (self.sent + FRAMES_AT_ONCE).min(count))
    }
}

/// After a look at an emptied socket the next is not sooner, unless something is to be sent: what arrives meanwhile is taken in
/// one go. At tens of thousands of datagrams a second, waking up for each costs more than all that is done with it; to an input
/// that waits for its tick, a millisecond is nothing.
const RECEIVE_PAUSE: Duration = Duration::from_millis(1);

/// Windows may take sixteen times as long for it.
const PAUSES: bool = !cfg!(windows);

/// Shortest wait that can be had on every system.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

fn run(connections: &mut Connections<UdpTransport>, mailbox: &Mailbox, clock: &dyn Clock, spread: Duration) {
    let mut inbound = NetInbound::default();
    let mut sending: Option<Sending> = None;
    let mut finish_by: Option<Duration> = None;
    loop {
        let longest = match &sending {
            None => Duration::MAX,
            // Nothing is due yet, so time must pass.
            Some(sending) if sending.wanted(clock.now(), spread) == sending.sent => SHORTEST_WAIT,
            Some(_) => Duration::ZERO,
        };
        if PAUSES && sending.is_none() && connections.transport_mut().is_emptied() {
            // Ended by whoever posts something.
            std::thread::park_timeout(RECEIVE_PAUSE);
        }
        connections.transport_mut().wait(longest);
        connections.receive(clock.now(), &mut inbound);
        mailbox.deliver(&mut inbound);
        send_on(connections, mailbox, clock.now(), spread, &mut sending);
        if sending.is_none() && mailbox.is_finished() {
            let now = clock.now();
            connections.close_up();
            let finish_by = *finish_by.get_or_insert(now + Duration::from_millis(LINGER_MS));
            if connections.count() == 0 || now >= finish_by {
                connections.dismiss_all(now);
                return;
            }
        }
    }
}

/// Sends what is due of the shard at hand, or begins the next one.
fn send_on(
    connections: &mut Connections<UdpTransport>,
    mailbox: &Mailbox,
    now: Duration,
    spread: Duration,
    sending: &mut Option<Sending>,
) {
    loop {
        let mut current = match sending.take() {
            Some(current) => current,
            None => {
                let Some(shard) = mailbox.take_outbound() else { return };
                connections.begin(now, &shard);
                Sending { shard, began: now, sent: 0 }
            }
        };
        let wanted = current.wanted(now, spread);
        connections.send_frames(now, &current.shard, current.sent..wanted);
        current.sent = wanted;
        if current.sent < current.shard.frame_count() {
            *sending = Some(current);
            return;
        }
        connections.finish(now, &current.shard);
        mailbox.give_back(current.shard);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::ConnectionId;

    #[test]
    fn snapshots_are_spread_over_the_time_that_was_asked_for() {
        let mut shard = OutboundShard::default();
        let connection = ConnectionId { worker: 0, slot: 0, generation: 1 };
        (0..1_000).for_each(|_| shard.push_frame(connection, b"snapshot"));
        let mut sending = Sending { shard, began: Duration::from_secs(1), sent: 0 };
        let wanted = |sending: &Sending, at_ms, spread_ms| {
            sending.wanted(Duration::from_millis(at_ms), Duration::from_millis(spread_ms))
        };
        assert_eq!(wanted(&sending, 1_000, 0), FRAMES_AT_ONCE, "as fast as it goes, but not deaf");
        assert_eq!(wanted(&sending, 1_000, 20), 1);
        sending.sent = 1;
        assert_eq!(wanted(&sending, 1_002, 20), 101);
        sending.sent = 900;
        assert_eq!(wanted(&sending, 1_010, 20), 900, "ahead of its time");
        assert_eq!(wanted(&sending, 1_020, 20), 1_000);
    }
}
