//! Changes that hardly anybody makes by mistake.

use std::time::Duration;

use aws_sdk_dynamodb::types::TableClass;
use aws_sdk_ec2::types::Tag;
use aws_sdk_lambda::types::State;
use aws_sdk_sqs::types::QueueAttributeName;
use place_config::names::{TAG_RESOURCE, TAG_STACK};
use place_tests::Sdk;
use place_tests::cloud::{ACCOUNT, REGION};

use super::Change;
use super::application::event_source;
use crate::repair::{empty_environment, set_queue};
use crate::support::eventually;

const ROLE: &str = "place-us-east-1-save";
const QUEUE: &str = "requestQueue.fifo";

pub(super) const CHANGES: &[Change] = &[
    (
        "route pointed elsewhere",
        |sdk| Box::pin(async move { point_route_elsewhere(&sdk).await }),
        &["route:private"],
    ),
    (
        "address without the stack's tag",
        |sdk| Box::pin(async move { untag_address(&sdk).await }),
        &["elastic-ip"],
    ),
    (
        "table class changed",
        |sdk| {
            Box::pin(change_class(
                sdk,
                "mru_pixels",
                TableClass::StandardInfrequentAccess,
            ))
        },
        &["table:mru"],
    ),
    (
        "history's table class changed",
        |sdk| Box::pin(change_class(sdk, "pixel_history", TableClass::Standard)),
        &["table:history"],
    ),
    (
        "dead letters dropped after a minute",
        |sdk| Box::pin(drop_dead_letters(sdk)),
        &["dead-letter-queue:request"],
    ),
    (
        "queue opened to everybody",
        |sdk| Box::pin(async move { open_queue(&sdk).await }),
        &["queue:request"],
    ),
    (
        "function throttled",
        |sdk| Box::pin(async move { throttle(&sdk).await }),
        &["function:placev2handler"],
    ),
    (
        "trust spoiled",
        |sdk| Box::pin(async move { spoil_trust(&sdk).await }),
        &["role:save"],
    ),
    (
        "permission narrowed",
        |sdk| Box::pin(async move { narrow_permission(&sdk).await }),
        &["permission:placev2handler"],
    ),
    (
        "batch size changed",
        |sdk| Box::pin(shrink_batch(sdk)),
        &["event-source:initializeConnection"],
    ),
    (
        "environment emptied",
        |sdk| Box::pin(forget_everything(sdk)),
        &["environment:placev2broadcast"],
    ),
    (
        "queue and table without their tags",
        |sdk| Box::pin(async move { untag(&sdk).await }),
        &["queue:request", "table:history"],
    ),
];

async fn change_class(sdk: Sdk, table: &str, class: TableClass) {
    let call = sdk.dynamodb.update_table().table_name(table);
    call.table_class(class).send().await.unwrap();
}

async fn drop_dead_letters(sdk: Sdk) {
    let kept = QueueAttributeName::MessageRetentionPeriod;
    set_queue(&sdk, "requestQueue-dlq.fifo", kept, "60").await;
}

async fn open_queue(sdk: &Sdk) {
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:{REGION}:{ACCOUNT}:{QUEUE}"}}]}}"#
    );
    set_queue(sdk, QUEUE, QueueAttributeName::Policy, &policy).await;
}

/// Nearly as the console's "Throttle" does it: the emulator hides a 0.
async fn throttle(sdk: &Sdk) {
    let call = sdk.lambda.put_function_concurrency();
    let call = call.function_name("placev2handler");
    let call = call.reserved_concurrent_executions(1);
    call.send().await.unwrap();
}

/// Until the function is updated it is on its way, which is another thing than different.
async fn forget_everything(sdk: Sdk) {
    empty_environment(&sdk).await;
    eventually("an updated function", Duration::from_secs(20), async || {
        let call = sdk.lambda.get_function_configuration();
        let answer = call.function_name("placev2broadcast").send().await;
        answer.unwrap().state() == Some(&State::Active)
    })
    .await;
}

async fn shrink_batch(sdk: Sdk) {
    let call = sdk.lambda.update_event_source_mapping();
    let call = call.uuid(event_source(&sdk, "initializeConnection").await);
    call.batch_size(1).send().await.unwrap();
}

async fn point_route_elsewhere(sdk: &Sdk) {
    let public = super::network::table(sdk, "route-table:public").await;
    let mut routes = public.routes().iter();
    let gateway = routes.find_map(|route| route.gateway_id().filter(|id| id.starts_with("igw-")));
    let private = super::network::table(sdk, "route-table:private").await;
    let call = sdk.ec2.replace_route().destination_cidr_block("0.0.0.0/0");
    let call = call.route_table_id(private.route_table_id().unwrap());
    call.gateway_id(gateway.unwrap()).send().await.unwrap();
}

/// Only EC2's things are still known without the tag that says whose they are.
async fn untag_address(sdk: &Sdk) {
    let addresses = sdk.ec2.describe_addresses().send().await.unwrap();
    let address = addresses.addresses()[0].allocation_id().unwrap();
    let tag = Tag::builder().key(TAG_STACK).value("place").build();
    let call = sdk.ec2.delete_tags().resources(address).tags(tag);
    call.send().await.unwrap();
}

async fn spoil_trust(sdk: &Sdk) {
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}}]}"#;
    let call = sdk.iam.update_assume_role_policy().role_name(ROLE);
    call.policy_document(trust).send().await.unwrap();
}

/// The gateway may call the function for another API.
async fn narrow_permission(sdk: &Sdk) {
    let function = "placev2handler";
    let call = sdk.lambda.remove_permission().function_name(function);
    call.statement_id("place-api").send().await.unwrap();
    let call = sdk.lambda.add_permission().function_name(function);
    let call = call
        .statement_id("place-api")
        .action("lambda:InvokeFunction");
    let call = call.principal("apigateway.amazonaws.com");
    let call = call.source_arn(format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:other/*"));
    call.send().await.unwrap();
}

async fn untag(sdk: &Sdk) {
    let url = sdk.sqs.get_queue_url().queue_name(QUEUE).send().await;
    let call = sdk
        .sqs
        .untag_queue()
        .queue_url(url.unwrap().queue_url().unwrap());
    call.tag_keys(TAG_RESOURCE).send().await.unwrap();
    let call = sdk.dynamodb.untag_resource();
    let call = call.resource_arn(format!(
        "arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/pixel_history"
    ));
    call.tag_keys(TAG_RESOURCE).send().await.unwrap();
}
