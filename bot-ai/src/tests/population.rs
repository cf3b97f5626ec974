//! A population of bots with as much of a server as they need.

use std::sync::Arc;

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

use super::world_of;
use crate::{
    BotMind, BotWorld, Goal, Marks, NearPeople, Packs, RouteCounts, RoutePlanner, Thoughts, bot_bundle, decide,
    hand_over_routes, muster, perceive, plan_routes, steer,
};

/// Bots in a world that is simulated.
pub(crate) struct Population {
    world: World,
    schedule: Schedule,
}

impl Population {
    /// `count` bots standing anywhere within `radius_m` of the middle; spawned in the order of their ids, or against it.
    pub(crate) fn new(config: &WorldConfig, count: u32, radius_m: f32, is_reversed: bool) -> Population {
        let bot_world = world_of(config);
        let map = bot_world.map.clone();
        let mut random = Random::new(config.seed, 0);
        let mut world = World::new();
        world.insert_resource(Tick(0));
        world.insert_resource(CharacterColumns::default());
        world.insert_resource(Grid::new(config.size_m, config.interest.leave_radius_m));
        world.insert_resource(bot_world);
        world.insert_resource(NearPeople::everywhere());
        world.init_resource::<Marks>();
        world.init_resource::<Packs>();
        world.init_resource::<RoutePlanner>();
        world.init_resource::<Thoughts>();
        let free_place = |_| (0..1_000).map(|_| random.in_disc(radius_m)).find(|&point_m| map.is_standable(point_m));
        let places: Option<Vec<Vec2>> = (0..count).map(free_place).collect();
        let mut bots: Vec<_> = (1..).map(NetId).zip(places.expect("free ground for everybody")).collect();
        if is_reversed {
            bots.reverse();
        }
        for (net_id, place_m) in bots {
            let state = CharacterState::standing_at(&map, place_m);
            world.spawn((net_id, Archetype::BOT, state, InputBuffer::default(), bot_bundle(config.seed, net_id)));
        }
        let mut schedule = Schedule::default();
        schedule.set_build_settings(ScheduleBuildSettings {
            ambiguity_detection: LogLevel::Error,
            ..ScheduleBuildSettings::default()
        });
        schedule
            .add_systems((perceive, muster, decide, plan_routes, steer, simulate, record, hand_over_routes).chain());
        Population { world, schedule }
    }

    /// The same where nobody looks.
    pub(crate) fn unwatched(mut self) -> Population {
        self.world.insert_resource(NearPeople::default());
        self
    }

    /// Simulates a tick; state and goal of all after it, by id.
    pub(crate) fn step(&mut self) -> Vec<(CharacterState, Goal)> {
        self.schedule.run(&mut self.world);
        let mut query = self.world.query::<(&NetId, &CharacterState, &BotMind)>();
        let mut bots: Vec<_> = query.iter(&self.world).collect();
        bots.sort_by_key(|(net_id, ..)| **net_id);
        bots.into_iter().map(|(_, state, mind)| (*state, mind.goal())).collect()
    }

    /// What bots have asked for, and been told.
    pub(crate) fn routes(&self) -> RouteCounts {
        self.world.resource::<RoutePlanner>().counts()
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    pub(crate) fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    pub(crate) fn map(&self) -> Arc<Map> {
        Arc::clone(&self.world.resource::<BotWorld>().map)
    }
}

fn simulate(
    tick: Res<Tick>,
    world: Res<BotWorld>,
    near: Res<NearPeople>,
    mut characters: Query<(&mut InputBuffer, &mut CharacterState)>,
) {
    for (mut buffer, mut state) in &mut characters {
        let (input, source) = buffer.take(*tick, world.input_repeat_ticks);
        if near.contains(state.ground_position_m()) {
            assert_eq!(source, InputSource::Fresh, "a bot has an input for every tick");
        } else {
            let is_new = tick.0 < world.steer_ticks(false);
            assert!(is_new || source != InputSource::Neutral, "or goes on with its last one");
        }
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
