//! Who is told about whom.

use glam::Vec2;
use throng_shared::config::PopulationConfig;
use throng_shared::ids::InstanceId;
use throng_tests::{Plan, Sim, flat_world};

/// Cells of this world have 40 m, with edges at -120, -80, -40, 0 and 40 m and a metre to spare; a page is told that begins within 48 m, and
/// until it begins beyond 58 m.
#[test]
fn a_page_enters_nearer_than_it_leaves_and_all_that_are_in_it_with_it() {
    let world = flat_world(|config| {
        (config.interest.enter_radius_m, config.interest.leave_radius_m) = (48.0, 58.0);
    });
    let mut sim = Sim::new(1).world(world).start();
    let [viewer, other] = sim.connect();
    for x_m in [-103.0, -93.0] {
        sim.teleport(viewer, Vec2::new(x_m, -90.0));
        sim.run_ticks(3);
    }
    for (x_m, expected) in [
        (60.0, false),
        (-20.0, false),
        (-60.0, true),
        (-42.0, true),
        // The next cell begins 52 m away, and was not told before.
        (-20.0, false),
        (-79.0, true),
    ] {
        sim.teleport(other, Vec2::new(x_m, -90.0));
        // Who has gone to a page that is not told may still be found for a while.
        sim.run_ticks(12);
        assert_eq!(sim.sees(viewer, other), expected, "at {x_m} m");
    }
    // The viewer comes nearer to the page, and goes again.
    for (x_m, expected) in
        [(-93.0, false), (-91.5, false), (-88.0, true), (-93.0, true), (-100.0, false), (-93.0, false)]
    {
        sim.teleport(viewer, Vec2::new(x_m, -90.0));
        sim.teleport(other, Vec2::new(-20.0, -90.0));
        sim.run_ticks(12);
        assert_eq!(sim.sees(viewer, other), expected, "from {x_m} m");
    }
}

#[test]
fn in_a_crowd_that_does_not_fit_one_datagram_the_near_are_fresher_and_nobody_starves() {
    let world = flat_world(|config| {
        config.population = PopulationConfig { target: 0, players_max: 1_000, ..PopulationConfig::default() };
        config.interest.visible_max = 1_000;
        config.spawn_areas[0].radius_m = 25.0;
    });
    let mut sim = Sim::new(2).world(world).start();
    let players = sim.connect_wanderers(400);
    let viewer = players[0];
    sim.plan(viewer, Plan::stand());
    sim.run_ticks(60);
    let mut oldest_ticks = 0;
    let (mut near_ticks, mut near_count, mut far_ticks, mut far_count) = (0, 0, 0, 0);
    sim.run_ticks_with(100, |sim| {
        let tick = sim.instance(InstanceId(0)).current_tick();
        let (_, own) = sim.character(viewer);
        let columns = sim.instance(InstanceId(0)).columns();
        let replica = sim.client(viewer).replica();
        for entity in replica.entities() {
            let Some(row) = columns.row(entity.net_id) else { continue };
            // Who has not moved since is not old, however long ago that was.
            let age_ticks = if columns.changed[row] > entity.updated { tick.since(entity.updated) } else { 0 };
            oldest_ticks = oldest_ticks.max(age_ticks);
            let distance_m = columns.positions_m[row].distance(own.ground_position_m());
            if distance_m < 10.0 {
                near_ticks += age_ticks;
                near_count += 1;
            } else if distance_m > 25.0 {
                far_ticks += age_ticks;
                far_count += 1;
            }
        }
    });
    assert!(sim.instance(InstanceId(0)).totals().deferred > 10_000, "the crowd does not fit");
    let (near, far) = (f64::from(near_ticks) / f64::from(near_count), f64::from(far_ticks) / f64::from(far_count));
    println!("mean age: near {near:.2}, far {far:.2} ticks; oldest {oldest_ticks} ticks");
    assert!(near < 0.7 * far, "near {near}, far {far} ticks");
    assert!(oldest_ticks <= 20, "somebody waited {oldest_ticks} ticks");
}

