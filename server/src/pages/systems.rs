//! When pages are written: once a tick, and then encoded for whoever wants them.

use bevy_ecs::prelude::{Changed, Query, Res, ResMut};
use throng_shared::attributes::Attributes;
use throng_shared::ids::NetId;
use throng_shared::spatial::{CharacterColumns, Grid};
use throng_shared::tick::Tick;

use super::Pages;
use crate::abilities::CombatLog;
use crate::record::both;

/// Rebuilds the grid from the columns and writes the pages beside it; see [`Pages::record`].
pub(crate) fn rebuild_grid_and_pages(
    tick: Res<Tick>,
    columns: Res<CharacterColumns>,
    mut grid: ResMut<Grid>,
    mut pages: ResMut<Pages>,
    combat: Option<Res<CombatLog>>,
    changed: Query<(&NetId, &Attributes), Changed<Attributes>>,
) {
    let mut news: Vec<(NetId, &Attributes)> = Vec::new();
    if !pages.attributes.schema().is_empty() {
        news.extend(changed.iter().map(|(net_id, attributes)| (*net_id, attributes)));
        news.sort_unstable_by_key(|(net_id, _)| *net_id);
    }
    let record_pages = || {
        pages.record(*tick, &columns, &news);
        if let Some(combat) = combat {
            pages.record_deeds(*tick, combat.done());
        }
        pages.begin_wanting();
    };
    both(columns.len(), record_pages, || grid.rebuild(&columns.positions_m));
}

/// See [`Pages::encode_wanted`].
pub(crate) fn encode_pages(tick: Res<Tick>, columns: Res<CharacterColumns>, mut pages: ResMut<Pages>) {
    pages.encode_wanted(*tick, &columns);
}
