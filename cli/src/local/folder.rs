//! The state directory: only one that placectl made, for this user alone, is used and emptied.
//!
//! place.toml names it, and place.toml may come with a stranger's checkout. So a directory counts as
//! ours by a mark that no checkout can bring along: it holds the directory's own inode.

use std::fs::{self, Metadata, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::error::LocalError;
use super::files::{at, private_directory, write_private};

/// Name of the mark in the directory.
pub(super) const MARK: &str = "placectl-local";

const PRIVATE: u32 = 0o700;

/// A directory that may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Nothing is there.
    Missing,
    /// Empty and this user's, or of a placectl that set no mark yet.
    Unmarked,
    /// Made by placectl.
    Ours,
}

/// The state directory of one local cloud.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// It is where placectl itself put it, not where place.toml says.
    is_default: bool,
}

impl Folder {
    /// The directory at `path`.
    pub(super) fn new(path: &Path, default: &Path) -> Self {
        Self {
            path: path.to_owned(),
            is_default: path == default,
        }
    }

    /// Refuses a directory that is somebody else's, or holds something else.
    pub(super) fn check(&self) -> Result<(), LocalError> {
        self.standing().map(drop)
    }

    /// Makes it, or takes an empty one, for this user alone.
    pub(super) fn make(&self) -> Result<(), LocalError> {
        let standing = self.standing()?;
        if standing == Standing::Ours {
            return Ok(());
        }
        private_directory(&self.path)?;
        fs::set_permissions(&self.path, Permissions::from_mode(PRIVATE))
            .map_err(at("setting the mode of", &self.path))?;
        let found = fs::symlink_metadata(&self.path).map_err(at("reading", &self.path))?;
        write_private(&self.path.join(MARK), &mark(&found))
    }

    /// Whether there is anything of a local cloud in it.
    pub(super) fn is_used(&self) -> Result<bool, LocalError> {
        Ok(match self.standing()? {
            Standing::Missing => false,
            Standing::Unmarked => self.is_default,
            Standing::Ours => true,
        })
    }

    fn standing(&self) -> Result<Standing, LocalError> {
        let found = match fs::symlink_metadata(&self.path) {
            Ok(found) => found,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Standing::Missing);
            }
            Err(error) => return Err(at("reading", &self.path)(error)),
        };
        if !found.is_dir() {
            return Err(self.refused("not a directory".to_owned()));
        }
        let (owner, own) = (found.uid(), geteuid().as_raw());
        if owner != own {
            return Err(self.refused(format!("a directory of user {owner}, not {own}")));
        }
        let marked = fs::read_to_string(self.path.join(MARK));
        if !marked.is_ok_and(|text| text == mark(&found)) {
            if self.is_default || self.is_empty()? {
                return Ok(Standing::Unmarked);
            }
            return Err(self.refused("a directory that placectl did not make".to_owned()));
        }
        let mode = found.mode() & 0o777;
        if mode != PRIVATE {
            let path = self.path.display();
            return Err(self.refused(format!(
                "open to others (mode {mode:o}): look who changed it, then run `chmod 700 {path}`"
            )));
        }
        Ok(Standing::Ours)
    }

    fn is_empty(&self) -> Result<bool, LocalError> {
        let mut entries = fs::read_dir(&self.path).map_err(at("reading", &self.path))?;
        Ok(entries.next().is_none())
    }

    fn refused(&self, reason: String) -> LocalError {
        LocalError::StateDirectory {
            path: self.path.clone(),
            reason,
        }
    }
}

/// What the mark in a directory says.
fn mark(directory: &Metadata) -> String {
    format!(
        "State of a local cloud of placectl, which deletes it again. Directory {}:{}.\n",
        directory.dev(),
        directory.ino()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(path: &Path) -> Folder {
        Folder::new(path, Path::new("/nowhere"))
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    fn reason(path: &Path) -> String {
        let error = folder(path).make().unwrap_err();
        assert_eq!(
            folder(path).is_used().unwrap_err().to_string(),
            error.to_string()
        );
        assert!(error.hint().unwrap().contains("local.state_dir"));
        error.to_string()
    }

    #[test]
    fn a_new_and_an_empty_directory_become_this_users_alone() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        assert!(!folder(&path).is_used().unwrap());
        folder(&path).make().unwrap();
        assert_eq!(mode(&path), 0o700);
        assert!(folder(&path).is_used().unwrap());
        folder(&path).make().unwrap();

        let empty = parent.path().join("empty");
        fs::create_dir(&empty).unwrap();
        set_mode(&empty, 0o755);
        assert!(!folder(&empty).is_used().unwrap());
        folder(&empty).make().unwrap();
        assert_eq!(mode(&empty), 0o700);
    }

    #[test]
    fn a_directory_with_something_else_in_it_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        fs::create_dir(parent.path().join("tmp")).unwrap();
        let text = reason(parent.path());
        assert!(text.contains("placectl did not make"), "{text}");
        assert!(reason(Path::new("/")).contains("`/`"));
        let link = parent.path().join("link");
        std::os::unix::fs::symlink("/tmp", &link).unwrap();
        assert!(reason(&link).contains("not a directory"));
    }

    #[test]
    fn a_mark_that_came_with_a_checkout_does_not_count() {
        let parent = tempfile::tempdir().unwrap();
        let (made, copied) = (parent.path().join("made"), parent.path().join("copied"));
        folder(&made).make().unwrap();
        fs::create_dir(&copied).unwrap();
        set_mode(&copied, 0o700);
        fs::copy(made.join(MARK), copied.join(MARK)).unwrap();
        assert!(reason(&copied).contains("placectl did not make"));
    }

    #[test]
    fn a_directory_opened_to_others_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("state");
        folder(&path).make().unwrap();
        set_mode(&path, 0o755);
        let text = reason(&path);
        assert!(
            text.contains("mode 755") && text.contains("chmod 700"),
            "{text}"
        );
    }

    #[test]
    fn the_default_directory_of_an_earlier_placectl_is_taken() {
        let parent = tempfile::tempdir().unwrap();
        fs::write(parent.path().join("lock"), "").unwrap();
        let default = Folder::new(parent.path(), parent.path());
        assert!(default.is_used().unwrap());
        default.make().unwrap();
        default.check().unwrap();
    }
}
