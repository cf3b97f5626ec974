//! Archetypes of the world's own: what they begin with, how fast they go, what meets them, who plays them, and what clients know of it.

use std::collections::{BTreeMap, BTreeSet};

use glam::Vec2;
use throng_bot_ai::{BotMind, BotWorld};
use throng_client::ClientEvent;
use throng_server::abilities::CombatLog;
use throng_shared::archetypes::{Body, Gait};
use throng_shared::attributes::{AttributeKind, AttributeRule};
use throng_shared::config::{
    ABILITIES_FILE_NAME, AimConfig, ArchetypeConfig, ArchetypeValueConfig, BotProfileConfig, LoadedWorld,
    PopulationConfig, SpawnAreaConfig, WORLD_FILE_NAME, load_world, read_common_file,
};
use throng_shared::ids::{Archetype, InstanceId, NetId};
use throng_shared::input::PlayerInput;
use throng_shared::quantised::Locomotion;
use throng_shared::tick::Tick;
use throng_tests::{Aim, Link, Plan, PlayerHandle, Sim, fighting_world};

const WORLD: InstanceId = InstanceId(0);

fn own(place: usize) -> Archetype {
    Archetype::own(place).expect("there is room for it")
}

/// The wilds, as they come along.
fn wilds() -> LoadedWorld {
    load_world("assets/worlds/wilds", |name| match name {
        WORLD_FILE_NAME => Ok(include_str!("../../assets/worlds/wilds/world.toml").into()),
        ABILITIES_FILE_NAME => Ok(include_str!("../../assets/worlds/wilds/abilities.toml").into()),
        _ => read_common_file(name),
    })
    .expect("the world is right")
}

/// Everybody's archetype, speed on the ground in metres per second, and health.
fn everybody(sim: &mut Sim) -> Vec<(NetId, Archetype, f32, f32)> {
    let instance = sim.instance_mut(WORLD);
    let health = instance.rules().attributes.number("health").expect("the world has it");
    let columns = instance.columns().clone();
    let all = columns.net_ids.iter().zip(&columns.archetypes).zip(&columns.velocities_mps);
    all.map(|((net_id, archetype), velocity_mps)| {
        let attributes = instance.attributes_mut(*net_id).expect("it is there");
        (*net_id, *archetype, velocity_mps.length(), attributes.get(&health).expect("everybody has it"))
    })
    .collect()
}

#[test]
fn beasts_begin_with_what_their_archetype_says_and_go_as_fast_and_no_faster() {
    let mut sim = Sim::new(5).world(wilds()).start();
    sim.run_ticks(1);
    let mut counts = BTreeMap::<Archetype, u32>::new();
    for (net_id, archetype, _, health) in everybody(&mut sim) {
        *counts.entry(archetype).or_default() += 1;
        assert_eq!(health, if archetype == own(0) { 45.0 } else { 400.0 }, "{net_id:?}");
    }
    let [wolves, ogres] = [own(0), own(1)].map(|archetype| counts.get(&archetype).copied().unwrap_or(0));
    assert_eq!(wolves + ogres, 60, "{counts:?}");
    assert!(wolves > 3 * ogres && ogres > 2, "six to one: {counts:?}");
    let mut fastest_mps = BTreeMap::<Archetype, f32>::new();
    sim.run_ticks_with(600, |sim| {
        for (_, archetype, speed_mps, _) in everybody(sim) {
            let fastest = fastest_mps.entry(archetype).or_default();
            *fastest = fastest.max(speed_mps);
        }
    });
    // Wolves run after their leaders; nobody frightens ogres. Downhill nobody is faster, for only what is steep makes anybody slide.
    assert!((6.5..7.51).contains(&fastest_mps[&own(0)]), "{fastest_mps:?}");
    assert!((1.45..1.51).contains(&fastest_mps[&own(1)]), "{fastest_mps:?}");
    let log = sim.instance(WORLD).world().resource::<CombatLog>();
    assert_eq!(log.totals.hits, 0, "beasts are on one side");
}

