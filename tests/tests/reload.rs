//! World files that change while their world runs: taken over as a whole between two ticks, or not at all.

use glam::Vec2;
use throng_bot_ai::{BotMind, BotWorld};
use throng_client::ClientEvent;
use throng_shared::attributes::{AttributeKind, AttributeRule};
use throng_shared::config::{
    BotProfileConfig, BotsConfig, LoadedWorld, OverloadConfig, PlaceConfig, PopulationConfig, ReliefConfig,
    SpawnAreaConfig, SpawnFor, TierConfig, WorldConfig,
};
use throng_shared::ids::InstanceId;
use throng_shared::wire::combat::CombatEvent;
use throng_tests::{Aim, Plan, PlayerHandle, Sim, fighting_world};

const WORLD: InstanceId = InstanceId(0);

const ABILITIES: &str = r#"
    [combat]
    health = "health"
    no_side = "none"
    [[ability]]
    name = "rifle"
    kind = "hitscan"
    range_m = 60.0
    cooldown_ms = 200
    damage = 20.0
"#;

fn world(change: impl FnOnce(&mut WorldConfig)) -> LoadedWorld {
    fighting_world(ABILITIES, |config| {
        config.obstacles.clear();
        config.population = PopulationConfig { target: 60, players_max: 100, ..PopulationConfig::default() };
        change(config);
    })
}

/// Has the host take a changed world over, as the program does.
fn adopt(sim: &mut Sim, changed: &LoadedWorld) -> Result<(), Vec<&'static str>> {
    let now = sim.now();
    sim.host_mut().adopt(now, WORLD, changed).map(|_| ()).map_err(|error| error.fixed)
}

fn place<const COUNT: usize>(sim: &mut Sim, places_m: [f32; COUNT]) -> [PlayerHandle; COUNT] {
    let players = sim.connect();
    for (&player, x_m) in players.iter().zip(places_m) {
        sim.plan(player, Plan::stand());
        sim.teleport(player, Vec2::new(x_m, -60.0));
    }
    sim.run_ticks(40);
    players
}

#[test]
fn another_radius_is_in_force_within_two_ticks_and_nobody_is_lost() {
    let mut sim = Sim::new(1).world(world(|_| ())).start();
    let [viewer, near, far] = place(&mut sim, [-150.0, -95.0, 0.0]);
    let wanderers = sim.connect_wanderers(40);
    sim.run_ticks(20);
    let view = |sim: &Sim| [near, far].map(|other| sim.sees(viewer, other));
    assert_eq!(view(&sim), [true, false]);
    let tick = sim.instance(WORLD).current_tick();
    let wide = world(|config| (config.interest.enter_radius_m, config.interest.leave_radius_m) = (160.0, 170.0));
    assert_eq!(adopt(&mut sim, &wide), Ok(()));
    // One to be told, and one on the way.
    sim.run_ticks(2);
    assert_eq!(view(&sim), [true, true], "within two ticks");
    assert!(sim.instance(WORLD).rules().bots_seen_from_m > 170.0, "and nobody sees a bot appear");
    let seen_from_m = sim.instance(WORLD).rules().bots_seen_from_m;
    let tight = world(|config| (config.interest.enter_radius_m, config.interest.leave_radius_m) = (20.0, 25.0));
    assert_eq!(adopt(&mut sim, &tight), Ok(()));
    sim.run_ticks(40);
    assert_eq!(view(&sim), [false, false]);
    // Cells are as large as before, and so is how far their pages reach beyond the radius.
    let beyond_m = |radius_m: f32, seen_from_m: f32| seen_from_m - radius_m;
    let now_m = sim.instance(WORLD).rules().bots_seen_from_m;
    assert!(beyond_m(25.0, now_m) > 50.0 * 1.4 && now_m < seen_from_m, "{now_m}");
    assert_eq!(sim.instance(WORLD).current_tick().since(tick), 42, "no tick was missed");
    assert!(wanderers.iter().all(|&player| sim.is_playing(player)));
}

