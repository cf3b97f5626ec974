//! Two hundred bots in a village, for a hundred seconds.

use std::collections::BTreeSet;

use bevy_ecs::prelude::{IntoScheduleConfigs, Query, Res, ResMut, Schedule, World};
use bevy_ecs::schedule::{LogLevel, ScheduleBuildSettings};
use glam::Vec2;
use throng_shared::config::WorldConfig;
use throng_shared::ids::{Archetype, NetId};
use throng_shared::input::{InputBuffer, InputSource};
use throng_shared::map::Map;
use throng_shared::movement::{CharacterState, step_character};
use throng_shared::random::Random;
use throng_shared::spatial::{CharacterColumns, Grid};
use throng_shared::tick::Tick;

use super::{open_config, village_config, world_of};
use crate::{BotMind, BotWorld, Goal, bot_bundle, decide, perceive, steer};

const BOTS: u32 = 200;
const TICKS: u32 = 2_000;

/// Bots in a world with as much of a server as they need.
struct Population {
    world: World,
    schedule: Schedule,
}

impl Population {
    /// `count` bots standing anywhere within `radius_m` of the middle.
    fn new(config: &WorldConfig, count: u32, radius_m: f32) -> Population {
        let bot_world = world_of(config);
        let map = bot_world.map.clone();
        let mut random = Random::new(config.seed, 0);
        let mut world = World::new();
        world.insert_resource(Tick(0));
        world.insert_resource(CharacterColumns::default());
        world.insert_resource(Grid::new(config.size_m, config.interest.leave_radius_m));
        world.insert_resource(bot_world);
        for index in 0..count {
            let net_id = NetId(index + 1);
            let place = (0..1_000).map(|_| random.in_disc(radius_m)).find(|&point| map.is_standable(point));
            let state = CharacterState::standing_at(&map, place.expect("free ground"));
            world.spawn((net_id, Archetype::Bot, state, InputBuffer::default(), bot_bundle(config.seed, net_id)));
        }
        let mut schedule = Schedule::default();
        schedule.set_build_settings(ScheduleBuildSettings {
            ambiguity_detection: LogLevel::Error,
            ..ScheduleBuildSettings::default()
        });
        schedule.add_systems((perceive, decide, steer, simulate, record).chain());
        Population { world, schedule }
    }

    fn step(&mut self) {
        self.schedule.run(&mut self.world);
    }

    /// State and goal of all, by id.
    fn bots(&mut self) -> Vec<(CharacterState, Goal)> {
        let mut query = self.world.query::<(&NetId, &CharacterState, &BotMind)>();
        let mut bots: Vec<_> = query.iter(&self.world).collect();
        bots.sort_by_key(|(net_id, ..)| **net_id);
        bots.into_iter().map(|(_, state, mind)| (*state, mind.goal())).collect()
    }

    fn map(&self) -> std::sync::Arc<Map> {
        self.world.resource::<BotWorld>().map.clone()
    }
}

fn simulate(tick: Res<Tick>, world: Res<BotWorld>, mut characters: Query<(&mut InputBuffer, &mut CharacterState)>) {
    for (mut buffer, mut state) in &mut characters {
        let (input, source) = buffer.take(*tick, 0);
        assert_eq!(source, InputSource::Fresh, "a bot has an input for every tick");
        *state = step_character(&world.map, *state, input, world.tick_rate.step_s());
    }
}

fn record(
    mut tick: ResMut<Tick>,
    mut columns: ResMut<CharacterColumns>,
    mut grid: ResMut<Grid>,
    characters: Query<(&NetId, &Archetype, &CharacterState)>,
) {
    let mut rows: Vec<_> = characters.iter().collect();
    rows.sort_by_key(|(net_id, ..)| **net_id);
    columns.resize(rows.len());
    for (row, (net_id, archetype, state)) in rows.into_iter().enumerate() {
        columns.net_ids[row] = *net_id;
        columns.archetypes[row] = *archetype;
        columns.positions_m[row] = state.ground_position_m();
        columns.velocities_mps[row] = Vec2::new(state.velocity_mps.x, state.velocity_mps.z);
    }
    grid.rebuild(&columns.positions_m);
    *tick = *tick + 1;
}

