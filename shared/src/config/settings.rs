//! What a settings file says, once read and checked: how one server process runs.
//!
//! The keys, their ranges and rules are declared where they are read, in [`super::read_settings`]; the reference page
//! `docs/server-settings.md` is generated from those declarations. The defaults are here.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

/// Name of the environment variable that holds the key for connect tokens, see [`KeySource::Environment`].
pub const KEY_VARIABLE: &str = "THRONG_KEY";

const BIND_DEFAULT: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 7777));
pub(super) const HTTP_BIND_DEFAULT: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 7780));

/// One server process. The default is what an empty file gives: the built-in meadow for players on the same computer.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerSettings {
    /// Where players connect.
    pub net: NetSettings,
    /// Where health and metrics are served over HTTP, default `127.0.0.1:7780`; `None` when they are not. Port 0 takes
    /// any free port.
    pub http_bind: Option<SocketAddr>,
    /// Whether programs on this computer may send clients away over HTTP; not by default.
    pub may_kick: bool,
    /// How long the seat of a player whose connection broke is held, in seconds: 0, for not at all, to
    /// [`super::HOLD_S_MAX`]; default 30.
    pub hold_s: u32,
    /// Changes that are applied on trial.
    pub apply: ApplySettings,
    /// Threads of the simulation, 0 to 256; 0, the default, for one per core.
    pub threads: u32,
    /// Folders of the worlds to run, at most [`super::WORLD_FOLDERS_MAX`], as they are written: relative to the folder of
    /// the settings file unless absolute. Empty, as by default, for the built-in meadow, see [`super::builtin_world`].
    pub world_folders: Vec<String>,
}

/// Changed worlds that are taken over on trial, and taken back when a limit breaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ApplySettings {
    /// Whether programs on this computer may apply worlds over HTTP; not by default.
    pub is_enabled: bool,
    /// How long a world is watched after a change, in seconds: [`super::APPLY_WATCH_S_MIN`] to [`super::APPLY_WATCH_S_MAX`];
    /// default 60.
    pub watch_s: u32,
    /// Of a hundred ticks all but one take no longer, in milliseconds: 0.1 to 1,000; none by default.
    pub tick_ms_p99_max: Option<f32>,
    /// Most bytes of snapshots per client and second: 1 to 10,000,000; none by default.
    pub client_bytes_per_s_max: Option<u32>,
    /// Of the players who were there at the change, how many may be fewer, in percent: 0 to 100; none by default.
    pub players_lost_percent_max: Option<u32>,
}

/// Where players connect.
#[derive(Clone, Debug, PartialEq)]
pub struct NetSettings {
    /// UDP address to listen at, default `127.0.0.1:7777`. Port 0 takes any free port.
    pub bind: SocketAddr,
    /// What clients connect to, when that is not [`Self::bind`]: an IP address and a port, neither of them unspecified.
    /// Always there when the IP address of `bind` is unspecified, such as `0.0.0.0`. None by default.
    pub public_address: Option<SocketAddr>,
    /// Network threads, each with a port of its own from that of `bind` on: 0 to [`super::WORKERS_MAX`]; 0, the default, for
    /// one per two cores.
    pub workers: u32,
    /// Over how much of a tick's time its snapshots are spread, in percent: 0, the default, to 90.
    pub spread_percent: u32,
    /// Most clients at once, in all worlds together: 1 to [`super::CLIENTS_MAX`], default 1,000.
    pub clients_max: u32,
    /// Where the key for connect tokens comes from; the environment by default.
    pub key: KeySource,
}

/// Where the key comes from that connect tokens are sealed with.
#[derive(Clone, Debug, PartialEq)]
pub enum KeySource {
    /// 64 hexadecimal digits in the environment variable [`KEY_VARIABLE`].
    Environment,
    /// 64 hexadecimal digits in a file; the path as it is written, relative to the folder of the settings file unless
    /// absolute.
    File(String),
    /// The key of this computer and user, which the first server that needs it makes. Only with loopback addresses.
    Local,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            net: NetSettings::default(),
            http_bind: Some(HTTP_BIND_DEFAULT),
            may_kick: false,
            hold_s: 30,
            apply: ApplySettings::default(),
            threads: 0,
            world_folders: Vec::new(),
        }
    }
}

impl Default for ApplySettings {
    fn default() -> Self {
        Self {
            is_enabled: false,
            watch_s: 60,
            tick_ms_p99_max: None,
            client_bytes_per_s_max: None,
            players_lost_percent_max: None,
        }
    }
}

impl Default for NetSettings {
    fn default() -> Self {
        Self {
            bind: BIND_DEFAULT,
            public_address: None,
            workers: 0,
            spread_percent: 0,
            clients_max: 1_000,
            key: KeySource::Environment,
        }
    }
}
