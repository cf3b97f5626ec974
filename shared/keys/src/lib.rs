//! Where the key is kept that connect tokens are sealed with, for the server and for the tools that let players in.
//!
//! A server that others can reach has a key that its operator made, in a [file](read_key_file) or in the environment. One
//! for players of the same computer has the [local key](LocalKey), which the first server that needs it makes.
//!
//! A crate of its own, because the client never sees the server and `throng-shared` knows no files.

mod key_file;
mod local_key;

pub use key_file::{KEY_REMEDY, KeyFileError, read_key_file};
pub use local_key::{LocalKey, LocalKeyError};
