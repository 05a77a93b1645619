//! The schedule that invokes save.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use aws_sdk_scheduler::types::{
    FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, ScheduleState, Target,
};
use place_config::Function;

use super::{GROUP_KEY, GroupIsOurs, KEY};
use crate::aws::{Answer, AwsResult};
use crate::steps::Stack;
use crate::steps::drift::Drift;
use crate::steps::functions::{Holder, environment_key, role_key};
use crate::steps::lifecycle::{Card, Kind, Reading, Trouble, Whose};
use crate::steps::tables::{self, Content};

/// What save is called with: nothing.
const INPUT: &str = "{}";

/// How long the scheduler may find the role too young (Terraform's provider waits two minutes).
const PATIENCE: Duration = Duration::from_mins(3);

/// The schedule. It can't be tagged: its group makes it ours.
pub(super) struct Schedule {
    pub(super) group_is_ours: GroupIsOurs,
}

/// What the schedule should be like.
struct Wanted {
    rate: String,
    retries: i32,
    /// How old a call may be when it is delivered, in seconds (60 to 86,400): older ones would
    /// only repeat the work of the next.
    age: i32,
    function: String,
    role: String,
}

impl Wanted {
    fn of(stack: &Stack) -> Self {
        let (schedule, aws) = (&stack.config.schedule, &stack.aws);
        let minutes = schedule.rate_minutes.clamp(1, 24 * 60);
        let function = stack.names.function(Function::Save);
        Self {
            rate: rate(schedule.rate_minutes),
            retries: i32::try_from(schedule.retries).unwrap_or(i32::MAX),
            age: i32::try_from(minutes * 60).unwrap_or(60),
            function: aws.arn("lambda", &format!("function:{function}")),
            role: aws.iam_arn(&format!("role/{}", stack.names.scheduler_role())),
        }
    }

    fn target(&self) -> Target {
        let retries = RetryPolicy::builder()
            .maximum_retry_attempts(self.retries)
            .maximum_event_age_in_seconds(self.age)
            .build();
        Target::builder()
            .arn(&self.function)
            .role_arn(&self.role)
            .input(INPUT)
            .retry_policy(retries)
            .build()
            .expect("a target with function and role is complete")
    }

    fn compare(&self, target: Option<&Target>, drift: &mut Drift) {
        let text = |value: Option<&str>| value.unwrap_or("none").to_owned();
        let function = text(target.map(|of| of.arn.as_str()));
        drift.compare("Target.Arn", function, &self.function);
        let role = text(target.map(|of| of.role_arn.as_str()));
        drift.compare("Target.RoleArn", role, &self.role);
        drift.compare("Target.Input", text(target.and_then(Target::input)), INPUT);
        let retries = target.and_then(Target::retry_policy);
        let number = |value: Option<i32>| value.map_or(text(None), |value| value.to_string());
        let attempts = number(retries.and_then(RetryPolicy::maximum_retry_attempts));
        drift.compare("MaximumRetryAttempts", attempts, self.retries);
        let age = number(retries.and_then(RetryPolicy::maximum_event_age_in_seconds));
        drift.compare("MaximumEventAgeInSeconds", age, self.age);
    }
}

#[async_trait(?Send)]
impl Kind for Schedule {
    type Found = GetScheduleOutput;

    fn card(&self, stack: &Stack) -> Card {
        let card = Card::new(7, KEY, "schedule", stack.names.schedule());
        let card = card.patience(PATIENCE).takes(0, 20).goes(0, 5);
        card.needs([
            GROUP_KEY,
            role_key(Holder::Scheduler),
            environment_key(Function::Save),
            // It asks for nothing of it; but where there is a schedule, there was everything once
            // that a last save and picture take.
            environment_key(Function::Admin),
            tables::key(Content::Current),
            tables::key(Content::History),
            tables::key(Content::Journal),
        ])
    }

    async fn find(&self, stack: &Stack) -> Result<Vec<Self::Found>, Trouble> {
        if self.group_is_ours.get().is_none() {
            return Ok(Vec::new());
        }
        let look = stack.aws.scheduler.get_schedule();
        let look = look.group_name(stack.names.schedule_group());
        let found = look.name(stack.names.schedule()).send().await;
        let found = found.during("scheduler:GetSchedule").absent_as_none()?;
        Ok(found.into_iter().collect())
    }

    fn read(&self, stack: &Stack, _: &Self::Found) -> Reading {
        Reading::new(stack.names.schedule(), Whose::Parents)
    }

    fn compare(&self, stack: &Stack, found: &Self::Found, drift: &mut Drift) {
        let wanted = Wanted::of(stack);
        let text = |value: Option<&str>| value.unwrap_or("none").to_owned();
        let rate = text(found.schedule_expression());
        drift.compare("ScheduleExpression", rate, &wanted.rate);
        let state = found.state.as_ref().map(ScheduleState::as_str);
        drift.compare("State", text(state), ScheduleState::Enabled);
        for (name, date) in [("StartDate", found.start_date), ("EndDate", found.end_date)] {
            let date = date.map_or(text(None), |date| date.to_string());
            drift.compare(name, date, "none");
        }
        let window = found.flexible_time_window.as_ref();
        let mode = text(window.map(|window| window.mode.as_str()));
        drift.compare("FlexibleTimeWindow", mode, FlexibleTimeWindowMode::Off);
        wanted.compare(found.target.as_ref(), drift);
    }

    async fn create(&self, stack: &Stack) -> Result<Self::Found, Trouble> {
        self.group_is_ours.require(&GROUP_KEY)?;
        let wanted = Wanted::of(stack);
        let create = stack.aws.scheduler.create_schedule();
        let create = create
            .name(stack.names.schedule())
            .group_name(stack.names.schedule_group())
            .schedule_expression(&wanted.rate)
            .flexible_time_window(on_the_dot())
            .target(wanted.target())
            .state(ScheduleState::Enabled);
        create.send().await.during("scheduler:CreateSchedule")?;
        Ok(GetScheduleOutput::builder().build())
    }

    /// Sends everything: what an update leaves out goes back to its default.
    async fn mend(&self, stack: &Stack, _: &Self::Found, _: &Drift) -> Result<(), Trouble> {
        let wanted = Wanted::of(stack);
        let update = stack.aws.scheduler.update_schedule();
        let update = update
            .name(stack.names.schedule())
            .group_name(stack.names.schedule_group())
            .schedule_expression(&wanted.rate)
            .flexible_time_window(on_the_dot())
            .target(wanted.target())
            .state(ScheduleState::Enabled);
        let updated = update.send().await.during("scheduler:UpdateSchedule");
        Ok(updated.map(drop)?)
    }

    async fn delete(&self, stack: &Stack, _: &Self::Found) -> Result<(), Trouble> {
        let delete = stack.aws.scheduler.delete_schedule();
        let delete = delete.group_name(stack.names.schedule_group());
        let deleted = delete.name(stack.names.schedule()).send().await;
        Ok(deleted.during("scheduler:DeleteSchedule").map(drop)?)
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