#[test]
fn whoever_is_seen_from_afar_is_seen_from_as_far_as_before() {
    let huge = AttributeRule { seen_from_m: 150.0, ..AttributeRule::new("huge", AttributeKind::Flag) };
    let giants = |enter_radius_m, leave_radius_m| {
        world(|config| {
            config.attributes.push(huge.clone());
            (config.interest.enter_radius_m, config.interest.leave_radius_m) = (enter_radius_m, leave_radius_m);
        })
    };
    let mut sim = Sim::new(6).world(giants(30.0, 40.0)).start();
    let [giant, near, far] = place(&mut sim, [-190.0, -60.0, 190.0]);
    let (giant_id, _) = sim.character(giant);
    let flag = sim.instance(WORLD).rules().attributes.flag("huge").expect("the world has it");
    sim.instance_mut(WORLD).attributes_mut(giant_id).expect("it is there").set(&flag, true);
    sim.run_ticks(20);
    assert_eq!([near, far].map(|viewer| sim.sees(viewer, giant)), [true, false]);
    assert_eq!(adopt(&mut sim, &giants(90.0, 100.0)), Ok(()));
    sim.run_ticks(20);
    assert_eq!([near, far].map(|viewer| sim.sees(viewer, giant)), [true, false]);
}

#[test]
fn population_bots_tiers_and_spawn_areas_change_from_the_next_tick_on() {
    let mut sim = Sim::new(2).world(world(|_| ())).start();
    sim.run_ticks(5);
    let bots = |sim: &Sim| sim.instance(WORLD).columns().len();
    assert_eq!(bots(&sim), 60);
    let changed = world(|config| {
        config.population.target = 90;
        config.bots.sight_m = 12.0;
        config.bots.think_interval_ms = 500;
        config.patrols.clear();
        config.spawn_areas[0].center_m = Vec2::new(150.0, 150.0);
        config.interest.tiers = vec![TierConfig { within_m: 70.0, staleness_ms: 200 }];
        config.interest.visible_max = 7;
        config.input_repeat_ticks = 9;
    });
    assert_eq!(adopt(&mut sim, &changed), Ok(()));
    sim.run_ticks(1);
    assert_eq!(bots(&sim), 90);
    let instance = sim.instance(WORLD);
    let newest = instance.columns().positions_m[60..].iter().all(|place_m| place_m.distance(Vec2::splat(150.0)) < 30.0);
    assert!(newest, "they come where the spawn area is now");
    let (bots, rules) = (instance.world().resource::<BotWorld>(), instance.rules());
    assert_eq!((bots.rules.sight_m, bots.rules.think_interval_ms, bots.patrols.len()), (12.0, 500, 0));
    let interest = rules.interest;
    assert_eq!((interest.visible_max, interest.tiers.period_ticks(0), rules.input_repeat_ticks), (7, 4, 9));
    sim.run_ticks(200);
}

#[test]
fn the_next_shot_does_the_damage_that_the_file_says_by_now() {
    let mut sim = Sim::new(3).world(world(|config| config.population.target = 0)).start();
    let [shooter, target] = place(&mut sim, [-60.0, -40.0]);
    let (target_id, _) = sim.character(target);
    let mut changed = world(|config| config.population.target = 0);
    let shoot = |sim: &mut Sim| -> Vec<f32> {
        sim.plan(shooter, Plan::Aim(Aim { height_m: 1.0, ..Aim::at(target_id, 1, 1) }));
        sim.run_ticks(1);
        sim.plan(shooter, Plan::stand());
        sim.run_ticks(20);
        let events = std::iter::from_fn(|| sim.client_mut(target).next_event());
        let change = |event| match event {
            ClientEvent::Combat { event: CombatEvent::Hit { change, .. }, .. } => Some(change),
            _ => None,
        };
        events.filter_map(change).collect()
    };
    assert_eq!(shoot(&mut sim), [-20.0]);
    changed.combat.as_mut().expect("it has abilities").abilities[0].effects.damage = 35.0;
    assert_eq!(adopt(&mut sim, &changed), Ok(()));
    assert_eq!(shoot(&mut sim), [-35.0]);
}

