use glam::{IVec3, Vec3};
use proptest::prelude::*;

use super::*;
use crate::random::Random;

const CENTER: IVec3 = IVec3::new(3_200, 0, -9_600);

fn any_vector(most: i32) -> impl Strategy<Value = IVec3> {
    let number = prop_oneof![-2..=2, -most..=most];
    [number.clone(), number.clone(), number].prop_map(IVec3::from)
}

prop_compose! {
    fn any_state()(
        position in any_vector(POSITION_MAX), velocity in any_vector(VELOCITY_MAX), yaw: u8, locomotion in 0u32..4,
    ) -> PageState {
        PageState { position, velocity, yaw, locomotion: Locomotion::from_bits(locomotion) }
    }
}

prop_compose! {
    fn any_page()(
        slots in prop::collection::vec(prop::option::of((0u32..40, any::<bool>(), any_state())), PAGE_SLOTS),
    ) -> PageCopy {
        let mut page = PageCopy::default();
        for (slot, character) in slots.into_iter().enumerate() {
            if let Some((net_id, is_bot, state)) = character {
                let archetype = if is_bot { Archetype::Bot } else { Archetype::Player };
                page.put(slot, PageOwner { net_id: NetId(net_id), archetype }, state);
            }
        }
        page
    }
}

/// What one tick makes of a page: some go on as they did, some turn, some go, others come.
fn next(page: &PageCopy, random: &mut Random, ticks: u32) -> PageCopy {
    let mut after = page.clone();
    for (slot, owner, state) in page.characters() {
        let mut state = state.predicted(ticks);
        match random.below(10) {
            0 => state.velocity = IVec3::new(random.below(200) as i32 - 100, 0, random.below(200) as i32 - 100),
            1 => state.yaw = state.yaw.wrapping_add(3),
            2 => state.position += IVec3::new(1, 0, -1),
            _ => {}
        }
        if !state.is_valid() || random.below(20) == 0 {
            after.clear(slot);
        } else {
            after.put(slot, owner, state);
        }
    }
    let slot = random.below(PAGE_SLOTS as u32) as usize;
    after.put(
        slot,
        PageOwner { net_id: NetId(random.next_u32()), archetype: Archetype::Bot },
        PageState::resting_at(CENTER),
    );
    after
}

proptest! {
    #[test]
    fn any_page_comes_back_with_and_without_a_baseline(page in any_page(), former in any_page(), age_ticks in 1u32..64) {
        for baseline in [None, Some(Baseline { copy: &former, age_ticks })] {
            let mut bytes = vec![0xab];
            page.encode(baseline, CENTER, &mut bytes);
            let length = bytes.len() - 1;
            bytes.extend_from_slice(&[0xcd; 3]);
            let read = PageCopy::decode(&bytes[1..], CENTER, |age| {
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
            let after = next(&here, &mut random, age_ticks);
            let mut bytes = Vec::new();
            after.encode(Some(Baseline { copy: &here, age_ticks }), CENTER, &mut bytes);
            there = PageCopy::decode(&bytes, CENTER, |_| Some(&there)).expect("it was encoded").0;
            prop_assert_eq!(&there, &after);
            here = after;
        }
    }

    #[test]
    fn whatever_the_bytes_are_reading_them_ends_within_bounds(bytes in prop::collection::vec(any::<u8>(), 0..400), former in any_page()) {
        if let Ok((page, length)) = PageCopy::decode(&bytes, CENTER, |_| Some(&former)) {
            prop_assert!(length <= bytes.len());
            prop_assert!(page.characters().all(|(_, _, state)| state.is_valid()));
            // What is valid can be said, also when it was said less briefly than it can be.
            let mut again = Vec::new();
            page.encode(None, CENTER, &mut again);
            prop_assert_eq!(PageCopy::decode(&again, CENTER, |_| None), Ok((page, again.len())));
        }
    }

    #[test]
    fn a_page_that_is_cut_off_is_refused(page in any_page(), cut in 0usize..1_000) {
        let mut bytes = Vec::new();
        page.encode(None, CENTER, &mut bytes);
        let cut = cut % bytes.len();
        prop_assert!(PageCopy::decode(&bytes[..cut], CENTER, |_| None).is_err());
    }
}

#[test]
fn a_page_against_a_copy_that_the_reader_does_not_have_is_refused() {
    let page = PageCopy::default();
    let mut bytes = Vec::new();
    page.encode(Some(Baseline { copy: &page, age_ticks: 5 }), CENTER, &mut bytes);
    assert_eq!(bytes, [5], "nobody is there and nothing is new");
    assert_eq!(PageCopy::decode(&bytes, CENTER, |_| None), Err(WireError::NotAccepted));
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
            let velocity = steps(way_m, 64 * VELOCITY_STEPS_PER_STEP);
            let owner = PageOwner { net_id: NetId(slot as u32), archetype: Archetype::Player };
            page.put(slot, owner, PageState { position, velocity, ..PageState::default() });
        }
        page
    };
    let mut bytes = Vec::new();
    let ticks = 100;
    for tick in 0..ticks {
        page_at(tick + 3).encode(Some(Baseline { copy: &page_at(tick), age_ticks: 3 }), IVec3::ZERO, &mut bytes);
    }
    // Seven bits and half a byte are the page's.
    let bits_each = (bytes.len() as f64 * 8.0 / f64::from(ticks) - 11.0) / PAGE_SLOTS as f64;
    println!("{bits_each:.2} bits");
    assert!((4.0..5.5).contains(&bits_each), "{bits_each:.2} bits");
}
