//! Many clients against one server: load, and a first answer to "does it work?".

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use throng_client::swarm::{self, Progress, SwarmOptions};
use throng_keys::{LocalKey, read_key_file};
use throng_shared::config::{KEY_VARIABLE, LoadedWorld, builtin_world, load_world};
use throng_shared::ids::InstanceId;
use throng_shared::link::LinkConditions;
use throng_shared::wire::key::{ConnectKey, is_loopback};

/// Connects many clients to a Throng server, lets them walk about, and reports what they got.
///
/// Exit code: 0 when every client got in and stayed, 1 when one did not, 2 when the swarm could not start.
#[derive(Parser, Debug)]
#[command(version)]
struct Arguments {
    /// The server's game address
    #[arg(long, default_value = "127.0.0.1:7777", value_name = "HOST:PORT")]
    server: String,
    /// Network threads of the server, each a port further than the one before
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=32))]
    workers: u16,
    /// Number of clients
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    clients: u32,
    /// How long to measure, in seconds, once all clients are in and have settled
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Share of datagrams to lose each way, in percent
    #[arg(long, default_value_t = 0.0, value_name = "P", value_parser = percent)]
    loss_percent: f32,
    /// Delay to add to each datagram, each way, in milliseconds
    #[arg(long, default_value_t = 0.0, value_name = "L", value_parser = milliseconds)]
    latency_ms: f32,
    /// Random addition to or subtraction from that delay, in milliseconds
    #[arg(long, default_value_t = 0.0, value_name = "J", value_parser = milliseconds)]
    jitter_ms: f32,
    /// Share of datagrams that arrive twice, in percent
    #[arg(long, default_value_t = 0.0, value_name = "P", value_parser = percent)]
    duplicate_percent: f32,
    /// Share of datagrams held back so that later ones overtake them, in percent
    #[arg(long, default_value_t = 0.0, value_name = "P", value_parser = percent)]
    reorder_percent: f32,
    /// Folder of the server's world, if it is not the built-in meadow
    #[arg(long, value_name = "FOLDER")]
    world: Option<PathBuf>,
    /// Number of the world on the server
    #[arg(long, default_value_t = 0)]
    instance: u16,
    /// File with the server's key, 64 hexadecimal digits; without it THRONG_KEY, without that the local key of this machine
    #[arg(long, value_name = "FILE", conflicts_with = "development_key")]
    key_file: Option<PathBuf>,
    /// Use the key that everybody knows, for a server of this machine that was started with the same flag
    #[arg(long)]
    development_key: bool,
    /// Seed of what the clients do and of what is lost
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Client id of the first client
    #[arg(long, default_value_t = 1_000_000)]
    first_client_id: u64,
    /// Also writes the figures to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let options = options(arguments)?;
    let key = if options.key == ConnectKey::DEVELOPMENT { ", development key" } else { "" };
    println!("{} clients to {}, world {}{key}", options.clients, arguments.server, options.world.config.name);
    let bar = ProgressBar::new(arguments.seconds * 10);
    bar.set_style(ProgressStyle::with_template("  {msg:<28} {wide_bar} {prefix}").context("the bar's template")?);
    let result = swarm::run(&options, &mut |progress| show(&bar, &progress, arguments));
    bar.finish_and_clear();
    let report = result?;
    print!("{report}");
    if let Some(file) = &arguments.json {
        let text = serde_json::to_string_pretty(&report.to_json())? + "\n";
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if report.connected == 0 {
        println!("\nIs a server running there? Start one with: cargo run --release");
        println!(
            "If the server has a key of its own, give it with --key-file or {KEY_VARIABLE}; if it was started with \
             --development-key, say so here too."
        );
    }
    Ok(report.is_complete())
}

fn show(bar: &ProgressBar, progress: &Progress, arguments: &Arguments) {
    let Progress { playing, failed, measured } = *progress;
    let stage = if measured.is_some() { "playing" } else { "connecting, settling" };
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    bar.set_message(format!("{stage}: {playing}/{}{failed}", arguments.clients));
    let measured_s = measured.unwrap_or_default().as_secs_f32();
    bar.set_prefix(format!("{measured_s:.1} of {} s", arguments.seconds));
    bar.set_position((measured_s * 10.0) as u64);
}

