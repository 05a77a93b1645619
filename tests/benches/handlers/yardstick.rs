//! The yardstick's functions on the same rig.

use std::path::{Path, PathBuf};
use std::process::Command;

use place_tests::lambda::{Function, Rig};

/// A Python that has the yardstick's packages.
const PYTHON: &str = "PLACE_YARDSTICK_PYTHON";

/// The yardstick, where it can run.
pub(crate) struct Yardstick {
    python: PathBuf,
}

impl Yardstick {
    /// The yardstick, if there is a Python for it.
    pub(crate) fn find() -> Option<Self> {
        let python = std::env::var_os(PYTHON)?.into();
        Some(Self { python })
    }

    /// Starts one of its functions.
    pub(crate) fn function(&self, rig: &Rig, module: &str) -> Function {
        Function::start(module, self.command(rig, module))
    }

    /// The command that runs one of its functions.
    pub(crate) fn command(&self, rig: &Rig, module: &str) -> Command {
        let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/python");
        let mut command = Command::new(&self.python);
        command
            .arg(reference.join("runtime.py"))
            .arg(module)
            .env("REDIS_HOST", "127.0.0.1")
            .env("REDIS_PORT", rig.redis.port().to_string())
            .env("INITIALIZE_QUEUE_URL", &rig.env.initialize_queue_url)
            .env("REQUEST_QUEUE_URL", &rig.env.request_queue_url)
            .env("GATEWAY_URL", &rig.env.gateway_url)
            .env("MRU_TABLE", &rig.env.mru_table)
            .env("HISTORY_TABLE", &rig.env.history_table)
            .env("AWS_ENDPOINT_URL", &rig.endpoint);
        command
    }
}
