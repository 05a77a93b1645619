//! SQS, DynamoDB and CloudWatch Logs, beyond what the inventory says of them.

use aws_sdk_dynamodb::types::TableDescription;
use aws_sdk_sqs::types::QueueAttributeName;

use super::sorted;
use crate::sdk::Sdk;

/// Attributes of a queue that change by themselves.
const MOVING: [&str; 5] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
];

pub(super) async fn lines(sdk: &Sdk) -> Vec<String> {
    let (queues, tables, groups) = tokio::join!(queues(sdk), tables(sdk), groups(sdk));
    [queues, tables, groups].concat()
}

async fn queues(sdk: &Sdk) -> Vec<String> {
    let queues = sdk.sqs.list_queues().send().await.expect("the queues");
    let mut lines = Vec::new();
    for url in queues.queue_urls() {
        let call = sdk.sqs.get_queue_attributes().queue_url(url);
        let call = call.attribute_names(QueueAttributeName::All);
        let answer = call.send().await.expect("the queue's attributes");
        let attributes = answer.attributes().into_iter().flatten();
        let attributes = attributes.map(|(name, value)| (name.as_str(), value));
        let mut fixed: Vec<_> = attributes
            .filter(|(name, _)| !MOVING.contains(name))
            .collect();
        fixed.sort_unstable();
        let tags = sdk.sqs.list_queue_tags().queue_url(url).send().await;
        let tags = tags.expect("the queue's tags");
        lines.push(format!("queue {fixed:?} {:?}", sorted(tags.tags())));
    }
    lines
}

async fn tables(sdk: &Sdk) -> Vec<String> {
    let tables = sdk.dynamodb.list_tables().send().await.expect("the tables");
    let mut lines = Vec::new();
    for name in tables.table_names() {
        let answer = sdk.dynamodb.describe_table().table_name(name).send().await;
        let answer = answer.expect("the table");
        let table = answer.table().expect("a described table");
        let call = sdk.dynamodb.list_tags_of_resource();
        let call = call.set_resource_arn(table.table_arn().map(str::to_owned));
        let tags = call.send().await.expect("the table's tags");
        let mut tags: Vec<_> = tags.tags().iter().map(|t| (t.key(), t.value())).collect();
        tags.sort_unstable();
        lines.push(format!("{} {tags:?}", described(table)));
    }
    lines
}

fn described(table: &TableDescription) -> String {
    let class = table
        .table_class_summary()
        .and_then(|found| found.table_class());
    let billing = table
        .billing_mode_summary()
        .and_then(|found| found.billing_mode());
    format!(
        "table {:?} {:?} {:?} {class:?} {billing:?} {:?}",
        table.table_name(),
        table.table_status(),
        table.key_schema(),
        table.deletion_protection_enabled(),
    )
}

async fn groups(sdk: &Sdk) -> Vec<String> {
    let groups = sdk.logs.describe_log_groups().send().await;
    let groups = groups.expect("the log groups");
    let line = |group: &aws_sdk_cloudwatchlogs::types::LogGroup| {
        let (name, days) = (group.log_group_name(), group.retention_in_days());
        format!("log group {name:?} {days:?}")
    };
    groups.log_groups().iter().map(line).collect()
}
