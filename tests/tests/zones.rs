//! Parts of a world with numbers and rules of their own, by the hour and by what happens.

use std::collections::BTreeMap;

use glam::Vec2;
use throng_bot_ai::{BotMind, Home};
use throng_shared::config::{ABILITIES_FILE_NAME, LoadedWorld, load_world};
use throng_shared::ids::{Archetype, InstanceId, NetId};
use throng_shared::movement::CharacterState;
use throng_tests::{Aim, Plan, PlayerHandle, Sim};

const WORLD: InstanceId = InstanceId(0);

/// A flat world of 800 m in which an hour takes 20 s, and a day begins at noon; with a town in the east and a camp in the west.
const BASE: &str = r#"
    [world]
    name = "zones"
    size_m = 800.0
    [terrain]
    kind = "flat"
    [interest]
    enter_radius_m = 25.0
    leave_radius_m = 30.0
    [population]
    target = 40
    players_max = 100
    [day]
    length_min = 8.0
    begins_h = 12.0
    [[spawn]]
    center_m = [0.0, 0.0]
    radius_m = 350.0
    [[zone]]
    name = "town"
    shape = "circle"
    center_m = [250.0, 0.0]
    radius_m = 60.0
    population = 30
    [[zone]]
    name = "camp"
    shape = "box"
    center_m = [-250.0, 0.0]
    size_m = [80.0, 120.0]
    yaw_deg = 30.0
    population = 20
    [bots]
    idle_weight = 0.2
"#;

const TOWN_M: Vec2 = Vec2::new(250.0, 0.0);
const TICKS_PER_HOUR: u32 = 400;

fn load(world: &str, abilities: Option<&str>) -> LoadedWorld {
    let loaded = load_world("zones", |name| match (name, abilities) {
        ("world.toml", _) => Ok(world.as_bytes().to_vec()),
        (ABILITIES_FILE_NAME, Some(abilities)) => Ok(abilities.as_bytes().to_vec()),
        _ => Err(std::io::ErrorKind::NotFound.into()),
    });
    loaded.unwrap_or_else(|errors| panic!("{errors}"))
}

fn with(more: &str) -> LoadedWorld {
    load(&format!("{BASE}{more}"), None)
}

/// Bots by their homes.
fn bots(sim: &mut Sim) -> BTreeMap<Home, Vec<Vec2>> {
    let world = sim.instance_mut(WORLD).world_mut();
    let mut found = BTreeMap::<Home, Vec<Vec2>>::new();
    let mut all = world.query::<(&NetId, &BotMind, &CharacterState)>();
    let mut all: Vec<_> = all.iter(world).collect();
    all.sort_by_key(|(net_id, ..)| **net_id);
    for (_, mind, state) in all {
        found.entry(mind.home()).or_default().push(state.ground_position_m());
    }
    found
}

/// How many live in the world, in the town and in the camp.
fn counts(sim: &mut Sim) -> [usize; 3] {
    let bots = bots(sim);
    [Home::WORLD, Home::zone(0), Home::zone(1)].map(|home| bots.get(&home).map_or(0, Vec::len))
}

#[test]
fn each_zone_has_its_own_number_of_bots_who_live_in_it() {
    let mut sim = Sim::new(3).world(with("")).start();
    sim.run_ticks(1);
    assert_eq!(counts(&mut sim), [40, 30, 20], "from the first tick on");
    sim.run_ticks(1_500);
    let bots = bots(&mut sim);
    let outlines = sim.instance(WORLD).hours().outlines.clone();
    for (home, outline) in [Home::zone(0), Home::zone(1)].into_iter().zip(outlines.iter()) {
        for place_m in &bots[&home] {
            assert!(outline.contains_within(*place_m, 30.0), "{place_m} is not at home");
        }
        let walked = bots[&home].iter().filter(|place_m| !outline.contains_within(**place_m, -25.0)).count();
        assert!(walked > 3, "they go about in all of it");
    }
}

