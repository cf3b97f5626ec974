//! One tick of somebody who can use abilities.

use glam::Vec3;

use super::blink::blink;
use super::fighter::{Cast, Fighter};
use super::rules::{Abilities, Ability};
use super::{Act, VIEW_STEPS_PER_TICK};
use crate::archetypes::Gait;
use crate::ids::Archetype;
use crate::input::PlayerInput;
use crate::map::{KnownGround, Map};
use crate::movement::{CharacterState, step_at};
use crate::tick::Tick;

/// What came of a tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Where the character is.
    pub state: CharacterState,
    /// The ability that has happened in this tick, and from where: the eyes of its user, in metres.
    pub done: Option<(Act, Vec3)>,
    /// Whether that has carried the character elsewhere.
    pub has_leapt: bool,
    /// The ability that began in this tick, at once or to be cast; its cost is to be paid.
    pub begun: Option<u8>,
    /// Why the ability that was asked for did not begin.
    pub refused: Option<(u8, UseRefusal)>,
}

/// Why an ability cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum UseRefusal {
    /// There is none of this number.
    #[error("there is no such ability")]
    Unknown,
    /// Such characters do not have it.
    #[error("this character does not have it")]
    NotHeld,
    /// Its user is dead.
    #[error("its user is dead")]
    Dead,
    /// Something else is being cast.
    #[error("something else is under way")]
    Casting,
    /// It was used a short while ago.
    #[error("it cools down")]
    Cooldown,
    /// It costs more than there is.
    #[error("it costs more than there is")]
    Cost,
}

impl UseRefusal {
    /// All of them, for metrics that start at zero.
    pub const ALL: [UseRefusal; 6] = [
        UseRefusal::Unknown,
        UseRefusal::NotHeld,
        UseRefusal::Dead,
        UseRefusal::Casting,
        UseRefusal::Cooldown,
        UseRefusal::Cost,
    ];

    /// Name in metrics.
    pub fn label(self) -> &'static str {
        match self {
            UseRefusal::Unknown => "unknown",
            UseRefusal::NotHeld => "not-held",
            UseRefusal::Dead => "dead",
            UseRefusal::Casting => "casting",
            UseRefusal::Cooldown => "cooldown",
            UseRefusal::Cost => "cost",
        }
    }
}

impl Abilities {
    /// Moves a character of an archetype, which goes so fast and knows the ground of this map where it has been, by one tick, and lets it use what it asks for if it can. `can_pay` says whether it has what an ability costs.
    ///
    /// The ability happens after the movement, from where the character is then: at once, or at the end of its cast with the aim of its
    /// beginning and a view as late as then. Client and server agree to the bit when they agree on what hinders it. Cost: that of [`crate::movement::step_character`], and for a blink
    /// a look at the ground and the obstacles near it every 0.15 m.
    #[expect(clippy::too_many_arguments, reason = "each is a different thing of a different owner")]
    pub fn step(
        &self,
        map: &Map,
        known: &mut KnownGround,
        fighter: &mut Fighter,
        state: CharacterState,
        archetype: Archetype,
        gait: Gait,
        input: PlayerInput,
        tick: Tick,
        step_s: f32,
        can_pay: impl FnOnce(&Ability) -> bool,
    ) -> Step {
        fighter.settle(tick - 1);
        let (moves, gait) = match (fighter.is_dead, fighter.slow) {
            (true, _) => (PlayerInput { yaw: state.yaw, ..PlayerInput::default() }, gait.share(0.0)),
            (false, Some(slow)) => (input, gait.share(1.0 - f32::from(slow.percent.min(100)) / 100.0)),
            (false, None) => (input, gait),
        };
        let mut step = Step {
            state: step_at(map, known, state, moves, step_s, gait),
            done: None,
            has_leapt: false,
            begun: None,
            refused: None,
        };
        let mut happens = fighter.cast.take_if(|cast| cast.at <= tick).map(|cast| {
            // Its user sees the others as late as when it began.
            let cast_ticks = self.get(cast.act.ability).map_or(0, |ability| ability.cast_ticks);
            let view_steps = cast.act.view_steps + i64::from(cast_ticks) * i64::from(VIEW_STEPS_PER_TICK);
            Act { view_steps, ..cast.act }
        });
        if let Some(act) = Act::of(tick, &input) {
            match self.begin(fighter, archetype, &act, tick, can_pay) {
                // What was cast happens before, and both cannot.
                Ok(_) if happens.is_some() => step.refused = Some((act.ability, UseRefusal::Casting)),
                Ok(ability) => {
                    step.begun = Some(act.ability);
                    fighter.cool(act.ability, tick + ability.cooldown_ticks);
                    match ability.cast_ticks {
                        0 => happens = Some(act),
                        ticks => fighter.cast = Some(Cast { act, at: tick + ticks }),
                    }
                }
                Err(refusal) => step.refused = Some((act.ability, refusal)),
            }
        }
        if let Some(act) = happens {
            step.done = Some((act, step.state.position_m + Vec3::Y * self.eyes_m));
            let blink_m = self.get(act.ability).map_or(0.0, |ability| ability.effects.blink_m);
            if blink_m > 0.0 {
                let leapt = blink(map, &step.state, act.yaw, blink_m);
                step.has_leapt = leapt.position_m != step.state.position_m;
                step.state = leapt;
            }
        }
        step
    }

    /// The ability, if it can be used.
    fn begin(
        &self,
        fighter: &Fighter,
        archetype: Archetype,
        act: &Act,
        tick: Tick,
        can_pay: impl FnOnce(&Ability) -> bool,
    ) -> Result<&Ability, UseRefusal> {
        let ability = self.get(act.ability).ok_or(UseRefusal::Unknown)?;
        if !ability.is_held_by(archetype) {
            return Err(UseRefusal::NotHeld);
        }
        if fighter.is_dead {
            return Err(UseRefusal::Dead);
        }
        if fighter.cast.is_some() {
            return Err(UseRefusal::Casting);
        }
        if !fighter.is_ready(act.ability, tick) {
            return Err(UseRefusal::Cooldown);
        }
        if !can_pay(ability) {
            return Err(UseRefusal::Cost);
        }
        Ok(ability)
    }
}
