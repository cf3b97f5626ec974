//! What abilities do, from the shooter's input to the target's health, over links of every kind.

use std::time::Duration;

use glam::{Vec2, Vec3};
use throng_client::ClientEvent;
use throng_server::abilities::{CombatLog, RefusalRule};
use throng_server::combat::Verdict;
use throng_shared::abilities::{UseRefusal, aim_towards};
use throng_shared::attributes::NumberAttribute;
use throng_shared::ids::{InstanceId, NetId};
use throng_shared::input::PlayerInput;
use throng_shared::wire::combat::CombatEvent;
use throng_tests::{Aim, Link, Plan, PlayerHandle, Sim, fighting_world};

const ABILITIES: &str = r#"
    [combat]
    health = "health"
    respawn_ms = 1000
    no_side = "none"
    deal_teams = true
    [[safe_zone]]
    center_m = [-100.0, -100.0]
    radius_m = 10.0
    [[ability]]
    name = "rifle"
    kind = "hitscan"
    range_m = 60.0
    cooldown_ms = 200
    damage = 20.0
    [[ability]]
    name = "bolt"
    kind = "projectile"
    range_m = 60.0
    speed_mps = 40.0
    cooldown_ms = 500
    damage = 30.0
    knock_back_mps = 4.0
    [[ability]]
    name = "sword"
    kind = "melee"
    range_m = 2.5
    cooldown_ms = 500
    damage = 40.0
    [[ability]]
    name = "frost"
    kind = "area"
    range_m = 40.0
    radius_m = 5.0
    cooldown_ms = 2000
    cost_attribute = "mana"
    cost = 30.0
    damage = 1.0
    slow_percent = 50
    slow_ms = 1000
    [[ability]]
    name = "mend"
    kind = "area"
    hits = "allies"
    radius_m = 8.0
    cooldown_ms = 1000
    cast_ms = 500
    heal = 25.0
    [[ability]]
    name = "blink"
    kind = "own"
    cooldown_ms = 1000
    blink_m = 8.0
    [[ability]]
    name = "dash"
    kind = "own"
    cooldown_ms = 100
    cost_attribute = "mana"
    cost = 30.0
    blink_m = 2.0
"#;

/// The abilities' numbers: their places in the file.
const RIFLE: u8 = 1;
const BOLT: u8 = 2;
const SWORD: u8 = 3;
const FROST: u8 = 4;
const MEND: u8 = 5;
const BLINK: u8 = 6;
const DASH: u8 = 7;

/// Two players who know of each other, 20 m apart in the open unless told otherwise.
fn duel(seed: u64, link: Link, places_m: [Vec2; 2]) -> (Sim, [PlayerHandle; 2]) {
    let mut sim = Sim::new(seed).world(fighting_world(ABILITIES, |_| ())).link(link).start();
    let players: [PlayerHandle; 2] = sim.connect();
    for (player, place_m) in players.into_iter().zip(places_m) {
        sim.teleport(player, place_m);
    }
    sim.run_ticks(40);
    assert!(sim.sees(players[0], players[1]) && sim.sees(players[1], players[0]));
    (sim, players)
}

const APART_M: [Vec2; 2] = [Vec2::new(-60.0, -40.0), Vec2::new(-60.0, -20.0)];

fn net_id(sim: &Sim, player: PlayerHandle) -> NetId {
    sim.client(player).net_id().expect("it plays")
}

fn number(sim: &Sim, name: &str) -> NumberAttribute {
    sim.instance(InstanceId(0)).rules().attributes.number(name).expect("the world has it")
}

fn value(sim: &mut Sim, player: PlayerHandle, name: &str) -> f32 {
    let (net_id, attribute) = (net_id(sim, player), number(sim, name));
    let attributes = sim.instance_mut(InstanceId(0)).attributes_mut(net_id).expect("it is there");
    attributes.get(&attribute).expect("it has it")
}

fn log(sim: &Sim) -> &CombatLog {
    sim.instance(InstanceId(0)).world().resource::<CombatLog>()
}

fn events(sim: &mut Sim, player: PlayerHandle) -> Vec<ClientEvent> {
    let all = std::iter::from_fn(|| sim.client_mut(player).next_event());
    all.filter(|event| !matches!(event, ClientEvent::Entered { .. } | ClientEvent::Left { .. })).collect()
}

