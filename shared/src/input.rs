//! What a person or a bot may ask for in one tick, and the buffer in which it waits for that tick.
//!
//! Every bit pattern of a [`PlayerInput`] is a legal wish: there is nothing in it that could ask for more than the
//! rules allow. Speed, position and rate are the server's to decide.

use glam::Vec2;
use smallvec::SmallVec;

use crate::abilities::VIEW_STEPS_PER_TICK;
use crate::limits::{INPUT_LEAD_TICKS_MAX, LATE_ABILITY_TICKS_MAX};
use crate::memory::fetch;
use crate::tick::Tick;

/// The wishes of one character for one tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlayerInput {
    /// Wanted direction along the world's x axis (east), -127 to 127; 127 is full speed.
    pub move_x: i8,
    /// Wanted direction along the world's z axis (south), -127 to 127.
    pub move_z: i8,
    /// Facing, as a fraction of a full turn in 1/65,536; 0 looks along -z (north), rising towards +x (east).
    pub yaw: u16,
    /// What is held down.
    pub buttons: Buttons,
    /// The ability that is to be used in this tick, by its place in the abilities file, from 1; 0 for none.
    pub ability: u8,
    /// How far up that is aimed, in 1/65,536 of a turn, from -16,384 (straight down) to 16,384. Where to is [`PlayerInput::yaw`].
    pub pitch: i16,
    /// How long before the tick was the moment in which the player sees the others, in 1/64 of a tick.
    pub view_back_steps: u16,
}

/// Buttons of a [`PlayerInput`]; unknown bits are ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buttons(pub u8);

impl Buttons {
    /// Move at running instead of walking speed.
    pub const RUN: Buttons = Buttons(1);
    /// Jump, when standing.
    pub const JUMP: Buttons = Buttons(2);

    /// Whether all of `buttons` are held.
    pub fn contains(self, buttons: Buttons) -> bool {
        self.0 & buttons.0 == buttons.0
    }

    /// `self` and `buttons` together.
    pub fn with(self, buttons: Buttons) -> Buttons {
        Buttons(self.0 | buttons.0)
    }
}

impl PlayerInput {
    /// Walks (or with [`Buttons::RUN`] runs) towards `direction`, whose length up to 1 is the share of full speed, and
    /// looks that way. A direction that is not finite asks for standing still.
    pub fn towards(direction: Vec2, buttons: Buttons) -> PlayerInput {
        if !direction.is_finite() {
            return PlayerInput { buttons, ..PlayerInput::default() };
        }
        let direction = direction.clamp_length_max(1.0);
        PlayerInput {
            move_x: (direction.x * 127.0).round() as i8,
            move_z: (direction.y * 127.0).round() as i8,
            yaw: yaw_of(direction),
            buttons,
            ..PlayerInput::default()
        }
    }

    /// The same without what is done once: a jump, and the use of an ability.
    pub fn repeated(self) -> PlayerInput {
        let buttons = Buttons(self.buttons.0 & !Buttons::JUMP.0);
        PlayerInput { buttons, ability: 0, pitch: 0, view_back_steps: 0, ..self }
    }

    /// Whether it asks for nothing but to stand and look on.
    pub fn is_still(self) -> bool {
        self == PlayerInput { yaw: self.yaw, ..PlayerInput::default() }
    }

    /// The wanted direction (x, z), never longer than 1.
    pub fn direction(self) -> Vec2 {
        let wanted = Vec2::new(f32::from(self.move_x.max(-127)), f32::from(self.move_z.max(-127))) / 127.0;
        wanted.clamp_length_max(1.0)
    }
}

/// The facing that looks along `direction` (x, z), in 1/65,536 of a turn; 0 for no direction.
pub fn yaw_of(direction: Vec2) -> u16 {
    if direction == Vec2::ZERO {
        return 0;
    }
    let turn = libm::atan2f(direction.x, -direction.y) / std::f32::consts::TAU;
    (turn * 65_536.0).round() as i32 as u16
}

/// What became of an input that was put into an [`InputBuffer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InputFate {
    /// It waits for its tick.
    Buffered,
    /// One for that tick is already here: the first stands.
    Duplicate,
    /// Its tick has passed: dropped.
    Late,
    /// Its tick is [`INPUT_LEAD_TICKS_MAX`] or more ahead of the next: dropped.
    Early,
}

/// Where an applied input came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputSource {
    /// It arrived for this very tick.
    Fresh,
    /// None arrived in time: the last one again, without what is done once.
    Repeated,
    /// None arrived for too long: stand still, keep facing.
    Neutral,
    /// None arrived, and none was needed: the last one stood still already.
    Still,
}

/// Inputs that wait for their tick, one for each.
///
/// A character acts once per tick on at most one input, so that nobody can act more often by sending more.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "ecs", derive(bevy_ecs::prelude::Component))]
pub struct InputBuffer {
    /// By rising ticks. Seldom more than two: a bot's for the next tick, a player's on time.
    waiting: SmallVec<[(Tick, PlayerInput); 2]>,
    last: PlayerInput,
    /// The newest tick whose own input was applied.
    last_fresh_tick: Tick,
    /// Ticks since then in which one was missing, up to one less than [`NEVER`], which says that none was applied yet.
    missed_ticks: u16,
    /// What may yet be done of an input that came too late.
    late: LateWish,
    /// The newest input whose ability was handed out.
    used: Tick,
}

