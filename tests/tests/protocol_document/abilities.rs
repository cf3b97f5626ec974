//! What abilities are on the wire.

use throng_shared::abilities::{Act, COOLING_MAX, Cast, Fighter, Slow, VIEW_STEPS_PER_TICK};
use throng_shared::wire::combat::CombatEvent;
use throng_shared::wire::page::{DEED_AGE_TICKS_MAX, PAGE_DEEDS_MAX, PageDeed, PageView};

use super::*;

#[test]
fn an_ability_is_as_long_in_an_input_as_the_page_says() {
    let used = PlayerInput { ability: 3, pitch: -200, view_back_steps: 640, ..PlayerInput::default() };
    let length = |inputs: &[PlayerInput]| {
        let mut bytes = Vec::new();
        InputFrame::new(Tick(9), inputs, SnapshotAcks::default()).encode(&mut bytes);
        bytes.len()
    };
    assert_eq!(length(&[used]), sum("input-frame") + sum("input") + sum("input-ability"));
    assert!(PAGE.contains(&format!("in 1/{VIEW_STEPS_PER_TICK} of a tick")));
}

#[test]
fn what_hinders_a_character_is_as_long_as_the_page_says() {
    let cast = Some(Cast { act: Act { ability: 2, ..Act::default() }, at: Tick(1_210) });
    let slow = Some(Slow { percent: 50, until: Tick(1_220) });
    let cooling = [(2, Tick(1_300))].into_iter().collect();
    let bytes = Fighter { is_dead: true, slow, cast, cooling }.encode(Tick(1_200));
    assert_eq!(bytes.len(), sum("fighter"));
    assert_eq!(bytes[..], [0b1111, 50, 20, 0, 2, 10, 0, 2, 100, 0]);
    assert!(PAGE.contains(&format!("how many abilities cool down, 0 to {COOLING_MAX} |")));
}

#[test]
fn the_example_of_what_abilities_have_done_is_encoded_and_decoded_alike() {
    let (by, who) = (NetId(77), NetId(300));
    let events = vec![
        CombatEvent::Hit { by, target: who, ability: 1, change: -20.0 },
        CombatEvent::Died { who, by, ability: 1 },
    ];
    assert_eq!(CombatEvent::message(Tick(1_200), &events), example("combat"));
    assert_eq!(CombatEvent::of(&example("combat")), Ok((Tick(1_200), events)));
    assert_eq!(CombatEvent::message(Tick(1_200), &[]).len(), sum("combat"));
}

#[test]
fn deeds_have_the_widths_and_bounds_of_the_page() {
    let mut page = PageCopy::new(IVec2::ZERO);
    page.put(0, PageOwner { net_id: NetId(1), archetype: Archetype::PLAYER }, PageState::default());
    let length = |count: usize| {
        let deeds = vec![PageDeed { ability: 1, ..PageDeed::default() }; count];
        let mut bytes = Vec::new();
        PageView { deeds: Some(&deeds), ..page.view() }.encode(Schema::EMPTY, None, &mut bytes);
        bytes.len() * 8
    };
    let rows = table("deeds");
    let widths: Vec<usize> = rows.iter().map(|row| number(row[0])).collect();
    let (of_count, of_one) = (widths[0], widths[1..].iter().sum::<usize>());
    // The filling of the last byte hides up to seven bits.
    for count in [1, 8, PAGE_DEEDS_MAX] {
        let expected = length(0) + of_count + count * of_one;
        assert!((expected - 7..=expected + 7).contains(&length(count)), "{count} deeds");
    }
    assert_eq!(length(PAGE_DEEDS_MAX + 5), length(PAGE_DEEDS_MAX));
    assert_eq!((1 << of_count, (1 << widths[2]) - 1), (PAGE_DEEDS_MAX, DEED_AGE_TICKS_MAX as usize));
    assert!(PAGE.contains(&format!("newest {PAGE_DEEDS_MAX} of a page")));
}
