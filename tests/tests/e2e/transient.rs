//! Errors that pass are waited out, wherever they come.

mod commands;

use std::collections::BTreeSet;

use place_config::stack::{RedisMode, VpcMode};
use place_tests::proxy::{Call, Fault, Operation, When};

use crate::bench::{Bench, TEARDOWN};
use crate::drift::application::{attach_policy, replace_code, shrink_function};

/// Runs `up` and `teardown`, with `fault` at the first call of each operation.
async fn absorbed_at_every_operation(fault: Fault) {
    absorbed_on(&Bench::start().await, fault).await;
}

async fn absorbed_on(bench: &Bench, fault: Fault) {
    absorbed_by(bench, fault, &TEARDOWN).await;
}

async fn absorbed_by(bench: &Bench, fault: Fault, teardown: &[&str]) {
    for words in [&["up"][..], teardown] {
        bench.proxy.clear();
        bench
            .proxy
            .plan(When::FirstOfEach, usize::MAX, fault.clone());
        let words = [words, &["--verbose"]].concat();
        let finished = bench.run(&words).await.expect_code(0);
        let calls = bench.proxy.calls();
        let all: BTreeSet<&Operation> = calls.iter().map(|call| &call.operation).collect();
        assert_eq!(bench.proxy.faults(), all.len(), "{finished}");
        assert!(all.len() > 30, "{all:?}");
        assert!(
            finished.stderr.contains(" again after attempt "),
            "{finished}"
        );
    }
    bench.is_empty_after_teardown().await;
}

#[tokio::test]
async fn internal_errors_are_absorbed_at_every_operation() {
    absorbed_at_every_operation(Fault::Status(500)).await;
}

#[tokio::test]
async fn outages_are_absorbed_at_every_operation() {
    absorbed_at_every_operation(Fault::Status(503)).await;
}

#[tokio::test]
async fn throttling_is_absorbed_at_every_operation() {
    absorbed_at_every_operation(Fault::Status(429)).await;
}

#[tokio::test]
async fn broken_connections_are_absorbed_at_every_operation() {
    absorbed_at_every_operation(Fault::Reset).await;
}

/// A call that is never answered is given up in time, and made again.
#[tokio::test]
async fn calls_that_hang_are_absorbed_at_every_operation() {
    let bench = Bench::with(|config| config.attempt_timeout_s = 2).await;
    absorbed_on(&bench, Fault::Hang).await;
}

/// The other network and the other cache have operations of their own, and so has the last picture.
#[tokio::test]
async fn a_network_and_a_cache_of_another_kind_absorb_them_at_every_operation() {
    for fault in [Fault::Status(500), Fault::Status(429), Fault::Reset] {
        let bench = Bench::with(|config| {
            config.vpc.mode = VpcMode::Dedicated;
            config.redis.mode = RedisMode::ReplicationGroup;
        });
        absorbed_by(&bench.await, fault, &["teardown", "--yes"]).await;
    }
}

/// What does not pass is not waited for without end, and the rest of the graph is finished.
#[tokio::test]
async fn an_outage_that_stays_ends_the_run_with_what_is_left() {
    let bench = Bench::start().await;
    let outage = When::Operation("CreateSchedule");
    bench
        .proxy
        .plan(outage.clone(), usize::MAX, Fault::Status(503));
    let up = bench.run(&["up"]).await;
    assert!(matches!(up.code, Some(1 | 3)), "{up}");
    assert!(up.stderr.contains("503"), "{up}");
    assert!(up.stderr.contains("schedule `place-save`"), "{up}");
    let tries = bench.proxy.count("CreateSchedule");
    assert!((2..60).contains(&tries), "{tries} tries");
    bench.proxy.clear();
    let _ = bench.run(&["up"]).await.expect_code(0);
    // The admin function is asked whether people can paint.
    let mut changes = bench.proxy.changes();
    changes.retain(|change| change != "lambda:Invoke");
    assert!(changes.len() < 5, "{changes:?}");
    bench.proxy.clear();
    bench.proxy.plan(
        When::Operation("DeleteTable"),
        usize::MAX,
        Fault::Status(503),
    );
    let teardown = bench.run(&TEARDOWN).await;
    assert!(matches!(teardown.code, Some(1 | 3)), "{teardown}");
    assert!(teardown.stderr.contains("table `mru_pixels`"), "{teardown}");
    bench.proxy.clear();
    bench.is_empty_after_teardown().await;
}

