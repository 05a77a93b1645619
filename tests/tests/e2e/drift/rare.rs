//! Changes that are only made together with others: to see that each of them is mended.

use aws_sdk_dynamodb::types::TableClass;
use aws_sdk_ec2::types::Tag;
use place_config::names::{TAG_RESOURCE, TAG_STACK};
use place_tests::Sdk;
use place_tests::cloud::{ACCOUNT, REGION};

const ROLE: &str = "place-us-east-1-save";
const QUEUE: &str = "requestQueue.fifo";

/// Makes them all.
pub(super) async fn make(sdk: &Sdk) {
    point_route_elsewhere(sdk).await;
    untag_address(sdk).await;
    let call = sdk.dynamodb.update_table().table_name("mru_pixels");
    let call = call.table_class(TableClass::StandardInfrequentAccess);
    call.send().await.unwrap();
    spoil_trust(sdk).await;
    narrow_permission(sdk).await;
    let mappings = sdk.lambda.list_event_source_mappings();
    let mappings = mappings.function_name("initializeConnection").send().await;
    let mappings = mappings.unwrap();
    let call = sdk.lambda.update_event_source_mapping();
    let call = call.uuid(mappings.event_source_mappings()[0].uuid().unwrap());
    call.batch_size(1).send().await.unwrap();
    untag(sdk).await;
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
