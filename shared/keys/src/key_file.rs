//! A key that somebody has put into a file.

use std::path::{Path, PathBuf};

use throng_shared::wire::key::{ConnectKey, KeyError};

/// How to get a key, for messages.
pub const KEY_REMEDY: &str = "a key is 64 hexadecimal digits, for example from `openssl rand -hex 32`; \
                              to try things on this machine only, use --development-key";

/// Why a file gives no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It is not there, or may not be read.
    #[error("cannot read the key file {}: {cause}\n  help: {KEY_REMEDY}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// It holds something else.
    #[error("{} does not hold a key: {cause}", path.display())]
    NoKey {
        /// Which file.
        path: PathBuf,
        /// What a key is.
        cause: KeyError,
    },
}

/// Reads the file of a key. Who else may read the file is for its owner to decide.
///
/// # Errors
/// When it cannot be read, or holds no key.
pub fn read_key_file(path: &Path) -> Result<ConnectKey, KeyFileError> {
    let path_buf = || path.to_owned();
    let text = std::fs::read_to_string(path).map_err(|cause| KeyFileError::Unreadable { path: path_buf(), cause })?;
    ConnectKey::parse(&text).map_err(|cause| KeyFileError::NoKey { path: path_buf(), cause })
}
