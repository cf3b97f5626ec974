//! The program: command line → settings → server → run until a signal → exit code.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use throng_server::check::{self, Findings};
use throng_server::run::{Server, write_ready_file};
use throng_server::settings::{Overrides, Prepared, prepare};
use throng_shared::wire::key::ConnectKey;
use tracing_subscriber::EnvFilter;

/// An authoritative simulation server for MMO-scale worlds.
///
/// Without arguments: the built-in meadow, for players of this machine. THRONG_LOG sets what is logged (error, warn, info,
/// debug). Exit code: 0 after a stop by signal, 2 when something that was given is wrong.
#[derive(Parser, Debug)]
#[command(name = "throng", version)]
struct Arguments {
    #[command(flatten)]
    overrides: Overrides,
    /// Write where the server listens to this file, as JSON, once it does
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Check worlds and settings without starting: every mistake, with its line
    Check {
        /// A world's folder or file, a settings file, or a folder with any number of those
        #[arg(default_value = check::DEFAULT_PATH)]
        path: PathBuf,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_env("THRONG_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let is_terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(is_terminal)
        .with_target(false)
        .init();
    match arguments.command {
        Some(Command::Check { path }) => report(&check::check(&path)),
        None => match serve(&arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                let text = format!("{error:#}");
                let prefix = if text.starts_with("error: ") { "" } else { "error: " };
                eprintln!("{prefix}{text}");
                ExitCode::from(2)
            }
        },
    }
}

fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    let prepared = prepare(&arguments.overrides)?;
    let server = Server::open(&prepared)?;
    greet(&prepared, &server);
    if let Some(file) = &arguments.ready_file {
        write_ready_file(file, &server)?;
    }
    server.run();
    println!("Stopped.");
    Ok(())
}

/// Says where the server listens and what to type next.
fn greet(prepared: &Prepared, server: &Server) {
    println!("Throng {}", env!("CARGO_PKG_VERSION"));
    for world in &prepared.worlds {
        let config = &world.config;
        println!(
            "  world    {}: {} m, {} Hz, {} characters",
            config.name, config.size_m, config.tick_rate_hz, config.population.target
        );
    }
    let key = if prepared.key == ConnectKey::DEVELOPMENT { "development key, this machine only" } else { "encrypted" };
    println!("  players  udp {} ({key})", server.game_address());
    if let Some(address) = server.http_address {
        println!("  health   http://{address}/healthz  /readyz  /metrics");
    }
    println!(
        "Send it 50 players:  cargo run --release -p throng-client --bin throng-swarm -- --server {} --clients 50",
        server.game_address()
    );
    println!("Stop it:             Ctrl-C");
}

fn report(findings: &Findings) -> ExitCode {
    for line in &findings.right {
        println!("{line}");
    }
    for message in &findings.wrong {
        eprintln!("{message}\n");
    }
    if findings.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) }
}
