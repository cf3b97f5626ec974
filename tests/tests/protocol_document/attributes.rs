//! The examples of what is told of the world over the channel: attributes, and how far it keeps up.

use throng_shared::attributes::{AttributeKind, AttributeRule, Attributes, Values};
use throng_shared::wire::attributes::{self, OwnAttributes};
use throng_shared::wire::hours::{DayClock, HoursNews};
use throng_shared::wire::overload::OverloadNews;
use throng_shared::wire::page::PageView;

use super::*;

#[test]
fn the_examples_of_attributes_are_encoded_and_decoded_alike() {
    let rule = |name: &str, kind, default| AttributeRule { default, ..AttributeRule::new(name, kind) };
    let health = rule("health", AttributeKind::Number { min: 0.0, max: 100.0, step: 0.5 }, 200);
    assert_eq!(attributes::message_of(&health), example("attribute"));
    assert_eq!(attributes::rule_of(&example("attribute")), Ok(health.clone()));

    let schema = Schema::new(vec![health, rule("asleep", AttributeKind::Flag, 0)]).expect("it is right");
    let own = OwnAttributes::new(Archetype::PLAYER, Values { known: 0b11, values: &[61, 0] });
    let owner = PageOwner { net_id: NetId(300), archetype: Archetype::BOT };
    let mut page = PageCopy::new(IVec2::new(6_400, -3_200));
    page.put(0, owner, PageState::default());
    let mut bot = Attributes::new(&schema, Archetype::BOT);
    bot.set(&schema.flag("asleep").expect("a flag"), true);
    page.put_attributes(0, &bot);
    let told = [Values { known: 0b10, ..page.attributes(0) }];
    let mut pages = vec![3];
    PageView { attributes: Some(&told), ..page.view() }.encode(&schema, None, &mut pages);
    let header = SnapshotHeader {
        tick: Tick(1_200),
        position_m: Vec3::new(100.0, 12.5, -50.25),
        grounded: true,
        input_margin_ms: Some(15),
        ..SnapshotHeader::default()
    };
    let snapshot = Snapshot { header, fighter: &[], ends: &[], crowd: None, own: Some(own), pages: &pages };
    let mut bytes = Vec::new();
    snapshot.encode(&schema, &mut bytes);
    assert_eq!(bytes, example("snapshot-attributes"));
    assert_eq!(Snapshot::decode(&schema, &bytes), Ok(snapshot));
    assert_eq!(PageCopy::decode(&schema, false, &pages[1..], |_| None), Ok((page, pages.len() - 1)));
}

#[test]
fn the_example_of_overload_is_encoded_and_decoded_alike() {
    let news = OverloadNews { rung: 2, rungs: 4, time_percent: 100, since: Tick(1_200) };
    assert_eq!(news.message(), example("overload"));
    assert_eq!(OverloadNews::of(&example("overload")), Ok(news));
    assert_eq!(news.message().len(), sum("overload"));
}

#[test]
fn the_examples_of_hours_are_encoded_and_decoded_alike() {
    let clock = DayClock { tick: Tick(1_200), day: 2, fraction: 0xbd55_5555, day_ticks: 28_800 };
    assert!((clock.hour_h(1_200.0) - 17.75).abs() < 1e-5);
    let event = HoursNews::Event { is_on: true, name: "raid".to_owned() };
    for (name, news) in [("hour", HoursNews::Hour(clock)), ("event", event)] {
        assert_eq!(news.message(), example(name));
        assert_eq!(HoursNews::of(&example(name)), Ok(news));
    }
    assert_eq!(example("hour").len(), sum("hour"));
}