#[test]
fn people_take_the_place_of_bots_in_the_zone_that_they_are_in() {
    let mut sim = Sim::new(3).world(with("")).start();
    sim.run_ticks(1);
    let players: Vec<PlayerHandle> = (0..10).map(|_| sim.start_connecting(WORLD)).collect();
    sim.run_until_playing();
    for &player in &players {
        sim.plan(player, Plan::stand());
        // Where they see only a part of the town.
        sim.teleport(player, TOWN_M + Vec2::new(59.0, 0.0));
    }
    sim.run_ticks(600);
    let attendance = sim.instance(WORLD).attendance().homes.clone();
    assert_eq!(counts(&mut sim)[1], 20, "ten people are in the town: {attendance:?}");
    assert_eq!((attendance[1].people, attendance[1].wanted), (10, Some(30)));
    for &player in &players {
        sim.teleport(player, Vec2::new(0.0, 380.0));
    }
    sim.run_ticks(600);
    assert_eq!(counts(&mut sim), [30, 30, 20], "and now in the rest of the world");
}

#[test]
fn numbers_follow_the_hour_and_what_happens() {
    let changes = r#"
        [[event]]
        name = "market"
        from_h = 14.0
        lasts_h = 1.0
        zones = ["town"]
        population_percent = 150
        [[event]]
        name = "night"
        from_h = 15.0
        lasts_h = 1.0
        population_percent = 50
    "#;
    let base = BASE.replace("population = 20", "population = 20\nhours_percent = [100, 100, 100, 10]");
    let mut sim = Sim::new(3).world(load(&format!("{base}{changes}"), None)).start();
    let mut seen = Vec::new();
    for _ in 0..7 {
        // In the middle of the hour.
        sim.run_ticks(TICKS_PER_HOUR / 2);
        let events: Vec<String> = sim.instance(WORLD).hours().events().map(str::to_owned).collect();
        seen.push((counts(&mut sim), events.join(" ")));
        sim.run_ticks(TICKS_PER_HOUR / 2);
    }
    let at = |hour: usize| (seen[hour - 12].0, seen[hour - 12].1.as_str());
    assert_eq!(at(12), ([40, 30, 20], ""));
    assert_eq!(at(14), ([40, 45, 20], "market"));
    assert_eq!(at(15), ([20, 15, 10], "night"));
    assert_eq!(at(16), ([40, 30, 20], ""));
    assert_eq!(at(18), ([40, 30, 2], ""), "evening in the camp");
    assert_eq!(sim.instance(WORLD).hours().events_begun(), 2);
}

#[test]
fn bots_appear_by_weights_and_limits_and_people_where_people_do() {
    let base = BASE.replace(
        "[[spawn]]\n    center_m = [0.0, 0.0]\n    radius_m = 350.0",
        r#"[[spawn]]
        center_m = [0.0, -200.0]
        radius_m = 20.0
        who = "players"
        [[spawn]]
        center_m = [0.0, 0.0]
        radius_m = 20.0
        weight = 3.0
        who = "bots"
        [[spawn]]
        center_m = [0.0, 200.0]
        radius_m = 40.0
        weight = 1.0
        bots_max = 6
        who = "bots"
        [[spawn]]
        center_m = [250.0, 30.0]
        radius_m = 5.0
        who = "bots""#,
    );
    assert_ne!(base, BASE);
    let world = load(&base.replace("target = 40", "target = 200"), None);
    let mut sim = Sim::new(5).world(world).start();
    sim.run_ticks(1);
    let bots = bots(&mut sim);
    let near = |home: Home, x_m: f32, z_m: f32, reach_m: f32| {
        bots[&home].iter().filter(|place_m| place_m.distance(Vec2::new(x_m, z_m)) < reach_m).count()
    };
    assert_eq!(near(Home::WORLD, 0.0, 200.0, 41.0), 6, "no more than the limit, though its weight is for more");
    assert_eq!(near(Home::WORLD, 0.0, 0.0, 21.0), 194);
    assert_eq!(near(Home::zone(0), 250.0, 30.0, 6.0), 30, "the town has an area of its own");
    assert!(near(Home::zone(1), -250.0, 0.0, 20.0) < 20, "the camp has none: all over it");
    let [player] = sim.connect();
    sim.run_ticks(1);
    let place_m = sim.character(player).1.ground_position_m();
    assert!(place_m.distance(Vec2::new(0.0, -200.0)) < 25.0, "{place_m}");
}

