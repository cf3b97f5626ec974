//! The seam between the client and whatever carries its datagrams.

use std::time::Duration;

use throng_shared::netcode::ClientEnd;

/// Carries datagrams of up to 1,286 bytes to one server and back. They may be lost, duplicated or overtaken.
pub trait ClientTransport {
    /// Hands over every datagram that has arrived until `now`.
    fn receive(&mut self, now: Duration, deliver: &mut dyn FnMut(&[u8]));

    /// Sends a datagram; nothing happens when there is no connection.
    fn send(&mut self, now: Duration, datagram: &[u8]);

    /// How the connection is.
    fn status(&self) -> TransportStatus;

    /// Ends the connection, and tells the server.
    fn disconnect(&mut self, now: Duration);

    /// What has gone over it.
    fn traffic(&self) -> Traffic;

    /// How many times it went on from an address of ours that was, or may have been, another one.
    fn moves(&self) -> u32 {
        0
    }
}

/// How a connection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransportStatus {
    /// Not yet open.
    Connecting,
    /// Open.
    Connected,
    /// Over, or never opened; and why.
    Disconnected(TransportEnd),
}

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportEnd {
    /// As the connection layer says.
    #[error("{0}")]
    Netcode(#[from] ClientEnd),
    /// The socket is broken.
    #[error("the socket failed: {0}")]
    Socket(std::io::ErrorKind),
    /// The connection stands, but the hello was not answered.
    #[error("the server does not answer the hello")]
    NoWelcome,
    /// Somebody has pulled the plug of a simulated network.
    #[error("unplugged")]
    Unplugged,
}

/// What has gone over a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Datagrams received.
    pub datagrams_in: u64,
    /// Bytes received, as UDP payload: headers and seal of the connection layer included.
    pub bytes_in: u64,
    /// Datagrams sent.
    pub datagrams_out: u64,
    /// Bytes sent, as UDP payload.
    pub bytes_out: u64,
}

impl Traffic {
    /// This and `other` together.
    pub fn plus(self, other: Traffic) -> Traffic {
        Traffic {
            datagrams_in: self.datagrams_in + other.datagrams_in,
            bytes_in: self.bytes_in + other.bytes_in,
            datagrams_out: self.datagrams_out + other.datagrams_out,
            bytes_out: self.bytes_out + other.bytes_out,
        }
    }
}
