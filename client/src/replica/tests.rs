use glam::{IVec2, Vec2};
use throng_shared::attributes::Schema;
use throng_shared::ids::Archetype;
use throng_shared::quantised::QuantisedState;
use throng_shared::wire::page::{PageCopy, PageDeed, PageOwner, PageState, PageView};
use throng_shared::wire::snapshot::SnapshotHeader;

use super::*;

/// Pages of a server, as its last ticks had them, under their numbers.
#[derive(Default)]
struct Server {
    past: Vec<BTreeMap<u8, PageCopy>>,
}

fn owner(net_id: u32) -> PageOwner {
    PageOwner { net_id: NetId(net_id), archetype: Archetype::BOT }
}

fn state(x: i32) -> PageState {
    let state = QuantisedState { position: glam::IVec3::new(x, 0, 0), ..QuantisedState::default() };
    PageState::new(IVec2::ZERO, &state, [0; 3])
}

impl Server {
    /// Lives through a tick: who is in which page, in which slot, and where.
    fn tick(&mut self, characters: &[(u8, usize, u32, i32)]) {
        let mut pages: BTreeMap<u8, PageCopy> = BTreeMap::new();
        for &(number, slot, net_id, x) in characters {
            pages.entry(number).or_default().put(slot, owner(net_id), state(x));
        }
        self.past.push(pages);
    }

    /// Who was in a slot of a page has left the world with the newest tick.
    fn depart(&mut self, number: u8, slot: usize) {
        self.past.last_mut().expect("a tick has been").entry(number).or_default().clear(slot, true);
    }

    /// Lives through ticks in which nothing changes; the reader hears of each.
    fn pass(&mut self, replica: &mut Replica, ticks: u32) {
        for _ in 0..ticks {
            self.past.push(self.past.last().cloned().unwrap_or_default());
            apply(replica, &self.snapshot(&[], &[])).expect("there is nothing in it");
        }
    }

    /// The newest tick's snapshot: each page with the age of its baseline, and pages that end.
    fn snapshot(&self, pages: &[(u8, u32)], ends: &[u8]) -> Vec<u8> {
        let now = self.past.len() - 1;
        let empty = PageCopy::default();
        let page = |tick: usize, number: u8| self.past[tick].get(&number).unwrap_or(&empty);
        let mut bytes = Vec::new();
        for &(number, age_ticks) in pages {
            bytes.push(number);
            let later = page(now, number);
            let baseline =
                (age_ticks > 0).then(|| page(now - age_ticks as usize, number).baseline_of(later, age_ticks));
            later.view().encode(Schema::EMPTY, baseline, &mut bytes);
        }
        let header = SnapshotHeader { tick: Tick(now as u32 + 1), ..SnapshotHeader::default() };
        let mut out = Vec::new();
        Snapshot { header, fighter: &[], ends, crowd: None, own: None, pages: &bytes }.encode(Schema::EMPTY, &mut out);
        out
    }
}

fn apply(replica: &mut Replica, bytes: &[u8]) -> Result<Option<Applied>, WireError> {
    replica.apply(&Snapshot::decode(Schema::EMPTY, bytes).expect("it was encoded"))
}

fn seen(replica: &Replica) -> Vec<(u32, i32)> {
    replica.entities().map(|entity| (entity.net_id.0, entity.state.position.x)).collect()
}

#[test]
fn whoever_goes_from_page_to_page_is_seen_all_the_while_and_once() {
    let (mut server, mut replica) = (Server::default(), Replica::default());
    server.tick(&[(1, 0, 100, 5), (1, 1, 101, 6), (2, 0, 102, 7)]);
    apply(&mut replica, &server.snapshot(&[(1, 0), (2, 0)], &[])).expect("absolute");
    assert_eq!(seen(&replica), [(100, 5), (101, 6), (102, 7)]);
    // Both pages in one snapshot, the old one first; and then back, the new one first.
    server.tick(&[(1, 1, 101, 6), (2, 0, 102, 7), (2, 1, 100, 8)]);
    apply(&mut replica, &server.snapshot(&[(1, 1), (2, 1)], &[])).expect("its baselines are here");
    assert_eq!(seen(&replica), [(100, 8), (101, 6), (102, 7)]);
    server.tick(&[(1, 0, 100, 9), (1, 1, 101, 6), (2, 0, 102, 7)]);
    apply(&mut replica, &server.snapshot(&[(2, 1), (1, 1)], &[])).expect("its baselines are here");
    assert_eq!(seen(&replica), [(100, 9), (101, 6), (102, 7)]);
    // The new page is told a tick before the old one.
    server.tick(&[(1, 1, 101, 6), (2, 0, 102, 7), (2, 1, 100, 10)]);
    apply(&mut replica, &server.snapshot(&[(2, 1)], &[])).expect("its baseline is here");
    server.tick(&[(1, 1, 101, 6), (2, 0, 102, 7), (2, 1, 100, 11)]);
    apply(&mut replica, &server.snapshot(&[(1, 2)], &[])).expect("its baseline is here");
    assert_eq!(seen(&replica), [(100, 10), (101, 6), (102, 7)]);
}

