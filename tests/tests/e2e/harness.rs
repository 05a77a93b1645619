//! The tests' own tools: a tool that lies would prove anything.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use place_tests::inventory::difference;
use place_tests::proxy::{Fault, When};
use place_tests::{LocalCloud, Operator, Proxy, Sdk, inventory};

#[tokio::test]
async fn a_cloud_is_gone_when_it_is_dropped() {
    let cloud = LocalCloud::start().await;
    let (emulator, redis) = (cloud.port(), cloud.redis_port());
    drop(cloud);
    let started = Instant::now();
    for port in [emulator, redis] {
        while tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_ok()
        {
            assert!(
                started.elapsed() < Duration::from_secs(5),
                "port {port} still answers"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn an_inventory_notices_what_is_new() {
    let cloud = LocalCloud::start().await;
    let sdk = Sdk::new(&cloud.endpoint());
    let before = inventory(&sdk).await;
    assert!(difference(&before, &inventory(&sdk).await).is_empty());
    sdk.sqs
        .create_queue()
        .queue_name("extra")
        .send()
        .await
        .unwrap();
    sdk.logs
        .create_log_group()
        .log_group_name("/extra")
        .send()
        .await
        .unwrap();
    let after = inventory(&sdk).await;
    assert_eq!(
        difference(&before, &after),
        ["+ logs group /extra", "+ sqs queue extra"]
    );
}

#[tokio::test]
async fn the_proxy_passes_calls_on_and_knows_their_names() {
    let cloud = LocalCloud::start().await;
    let proxy = Proxy::start(&cloud.endpoint());
    let sdk = Sdk::new(&proxy.endpoint());
    let through = inventory(&sdk).await;
    assert_eq!(through, inventory(&Sdk::new(&cloud.endpoint())).await);
    assert_eq!(proxy.changes(), Vec::<String>::new());
    sdk.ec2
        .create_route_table()
        .vpc_id("vpc-00000001")
        .send()
        .await
        .unwrap();
    assert_eq!(proxy.changes(), ["ec2:CreateRouteTable"]);
    assert_eq!(proxy.count("DescribeRouteTables"), 1);
    assert!(
        proxy
            .calls()
            .iter()
            .all(|call| !call.operation.name().contains('/'))
    );
}

/// The code that an SDK reads from the proxy's error.
macro_rules! code_of {
    ($call:expr) => {
        $call.send().await.unwrap_err().code().map(str::to_owned)
    };
}

#[tokio::test]
async fn each_service_understands_the_proxys_errors() {
    let cloud = LocalCloud::start().await;
    let proxy = Proxy::start(&cloud.endpoint());
    let sdk = Sdk::new(&proxy.endpoint());
    proxy.plan(
        When::Always,
        usize::MAX,
        Fault::error(400, "NoSuchLuck", "as planned"),
    );
    let code = Some("NoSuchLuck".to_owned());
    assert_eq!(code_of!(sdk.ec2.describe_vpcs()), code);
    assert_eq!(code_of!(sdk.elasticache.describe_serverless_caches()), code);
    assert_eq!(code_of!(sdk.api.get_apis()), code);
    assert_eq!(code_of!(sdk.lambda.list_functions()), code);
    assert_eq!(code_of!(sdk.sqs.list_queues()), code);
    assert_eq!(code_of!(sdk.dynamodb.list_tables()), code);
    assert_eq!(code_of!(sdk.scheduler.list_schedules()), code);
    assert_eq!(code_of!(sdk.iam.list_roles()), code);
    assert_eq!(code_of!(sdk.logs.describe_log_groups()), code);
}

#[tokio::test]
async fn a_dropped_answer_has_done_its_work_and_a_dropped_call_has_not() {
    let cloud = LocalCloud::start().await;
    let proxy = Proxy::start(&cloud.endpoint());
    let sdk = Sdk::new(&proxy.endpoint());
    let create = |name: &str| sdk.logs.create_log_group().log_group_name(name).send();
    let names = async || {
        let answer = Sdk::new(&cloud.endpoint())
            .logs
            .describe_log_groups()
            .send()
            .await
            .unwrap();
        let groups = answer.log_groups().iter();
        groups
            .filter_map(|g| g.log_group_name().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    proxy.plan(When::Operation("CreateLogGroup"), usize::MAX, Fault::Reset);
    assert!(create("/never").await.is_err());
    assert_eq!(names().await, Vec::<String>::new());
    proxy.clear();
    proxy.plan(When::Operation("CreateLogGroup"), 1, Fault::DropAnswer);
    let error = create("/there").await.unwrap_err();
    // The SDK asks again and hears that the group exists: the first call did its work.
    assert_eq!(error.code(), Some("ResourceAlreadyExistsException"));
    assert_eq!(names().await, ["/there"]);
}

#[tokio::test]
async fn a_killing_fault_kills_the_process_at_the_call() {
    let cloud = LocalCloud::start().await;
    let proxy = Proxy::start(&cloud.endpoint());
    let operator = Operator::with(&cloud, |c| c.endpoints.aws = Some(proxy.endpoint()));
    proxy.plan(When::Call(1), 1, Fault::KillBefore);
    let running = operator.placectl().args(["status"]).spawn();
    proxy.aim_at(running.id());
    let finished = running.finish().await;
    assert_eq!(finished.code, None, "{finished}");
    assert_eq!(proxy.kills(), 1);
}
