//! Many clients in one thread: for load, and for trying things.
//!
//! Every member of a swarm is a [`crate::Client`] with a socket of its own that wanders about as a player would. What
//! they see of each other is compared, so that the report can say whether the server told them everything.

mod completeness;
mod member;
mod report;
mod runner;

pub use report::SwarmReport;
pub use runner::{Progress, SwarmError, run};

use std::net::SocketAddr;
use std::time::Duration;

use throng_shared::config::LoadedWorld;
use throng_shared::ids::InstanceId;
use throng_shared::link::LinkConditions;
use throng_shared::wire::key::ConnectKey;

/// What a swarm is to do.
#[derive(Clone, Debug)]
pub struct SwarmOptions {
    /// The server's game addresses, one for each of its network threads; at least one.
    pub servers: Vec<SocketAddr>,
    /// The server's key.
    pub key: ConnectKey,
    /// The world to be joined.
    pub instance: InstanceId,
    /// That world's files.
    pub world: LoadedWorld,
    /// Number of clients.
    pub clients: u32,
    /// How long to measure, once all are in and have settled.
    pub measured: Duration,
    /// What is done to every datagram, each way.
    pub conditions: LinkConditions,
    /// Seed of what the members do and of the links' fate.
    pub seed: u64,
    /// Client id of the first member; the others follow.
    pub first_client_id: u64,
}