fn combat_events(sim: &mut Sim, player: PlayerHandle) -> Vec<CombatEvent> {
    let combat = |event| match event {
        ClientEvent::Combat { event, .. } => Some(event),
        _ => None,
    };
    events(sim, player).into_iter().filter_map(combat).collect()
}

/// Uses an ability on the other, once, and runs on for so many ticks.
fn use_once(sim: &mut Sim, [user, target]: [PlayerHandle; 2], ability: u8, ticks: u32) {
    let target = net_id(sim, target);
    // What reaches a place is aimed at the ground.
    let height_m = if ability == FROST { 0.0 } else { 1.0 };
    sim.plan(user, Plan::Aim(Aim { height_m, ..Aim::at(target, ability, 1) }));
    sim.run_ticks(1);
    sim.plan(user, Plan::stand());
    sim.run_ticks(ticks);
}

const FAIR: Link =
    Link { one_way_ms: 40.0, jitter_ms: 5.0, loss_percent: 0.0, duplicate_percent: 0.0, reorder_percent: 0.0 };

#[test]
fn a_shot_hurts_whom_it_is_aimed_at_and_both_are_told() {
    let (mut sim, players) = duel(1, FAIR, APART_M);
    use_once(&mut sim, players, RIFLE, 20);
    assert_eq!(value(&mut sim, players[1], "health"), 80.0);
    let [by, target] = players.map(|player| net_id(&sim, player));
    let hit = CombatEvent::Hit { by, target, ability: RIFLE, change: -20.0 };
    assert_eq!(combat_events(&mut sim, players[1]), [hit]);
    let seen = events(&mut sim, players[0]);
    assert!(matches!(seen[0], ClientEvent::Used { sees, .. } if sees == Some(target)), "shown at once: {seen:?}");
    assert!(matches!(seen[1..], [ClientEvent::Combat { event, .. }] if event == hit), "{seen:?}");
    assert_eq!(sim.client(players[0]).fighter().ready_at(RIFLE), None, "it has cooled down by now");
}

#[test]
fn whoever_has_no_health_left_dies_lies_still_and_appears_anew() {
    let (mut sim, players) = duel(2, FAIR, APART_M);
    let target = net_id(&sim, players[1]);
    sim.plan(players[0], Plan::Aim(Aim::at(target, RIFLE, 4)));
    sim.plan(players[1], Plan::run(Vec2::new(0.3, 0.0)));
    let mut ticks_dead = 0;
    let mut places_m = Vec::new();
    sim.run_ticks_with(200, |sim| {
        if sim.client(players[1]).fighter().is_dead {
            ticks_dead += 1;
            places_m.push(sim.client(players[1]).prediction().state().position_m);
        }
    });
    assert!((15..=25).contains(&ticks_dead), "{ticks_dead} ticks of 1,000 ms at 20 Hz");
    assert_eq!(log(&sim).totals.deaths, 1, "it appears out of reach");
    assert_eq!(value(&mut sim, players[1], "health"), 100.0);
    let moved_m = places_m[3].distance(places_m[places_m.len() - 3]);
    assert!(moved_m < 0.01, "the dead do not run: {moved_m} m");
    let by = net_id(&sim, players[0]);
    let died = CombatEvent::Died { who: target, by, ability: RIFLE };
    assert!(combat_events(&mut sim, players[0]).contains(&died) && combat_events(&mut sim, players[1]).contains(&died));
}

#[test]
fn each_kind_of_ability_does_what_its_file_says() {
    let near_m = [Vec2::new(-60.0, -40.0), Vec2::new(-60.0, -38.0)];
    for (ability, places_m, health) in
        [(BOLT, APART_M, 70.0), (SWORD, near_m, 60.0), (SWORD, APART_M, 100.0), (FROST, APART_M, 99.0)]
    {
        let (mut sim, players) = duel(3, FAIR, places_m);
        let before_m = sim.character(players[1]).1.position_m;
        use_once(&mut sim, players, ability, 30);
        assert_eq!(value(&mut sim, players[1], "health"), health, "ability {ability}");
        let pushed_m = sim.character(players[1]).1.position_m.z - before_m.z;
        assert_eq!(pushed_m > 0.5, ability == BOLT, "pushed by {pushed_m} m");
        let mana = if ability == FROST { 20.0 } else { 50.0 };
        assert_eq!(value(&mut sim, players[0], "mana"), mana);
    }
}

