//! Invariant 9: every client knows what it should, as the server had it, no older than agreed, and nothing else.

use glam::Vec2;
use throng_shared::config::PopulationConfig;
use throng_shared::ids::InstanceId;
use throng_shared::quantised::QuantisedState;
use throng_shared::random::Random;
use throng_tests::{Link, Plan, Sim, flat_world, hilly_world};

const BAD: Link =
    Link { one_way_ms: 80.0, jitter_ms: 20.0, loss_percent: 5.0, duplicate_percent: 3.0, reorder_percent: 3.0 };

/// Jitter of more than a tick lets snapshots overtake each other all the time.
const WORSE: Link =
    Link { one_way_ms: 100.0, jitter_ms: 50.0, loss_percent: 5.0, duplicate_percent: 3.0, reorder_percent: 3.0 };

/// One second: a state that changes once and then rests may be lost twice in a row, each time noticed after a round trip
/// and the ticks that reordering is allowed.
const STALENESS_TICKS_MAX: u32 = 20;

#[test]
fn a_thousand_clients_on_bad_links_know_exactly_what_they_should() {
    // Dense around the hamlet, sparse elsewhere; bots go when people come, and come when they go.
    let world = hilly_world(|config| {
        config.population = PopulationConfig { target: 1_200, players_max: 1_100, ..PopulationConfig::default() };
        config.interest.visible_max = 1_000;
    });
    let mut sim = Sim::new(11).world(world).link(WORSE).oracle(STALENESS_TICKS_MAX).start();
    let mut players = sim.connect_wanderers(1_000);
    let mut random = Random::new(11, 1);
    for round in 0..15 {
        sim.run_ticks(8);
        for _ in 0..10 {
            let player = players[random.below(players.len() as u32) as usize];
            // Into the hamlet, where it is dense, or to somebody out in the country.
            let other = players[random.below(players.len() as u32) as usize];
            let (_, target) = sim.character(other);
            sim.teleport(player, target.ground_position_m());
        }
        for _ in 0..5 {
            sim.leave(players.swap_remove(random.below(players.len() as u32) as usize));
        }
        if round % 2 == 0 {
            players.extend(sim.connect_wanderers(8));
        }
    }
    let report = sim.oracle().report();
    for tier in 0..report.by_tier.len() {
        let [p50, p99, max] = [0.5, 0.99, 1.0].map(|share| report.age_ticks_in_tier(tier, share));
        println!("tier {}: age p50 {p50} p99 {p99} max {max} ticks", tier + 1);
    }
    assert!(report.compared > 4_000_000, "only {} comparisons", report.compared);
    assert!(report.age_ticks_in_tier(0, 0.5) <= 4, "one way is two to three ticks: {:?}", report.by_tier[0]);
}

#[test]
fn who_stands_in_a_crowd_that_comes_and_goes_is_known_all_the_while_by_whoever_watches() {
    let world = flat_world(|config| {
        config.population = PopulationConfig { target: 0, players_max: 200, ..PopulationConfig::default() };
        config.interest.visible_max = 1_000;
    });
    let mut sim = Sim::new(6).world(world).link(BAD).oracle(STALENESS_TICKS_MAX).start();
    let players = sim.connect_wanderers(180);
    let mut random = Random::new(6, 1);
    let mut known_min = usize::MAX;
    for round in 0..6 {
        // One after the other comes to the place, so that its cell is split, and leaves it again.
        let center_m = if round % 2 == 0 { Some(Vec2::new(20.0, 60.0)) } else { None };
        for group in players.chunks(12) {
            for &player in group {
                let place_m = match center_m {
                    Some(center_m) => center_m + random.in_disc(15.0),
                    None => Vec2::new(random.between(0.0, 50.0), random.between(40.0, 80.0)),
                };
                sim.teleport(player, place_m);
            }
            // Every player is compared in every tick; besides, nobody may vanish who was known.
            let mut known = sim.client(players[0]).replica().len();
            sim.run_ticks_with(3, |sim| {
                let now = sim.client(players[0]).replica().len();
                assert!(round == 0 || now + 3 >= known, "round {round}: {known} were known, and {now} are");
                known = now;
            });
            known_min = if round == 0 { usize::MAX } else { known_min.min(known) };
        }
    }
    assert!(known_min >= 170, "{known_min} of 179 were known");
}

