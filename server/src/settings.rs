//! What the server was told: settings file, then environment, then flags; and what those name, read.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use clap::Args;
use throng_keys::{KEY_REMEDY, LocalKey, read_key_file};
use throng_shared::config::{
    KEY_VARIABLE, KeySource, LoadedWorld, ServerSettings, ShownWorld, WORKERS_MAX, builtin_world, load_and_show_world,
    load_world, read_settings,
};
use throng_shared::wire::key::{ConnectKey, is_loopback};

/// The settings that the program starts with when it is given none.
const BUILTIN_SETTINGS: &str = include_str!("../../assets/server.toml");

/// What may follow a settings file that cannot be read, for messages.
const SETTINGS_REMEDY: &str = "--config and THRONG_CONFIG take a file such as assets/server.toml; \
                               without them the server has settings for players of this machine";

/// What to do when the key is not for the server's addresses, for messages.
const REACH_REMEDY: &str = "name a key of your own with --key-file FILE or net.key (64 hexadecimal digits, for example \
                            from `openssl rand -hex 32`), or listen on 127.0.0.1 for players of this machine only";

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
    /// Where the tools of the same user find it by themselves.
    Local(LocalKey),
    /// In this file, as seen from the current folder.
    File(PathBuf),
    /// In the environment variable [`KEY_VARIABLE`].
    Environment,
}

impl KeyOrigin {
    /// Where the flags say, or else the settings, whose paths are relative to `base`.
    fn new(overrides: &Overrides, source: &KeySource, base: &Path) -> anyhow::Result<KeyOrigin> {
        if overrides.development_key {
            return Ok(KeyOrigin::Development);
        }
        if let Some(file) = &overrides.key_file {
            return Ok(KeyOrigin::File(PathBuf::from(file)));
        }
        Ok(match source {
            KeySource::Local => KeyOrigin::Local(LocalKey::of_this_user()?),
            KeySource::File(file) => KeyOrigin::File(base.join(file)),
            KeySource::Environment => KeyOrigin::Environment,
        })
    }
}

/// Reads and checks everything that the settings and flags name.
///
/// # Errors
/// With what is wrong, where, and what to do about it.
pub fn prepare(overrides: &Overrides) -> anyhow::Result<Prepared> {
    let (mut settings, base) = settings_and_base(overrides)?;
    let net = &mut settings.net;
    net.bind = overrides.bind.unwrap_or(net.bind);
    net.workers = overrides.workers.unwrap_or(net.workers);
    settings.http_bind = overrides.http.or(settings.http_bind);
    settings.threads = overrides.threads.unwrap_or(settings.threads);
    let key_origin = KeyOrigin::new(overrides, &net.key, &base)?;
    check_reach(&settings, &key_origin)?;
    let key = read_key(&key_origin)?;
    check_secrecy(&settings, &key)?;
    let world_folders = world_folders(overrides, &settings, &base);
    let worlds = if world_folders.is_empty() { vec![builtin_world()] } else { read_worlds(&world_folders)? };
    Ok(Prepared { settings, key, key_origin, worlds, world_folders })
}

/// The settings as the file has them, and the folder that their paths are relative to.
fn settings_and_base(overrides: &Overrides) -> anyhow::Result<(ServerSettings, PathBuf)> {
    Ok(match &overrides.config {
        Some(file) => (read_settings_file(file)?, file.parent().unwrap_or(Path::new("")).to_owned()),
        None => (read_settings("assets/server.toml", BUILTIN_SETTINGS)?, PathBuf::new()),
    })
}

fn world_folders(overrides: &Overrides, settings: &ServerSettings, base: &Path) -> Vec<PathBuf> {
    match overrides.worlds.is_empty() {
        true => settings.world_folders.iter().map(|folder| base.join(folder)).collect(),
        false => overrides.worlds.clone(),
    }
}

