//! Native client of a Throng server: connects, sends inputs, keeps a replica of what is near, predicts its own
//! character with the server's own movement step, and interpolates the others.
//!
//! ```no_run
//! use std::sync::Arc;
//! use std::time::{Duration, Instant};
//! use throng_client::{Client, UdpTransport};
//! use throng_shared::{config, input::{Buttons, PlayerInput}, map::Map, wire::key::ConnectKey};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let world = config::builtin_world();
//! let map = Arc::new(Map::new(&world.config, world.terrain_samples.as_ref())?);
//! let token = throng_client::local_token("127.0.0.1:7777".parse()?, 42)?;
//! let start = Instant::now();
//! let transport = UdpTransport::connect(token, Duration::ZERO)?;
//! let mut client = Client::new(transport, map, &world, "Ann");
//! loop {
//!     let now = start.elapsed();
//!     client.update(now);
//!     while client.is_input_due(now) {
//!         client.step(now, PlayerInput::towards(glam::Vec2::X, Buttons::RUN));
//!     }
//!     if let Some(position_m) = client.own_position_m(now) {
//!         println!("I am at {position_m:?}");
//!     }
//!     for entity in client.replica().entities() {
//!         println!("{:?} at {:?}", entity.net_id, client.interpolated(entity, now).position_m);
//!     }
//!     if client.heard_at().is_some_and(|heard_at| now > heard_at + Duration::from_secs(3)) {
//!         // Broken, or we have another address by now: on with a newer token, as the same character.
//!         let token = throng_client::local_token("127.0.0.1:7777".parse()?, 42)?;
//!         client.reconnect(UdpTransport::connect(token, now)?);
//!     }
//!     if client.is_closed() { break }
//!     std::thread::sleep(Duration::from_millis(2));
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`local_token`] is for a server that the same user has started on the same computer without naming a key. In a game, a
//! login service makes tokens, as [`connect_token`] does, and hands them to players.
//!
//! What is shown moves smoothly whatever the tick rate: the own character between its last two predicted positions, up
//! to a tick behind [`Prediction::state`]; the others between two states that have arrived, as far in the past as snapshots are late and two ticks
//! more, or what [`Client::set_interpolation_delay`] says.
//!
//! Messages of the game's own go both ways by [`Client::send_message`] and [`Client::next_message`]; they arrive once and in
//! order. When the connection breaks, or the player's address changes, [`Client::reconnect`] with a newer token goes on with
//! the same character, the same view and the same messages, as long as the server holds the seat.
//!
//! In a world with abilities, [`Client::use_ability`] uses one, [`Client::next_event`] tells what came of it and who comes and goes, and
//! [`Client::fighter`] what hinders the own character. [`Backoff`] says when to try to connect again.
//!
//! [`Client`] does no I/O of its own and reads no clock: its transport moves the bytes, and time is an argument.

mod backoff;
mod client;
mod delay;
mod idleness;
mod inbox;
mod pace;
mod prediction;
mod replica;
mod server_clock;
mod state;
mod stats;
pub mod swarm;
mod token;
mod transport;
mod udp;
mod wanderer;
mod world_attributes;

pub use backoff::Backoff;
pub use client::{Client, ClientEvent, WorldDay};
pub use prediction::Prediction;
pub use replica::{Applied, CROWD_MAX, Coming, Interpolated, MISSING_MAX, Replica, ReplicaEntity, SeenDeed};
pub use state::{CloseReason, Resumption, State};
pub use stats::{ClientStats, SendError};
pub use token::{TokenError, connect_token, development_token, local_token, token_data};
pub use transport::{ClientTransport, Traffic, TransportEnd, TransportStatus};
pub use udp::{MOVE_AFTER, UdpTransport};
pub use wanderer::Wanderer;
