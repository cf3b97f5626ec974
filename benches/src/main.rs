//! `throng-bench WORKLOAD`: runs one workload and prints what it measured.

mod agreement;
mod alloc;
mod aoi;
mod bots;
mod crowd;
mod duel;
mod figures;
mod floor;
mod machine;
mod memory;
mod players;
mod process;
mod report;
mod rewind;
mod seal;
mod shared_sockets;
mod town;
mod walk;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use figures::Report;
use serde_json::json;
use wire::{ServerParameters, StandParameters, WireParameters};

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
    /// The machine's own limits: datagrams sent and received, sealing and opening
    Floor(FloorArguments),
    /// Players over encrypted loopback UDP, the server on one core, the load on another; beside the stock transport
    Wire(WireArguments),
    /// Clients that are connected while nothing moves: datagrams each way
    Idle(IdleArguments),
    /// Thousands connect while others play; then strangers flood the port
    Storm(StormArguments),
    /// Changed, replayed and forged packets through the real receive path
    Hostile(HostileArguments),
    /// Everybody in one circle of 100 m: tick, bytes, and how old what players know of the others is
    Crowd(CrowdArguments),
    /// Who is near whom: places in cells, and what each player is to be told of
    Aoi(AoiArguments),
    /// Shots, judged where their shooters saw their targets
    Rewind(RewindArguments),
    /// At 128 Hz everybody runs and shoots, and is judged where it saw its target: players, in process, snapshots sealed into a sink
    Duel(DuelArguments),
    /// A world full of bots, alone and with clients who watch: tick, and what a bot costs
    Bots(BotsArguments),
    /// A crowd of bots crosses a town with walls and doors, half of it each way: who gets stuck, and a picture from above
    Town(TownArguments),
    /// Whether shots are judged as their shooters saw them, over links of every kind
    Agreement(AgreementArguments),
    /// What bots and clients hold in memory, and whether that grows while people come and go
    Memory(MemoryArguments),
    /// What a steady server asks of the allocator
    Alloc(AllocArguments),
    /// The server of the workloads over sockets; they start it themselves
    #[command(hide = true)]
    Serve(ServeArguments),
    /// Clients of `idle`, as a process of their own
    #[command(hide = true)]
    Stand(StandArguments),
}

/// What every workload takes.
#[derive(Args, Debug)]
struct Output {
    /// A first look in under half a minute: fewer clients, shorter
    #[arg(long)]
    quick: bool,
    /// Also writes the figures to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
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
    /// How often players are told of others: all in every tick, or the far ones less often, as in the meadow; each is run
    #[arg(long, value_delimiter = ',', default_value = "none")]
    tiers: Vec<walk::TierChoice>,
    #[command(flatten)]
    output: Output,
}

#[derive(Args, Debug)]
struct FloorArguments {
    /// Payload of a datagram to a client, in bytes
    #[arg(long, default_value_t = 340, value_parser = clap::value_parser!(u16).range(1..=1_200))]
    out_bytes: u16,
    /// Addresses that datagrams are sent to in turn, as to as many clients
    #[arg(long, default_value_t = floor::RECEIVERS_DEFAULT, value_parser = clap::value_parser!(u32).range(1..=18_000))]
    receivers: u32,
    /// Payload of a datagram to the server, in bytes
    #[arg(long, default_value_t = 29, value_parser = clap::value_parser!(u16).range(1..=1_200))]
    in_bytes: u16,
    #[command(flatten)]
    output: Output,
}

#[derive(Args, Debug)]
struct WireArguments {
    /// Numbers of clients to try, rising, until one does not hold
    #[arg(long, value_delimiter = ',', default_value = "1000,2000,3000,3500,4000,4500,5000,5500,6000", value_parser = clap::value_parser!(u32).range(10..=18_000))]
    clients: Vec<u32>,
    /// The same for the stock transport, which holds 1,024 at most
    #[arg(long, value_delimiter = ',', default_value = "600,800,1000", value_parser = clap::value_parser!(u32).range(10..=1_024))]
    stock_clients: Vec<u32>,
    /// Number of characters that a client sees, on average
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=500))]
    visible: u32,
    /// How long to measure each step, in seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How often ours, the stock and the floor are measured in turn, at the most clients that held
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    rounds: u64,
    #[command(flatten)]
    output: Output,
}

