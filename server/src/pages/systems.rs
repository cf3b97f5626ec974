//! When pages are written: once a tick, and then encoded for whoever wants them.

use bevy_ecs::prelude::{Changed, Query, Res, ResMut};
use throng_shared::attributes::Attributes;
use throng_shared::ids::NetId;
use throng_shared::spatial::CharacterColumns;
use throng_shared::tick::Tick;

use super::Pages;
use crate::abilities::CombatLog;

/// See [`Pages::record`].
pub(crate) fn record_pages(
    tick: Res<Tick>,
    columns: Res<CharacterColumns>,
    mut pages: ResMut<Pages>,
    combat: Option<Res<CombatLog>>,
    changed: Query<(&NetId, &Attributes), Changed<Attributes>>,
) {
    let mut news: Vec<(NetId, &Attributes)> = Vec::new();
    if !pages.attributes.schema().is_empty() {
        news.extend(changed.iter().map(|(net_id, attributes)| (*net_id, attributes)));
        news.sort_unstable_by_key(|(net_id, _)| *net_id);
    }
    pages.record(*tick, &columns, &news);
    if let Some(combat) = combat {
        pages.record_deeds(*tick, combat.done());
    }
    pages.begin_wanting();
}

/// See [`Pages::encode_wanted`].
pub(crate) fn encode_pages(tick: Res<Tick>, mut pages: ResMut<Pages>) {
    pages.encode_wanted(*tick);
}
