use glam::Vec2;
use std::sync::Arc;

use throng_client::Replica;
use throng_shared::attributes::Schema;
use throng_shared::config::TierConfig;
use throng_shared::ids::NetId;
use throng_shared::quantised::{QuantisedState, quantise_position};
use throng_shared::spatial::CharacterColumns;
use throng_shared::tick::{Tick, TickRate};
use throng_shared::wire::inputs::SnapshotAcks;
use throng_shared::wire::page::PAGE_SLOTS;
use throng_shared::wire::snapshot::{PAGES_MAX, Snapshot, SnapshotHeader};

use super::budget::DATAGRAM_OVERHEAD_BYTES;
use super::*;
use crate::pages::{CELLS_PER_RADIUS, Viewer};

/// Everybody is told in every tick, and no budget limits what.
fn rules() -> InterestRules {
    InterestRules {
        enter_radius_m: 60.0,
        leave_radius_m: 70.0,
        visible_max: 250,
        sight_radius_m: 130.0,
        tiers: Tiers::new(&[], TickRate::new(20)),
        bytes_per_tick: 10_000.0,
        delay_ticks: 3,
    }
}

/// One client, and others at places of a line.
struct Scene {
    pages: Pages,
    view: ClientView,
    replica: Replica,
    acks: SnapshotAcks,
    tick: Tick,
    viewer_m: Vec2,
    anchors_m: Vec<Vec2>,
    pins: Vec<NetId>,
    others_m: Vec<f32>,
    rules: InterestRules,
    counts: ViewCounts,
}

impl Scene {
    fn new(others_m: &[f32]) -> Scene {
        let rate = TickRate::new(20);
        Scene {
            // Cells of 40 m.
            pages: Pages::new(400.0, 40.0 * CELLS_PER_RADIUS, rate, Arc::default()),
            view: ClientView::new(rate),
            replica: Replica::default(),
            acks: SnapshotAcks::default(),
            tick: Tick(0),
            viewer_m: Vec2::ZERO,
            anchors_m: Vec::new(),
            pins: Vec::new(),
            others_m: others_m.to_vec(),
            rules: rules(),
            counts: ViewCounts::default(),
        }
    }

    /// Lives through a tick; the snapshot, which may be empty.
    fn tick(&mut self, is_wanted: bool) -> Vec<u8> {
        self.tick = self.tick + 1;
        let mut columns = CharacterColumns::default();
        columns.resize(self.others_m.len());
        for (row, &x_m) in self.others_m.iter().enumerate() {
            columns.net_ids[row] = NetId(row as u32 + 1);
            columns.positions_m[row] = Vec2::new(x_m, 0.0);
            let position = quantise_position(glam::Vec3::new(x_m, 0.0, 0.0));
            columns.states[row] = QuantisedState { position, ..QuantisedState::default() };
        }
        self.pages.record(self.tick, &columns, &[]);
        self.pages.begin_wanting();
        self.view.advance(self.tick);
        self.view.acknowledge(&self.acks, &self.rules);
        let mut scratch = Scratch::default();
        let pinned = self.pins.iter().filter_map(|&pin| self.pages.page_of(pin));
        scratch.attend(Viewer::default(), std::iter::once(self.viewer_m).chain(self.anchors_m.iter().copied()), pinned);
        self.view.observe(&self.pages, &self.rules, 0, &mut scratch);
        self.view.plan(&self.pages, &self.rules);
        self.pages.encode_wanted(self.tick, &columns);
        let (header, mut out) = (SnapshotHeader { tick: self.tick, ..SnapshotHeader::default() }, Vec::new());
        self.view.write_snapshot(header, &[], is_wanted, &self.pages, &self.rules, &mut out, &mut self.counts);
        out
    }

    /// The client gets a snapshot; its acknowledgement is there in the next tick.
    fn hear(&mut self, bytes: &[u8]) {
        let snapshot = Snapshot::decode(Schema::EMPTY, bytes).expect("it was written");
        assert!(self.replica.apply(&snapshot).expect("it can be read").is_some());
        self.acks.insert(snapshot.header.tick);
    }

