//! Running from somebody who comes running.

use glam::Vec2;
use throng_shared::ids::NetId;

use super::Situation;
use super::choose::{Weights, set_goal};
use crate::mind::{BotMind, Goal};
use crate::perceive::Seen;

/// Somebody running is too near within this distance, in metres.
const FRIGHT_M: f32 = 5.0;
/// Whoever is farther away than this is no longer fled from, in metres.
const SAFE_M: f32 = 20.0;
/// How long a bot flees at most, in seconds.
const FLEE_S: [f32; 2] = [3.0, 6.0];
/// For how long after a fright, whether it fled or not, nobody frightens a bot again, in seconds. Those who flee run,
/// and so frighten others: this is several times as long as fleeing, so that a panic dies down even in a crowd.
const CALM_S: [f32; 2] = [20.0, 40.0];

/// Lets a bot that has reason to flee do so, with a chance of the flee weight's share of all weights.
pub(super) fn take_fright(mind: &mut BotMind, situation: &Situation<'_>) -> bool {
    if situation.tick < mind.calm_until {
        return false;
    }
    let Some(threat) = threat(mind, situation) else { return false };
    let calm_s = mind.random.between(CALM_S[0], CALM_S[1]);
    mind.calm_until = situation.tick + situation.world.ticks_for_s(calm_s);
    let weights = Weights::new(situation.world.rules_of(mind));
    if mind.random.unit() * weights.sum() >= weights.flee {
        return false;
    }
    let goal = Goal::Flee { net_id: threat.net_id, from_m: threat.position_m };
    let duration_s = mind.random.between(FLEE_S[0], FLEE_S[1]);
    mind.leave_patrol();
    set_goal(mind, situation, goal, duration_s);
    true
}

/// Whether a fleeing bot has shaken `net_id` off; if not, notes where that one is now.
pub(super) fn is_safe_from(mind: &mut BotMind, situation: &Situation<'_>, net_id: NetId) -> bool {
    match situation.percepts.find(net_id) {
        Some(threat) if threat.position_m.distance_squared(situation.position_m) <= SAFE_M * SAFE_M => {
            mind.goal = Goal::Flee { net_id, from_m: threat.position_m };
            false
        }
        _ => true,
    }
}

/// The nearest one who comes running; where bots fight, allies frighten nobody, and nowhere those with whom one goes.
fn threat<'a>(mind: &BotMind, situation: &Situation<'a>) -> Option<&'a Seen> {
    // Whoever is as fast as people who run.
    let gait = situation.world.map.rules.gait();
    // Between walking and running; where those are the same, nobody can be told to run.
    let fast_mps = gait.running_from_mps();
    if gait.run_speed_mps <= gait.walk_speed_mps {
        return None;
    }
    let is_fighting = situation.world.arms_of(mind.archetype).is_some();
    let is_enemy = |seen: &Seen| situation.percepts.enemies().any(|enemy| enemy.net_id == seen.net_id);
    let is_strange = |seen: &&Seen| !situation.is_mate(seen.net_id) && (!is_fighting || is_enemy(seen));
    situation.percepts.seen().iter().filter(is_strange).find(|seen| {
        let offset_m = situation.position_m - seen.position_m;
        seen.velocity_mps.length_squared() >= fast_mps * fast_mps
            && offset_m.length_squared() <= FRIGHT_M * FRIGHT_M
            && is_towards(seen.velocity_mps, offset_m)
    })
}

/// Whether the angle between two directions is at most 60 degrees.
fn is_towards(velocity: Vec2, offset: Vec2) -> bool {
    let along = velocity.dot(offset);
    along >= 0.0 && along * along >= 0.25 * velocity.length_squared() * offset.length_squared()
}

#[cfg(test)]
mod tests {
    use throng_shared::tick::Tick;

    use super::*;
    use crate::packs::{Mates, Pack};
    use crate::perceive::Percepts;
    use crate::tests::{open_world, seeing, situation, somebody};
    use crate::world::BotWorld;