#[test]
fn a_page_that_ends_takes_along_who_was_only_there() {
    let (mut server, mut replica) = (Server::default(), Replica::default());
    server.tick(&[(1, 0, 100, 5), (1, 1, 101, 6)]);
    apply(&mut replica, &server.snapshot(&[(1, 0)], &[])).expect("absolute");
    server.tick(&[(1, 0, 100, 5), (2, 0, 101, 6)]);
    apply(&mut replica, &server.snapshot(&[(2, 0)], &[1])).expect("absolute");
    assert_eq!(seen(&replica), [(100, 5), (101, 6)], "one may be found in a page that is told later");
    server.pass(&mut replica, LINGER_TICKS_DEFAULT);
    assert_eq!(seen(&replica), [(101, 6)]);
    // The number is another page's now, and that one's baseline is not the former's.
    server.tick(&[(1, 0, 103, 5), (2, 0, 101, 6)]);
    let against_the_former = server.snapshot(&[(1, 2)], &[]);
    assert_eq!(apply(&mut replica, &against_the_former), Err(WireError::NotAccepted));
    apply(&mut replica, &server.snapshot(&[(1, 0)], &[])).expect("absolute");
    assert_eq!(seen(&replica), [(101, 6), (103, 5)]);
}

#[test]
fn what_is_told_without_a_baseline_replaces_what_was_there() {
    let (mut server, mut replica) = (Server::default(), Replica::default());
    server.tick(&[(1, 0, 100, 5), (1, 1, 101, 6)]);
    apply(&mut replica, &server.snapshot(&[(1, 0)], &[])).expect("absolute");
    server.tick(&[(1, 0, 102, 5)]);
    apply(&mut replica, &server.snapshot(&[(1, 0)], &[])).expect("absolute");
    server.pass(&mut replica, LINGER_TICKS_DEFAULT);
    assert_eq!(seen(&replica), [(102, 5)]);
}

#[test]
fn whoever_is_missed_in_its_page_is_shown_until_it_must_have_been_found_in_another() {
    let (mut server, mut replica) = (Server::default(), Replica::default());
    server.tick(&[(1, 0, 100, 1), (1, 1, 101, 1), (1, 2, 102, 1), (1, 3, 104, 1), (2, 0, 103, 1)]);
    apply(&mut replica, &server.snapshot(&[(1, 0), (2, 0)], &[])).expect("absolute");
    // Two have gone to page 3, of which is told later, and one to where nothing is told; one has left the world, and page 2 has
    // ended, whose only one may be in another page too.
    server.tick(&[(3, 0, 100, 2), (3, 1, 101, 2)]);
    server.depart(1, 3);
    apply(&mut replica, &server.snapshot(&[(1, 1)], &[2])).expect("its baseline is here");
    assert_eq!(seen(&replica), [(100, 1), (101, 1), (102, 1), (103, 1)], "who has left is out of view at once");
    server.pass(&mut replica, LINGER_TICKS_DEFAULT - 2);
    server.tick(&[(3, 0, 100, 3), (3, 1, 101, 3)]);
    apply(&mut replica, &server.snapshot(&[(3, 0)], &[])).expect("absolute");
    assert_eq!(seen(&replica), [(100, 3), (101, 3), (102, 1), (103, 1)]);
    server.pass(&mut replica, 1);
    assert_eq!(seen(&replica), [(100, 3), (101, 3)]);
    // Found, missed, and found again: the first time that it was missed does not count any more.
    server.tick(&[(3, 0, 100, 4)]);
    apply(&mut replica, &server.snapshot(&[(3, 2)], &[])).expect("its baseline is here");
    server.tick(&[(3, 0, 100, 5), (3, 1, 101, 5)]);
    apply(&mut replica, &server.snapshot(&[(3, 1)], &[])).expect("its baseline is here");
    server.tick(&[(3, 0, 100, 6)]);
    apply(&mut replica, &server.snapshot(&[(3, 1)], &[])).expect("its baseline is here");
    server.pass(&mut replica, LINGER_TICKS_DEFAULT - 1);
    assert_eq!(seen(&replica), [(100, 6), (101, 5)]);
    server.pass(&mut replica, 1);
    assert_eq!(seen(&replica), [(100, 6)]);
}

