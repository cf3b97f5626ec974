//! Bots and people take one another's characters over: where they are, with all they have, and before everybody's eyes.

use std::collections::BTreeSet;
use std::time::Duration;

use glam::Vec2;
use throng_bot_ai::BotMind;
use throng_server::LastInput;
use throng_shared::abilities::Fighter;
use throng_shared::attributes::NumberAttribute;
use throng_shared::config::{LoadedWorld, PopulationConfig};
use throng_shared::ids::{Archetype, InstanceId, NetId};
use throng_shared::random::Random;
use throng_tests::{Link, Plan, PlayerHandle, Sim, fighting_world};

const WORLD: InstanceId = InstanceId(0);
const TARGET: u32 = 60;

/// Two teams of bots, who only wander.
fn world(shared_seats: bool, stand_ins: bool) -> LoadedWorld {
    const COMBAT: &str = r#"
        [combat]
        health = "health"
        no_side = "none"
        deal_teams = true
        [[ability]]
        name = "sword"
        kind = "melee"
        range_m = 2.5
        damage = 5.0
    "#;
    fighting_world(COMBAT, |config| {
        config.population = PopulationConfig {
            target: TARGET,
            players_max: 200,
            stand_ins,
            shared_seats,
            ..PopulationConfig::default()
        };
        config.spawn_areas[0].radius_m = 40.0;
        (config.bots.idle_weight, config.bots.flee_weight, config.bots.attack_percent) = (0.0, 0.0, 0.0);
    })
}

/// A character as the server has it.
#[derive(Clone, Debug, PartialEq)]
struct Character {
    archetype: Archetype,
    position_m: Vec2,
    health: f32,
    mana: f32,
    team: u32,
    is_played_by_bot: bool,
}

fn number(sim: &Sim, name: &str) -> NumberAttribute {
    sim.instance(WORLD).rules().attributes.number(name).expect("the world has it")
}

fn character(sim: &mut Sim, net_id: NetId) -> Option<Character> {
    let (health, mana) = (number(sim, "health"), number(sim, "mana"));
    let team = sim.instance(WORLD).rules().attributes.choice("team").expect("the world has it");
    let instance = sim.instance_mut(WORLD);
    let (health, mana, team) = {
        let attributes = instance.attributes_mut(net_id)?;
        (attributes.get(&health)?, attributes.get(&mana)?, attributes.get(&team)?)
    };
    let row = instance.columns().row(net_id)?;
    let (archetype, position_m) = (instance.columns().archetypes[row], instance.columns().positions_m[row]);
    let mut minds = instance.world_mut().query::<(&NetId, &BotMind)>();
    let is_played_by_bot = minds.iter(instance.world()).any(|(other, _)| *other == net_id);
    Some(Character { archetype, position_m, health, mana, team, is_played_by_bot })
}

/// Gives somebody values that no newcomer has.
fn mark(sim: &mut Sim, net_id: NetId, health: f32, mana: f32) {
    let (of_health, of_mana) = (number(sim, "health"), number(sim, "mana"));
    let mut attributes = sim.instance_mut(WORLD).attributes_mut(net_id).expect("it is there");
    assert!(attributes.set(&of_health, health) && attributes.set(&of_mana, mana));
}

fn everybody(sim: &Sim) -> BTreeSet<NetId> {
    sim.instance(WORLD).columns().net_ids.iter().copied().collect()
}

fn net_id(sim: &Sim, player: PlayerHandle) -> NetId {
    sim.client(player).net_id().expect("it plays")
}

/// A step further than anybody runs in a tick, in metres.
const STEP_M: f32 = 0.5;

