//! What can go wrong with the local cloud, and what the operator can do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// A child process of the local cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Child {
    /// MiniStack.
    Emulator,
    /// The cache.
    Redis,
}

impl fmt::Display for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Emulator => "MiniStack",
            Self::Redis => "Redis",
        })
    }
}

/// Why the local cloud could not do what was asked.
#[derive(Debug, Error)]
pub(crate) enum LocalError {
    /// A program that the local cloud is made of is not there.
    #[error("`{program}` is not installed ({needed_for})")]
    MissingProgram {
        /// Its name.
        program: &'static str,
        /// What it is needed for.
        needed_for: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// The Python found is too old for the emulator.
    #[error("`{python}` is Python {found}, but MiniStack needs 3.10 or newer")]
    OldPython {
        /// Path of the interpreter.
        python: PathBuf,
        /// Its version.
        found: String,
    },
    /// The virtual environment could not be made or filled.
    #[error("installing MiniStack into `{directory}`: {step} failed\n{tail}")]
    Install {
        /// The virtual environment.
        directory: PathBuf,
        /// The command that failed.
        step: &'static str,
        /// The last lines of its output.
        tail: String,
        /// Whether the output says that Debian's `python3-venv` is missing.
        venv_missing: bool,
    },
    /// Somebody else listens on a port.
    #[error("port {port} for {child} is taken by {holder}")]
    PortTaken {
        /// The port.
        port: u16,
        /// The child that wanted it.
        child: Child,
        /// Who has it, as far as can be told.
        holder: String,
    },
    /// A child ended before it was ready.
    #[error("{child} exited while starting ({status}); the last lines of `{log}`:\n{tail}")]
    ChildEnded {
        /// The child.
        child: Child,
        /// Its exit status.
        status: String,
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A child runs but doesn't answer.
    #[error(
        "{child} (pid {pid}) gave no answer on port {port} within {} s; the last lines of \
         `{log}`:\n{tail}", waited.as_secs()
    )]
    NoAnswer {
        /// The child.
        child: Child,
        /// Its process.
        pid: u32,
        /// Where it was asked.
        port: u16,
        /// How long.
        waited: Duration,
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// Another command works on the same local cloud and doesn't finish.
    #[error("another placectl has held `{lock}` for {} s", waited.as_secs())]
    Busy {
        /// The lock's file.
        lock: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The local cloud runs, and nothing says how to be let in.
    #[error("the local cloud on port {port} runs, but the file with its key is missing")]
    NoKey {
        /// The emulator's port.
        port: u16,
    },
    /// The state directory is none that placectl may use.
    #[error("the state directory `{path}` is {reason}", path = path.display())]
    StateDirectory {
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Processes that could not be ended.
    #[error("processes {pids:?} of the local cloud did not exit")]
    StillAlive {
        /// Their ids.
        pids: Vec<u32>,
    },
    /// No log was ever written.
    #[error("there is no log at `{path}` yet")]
    NoLog {
        /// Where it would be.
        path: PathBuf,
    },
    /// Neither `XDG_CACHE_HOME` nor `HOME` says where to keep things.
    #[error("`XDG_CACHE_HOME` and `HOME` are not set: the local cloud has no directory")]
    NoCacheDirectory,
    /// A file or directory could not be used.
    #[error("{action} `{path}`")]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl LocalError {
    /// What the operator can do, where there is something to do.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::MissingProgram { package, .. } => Some(install_hint(package)),
            Self::OldPython { .. } => Some("put a newer `python3` first on the PATH".to_owned()),
            Self::Install {
                venv_missing: true, ..
            } => Some(install_hint("python3-venv")),
            Self::Install { .. } => {
                Some("check the network and pip's settings, then run the command again".to_owned())
            }
            Self::PortTaken {
                child: Child::Emulator,
                ..
            } => Some("stop that program, or choose another port with `--local-port`".to_owned()),
            Self::PortTaken {
                child: Child::Redis,
                ..
            } => Some(
                "stop that program, or restart the local cloud without `local.redis_port`"
                    .to_owned(),
            ),
            Self::StateDirectory { .. } => Some(
                "name a new or an empty directory in `local.state_dir`, or remove the key from \
                 place.toml to use the default one"
                    .to_owned(),
            ),
            Self::NoKey { .. } => Some(
                "an earlier placectl may have started it: run `placectl local stop`, which deletes \
                 everything on it, then `placectl local start`"
                    .to_owned(),
            ),
            Self::NoAnswer { .. } | Self::StillAlive { .. } => {
                Some("run `placectl local stop`, then `placectl local start`".to_owned())
            }
            Self::Busy { .. } => {
                Some("wait for the other placectl, or stop its process".to_owned())
            }
            Self::NoLog { .. } => Some("run `placectl local start`".to_owned()),
            Self::NoCacheDirectory => Some("set `local.state_dir` and `HOME`".to_owned()),
            Self::ChildEnded { .. } | Self::File { .. } => None,
        }
    }
}

fn install_hint(package: &str) -> String {
    format!("run `sudo apt-get install -y {package}`")
}
