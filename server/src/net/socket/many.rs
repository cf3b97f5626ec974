//! Many datagrams per call: `recvmmsg` and `sendmmsg`.
//!
//! Each call is described by arrays that live for the call alone and point into the batch, which is borrowed for as long.
#![expect(unsafe_code, reason = "no safe library offers recvmmsg without an allocation for each call")]

use std::io;
use std::mem::size_of;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::AsRawFd;
use std::ptr::null_mut;

use libc::{c_int, c_uint, iovec, mmsghdr, msghdr, sockaddr_in, sockaddr_in6};
use mio::net::UdpSocket;

use super::{BATCH, Batch, DATAGRAM_ROOM};

/// An address as the system has it: of either kind, told apart by the family, which both have at the same place.
#[derive(Clone, Copy)]
#[repr(C)]
union Name {
    v4: sockaddr_in,
    v6: sockaddr_in6,
}

const V4_BYTES: u32 = size_of::<sockaddr_in>() as u32;
const V6_BYTES: u32 = size_of::<sockaddr_in6>() as u32;

/// Fills the batch; returns how many datagrams are in it.
pub(super) fn receive(socket: &UdpSocket, batch: &mut Batch) -> io::Result<usize> {
    let mut names = [NO_NAME; BATCH];
    let mut vectors: [iovec; BATCH] = std::array::from_fn(|place| iovec {
        iov_base: batch.buffers[place].as_mut_ptr().cast(),
        iov_len: DATAGRAM_ROOM,
    });
    let (names_at, vectors_at) = (names.as_mut_ptr(), vectors.as_mut_ptr());
    let mut headers: [mmsghdr; BATCH] = std::array::from_fn(|place| header(names_at, vectors_at, place, V6_BYTES));
    let none = null_mut::<libc::timespec>();
    // SAFETY: there are BATCH headers; each points to a name and to a vector of the arrays above, which outlive the call and
    // are not moved, and each vector to a buffer of DATAGRAM_ROOM bytes that the borrowed batch owns.
    let result = unsafe {
        libc::recvmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), BATCH as c_uint, libc::MSG_DONTWAIT as _, none)
    };
    batch.is_emptied = true;
    let count = counted(result)?;
    batch.is_emptied = count < BATCH;
    for (place, header) in headers[..count].iter().enumerate() {
        batch.lengths[place] = (header.msg_len as usize).min(DATAGRAM_ROOM);
        batch.addresses[place] = address(&names[place]);
    }
    Ok(count)
}

/// Sends the datagrams from `start` on; returns how many were sent.
pub(super) fn send(socket: &UdpSocket, batch: &mut Batch, start: usize) -> io::Result<usize> {
    let count = batch.count - start;
    let mut names = [NO_NAME; BATCH];
    let mut sizes = [0; BATCH];
    for place in 0..count {
        (names[place], sizes[place]) = name(&batch.addresses[start + place]);
    }
    let mut vectors: [iovec; BATCH] = std::array::from_fn(|place| {
        let from = (start + place).min(BATCH - 1);
        iovec { iov_base: batch.buffers[from].as_mut_ptr().cast(), iov_len: batch.lengths[from].min(DATAGRAM_ROOM) }
    });
    let (names_at, vectors_at) = (names.as_mut_ptr(), vectors.as_mut_ptr());
    let mut headers: [mmsghdr; BATCH] = std::array::from_fn(|place| header(names_at, vectors_at, place, sizes[place]));
    // SAFETY: as above; `count` is at most BATCH, and the first `count` names and vectors are those of datagrams.
    let result =
        unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count as c_uint, libc::MSG_DONTWAIT as _) };
    counted(result)
}

/// The header of the datagram at `place`, which is below [`BATCH`].
fn header(names: *mut Name, vectors: *mut iovec, place: usize, name_bytes: u32) -> mmsghdr {
    // SAFETY: a message header is plain data, for which all zeros are a value: no name, no vector, no control data.
    let mut hdr: msghdr = unsafe { std::mem::zeroed() };
    hdr.msg_name = names.wrapping_add(place).cast();
    hdr.msg_namelen = name_bytes;
    hdr.msg_iov = vectors.wrapping_add(place);
    hdr.msg_iovlen = 1;
    mmsghdr { msg_hdr: hdr, msg_len: 0 }
}

fn counted(result: c_int) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

const NO_NAME: Name = Name {
    v6: sockaddr_in6 {
        sin6_family: 0,
        sin6_port: 0,
        sin6_flowinfo: 0,
        sin6_addr: libc::in6_addr { s6_addr: [0; 16] },
        sin6_scope_id: 0,
    },
};

fn name(address: &SocketAddr) -> (Name, u32) {
    match address {
        SocketAddr::V4(v4) => {
            let mut name = NO_NAME;
            name.v4 = sockaddr_in {
                sin_family: libc::AF_INET as u16,
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(v4.ip().octets()) },
                sin_zero: [0; 8],
            };
            (name, V4_BYTES)
        }
        SocketAddr::V6(v6) => {
            let name = Name {
                v6: sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as u16,
                    sin6_port: v6.port().to_be(),
                    sin6_flowinfo: v6.flowinfo(),
                    sin6_addr: libc::in6_addr { s6_addr: v6.ip().octets() },
                    sin6_scope_id: v6.scope_id(),
                },
            };
            (name, V6_BYTES)
        }
    }
}

fn address(name: &Name) -> SocketAddr {
    // SAFETY: every byte of the union was set to zero before the system wrote an address over it, and both kinds are plain
    // data, so that either can be read; the family says which one it is.
    let (v4, v6) = unsafe { (name.v4, name.v6) };
    if c_int::from(v4.sin_family) == libc::AF_INET {
        let ip = Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes());
        SocketAddr::from((ip, u16::from_be(v4.sin_port)))
    } else {
        let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
        SocketAddrV6::new(ip, u16::from_be(v6.sin6_port), v6.sin6_flowinfo, v6.sin6_scope_id).into()
    }
}