#[test]
fn of_areas_without_limits_each_gets_its_weight() {
    let area =
        |x_m: f32, weight: f32| format!("[[spawn]]\ncenter_m = [{x_m:?}, 0.0]\nradius_m = 20.0\nweight = {weight:?}\n");
    let areas = [area(-150.0, 0.0), area(0.0, 3.0), area(100.0, 1.0)].concat();
    let (head, rest) = BASE.split_once("[[spawn]]").expect("there is an area");
    let (_, tail) = rest.split_once("[[zone]]").expect("zones are behind it");
    let world = load(&format!("{head}{areas}[[zone]]{tail}").replace("target = 40", "target = 800"), None);
    let mut sim = Sim::new(5).world(world).start();
    sim.run_ticks(1);
    let bots = &bots(&mut sim)[&Home::WORLD];
    let near = |x_m: f32| bots.iter().filter(|place_m| (place_m.x - x_m).abs() < 21.0).count();
    assert_eq!((near(-150.0), near(0.0) + near(100.0)), (0, 800));
    assert!((560..640).contains(&near(0.0)), "{}", near(0.0));
}

const TEAMS: &str = r#"
    [[attribute]]
    name = "team"
    kind = "choice"
    words = ["none", "red", "blue"]
    is_team = true
    [[attribute]]
    name = "health"
    kind = "number"
    max = 100.0
    default = 100.0
    [[bot_profile]]
    name = "novice"
    share = 3.0
    aim_error_deg = 9.0
    attack_percent = 0.0
    [[bot_profile]]
    name = "master"
    share = 1.0
    aim_error_deg = 0.5
    attack_percent = 0.0
    [[bot_profile]]
    name = "watch"
    share = 1.0
    zones = ["town"]
    attack_percent = 0.0
"#;

const COMBAT: &str = r#"
    [combat]
    health = "health"
    no_side = "none"
    deal_teams = true
    [[ability]]
    name = "rifle"
    kind = "hitscan"
    range_m = 100.0
    cooldown_ms = 100
    damage = 10.0
"#;

/// Bots by team and kind; people by team.
fn sides(sim: &mut Sim, home: Home) -> (BTreeMap<(u32, usize), usize>, [usize; 2]) {
    let instance = sim.instance_mut(WORLD);
    let team = instance.rules().attributes.team().expect("there are teams");
    let bots = instance.world().resource::<throng_bot_ai::BotWorld>().clone();
    let world = instance.world_mut();
    let (mut kinds, mut people) = (BTreeMap::new(), [0; 2]);
    let mut all = world.query::<(&Archetype, &throng_shared::attributes::Attributes, Option<&BotMind>)>();
    for (archetype, attributes, mind) in all.iter(world) {
        let side = attributes.view().values[team];
        match (archetype, mind) {
            (&Archetype::BOT, Some(mind)) if mind.home() == home => {
                *kinds.entry((side, bots.kind_of(mind).expect("all are of a kind"))).or_default() += 1;
            }
            (&Archetype::PLAYER, _) => people[side as usize - 1] += 1,
            _ => {}
        }
    }
    (kinds, people)
}

#[test]
fn sides_are_even_in_number_and_skill_wherever_people_stand() {
    let mut sim = Sim::new(9).world(load(&format!("{BASE}{TEAMS}"), Some(COMBAT))).start();
    sim.run_ticks(1);
    let (kinds, _) = sides(&mut sim, Home::WORLD);
    assert_eq!(kinds, BTreeMap::from([((1, 0), 15), ((1, 1), 5), ((2, 0), 15), ((2, 1), 5)]));
    let (kinds, _) = sides(&mut sim, Home::zone(0));
    assert_eq!(kinds, BTreeMap::from([((1, 0), 9), ((1, 1), 3), ((1, 2), 3), ((2, 0), 9), ((2, 1), 3), ((2, 2), 3)]));
    let players: Vec<PlayerHandle> = (0..12).map(|_| sim.start_connecting(WORLD)).collect();
    sim.run_until_playing();
    assert_eq!(sides(&mut sim, Home::WORLD).1, [6, 6], "people are dealt evenly");
    for &player in &players {
        sim.plan(player, Plan::stand());
        sim.teleport(player, Vec2::new(0.0, 390.0));
    }
    // Those of one side leave; bots even it out, unseen.
    let team = sim.instance(WORLD).rules().attributes.team().expect("there are teams");
    for &player in &players {
        let net_id = sim.character(player).0;
        let side = sim.instance_mut(WORLD).attributes_mut(net_id).expect("it is there").view().values[team];
        if side == 1 {
            sim.leave(player);
        }
    }
    sim.run_ticks(900);
    let (kinds, people) = sides(&mut sim, Home::WORLD);
    let of = |side: u32| kinds.iter().filter(|((of, _), _)| *of == side).map(|(_, count)| count).sum::<usize>();
    assert_eq!((people, of(1) + of(2)), ([0, 6], 34));
    assert!((of(1) as i32 - of(2) as i32 - 6).abs() <= 2, "{kinds:?} beside {people:?}");
}

