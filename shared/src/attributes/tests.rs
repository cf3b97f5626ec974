use proptest::prelude::*;

use super::*;
use crate::ids::Archetype;

fn rule(name: &str, kind: AttributeKind) -> AttributeRule {
    AttributeRule::new(name, kind)
}

fn number(name: &str, min: f32, max: f32, step: f32) -> AttributeRule {
    rule(name, AttributeKind::Number { min, max, step })
}

fn team(name: &str) -> AttributeRule {
    rule(name, AttributeKind::Choice { names: vec!["red".to_owned(), "blue".to_owned()], is_team: true })
}

#[test]
fn handles_are_of_the_kind_that_the_schema_says() {
    let schema = Schema::new(vec![number("health", 0.0, 100.0, 0.5), rule("alive", AttributeKind::Flag), team("side")]);
    let schema = schema.expect("it is right");
    assert!(schema.number("alive").is_none() && schema.flag("health").is_none() && schema.choice("none").is_none());
    let (health, side) = (schema.number("health").expect("a number"), schema.choice("side").expect("a choice"));
    let mut attributes = Attributes::new(&schema, Archetype::PLAYER);
    for (set, got) in [(30.3, 30.5), (-4.0, 0.0), (1e9, 100.0), (f32::NAN, 0.0)] {
        assert!(attributes.set(&health, set));
        assert_eq!(attributes.get(&health), Some(got));
    }
    assert_eq!((side.number_of("blue"), side.name_of(0), side.number_of("green")), (Some(1), Some("red"), None));
    attributes.set(&side, 7);
    assert_eq!(attributes.get(&side), Some(1));
}

#[test]
fn who_does_not_have_an_attribute_cannot_be_given_a_value() {
    let of_players = AttributeRule { archetypes: 0b01, ..number("mana", 0.0, 10.0, 1.0) };
    let schema = Schema::new(vec![of_players]).expect("it is right");
    let mana = schema.number("mana").expect("a number");
    let mut bot = Attributes::new(&schema, Archetype::BOT);
    assert!(!bot.set(&mana, 3.0));
    assert_eq!(bot.get(&mana), None);
}

#[test]
fn each_way_to_be_wrong_is_refused() {
    let of_team = AttributeRule { readers: Readers::Team, ..number("plan", 0.0, 1.0, 1.0) };
    let cloak =
        AttributeRule { conceals: Concealment::FromOthers, seen_from_m: 0.0, ..rule("cloak", AttributeKind::Flag) };
    let mask = AttributeRule { conceals: Concealment::FromOthers, seen_from_m: 0.0, ..number("mask", 0.0, 1.0, 1.0) };
    let over = AttributeRule { default: 11, ..number("over", 0.0, 10.0, 1.0) };
    let same = |name: &str| name.to_owned();
    let names = |names: &[&str]| {
        rule("c", AttributeKind::Choice { names: names.iter().map(|&name| same(name)).collect(), is_team: false })
    };
    let wide: Vec<_> = (0..11).map(|n| number(&n.to_string(), 0.0, NUMBER_STEPS_MAX as f32, 1.0)).collect();
    let many: Vec<_> = (0..33).map(|n| rule(&n.to_string(), AttributeKind::Flag)).collect();
    let secret = AttributeRule { readers: Readers::Owner, ..team("secret") };
    let of_players = AttributeRule { archetypes: 0b01, ..team("of-players") };
    let for_all = AttributeRule { readers: Readers::Team, ..number("for-all", 0.0, 1.0, 1.0) };
    let cases = [
        (many, SchemaError::TooMany),
        (vec![cloak.clone(), cloak], SchemaError::Name(same("cloak"))),
        (vec![rule("", AttributeKind::Flag)], SchemaError::Name(String::new())),
        (vec![number("flat", 1.0, 1.0, 1.0)], SchemaError::Range(same("flat"))),
        (vec![number("fine", 0.0, 1e9, 1.0)], SchemaError::Range(same("fine"))),
        (vec![number("odd", 0.0, f32::INFINITY, 1.0)], SchemaError::Range(same("odd"))),
        (vec![number("parts", 0.0, 10.0, 4.0)], SchemaError::Range(same("parts"))),
        (vec![number("coarse", 999_999.0, 1_000_000.0, 0.001)], SchemaError::Range(same("coarse"))),
        (vec![secret], SchemaError::SecretTeam(same("secret"))),
        (vec![of_players, for_all], SchemaError::WithoutTeam(same("for-all"))),
        (vec![names(&[])], SchemaError::Range(same("c"))),
        (vec![names(&["x", "x"])], SchemaError::Name(same("x"))),
        (vec![over], SchemaError::Default(same("over"))),
        (vec![team("a"), team("b")], SchemaError::SecondTeam(same("b"))),
        (vec![of_team], SchemaError::NoTeam(same("plan"))),
        (vec![mask], SchemaError::NoFlag(same("mask"))),
        (wide, SchemaError::TooLarge(same("10"))),
    ];
    for (rules, error) in cases {
        assert_eq!(Schema::new(rules), Err(error));
    }
}

#[test]
fn the_stricter_concealment_counts() {
    let flag = |name, conceals| AttributeRule { conceals, ..rule(name, AttributeKind::Flag) };
    let rules = vec![team("side"), flag("hidden", Concealment::FromOtherTeams), flag("gone", Concealment::FromOthers)];
    let schema = Schema::new(rules).expect("it is right");
    let layout = schema.layout(Archetype::PLAYER);
    let concealments = [[0, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 1]].map(|values| layout.concealment(&values));
    use Concealment::{FromOtherTeams, FromOthers, None};
    assert_eq!(concealments, [None, FromOtherTeams, FromOthers, FromOthers]);
}

proptest! {
    #[test]
    fn a_number_comes_back_within_half_a_step(
        min in -1_000.0f32..1_000.0, steps in 1u32..100_000, step in 0.001f32..10.0, share in 0.0f32..=1.0,
    ) {
        let max = min + steps as f32 * step;
        prop_assume!(max > min);
        let Ok(schema) = Schema::new(vec![number("n", min, max, step)]) else { return Ok(()) };
        let attribute = schema.number("n").expect("a number");
        let value = min + (max - min) * share;
        let back = attribute.value_of(attribute.told_as(value));
        prop_assert_eq!(attribute.value_of(attribute.told_as(max)), max, "the greatest is one of them");
        prop_assert!((back - value).abs() <= step * 0.501 + max.abs() * 1e-5, "{value} came back as {back}");
        prop_assert!(back <= max && attribute.told_as(back) == attribute.told_as(value));
    }
}