#[test]
fn what_cannot_be_read_or_came_before_changes_nothing() {
    let (mut server, mut replica) = (Server::default(), Replica::default());
    server.tick(&[(1, 0, 100, 1)]);
    server.tick(&[(1, 0, 100, 2)]);
    let second = server.snapshot(&[(1, 0)], &[1]);
    assert_eq!(apply(&mut replica, &second).map(|applied| applied.is_some()), Ok(true));
    assert_eq!(apply(&mut replica, &second), Ok(None));
    server.tick(&[(1, 0, 100, 3), (2, 0, 101, 3)]);
    // Its first page is sound, its second is told against what never came; or it tells a page twice.
    for wrong in [&[(1, 1), (2, 1)], &[(1, 1), (1, 1)]] {
        assert!(apply(&mut replica, &server.snapshot(wrong, &[])).is_err());
        assert_eq!((seen(&replica), replica.newest_tick()), (vec![(100, 2)], Tick(2)));
    }
}

#[test]
fn of_a_snapshot_that_was_overtaken_only_what_no_later_one_told_is_shown_and_all_of_it_can_be_a_baseline() {
    let (mut server, mut replica) = (Server::default(), Replica::default());
    server.tick(&[(1, 0, 100, 1), (2, 0, 101, 1)]);
    let first = server.snapshot(&[(1, 0), (2, 0)], &[]);
    // In the meantime one has gone from page 2 to page 3, and page 2 was not told of it yet.
    server.tick(&[(1, 0, 100, 2), (3, 0, 101, 2), (2, 1, 102, 2)]);
    let second = server.snapshot(&[(1, 0), (3, 0)], &[]);
    apply(&mut replica, &second).expect("absolute");
    assert_eq!(apply(&mut replica, &first), Ok(Some(Applied { enters: 0, updates: 0 })));
    assert_eq!((seen(&replica), replica.newest_tick()), (vec![(100, 2), (101, 2)], Tick(2)));
    assert_eq!(apply(&mut replica, &first), Ok(None), "once is enough");
    // Both pages of the first can be told against.
    server.tick(&[(1, 0, 100, 3), (3, 0, 101, 3), (2, 1, 102, 3)]);
    apply(&mut replica, &server.snapshot(&[(1, 2), (2, 2), (3, 1)], &[])).expect("the first is known");
    assert_eq!(seen(&replica), [(100, 3), (101, 3), (102, 3)]);
}

#[test]
fn what_was_told_of_a_page_that_has_ended_since_is_of_another_page() {
    let (mut server, mut replica) = (Server::default(), Replica::default());
    server.tick(&[(1, 0, 100, 1)]);
    let first = server.snapshot(&[(1, 0)], &[]);
    server.tick(&[(1, 0, 100, 2)]);
    let end = server.snapshot(&[], &[1]);
    apply(&mut replica, &end).expect("an end");
    assert_eq!(apply(&mut replica, &first).map(|applied| applied.is_some()), Ok(true));
    assert!(replica.is_empty());
    // The number begins anew; an end that comes late was of the page before.
    let (mut server, mut replica) = (Server::default(), Replica::default());
    server.tick(&[]);
    let end = server.snapshot(&[], &[1]);
    server.tick(&[(1, 0, 100, 2)]);
    apply(&mut replica, &server.snapshot(&[(1, 0)], &[])).expect("absolute");
    apply(&mut replica, &end).expect("an end");
    assert_eq!(seen(&replica), [(100, 2)]);
}

