//! The own character, ahead of the server.

use std::collections::VecDeque;
use std::sync::Arc;

use glam::Vec3;
use throng_shared::abilities::{Abilities, Ability, Act, Fighter};
use throng_shared::attributes::Attributes;
use throng_shared::ids::Archetype;
use throng_shared::input::PlayerInput;
use throng_shared::map::{KnownGround, Map};
use throng_shared::movement::{CharacterState, step_at};
use throng_shared::tick::{Tick, TickRate};

/// Steps that are remembered until the server confirms them; more than an input may be ahead.
const HISTORY_MAX: usize = 128;

/// Differences below this are rounding, not disagreement, in metres. With equal code there are none at all.
const TOLERANCE_M: f32 = 1e-4;

/// How much of a correction is still shown one tenth of a second later.
const SHOWN_AFTER_100_MS: f32 = 0.2;

/// Corrections longer than this, in metres, are shown at once: whoever was carried elsewhere does not glide there.
const BLENDED_MAX_M: f32 = 2.0;

/// Predicts the own character by the server's movement step, and corrects it by the server's word.
#[derive(Debug)]
pub struct Prediction {
    map: Arc<Map>,
    rate: TickRate,
    state: CharacterState,
    ground: KnownGround,
    /// What hinders the character, after the newest input; and by which abilities, in a world that has them.
    fighter: Fighter,
    abilities: Option<Arc<Abilities>>,
    own: OwnAttributes,
    /// Whether the server has said where the character is.
    is_placed: bool,
    history: VecDeque<Step>,
    /// What was shown when the newest step began, in metres.
    shown_before_m: Vec3,
    /// What is added to the position that is shown, so that corrections do not jump, in metres.
    shown_offset_m: Vec3,
}

/// What the character has, of which abilities may cost something.
#[derive(Debug, Default)]
struct OwnAttributes {
    /// As the server said it, and after which tick.
    told: Attributes,
    told_after: Tick,
    /// Less what has been paid since.
    left: Attributes,
}

#[derive(Clone, Debug)]
struct Step {
    tick: Tick,
    input: PlayerInput,
    after: CharacterState,
    fighter: Fighter,
    /// The ability that began in it, whose cost was paid.
    begun: Option<u8>,
}

impl Prediction {
    /// A character that is nowhere yet; the first confirmation places it.
    pub(crate) fn new(map: Arc<Map>, rate: TickRate) -> Prediction {
        Prediction {
            map,
            rate,
            state: CharacterState::default(),
            ground: KnownGround::default(),
            fighter: Fighter::default(),
            abilities: None,
            own: OwnAttributes::default(),
            is_placed: false,
            history: VecDeque::with_capacity(HISTORY_MAX),
            shown_before_m: Vec3::ZERO,
            shown_offset_m: Vec3::ZERO,
        }
    }

    /// Whether the server has said where the character is; until then it is nowhere, and its state means nothing.
    pub fn is_placed(&self) -> bool {
        self.is_placed
    }

    /// The predicted state, after the newest input.
    pub fn state(&self) -> &CharacterState {
        &self.state
    }

    /// What hinders the character, after the newest input.
    pub fn fighter(&self) -> &Fighter {
        &self.fighter
    }

    /// What the character has: as the server said last, less what abilities have cost since by the prediction.
    pub fn own_attributes(&self) -> &Attributes {
        &self.own.left
    }

    /// The abilities by which it is predicted from now on.
    pub(crate) fn learn(&mut self, abilities: Option<Arc<Abilities>>) {
        self.abilities = abilities;
    }

    /// The position to be shown when `share` of a tick, 0 to 1, has passed since the newest step, in metres: between the
    /// last two predicted positions, with corrections blended in. [`crate::Client::own_position_m`] knows the share.
    pub fn shown_position_m(&self, share: f32) -> Vec3 {
        self.shown_before_m.lerp(self.shown_after_m(), share.clamp(0.0, 1.0))
    }

    /// Lives through one tick with `input`. Before the first confirmation the input is only remembered. Returns the ability that has happened in it, and
    /// from where.
    pub(crate) fn step(&mut self, tick: Tick, input: PlayerInput) -> Option<(Act, Vec3)> {
        let (mut done, mut begun) = (None, None);
        if self.is_placed {
            self.shown_before_m = self.shown_after_m();
            let before_m = self.state.position_m;
            (self.state, done, begun) = self.live(tick, self.state, input);
            // A leap is shown where it leads at once.
            if done.is_some() && self.state.position_m.distance_squared(before_m) > BLENDED_MAX_M * BLENDED_MAX_M {
                self.shown_before_m = self.state.position_m;
                self.shown_offset_m = Vec3::ZERO;
            }
            self.shown_offset_m *= SHOWN_AFTER_100_MS.powf(self.rate.step_s() / 0.1);
        }
        if self.history.len() >= HISTORY_MAX {
            self.history.pop_front();
        }
        self.history.push_back(Step { tick, input, after: self.state, fighter: self.fighter.clone(), begun });
        done
    }

