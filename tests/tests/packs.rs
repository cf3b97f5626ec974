//! Bots that go together: of one side, into a fight and out of it, whoever plays whom.

use std::collections::{BTreeMap, BTreeSet};

use glam::Vec2;
use throng_bot_ai::{BotMind, Goal, Packs};
use throng_server::abilities::CombatLog;
use throng_shared::abilities::Fighter;
use throng_shared::config::{
    BotProfileConfig, BotsConfig, Formation, LoadedWorld, PackConfig, PopulationConfig, SpawnAreaConfig,
};
use throng_shared::ids::{Archetype, InstanceId, NetId};
use throng_tests::{Plan, Sim, fighting_world};

const WORLD: InstanceId = InstanceId(0);
const RIFLE: &str = r#"
    [combat]
    health = "health"
    no_side = "none"
    deal_teams = true
    respawn_ms = 1500
    [[ability]]
    name = "rifle"
    kind = "hitscan"
    range_m = 40.0
    cooldown_ms = 300
    damage = 5.0
"#;
/// How long a bot waits until it thinks again, at most, in ticks: what concerns a pack is known to all of it after two of these.
const THINK_TICKS: u32 = 5;

/// A world of one kind of bot, which goes in packs of so many.
fn world(bots: u32, pack_size: u32, change: impl FnOnce(&mut BotsConfig)) -> LoadedWorld {
    fighting_world(RIFLE, |config| {
        config.population = PopulationConfig { target: bots, players_max: 10, ..PopulationConfig::default() };
        config.spawn_areas[0] = SpawnAreaConfig::disc(Vec2::ZERO, 12.0);
        config.obstacles.clear();
        config.bots.think_interval_ms = 250;
        let mut bots = BotsConfig { idle_weight: 0.0, patrol_weight: 1.0, flee_weight: 0.0, ..config.bots.clone() };
        (bots.wander_weight, bots.follow_weight, bots.sight_m) = (0.0, 0.0, 60.0);
        change(&mut bots);
        let pack = PackConfig { size: pack_size, formation: Formation::Wedge, spacing_m: 2.0 };
        config.bot_profiles = vec![BotProfileConfig { pack, ..BotProfileConfig::new("band", bots) }];
    })
}

/// The same, but a test says who is of which side, and nobody evens it out.
fn undealt(mut world: LoadedWorld) -> LoadedWorld {
    world.combat.iter_mut().for_each(|combat| combat.deal_teams = false);
    world
}

fn packs(sim: &Sim) -> Vec<Vec<NetId>> {
    sim.instance(WORLD).world().resource::<Packs>().all().map(<[NetId]>::to_vec).collect()
}

fn set_side(sim: &mut Sim, net_id: NetId, side: u32) {
    let team = sim.instance(WORLD).rules().attributes.choice("team").expect("there are teams");
    let mut attributes = sim.instance_mut(WORLD).attributes_mut(net_id).expect("it is there");
    assert!(attributes.set(&team, side));
}

fn side(sim: &mut Sim, net_id: NetId) -> Option<u32> {
    let team = sim.instance(WORLD).rules().attributes.choice("team").expect("there are teams");
    sim.instance_mut(WORLD).attributes_mut(net_id)?.get(&team)
}

/// What every bot wants.
fn goals(sim: &mut Sim) -> BTreeMap<NetId, Goal> {
    let world = sim.instance_mut(WORLD).world_mut();
    world.query::<(&NetId, &BotMind)>().iter(world).map(|(net_id, mind)| (*net_id, mind.goal())).collect()
}

/// Nobody is in two packs, and no pack is of two sides.
fn check(sim: &mut Sim) {
    let mut known = BTreeSet::new();
    for pack in packs(sim) {
        let sides: BTreeSet<Option<u32>> = pack.iter().map(|net_id| side(sim, *net_id)).collect();
        assert_eq!(sides.len(), 1, "{pack:?} are of {sides:?}");
        assert!(pack.iter().all(|net_id| known.insert(*net_id)), "{pack:?}: somebody is in two");
    }
}

#[test]
fn packs_are_of_one_side_and_who_changes_sides_leaves() {
    let mut sim = Sim::new(4).world(world(40, 5, |bots| bots.attack_percent = 0.0)).start();
    sim.run_ticks_with(200, check);
    let before = packs(&sim);
    let sides: BTreeSet<Option<u32>> = before.iter().map(|pack| side(&mut sim, pack[0])).collect();
    assert!(before.len() >= 6 && sides.len() == 2, "{before:?} of {sides:?}");
    let traitor = before[0][1];
    let other = 3 - side(&mut sim, traitor).expect("it has a side");
    set_side(&mut sim, traitor, other);
    sim.run_ticks(4 * THINK_TICKS);
    assert!(packs(&sim).iter().all(|pack| pack[0] != before[0][0] || !pack.contains(&traitor)));
    check(&mut sim);
}

