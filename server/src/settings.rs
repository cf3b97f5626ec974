//! What the server was told: settings file, then environment, then flags; and what those name, read.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use clap::Args;
use throng_shared::config::{
    KEY_VARIABLE, KeySource, LoadedWorld, ServerSettings, WORKERS_MAX, builtin_world, load_world, read_settings,
};
use throng_shared::wire::key::ConnectKey;

/// The settings that the program starts with when it is given none.
const BUILTIN_SETTINGS: &str = include_str!("../../assets/server.toml");

/// How to get a key, for messages.
const KEY_REMEDY: &str = "a key is 64 hexadecimal digits, for example from `openssl rand -hex 32`; \
                          to try things on this machine only, use --development-key";

/// What may follow a settings file that cannot be read, for messages.
const SETTINGS_REMEDY: &str = "--config and THRONG_CONFIG take a file such as assets/server.toml; \
                               without them the server has settings for players of this machine";

/// Flags that come before the settings file.
#[derive(Args, Clone, Debug, Default)]
pub struct Overrides {
    /// Settings file, such as assets/server.toml; the built-in ones serve players of this machine
    #[arg(long, env = "THRONG_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// World folder to run, instead of those in the settings; may be given several times
    #[arg(long = "world", value_name = "FOLDER")]
    pub worlds: Vec<PathBuf>,
    /// UDP address for players; port 0 for any free one
    #[arg(long, env = "THRONG_BIND", value_name = "IP:PORT")]
    pub bind: Option<SocketAddr>,
    /// Network threads, each with a port of its own; 0 for one per two cores
    #[arg(long, env = "THRONG_WORKERS", value_name = "N", value_parser = clap::value_parser!(u32).range(0..=WORKERS_MAX as i64))]
    pub workers: Option<u32>,
    /// TCP address for health and metrics; port 0 for any free one
    #[arg(long, env = "THRONG_HTTP", value_name = "IP:PORT")]
    pub http: Option<SocketAddr>,
    /// File with the key that connect tokens are sealed with
    #[arg(long, value_name = "FILE", conflicts_with = "development_key")]
    pub key_file: Option<String>,
    /// Use the key that everybody knows; loopback addresses only
    #[arg(long)]
    pub development_key: bool,
    /// Threads for the simulation; 0 for one per core
    #[arg(long, env = "THRONG_THREADS", value_name = "N", value_parser = clap::value_parser!(u32).range(0..=256))]
    pub threads: Option<u32>,
}

/// Everything that a server needs to start.
#[derive(Debug)]
pub struct Prepared {
    /// The settings, with the flags applied.
    pub settings: ServerSettings,
    /// The key.
    pub key: ConnectKey,
    /// Where the key was read.
    pub key_origin: KeyOrigin,
    /// The worlds, read and checked.
    pub worlds: Vec<LoadedWorld>,
    /// Their folders, in the same order; empty when the one world is built in.
    pub world_folders: Vec<PathBuf>,
}

/// Where a key was read: whoever lets players in needs it too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyOrigin {
    /// Nowhere: everybody knows it.
    Development,
    /// In this file, as seen from the current folder.
    File(PathBuf),
    /// In the environment variable [`KEY_VARIABLE`].
    Environment,
}

impl KeyOrigin {
    fn new(source: &KeySource, base: &Path) -> KeyOrigin {
        match source {
            KeySource::Development => KeyOrigin::Development,
            KeySource::File(file) => KeyOrigin::File(base.join(file)),
            KeySource::Environment => KeyOrigin::Environment,
        }
    }
}

/// Reads and checks everything that the settings and flags name.
///
/// # Errors
/// With what is wrong, where, and what to do about it.
pub fn prepare(overrides: &Overrides) -> anyhow::Result<Prepared> {
    let (mut settings, base) = match &overrides.config {
        Some(file) => (read_settings_file(file)?, file.parent().unwrap_or(Path::new("")).to_owned()),
        None => (read_settings("assets/server.toml", BUILTIN_SETTINGS)?, PathBuf::new()),
    };
    let net = &mut settings.net;
    net.bind = overrides.bind.unwrap_or(net.bind);
    net.workers = overrides.workers.unwrap_or(net.workers);
    settings.http_bind = overrides.http.or(settings.http_bind);
    settings.threads = overrides.threads.unwrap_or(settings.threads);
    if overrides.development_key {
        net.key = KeySource::Development;
    }
    let key_origin = match &overrides.key_file {
        Some(file) => KeyOrigin::File(PathBuf::from(file)),
        None => KeyOrigin::new(&net.key, &base),
    };
    let key = read_key(&key_origin)?;
    check_reach(&settings, &key)?;
    let world_folders: Vec<PathBuf> = if overrides.worlds.is_empty() {
        settings.world_folders.iter().map(|folder| base.join(folder)).collect()
    } else {
        overrides.worlds.clone()
    };
    let worlds = if world_folders.is_empty() { vec![builtin_world()] } else { read_worlds(&world_folders)? };
    Ok(Prepared { settings, key, key_origin, worlds, world_folders })
}

