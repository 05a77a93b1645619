//! `placectl plan`: what `up` would do, and with `--timing` when.

mod chart;

use std::collections::BTreeMap;

use serde::Serialize;

use super::outcome;
use crate::cli::PlanArgs;
use crate::context::{Context, WhenStopped};
use crate::engine::{Look, Observed, Sighting, Step, Survey, Timeline};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::steps::{self, Options, Stack};

/// What `up` would do.
#[derive(Debug, Serialize)]
struct Plan {
    stack: String,
    region: String,
    changes: Vec<Change>,
    counts: BTreeMap<&'static str, usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timing: Option<Timeline>,
}

/// What `up` would do to one resource.
#[derive(Debug, Serialize)]
struct Change {
    action: &'static str,
    key: String,
    step: Step,
    kind: &'static str,
    name: String,
    detail: Option<String>,
}

/// Looks, changes nothing.
pub(crate) async fn run(mut context: Context, args: &PlanArgs) -> Result<Exit, CommandError> {
    let stack = context
        .stack(WhenStopped::Refuse, Options::default())
        .await?;
    let (runner, _interrupted) = context.quiet_runner(steps::plan(&stack))?;
    let survey = runner.survey().await;
    if runner.is_interrupted() {
        return Ok(Exit::Interrupted);
    }
    let timing = args
        .timing
        .then(|| runner.timeline(&survey, |resource| resource.usual()));
    let plan = Plan::new(&stack, &survey, timing);
    if context.is_json() {
        context.printer.json(&plan);
    } else {
        context.printer.line(&plan.text());
    }
    outcome::calls(&context, &stack);
    Ok(plan.exit(args.check))
}

impl Plan {
    fn new(stack: &Stack, survey: &Survey, timing: Option<Timeline>) -> Self {
        let changes: Vec<Change> = survey.sightings().iter().filter_map(Change::new).collect();
        let mut counts = BTreeMap::new();
        for change in &changes {
            *counts.entry(change.action).or_default() += 1;
        }
        Self {
            stack: stack.names.stack().to_owned(),
            region: stack.aws.region.clone(),
            changes,
            counts,
            timing,
        }
    }

    fn exit(&self, check: bool) -> Exit {
        match (self.changes.is_empty(), check) {
            _ if self.counts.contains_key("unknown") => Exit::Failed,
            _ if self.counts.contains_key("impossible") => Exit::Failed,
            (false, true) => Exit::Drift,
            _ => Exit::Done,
        }
    }

    fn text(&self) -> String {
        let title = format!("stack `{}` in {}", self.stack, self.region);
        if self.changes.is_empty() {
            return format!("{title}: nothing to do");
        }
        let mut lines = vec![title];
        for step in Step::ALL {
            let changes: Vec<&Change> = self.changes.iter().filter(|c| c.step == step).collect();
            if !changes.is_empty() {
                lines.push(format!("\n  {}  {}", step.0, step.title()));
                lines.extend(changes.into_iter().map(Change::text));
            }
        }
        let counts = self
            .counts
            .iter()
            .map(|(action, n)| format!("{n} to {action}"));
        let counts: Vec<String> = counts
            .map(|count| count.replace("to unknown", "unknown"))
            .map(|count| count.replace("to impossible", "impossible"))
            .collect();
        lines.push(format!("\n{}", counts.join(", ")));
        if let Some(timing) = &self.timing {
            lines.push(format!("\n{}", chart::draw(timing)));
        }
        lines.join("\n")
    }
}

impl Change {
    fn new(sighting: &Sighting) -> Option<Self> {
        Some(Self {
            action: action(&sighting.look)?,
            key: sighting.key.to_string(),
            step: sighting.step,
            kind: sighting.kind,
            name: sighting.name.clone(),
            detail: sighting.look.detail(),
        })
    }

    fn text(&self) -> String {
        let Self {
            action, kind, name, ..
        } = self;
        let detail = self
            .detail
            .as_ref()
            .map(|detail| format!(": {detail}"))
            .unwrap_or_default();
        format!("     {action:<8} {kind} `{name}`{detail}")
    }
}

/// What `up` would do about what was found; nothing where all is as configured.
fn action(look: &Look) -> Option<&'static str> {
    let Look::Seen(observed) = look else {
        return Some("unknown");
    };
    Some(match observed {
        Observed::Ready { .. } => return None,
        Observed::Absent => "create",
        Observed::Impossible { .. } => "impossible",
        Observed::Drifted { differences, .. } => {
            let replace = differences
                .iter()
                .any(|difference| difference.needs_replacement);
            if replace { "replace" } else { "repair" }
        }
        Observed::Broken { .. } => "repair",
        Observed::Changing { .. } => "finish",
        Observed::Foreign { .. } => "adopt",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::outcome::Difference;

    #[test]
    fn what_is_as_configured_is_no_change() {
        let look = |observed| action(&Look::Seen(observed));
        let id = || "id".to_owned();
        assert_eq!(look(Observed::ready(id())), None);
        assert_eq!(look(Observed::Absent), Some("create"));
        let difference = Difference::new("size", "1", "2");
        let drifted = |difference| Observed::Drifted {
            id: id(),
            differences: vec![difference],
        };
        assert_eq!(look(drifted(difference.clone())), Some("repair"));
        assert_eq!(
            look(drifted(difference.needs_replacement())),
            Some("replace")
        );
        assert_eq!(action(&Look::Interrupted), Some("unknown"));
    }
}
