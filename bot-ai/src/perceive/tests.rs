use throng_shared::random::Random;

use super::*;

/// The columns and the grid of characters at `positions_m` with ids 10, 11, 12 and so on.
fn crowd(positions_m: Vec<Vec2>) -> (CharacterColumns, Grid) {
    let mut columns = CharacterColumns::default();
    columns.resize(positions_m.len());
    columns.net_ids = (0..positions_m.len() as u32).map(|index| NetId(10 + index)).collect();
    columns.positions_m = positions_m;
    let mut grid = Grid::new(200.0, 40.0);
    grid.rebuild(&columns.positions_m);
    (columns, grid)
}

/// What a bot sees, whatever it saw before.
fn seen_ids((columns, grid): &(CharacterColumns, Grid), viewer: &Viewer) -> Vec<u32> {
    let look = |crowd_radius_m: f32| {
        let mut percepts = Percepts { crowd_radius_m, ..Percepts::default() };
        look_around(
            &Others { columns, grid, marks: &Marks::default(), homes: &Homes::default() },
            viewer,
            &mut percepts,
        );
        percepts.seen().iter().map(|seen| seen.net_id.0).collect::<Vec<u32>>()
    };
    let first = look(f32::INFINITY);
    for crowd_radius_m in [0.0, 1.0, 10.0, 1e9] {
        assert_eq!(look(crowd_radius_m), first, "after a crowd within {crowd_radius_m} m");
    }
    first
}

fn viewer(net_id: u32, position_m: Vec2, sight_m: f32) -> Viewer {
    Viewer { net_id: NetId(net_id), position_m, sight_m, attention: [None; 2] }
}

#[test]
fn a_bot_sees_what_a_full_scan_sees_and_never_itself() {
    let mut random = Random::new(5, 0);
    for (count, spread_m) in [(0, 1.0), (3, 30.0), (60, 90.0), (500, 90.0), (500, 3.0)] {
        let crowd = crowd((0..count).map(|_| random.in_disc(spread_m)).collect());
        for index in 0..count.min(40) {
            let viewer = viewer(10 + index as u32, crowd.0.positions_m[index], 25.0);
            let mut scan: Vec<(f32, u32)> = (0..count)
                .filter(|&other| other != index)
                .map(|other| (crowd.0.positions_m[other].distance_squared(viewer.position_m), 10 + other as u32))
                .filter(|&(distance_squared, _)| distance_squared <= 25.0 * 25.0)
                .collect();
            scan.sort_by(|a, b| a.partial_cmp(b).expect("finite distances"));
            let scan: Vec<u32> = scan.into_iter().take(SEEN_MAX).map(|(_, net_id)| net_id).collect();
            assert_eq!(seen_ids(&crowd, &viewer), scan);
        }
    }
}

#[test]
fn ties_are_broken_by_id_whatever_cell_they_are_in() {
    let crowd = crowd(vec![Vec2::new(0.0, 3.0), Vec2::new(-3.0, 0.0), Vec2::new(3.0, 0.0), Vec2::new(0.0, -3.0)]);
    assert_eq!(seen_ids(&crowd, &viewer(99, Vec2::ZERO, 5.0)), [10, 11, 12, 13]);
}

#[test]
fn whom_a_bot_attends_to_is_seen_behind_any_crowd_but_not_beyond_sight() {
    let mut positions_m = vec![Vec2::X; 20];
    positions_m.extend([Vec2::new(20.0, 0.0), Vec2::new(26.0, 0.0)]);
    let crowd = crowd(positions_m);
    let attending = |net_id| Viewer { attention: [Some(NetId(net_id)), None], ..viewer(99, Vec2::ZERO, 25.0) };
    assert_eq!(seen_ids(&crowd, &attending(30)), [10, 11, 12, 13, 14, 15, 16, 30]);
    assert_eq!(seen_ids(&crowd, &attending(31)), [10, 11, 12, 13, 14, 15, 16, 17]);
    assert_eq!(seen_ids(&crowd, &attending(12)), [10, 11, 12, 13, 14, 15, 16, 17]);
    assert_eq!(seen_ids(&crowd, &attending(77)), [10, 11, 12, 13, 14, 15, 16, 17]);
    let both = |attention: [u32; 2]| {
        let viewer = Viewer { attention: attention.map(|net_id| Some(NetId(net_id))), ..viewer(99, Vec2::ZERO, 25.0) };
        seen_ids(&crowd, &viewer)
    };
    assert_eq!(both([12, 30]), [10, 11, 12, 13, 14, 15, 16, 30]);
    assert_eq!(both([29, 30]), [10, 11, 12, 13, 14, 15, 16, 30], "whom the pack fights comes first");
}

#[test]
fn without_sight_nobody_is_seen() {
    let crowd = crowd(vec![Vec2::ZERO; 3]);
    for sight_m in [0.0, -1.0, f32::NAN] {
        assert!(seen_ids(&crowd, &viewer(99, Vec2::ZERO, sight_m)).is_empty());
    }
}

#[test]
fn a_bot_knows_its_enemies_and_knows_nothing_of_whom_it_may_not() {
    use throng_shared::attributes::Concealment;

    let (columns, grid) = crowd((0..7).map(|x| Vec2::new(x as f32, 0.0)).collect());
    let mut marks = Marks::default();
    let (red, blue, dead) = (Mark { team: Some(1), side: Some(1), ..Mark::default() }, Some(2), true);
    let all = [
        Mark { health_percent: 40, ..red },
        red,
        Mark { team: blue, side: blue, ..red },
        Mark { team: blue, side: blue, is_dead: dead, ..red },
        Mark { team: blue, side: blue, concealment: Concealment::FromOtherTeams, ..red },
        Mark { concealment: Concealment::FromOtherTeams, ..red },
        Mark { concealment: Concealment::FromOthers, ..red },
    ];
    marks.begin(all.len()).copy_from_slice(&all);
    let ids = |seen: &mut dyn Iterator<Item = &Seen>| seen.map(|seen| seen.net_id.0).collect::<Vec<_>>();
    let others = Others { columns: &columns, grid: &grid, marks: &marks, homes: &Homes::default() };
    let mut percepts = Percepts::default();
    // Whoever is kept an eye on is not known either when it conceals itself.
    for attention in [None, Some(NetId(14)), Some(NetId(16))] {
        let viewer = Viewer { attention: [None, attention], ..viewer(10, Vec2::ZERO, 50.0) };
        look_around(&others, &viewer, &mut percepts);
        assert_eq!(ids(&mut percepts.seen().iter()), [11, 12, 13, 15]);
        assert_eq!(ids(&mut percepts.enemies()), [12], "neither allies nor the dead");
        assert_eq!(percepts.own_health_percent(), 40);
    }
    // Who has no side is against everybody.
    let mut marks = Marks::default();
    marks.begin(all.len()).copy_from_slice(&all);
    marks.begin(all.len())[1] = red;
    look_around(
        &Others { columns: &columns, grid: &grid, marks: &marks, homes: &Homes::default() },
        &viewer(10, Vec2::ZERO, 1.5),
        &mut percepts,
    );
    assert_eq!(ids(&mut percepts.enemies()), [11]);
}
