//! What players feel: their own character moves at once, and the server agrees.

use std::time::Duration;

use glam::Vec2;
use throng_client::State;
use throng_shared::ids::InstanceId;
use throng_shared::random::Random;
use throng_tests::{Link, Plan, Sim, flat_world, hilly_world};

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

#[test]
fn after_a_pause_of_the_server_the_character_goes_on_and_is_predicted_exactly_again() {
    for (pause_ms, one_way_ms) in [(1_000, 5.0), (5_000, 5.0), (5_000, 150.0), (3_000, 300.0)] {
        let mut sim = Sim::new(8).link(Link { one_way_ms, ..Link::default() }).start();
        let [player] = sim.connect();
        sim.teleport(player, Vec2::new(-180.0, 60.0));
        sim.plan(player, Plan::run_east());
        sim.run_ticks(100);
        sim.pause_server(Duration::from_millis(pause_ms));
        let mut before_m = sim.character(player).1.position_m;
        let mut stood_ticks = 0;
        sim.run_ticks_with(300, |sim| {
            let position_m = sim.character(player).1.position_m;
            stood_ticks += u32::from(position_m.distance(before_m) < 0.01);
            before_m = position_m;
        });
        let case = format!("{pause_ms} ms, {one_way_ms} ms one way");
        // The server has told of it for half a second, and what it told and what we then do is under way.
        let allowed_ticks = 10 + (2.0 * one_way_ms / 50.0) as u32 + 4;
        assert!(stood_ticks <= allowed_ticks, "stood for {stood_ticks} ticks: {case}");
        sim.client_mut(player).stats_mut().prediction_errors_m.clear();
        sim.run_ticks(50);
        let errors_m = std::mem::take(&mut sim.client_mut(player).stats_mut().prediction_errors_m);
        assert!(errors_m.len() >= 49 && errors_m.iter().all(|error_m| *error_m == 0.0), "{errors_m:?}: {case}");
    }
}

#[test]
fn at_128_hz_few_inputs_come_late_though_the_latency_varies_by_several_ticks() {
    let link = Link { one_way_ms: 80.0, jitter_ms: 20.0, ..Link::default() };
    let mut sim = Sim::new(8).world(flat_world(|config| config.tick_rate_hz = 128)).link(link).start();
    let [player] = sim.connect();
    // Who stands still sends next to nothing.
    sim.plan(player, Plan::Spin(0));
    sim.run_ticks(400);
    let before = sim.instance(InstanceId(0)).totals();
    sim.run_ticks(2_000);
    let after = sim.instance(InstanceId(0)).totals();
    let late = after.inputs_late - before.inputs_late;
    let missing = after.inputs_repeated + after.inputs_neutral - before.inputs_repeated - before.inputs_neutral;
    assert!(late * 50 < 2_000 && missing * 50 < 2_000, "{late} late, {missing} ticks without an input");
}

#[test]
fn nothing_of_the_world_is_taken_in_before_the_welcome() {
    for seed in 0..20 {
        let mut sim = Sim::new(seed).link(Link { loss_percent: 30.0, jitter_ms: 30.0, ..Link::default() }).start();
        let player = sim.start_connecting(InstanceId(0));
        sim.run_ticks_with(60, |sim| {
            let client = sim.client(player);
            if *client.state() != State::Playing {
                assert!(
                    client.confirmed().is_none() && client.stats().snapshots == 0 && !client.prediction().is_placed()
                );
            }
        });
        assert!(sim.is_playing(player) && sim.client(player).own_position_m(sim.now()).is_some());
    }
}

#[test]
fn the_own_character_is_shown_moving_evenly_between_ticks_and_at_once_where_it_is_carried() {
    let mut sim = Sim::new(8).link(Link { one_way_ms: 40.0, ..Link::default() }).start();
    let [player] = sim.connect();
    sim.teleport(player, Vec2::new(-180.0, 60.0));
    sim.plan(player, Plan::run_east());
    sim.run_ticks(100);
    let shown_x_m = |sim: &Sim, ms: u64| {
        let now = sim.now() + Duration::from_millis(ms);
        sim.client(player).own_position_m(now).expect("it has been placed").x
    };
    sim.run_ticks_with(20, |sim| {
        for ms in (0..50).step_by(5) {
            let run_m = shown_x_m(sim, ms + 5) - shown_x_m(sim, ms);
            assert!((0.0..0.06).contains(&run_m), "{run_m} m in 5 ms");
        }
    });
    assert!(shown_x_m(&sim, 50) - shown_x_m(&sim, 0) > 0.05, "it runs");
    sim.teleport(player, Vec2::new(-180.0, -60.0));
    sim.run_ticks(5);
    let shown_m = sim.client(player).own_position_m(sim.now()).expect("it has been placed");
    assert!(shown_m.distance(sim.character(player).1.position_m) < 2.0, "{shown_m}");
}

