//! What players feel: their own character moves at once, and the server agrees.

use throng_shared::random::Random;
use throng_tests::{Link, Plan, Sim, hilly_world};

/// Connects one wandering player, lets things settle, and returns its echoes in ms and prediction errors in m.
fn play(link: Link, ticks: u32) -> (Vec<f32>, Vec<f32>) {
    let world = hilly_world(|config| config.population.target = 50);
    let mut sim = Sim::new(8).world(world).link(link).start();
    let [player] = sim.connect();
    sim.plan(player, Plan::Wander(Random::new(8, 8)));
    sim.run_ticks(100);
    let stats = sim.client_mut(player).stats_mut();
    stats.echoes_ms.clear();
    stats.prediction_errors_m.clear();
    sim.run_ticks(ticks);
    let stats = sim.client_mut(player).stats_mut();
    let mut echoes_ms = std::mem::take(&mut stats.echoes_ms);
    echoes_ms.sort_by(f32::total_cmp);
    (echoes_ms, std::mem::take(&mut stats.prediction_errors_m))
}

#[test]
fn on_a_good_link_every_prediction_is_exact_and_the_echo_takes_less_than_a_tick_and_a_half() {
    let (echoes_ms, errors_m) = play(Link { one_way_ms: 1.0, ..Link::default() }, 400);
    assert!(errors_m.len() > 390 && echoes_ms.len() > 390);
    assert!(errors_m.iter().all(|error_m| *error_m == 0.0), "{errors_m:?}");
    assert!(echoes_ms[echoes_ms.len() * 99 / 100] <= 75.0, "{echoes_ms:?}");
}

#[test]
fn on_a_bad_link_predictions_are_exact_but_for_lost_inputs() {
    let bad = Link { one_way_ms: 80.0, jitter_ms: 20.0, loss_percent: 5.0, ..Link::default() };
    let (echoes_ms, errors_m) = play(bad, 1_000);
    let exact = errors_m.iter().filter(|error_m| **error_m < 1e-3).count();
    assert!(exact * 100 >= errors_m.len() * 80, "{exact} of {} exact", errors_m.len());
    assert!(errors_m.iter().all(|error_m| *error_m < 2.0), "{errors_m:?}");
    let median_ms = echoes_ms[echoes_ms.len() / 2];
    assert!(median_ms < 2.0 * 80.0 + 110.0, "{median_ms} ms");
}

#[test]
fn inputs_find_their_tick_after_the_latency_changes_under_them() {
    for one_way_ms in [0.0, 20.0, 150.0, 400.0] {
        let (echoes_ms, _) = play(Link { one_way_ms, jitter_ms: 2.0, ..Link::default() }, 200);
        let late_share = 1.0 - echoes_ms.len() as f32 / 200.0;
        assert!(late_share < 0.1, "{one_way_ms} ms one way: {late_share} of the inputs came late");
        let median_ms = echoes_ms[echoes_ms.len() / 2];
        assert!(median_ms <= 2.0 * one_way_ms + 100.0, "{one_way_ms} ms one way: {median_ms} ms");
    }
}
