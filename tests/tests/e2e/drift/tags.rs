//! Somebody takes `place:stack` off everything; `place:resource` stays.

use aws_sdk_ec2::types::Tag;
use place_config::names::TAG_STACK;
use place_tests::Sdk;

use crate::repair::PLACE_ROLES;

pub(super) async fn taken_off_network_and_data(sdk: Sdk) {
    off_network(&sdk).await;
    off_cache(&sdk).await;
    off_queues(&sdk).await;
    off_tables(&sdk).await;
}

pub(super) async fn taken_off_application(sdk: Sdk) {
    off_api(&sdk).await;
    off_functions(&sdk).await;
    off_logs(&sdk).await;
    off_roles(&sdk).await;
    off_schedules(&sdk).await;
}

/// A tag's key alone: whatever its value.
fn tag() -> Tag {
    Tag::builder().key(TAG_STACK).build()
}

async fn off_network(sdk: &Sdk) {
    let ec2 = &sdk.ec2;
    let answer = ec2.describe_tags().send().await.unwrap();
    let of_stack = |of: &&aws_sdk_ec2::types::TagDescription| of.key() == Some(TAG_STACK);
    let tagged = answer.tags().iter().filter(of_stack);
    let tagged: Vec<_> = tagged.filter_map(|of| of.resource_id.clone()).collect();
    let call = ec2.delete_tags().set_resources(Some(tagged)).tags(tag());
    call.send().await.unwrap();
}

async fn off_cache(sdk: &Sdk) {
    let answer = sdk.elasticache.describe_serverless_caches().send().await;
    let answer = answer.unwrap();
    let call = sdk.elasticache.remove_tags_from_resource();
    let call = call.resource_name(answer.serverless_caches()[0].arn().unwrap());
    call.tag_keys(TAG_STACK).send().await.unwrap();
}

async fn off_queues(sdk: &Sdk) {
    let answer = sdk.sqs.list_queues().send().await.unwrap();
    for url in answer.queue_urls() {
        let call = sdk.sqs.untag_queue().queue_url(url);
        call.tag_keys(TAG_STACK).send().await.unwrap();
    }
}

/// The lease's table too.
async fn off_tables(sdk: &Sdk) {
    let answer = sdk.dynamodb.list_tables().send().await.unwrap();
    for name in answer.table_names() {
        let table = sdk.dynamodb.describe_table().table_name(name).send().await;
        let table = table.unwrap().table.unwrap();
        let call = sdk.dynamodb.untag_resource();
        let call = call.resource_arn(table.table_arn().unwrap());
        call.tag_keys(TAG_STACK).send().await.unwrap();
    }
}

async fn off_api(sdk: &Sdk) {
    let answer = sdk.api.get_apis().send().await.unwrap();
    let api = answer.items()[0].api_id().unwrap();
    for path in [api.to_owned(), format!("{api}/stages/production")] {
        let arn = format!("arn:aws:apigateway:us-east-1::/apis/{path}");
        let call = sdk.api.untag_resource().resource_arn(arn);
        call.tag_keys(TAG_STACK).send().await.unwrap();
    }
}

async fn off_functions(sdk: &Sdk) {
    let functions = sdk.lambda.list_functions().send().await.unwrap();
    let functions = functions.functions().iter();
    let mut all: Vec<_> = functions.filter_map(|of| of.function_arn.clone()).collect();
    let mappings = sdk
        .lambda
        .list_event_source_mappings()
        .send()
        .await
        .unwrap();
    let mappings = mappings.event_source_mappings().iter();
    let arn = |id: &str| format!("arn:aws:lambda:us-east-1:000000000000:event-source-mapping:{id}");
    all.extend(mappings.map(|of| arn(of.uuid().unwrap())));
    for arn in all {
        let call = sdk.lambda.untag_resource().resource(arn);
        call.tag_keys(TAG_STACK).send().await.unwrap();
    }
}

async fn off_logs(sdk: &Sdk) {
    let answer = sdk.logs.describe_log_groups().send().await.unwrap();
    for group in answer.log_groups() {
        let arn = group.arn().unwrap().trim_end_matches(":*");
        let call = sdk.logs.untag_resource().resource_arn(arn);
        call.tag_keys(TAG_STACK).send().await.unwrap();
    }
}

async fn off_roles(sdk: &Sdk) {
    let answer = sdk.iam.list_roles().send().await.unwrap();
    let roles = answer
        .roles()
        .iter()
        .map(aws_sdk_iam::types::Role::role_name);
    for role in roles.filter(|name| name.starts_with(PLACE_ROLES)) {
        let call = sdk.iam.untag_role().role_name(role);
        call.tag_keys(TAG_STACK).send().await.unwrap();
    }
}

async fn off_schedules(sdk: &Sdk) {
    let arn = "arn:aws:scheduler:us-east-1:000000000000:schedule-group/place";
    let call = sdk.scheduler.untag_resource().resource_arn(arn);
    call.tag_keys(TAG_STACK).send().await.unwrap();
}