#[derive(Args, Debug)]
struct IdleArguments {
    /// Number of clients
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=24_000))]
    clients: u32,
    /// How long to measure, in seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    #[command(flatten)]
    output: Output,
}

#[derive(Args, Debug)]
struct StormArguments {
    /// Players who play all the while
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(10..=10_000))]
    players: u32,
    /// Clients that connect on top
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(10..=15_000))]
    newcomers: u32,
    /// Share of the newcomers' datagrams that are lost each way, in percent
    #[arg(long, default_value_t = 1.0)]
    loss_percent: f32,
    /// Packets of strangers in a second
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    junk_per_s: u32,
    #[command(flatten)]
    output: Output,
}

#[derive(Args, Debug)]
struct HostileArguments {
    /// Number of packets
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1_000..=1_000_000_000))]
    packets: u64,
    #[command(flatten)]
    output: Output,
}

#[derive(Args, Debug)]
struct AllocArguments {
    /// Number of clients, all in sight of one another
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=500))]
    clients: u32,
    /// Ticks that are counted
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    ticks: u32,
    #[command(flatten)]
    output: Output,
}

#[derive(Args, Debug)]
struct CrowdArguments {
    /// Numbers of players; each is run
    #[arg(long, value_delimiter = ',', default_value = "500,1000,2000,5000", value_parser = clap::value_parser!(u32).range(100..=10_000))]
    players: Vec<u32>,
    /// How long to measure each, in seconds of simulated time
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Threads for the simulation
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=256))]
    threads: u32,
    #[command(flatten)]
    output: Output,
}

#[derive(Args, Debug)]
struct AoiArguments {
    /// How long to measure each, in seconds of simulated time
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    #[command(flatten)]
    output: Output,
}

#[derive(Args, Debug)]
struct DuelArguments {
    /// Numbers of players; each is run
    #[arg(long, value_delimiter = ',', default_value = "100,500,1000,1500,2000", value_parser = clap::value_parser!(u32).range(10..=5_000))]
    players: Vec<u32>,
    /// How long to measure each, in seconds of simulated time
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    #[command(flatten)]
    output: Output,
}

#[derive(Args, Debug)]
struct BotsArguments {
    /// Numbers of bots; each is run
    #[arg(long, value_delimiter = ',', default_value = "10000,20000,100000", value_parser = clap::value_parser!(u32).range(1..=200_000))]
    bots: Vec<u32>,
    /// Clients who watch, for each of those
    #[arg(long, value_delimiter = ',', default_value = "0,1000,0", value_parser = clap::value_parser!(u32).range(0..=20_000))]
    clients: Vec<u32>,
    /// How long to measure each, in seconds of simulated time
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    seconds: u32,
    /// Threads for the simulation
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    threads: u16,
    #[command(flatten)]
    output: Output,
}

#[derive(Args, Debug)]
struct TownArguments {
    /// How many bots
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(2..=20_000))]
    bots: u32,
    /// How many towns with other bots in them, each with somebody in the middle who watches and without
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    seeds: u32,
    /// For how long, in seconds of simulated time
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u32).range(10..=600))]
    seconds: u32,
    /// Draws the ways of all bots of the first town, and where they are after 60 s, into this file, as a PNG
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

#[derive(Args, Debug)]
struct AgreementArguments {
    /// Shots for each condition
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    shots: u32,
    /// How far back worlds judge at most, in milliseconds; each is run
    #[arg(long, value_delimiter = ',', default_value = "250,480", value_parser = clap::value_parser!(u32).range(0..=480))]
    rewind_max_ms: Vec<u32>,
    #[command(flatten)]
    output: Output,
}

