//! Our netcode against the published standard (mas-bandwidth/netcode, `STANDARD.md`, version 1.02, with the errata of
//! its `IMPLEMENTERS.md`), by evidence that our own code has no part in: bytes sealed by libsodium, and the standard's
//! rules, written down as tables. What tests beside the code show already is not shown again here.
//!
//! | module | holds |
//! |---|---|
//! | `vectors`, `server` | what the others use: the vectors of `tests/vectors/`, and our table of connections |
//! | `bytes` | tokens, requests, challenges and packets, both ways, and a whole conversation |
//! | `reading` | "Reading Encrypted Packets" and "Replay Protection", at both ends |
//! | `requests` | "Processing Connection Requests", "Processing Connection Response Packets", "Connected Clients" |
//! | `client_states` | "Client State Machine" |
//!
//! Where a deviation is deliberate, as `docs/protocol.md` says at the end of its section 3, the deviation is asserted.

mod bytes;
mod client_states;
mod reading;
mod requests;
mod server;
mod vectors;
