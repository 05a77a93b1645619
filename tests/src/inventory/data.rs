//! SQS, DynamoDB and CloudWatch Logs.

use crate::sdk::Sdk;

pub(super) async fn lines(sdk: &Sdk) -> Vec<String> {
    let queues = sdk
        .sqs
        .list_queues()
        .send()
        .await
        .expect("the list of queues");
    let tables = sdk
        .dynamodb
        .list_tables()
        .send()
        .await
        .expect("the list of tables");
    let groups = sdk
        .logs
        .describe_log_groups()
        .send()
        .await
        .expect("the log groups");
    let mut lines = Vec::new();
    for url in queues.queue_urls() {
        lines.push(format!(
            "sqs queue {}",
            url.rsplit('/').next().unwrap_or(url)
        ));
    }
    for table in tables.table_names() {
        lines.push(format!("dynamodb table {table}"));
    }
    for group in groups.log_groups() {
        lines.push(format!(
            "logs group {}",
            group.log_group_name().unwrap_or("?")
        ));
    }
    lines
}
