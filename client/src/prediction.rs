//! The own character, ahead of the server.

use std::collections::VecDeque;
use std::sync::Arc;

use glam::Vec3;
use throng_shared::input::PlayerInput;
use throng_shared::map::Map;
use throng_shared::movement::{CharacterState, step_character};
use throng_shared::tick::{Tick, TickRate};

/// Steps that are remembered until the server confirms them; more than an input may be ahead.
const HISTORY_MAX: usize = 128;

/// Differences below this are rounding, not disagreement, in metres. With equal code there are none at all.
const TOLERANCE_M: f32 = 1e-4;

/// How much of a correction is still shown one tenth of a second later.
const SHOWN_AFTER_100_MS: f32 = 0.2;

/// Predicts the own character by the server's movement step, and corrects it by the server's word.
#[derive(Debug)]
pub struct Prediction {
    map: Arc<Map>,
    rate: TickRate,
    state: CharacterState,
    history: VecDeque<Step>,
    /// What is added to the position that is shown, so that corrections do not jump, in metres.
    shown_offset_m: Vec3,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    tick: Tick,
    input: PlayerInput,
    after: CharacterState,
}

impl Prediction {
    /// A character that is nowhere yet; the first confirmation places it.
    pub(crate) fn new(map: Arc<Map>, rate: TickRate) -> Prediction {
        Prediction {
            map,
            rate,
            state: CharacterState::default(),
            history: VecDeque::with_capacity(HISTORY_MAX),
            shown_offset_m: Vec3::ZERO,
        }
    }

    /// The predicted state, after the newest input.
    pub fn state(&self) -> &CharacterState {
        &self.state
    }

    /// The position to be shown, in metres: the predicted one, with corrections blended in.
    pub fn shown_position_m(&self) -> Vec3 {
        self.state.position_m + self.shown_offset_m
    }

    /// Lives through one tick with `input`.
    pub(crate) fn step(&mut self, tick: Tick, input: PlayerInput) {
        let step_s = self.rate.step_s();
        self.state = step_character(&self.map, self.state, input, step_s);
        self.shown_offset_m *= SHOWN_AFTER_100_MS.powf(step_s / 0.1);
        if self.history.len() >= HISTORY_MAX {
            self.history.pop_front();
        }
        self.history.push_back(Step { tick, input, after: self.state });
    }

    /// Takes the server's word for the state after `tick`. Returns by how many metres the prediction was wrong; none
    /// when nothing had been predicted for that tick.
    pub(crate) fn confirm(&mut self, tick: Tick, server: CharacterState) -> Option<f32> {
        while self.history.front().is_some_and(|step| step.tick < tick) {
            self.history.pop_front();
        }
        let Some(confirmed) = self.history.front().filter(|step| step.tick == tick).copied() else {
            if self.history.is_empty() {
                self.state = server;
            }
            return None;
        };
        let server = CharacterState { yaw: confirmed.after.yaw, ..server };
        let error_m = confirmed.after.position_m.distance(server.position_m);
        let agrees = error_m <= TOLERANCE_M
            && confirmed.after.velocity_mps.distance(server.velocity_mps) <= TOLERANCE_M
            && confirmed.after.grounded == server.grounded;
        if !agrees {
            self.replay_from(server);
        }
        Some(error_m)
    }

    /// Lives again through everything after the confirmed step, from the server's state.
    fn replay_from(&mut self, server: CharacterState) {
        let shown_m = self.shown_position_m();
        let mut state = server;
        for (place, step) in self.history.iter_mut().enumerate() {
            if place > 0 {
                state = step_character(&self.map, state, step.input, self.rate.step_s());
            }
            step.after = state;
        }
        self.state = state;
        self.shown_offset_m = shown_m - state.position_m;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::Vec2;
    use throng_shared::config;
    use throng_shared::input::Buttons;

    fn prediction() -> Prediction {
        let world = config::builtin_world();
        let map = Arc::new(Map::new(&world.config, None).expect("a procedural world needs no file"));
        Prediction::new(map, TickRate::new(20))
    }

    fn server_steps(prediction: &Prediction, mut state: CharacterState, inputs: &[PlayerInput]) -> Vec<CharacterState> {
        let step = |input: &PlayerInput| {
            state = step_character(&prediction.map, state, *input, 0.05);
            state
        };
        inputs.iter().map(step).collect()
    }

    #[test]
    fn a_right_prediction_is_confirmed_without_error() {
        let mut prediction = prediction();
        let start = CharacterState::standing_at(&prediction.map, Vec2::ZERO);
        prediction.confirm(Tick(9), start);
        let inputs: Vec<PlayerInput> =
            (0..30).map(|i| PlayerInput::towards(Vec2::from_angle(i as f32 * 0.2), Buttons(i % 3))).collect();
        let server = server_steps(&prediction, start, &inputs);
        for (tick, input) in (10..).zip(&inputs) {
            prediction.step(Tick(tick), *input);
        }
        for (tick, state) in (10..).zip(&server) {
            assert_eq!(prediction.confirm(Tick(tick), *state), Some(0.0));
        }
    }

    #[test]
    fn a_wrong_prediction_is_corrected_from_the_servers_state_without_a_visible_jump() {
        let mut prediction = prediction();
        let start = CharacterState::standing_at(&prediction.map, Vec2::ZERO);
        prediction.confirm(Tick(9), start);
        let east = PlayerInput::towards(Vec2::X, Buttons::RUN);
        for tick in 10..30 {
            prediction.step(Tick(tick), east);
        }
        // The server did not get the input for tick 10 and let the character stand.
        let stood = PlayerInput::default();
        let server = server_steps(&prediction, start, &[&[stood][..], &[east; 19]].concat());
        let shown_m = prediction.shown_position_m();
        let error_m = prediction.confirm(Tick(10), server[0]).expect("tick 10 was predicted");
        assert!(error_m > 0.01);
        assert_eq!(prediction.state().position_m, server[19].position_m, "as if it had known");
        assert!(prediction.shown_position_m().distance(shown_m) < 1e-5, "what is shown does not jump");
        assert_eq!(prediction.confirm(Tick(29), server[19]), Some(0.0));
    }
}
