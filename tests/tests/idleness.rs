//! Who does nothing, and to whom nothing happens, costs next to nothing.

use throng_tests::{Plan, PlayerHandle, Sim, flat_world};

/// Datagrams that went to and from a player, in ticks of a second.
fn datagrams(sim: &mut Sim, player: PlayerHandle, ticks: u32) -> (f64, f64) {
    let before = sim.client(player).traffic();
    sim.run_ticks(ticks);
    let after = sim.client(player).traffic();
    let seconds = f64::from(ticks) / 20.0;
    let per_s = |before: u64, after: u64| (after - before) as f64 / seconds;
    (per_s(before.datagrams_in, after.datagrams_in), per_s(before.datagrams_out, after.datagrams_out))
}

#[test]
fn an_idle_world_sends_at_most_five_datagrams_a_second_each_way() {
    let world = flat_world(|config| config.population.target = 0);
    let mut sim = Sim::new(1).world(world).oracle(10).start();
    let players: [PlayerHandle; 20] = sim.connect();
    sim.run_ticks(60);
    for player in players {
        let (to_client, to_server) = datagrams(&mut sim, player, 40);
        assert!(to_client > 3.0 && to_client <= 5.0, "{to_client} datagrams/s to the client");
        assert!(to_server > 3.0 && to_server <= 5.0, "{to_server} datagrams/s to the server");
    }
}

#[test]
fn an_idle_player_sees_and_moves_at_once_when_something_happens() {
    let world = flat_world(|config| config.population.target = 0);
    let mut sim = Sim::new(1).world(world).oracle(3).start();
    let [ann, ben] = sim.connect();
    sim.run_ticks(100);
    let tick = |sim: &Sim| sim.client(ann).replica().newest_tick();
    sim.plan(ben, Plan::run_east());
    sim.run_ticks(4);
    let before = tick(&sim);
    let (_, start) = sim.character(ann);
    sim.plan(ann, Plan::run_east());
    sim.run_ticks(10);
    assert_eq!(tick(&sim).since(before), 10, "a snapshot in every tick");
    let (_, end) = sim.character(ann);
    assert!(end.position_m.x - start.position_m.x > 1.5, "{start:?} {end:?}");
    let errors = &sim.client_mut(ann).stats_mut().prediction_errors_m;
    assert!(errors.iter().all(|error_m| *error_m < 1e-3), "no input was missed: {errors:?}");
}