    /// What has happened since this was last called.
    fn take_counts(&mut self) -> ViewCounts {
        std::mem::take(&mut self.counts)
    }

    fn seen_m(&self) -> Vec<f32> {
        let told = self.replica.entities().filter(|entity| !entity.is_missing());
        told.map(|entity| entity.state.position_m().x).collect()
    }
}

#[test]
fn what_rests_is_told_twice_and_again_only_when_both_are_lost() {
    let mut scene = Scene::new(&[10.0]);
    let told: Vec<bool> = (0..8).map(|_| !scene.tick(false).is_empty()).collect();
    assert_eq!(told, [true, true, false, false, false, false, false, false]);
    // A later one arrives, which shows that both were lost.
    let empty = scene.tick(true);
    scene.hear(&empty);
    assert!(scene.seen_m().is_empty());
    let again = scene.tick(false);
    scene.hear(&again);
    assert_eq!(scene.seen_m(), [10.0]);
    assert_eq!(scene.take_counts().snapshots_lost, 2);
    assert!((0..100).all(|_| scene.tick(false).is_empty()));
}

#[test]
fn after_a_long_rest_a_change_is_told_against_what_the_client_has() {
    let mut scene = Scene::new(&[10.0, 12.0]);
    let bytes = scene.tick(false);
    scene.hear(&bytes);
    assert!((0..100).all(|_| scene.tick(false).is_empty()));
    scene.take_counts();
    scene.others_m[1] = 12.5;
    let bytes = scene.tick(false);
    scene.hear(&bytes);
    assert_eq!(scene.seen_m(), [10.0, 12.5]);
    let counts = scene.take_counts();
    assert_eq!((counts.enters, counts.updates), (0, 1));
}

#[test]
fn what_was_never_acknowledged_is_told_whole_until_it_is() {
    let mut scene = Scene::new(&[10.0]);
    for step in 0..200 {
        scene.others_m[0] += 0.02;
        let bytes = scene.tick(false);
        let mut alone = Replica::default();
        let snapshot = Snapshot::decode(Schema::EMPTY, &bytes).expect("it was written");
        assert!(alone.apply(&snapshot).is_ok() && alone.len() == 1, "step {step}: whoever has nothing can read it");
    }
    let bytes = scene.tick(true);
    scene.hear(&bytes);
    scene.others_m[0] += 0.02;
    let bytes = scene.tick(false);
    scene.hear(&bytes);
    assert!(
        Replica::default().apply(&Snapshot::decode(Schema::EMPTY, &bytes).expect("it was written")).is_err(),
        "now it is told briefly"
    );
    // What is under way is lost with the connection, what has arrived is not.
    scene.view.lose_all();
    scene.others_m[0] += 0.02;
    let bytes = scene.tick(false);
    scene.hear(&bytes);
    assert!((scene.seen_m()[0] - scene.others_m[0]).abs() < 0.01);
}

#[test]
fn that_a_page_is_told_no_longer_is_repeated_until_it_is_acknowledged() {
    let mut scene = Scene::new(&[10.0]);
    for _ in 0..3 {
        let bytes = scene.tick(true);
        scene.hear(&bytes);
    }
    assert_eq!(scene.seen_m(), [10.0]);
    scene.viewer_m = Vec2::new(180.0, 0.0);
    for _ in 0..5 {
        let bytes = scene.tick(false);
        assert_eq!(Snapshot::decode(Schema::EMPTY, &bytes).expect("it was written").ends.len(), 1);
    }
    let bytes = scene.tick(false);
    scene.hear(&bytes);
    assert!(scene.seen_m().is_empty());
    assert!((0..50).all(|_| scene.tick(false).is_empty()));
    // The number is free, and stands for another page when somebody is there.
    scene.others_m.push(170.0);
    let bytes = scene.tick(false);
    scene.hear(&bytes);
    assert_eq!(scene.seen_m(), [170.0]);
}

