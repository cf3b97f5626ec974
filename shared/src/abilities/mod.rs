//! What characters can do to one another and to themselves, and when: the part that a client predicts and the server decides by.
//!
//! An abilities file declares them ([`crate::config::CombatConfig`]); [`Abilities`] has them in ticks. Whoever can use one has a
//! [`Fighter`]: what is cooling down, what is under way, whether it is slowed or dead. [`Abilities::step`] moves a character by one tick
//! and says which ability it has done; the server then looks whom it reaches, the client shows it and waits for the server's word.

mod act;
mod blink;
mod fighter;
mod rules;
mod step;
#[cfg(test)]
mod tests;

pub use act::{Act, PITCH_MAX, VIEW_STEPS_PER_TICK, aim_direction, aim_towards, cosine_of_deg, stray};
pub use fighter::{COOLING_MAX, Cast, FIGHTER_BYTES_MAX, Fighter, FighterBytes, Slow};
pub use rules::{Abilities, Ability, Cost};
pub use step::{Step, UseRefusal};
