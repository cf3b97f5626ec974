//! What a plan predicts is what then happens.

use std::sync::Arc;
use std::time::Duration;

use throng_client::{ClientTransport, Wanderer};
use throng_server::clock::{Clock, ManualClock};
use throng_server::plan::{Figures, PlanError, PlanOptions, Prediction, Way, plan};
use throng_shared::config::{LoadedWorld, PopulationConfig, WorldConfig};
use throng_shared::ids::InstanceId;
use throng_tests::{Link, Plan, PlayerHandle, Sim, fighting_world, flat_world};

const WORLD: InstanceId = InstanceId(0);

/// As the plan has it: until everybody is in and has settled.
const SETTLE_S: u32 = 5;

const PEOPLE: u32 = 30;

const MEASURED_S: u32 = 20;

/// A world with bots, in which everybody sees some of the others.
fn world(change: impl FnOnce(&mut WorldConfig)) -> LoadedWorld {
    flat_world(|config| {
        config.population = PopulationConfig { target: 120, players_max: 60, ..PopulationConfig::default() };
        config.spawn_areas[0].radius_m = 150.0;
        (config.interest.enter_radius_m, config.interest.leave_radius_m) = (30.0, 40.0);
        change(config);
    })
}

fn doubled(config: &mut WorldConfig) {
    (config.interest.enter_radius_m, config.interest.leave_radius_m) = (60.0, 80.0);
}

fn options() -> PlanOptions {
    PlanOptions {
        people: PEOPLE,
        warm_up: Duration::from_secs(5),
        measured: Duration::from_secs(MEASURED_S.into()),
        seed: 1,
        link: Link::default(),
        is_restart: false,
    }
}

fn predict(old: &LoadedWorld, new: &LoadedWorld, options: PlanOptions) -> Prediction {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
    plan(old, new, options, &clock, &mut |_| ()).expect("both worlds can be played")
}

/// Bytes that a client is sent per second in a whole server with real clients, who do other things than those of the plan.
fn observed_bytes_per_s(world: LoadedWorld, adopted: Option<&LoadedWorld>) -> f64 {
    let config = world.config.clone();
    let mut sim = Sim::new(99).world(world).start();
    if let Some(adopted) = adopted {
        let now = sim.now();
        sim.host_mut().adopt(now, WORLD, adopted).expect("it can be taken over");
    }
    let hz = config.tick_rate_hz;
    sim.run_ticks(5 * hz);
    let players: Vec<PlayerHandle> = (0..PEOPLE)
        .map(|number| {
            let player = sim.start_connecting(WORLD);
            sim.plan(player, Plan::Swarm(Wanderer::new(99, number, &config)));
            player
        })
        .collect();
    sim.run_ticks(SETTLE_S * hz);
    let bytes = |sim: &Sim| players.iter().map(|&p| sim.client(p).transport().traffic().bytes_in).sum::<u64>();
    let before = bytes(&sim);
    sim.run_ticks(MEASURED_S * hz);
    (bytes(&sim) - before) as f64 / f64::from(MEASURED_S) / f64::from(PEOPLE)
}

fn is_within_10_percent(predicted: f64, observed: f64) -> bool {
    (predicted - observed).abs() <= 0.1 * observed
}

#[test]
fn a_doubled_radius_takes_the_bytes_per_client_that_were_predicted() {
    let (old, new) = (world(|_| ()), world(doubled));
    let live = predict(&old, &new, options());
    assert_eq!((live.way, live.fixed.len()), (Way::Live, 0));
    let restarted = predict(&old, &new, PlanOptions { is_restart: true, ..options() });
    assert_eq!(restarted.way, Way::Restart);
    assert_eq!(restarted.old, live.old, "what is measured of the old world does not depend on the new one");
    let cases = [
        ("old", live.old, observed_bytes_per_s(old.clone(), None)),
        ("taken over", live.new, observed_bytes_per_s(old, Some(&new))),
        ("restarted", restarted.new, observed_bytes_per_s(new, None)),
    ];
    for (name, Figures { client_bytes_per_s, .. }, observed) in cases {
        assert!(is_within_10_percent(client_bytes_per_s, observed), "{name}: {client_bytes_per_s} and {observed}");
    }
    // The comparison would see it if one of them were taken for another.
    assert!(live.new.client_bytes_per_s > 1.3 * live.old.client_bytes_per_s, "{live}");
    assert!(live.new.seen_mean > 2.0 * live.old.seen_mean && live.new.churn_per_client_s > live.old.churn_per_client_s);
}

#[test]
fn a_plan_is_the_same_for_the_same_seed_and_equal_for_equal_worlds() {
    let short = PlanOptions { measured: Duration::from_secs(5), people: 10, ..options() };
    let same = predict(&world(|_| ()), &world(|_| ()), short);
    assert_eq!(same.old, same.new, "both are the same world, and so are their people");
    assert_eq!(predict(&world(|_| ()), &world(doubled), short).old, same.old);
    let other = predict(&world(|_| ()), &world(|_| ()), PlanOptions { seed: 2, ..short });
    assert_ne!(other.old, same.old);
}

#[test]
fn people_fight_where_there_are_abilities_and_what_kills_more_is_seen() {
    const ABILITIES: &str = "[combat]\nhealth = \"health\"\nno_side = \"none\"\nrespawn_ms = 1000\n\
                             [[ability]]\nname = \"rifle\"\nkind = \"hitscan\"\nrange_m = 60.0\ncooldown_ms = 500\n";
    let armed = |damage: &str| {
        fighting_world(&format!("{ABILITIES}damage = {damage}\n"), |config| {
            config.obstacles.clear();
            config.population = PopulationConfig { target: 0, players_max: 60, ..PopulationConfig::default() };
        })
    };
    let prediction = predict(&armed("10.0"), &armed("60.0"), PlanOptions { people: 12, ..options() });
    let kills = [prediction.old, prediction.new].map(|figures| figures.kills_per_min);
    assert!(kills[0] > 0.0 && kills[1] > 2.0 * kills[0], "{kills:?}");
    assert_eq!((prediction.old.people_mean, prediction.old.bots_mean), (12.0, 0.0));
}

#[test]
fn what_cannot_change_live_is_named_and_planned_as_after_a_restart() {
    let faster = LoadedWorld { hash: 7, ..world(|config| config.tick_rate_hz = 30) };
    let short = PlanOptions { measured: Duration::from_secs(5), people: 10, ..options() };
    let prediction = predict(&world(|_| ()), &faster, short);
    assert_eq!((prediction.way, prediction.fixed.len()), (Way::Restart, 1));
    let (old, new) = (prediction.old.client_datagrams_per_s, prediction.new.client_datagrams_per_s);
    assert!((old - 20.0).abs() < 0.5 && (new - 30.0).abs() < 0.5, "{old} {new}");
    assert!(prediction.to_string().contains("only a restart") && prediction.to_string().contains("tick rate"));
}

#[test]
fn people_who_do_not_fit_or_do_not_get_in_are_said() {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
    let refused =
        |options| plan(&world(|_| ()), &world(doubled), options, &clock, &mut |_| ()).expect_err("it cannot be");
    let error = refused(PlanOptions { people: 61, ..options() });
    assert_eq!(error, PlanError::TooManyPeople { people: 61, of: "the old world", players_max: 60 });
    let dead = Link { loss_percent: 100.0, ..Link::default() };
    let error = refused(PlanOptions { link: dead, warm_up: Duration::ZERO, ..options() });
    assert!(matches!(error, PlanError::NotIn { missing: 30, people: 30, of: "old", .. }), "{error}");
}