/// How deep a character stands in whatever is a wall to it, in metres; negative within a hand's breadth of one.
fn depth_in_walls_m(map: &Map, state: &CharacterState, room_m: f32) -> f32 {
    let rules = &map.rules;
    let point_m = state.ground_position_m();
    map.obstacles
        .near(point_m)
        .filter(|wall| {
            let feet_m = state.position_m.y;
            wall.top_m > feet_m + rules.step_height_m && wall.bottom_m < feet_m + rules.capsule_height_m
        })
        .filter_map(|wall| wall.push_out(point_m, rules.capsule_radius_m + room_m))
        .map(|push| push.length() - room_m)
        .fold(-room_m, f32::max)
}

#[test]
fn measure() {
    let config = village_config();
    let mut population = Population::new(&config, BOTS, 90.0);
    let map = population.map();
    let mut counts = std::collections::BTreeMap::new();
    let start = population.bots();
    let mut touching = 0;
    let mut moving = 0;
    let mut steep = 0;
    let mut air = 0; let mut entered = 0;let mut was = vec![false; 200];
    let mut history: Vec<Vec<(Vec2, Goal)>> = Vec::new();
    for _ in 0..TICKS {
        population.step();
        let bots = population.bots();
        for (index, (state, goal)) in bots.iter().enumerate() {
 let st = map.terrain.slope(state.ground_position_m()) > map.rules.slope_max; if st && !was[index] {entered+=1} was[index]=st;
            *counts.entry(goal.label()).or_insert(0) += 1;
            if depth_in_walls_m(&map, state, 0.1) > -0.02 { touching += 1; }
            if state.velocity_mps.length() > 0.3 { moving += 1; }
            if !state.grounded {air+=1}
            if map.terrain.slope(state.ground_position_m()) > map.rules.slope_max { steep += 1 }
        }
        history.push(bots.iter().map(|(state, goal)| (state.ground_position_m(), *goal)).collect());
    }
    let total = (BOTS * TICKS) as f32;
    println!("{counts:?} touching {} moving {} steep {} air {}", touching as f32 / total, moving as f32 / total, steep as f32/total, air as f32/total); println!("entered {entered}");
    let mut far: Vec<f32> = (0..BOTS as usize).map(|bot| history.iter().map(|row| row[bot].0.distance(start[bot].0.ground_position_m())).fold(0.0, f32::max)).collect();
    far.sort_by(f32::total_cmp);
    println!("far: min {} p10 {} median {} max {}", far[0], far[20], far[100], far[199]);
    let window = 400;
    for bot in 0..BOTS as usize {
        for first in (0..TICKS as usize - window + 1).step_by(window) {
            let rows: Vec<_> = history[first..first + window].iter().map(|row| row[bot]).collect();
            let walking = rows.iter().filter(|(_, goal)| matches!(goal, Goal::Wander{..} | Goal::Patrol{..} | Goal::Flee{..})).count();
            let range = rows.iter().map(|(p, _)| p.distance(rows[0].0)).fold(0.0, f32::max);
            if range < 4.0 && walking > 100 { println!("bot {bot} window {first} walking {walking} range {range} at {} goals {:?}", rows[0].0, rows.iter().map(|r| format!("{:?}", r.1)).collect::<BTreeSet<_>>()); }
        }
    }

    for (index, (state, _)) in population.bots().iter().enumerate() {
        let range = history[1600..].iter().map(|r| r[index].0.distance(history[1600][index].0)).fold(0.0, f32::max);
        if range > 1.2 { continue; }
        println!("TRAPPED? {index} {state:?} range {range} slope {} grad {} depth {}", map.terrain.slope(state.ground_position_m()), map.terrain.gradient(state.ground_position_m()), depth_in_walls_m(&map, state, 0.3));
        let best = (0..32).map(|d| { let a = d as f32 * 0.19635; let dir = Vec2::new(a.cos(), a.sin()); let mut s = *state;
            for _ in 0..60 { s = step_character(&map, s, throng_shared::input::PlayerInput::towards(dir, throng_shared::input::Buttons(3)), 0.05); }
            (s.position_m.distance(state.position_m) * 10.0).round() / 10.0 }).collect::<Vec<_>>();
        println!("  escapes {best:?}");
    }
    let _ = open_config();
}
