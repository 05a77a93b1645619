//! Changes of one setting of a thing that otherwise stays as it is.

use std::time::Duration;

use aws_sdk_dynamodb::types::{BillingMode, ProvisionedThroughput};
use aws_sdk_scheduler::types::{RetryPolicy, Target};
use aws_sdk_sqs::types::QueueAttributeName;
use place_tests::Sdk;

use super::Change;
use super::application::{api, event_source};
use crate::repair::{same_schedule, schedule, set_queue};
use crate::support::eventually;

pub(super) const CHANGES: &[Change] = &[
    (
        "event source disabled",
        |sdk| Box::pin(disable_event_source(sdk)),
        &["event-source:placev2broadcast"],
    ),
    (
        "schedule made rarer",
        |sdk| Box::pin(save_once_a_day(sdk)),
        &["schedule"],
    ),
    (
        "schedule aimed at another function",
        |sdk| Box::pin(aim_schedule_elsewhere(sdk)),
        &["schedule"],
    ),
    (
        "schedule that tries again and again",
        |sdk| Box::pin(retry_schedule(sdk)),
        &["schedule"],
    ),
    (
        "messages told apart by another key",
        |sdk| Box::pin(select_by_another_key(sdk)),
        &["api"],
    ),
    (
        "route led elsewhere",
        |sdk| Box::pin(lead_route_elsewhere(sdk)),
        &["route:sendMessage"],
    ),
    (
        "stage that deploys by itself",
        |sdk| Box::pin(deploy_by_itself(sdk)),
        &["api-stage"],
    ),
    (
        "table paid for by capacity",
        |sdk| Box::pin(pay_for_capacity(sdk)),
        &["table:mru"],
    ),
    (
        "cache opened to the world",
        |sdk| Box::pin(open_cache(sdk)),
        &["security-group-rule:cache"],
    ),
    (
        "dead letters thrown away",
        |sdk| Box::pin(throw_dead_letters_away(sdk)),
        &["queue:request"],
    ),
];

async fn disable_event_source(sdk: Sdk) {
    let uuid = &event_source(&sdk, "placev2broadcast").await;
    let call = sdk.lambda.update_event_source_mapping().uuid(uuid);
    call.enabled(false).send().await.unwrap();
    // Until it is at rest it is on its way, which is another thing than different.
    eventually("a disabled mapping", Duration::from_secs(20), async || {
        let call = sdk.lambda.get_event_source_mapping().uuid(uuid);
        call.send().await.unwrap().state() == Some("Disabled")
    })
    .await;
}

async fn save_once_a_day(sdk: Sdk) {
    let call = same_schedule(&sdk, &schedule(&sdk).await);
    call.schedule_expression("rate(1 day)")
        .send()
        .await
        .unwrap();
}

async fn aim_schedule_elsewhere(sdk: Sdk) {
    let as_it_is = schedule(&sdk).await;
    let aimed = as_it_is.target().unwrap();
    let other = aimed.arn().replace(":save", ":sendMessage");
    let target = Target::builder().arn(other).role_arn(aimed.role_arn());
    let target = target.set_input(aimed.input().map(str::to_owned));
    let target = target.set_retry_policy(aimed.retry_policy().cloned());
    let call = same_schedule(&sdk, &as_it_is).target(target.build().unwrap());
    call.send().await.unwrap();
}

async fn retry_schedule(sdk: Sdk) {
    let as_it_is = schedule(&sdk).await;
    let mut target = as_it_is.target().unwrap().clone();
    let often = RetryPolicy::builder().maximum_retry_attempts(185);
    let often = often.maximum_event_age_in_seconds(86_400);
    target.retry_policy = Some(often.build());
    let call = same_schedule(&sdk, &as_it_is).target(target);
    call.send().await.unwrap();
}

async fn select_by_another_key(sdk: Sdk) {
    let call = sdk.api.update_api().api_id(api(&sdk).await);
    let call = call.route_selection_expression("$request.body.verb");
    call.send().await.unwrap();
}

async fn lead_route_elsewhere(sdk: Sdk) {
    let api = api(&sdk).await;
    let routes = sdk.api.get_routes().api_id(&api).send().await.unwrap();
    let route = |key: &str| {
        let mut routes = routes.items().iter();
        routes.find(|route| route.route_key() == Some(key)).unwrap()
    };
    let call = sdk.api.update_route().api_id(&api);
    let call = call.route_id(route("sendMessage").route_id().unwrap());
    let call = call.target(route("$connect").target().unwrap());
    call.send().await.unwrap();
}

async fn deploy_by_itself(sdk: Sdk) {
    let call = sdk.api.update_stage().api_id(api(&sdk).await);
    let call = call.stage_name("production").auto_deploy(true);
    call.send().await.unwrap();
}

async fn pay_for_capacity(sdk: Sdk) {
    let capacity = ProvisionedThroughput::builder();
    let capacity = capacity.read_capacity_units(5).write_capacity_units(5);
    let call = sdk.dynamodb.update_table().table_name("mru_pixels");
    let call = call.billing_mode(BillingMode::Provisioned);
    let call = call.provisioned_throughput(capacity.build().unwrap());
    call.send().await.unwrap();
}

async fn open_cache(sdk: Sdk) {
    let caches = sdk.elasticache.describe_serverless_caches();
    let caches = caches.send().await.unwrap();
    let group = &caches.serverless_caches()[0].security_group_ids()[0];
    let call = sdk.ec2.authorize_security_group_ingress().group_id(group);
    let call = call.ip_protocol("tcp").from_port(6379).to_port(6379);
    call.cidr_ip("0.0.0.0/0").send().await.unwrap();
}

async fn throw_dead_letters_away(sdk: Sdk) {
    let policy = QueueAttributeName::RedrivePolicy;
    set_queue(&sdk, "requestQueue.fifo", policy, "").await;
}
