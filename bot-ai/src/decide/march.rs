//! Keeping one's place among those with whom one goes.

use glam::Vec2;
use throng_shared::config::BotProfileConfig;
use throng_shared::ids::NetId;

use super::Situation;
use super::choose::{is_away_from_post, is_within_leash, set_goal};
use crate::mind::{BotMind, Goal};
use crate::packs::{Mates, offset_m, slack_m};
use crate::perceive::Seen;

/// Who got stuck steps aside for so long before it goes on with the others, in seconds.
const STEP_ASIDE_S: f32 = 2.0;
/// So much room all around is enough for any formation, in metres; where there is less, cells are asked.
const ROOM_M: f32 = 2.0;

/// Lets a bot that is led keep its place, if it has nothing better to do. Whether the goal is settled.
pub(super) fn keep_place(mind: &mut BotMind, situation: &Situation<'_>) -> bool {
    let Some(mates) = situation.mates.filter(|mates| mates.rank > 0) else { return false };
    let Some((leader, profile)) = mates.pack.leader().zip(situation.world.profile_of(mind)) else { return false };
    if situation.is_stuck || is_away_from_post(mind, situation) {
        return false;
    }
    if is_busy(mind, situation, profile) {
        return true;
    }
    // Whom it does not see it keeps in mind, and sees when it next looks, if that one is in sight.
    let (net_id, offset_m) = match situation.percepts.find(leader) {
        Some(ahead) => match place_in_formation(situation, profile, mates, ahead) {
            Some(offset_m) => (leader, offset_m),
            None => (one_in_front(situation, mates).unwrap_or(leader), Vec2::ZERO),
        },
        None => (leader, Vec2::ZERO),
    };
    match &mut mind.goal {
        Goal::March { net_id: known, offset_m: known_m } if *known == net_id => *known_m = offset_m,
        _ => {
            mind.leave_patrol();
            set_goal(mind, situation, Goal::March { net_id, offset_m }, 0.0);
        }
    }
    true
}

/// Whether a bot has something to do before it goes on with the others.
fn is_busy(mind: &mut BotMind, situation: &Situation<'_>, profile: &BotProfileConfig) -> bool {
    match mind.goal {
        Goal::Fight { .. } | Goal::Flee { .. } => situation.tick < mind.goal_ends && !super::has_ended(mind, situation),
        Goal::Gather { .. } => !is_within_leash(situation.world, profile, situation.position_m),
        Goal::Wander { .. } => situation.world.seconds_between(mind.goal_started, situation.tick) < STEP_ASIDE_S,
        Goal::Idle | Goal::Patrol(_) | Goal::Follow { .. } | Goal::March { .. } => false,
    }
}

/// Where its place is from who leads, in metres, if there is room for a formation: about who leads, about the bot, at its place and between.
fn place_in_formation(
    situation: &Situation<'_>,
    profile: &BotProfileConfig,
    mates: Mates<'_>,
    ahead: &Seen,
) -> Option<Vec2> {
    let Situation { world, position_m, .. } = *situation;
    let offset_m = offset_m(&profile.pack, mates.rank, mates.pack.heading());
    let place_m = ahead.position_m + offset_m;
    // Open country is not made into cells because somebody walks there.
    let has_room = |point_m: Vec2| world.map.obstacles.is_clear(point_m, ROOM_M) || world.navigation.is_roomy(point_m);
    let is_open = [ahead.position_m, position_m, place_m].into_iter().all(has_room)
        && world.map.clamp_inside(place_m) == place_m
        && world.navigation.is_clear_line(ahead.position_m, place_m)
        && is_within_leash(world, profile, place_m);
    let own_m = position_m - ahead.position_m;
    let is_near_enough = own_m.distance(offset_m) <= slack_m(&profile.pack);
    is_open.then_some(if is_near_enough { own_m } else { offset_m })
}

/// Who goes in front of it, if it sees that one.
fn one_in_front(situation: &Situation<'_>, mates: Mates<'_>) -> Option<NetId> {
    mates.pack.before(mates.rank).filter(|net_id| situation.percepts.find(*net_id).is_some())
}

#[cfg(test)]
mod tests {
    use throng_shared::config::{Formation, ObstacleConfig, ObstacleShapeConfig, PackConfig, PlaceConfig, WorldConfig};
    use throng_shared::tick::Tick;

    use super::*;
    use crate::packs::Pack;
    use crate::perceive::Percepts;
    use crate::tests::{open_config, seeing, situation, somebody, world_of};
    use crate::world::BotWorld;

    /// Where there is but one kind of bot, which goes in a column.
    fn world_with(change: impl FnOnce(&mut WorldConfig)) -> BotWorld {
        let mut config = open_config();
        let pack = PackConfig { size: 4, formation: Formation::Column, spacing_m: 3.0 };
        config.bot_profiles = vec![BotProfileConfig { pack, ..BotProfileConfig::new("watch", config.bots.clone()) }];
        change(&mut config);
        world_of(&config)
    }

