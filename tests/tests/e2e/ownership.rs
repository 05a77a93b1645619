//! Only what is ours: other people's things are found before the first change, and left alone.

mod replication_group;
mod side_by_side;

use aws_sdk_apigatewayv2::types::ProtocolType;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, Runtime};
use aws_sdk_sqs::types::QueueAttributeName;
use place_tests::cloud::{ACCOUNT, REGION};
use place_tests::inventory::difference;
use place_tests::{LocalCloud, Operator, Proxy, Sdk, inventory};

use crate::drift::application::EMPTY_ZIP;
use crate::repair::is_idle;

/// One thing of every kind that has a name, none of them with a tag; what each is called.
async fn strangers(sdk: &Sdk) -> Vec<&'static str> {
    for name in ["requestQueue.fifo", "requestQueue-dlq.fifo"] {
        let queue = sdk.sqs.create_queue().queue_name(name);
        let queue = queue.attributes(QueueAttributeName::FifoQueue, "true");
        queue.send().await.unwrap();
    }
    let [pixel, time] = [("pixel", KeyType::Hash), ("t", KeyType::Range)];
    create_table(sdk, "pixel_history", &[pixel, time]).await;
    create_table(sdk, "mru_pixels", &[("pixel", KeyType::Hash)]).await;
    create_table(sdk, LEASE_TABLE, &[("lease", KeyType::Hash)]).await;
    create_function(sdk).await;
    let call = sdk.api.create_api().name("place");
    let call = call.protocol_type(ProtocolType::Websocket);
    let call = call.route_selection_expression("$request.body.action");
    call.send().await.unwrap();
    let group = sdk.logs.create_log_group();
    let group = group.log_group_name("/aws/lambda/placev2broadcast");
    group.send().await.unwrap();
    let group = sdk.scheduler.create_schedule_group().name("place");
    group.send().await.unwrap();
    let cache = sdk.elasticache.create_serverless_cache().engine("redis");
    let cache = cache.serverless_cache_name("placev2cache");
    let cache = cache.set_subnet_ids(Some(SUBNETS.map(str::to_owned).into()));
    cache.send().await.unwrap();
    let group = sdk.ec2.create_security_group().group_name("place-cache");
    let group = group.description("somebody's").vpc_id("vpc-00000001");
    group.send().await.unwrap();
    vec![
        "requestQueue.fifo",
        "requestQueue-dlq.fifo",
        "mru_pixels",
        "pixel_history",
        LEASE_TABLE,
        "place-us-east-1-save",
        "Lambda function `placev2broadcast`",
        "requestQueue.fifo feeds placev2broadcast",
        "WebSocket API `place`",
        "/aws/lambda/placev2broadcast",
        "schedule group `place`",
        "placev2cache",
        "place-cache",
    ]
}

const SUBNETS: [&str; 3] = ["subnet-00000001", "subnet-00000002", "subnet-00000003"];

/// It is no resource of the plan, and nobody's to take over.
const LEASE_TABLE: &str = "place-operator-lease";

async fn create_table(sdk: &Sdk, name: &str, keys: &[(&str, KeyType)]) {
    let mut call = sdk.dynamodb.create_table().table_name(name);
    for (name, kind) in keys {
        let key = KeySchemaElement::builder().attribute_name(*name);
        call = call.key_schema(key.key_type(kind.clone()).build().unwrap());
        let attribute = AttributeDefinition::builder().attribute_name(*name);
        let attribute = attribute.attribute_type(ScalarAttributeType::S);
        call = call.attribute_definitions(attribute.build().unwrap());
    }
    let call = call.billing_mode(BillingMode::PayPerRequest);
    call.send().await.unwrap();
}

