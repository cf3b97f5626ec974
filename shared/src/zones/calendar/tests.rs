use glam::Vec2;

use super::*;
use crate::config::{OutlineConfig, builtin_world};

/// The meadow with a town of 100 and a wood without a number, where a day takes 24 minutes.
fn config() -> WorldConfig {
    let mut config = builtin_world().config;
    let zone = |name: &str, population| ZoneConfig {
        name: name.to_owned(),
        kind: ZoneKind::Safe,
        center_m: Vec2::ZERO,
        outline: OutlineConfig::Circle { radius_m: 20.0 },
        population,
        hours_percent: vec![],
    };
    config.day = DayConfig { length_min: 24.0, begins_h: 6.0 };
    config.population.target = 500;
    config.zones = vec![zone("town", Some(100)), zone("wood", None)];
    config
}

fn event(from_h: f32, lasts_h: f32) -> EventConfig {
    EventConfig {
        name: "fair".to_owned(),
        from_h,
        lasts_h,
        every_days: 1,
        zones: vec![],
        population_percent: 200.0,
        zones_become: None,
        feature: None,
    }
}

/// The tick at an hour of a day.
fn tick_at(day: u32, hour_h: f64) -> Tick {
    // An hour takes a minute.
    let hours = f64::from(day) * 24.0 + hour_h - 6.0;
    Tick((hours * 60.0 * 20.0).round() as u32)
}

#[test]
fn days_go_by_as_fast_as_the_world_says() {
    let calendar = Calendar::new(&config());
    for (day, hour_h) in [(0, 6.0), (0, 23.5), (1, 0.0), (1, 6.0), (40, 12.25)] {
        let (told_day, told_hour_h) = calendar.hour(tick_at(day, hour_h));
        assert_eq!(told_day, day, "{hour_h} h");
        assert!((f64::from(told_hour_h) - hour_h).abs() < 0.01, "{told_hour_h} h for {hour_h} h");
    }
    assert!((0..200_000).step_by(37).all(|tick| (0.0..24.0).contains(&calendar.hour(Tick(tick)).1)));
}

#[test]
fn each_part_of_the_day_has_its_share_of_the_characters() {
    let mut config = config();
    config.population.hours_percent = vec![20.0, 100.0];
    config.zones[0].hours_percent = vec![10.0, 50.0, 100.0, 150.0];
    let calendar = Calendar::new(&config);
    let targets = |hour_h| {
        let moment = calendar.moment(tick_at(1, hour_h));
        (moment.target, moment.zones[0].target, moment.zones[1].target)
    };
    assert_eq!(targets(1.0), (100, Some(10), None));
    assert_eq!(targets(11.9), (100, Some(50), None));
    assert_eq!(targets(12.1), (500, Some(100), None));
    assert_eq!(targets(23.9), (500, Some(150), None));
}

#[test]
fn an_event_is_on_at_its_hours_past_midnight_too_and_once_in_so_many_days() {
    let mut config = config();
    config.events = vec![event(22.0, 4.0), EventConfig { every_days: 3, ..event(12.0, 1.0) }];
    let calendar = Calendar::new(&config);
    let events = |day, hour_h| calendar.moment(tick_at(day, hour_h)).events;
    assert_eq!([21.9, 22.1, 23.9].map(|hour_h| events(0, hour_h)), [0, 1, 1]);
    assert_eq!([0.1, 1.9, 2.1].map(|hour_h| events(1, hour_h)), [1, 1, 0]);
    assert_eq!([0, 1, 2, 3, 4].map(|day| events(day, 12.5)), [2, 0, 0, 2, 0]);
    // The night before the first day was none.
    config.day.begins_h = 0.0;
    assert_eq!(Calendar::new(&config).moment(Tick(60)).events, 0);
}

#[test]
fn events_change_numbers_and_kinds_where_they_are() {
    let mut config = config();
    let raid = EventConfig {
        zones: vec![0],
        population_percent: 30.0,
        zones_become: Some(ZoneKind::Contested),
        ..event(10.0, 2.0)
    };
    config.events = vec![event(8.0, 8.0), raid];
    let calendar = Calendar::new(&config);
    let moment = calendar.moment(tick_at(0, 9.0));
    assert_eq!((moment.target, moment.zones[0]), (1_000, ZoneMoment { kind: ZoneKind::Safe, target: Some(200) }));
    let moment = calendar.moment(tick_at(0, 11.0));
    assert_eq!((moment.target, moment.zones[0]), (1_000, ZoneMoment { kind: ZoneKind::Contested, target: Some(60) }));
    assert_eq!(moment.zones[1].kind, ZoneKind::Safe, "it is not there");
}

#[test]
fn an_event_is_not_on_without_its_feature() {
    let mut config = config();
    let feature = |is_on| FeatureConfig { name: "fairs".to_owned(), is_on, zones: vec![], sessions_percent: 1.0 };
    config.events = vec![EventConfig { feature: Some(0), ..event(8.0, 8.0) }];
    let events = |config: &WorldConfig| Calendar::new(config).moment(tick_at(0, 9.0)).events;
    config.features = vec![feature(true)];
    assert_eq!(events(&config), 1);
    config.features = vec![feature(false)];
    assert_eq!(events(&config), 0);
}

#[test]
fn no_share_makes_more_characters_than_a_world_can_have() {
    let mut config = config();
    config.events = vec![EventConfig { population_percent: 1_000.0, ..event(0.0, 24.0) }; 20];
    let moment = Calendar::new(&config).moment(Tick(0));
    assert_eq!((moment.target, moment.zones[0].target), (100_000, Some(0)));
    config.population.target = 0;
    let moment = Calendar::new(&config).moment(Tick(0));
    assert_eq!((moment.target, moment.zones[0].target, moment.target_in_all()), (0, Some(100_000), 100_000));
}

#[test]
fn the_hour_goes_on_when_days_come_to_be_longer_and_is_set_by_another_beginning() {
    let (tick, near) = (tick_at(2, 15.0), |a: f32, b: f32| (a - b).abs() < 0.01);
    let former = Calendar::new(&config());
    let mut changed = config();
    changed.day.length_min = 60.0;
    let longer = Calendar::new(&changed).going_on_from(&former, tick);
    assert!(longer.hour(tick).0 == 2 && near(longer.hour(tick).1, 15.0), "{:?}", longer.hour(tick));
    // An hour takes 2.5 minutes now.
    assert!(near(longer.hour(tick + 3_000).1, 16.0), "{:?}", longer.hour(tick + 3_000));
    changed.day.begins_h = 10.0;
    let later = Calendar::new(&changed).going_on_from(&longer, tick);
    assert!(near(later.hour(tick).1, 19.0), "{:?}", later.hour(tick));
    changed.day.begins_h = 1.0;
    let earlier = Calendar::new(&changed).going_on_from(&later, Tick(1));
    assert!((0.0..24.0).contains(&earlier.hour(Tick(0)).1), "never before the first day");
}
