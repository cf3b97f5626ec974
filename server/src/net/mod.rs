//! Bytes from and to clients. Everything here runs outside of the tick.
//!
//! | module | does |
//! |---|---|
//! | [`transport`] | the seam: authenticated datagrams from and to clients |
//! | [`udp`] | its implementation over a UDP socket, with netcode connections |
//! | [`connections`] | frames and reliable messages over any transport |
//! | [`mailbox`], [`worker`] | the thread that does this, and where it meets the tick |

mod connections;
mod inbound;
mod mailbox;
mod transport;
mod udp;
mod worker;

pub use connections::Connections;
pub use inbound::{NetEvent, NetInbound, NetTotals};
pub use mailbox::Mailbox;
pub use transport::{Transport, TransportEvent};
pub use udp::{BindError, UdpOptions, UdpTransport};
pub use worker::{NetWorker, spawn_worker};
