//! The native client for every language that can call C: `client/include/throng.h` is generated from this file's types and calls.
//!
//! - A client is a number, not a pointer: a handle that is stale, made up or 0 is answered with [`ThrongStatus::UnknownHandle`].
//! - Memory is the caller's: every call writes into what it is handed, and nothing is to be freed. Texts that are returned live for ever.
//! - Any thread may make any call. Calls for the same client wait for each other; those for different clients do not.
//! - A null pointer where none may be is answered with [`ThrongStatus::NullPointer`]. No call aborts the program: a fault in here is
//!   [`ThrongStatus::Internal`], and the client is closed.

#![allow(
    unsafe_code,
    reason = "what crosses to C is pointers; tests/tests/layers.rs sees to it that this is one of two places"
)]

mod connect;
mod play;
mod registry;
mod types;

pub use connect::{throng_close, throng_connect, throng_connect_local, throng_reconnect, throng_reconnect_local};
pub use play::{
    throng_ability, throng_archetype, throng_archetype_name, throng_attribute, throng_character, throng_characters,
    throng_close_reason, throng_cooldown, throng_event_is_on, throng_feature_is_on, throng_hindrance, throng_hour,
    throng_next_event, throng_next_message, throng_own, throng_send_message, throng_set_input, throng_state,
    throng_statistics, throng_update, throng_use_ability,
};
pub use types::{
    ThrongArchetype, ThrongCharacter, ThrongEvent, ThrongEventKind, ThrongHindrance, ThrongInput, ThrongLink,
    ThrongState, ThrongStatistics, ThrongStatus, throng_status_text, throng_version,
};