    /// One tick, as the server has it: what it leads to, what has happened in it, and which ability has begun.
    fn live(
        &mut self,
        tick: Tick,
        state: CharacterState,
        input: PlayerInput,
    ) -> (CharacterState, Option<(Act, Vec3)>, Option<u8>) {
        let (map, ground, step_s) = (&*self.map, &mut self.ground, self.rate.step_s());
        let gait = map.rules.gait();
        let Some(abilities) = &self.abilities else {
            return (step_at(map, ground, state, input, step_s, gait), None, None);
        };
        let (fighter, archetype, left) = (&mut self.fighter, Archetype::PLAYER, &mut self.own.left);
        let can_pay = |ability: &Ability| ability.is_affordable(left);
        let step = abilities.step(map, ground, fighter, state, archetype, gait, input, tick, step_s, can_pay);
        if let Some(ability) = step.begun.and_then(|number| abilities.get(number)) {
            ability.pay(left);
        }
        (step.state, step.done, step.begun)
    }

    /// Reckons anew what is left: some steps are no more, or the server has said something else.
    fn pay_again(&mut self) {
        let Prediction { own, history, abilities, .. } = self;
        own.left.clone_from(&own.told);
        let Some(abilities) = abilities else { return };
        let since = history.iter().filter(|step| step.tick > own.told_after).filter_map(|step| step.begun);
        since.filter_map(|number| abilities.get(number)).for_each(|ability| ability.pay(&mut own.left));
    }

    /// Forgets the steps of `next` and later ticks: they will be made again. What is left is corrected by the next
    /// confirmation; if nothing is, that is taken as it comes.
    pub(crate) fn forget_from(&mut self, next: Tick) {
        while self.history.back().is_some_and(|step| step.tick >= next) {
            self.history.pop_back();
        }
        if let Some(newest) = self.history.back() {
            let state = newest.after;
            self.fighter.clone_from(&newest.fighter);
            self.correct(state);
        }
        self.pay_again();
    }

    /// Takes the server's word for the state after `tick`, for what hinders the character then and for what it has. Returns by how many metres the
    /// prediction was wrong; none when nothing had been predicted for that tick.
    pub(crate) fn confirm(
        &mut self,
        tick: Tick,
        server: CharacterState,
        fighter: Fighter,
        own: &Attributes,
    ) -> Option<f32> {
        self.own.told.clone_from(own);
        self.own.told_after = tick;
        if !self.is_placed {
            self.fighter = fighter;
            self.place(tick, server);
            return None;
        }
        self.pay_again();
        while self.history.front().is_some_and(|step| step.tick < tick) {
            self.history.pop_front();
        }
        let Some(confirmed) = self.history.front().filter(|step| step.tick == tick).cloned() else {
            if self.history.is_empty() {
                self.fighter = fighter;
                self.correct(server);
            }
            return None;
        };
        let server = CharacterState { yaw: confirmed.after.yaw, ..server };
        let error_m = confirmed.after.position_m.distance(server.position_m);
        let agrees = error_m <= TOLERANCE_M
            && confirmed.after.velocity_mps.distance(server.velocity_mps) <= TOLERANCE_M
            && confirmed.after.grounded == server.grounded
            && confirmed.fighter.agrees_with(&fighter, tick);
        if !agrees {
            let fighter = fighter.with_aim_of(&confirmed.fighter);
            if let Some(step) = self.history.front_mut() {
                step.after = server;
                step.fighter.clone_from(&fighter);
            }
            self.fighter = fighter;
            self.replay(server, 1);
        }
        Some(error_m)
    }

    /// The first confirmation: lives through what has been wished for since.
    fn place(&mut self, tick: Tick, server: CharacterState) {
        self.is_placed = true;
        self.history.retain(|step| step.tick > tick);
        self.replay(server, 0);
        self.shown_offset_m = Vec3::ZERO;
        self.shown_before_m = self.state.position_m;
    }

    /// Lives again through all steps but the first `skipped`, from the server's state.
    fn replay(&mut self, server: CharacterState, skipped: usize) {
        let mut state = server;
        self.own.left.clone_from(&self.own.told);
        let mut history = std::mem::take(&mut self.history);
        for step in history.iter_mut().skip(skipped) {
            (state, _, step.begun) = self.live(step.tick, state, step.input);
            step.after = state;
            step.fighter.clone_from(&self.fighter);
        }
        self.history = history;
        self.correct(state);
    }