#[test]
fn what_can_be_paid_only_once_is_shown_only_once() {
    let (mut sim, players) = duel(8, FAIR, APART_M);
    let (user, target, mana) = (players[0], net_id(&sim, players[1]), number(&sim, "mana"));
    let left = |sim: &Sim| {
        [sim.client(user).prediction().own_attributes(), sim.client(user).own_attributes()].map(|own| own.get(&mana))
    };
    // In every tick, so several times before the server's word of the first can have come.
    sim.plan(user, Plan::Aim(Aim::at(target, DASH, 1)));
    sim.run_ticks(2);
    assert_eq!(left(&sim), [Some(20.0), Some(50.0)], "it is paid before the server says so");
    sim.run_ticks(4);
    sim.plan(user, Plan::stand());
    sim.run_ticks(20);
    assert_eq!(left(&sim), [Some(20.0); 2]);
    let shown = |sim: &mut Sim| {
        let used = events(sim, user).into_iter().filter(|event| matches!(event, ClientEvent::Used { .. }));
        used.count()
    };
    assert_eq!(shown(&mut sim), 1);
    assert_eq!(value(&mut sim, user, "mana"), 20.0);
    // What is given is there as soon as it is told.
    let user_id = net_id(&sim, user);
    sim.instance_mut(InstanceId(0)).attributes_mut(user_id).expect("it is there").set(&mana, 45.0);
    sim.run_ticks(10);
    assert_eq!(left(&sim), [Some(45.0); 2]);
    use_once(&mut sim, players, DASH, 20);
    assert_eq!((shown(&mut sim), left(&sim)), (1, [Some(15.0); 2]));
}

#[test]
fn whoever_is_slowed_is_predicted_slow_and_then_fast_again() {
    let (mut sim, players) = duel(4, FAIR, APART_M);
    sim.plan(players[1], Plan::run(Vec2::X));
    sim.run_ticks(10);
    use_once(&mut sim, players, FROST, 10);
    let slow = sim.client(players[1]).fighter().slow.expect("it is slowed");
    assert_eq!(slow.percent, 50);
    let speed = |sim: &Sim| sim.client(players[1]).prediction().state().velocity_mps.length();
    assert!((speed(&sim) - 3.0).abs() < 0.1, "{}", speed(&sim));
    sim.client_mut(players[1]).stats_mut().prediction_errors_m.clear();
    sim.run_ticks(30);
    assert!((speed(&sim) - 6.0).abs() < 0.1 && sim.client(players[1]).fighter().is_free());
    let errors_m = &sim.client(players[1]).stats().prediction_errors_m;
    assert!(errors_m.iter().all(|&error_m| error_m < 1e-3), "that it ends was foreseen: {errors_m:?}");
}

#[test]
fn allies_are_mended_after_the_cast_and_not_shot() {
    let (mut sim, players) = duel(5, FAIR, [Vec2::new(-60.0, -40.0), Vec2::new(-60.0, -36.0)]);
    let team = sim.instance(InstanceId(0)).rules().attributes.choice("team").expect("there are teams");
    for player in players {
        let (net_id, health) = (net_id(&sim, player), number(&sim, "health"));
        let mut attributes = sim.instance_mut(InstanceId(0)).attributes_mut(net_id).expect("it is there");
        assert!(attributes.set(&team, 1) && attributes.set(&health, 50.0));
    }
    sim.run_ticks(10);
    use_once(&mut sim, players, RIFLE, 10);
    assert_eq!(value(&mut sim, players[1], "health"), 50.0, "of the same team");
    use_once(&mut sim, players, MEND, 4);
    assert!(sim.client(players[0]).fighter().cast.is_some());
    assert_eq!(value(&mut sim, players[1], "health"), 50.0, "it takes its time");
    sim.run_ticks(20);
    assert_eq!(players.map(|player| value(&mut sim, player, "health")), [75.0, 75.0]);
}

