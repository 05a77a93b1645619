//! Only what is ours: other people's things are found before the first change, and left alone.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_sqs::types::QueueAttributeName;
use place_config::stack::VpcMode;
use place_tests::inventory::difference;
use place_tests::{LocalCloud, Operator, Proxy, Sdk, inventory};

use crate::repair::is_idle;

/// One thing of every kind that has a name, none of them with a tag; what each is called.
async fn strangers(sdk: &Sdk) -> Vec<&'static str> {
    let queue = sdk.sqs.create_queue().queue_name("requestQueue.fifo");
    let queue = queue.attributes(QueueAttributeName::FifoQueue, "true");
    queue.send().await.unwrap();
    create_table(sdk).await;
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let role = sdk.iam.create_role().role_name("place-us-east-1-save");
    let role = role.assume_role_policy_document(trust);
    role.send().await.unwrap();
    let group = sdk.logs.create_log_group();
    let group = group.log_group_name("/aws/lambda/placev2broadcast");
    group.send().await.unwrap();
    let group = sdk.scheduler.create_schedule_group().name("place");
    group.send().await.unwrap();
    let cache = sdk.elasticache.create_serverless_cache().engine("redis");
    let cache = cache.serverless_cache_name("placev2cache");
    let cache = cache.subnet_ids("subnet-00000001");
    let cache = cache.subnet_ids("subnet-00000002");
    let cache = cache.subnet_ids("subnet-00000003");
    cache.send().await.unwrap();
    let group = sdk.ec2.create_security_group().group_name("place-cache");
    let group = group.description("somebody's").vpc_id("vpc-00000001");
    group.send().await.unwrap();
    vec![
        "requestQueue.fifo",
        "mru_pixels",
        "place-us-east-1-save",
        "/aws/lambda/placev2broadcast",
        "schedule group `place`",
        "placev2cache",
        "place-cache",
    ]
}

async fn create_table(sdk: &Sdk) {
    let key = KeySchemaElement::builder().attribute_name("pixel");
    let key = key.key_type(KeyType::Hash).build().unwrap();
    let attribute = AttributeDefinition::builder().attribute_name("pixel");
    let attribute = attribute.attribute_type(ScalarAttributeType::S);
    let call = sdk.dynamodb.create_table().table_name("mru_pixels");
    let call = call
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key);
    let call = call.attribute_definitions(attribute.build().unwrap());
    call.send().await.unwrap();
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
    let _ = operator.placectl().args(["up", "--adopt"]).succeed().await;
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

/// The second one's name begins like the first's.
#[tokio::test]
async fn of_two_stacks_side_by_side_one_goes_and_the_other_stays() {
    let cloud = LocalCloud::start().await;
    let first = Operator::with(&cloud, |config| config.stack = "test".to_owned());
    let second = Operator::with(&cloud, |config| {
        config.stack = "test2".to_owned();
        config.vpc.mode = VpcMode::Dedicated;
        config.vpc.cidr = "10.20.0.0/16".to_owned();
    });
    let empty = inventory(&first.sdk()).await;
    second.up().await;
    let second_alone = inventory(&first.sdk()).await;
    first.up().await;
    first.teardown().await;
    let after = inventory(&first.sdk()).await;
    assert_eq!(difference(&second_alone, &after), Vec::<String>::new());
    assert!(is_idle(&second).await);
    second.join().await.close().await;
    // Its VPC goes with it.
    second.teardown().await;
    let after = inventory(&first.sdk()).await;
    assert_eq!(difference(&empty, &after), Vec::<String>::new());
}
