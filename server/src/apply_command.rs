//! `throng apply`: asks a running server to take a world over on trial, and says what comes of it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use serde_json::Value;
use throng_server::admin::call::{ask_how_it_fares, ask_to_apply};
use throng_shared::config::WORLD_FILE_NAME;

/// How often is asked how it fares.
const ASK_INTERVAL: Duration = Duration::from_secs(1);

/// What `throng apply` is given.
#[derive(Args, Clone, Debug)]
pub(crate) struct ApplyArguments {
    /// The changed world: a folder beside that of the running world, by its path or its name
    new: PathBuf,
    /// Where the server serves HTTP, on this computer
    #[arg(long, default_value = "127.0.0.1:7780", value_name = "IP:PORT")]
    admin: SocketAddr,
    /// Number of the world on the server
    #[arg(long, default_value_t = 0, value_name = "N")]
    number: u16,
    /// Do not wait until it is known whether the change stays
    #[arg(long)]
    no_wait: bool,
}

/// Does it, and tells `say` how it goes. Exit code 0 when the change stays, or is in force and nobody waits; 1 when it was taken back.
///
/// # Errors
/// When the server refuses or does not answer.
pub(crate) fn run(arguments: &ApplyArguments, say: &mut dyn FnMut(&str)) -> anyhow::Result<ExitCode> {
    let ApplyArguments { admin, number, .. } = *arguments;
    let mut world = ask_to_apply(admin, number, &folder_text(&arguments.new))?;
    let name = world["name"].as_str().unwrap_or_default().to_owned();
    say(&format!("{name} goes by it from tick {} on", world["since_tick"]));
    if arguments.no_wait {
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("watched for {} s", world["left_s"]));
    let mut told = Value::Null;
    loop {
        let state = world["state"].as_str().unwrap_or_default();
        let problem = world["problem"].as_str().unwrap_or_default();
        match state {
            "watched" => {}
            "kept" => {
                say(
                    "kept: no limit has broken. A restart goes by the world's own folder: copy the files there to keep them",
                );
                return Ok(ExitCode::SUCCESS);
            }
            "rolled_back" => {
                say(&format!("taken back: {problem}"));
                return Ok(ExitCode::from(1));
            }
            other => bail!("the server says of it: {other} {problem}"),
        }
        if world["figures"].is_object() && world["figures"] != told {
            told = world["figures"].clone();
            say(&figures_text(&told));
        }
        std::thread::sleep(ASK_INTERVAL);
        world = ask_how_it_fares(admin, number)?;
    }
}

/// What the server finds it by: the whole path of a folder that is here, and else what was written.
fn folder_text(path: &Path) -> String {
    let is_file = path.file_name().is_some_and(|name| name == WORLD_FILE_NAME);
    let folder = if is_file { path.parent().unwrap_or(Path::new("")) } else { path };
    let whole = std::fs::canonicalize(folder).ok().filter(|whole| whole.is_dir());
    whole.unwrap_or_else(|| folder.to_owned()).display().to_string()
}

fn figures_text(figures: &Value) -> String {
    let number = |name: &str| figures[name].as_f64().unwrap_or_default();
    let (tick_ms, bytes, players) = (number("tick_ms_p99"), number("client_bytes_per_s"), number("players"));
    format!("  tick p99 {tick_ms:.3} ms, {bytes:.0} bytes/s per client in snapshots, {players} players")
}
