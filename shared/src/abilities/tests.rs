use glam::{Vec2, Vec3};
use proptest::prelude::*;

use super::*;
use crate::archetypes::Bodies;
use crate::attributes::{AttributeKind, AttributeRule, Attributes, Schema};
use crate::config::{AbilityConfig, AimConfig, CombatConfig, CostConfig, EffectsConfig, Hits, builtin_world};
use crate::ids::Archetype;
use crate::input::PlayerInput;
use crate::map::{KnownGround, Map, Obstacle, Obstacles, Outline, Terrain};
use crate::movement::{CharacterState, MovementRules, step_character};
use crate::random::Random;
use crate::tick::{Tick, TickRate};

const STEP_S: f32 = 0.05;
const BLINK_M: f32 = 8.0;

/// The abilities of the tests, by their numbers.
const SHOT: u8 = 1;
const CAST: u8 = 2;
const BLINK: u8 = 3;

fn schema() -> Schema {
    let number = |name| AttributeRule::new(name, AttributeKind::Number { min: 0.0, max: 100.0, step: 1.0 });
    Schema::new(vec![number("health"), number("mana")]).expect("two numbers are few")
}

fn abilities() -> Abilities {
    let ability = |name: &str, cast_ms, blink_m| AbilityConfig {
        name: name.to_owned(),
        archetypes: 1,
        aim: AimConfig::Own,
        hits: Hits::Others,
        cooldown_ms: 500,
        cast_ms,
        cost: None,
        effects: EffectsConfig { blink_m, ..EffectsConfig::default() },
    };
    let cost = Some(CostConfig { attribute: "mana".to_owned(), amount: 10.0 });
    let config = CombatConfig {
        health: "health".to_owned(),
        respawn_ms: 1_000,
        eyes_m: 1.6,
        rewind_max_ms: 250,
        view_delay_max_ms: 250,
        no_side: None,
        deal_teams: false,
        safe_zones: vec![],
        abilities: vec![
            AbilityConfig { cost, ..ability("shot", 0, 0.0) },
            ability("cast", 300, 0.0),
            ability("blink", 0, BLINK_M),
        ],
    };
    Abilities::new(&config, TickRate::new(20), &schema()).expect("the attributes are there")
}

fn map_with(obstacles: Vec<Obstacle>) -> Map {
    Map {
        terrain: Terrain::flat(64.0, 0.0),
        obstacles: Obstacles::new(64.0, obstacles),
        rules: MovementRules::new(&builtin_world().config.movement),
        bodies: Bodies::new(&builtin_world().config.movement, &[]),
        half_size_m: 32.0,
    }
}

/// A block whose western side is at x = 0, so high.
fn block(top_m: f32) -> Obstacle {
    let outline = Outline::Box { half_size_m: Vec2::new(2.0, 20.0), axis_x: Vec2::X };
    Obstacle { center_m: Vec2::new(2.0, 0.0), outline, bottom_m: -1.0, top_m }
}

struct Actor {
    map: Map,
    abilities: Abilities,
    fighter: Fighter,
    state: CharacterState,
    tick: Tick,
    mana: f32,
}

impl Actor {
    fn at(map: Map, point_m: Vec2) -> Actor {
        let state = CharacterState::standing_at(&map, point_m);
        Actor { map, abilities: abilities(), fighter: Fighter::default(), state, tick: Tick(100), mana: 25.0 }
    }

    fn step(&mut self, input: PlayerInput) -> Step {
        self.tick = self.tick + 1;
        let mut has = Attributes::new(&schema(), Archetype::PLAYER);
        has.set(&schema().number("mana").expect("a number"), self.mana);
        let Actor { map, abilities, fighter, state, tick, .. } = self;
        let step = abilities.step(
            map,
            &mut KnownGround::default(),
            fighter,
            *state,
            Archetype::PLAYER,
            map.rules.gait(),
            input,
            *tick,
            STEP_S,
            |ability| ability.is_affordable(&has),
        );
        self.state = step.state;
        if let Some(cost) = step.begun.and_then(|number| self.abilities.get(number)?.cost.clone()) {
            self.mana -= cost.amount;
        }
        step
    }

    fn goes(&mut self, ticks: u32, input: PlayerInput) {
        for _ in 0..ticks {
            self.step(input);
        }
    }

    fn uses(&mut self, ability: u8) -> Step {
        self.step(PlayerInput { ability, yaw: 16_384, view_back_steps: 200, ..PlayerInput::default() })
    }
}

/// Facing east.
const EAST: u16 = 16_384;

