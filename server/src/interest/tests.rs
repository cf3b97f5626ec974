use glam::Vec2;
use throng_client::Replica;
use throng_shared::ids::NetId;
use throng_shared::quantised::{QuantisedState, quantise_position};
use throng_shared::spatial::CharacterColumns;
use throng_shared::tick::{Tick, TickRate};
use throng_shared::wire::inputs::SnapshotAcks;
use throng_shared::wire::snapshot::{Snapshot, SnapshotHeader};

use super::*;

const RULES: InterestRules =
    InterestRules { enter_radius_m: 60.0, leave_radius_m: 70.0, visible_max: 250, sight_radius_m: 130.0 };

/// One client, and others at places of a line.
struct Scene {
    pages: Pages,
    view: ClientView,
    replica: Replica,
    acks: SnapshotAcks,
    tick: Tick,
    viewer_m: Vec2,
    others_m: Vec<f32>,
}

impl Scene {
    fn new(others_m: &[f32]) -> Scene {
        let rate = TickRate::new(20);
        Scene {
            pages: Pages::new(400.0, RULES.enter_radius_m, rate),
            view: ClientView::new(rate),
            replica: Replica::default(),
            acks: SnapshotAcks::default(),
            tick: Tick(0),
            viewer_m: Vec2::ZERO,
            others_m: others_m.to_vec(),
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
        self.pages.record(self.tick, &columns);
        self.pages.begin_wanting();
        self.view.advance(self.tick);
        self.view.acknowledge(&self.acks);
        self.view.observe(&self.pages, &RULES, self.viewer_m);
        self.view.plan(&self.pages, RULES.visible_max);
        self.pages.encode_wanted(self.tick);
        let (header, mut out) = (SnapshotHeader { tick: self.tick, ..SnapshotHeader::default() }, Vec::new());
        self.view.write_snapshot(header, is_wanted, &self.pages, &mut out);
        out
    }

    /// The client gets a snapshot; its acknowledgement is there in the next tick.
    fn hear(&mut self, bytes: &[u8]) {
        let snapshot = Snapshot::decode(bytes).expect("it was written");
        assert!(self.replica.apply(&snapshot).expect("it can be read").is_some());
        self.acks.insert(snapshot.header.tick);
    }

    fn seen_m(&self) -> Vec<f32> {
        self.replica.entities().map(|entity| entity.state.position_m().x).collect()
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
    assert_eq!(scene.view.take_counts().snapshots_lost, 2);
    assert!((0..100).all(|_| scene.tick(false).is_empty()));
}

#[test]
fn after_a_long_rest_a_change_is_told_against_what_the_client_has() {
    let mut scene = Scene::new(&[10.0, 12.0]);
    let bytes = scene.tick(false);
    scene.hear(&bytes);
    assert!((0..100).all(|_| scene.tick(false).is_empty()));
    scene.view.take_counts();
    scene.others_m[1] = 12.5;
    let bytes = scene.tick(false);
    scene.hear(&bytes);
    assert_eq!(scene.seen_m(), [10.0, 12.5]);
    let counts = scene.view.take_counts();
    assert_eq!((counts.enters, counts.updates), (0, 1));
}

#[test]
fn what_was_never_acknowledged_is_told_whole_until_it_is() {
    let mut scene = Scene::new(&[10.0]);
    for step in 0..200 {
        scene.others_m[0] += 0.02;
        let bytes = scene.tick(false);
        let mut alone = Replica::default();
        let snapshot = Snapshot::decode(&bytes).expect("it was written");
        assert!(alone.apply(&snapshot).is_ok() && alone.len() == 1, "step {step}: whoever has nothing can read it");
    }
    let bytes = scene.tick(true);
    scene.hear(&bytes);
    scene.others_m[0] += 0.02;
    let bytes = scene.tick(false);
    scene.hear(&bytes);
    assert!(
        Replica::default().apply(&Snapshot::decode(&bytes).expect("it was written")).is_err(),
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
        assert_eq!(Snapshot::decode(&bytes).expect("it was written").ends.len(), 1);
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
    for round in 0..3 * throng_shared::wire::snapshot::PAGES_MAX {
        let is_near = round % 2 == 0;
        scene.viewer_m = if is_near { Vec2::ZERO } else { Vec2::new(180.0, 0.0) };
        for _ in 0..2 {
            let bytes = scene.tick(true);
            scene.hear(&bytes);
        }
        assert_eq!(scene.seen_m().len(), usize::from(is_near), "round {round}");
    }
}
