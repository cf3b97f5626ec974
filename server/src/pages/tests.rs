use std::collections::BTreeMap;

use proptest::prelude::*;
use throng_shared::attributes::Schema;
use throng_shared::ids::Archetype;
use throng_shared::quantised::{QuantisedState, quantise_position};
use throng_shared::random::Random;
use throng_shared::wire::page::PageCopy;

use super::*;

const SIZE_M: f32 = 200.0;
/// Cells of 40 m.
const RADIUS_M: f32 = 40.0 * CELLS_PER_RADIUS;
const RATE_HZ: u32 = 20;

/// Whether a reader is told nothing of a page that it has of a tick.
fn is_as_at(pages: &Pages, page: u32, then: Tick) -> bool {
    let head = pages.head(page);
    Glance::new(head, pages.rows.written_since(page)).is_as_at(then, head.changed)
}

/// People who walk, jump from place to place, come and go; and what the pages were in every tick.
struct Scene {
    pages: Pages,
    random: Random,
    people: BTreeMap<u32, (Vec3, Vec3)>,
    next_id: u32,
    tick: Tick,
    columns: CharacterColumns,
    past: Vec<Vec<PageCopy>>,
    /// Whether anybody is told of them.
    is_watched: bool,
}

impl Scene {
    fn new(seed: u64) -> Scene {
        Scene {
            pages: Pages::new(SIZE_M, RADIUS_M, TickRate::new(RATE_HZ), Arc::default()),
            random: Random::new(seed, 0),
            people: BTreeMap::new(),
            next_id: 1,
            tick: Tick(0),
            columns: CharacterColumns::default(),
            past: Vec::new(),
            is_watched: true,
        }
    }

    fn anywhere(&mut self) -> Vec3 {
        let mut at = || self.random.between(-SIZE_M / 2.0, SIZE_M / 2.0);
        Vec3::new(at(), at() / 8.0, at())
    }

    /// Somebody comes, to a place of its own or into a crowd.
    fn come(&mut self) {
        let place_m = if self.random.percent(60.0) { Vec3::new(5.0, 0.0, 5.0) } else { self.anywhere() };
        self.people.insert(self.next_id, (place_m, Vec3::ZERO));
        self.next_id += 1;
    }

    /// A tick, and everybody is told of everything.
    fn tick(&mut self) {
        self.live();
        self.look();
    }

    fn look(&mut self) {
        if self.is_watched {
            (0..self.pages.heads.len() as u32).for_each(|page| self.pages.watch(page));
        }
        let copies = (0..self.pages.heads.len() as u32).map(|page| self.told(page, 0, None)).collect();
        self.past.push(copies);
    }

    /// A tick of which nobody is told anything.
    fn live(&mut self) {
        self.tick = self.tick + 1;
        for id in self.people.keys().copied().collect::<Vec<_>>() {
            let (mut place_m, mut way_m) = self.people[&id];
            match self.random.below(100) {
                0 => drop(self.people.remove(&id)),
                1 => place_m = self.anywhere(),
                2..6 => way_m = Vec3::new(self.random.between(-0.3, 0.3), 0.0, self.random.between(-0.3, 0.3)),
                6..9 => way_m = Vec3::ZERO,
                _ => {}
            }
            place_m = (place_m + way_m).clamp(Vec3::splat(-SIZE_M / 2.0), Vec3::splat(SIZE_M / 2.0));
            if let Some(person) = self.people.get_mut(&id) {
                *person = (place_m, way_m);
            }
        }
        for _ in 0..self.random.below(4) {
            self.come();
        }
        self.columns.resize(self.people.len());
        for (row, (&id, &(place_m, _))) in self.people.iter().enumerate() {
            self.columns.net_ids[row] = NetId(id);
            self.columns.archetypes[row] = if id % 2 == 0 { Archetype::BOT } else { Archetype::PLAYER };
            self.columns.positions_m[row] = Vec2::new(place_m.x, place_m.z);
            self.columns.heights_m[row] = place_m.y;
            self.columns.states[row] =
                QuantisedState { position: quantise_position(place_m), ..QuantisedState::default() };
        }
        self.pages.record(self.tick, &self.columns, &[]);
    }