#[test]
fn what_was_overtaken_by_too_much_or_is_told_against_what_is_forgotten_is_as_good_as_lost() {
    let (mut server, mut replica) = (Server::default(), Replica::default());
    server.tick(&[(1, 0, 100, 1)]);
    let oldest = server.snapshot(&[(1, 0)], &[]);
    server.tick(&[(1, 0, 100, 2)]);
    let old = server.snapshot(&[(1, 1)], &[]);
    for tick in 3..=33 {
        server.tick(&[(1, 0, 100, tick)]);
        apply(&mut replica, &server.snapshot(&[(1, 0)], &[])).expect("absolute");
    }
    assert_eq!(apply(&mut replica, &old), Ok(None), "its baseline never came");
    assert_eq!(apply(&mut replica, &oldest).map(|applied| applied.is_some()), Ok(true), "32 ticks ago");
    server.tick(&[(1, 0, 100, 34)]);
    apply(&mut replica, &server.snapshot(&[(1, 0)], &[])).expect("absolute");
    assert_eq!(apply(&mut Replica::default(), &oldest).map(|applied| applied.is_some()), Ok(true));
    let mut late = Replica::default();
    apply(&mut late, &server.snapshot(&[(1, 0)], &[])).expect("absolute");
    assert_eq!(apply(&mut late, &oldest), Ok(None), "33 ticks ago: it cannot be acknowledged");
    assert_eq!(seen(&replica), [(100, 34)]);
}

#[test]
fn copies_are_kept_until_a_newer_baseline_is_used_and_one_of_an_earlier_tick_stands_for_later_ones() {
    let (mut server, mut replica) = (Server::default(), Replica::default());
    for tick in 1..=10 {
        server.tick(&[(1, 0, 100, tick)]);
        apply(&mut replica, &server.snapshot(&[(1, 0)], &[])).expect("absolute");
    }
    // Any of them can be meant, also out of turn while none newer was.
    for age_ticks in [9, 5, 5, 3] {
        server.tick(&[(1, 0, 100, 11)]);
        apply(&mut replica, &server.snapshot(&[(1, age_ticks)], &[])).expect("it is kept");
    }
    // Nothing was told of these ticks, because nothing changed.
    for _ in 0..40 {
        server.tick(&[(1, 0, 100, 11)]);
    }
    server.tick(&[(1, 0, 100, 12)]);
    let applied = apply(&mut replica, &server.snapshot(&[(1, 1)], &[])).expect("the last copy stands for it");
    assert_eq!((applied, seen(&replica)), (Some(Applied { enters: 0, updates: 1 }), vec![(100, 12)]));
}

#[test]
fn the_own_character_is_not_one_of_the_others() {
    let (mut server, mut replica) = (Server::default(), Replica::default());
    server.tick(&[(1, 0, 100, 1), (1, 1, 101, 1)]);
    replica.leave_out(NetId(101));
    let applied = apply(&mut replica, &server.snapshot(&[(1, 0)], &[])).expect("absolute");
    assert_eq!((applied, seen(&replica)), (Some(Applied { enters: 1, updates: 0 }), vec![(100, 1)]));
}

#[test]
fn whoever_comes_back_into_another_slot_of_its_page_is_still_there() {
    let (mut server, mut replica) = (Server::default(), Replica::default());
    server.tick(&[(1, 0, 100, 1), (1, 1, 101, 1)]);
    apply(&mut replica, &server.snapshot(&[(1, 0)], &[])).expect("absolute");
    server.tick(&[(1, 0, 101, 2), (1, 1, 100, 2)]);
    apply(&mut replica, &server.snapshot(&[(1, 1)], &[])).expect("its baseline is here");
    assert_eq!(seen(&replica), [(100, 2), (101, 2)]);
}

/// A snapshot with nothing but a stretch of a crowd: how many are in which page.
fn crowd_snapshot(tick: u32, after: u32, is_last: bool, groups: &[(u32, u8)]) -> Vec<u8> {
    let mut scan = CrowdScan::new(after);
    scan.is_last = is_last;
    for &(key, count) in groups {
        assert!(scan.push(CrowdRecord::new(key, count, 1, Vec2::new(10.0, -20.5), Vec2::new(1.5, 0.0))));
    }
    let header = SnapshotHeader { tick: Tick(tick), ..SnapshotHeader::default() };
    let mut out = Vec::new();
    Snapshot { header, fighter: &[], ends: &[], crowd: Some(scan), own: None, pages: &[] }
        .encode(Schema::EMPTY, &mut out);
    out
}

