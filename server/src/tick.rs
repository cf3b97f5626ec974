//! Every phase and every system of the simulation, in order: the table of contents.
//!
//! | phase | reads → writes | bound and policy |
//! |---|---|---|
//! | [`Phase::Receive`] | batch → characters of clients that come and go | the front door's limits |
//! | [`Phase::Decode`] | frames → input buffers, acknowledgements | malformed ones are counted; too many end the connection |
//! | [`Phase::Think`] | last tick's grid → bots' input buffers | a bot thinks in its turn, steers each tick |
//! | [`Phase::Simulate`] | inputs → motion, deeds, blows; population → spawns | a missing input is repeated, then neutral |
//! | [`Phase::Record`] | motion → columns, grid, pages | – |
//! | [`Phase::Interest`] | own characters, acknowledgements, pages → views | the farthest are left out |
//! | [`Phase::Replicate`] | views, pages → snapshots | what does not fit one datagram waits and gains priority |
//! | [`Phase::Send`] | snapshots → outbound batch | – |
//! | [`Phase::Commit`] | counts → totals | – |

use bevy_ecs::prelude::{IntoScheduleConfigs, Schedule, SystemSet};
use bevy_ecs::schedule::{LogLevel, ScheduleBuildSettings, ScheduleConfigs, ScheduleLabel};
use bevy_ecs::system::ScheduleSystem;
use throng_shared::random::Random;

use crate::{
    abilities, commit, director, egress, game_messages, ingress, interest, overload, pages, record, replication,
    simulation,
};

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

/// The systems that are listed in this file, in whichever phase. A game's own rule of the same phase comes before or after
/// it: `instance.phase_mut(Phase::Simulate).add_systems(my_rule.after(BuiltIn))`.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BuiltIn;

/// The systems of each phase; those of one chain run in the order given, and what is after something else comes after it.
/// Nothing more is said than what is needed: whatever has no order here is tested in several.
fn systems(phase: Phase) -> Vec<ScheduleConfigs<ScheduleSystem>> {
    match phase {
        Phase::Receive => {
            let receive = (
                ingress::sort_frames,
                overload::take_rung,
                director::keep_hours,
                ingress::admit_and_dismiss,
                game_messages::receive_messages,
            );
            vec![receive.chain()]
        }
        Phase::Decode => vec![ingress::decode_inputs.into_configs()],
        Phase::Think => vec![
            (
                throng_bot_ai::notice_people,
                throng_bot_ai::perceive,
                throng_bot_ai::muster,
                throng_bot_ai::decide,
                throng_bot_ai::plan_routes,
                throng_bot_ai::steer,
                throng_bot_ai::steer_fighters,
            )
                .chain(),
        ],
        Phase::Simulate => vec![
            (
                simulation::move_characters,
                abilities::move_fighters,
                abilities::perform_deeds,
                abilities::respawn_fighters,
                simulation::count_missing_inputs,
                director::balance_population,
            )
                .chain(),
        ],
        Phase::Record => vec![
            record::number_rows.into_configs(),
            record::quantise_characters.into_configs(),
            record::fill_columns.after(record::number_rows).after(record::quantise_characters),
            record::mark_characters.after(record::fill_columns),
            pages::rebuild_grid_and_pages.after(record::fill_columns),
        ],
        Phase::Interest => vec![interest::update_views.into_configs()],
        Phase::Replicate => vec![(pages::encode_pages, replication::encode_snapshots).chain()],
        Phase::Send => {
            vec![
                (
                    egress::queue_snapshots,
                    director::tell_hours,
                    game_messages::queue_messages,
                    abilities::tell_combat_news,
                )
                    .chain(),
            ]
        }
        Phase::Commit => vec![(commit::add_up, throng_bot_ai::hand_over_routes).chain()],
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
        schedule.add_systems(system.in_set(BuiltIn));
    }
    schedule
}

/// Fisher and Yates.
fn shuffle<Item>(items: &mut [Item], random: &mut Random) {
    for end in (1..items.len()).rev() {
        items.swap(end, random.below(end as u32 + 1) as usize);
    }
}

#[cfg(test)]
mod tests {
    use std::any::TypeId;
    use std::collections::BTreeSet;

    use bevy_ecs::prelude::{IntoSystem, World};

    use super::*;

    /// Names by which the test tells the systems of [`Phase::Record`] apart, in the order in which they run.
    fn order(seed: u64) -> Vec<&'static str> {
        fn type_of<M>(system: impl IntoSystem<(), (), M>) -> TypeId {
            IntoSystem::system_type_id(&system)
        }
        let names = [
            (type_of(record::number_rows), "number"),
            (type_of(record::quantise_characters), "quantise"),
            (type_of(record::fill_columns), "fill"),
            (type_of(record::mark_characters), "mark"),
            (type_of(pages::rebuild_grid_and_pages), "pages"),
        ];
        let mut schedule = schedule(Phase::Record, Some(seed));
        schedule.initialize(&mut World::new()).expect("every conflict has an order");
        let systems = schedule.systems().expect("it has just been initialised");
        let name = |id| names.iter().find(|(other, _)| *other == id).expect("it is one of the five").1;
        systems.map(|(_, system)| name(system.system_type())).collect()
    }

    #[test]
    fn seeds_change_every_order_that_is_not_written_and_no_other() {
        let orders: BTreeSet<Vec<&str>> = (0..1_000).map(order).collect();
        // Two before `fill` and two after it, each in any order.
        assert_eq!(orders.len(), 4, "{orders:?}");
        for order in orders {
            let place = |name| order.iter().position(|other| *other == name);
            assert!(place("number") < place("fill") && place("quantise") < place("fill"), "{order:?}");
            assert!(place("fill") < place("mark") && place("fill") < place("pages"), "{order:?}");
        }
    }
}