#[test]
fn who_stands_in_the_very_same_place_starves_nobody() {
    let world = flat_world(|config| {
        config.population = PopulationConfig { target: 0, players_max: 1_000, ..PopulationConfig::default() };
        config.interest.visible_max = 1_000;
    });
    let mut sim = Sim::new(3).world(world).start();
    let players = sim.connect_wanderers(260);
    for (number, &player) in players.iter().enumerate() {
        sim.plan(player, Plan::Spin(number as u16 * 97));
        // The last ten stand apart; all others in one point, the viewer among them.
        let apart_m = if number >= 250 { 25.0 } else { 0.0 };
        sim.teleport(player, Vec2::new(0.0, 40.0 + apart_m));
    }
    sim.run_ticks(100);
    let unseen = players[1..].iter().filter(|&&player| !sim.sees(players[0], player)).count();
    assert_eq!(unseen, 0);
    let mut oldest_ticks = 0;
    sim.run_ticks_with(60, |sim| {
        let tick = sim.instance(InstanceId(0)).current_tick();
        let ages = sim.client(players[0]).replica().entities().map(|entity| tick.since(entity.updated));
        oldest_ticks = oldest_ticks.max(ages.max().unwrap_or(0));
    });
    assert!(oldest_ticks <= 10, "somebody waited {oldest_ticks} ticks");
}

#[test]
fn a_full_view_holds_the_nearest_pages() {
    const VISIBLE_MAX: usize = 40;
    let world = flat_world(|config| {
        config.interest.visible_max = VISIBLE_MAX as u32;
        config.spawn_areas[0].radius_m = 50.0;
    });
    let mut sim = Sim::new(4).world(world).start();
    let players = sim.connect_wanderers(100);
    let viewer = players[0];
    players.iter().for_each(|&player| sim.plan(player, Plan::stand()));
    sim.run_ticks(40);
    let (own_id, own) = sim.character(viewer);
    let columns = sim.instance(InstanceId(0)).columns();
    let others = (0..columns.len()).filter(|&row| columns.net_ids[row] != own_id);
    let (seen, unseen): (Vec<usize>, Vec<usize>) =
        others.partition(|&row| sim.client(viewer).replica().get(columns.net_ids[row]).is_some());
    assert!((10..=VISIBLE_MAX).contains(&seen.len()), "{} are seen", seen.len());
    let distance_m = |row: &usize| columns.positions_m[*row].distance(own.ground_position_m());
    // A sixth of the places is for those who have their turn, wherever they are.
    let mut seen_m: Vec<f32> = seen.iter().map(distance_m).collect();
    seen_m.sort_by(f32::total_cmp);
    let farthest_seen_m = seen_m[seen_m.len() - 1 - VISIBLE_MAX / 6];
    let nearest_unseen_m = unseen.iter().map(distance_m).fold(f32::MAX, f32::min);
    // A page reaches over its cell, so that somebody in a nearer one may be farther, by a cell's diagonal at most.
    assert!(nearest_unseen_m >= farthest_seen_m - 60.0, "{nearest_unseen_m} m unseen, {farthest_seen_m} m seen");
    let mean_m = |rows: &[usize]| rows.iter().map(distance_m).sum::<f32>() / rows.len() as f32;
    assert!(mean_m(&seen) < 0.7 * mean_m(&unseen), "{} m seen, {} m unseen", mean_m(&seen), mean_m(&unseen));
    let newcomer = *players.iter().find(|&&p| p != viewer && !sim.sees(viewer, p)).expect("most are not seen");
    sim.teleport(newcomer, own.ground_position_m() + Vec2::X);
    sim.run_ticks(5);
    assert!(sim.sees(viewer, newcomer), "whoever comes into a nearest page is seen");
}