#[test]
fn whoever_goes_to_the_next_cell_is_seen_without_a_gap_whichever_snapshots_are_lost() {
    for lost_every in 2..6 {
        let mut scene = Scene::new(&[-45.0, 30.0]);
        for step in 0..400 {
            scene.others_m[0] += 0.25;
            let bytes = scene.tick(true);
            if step % lost_every != 0 {
                scene.hear(&bytes);
            }
            let seen = scene.replica.get(NetId(1)).map(|entity| entity.state.position_m().x);
            let is_in_reach = scene.others_m[0] < 55.0;
            assert!(!is_in_reach || step < 3 || seen.is_some(), "step {step}, at {} m", scene.others_m[0]);
        }
        assert!(
            scene.replica.get(NetId(1)).is_some() && scene.replica.get(NetId(2)).is_some() || scene.others_m[0] > 55.0
        );
    }
}

#[test]
fn a_number_comes_back_when_its_end_is_acknowledged_however_often_one_comes_and_goes() {
    let mut scene = Scene::new(&[10.0]);
    for round in 0..3 * PAGES_MAX {
        let is_near = round % 2 == 0;
        scene.viewer_m = if is_near { Vec2::ZERO } else { Vec2::new(180.0, 0.0) };
        for _ in 0..2 {
            let bytes = scene.tick(true);
            scene.hear(&bytes);
        }
        assert_eq!(scene.seen_m().len(), usize::from(is_near), "round {round}");
    }
}

/// As many at each place.
fn crowds(places_m: &[f32], count: usize) -> Vec<f32> {
    places_m.iter().flat_map(|&x_m| std::iter::repeat_n(x_m, count)).collect()
}

#[test]
fn where_a_crowd_was_its_empty_pages_hide_nobody() {
    // More pages than there are numbers, in cells before and behind that of the one who stays.
    let mut scene = Scene::new(&crowds(&[-50.0, -10.0, 10.0, 50.0], PAGES_MAX * PAGE_SLOTS / 3));
    scene.tick(false);
    scene.others_m = vec![55.0];
    scene.tick(false);
    scene.view = ClientView::new(TickRate::new(20));
    let bytes = scene.tick(false);
    scene.hear(&bytes);
    assert_eq!(scene.seen_m(), [55.0]);
    // One comes into a page that has long been empty, and whoever stands still hears of it.
    scene.others_m = crowds(&[55.0], 40);
    for _ in 0..2 {
        let bytes = scene.tick(true);
        scene.hear(&bytes);
    }
    assert_eq!(scene.seen_m().len(), 40);
}

#[test]
fn what_was_left_out_is_told_to_who_stands_still_when_there_is_room() {
    let mut scene = Scene::new(&crowds(&[5.0, -25.0], 16));
    (scene.rules.visible_max, scene.viewer_m) = (20, Vec2::new(2.0, 0.0));
    for _ in 0..10 {
        let bytes = scene.tick(true);
        scene.hear(&bytes);
        assert_eq!(scene.seen_m(), [5.0; 16]);
    }
    scene.others_m = crowds(&[5.0, -25.0], 8);
    for _ in 0..10 {
        let bytes = scene.tick(true);
        scene.hear(&bytes);
    }
    assert_eq!(scene.seen_m(), crowds(&[5.0, -25.0], 8));
}

#[test]
fn whoever_runs_through_a_crowd_that_is_too_large_is_told_of_no_more_than_may_be_and_of_its_own_page_always() {
    let mut scene = Scene::new(&crowds(&[-50.0, -10.0, 10.0, 50.0], 30));
    scene.rules.visible_max = 70;
    scene.take_counts();
    for step in 0..200 {
        scene.viewer_m.x = 30.0 - step as f32 * 0.3;
        scene.others_m.iter_mut().for_each(|x_m| *x_m += if step % 2 == 0 { 0.1 } else { -0.1 });
        let bytes = scene.tick(true);
        scene.hear(&bytes);
        let told = scene.seen_m().len();
        assert!(told <= 71, "step {step}: {told} are told");
        let own_cell = if scene.viewer_m.x > 1.0 { 10.0 } else { -10.0 };
        let near = scene.replica.entities().filter(|other| (other.state.position_m().x - own_cell).abs() < 0.2);
        let is_at_edge = scene.viewer_m.x.abs() < 3.0;
        assert!(is_at_edge || near.filter(|other| other.updated == scene.tick).count() == 30, "step {step}");
    }
    // Pages change places a few times, each of which tells thirty their names for some ticks; no more.
    assert!(scene.take_counts().enters < 1_000);
}