/// AWS did what was asked and said that it had not: the worst answer that there is.
#[tokio::test]
async fn an_internal_error_after_aws_acted_leaves_no_duplicate() {
    let bench = Bench::start().await;
    let fault = Fault::ActedThenStatus(500);
    bench
        .proxy
        .plan(When::FirstOfEach, usize::MAX, fault.clone());
    // Whether this run mends it itself or leaves it to the next one is its own affair.
    let first = bench.run(&["up"]).await;
    assert!(matches!(first.code, Some(0 | 1 | 3)), "{first}");
    bench.is_whole_after_up().await;
    bench.proxy.clear();
    bench
        .proxy
        .plan(When::FirstOfEach, usize::MAX, fault.clone());
    let first = bench.run(&TEARDOWN).await;
    assert!(matches!(first.code, Some(0 | 1 | 3)), "{first}");
    bench.is_empty_after_teardown().await;
}

type Passing = (&'static str, u16, &'static str, &'static str);

/// Runs a command while AWS answers these errors of its own, each twice in a row.
async fn waited_out(bench: &Bench, words: &[&str], errors: &[Passing]) {
    bench.proxy.clear();
    for &(operation, status, code, message) in errors {
        let fault = Fault::error(status, code, message);
        bench.proxy.plan(When::Operation(operation), 2, fault);
    }
    let finished = bench.run(words).await.expect_code(0);
    let calls = bench.proxy.calls();
    for (operation, ..) in errors {
        let struck = |call: &&Call| call.fault.is_some() && call.operation.name() == *operation;
        assert_eq!(
            calls.iter().filter(struck).count(),
            2,
            "{operation}: {finished}"
        );
    }
}

const WHILE_BUILDING: [Passing; 11] = [
    (
        "CreateNatGateway",
        400,
        "InvalidAllocationID.NotFound",
        "The allocation ID does not exist",
    ),
    (
        "AssociateRouteTable",
        400,
        "InvalidRouteTableID.NotFound",
        "The routeTable ID does not exist",
    ),
    (
        "AuthorizeSecurityGroupIngress",
        400,
        "InvalidGroup.NotFound",
        "The security group does not exist",
    ),
    (
        "PutRolePolicy",
        404,
        "NoSuchEntity",
        "The role cannot be found.",
    ),
    (
        "CreateFunction",
        400,
        "InvalidParameterValueException",
        "The role defined for the function cannot be assumed by Lambda.",
    ),
    (
        "CreateEventSourceMapping",
        400,
        "InvalidParameterValueException",
        "The provided execution role does not have permissions to call ReceiveMessage on SQS",
    ),
    (
        "CreateIntegration",
        429,
        "TooManyRequestsException",
        "Too Many Requests",
    ),
    (
        "CreateDeployment",
        429,
        "TooManyRequestsException",
        "Too Many Requests",
    ),
    (
        "CreateSchedule",
        400,
        "ValidationException",
        "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
    ),
    (
        "PutRetentionPolicy",
        400,
        "OperationAbortedException",
        "A conflicting operation is currently in progress against this resource",
    ),
    (
        "CreateQueue",
        400,
        "AWS.SimpleQueueService.QueueDeletedRecently",
        "You must wait 60 seconds after deleting a queue before you can create another with the \
         same name.",
    ),
];

/// After somebody changed a function's memory and its code.
const WHILE_REPAIRING: [Passing; 2] = [
    (
        "UpdateFunctionConfiguration",
        409,
        "ResourceConflictException",
        "The operation cannot be performed at this time. An update is in progress for resource",
    ),
    (
        "UpdateFunctionCode",
        409,
        "ResourceConflictException",
        "The operation cannot be performed at this time. An update is in progress for resource",
    ),
];

const WHILE_REMOVING: [Passing; 5] = [
    (
        "DeleteRole",
        409,
        "DeleteConflict",
        "Cannot delete entity, must detach all policies first.",
    ),
    (
        "DeleteSecurityGroup",
        400,
        "DependencyViolation",
        "resource has a dependent object",
    ),
    (
        "ReleaseAddress",
        400,
        "AuthFailure",
        "You do not have permission to access the specified resource.",
    ),
    (
        "DeleteFunction",
        409,
        "ResourceConflictException",
        "The operation cannot be performed at this time.",
    ),
    (
        "DeleteEventSourceMapping",
        400,
        "ResourceInUseException",
        "Cannot delete the event source mapping because it is in use.",
    ),
];

#[tokio::test]
async fn awss_own_passing_errors_are_waited_out() {
    let bench = Bench::start().await;
    waited_out(&bench, &["up"], &WHILE_BUILDING).await;
    bench.is_whole_after_up().await;
    let sdk = bench.operator.sdk();
    shrink_function(sdk.clone()).await;
    replace_code(sdk.clone()).await;
    waited_out(&bench, &["up"], &WHILE_REPAIRING).await;
    // A role with a policy that somebody added goes all the same.
    attach_policy(sdk).await;
    waited_out(&bench, &TEARDOWN, &WHILE_REMOVING).await;
    bench.is_empty_after_teardown().await;
}