    /// What somebody in the middle who had a goal wants when it is the second behind who leads, 9, and sees these.
    fn goal_after(world: &BotWorld, goal: Goal, tick: u32, is_stuck: bool, percepts: &Percepts) -> Option<Goal> {
        let pack = Pack::of(&[9, 8, 1]);
        let mates = Some(Mates { pack: &pack, rank: 2 });
        let mut mind = BotMind::new(1, NetId(1));
        (mind.goal, mind.goal_started, mind.goal_ends) = (goal, Tick(100), Tick(160));
        let situation = Situation { mates, is_stuck, ..situation(world, Tick(tick), Vec2::ZERO, percepts) };
        keep_place(&mut mind, &situation).then_some(mind.goal)
    }

    #[test]
    fn who_is_led_keeps_its_place_unless_it_is_busy_and_goes_on_with_it_afterwards() {
        let leader_m = Vec2::new(6.0, 0.0);
        let percepts = seeing(&[somebody(9, leader_m, Vec2::ZERO), somebody(7, Vec2::Y * 9.0, Vec2::ZERO)]);
        let world = world_with(|_| ());
        let march = Goal::March { net_id: NetId(9), offset_m: Vec2::new(-6.0, 0.0) };
        let flee = |net_id: u32| Goal::Flee { net_id: NetId(net_id), from_m: Vec2::Y * 9.0 };
        let aside = Goal::Wander { target_m: Vec2::Y };
        for (goal, tick, expected) in [
            (Goal::Idle, 110, march),
            (Goal::Follow { net_id: NetId(7) }, 110, march),
            (flee(7), 110, flee(7)),
            (flee(7), 160, march),
            (flee(3), 110, march),
            (aside, 110, aside),
            (aside, 145, march),
            (Goal::Fight { net_id: NetId(7), is_in_view: true }, 110, march),
        ] {
            assert_eq!(goal_after(&world, goal, tick, false, &percepts), Some(expected), "{goal:?} in tick {tick}");
        }
        assert_eq!(goal_after(&world, Goal::Idle, 110, true, &percepts), None, "who is stuck steps aside");
        let nobody = Percepts::default();
        let waiting = Goal::March { net_id: NetId(9), offset_m: Vec2::ZERO };
        assert_eq!(goal_after(&world, Goal::Idle, 110, false, &nobody), Some(waiting), "it looks out for who leads");
    }

    /// What somebody who idled wants, when who leads is at a point and the one in front a metre before that.
    fn marching(world: &BotWorld, leader_m: Vec2) -> Option<Goal> {
        let percepts = seeing(&[somebody(9, leader_m, Vec2::ZERO), somebody(8, leader_m - Vec2::X, Vec2::ZERO)]);
        goal_after(world, Goal::Idle, 110, false, &percepts)
    }

    const IN_FILE: Option<Goal> = Some(Goal::March { net_id: NetId(8), offset_m: Vec2::ZERO });
    const IN_FORMATION: Option<Goal> = Some(Goal::March { net_id: NetId(9), offset_m: Vec2::new(-6.0, 0.0) });

    #[test]
    fn where_there_is_no_room_one_goes_behind_the_one_in_front() {
        let wall = |x: f32, z: f32, depth_m: f32| ObstacleConfig {
            center_m: Vec2::new(x, z),
            height_m: 3.0,
            shape: ObstacleShapeConfig::Box { size_m: Vec2::new(0.4, depth_m), yaw_deg: 0.0 },
        };
        let among = |obstacles: Vec<ObstacleConfig>| world_with(|config| config.obstacles = obstacles);
        let door = |x: f32| among(vec![wall(x, 5.8, 10.0), wall(x, -5.8, 10.0)]);
        let leader_m = Vec2::new(9.0, 1.0);
        assert_eq!(marching(&among(Vec::new()), leader_m), IN_FORMATION);
        assert_eq!(marching(&door(40.0), leader_m), IN_FORMATION, "far from the door");
        assert_eq!(marching(&door(9.0), leader_m), IN_FILE, "who leads is in the door");
        assert_eq!(marching(&door(0.0), leader_m), IN_FILE, "it is in the door itself");
        assert_eq!(marching(&door(3.0), leader_m), IN_FILE, "its place is");
        assert_eq!(
            marching(&among(vec![wall(6.0, 1.0, 1.0)]), leader_m),
            IN_FILE,
            "a wall is between who leads and its place"
        );
    }

    #[test]
    fn no_place_in_a_pack_is_beyond_the_leash() {
        let guarding = |center_m: Vec2, leash_m: f32| {
            world_with(|config| {
                config.places = vec![PlaceConfig { name: "gate".to_owned(), center_m, radius_m: 3.0, draw: 0.0 }];
                (config.bot_profiles[0].guards, config.bot_profiles[0].leash_m) = (Some(0), leash_m);
            })
        };
        let leader_m = Vec2::new(-4.0, 0.0);
        assert_eq!(marching(&guarding(Vec2::ZERO, 11.0), leader_m), IN_FORMATION);
        assert_eq!(marching(&guarding(Vec2::ZERO, 9.0), leader_m), IN_FILE);
        assert_eq!(marching(&guarding(Vec2::X * 20.0, 9.0), leader_m), None, "it returns to its post first");
    }
}
