//! Bots fight: whom they may know of and see, with what people have, and as well as the world file says.

use glam::Vec2;
use throng_bot_ai::{BotMind, Goal};
use throng_server::abilities::{CombatLog, CombatTotals};
use throng_shared::config::{
    AbilityConfig, AimConfig, BotsConfig, LoadedWorld, ObstacleConfig, ObstacleShapeConfig, PopulationConfig,
    SafeZoneConfig, SpawnAreaConfig,
};
use throng_shared::ids::{Archetype, InstanceId};
use throng_tests::{Plan, PlayerHandle, Sim, fighting_world};

const WORLD: InstanceId = InstanceId(0);
const RIFLE: &str = r#"
    [combat]
    health = "health"
    no_side = "none"
    deal_teams = true
    [[ability]]
    name = "rifle"
    kind = "hitscan"
    range_m = 60.0
    cooldown_ms = 300
    damage = 5.0
    [[ability]]
    name = "mend"
    kind = "own"
    cooldown_ms = 4000
    cost_attribute = "mana"
    cost = 10.0
    heal = 30.0
"#;

/// Two teams of so many bots together in a small place.
fn world(bots: u32, change: impl FnOnce(&mut BotsConfig)) -> LoadedWorld {
    fighting_world(RIFLE, |config| {
        config.population = PopulationConfig { target: bots, players_max: 10, ..PopulationConfig::default() };
        config.spawn_areas[0].radius_m = 15.0;
        config.obstacles.clear();
        change(&mut config.bots);
    })
}

struct Outcome {
    used: u64,
    hits: u64,
    deaths: u64,
}

/// What comes of so many bots in so many ticks.
fn outcome(bots: u32, ticks: u32, change: impl FnOnce(&mut BotsConfig)) -> Outcome {
    let mut sim = Sim::new(6).world(world(bots, change)).start();
    sim.run_ticks(ticks);
    let totals = sim.instance(WORLD).world().resource::<CombatLog>().totals;
    assert_eq!(totals.refused.iter().sum::<u64>(), 0, "bots ask for nothing that they may not: {totals:?}");
    Outcome { used: totals.used, hits: totals.hits, deaths: totals.deaths }
}

#[test]
fn bots_fight_until_some_are_dead_and_peaceful_ones_do_not() {
    let Outcome { used, hits, deaths } = outcome(20, 600, |_| ());
    assert!(used > 200 && hits > 60 && deaths > 2, "{used} used, {hits} hits, {deaths} deaths in 30 s");
    let peaceful = outcome(20, 600, |bots| bots.attack_percent = 0.0);
    assert_eq!((peaceful.hits, peaceful.deaths), (0, 0));
}

#[test]
fn a_bot_does_no_harm_before_it_has_had_time_to_react() {
    let mut sim = Sim::new(3).world(world(2, |bots| bots.reaction_ms = 1_000)).start();
    let mut fighting_since: Option<u32> = None;
    for tick in 0..200 {
        sim.run_ticks(1);
        let world = sim.instance_mut(WORLD).world_mut();
        let is_fighting = world.query::<&BotMind>().iter(world).any(|mind| matches!(mind.goal(), Goal::Fight { .. }));
        if is_fighting {
            fighting_since.get_or_insert(tick);
        }
        if world.resource::<CombatLog>().totals.used > 0 {
            let since = fighting_since.expect("nobody shoots whom it does not fight");
            assert!(tick - since >= 19, "{since} {tick}");
            return;
        }
    }
    panic!("nobody shot");
}

/// A person who stands east of the middle, and a bot of the other team that has appeared west of it.
fn duel(change: impl FnOnce(&mut LoadedWorld)) -> (Sim, PlayerHandle) {
    let mut world = world(2, |bots| (bots.sight_m, bots.aim_error_deg) = (100.0, 0.0));
    world.config.spawn_areas[0] = SpawnAreaConfig::disc(Vec2::new(-12.0, 0.0), 2.0);
    change(&mut world);
    let mut sim = Sim::new(3).world(world).start();
    let [ann] = sim.connect();
    sim.plan(ann, Plan::stand());
    sim.teleport(ann, Vec2::new(12.0, 0.0));
    (sim, ann)
}

#[test]
fn a_bot_that_does_not_err_meets_whoever_stands_with_nearly_every_shot() {
    let (mut sim, _) = duel(|_| ());
    sim.run_ticks(120);
    let CombatTotals { used, hits, .. } = sim.instance(WORLD).world().resource::<CombatLog>().totals;
    assert!(used >= 15 && hits * 10 >= used * 9, "{hits} of {used}");
}

#[test]
fn the_better_a_bot_aims_the_more_it_hits() {
    let share = |aim_error_deg: f32| {
        let (mut sim, _) = duel(|world| world.config.bots.aim_error_deg = aim_error_deg);
        sim.run_ticks(600);
        let CombatTotals { used, hits, .. } = sim.instance(WORLD).world().resource::<CombatLog>().totals;
        hits as f32 / used as f32
    };
    let shares = [0.0, 3.0, 12.0].map(share);
    assert!(shares[0] > shares[1] + 0.2 && shares[1] > shares[2] + 0.1, "{shares:?}");
}

