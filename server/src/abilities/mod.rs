//! What characters do to one another: abilities, health, death and respawn. Only in worlds that have an abilities file.
//!
//! ```text
//! input → Fighter (shared: may it, and when) → Deed → whom it reaches → Blow → health, slow, push, death → news to clients
//! ```
//!
//! | file | does |
//! |---|---|
//! | `rules.rs` | what the abilities file says, made ready |
//! | `view.rs` | the moment that a client may have seen, from what it has acknowledged |
//! | `perform.rs` | inputs → movement and deeds; the order of a tick |
//! | `field.rs` | who may be hit by whom |
//! | `reach.rs`, `projectiles.rs` | deeds → blows |
//! | `blows.rs` | blows → attributes, movement, death; who appears again |
//! | `log.rs` | receipts and refusals, the last of each, and counts |
//!
//! A game's own rule adds systems to [`crate::tick::Phase::Simulate`] after [`crate::tick::BuiltIn`], and reads in [`CombatLog::blows`] what has been done in the
//! tick: abilities with `is_custom = true` need do nothing else.

mod blows;
mod field;
mod log;
mod perform;
mod projectiles;
mod reach;
mod rules;
mod view;

pub use blows::Blow;
pub(crate) use blows::{keep_share_of_health, respawn_fighters};
pub(crate) use log::tell_combat_news;
pub use log::{
    BOUNDS_MS, CombatLog, CombatTotals, FairnessBuckets, RECEIPTS_MAX, REFUSALS_MAX, Refusal, RefusalRule, ShotReceipt,
};
pub(crate) use perform::{fighter_bundle, move_fighters, perform_deeds};
pub use projectiles::{Projectile, Projectiles};
pub use rules::CombatRules;
pub(crate) use view::grant_view;
