//! `placectl status`: the resources, their drift, and the health of the canvas.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use place_canvas::admin::{Request, Response};
use place_canvas::store::Memory;
use place_config::Queue;
use serde::Serialize;
use serde_json::Value;

use super::clients::{ask, unexpected};
use super::{health, outcome};
use crate::cli::StatusArgs;
use crate::context::{Context, WhenStopped};
use crate::engine::{Sighting, Step, Survey};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::steps::{self, Options, Stack, api, functions, queues};
use crate::ui::words;

/// Everything that `status` knows.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    stack: String,
    region: String,
    websocket_url: Option<String>,
    page_url: Option<String>,
    healthy: bool,
    /// Nothing is there but what the stack only uses, as its default VPC.
    #[serde(skip)]
    empty: bool,
    steps: Vec<StepStatus>,
    live: Option<Live>,
}

/// One of the seven steps.
#[derive(Debug, Serialize)]
pub(crate) struct StepStatus {
    number: u8,
    name: &'static str,
    state: &'static str,
    resources: Vec<ResourceStatus>,
}

/// One resource.
#[derive(Debug, Serialize)]
pub(crate) struct ResourceStatus {
    key: String,
    kind: &'static str,
    name: String,
    id: Option<String>,
    state: &'static str,
    detail: Option<String>,
    /// Whether the stack owns it, or merely uses it.
    #[serde(skip)]
    owned: bool,
}

/// How the canvas is doing.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Live {
    clients: Option<u64>,
    unsaved_changes: Option<u64>,
    oldest_unsaved_ms: Option<u64>,
    last_save: Option<Value>,
    queues: BTreeMap<String, u64>,
    dead_letters: BTreeMap<String, u64>,
    /// The cache's memory, in bytes: used, and at most (0 for no limit).
    memory: Option<Memory>,
    /// Why people can't paint, or why their changes are not safe.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
    /// What could not be found out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
}

/// Looks, changes nothing.
pub(crate) async fn run(mut context: Context, args: &StatusArgs) -> Result<Exit, CommandError> {
    let stack = context
        .stack(WhenStopped::Refuse, Options::default())
        .await?;
    let (runner, _interrupted) = context.quiet_runner(steps::plan(&stack))?;
    let survey = runner.survey().await;
    let live = if survey.is_empty() {
        None
    } else {
        Some(live(&stack).await)
    };
    let status = Status::new(&stack, &survey, live);
    if context.is_json() {
        context.printer.json(&status);
    } else {
        context.printer.line(&status.text());
    }
    outcome::calls(&context, &stack);
    if runner.is_interrupted() {
        return Ok(Exit::Interrupted);
    }
    Ok(if survey.has_unknown() {
        Exit::Failed
    } else if args.check && !status.healthy {
        Exit::Drift
    } else {
        Exit::Done
    })
}

/// Asks the queues and the admin function. What can't be had is named, and fails nothing.
pub(crate) async fn live(stack: &Stack) -> Live {
    let mut live = Live::default();
    let stats = async {
        match ask(stack, &Request::Stats).await? {
            Response::Stats(stats) => Ok(stats),
            _ => Err(unexpected("figures")),
        }
    };
    let depths = futures::future::join_all(Queue::ALL.map(|queue| queues::depth(stack, queue)));
    let (stats, depths, failing) = tokio::join!(stats, depths, health::of_functions(stack));
    live.faults = failing;
    match stats {
        Ok(stats) => {
            let rate = stack.config.schedule.rate_minutes;
            live.faults.extend(health::of_figures(&stats, rate));
            live.memory = stats.memory;
            live.clients = Some(stats.clients);
            live.unsaved_changes = Some(stats.unsaved_changes);
            live.oldest_unsaved_ms = stats.oldest_unsaved_ms;
            live.last_save = stats
                .last_save
                .and_then(|save| serde_json::to_value(save).ok());
        }
        // Without the cache nobody paints.
        Err(error) => live.faults.push(chain(&error)),
    }
    for (queue, depth) in Queue::ALL.into_iter().zip(depths) {
        match depth {
            Ok(depth) => {
                let fault = health::of_dead_letters(&stack.names.queue(queue), depth.dead_letters);
                live.faults.extend(fault);
                live.queues.insert(stack.names.queue(queue), depth.messages);
                live.dead_letters
                    .insert(stack.names.dead_letter_queue(queue), depth.dead_letters);
            }
            Err(failure) => live.problems.push(chain(&failure)),
        }
    }
    live
}

fn chain(error: &dyn std::error::Error) -> String {
    std::iter::once(error.to_string())
        .chain(crate::engine::causes(error))
        .collect::<Vec<_>>()
        .join(": ")
}

impl Status {
    fn new(stack: &Stack, survey: &Survey, live: Option<Live>) -> Self {
        let steps = Step::ALL
            .map(|step| StepStatus::new(step, survey.sightings()))
            .into();
        Self {
            stack: stack.names.stack().to_owned(),
            region: stack.aws.region.clone(),
            websocket_url: api::websocket_url(stack),
            page_url: functions::page_url(stack),
            healthy: survey.is_ready() && live.as_ref().is_none_or(|live| live.faults.is_empty()),
            empty: survey.is_empty(),
            steps,
            live,
        }
    }

