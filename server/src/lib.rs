//! The authoritative simulation server, as a library.
//!
//! An [`instance::Instance`] is one world; it lives from tick to tick through the phases that [`tick`] lists, and knows
//! nothing of sockets. A [`host::Host`] lets clients in and runs any number of instances behind one
//! [`net::Transport`]. The program `throng` is a host with real sockets, a clock, metrics and signals.
//!
//! ```text
//! datagram → net → host (front door) → batch → ingress → simulation → record → interest → replication → egress → net
//! ```

pub mod abilities;
pub mod admin;
pub mod batch;
pub mod check;
pub mod clock;
pub mod combat;
pub mod director;
pub mod game_messages;
pub mod host;
pub mod instance;
pub mod interest;
pub mod memory_network;
pub mod metrics;
pub mod net;
pub mod overload;
pub mod pages;
pub mod plan;
pub mod run;
pub mod schema;
pub mod session;
pub mod settings;
pub mod show;
pub mod tick;
pub mod timer;

mod commit;
mod egress;
mod front_door;
mod ingress;
mod record;
pub mod reload;
mod replication;
mod simulation;

pub use commit::Totals;
pub use front_door::DoorTotals;
pub use simulation::LastInput;