#[test]
fn a_safe_zone_is_contested_while_an_event_says_so() {
    let event = r#"
        [[event]]
        name = "raid"
        from_h = 14.0
        lasts_h = 1.0
        zones = ["town"]
        zones_become = "contested"
    "#;
    let base = BASE.replace("name = \"town\"", "name = \"town\"\nkind = \"safe\"").replace("population = 30", "");
    let base = base.replace("target = 40", "target = 0").replace("population = 20", "");
    let mut sim = Sim::new(4).world(load(&format!("{base}{TEAMS}{event}"), Some(COMBAT))).start();
    let players = sim.connect::<2>();
    sim.teleport(players[0], TOWN_M);
    sim.teleport(players[1], TOWN_M + Vec2::new(0.0, -10.0));
    sim.plan(players[1], Plan::stand());
    let target = sim.character(players[1]).0;
    sim.plan(players[0], Plan::Aim(Aim::at(target, 1, 10)));
    let health = sim.instance(WORLD).rules().attributes.number("health").expect("the world has it");
    let mut hurt_at_h = Vec::new();
    while sim.instance(WORLD).current_tick().0 < 4 * TICKS_PER_HOUR {
        sim.instance_mut(WORLD).attributes_mut(target).expect("it is there").set(&health, 100.0);
        sim.run_ticks(20);
        let is_hurt = sim.instance_mut(WORLD).attributes_mut(target).expect("it is there").get(&health) < Some(100.0);
        if is_hurt {
            let tick = sim.instance(WORLD).current_tick();
            hurt_at_h.push(sim.instance(WORLD).hours().calendar.hour(tick).1);
        }
    }
    assert!(hurt_at_h.len() > 10, "they shoot all the time");
    // A shot is judged a moment after the hour is.
    assert!(hurt_at_h.iter().all(|hour_h| (14.0..15.15).contains(hour_h)), "{hurt_at_h:?}");
}

#[test]
fn who_is_indoors_is_noticed_by_nobody_outside_and_comes_and_goes_unseen() {
    let house = r#"
        [[zone]]
        name = "house"
        kind = "indoor"
        shape = "box"
        center_m = [0.0, 300.0]
        size_m = [40.0, 40.0]
        population = 12
        hours_percent = [100, 100, 100, 0]
    "#;
    let mut sim = Sim::new(4).world(with(house)).start();
    let [player] = sim.connect();
    sim.plan(player, Plan::stand());
    // Before the door, so near that everything in the house is told.
    sim.teleport(player, Vec2::new(0.0, 275.0));
    sim.run_ticks(60);
    let house = Home::zone(2);
    assert_eq!(bots(&mut sim)[&house].len(), 12);
    let noticed = |sim: &mut Sim| {
        let outline = sim.instance(WORLD).hours().outlines[2];
        let world = sim.instance_mut(WORLD).world_mut();
        let mut all = world.query::<(&BotMind, &throng_bot_ai::Percepts, &CharacterState)>();
        let all = all.iter(world).filter(|(mind, ..)| mind.home() == house);
        let inside = all.filter(|(.., state)| outline.contains_within(state.ground_position_m(), -2.0));
        let seen: Vec<Vec2> =
            inside.flat_map(|(_, percepts, _)| percepts.seen().iter().map(|seen| seen.position_m)).collect();
        (seen.len(), seen.iter().filter(|place_m| !outline.contains(**place_m)).count())
    };
    let (mut seen, mut seen_outside) = (0, 0);
    for _ in 0..40 {
        sim.run_ticks(10);
        let (all, outside) = noticed(&mut sim);
        (seen, seen_outside) = (seen + all, seen_outside + outside);
    }
    assert!(seen > 100, "they see one another: {seen}");
    assert_eq!(seen_outside, 0, "and not the person before the door");
    sim.run_ticks(7 * TICKS_PER_HOUR);
    assert_eq!(bots(&mut sim).get(&house), None, "in the evening they have gone, behind the walls");
}