#[test]
fn a_leap_is_predicted_to_the_bit_and_what_was_left_behind_is_not_hit() {
    let (mut sim, players) = duel(6, Link { one_way_ms: 100.0, ..FAIR }, APART_M);
    let before_m = sim.client(players[1]).prediction().state().position_m;
    sim.client_mut(players[1]).stats_mut().prediction_errors_m.clear();
    sim.plan(players[1], Plan::Hold(PlayerInput { ability: BLINK, yaw: 16_384, ..PlayerInput::default() }));
    sim.run_ticks(1);
    let leapt_m = sim.client(players[1]).prediction().state().position_m - before_m;
    assert!((leapt_m.x - 8.0).abs() < 0.01 && leapt_m.z.abs() < 0.01, "at once: {leapt_m}");
    sim.plan(players[1], Plan::stand());
    // The shooter has not seen it yet, and shoots where the other was.
    sim.run_ticks(1);
    use_once(&mut sim, players, RIFLE, 20);
    let target = net_id(&sim, players[1]);
    let used = events(&mut sim, players[0]);
    assert!(used.iter().any(|event| matches!(event, ClientEvent::Used { sees, .. } if *sees == Some(target))));
    assert_eq!(value(&mut sim, players[1], "health"), 100.0, "the leap came first");
    let errors_m = &sim.client(players[1]).stats().prediction_errors_m;
    assert!(errors_m.iter().all(|&error_m| error_m < 1e-3), "{errors_m:?}");
}

#[test]
fn nobody_is_hurt_in_a_safe_zone_nor_from_one() {
    for places_m in
        [[Vec2::new(-100.0, -80.0), Vec2::new(-100.0, -100.0)], [Vec2::new(-100.0, -100.0), Vec2::new(-100.0, -80.0)]]
    {
        let (mut sim, players) = duel(7, FAIR, places_m);
        use_once(&mut sim, players, RIFLE, 20);
        assert_eq!(value(&mut sim, players[1], "health"), 100.0);
        assert_eq!(log(&sim).totals.used, 1);
    }
}

/// Shots at somebody who runs to and fro, over a link; how many were fired, met somebody as their shooter saw it, and were judged otherwise.
fn agreement(seed: u64, link: Link) -> (u32, u32, u32) {
    let (mut sim, players) = duel(seed, link, APART_M);
    let target = net_id(&sim, players[1]);
    let aim = Aim { stray_m: 0.6, ..Aim::at(target, RIFLE, 5) };
    sim.plan(players[0], Plan::Aim(aim));
    let (mut shots, mut seen_hits, mut otherwise) = (0, 0, 0);
    for leg in 0..60 {
        sim.plan(players[1], Plan::run(if leg % 2 == 0 { Vec2::X } else { Vec2::NEG_X }));
        let health = number(&sim, "health");
        sim.run_ticks(15);
        sim.instance_mut(InstanceId(0)).attributes_mut(target).expect("it is there").set(&health, 100.0);
        for event in events(&mut sim, players[0]) {
            let ClientEvent::Used { tick, sees, .. } = event else { continue };
            let mut receipts = log(&sim).receipts().map(|shot| shot.receipt);
            let Some(receipt) = receipts.find(|receipt| receipt.judged + 1 == tick) else { continue };
            let met = match receipt.verdict {
                Verdict::Hit { net_id, .. } => Some(net_id),
                Verdict::Wall { .. } | Verdict::Miss => None,
            };
            shots += 1;
            seen_hits += u32::from(sees.is_some());
            otherwise += u32::from(met != sees);
            let map = &sim.instance(InstanceId(0)).rules().map;
            assert_eq!(receipt.judge_again(map), receipt.verdict);
        }
    }
    (shots, seen_hits, otherwise)
}

#[test]
fn what_the_shooter_sees_is_what_the_server_judges() {
    for (seed, one_way_ms, loss_percent) in [(8, 0.0, 0.0), (9, 50.0, 2.0), (10, 70.0, 5.0)] {
        let link = Link { one_way_ms, loss_percent, jitter_ms: one_way_ms / 10.0, ..Link::default() };
        let (shots, seen_hits, otherwise) = agreement(seed, link);
        assert!(shots > 100 && seen_hits > shots / 4 && seen_hits < shots, "{seen_hits} of {shots}");
        assert!(otherwise * 100 <= shots, "{one_way_ms} ms, {loss_percent} %: {otherwise} of {shots} judged otherwise");
    }
}