/// The wish to use an ability of an input that came too late for its tick; none with ability 0.
#[derive(Clone, Copy, Debug, Default)]
struct LateWish {
    tick: Tick,
    ability: u8,
    yaw: u16,
    pitch: i16,
    view_back_steps: u16,
}

/// More ticks than are counted; see [`InputBuffer::missed_ticks`].
const NEVER: u16 = u16::MAX;

// There is one for each character, and it is read in every tick.
const _: () = assert!(size_of::<InputBuffer>() <= 72);

impl Default for InputBuffer {
    fn default() -> Self {
        InputBuffer {
            waiting: SmallVec::new(),
            last: PlayerInput::default(),
            last_fresh_tick: Tick(0),
            missed_ticks: NEVER,
            late: LateWish::default(),
            used: Tick(0),
        }
    }
}

impl InputBuffer {
    /// Whoever acted does so no more, and somebody else will: nothing that waits is done, and the character stands and keeps facing.
    pub fn hand_over(&mut self) {
        self.waiting.clear();
        self.late = Default::default();
        self.last = PlayerInput { yaw: self.last.yaw, ..PlayerInput::default() };
    }

    /// Keeps `input` for `tick`, where `next` is the next tick to be simulated.
    pub fn put(&mut self, next: Tick, tick: Tick, input: PlayerInput) -> InputFate {
        if tick < next {
            // A step that was missed is past; a shot is not: it says what its shooter saw.
            let is_new = input.ability > 0 && tick > self.used && next.since(tick) <= LATE_ABILITY_TICKS_MAX;
            if is_new && (self.late.ability == 0 || tick < self.late.tick) {
                let PlayerInput { ability, yaw, pitch, view_back_steps, .. } = input;
                self.late = LateWish { tick, ability, yaw, pitch, view_back_steps };
            }
            return InputFate::Late;
        }
        if tick.since(next) >= INPUT_LEAD_TICKS_MAX {
            return InputFate::Early;
        }
        match self.waiting.binary_search_by_key(&tick, |(waiting, _)| *waiting) {
            Ok(_) => InputFate::Duplicate,
            Err(place) => {
                self.waiting.insert(place, (tick, input));
                InputFate::Buffered
            }
        }
    }

    /// The input for `tick`: its own; or the last one for up to `repeat_ticks` ticks; or neutral.
    ///
    /// An ability that was wished for in one that came up to [`LATE_ABILITY_TICKS_MAX`] ticks late is wished for in this, if it does not wish for another: with what was seen
    /// when it was made.
    pub fn take(&mut self, tick: Tick, repeat_ticks: u32) -> (PlayerInput, InputSource) {
        let (mut input, source) = self.take_movement(tick, repeat_ticks);
        if input.ability > 0 {
            self.used = tick;
        } else if self.late.ability > 0 {
            let late = std::mem::take(&mut self.late);
            let ticks = tick.since(late.tick);
            if late.tick > self.used && ticks <= LATE_ABILITY_TICKS_MAX {
                let view_back_steps = u32::from(late.view_back_steps) + ticks * VIEW_STEPS_PER_TICK;
                input.view_back_steps = u16::try_from(view_back_steps).unwrap_or(u16::MAX);
                (input.ability, input.pitch, input.yaw) = (late.ability, late.pitch, late.yaw);
                self.used = late.tick;
            }
        }
        (input, source)
    }

    fn take_movement(&mut self, tick: Tick, repeat_ticks: u32) -> (PlayerInput, InputSource) {
        // Those of earlier ticks are of no use any more.
        let late = self.waiting.iter().take_while(|(waiting, _)| *waiting < tick).count();
        if late > 0 {
            self.waiting.drain(..late);
        }
        match self.waiting.first() {
            Some(&(waiting, input)) if waiting == tick => {
                // Mostly it is the only one, and nothing has to be moved up.
                match self.waiting.len() {
                    1 => self.waiting.clear(),
                    _ => _ = self.waiting.remove(0),
                }
                self.last = input;
                (self.last_fresh_tick, self.missed_ticks) = (tick, 0);
                (input, InputSource::Fresh)
            }
            _ if self.missed_ticks != NEVER && self.last.is_still() => (self.last, InputSource::Still),
            _ => {
                if self.missed_ticks < NEVER - 1 {
                    self.missed_ticks += 1;
                }
                if self.missed_ticks != NEVER && u32::from(self.missed_ticks) <= repeat_ticks {
                    (self.last.repeated(), InputSource::Repeated)
                } else {
                    (PlayerInput { yaw: self.last.yaw, ..PlayerInput::default() }, InputSource::Neutral)
                }
            }
        }
    }

