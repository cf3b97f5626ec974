//! One datagram per call, for systems without a call for many.

use std::io;
use std::net::SocketAddr;

use mio::net::UdpSocket;

use super::{BATCH, Batch};

/// Fills the batch; returns how many datagrams are in it.
pub(super) fn receive(socket: &UdpSocket, batch: &mut Batch) -> io::Result<usize> {
    receive_with(batch, |buffer| socket.recv_from(buffer))
}

/// The same with any way to receive one.
///
/// Some systems report here that an earlier datagram could not be delivered, or that one was too long, which anybody can bring about: more wait behind
/// that. Only when nothing but errors has come, the last is returned, for a socket may be broken for good.
fn receive_with(
    batch: &mut Batch,
    mut receive_one: impl FnMut(&mut [u8]) -> io::Result<(usize, SocketAddr)>,
) -> io::Result<usize> {
    let (mut count, mut last_error) = (0, None);
    batch.is_emptied = false;
    for _ in 0..BATCH {
        match receive_one(&mut batch.buffers[count]) {
            Ok((length, address)) => {
                (batch.lengths[count], batch.addresses[count]) = (length, address);
                count += 1;
            }
            Err(error) => {
                batch.is_emptied = error.kind() == io::ErrorKind::WouldBlock;
                last_error = Some(error);
                if batch.is_emptied {
                    break;
                }
            }
        }
    }
    last_error.filter(|_| count == 0).map_or(Ok(count), Err)
}

/// Sends the datagram at `start`; returns how many were sent.
pub(super) fn send(socket: &UdpSocket, batch: &mut Batch, start: usize) -> io::Result<usize> {
    socket.send_to(&batch.buffers[start][..batch.lengths[start]], batch.addresses[start]).map(|_| 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;

    fn receive_all(script: &[Result<usize, ErrorKind>]) -> (Result<usize, ErrorKind>, bool) {
        let mut batch = Batch::default();
        let mut script = script.iter();
        let result = receive_with(&mut batch, |_| match script.next() {
            Some(Ok(length)) => Ok((*length, SocketAddr::from(([127, 0, 0, 1], 9)))),
            Some(Err(kind)) => Err((*kind).into()),
            None => Err(ErrorKind::WouldBlock.into()),
        });
        (result.map_err(|error| error.kind()), batch.is_emptied)
    }

    #[test]
    fn what_could_not_be_delivered_or_was_too_long_hides_nothing_behind_it() {
        const RESET: Result<usize, ErrorKind> = Err(ErrorKind::ConnectionReset);
        const TOO_LONG: Result<usize, ErrorKind> = Err(ErrorKind::Other);
        assert_eq!(receive_all(&[Ok(3), RESET, Ok(4), TOO_LONG, Ok(5)]), (Ok(3), true));
        assert_eq!(receive_all(&[RESET, Ok(4)]), (Ok(1), true));
        assert_eq!(receive_all(&[Ok(1); BATCH]), (Ok(BATCH), false));
        let flooded: Vec<_> = [TOO_LONG; BATCH - 1].into_iter().chain([Ok(9)]).collect();
        assert_eq!(receive_all(&flooded), (Ok(1), false), "there may be more");
        assert_eq!(receive_all(&[]), (Err(ErrorKind::WouldBlock), true));
        assert_eq!(receive_all(&[TOO_LONG; BATCH]), (Err(ErrorKind::Other), false));
    }
}