#[test]
fn a_bot_plays_on_for_whose_connection_breaks_until_it_is_back() {
    let mut sim = Sim::new(2).world(world(false, true)).oracle(40).start();
    let [ann, ben] = sim.connect();
    let who = net_id(&sim, ann);
    for player in [ann, ben] {
        sim.teleport(player, Vec2::new(0.0, 30.0));
    }
    mark(&mut sim, who, 55.0, 12.0);
    sim.plan(ann, Plan::run(Vec2::X));
    sim.run_ticks(30);
    let before = character(&mut sim, who).expect("it is there");
    assert!(!before.is_played_by_bot && before.archetype == Archetype::PLAYER);
    sim.cut(ann);
    sim.time_out(ann);
    sim.run_ticks(1);
    let taken = character(&mut sim, who).expect("it is still there");
    assert!(taken.is_played_by_bot, "within a tick");
    assert!(taken.position_m.distance(before.position_m) < STEP_M);
    assert_eq!((taken.health, taken.mana, taken.team), (55.0, 12.0, before.team));
    // It goes on the way that ann went, is seen by ben all the while, and gets about.
    let (mut last_m, mut way_m) = (taken.position_m, 0.0);
    sim.run_ticks_with(100, |sim| {
        let now = character(sim, who).expect("nobody has gone");
        assert!(now.position_m.distance(last_m) < STEP_M, "it does not leap");
        way_m += now.position_m.distance(last_m);
        last_m = now.position_m;
        assert!(sim.client(ben).replica().get(who).is_some_and(|shown| !shown.is_missing()));
        assert_eq!(now.archetype, Archetype::PLAYER, "it is her character still");
    });
    assert!(way_m > 8.0, "{way_m} m in five seconds");
    sim.plan(ann, Plan::stand());
    sim.reconnect(ann);
    let mut while_away_m = last_m;
    let is_let_go = (0..100).any(|_| {
        while_away_m = character(&mut sim, who).expect("it is there").position_m;
        sim.run_ticks(1);
        !character(&mut sim, who).expect("it is there").is_played_by_bot
    });
    assert!(is_let_go, "the bot never lets go");
    let back = character(&mut sim, who).expect("it is there");
    let world = sim.instance_mut(WORLD).world_mut();
    let last = world.query::<(&NetId, &LastInput)>().iter(world).find(|(other, _)| **other == who);
    assert!(last.expect("it is there").1.input.is_still(), "what the bot was about to do is not done any more");
    sim.run_until_playing();
    assert_eq!((back.health, back.mana, net_id(&sim, ann)), (55.0, 12.0, who));
    assert!(back.position_m.distance(while_away_m) < STEP_M, "she goes on where the bot was");
    sim.run_ticks(40);
    let settled = character(&mut sim, who).expect("it is there").position_m;
    sim.run_ticks(40);
    assert_eq!(character(&mut sim, who).expect("it is there").position_m, settled, "what she does counts again");
    let own_m = sim.client(ann).own_position_m(sim.now()).expect("she plays");
    assert!(Vec2::new(own_m.x, own_m.z).distance(settled) < 0.05, "{own_m} {settled}");
}

#[test]
fn without_stand_ins_a_character_whose_connection_is_broken_stands_still() {
    let mut sim = Sim::new(2).world(world(false, false)).hold(Duration::from_secs(3)).start();
    let [ann] = sim.connect();
    let who = net_id(&sim, ann);
    sim.cut(ann);
    sim.time_out(ann);
    sim.run_ticks(20);
    let there = character(&mut sim, who).expect("its seat is held");
    assert!(!there.is_played_by_bot);
    sim.run_ticks(20);
    assert_eq!(character(&mut sim, who).expect("its seat is held").position_m, there.position_m);
    sim.run_ticks(60);
    assert_eq!(character(&mut sim, who), None, "its seat was given up");
}