/// The folder of the first world that a server with these flags would run; none for the built-in one. Asks for no key.
///
/// # Errors
/// When the settings file cannot be read.
pub fn first_world_folder(overrides: &Overrides) -> anyhow::Result<Option<PathBuf>> {
    let (settings, base) = settings_and_base(overrides)?;
    Ok(world_folders(overrides, &settings, &base).into_iter().next())
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

/// Reads the world in a folder, and writes down what was read.
///
/// # Errors
/// With every mistake in its files.
pub fn show_world_folder(folder: &Path) -> anyhow::Result<ShownWorld> {
    Ok(load_and_show_world(&folder.display().to_string(), |name| std::fs::read(folder.join(name)))?)
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

/// Reads all worlds, or says what is wrong with any of them.
///
/// # Errors
/// With every mistake in every one of them.
pub fn read_worlds(folders: &[PathBuf]) -> anyhow::Result<Vec<LoadedWorld>> {
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
        KeyOrigin::Local(local) => Ok(local.read_or_make()?),
        KeyOrigin::File(file) => Ok(read_key_file(file)?),
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
fn check_reach(settings: &ServerSettings, key_origin: &KeyOrigin) -> anyhow::Result<()> {
    let net = &settings.net;
    ensure!(
        !net.bind.ip().to_canonical().is_unspecified() || net.public_address.is_some(),
        "net.bind = {} listens on every address\n  help: say in net.public_address which one players connect to",
        net.bind
    );
    let is_local = matches!(key_origin, KeyOrigin::Local(_));
    match reached_at(settings, |address| is_local && !is_loopback(address)) {
        Some(address) => {
            bail!("the local key is refused for {address}: no other computer has it\n  help: {REACH_REMEDY}")
        }
        None => Ok(()),
    }
}

/// Refuses the key that everybody knows, wherever it was read, for addresses that others can reach.
fn check_secrecy(settings: &ServerSettings, key: &ConnectKey) -> anyhow::Result<()> {
    match reached_at(settings, |address| !key.is_allowed_at(address)) {
        Some(address) => {
            bail!("the development key is refused for {address}, for everybody knows it\n  help: {REACH_REMEDY}")
        }
        None => Ok(()),
    }
}

/// An address of the server's that is as asked for.
fn reached_at(settings: &ServerSettings, is_so: impl Fn(IpAddr) -> bool) -> Option<SocketAddr> {
    let reached = [Some(settings.net.bind), settings.net.public_address];
    reached.into_iter().flatten().find(|address| is_so(address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With a key that is in no file: tests leave the user's own alone.
    fn flags() -> Overrides {
        Overrides { development_key: true, ..Overrides::default() }
    }

    #[test]
    fn flags_come_before_the_settings() {
        let plain = prepare(&flags()).expect("the built-in settings are right");
        assert_eq!(plain.settings.net.bind.port(), 7777);
        assert_eq!((plain.key, plain.worlds.len()), (ConnectKey::DEVELOPMENT, 1));
        let address = |port| Some(SocketAddr::from(([127, 0, 0, 1], port)));
        let overrides = Overrides { bind: address(1), http: address(2), threads: Some(3), ..flags() };
        let settings = prepare(&overrides).expect("the flags are right").settings;
        assert_eq!((Some(settings.net.bind), settings.http_bind, settings.threads), (address(1), address(2), 3));
    }

    #[test]
    fn what_a_settings_file_may_say_flags_may_say_too() {
        let bind = |text: &str| Overrides { bind: text.parse().ok(), ..flags() };
        prepare(&bind("[::ffff:127.0.0.1]:7777")).expect("it is this machine, written as an IPv6 address");
        for (address, part) in [("[::ffff:0.0.0.0]:7777", "net.public_address"), ("[::ffff:10.0.0.1]:1", "refused")] {
            let text = error_text(&prepare(&bind(address)).expect_err("others reach it"));
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_any_world_is_said() {
        let worlds = vec![PathBuf::from("nowhere/first"), PathBuf::from("nowhere/second")];
        let error = prepare(&Overrides { worlds, ..flags() }).expect_err("they are not there");
        let text = error_text(&error);
        for file in ["error: nowhere/first/world.toml", "error: nowhere/second/world.toml"] {
            assert_eq!(text.matches(file).count(), 1, "{text}");
        }
    }
}