#[test]
fn in_a_datagram_that_is_full_nobody_waits_for_ever() {
    let places_m: Vec<f32> = (0..40).map(|place| -59.0 + place as f32 * 3.0).collect();
    let mut scene = Scene::new(&crowds(&places_m, 20));
    scene.rules.visible_max = 1_000;
    // Nothing is acknowledged, so that everything is told whole: it takes some eight datagrams.
    let mut told = Replica::default();
    for step in 0..120 {
        scene.others_m.iter_mut().for_each(|x_m| *x_m += if step % 2 == 0 { 0.1 } else { -0.1 });
        let bytes = scene.tick(true);
        told.apply(&Snapshot::decode(Schema::EMPTY, &bytes).expect("it was written")).expect("it can be read");
    }
    let oldest_ticks = told.entities().map(|other| scene.tick.since(other.updated)).max();
    assert!(told.len() == 800 && oldest_ticks.is_some_and(|ticks| ticks <= 30), "{}, {oldest_ticks:?}", told.len());
    assert!(scene.take_counts().deferred > 10_000);
}

#[test]
fn when_there_are_more_pages_than_numbers_the_nearest_have_them() {
    let mut scene = Scene::new(&crowds(&[-10.0, 30.0], PAGES_MAX * PAGE_SLOTS * 2 / 3));
    scene.others_m.push(-55.0);
    scene.rules.visible_max = 1_000_000;
    // The cell of the one who is alone is the nearest, and its page the last that is looked at.
    scene.viewer_m = Vec2::new(-50.0, 0.0);
    scene.tick(false);
    let owns = NetId(scene.others_m.len() as u32);
    assert!(scene.view.characters(&scene.pages, NetId(0)).any(|net_id| net_id == owns));
    let count = scene.view.characters(&scene.pages, NetId(0)).count();
    assert!(count > PAGES_MAX * PAGE_SLOTS / 2, "{count}");
}

/// Tiers of 1, 2 and 4 ticks, within 15 m, 30 m and beyond.
fn tiers() -> Tiers {
    let tier = |within_m, staleness_ms| TierConfig { within_m, staleness_ms };
    Tiers::new(&[tier(15.0, 50), tier(30.0, 100), tier(70.0, 200)], TickRate::new(20))
}

#[test]
fn the_far_are_told_as_often_as_their_tier_says_and_the_first_time_at_once() {
    let mut scene = Scene::new(&[-45.0, 10.0, 30.0, 65.0]);
    (scene.rules.tiers, scene.viewer_m) = (tiers(), Vec2::new(10.0, 0.0));
    let bytes = scene.tick(false);
    scene.hear(&bytes);
    assert_eq!(scene.seen_m().len(), 4, "all are told at once");
    let (mut told, mut largest) = ([0; 4], 0);
    for step in 0..80 {
        scene.others_m.iter_mut().for_each(|x_m| *x_m += if step % 2 == 0 { 0.2 } else { -0.2 });
        let bytes = scene.tick(false);
        scene.hear(&bytes);
        let mut told_now = 0;
        for (row, told) in told.iter_mut().enumerate() {
            let updated = scene.replica.get(NetId(row as u32 + 1)).expect("it is in view").updated;
            assert!(scene.tick.since(updated) < 4);
            *told += u32::from(updated == scene.tick);
            told_now += u32::from(updated == scene.tick);
        }
        largest = largest.max(told_now);
    }
    // 44 m, 0 m (its own cell), 0 m and 29 m away from the cells that they are in.
    assert_eq!(told, [20, 80, 80, 40]);
    assert_eq!(scene.take_counts().late, 0);
}