    /// Changes the predicted state without a visible jump, unless it has moved far.
    fn correct(&mut self, state: CharacterState) {
        let offset_m = self.shown_after_m() - state.position_m;
        self.state = state;
        if offset_m.length_squared() <= BLENDED_MAX_M * BLENDED_MAX_M {
            self.shown_offset_m = offset_m;
        } else {
            self.shown_offset_m = Vec3::ZERO;
            self.shown_before_m = state.position_m;
        }
    }

    /// What is shown at the end of the newest step, in metres.
    fn shown_after_m(&self) -> Vec3 {
        self.state.position_m + self.shown_offset_m
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::Vec2;
    use throng_shared::attributes::{AttributeKind, AttributeRule, Schema};
    use throng_shared::config::{self, AbilityConfig, AimConfig, CombatConfig, CostConfig, EffectsConfig, Hits};
    use throng_shared::input::Buttons;
    use throng_shared::movement::step_character;

    /// Without abilities.
    impl Prediction {
        fn step_free(&mut self, tick: Tick, input: PlayerInput) {
            assert_eq!(self.step(tick, input), None);
        }

        fn confirm_free(&mut self, tick: Tick, server: CharacterState) -> Option<f32> {
            self.confirm(tick, server, Fighter::default(), &Attributes::default())
        }
    }

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
        prediction.confirm_free(Tick(9), start);
        let inputs: Vec<PlayerInput> =
            (0..30).map(|i| PlayerInput::towards(Vec2::from_angle(i as f32 * 0.2), Buttons(i % 3))).collect();
        let server = server_steps(&prediction, start, &inputs);
        for (tick, input) in (10..).zip(&inputs) {
            prediction.step_free(Tick(tick), *input);
        }
        for (tick, state) in (10..).zip(&server) {
            assert_eq!(prediction.confirm_free(Tick(tick), *state), Some(0.0));
        }
    }

    #[test]
    fn a_wrong_prediction_is_corrected_from_the_servers_state_without_a_visible_jump() {
        let mut prediction = prediction();
        let start = CharacterState::standing_at(&prediction.map, Vec2::ZERO);
        prediction.confirm_free(Tick(9), start);
        let east = PlayerInput::towards(Vec2::X, Buttons::RUN);
        for tick in 10..30 {
            prediction.step_free(Tick(tick), east);
        }
        // The server did not get the input for tick 10 and let the character stand.
        let stood = PlayerInput::default();
        let server = server_steps(&prediction, start, &[&[stood][..], &[east; 19]].concat());
        let shown_m = [0.0, 0.4, 1.0].map(|share| prediction.shown_position_m(share));
        let error_m = prediction.confirm_free(Tick(10), server[0]).expect("tick 10 was predicted");
        assert!(error_m > 0.01);
        assert_eq!(prediction.state().position_m, server[19].position_m, "as if it had known");
        for (share, shown_m) in [0.0, 0.4, 1.0].into_iter().zip(shown_m) {
            assert!(prediction.shown_position_m(share).distance(shown_m) < 1e-5, "what is shown does not jump");
        }
        assert_eq!(prediction.confirm_free(Tick(29), server[19]), Some(0.0));
    }

    #[test]
    fn nothing_is_predicted_before_the_first_confirmation_and_then_everything_since() {
        let mut prediction = prediction();
        let start = CharacterState::standing_at(&prediction.map, Vec2::new(60.0, -80.0));
        let east = PlayerInput::towards(Vec2::X, Buttons::RUN);
        for tick in 10..15 {
            prediction.step_free(Tick(tick), east);
        }
        assert_eq!((prediction.is_placed(), *prediction.state()), (false, CharacterState::default()));
        assert_eq!(prediction.confirm_free(Tick(11), start), None);
        let server = server_steps(&prediction, start, &[east; 3]);
        assert_eq!(*prediction.state(), server[2]);
        assert_eq!(prediction.shown_position_m(1.0), server[2].position_m);
        assert_eq!(prediction.confirm_free(Tick(14), server[2]), Some(0.0));
    }

    #[test]
    fn whoever_is_carried_far_is_shown_there_at_once() {
        let mut prediction = prediction();
        prediction.confirm_free(Tick(9), CharacterState::standing_at(&prediction.map, Vec2::ZERO));
        prediction.step_free(Tick(10), PlayerInput::default());
        let there = CharacterState::standing_at(&prediction.map, Vec2::new(100.0, 50.0));
        prediction.confirm_free(Tick(10), there);
        for share in [0.0, 1.0] {
            assert_eq!(prediction.shown_position_m(share), there.position_m);
        }
    }

