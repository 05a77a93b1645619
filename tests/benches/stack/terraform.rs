//! Terraform on the same stack and the same emulator, where it is installed.

use std::path::Path;
use std::process::Command;

use place_tests::LocalCloud;
use place_tests::key::key;
use place_tests::placectl::artifacts;
use serde::{Deserialize, Serialize};

/// What `tests/reference/terraform/run.sh` prints.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Terraform {
    /// Resources that it manages.
    pub(crate) resources: usize,
    /// `apply` from nothing, in seconds.
    pub(crate) apply_s: f64,
    /// `plan` without changes, in seconds.
    pub(crate) plan_s: f64,
    /// `destroy`, in seconds.
    pub(crate) destroy_s: f64,
}

/// What the script ends with where the AWS provider can't be had.
const NO_PROVIDER: i32 = 3;

/// Runs it; `None` where it, or its AWS provider, is not installed.
pub(crate) fn measure(cloud: &LocalCloud) -> Option<Terraform> {
    let installed = Command::new("terraform").arg("version").output();
    if !installed.is_ok_and(|output| output.status.success()) {
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/terraform/run.sh");
    let output = Command::new(script)
        .env("TF_VAR_access_key", key())
        .args([cloud.endpoint().as_ref(), artifacts().as_os_str()])
        .output()
        .expect("the script starts");
    if output.status.code() == Some(NO_PROVIDER) {
        return None;
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "terraform failed:\n{errors}");
    Some(serde_json::from_slice(&output.stdout).expect("the script prints JSON"))
}
