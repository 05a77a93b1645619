//! What lets a caller in: the key of the emulator and the password of Redis, anew for each local
//! cloud.
//!
//! They are in a file of the state directory that only this user can read, in the form of AWS's own
//! credentials file, so that other tools can be pointed at it. No command line holds them: those are
//! for everybody to read (proc(5)).

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::LocalError;
use super::files::{gone, write_private};

/// Name of the file in the state directory.
const FILE: &str = "credentials";

/// The key and the password of a local cloud.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secrets {
    /// Access key of every signed call. Letters first: `MiniStack` takes twelve digits for the
    /// account to work in.
    pub(crate) key: String,
    /// Redis's password, and the secret that belongs to the key.
    pub(crate) password: String,
}

impl Secrets {
    /// Those of the local cloud in `state_dir`; `None` where there is none, or no whole one.
    pub(super) fn read(state_dir: &Path) -> Option<Self> {
        let text = fs::read_to_string(path(state_dir)).ok()?;
        let value = |name: &str| {
            let mut pairs = text.lines().filter_map(|line| line.split_once('='));
            let (_, value) = pairs.find(|(key, _)| key.trim() == name)?;
            Some(value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        Some(Self {
            key: value("aws_access_key_id")?,
            password: value("aws_secret_access_key")?,
        })
    }

    /// New ones, written before anything starts that wants them.
    pub(super) fn create(state_dir: &Path) -> Result<Self, LocalError> {
        let secrets = Self {
            key: format!("PLACE{:032X}", rand::random::<u128>()),
            password: format!(
                "{:032x}{:032x}",
                rand::random::<u128>(),
                rand::random::<u128>()
            ),
        };
        let text = format!(
            "# The local cloud's own: valid nowhere else, and until `placectl local stop`.\n\
             [default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            secrets.key, secrets.password
        );
        write_private(&path(state_dir), &text)?;
        Ok(secrets)
    }

    /// Forgets them.
    pub(super) fn remove(state_dir: &Path) -> Result<(), LocalError> {
        let path = path(state_dir);
        gone(&path, fs::remove_file(&path))
    }
}

/// Nothing that is logged or printed holds them.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

/// Where the secrets of the local cloud in `state_dir` are.
pub(super) fn path(state_dir: &Path) -> PathBuf {
    state_dir.join(FILE)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn secrets_survive_the_disk_in_a_file_of_the_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Secrets::read(directory.path()), None);
        fs::write(path(directory.path()), "").unwrap();
        assert_eq!(Secrets::read(directory.path()), None);
        let secrets = Secrets::create(directory.path()).unwrap();
        assert_eq!(Secrets::read(directory.path()), Some(secrets));
        let mode = fs::metadata(path(directory.path())).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        Secrets::remove(directory.path()).unwrap();
        Secrets::remove(directory.path()).unwrap();
        assert_eq!(Secrets::read(directory.path()), None);
    }

    #[test]
    fn secrets_differ_are_long_and_are_no_account() {
        let directory = tempfile::tempdir().unwrap();
        let one = Secrets::create(directory.path()).unwrap();
        let other = Secrets::create(directory.path()).unwrap();
        assert!(one.key != other.key && one.password != other.password);
        assert_eq!((one.key.len(), one.password.len()), (37, 64));
        assert!(one.key.starts_with("PLACE"));
    }

    #[test]
    fn secrets_are_not_in_what_is_logged() {
        let directory = tempfile::tempdir().unwrap();
        let secrets = Secrets::create(directory.path()).unwrap();
        assert_eq!(format!("{secrets:?}"), "Secrets");
    }
}