#[test]
fn another_ladder_is_climbed_from_its_foot_and_the_same_one_keeps_its_rung() {
    let ladder = |visible_percent| OverloadConfig {
        rungs: vec![ReliefConfig::View { visible_percent }],
        ..OverloadConfig::default()
    };
    let mut sim = Sim::new(4).world(world(|config| config.overload = ladder(20))).start();
    sim.connect_wanderers(5);
    sim.set_tick_time(std::time::Duration::from_millis(45));
    sim.run_ticks(40);
    let state = |sim: &Sim| (sim.instance(WORLD).overload().rung, sim.instance(WORLD).rules().interest.visible_max);
    assert_eq!(state(&sim), (1, 50));
    let fewer = |ladder| {
        world(|config| {
            (config.overload, config.interest.visible_max) = (ladder, 100);
        })
    };
    assert_eq!(adopt(&mut sim, &fewer(ladder(20))), Ok(()));
    sim.run_ticks(1);
    assert_eq!(state(&sim), (1, 20), "what gives way gives way of the new number");
    assert_eq!(adopt(&mut sim, &fewer(ladder(30))), Ok(()));
    sim.run_ticks(1);
    assert_eq!(state(&sim), (0, 100));
    sim.run_ticks(40);
    assert_eq!(state(&sim), (1, 30));
}

#[test]
fn what_cannot_change_is_named_and_then_nothing_changes_at_all() {
    let story = |changes: &[LoadedWorld]| {
        let mut sim = Sim::new(5).world(world(|_| ())).start();
        sim.connect_wanderers(5);
        sim.run_ticks(20);
        let refused: Vec<_> = changes.iter().map(|changed| adopt(&mut sim, changed)).collect();
        sim.run_ticks(20);
        (refused, sim.fingerprints().to_vec())
    };
    let all = |config: &mut WorldConfig| config.population.target = 90;
    let mut other_abilities = world(all);
    let combat = other_abilities.combat.as_mut().expect("it has abilities");
    (combat.rewind_max_ms, combat.abilities[0].name) = (100, "musket".to_owned());
    let changes = [
        world(|config| (config.name, config.population.players_max) = ("other".to_owned(), 7)),
        world(|config| config.attributes.truncate(2)),
        LoadedWorld { combat: None, ..world(all) },
        other_abilities,
        LoadedWorld { hash: 1, ..world(all) },
    ];
    let (refused, after) = story(&changes);
    let named: Vec<Vec<&str>> = refused.into_iter().map(|refused| refused.expect_err("it cannot change")).collect();
    assert_eq!(named[0], ["world.name", "population.players_max"]);
    assert_eq!(named[1], ["[[attribute]]"]);
    assert_eq!(named[2], ["whether there is an abilities file"]);
    assert_eq!(named[3], ["which abilities there are, and their order", "combat.rewind_max_ms"]);
    assert!(named[4].len() == 1 && named[4][0].starts_with("what clients compute ahead"), "{:?}", named[4]);
    assert_eq!(after, story(&[]).1, "as if nobody had tried");
}

#[test]
fn another_kind_of_bot_is_in_force_within_two_ticks_and_places_may_go() {
    let bots = |wander_weight, gather_weight| BotsConfig {
        idle_weight: 1.0,
        wander_weight,
        patrol_weight: 0.0,
        follow_weight: 0.0,
        gather_weight,
        flee_weight: 0.0,
        think_interval_ms: 50,
        attack_percent: 0.0,
        ..world(|_| ()).config.bots
    };
    let kind = |bots: BotsConfig, guards| vec![BotProfileConfig { guards, ..BotProfileConfig::new("kind", bots) }];
    let square = PlaceConfig { name: "square".to_owned(), center_m: Vec2::ZERO, radius_m: 8.0, draw: 1.0 };
    let mut sim = Sim::new(8).world(world(|config| config.bot_profiles = kind(bots(0.0, 0.0), None))).start();
    let [player] = place(&mut sim, [0.0]);
    let goals = |sim: &mut Sim| {
        let world = sim.instance_mut(WORLD).world_mut();
        let mut labels: Vec<&str> = world.query::<&BotMind>().iter(world).map(|mind| mind.goal().label()).collect();
        labels.sort_unstable();
        labels.dedup();
        labels
    };
    assert_eq!(goals(&mut sim), ["idle"], "that is all they may");
    let changed = |bots: BotsConfig, places: &[PlaceConfig], guards| {
        world(|config| (config.bot_profiles, config.places) = (kind(bots, guards), places.to_vec()))
    };
    // Whoever idles does so for a few seconds; then it goes by what is in force.
    assert_eq!(adopt(&mut sim, &changed(bots(1_000.0, 0.0), &[], None)), Ok(()));
    sim.run_ticks(2);
    let rules = sim.instance(WORLD).world().resource::<BotWorld>().profiles[0].bots.clone();
    assert_eq!(rules.wander_weight, 1_000.0, "within two ticks");
    sim.run_ticks(200);
    assert_eq!(goals(&mut sim), ["wander"]);
    let guarding = changed(bots(0.0, 1_000.0), &[square.clone(), square], Some(1));
    assert_eq!(adopt(&mut sim, &guarding), Ok(()));
    sim.run_ticks(600);
    assert!(goals(&mut sim).contains(&"gather"));
    // Those who are on their way to a place that is no more go on without it.
    assert_eq!(adopt(&mut sim, &changed(bots(1_000.0, 1.0), &[], None)), Ok(()));
    sim.run_ticks(600);
    assert!(!goals(&mut sim).contains(&"gather"));
    assert!(sim.is_playing(player));
}

