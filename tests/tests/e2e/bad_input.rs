//! Wrong configuration, wrong account, wrong world: a clear message, the next step, exit code 1
//! or 2, and nothing half-done that a second run can't finish.

use std::fs;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, Tag,
};
use aws_sdk_ec2::types::Filter;
use place_tests::inventory::difference;
use place_tests::proxy::{Fault, When};
use place_tests::{Finished, LocalCloud, Operator, Placectl, Proxy, Sdk, inventory};

use crate::support::shared;

/// Runs `status` beside a `place.toml` with this text; nothing listens where it points.
async fn status_with(toml: &str) -> Finished {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("place.toml"), toml).unwrap();
    let placectl = Placectl::new(directory.path()).env("AWS_REGION", "us-east-1");
    let keys = placectl
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test");
    keys.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .args(["status"])
        .run()
        .await
}

/// Fails with exit code 2 and says all of these.
async fn refuses(toml: &str, mentions: &[&str]) {
    let finished = status_with(toml).await.expect_code(2);
    for text in mentions {
        assert!(
            finished.stderr.contains(text),
            "`{text}` is not said: {finished}"
        );
    }
}

#[tokio::test]
async fn unknown_keys_are_named_with_their_lines_all_at_once() {
    let toml = "stack = \"place\"\n[canvas]\nwidht = 5\n[redsi]\nmode = 1\n";
    refuses(
        toml,
        &["place.toml:3", "widht", "width", "place.toml:4", "redsi"],
    )
    .await;
}

#[tokio::test]
async fn wrong_types_are_named_with_what_is_allowed() {
    let toml = "[canvas]\nwidth = \"wide\"\n[redis]\nmode = \"cluster\"\n";
    refuses(
        toml,
        &["place.toml:2", "width", "place.toml:4", "serverless"],
    )
    .await;
}

#[tokio::test]
async fn broken_toml_is_one_finding() {
    refuses("[canvas\nwidth = 5\n", &["place.toml:1"]).await;
}

#[tokio::test]
async fn a_canvas_without_pixels() {
    refuses("[canvas]\nwidth = 0\nheight = 5\n", &["width", "65535"]).await;
}

#[tokio::test]
async fn names_that_aws_would_reject() {
    refuses("stack = \"My Stack\"\n", &["stack"]).await;
    refuses("[tables]\nmru = \"my table\"\n", &["tables.mru"]).await;
    refuses(
        "[functions.names]\nsave = \"a/b\"\n",
        &["functions.names.save"],
    )
    .await;
}

#[tokio::test]
async fn a_configuration_file_that_is_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let placectl = Placectl::new(directory.path()).args(["--config", "none.toml", "status"]);
    let finished = placectl.run().await.expect_code(2);
    assert!(finished.stderr.contains("none.toml"), "{finished}");
}

#[tokio::test]
async fn unknown_words_on_the_command_line() {
    let directory = tempfile::tempdir().unwrap();
    for words in [&["upp"][..], &["up", "--frobnicate"], &["canvas"], &[]] {
        let finished = Placectl::new(directory.path())
            .args(words)
            .run()
            .await
            .expect_code(2);
        assert!(finished.stderr.contains("Usage"), "{finished}");
    }
}

#[tokio::test]
async fn no_credentials() {
    let directory = tempfile::tempdir().unwrap();
    let placectl = Placectl::new(directory.path()).env("AWS_REGION", "us-east-1");
    let finished = placectl.args(["status"]).run().await;
    assert!(matches!(finished.code, Some(1 | 2)), "{finished}");
    assert!(finished.stderr.contains("credentials"), "{finished}");
    assert!(finished.elapsed.as_secs() < 15, "{finished}");
}

#[tokio::test]
async fn no_region() {
    let directory = tempfile::tempdir().unwrap();
    let keys = Placectl::new(directory.path()).env("AWS_ACCESS_KEY_ID", "test");
    let finished = keys
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .args(["status"])
        .run()
        .await;
    assert!(matches!(finished.code, Some(1 | 2)), "{finished}");
    assert!(finished.stderr.contains("region"), "{finished}");
}

#[tokio::test]
async fn an_endpoint_that_nobody_answers_at() {
    let finished = status_with("").await.expect_code(1);
    assert!(finished.stderr.contains("127.0.0.1:9"), "{finished}");
    assert!(finished.elapsed.as_secs() < 40, "{finished}");
}

/// An operator whose first call is answered with this error.
async fn up_with_identity_error(code: &'static str, message: &'static str) -> Finished {
    let shared = shared().await;
    let proxy = Proxy::start(&shared.cloud.endpoint());
    proxy.plan(
        When::Service("sts"),
        usize::MAX,
        Fault::error(403, code, message),
    );
    let operator = Operator::with(&shared.cloud, |c| c.endpoints.aws = Some(proxy.endpoint()));
    let finished = operator.placectl().args(["up"]).run().await;
    assert_eq!(proxy.changes(), Vec::<String>::new());
    finished
}

#[tokio::test]
async fn expired_credentials() {
    let message = "The security token included in the request is expired";
    let finished = up_with_identity_error("ExpiredToken", message)
        .await
        .expect_code(1);
    assert!(finished.stderr.contains("expired"), "{finished}");
    assert!(
        finished.stderr.to_lowercase().contains("hint"),
        "{finished}"
    );
}

