//! Several worlds behind one front door.

use throng_client::{CloseReason, State};
use throng_shared::config::PopulationConfig;
use throng_shared::ids::InstanceId;
use throng_shared::wire::control::RefusalReason;
use throng_tests::{Link, Plan, Sim, flat_world};

fn two_worlds() -> Sim {
    let world = |name: &str, hz, target| {
        let mut world = flat_world(|config| {
            config.name = name.to_owned();
            config.tick_rate_hz = hz;
            config.population = PopulationConfig { target, players_max: 10, ..PopulationConfig::default() };
        });
        world.hash += u64::from(hz);
        world
    };
    Sim::new(1).world(world("slow", 20, 30)).world(world("fast", 60, 10)).start()
}

#[test]
fn two_worlds_run_at_their_own_rates_and_know_nothing_of_each_other() {
    let mut sim = two_worlds();
    let slow = [0, 1].map(|_| sim.start_connecting(InstanceId(0)));
    let fast = [0, 1].map(|_| sim.start_connecting(InstanceId(1)));
    sim.run_until_playing();
    sim.plan(fast[0], Plan::run_east());
    sim.run_ticks(100);
    let ticks = |id| sim.instance(InstanceId(id)).current_tick().0;
    assert!(ticks(1).abs_diff(3 * ticks(0)) <= 3, "{} and {}", ticks(0), ticks(1));
    assert!(sim.sees(slow[0], slow[1]) && sim.sees(fast[0], fast[1]));
    let count = |id| sim.instance(InstanceId(id)).sessions().all().len();
    assert_eq!((count(0), count(1)), (2, 2));
    let characters = |id| sim.instance(InstanceId(id)).columns().len();
    assert_eq!((characters(0), characters(1)), (30, 10), "each has its own population");
}

#[test]
fn a_token_for_a_world_that_is_not_there_is_refused() {
    let mut sim = two_worlds();
    let transport = sim.connect_raw_to(50, InstanceId(9));
    let mut client = sim.client_over(transport);
    sim.run_ticks_with(10, |sim| client.update(sim.now()));
    let State::Closed(CloseReason::Refused(refused)) = client.state() else { panic!("{:?}", client.state()) };
    assert_eq!(refused.reason, RefusalReason::UnknownInstance);
}

/// Median echo of a wandering player of a world of 10 Hz, in ms, beside other worlds or none.
fn slow_echo_ms(others_hz: &[u32]) -> f32 {
    let world = |hz: u32| flat_world(|config| config.tick_rate_hz = hz);
    let link = Link { one_way_ms: 20.0, ..Link::default() };
    let builder = Sim::new(2).link(link).world(world(10));
    let mut sim = others_hz.iter().fold(builder, |builder, &hz| builder.world(world(hz))).start();
    let [player] = sim.connect();
    sim.run_ticks(100);
    sim.client_mut(player).stats_mut().echoes_ms.clear();
    sim.run_ticks(200);
    let mut echoes_ms = std::mem::take(&mut sim.client_mut(player).stats_mut().echoes_ms);
    echoes_ms.sort_by(f32::total_cmp);
    echoes_ms[echoes_ms.len() / 2]
}

#[test]
fn a_fast_world_beside_it_does_not_make_a_slow_one_answer_later() {
    let (alone_ms, beside_ms) = (slow_echo_ms(&[]), slow_echo_ms(&[100, 60]));
    assert!((beside_ms - alone_ms).abs() <= 10.0, "{alone_ms} ms alone, {beside_ms} ms beside fast worlds");
}