#[test]
fn wolves_hunt_people_with_what_they_alone_can_do_and_are_told_to_them_by_name() {
    let mut sim = Sim::new(6).world(wilds()).link(Link { one_way_ms: 40.0, ..Link::default() }).start();
    let players: [PlayerHandle; 2] = sim.connect();
    for player in players {
        sim.plan(player, Plan::stand());
        sim.teleport(player, Vec2::new(60.0, 30.0));
    }
    sim.run_ticks(900);
    let [ann, _] = players;
    let client = sim.client(ann);
    assert_eq!(client.archetype_name(own(0)), Some("wolf"));
    assert_eq!(client.archetype_name(own(1)), Some("ogre"));
    assert_eq!((client.archetype_name(Archetype::BOT), client.archetype_name(own(2))), (Some("bot"), None));
    assert_eq!(client.body_of(own(0)), Body { radius_m: 0.35, height_m: 0.9 });
    let columns = sim.instance(WORLD).columns();
    for entity in client.replica().entities() {
        let row = columns.row(entity.net_id).expect("it is there");
        assert_eq!(entity.archetype, columns.archetypes[row]);
    }
    assert!(client.replica().entities().any(|entity| entity.archetype == own(0)), "it sees wolves");
    let totals = sim.instance(WORLD).world().resource::<CombatLog>().totals;
    assert!(totals.hits > 10 && totals.deaths > 0, "they bite: {totals:?}");
    assert_eq!(totals.refused.iter().sum::<u64>(), 0, "nobody asks for what it cannot do: {totals:?}");
}

const RIFLE: &str = r#"
    [combat]
    health = "health"
    respawn_ms = 1000
    no_side = "none"
    deal_teams = true
    [[ability]]
    name = "rifle"
    held_by = "players"
    hits = "others"
    kind = "hitscan"
    range_m = 60.0
    cooldown_ms = 200
    damage = 5.0
    [[ability]]
    name = "sword"
    held_by = "players"
    hits = "others"
    kind = "melee"
    range_m = 2.0
    cooldown_ms = 200
    damage = 5.0
"#;

/// Kinds of bots with these archetypes and shares.
fn kinds(world: &LoadedWorld, shares: &[(Archetype, f32)]) -> Vec<BotProfileConfig> {
    let kind = |(place, &(archetype, share)): (usize, &(Archetype, f32))| BotProfileConfig {
        share,
        archetype,
        ..BotProfileConfig::new(&format!("kind-{place}"), world.config.bots.clone())
    };
    shares.iter().enumerate().map(kind).collect()
}

/// A world of rats and giants with so many bots, who stand where they appear, of kinds with these shares.
fn world(bots: u32, shares: &[(Archetype, f32)]) -> LoadedWorld {
    let mut world = fighting_world(RIFLE, |config| {
        config.population = PopulationConfig { target: bots, players_max: 100, ..PopulationConfig::default() };
        let bots = &mut config.bots;
        (bots.wander_weight, bots.patrol_weight, bots.follow_weight, bots.flee_weight) = (0.0, 0.0, 0.0, 0.0);
        bots.attack_percent = 0.0;
        let gait = Gait { walk_speed_mps: 1.0, run_speed_mps: 3.0 };
        config.archetypes = vec![
            ArchetypeConfig { name: "rat".to_owned(), gait, body: Body { radius_m: 0.15, height_m: 0.4 } },
            ArchetypeConfig { name: "giant".to_owned(), gait, body: Body { radius_m: 1.5, height_m: 4.0 } },
        ];
    });
    world.config.bot_profiles = kinds(&world, shares);
    world
}

/// What comes of somebody who aims with an ability at one bot from so far away, so high above its feet: what its own program saw hit, and how often the server did.
fn outcome(archetype: Archetype, ability: u8, height_m: f32, from_m: f32) -> (usize, u64) {
    let mut world = world(1, &[(archetype, 1.0)]);
    world.config.obstacles.clear();
    world.config.spawn_areas = vec![SpawnAreaConfig::disc(Vec2::ZERO, 1.0)];
    let mut sim = Sim::new(4).world(world).link(Link { one_way_ms: 60.0, ..Link::default() }).start();
    let [ann] = sim.connect();
    sim.run_ticks(40);
    let (target, ..) = *everybody(&mut sim).iter().find(|(_, of, ..)| *of == archetype).expect("it is there");
    let row = sim.instance(WORLD).columns().row(target).expect("it is there");
    let there_m = sim.instance(WORLD).columns().positions_m[row];
    sim.teleport(ann, there_m + Vec2::new(0.0, from_m));
    sim.run_ticks(40);
    sim.plan(ann, Plan::Aim(Aim { height_m, ..Aim::at(target, ability, 10) }));
    sim.run_ticks(100);
    let mut seen = 0;
    while let Some(event) = sim.client_mut(ann).next_event() {
        seen += usize::from(matches!(event, ClientEvent::Used { sees: Some(met), .. } if met == target));
    }
    (seen, sim.instance(WORLD).world().resource::<CombatLog>().totals.hits)
}

