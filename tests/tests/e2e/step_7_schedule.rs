//! Step 7: the schedule.

use std::time::{Duration, Instant};

use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use aws_sdk_scheduler::types::{FlexibleTimeWindowMode, ScheduleState};
use place_tests::{LocalCloud, Operator};

use crate::support::{red, shared};

async fn schedule(operator: &Operator) -> GetScheduleOutput {
    let call = operator.sdk().scheduler.get_schedule();
    call.group_name("place")
        .name("place-save")
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn row_7_1_every_minute_invokes_save() {
    let shared = shared().await;
    let schedule = schedule(&shared.operator).await;
    assert_eq!(schedule.schedule_expression(), Some("rate(1 minute)"));
    assert_eq!(schedule.state(), Some(&ScheduleState::Enabled));
    let window = schedule.flexible_time_window().unwrap();
    assert_eq!(window.mode(), &FlexibleTimeWindowMode::Off);
    let target = schedule.target().unwrap();
    let lambda = shared.operator.sdk().lambda;
    let save = lambda
        .get_function_configuration()
        .function_name("save")
        .send()
        .await
        .unwrap();
    assert_eq!(Some(target.arn()), save.function_arn());
    assert!(
        target
            .role_arn()
            .ends_with(":role/place-us-east-1-scheduler")
    );
    let retries = target.retry_policy().unwrap().maximum_retry_attempts();
    assert_eq!(retries, Some(1));
}

#[tokio::test]
async fn row_7_1_retries_are_configurable() {
    let cloud = LocalCloud::start().await;
    let operator = Operator::with(&cloud, |config| config.schedule.retries = 7);
    operator.up().await;
    let schedule = schedule(&operator).await;
    let policy = schedule.target().unwrap().retry_policy().unwrap().clone();
    assert_eq!(policy.maximum_retry_attempts(), Some(7));
}

/// Nobody calls save here: only the schedule can.
#[tokio::test]
async fn row_7_1_the_schedule_saves_by_itself() {
    let cloud = LocalCloud::start().await;
    let operator = Operator::new(&cloud);
    operator.up().await;
    let mut client = operator.join().await;
    client.paint(&[red(3, 4)]).await;
    client.sees(red(3, 4)).await;
    let started = Instant::now();
    loop {
        let key = aws_sdk_dynamodb::types::AttributeValue::S("3 4".to_owned());
        let call = operator.sdk().dynamodb.get_item().table_name("mru_pixels");
        let answer = call.key("pixel", key).send().await.unwrap();
        if let Some(row) = answer.item() {
            assert_eq!(row["rgb"].as_s().unwrap(), "255 0 0");
            break;
        }
        assert!(
            started.elapsed() < Duration::from_secs(100),
            "nothing saved in 100 s"
        );
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