#[test]
fn what_is_behind_a_wall_is_walked_to_and_not_shot_at() {
    let (mut sim, ann) = duel(|world| {
        let shape = ObstacleShapeConfig::Box { size_m: Vec2::new(1.0, 24.0), yaw_deg: 0.0 };
        world.config.obstacles = vec![ObstacleConfig { center_m: Vec2::ZERO, height_m: 6.0, shape }];
    });
    let (who, _) = sim.character(ann);
    for _ in 0..900 {
        sim.run_ticks(1);
        let instance = sim.instance(WORLD);
        let columns = instance.columns();
        let bot = (0..columns.len()).find(|&row| columns.net_ids[row] != who).expect("there is one");
        let bot_m = columns.positions_m[bot];
        if instance.world().resource::<CombatLog>().totals.used > 0 {
            assert!(bot_m.x > -1.0 || bot_m.y.abs() > 10.0, "through the wall, from {bot_m}");
            return;
        }
    }
    panic!("it never found around it");
}

#[test]
fn who_is_hurt_mends_itself_and_runs() {
    let mut sim = Sim::new(9).world(world(12, |_| ())).start();
    let (mut mended, mut fled) = (false, false);
    let health = sim.instance(WORLD).rules().attributes.number("health").expect("it has");
    let mut before = Vec::new();
    sim.run_ticks_with(600, |sim| {
        let ids = sim.instance(WORLD).columns().net_ids.clone();
        let instance = sim.instance_mut(WORLD);
        let healths: Vec<f32> = ids.iter().filter_map(|&bot| instance.attributes_mut(bot)?.get(&health)).collect();
        mended |= healths.iter().zip(&before).any(|(now, before)| now > before && *before > 0.0 && *now < 100.0);
        before = healths;
        let world = instance.world_mut();
        fled |= world.query::<&BotMind>().iter(world).any(|mind| matches!(mind.goal(), Goal::Flee { .. }));
    });
    assert!(mended && fled, "mended {mended}, fled {fled}");
}

#[test]
fn bots_fight_people_and_people_are_told() {
    let mut sim = Sim::new(5).world(world(6, |bots| bots.aim_error_deg = 1.0)).start();
    let [ann] = sim.connect();
    sim.plan(ann, Plan::stand());
    sim.run_ticks(400);
    let who = sim.client(ann).net_id().expect("she plays");
    let log = sim.instance(WORLD).world().resource::<CombatLog>();
    assert!(log.totals.hits > 0);
    let health = sim.instance(WORLD).rules().attributes.number("health").expect("it has");
    let mut was_hurt = false;
    sim.run_ticks_with(400, |sim| {
        let own = sim.client(ann).own_attributes().get(&health);
        was_hurt |= own.is_some_and(|own| own < 100.0);
        assert_eq!(sim.character(ann).0, who);
    });
    assert!(was_hurt, "nobody shot at her in twenty seconds");
}

#[test]
fn nobody_is_shot_at_who_stands_where_nobody_is_harmed() {
    let (mut sim, _) = duel(|world| {
        let combat = world.combat.as_mut().expect("they fight");
        combat.safe_zones = vec![SafeZoneConfig { center_m: Vec2::new(12.0, 0.0), radius_m: 4.0 }];
    });
    sim.run_ticks(200);
    assert_eq!(sim.instance(WORLD).world().resource::<CombatLog>().totals.used, 0);
}

#[test]
fn who_stands_in_for_a_person_fights_with_what_people_have() {
    let mut world = world(2, |bots| (bots.sight_m, bots.retreat_below_percent) = (100.0, 0.0));
    // What is for bots alone would be refused, time and again.
    let combat = world.combat.as_mut().expect("they fight");
    let rifle = combat.abilities[0].clone();
    combat.abilities[0].archetypes = Archetype::PLAYER.bit();
    combat.abilities.push(AbilityConfig {
        name: "claws".into(),
        archetypes: Archetype::BOT.bit(),
        aim: AimConfig::Melee { range_m: 2.0, arc_deg: 90.0 },
        ..rifle
    });
    let mut sim = Sim::new(3).world(world).start();
    let [ann] = sim.connect();
    let (who, _) = sim.character(ann);
    sim.cut(ann);
    sim.time_out(ann);
    let mut has_shot = false;
    sim.run_ticks_with(400, |sim| {
        let log = sim.instance(WORLD).world().resource::<CombatLog>();
        has_shot |= log.done().iter().any(|(by, act)| *by == who && act.ability == 1);
        assert!(log.done().iter().all(|(by, act)| act.ability != if *by == who { 3 } else { 1 }), "each has its own");
        assert_eq!(log.totals.refused.iter().sum::<u64>(), 0);
    });
    assert!(has_shot, "she has a rifle, and the bot in her place knows how to use it");
}
