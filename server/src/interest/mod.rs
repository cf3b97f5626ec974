//! What each client should know.

use bevy_ecs::prelude::{Res, ResMut};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
use throng_shared::config::InterestConfig;
use throng_shared::spatial::{CharacterColumns, Grid};
use throng_shared::tick::Tick;

use crate::instance::InstanceRules;
use crate::session::Sessions;

/// Distances that decide who is in a view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InterestRules {
    /// Nearer than this, a character comes into view, in metres.
    pub enter_radius_m: f32,
    /// Farther than this, it goes out of view, in metres.
    pub leave_radius_m: f32,
    /// Most characters in view.
    pub visible_max: usize,
}

impl InterestRules {
    /// The rules that a world file states.
    pub fn new(config: &InterestConfig) -> InterestRules {
        InterestRules {
            enter_radius_m: config.enter_radius_m,
            leave_radius_m: config.leave_radius_m,
            visible_max: config.visible_max as usize,
        }
    }
}

/// Fewest clients that are worth handing to another thread; one view takes some microseconds.
const PARALLEL_MIN: usize = 64;

/// Brings every client's view up to date: with what has arrived at the client, then with where everybody is. One after the
/// other for each view, while it is in the cache.
pub(crate) fn update_views(
    tick: Res<Tick>,
    rules: Res<InstanceRules>,
    grid: Res<Grid>,
    columns: Res<CharacterColumns>,
    mut sessions: ResMut<Sessions>,
) {
    let (tick, interest, grid, columns) = (*tick, rules.interest, &*grid, &*columns);
    sessions.all_mut().par_iter_mut().with_min_len(PARALLEL_MIN).for_each(|session| {
        if session.connection.is_none() {
            return;
        }
        session.view.acknowledge(&session.acks);
        let viewer_m = session.own.state.ground_position_m();
        session.view.observe(tick, grid, columns, &interest, viewer_m, session.net_id);
    });
}
