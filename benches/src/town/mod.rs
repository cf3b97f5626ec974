//! `town`: a crowd crosses a town with walls and doors.

mod picture;

use std::path::PathBuf;

use anyhow::Context;
use hdrhistogram::Histogram;
use serde_json::json;
use throng_bot_ai::RoutePlanner;
use throng_server::clock::{Clock, SystemClock};
use throng_tests::{Crossing, CrossingReport, town_to_cross};

use crate::figures::Report;
use crate::wire::bar;
use picture::Picture;

/// When it is looked who is stuck, and drawn, in seconds.
const LOOK_S: u32 = 60;

/// What is run.
#[derive(Debug)]
pub(crate) struct Parameters {
    pub(crate) bots: u32,
    pub(crate) seeds: u32,
    pub(crate) seconds: u32,
    pub(crate) picture: Option<PathBuf>,
    pub(crate) is_quick: bool,
}

/// Runs it for each seed, watched and not.
///
/// # Errors
/// When the picture cannot be written.
pub(crate) fn run(parameters: &Parameters) -> anyhow::Result<Report> {
    let Parameters { bots, seeds, seconds, is_quick, .. } = parameters;
    let listed = json!({ "bots": bots, "seeds": seeds, "seconds": seconds, "tick_rate_hz": 20, "quick": is_quick });
    let mut report = Report::new("town", listed);
    for seed in 0..*seeds {
        for (is_watched, name) in [(true, "watched"), (false, "unwatched")] {
            let is_drawn = seed == 0 && is_watched;
            let picture = parameters.picture.as_ref().filter(|_| is_drawn);
            cross(parameters, seed, (is_watched, name), picture, &mut report)?;
        }
    }
    Ok(report)
}

fn cross(
    parameters: &Parameters,
    seed: u32,
    (is_watched, name): (bool, &str),
    picture_file: Option<&PathBuf>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut world = town_to_cross(parameters.bots);
    world.config.seed += u64::from(seed);
    let mut crossing = Crossing::of(world, is_watched);
    let rate_hz = crossing.instance().tick_rate().hz();
    let ticks = parameters.seconds * rate_hz;
    let progress = bar(format!("town {}, {name}", seed + 1), u64::from(ticks))?;
    let mut picture = picture_file.map(|_| Picture::new(&crossing.instance().rules().map));
    let clock = SystemClock::new();
    let (mut tick_us, mut looked) = (Histogram::<u64>::new(3)?, None);
    for tick in 1..=ticks {
        let start = clock.now();
        crossing.step();
        tick_us.record((clock.now() - start).as_micros() as u64)?;
        progress.inc(1);
        if tick <= LOOK_S * rate_hz
            && let Some(picture) = &mut picture
        {
            crossing.places_m().for_each(|(start_m, here_m)| picture.pass(start_m.x < 0.0, here_m));
        }
        if tick == LOOK_S * rate_hz || tick == ticks {
            looked.get_or_insert(crossing.report());
            progress.suspend(|| crossing.stuck_places().iter().for_each(|stuck| eprintln!("  stuck: bot {stuck}")));
            if let (Some(picture), Some(file)) = (picture.take(), picture_file) {
                let here_m = crossing.places_m().map(|(start_m, here_m)| (start_m.x < 0.0, here_m));
                picture.write(file, here_m).with_context(|| format!("cannot write {}", file.display()))?;
            }
        }
    }
    progress.finish_and_clear();
    let (looked, end) = (looked.unwrap_or(crossing.report()), crossing.report());
    add(report, &format!("{name}_{}", seed + 1), looked, end);
    let routes = crossing.instance().world().resource::<RoutePlanner>().counts();
    let mut figure = |what: &str, value: f64| report.add(format!("{what}_{name}_{}", seed + 1), value);
    figure("ways_found_per_bot", routes.found as f64 / f64::from(parameters.bots));
    figure("tick_ms_p50", tick_us.value_at_quantile(0.5) as f64 / 1e3);
    figure("tick_ms_p99", tick_us.value_at_quantile(0.99) as f64 / 1e3);
    Ok(())
}

fn add(report: &mut Report, name: &str, looked: CrossingReport, end: CrossingReport) {
    report.add(format!("stuck_after_60_s_{name}"), looked.stuck as f64);
    report.add(format!("across_after_60_s_{name}"), looked.across as f64);
    report.add(format!("across_at_the_end_{name}"), end.across as f64);
    report.add(format!("stuck_at_the_end_{name}"), end.stuck as f64);
    report.add(format!("half_across_s_{name}"), end.half_s.into());
    report.add(format!("last_across_s_{name}"), end.last_s.into());
    report.add(format!("deepest_in_a_wall_mm_{name}"), (end.deepest_m * 1e3).into());
}
