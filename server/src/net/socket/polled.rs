//! Waiting with `poll`, which leaves nothing behind at the socket once it is over.
//!
//! A socket that is registered for readiness wakes whoever registered it for each datagram that it has got rid of, although
//! nobody waits for room: a fiftieth of all that a network thread does.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use mio::net::UdpSocket;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

/// What a thread waits with for its socket and for other threads.
#[derive(Debug)]
pub(super) struct Waiter {
    bell: Arc<OwnedFd>,
}

/// Ends a wait from another thread.
#[derive(Debug)]
pub(super) struct Bell(Arc<OwnedFd>);

impl Waiter {
    pub(super) fn new(_socket: &mut UdpSocket) -> io::Result<Waiter> {
        let bell = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        Ok(Waiter { bell: Arc::new(bell) })
    }

    pub(super) fn bell(&self) -> io::Result<Bell> {
        Ok(Bell(Arc::clone(&self.bell)))
    }

    pub(super) fn wait(&mut self, socket: &UdpSocket, longest: Duration) {
        let timeout = Timespec::try_from(longest).ok();
        let mut watched = [PollFd::new(socket, PollFlags::IN), PollFd::new(&self.bell, PollFlags::IN)];
        // An interrupted wait is a short one.
        let _ = poll(&mut watched, timeout.as_ref());
        if !watched[1].revents().is_empty() {
            let _ = rustix::io::read(&self.bell, &mut [0; 8]);
        }
    }
}

impl Bell {
    /// A bell that has been rung so often that no more goes in rings anyway.
    pub(super) fn ring(&self) {
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }
}
