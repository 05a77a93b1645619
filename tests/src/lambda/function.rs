//! A function's process on a Runtime API of its own.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::{InvokeError, Pending, RuntimeApi};
use crate::process::Resident;
use crate::supervised::Supervised;

/// How long a process may take until it asks for its first event.
const START: Duration = Duration::from_secs(20);
/// Time that an invocation has, unless said otherwise.
const TIME: Duration = Duration::from_mins(1);

/// A running function, killed on drop.
#[derive(Debug)]
pub struct Function {
    // The process goes before the API that it listens to.
    process: Supervised,
    runtime: RuntimeApi,
    _directory: TempDir,
}

impl Function {
    /// Starts `command` as the function `name` and waits until it asks for its first event.
    ///
    /// # Panics
    /// When it doesn't.
    pub fn start(name: &str, mut command: Command) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("place-function-")
            .tempdir()
            .expect("a directory for the function");
        let runtime = RuntimeApi::start(name);
        lambda_variables(&mut command, name, &runtime);
        let log = directory.path().join("process");
        std::fs::create_dir(&log).expect("a new directory in an empty one");
        let process = Supervised::start(&log, &command);
        runtime.wait_until_ready(START);
        Self {
            process,
            runtime,
            _directory: directory,
        }
    }

    /// Hands it an event and waits for its answer.
    pub async fn invoke(&self, event: impl Into<Vec<u8>>) -> Result<Vec<u8>, InvokeError> {
        self.begin(event, TIME).answer().await
    }

    /// Hands it an event, with so much time until Lambda would end it.
    pub fn begin(&self, event: impl Into<Vec<u8>>, time: Duration) -> Pending {
        self.runtime.invoke(event, time)
    }

    /// Its process.
    ///
    /// # Panics
    /// When the process never ran.
    pub fn id(&self) -> u32 {
        self.process
            .id()
            .expect("a function that got ready has a process")
    }

    /// Kills it as a power cut would.
    ///
    /// # Panics
    /// When it has ended before.
    pub fn kill(&self) {
        let mut kill = Command::new("kill");
        let killed = kill.args(["-KILL", &self.id().to_string()]).status();
        assert!(
            killed.is_ok_and(|status| status.success()),
            "a function that runs"
        );
    }

    /// Its memory.
    ///
    /// # Panics
    /// When the process has ended.
    pub fn memory(&self) -> Resident {
        Resident::of(self.id()).expect("a function that runs")
    }

    /// Everything that it logged so far.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

/// What Lambda itself sets.
pub(super) fn lambda_variables(command: &mut Command, name: &str, runtime: &RuntimeApi) {
    command
        .env("AWS_LAMBDA_RUNTIME_API", runtime.address())
        .env("AWS_LAMBDA_FUNCTION_NAME", name)
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}"))
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
        .env("AWS_REGION", crate::cloud::REGION)
        .env("AWS_DEFAULT_REGION", crate::cloud::REGION)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_SESSION_TOKEN", "a session token as a function has one");
}

/// The binary of a function, as `make handlers` lays it out.
pub(super) fn binary(artifacts: &Path, name: &str) -> Command {
    Command::new(artifacts.join(name).join("bootstrap"))
}
