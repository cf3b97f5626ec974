//! The rules of the world, one file each.

mod movement;
mod seats;
mod spawn;

pub use movement::LastInput;
pub(crate) use movement::{LOOK_AHEAD, PARALLEL_MIN, Walker, count_missing_inputs, fetch_ground, move_characters};
pub(crate) use seats::{SeatsOnOffer, end_stand_in, give_back, review_archetypes, review_stand_ins, stand_in};
pub(crate) use spawn::{
    NewBot, Roster, despawn_character, despawn_characters, draw_spawn_point, spawn_bots, spawn_player,
};