#[test]
fn when_one_of_a_pack_fights_all_do_who_see_the_enemy_each_after_its_own_time_to_react() {
    let mut fights = 0;
    for seed in 1..=8 {
        // Each by itself would care for one enemy in four, and then not for any for five seconds or more.
        let world = undealt(world(5, 4, |bots| {
            (bots.attack_percent, bots.reaction_ms, bots.retreat_below_percent) = (25.0, 400, 0.0);
        }));
        let mut sim = Sim::new(seed).world(world).start();
        let [ann] = sim.connect();
        let (who, _) = sim.character(ann);
        sim.plan(ann, Plan::stand());
        // Out of everybody's sight until there is a pack.
        sim.teleport(ann, Vec2::new(190.0, 190.0));
        let bots: Vec<NetId> = goals(&mut sim).into_keys().filter(|net_id| *net_id != who).collect();
        set_side(&mut sim, who, 2);
        bots.iter().for_each(|net_id| set_side(&mut sim, *net_id, 1));
        sim.run_ticks(160);
        let pack = packs(&sim).remove(0);
        assert_eq!(pack.len(), 4);
        let row = sim.instance(WORLD).columns().row(pack[0]).expect("it is there");
        let leader_m = sim.instance(WORLD).columns().positions_m[row];
        sim.teleport(ann, leader_m + Vec2::new(14.0, 10.0));
        let mut since: BTreeMap<NetId, u32> = BTreeMap::new();
        let mut shots = BTreeMap::new();
        for tick in 0..100 {
            sim.run_ticks(1);
            for (net_id, goal) in goals(&mut sim) {
                if matches!(goal, Goal::Fight { net_id, .. } if net_id == who) {
                    since.entry(net_id).or_insert(tick);
                }
            }
            let log = sim.instance(WORLD).world().resource::<CombatLog>();
            for (by, _) in log.done() {
                shots.entry(*by).or_insert(tick);
            }
            if since.len() == 4 && shots.len() == 4 {
                break;
            }
        }
        // In some of the worlds nobody cares at all.
        let (Some(first), Some(last)) = (since.values().min(), since.values().max()) else { continue };
        fights += 1;
        assert_eq!(since.len(), 4, "seed {seed}: all of them fight: {since:?}");
        assert!(last - first <= 2 * THINK_TICKS + 1, "seed {seed}: at once: {since:?}");
        assert_eq!(shots.len(), 4, "seed {seed}: {shots:?}");
        for (by, shot) in shots {
            let reaction_ticks = sim.instance(WORLD).tick_rate().ticks_for_ms(400);
            assert!(shot + 1 >= since[&by] + reaction_ticks, "seed {seed}: {by:?} needed no time");
        }
    }
    assert!(fights >= 3, "only {fights} fights");
}

#[test]
fn packs_outlive_battles_and_the_dead_are_of_none() {
    let mut sim = Sim::new(7).world(world(30, 5, |_| ())).start();
    let (mut marched, mut retreated, mut rejoined) = (0, BTreeSet::new(), 0);
    let mut dead_since: BTreeMap<NetId, u32> = BTreeMap::new();
    for tick in 0..900 {
        sim.run_ticks(1);
        if tick % 10 == 0 {
            check(&mut sim);
        }
        let world = sim.instance_mut(WORLD).world_mut();
        let dead: Vec<NetId> = world
            .query::<(&NetId, &Fighter)>()
            .iter(world)
            .filter(|(_, fighter)| fighter.is_dead)
            .map(|(net_id, _)| *net_id)
            .collect();
        dead_since.retain(|net_id, _| dead.contains(net_id));
        for net_id in dead {
            dead_since.entry(net_id).or_insert(tick);
        }
        for pack in packs(&sim) {
            let has_dead =
                pack.iter().any(|net_id| dead_since.get(net_id).is_some_and(|since| tick - since > 2 * THINK_TICKS));
            assert!(!has_dead, "{pack:?} in tick {tick}");
        }
        for (net_id, goal) in goals(&mut sim) {
            match goal {
                Goal::March { .. } => {
                    marched += 1;
                    rejoined += u32::from(retreated.remove(&net_id));
                }
                Goal::Flee { .. } => {
                    retreated.insert(net_id);
                }
                _ => {}
            }
        }
    }
    let deaths = sim.instance(WORLD).world().resource::<CombatLog>().totals.deaths;
    assert!(deaths > 5 && marched > 500 && rejoined > 0, "{deaths} deaths, {marched} marched, {rejoined} rejoined");
    let totals = sim.instance(WORLD).totals();
    let all = packs(&sim);
    assert_eq!(totals.packs.packs, all.len() as u64);
    assert_eq!(totals.packs.members, all.iter().map(|pack| pack.len() as u64).sum::<u64>());
}

#[test]
fn whoever_a_person_takes_over_leaves_its_pack_and_whoever_is_given_back_finds_one() {
    let mut world = undealt(world(6, 6, |bots| bots.attack_percent = 0.0));
    world.config.population.shared_seats = true;
    world.config.spawn_areas[0].radius_m = 5.0;
    let mut sim = Sim::new(5).world(world).start();
    sim.run_ticks(1);
    let everybody: Vec<NetId> = goals(&mut sim).into_keys().collect();
    everybody.iter().for_each(|net_id| set_side(&mut sim, *net_id, 1));
    let sizes = |sim: &Sim| packs(sim).iter().map(Vec::len).collect::<Vec<_>>();
    sim.run_ticks(150);
    assert_eq!(sizes(&sim), [6]);
    let [ann] = sim.connect();
    let (who, _) = sim.character(ann);
    assert!(everybody.contains(&who), "she goes on as one of them");
    sim.run_ticks(4 * THINK_TICKS);
    let left = packs(&sim);
    assert!(left.len() == 1 && left[0].len() == 5 && !left[0].contains(&who), "{left:?}");
    sim.leave(ann);
    sim.run_ticks(400);
    assert_eq!(sizes(&sim), [6], "the bot that it is again goes with the others");
    let row = sim.instance(WORLD).columns().row(who).expect("it is still there");
    assert_eq!(sim.instance(WORLD).columns().archetypes[row], Archetype::BOT);
}
