//! The key of this computer and user, which servers for players of the same computer share with the tools there.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};
use throng_shared::wire::key::ConnectKey;

/// Variables that name a folder for what programs keep between runs, the first that is set first, and where the key is in
/// it. On Windows `HOME` is not one: some shells set it and others do not, and all must find the same file.
#[cfg(not(windows))]
const PLACES: [(&str, &str); 2] = [("XDG_STATE_HOME", "throng/local.key"), ("HOME", ".local/state/throng/local.key")];
#[cfg(windows)]
const PLACES: [(&str, &str); 2] = [("XDG_STATE_HOME", "throng/local.key"), ("LOCALAPPDATA", "throng/local.key")];

/// More than any key's file has: what is beyond is not read.
const FILE_BYTES_MAX: u64 = 1_024;

/// What else may be done, for messages.
const OTHERWISE: &str = "a key of your own with --key-file FILE, or the key that everybody knows with \
                         --development-key, at both ends";

/// The file of the local key: random, made once, readable by its owner alone. It lets nobody in who could not read the
/// owner's files anyway, which is enough for players of the same computer and for no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalKey {
    path: PathBuf,
}

/// Why there is no local key.
#[derive(Debug, thiserror::Error)]
pub enum LocalKeyError {
    /// The environment names no folder for it.
    #[error(
        "there is no place for the local key: neither {} nor {} names a folder from the root on\n  help: set one of \
         them; or use {OTHERWISE}",
        PLACES[0].0,
        PLACES[1].0
    )]
    NoPlace,
    /// No server has made it yet.
    #[error(
        "there is no local key at {}: a server makes it when it first starts\n  help: start one, with `cargo run \
         --release`; a server that was started with another key needs the same here: --key-file FILE, THRONG_KEY or \
         --development-key",
        .0.display()
    )]
    Missing(PathBuf),
    /// The file, or its folder, cannot be made.
    #[error("cannot make the local key {}: {cause}\n  help: use {OTHERWISE}", path.display())]
    NotMade {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The file is there and cannot be read.
    #[error("cannot read the local key {}: {cause}\n  help: use {OTHERWISE}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The file is there and holds something else.
    #[error(
        "{} does not hold a key, which is 64 hexadecimal digits\n  help: stop the servers that were started with it and \
         remove the file, and the next one makes a new key; or use {OTHERWISE}",
        .0.display()
    )]
    NoKey(PathBuf),
    /// Others may read or write the file: it may not be secret any more.
    #[error(
        "others may read or write the local key {} (mode {mode:03o}, and 600 is wanted)\n  help: remove it, and the \
         next server that starts makes a new key; if nobody else can have read it, `chmod 600` it; or use {OTHERWISE}",
        path.display()
    )]
    NotPrivate {
        /// Which file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The operating system gives no random numbers.
    #[error("cannot make a local key: the system gives no random numbers")]
    Random,
}

impl LocalKey {
    /// Where the key of this user is: `throng/local.key` in `$XDG_STATE_HOME`, or else in `$HOME/.local/state`, on Windows
    /// in `%LOCALAPPDATA%`. It need not be there yet.
    ///
    /// # Errors
    /// When the environment names no such folder.
    pub fn of_this_user() -> Result<LocalKey, LocalKeyError> {
        let path = place(|name| std::env::var_os(name)).ok_or(LocalKeyError::NoPlace)?;
        Ok(LocalKey::at(path))
    }

    /// The key in another file.
    pub fn at(path: PathBuf) -> LocalKey {
        LocalKey { path }
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it, for a tool: only servers make it.
    ///
    /// # Errors
    /// When it is not there, cannot be read, holds no key, or others can read it.
    pub fn read(&self) -> Result<ConnectKey, LocalKeyError> {
        let path = || self.path.clone();
        let unreadable = |cause: io::Error| match cause.kind() {
            ErrorKind::NotFound => LocalKeyError::Missing(path()),
            _ => LocalKeyError::Unreadable { path: path(), cause },
        };
        let file = File::open(&self.path).map_err(unreadable)?;
        let mode = mode_for_others(&file).map_err(unreadable)?;
        if mode & 0o077 != 0 {
            return Err(LocalKeyError::NotPrivate { path: path(), mode });
        }
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(unreadable)?;
        let text = String::from_utf8(bytes).map_err(|_| LocalKeyError::NoKey(path()))?;
        ConnectKey::parse(&text).map_err(|_| LocalKeyError::NoKey(path()))
    }

    /// Reads it, and makes it when it is not there. Servers that start at the same moment get the same key. A file that is
    /// broken stays as it is: whoever holds tokens or a server with its key is to hear of it.
    ///
    /// # Errors
    /// As [`LocalKey::read`], and when it cannot be made.
    pub fn read_or_make(&self) -> Result<ConnectKey, LocalKeyError> {
        match self.read() {
            Err(LocalKeyError::Missing(_)) => {
                self.make()?;
                self.read()
            }
            result => result,
        }
    }

    /// Makes the file, unless another server has done so in the meantime.
    fn make(&self) -> Result<(), LocalKeyError> {
        let mut random = [0; 32 + 8];
        SystemRandom::new().fill(&mut random).map_err(|_| LocalKeyError::Random)?;
        let (key, name) = random.split_at(32);
        let not_made = |cause| LocalKeyError::NotMade { path: self.path.clone(), cause };
        let folder = self.path.parent().unwrap_or(Path::new(""));
        make_private_folder(folder).map_err(not_made)?;
        // Complete before it has its name, so that nobody reads half of it: a link is made at once or not at all, and
        // never in place of another file.
        let unfinished = folder.join(format!("{}.unfinished", hexadecimal(name)));
        let linked = write_private_file(&unfinished, &format!("{}\n", hexadecimal(key)))
            .and_then(|()| fs::hard_link(&unfinished, &self.path));
        // One that stays behind is a key that nobody uses.
        let _ = fs::remove_file(&unfinished);
        match linked {
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists => Ok(()),
            result => result.map_err(not_made),
        }
    }
}

/// Where the key is, by what the environment says. A folder that is not named from the root on would be another for each
/// current one.
fn place(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    PLACES.iter().find_map(|(name, inside)| {
        let folder = PathBuf::from(variable(name)?);
        folder.is_absolute().then(|| folder.join(inside))
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What its owner and others may do with a file.
#[cfg(unix)]
fn mode_for_others(file: &File) -> io::Result<u32> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o777)
}

/// Elsewhere a file is as private as the user's folder that it is in.
#[cfg(not(unix))]
fn mode_for_others(_: &File) -> io::Result<u32> {
    Ok(0o600)
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

fn write_private_file(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    // A computer that loses power is not to find an empty key.
    file.sync_all()
}

#[cfg(all(test, not(windows)))]
mod tests {
    use super::*;

    #[test]
    fn the_first_folder_that_is_named_from_the_root_on_is_taken() {
        let with = |state: &str, home: &str| {
            let (state, home) = (OsString::from(state), OsString::from(home));
            place(|name| match name {
                "XDG_STATE_HOME" => Some(state.clone()),
                "HOME" => Some(home.clone()),
                _ => None,
            })
        };
        let state = Some(PathBuf::from("/state/throng/local.key"));
        let home = Some(PathBuf::from("/home/ann/.local/state/throng/local.key"));
        assert_eq!(with("/state", "/home/ann"), state);
        for none in ["", "state", "./state"] {
            assert_eq!(with(none, "/home/ann"), home, "{none:?}");
            assert_eq!(with(none, ""), None, "{none:?}");
        }
        assert_eq!(place(|_| None), None);
    }
}
