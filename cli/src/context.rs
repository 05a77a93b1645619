//! What every command works with: configuration, way to AWS, interface, interrupt.

use std::sync::Arc;
use std::time::Duration;

use place_config::{ConfigError, StackConfig};
use tokio::sync::watch;

use crate::aws::Access;
use crate::cli::{Global, Output};
use crate::endpoints;
use crate::engine::event::SharedSink;
use crate::engine::{Event, EventSink, Resource, Runner};
use crate::error::CommandError;
use crate::interrupt::Interrupt;
use crate::local::{LocalCloud, LocalSettings, Secrets};
use crate::steps::{Options, Stack};
use crate::ui::{Answer, Printer};

/// What a command does when the local cloud is not running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhenStopped {
    /// Start the local cloud.
    Start,
    /// Fail with a hint how to start the local cloud.
    Refuse,
}

/// What every command works with.
pub(crate) struct Context {
    /// The one door to the terminal.
    pub(crate) printer: Printer,
    /// Where events go.
    pub(crate) sink: SharedSink,
    /// The stack as configured: flags over file over defaults.
    pub(crate) config: StackConfig,
    /// The operator's wish to stop.
    pub(crate) interrupt: Interrupt,
    global: Global,
}

impl Context {
    /// Resolves flags, file and defaults, and checks the result.
    pub(crate) fn resolve(
        global: Global,
        answer: Answer,
        printer: Printer,
    ) -> Result<Self, CommandError> {
        let mut config = place_config::load(global.config.as_deref())?;
        if let Some(stack) = &global.stack {
            config.stack.clone_from(stack);
        }
        if global.region.is_some() {
            config.region.clone_from(&global.region);
        }
        if let Some(port) = global.local_port {
            config.local.port = port;
        }
        config.local.enabled |= global.local || global.local_port.is_some();
        let findings = config.check();
        if !findings.is_empty() {
            return Err(ConfigError::Findings {
                path: None,
                findings,
            }
            .into());
        }
        let has_emulator = std::env::var_os("AWS_ENDPOINT_URL").is_some();
        endpoints::check(&config, &global.allow_endpoint, has_emulator)?;
        let sink = printer.sink(answer);
        Ok(Self {
            interrupt: Interrupt::listen(printer.clone()),
            printer,
            sink,
            config,
            global,
        })
    }

    /// Whether results are for programs.
    pub(crate) fn is_json(&self) -> bool {
        self.global.output == Output::Json
    }

    /// Whether the operator wants to hear more.
    pub(crate) const fn is_verbose(&self) -> bool {
        self.global.verbose
    }

    /// The local cloud of this configuration.
    pub(crate) fn local_cloud(&self) -> Result<LocalCloud, CommandError> {
        let settings = LocalSettings::from_config(&self.config.local)?;
        Ok(LocalCloud::new(settings)?)
    }

    /// Connects to AWS, or to the local cloud.
    pub(crate) async fn stack(
        &mut self,
        when_stopped: WhenStopped,
        options: Options,
    ) -> Result<Arc<Stack>, CommandError> {
        let interrupt = self.interrupt.clone();
        interrupt
            .or_stop(Box::pin(self.connect(when_stopped, options)))
            .await
    }

    async fn connect(
        &mut self,
        when_stopped: WhenStopped,
        options: Options,
    ) -> Result<Arc<Stack>, CommandError> {
        let secrets = if self.config.local.enabled {
            Some(self.use_local_cloud(when_stopped).await?)
        } else {
            None
        };
        let access = Access {
            profile: self.global.profile.clone(),
            region: self.config.region.clone(),
            endpoint: self.config.endpoints.aws.clone(),
            local: self.config.local.enabled,
            secrets,
            attempt_limit: Some(Duration::from_secs(self.config.attempt_timeout_s.into())),
        };
        let stack = Stack::load(self.config.clone(), &access, options, self.sink.clone()).await?;
        Ok(stack)
    }

    async fn use_local_cloud(
        &mut self,
        when_stopped: WhenStopped,
    ) -> Result<Secrets, CommandError> {
        let cloud = self.local_cloud()?;
        let running = match (cloud.running().await, when_stopped) {
            (Some(running), _) => running,
            (None, WhenStopped::Start) => {
                let printer = self.printer.clone();
                cloud.start(&move |line| printer.note(line)).await?
            }
            (None, WhenStopped::Refuse) => return Err(not_running(self.config.local.port)),
        };
        running.fill(&mut self.config);
        Ok(running.secrets)
    }

    /// Says on what a command that changes things is about to work, before the first change.
    pub(crate) fn announce(&self, stack: &Stack) {
        let file = place_config::load::file(self.global.config.as_deref());
        let file = file.map_or_else(
            || "no configuration file".to_owned(),
            |file| file.display().to_string(),
        );
        let (name, aws) = (&self.config.stack, &stack.aws);
        let endpoint = aws.endpoint.as_deref().unwrap_or("AWS");
        self.printer.note(&format!(
            "stack `{name}` ({file}) in account {}, {}, at {endpoint}",
            aws.identity.account, aws.region
        ));
    }

    /// The flags that make another command speak of the same stack, with a space before each.
    pub(crate) fn common_flags(&self) -> String {
        let global = &self.global;
        let mut flags = String::new();
        let mut say = |flag: &str, value: Option<String>| {
            if let Some(value) = value {
                let said = format!(" {flag} {value}");
                flags += &said;
            }
        };
        say(
            "--config",
            global
                .config
                .as_ref()
                .map(|path| path.display().to_string()),
        );
        say("--stack", global.stack.clone());
        say("--region", global.region.clone());
        say("--profile", global.profile.clone());
        let allowed = &global.allow_endpoint;
        say(
            "--allow-endpoint",
            (!allowed.is_empty()).then(|| allowed.join(",")),
        );
        say(
            "--local-port",
            global.local_port.map(|port| port.to_string()),
        );
        if global.local {
            flags.push_str(" --local");
        }
        flags
    }

    /// A run whose events are dropped: for commands that show only the result.
    pub(crate) fn quiet_runner(
        &self,
        resources: Vec<Arc<dyn Resource>>,
    ) -> Result<(Runner, watch::Receiver<bool>), CommandError> {
        let interrupted = self.interrupt.stop();
        let runner = Runner::new(resources, Arc::new(Deaf), interrupted.clone())?;
        Ok((runner, interrupted))
    }

    /// A run of the engine over `resources`, interruptible from now on.
    pub(crate) fn runner(
        &self,
        resources: Vec<Arc<dyn Resource>>,
    ) -> Result<(Runner, watch::Receiver<bool>), CommandError> {
        self.interrupt.will_finish();
        let interrupted = self.interrupt.stop();
        let runner = Runner::new(resources, self.sink.clone(), interrupted.clone())?;
        Ok((runner, interrupted))
    }
}

fn not_running(port: u16) -> CommandError {
    CommandError::Usage {
        message: format!("the local cloud is not running on port {port}"),
        hint: "`placectl up --local` starts the local cloud and the stack; `placectl local start` \
               starts an empty local cloud"
            .to_owned(),
    }
}

/// Hears nothing.
struct Deaf;

impl EventSink for Deaf {
    fn event(&self, _event: &Event) {}
}
