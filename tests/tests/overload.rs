//! A world that cannot keep up lets give way what it declares, tells its clients, and takes it back.

use std::time::Duration;

use throng_server::overload::Relief;
use throng_shared::config::{LoadedWorld, PopulationConfig, ReliefConfig, TierConfig};
use throng_shared::ids::InstanceId;
use throng_shared::wire::overload::OverloadNews;
use throng_tests::{Plan, Sim, flat_world};

const WORLD: InstanceId = InstanceId(0);

/// A world with all four rungs.
fn world() -> LoadedWorld {
    flat_world(|config| {
        config.population = PopulationConfig { target: 60, players_max: 100, ..PopulationConfig::default() };
        config.interest.tiers =
            [(20.0, 50), (70.0, 100)].map(|(within_m, staleness_ms)| TierConfig { within_m, staleness_ms }).to_vec();
        config.overload.descend_after_ms = 2_000;
        config.overload.rungs = vec![
            ReliefConfig::BotThinking { interval_factor: 4 },
            ReliefConfig::FarTiers { staleness_factor: 2 },
            ReliefConfig::View { visible_percent: 20 },
            ReliefConfig::Time { time_percent: 50 },
        ];
    })
}

/// The rung, and what the instance does by it: think interval, period of the far tier, most in view.
fn state(sim: &Sim) -> (u8, u32, u32, usize) {
    let instance = sim.instance(WORLD);
    let think_interval_ms = instance.world().resource::<throng_bot_ai::BotWorld>().rules.think_interval_ms;
    let interest = instance.rules().interest;
    (instance.overload().rung, think_interval_ms, interest.tiers.period_ticks(1), interest.visible_max)
}

/// Ticks in so many seconds.
fn ticks_in(sim: &mut Sim, seconds: u64) -> u32 {
    let (start, first) = (sim.now(), sim.instance(WORLD).current_tick());
    while sim.now() < start + Duration::from_secs(seconds) {
        sim.run_ticks(1);
    }
    sim.instance(WORLD).current_tick().since(first)
}

#[test]
fn under_load_one_thing_after_another_gives_way_and_comes_back_and_clients_follow() {
    let mut sim = Sim::new(1).world(world()).start();
    let players = sim.connect_wanderers(20);
    sim.run_ticks(40);
    assert_eq!(state(&sim), (0, 250, 2, 250));

    sim.set_tick_time(Duration::from_millis(55));
    let mut seen = vec![state(&sim)];
    sim.run_ticks_with(90, |sim| {
        if seen.last() != Some(&state(sim)) {
            seen.push(state(sim));
        }
    });
    assert_eq!(seen, [(0, 250, 2, 250), (1, 1_000, 2, 250), (2, 1_000, 4, 250), (3, 1_000, 4, 50), (4, 1_000, 4, 50)]);
    let slowed = OverloadNews { rung: 4, rungs: 4, time_percent: 50, since: sim.client(players[0]).overload().since };
    assert!(players.iter().all(|&player| sim.client(player).overload() == slowed));
    assert_eq!(ticks_in(&mut sim, 4), 40, "at half speed");

    // Whoever comes now is told too, and plays on like the others.
    let newcomer: [_; 1] = sim.connect();
    sim.plan(newcomer[0], Plan::run_east());
    sim.run_ticks(60);
    let news = sim.client(newcomer[0]).overload();
    assert_eq!((news.rung, news.time_percent), (4, 50));
    let late_before = sim.instance(WORLD).totals();
    sim.run_ticks(100);
    let late = sim.instance(WORLD).totals();
    let in_time = late.inputs_buffered - late_before.inputs_buffered;
    assert!(in_time >= 21 * 98, "inputs come in time at half speed: {in_time}");
    assert!(late.inputs_late - late_before.inputs_late < 40, "{late:?}");
    for player in players.iter().chain(&newcomer) {
        let errors_m = std::mem::take(&mut sim.client_mut(*player).stats_mut().prediction_errors_m);
        assert!(errors_m.iter().rev().take(60).all(|&error_m| error_m < 1e-3), "{errors_m:?}");
    }

    sim.set_tick_time(Duration::from_millis(2));
    sim.run_ticks(300);
    assert_eq!(state(&sim), (0, 250, 2, 250));
    let (climbs, descents) = sim.host_mut().ladder(WORLD).expect("it is there").steps();
    assert_eq!((climbs, descents), (4, 4));
    assert!(players.iter().all(|&player| sim.client(player).overload().time_percent == 100));
    assert_eq!(ticks_in(&mut sim, 4), 80, "at full speed again");
}

#[test]
fn between_the_two_thresholds_and_without_rungs_nothing_happens() {
    let mut sim = Sim::new(2).world(world()).start();
    sim.set_tick_time(Duration::from_millis(35));
    sim.run_ticks(200);
    assert_eq!(sim.instance(WORLD).overload().rung, 0);

    let mut sim = Sim::new(2).world(flat_world(|_| ())).start();
    sim.set_tick_time(Duration::from_millis(500));
    sim.run_ticks(200);
    assert_eq!(sim.instance(WORLD).overload().rung, 0);
}

#[test]
fn of_two_worlds_the_busier_one_gives_way() {
    let with_rate = |hz| {
        let mut world = world();
        world.config.tick_rate_hz = hz;
        world.hash += u64::from(hz);
        world
    };
    let mut sim = Sim::new(3).world(with_rate(20)).world(with_rate(60)).start();
    // A fifth of the time for the one, three fifths for the other: too much together.
    sim.set_tick_time(Duration::from_millis(11));
    sim.run_ticks(60);
    let rung = |sim: &Sim, id| sim.instance(InstanceId(id)).overload().rung;
    assert_eq!(rung(&sim, 0), 0);
    assert!(rung(&sim, 1) > 0);
}

#[test]
fn what_clients_know_stays_right_while_rungs_come_and_go() {
    // The oracle allows for the slowest tier that a rung makes.
    let mut world = world();
    world.config.population.target = 40;
    let mut sim = Sim::new(4).world(world).oracle(12).start();
    sim.connect_wanderers(30);
    for round in 0..3 {
        sim.set_tick_time(Duration::from_millis(60));
        sim.run_ticks(70);
        assert!(sim.instance(WORLD).overload().rung >= 3, "round {round}");
        sim.set_tick_time(Duration::from_millis(1));
        sim.run_ticks(60 + 60 * round);
    }
    assert!(sim.oracle().report().compared > 100_000, "{:?}", sim.oracle().report().compared);
    let relief = Relief::on_rung(&sim.instance(WORLD).overload().config, 4);
    assert_eq!(relief.time_percent, 50);
}