#[derive(Args, Debug)]
struct RewindArguments {
    /// How many ticks to measure, of 5,000 shots each
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    ticks: u32,
    #[command(flatten)]
    output: Output,
}

#[derive(Args, Debug)]
struct MemoryArguments {
    /// For how long people come and go, in minutes of simulated time
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=600))]
    minutes: u32,
    #[command(flatten)]
    output: Output,
}

#[derive(Args, Debug)]
struct ServeArguments {
    #[arg(long)]
    players: u32,
    #[arg(long)]
    visible: u32,
    #[arg(long)]
    clients_max: u32,
    #[arg(long)]
    core: usize,
    #[arg(long)]
    stock: bool,
}

#[derive(Args, Debug)]
struct StandArguments {
    #[arg(long)]
    server: std::net::SocketAddr,
    #[arg(long)]
    players: u32,
    #[arg(long)]
    first: u32,
    #[arg(long)]
    count: u32,
}

fn main() -> ExitCode {
    match run(Arguments::parse().workload) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(workload: Workload) -> anyhow::Result<()> {
    match workload {
        Workload::Walk(arguments) => run_walk(&arguments),
        Workload::Floor(arguments) => run_floor(&arguments)?.finish(arguments.output.json.as_deref()),
        Workload::Wire(arguments) => wire::run(&wire_parameters(&arguments))?.finish(arguments.output.json.as_deref()),
        Workload::Idle(IdleArguments { clients, seconds, output }) => {
            let (clients, seconds) = if output.quick { (clients.min(200), 3) } else { (clients, seconds) };
            wire::run_idle(clients, seconds, output.quick)?.finish(output.json.as_deref())
        }
        Workload::Storm(arguments) => {
            let report = wire::run_storm(&storm_parameters(&arguments))?;
            report.finish(arguments.output.json.as_deref())
        }
        Workload::Hostile(HostileArguments { packets, output }) => {
            let packets = if output.quick { packets.min(500_000) } else { packets };
            wire::run_hostile(packets, output.quick)?.finish(output.json.as_deref())
        }
        Workload::Crowd(CrowdArguments { players, seconds, threads, output }) => {
            let seconds = if output.quick { 2 } else { seconds };
            crowd::run(&players, seconds, threads, output.quick)?.finish(output.json.as_deref())
        }
        Workload::Aoi(AoiArguments { seconds, output }) => {
            let seconds = if output.quick { 1 } else { seconds };
            aoi::run(seconds, output.quick)?.finish(output.json.as_deref())
        }
        Workload::Rewind(RewindArguments { ticks, output }) => {
            let ticks = if output.quick { ticks.min(5) } else { ticks };
            rewind::run(ticks, output.quick)?.finish(output.json.as_deref())
        }
        Workload::Duel(DuelArguments { players, seconds, output }) => {
            let (players, seconds) = if output.quick { (vec![100, 500], seconds.min(2)) } else { (players, seconds) };
            duel::run(&players, seconds, output.quick)?.finish(output.json.as_deref())
        }
        Workload::Bots(BotsArguments { bots, clients, seconds, threads, output }) => {
            let seconds = if output.quick { seconds.min(3) } else { seconds };
            let clients = clients.iter().copied().chain(std::iter::repeat(0));
            let crowds: Vec<bots::Crowd> =
                bots.iter().zip(clients).map(|(&bots, clients)| bots::Crowd { bots, clients }).collect();
            bots::run(&crowds, seconds, threads.into(), output.quick)?.finish(output.json.as_deref())
        }
        Workload::Town(TownArguments { bots, seeds, seconds, picture, output }) => {
            let seeds = if output.quick { 1 } else { seeds };
            let parameters = town::Parameters { bots, seeds, seconds, picture, is_quick: output.quick };
            town::run(&parameters)?.finish(output.json.as_deref())
        }
        Workload::Agreement(AgreementArguments { shots, rewind_max_ms, output }) => {
            let shots = if output.quick { shots.min(500) } else { shots };
            agreement::run(shots, &rewind_max_ms, output.quick)?.finish(output.json.as_deref())
        }
        Workload::Memory(MemoryArguments { minutes, output }) => {
            let minutes = if output.quick { 2 } else { minutes };
            memory::run(minutes, output.quick)?.finish(output.json.as_deref())
        }
        Workload::Alloc(AllocArguments { clients, ticks, output }) => {
            let ticks = if output.quick { ticks.min(100) } else { ticks };
            // As a server lives: on a thread of the pool, whose jobs others take from it.
            let report = rayon::ThreadPoolBuilder::new().build()?.install(|| alloc::run(clients, ticks, output.quick));
            report.finish(output.json.as_deref())
        }
        Workload::Serve(arguments) => wire::serve(&ServerParameters {
            players: arguments.players,
            visible: arguments.visible,
            clients_max: arguments.clients_max,
            core: arguments.core,
            is_stock: arguments.stock,
        }),
        Workload::Stand(StandArguments { server, players, first, count }) => {
            wire::stand(&StandParameters { server, players, first, count })
        }
    }
}

fn run_walk(arguments: &WalkArguments) -> anyhow::Result<()> {
    let mut runs = Vec::new();
    let (players, visible, seconds) = match arguments.output.quick {
        true => (&vec![1_000], &arguments.visible, 3),
        false => (&arguments.players, &arguments.visible, arguments.seconds),
    };
    for &players in players {
        for &visible in visible {
            for &tiers in &arguments.tiers {
                let parameters = walk::Parameters { players, visible, seconds, threads: arguments.threads, tiers };
                runs.push(walk::run(&parameters)?);
            }
        }
    }
    println!("{}", report::table(&runs));
    if let Some(file) = &arguments.output.json {
        report::write_json(file, &runs, arguments.output.quick)?;
    }
    Ok(())
}

fn run_floor(arguments: &FloorArguments) -> anyhow::Result<Report> {
    let sizes = floor::Sizes {
        out_bytes: arguments.out_bytes.into(),
        in_bytes: arguments.in_bytes.into(),
        receivers: arguments.receivers as usize,
    };
    let is_quick = arguments.output.quick;
    let rounds = if is_quick { 500 } else { 5_000 };
    let measured = floor::measure(sizes, wire::SERVER_CORE, wire::LOAD_CORE, rounds)?;
    let parameters = json!({ "out_bytes": sizes.out_bytes, "in_bytes": sizes.in_bytes, "quick": is_quick });
    let mut report = Report::new("floor", parameters);
    measured.add_to(&mut report);
    Ok(report)
}

fn wire_parameters(arguments: &WireArguments) -> WireParameters {
    let is_quick = arguments.output.quick;
    let (clients, stock_clients, seconds, rounds) = match is_quick {
        true => (vec![500], vec![500], 3, 1),
        false => {
            let WireArguments { clients, stock_clients, seconds, rounds, .. } = arguments;
            (clients.clone(), stock_clients.clone(), *seconds, *rounds as usize)
        }
    };
    WireParameters { clients, stock_clients, visible: arguments.visible, seconds, rounds, is_quick }
}

fn storm_parameters(arguments: &StormArguments) -> wire::StormParameters {
    let is_quick = arguments.output.quick;
    let (players, newcomers, seconds) =
        if is_quick { (200, 500, 3) } else { (arguments.players, arguments.newcomers, 10) };
    wire::StormParameters {
        players,
        newcomers,
        connect_seconds: seconds,
        loss_percent: arguments.loss_percent,
        junk_per_s: arguments.junk_per_s,
        junk_seconds: seconds,
        is_quick,
    }
}
