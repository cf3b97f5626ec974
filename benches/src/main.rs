//! `throng-bench WORKLOAD`: runs one workload and prints what it measured.

mod machine;
mod players;
mod report;
mod seal;
mod walk;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Benchmarks of the Throng server. Every figure says with how many characters, clients and bytes it was measured.
#[derive(Parser, Debug)]
#[command(name = "throng-bench", version)]
struct Arguments {
    #[command(subcommand)]
    workload: Workload,
}

#[derive(Subcommand, Debug)]
enum Workload {
    /// An open world in which everybody moves: players and as many bots, in process, snapshots sealed into a sink
    Walk(WalkArguments),
}

#[derive(Args, Debug)]
struct WalkArguments {
    /// Numbers of players; each is run, with as many bots
    #[arg(long, value_delimiter = ',', default_value = "1000,5000,10000", value_parser = clap::value_parser!(u32).range(10..=50_000))]
    players: Vec<u32>,
    /// Numbers of characters that a player sees, on average; each is run
    #[arg(long, value_delimiter = ',', default_value = "32,100", value_parser = clap::value_parser!(u32).range(1..=500))]
    visible: Vec<u32>,
    /// How long to measure each, in seconds of simulated time
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Threads for the simulation
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    threads: u32,
    /// A first look in under half a minute: fewer players, shorter
    #[arg(long)]
    quick: bool,
    /// Also writes the figures to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let Arguments { workload: Workload::Walk(arguments) } = Arguments::parse();
    match run_walk(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run_walk(arguments: &WalkArguments) -> anyhow::Result<()> {
    let mut runs = Vec::new();
    let (players, visible, seconds) = match arguments.quick {
        true => (&vec![1_000], &arguments.visible, 3),
        false => (&arguments.players, &arguments.visible, arguments.seconds),
    };
    for &players in players {
        for &visible in visible {
            let parameters = walk::Parameters { players, visible, seconds, threads: arguments.threads };
            runs.push(walk::run(&parameters)?);
        }
    }
    println!("{}", report::table(&runs));
    if let Some(file) = &arguments.json {
        report::write_json(file, &runs, arguments.quick)?;
    }
    Ok(())
}