#[test]
fn what_a_lost_snapshot_told_of_the_far_is_told_again_as_soon_as_that_is_known() {
    let mut scene = Scene::new(&[-45.0]);
    // Once in sixteen ticks.
    let tier = TierConfig { within_m: 70.0, staleness_ms: 250 };
    (scene.rules.tiers, scene.viewer_m) = (Tiers::new(&[tier], TickRate::new(64)), Vec2::new(10.0, 0.0));
    let mut tellings = 0;
    let mut ages = Vec::new();
    for step in 0..600 {
        scene.others_m[0] += if step % 2 == 0 { 0.2 } else { -0.2 };
        let bytes = scene.tick(true);
        let tells = !Snapshot::decode(Schema::EMPTY, &bytes).expect("it was written").pages.is_empty();
        tellings += u32::from(tells);
        // Every other telling is lost.
        if !tells || tellings % 2 == 1 {
            scene.hear(&bytes);
        }
        ages.extend(scene.replica.get(NetId(1)).map(|other| scene.tick.since(other.updated)));
    }
    // It is told after sixteen ticks, and that it is lost is known when snapshots of three later ticks have arrived.
    assert!(ages.len() > 590 && ages.iter().all(|&age| age <= 16 + 5), "{ages:?}");
}

#[test]
fn a_budget_is_kept_and_whoever_has_to_wait_for_it_is_counted_as_late() {
    let mut scene = Scene::new(&crowds(&[-50.0, -10.0, 10.0, 50.0], 30));
    scene.rules.bytes_per_tick = 250.0;
    let (mut sent, mut oldest) = (0, 0);
    for step in 0..400 {
        // Not as expected, each time.
        scene.others_m.iter_mut().for_each(|x_m| *x_m += [0.1, 0.3, -0.4][step % 3]);
        let bytes = scene.tick(true);
        scene.hear(&bytes);
        sent += bytes.len() + DATAGRAM_OVERHEAD_BYTES;
        let ages = scene.replica.entities().map(|other| scene.tick.since(other.updated));
        oldest = if step < 100 { 0 } else { oldest.max(ages.max().unwrap_or(0)) };
    }
    let allowed = 400 * 250;
    assert!(sent <= allowed + 1_253 && sent > allowed * 9 / 10, "{sent} of {allowed} bytes");
    let counts = scene.take_counts();
    assert!(counts.late > 1_000 && counts.late <= counts.deferred, "{counts:?}");
    assert_eq!(scene.seen_m().len(), 120);
    assert!((2..40).contains(&oldest), "somebody waited {oldest} ticks");
    // With all that they need, nobody is late any more.
    scene.rules.bytes_per_tick = 10_000.0;
    for step in 0..20 {
        scene.others_m.iter_mut().for_each(|x_m| *x_m += [0.1, 0.3, -0.4][step % 3]);
        let bytes = scene.tick(true);
        scene.hear(&bytes);
    }
    assert_eq!(scene.take_counts().late, 0);
}

#[test]
fn a_link_that_loses_a_third_is_sent_less_until_it_is_better() {
    let mut scene = Scene::new(&crowds(&[-50.0, -10.0, 10.0, 50.0], 30));
    scene.rules.bytes_per_tick = 600.0;
    let mut sent = [0; 3];
    for step in 0..1_800 {
        scene.others_m.iter_mut().for_each(|x_m| *x_m += [0.1, 0.3, -0.4][step % 3]);
        let bytes = scene.tick(true);
        let part = step / 600;
        sent[part] += bytes.len();
        if part != 1 || step % 3 > 0 {
            scene.hear(&bytes);
        }
    }
    assert!(sent[1] * 2 < sent[0], "{sent:?}");
    assert!(sent[2] * 10 > sent[0] * 7, "{sent:?}");
    assert!(!scene.view.is_held_back() && scene.take_counts().congestions > 5);
}

