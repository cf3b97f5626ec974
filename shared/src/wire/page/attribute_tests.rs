//! Pages in worlds with attributes.

use glam::IVec2;
use proptest::prelude::*;

use super::*;
use crate::attributes::{AttributeHandle, AttributeKind, AttributeRule, Attributes, Readers};

/// A number that all have and know, a flag that bots have, a team of three, and two for those of a team alone.
fn schema() -> Schema {
    let rule = |name: &str, kind, archetypes, readers, default| AttributeRule {
        archetypes,
        readers,
        default,
        ..AttributeRule::new(name, kind)
    };
    let names = ["none", "red", "blue"].map(str::to_owned).to_vec();
    let number = |max| AttributeKind::Number { min: 0.0, max, step: 1.0 };
    let rules = vec![
        rule("health", number(100.0), 0b11, Readers::Everybody, 100),
        rule("asleep", AttributeKind::Flag, 0b10, Readers::Everybody, 0),
        rule("side", AttributeKind::Choice { names, is_team: true }, 0b11, Readers::Everybody, 0),
        rule("mana", number(1_000.0), 0b11, Readers::Team, 0),
        rule("plan", AttributeKind::Flag, 0b01, Readers::Team, 0),
        rule("gold", number(9.0), 0b11, Readers::Owner, 5),
    ];
    Schema::new(rules).expect("it is right")
}

prop_compose! {
    fn any_attributes()(
        is_bot: bool, health in 0u8..=100, asleep: bool, side in 0u32..3, mana in 0u16..=1_000, plan: bool,
    ) -> (Archetype, Attributes) {
        let (schema, archetype) = (schema(), if is_bot { Archetype::BOT } else { Archetype::PLAYER });
        let mut attributes = Attributes::new(&schema, archetype);
        let number = |name| schema.number(name).expect("a number");
        let flag = |name| schema.flag(name).expect("a flag");
        attributes.set(&number("health"), health.into());
        attributes.set(&flag("asleep"), asleep);
        attributes.set(&schema.choice("side").expect("a choice"), side);
        attributes.set(&number("mana"), mana.into());
        attributes.set(&flag("plan"), plan);
        (archetype, attributes)
    }
}

prop_compose! {
    fn any_page()(slots in prop::collection::vec(prop::option::of((0u32..60, any_attributes())), slots_with(&schema(), false))) -> PageCopy {
        let mut page = PageCopy::new(IVec2::ZERO);
        for (slot, character) in slots.into_iter().enumerate() {
            if let Some((net_id, (archetype, attributes))) = character {
                page.put(slot, PageOwner { net_id: NetId(net_id), archetype }, PageState::default());
                page.put_attributes(slot, &attributes);
            }
        }
        page
    }
}

/// Which attributes of a slot are other than in a former page, or than at first.
fn changed<'p>(page: &'p PageCopy, former: Option<&PageCopy>, slot: usize, defaults: &Attributes) -> Values<'p> {
    let (now, before) = (page.attributes(slot), former.map(|former| former.attributes(slot)));
    let before = before.filter(|_| former.is_some_and(|former| former.owner(slot) == page.owner(slot)));
    let before = before.unwrap_or(defaults.view());
    let is_changed = |index: usize| now.known >> index & 1 == 1 && now.values[index] != before.values[index];
    let known = (0..now.values.len()).map(|index| u32::from(is_changed(index)) << index).sum();
    Values { known, ..now }
}

/// What a reader of a team knows of a page.
fn known_to(page: &PageCopy, team: Option<u32>) -> Vec<(usize, PageOwner, Vec<Option<u32>>)> {
    let schema = schema();
    let characters = page.characters().map(|(slot, owner, _)| {
        let (layout, Values { values, .. }) = (schema.layout(owner.archetype), page.attributes(slot));
        let known = if team == Some(values[2]) { layout.public | layout.team } else { layout.public };
        (slot, owner, (0..schema.len()).map(|index| (known >> index & 1 == 1).then(|| values[index])).collect())
    });
    characters.collect()
}

/// What a reader's copy says.
fn knows(copy: &PageCopy) -> Vec<(usize, PageOwner, Vec<Option<u32>>)> {
    let characters = copy.characters().map(|(slot, owner, _)| {
        let Values { known, values } = copy.attributes(slot);
        (
            slot,
            owner,
            values.iter().enumerate().map(|(index, &value)| (known >> index & 1 == 1).then_some(value)).collect(),
        )
    });
    characters.collect()
}

