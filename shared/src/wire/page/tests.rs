use glam::{IVec2, Vec3};
use proptest::prelude::*;

use super::*;
use crate::abilities::PITCH_MAX;
use crate::random::Random;

const ORIGIN: IVec2 = IVec2::new(3_200, -9_600);

prop_compose! {
    fn any_state()(
        height in prop_oneof![-2..=2, -HEIGHT_MAX..=HEIGHT_MAX],
        offset in any::<[i16; 2]>(),
        velocity in [-2_047i16..=2_047, -2i16..=2, -2_047i16..=2_047],
        yaw: u8, locomotion in 0u32..4,
    ) -> PageState {
        PageState { height, offset, velocity, yaw, locomotion: Locomotion::from_bits(locomotion) }
    }
}

prop_compose! {
    fn any_page()(
        slots in prop::collection::vec(prop::option::of((prop_oneof![0u32..40, any::<u32>()], any::<bool>(), any_state())), PAGE_SLOTS),
        departed: u32,
    ) -> PageCopy {
        let mut page = PageCopy::new(ORIGIN);
        for (slot, character) in slots.into_iter().enumerate() {
            if let Some((net_id, is_bot, state)) = character {
                let archetype = if is_bot { Archetype::BOT } else { Archetype::PLAYER };
                page.put(slot, PageOwner { net_id: NetId(net_id), archetype }, state);
            } else {
                page.clear(slot, departed >> slot & 1 == 1);
            }
        }
        page
    }
}

fn any_deeds() -> impl Strategy<Value = Vec<PageDeed>> {
    let deed = (0u8..64, 1u8.., any::<u16>(), -PITCH_MAX..=PITCH_MAX);
    let deed = deed.prop_map(|(age_ticks, ability, yaw, pitch)| PageDeed { slot: 0, age_ticks, ability, yaw, pitch });
    prop::collection::vec(deed, 0..24)
}

fn encoded(page: &PageCopy, former: Option<(&PageCopy, u32)>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let baseline = former.map(|(former, age_ticks)| former.baseline_of(page, age_ticks));
    let told = page.view().encode(Schema::EMPTY, baseline, &mut bytes);
    assert!(bytes.len() <= PAGE_BYTES_MAX && told.enters as usize <= page.characters().count());
    bytes
}

/// What one tick makes of a page: some go on as they did, some turn, some go, others come.
fn next(page: &PageCopy, random: &mut Random) -> PageCopy {
    let mut after = page.clone();
    for (slot, owner, mut state) in page.characters() {
        match random.below(10) {
            0 => state.velocity = [random.below(200) as i16 - 100, 0, random.below(200) as i16 - 100],
            1 => state.yaw = state.yaw.wrapping_add(3),
            2 => state.height = (state.height + 1).min(HEIGHT_MAX),
            _ => {}
        }
        state.offset[0] = state.offset[0].saturating_add(state.velocity[0] / 16);
        if random.below(20) == 0 {
            after.clear(slot, random.percent(50.0));
        } else {
            after.put(slot, owner, state);
        }
    }
    let slot = random.below(PAGE_SLOTS as u32) as usize;
    after.put(slot, PageOwner { net_id: NetId(random.next_u32()), archetype: Archetype::BOT }, PageState::default());
    after
}