#[test]
fn a_game_of_30_frames_per_second_loses_no_shot_in_a_world_of_128_ticks() {
    let mut world = fighting_world(ABILITIES, |config| config.tick_rate_hz = 128);
    world.combat.iter_mut().for_each(|combat| combat.abilities[0].cooldown_ms = 100);
    let link = Link { one_way_ms: 30.0, loss_percent: 2.0, ..Link::default() };
    let mut sim = Sim::new(14).world(world).link(link).frame(Duration::from_millis(33)).start();
    let players: [PlayerHandle; 2] = sim.connect();
    players.into_iter().zip(APART_M).for_each(|(player, place_m)| sim.teleport(player, place_m));
    sim.run_ticks(256);
    let target = net_id(&sim, players[1]);
    events(&mut sim, players[0]);
    let before = log(&sim).totals.used;
    for _ in 0..200 {
        let (now, client) = (sim.now(), sim.client_mut(players[0]));
        let own_m = client.prediction().state().position_m + Vec3::Y * 1.6;
        let at_m = client.replica().get(target).map(|entity| client.interpolated(entity, now).position_m + Vec3::Y);
        let (yaw, pitch) = aim_towards(at_m.unwrap_or_default() - own_m);
        client.use_ability(now, RIFLE, yaw, pitch);
        sim.run_ticks(32);
        let health = number(&sim, "health");
        sim.instance_mut(InstanceId(0)).attributes_mut(target).expect("it is there").set(&health, 100.0);
    }
    sim.run_ticks(64);
    let shown =
        events(&mut sim, players[0]).iter().filter(|event| matches!(event, ClientEvent::Used { .. })).count() as u64;
    let used = log(&sim).totals.used - before;
    assert!(shown >= 195 && used >= shown * 99 / 100, "{used} of {shown} that were shown");
}

#[test]
fn a_blink_that_a_wall_stops_is_no_evasion() {
    // The kit's wall is 16 m east of the middle of the world's west; right behind the target.
    let wall_m = Vec2::new(18.0 - 0.45, 0.0);
    let (mut sim, players) = duel(15, Link { one_way_ms: 100.0, ..FAIR }, [Vec2::new(-2.0, 0.0), wall_m]);
    sim.plan(players[1], Plan::Hold(PlayerInput { ability: BLINK, yaw: 16_384, ..PlayerInput::default() }));
    sim.run_ticks(1);
    sim.plan(players[1], Plan::stand());
    sim.run_ticks(1);
    use_once(&mut sim, players, RIFLE, 20);
    assert_eq!(value(&mut sim, players[1], "health"), 80.0, "it has not moved");
}

#[test]
fn whoever_has_leapt_can_mend_itself_at_once() {
    let (mut sim, players) = duel(16, Link { one_way_ms: 100.0, ..FAIR }, APART_M);
    let (own, health) = (net_id(&sim, players[0]), number(&sim, "health"));
    sim.instance_mut(InstanceId(0)).attributes_mut(own).expect("it is there").set(&health, 50.0);
    for ability in [MEND, BLINK] {
        sim.plan(players[0], Plan::Hold(PlayerInput { ability, yaw: 16_384, ..PlayerInput::default() }));
        // Mending takes its time; meanwhile it leaps.
        sim.run_ticks(1);
        sim.plan(players[0], Plan::stand());
        sim.run_ticks(if ability == MEND { 10 } else { 30 });
    }
    assert_eq!(value(&mut sim, players[0], "health"), 75.0);
    sim.plan(players[0], Plan::Hold(PlayerInput { ability: BLINK, yaw: 16_384, ..PlayerInput::default() }));
    sim.run_ticks(1);
    sim.plan(players[0], Plan::Hold(PlayerInput { ability: MEND, ..PlayerInput::default() }));
    sim.run_ticks(1);
    sim.plan(players[0], Plan::stand());
    sim.run_ticks(30);
    assert_eq!(value(&mut sim, players[0], "health"), 100.0, "right after a leap");
}

