//! `throng plan`: reads both worlds, plays them, and says what would change.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use throng_server::clock::{Clock, SystemClock};
use throng_server::plan::{PEOPLE_MAX, PlanOptions, Prediction, plan};
use throng_server::settings::{Overrides, first_world_folder, read_worlds};
use throng_shared::config::{LoadedWorld, WORLD_FILE_NAME, builtin_world};
use throng_shared::link::LinkConditions;

/// People in a plan unless it is said, if the worlds have places for as many.
const PEOPLE_DEFAULT: u32 = 100;

/// Steps of the bar.
const BAR_STEPS: f32 = 1_000.0;

/// What `throng plan` is given.
#[derive(Args, Clone, Debug)]
pub(crate) struct PlanArguments {
    /// The changed world: its folder, or the world.toml in it
    new: PathBuf,
    /// The world as it is; by default the first that a server with the same flags and settings would run
    #[arg(long, value_name = "FOLDER")]
    world: Option<PathBuf>,
    /// People who play in both; by default 100, or as many as there are places for
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(PEOPLE_MAX)))]
    clients: Option<u32>,
    /// Minutes that are measured
    #[arg(long, default_value_t = 1, value_name = "M", value_parser = clap::value_parser!(u64).range(1..=1_440))]
    minutes: u64,
    /// The same in seconds
    #[arg(long, value_name = "S", conflicts_with = "minutes", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: Option<u64>,
    /// Seconds for which bots are alone before people come
    #[arg(long, default_value_t = 30, value_name = "S", value_parser = clap::value_parser!(u64).range(0..=86_400))]
    warm_up: u64,
    /// Seed of what people do and of what links lose
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Delay of each datagram, each way, in milliseconds
    #[arg(long, default_value_t = 0, value_name = "L", value_parser = clap::value_parser!(u16).range(0..=1_000))]
    latency_ms: u16,
    /// Share of datagrams that are lost, each way, in percent
    #[arg(long, default_value_t = 0, value_name = "P", value_parser = clap::value_parser!(u16).range(0..=50))]
    loss_percent: u16,
    /// Threads for the simulation; 0 for one per core
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=256))]
    threads: u32,
    /// Have the new world begin with its files, as after a restart, even if a running server could take them over
    #[arg(long)]
    restart: bool,
    /// Print the figures as JSON instead
    #[arg(long)]
    json: bool,
}

/// Does it; returns what is to be printed.
///
/// # Errors
/// With every mistake in both worlds, or why they cannot be played.
pub(crate) fn run(arguments: &PlanArguments, overrides: &Overrides) -> anyhow::Result<String> {
    let (old, new) = read(arguments, overrides)?;
    let places = old.config.population.players_max.min(new.config.population.players_max);
    let options = PlanOptions {
        people: arguments.clients.unwrap_or(PEOPLE_DEFAULT.min(places)),
        warm_up: Duration::from_secs(arguments.warm_up),
        measured: Duration::from_secs(arguments.seconds.unwrap_or(60 * arguments.minutes)),
        seed: arguments.seed,
        link: LinkConditions {
            one_way_ms: arguments.latency_ms.into(),
            loss_percent: arguments.loss_percent.into(),
            ..LinkConditions::default()
        },
        is_restart: arguments.restart,
    };
    let prediction = play(&old, &new, options, arguments.threads)?;
    Ok(match arguments.json {
        true => serde_json::to_string_pretty(&prediction.to_json())?,
        false => prediction.to_string(),
    })
}

/// Both worlds, the built-in one for none; the mistakes of both at once.
fn read(arguments: &PlanArguments, overrides: &Overrides) -> anyhow::Result<(LoadedWorld, LoadedWorld)> {
    let old = match &arguments.world {
        Some(folder) => Some(folder.clone()),
        None => first_world_folder(overrides)?,
    };
    let folders: Vec<PathBuf> = old.iter().chain([&arguments.new]).map(|path| folder_of(path)).collect();
    let mut worlds = read_worlds(&folders)?;
    let new = worlds.pop().context("a world was read for each folder")?;
    Ok((worlds.pop().unwrap_or_else(builtin_world), new))
}

/// The folder of a world that was named by its folder or by the file in it.
fn folder_of(path: &Path) -> PathBuf {
    let is_file = path.file_name().is_some_and(|name| name == WORLD_FILE_NAME);
    let folder = if is_file { path.parent().unwrap_or(Path::new("")) } else { path };
    folder.to_owned()
}

fn play(old: &LoadedWorld, new: &LoadedWorld, options: PlanOptions, threads: u32) -> anyhow::Result<Prediction> {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(BAR_STEPS as u64) } else { ProgressBar::hidden() };
    bar.set_style(ProgressStyle::with_template("  {msg:<28} {wide_bar} {percent} %, {eta}")?);
    bar.set_message(format!("{} people, both worlds", options.people));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads as usize).build()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let watch = &mut |share: f32| bar.set_position((share * BAR_STEPS) as u64);
    let prediction = pool.install(|| plan(old, new, options, &clock, watch));
    bar.finish_and_clear();
    Ok(prediction?)
}