/// Tells a page to a reader of a team who has a former one, and returns its copy.
fn tell(page: &PageCopy, former: Option<(&PageCopy, &PageCopy)>, team: u32) -> PageCopy {
    let schema = schema();
    let mut bytes = Vec::new();
    let of_slots: Vec<Values<'_>> = (0..PAGE_SLOTS)
        .map(|slot| match page.owner(slot) {
            Some(owner) => {
                changed(page, former.map(|(former, _)| former), slot, &Attributes::new(&schema, owner.archetype))
            }
            None => Values::default(),
        })
        .collect();
    let baseline = former.map(|(former, _)| former.baseline_of(page, 3));
    let view = PageView { attributes: Some(&of_slots), ..page.view() };
    let told = view.encode(&schema, baseline, &mut bytes);
    assert!(told.attribute_bytes as usize <= bytes.len() && bytes.len() <= PAGE_BYTES_MAX);
    let (mut copy, length) =
        PageCopy::decode(&schema, false, &bytes, |_| former.map(|(_, copy)| copy)).expect("it was encoded");
    assert_eq!(length, bytes.len());
    bytes.clear();
    let mut news = [None; PAGE_SLOTS];
    for (slot, owner, _) in page.characters() {
        let now = page.attributes(slot);
        let told = Values { known: now.known & schema.layout(owner.archetype).team, ..now };
        news[slot] = Some(TeamNews { is_of_team: now.values[2] == team, told });
    }
    page.view().encode_team(&schema, &news, &mut bytes);
    bytes.push(0xcd);
    assert_eq!(copy.decode_team(&schema, &bytes), Ok(bytes.len() - 1));
    copy
}

proptest! {
    #[test]
    fn a_reader_knows_what_everybody_and_its_team_may_know_and_nothing_else(
        pages in prop::collection::vec(any_page(), 1..5), team in 0u32..3,
    ) {
        let mut former: Option<(&PageCopy, PageCopy)> = None;
        for page in &pages {
            let copy = tell(page, former.as_ref().map(|(page, copy)| (*page, copy)), team);
            prop_assert_eq!(knows(&copy), known_to(page, Some(team)));
            former = Some((page, copy));
        }
    }

    #[test]
    fn the_part_for_all_does_not_depend_on_what_only_some_may_know(page in any_page(), other in any_page()) {
        let schema = schema();
        // The same page, with all that is for teams and owners taken from another.
        let mut twin = page.clone();
        for (slot, owner, _) in page.characters() {
            let mut attributes = Attributes::new(&schema, owner.archetype);
            attributes.take_over(page.attributes(slot));
            let of_other = other.attributes(slot);
            let private = schema.layout(owner.archetype).all & !schema.layout(owner.archetype).public;
            if !of_other.values.is_empty() {
                attributes.merge(Values { known: private, ..of_other });
            }
            twin.put_attributes(slot, &attributes);
        }
        let encoded = |page: &PageCopy| {
            let of_slots: Vec<_> = (0..PAGE_SLOTS).map(|slot| page.attributes(slot)).collect();
            let mut bytes = Vec::new();
            PageView { attributes: Some(&of_slots), ..page.view() }.encode(&schema, None, &mut bytes);
            bytes
        };
        prop_assert_eq!(encoded(&page), encoded(&twin));
    }

    #[test]
    fn whatever_the_bytes_are_reading_attributes_ends_within_bounds(
        bytes in prop::collection::vec(any::<u8>(), 0..300), former in any_page(),
    ) {
        let schema = schema();
        if let Ok((mut page, length)) = PageCopy::decode(&schema, false, &bytes, |_| Some(&former)) {
            prop_assert!(length <= bytes.len());
            let _ = page.decode_team(&schema, &bytes[length..]);
            for (slot, ..) in page.characters() {
                let Values { values, .. } = page.attributes(slot);
                prop_assert!(values.iter().enumerate().all(|(index, &value)| value <= schema.range(index).0));
            }
        }
    }
}

#[test]
fn a_page_without_news_of_attributes_costs_a_bit_for_them() {
    let schema = schema();
    let mut page = PageCopy::new(IVec2::ZERO);
    for slot in 0..9 {
        page.put(slot, PageOwner { net_id: NetId(slot as u32), archetype: Archetype::PLAYER }, PageState::default());
    }
    let length = |schema: &Schema| {
        let mut bytes = Vec::new();
        page.view().encode(schema, Some(page.baseline_of(&page, 1)), &mut bytes);
        bytes.len()
    };
    // Seven bits and one for each of nine fill two bytes; one more is a third.
    assert_eq!((length(Schema::EMPTY), length(&schema)), (2, 3));
}

#[test]
fn worlds_with_many_attributes_have_pages_of_fewer_slots() {
    assert_eq!(slots_with(Schema::EMPTY, false), PAGE_SLOTS);
    let wide = |count: usize, has_abilities: bool| {
        let kind = AttributeKind::Number { min: 0.0, max: ((1 << 24) - 1) as f32, step: 1.0 };
        let rule =
            |index: usize| AttributeRule { archetypes: 1, ..AttributeRule::new(&index.to_string(), kind.clone()) };
        slots_with(&Schema::new((0..count).map(rule).collect()).expect("it is right"), has_abilities)
    };
    assert!(wide(1, false) == PAGE_SLOTS && wide(5, false) < PAGE_SLOTS && wide(10, false) < wide(5, false));
    // Where pages tell deeds there is room for fewer.
    assert!((1..=10).all(|count| wide(count, true) < wide(count, false) && wide(count, true) >= SLOTS_MIN));
    let health = schema().number("health").expect("a number");
    assert_eq!(health.told_as(33.0), 33);
}
