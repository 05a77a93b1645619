//! The schedule that invokes save.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use aws_sdk_scheduler::types::{
    FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, ScheduleState, Target,
};
use place_config::Function;

use super::{GROUP_KEY, GroupIsOurs, KEY};
use crate::aws::{Answer, AwsError, AwsResult, Class};
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step, Wait};
use crate::steps::Stack;
use crate::steps::drift::Drift;
use crate::steps::functions::{Holder, environment_key, role_key};
use crate::steps::repeat::{doing, while_answer_is};
use crate::steps::tables::{self, Content};

/// What save is called with: nothing.
const INPUT: &str = "{}";

/// How long the scheduler may find the role too young (Terraform's provider waits two minutes).
const PATIENCE: Duration = Duration::from_mins(3);

/// The schedule.
#[derive(Debug)]
pub(super) struct Schedule {
    stack: Arc<Stack>,
    group_is_ours: GroupIsOurs,
}

impl Schedule {
    pub(super) fn new(stack: &Arc<Stack>, group_is_ours: &GroupIsOurs) -> Arc<Self> {
        Arc::new(Self {
            stack: Arc::clone(stack),
            group_is_ours: Arc::clone(group_is_ours),
        })
    }

    fn rate(&self) -> String {
        rate(self.stack.config.schedule.rate_minutes)
    }

    fn retries(&self) -> i32 {
        i32::try_from(self.stack.config.schedule.retries).unwrap_or(i32::MAX)
    }

    /// How old a call may be when it is delivered, in seconds (60 to 86,400): older ones would
    /// only repeat the work of the next.
    fn age(&self) -> i32 {
        let minutes = self.stack.config.schedule.rate_minutes.clamp(1, 24 * 60);
        i32::try_from(minutes * 60).unwrap_or(60)
    }

    fn function(&self) -> String {
        let name = self.stack.names.function(Function::Save);
        self.stack.aws.arn("lambda", &format!("function:{name}"))
    }

    fn role(&self) -> String {
        self.stack
            .aws
            .iam_arn(&format!("role/{}", self.stack.names.scheduler_role()))
    }

    fn target(&self) -> Target {
        let retries = RetryPolicy::builder()
            .maximum_retry_attempts(self.retries())
            .maximum_event_age_in_seconds(self.age())
            .build();
        Target::builder()
            .arn(self.function())
            .role_arn(self.role())
            .input(INPUT)
            .retry_policy(retries)
            .build()
            .expect("a target with function and role is complete")
    }

    async fn look(&self) -> Result<Option<GetScheduleOutput>, AwsError> {
        let look = self.stack.aws.scheduler.get_schedule().name(self.name());
        let look = look
            .group_name(self.stack.names.schedule_group())
            .send()
            .await;
        look.during("scheduler:GetSchedule").absent_as_none()
    }

    fn compare(&self, found: &GetScheduleOutput) -> Drift {
        let mut drift = Drift::default();
        let text = |value: Option<&str>| value.unwrap_or("none").to_owned();
        drift.compare(
            "ScheduleExpression",
            text(found.schedule_expression()),
            self.rate(),
        );
        let state = found.state.as_ref().map(ScheduleState::as_str);
        drift.compare("State", text(state), ScheduleState::Enabled);
        for (name, date) in [("StartDate", found.start_date), ("EndDate", found.end_date)] {
            let date = date.map_or_else(|| "none".to_owned(), |date| date.to_string());
            drift.compare(name, date, "none");
        }
        let window = found
            .flexible_time_window
            .as_ref()
            .map(|window| window.mode.as_str());
        drift.compare(
            "FlexibleTimeWindow",
            text(window),
            FlexibleTimeWindowMode::Off,
        );
        let target = found.target.as_ref();
        drift.compare(
            "Target.Arn",
            text(target.map(|t| t.arn.as_str())),
            self.function(),
        );
        drift.compare(
            "Target.RoleArn",
            text(target.map(|t| t.role_arn.as_str())),
            self.role(),
        );
        drift.compare("Target.Input", text(target.and_then(Target::input)), INPUT);
        let retries = target.and_then(Target::retry_policy);
        let number =
            |value: Option<i32>| value.map_or_else(|| "none".to_owned(), |n| n.to_string());
        let attempts = number(retries.and_then(RetryPolicy::maximum_retry_attempts));
        drift.compare("MaximumRetryAttempts", attempts, self.retries());
        let age = number(retries.and_then(RetryPolicy::maximum_event_age_in_seconds));
        drift.compare("MaximumEventAgeInSeconds", age, self.age());
        drift
    }

