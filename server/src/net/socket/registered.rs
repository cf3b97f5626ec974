//! Waiting with what the system has instead of `poll`, by way of `mio`.

use std::io;
use std::time::Duration;

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token, Waker};

const SOCKET: Token = Token(0);
const BELL: Token = Token(1);

/// What a thread waits with for its socket and for other threads.
#[derive(Debug)]
pub(super) struct Waiter {
    poll: Poll,
    events: Events,
}

/// Ends a wait from another thread.
#[derive(Debug)]
pub(super) struct Bell(Waker);

impl Waiter {
    pub(super) fn new(socket: &mut UdpSocket) -> io::Result<Waiter> {
        let poll = Poll::new()?;
        poll.registry().register(socket, SOCKET, Interest::READABLE)?;
        Ok(Waiter { poll, events: Events::with_capacity(8) })
    }

    /// The only one: there cannot be two.
    pub(super) fn bell(&self) -> io::Result<Bell> {
        Waker::new(self.poll.registry(), BELL).map(Bell)
    }

    pub(super) fn wait(&mut self, _socket: &UdpSocket, longest: Duration) {
        // An interrupted wait is a short one.
        let _ = self.poll.poll(&mut self.events, Some(longest));
    }
}

impl Bell {
    /// A bell that fails to ring only delays what it is rung for until the next look.
    pub(super) fn ring(&self) {
        let _ = self.0.wake();
    }
}