#[test]
fn in_a_crowd_the_nearest_are_told_one_by_one_and_everybody_else_as_part_of_it() {
    // Ten in each metre of a line; the viewer runs through them.
    let mut scene = Scene::new(&(0..600).map(|place| -30.0 + place as f32 / 10.0).collect::<Vec<_>>());
    scene.rules.visible_max = 160;
    let mut nearest_missed = 0;
    for step in 0..200 {
        scene.viewer_m.x = -20.0 + step as f32 * 0.2;
        scene.others_m.iter_mut().for_each(|x_m| *x_m += if step % 2 == 0 { 0.1 } else { -0.1 });
        let bytes = scene.tick(true);
        scene.hear(&bytes);
        // Those who have gone out of view linger, and so do those whose turn is over.
        assert!(scene.replica.len() <= 161 + 80, "step {step}: {} are told", scene.replica.len());
        if step < 20 {
            continue;
        }
        let near = (1..=600).filter(|&id| (scene.others_m[id as usize - 1] - scene.viewer_m.x).abs() < 2.0);
        nearest_missed += near.filter(|&id| scene.replica.get(NetId(id)).is_none()).count();
        let told = scene.replica.entities().filter(|other| !other.is_missing()).count();
        let represented = told + scene.replica.crowd().map(|group| usize::from(group.count)).sum::<usize>();
        // Whoever went from one to the other since the crowd's turn counts twice or not at all.
        assert!((520..=680).contains(&represented), "step {step}: {represented} of 600");
    }
    assert_eq!(nearest_missed, 0);
    for _ in 0..20 {
        let bytes = scene.tick(true);
        scene.hear(&bytes);
    }
    let told = scene.replica.entities().filter(|other| !other.is_missing()).count();
    assert_eq!(told + scene.replica.crowd().map(|group| usize::from(group.count)).sum::<usize>(), 600);
    let middle_m = scene.replica.crowd().map(|group| group.middle_m().x).fold(0.0, f32::min);
    assert!((-30.0..-20.0).contains(&middle_m), "the farthest group is at {middle_m} m");
    // Most leave; those who stay are told one by one, and there is no crowd any more, whichever snapshots are lost.
    scene.others_m.truncate(100);
    for step in 0..40 {
        let bytes = scene.tick(true);
        if step % 5 == 2 || step % 5 == 4 {
            scene.hear(&bytes);
        }
    }
    assert_eq!((scene.replica.crowd().count(), scene.replica.len()), (0, 100));
}

#[test]
fn who_sees_from_several_places_is_told_of_all_of_them_once_each() {
    let mut scene = Scene::new(&[-170.0, -120.0, -10.0, 30.0, 120.0]);
    let settle = |scene: &mut Scene| {
        for _ in 0..14 {
            let bytes = scene.tick(true);
            scene.hear(&bytes);
        }
        scene.seen_m()
    };
    assert_eq!(settle(&mut scene), [-10.0, 30.0]);
    scene.anchors_m = vec![Vec2::new(130.0, 0.0), Vec2::new(20.0, 0.0)];
    assert_eq!(settle(&mut scene), [-10.0, 30.0, 120.0], "and whoever is near two of them once");
    // The anchor goes on, and its surroundings with it.
    scene.anchors_m = vec![Vec2::new(-160.0, 0.0)];
    assert_eq!(settle(&mut scene), [-170.0, -120.0, -10.0, 30.0]);
    scene.anchors_m.clear();
    assert_eq!(settle(&mut scene), [-10.0, 30.0]);
}

#[test]
fn who_is_pinned_is_told_however_far_away_and_however_many_are_nearer() {
    let mut scene = Scene::new(&crowds(&[-50.0, -10.0, 10.0, 50.0], 30));
    (scene.rules.visible_max, scene.viewer_m) = (40, Vec2::new(-10.0, 0.0));
    scene.others_m.push(190.0);
    scene.pins = vec![NetId(121), NetId(100), NetId(999)];
    for step in 0..60 {
        scene.others_m.iter_mut().for_each(|x_m| *x_m += if step % 2 == 0 { 0.1 } else { -0.1 });
        let bytes = scene.tick(true);
        scene.hear(&bytes);
        let is_fresh = |id| scene.replica.get(NetId(id)).is_some_and(|known| known.updated == scene.tick);
        assert!(is_fresh(121) && is_fresh(100), "step {step}");
    }
    scene.pins.clear();
    for _ in 0..20 {
        let bytes = scene.tick(true);
        scene.hear(&bytes);
    }
    assert_eq!(scene.seen_m().iter().filter(|x_m| **x_m > 20.0).count(), 0, "they are as far away as all others now");
}