#[test]
fn bots_go_on_in_the_zones_of_other_files_by_their_names() {
    let mut sim = Sim::new(6).world(with("")).start();
    sim.run_ticks(200);
    let before = bots(&mut sim);
    let camp = before[&Home::zone(1)].clone();
    // The town has gone, and the camp is the first now.
    let (head, rest) = BASE.split_once("[[zone]]").expect("there is a zone");
    let (_, tail) = rest.split_once("[[zone]]").expect("there are two");
    let changed = load(&format!("{head}[[zone]]{tail}"), None);
    let now = sim.now();
    sim.host_mut().adopt(now, WORLD, &changed).expect("zones can change");
    let after = bots(&mut sim);
    assert_eq!(after[&Home::zone(0)], camp, "they live where they lived");
    assert_eq!(after[&Home::WORLD].len(), 70, "those of the town live in the world");
    sim.run_ticks(600);
    assert_eq!(counts(&mut sim), [40, 20, 0]);
}

#[test]
fn clients_know_the_hour_and_what_is_on_from_their_first_moment_and_when_it_changes() {
    let more = r#"
        [[feature]]
        name = "new-sky"
        sessions_percent = 50.0
        [[event]]
        name = "market"
        from_h = 12.5
        lasts_h = 1.0
    "#;
    let mut sim = Sim::new(6).world(with(more)).start();
    let players = sim.connect_wanderers(20);
    sim.run_ticks(20);
    let is_told = |sim: &Sim, player: PlayerHandle| {
        let instance = sim.instance(WORLD);
        let day = sim.client(player).day();
        let tick = instance.current_tick();
        let hour_h = day.hour_h(f64::from(tick.0)).expect("it has been told");
        assert!((hour_h - instance.hours().calendar.hour(tick).1).abs() < 0.01, "{hour_h}");
        let features: Vec<&str> = instance.hours().features.of(sim.client_id(player)).collect();
        assert_eq!(day.features(), features);
        day.events().to_vec()
    };
    assert!(players.iter().all(|&player| is_told(&sim, player).is_empty()));
    sim.run_ticks(TICKS_PER_HOUR);
    assert!(players.iter().all(|&player| is_told(&sim, player) == ["market"]));
    let [late] = sim.connect();
    sim.run_ticks(20);
    assert_eq!(is_told(&sim, late), ["market"], "whoever comes later");
    // Other files: days twice as fast, another event, the feature for all.
    let changed =
        more.replace("50.0", "100.0").replace("market", "fair").replace("12.5", "0.0").replace("= 1.0", "= 24.0");
    let changed = load(&format!("{}{changed}", BASE.replace("length_min = 8.0", "length_min = 4.0")), None);
    let now = sim.now();
    sim.host_mut().adopt(now, WORLD, &changed).expect("that can change");
    sim.run_ticks(20);
    assert!(players.iter().all(|&player| is_told(&sim, player) == ["fair"]));
    assert!(players.iter().all(|&player| sim.client(player).day().features() == ["new-sky"]));
    assert!(players.iter().all(|&player| sim.client(player).stats().malformed == 0));
}

#[test]
fn bots_are_of_the_same_spawn_areas_when_a_file_puts_others_before_them() {
    let area = |x_m: f32, more: &str| format!("[[spawn]]\ncenter_m = [{x_m:?}, 0.0]\nradius_m = 15.0\n{more}\n");
    let (head, rest) = BASE.split_once("[[spawn]]").expect("there is an area");
    let (_, tail) = rest.split_once("[[zone]]").expect("zones are behind it");
    let world = |areas: &[String]| load(&format!("{head}{}[[zone]]{tail}", areas.concat()), None);
    let limited = area(60.0, "bots_max = 10\nweight = 1000.0");
    let before = world(&[area(0.0, ""), limited.clone()]);
    let after = world(&[area(-100.0, "weight = 0.0"), area(0.0, ""), limited]);
    let mut sim = Sim::new(5).world(before).start();
    sim.run_ticks(1);
    let of_areas = |sim: &mut Sim| {
        let world = sim.instance_mut(WORLD).world_mut();
        let mut counts = BTreeMap::<Option<u16>, usize>::new();
        for mind in world.query::<&BotMind>().iter(world).filter(|mind| mind.home() == Home::WORLD) {
            *counts.entry(mind.origin()).or_default() += 1;
        }
        counts
    };
    assert_eq!(of_areas(&mut sim), BTreeMap::from([(Some(0), 30), (Some(1), 10)]));
    let now = sim.now();
    sim.host_mut().adopt(now, WORLD, &after).expect("areas can change");
    sim.run_ticks(40);
    assert_eq!(of_areas(&mut sim), BTreeMap::from([(Some(1), 30), (Some(2), 10)]));
}

