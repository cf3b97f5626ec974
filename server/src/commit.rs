//! What has happened, added up: the end of a tick.

use bevy_ecs::prelude::{Res, ResMut, Resource};
use throng_bot_ai::{Goal, PackCounts, Packs, RouteCounts, RoutePlanner, Thoughts};
use throng_shared::spatial::CharacterColumns;

use crate::abilities::{CombatLog, CombatTotals};
use crate::interest::Ledger;
use crate::replication::{FrameCounts, Frames};
use crate::session::Sessions;

/// Totals of an instance since its start, and a few counts as they stand. The host turns them into metrics.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Characters in the world.
    pub characters: u64,
    /// Clients in the world.
    pub players: u64,
    /// Inputs that waited for their tick.
    pub inputs_buffered: u64,
    /// Inputs that came after their tick.
    pub inputs_late: u64,
    /// Inputs too far ahead of the simulation.
    pub inputs_early: u64,
    /// Ticks in which a player's last input was repeated.
    pub inputs_repeated: u64,
    /// Ticks in which a player stood still for want of an input.
    pub inputs_neutral: u64,
    /// Frames that could not be decoded.
    pub frames_malformed: u64,
    /// Frames beyond what is looked at in one tick.
    pub frames_surplus: u64,
    /// Where the bytes of snapshots went.
    pub ledger: Ledger,
    /// Characters of people that bots went on with, because a connection broke or its player left.
    pub seats_to_bots: u64,
    /// Characters that people went on with after bots, because they came back or joined.
    pub seats_to_people: u64,
    /// Snapshots written.
    pub snapshots: u64,
    /// Bytes of snapshots written.
    pub snapshot_bytes: u64,
    /// Characters told with their names, with repetitions.
    pub enters: u64,
    /// Character states told that are other than what the client had.
    pub updates: u64,
    /// Slots told to be empty and pages told no longer, with repetitions.
    pub leaves: u64,
    /// Characters of pages that did not fit their snapshot and had to wait.
    pub deferred: u64,
    /// Those of them that were told longer ago than their tier allows.
    pub late: u64,
    /// Pages told as single numbers, because more were in reach than a client is told of one by one.
    pub crowd_records: u64,
    /// How often a client's link was found to be congested.
    pub congestions: u64,
    /// Clients that get less than the world allows, because their links do not bear it.
    pub held_back: u64,
    /// Snapshots that were given up as lost.
    pub snapshots_lost: u64,
    /// How often bots have thought, by what they wanted afterwards.
    pub thoughts: [u64; Goal::LABELS.len()],
    /// What has become of the ways that bots asked for.
    pub routes: RouteCounts,
    /// How many bots go together.
    pub packs: PackCounts,
    /// What has come of abilities.
    pub combat: CombatTotals,
}

/// Adds this tick's counts to the totals.
pub(crate) fn add_up(
    sessions: Res<Sessions>,
    frames: Res<Frames>,
    columns: Res<CharacterColumns>,
    combat: Option<Res<CombatLog>>,
    (thoughts, routes, packs): (Res<Thoughts>, Res<RoutePlanner>, Res<Packs>),
    mut totals: ResMut<Totals>,
) {
    totals.combat = combat.map_or_else(CombatTotals::default, |combat| combat.totals);
    (totals.thoughts, totals.routes, totals.packs) = (thoughts.by_goal(), routes.counts(), packs.counts());
    totals.characters = columns.len() as u64;
    totals.players = sessions.all().len() as u64;
    totals.held_back = 0;
    for FrameCounts { snapshots, snapshot_bytes, held_back, views: counts } in frames.counts() {
        totals.snapshots += u64::from(*snapshots);
        totals.snapshot_bytes += u64::from(*snapshot_bytes);
        totals.held_back += u64::from(*held_back);
        totals.enters += u64::from(counts.enters);
        totals.updates += u64::from(counts.updates);
        totals.leaves += u64::from(counts.leaves);
        totals.deferred += u64::from(counts.deferred);
        totals.ledger += &counts.ledger;
        totals.crowd_records += u64::from(counts.crowd_records);
        totals.late += u64::from(counts.late);
        totals.congestions += u64::from(counts.congestions);
        totals.snapshots_lost += u64::from(counts.snapshots_lost);
    }
}