#[test]
fn a_crowd_is_what_the_last_scan_of_each_stretch_says() {
    let mut replica = Replica::default();
    let hear = |replica: &mut Replica, after, is_last, groups: &[(u32, u8)]| {
        let tick = replica.newest_tick().0 + 2;
        apply(replica, &crowd_snapshot(tick, after, is_last, groups)).expect("it is well-formed");
        replica.crowd().map(|group| (group.key, group.count)).collect::<Vec<_>>()
    };
    assert_eq!(hear(&mut replica, 0, false, &[(2, 10), (5, 20)]), [(2, 10), (5, 20)]);
    assert_eq!(hear(&mut replica, 5, true, &[(7, 3), (9, 4)]), [(2, 10), (5, 20), (7, 3), (9, 4)]);
    assert_eq!(hear(&mut replica, 0, false, &[(5, 21)]), [(5, 21), (7, 3), (9, 4)], "2 would have come before 5");
    assert_eq!(
        hear(&mut replica, 7, false, &[(8, 1)]),
        [(5, 21), (7, 3), (8, 1), (9, 4)],
        "what is lost in between stays"
    );
    assert_eq!(hear(&mut replica, 5, true, &[]), [(5, 21)]);
    let group = *replica.crowd().next().expect("there is one");
    assert_eq!((group.middle_m(), group.velocity_mps()), (Vec2::new(10.0, -20.5), Vec2::new(1.5, 0.0)));
    // One that was overtaken says what was, not what is.
    let late = crowd_snapshot(replica.newest_tick().0 + 1, 0, true, &[(1, 1)]);
    assert!(hear(&mut replica, 0, true, &[]).is_empty());
    apply(&mut replica, &late).expect("it is well-formed");
    assert_eq!(replica.crowd().count(), 0);
}

/// The snapshot of a tick with the one page 5, in which 7 stands in slot 0 and 8 in slot 1; each deed is a slot, its age and the ability.
fn with_deeds(tick: u32, deeds: &[(u8, u8, u8)]) -> Vec<u8> {
    let mut page = PageCopy::new(IVec2::ZERO);
    for slot in 0..2 {
        let owner = PageOwner { net_id: NetId(7 + slot as u32), archetype: Archetype::PLAYER };
        page.put(slot, owner, PageState::default());
    }
    let deed = |&(slot, age_ticks, ability)| PageDeed { slot, age_ticks, ability, yaw: 160, pitch: -160 };
    let deeds: Vec<PageDeed> = deeds.iter().map(deed).collect();
    let mut bytes = vec![5];
    PageView { deeds: Some(&deeds), ..page.view() }.encode(Schema::EMPTY, None, &mut bytes);
    let header = SnapshotHeader { tick: Tick(tick), tells_deeds: true, ..SnapshotHeader::default() };
    let mut out = Vec::new();
    Snapshot { header, pages: &bytes, ..Snapshot::default() }.encode(Schema::EMPTY, &mut out);
    out
}

#[test]
fn a_deed_that_is_told_until_it_is_acknowledged_is_handed_out_once_and_when_it_is_shown() {
    let mut replica = Replica::default();
    let mut told = |tick: u32, deeds: &[(u8, u8, u8)]| {
        apply(&mut replica, &with_deeds(tick, deeds)).expect("it can be read").expect("it is new");
    };
    told(7, &[(1, 1, 9)]);
    told(10, &[(0, 2, 3)]);
    told(12, &[(0, 4, 3), (1, 1, 4), (0, 0, 5)]);
    // One that was overtaken tells nothing that the newer one has not told.
    told(11, &[(0, 3, 3), (1, 0, 4)]);
    told(13, &[(0, 1, 5), (1, 0, 6)]);
    let mut until = |tick: f64| -> Vec<(u32, u32, u8)> {
        let deeds = std::iter::from_fn(|| replica.next_deed(tick));
        deeds.map(|deed| (deed.tick.0, deed.who.0, deed.ability)).collect()
    };
    assert_eq!(until(7.9), [], "what was done in tick 6 was before it came into view");
    assert_eq!(until(8.0), [(8, 7, 3)]);
    assert_eq!(until(12.5), [(11, 8, 4), (12, 7, 5)]);
    assert_eq!(until(1e9), [(13, 8, 6)]);
    // Nobody asks: the oldest go.
    (14..1_500).for_each(|tick| told_of(&mut replica, tick));
    assert_eq!(std::iter::from_fn(|| replica.next_deed(1e9)).count(), DEEDS_MAX);
}

fn told_of(replica: &mut Replica, tick: u32) {
    apply(replica, &with_deeds(tick, &[(0, 0, 1)])).expect("it can be read").expect("it is new");
}