    async fn create(&self) -> Result<Option<()>, AwsError> {
        let create = self.stack.aws.scheduler.create_schedule().name(self.name());
        let create = create
            .group_name(self.stack.names.schedule_group())
            .schedule_expression(self.rate())
            .flexible_time_window(on_the_dot())
            .target(self.target())
            .state(ScheduleState::Enabled);
        let created = create
            .send()
            .await
            .during("scheduler:CreateSchedule")
            .exists_as_none()?;
        Ok(created.map(drop))
    }

    /// Sends everything: what an update leaves out goes back to its default.
    async fn update(&self) -> Result<(), AwsError> {
        let update = self.stack.aws.scheduler.update_schedule().name(self.name());
        let update = update
            .group_name(self.stack.names.schedule_group())
            .schedule_expression(self.rate())
            .flexible_time_window(on_the_dot())
            .target(self.target())
            .state(ScheduleState::Enabled);
        update
            .send()
            .await
            .during("scheduler:UpdateSchedule")
            .map(drop)
    }
}

#[async_trait(?Send)]
impl Resource for Schedule {
    fn key(&self) -> ResourceKey {
        KEY
    }

    fn step(&self) -> Step {
        Step(7)
    }

    fn kind(&self) -> &'static str {
        "schedule"
    }

    fn name(&self) -> String {
        self.stack.names.schedule()
    }

    fn needs(&self) -> Vec<ResourceKey> {
        vec![
            GROUP_KEY,
            role_key(Holder::Scheduler),
            environment_key(Function::Save),
            // It asks for nothing of it; but where there is a schedule, there was everything once
            // that a last save and picture take.
            environment_key(Function::Admin),
            tables::key(Content::Current),
            tables::key(Content::History),
            tables::key(Content::Journal),
        ]
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        if self.group_is_ours.get().is_none() {
            return Ok(Observed::Absent);
        }
        let found = self.look().await.or_failure(|| doing("looking at", self))?;
        let Some(found) = found else {
            return Ok(Observed::Absent);
        };
        Ok(self.compare(&found).verdict(self.name()))
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        self.group_is_ours.require(&GROUP_KEY)?;
        let absent = *observed == Observed::Absent;
        let wait = Wait::new("the schedule's group and role to be known", PATIENCE).usual(0, 20);
        let action = doing(if absent { "creating" } else { "updating" }, self);
        // The group was perhaps made a moment ago.
        let passing = [Class::NotYet, Class::Conflict, Class::Absent];
        let put = async || {
            if absent && self.create().await?.is_some() {
                return Ok(());
            }
            self.update().await
        };
        while_answer_is(progress, wait, &passing, &action, put).await
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        if self.group_is_ours.get().is_none() {
            return Ok(());
        }
        let what = format!("schedule `{}` to take calls", self.name());
        let wait = Wait::new(what, PATIENCE).usual(0, 5);
        let delete = async || {
            let call = self.stack.aws.scheduler.delete_schedule().name(self.name());
            let call = call.group_name(self.stack.names.schedule_group());
            let answer = call.send().await.during("scheduler:DeleteSchedule");
            answer.absent_as_none().map(drop)
        };
        let action = doing("removing", self);
        while_answer_is(progress, wait, &[Class::Conflict], &action, delete).await
    }
}

/// The scheduler's expression for every so many minutes. It insists on the singular.
fn rate(minutes: u32) -> String {
    match minutes {
        1 => "rate(1 minute)".to_owned(),
        minutes => format!("rate({minutes} minutes)"),
    }
}

fn on_the_dot() -> FlexibleTimeWindow {
    let window = FlexibleTimeWindow::builder()
        .mode(FlexibleTimeWindowMode::Off)
        .build();
    window.expect("a window with its mode is complete")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_minute_is_singular() {
        assert_eq!(rate(1), "rate(1 minute)");
        assert_eq!(rate(5), "rate(5 minutes)");
    }
}
