//! A stack that stands is left alone.

use place_tests::inventory::difference;
use place_tests::{Operator, Proxy, inventory};

use crate::support::shared;

#[tokio::test]
async fn up_twice_changes_nothing_the_second_time() {
    let shared = shared().await;
    let before = inventory(&shared.operator.sdk()).await;
    let proxy = Proxy::start(&shared.cloud.endpoint());
    let operator = Operator::with(&shared.cloud, |c| c.endpoints.aws = Some(proxy.endpoint()));
    let up = operator
        .placectl()
        .args(["up", "-o", "json"])
        .succeed()
        .await;
    let finished = up.finished_event();
    assert_eq!(finished["outcome"], "done");
    let counts = finished["counts"].as_object().unwrap();
    assert_eq!(
        counts.keys().collect::<Vec<_>>(),
        ["unchanged"],
        "{finished}"
    );
    // The admin function is asked whether people can paint.
    let changes = proxy.changes();
    let changes: Vec<_> = changes.iter().filter(|c| *c != "lambda:Invoke").collect();
    assert_eq!(changes, Vec::<&String>::new());
    let after = inventory(&shared.operator.sdk()).await;
    assert_eq!(difference(&before, &after), Vec::<String>::new());
}

#[tokio::test]
async fn status_only_reads() {
    let shared = shared().await;
    let proxy = Proxy::start(&shared.cloud.endpoint());
    let operator = Operator::with(&shared.cloud, |c| c.endpoints.aws = Some(proxy.endpoint()));
    let _ = operator.placectl().args(["status"]).succeed().await;
    // The admin function is asked for what only the cache knows.
    let changes: Vec<_> = proxy
        .changes()
        .into_iter()
        .filter(|c| c != "lambda:Invoke")
        .collect();
    assert_eq!(changes, Vec::<String>::new());
}

/// Everything goes to the services that a stack uses, and to no other.
#[tokio::test]
async fn up_speaks_to_the_expected_services_only() {
    let shared = shared().await;
    let proxy = Proxy::start(&shared.cloud.endpoint());
    let operator = Operator::with(&shared.cloud, |c| c.endpoints.aws = Some(proxy.endpoint()));
    let _ = operator.placectl().args(["up"]).succeed().await;
    let calls = proxy.calls();
    let mut services: Vec<_> = calls.iter().map(|call| call.operation.service()).collect();
    services.sort_unstable();
    services.dedup();
    let known = [
        "apigateway",
        "dynamodb",
        "ec2",
        "elasticache",
        "iam",
        "lambda",
        "logs",
        "scheduler",
        "sqs",
        "sts",
    ];
    assert!(
        services.iter().all(|service| known.contains(service)),
        "{services:?}"
    );
    let unknown: Vec<_> = calls
        .iter()
        .filter(|c| c.operation.name().contains('/'))
        .collect();
    assert!(
        unknown.is_empty(),
        "calls that the proxy can't name: {unknown:?}"
    );
}