#[test]
fn an_ability_cools_down_costs_and_is_refused_with_its_reason() {
    let mut actor = Actor::at(map_with(vec![]), Vec2::ZERO);
    let refused = |step: Step| step.refused.map(|(_, refusal)| refusal);
    assert!(actor.uses(SHOT).done.is_some());
    for _ in 0..9 {
        assert_eq!(refused(actor.uses(SHOT)), Some(UseRefusal::Cooldown));
    }
    assert!(actor.uses(SHOT).done.is_some(), "after ten ticks of 50 ms");
    actor.goes(9, PlayerInput::default());
    assert_eq!(refused(actor.uses(SHOT)), Some(UseRefusal::Cost), "10 of 5 are left");
    assert_eq!(refused(actor.uses(77)), Some(UseRefusal::Unknown));
    actor.fighter.is_dead = true;
    assert_eq!(refused(actor.uses(BLINK)), Some(UseRefusal::Dead));
}

#[test]
fn a_cast_happens_at_its_end_with_the_aim_of_its_beginning_and_a_view_as_late_as_then() {
    let mut actor = Actor::at(map_with(vec![]), Vec2::ZERO);
    let begun = actor.uses(CAST);
    assert_eq!((begun.begun, begun.done), (Some(CAST), None));
    let began_at = actor.tick;
    for _ in 0..5 {
        let step = actor.step(PlayerInput { yaw: 0, ability: BLINK, ..PlayerInput::default() });
        assert_eq!((step.done, step.refused), (None, Some((BLINK, UseRefusal::Casting))));
    }
    let (act, _) = actor.step(PlayerInput::default()).done.expect("300 ms are six ticks");
    assert_eq!((act.ability, act.yaw, actor.tick), (CAST, EAST, began_at + 6));
    let late_ticks = f64::from(actor.tick.0) - act.view_tick();
    assert!((late_ticks - 200.0 / 64.0).abs() < 1e-6, "{late_ticks}");
}

#[test]
fn the_dead_do_not_move_and_the_slowed_are_slower() {
    let east = PlayerInput { move_x: 127, ..PlayerInput::default() };
    let speed = |fighter: Fighter| {
        let mut actor = Actor::at(map_with(vec![]), Vec2::ZERO);
        actor.fighter = fighter;
        actor.goes(20, east);
        actor.state.velocity_mps.length()
    };
    let slow = |percent| Fighter { slow: Some(Slow { percent, until: Tick(10_000) }), ..Fighter::default() };
    assert_eq!(speed(Fighter { is_dead: true, ..Fighter::default() }), 0.0);
    assert!((speed(Fighter::default()) - 2.0).abs() < 1e-3 && (speed(slow(75)) - 0.5).abs() < 1e-3);
    assert_eq!(speed(Fighter { slow: Some(Slow { percent: 75, until: Tick(105) }), ..Fighter::default() }), 2.0);
}

#[test]
fn a_blink_leads_to_the_last_place_that_could_be_walked_to() {
    let radius_m = map_with(vec![]).rules.capsule_radius_m;
    let lands_at = |map: Map, from_m: Vec2| {
        let mut actor = Actor::at(map, from_m);
        let step = actor.uses(BLINK);
        (step.has_leapt, actor.state.position_m)
    };
    let (has_leapt, open_m) = lands_at(map_with(vec![]), Vec2::new(-10.0, 0.0));
    assert!(has_leapt && open_m.distance(Vec3::new(-2.0, 0.0, 0.0)) < 1e-3, "{open_m}");
    let (_, wall_m) = lands_at(map_with(vec![block(5.0)]), Vec2::new(-3.0, 0.0));
    assert!((-radius_m - 0.16..=-radius_m + 0.01).contains(&wall_m.x), "{wall_m}: in front of the wall");
    // Who touches the wall goes nowhere, and is told so.
    let (has_leapt, stays_m) = lands_at(map_with(vec![block(5.0)]), Vec2::new(-radius_m - 0.05, 0.0));
    assert!(!has_leapt && stays_m.x < -radius_m, "{stays_m}");
    let (has_leapt, kerb_m) = lands_at(map_with(vec![block(0.2)]), Vec2::new(-3.0, 0.0));
    assert!(has_leapt && kerb_m.x > 4.0, "{kerb_m}: over a kerb");
    let (_, edge_m) = lands_at(map_with(vec![]), Vec2::new(28.0, 0.0));
    assert!(edge_m.x <= 32.0 - radius_m, "{edge_m}: not out of the world");
}