/// What to print for an error. It begins with `error: `, as those about designers' files do by themselves.
pub fn error_text(error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    if text.starts_with("error: ") { text } else { format!("error: {text}") }
}

/// Reads the world in a folder.
///
/// # Errors
/// With every mistake in its files.
pub fn read_world_folder(folder: &Path) -> anyhow::Result<LoadedWorld> {
    Ok(load_world(&folder.display().to_string(), |name| std::fs::read(folder.join(name)))?)
}

/// Reads a settings file.
///
/// # Errors
/// With every mistake in it, or why it cannot be read.
pub fn read_settings_file(file: &Path) -> anyhow::Result<ServerSettings> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        anyhow!("cannot read the settings file {}: {error}\n  help: {SETTINGS_REMEDY}", file.display())
    })?;
    Ok(read_settings(&file.display().to_string(), &text)?)
}

/// Reads the file of a key.
///
/// # Errors
/// When it cannot be read, or holds no key.
pub fn read_key_file(file: &Path) -> anyhow::Result<ConnectKey> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| anyhow!("cannot read the key file {}: {error}\n  help: {KEY_REMEDY}", file.display()))?;
    ConnectKey::parse(&text).with_context(|| format!("{} does not hold a key", file.display()))
}

/// Reads all worlds, or says what is wrong with any of them.
fn read_worlds(folders: &[PathBuf]) -> anyhow::Result<Vec<LoadedWorld>> {
    let (mut worlds, mut wrong) = (Vec::new(), Vec::new());
    for folder in folders {
        match read_world_folder(folder) {
            Ok(world) => worlds.push(world),
            Err(error) => wrong.push(error_text(&error)),
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(worlds)
}

fn read_key(origin: &KeyOrigin) -> anyhow::Result<ConnectKey> {
    match origin {
        KeyOrigin::Development => Ok(ConnectKey::DEVELOPMENT),
        KeyOrigin::File(file) => read_key_file(file),
        KeyOrigin::Environment => {
            let Ok(text) = std::env::var(KEY_VARIABLE) else {
                bail!(
                    "net.key = \"environment\", but {KEY_VARIABLE} is not set, or not to a text\n  help: {KEY_REMEDY}"
                );
            };
            ConnectKey::parse(&text).with_context(|| format!("{KEY_VARIABLE} does not hold a key"))
        }
    }
}

/// What the settings' own rules say, said again: flags may have changed the addresses and the key.
fn check_reach(settings: &ServerSettings, key: &ConnectKey) -> anyhow::Result<()> {
    let net = &settings.net;
    ensure!(
        !net.bind.ip().to_canonical().is_unspecified() || net.public_address.is_some(),
        "net.bind = {} listens on every address\n  help: say in net.public_address which one players connect to",
        net.bind
    );
    let reached = [Some(net.bind), net.public_address];
    if let Some(address) = reached.into_iter().flatten().find(|address| !key.is_allowed_at(address.ip())) {
        bail!(
            "the development key is refused for {address}, for everybody knows it\n  help: name a key of your own with \
             --key-file FILE or net.key (64 hexadecimal digits, for example from `openssl rand -hex 32`), or listen on \
             127.0.0.1 for players of this machine only"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_come_before_the_settings() {
        let plain = prepare(&Overrides::default()).expect("the built-in settings are right");
        assert_eq!(plain.settings.net.bind.port(), 7777);
        assert_eq!((plain.key, plain.worlds.len()), (ConnectKey::DEVELOPMENT, 1));
        let address = |port| Some(SocketAddr::from(([127, 0, 0, 1], port)));
        let overrides = Overrides { bind: address(1), http: address(2), threads: Some(3), ..Overrides::default() };
        let settings = prepare(&overrides).expect("the flags are right").settings;
        assert_eq!((Some(settings.net.bind), settings.http_bind, settings.threads), (address(1), address(2), 3));
    }

    #[test]
    fn what_a_settings_file_may_say_flags_may_say_too() {
        let bind = |text: &str| Overrides { bind: text.parse().ok(), ..Overrides::default() };
        prepare(&bind("[::ffff:127.0.0.1]:7777")).expect("it is this machine, written as an IPv6 address");
        for (address, part) in [("[::ffff:0.0.0.0]:7777", "net.public_address"), ("[::ffff:10.0.0.1]:1", "refused")] {
            let text = error_text(&prepare(&bind(address)).expect_err("others reach it"));
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_any_world_is_said() {
        let worlds = vec![PathBuf::from("nowhere/first"), PathBuf::from("nowhere/second")];
        let error = prepare(&Overrides { worlds, ..Overrides::default() }).expect_err("they are not there");
        let text = error_text(&error);
        for file in ["error: nowhere/first/world.toml", "error: nowhere/second/world.toml"] {
            assert_eq!(text.matches(file).count(), 1, "{text}");
        }
    }
}
