//! The program: command line → settings → server → run until a signal → exit code.

mod apply_command;
mod plan_command;

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use apply_command::ApplyArguments;
use clap::{Parser, Subcommand};
use plan_command::PlanArguments;
use throng_server::check::{self, Findings};
use throng_server::run::{Server, write_ready_file};
use throng_server::schema::{FileKind, write_schemas};
use throng_server::settings::{KeyOrigin, Overrides, Prepared, error_text, prepare};
use throng_server::show::{WorldFileKind, show, write_shown};
use throng_shared::config::KEY_VARIABLE;
use tracing_subscriber::EnvFilter;

/// Asks for large pages; see `docs/decisions/0010-memory.md`.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An authoritative simulation server for MMO-scale worlds.
///
/// Without arguments: the built-in meadow, for players whom the same user starts on this machine. THRONG_LOG sets what is
/// logged (error, warn, info, debug). Exit code: 0 after a stop by signal, 1 when the server broke, 2 when something that
/// was given is wrong.
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
    /// Play a changed world beside the present one, and print what would change
    Plan(PlanArguments),
    /// Have a running server take a changed world over, watch it, and take it back if a limit breaks
    Apply(ApplyArguments),
    /// Print a JSON schema by which editors complete and check files, or write them all
    #[command(arg_required_else_help = true)]
    Schema {
        /// The kind of file whose schema is printed
        #[arg(required_unless_present = "write")]
        kind: Option<FileKind>,
        /// Write the schemas of all kinds into this folder, and say how editors come to use them
        #[arg(long, value_name = "FOLDER", conflicts_with = "kind")]
        write: Option<PathBuf>,
    },
    /// Print all that a world's files say: every key with its value, its unit and where it is written, what is included in its
    /// place, and the defaults of what is not written
    Show {
        /// The world's folder or file, or a settings file
        world: PathBuf,
        /// Only one of its files
        kind: Option<WorldFileKind>,
        /// Write it into this folder, as a world that includes nothing
        #[arg(long, value_name = "FOLDER", conflicts_with = "kind")]
        write: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_env("THRONG_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let is_terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A log that cannot be written is no reason to panic.
        .log_internal_errors(false)
        .with_ansi(is_terminal)
        .with_target(false)
        .init();
    match arguments.command {
        Some(Command::Check { path }) => report(&check::check(&path)),
        Some(Command::Plan(plan)) => print_plan(&plan, &arguments.overrides).unwrap_or_else(refuse),
        Some(Command::Apply(apply)) => {
            apply_command::run(&apply, &mut |line| say(&mut std::io::stdout(), line)).unwrap_or_else(refuse)
        }
        Some(Command::Schema { kind, write }) => print_schema(kind, write.as_deref()).unwrap_or_else(refuse),
        Some(Command::Show { world, kind, write }) => {
            print_shown(&world, kind, write.as_deref()).unwrap_or_else(refuse)
        }
        None => serve(&arguments).unwrap_or_else(refuse),
    }
}

/// Says why something that was given is wrong.
fn refuse(error: anyhow::Error) -> ExitCode {
    say(&mut std::io::stderr(), &error_text(&error));
    ExitCode::from(2)
}

fn serve(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let prepared = prepare(&arguments.overrides)?;
    let server = Server::open(&prepared)?;
    // Before the greeting: whoever has read that finds the file.
    if let Some(file) = &arguments.ready_file {
        write_ready_file(file, &server)?;
    }
    let mut out = std::io::stdout();
    say(&mut out, &greeting(&prepared, &server));
    if let Err(error) = server.run() {
        say(&mut std::io::stderr(), &error_text(&error));
        return Ok(ExitCode::from(1));
    }
    say(&mut out, "Stopped.");
    Ok(ExitCode::SUCCESS)
}

/// Writes a line. A reader who has gone away is no reason to stop, and none to panic.
fn say(out: &mut dyn Write, line: &str) {
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Where the server listens and what to type next.
fn greeting(prepared: &Prepared, server: &Server) -> String {
    let mut lines = vec![format!("Throng {}", env!("CARGO_PKG_VERSION"))];
    lines.extend(prepared.worlds.iter().map(|world| {
        let config = &world.config;
        let (name, hz, characters) = (&config.name, config.tick_rate_hz, config.population.target);
        format!("  world    {name}: {} m, {hz} Hz, {characters} characters", config.size_m)
    }));
    let key = match &prepared.key_origin {
        KeyOrigin::Development => "development key, this machine only".to_owned(),
        KeyOrigin::Local(local) => format!("this machine only, key in {}", local.path().display()),
        KeyOrigin::File(_) | KeyOrigin::Environment => "with your key".to_owned(),
    };
    let addresses: Vec<String> = server.game_addresses().iter().map(SocketAddr::to_string).collect();
    lines.push(format!("  players  udp {} ({key})", addresses.join(" ")));
    if let Some(address) = server.http_address {
        lines.push(format!("  health   http://{address}/healthz  /readyz  /metrics"));
    }
    lines.extend(swarm_commands(prepared, &server.game_addresses()));
    lines.push("Stop it:             Ctrl-C".to_owned());
    lines.join("\n")
}

/// A command for each world that sends it players, with whatever they must be given.
fn swarm_commands(prepared: &Prepared, game_addresses: &[SocketAddr]) -> Vec<String> {
    // Tokens name the address that players connect to, which need not be the one listened on.
    let Some(address) = prepared.settings.net.public_address.or(game_addresses.first().copied()) else {
        return Vec::new();
    };
    let workers = match game_addresses.len() {
        1 => String::new(),
        count => format!(" --workers {count}"),
    };
    let key = match &prepared.key_origin {
        KeyOrigin::File(file) => format!(" --key-file {}", quoted(file)),
        KeyOrigin::Development => " --development-key".to_owned(),
        KeyOrigin::Local(_) | KeyOrigin::Environment => String::new(),
    };
    let mut lines: Vec<String> = (0..prepared.worlds.len())
        .map(|number| {
            let world = prepared.world_folders.get(number);
            let world = world.map_or(String::new(), |folder| format!(" --world {}", quoted(folder)));
            let instance = if number > 0 { format!(" --instance {number}") } else { String::new() };
            format!(
                "Send it 50 players:  cargo run --release -p throng-client --bin throng-swarm -- --server {address} \
                 --clients 50{workers}{world}{instance}{key}"
            )
        })
        .collect();
    if prepared.key_origin == KeyOrigin::Environment {
        lines.push(format!("                     with the same {KEY_VARIABLE} in the environment there"));
    }
    lines
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |character: char| character.is_alphanumeric() || "/\\._-:+,".contains(character);
    if text.chars().all(is_plain) { text } else { format!("'{text}'") }
}

fn print_plan(plan: &PlanArguments, overrides: &Overrides) -> anyhow::Result<ExitCode> {
    say(&mut std::io::stdout(), &plan_command::run(plan, overrides)?);
    Ok(ExitCode::SUCCESS)
}

fn print_schema(kind: Option<FileKind>, folder: Option<&Path>) -> anyhow::Result<ExitCode> {
    if let Some(kind) = kind {
        say(&mut std::io::stdout(), kind.schema_json().trim_end());
    }
    if let Some(folder) = folder {
        say(&mut std::io::stdout(), &write_schemas(folder)?);
    }
    Ok(ExitCode::SUCCESS)
}

fn print_shown(world: &Path, kind: Option<WorldFileKind>, folder: Option<&Path>) -> anyhow::Result<ExitCode> {
    let shown = match folder {
        Some(folder) => write_shown(world, folder)?,
        None => show(world, kind)?,
    };
    say(&mut std::io::stdout(), shown.trim_end());
    Ok(ExitCode::SUCCESS)
}

fn report(findings: &Findings) -> ExitCode {
    for line in &findings.right {
        say(&mut std::io::stdout(), line);
    }
    if !findings.wrong.is_empty() {
        say(&mut std::io::stderr(), &findings.wrong.join("\n\n"));
    }
    if findings.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) }
}