#[test]
fn a_bolt_that_was_fired_from_a_safe_zone_hurts_nobody_wherever_its_shooter_goes() {
    let (mut sim, players) = duel(17, FAIR, [Vec2::new(-100.0, -91.0), Vec2::new(-100.0, -70.0)]);
    use_once(&mut sim, players, BOLT, 3);
    sim.teleport(players[0], Vec2::new(-100.0, -85.0));
    sim.run_ticks(30);
    assert_eq!((log(&sim).totals.used, value(&mut sim, players[1], "health")), (1, 100.0));
}

#[test]
fn those_who_are_of_no_side_are_everybodys_enemy() {
    let (mut sim, players) = duel(18, FAIR, APART_M);
    let team = sim.instance(InstanceId(0)).rules().attributes.choice("team").expect("there are teams");
    for player in players {
        let net_id = net_id(&sim, player);
        assert!(sim.instance_mut(InstanceId(0)).attributes_mut(net_id).expect("it is there").set(&team, 0));
    }
    sim.run_ticks(10);
    use_once(&mut sim, players, RIFLE, 20);
    assert_eq!(value(&mut sim, players[1], "health"), 80.0);
    let own = events(&mut sim, players[0]);
    let target = net_id(&sim, players[1]);
    assert!(own.iter().any(|event| matches!(event, ClientEvent::Used { sees, .. } if *sees == Some(target))));
}

#[test]
fn whoever_comes_into_view_and_goes_out_of_it_is_told_of_once_each() {
    let (mut sim, players) = duel(12, Link { loss_percent: 5.0, ..FAIR }, APART_M);
    let other = net_id(&sim, players[1]);
    let comings = |sim: &mut Sim| -> Vec<bool> {
        let all = std::iter::from_fn(|| sim.client_mut(players[0]).next_event());
        all.filter_map(|event| match event {
            ClientEvent::Entered { net_id } if net_id == other => Some(true),
            ClientEvent::Left { net_id } if net_id == other => Some(false),
            _ => None,
        })
        .collect()
    };
    assert_eq!(comings(&mut sim).last(), Some(&true));
    for is_here in [false, true, false] {
        sim.teleport(players[1], if is_here { APART_M[1] } else { Vec2::new(180.0, 180.0) });
        sim.run_ticks(60);
        assert_eq!(comings(&mut sim), [is_here]);
    }
}

#[test]
fn whoever_sees_a_fighter_is_shown_each_of_its_deeds_once_over_a_bad_link() {
    let link = Link { loss_percent: 10.0, duplicate_percent: 5.0, reorder_percent: 10.0, ..FAIR };
    let mut sim = Sim::new(21).world(fighting_world(ABILITIES, |_| ())).link(link).start();
    let players: [PlayerHandle; 4] = sim.connect();
    let [shooter, target, near, far] = players;
    let places_m = [APART_M[0], APART_M[1], Vec2::new(-40.0, -30.0), Vec2::new(180.0, 180.0)];
    players.into_iter().zip(places_m).for_each(|(player, place_m)| sim.teleport(player, place_m));
    sim.run_ticks(40);
    players.into_iter().for_each(|player| drop(events(&mut sim, player)));
    let used = [RIFLE, BOLT, RIFLE, RIFLE, BOLT, MEND, RIFLE, BOLT];
    for ability in used {
        use_once(&mut sim, [shooter, target], ability, 15);
    }
    sim.run_ticks(30);
    assert_eq!(log(&sim).totals.used, used.len() as u64);
    let (by, eyes_m) = (net_id(&sim, shooter), Vec3::new(-60.0, 11.6, -40.0));
    for witness in [target, near] {
        let mut seen = Vec::new();
        for event in events(&mut sim, witness) {
            let ClientEvent::OtherUsed { by: doer, ability, from_m, direction, .. } = event else { continue };
            assert_eq!(doer, by);
            assert!(from_m.distance(eyes_m) < 0.1, "from {from_m}");
            assert!(ability == MEND || direction.dot(Vec3::Z) > 0.99, "towards {direction}");
            seen.push(ability);
        }
        assert_eq!(seen, used);
    }
    for stranger in [shooter, far] {
        let is_told = |event: &ClientEvent| matches!(event, ClientEvent::OtherUsed { .. });
        assert!(!events(&mut sim, stranger).iter().any(is_told), "its own, and far away");
    }
}

