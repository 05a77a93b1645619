//! The child that stands in for AWS: how MiniStack is told to keep to itself.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::error::LocalError;
use super::files::{fresh_log, private_directory};
use super::process::Launch;

/// Name of its log in the state directory.
pub(super) const LOG: &str = "ministack.log";

/// Settings of MiniStack that an operator may pass through: `AUTH=true` enforces the roles.
const PASSED_THROUGH: [&str; 3] = ["AUTH", "LOG_LEVEL", "PATH"];

/// What Python runs to start it.
const STARTER: &str = include_str!("start_ministack.py");

/// How to start it.
pub(super) fn launch(
    python: PathBuf,
    state_dir: &Path,
    port: u16,
    redis_port: u16,
) -> Result<Launch<'_>, LocalError> {
    private_directory(&state_dir.join("tmp"))?;
    Ok(Launch {
        program: python,
        arguments: ["-c", STARTER].map(OsString::from).into(),
        environment: environment(state_dir, port, redis_port),
        state_dir,
        log: fresh_log(&state_dir.join(LOG))?,
    })
}

/// MiniStack hands its environment to the functions, so nothing of the operator's is in it.
fn environment(state_dir: &Path, port: u16, redis_port: u16) -> BTreeMap<&'static str, OsString> {
    let text = |value: String| OsString::from(value);
    let inside = |name: &str| state_dir.join(name).into_os_string();
    let mut environment = BTreeMap::from([
        ("GATEWAY_PORT", text(port.to_string())),
        ("AWS_ENDPOINT_URL", text(format!("http://127.0.0.1:{port}"))),
        // Its ElastiCache answers this address for every cache.
        ("REDIS_HOST", text("127.0.0.1".into())),
        ("REDIS_PORT", text(redis_port.to_string())),
        // The default is every interface.
        ("BIND_HOST", text("127.0.0.1".into())),
        // Pinned, or a queue's URL would change with the address that it was asked at.
        ("MINISTACK_HOST", text("127.0.0.1".into())),
        // Listeners of services that no stack uses.
        ("IOT_MTLS_ENABLED", text("0".into())),
        ("SFTP_ENABLED", text("0".into())),
        // A Docker daemon would get caches and functions as containers; ours are processes.
        (
            "DOCKER_HOST",
            text(format!("unix://{}", inside("no-docker").display())),
        ),
        // Everything that it writes stays in the state directory, and nothing outlives it.
        ("PERSIST_STATE", text("0".into())),
        ("STATE_DIR", inside("tmp")),
        ("S3_DATA_DIR", inside("tmp")),
        ("TMPDIR", inside("tmp")),
        // The functions' SDK would read the operator's profile from the real one.
        ("HOME", inside("tmp")),
        ("LANG", text("C.UTF-8".into())),
        ("PYTHONUNBUFFERED", text("1".into())),
    ]);
    let passed = PASSED_THROUGH
        .iter()
        .filter_map(|&name| Some((name, env::var_os(name)?)));
    environment.extend(passed);
    environment
}
