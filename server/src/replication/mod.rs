//! Views and columns → one snapshot per client.
//!
//! Each client's [`ClientView`] knows which entities it has been told about, in which tick, and what of that has been
//! acknowledged. An entity is written when its state has changed since it was last written, or when the snapshot that
//! carried it is lost; the last state before a rest is sent twice. So nothing is repeated that has arrived, and nothing
//! that was lost is forgotten.

mod sent;
mod slots;
mod view;

pub use view::ClientView;

use bevy_ecs::prelude::{Res, ResMut};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
use throng_shared::spatial::CharacterColumns;
use throng_shared::tick::Tick;
use throng_shared::wire::snapshot::SnapshotHeader;

use crate::session::Sessions;

/// Fewest clients that are worth handing to another thread; one snapshot takes some microseconds.
const PARALLEL_MIN: usize = 64;

/// Writes every client's snapshot.
pub(crate) fn encode_snapshots(tick: Res<Tick>, columns: Res<CharacterColumns>, mut sessions: ResMut<Sessions>) {
    let (tick, columns) = (*tick, &*columns);
    sessions.all_mut().par_iter_mut().with_min_len(PARALLEL_MIN).for_each(|session| {
        let header = SnapshotHeader {
            tick,
            position_m: session.own.state.position_m,
            velocity_mps: session.own.state.velocity_mps,
            grounded: session.own.state.grounded,
            input_age_ticks: session.own.input_age_ticks,
            input_margin_ms: session.own.input_margin_ms,
        };
        session.view.write_snapshot(header, columns, &mut session.frame);
    });
}
