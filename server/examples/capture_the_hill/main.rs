//! A whole game in one rule: a team has a point for each second in which it alone stands on the hill; whoever raises a banner there counts for three.
//!
//! `cargo run --release -p throng-server --example capture_the_hill` plays a minute of it among bots.

use std::sync::Arc;

use bevy_ecs::prelude::{Commands, Component, Entity, IntoScheduleConfigs, Query, Res, ResMut, Resource};
use glam::Vec2;
use throng_server::abilities::{CombatLog, CombatRules};
use throng_server::batch::{InboundBatch, OutboundBatch};
use throng_server::clock::SystemClock;
use throng_server::instance::{Instance, InstanceRules};
use throng_server::tick::{BuiltIn, Phase};
use throng_shared::abilities::Fighter;
use throng_shared::attributes::Attributes;
use throng_shared::config::{ABILITIES_FILE_NAME, WORLD_FILE_NAME, load_world};
use throng_shared::ids::NetId;
use throng_shared::movement::CharacterState;
use throng_shared::tick::Tick;

const HILL_M: Vec2 = Vec2::ZERO;
const HILL_RADIUS_M: f32 = 15.0;
const BANNER_S: u32 = 10;

/// Our own component: somebody has raised a banner.
#[derive(Component)]
struct Banner {
    until: Tick,
}

/// Ticks in which each team has held the hill alone, by the number of the team.
#[derive(Resource, Default)]
struct Score([u32; 3]);

/// Our own effect of an ability: the blows of this tick tell who has used it.
fn raise_banners(
    (tick, rules, combat): (Res<Tick>, Res<InstanceRules>, Res<CombatRules>),
    log: Res<CombatLog>,
    characters: Query<(Entity, &NetId)>,
    mut commands: Commands,
) {
    let banner = combat.abilities.number_of("banner");
    for blow in log.blows().iter().filter(|blow| Some(blow.ability) == banner) {
        if let Some((entity, _)) = characters.iter().find(|(_, net_id)| **net_id == blow.target) {
            commands.entity(entity).insert(Banner { until: *tick + BANNER_S * rules.tick_rate.hz() });
        }
    }
}

/// Counts who stands on the hill, and says so in an attribute of our own.
fn hold_hill(
    (tick, rules, combat): (Res<Tick>, Res<InstanceRules>, Res<CombatRules>),
    mut characters: Query<(&CharacterState, &Fighter, &mut Attributes, Option<&Banner>)>,
    mut score: ResMut<Score>,
) {
    let (Some(team), Some(holds)) = (&combat.abilities.team, rules.attributes.flag("holds_hill")) else { return };
    let mut strength = [0; 3];
    for (state, fighter, mut attributes, banner) in &mut characters {
        let is_here = !fighter.is_dead && state.ground_position_m().distance(HILL_M) <= HILL_RADIUS_M;
        attributes.set(&holds, is_here);
        let weight = if banner.is_some_and(|banner| banner.until > *tick) { 3 } else { 1 };
        strength[attributes.get(team).unwrap_or(0) as usize % 3] += if is_here { weight } else { 0 };
    }
    score.0[1] += u32::from(strength[1] > strength[2]);
    score.0[2] += u32::from(strength[2] > strength[1]);
}

/// The game: a world with our rules in the tick, after those of the server.
fn game() -> Instance {
    let read = |name: &str| match name {
        WORLD_FILE_NAME => Ok(include_str!("world.toml").into()),
        ABILITIES_FILE_NAME => Ok(include_str!("abilities.toml").into()),
        _ => Err(std::io::ErrorKind::NotFound.into()),
    };
    let world = load_world("hill", read).expect("a test plays it");
    let mut instance = Instance::new(&world, Arc::new(SystemClock::new())).expect("it has all its files");
    instance.world_mut().init_resource::<Score>();
    instance.phase_mut(Phase::Simulate).add_systems((raise_banners, hold_hill).chain().after(BuiltIn));
    instance
}

fn main() {
    let mut instance = game();
    let (mut inbound, mut outbound) = (InboundBatch::default(), OutboundBatch::default());
    let rate_hz = instance.tick_rate().hz();
    for second in 1..=60 {
        (0..rate_hz).for_each(|_| instance.tick(&mut inbound, &mut outbound));
        let score = instance.world().resource::<Score>().0.map(|ticks| ticks / rate_hz);
        println!("{second:>3} s   red {:>3}   blue {:>3}", score[1], score[2]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use throng_shared::input::{InputBuffer, PlayerInput};

    fn tick(instance: &mut Instance, count: u32) {
        let (mut inbound, mut outbound) = (InboundBatch::default(), OutboundBatch::default());
        (0..count).for_each(|_| instance.tick(&mut inbound, &mut outbound));
    }

    #[test]
    fn who_is_more_on_the_hill_scores_and_a_banner_counts_for_three() {
        let mut instance = game();
        tick(&mut instance, 1);
        let everybody: Vec<NetId> = instance.columns().net_ids.clone();
        let team = instance.world().resource::<CombatRules>().abilities.team.clone().expect("there are teams");
        let holds = instance.rules().attributes.flag("holds_hill").expect("it is declared");
        let mut placed = [0; 3];
        for &net_id in &everybody {
            let number = instance.attributes_mut(net_id).and_then(|it| it.get(&team)).expect("it has a team") as usize;
            // Two of the red and one of the blue stay.
            placed[number] += 1;
            let stays = placed[number] <= 3 - number;
            let place_m = if stays { Vec2::new(0.0, number as f32) } else { Vec2::splat(55.0) };
            assert!(instance.place(net_id, place_m));
        }
        *instance.world_mut().resource_mut::<Score>() = Score::default();
        tick(&mut instance, 5);
        assert_eq!(instance.world().resource::<Score>().0, [0, 5, 0], "two against one");
        let on_hill = |instance: &mut Instance, number: u32| {
            let mut found = everybody.iter().copied().filter(|&net_id| {
                let attributes = instance.attributes_mut(net_id).expect("it is there");
                attributes.get(&holds) == Some(true) && attributes.get(&team) == Some(number)
            });
            found.next().expect("somebody stayed")
        };
        let blue = on_hill(&mut instance, 2);
        let entity = instance.entity_of(blue).expect("it is there");
        let next = instance.current_tick() + 1;
        let banner = PlayerInput { ability: 1, ..PlayerInput::default() };
        let mut buffer = instance.world_mut().get_mut::<InputBuffer>(entity).expect("it acts by inputs");
        *buffer = InputBuffer::default();
        buffer.put(next, next, banner);
        tick(&mut instance, 5);
        assert_eq!(instance.world().resource::<Score>().0, [0, 5, 5], "three against two");
    }
}
