//! What somebody deleted, one thing at a time.

use aws_sdk_ec2::types::InternetGateway;
use place_tests::Sdk;

use super::Change;
use super::network::table;

pub(super) const CHANGES: &[Change] = &[
    (
        "internet gateway detached",
        |sdk| Box::pin(detach_gateway(sdk)),
        &["internet-gateway"],
    ),
    (
        "route table deleted",
        |sdk| Box::pin(delete_route_table(sdk)),
        &["association:public", "route-table:public", "route:public"],
    ),
    (
        "security group deleted",
        |sdk| Box::pin(delete_group(sdk)),
        &["security-group-rule:cache", "security-group:cache"],
    ),
    (
        "integration deleted",
        |sdk| Box::pin(delete_integration(sdk)),
        // What was deployed has a route that is not there.
        &[
            "api-deployment",
            "api-stage",
            "integration:sendMessage",
            "route:sendMessage",
        ],
    ),
    (
        "stage deleted",
        |sdk| Box::pin(delete_stage(sdk)),
        &["api-stage"],
    ),
    (
        "log group deleted",
        |sdk| Box::pin(delete_logs(sdk)),
        &["log-group:placev2page"],
    ),
    (
        "schedule deleted",
        |sdk| Box::pin(delete_schedule(sdk)),
        &["schedule"],
    ),
    (
        "schedule group deleted",
        |sdk| Box::pin(delete_schedule_group(sdk)),
        &["schedule", "schedule-group"],
    ),
];

async fn detach_gateway(sdk: Sdk) {
    let answer = sdk.ec2.describe_internet_gateways().send().await.unwrap();
    let attached = |gateway: &&InternetGateway| !gateway.attachments().is_empty();
    let gateway = answer.internet_gateways().iter().find(attached).unwrap();
    let call = sdk.ec2.detach_internet_gateway();
    let call = call.internet_gateway_id(gateway.internet_gateway_id().unwrap());
    let call = call.vpc_id(gateway.attachments()[0].vpc_id().unwrap());
    call.send().await.unwrap();
}

/// EC2 deletes no table that a subnet is associated with.
async fn delete_route_table(sdk: Sdk) {
    let table = table(&sdk, "route-table:public").await;
    for association in table.associations() {
        let call = sdk.ec2.disassociate_route_table();
        let call = call.association_id(association.route_table_association_id().unwrap());
        call.send().await.unwrap();
    }
    let call = sdk.ec2.delete_route_table();
    let call = call.route_table_id(table.route_table_id().unwrap());
    call.send().await.unwrap();
}

/// EC2 deletes none that a network interface is in; where caches have no interfaces it does.
async fn delete_group(sdk: Sdk) {
    let answer = sdk.ec2.describe_security_groups().send().await.unwrap();
    let mut groups = answer.security_groups().iter();
    let group = groups.find(|group| group.group_name() == Some("place-cache"));
    let call = sdk.ec2.delete_security_group();
    let call = call.group_id(group.unwrap().group_id().unwrap());
    call.send().await.unwrap();
}

/// API Gateway deletes none that a route leads to.
async fn delete_integration(sdk: Sdk) {
    let apis = sdk.api.get_apis().send().await.unwrap();
    let api = apis.items()[0].api_id().unwrap();
    let routes = sdk.api.get_routes().api_id(api).send().await.unwrap();
    let mut routes = routes.items().iter();
    let route = routes.find(|route| route.route_key() == Some("sendMessage"));
    let route = route.unwrap();
    let target = route.target().unwrap().trim_start_matches("integrations/");
    let call = sdk.api.delete_route().api_id(api);
    let call = call.route_id(route.route_id().unwrap());
    call.send().await.unwrap();
    let call = sdk.api.delete_integration().api_id(api);
    call.integration_id(target).send().await.unwrap();
}

async fn delete_stage(sdk: Sdk) {
    let apis = sdk.api.get_apis().send().await.unwrap();
    let call = sdk.api.delete_stage().stage_name("production");
    let call = call.api_id(apis.items()[0].api_id().unwrap());
    call.send().await.unwrap();
}

/// Of a function that nothing here invokes: MiniStack makes the group of one that logs anew.
async fn delete_logs(sdk: Sdk) {
    let call = sdk.logs.delete_log_group();
    let call = call.log_group_name("/aws/lambda/placev2page");
    call.send().await.unwrap();
}

async fn delete_schedule(sdk: Sdk) {
    let call = sdk.scheduler.delete_schedule().group_name("place");
    call.name("place-save").send().await.unwrap();
}

async fn delete_schedule_group(sdk: Sdk) {
    let call = sdk.scheduler.delete_schedule_group().name("place");
    call.send().await.unwrap();
}