#[test]
fn others_are_shown_as_far_in_the_past_as_was_asked_for_and_evenly_even_after_a_pause() {
    let mut sim = Sim::new(8).link(Link { one_way_ms: 20.0, ..Link::default() }).start();
    let [ann, ben] = sim.connect();
    sim.teleport(ann, Vec2::new(-120.0, 60.0));
    sim.teleport(ben, Vec2::new(-180.0, 60.0));
    sim.plan(ben, Plan::run_east());
    sim.run_ticks(60);
    let ben_id = sim.client(ben).net_id().expect("ben is in the world");
    let shown_x_m = |sim: &Sim, ms: u64| {
        let client = sim.client(ann);
        let entity = client.replica().get(ben_id).expect("ann sees ben");
        client.interpolated(entity, sim.now() + Duration::from_millis(ms)).position_m.x
    };
    sim.client_mut(ann).set_interpolation_delay(Duration::from_millis(100));
    let by_default_m = shown_x_m(&sim, 0);
    let speed_mps = (shown_x_m(&sim, 40) - by_default_m) / 0.04;
    sim.client_mut(ann).set_interpolation_delay(Duration::from_millis(250));
    let behind_s = (by_default_m - shown_x_m(&sim, 0)) / speed_mps;
    assert!(speed_mps > 4.0 && (0.14..0.16).contains(&behind_s), "{behind_s} s at {speed_mps} m/s");
    sim.client_mut(ann).set_interpolation_delay(Duration::ZERO);
    assert_eq!(shown_x_m(&sim, 0), by_default_m, "no less than two ticks");
    sim.pause_server(Duration::from_secs(3));
    sim.run_ticks(60);
    sim.run_ticks_with(20, |sim| {
        let run_m = shown_x_m(sim, 25) - shown_x_m(sim, 0);
        assert!((0.5..1.5).contains(&(run_m / 0.025 / speed_mps)), "{run_m} m in 25 ms");
    });
}

#[test]
fn at_150_ms_and_2_percent_loss_corrections_on_open_ground_are_small_and_nothing_that_is_shown_jumps() {
    let link = Link { one_way_ms: 75.0, jitter_ms: 10.0, loss_percent: 2.0, ..Link::default() };
    let mut corrections_m = Vec::new();
    for seed in 0..8 {
        let world = flat_world(|config| config.obstacles.clear());
        let mut sim = Sim::new(seed).world(world).link(link).start();
        let [player] = sim.connect();
        sim.plan(player, Plan::Wander(Random::new(seed, 8)));
        sim.run_ticks(100);
        sim.client_mut(player).stats_mut().prediction_errors_m.clear();
        let mut shown_m = sim.client(player).own_position_m(sim.now()).expect("it is placed");
        let mut shown_at = sim.now();
        sim.run_ticks_with(1_000, |sim| {
            let (now_m, now) = (sim.client(player).own_position_m(sim.now()).expect("it is placed"), sim.now());
            // As far as somebody runs, jumps and falls in that time, and a hand's breadth.
            let elapsed_s = (now - shown_at).as_secs_f32();
            let allowed_m = Vec2::new(6.0, 8.0).length() * elapsed_s + 0.1;
            assert!(now_m.distance(shown_m) <= allowed_m, "{} m in {elapsed_s} s", now_m.distance(shown_m));
            (shown_m, shown_at) = (now_m, now);
        });
        corrections_m.append(&mut sim.client_mut(player).stats_mut().prediction_errors_m);
    }
    corrections_m.sort_by(f32::total_cmp);
    let p99_m = corrections_m[corrections_m.len() * 99 / 100];
    println!("{} corrections: p99 {p99_m} m, greatest {:?} m", corrections_m.len(), corrections_m.last());
    assert!(corrections_m.len() > 7_000 && p99_m <= 0.05, "p99 {p99_m} m");
}
