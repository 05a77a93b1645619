//! The child that stands in for the cache.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::error::LocalError;
use super::files::fresh_log;
use super::process::{Launch, find_program};

/// Name of its log in the state directory.
pub(super) const LOG: &str = "redis.log";

/// The server's program: Redis, or Valkey where a distribution has only that.
pub(super) fn program() -> Result<PathBuf, LocalError> {
    let find = |program| find_program(program, env::var_os("PATH"));
    find("redis-server")
        .or_else(|| find("valkey-server"))
        .ok_or(LocalError::MissingProgram {
            program: "redis-server",
            needed_for: "needed as the local cache",
            package: "redis-server",
        })
}

/// How to start it. It writes nothing to disk: the emulator forgets everything when it ends, and a
/// canvas without its stack would only be in the way of the next one.
pub(super) fn launch(
    program: PathBuf,
    state_dir: &Path,
    port: u16,
) -> Result<Launch<'_>, LocalError> {
    let port = port.to_string();
    let options = [
        ("--port", port.as_str()),
        ("--bind", "127.0.0.1"),
        ("--save", ""),
        ("--appendonly", "no"),
        ("--daemonize", "no"),
        ("--protected-mode", "yes"),
        // A title is written over the environment, and with it over the mark.
        ("--set-proc-title", "no"),
    ];
    let directory = [OsString::from("--dir"), state_dir.as_os_str().to_owned()];
    let options = options.into_iter().flat_map(|(name, value)| [name, value]);
    Ok(Launch {
        program,
        arguments: options.map(OsString::from).chain(directory).collect(),
        environment: BTreeMap::from([("LANG", OsString::from("C.UTF-8"))]),
        state_dir,
        log: fresh_log(&state_dir.join(LOG))?,
    })
}