#[test]
fn on_good_links_every_staleness_target_is_met() {
    let world = hilly_world(|config| {
        config.population = PopulationConfig { target: 400, players_max: 300, ..PopulationConfig::default() };
        config.interest.visible_max = 1_000;
    });
    let mut sim = Sim::new(12).world(world).oracle(STALENESS_TICKS_MAX).start();
    sim.connect_wanderers(200);
    sim.run_ticks(100);
    let report = sim.oracle().report();
    let tiers = sim.instance(InstanceId(0)).rules().interest.tiers;
    for tier in 0..tiers.len() {
        let oldest_ticks = report.age_ticks_in_tier(tier, 1.0);
        // One tick is on the way.
        assert!(oldest_ticks <= tiers.period_ticks(tier), "tier {}: {:?}", tier + 1, report.by_tier[tier]);
        assert!(report.by_tier[tier].values().sum::<u64>() > 1_000);
    }
    assert_eq!(sim.instance(InstanceId(0)).totals().late, 0);
}

#[test]
fn who_teleports_leaves_and_returns_is_followed_by_every_replica() {
    let world = flat_world(|config| {
        config.population = PopulationConfig { target: 60, players_max: 100, ..PopulationConfig::default() }
    });
    let mut sim = Sim::new(5).world(world).link(BAD).oracle(STALENESS_TICKS_MAX).start();
    let players = sim.connect_wanderers(30);
    let mut random = Random::new(5, 5);
    for round in 0..30 {
        sim.run_ticks(15);
        let player = players[3 + random.below(27) as usize];
        sim.teleport(player, random.in_disc(150.0));
        if round % 10 == 9 {
            sim.leave(players[round / 10]);
        }
    }
    assert!(sim.oracle().report().compared > 20_000);
}

#[test]
fn an_entity_that_stops_is_known_to_have_stopped_even_when_the_last_word_is_lost() {
    let lossy = Link { one_way_ms: 50.0, loss_percent: 40.0, ..Link::default() };
    let mut sim = Sim::new(3).link(lossy).start();
    let [viewer, walker] = sim.connect();
    for round in 0..20 {
        sim.plan(walker, if round % 2 == 0 { Plan::run_east() } else { Plan::run(-glam::Vec2::X) });
        sim.run_ticks(10);
        sim.plan(walker, Plan::stand());
        sim.run_ticks(60);
        let (net_id, state) = sim.character(walker);
        let replica = sim.client(viewer).replica().get(net_id).expect("it is near");
        let gait = sim.instance(InstanceId(0)).rules().map.rules.gait();
        assert_eq!(replica.state, QuantisedState::new(&state, gait), "round {round}");
    }
}

#[test]
fn a_long_round_trip_at_a_high_tick_rate_is_no_loss() {
    const HZ: u32 = 128;
    let world = flat_world(|config| config.tick_rate_hz = HZ);
    let mut sim = Sim::new(4).world(world).link(Link { one_way_ms: 200.0, ..Link::default() }).start();
    let players = sim.connect_wanderers(4);
    sim.run_ticks(4 * HZ);
    let before = sim.instance(InstanceId(0)).totals();
    sim.run_ticks(2 * HZ);
    let after = sim.instance(InstanceId(0)).totals();
    assert!(sim.sees(players[0], players[1]));
    assert_eq!((after.enters - before.enters, after.snapshots_lost), (0, 0), "everything is acknowledged");
    assert!(after.updates - before.updates > 1_000);
}