    /// A world of timid bots.
    fn timid_world() -> BotWorld {
        let mut world = open_world();
        world.rules.idle_weight = 0.0;
        world.rules.wander_weight = 0.0;
        world.rules.patrol_weight = 0.0;
        world.rules.follow_weight = 0.0;
        world
    }

    fn takes_fright(world: &BotWorld, mind: &mut BotMind, tick: Tick, percepts: &Percepts) -> bool {
        take_fright(mind, &situation(world, tick, Vec2::ZERO, percepts))
    }

    #[test]
    fn only_somebody_who_comes_running_frightens() {
        let world = timid_world();
        let run = Vec2::new(-6.0, 0.0);
        for (position_m, velocity_mps, expected) in [
            (Vec2::new(4.0, 0.0), run, true),
            (Vec2::new(4.0, 0.0), run / 3.0, false),
            (Vec2::new(4.0, 0.0), -run, false),
            (Vec2::new(0.0, 4.0), run, false),
            (Vec2::new(6.0, 0.0), run, false),
        ] {
            let percepts = seeing(&[somebody(9, position_m, velocity_mps)]);
            let mut mind = BotMind::new(1, NetId(1));
            assert_eq!(takes_fright(&world, &mut mind, Tick(5), &percepts), expected, "{position_m} {velocity_mps}");
            assert_eq!(mind.goal == Goal::Flee { net_id: NetId(9), from_m: position_m }, expected);
        }
    }

    #[test]
    fn the_share_of_the_flee_weight_is_the_chance_to_flee() {
        let world = open_world();
        let percepts = seeing(&[somebody(9, Vec2::X, Vec2::new(-6.0, 0.0))]);
        let flee = |net_id| takes_fright(&world, &mut BotMind::new(1, NetId(net_id)), Tick(0), &percepts);
        let fleeing = (0..5_000).filter(|&net_id| flee(net_id)).count();
        assert!(fleeing.abs_diff(1_000) < 120, "{fleeing} of 5,000 with a fifth of the weights");
    }

    #[test]
    fn a_frightened_bot_is_left_alone_for_a_while() {
        let world = timid_world();
        let percepts = seeing(&[somebody(9, Vec2::X, Vec2::new(-6.0, 0.0))]);
        let mut mind = BotMind::new(1, NetId(1));
        let frights = (0..2_000).filter(|&tick| takes_fright(&world, &mut mind, Tick(tick), &percepts)).count();
        assert!((3..=5).contains(&frights), "{frights} in 100 s");
    }

    #[test]
    fn nobody_is_frightened_by_those_with_whom_it_goes() {
        let world = timid_world();
        let percepts = seeing(&[somebody(9, Vec2::new(4.0, 0.0), Vec2::new(-6.0, 0.0))]);
        for (members, expected) in [([1, 9], false), ([1, 8], true)] {
            let pack = Pack::of(&members);
            let mates = Some(Mates { pack: &pack, rank: 0 });
            let situation = Situation { mates, ..situation(&world, Tick(5), Vec2::ZERO, &percepts) };
            assert_eq!(take_fright(&mut BotMind::new(1, NetId(1)), &situation), expected);
        }
    }

    #[test]
    fn one_is_safe_from_whom_one_no_longer_sees_near() {
        let world = open_world();
        let mut mind = BotMind::new(1, NetId(1));
        for (percepts, expected) in [
            (seeing(&[somebody(9, Vec2::new(19.0, 0.0), Vec2::ZERO)]), false),
            (seeing(&[somebody(9, Vec2::new(21.0, 0.0), Vec2::ZERO)]), true),
            (seeing(&[somebody(8, Vec2::X, Vec2::ZERO)]), true),
        ] {
            let situation = situation(&world, Tick(0), Vec2::ZERO, &percepts);
            assert_eq!(is_safe_from(&mut mind, &situation, NetId(9)), expected);
        }
        assert_eq!(mind.goal, Goal::Flee { net_id: NetId(9), from_m: Vec2::new(19.0, 0.0) });
    }
}
