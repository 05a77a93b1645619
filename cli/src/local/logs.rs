//! Reading the children's logs, with or without waiting for more.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::emulator;
use super::error::LocalError;
use super::files::at;
use super::redis;

const POLL: Duration = Duration::from_millis(200);

/// Whose log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogSource {
    /// MiniStack's.
    Emulator,
    /// The cache's.
    Redis,
}

/// Which part of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogQuery {
    /// Whose.
    pub(crate) source: LogSource,
    /// How many lines from the end; all of them when absent.
    pub(crate) tail: Option<usize>,
    /// Go on with what is written from now on, until `emit` breaks.
    pub(crate) follow: bool,
}

/// Hands the lines of a log of `state_dir` to `emit`, until it breaks or the log ends.
pub(super) async fn read(
    state_dir: &Path,
    query: LogQuery,
    mut emit: impl FnMut(&str) -> ControlFlow<()>,
) -> Result<(), LocalError> {
    let path = state_dir.join(match query.source {
        LogSource::Emulator => emulator::LOG,
        LogSource::Redis => redis::LOG,
    });
    if !path.exists() {
        return Err(LocalError::NoLog { path });
    }
    let mut reader = LogReader {
        path,
        position: 0,
        partial: String::new(),
    };
    let lines = reader.new_lines()?;
    let skipped = query
        .tail
        .map_or(0, |tail| lines.len().saturating_sub(tail));
    let mut flow = pass_on(&lines[skipped..], &mut emit);
    if query.follow {
        while flow.is_continue() {
            tokio::time::sleep(POLL).await;
            flow = pass_on(&reader.new_lines()?, &mut emit);
        }
    } else if flow.is_continue() {
        // A last line without an end is all that there will be of it.
        let _ = pass_on(reader.partial.lines(), &mut emit);
    }
    Ok(())
}

fn pass_on(
    lines: impl IntoIterator<Item = impl AsRef<str>>,
    emit: &mut impl FnMut(&str) -> ControlFlow<()>,
) -> ControlFlow<()> {
    lines.into_iter().try_for_each(|line| emit(line.as_ref()))
}

struct LogReader {
    path: PathBuf,
    position: u64,
    /// A last line that has no end yet.
    partial: String,
}

impl LogReader {
    /// Whole lines written since the last call. A shorter file is a new one: the child restarted.
    fn new_lines(&mut self) -> Result<Vec<String>, LocalError> {
        let failed = || at("reading", &self.path);
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            // Between the rotation and the new file.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed()(error)),
        };
        let length = file.metadata().map_err(failed())?.len();
        if length < self.position {
            self.position = 0;
            self.partial.clear();
        }
        file.seek(SeekFrom::Start(self.position))
            .map_err(failed())?;
        let mut reader = BufReader::new(file.take(length - self.position));
        let mut lines = Vec::new();
        loop {
            let mut bytes = Vec::new();
            let read = reader.read_until(b'\n', &mut bytes).map_err(failed())?;
            self.position += read as u64;
            self.partial.push_str(&String::from_utf8_lossy(&bytes));
            if !bytes.ends_with(b"\n") {
                return Ok(lines);
            }
            lines.push(std::mem::take(&mut self.partial).trim_end().to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(directory: &Path, tail: Option<usize>) -> Vec<String> {
        let query = LogQuery {
            source: LogSource::Redis,
            tail,
            follow: false,
        };
        let mut seen = Vec::new();
        read(directory, query, |line| {
            seen.push(line.to_owned());
            ControlFlow::Continue(())
        })
        .await
        .unwrap();
        seen
    }

    #[tokio::test]
    async fn the_tail_is_the_end_and_an_open_line_counts() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(redis::LOG), "one\ntwo\nthree\nopen").unwrap();
        assert_eq!(lines(directory.path(), Some(1)).await, ["three", "open"]);
        assert_eq!(
            lines(directory.path(), None).await,
            ["one", "two", "three", "open"]
        );
    }

    #[tokio::test]
    async fn following_crosses_a_restart_and_ends_when_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(redis::LOG);
        std::fs::write(&path, "a rather long first line\n").unwrap();
        let query = LogQuery {
            source: LogSource::Redis,
            tail: None,
            follow: true,
        };
        let mut seen = Vec::new();
        let reading = read(directory.path(), query, |line| {
            seen.push(line.to_owned());
            std::fs::write(&path, "second\n").unwrap();
            if seen.len() == 2 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        tokio::time::timeout(Duration::from_secs(10), reading)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(seen, ["a rather long first line", "second"]);
    }

    #[tokio::test]
    async fn a_log_that_was_never_written_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let query = LogQuery {
            source: LogSource::Emulator,
            tail: None,
            follow: false,
        };
        let error = read(directory.path(), query, |_| ControlFlow::Continue(()))
            .await
            .unwrap_err();
        assert!(matches!(error, LocalError::NoLog { .. }), "{error}");
    }
}