/// A function with a role, and what feeds it.
async fn create_function(sdk: &Sdk) {
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let role = sdk.iam.create_role().role_name("place-us-east-1-save");
    let role = role.assume_role_policy_document(trust);
    let role = role.send().await.unwrap();
    let code = FunctionCode::builder().zip_file(Blob::new(EMPTY_ZIP));
    let call = sdk.lambda.create_function();
    let call = call.function_name("placev2broadcast").code(code.build());
    let call = call.runtime(Runtime::Providedal2023).handler("bootstrap");
    let call = call.role(role.role().unwrap().arn());
    call.send().await.unwrap();
    let call = sdk.lambda.create_event_source_mapping();
    let call = call.function_name("placev2broadcast");
    let queue = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:requestQueue.fifo");
    call.event_source_arn(queue).send().await.unwrap();
}

#[tokio::test]
async fn other_peoples_things_are_all_listed_before_the_first_change_and_adopted_on_request() {
    let cloud = LocalCloud::start().await;
    let proxy = Proxy::start(&cloud.endpoint());
    let operator = Operator::with(&cloud, |c| c.endpoints.aws = Some(proxy.endpoint()));
    let sdk = Sdk::new(&cloud.endpoint());
    let empty = inventory(&sdk).await;
    let names = strangers(&sdk).await;
    let before = inventory(&sdk).await;
    let up = operator.placectl().args(["up"]).run().await.expect_code(1);
    for name in names {
        assert!(up.stderr.contains(name), "`{name}` in {up}");
    }
    assert!(up.stderr.contains("--adopt"), "{up}");
    assert_eq!(proxy.changes(), Vec::<String>::new(), "{up}");
    assert_eq!(inventory(&sdk).await, before);
    let doctor = operator.placectl().args(["doctor"]).run().await;
    let doctor = doctor.expect_code(1);
    assert!(doctor.stdout.contains(LEASE_TABLE), "{doctor}");
    let adopt = ["up", "--adopt"];
    let refused = operator.placectl().args(adopt).run().await.expect_code(1);
    assert!(refused.stderr.contains(LEASE_TABLE), "{refused}");
    assert_eq!(proxy.changes(), Vec::<String>::new(), "{refused}");
    let delete = sdk.dynamodb.delete_table().table_name(LEASE_TABLE);
    delete.send().await.unwrap();
    let _ = operator.placectl().args(adopt).succeed().await;
    assert!(is_idle(&operator).await);
    operator.join().await.close().await;
    // What was adopted is ours, and goes with the rest.
    operator.teardown().await;
    let after = inventory(&sdk).await;
    assert_eq!(difference(&empty, &after), Vec::<String>::new());
}

/// To be re-routed cuts off whoever is in a subnet: that takes a word of its own.
#[tokio::test]
async fn a_subnet_in_which_others_are_is_re_routed_on_request_only() {
    let cloud = LocalCloud::start().await;
    let proxy = Proxy::start(&cloud.endpoint());
    let operator = Operator::with(&cloud, |c| c.endpoints.aws = Some(proxy.endpoint()));
    let sdk = Sdk::new(&cloud.endpoint());
    let call = sdk.ec2.create_network_interface();
    let call = call.subnet_id("subnet-00000002").description("web server");
    let answer = call.send().await.unwrap();
    let interface = answer.network_interface().unwrap();
    let interface = interface.network_interface_id().unwrap();
    let before = inventory(&sdk).await;
    for words in [&["up"][..], &["up", "--adopt"]] {
        let up = operator.placectl().args(words).run().await.expect_code(1);
        for said in [
            interface,
            "web server",
            "subnet-00000002",
            "--allow-shared-vpc",
        ] {
            assert!(up.stderr.contains(said), "`{said}` in {up}");
        }
        assert!(!up.stderr.contains("subnet-00000001"), "{up}");
        assert_eq!(proxy.changes(), Vec::<String>::new(), "{up}");
    }
    let words = ["up", "--allow-shared-vpc"];
    let _ = operator.placectl().args(words).succeed().await;
    // What stands needs no leave any more.
    assert!(is_idle(&operator).await);
    operator.teardown().await;
    let after = inventory(&sdk).await;
    assert_eq!(difference(&before, &after), Vec::<String>::new());
}
