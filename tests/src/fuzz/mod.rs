//! Bytes from outside, of any kind: the bodies of the fuzz targets in `tests/fuzz/`, which are no more than their names.
//! The suite runs the same bodies on the committed corpora and on mutations of them, without libFuzzer.
//!
//! A body takes bytes and panics when something is wrong: when the code under test does, or when an answer is too long, a
//! stranger is let in, a bystander is harmed. Bodies that play a scene read the bytes as a `script`.
//!
//! | module | targets |
//! |---|---|
//! | `netcode` | netcode_header, connect_token, netcode_client |
//! | `table` | table, table_sealed |
//! | `wire` | datagram, control, input_frame, snapshot, page, combat |
//! | `attributes` | attributes: of a world that has some |
//! | `channel` | channel_packet |
//! | `host` | host: a whole server past the seal |
//! | `client` | client: a whole client past the seal |
//! | `files` | world_file, abilities_file, settings_file |
//! | `seeds`, `mutation` | what corpora begin with, and what becomes of them without libFuzzer |

mod attributes;
mod channel;
mod client;
mod files;
mod host;
pub mod mutation;
mod netcode;
mod script;
mod seeds;
mod table;
mod transports;
mod wire;

pub use attributes::attributes;
pub use channel::channel_packet;
pub use client::client;
pub use files::{abilities_file, settings_file, world_file};
pub use host::host;
pub use netcode::{connect_token, netcode_client, netcode_header};
pub use seeds::{Seed, seeds};
pub use table::{table, table_sealed};
pub use wire::{combat, control, datagram, input_frame, page, snapshot};

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Name of its file in `tests/fuzz/fuzz_targets/` and of its folder in `tests/fuzz/corpus/`.
    pub name: &'static str,
    /// What it does with any bytes.
    pub body: fn(&[u8]),
    /// How many mutated seeds the suite gives it; less where a run takes longer.
    pub mutations: u32,
}

/// All targets.
pub const TARGETS: [Target; 18] = [
    target("netcode_header", netcode_header, 20_000),
    target("connect_token", connect_token, 20_000),
    target("netcode_client", netcode_client, 20_000),
    target("table", table, 10_000),
    target("table_sealed", table_sealed, 10_000),
    target("datagram", datagram, 20_000),
    target("control", control, 20_000),
    target("channel_packet", channel_packet, 20_000),
    target("input_frame", input_frame, 20_000),
    target("snapshot", snapshot, 20_000),
    target("page", page, 20_000),
    target("attributes", attributes, 20_000),
    target("host", host, 2_000),
    target("client", client, 10_000),
    target("combat", combat, 20_000),
    target("world_file", world_file, 10_000),
    target("abilities_file", abilities_file, 10_000),
    target("settings_file", settings_file, 10_000),
];

const fn target(name: &'static str, body: fn(&[u8]), mutations: u32) -> Target {
    Target { name, body, mutations }
}