proptest! {
    #[test]
    fn any_page_comes_back_with_and_without_a_baseline(page in any_page(), former in any_page(), age_ticks in 1u32..64) {
        for baseline in [None, Some((&former, age_ticks))] {
            let mut bytes = encoded(&page, baseline);
            let length = bytes.len();
            bytes.extend_from_slice(&[0xcd; 3]);
            let read = PageCopy::decode(Schema::EMPTY, false, &bytes, |age| {
                assert_eq!(age, age_ticks);
                Some(&former)
            });
            prop_assert_eq!(read, Ok((page.clone(), length)));
        }
    }

    #[test]
    fn whoever_has_the_baseline_follows_a_page_through_any_number_of_ticks(page in any_page(), seed: u64) {
        let mut random = Random::new(seed, 0);
        let (mut here, mut there) = (page.clone(), page);
        for _ in 0..20 {
            let age_ticks = 1 + random.below(8);
            let after = next(&here, &mut random);
            there = PageCopy::decode(Schema::EMPTY, false, &encoded(&after, Some((&here, age_ticks))), |_| Some(&there)).expect("it was encoded").0;
            prop_assert_eq!(&there, &after);
            here = after;
        }
    }

    #[test]
    fn whatever_the_bytes_are_reading_them_ends_within_bounds(bytes in prop::collection::vec(any::<u8>(), 0..400), former in any_page()) {
        if let Ok((page, length)) = PageCopy::decode(Schema::EMPTY, false, &bytes, |_| Some(&former)) {
            prop_assert!(length <= bytes.len());
            // What is valid can be said, also when it was said less briefly than it can be.
            let again = encoded(&page, None);
            prop_assert_eq!(PageCopy::decode(Schema::EMPTY, false, &again, |_| None), Ok((page, again.len())));
        }
    }

    #[test]
    fn deeds_come_back_and_are_not_kept_for_later_pages(page in any_page(), deeds in any_deeds(), former in any_page(), age_ticks in 1u32..64) {
        let owned: Vec<u8> = slots_of(page.occupied).map(|slot| slot as u8).collect();
        prop_assume!(!owned.is_empty());
        let in_slots = |(number, deed): (usize, PageDeed)| PageDeed { slot: owned[number % owned.len()], ..deed };
        let deeds: Vec<PageDeed> = deeds.into_iter().enumerate().map(in_slots).collect();
        for baseline in [None, Some(&former)] {
            let mut bytes = Vec::new();
            let view = PageView { deeds: Some(&deeds), ..page.view() };
            view.encode(Schema::EMPTY, baseline.map(|former| former.baseline_of(&page, age_ticks)), &mut bytes);
            prop_assert!(bytes.len() <= PAGE_BYTES_MAX);
            let (mut read, length) = PageCopy::decode(Schema::EMPTY, true, &bytes, |_| Some(&former)).expect("it was encoded");
            prop_assert_eq!(length, bytes.len());
            let newest = &deeds[deeds.len().saturating_sub(PAGE_DEEDS_MAX)..];
            prop_assert_eq!(&read.deeds, &newest.iter().map(|deed| deed.rounded()).collect::<Vec<_>>());
            for deed in newest {
                prop_assert!(deed.rounded().yaw.wrapping_sub(deed.yaw) as i16 <= 8 && deed.rounded().pitch.abs_diff(deed.pitch) <= 8);
            }
            let quiet = PageView { deeds: Some(&[]), ..page.view() };
            let mut later = Vec::new();
            quiet.encode(Schema::EMPTY, Some(read.baseline_of(&page, 1)), &mut later);
            prop_assert_eq!(PageCopy::decode(Schema::EMPTY, true, &later, |_| Some(&read)).expect("it was encoded").0, page.clone());
            read.take_deeds();
            prop_assert_eq!(&read, &page);
        }
    }

    #[test]
    fn a_page_that_is_cut_off_is_refused(page in any_page(), cut in 0usize..1_000) {
        let bytes = encoded(&page, None);
        let cut = cut % bytes.len();
        prop_assert!(PageCopy::decode(Schema::EMPTY, false, &bytes[..cut], |_| None).is_err());
    }
}

#[test]
fn a_page_against_a_copy_that_the_reader_does_not_have_is_refused() {
    let page = PageCopy::default();
    let bytes = encoded(&page, Some((&page, 5)));
    assert_eq!(bytes, [5], "nobody is there and nothing is new");
    assert_eq!(PageCopy::decode(Schema::EMPTY, false, &bytes, |_| None), Err(WireError::NotAccepted));
}