    /// What a reader makes of what it is told who has the page of so many ticks ago.
    fn told(&mut self, page: u32, age_ticks: u32, baseline: Option<&PageCopy>) -> PageCopy {
        self.pages.begin_wanting();
        // Others ask too, if they have had time to know anything.
        let others = if age_ticks > 1 { 1 } else { 0 };
        for age_ticks in [0, others, age_ticks] {
            self.pages.want(page, age_ticks);
        }
        self.pages.encode_wanted(self.tick, &self.columns);
        let (variant, mut bytes) = (self.pages.told(page).variant(age_ticks), vec![7]);
        variant.append_to(&mut bytes);
        assert_eq!(bytes.len(), 1 + variant.length_bytes());
        let read = PageCopy::decode(Schema::EMPTY, false, &bytes[1..], |asked_ticks| {
            assert_eq!(asked_ticks, age_ticks);
            baseline
        });
        let (copy, length) = read.expect("what is told can be read");
        assert_eq!(length, variant.length_bytes());
        copy
    }

    /// Where everybody is: page and slot.
    fn places(&self) -> BTreeMap<NetId, (u32, usize)> {
        let now = self.past.last().expect("a tick has been");
        let all = now.iter().enumerate().flat_map(|(page, copy)| {
            copy.characters().map(move |(slot, owner, _)| (owner.net_id, (page as u32, slot)))
        });
        let all: Vec<_> = all.collect();
        let places: BTreeMap<_, _> = all.iter().copied().collect();
        assert_eq!(places.len(), all.len(), "somebody is in two slots");
        places
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn everybody_is_in_one_slot_of_its_cell_and_keeps_it_while_it_stays(seed: u64) {
        let mut scene = Scene::new(seed);
        (0..60).for_each(|_| scene.come());
        let mut before = BTreeMap::new();
        for _ in 0..60 {
            scene.tick();
            let places = scene.places();
            prop_assert_eq!(places.keys().copied().collect::<Vec<_>>(), scene.columns.net_ids.clone());
            for (row, net_id) in scene.columns.net_ids.iter().enumerate() {
                let (page, slot) = places[net_id];
                let apart_m2 = scene.pages.distance_squared_m2(page, &[scene.columns.positions_m[row]]);
                prop_assert!(apart_m2 == 0.0 && !scene.pages.head(page).is_retired);
                let copy = &scene.past.last().expect("a tick has been")[page as usize];
                let told = copy.quantised().find(|(owner, ..)| owner.net_id == *net_id).expect("it is there");
                prop_assert_eq!(told.1, scene.columns.states[row]);
                prop_assert_eq!(told.0.archetype, scene.columns.archetypes[row]);
                if let Some((page_before, slot_before)) = before.get(net_id)
                    && *page_before == page
                {
                    prop_assert_eq!(*slot_before, slot);
                }
            }
            before = places;
        }
    }

    #[test]
    fn whoever_has_a_page_of_any_remembered_tick_makes_the_same_of_what_it_is_told(seed: u64) {
        let mut scene = Scene::new(seed);
        (0..40).for_each(|_| scene.come());
        for _ in 0..80 {
            scene.tick();
        }
        let age_max = scene.pages.baseline_age_ticks_max();
        for _ in 0..20 {
            scene.tick();
            let age_ticks = 1 + scene.random.below(age_max);
            let then = scene.past[(scene.tick.0 - age_ticks) as usize - 1].clone();
            for (page, baseline) in then.iter().enumerate() {
                let told = scene.told(page as u32, age_ticks, Some(baseline));
                let characters = |copy: &PageCopy| copy.characters().collect::<Vec<_>>();
                let now = &scene.past[scene.tick.0 as usize - 1][page];
                prop_assert_eq!(characters(&told), characters(now), "of {} ticks ago", age_ticks);
                // Whoever is said to have left the world has, and is said so whenever it had its slot to the end.
                for (slot, owner, _) in baseline.characters().filter(|(slot, ..)| told.owner(*slot).is_none()) {
                    let is_here = scene.people.contains_key(&owner.net_id.0);
                    prop_assert!(!is_here || !told.has_departed(slot), "slot {}", slot);
                }
            }
        }
    }

    #[test]
    fn who_looks_is_told_the_same_whether_anybody_has_looked_before(seed: u64, looks in prop::collection::vec(0u32..250, 1..6)) {
        // Of two equal worlds one is looked at all the time, and one seldom, for some ticks.
        let (mut always, mut seldom) = (Scene::new(seed), Scene::new(seed));
        (0..40).for_each(|_| always.come());
        (0..40).for_each(|_| seldom.come());
        let mut known: Vec<(Tick, Vec<PageCopy>)> = Vec::new();
        for tick in 0..250 {
            always.tick();
            seldom.live();
            let now = always.past.last().expect("a tick has been");
            let characters = |copy: &PageCopy| copy.characters().collect::<Vec<_>>();
            for (then, copies) in &known {
                for (page, copy) in (0..).zip(copies) {
                    if is_as_at(&seldom.pages, page, *then) {
                        prop_assert_eq!(characters(copy), characters(&now[page as usize]), "page {} of {:?}", page, then);
                    }
                }
            }
            if looks.iter().any(|&look| (look..look + 4).contains(&tick)) {
                seldom.look();
                prop_assert_eq!(Some(now), seldom.past.last());
                known.push((seldom.tick, now.clone()));
            }
        }
        // The last look is still remembered, unless nobody was there to look.
        let age_ticks = known.last().map_or(0, |(then, _)| seldom.tick.since(*then));
        if (1..=seldom.pages.baseline_age_ticks_max()).contains(&age_ticks) {
            for (page, baseline) in known.last().map_or(&[][..], |(_, copies)| copies).iter().enumerate() {
                let told = seldom.told(page as u32, age_ticks, Some(baseline));
                let now = &always.past.last().expect("a tick has been")[page];
                prop_assert!(told.characters().eq(now.characters()));
            }
        }
    }

    #[test]
    fn a_page_has_changed_when_and_only_when_it_is_another_than_a_tick_before(seed: u64) {
        let mut scene = Scene::new(seed);
        (0..30).for_each(|_| scene.come());
        scene.tick();
        for _ in 0..60 {
            scene.tick();
            let [.., before, now] = &scene.past[..] else { panic!("two ticks have been") };
            for (page, copy) in now.iter().enumerate() {
                let is_other = before.get(page).is_none_or(|before| before != copy);
                let has_changed = scene.pages.head(page as u32).changed == scene.tick;
                // Who left and came back within the tick, or gave its slot to its like, is a change that cannot be seen.
                prop_assert!(has_changed || !is_other);
                if has_changed && !is_other {
                    prop_assert_eq!(scene.pages.heads[page].owners_changed, scene.tick);
                }
            }
        }
    }
}

#[test]
fn what_is_told_of_a_page_is_right_from_the_first_time_on_and_again_after_a_while_without_readers() {
    let mut scene = Scene::new(7);
    scene.is_watched = false;
    (0..60).for_each(|_| scene.come());
    (0..40).for_each(|_| scene.tick());
    for _ in 0..3 {
        scene.is_watched = true;
        scene.tick();
        let first = scene.tick;
        for age_ticks in 1..=20 {
            scene.tick();
            let then = scene.past[first.0 as usize - 1].clone();
            for (page, baseline) in then.iter().enumerate() {
                let told = scene.told(page as u32, age_ticks, Some(baseline));
                let truth = &scene.past[scene.tick.0 as usize - 1][page];
                assert!(told.characters().eq(truth.characters()), "page {page}, {age_ticks} ticks after");
            }
        }
        scene.is_watched = false;
        (0..80).for_each(|_| scene.tick());
    }
}

#[test]
fn who_was_told_of_a_page_long_ago_is_told_again_though_nobody_has_seen_anything_change() {
    let mut pages = Pages::new(SIZE_M, RADIUS_M, TickRate::new(RATE_HZ), Arc::default());
    let mut columns = CharacterColumns::default();
    columns.resize(1);
    columns.net_ids[0] = NetId(1);
    let mut live = |pages: &mut Pages, tick: u32, x_m: f32, is_looked_at: bool| {
        columns.positions_m[0] = Vec2::new(x_m, 5.0);
        columns.states[0] =
            QuantisedState { position: quantise_position(Vec3::new(x_m, 0.0, 5.0)), ..QuantisedState::default() };
        pages.record(Tick(tick), &columns, &[]);
        if is_looked_at {
            pages.watch(0);
        }
        pages.encode_wanted(Tick(tick), &columns);
    };
    let is_as_at = |pages: &Pages, then: u32| is_as_at(pages, 0, Tick(then));
    (1..=5).for_each(|tick| live(&mut pages, tick, 5.0, true));
    assert!(is_as_at(&pages, 4));
    // Nobody looks; after a while somebody walks, and stands again long before anybody looks.
    (6..=100).for_each(|tick| live(&mut pages, tick, 5.0, false));
    (101..=120).for_each(|tick| live(&mut pages, tick, 5.0 + 0.1 * (tick - 100) as f32, false));
    (121..=140).for_each(|tick| live(&mut pages, tick, 7.0, false));
    assert!(!is_as_at(&pages, 5), "before anybody looks");
    live(&mut pages, 141, 7.0, true);
    assert!(!is_as_at(&pages, 5), "when somebody looks");
    live(&mut pages, 142, 7.0, true);
    assert!(!is_as_at(&pages, 5), "and from then on");
    assert!(is_as_at(&pages, 141));
}

#[test]
fn a_cell_is_split_when_a_crowd_comes_and_whole_again_when_it_has_gone() {
    let mut pages = Pages::new(SIZE_M, RADIUS_M, TickRate::new(RATE_HZ), Arc::default());
    let mut random = Random::new(9, 0);
    let mut sides = Vec::new();
    let counts = [40, 96, 97, 200, 300, 1_000, 1_000, 600, 300, 100, 60, 40, 200, 0, 5];
    for (step, count) in counts.into_iter().enumerate() {
        let mut columns = CharacterColumns::default();
        columns.resize(count);
        for row in 0..count {
            columns.net_ids[row] = NetId(row as u32 + 1);
            // All in one cell of 40 m, and nobody near its edge.
            columns.positions_m[row] = Vec2::new(random.between(-18.0, 18.0), random.between(-18.0, 18.0));
        }
        // The first tick brings them, and in the second the cell is judged by them.
        for tick in [2 * step as u32 + 1, 2 * step as u32 + 2] {
            pages.record(Tick(tick), &columns, &[]);
        }
        let mut here = 0;
        for (page, head) in pages.heads.iter().enumerate() {
            assert!(head.occupied == 0 || !head.is_retired, "step {step}: somebody is left behind in page {page}");
            here += head.occupied.count_ones() as usize;
        }
        assert_eq!(here, count, "step {step}");
        for (member, &position_m) in pages.members.iter().zip(&columns.positions_m) {
            assert_eq!(pages.distance_squared_m2(member.page, &[position_m]), 0.0);
        }
        let mut areas = 0;
        let is_split = pages.areas().for_each_within(Vec2::ZERO, 0.5, |_, _| areas += 1);
        assert!(is_split || areas == 1);
        let (_, half_m) = pages.areas().extent_m(pages.areas().at(0, Vec2::ZERO));
        sides.push((20.0 / half_m).round() as u32);
    }
    // The finest that a cell of 40 m may have is 10.
    assert_eq!(sides, [1, 1, 4, 4, 8, 10, 10, 10, 8, 4, 4, 1, 4, 1, 1]);
}

#[test]
fn where_cells_are_too_small_for_finer_parts_nobody_is_moved_for_nothing() {
    // Cells of 16 m: no level is finer than 4 parts along a side.
    let mut pages = Pages::new(SIZE_M, 16.0, TickRate::new(RATE_HZ), Arc::default());
    let mut random = Random::new(9, 0);
    let places_m: Vec<Vec2> =
        (0..1_300).map(|_| Vec2::new(random.between(-3.9, 11.0), random.between(-3.9, 11.0))).collect();
    let mut before: Vec<(u32, u8)> = Vec::new();
    for (step, count) in [200, 300, 800, 1_300, 700, 300, 150].into_iter().enumerate() {
        let mut columns = CharacterColumns::default();
        columns.resize(count);
        for (row, place_m) in places_m[..count].iter().enumerate() {
            (columns.net_ids[row], columns.positions_m[row]) = (NetId(row as u32 + 1), *place_m);
        }
        for tick in 1..=3 {
            pages.record(Tick(3 * step as u32 + tick), &columns, &[]);
        }
        let now: Vec<(u32, u8)> = pages.members.iter().map(|member| (member.page, member.slot)).collect();
        let both = before.len().min(now.len());
        assert_eq!(now[..both], before[..both], "step {step}");
        before = now;
    }
}