#[test]
fn a_blink_along_a_wall_or_from_the_top_of_something_works() {
    let map = map_with(vec![block(5.0)]);
    let beside_m = Vec2::new(-map.rules.capsule_radius_m, -10.0);
    let mut actor = Actor::at(map, beside_m);
    // Pressed against the wall by walking, and along it to the south.
    let press = PlayerInput { move_x: 127, ..PlayerInput::default() };
    actor.goes(20, press);
    let before_m = actor.state.position_m;
    actor.step(PlayerInput { ability: BLINK, yaw: 32_768, ..PlayerInput::default() });
    assert!((actor.state.position_m.z - before_m.z - BLINK_M).abs() < 0.01, "{}", actor.state.position_m);
    let mut actor = Actor::at(map_with(vec![block(1.0)]), Vec2::new(1.0, 0.0));
    actor.state.position_m.y = 1.0;
    actor.uses(BLINK);
    assert!((actor.state.position_m.x - 9.0).abs() < 0.01 && actor.state.position_m.y == 0.0, "down from the crate");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn wherever_a_blink_leads_to_is_a_place_to_go_on_from(seed: u64) {
        let mut random = Random::new(seed, 7);
        let obstacles = (0..10).map(|_| Obstacle {
            center_m: Vec2::new(random.between(-20.0, 20.0), random.between(-20.0, 20.0)),
            outline: Outline::Circle { radius_m: random.between(0.3, 4.0) },
            bottom_m: -1.0,
            top_m: random.between(0.1, 4.0),
        }).collect();
        let map = map_with(obstacles);
        let start_m = map.nearest_free(Vec2::new(random.between(-30.0, 30.0), random.between(-30.0, 30.0)));
        let mut actor = Actor::at(map, start_m);
        let step = actor.step(PlayerInput { ability: BLINK, yaw: random.next_u32() as u16, ..PlayerInput::default() });
        let (radius_m, step_m) = (actor.map.rules.capsule_radius_m, actor.map.rules.step_height_m);
        let state = actor.state;
        prop_assert!(state.position_m.distance(Vec3::new(start_m.x, state.position_m.y, start_m.y)) <= BLINK_M + 0.01);
        prop_assert_eq!(actor.map.clamp_inside(state.ground_position_m()), state.ground_position_m());
        for obstacle in actor.map.obstacles.near(state.ground_position_m()) {
            let is_wall = obstacle.top_m > state.position_m.y + step_m + 0.01;
            prop_assert!(!is_wall || obstacle.push_out(state.ground_position_m(), radius_m - 0.01).is_none(), "{state:?} is in {obstacle:?}");
        }
        // It walks on from there.
        let on = step_character(&actor.map, state, PlayerInput { move_x: 127, ..PlayerInput::default() }, STEP_S);
        prop_assert!(on.position_m.distance(state.position_m) < 1.0 || step.has_leapt, "{state:?} {on:?}");
    }

    #[test]
    fn any_fighter_comes_back(
        is_dead: bool, slow in prop::option::of((0u8..=100, 1u32..60_000)), cast in prop::option::of((1u8.., 1u32..60_000)),
        cooling in prop::collection::btree_map(1u8.., 1u32..60_000, 0..COOLING_MAX), tick in 1u32..1_000_000,
    ) {
        let at = |ticks: u32| Tick(tick) + ticks;
        let fighter = Fighter {
            is_dead,
            slow: slow.map(|(percent, ticks)| Slow { percent, until: at(ticks) }),
            cast: cast.map(|(ability, ticks)| Cast { act: Act { ability, ..Act::default() }, at: at(ticks) }),
            cooling: cooling.iter().map(|(&ability, &ticks)| (ability, at(ticks))).collect(),
        };
        let bytes = fighter.encode(Tick(tick));
        prop_assert!(bytes.len() <= FIGHTER_BYTES_MAX);
        if !bytes.is_empty() {
            prop_assert_eq!(Fighter::scan(&bytes), Ok(bytes.len()));
            prop_assert_eq!(Fighter::decode(Tick(tick), &bytes), Ok(fighter.clone()));
            prop_assert!(Fighter::scan(&bytes[..bytes.len() - 1]).is_err());
        } else {
            prop_assert!(fighter.is_free());
        }
        prop_assert!(fighter.agrees_with(&fighter, Tick(tick)));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), tick: u32) {
        if let Ok(length) = Fighter::scan(&bytes) {
            prop_assert!(length <= bytes.len());
            prop_assert!(Fighter::decode(Tick(tick), &bytes).is_ok());
        }
    }

    #[test]
    fn an_aim_comes_back_and_strays_no_farther_than_it_may(yaw: u16, pitch in -16_000i16..16_000, spread_deg in 0.01f32..45.0, user: u32, tick: u32) {
        let direction = aim_direction(yaw, pitch);
        prop_assert!((direction.length() - 1.0).abs() < 1e-5);
        let (yaw_again, pitch_again) = aim_towards(direction);
        prop_assert!(yaw_again.wrapping_sub(yaw) as i16 as i32 <= 8 && (pitch_again - pitch).abs() <= 2, "{yaw_again} {pitch_again}");
        let strayed = stray(direction, spread_deg, crate::ids::NetId(user), Tick(tick), 1);
        prop_assert!(strayed.dot(direction) >= cosine_of_deg(spread_deg) - 1e-4);
        prop_assert_eq!(strayed, stray(direction, spread_deg, crate::ids::NetId(user), Tick(tick), 1));
    }
}
