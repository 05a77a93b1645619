//! The child that stands in for the cache.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::error::LocalError;
use super::files::{fresh_log, write_private};
use super::process::{Launch, find_program};
use super::secrets::Secrets;

/// Name of its log in the state directory.
pub(super) const LOG: &str = "redis.log";

/// Name of its configuration in the state directory, for the owner alone: the password is in it.
pub(super) const CONFIGURATION: &str = "redis.conf";

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

/// How to start it: its directory is the state directory, where it works.
pub(super) fn launch<'a>(
    program: PathBuf,
    state_dir: &'a Path,
    port: u16,
    secrets: &Secrets,
) -> Result<Launch<'a>, LocalError> {
    let path = state_dir.join(CONFIGURATION);
    write_private(&path, &configuration(port, secrets))?;
    Ok(Launch {
        program,
        arguments: [OsString::from(path)].into(),
        environment: BTreeMap::from([("LANG", OsString::from("C.UTF-8"))]),
        state_dir,
        log: fresh_log(&state_dir.join(LOG))?,
    })
}

/// It writes nothing to disk: the emulator forgets everything when it ends, and a canvas without its
/// stack would only be in the way of the next one.
fn configuration(port: u16, secrets: &Secrets) -> String {
    // A title is written over the environment, and with it over the mark.
    format!(
        "port {port}\nbind 127.0.0.1\nrequirepass {}\nsave \"\"\nappendonly no\n\
         daemonize no\nprotected-mode yes\nset-proc-title no\n",
        secrets.password
    )
}