#[test]
fn what_is_told_of_each_is_counted() {
    let owner = |net_id| PageOwner { net_id: NetId(net_id), archetype: Archetype::BOT };
    let walker = PageState { offset: [5, 5], velocity: [16, 0, 0], ..PageState::default() };
    let (mut before, mut after) = (PageCopy::new(ORIGIN), PageCopy::new(ORIGIN));
    (0..4).for_each(|slot| before.put(slot, owner(slot as u32), walker));
    after.put(0, owner(0), walker);
    after.put(1, owner(1), PageState { offset: [6, 5], ..walker });
    after.put(2, owner(7), walker);
    let told = after.view().encode(Schema::EMPTY, Some(before.baseline_of(&after, 1)), &mut Vec::new());
    assert_eq!(told, Told { enters: 1, updates: 1, leaves: 1, attribute_bytes: 0 });
}

/// A page of people who each walk over a slope in a straight line, told against what a reader has of three ticks ago.
#[test]
fn who_goes_straight_on_costs_five_bits() {
    let mut random = Random::new(3, 0);
    let mut between = |low: f32, high: f32| random.between(low, high);
    let walkers: [(Vec3, Vec3); PAGE_SLOTS] = std::array::from_fn(|_| {
        let start_m = Vec3::new(between(-50.0, 50.0), between(0.0, 30.0), between(-50.0, 50.0));
        (start_m, Vec3::new(between(-0.2, 0.2), between(-0.02, 0.02), between(-0.2, 0.2)))
    });
    let page_at = |tick: u32| {
        let mut page = PageCopy::default();
        for (slot, (start_m, way_m)) in walkers.into_iter().enumerate() {
            let steps = |metres: Vec3, per_m: i32| (metres * per_m as f32).round().as_ivec3();
            let position = steps(start_m + way_m * tick as f32, 64);
            let velocity = steps(way_m, 64 * VELOCITY_STEPS_PER_STEP).to_array().map(|speed| speed as i16);
            let owner = PageOwner { net_id: NetId(slot as u32), archetype: Archetype::PLAYER };
            let state = QuantisedState { position, ..QuantisedState::default() };
            page.put(slot, owner, PageState::new(IVec2::ZERO, &state, velocity));
        }
        page
    };
    let ticks = 100;
    let length: usize = (0..ticks).map(|tick| encoded(&page_at(tick + 3), Some((&page_at(tick), 3))).len()).sum();
    // Seven bits and half a byte are the page's.
    let bits_each = (length as f64 * 8.0 / f64::from(ticks) - 11.0) / PAGE_SLOTS as f64;
    println!("{bits_each:.2} bits");
    assert!((4.0..5.5).contains(&bits_each), "{bits_each:.2} bits");
}

#[test]
fn a_deed_of_nobody_or_of_no_ability_or_aimed_over_the_zenith_is_refused() {
    let mut page = PageCopy::new(ORIGIN);
    page.put(3, PageOwner { net_id: NetId(7), archetype: Archetype::PLAYER }, PageState::default());
    let good = PageDeed { slot: 3, age_ticks: 2, ability: 1, yaw: 160, pitch: -320 };
    let read = |deed: PageDeed| {
        let mut bytes = Vec::new();
        PageView { deeds: Some(&[deed]), ..page.view() }.encode(Schema::EMPTY, None, &mut bytes);
        PageCopy::decode(Schema::EMPTY, true, &bytes, |_| None).map(|(mut page, _)| page.take_deeds())
    };
    assert_eq!(read(good), Ok(vec![good]));
    assert_eq!(read(PageDeed { slot: 4, ..good }), Err(WireError::InvalidField));
    assert_eq!(read(PageDeed { ability: 0, ..good }), Err(WireError::InvalidField));
    let mut bytes = Vec::new();
    PageView { deeds: Some(&[good]), ..page.view() }.encode(Schema::EMPTY, None, &mut bytes);
    // The pitch is the last number: its highest bit but one makes it half a turn.
    let last = bytes.iter().rposition(|&byte| byte != 0).expect("a negative number has its sign");
    let with_bit = |bit: u8| {
        let mut bytes = bytes.clone();
        bytes[last] ^= 1 << bit;
        PageCopy::decode(Schema::EMPTY, true, &bytes, |_| None).is_err()
    };
    assert!((0..8).any(with_bit), "some bit takes it over the zenith");
}
