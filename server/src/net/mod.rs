//! Bytes from and to clients. Everything here runs outside of the tick.
//!
//! | module | does |
//! |---|---|
//! | [`transport`] | the seam: authenticated datagrams from and to clients |
//! | [`udp`] | its implementation over a UDP socket |
//! | [`socket`] | many datagrams per system call |
//! | [`netcode`] | the connections over that socket: netcode 1.02, without a socket and without a clock |
//! | [`connections`] | datagrams over any transport ↔ frames, channel packets, control messages |
//! | [`exchange`] | what a network thread does between two waits |
//! | [`mailbox`], [`worker`] | the threads that do this, each with a port of its own, and where they meet the tick |

mod connections;
mod exchange;
mod inbound;
mod mailbox;
pub mod netcode;
pub mod socket;
mod transport;
mod udp;
mod worker;

pub use connections::Connections;
pub use exchange::Exchange;
pub use inbound::{ConnectionEnd, Content, NetEvent, NetInbound, NetTotals, TransportTotals, handshake_labels};
pub use mailbox::Mailbox;
pub use transport::{ConnectionId, Transport, TransportEvent};
pub use udp::{BindError, UdpOptions, UdpTransport};
pub use worker::{NetWorker, spawn_worker};
