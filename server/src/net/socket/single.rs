//! One datagram per call, for systems without a call for many.

use std::io;

use mio::net::UdpSocket;

use super::{BATCH, Batch};

/// Fills the batch; returns how many datagrams are in it.
pub(super) fn receive(socket: &UdpSocket, batch: &mut Batch) -> io::Result<usize> {
    for place in 0..BATCH {
        match socket.recv_from(&mut batch.buffers[place]) {
            Ok((length, address)) => (batch.lengths[place], batch.addresses[place]) = (length, address),
            Err(error) if place == 0 => return Err(error),
            Err(_) => return Ok(place),
        }
    }
    Ok(BATCH)
}

/// Sends the datagram at `start`; returns how many were sent.
pub(super) fn send(socket: &UdpSocket, batch: &mut Batch, start: usize) -> io::Result<usize> {
    socket.send_to(&batch.buffers[start][..batch.lengths[start]], batch.addresses[start]).map(|_| 1)
}
