//! What the server was told: settings file, then environment, then flags; and what those name, read.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::Args;
use throng_shared::config::{KeySource, LoadedWorld, ServerSettings, builtin_world, load_world, read_settings};
use throng_shared::wire::key::ConnectKey;

/// The settings that the program starts with when it is given none.
const BUILTIN_SETTINGS: &str = include_str!("../../assets/server.toml");

/// Holds the key when the settings say `key = "environment"`.
const KEY_VARIABLE: &str = "THRONG_KEY";

/// How to get a key, for messages.
const KEY_REMEDY: &str = "a key is 64 hexadecimal digits, for example from `openssl rand -hex 32`; \
                          to try things on this machine only, use --development-key";

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
    /// The worlds, read and checked.
    pub worlds: Vec<LoadedWorld>,
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
    settings.http_bind = overrides.http.or(settings.http_bind);
    settings.threads = overrides.threads.unwrap_or(settings.threads);
    if overrides.development_key {
        net.key = KeySource::Development;
    }
    let key = match &overrides.key_file {
        Some(file) => read_key(Path::new(file))?,
        None => key(&net.key, &base)?,
    };
    check_reach(&settings, &key)?;
    let folders: Vec<PathBuf> = if overrides.worlds.is_empty() {
        settings.world_folders.iter().map(|folder| base.join(folder)).collect()
    } else {
        overrides.worlds.clone()
    };
    let worlds = if folders.is_empty() { vec![builtin_world()] } else { read_worlds(&folders)? };
    Ok(Prepared { settings, key, worlds })
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
    let text = std::fs::read_to_string(file).with_context(|| {
        format!("cannot read the settings file {} (named by --config or THRONG_CONFIG)", file.display())
    })?;
    Ok(read_settings(&file.display().to_string(), &text)?)
}

fn read_worlds(folders: &[PathBuf]) -> anyhow::Result<Vec<LoadedWorld>> {
    folders.iter().map(|folder| read_world_folder(folder)).collect()
}

fn key(source: &KeySource, base: &Path) -> anyhow::Result<ConnectKey> {
    match source {
        KeySource::Development => Ok(ConnectKey::DEVELOPMENT),
        KeySource::File(file) => read_key(&base.join(file)),
        KeySource::Environment => {
            let text = std::env::var(KEY_VARIABLE)
                .with_context(|| format!("net.key = \"environment\", but {KEY_VARIABLE} holds no key: {KEY_REMEDY}"))?;
            ConnectKey::parse(&text).with_context(|| format!("{KEY_VARIABLE} does not hold a key"))
        }
    }
}

fn read_key(file: &Path) -> anyhow::Result<ConnectKey> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the key file {}: {KEY_REMEDY}", file.display()))?;
    ConnectKey::parse(&text).with_context(|| format!("{} does not hold a key", file.display()))
}

/// What the settings' own rules say, said again: flags may have changed the addresses and the key.
fn check_reach(settings: &ServerSettings, key: &ConnectKey) -> anyhow::Result<()> {
    let net = &settings.net;
    ensure!(
        !net.bind.ip().is_unspecified() || net.public_address.is_some(),
        "net.bind = {} listens on every address: say in net.public_address which one players connect to",
        net.bind
    );
    let reached = [Some(net.bind), net.public_address];
    if *key == ConnectKey::DEVELOPMENT
        && let Some(address) = reached.into_iter().flatten().find(|address| !address.ip().is_loopback())
    {
        bail!("the development key is refused for {address}, for everybody knows it: {KEY_REMEDY}");
    }
    Ok(())
}
