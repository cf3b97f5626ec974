//! Every phase and every system of the simulation, in order: the table of contents.
//!
//! | phase | reads → writes | bound and policy |
//! |---|---|---|
//! | [`Phase::Receive`] | batch → characters of clients that come and go | the front door's limits |
//! | [`Phase::Decode`] | frames → input buffers, acknowledgements | malformed ones are counted; too many end the connection |
//! | [`Phase::Think`] | last tick's grid → bots' input buffers | a bot thinks in its turn, steers each tick |
//! | [`Phase::Simulate`] | inputs → motion; population → spawns | a missing input is repeated, then neutral |
//! | [`Phase::Record`] | motion → columns, grid | – |
//! | [`Phase::Interest`] | grid, viewers → views | the farthest are left out |
//! | [`Phase::Replicate`] | views, columns → snapshots | what does not fit one datagram waits and gains priority |
//! | [`Phase::Send`] | snapshots → outbound batch | – |
//! | [`Phase::Commit`] | counts → totals | – |

use bevy_ecs::prelude::{IntoScheduleConfigs, Schedule};
use bevy_ecs::schedule::{LogLevel, ScheduleBuildSettings, ScheduleConfigs, ScheduleLabel};
use bevy_ecs::system::ScheduleSystem;
use throng_shared::random::Random;

use crate::{commit, egress, ingress, interest, record, replication, simulation};

/// The parts of a tick, in order. Each is a schedule of its own.
#[derive(ScheduleLabel, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Takes the batch over; clients come and go.
    Receive,
    /// Turns bytes into inputs and acknowledgements. Bytes never travel farther.
    Decode,
    /// Bots choose their inputs.
    Think,
    /// Applies the rules.
    Simulate,
    /// Writes down where everybody is.
    Record,
    /// Decides what each client should know.
    Interest,
    /// Writes each client's snapshot. Components never travel farther.
    Replicate,
    /// Hands the snapshots over.
    Send,
    /// Adds up.
    Commit,
}

impl Phase {
    /// All phases, in order.
    pub const ALL: [Phase; 9] = [
        Phase::Receive,
        Phase::Decode,
        Phase::Think,
        Phase::Simulate,
        Phase::Record,
        Phase::Interest,
        Phase::Replicate,
        Phase::Send,
        Phase::Commit,
    ];

    /// Name in metrics and tables.
    pub fn label(self) -> &'static str {
        match self {
            Phase::Receive => "receive",
            Phase::Decode => "decode",
            Phase::Think => "think",
            Phase::Simulate => "simulate",
            Phase::Record => "record",
            Phase::Interest => "interest",
            Phase::Replicate => "replicate",
            Phase::Send => "send",
            Phase::Commit => "commit",
        }
    }
}

/// The systems of each phase; those of one chain run in the order given.
fn systems(phase: Phase) -> Vec<ScheduleConfigs<ScheduleSystem>> {
    match phase {
        Phase::Receive => vec![(ingress::sort_frames, ingress::admit_and_dismiss).chain()],
        Phase::Decode => vec![(ingress::decode_inputs, ingress::apply_acks).chain()],
        Phase::Think => vec![(throng_bot_ai::perceive, throng_bot_ai::decide, throng_bot_ai::steer).chain()],
        Phase::Simulate => vec![
            (simulation::move_characters, simulation::count_missing_inputs, simulation::balance_population).chain(),
        ],
        Phase::Record => vec![
            (record::number_rows, record::quantise_characters, record::fill_columns, record::rebuild_grid).chain(),
            record::record_viewers.into_configs(),
        ],
        Phase::Interest => vec![interest::update_views.into_configs()],
        Phase::Replicate => vec![replication::encode_snapshots.into_configs()],
        Phase::Send => vec![egress::queue_snapshots.into_configs()],
        Phase::Commit => vec![commit::add_up.into_configs()],
    }
}

/// The schedule of one phase. Systems whose order is not written may not conflict, or building it fails.
///
/// `order_seed` shuffles the order in which systems are added, and with it every order that is not written; results
/// must not depend on it, and a test sees to that.
pub(crate) fn schedule(phase: Phase, order_seed: Option<u64>) -> Schedule {
    let mut schedule = Schedule::new(phase);
    schedule.set_build_settings(ScheduleBuildSettings {
        ambiguity_detection: LogLevel::Error,
        ..ScheduleBuildSettings::default()
    });
    let mut systems = systems(phase);
    if let Some(seed) = order_seed {
        shuffle(&mut systems, &mut Random::new(seed, phase as u64));
    }
    for system in systems {
        schedule.add_systems(system);
    }
    schedule
}

/// Fisher and Yates.
fn shuffle<Item>(items: &mut [Item], random: &mut Random) {
    for end in (1..items.len()).rev() {
        items.swap(end, random.below(end as u32 + 1) as usize);
    }
}
