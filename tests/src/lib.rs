//! The test kit: a whole server and any number of clients in one thread, over a network that is as bad as a test wants
//! it, with every rule checked after every tick. Nothing sleeps and nothing reads a clock: a seed fixes everything.
//!
//! ```
//! use glam::Vec2;
//! use throng_tests::{Action::{Leave, Run, Wait}, Link, Sim};
//!
//! let mut sim = Sim::new(7).link(Link { one_way_ms: 80.0, loss_percent: 2.0, ..Link::default() }).start();
//! let [ann, ben] = sim.connect();
//! sim.run(&[Run(ann, Vec2::X), Wait(40)]);
//! assert!(sim.sees(ben, ann));
//! sim.run(&[Leave(ann), Wait(20)]);
//! assert!(!sim.sees(ben, ann));
//! ```
//!
//! [`fuzz`] has the bodies of the fuzz targets in `tests/fuzz/`: bytes of any kind, into every decoder.

mod crossing;
pub mod fuzz;
mod loopback;
mod oracle;
mod rules;
mod script;
mod sim;
mod world;

pub use crossing::{Crossing, CrossingReport, town_to_cross};
pub use loopback::{LoopbackOptions, LoopbackServer, open_transport};
pub use oracle::{Oracle, OracleReport};
pub use rules::check_rules;
pub use script::Action;
pub use sim::Aim;
pub use sim::{Plan, PlayerHandle, Sim, SimBuilder};
pub use throng_server::memory_network::{MemoryClientTransport, MemoryNetwork, MemoryServerTransport};
pub use throng_shared::link::LinkConditions as Link;
pub use world::{fighting_world, flat_world, hilly_world};
