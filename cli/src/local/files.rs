//! Files with their path in every error, and the lock that keeps two commands apart.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::error::LocalError;

const LOCK_POLL: Duration = Duration::from_millis(100);

/// Turns an I/O error into one that names the action and the path.
pub(super) fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LocalError {
    let path = path.to_owned();
    move |source| LocalError::File {
        action,
        path,
        source,
    }
}

/// The outcome of a removal: what was not there is as good as removed.
pub(super) fn gone(path: &Path, removed: io::Result<()>) -> Result<(), LocalError> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at("removing", path)(error)),
        _ => Ok(()),
    }
}

/// Writes a file that only this user can read, from its first byte on.
pub(super) fn write_private(path: &Path, text: &str) -> Result<(), LocalError> {
    // One that exists would keep its mode.
    gone(path, fs::remove_file(path))?;
    let mut private = OpenOptions::new();
    private.create_new(true).write(true).mode(0o600);
    private
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(at("writing", path))
}

/// Makes a directory that only this user can enter, and its parents.
pub(super) fn private_directory(path: &Path) -> Result<(), LocalError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(at("creating directory", path))
}

/// Opens an empty log, keeping the one before as `<name>.old`: the end of a crash is in there.
pub(super) fn fresh_log(path: &Path) -> Result<File, LocalError> {
    if path.exists() {
        fs::rename(path, path.with_extension("log.old")).map_err(at("rotating", path))?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(at("opening", path))
}

/// The last `lines` lines of a text file; empty when it can't be read.
pub(super) fn tail(path: &Path, lines: usize) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// An exclusive lock, freed when dropped or when its holder dies.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock at `path`, waiting up to `limit` for another command to give it back.
    pub(super) async fn take(
        path: PathBuf,
        limit: Duration,
        mut waiting: impl FnMut(),
    ) -> Result<Self, LocalError> {
        let file = open_lock(&path)?;
        let since = Instant::now();
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::Error(source)) => return Err(at("locking", &path)(source)),
                Err(TryLockError::WouldBlock) if since.elapsed() >= limit => {
                    return Err(LocalError::Busy {
                        lock: path,
                        waited: since.elapsed(),
                    });
                }
                Err(TryLockError::WouldBlock) => {}
            }
            if !told {
                waiting();
                told = true;
            }
            tokio::time::sleep(LOCK_POLL).await;
        }
    }
}

fn open_lock(path: &Path) -> Result<File, LocalError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(at("opening", path))
}