fn options(arguments: &Arguments) -> anyhow::Result<SwarmOptions> {
    let server = resolve(&arguments.server)?;
    Ok(SwarmOptions {
        servers: servers(server, arguments.workers)?,
        key: key(arguments, std::env::var(KEY_VARIABLE).ok(), server)?,
        instance: InstanceId(arguments.instance),
        world: world(arguments.world.as_deref())?,
        clients: arguments.clients,
        measured: Duration::from_secs(arguments.seconds),
        conditions: LinkConditions {
            one_way_ms: arguments.latency_ms,
            jitter_ms: arguments.jitter_ms,
            loss_percent: arguments.loss_percent,
            duplicate_percent: arguments.duplicate_percent,
            reorder_percent: arguments.reorder_percent,
        },
        seed: arguments.seed,
        first_client_id: arguments.first_client_id,
    })
}

/// The addresses of a server's network threads, from that of the first.
fn servers(first: SocketAddr, workers: u16) -> anyhow::Result<Vec<SocketAddr>> {
    let nth = |number: u16| Some(SocketAddr::new(first.ip(), first.port().checked_add(number)?));
    let addresses: Option<Vec<SocketAddr>> = (0..workers).map(nth).collect();
    addresses.with_context(|| format!("--workers {workers} leads to ports beyond 65535"))
}

/// The address of a host's name; an IPv4 one if it has both, for that is what a server listens on by default.
fn resolve(server: &str) -> anyhow::Result<SocketAddr> {
    let wanted = || format!("--server {server} is not HOST:PORT, such as 127.0.0.1:7777");
    let addresses: Vec<SocketAddr> = server.to_socket_addrs().with_context(wanted)?.collect();
    let ipv4 = addresses.iter().find(|address| address.is_ipv4());
    ipv4.or(addresses.first()).copied().with_context(|| format!("--server {server} has no address"))
}

fn world(folder: Option<&Path>) -> anyhow::Result<LoadedWorld> {
    let Some(folder) = folder else { return Ok(builtin_world()) };
    Ok(load_world(&folder.display().to_string(), |name| std::fs::read(folder.join(name)))?)
}

/// The server's key: what the flags say, or else the environment, or else the one that a server of this machine makes.
fn key(arguments: &Arguments, variable: Option<String>, server: SocketAddr) -> anyhow::Result<ConnectKey> {
    if arguments.development_key {
        return Ok(ConnectKey::DEVELOPMENT);
    }
    if let Some(file) = &arguments.key_file {
        return Ok(read_key_file(file)?);
    }
    if let Some(text) = variable {
        return ConnectKey::parse(&text).with_context(|| format!("{KEY_VARIABLE} does not hold a key"));
    }
    ensure!(
        is_loopback(server.ip()),
        "{server} is another machine, and no key was given\n  help: give that server's with --key-file FILE or {KEY_VARIABLE}"
    );
    Ok(LocalKey::of_this_user()?.read()?)
}

fn percent(text: &str) -> Result<f32, String> {
    in_range(text, 100.0, "percent")
}

fn milliseconds(text: &str) -> Result<f32, String> {
    in_range(text, 10_000.0, "milliseconds")
}

fn in_range(text: &str, max: f32, unit: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if (0.0..=max).contains(&value) => Ok(value),
        _ => Err(format!("a number from 0 to {max} ({unit}) is wanted")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THIS_MACHINE: &str = "127.0.0.1:7777";

    fn key_of(arguments: &[&str], variable: Option<&str>, server: &str) -> anyhow::Result<ConnectKey> {
        let arguments = Arguments::try_parse_from([&["throng-swarm"], arguments].concat())?;
        key(&arguments, variable.map(str::to_owned), server.parse()?)
    }

    #[test]
    fn flags_come_before_the_environment() {
        let text = "ab".repeat(32);
        let from_environment = key_of(&[], Some(&text), THIS_MACHINE).expect("it is a key");
        assert_eq!(from_environment, ConnectKey::parse(&text).expect("it is a key"));
        let development = key_of(&["--development-key"], Some(&text), THIS_MACHINE).expect("the flag is enough");
        assert_eq!(development, ConnectKey::DEVELOPMENT);
        for (arguments, variable, server, part) in [
            (&["--key-file", "none.key"][..], Some(&*text), THIS_MACHINE, "cannot read the key file none.key"),
            (&["--key-file", "a", "--development-key"], None, THIS_MACHINE, "cannot be used with"),
            (&[], Some("ab"), THIS_MACHINE, "THRONG_KEY does not hold a key"),
            (&[], None, "192.0.2.1:7777", "--key-file FILE or THRONG_KEY"),
        ] {
            let text = format!("{:#}", key_of(arguments, variable, server).expect_err(part));
            assert!(text.contains(part), "{text}");
        }
    }
}
