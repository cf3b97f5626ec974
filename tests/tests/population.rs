//! Bots fill what people leave empty, and nobody sees them come or go.

use glam::Vec2;
use throng_shared::config::PopulationConfig;
use throng_shared::ids::{Archetype, InstanceId, NetId};
use throng_tests::{Plan, PlayerHandle, Sim, flat_world};

const TARGET: usize = 120;
const PEOPLE: usize = 40;

/// Where everybody was after the last tick.
#[derive(Clone, Default)]
struct Places {
    bots: Vec<(NetId, Vec2)>,
    people_m: Vec<Vec2>,
}

impl Places {
    fn of(sim: &Sim) -> Places {
        let columns = sim.instance(InstanceId(0)).columns();
        let mut places = Places::default();
        for row in 0..columns.len() {
            match columns.archetypes[row] {
                Archetype::BOT => places.bots.push((columns.net_ids[row], columns.positions_m[row])),
                _ => places.people_m.push(columns.positions_m[row]),
            }
        }
        places
    }

    fn has(&self, bot: NetId) -> bool {
        self.bots.binary_search_by_key(&bot, |(other, _)| *other).is_ok()
    }

    fn is_seen(&self, place_m: Vec2, sight_m: f32) -> bool {
        self.people_m.iter().any(|person_m| person_m.distance(place_m) <= sight_m)
    }
}

/// Runs for some ticks and checks each bot that comes or goes; returns how many came and went.
fn watch(sim: &mut Sim, ticks: u32) -> (usize, usize) {
    let sight_m = sim.instance(InstanceId(0)).rules().interest.leave_radius_m;
    let mut before = Places::of(sim);
    let (mut came, mut went) = (0, 0);
    sim.run_ticks_with(ticks, |sim| {
        let now = Places::of(sim);
        for (bot, place_m) in now.bots.iter().filter(|(bot, _)| !before.has(*bot)) {
            came += 1;
            // It may have come closer by a step in the tick of its coming.
            assert!(!now.is_seen(*place_m, sight_m - 1.0), "{bot:?} appeared before somebody's eyes");
        }
        for (bot, place_m) in before.bots.iter().filter(|(bot, _)| !now.has(*bot)) {
            went += 1;
            assert!(!before.is_seen(*place_m, sight_m), "{bot:?} disappeared before somebody's eyes");
        }
        before = now;
    });
    (came, went)
}

#[test]
fn bots_give_way_as_people_join_and_return_as_they_leave_out_of_sight() {
    let world = flat_world(|config| {
        config.size_m = 800.0;
        config.population = PopulationConfig { target: TARGET as u32, players_max: 100, ..PopulationConfig::default() };
        config.spawn_areas[0].radius_m = 390.0;
    });
    let mut sim = Sim::new(6).world(world).start();
    sim.run_ticks(1);
    assert_eq!(Places::of(&sim).bots.len(), TARGET, "an empty world is full of bots at once");
    let players: Vec<PlayerHandle> = (0..PEOPLE).map(|_| sim.start_connecting(InstanceId(0))).collect();
    // Spread over the world, people see many bots, and those stay.
    watch(&mut sim, 30);
    for &player in &players {
        sim.plan(player, Plan::stand());
        sim.teleport(player, Vec2::ZERO);
    }
    sim.run_ticks(1);
    // Together in one place they see few: the others give way.
    watch(&mut sim, 30);
    assert_eq!(Places::of(&sim).bots.len(), TARGET - PEOPLE);
    for &player in &players[..30] {
        sim.leave(player);
    }
    let (came, _) = watch(&mut sim, 30);
    assert_eq!((came, Places::of(&sim).bots.len()), (30, TARGET - 10), "bots return");
}

#[test]
fn a_world_in_which_people_see_everything_keeps_its_bots() {
    let world = flat_world(|config| {
        config.population = PopulationConfig { target: 50, players_max: 100, ..PopulationConfig::default() };
        config.interest.enter_radius_m = 400.0;
        config.interest.leave_radius_m = 470.0;
    });
    let mut sim = Sim::new(6).world(world).start();
    sim.run_ticks(1);
    sim.connect_wanderers(20);
    let bots = Places::of(&sim).bots.len();
    assert!(watch(&mut sim, 60) == (0, 0) && Places::of(&sim).bots.len() == bots, "they wait for a moment unseen");
}

#[test]
fn a_character_that_a_games_own_rules_take_away_is_gone_for_everybody() {
    let world = flat_world(|config| {
        config.population = PopulationConfig { target: 20, players_max: 10, ..PopulationConfig::default() }
    });
    let mut sim = Sim::new(6).world(world).start();
    let [player] = sim.connect();
    sim.run_ticks(5);
    let columns = sim.instance(InstanceId(0)).columns();
    let seen = columns.net_ids.iter().find(|id| sim.client(player).replica().get(**id).is_some());
    let bot = *seen.expect("the world is small");
    let instance = sim.instance_mut(InstanceId(0));
    let entity = instance.entity_of(bot).expect("it exists");
    instance.world_mut().despawn(entity);
    sim.run_ticks(3);
    assert_eq!(sim.instance(InstanceId(0)).columns().row(bot), None);
    assert!(sim.client(player).replica().get(bot).is_none());
}
