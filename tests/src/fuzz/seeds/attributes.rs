//! Seeds of what tells of a world's attributes.

use glam::{IVec2, Vec2, Vec3};
use throng_shared::attributes::{Attributes, Values};
use throng_shared::ids::{Archetype, NetId};
use throng_shared::tick::Tick;
use throng_shared::wire::attributes::{OwnAttributes, message_of};
use throng_shared::wire::crowd::{CrowdRecord, CrowdScan};
use throng_shared::wire::hours::{DayClock, HoursNews};
use throng_shared::wire::overload::OverloadNews;
use throng_shared::wire::page::{PAGE_SLOTS, PageCopy, PageOwner, PageState, PageView, TeamNews};
use throng_shared::wire::snapshot::{Snapshot, SnapshotHeader};

use crate::fuzz::attributes::schema;
use crate::fuzz::script::put_counted;

pub(super) fn attributes() -> Vec<(&'static str, Vec<u8>)> {
    let mut rules = Vec::new();
    for rule in schema().rules() {
        put(&mut rules, 0, &message_of(rule));
    }
    put(&mut rules, 1, &OverloadNews { rung: 1, rungs: 4, time_percent: 75, since: Tick(9) }.message());
    let clock = DayClock { tick: Tick(9), day: 1, fraction: 1 << 31, day_ticks: 1_200 };
    put(&mut rules, 1, &HoursNews::Hour(clock).message());
    put(&mut rules, 1, &HoursNews::Event { is_on: true, name: "raid".to_owned() }.message());
    let mut snapshots = Vec::new();
    put(&mut snapshots, 2, &snapshot(41, None));
    put(&mut snapshots, 2, &snapshot(42, Some(1)));
    vec![("rules_and_overload", rules), ("snapshots", snapshots)]
}

fn put(script: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    script.push(kind);
    put_counted(script, bytes);
}

/// A snapshot with everything that there is of attributes, told whole or against the one of so many ticks ago.
fn snapshot(tick: u32, age_ticks: Option<u32>) -> Vec<u8> {
    let schema = schema();
    let health = schema.number("health").expect("a number");
    let mana = schema.number("mana").expect("a number");
    let page = |tick: u32| {
        let mut page = PageCopy::new(IVec2::new(640, -640));
        for slot in 0..5 {
            let archetype = if slot % 2 == 0 { Archetype::PLAYER } else { Archetype::BOT };
            let mut attributes = Attributes::new(&schema, archetype);
            attributes.set(&health, (tick + slot as u32) as f32);
            attributes.set(&mana, 500.0);
            page.put(slot, PageOwner { net_id: NetId(slot as u32 + 10), archetype }, PageState::default());
            page.put_attributes(slot, &attributes);
        }
        page
    };
    let (now, before) = (page(tick), age_ticks.map(|age_ticks| (page(tick - age_ticks), age_ticks)));
    let told: Vec<_> = (0..PAGE_SLOTS).map(|slot| Values { known: 0b010, ..now.attributes(slot) }).collect();
    let mut pages = vec![3];
    let baseline = before.as_ref().map(|(before, age_ticks)| before.baseline_of(&now, *age_ticks));
    PageView { attributes: Some(&told), ..now.view() }.encode(&schema, baseline, &mut pages);
    let mut news = [None; PAGE_SLOTS];
    news[0] = Some(TeamNews { is_of_team: true, told: Values { known: 0b1000, ..now.attributes(0) } });
    news[1] = Some(TeamNews::default());
    now.view().encode_team(&schema, &news, &mut pages);
    let mut crowd = CrowdScan::new(0);
    let record = CrowdRecord::new(5, 9, 4, Vec2::new(30.0, -4.0), Vec2::ZERO);
    crowd.push(record.with_teams([3, 0, 6, 0, 0, 0, 0, 0]));
    let own = OwnAttributes::new(Archetype::PLAYER, Values { known: 0b11011, values: &[1, 50, 0, 7, 1_234] });
    let header = SnapshotHeader { tick: Tick(tick), position_m: Vec3::ONE, ..SnapshotHeader::default() };
    let mut out = Vec::new();
    Snapshot { header, fighter: &[], ends: &[7], crowd: Some(crowd), own: Some(own), pages: &pages }
        .encode(&schema, &mut out);
    out
}