    #[test]
    fn what_is_shown_moves_evenly_within_a_tick_and_from_one_to_the_next() {
        let mut prediction = prediction();
        prediction.confirm_free(Tick(9), CharacterState::standing_at(&prediction.map, Vec2::ZERO));
        let mut newest_m = prediction.shown_position_m(1.0);
        for tick in 10..40 {
            prediction.step_free(Tick(tick), PlayerInput::towards(Vec2::X, Buttons::RUN));
            assert_eq!(prediction.shown_position_m(0.0), newest_m);
            newest_m = prediction.shown_position_m(1.0);
            let middle_m = prediction.shown_position_m(0.0).midpoint(newest_m);
            assert!(prediction.shown_position_m(0.5).distance(middle_m) < 1e-4);
        }
        assert!(newest_m.x > 5.0, "it ran");
    }

    /// One ability that costs 10 of mana, and a character that has 15.
    fn with_costs(prediction: &mut Prediction) -> (Attributes, impl Fn(&Prediction) -> Option<f32> + use<>) {
        let number = |name| AttributeRule::new(name, AttributeKind::Number { min: 0.0, max: 100.0, step: 1.0 });
        let schema = Schema::new(vec![number("health"), number("mana")]).expect("two numbers are few");
        let ability = AbilityConfig {
            name: "shout".to_owned(),
            archetypes: 1,
            aim: AimConfig::Own,
            hits: Hits::Others,
            cooldown_ms: 50,
            cast_ms: 0,
            cost: Some(CostConfig { attribute: "mana".to_owned(), amount: 10.0 }),
            effects: EffectsConfig::default(),
        };
        let config = CombatConfig {
            health: "health".to_owned(),
            respawn_ms: 1_000,
            eyes_m: 1.6,
            rewind_max_ms: 250,
            view_delay_max_ms: 250,
            no_side: None,
            deal_teams: false,
            safe_zones: vec![],
            abilities: vec![ability],
        };
        prediction.learn(Abilities::new(&config, TickRate::new(20), &schema).map(Arc::new));
        let mana = schema.number("mana").expect("a number");
        let mut own = Attributes::new(&schema, Archetype::PLAYER);
        own.set(&mana, 15.0);
        (own, move |prediction| prediction.own_attributes().get(&mana))
    }

    #[test]
    fn what_was_paid_in_steps_that_are_no_more_is_given_back_and_what_is_begun_instead_is_paid() {
        let mut prediction = prediction();
        let (own, left) = with_costs(&mut prediction);
        let start = CharacterState::standing_at(&prediction.map, Vec2::ZERO);
        prediction.confirm(Tick(9), start, Fighter::default(), &own);
        let shout = PlayerInput { ability: 1, ..PlayerInput::default() };
        assert!(prediction.step(Tick(10), shout).is_some() && left(&prediction) == Some(5.0));
        prediction.forget_from(Tick(10));
        assert_eq!(left(&prediction), Some(15.0), "it never was");
        prediction.confirm(Tick(9), start, Fighter::default(), &own);
        assert!(prediction.step(Tick(10), shout).is_some());
        assert!(prediction.step(Tick(11), shout).is_none(), "5 of 10 are left");
        // The server did not get the input of tick 10: the one of tick 11 begins instead.
        let elsewhere = CharacterState::standing_at(&prediction.map, Vec2::new(0.5, 0.0));
        prediction.confirm(Tick(10), elsewhere, Fighter::default(), &own);
        assert_eq!(left(&prediction), Some(5.0));
        prediction.confirm(Tick(10), elsewhere, Fighter::default(), &own);
        assert_eq!(left(&prediction), Some(5.0), "it is remembered which began");
        // The server has taken it.
        let (fighter, paid) = (prediction.fighter().clone(), prediction.own_attributes().clone());
        let state = *prediction.state();
        assert_eq!(prediction.confirm(Tick(11), state, fighter, &paid), Some(0.0));
        assert_eq!(left(&prediction), Some(5.0), "once and not twice");
    }

    #[test]
    fn steps_that_are_made_again_are_predicted_from_what_is_left() {
        let mut prediction = prediction();
        let start = CharacterState::standing_at(&prediction.map, Vec2::ZERO);
        prediction.confirm_free(Tick(9), start);
        let [east, north] = [Vec2::X, Vec2::NEG_Y].map(|heading| PlayerInput::towards(heading, Buttons::RUN));
        for tick in 10..100 {
            prediction.step_free(Tick(tick), east);
        }
        prediction.forget_from(Tick(13));
        let server = server_steps(&prediction, start, &[east, east, east, north, north]);
        assert_eq!(prediction.shown_position_m(1.0), server[2].position_m, "too far to be blended");
        prediction.step_free(Tick(13), north);
        prediction.step_free(Tick(14), north);
        assert_eq!(prediction.confirm_free(Tick(14), server[4]), Some(0.0));
        prediction.forget_from(Tick(5));
        prediction.confirm_free(Tick(20), start);
        assert_eq!(*prediction.state(), start, "with nothing left, the server's word is taken as it comes");
    }
}
