//! Kinds of bots, and places that draw them.

use glam::Vec2;
use throng_shared::config::{BotProfileConfig, BotsConfig, PlaceConfig, WorldConfig};
use throng_shared::ids::{Archetype, NetId};

use super::population::Population;
use super::{open_config, village_config, world_of};
use crate::mind::BotMind;
use crate::{BotWorld, Goal};

fn profile(name: &str, share: f32) -> BotProfileConfig {
    BotProfileConfig { share, ..BotProfileConfig::new(name, open_config().bots) }
}

fn place(name: &str, center_m: Vec2, draw: f32) -> PlaceConfig {
    PlaceConfig { name: name.to_owned(), center_m, radius_m: 6.0, draw }
}

/// How many of 4,000 bots are of each kind, by name; "-" for none.
fn kinds(world: &BotWorld, archetype: Archetype) -> Vec<(String, u32)> {
    let mut counts: Vec<(String, u32)> = Vec::new();
    for number in 0..4_000 {
        let mut mind = BotMind::new(5, NetId(number));
        mind.go_on_as(archetype);
        let name = world.profile_of(&mind).map_or("-", |profile| profile.name.as_str());
        match counts.iter_mut().find(|(known, _)| known == name) {
            Some((_, count)) => *count += 1,
            None => counts.push((name.to_owned(), 1)),
        }
    }
    counts.sort();
    counts
}

#[test]
fn bots_are_of_kinds_by_their_shares_and_stand_ins_of_none() {
    let config = |profiles: &[BotProfileConfig]| WorldConfig { bot_profiles: profiles.to_vec(), ..open_config() };
    assert_eq!(kinds(&world_of(&config(&[])), Archetype::BOT), [("-".to_owned(), 4_000)]);
    let three_to_one = world_of(&config(&[profile("many", 3.0), profile("never", 0.0), profile("some", 1.0)]));
    let counts = kinds(&three_to_one, Archetype::BOT);
    let [(many, many_count), (some, some_count)] = &counts[..] else { panic!("{counts:?}") };
    assert_eq!((many.as_str(), some.as_str()), ("many", "some"));
    assert!((2_900..3_100).contains(many_count) && many_count + some_count == 4_000, "{counts:?}");
    assert_eq!(kinds(&three_to_one, Archetype::PLAYER), [("-".to_owned(), 4_000)]);
    let nobody = world_of(&config(&[profile("none", 0.0)]));
    assert_eq!(kinds(&nobody, Archetype::BOT), [("-".to_owned(), 4_000)], "a kind without a share is of nobody");
}

#[test]
fn a_bot_keeps_its_kind_while_shares_change_a_little() {
    let of = |share: f32| {
        world_of(&WorldConfig { bot_profiles: vec![profile("one", share), profile("other", 1.0)], ..open_config() })
    };
    let (before, after) = (of(1.0), of(1.2));
    let name = |world: &BotWorld, mind: &BotMind| world.profile_of(mind).map(|profile| profile.name.clone());
    let changed = (0..1_000).map(|number| BotMind::new(5, NetId(number)));
    let changed = changed.filter(|mind| name(&before, mind) != name(&after, mind)).count();
    assert!((20..80).contains(&changed), "{changed} of 1,000 for 1/2 that becomes 6/11");
}

/// What who only gathers does in a village of two places.
fn gathering_village() -> WorldConfig {
    let village = village_config();
    let only_gather = BotsConfig {
        idle_weight: 0.0,
        wander_weight: 0.0,
        patrol_weight: 0.0,
        follow_weight: 0.0,
        gather_weight: 1.0,
        flee_weight: 0.0,
        ..village.bots.clone()
    };
    let places = vec![place("market", Vec2::new(-40.0, -40.0), 3.0), place("well", Vec2::new(50.0, 45.0), 1.0)];
    WorldConfig { bots: only_gather, places, patrols: Vec::new(), ..village }
}

#[test]
fn whoever_gathers_is_found_where_it_draws_by_how_much_it_draws() {
    let config = gathering_village();
    let mut population = Population::new(&config, 200, 90.0, false);
    let end = (0..2_400).map(|_| population.step()).last().unwrap_or_default();
    let near = |place: &PlaceConfig| {
        let is_near = |position_m: Vec2| position_m.distance(place.center_m) < place.radius_m + 4.0;
        end.iter().filter(|(state, _)| is_near(state.ground_position_m())).count()
    };
    let (market, well) = (near(&config.places[0]), near(&config.places[1]));
    assert!(market > 2 * well && well >= 10, "{market} at the market, {well} at the well");
    assert!(end.iter().all(|(_, goal)| matches!(goal, Goal::Idle | Goal::Gather { .. } | Goal::Wander { .. })));
}

#[test]
fn whoever_guards_a_place_is_there_and_goes_nowhere_else() {
    let mut config = gathering_village();
    config.bot_profiles =
        vec![BotProfileConfig { guards: Some(1), bots: config.bots.clone(), leash_m: 20.0, ..profile("guard", 1.0) }];
    let mut population = Population::new(&config, 60, 90.0, false);
    let end = (0..2_400).map(|_| population.step()).last().unwrap_or_default();
    let at_post = end.iter().filter(|(state, _)| state.ground_position_m().distance(config.places[1].center_m) < 20.0);
    assert!(at_post.count() > 54, "all but a few who are on their way");
}