#[test]
fn a_deed_of_somebody_who_goes_from_cell_to_cell_is_shown_like_any_other() {
    let link = Link { loss_percent: 12.0, ..FAIR };
    let mut sim = Sim::new(25).world(fighting_world(ABILITIES, |_| ())).link(link).start();
    let players: [PlayerHandle; 2] = sim.connect();
    let [runner, witness] = players;
    sim.teleport(witness, Vec2::new(-10.0, -10.0));
    sim.plan(witness, Plan::stand());
    sim.run_ticks(40);
    drop(events(&mut sim, witness));
    let (mut used, mut seen) = (0, 0);
    for crossing in 0..60 {
        // Cells have 50 m.
        let places_m = [Vec2::new(-30.0, -25.0), Vec2::new(20.0, -25.0)];
        sim.teleport(runner, places_m[crossing % 2]);
        sim.run_ticks(12);
        let before = log(&sim).totals.used;
        let target = net_id(&sim, witness);
        sim.plan(runner, Plan::Aim(Aim { height_m: 1.0, ..Aim::at(target, RIFLE, 1) }));
        while log(&sim).totals.used == before {
            sim.run_ticks(1);
        }
        sim.plan(runner, Plan::stand());
        // In another cell already when the next snapshot is made.
        sim.teleport(runner, places_m[(crossing + 1) % 2]);
        sim.run_ticks(20);
        used += log(&sim).totals.used - before;
        let is_shown = |event: &ClientEvent| matches!(event, ClientEvent::OtherUsed { .. });
        seen += events(&mut sim, witness).iter().filter(|event| is_shown(event)).count() as u64;
    }
    assert!(used >= 60, "{used}");
    assert_eq!(seen, used);
}

/// How long after its input a bolt meets somebody who stands 20 m away, in ticks of 50 ms.
fn flight_ticks(one_way_ms: f32) -> u32 {
    let (mut sim, players) = duel(13, Link { one_way_ms, ..Link::default() }, APART_M);
    use_once(&mut sim, players, BOLT, 40);
    let (mut used_at, mut hit_at) = (None, None);
    for event in events(&mut sim, players[0]) {
        match event {
            ClientEvent::Used { tick, .. } => used_at = Some(tick),
            ClientEvent::Combat { tick, event: CombatEvent::Hit { .. } } => hit_at = Some(tick),
            _ => {}
        }
    }
    hit_at.expect("it has met").since(used_at.expect("it was fired"))
}

#[test]
fn a_projectile_catches_up_with_what_its_shooter_saw() {
    // 19.6 m at 2 m per tick are ten ticks. Whoever sees the world 150 ms later has it fly three more of them at once.
    let [near, far] = [5.0, 80.0].map(flight_ticks);
    assert!(near < 10 && (2..=4).contains(&(near - far)), "{near} and {far} ticks");
}

#[test]
fn whoever_asks_more_often_than_it_may_is_refused_and_told() {
    let (mut sim, players) = duel(11, FAIR, APART_M);
    let target = net_id(&sim, players[1]);
    // The client itself does not know better: every input asks.
    sim.plan(players[0], Plan::Aim(Aim::at(target, RIFLE, 1)));
    sim.run_ticks(40);
    let refused = log(&sim).refused(RefusalRule::Use(UseRefusal::Cooldown));
    assert!((25..=35).contains(&refused), "of some 40 ticks every fourth is granted: {refused}");
    assert!(value(&mut sim, players[1], "health") <= 100.0 && log(&sim).totals.used <= 11);
    let told = combat_events(&mut sim, players[0]);
    let refusal = CombatEvent::Refused { ability: RIFLE, refusal: UseRefusal::Cooldown };
    assert!(told.contains(&refusal));
    let kept = log(&sim).refusals().next_back().expect("it was noted");
    assert_eq!((kept.who, kept.ability, kept.asked > 0.0), (net_id(&sim, players[0]), RIFLE, true));
}
