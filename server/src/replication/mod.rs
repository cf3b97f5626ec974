//! Views and pages → one snapshot per client.
//!
//! What is due, and against which baseline, was planned with the interest; pages were asked for. Here they are encoded, each
//! once for all who have the same baseline, and copied.

mod frames;

pub(crate) use frames::{FrameCounts, Frames};

use bevy_ecs::prelude::{Res, ResMut};
use frames::{CLIENTS_PER_STRETCH, Stretch};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;
use throng_shared::limits::IDLE_SNAPSHOT_MS;
use throng_shared::tick::Tick;
use throng_shared::wire::snapshot::SnapshotHeader;

use crate::instance::InstanceRules;
use crate::interest::InterestRules;
use crate::pages::Pages;
use crate::session::{Session, Sessions, for_each_ahead};

/// Fewest stretches that are worth handing to another thread, which takes memory now and then.
const STRETCHES_PER_JOB_MIN: usize = 2;

/// Writes every client's snapshot.
///
/// A client to whom nothing has happened, and who does nothing, gets one now and then: see [`IDLE_SNAPSHOT_MS`].
pub(crate) fn encode_snapshots(
    tick: Res<Tick>,
    rules: Res<InstanceRules>,
    pages: Res<Pages>,
    mut sessions: ResMut<Sessions>,
    mut frames: ResMut<Frames>,
) {
    let (tick, pages) = (*tick, &*pages);
    let idle_ticks = rules.tick_rate.ticks_for_ms(IDLE_SNAPSHOT_MS);
    let sessions = sessions.all_mut();
    let stretches = frames.stretches_for(sessions.len());
    let stretches = sessions.par_chunks_mut(CLIENTS_PER_STRETCH).zip(stretches.par_iter_mut());
    stretches.with_min_len(STRETCHES_PER_JOB_MIN).for_each(|(sessions, stretch)| {
        stretch.begin(sessions.len());
        let encode = |session: &mut Session| {
            encode_snapshot(session, tick, idle_ticks, pages, &rules.interest, stretch);
        };
        for_each_ahead(sessions, Session::fetch_for_snapshot, |session| session.view.fetch_planned(), encode);
    });
}

fn encode_snapshot(
    session: &mut Session,
    tick: Tick,
    idle_ticks: u32,
    pages: &Pages,
    interest: &InterestRules,
    stretch: &mut Stretch,
) {
    let header = SnapshotHeader {
        tick,
        position_m: session.own.state.position_m,
        velocity_mps: session.own.state.velocity_mps,
        grounded: session.own.state.grounded,
        input_age_ticks: session.own.input_age_ticks,
        input_margin_ms: session.own.input_margin_ms,
        tells_deeds: pages.tells_deeds(),
    };
    let is_wanted = session.own.is_fighter_news || session.quiet.is_broken(tick, &session.own.state, idle_ticks);
    let fighter = session.own.fighter.encode(tick);
    let view = &mut session.view;
    let is_written = stretch.push(session.connection, view.is_held_back(), |out, counts| {
        view.write_snapshot(header, &fighter, is_wanted, pages, interest, out, counts);
    });
    if is_written {
        session.quiet.note_written(tick, &session.own.state);
        session.own.input_margin_ms = None;
    }
}
