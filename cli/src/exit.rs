//! What the exit code says (design: stable, scripts rely on it).

use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: done.
    Done,
    /// 1: something failed, and a second run alone won't mend it.
    Failed,
    /// 2: the command line or the configuration is wrong; nothing was tried.
    Usage,
    /// 3: not finished; the same command goes on where this one stopped.
    Incomplete,
    /// 4: `status --check` found something missing or different.
    Drift,
    /// 130: interrupted by the operator.
    Interrupted,
}

impl Exit {
    /// The number.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
            Self::Drift => 4,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