    fn text(&self) -> String {
        let mut text = format!("stack `{}` in {}", self.stack, self.region);
        for step in &self.steps {
            text.push('\n');
            text.push_str(&step.text());
        }
        let addresses = [("clients", &self.websocket_url), ("page", &self.page_url)];
        for (number, (who, url)) in addresses.into_iter().enumerate() {
            if let Some(url) = url {
                text += if number == 0 { "\n\n" } else { "\n" };
                let _ = write!(text, "{who:<9}{url}");
            }
        }
        if let Some(live) = &self.live {
            text.push('\n');
            text += &live.text();
        }
        if self.empty {
            text += "\n\nThe stack doesn't exist yet. Run `placectl up`.";
        }
        text
    }
}

impl StepStatus {
    fn new(step: Step, sightings: &[Sighting]) -> Self {
        let resources: Vec<_> = sightings
            .iter()
            .filter(|sighting| sighting.step == step)
            .map(ResourceStatus::new)
            .collect();
        Self {
            number: step.0,
            name: step.title(),
            state: overall(&resources),
            resources,
        }
    }

    fn text(&self) -> String {
        let ready = self
            .resources
            .iter()
            .filter(|resource| resource.state == "ready")
            .count();
        let mut text = format!(
            "  {}  {:<14} {:<10} {ready}/{}",
            self.number,
            self.name,
            self.state,
            self.resources.len()
        );
        if self.state == "absent" {
            return text;
        }
        for resource in self
            .resources
            .iter()
            .filter(|resource| resource.state != "ready" || resource.detail.is_some())
        {
            let detail = resource
                .detail
                .as_ref()
                .map(|d| format!(": {d}"))
                .unwrap_or_default();
            let ResourceStatus {
                kind, name, state, ..
            } = resource;
            let line = format!("\n       {kind} `{name}` is {state}{detail}");
            text += &line;
        }
        text
    }
}

/// One word for a step: the state that all resources of the step share, or the worst state. A step
/// is absent if only resources of other owners exist.
fn overall(resources: &[ResourceStatus]) -> &'static str {
    let ready = |resource: &ResourceStatus| resource.state == "ready";
    if resources.iter().all(ready) {
        return "ready";
    }
    let absent = |resource: &ResourceStatus| match resource.state {
        "absent" => true,
        "ready" => !resource.owned,
        _ => false,
    };
    if resources.iter().all(absent) {
        return "absent";
    }
    let worst = [
        "unknown",
        "impossible",
        "foreign",
        "broken",
        "drifted",
        "changing",
    ];
    let has = |state: &&str| resources.iter().any(|resource| resource.state == *state);
    worst.into_iter().find(has).unwrap_or("incomplete")
}

impl ResourceStatus {
    fn new(sighting: &Sighting) -> Self {
        Self {
            key: sighting.key.to_string(),
            kind: sighting.kind,
            name: sighting.name.clone(),
            id: sighting.look.id().map(str::to_owned),
            state: sighting.look.label(),
            detail: sighting.look.detail(),
            owned: sighting.owned,
        }
    }
}

/// The last save in words.
fn last_save(save: &Value) -> String {
    let figure = |name: &str| save[name].as_u64().unwrap_or_default();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let ago = now.saturating_sub(Duration::from_millis(figure("ended_ms")));
    format!(
        "{} ago, {}, {}",
        words::duration(ago),
        words::count(figure("changes"), "change"),
        words::count(figure("pixels"), "pixel"),
    )
}

fn memory_text(memory: Memory) -> String {
    let used = words::bytes(memory.used_bytes);
    match memory.limit_bytes {
        0 => used,
        limit => format!("{used} of {}", words::bytes(limit)),
    }
}

impl Live {
    /// Why people can't paint, or why their changes are not safe.
    pub(crate) fn faults(&self) -> &[String] {
        &self.faults
    }

    fn text(&self) -> String {
        let figure = |figure: Option<u64>| figure.map_or("unknown".to_owned(), |f| f.to_string());
        let sum = |figures: &BTreeMap<String, u64>| figures.values().sum::<u64>();
        let mut text = format!(
            "clients {}   unsaved changes {}   queued {}   dead letters {}",
            figure(self.clients),
            figure(self.unsaved_changes),
            sum(&self.queues),
            sum(&self.dead_letters),
        );
        if let Some(age) = self.oldest_unsaved_ms {
            let age = words::duration(Duration::from_millis(age));
            text.extend(["   oldest unsaved ", &age, " ago"]);
        }
        if let Some(save) = &self.last_save {
            text.extend(["\nlast save: ", &last_save(save)]);
        }
        if let Some(memory) = self.memory {
            text.extend(["\nmemory of the cache: ", &memory_text(memory)]);
        }
        for fault in &self.faults {
            text += "\nproblem: ";
            text += fault;
        }
        for problem in &self.problems {
            text += "\nnot known: ";
            text += problem;
        }
        text
    }
}