#[test]
fn whoever_joins_takes_over_a_bot_as_it_is_and_leaves_it_as_it_is_then() {
    let mut sim = Sim::new(3).world(world(true, true)).start();
    sim.run_ticks(2);
    let [ann] = sim.connect();
    sim.run_ticks(20);
    let bots = everybody(&sim);
    assert_eq!(bots.len(), TARGET as usize);
    let oldest = bots.iter().copied().find(|&bot| bot != net_id(&sim, ann)).expect("there are others");
    for &bot in &bots {
        mark(&mut sim, bot, 40.0, 7.0);
    }
    sim.run_ticks(1);
    let ben = sim.start_connecting(WORLD);
    let mut before: Option<Character> = None;
    while !sim.is_playing(ben) {
        before = character(&mut sim, oldest);
        sim.run_ticks(1);
    }
    let who = net_id(&sim, ben);
    assert!(bots.contains(&who), "nobody has come");
    assert_eq!(everybody(&sim), bots, "and nobody has gone");
    let now = character(&mut sim, who).expect("it is there");
    let marks = (now.archetype, now.health, now.mana, now.is_played_by_bot);
    assert_eq!(marks, (Archetype::PLAYER, 40.0, 7.0, false));
    if who == oldest {
        let before = before.expect("it was there");
        assert!(before.position_m.distance(now.position_m) < STEP_M && before.team == now.team);
    }
    // Whoever sees it is told that it is a person's now, and of no coming or going.
    sim.teleport(ann, now.position_m + Vec2::new(4.0, 0.0));
    sim.run_ticks(20);
    assert_eq!(sim.client(ann).replica().get(who).map(|shown| shown.archetype), Some(Archetype::PLAYER));
    assert_eq!(sim.client(ben).own_attributes().get(&number(&sim, "mana")), Some(7.0));
    mark(&mut sim, who, 33.0, 3.0);
    sim.run_ticks(10);
    sim.leave(ben);
    let mut ticks = 0;
    while character(&mut sim, who).is_some_and(|now| now.archetype == Archetype::PLAYER) {
        assert!(sim.client(ann).replica().get(who).is_some_and(|shown| !shown.is_missing()));
        sim.run_ticks(1);
        ticks += 1;
        assert!(ticks < 100, "the seat is never given back");
    }
    let given_back = character(&mut sim, who).expect("it is a bot's again");
    assert_eq!((given_back.health, given_back.mana, given_back.is_played_by_bot), (33.0, 3.0, true));
    sim.run_ticks(10);
    let shown = sim.client(ann).replica().get(who).expect("ann has seen it all the time");
    assert_eq!((shown.archetype, shown.is_missing()), (Archetype::BOT, false));
    assert_eq!(everybody(&sim), bots);
    let totals = sim.instance(WORLD).totals();
    assert_eq!((totals.seats_to_people, totals.seats_to_bots), (2, 1), "ann and ben came, ben went");
}

#[test]
fn joiners_are_shared_out_among_teams_and_appear_when_no_bot_is_left() {
    let mut sim = Sim::new(4).world(world(true, true)).start();
    sim.run_ticks(2);
    let players: [PlayerHandle; 30] = sim.connect();
    let teams: Vec<u32> = players
        .iter()
        .map(|&player| {
            let who = net_id(&sim, player);
            character(&mut sim, who).expect("it plays").team
        })
        .collect();
    assert_eq!(teams.iter().filter(|&&team| team == 1).count(), 15, "{teams:?}");
    assert_eq!(everybody(&sim).len(), TARGET as usize);
    let more: [PlayerHandle; 40] = sim.connect();
    assert_eq!(everybody(&sim).len(), 70, "more people than the world is to have characters");
    // Of so many none is kept for a bot.
    for &player in &more[..8] {
        sim.leave(player);
    }
    sim.run_ticks(100);
    assert_eq!(everybody(&sim).len(), 62);
}

