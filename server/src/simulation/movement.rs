//! Inputs → motion.

use bevy_ecs::prelude::{Component, Query, Res, ResMut, Without};
use glam::Vec2;
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};
use throng_shared::abilities::Fighter;
use throng_shared::ids::Archetype;
use throng_shared::input::{InputBuffer, InputSource, PlayerInput};
use throng_shared::map::{KnownGround, Map};
use throng_shared::movement::{CharacterState, step_at};
use throng_shared::tick::Tick;

use crate::commit::Totals;
use crate::instance::InstanceRules;

/// What a character did this tick.
#[derive(Component, Clone, Copy, Debug)]
pub struct LastInput {
    /// The input that was applied.
    pub input: PlayerInput,
    /// Where it came from.
    pub source: InputSource,
}

impl Default for LastInput {
    fn default() -> Self {
        LastInput { input: PlayerInput::default(), source: InputSource::Neutral }
    }
}

/// Fewest characters that are worth handing to another thread; one step takes less than a microsecond.
pub(crate) const PARALLEL_MIN: usize = 512;

/// Characters for whom the ground is fetched together.
pub(crate) const LOOK_AHEAD: usize = 16;

/// What moving a character reads and writes.
pub(crate) type Walker = (
    &'static mut CharacterState,
    &'static mut KnownGround,
    &'static mut InputBuffer,
    &'static mut LastInput,
    &'static Archetype,
);

/// Has the ground brought near where characters will be, most of whom go on as they do.
pub(crate) fn fetch_ground(map: &Map, states: &[CharacterState], grounds: &[KnownGround], step_s: f32) {
    let soon_m = |state: &CharacterState| {
        state.ground_position_m() + Vec2::new(state.velocity_mps.x, state.velocity_mps.z) * step_s
    };
    map.terrain.fetch(grounds.iter().zip(states.iter().map(soon_m)));
}

/// Takes each character's input for this tick and moves it, but for those who can use abilities; see [`crate::abilities`]. Characters do not touch one another, so their order and
/// the threads do not matter.
pub(crate) fn move_characters(
    tick: Res<Tick>,
    rules: Res<InstanceRules>,
    mut characters: Query<Walker, Without<Fighter>>,
) {
    let (tick, rules) = (*tick, &*rules);
    let step_s = rules.tick_rate.step_s();
    // Table by table, as slices: so there is no list to be made of whom to move.
    let tables = characters.contiguous_iter_mut().expect("none of these components is kept outside of tables");
    for (mut states, mut grounds, mut buffers, mut lasts, archetypes) in tables {
        let columns = states.par_chunks_mut(LOOK_AHEAD).zip(grounds.par_chunks_mut(LOOK_AHEAD));
        let columns = columns.zip(buffers.par_chunks_mut(LOOK_AHEAD)).zip(lasts.par_chunks_mut(LOOK_AHEAD));
        let columns = columns.zip(archetypes.par_chunks(LOOK_AHEAD)).with_min_len(PARALLEL_MIN / LOOK_AHEAD);
        columns.for_each(|((((states, grounds), buffers), lasts), archetypes)| {
            fetch_ground(&rules.map, states, grounds, step_s);
            let each = states.iter_mut().zip(grounds).zip(buffers).zip(lasts).zip(archetypes);
            for ((((state, ground), buffer), last), archetype) in each {
                let (input, source) = buffer.take(tick, rules.input_repeat_ticks);
                *last = LastInput { input, source };
                *state = step_at(&rules.map, ground, *state, input, step_s, rules.gaits.of(*archetype));
            }
        });
    }
}

/// Counts the ticks in which players had no input of their own.
pub(crate) fn count_missing_inputs(characters: Query<(&Archetype, &LastInput)>, mut totals: ResMut<Totals>) {
    for (archetype, last) in &characters {
        match last.source {
            InputSource::Repeated if archetype.is_player() => totals.inputs_repeated += 1,
            InputSource::Neutral if archetype.is_player() => totals.inputs_neutral += 1,
            _ => {}
        }
    }
}