#[test]
fn a_shot_meets_bodies_as_large_as_they_are_for_the_shooter_and_the_server() {
    let (rat, giant) = (own(0), own(1));
    for (archetype, height_m, is_met) in [
        (rat, 0.2, true),
        (rat, 0.7, false),
        (Archetype::BOT, 0.7, true),
        (Archetype::BOT, 2.2, false),
        (giant, 3.5, true),
        (giant, 4.6, false),
    ] {
        let (seen, hits) = outcome(archetype, 1, height_m, 20.0);
        assert_eq!((seen > 5, hits > 5), (is_met, is_met), "{archetype:?} at {height_m} m: {seen} seen, {hits} hits");
        assert!(is_met || (seen, hits) == (0, 0), "{archetype:?} at {height_m} m: {seen} seen, {hits} hits");
    }
    // A sword of two metres reaches to the skin, and to the ground.
    for (archetype, from_m, is_met) in [
        (rat, 2.6, false),
        (rat, 1.9, true),
        (Archetype::BOT, 2.6, false),
        (Archetype::BOT, 2.2, true),
        (giant, 3.2, true),
    ] {
        let (_, hits) = outcome(archetype, 2, 0.5, from_m);
        assert_eq!(hits > 5, is_met, "{archetype:?} from {from_m} m: {hits} hits");
    }
}

fn archetypes(sim: &Sim) -> BTreeMap<Archetype, usize> {
    let mut counts = BTreeMap::new();
    sim.instance(WORLD).columns().archetypes.iter().for_each(|archetype| *counts.entry(*archetype).or_default() += 1);
    counts
}

/// Every bot is what its mind thinks that it is, and what its kind is.
fn check_minds(sim: &mut Sim) {
    let world = sim.instance_mut(WORLD).world_mut();
    let bots = world.resource::<BotWorld>().clone();
    for (archetype, mind) in world.query::<(&Archetype, &BotMind)>().iter(world) {
        assert_eq!((mind.plays(), bots.archetype_of(mind)), (*archetype, *archetype), "{mind:?}");
    }
}

/// Takes over changed files.
fn adopt(sim: &mut Sim, changed: &LoadedWorld) {
    let now = sim.now();
    sim.host_mut().adopt(now, WORLD, changed).expect("it is taken over");
    sim.run_ticks(2);
    check_minds(sim);
}

/// Has players go where they see nobody, until as many bots have made place as there are people.
fn go_apart(sim: &mut Sim, players: &[PlayerHandle]) {
    for (&player, x_m) in
        players.iter().zip([-180.0, -170.0, -160.0, -150.0, -140.0, -130.0, -120.0, -110.0, -100.0, -90.0])
    {
        sim.teleport(player, Vec2::new(x_m, -190.0));
    }
    sim.run_ticks(60);
    assert_eq!(sim.instance(WORLD).columns().len(), 30, "people and bots together");
}

