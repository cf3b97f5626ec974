//! The server's side of netcode 1.02, without a socket and without a clock: handshakes, and who is connected.
//!
//! | module | does |
//! |---|---|
//! | [`table`] | connections: O(1) by address and by place; sealing, opening, keep-alives, timeouts |
//! | [`handshake`] | requests and responses, and who is let through to a place |
//! | [`moves`] | connected clients whose address has changed |
//! | [`tokens`] | which tokens were used, by whom; shared by all network threads |
//! | [`source_limits`] | how many handshakes a source may ask for |

mod handshake;
mod moves;
mod places;
mod source_limits;
mod table;
mod tokens;

#[cfg(test)]
mod tests;

pub use handshake::HandshakeRefusal;
pub use places::TakenPlaces;
pub use table::{Received, ReplyBuffer, Table, TableOptions};
pub use tokens::UsedTokens;
