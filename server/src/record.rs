//! Motion → columns and grid: what the rest of the tick, and bots in the next one, read.

use bevy_ecs::prelude::{Component, Query, Res, ResMut, With};
use glam::Vec2;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, IntoParallelRefMutIterator, ParallelIterator};
use throng_bot_ai::{BotMind, Mark, Marks};
use throng_shared::abilities::Fighter;
use throng_shared::attributes::{Attributes, NumberAttribute};
use throng_shared::ids::{Archetype, NetId};
use throng_shared::movement::CharacterState;
use throng_shared::quantised::QuantisedState;
use throng_shared::spatial::CharacterColumns;
use throng_shared::tick::Tick;

use crate::abilities::CombatRules;
use crate::instance::InstanceRules;
use crate::simulation::Roster;

/// Fewest characters that are worth handing to another thread; one is quantised in some nanoseconds.
const QUANTISED_PER_JOB_MIN: usize = 4_096;

/// Fewest characters of whom two threads record different things.
const SHARED_MIN: usize = 4_096;

/// A character's row in the columns.
#[derive(Component, Clone, Copy, Debug, Default)]
pub(crate) struct Row(u32);

/// What clients are told of a character, and since when.
#[derive(Component, Clone, Copy, Debug, Default)]
pub(crate) struct Replicated {
    state: QuantisedState,
    /// Tick 0, which never is: not recorded yet.
    changed: Tick,
}

/// Numbers the rows anew when characters have come or gone, by our hand or by that of a game's own rules.
pub(crate) fn number_rows(mut roster: ResMut<Roster>, mut rows: Query<&mut Row>) {
    if rows.iter().len() != roster.characters.len() {
        roster.characters.retain(|(_, entity)| rows.contains(*entity));
        roster.is_changed = true;
    }
    if !roster.is_changed {
        return;
    }
    for (number, (_, entity)) in roster.characters.iter().enumerate() {
        if let Ok(mut row) = rows.get_mut(*entity) {
            *row = Row(number as u32);
        }
    }
    roster.is_changed = false;
}

/// Quantises every character's state and notes whether that changed it.
pub(crate) fn quantise_characters(
    tick: Res<Tick>,
    rules: Res<InstanceRules>,
    mut characters: Query<(&CharacterState, &Archetype, &mut Replicated)>,
) {
    let (tick, gaits) = (*tick, &rules.gaits);
    let tables = characters.contiguous_iter_mut().expect("none of these components is kept outside of tables");
    for (states, archetypes, mut replicated) in tables {
        let characters = states.par_iter().zip(archetypes).zip(replicated.par_iter_mut());
        characters.with_min_len(QUANTISED_PER_JOB_MIN).for_each(|((state, archetype), replicated)| {
            let quantised = QuantisedState::new(state, gaits.of(*archetype));
            if quantised != replicated.state || replicated.changed == Tick(0) {
                *replicated = Replicated { state: quantised, changed: tick };
            }
        });
    }
}

/// Writes every character into its row: where it is on one thread, what it is and what is told of it on another.
pub(crate) fn fill_columns(
    roster: Res<Roster>,
    mut columns: ResMut<CharacterColumns>,
    places: Query<(&Row, &CharacterState)>,
    names: Query<(&Row, &NetId, &Archetype, &Replicated)>,
) {
    let count = roster.characters.len();
    columns.resize(count);
    let CharacterColumns { net_ids, positions_m, heights_m, velocities_mps, archetypes, states, changed } =
        &mut *columns;
    let fill_places = || {
        for (row, state) in &places {
            let row = row.0 as usize;
            positions_m[row] = state.ground_position_m();
            heights_m[row] = state.position_m.y;
            velocities_mps[row] = Vec2::new(state.velocity_mps.x, state.velocity_mps.z);
        }
    };
    let fill_names = || {
        for (row, net_id, archetype, replicated) in &names {
            let row = row.0 as usize;
            net_ids[row] = *net_id;
            archetypes[row] = *archetype;
            states[row] = replicated.state;
            changed[row] = replicated.changed;
        }
    };
    both(count, fill_places, fill_names);
}

/// Does two things of a record beside one another, if there is so much to record that it is worth it.
pub(crate) fn both(characters: usize, one: impl FnOnce() + Send, other: impl FnOnce() + Send) {
    if characters < SHARED_MIN {
        one();
        other();
    } else {
        rayon::join(one, other);
    }
}

/// A health in percent of a whole one.
fn health_percent(health: f32, whole: f32, of: &NumberAttribute) -> u8 {
    let share = (health - of.min()) / (whole - of.min()).max(f32::MIN_POSITIVE);
    (share * 100.0).clamp(0.0, 100.0) as u8
}

/// Writes down what bots may know of characters besides; nothing where those have no attributes, or there are no bots.
pub(crate) fn mark_characters(
    rules: Res<InstanceRules>,
    roster: Res<Roster>,
    combat: Option<Res<CombatRules>>,
    mut marks: ResMut<Marks>,
    characters: Query<(&Row, &Archetype, &Attributes, Option<&Fighter>)>,
    bots: Query<(), With<BotMind>>,
) {
    let schema = &rules.attributes;
    if schema.is_empty() || bots.is_empty() {
        marks.clear();
        return;
    }
    let by_row = marks.begin(roster.characters.len());
    let abilities = combat.as_deref().map(|combat| &*combat.abilities);
    let no_side = abilities.and_then(|abilities| abilities.no_side);
    for (row, archetype, attributes, fighter) in &characters {
        let view = attributes.view();
        let team = schema.team().filter(|team| view.known >> team & 1 == 1).map(|team| view.values[team]);
        let health = combat.as_deref().and_then(|combat| {
            let of = &combat.abilities.health;
            Some(health_percent(attributes.get(of)?, combat.whole_health.of(*archetype), of))
        });
        by_row[row.0 as usize] = Mark {
            team,
            side: team.filter(|&team| Some(team) != no_side),
            is_dead: fighter.is_some_and(|fighter| fighter.is_dead),
            health_percent: health.unwrap_or(100),
            concealment: schema.layout(*archetype).concealment(view.values),
        };
    }
}