/// Fingerprints of every tick in which many come, break off, come back and go.
fn fingerprints(threads: usize, order_seed: Option<u64>) -> Vec<u64> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads are to be had");
    pool.install(|| {
        let mut world = world(true, true);
        world.config.population.target = 700;
        world.config.spawn_areas[0].radius_m = 180.0;
        let link = Link { one_way_ms: 40.0, jitter_ms: 20.0, loss_percent: 3.0, ..Link::default() };
        let mut builder = Sim::new(5).world(world).link(link).hold(Duration::from_secs(2));
        if let Some(order_seed) = order_seed {
            builder = builder.system_order(order_seed);
        }
        let mut sim = builder.start();
        sim.run_ticks(2);
        let mut players = sim.connect_wanderers(60);
        let (mut random, mut handed_over) = (Random::new(8, 0), 0);
        for _ in 0..40 {
            let player = players[random.below(players.len() as u32) as usize];
            match random.below(4) {
                0 => {
                    let other = sim.start_connecting(WORLD);
                    sim.plan(other, Plan::Wander(Random::new(9, players.len() as u64)));
                    players.push(other);
                }
                1 if sim.is_playing(player) => {
                    sim.cut(player);
                    sim.time_out(player);
                    sim.run_ticks(3);
                    let who = net_id(&sim, player);
                    handed_over += u32::from(character(&mut sim, who).is_some_and(|it| it.is_played_by_bot));
                    if random.below(2) == 0 {
                        sim.reconnect(player);
                    }
                }
                2 if sim.is_playing(player) => sim.leave(player),
                _ => {}
            }
            sim.run_ticks(8);
        }
        assert!(handed_over > 4, "{handed_over} seats handed over");
        sim.fingerprints().to_vec()
    })
}

#[test]
fn every_tick_of_seats_changing_hands_is_the_same_again_for_any_threads_and_order() {
    let expected = fingerprints(1, None);
    for (threads, order_seed) in [(1, None), (4, Some(1)), (2, Some(2))] {
        let found = fingerprints(threads, order_seed);
        let diverged = expected.iter().zip(&found).position(|(a, b)| a != b);
        assert_eq!(diverged, None, "{threads} threads, order {order_seed:?}: first differing tick");
        assert_eq!(expected.len(), found.len());
    }
}

#[test]
fn whoever_joins_while_bots_go_keeps_its_character() {
    for seed in 0..6 {
        let mut few = world(true, true);
        few.config.population.target = 6;
        let mut sim = Sim::new(seed).world(world(true, true)).start();
        sim.run_ticks(2);
        let players: Vec<PlayerHandle> = (0..12).map(|_| sim.start_connecting(WORLD)).collect();
        // Most bots go in the tick in which people come.
        for _ in 0..10 {
            sim.instance_mut(WORLD).adopt(&few).expect("it may change");
            sim.run_ticks(1);
        }
        sim.run_until_playing();
        sim.run_ticks(100);
        for &player in &players {
            let who = net_id(&sim, player);
            assert!(character(&mut sim, who).is_some_and(|it| it.archetype == Archetype::PLAYER), "{seed}: {who:?}");
        }
        assert!(everybody(&sim).len() >= 12);
    }
}

#[test]
fn the_dead_are_handed_over_last() {
    let mut sim = Sim::new(4).world(world(true, true)).start();
    sim.run_ticks(2);
    let bots: Vec<NetId> = everybody(&sim).into_iter().collect();
    let world = sim.instance_mut(WORLD).world_mut();
    for (net_id, mut fighter) in world.query::<(&NetId, &mut Fighter)>().iter_mut(world) {
        fighter.is_dead = bots[..10].contains(net_id);
    }
    let players: [PlayerHandle; 20] = sim.connect();
    for player in players {
        assert!(!bots[..10].contains(&net_id(&sim, player)), "a corpse to begin with");
    }
}

#[test]
fn stand_ins_come_and_go_as_the_world_file_says_while_it_runs() {
    let mut sim = Sim::new(2).world(world(false, false)).start();
    let [ann] = sim.connect();
    let who = net_id(&sim, ann);
    sim.cut(ann);
    sim.time_out(ann);
    sim.run_ticks(5);
    for stand_ins in [true, false, true] {
        sim.instance_mut(WORLD).adopt(&world(false, stand_ins)).expect("it may change");
        sim.run_ticks(1);
        assert_eq!(character(&mut sim, who).map(|it| it.is_played_by_bot), Some(stand_ins));
    }
    sim.reconnect(ann);
    sim.run_until_playing();
    sim.run_ticks(2);
    assert_eq!(character(&mut sim, who).map(|it| it.is_played_by_bot), Some(false));
    let totals = sim.instance(WORLD).totals();
    assert_eq!((totals.seats_to_people, totals.seats_to_bots), (1, 2), "she came back once");
}