#[test]
fn guards_live_where_what_they_guard_is() {
    let guards = r#"
        [[place]]
        name = "gate"
        center_m = [190.0, 0.0]
        radius_m = 4.0
        [[place]]
        name = "fire"
        center_m = [-250.0, 0.0]
        [[bot_profile]]
        name = "gate-guard"
        guards = "fire"
        leash_m = 20.0
        [[bot_profile]]
        name = "folk"
    "#;
    let mut sim = Sim::new(5).world(with(guards)).start();
    sim.run_ticks(1);
    let bots = sim.instance(WORLD).world().resource::<throng_bot_ai::BotWorld>().clone();
    let world = sim.instance_mut(WORLD).world_mut();
    let mut counts = BTreeMap::<(Home, usize), usize>::new();
    for mind in world.query::<&BotMind>().iter(world) {
        *counts.entry((mind.home(), bots.kind_of(mind).expect("all are of a kind"))).or_default() += 1;
    }
    let of = |home: Home, kind: usize| counts.get(&(home, kind)).copied().unwrap_or(0);
    assert_eq!([of(Home::zone(0), 0), of(Home::zone(0), 1)], [0, 30], "the fire is not in the town");
    assert_eq!([of(Home::zone(1), 0), of(Home::zone(1), 1)], [10, 10]);
    assert_eq!([of(Home::WORLD, 0), of(Home::WORLD, 1)], [20, 20]);
}

#[test]
fn features_are_on_by_world_zone_and_share_of_players() {
    let features = r#"
        [[feature]]
        name = "fishing"
        zones = ["camp"]
        [[feature]]
        name = "new-sky"
        sessions_percent = 50.0
        [[feature]]
        name = "ghosts"
        is_on = false
    "#;
    let mut sim = Sim::new(6).world(with(features)).start();
    let players = sim.connect_wanderers(40);
    sim.teleport(players[0], Vec2::new(-250.0, 0.0));
    sim.run_ticks(1);
    let is_on = |sim: &Sim, name: &str, player: PlayerHandle| {
        let (_, state) = sim.character(player);
        sim.instance(WORLD).hours().features.is_on_for(name, sim.client_id(player), state.ground_position_m())
    };
    assert!(is_on(&sim, "fishing", players[0]) && !is_on(&sim, "fishing", players[1]));
    let lucky: Vec<bool> = players.iter().map(|&player| is_on(&sim, "new-sky", player)).collect();
    assert!((8..32).contains(&lucky.iter().filter(|is_on| **is_on).count()), "{lucky:?}");
    sim.run_ticks(100);
    let told = |player: PlayerHandle| sim.client(player).day().features().contains(&"new-sky".to_owned());
    assert!(players.iter().zip(&lucky).all(|(&player, lucky)| told(player) == *lucky), "and they know it");
    assert!(players.iter().all(|&player| !is_on(&sim, "ghosts", player)));
}

#[test]
fn packs_are_of_those_who_live_in_the_same_zone() {
    let kind = r#"
        [[bot_profile]]
        name = "gang"
        pack_size = 5
    "#;
    // The town's square is full of others.
    let base = BASE.replace("radius_m = 350.0", "radius_m = 60.0").replace("[250.0, 0.0]", "[30.0, 0.0]");
    let mut sim = Sim::new(3).world(load(&format!("{base}{kind}"), None)).start();
    sim.run_ticks(600);
    let world = sim.instance(WORLD).world();
    let packs: Vec<Vec<NetId>> =
        world.resource::<throng_bot_ai::Packs>().all().map(|members| members.to_vec()).collect();
    let home = |net_id: &NetId| {
        let entity = sim.instance(WORLD).entity_of(*net_id).expect("it is there");
        world.get::<BotMind>(entity).expect("it is a bot").home()
    };
    assert!(packs.len() > 10, "{} packs", packs.len());
    for members in &packs {
        assert!(members.iter().all(|net_id| home(net_id) == home(&members[0])), "{members:?}");
    }
    assert!([Home::WORLD, Home::zone(0)].iter().all(|here| packs.iter().any(|members| home(&members[0]) == *here)));
}
