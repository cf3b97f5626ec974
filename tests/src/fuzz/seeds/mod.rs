//! What the corpora begin with: what honest programs send and write, by the encoders that they use. A fuzzer that begins
//! with nothing spends its time on first bytes.

mod attributes;
mod files;
mod netcode;
mod scenes;
mod wire;

/// A file of a corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// The seeds of a target.
///
/// # Panics
/// When there is no such target.
pub fn seeds(target: &str) -> Vec<Seed> {
    let seeds = match target {
        "netcode_header" => netcode::netcode_header(),
        "connect_token" => netcode::connect_token(),
        "netcode_client" => netcode::netcode_client(),
        "table" => netcode::table(),
        "table_sealed" => netcode::table_sealed(),
        "datagram" => wire::datagram(),
        "control" => wire::control(),
        "channel_packet" => wire::channel_packet(),
        "input_frame" => wire::input_frame(),
        "snapshot" => wire::snapshot(),
        "page" => wire::page(),
        "attributes" => attributes::attributes(),
        "host" => scenes::host(),
        "client" => scenes::client(),
        "world_file" => files::world_file(),
        "abilities_file" => files::abilities_file(),
        "combat" => wire::combat(),
        "settings_file" => files::settings_file(),
        _ => panic!("there is no target {target}"),
    };
    seeds.into_iter().map(|(name, bytes)| Seed { name, bytes }).collect()
}
