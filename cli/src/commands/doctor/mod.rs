//! `placectl doctor`: checks what could stop `up`.

mod network;
mod permissions;
mod policy;
mod quotas;

use place_config::Function;
use serde::Serialize;

use super::{lease, outcome, status};
use crate::cli::DoctorArgs;
use crate::context::{Context, WhenStopped};
use crate::engine::{Allowed, Problem, Runner, Survey};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::steps::memory::Room;
use crate::steps::{self, Options, Stack};
use crate::ui::words;
use policy::Scope;

pub(crate) use policy::Part as PolicyPart;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// As it should be.
    Ok,
    /// It stops nothing yet.
    Warning,
    /// It could not be found out.
    Unknown,
    /// `up` would stop, or a part of it.
    Problem,
}

impl State {
    const fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Problem => "problem",
        }
    }
}

/// One check.
#[derive(Clone, Debug, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Check {
    fn new(name: &'static str, state: State, detail: impl Into<String>) -> Self {
        Self {
            name,
            state,
            detail: detail.into(),
            hint: None,
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn of(name: &'static str, problem: &Problem) -> Self {
        let chain = std::iter::once(&problem.message).chain(&problem.causes);
        let detail = chain.cloned().collect::<Vec<_>>().join(": ");
        Self {
            hint: problem.hint.clone(),
            ..Self::new(name, State::Problem, detail)
        }
    }

    fn text(&self) -> String {
        let Self {
            name,
            state,
            detail,
            hint,
        } = self;
        let hint = hint
            .as_ref()
            .map(|hint| format!("\n{:24}{hint}", ""))
            .unwrap_or_default();
        format!("  {name:<12}  {:<8}  {detail}{hint}", state.label())
    }
}

/// Everything that was checked.
#[derive(Debug, Serialize)]
struct Diagnosis {
    stack: String,
    region: String,
    /// Nothing would stop `up`.
    ok: bool,
    checks: Vec<Check>,
}

impl Diagnosis {
    fn text(&self) -> String {
        let mut lines = vec![format!("stack `{}` in {}", self.stack, self.region)];
        lines.extend(self.checks.iter().map(Check::text));
        lines.push(format!("\n{}", self.verdict()));
        lines.join("\n")
    }

    fn verdict(&self) -> String {
        let count = |state| self.checks.iter().filter(|c| c.state == state).count() as u64;
        match (count(State::Problem), count(State::Warning)) {
            (0, 0) => "No problem found: `placectl up` can run.".to_owned(),
            (0, warnings) => format!(
                "No problem found, but {}: `placectl up` may stop.",
                words::count(warnings, "warning")
            ),
            (problems, _) => format!(
                "{} found: `placectl up` would stop.",
                words::count(problems, "problem")
            ),
        }
    }
}

/// Looks at everything that `up` needs, and changes nothing.
pub(crate) async fn run(mut context: Context, args: &DoctorArgs) -> Result<Exit, CommandError> {
    let stack = context
        .stack(WhenStopped::Refuse, Options::default())
        .await?;
    let scope = Scope {
        identity: &stack.aws.identity,
        region: &stack.aws.region,
        names: &stack.names,
        config: &stack.config,
    };
    if let Some(part) = args.print_policy {
        let document = policy::document(scope, part);
        context.printer.document(&document);
        context.printer.note(&part.advice(&document));
        return Ok(Exit::Done);
    }
    let (runner, _interrupted) = context.quiet_runner(steps::plan(&stack))?;
    let (survey, permissions) = tokio::join!(runner.survey(), permissions::check(&stack, scope));
    if runner.is_interrupted() {
        return Ok(Exit::Interrupted);
    }
    let mut checks = vec![credentials(&stack), artifacts(&stack).await, permissions];
    checks.extend(network::check(&stack, &survey).await);
    checks.extend(quotas::check(&stack, &survey).await);
    checks.extend(resources(&runner, &survey));
    checks.extend(painting(&stack).await);
    checks.push(memory(&stack));
    checks.push(operator_lease(&context, &stack).await);
    let diagnosis = Diagnosis {
        stack: stack.names.stack().to_owned(),
        region: stack.aws.region.clone(),
        ok: checks.iter().all(|check| check.state != State::Problem),
        checks,
    };
    if context.is_json() {
        context.printer.json(&diagnosis);
    } else {
        context.printer.line(&diagnosis.text());
    }
    outcome::calls(&context, &stack);
    Ok(if diagnosis.ok {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// That there is a stack to speak of: otherwise the command has ended before.
fn credentials(stack: &Stack) -> Check {
    let identity = &stack.aws.identity;
    let detail = format!("{} in account {}", identity.arn, identity.account);
    Check::new("credentials", State::Ok, detail)
}

/// That the operator lease can be taken, whoever holds it now.
async fn operator_lease(context: &Context, stack: &Stack) -> Check {
    let name = stack.names.lease_table();
    match lease::table(context, stack).objection().await {
        Some(failure) => Check::of("lease", &failure.into()),
        None => Check::new(
            "lease",
            State::Ok,
            format!("table `{name}` can hold the lease"),
        ),
    }
}

/// Whether the cache has memory for all unsaved changes.
fn memory(stack: &Stack) -> Check {
    const NAME: &str = "memory";
    match steps::memory::room(&stack.config) {
        Room::Unknown(detail) => Check::new(NAME, State::Unknown, detail),
        Room::Enough(detail) => Check::new(NAME, State::Ok, detail),
        Room::Short { detail, hint } => Check::new(NAME, State::Warning, detail).hint(hint),
    }
}

/// Whether people can paint, where the stack exists. Such faults are warnings: they never stop
/// `up`.
async fn painting(stack: &Stack) -> Vec<Check> {
    const NAME: &str = "painting";
    if stack.found.functions.get(Function::Admin).is_none() {
        return Vec::new();
    }
    let live = status::live(stack).await;
    let faults = live.faults().iter();
    let faults: Vec<_> = faults
        .map(|fault| Check::new(NAME, State::Warning, fault))
        .collect();
    if faults.is_empty() {
        return vec![Check::new(NAME, State::Ok, "people can paint")];
    }
    faults
}

async fn artifacts(stack: &Stack) -> Check {
    match steps::functions::check_artifacts(stack).await {
        Ok(()) => {
            let detail = format!("all seven in `{}`", stack.config.functions.artifacts);
            Check::new("binaries", State::Ok, detail)
        }
        Err(failure) => Check::of("binaries", &failure.into()),
    }
}

/// What was found under the stack's names.
fn resources(runner: &Runner, survey: &Survey) -> Vec<Check> {
    const NAME: &str = "resources";
    let objections = runner.objections(survey, Allowed::default()).into_iter();
    let checked = network::checked();
    let objections = objections.filter(|(key, _)| !checked.contains(key));
    let objections: Vec<Check> = objections.map(|(_, o)| Check::of(NAME, &o)).collect();
    if !objections.is_empty() {
        return objections;
    }
    let all = survey.sightings().len() as u64;
    let detail = if survey.is_ready() {
        format!("{}, all as configured", words::count(all, "resource"))
    } else {
        let there = survey.sightings().iter().filter(|s| s.look.id().is_some());
        let there = there.count();
        format!("{there} of {all} exist; none belongs to another owner")
    };
    vec![Check::new(NAME, State::Ok, detail)]
}