#[test]
fn a_thousand_clients_go_by_another_radius_damage_kind_and_number_within_two_ticks() {
    const CLIENTS: u32 = 1_000;
    let file = |config: &mut WorldConfig| {
        // With a corner that nobody sees.
        config.size_m = 4_000.0;
        config.spawn_areas[0].radius_m = 1_700.0;
        config.spawn_areas.push(SpawnAreaConfig {
            weight: Some(1e9),
            who: SpawnFor::Bots,
            ..SpawnAreaConfig::disc(Vec2::splat(1_900.0), 50.0)
        });
        config.population = PopulationConfig { target: 0, players_max: 1_100, ..PopulationConfig::default() };
        (config.interest.enter_radius_m, config.interest.leave_radius_m) = (20.0, 25.0);
        let bots = config.bots.clone();
        config.bot_profiles = vec![BotProfileConfig::new("kind", bots)];
    };
    let mut changed = world(|config| {
        file(config);
        (config.interest.enter_radius_m, config.interest.leave_radius_m) = (40.0, 45.0);
        config.population.target = CLIENTS + 100;
        config.bot_profiles[0].bots.attack_percent = 3.0;
    });
    changed.combat.as_mut().expect("it has abilities").abilities[0].effects.damage = 35.0;
    let mut sim = Sim::new(11).world(world(file)).start();
    let [shooter, target] = sim.connect();
    for (player, x_m) in [(shooter, -560.0), (target, -540.0)] {
        sim.plan(player, Plan::stand());
        sim.teleport(player, Vec2::new(x_m, -590.0));
    }
    let wanderers = sim.connect_wanderers(CLIENTS - 2);
    sim.run_ticks(20);
    let told = |sim: &Sim| sim.instance(WORLD).totals().enters;
    let (target_id, _) = sim.character(target);
    let (tick, enters, bots) = (sim.instance(WORLD).current_tick(), told(&sim), sim.instance(WORLD).columns().len());
    sim.run_ticks(2);
    let enters_before = told(&sim) - enters;
    assert_eq!(adopt(&mut sim, &changed), Ok(()));
    sim.plan(shooter, Plan::Aim(Aim { height_m: 1.0, ..Aim::at(target_id, 1, 1) }));
    sim.run_ticks(2);
    assert!(told(&sim) - enters > 10 * enters_before.max(10), "all see farther: {} enters", told(&sim) - enters);
    assert_eq!(sim.instance(WORLD).columns().len(), bots + 80, "as many as may come at once while people are there");
    let rules = sim.instance(WORLD).world().resource::<BotWorld>();
    assert_eq!(rules.profiles[0].bots.attack_percent, 3.0);
    sim.run_ticks(20);
    let events = std::iter::from_fn(|| sim.client_mut(target).next_event());
    let hit = events.into_iter().find_map(|event| match event {
        ClientEvent::Combat { event: CombatEvent::Hit { change, .. }, .. } => Some(change),
        _ => None,
    });
    assert_eq!(hit, Some(-35.0), "the first shot already");
    assert_eq!(sim.instance(WORLD).current_tick().since(tick), 24, "no tick was missed");
    assert_eq!(sim.instance(WORLD).sessions().all().len(), CLIENTS as usize);
    assert!(wanderers.iter().all(|&player| sim.is_playing(player)), "nobody was lost");
}
