//! Step 5: the queues.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use aws_sdk_lambda::types::{EventSourceMappingConfiguration, FunctionResponseType};
use aws_sdk_sqs::types::QueueAttributeName;
use place_tests::Sdk;

use crate::support::shared;

async fn attributes(sdk: &Sdk, queue: &str) -> HashMap<QueueAttributeName, String> {
    let url = sdk
        .sqs
        .get_queue_url()
        .queue_name(queue)
        .send()
        .await
        .unwrap();
    let call = sdk
        .sqs
        .get_queue_attributes()
        .queue_url(url.queue_url().unwrap());
    let answer = call
        .attribute_names(QueueAttributeName::All)
        .send()
        .await
        .unwrap();
    answer.attributes().unwrap().clone()
}

fn assert_ordered_and_plain(queue: &HashMap<QueueAttributeName, String>) {
    assert_eq!(queue[&QueueAttributeName::FifoQueue], "true");
    let encrypted = queue.get(&QueueAttributeName::SqsManagedSseEnabled);
    assert_ne!(encrypted.map(String::as_str), Some("true"));
    let key = queue
        .get(&QueueAttributeName::KmsMasterKeyId)
        .map(String::as_str);
    assert!(key.is_none_or(str::is_empty), "{key:?}");
}

/// Messages that failed too often go to a dead-letter queue that is ordered too.
async fn assert_dead_letters(sdk: &Sdk, queue: &HashMap<QueueAttributeName, String>, name: &str) {
    let policy: serde_json::Value =
        serde_json::from_str(&queue[&QueueAttributeName::RedrivePolicy]).unwrap();
    let dead = attributes(sdk, name).await;
    assert_eq!(
        policy["deadLetterTargetArn"],
        dead[&QueueAttributeName::QueueArn]
    );
    assert_eq!(policy["maxReceiveCount"].to_string().trim_matches('"'), "5");
    assert_ordered_and_plain(&dead);
}

async fn consumer(sdk: &Sdk, function: &str) -> EventSourceMappingConfiguration {
    let call = sdk
        .lambda
        .list_event_source_mappings()
        .function_name(function);
    let answer = call.send().await.unwrap();
    assert_eq!(
        answer.event_source_mappings().len(),
        1,
        "consumers by `{function}`"
    );
    answer.event_source_mappings()[0].clone()
}

/// `hidden` answers how long a message may stay hidden, given the function's time-out.
async fn assert_consumes(
    sdk: &Sdk,
    function: &str,
    queue: &HashMap<QueueAttributeName, String>,
    hidden: impl Fn(i32) -> RangeInclusive<i32>,
) {
    let mapping = consumer(sdk, function).await;
    assert_eq!(mapping.state(), Some("Enabled"));
    assert_eq!(
        mapping.event_source_arn(),
        Some(queue[&QueueAttributeName::QueueArn].as_str())
    );
    assert_eq!(
        mapping.function_response_types(),
        [FunctionResponseType::ReportBatchItemFailures]
    );
    let answer = sdk
        .lambda
        .get_function_configuration()
        .function_name(function)
        .send()
        .await;
    let time_out = answer.unwrap().timeout().unwrap();
    let visibility: i32 = queue[&QueueAttributeName::VisibilityTimeout]
        .parse()
        .unwrap();
    assert!(
        hidden(time_out).contains(&visibility),
        "{visibility} s for a time-out of {time_out} s"
    );
}

#[tokio::test]
async fn row_5_1_initialize_queue() {
    let sdk = shared().await.operator.sdk();
    let queue = attributes(&sdk, "place2InitializeQueue.fifo").await;
    assert_ordered_and_plain(&queue);
    assert_dead_letters(&sdk, &queue, "place2InitializeQueue-dlq.fifo").await;
    // What a call that crashed held comes again soon, but not while the call may still run.
    assert_consumes(&sdk, "initializeConnection", &queue, |time_out| {
        time_out + 1..=30
    })
    .await;
}

#[tokio::test]
async fn row_5_2_request_queue() {
    let sdk = shared().await.operator.sdk();
    let queue = attributes(&sdk, "requestQueue.fifo").await;
    assert_ordered_and_plain(&queue);
    assert_dead_letters(&sdk, &queue, "requestQueue-dlq.fifo").await;
    // AWS's advice, or a message comes back while its function still works on it.
    assert_consumes(&sdk, "placev2broadcast", &queue, |time_out| {
        6 * time_out..=i32::MAX
    })
    .await;
}