#[tokio::test]
async fn a_region_without_a_default_vpc_gets_one() {
    let cloud = LocalCloud::start().await;
    let operator = Operator::new(&cloud);
    remove_default_vpc(&operator.sdk()).await;
    operator.up().await;
    let default = Filter::builder().name("is-default").values("true").build();
    let call = operator.sdk().ec2.describe_vpcs().filters(default);
    assert_eq!(call.send().await.unwrap().vpcs().len(), 1);
    let _ = operator
        .placectl()
        .args(["status", "--check"])
        .succeed()
        .await;
}

async fn remove_default_vpc(sdk: &Sdk) {
    let ec2 = &sdk.ec2;
    let subnets = ec2.describe_subnets().send().await.unwrap();
    for subnet in subnets.subnets() {
        ec2.delete_subnet()
            .subnet_id(subnet.subnet_id().unwrap())
            .send()
            .await
            .unwrap();
    }
    let gateways = ec2.describe_internet_gateways().send().await.unwrap();
    for gateway in gateways.internet_gateways() {
        let id = gateway.internet_gateway_id().unwrap();
        let detach = ec2.detach_internet_gateway().internet_gateway_id(id);
        detach.vpc_id("vpc-00000001").send().await.unwrap();
        ec2.delete_internet_gateway()
            .internet_gateway_id(id)
            .send()
            .await
            .unwrap();
    }
    ec2.delete_vpc()
        .vpc_id("vpc-00000001")
        .send()
        .await
        .unwrap();
    let filter = Filter::builder().name("is-default").values("true").build();
    let left = ec2.describe_vpcs().filters(filter).send().await.unwrap();
    assert!(left.vpcs().is_empty(), "{left:?}");
}

/// A table of this name with the key `id`, tagged as the stack's own if `ours`.
async fn create_odd_table(sdk: &Sdk, name: &str, ours: bool) {
    let attribute = AttributeDefinition::builder()
        .attribute_name("id")
        .attribute_type(ScalarAttributeType::S)
        .build();
    let key = KeySchemaElement::builder()
        .attribute_name("id")
        .key_type(KeyType::Hash)
        .build();
    let tags = [("place:stack", "place"), ("place:resource", "table:mru")]
        .map(|(key, value)| Tag::builder().key(key).value(value).build().unwrap());
    sdk.dynamodb
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute.unwrap())
        .key_schema(key.unwrap())
        .set_tags(ours.then(|| tags.to_vec()))
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_table_of_ours_with_another_key() {
    let cloud = LocalCloud::start().await;
    let operator = Operator::new(&cloud);
    let sdk = operator.sdk();
    create_odd_table(&sdk, "mru_pixels", true).await;
    let up = operator.placectl().args(["up"]).run().await.expect_code(1);
    assert!(up.stderr.contains("mru_pixels"), "{up}");
    assert!(up.stderr.contains("KeySchema is id"), "{up}");
    // The table is still what it was; without it, a second run finishes.
    let table = sdk
        .dynamodb
        .describe_table()
        .table_name("mru_pixels")
        .send()
        .await
        .unwrap();
    assert_eq!(
        table.table().unwrap().key_schema()[0].attribute_name(),
        "id"
    );
    sdk.dynamodb
        .delete_table()
        .table_name("mru_pixels")
        .send()
        .await
        .unwrap();
    operator.up().await;
}

#[tokio::test]
async fn foreign_things_of_our_names_are_all_listed_before_anything_changes() {
    let cloud = LocalCloud::start().await;
    let operator = Operator::new(&cloud);
    let sdk = operator.sdk();
    create_odd_table(&sdk, "pixel_history", false).await;
    sdk.logs
        .create_log_group()
        .log_group_name("/aws/lambda/save")
        .send()
        .await
        .unwrap();
    let fifo = aws_sdk_sqs::types::QueueAttributeName::FifoQueue;
    let queue = sdk
        .sqs
        .create_queue()
        .queue_name("requestQueue.fifo")
        .attributes(fifo, "true");
    queue.send().await.unwrap();
    let before = inventory(&sdk).await;
    let up = operator.placectl().args(["up"]).run().await.expect_code(1);
    for name in [
        "pixel_history",
        "/aws/lambda/save",
        "requestQueue.fifo",
        "--adopt",
    ] {
        assert!(up.stderr.contains(name), "`{name}` is not said: {up}");
    }
    assert_eq!(
        difference(&before, &inventory(&sdk).await),
        Vec::<String>::new()
    );
    // What can be taken over is taken over when the operator says so.
    sdk.dynamodb
        .delete_table()
        .table_name("pixel_history")
        .send()
        .await
        .unwrap();
    let _ = operator.placectl().args(["up", "--adopt"]).succeed().await;
    let _ = operator
        .placectl()
        .args(["status", "--check"])
        .succeed()
        .await;
}

#[tokio::test]
async fn missing_binaries_are_refused_with_the_command_that_makes_them() {
    let cloud = LocalCloud::start().await;
    let operator = Operator::with(&cloud, |c| c.functions.artifacts = "nowhere".to_owned());
    let before = inventory(&operator.sdk()).await;
    let up = operator.placectl().args(["up"]).run().await;
    assert!(matches!(up.code, Some(1 | 2)), "{up}");
    assert!(up.stderr.contains("make handlers"), "{up}");
    assert!(up.stderr.contains("nowhere"), "{up}");
    assert_eq!(
        difference(&before, &inventory(&operator.sdk()).await),
        Vec::<String>::new()
    );
}
