//! What tells of a world's attributes, on any bytes.

use std::sync::Arc;

use throng_client::Replica;
use throng_shared::attributes::{AttributeHandle, AttributeKind, AttributeRule, Readers, Schema};
use throng_shared::limits::MESSAGE_BYTES_MAX;
use throng_shared::wire::attributes::{message_of, rule_of};
use throng_shared::wire::hours::HoursNews;
use throng_shared::wire::overload::OverloadNews;
use throng_shared::wire::snapshot::Snapshot;

use super::script::Script;
use super::wire::check_replica;

/// A world with numbers, flags and a team, and all kinds of readers.
pub(super) fn schema() -> Schema {
    let rule = |name: &str, kind, archetypes, readers| AttributeRule {
        archetypes,
        readers,
        default: 1,
        ..AttributeRule::new(name, kind)
    };
    let names = ["none", "red", "blue"].map(str::to_owned).to_vec();
    let number = |max| AttributeKind::Number { min: 0.0, max, step: 1.0 };
    let rules = vec![
        rule("side", AttributeKind::Choice { names, is_team: true }, 0b11, Readers::Everybody),
        rule("health", number(100.0), 0b11, Readers::Everybody),
        rule("asleep", AttributeKind::Flag, 0b10, Readers::Everybody),
        rule("mana", number(1_000.0), 0b11, Readers::Team),
        rule("gold", number(1e6), 0b01, Readers::Owner),
    ];
    Schema::new(rules).expect("it is right")
}

/// A script of messages over the channel and snapshots, all of one world with attributes. Each step: its kind, 0 for an attribute, 1 for overload or hours, 2
/// for a snapshot, and bytes with their count.
pub fn attributes(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let schema = Arc::new(schema());
    let (mut replica, mut again) = (Replica::default(), Vec::new());
    replica.learn(Arc::clone(&schema));
    while let Some(kind) = script.byte() {
        let bytes = script.counted();
        match kind % 3 {
            0 => {
                let Ok(rule) = rule_of(bytes) else { continue };
                assert_eq!(message_of(&rule), bytes);
                if let Ok(schema) = Schema::new(vec![rule.clone()]) {
                    assert!(bytes.len() <= MESSAGE_BYTES_MAX && schema.rules() == [rule]);
                }
            }
            1 => {
                if let Ok(news) = OverloadNews::of(bytes) {
                    assert_eq!(news.message(), bytes);
                }
                if let Ok(news) = HoursNews::of(bytes) {
                    assert_eq!(news.message(), bytes);
                }
            }
            _ => {
                let Ok(snapshot) = Snapshot::decode(&schema, bytes) else { continue };
                again.clear();
                snapshot.encode(&schema, &mut again);
                assert_eq!(again, bytes);
                let _ = replica.apply(&snapshot);
                check_replica(&replica);
                check_attributes(&schema, &replica);
            }
        }
    }
}

/// Nobody has what its archetype has not, or what no other may know; and all values are of their range.
fn check_attributes(schema: &Schema, replica: &Replica) {
    for entity in replica.entities() {
        let (layout, values) = (schema.layout(entity.archetype), entity.attributes.view());
        assert_eq!(values.known & !(layout.public | layout.team), 0, "{entity:?}");
        assert_eq!(values.known & layout.public, layout.public, "what everybody may know is known: {entity:?}");
        let of_health = schema.number("health").expect("a number");
        let health = entity.attributes.get(&of_health);
        assert_eq!(health.is_some(), layout.all >> of_health.index() & 1 == 1, "{entity:?}");
        assert!(health.is_none_or(|health| (0.0..=100.0).contains(&health)), "{entity:?}");
    }
    let gold = replica.own_attributes().get(&schema.number("gold").expect("a number"));
    assert!(gold.is_none_or(|gold| (0.0..=1e6).contains(&gold)));
}
