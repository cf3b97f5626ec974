//! Shots, judged where the shooter saw the target.
//!
//! A world that wants them keeps where everybody was in the last ticks ([`Poses`]). A rule that lets somebody shoot asks the [`Judge`]; it
//! gets a [`Receipt`] that says what was asked, what was granted, and why the verdict is as it is. Nothing of it is told to clients or
//! changes anybody: that is for the rule.

mod judge;
mod moment;
mod poses;
mod receipt;
mod search;
#[cfg(test)]
mod tests;

pub use judge::{Judge, Shot};
pub(crate) use judge::{judge, judge_all, judge_among};
pub use poses::Poses;
pub(crate) use poses::remember_poses;
pub use receipt::{Clamp, Receipt, Target, Verdict};
