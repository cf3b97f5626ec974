//! A crowd crosses a town with walls and doors, half of it each way, through gates of 4 m and doors of 1.6 m.

use throng_shared::config::{BotProfileConfig, Formation, PackConfig};
use throng_tests::{Crossing, CrossingReport, town_to_cross};

const BOTS: usize = 2_000;

/// Lets time pass until `until_s` since the beginning.
fn report_at(crossing: &mut Crossing, until_s: u32) -> CrossingReport {
    let rate_hz = crossing.instance().tick_rate().hz();
    while crossing.instance().current_tick().0 < until_s * rate_hz {
        crossing.step();
    }
    crossing.report()
}

fn check(mut crossing: Crossing) {
    let start = report_at(&mut crossing, 1);
    assert_eq!((start.bots, start.across), (BOTS, 0));
    let minute = report_at(&mut crossing, 60);
    assert_eq!(minute.stuck, 0, "{minute:?}: {:?}", crossing.stuck_places());
    let end = report_at(&mut crossing, 120);
    assert_eq!((end.across, end.stuck), (BOTS, 0), "{end:?}");
    // Who touches a wall is stopped by it, a millimetre deep in numbers of this kind; who were nowhere near one would not have crossed the town.
    assert!((-0.01..0.002).contains(&end.deepest_m), "{end:?}");
}

#[test]
fn a_crowd_that_is_watched_crosses_the_town() {
    check(Crossing::new(BOTS as u32, true));
}

#[test]
fn a_crowd_that_nobody_sees_crosses_the_town() {
    check(Crossing::new(BOTS as u32, false));
}

#[test]
fn a_crowd_in_packs_crosses_the_town_and_leaves_nobody_behind() {
    const PACKED: u32 = 400;
    for formation in [Formation::Wedge, Formation::Line] {
        let mut world = town_to_cross(PACKED);
        let pack = PackConfig { size: 6, formation, spacing_m: 2.0 };
        let bots = world.config.bots.clone();
        world.config.bot_profiles = vec![BotProfileConfig { pack, ..BotProfileConfig::new("band", bots) }];
        let mut crossing = Crossing::of(world, true);
        let start = report_at(&mut crossing, 10);
        let packs = crossing.instance().totals().packs;
        assert!(packs.members > 350 && packs.packs < 80, "{packs:?}");
        let minute = report_at(&mut crossing, 60);
        assert_eq!((start.across, minute.stuck), (0, 0), "{minute:?}: {:?}", crossing.stuck_places());
        // Who met a pack that had places, and came the other way, has gone back with it first.
        let end = report_at(&mut crossing, 240);
        assert_eq!((end.across, end.stuck), (PACKED as usize, 0), "{end:?}: {:?}", crossing.stuck_places());
        assert!((-0.01..0.002).contains(&end.deepest_m), "{end:?}");
    }
}
