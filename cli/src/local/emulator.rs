//! The child that stands in for AWS: how MiniStack is told to keep to itself.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::error::LocalError;
use super::files::{fresh_log, private_directory};
use super::install::ISOLATED;
use super::process::Launch;
use super::secrets::Secrets;

/// Name of its log in the state directory.
pub(super) const LOG: &str = "ministack.log";

/// What it writes for its own use, in the state directory.
pub(super) const SCRATCH: &str = "tmp";

/// Settings of MiniStack that an operator may pass through: `AUTH=true` enforces the roles.
const PASSED_THROUGH: [&str; 3] = ["AUTH", "LOG_LEVEL", "PATH"];

/// What Python runs to start it.
const STARTER: &str = include_str!("start_ministack.py");

/// Where both children listen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    /// The emulator's.
    pub(super) port: u16,
    /// Redis's.
    pub(super) redis: u16,
}

/// How to start it.
pub(super) fn launch<'a>(
    python: PathBuf,
    state_dir: &'a Path,
    ports: Ports,
    secrets: &Secrets,
) -> Result<Launch<'a>, LocalError> {
    private_directory(&state_dir.join(SCRATCH))?;
    Ok(Launch {
        program: python,
        arguments: [ISOLATED, "-u", "-c", STARTER].map(OsString::from).into(),
        environment: environment(state_dir, ports, secrets),
        state_dir,
        log: fresh_log(&state_dir.join(LOG))?,
    })
}

/// MiniStack hands its environment to the functions, so nothing of the operator's is in it.
fn environment(
    state_dir: &Path,
    ports: Ports,
    secrets: &Secrets,
) -> BTreeMap<&'static str, OsString> {
    let Ports {
        port,
        redis: redis_port,
    } = ports;
    let text = |value: String| OsString::from(value);
    let inside = |name: &str| state_dir.join(name).into_os_string();
    let mut environment = BTreeMap::from([
        ("GATEWAY_PORT", text(port.to_string())),
        // What it asks of callers, and what its functions call it with.
        ("AWS_ACCESS_KEY_ID", text(secrets.key.clone())),
        ("AWS_SECRET_ACCESS_KEY", text(secrets.password.clone())),
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
        ("STATE_DIR", inside(SCRATCH)),
        ("S3_DATA_DIR", inside(SCRATCH)),
        ("TMPDIR", inside(SCRATCH)),
        // The functions' SDK would read the operator's profile from the real one.
        ("HOME", inside(SCRATCH)),
        ("LANG", text("C.UTF-8".into())),
    ]);
    let passed = PASSED_THROUGH
        .iter()
        .filter_map(|&name| Some((name, env::var_os(name)?)));
    environment.extend(passed);
    environment
}