#[test]
fn speeds_values_and_kinds_of_archetypes_change_within_two_ticks() {
    let mut loaded = world(40, &[(own(0), 1.0), (Archetype::BOT, 1.0)]);
    loaded.config.bots.wander_weight = 5.0;
    loaded.config.bot_profiles = kinds(&loaded, &[(own(0), 1.0), (Archetype::BOT, 1.0)]);
    let mut sim = Sim::new(9).world(loaded.clone()).oracle(60).start();
    let [ann] = sim.connect();
    sim.plan(ann, Plan::stand());
    sim.run_ticks(100);
    let before = archetypes(&sim);
    assert!(before[&own(0)] > 8 && before[&Archetype::BOT] > 8, "{before:?}");
    let fastest = |sim: &mut Sim| {
        let rats = everybody(sim).into_iter().filter(|(_, archetype, ..)| *archetype == own(0));
        rats.map(|(_, _, speed_mps, _)| speed_mps).fold(0.0, f32::max)
    };
    assert!((0.9..1.01).contains(&fastest(&mut sim)), "{}", fastest(&mut sim));
    let mut fast = loaded.clone();
    fast.config.archetypes[0].gait = Gait { walk_speed_mps: 4.0, run_speed_mps: 12.0 };
    fast.config.archetype_values = vec![ArchetypeValueConfig { archetype: own(1), attribute: 1, value: 66 }];
    adopt(&mut sim, &fast);
    sim.run_ticks(1);
    assert!((2.9..4.01).contains(&fastest(&mut sim)), "40 m/s² lead there in two ticks: {}", fastest(&mut sim));
    sim.run_ticks(40);
    let legs: Vec<Locomotion> = sim.client(ann).replica().entities().map(|entity| entity.state.locomotion).collect();
    assert!(legs.contains(&Locomotion::Walking), "{legs:?}");
    assert!(!legs.contains(&Locomotion::Running), "what is fast for people is a walk to them: {legs:?}");
    // All become giants: whoever was something else begins with what only they have, and keeps what it had.
    let mut giants = fast.clone();
    giants.config.bot_profiles = kinds(&giants, &[(own(1), 1.0)]);
    adopt(&mut sim, &giants);
    assert_eq!(archetypes(&sim), BTreeMap::from([(Archetype::PLAYER, 1), (own(1), 39)]));
    let of_giants = everybody(&mut sim).into_iter().filter(|(_, archetype, ..)| *archetype == own(1));
    assert!(
        of_giants.clone().all(|(.., health)| health == 66.0),
        "they begin as such: {:?}",
        of_giants.collect::<Vec<_>>()
    );
    sim.run_ticks(60);
    let shown = sim.client(ann).replica().entities().map(|entity| entity.archetype).collect::<Vec<_>>();
    assert!(shown.len() > 5 && shown.iter().all(|archetype| *archetype == own(1)), "clients know: {shown:?}");
    // Without kinds, all are as people are.
    let mut plain = giants.clone();
    plain.config.bot_profiles.clear();
    adopt(&mut sim, &plain);
    assert_eq!(archetypes(&sim), BTreeMap::from([(Archetype::PLAYER, 1), (Archetype::BOT, 39)]));
    assert!(sim.instance(WORLD).current_tick() > Tick(100));
}

#[test]
fn nobody_is_healed_to_more_than_it_begins_with_and_everybody_appears_again_with_that() {
    const POTIONS: &str = r#"
        [combat]
        health = "health"
        respawn_ms = 500
        [[ability]]
        name = "drink"
        hits = "others"
        kind = "area"
        radius_m = 30.0
        cooldown_ms = 100
        heal = 40.0
        [[ability]]
        name = "bomb"
        hits = "others"
        kind = "area"
        radius_m = 30.0
        cooldown_ms = 100
        damage = 100.0
    "#;
    let mut world = world(12, &[(own(0), 1.0), (own(1), 1.0), (Archetype::BOT, 1.0)]);
    let values = [(own(0), 20), (own(1), 90)];
    world.config.archetype_values =
        values.map(|(archetype, value)| ArchetypeValueConfig { archetype, attribute: 1, value }).to_vec();
    world.config.attributes[1].default = 60;
    world.combat = fighting_world(POTIONS, |_| ()).combat;
    world.config.spawn_areas = vec![SpawnAreaConfig::disc(Vec2::ZERO, 3.0)];
    let mut sim = Sim::new(12).world(world.clone()).start();
    let [ann] = sim.connect();
    let whole = |archetype| {
        if archetype == own(0) {
            20.0
        } else if archetype == own(1) {
            90.0
        } else {
            60.0
        }
    };
    let use_ability = |sim: &mut Sim, ability: u8| {
        sim.plan(ann, Plan::Hold(PlayerInput { ability, ..PlayerInput::default() }));
        sim.run_ticks(10);
        sim.plan(ann, Plan::stand());
        sim.run_ticks(5);
    };
    let bots = |sim: &mut Sim| {
        let all = everybody(sim).into_iter().filter(|(_, archetype, ..)| !archetype.is_player());
        all.map(|(_, archetype, _, health)| (archetype, health)).collect::<Vec<_>>()
    };
    use_ability(&mut sim, 1);
    let healed = bots(&mut sim);
    let kinds: BTreeSet<Archetype> = healed.iter().map(|(archetype, _)| *archetype).collect();
    assert_eq!(kinds, BTreeSet::from([Archetype::BOT, own(0), own(1)]));
    assert!(healed.iter().all(|&(of, health)| health == whole(of)), "{healed:?}");
    use_ability(&mut sim, 2);
    let deaths = sim.instance(WORLD).world().resource::<CombatLog>().totals.deaths;
    assert!(deaths >= 6, "{deaths}");
    sim.run_ticks(30);
    let again = bots(&mut sim);
    assert!(again.iter().all(|&(of, health)| health == whole(of)), "{again:?}");
    // Whoever is whole stays whole when that is another health from then on.
    let mut stronger = world;
    stronger.config.archetype_values[0].value = 80;
    adopt(&mut sim, &stronger);
    let whole = |archetype| if archetype == own(0) { 80.0 } else { whole(archetype) };
    let after = bots(&mut sim);
    assert!(after.iter().all(|&(of, health)| health == whole(of)), "{after:?}");
}