    /// Has it brought near, for whoever fills several and would wait for each; inputs that wait elsewhere, more than two, are not.
    pub fn fetch(&self) {
        fetch(&self.waiting);
        fetch(&self.late);
        fetch(&self.used);
    }

    /// The newest tick whose own input was applied.
    pub fn last_fresh_tick(&self) -> Option<Tick> {
        (self.missed_ticks != NEVER).then_some(self.last_fresh_tick)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EAST: PlayerInput = PlayerInput {
        move_x: 127,
        move_z: 0,
        yaw: 0,
        buttons: Buttons(3),
        ability: 2,
        pitch: 100,
        view_back_steps: 200,
    };

    #[test]
    fn a_missing_input_is_repeated_without_its_jump_and_its_ability_and_then_neutral() {
        let mut buffer = InputBuffer::default();
        assert_eq!(buffer.put(Tick(5), Tick(5), EAST), InputFate::Buffered);
        assert_eq!(buffer.take(Tick(5), 2), (EAST, InputSource::Fresh));
        for tick in [6, 7] {
            let (input, source) = buffer.take(Tick(tick), 2);
            assert_eq!(source, InputSource::Repeated);
            assert_eq!(input, PlayerInput { move_x: 127, buttons: Buttons::RUN, ..PlayerInput::default() });
        }
        let (input, source) = buffer.take(Tick(8), 2);
        assert_eq!((input.move_x, source), (0, InputSource::Neutral));
    }

    #[test]
    fn an_ability_that_comes_a_little_late_is_used_once_with_the_view_of_its_own_tick() {
        let mut buffer = InputBuffer::default();
        buffer.put(Tick(5), Tick(5), PlayerInput::default());
        buffer.take(Tick(5), 2);
        buffer.take(Tick(6), 2);
        // That for tick 6 was lost; the next datagram repeats it.
        for _ in 0..3 {
            assert_eq!(buffer.put(Tick(7), Tick(6), EAST), InputFate::Late);
        }
        let (input, _) = buffer.take(Tick(7), 2);
        assert_eq!((input.ability, input.pitch, input.view_back_steps), (EAST.ability, EAST.pitch, 200 + 64));
        assert_eq!((input.move_x, input.buttons), (0, Buttons::default()), "only that");
        for tick in 8..12 {
            buffer.put(Tick(tick), Tick(6), EAST);
            assert_eq!(buffer.take(Tick(tick), 2).0.ability, 0, "once");
        }
        // On time, it is not late as well.
        buffer.put(Tick(20), Tick(20), EAST);
        assert_eq!(buffer.take(Tick(20), 2).0.ability, EAST.ability);
        buffer.put(Tick(21), Tick(20), EAST);
        assert_eq!(buffer.take(Tick(21), 2).0.ability, 0);
        // Too late is too late.
        buffer.put(Tick(40), Tick(40 - LATE_ABILITY_TICKS_MAX - 1), EAST);
        assert_eq!(buffer.take(Tick(40), 2).0.ability, 0);
    }

    #[test]
    fn nothing_is_missing_from_whoever_stands_still() {
        let mut buffer = InputBuffer::default();
        let still = PlayerInput { yaw: 7, ..PlayerInput::default() };
        buffer.put(Tick(5), Tick(5), still);
        buffer.take(Tick(5), 2);
        (6..100).for_each(|tick| assert_eq!(buffer.take(Tick(tick), 2), (still, InputSource::Still)));
    }

    #[test]
    fn the_first_input_for_a_tick_stands() {
        let mut buffer = InputBuffer::default();
        buffer.put(Tick(0), Tick(3), EAST);
        assert_eq!(buffer.put(Tick(0), Tick(3), PlayerInput::default()), InputFate::Duplicate);
        assert_eq!(buffer.take(Tick(3), 0).0, EAST);
    }

    #[test]
    fn inputs_of_the_past_and_of_the_far_future_are_dropped() {
        let mut buffer = InputBuffer::default();
        assert_eq!(buffer.put(Tick(10), Tick(9), EAST), InputFate::Late);
        assert_eq!(buffer.put(Tick(10), Tick(10 + INPUT_LEAD_TICKS_MAX), EAST), InputFate::Early);
        assert_eq!(buffer.put(Tick(10), Tick(u32::MAX), EAST), InputFate::Early);
    }

    #[test]
    fn no_bit_pattern_asks_for_more_than_full_speed() {
        for x in i8::MIN..=i8::MAX {
            for z in [i8::MIN, -127, 0, 100, 127] {
                let input = PlayerInput { move_x: x, move_z: z, buttons: Buttons(0xff), ..PlayerInput::default() };
                assert!(input.direction().length() <= 1.0 + 1e-6);
            }
        }
    }

    #[test]
    fn facing_runs_clockwise_from_north() {
        assert_eq!(yaw_of(Vec2::new(0.0, -1.0)), 0);
        assert_eq!(yaw_of(Vec2::new(1.0, 0.0)), 16_384);
        assert_eq!(yaw_of(Vec2::new(0.0, 1.0)), 32_768);
        assert_eq!(yaw_of(Vec2::new(-1.0, 0.0)), 49_152);
    }
}