#[test]
fn bots_strike_rats_and_giants_with_what_reaches_as_far_as_they_are_near() {
    for archetype in [own(0), own(1)] {
        let mut world = world(6, &[(archetype, 1.0), (Archetype::BOT, 1.0)]);
        let combat = world.combat.as_mut().expect("it has abilities");
        combat.abilities.remove(0);
        combat.abilities[0].archetypes = Archetype::BOT.bit();
        // Not as far as from its eyes to the middle of a rat, and of so large a giant.
        combat.abilities[0].aim = AimConfig::Melee { range_m: 1.5, arc_deg: 120.0 };
        world.config.archetypes[1].body.height_m = 12.0;
        combat.deal_teams = false;
        for profile in &mut world.config.bot_profiles {
            (profile.bots.attack_percent, profile.bots.sight_m) = (100.0, 40.0);
        }
        world.config.obstacles.clear();
        world.config.spawn_areas = vec![SpawnAreaConfig::disc(Vec2::ZERO, 6.0)];
        let mut sim = Sim::new(21).world(world).start();
        let mut hurt = false;
        sim.run_ticks_with(400, |sim| {
            hurt |= everybody(sim).iter().any(|(_, of, _, health)| *of == archetype && *health < 100.0);
        });
        assert!(archetypes(&sim).len() == 2, "{:?}", archetypes(&sim));
        assert!(hurt, "nobody has struck {archetype:?}");
    }
}

#[test]
fn whoever_is_seen_from_afar_by_its_archetype_does_not_appear_before_anybodys_eyes() {
    let mut world = world(10, &[(own(1), 1.0)]);
    let flag = AttributeRule { seen_from_m: 150.0, ..AttributeRule::new("vast", AttributeKind::Flag) };
    world.config.attributes.push(AttributeRule { archetypes: own(1).bit(), ..flag });
    let seen_from_m = |world: &LoadedWorld| {
        let sim = Sim::new(1).world(world.clone()).start();
        sim.instance(WORLD).rules().bots_seen_from_m
    };
    let near_m = seen_from_m(&world);
    world.config.archetype_values = vec![ArchetypeValueConfig { archetype: own(1), attribute: 3, value: 1 }];
    assert!(seen_from_m(&world) > 2.0 * near_m, "150 m instead of 60: {near_m} {}", seen_from_m(&world));
}

#[test]
fn nobody_takes_over_a_beast_and_nobody_becomes_one() {
    let shared = |shares: &[(Archetype, f32)]| {
        let mut world = world(30, shares);
        world.config.population.shared_seats = true;
        world
    };
    // One in thirty is as people are; whoever joins goes on as that, and the others appear.
    let mut sim = Sim::new(8).world(shared(&[(own(1), 20.0), (Archetype::BOT, 2.0)])).start();
    sim.run_ticks(5);
    let plain = archetypes(&sim).get(&Archetype::BOT).copied().unwrap_or(0);
    assert!((1..8).contains(&plain), "{plain}");
    let players: [PlayerHandle; 10] = sim.connect();
    sim.run_ticks(5);
    let taken = sim.instance(WORLD).totals().seats_to_people;
    assert_eq!(taken, plain as u64, "the plain ones, and no giant");
    assert_eq!(archetypes(&sim)[&Archetype::PLAYER], 10);
    // They come back to bots as what people are.
    go_apart(&mut sim, &players);
    for player in players {
        sim.leave(player);
    }
    sim.run_ticks(2);
    check_minds(&mut sim);
    let left = archetypes(&sim);
    assert_eq!((left.get(&Archetype::BOT), left.get(&Archetype::PLAYER)), (Some(&10), None), "{left:?}");
    // Where all bots are beasts, characters of people go when they go.
    let mut sim = Sim::new(8).world(shared(&[(own(1), 1.0)])).start();
    sim.run_ticks(5);
    let [ann] = sim.connect();
    let who = sim.client(ann).net_id().expect("it plays");
    go_apart(&mut sim, &[ann]);
    sim.leave(ann);
    sim.run_ticks(60);
    assert_eq!(archetypes(&sim), BTreeMap::from([(own(1), 30)]));
    assert!(sim.instance(WORLD).entity_of(who).is_none(), "it has not become a giant");
}
