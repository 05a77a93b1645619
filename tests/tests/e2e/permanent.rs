//! Errors that stay are named at once, and keep nothing else from being made.

use aws_sdk_ec2::types::RouteTable;
use place_tests::proxy::{Fault, Operation, When};

use crate::bench::Bench;

/// What a service says of a request that it finds wrong: of which call, from the how manieth on, the
/// code, what placectl names, and how many calls there are, none of them repeated.
struct Refused {
    operation: Operation,
    first: usize,
    code: &'static str,
    names: &'static [&'static str],
    calls: usize,
}

impl Refused {
    fn new(
        (service, operation): (&str, &str),
        code: &'static str,
        names: &'static [&'static str],
    ) -> Self {
        Self {
            operation: Operation::new(service, operation),
            first: 1,
            code,
            names,
            calls: names.len(),
        }
    }
}

/// One call of each service; none of them waits for another.
fn refused() -> Vec<Refused> {
    let address = ("ec2", "AllocateAddress");
    let cache = ("elasticache", "CreateServerlessCache");
    let stage = ("apigateway", "CreateStage");
    let queue = ("sqs", "CreateQueue");
    let group = ("scheduler", "CreateScheduleGroup");
    let logs = ("logs", "CreateLogGroup");
    let role = ("iam", "PutRolePolicy");
    let table = ("dynamodb", "CreateTable");
    let invalid = "InvalidParameterValueException";
    vec![
        Refused::new(address, "InvalidParameterValue", &["place-elastic-ip"]),
        Refused::new(cache, invalid, &["placev2cache"]),
        Refused::new(stage, "BadRequestException", &["production"]),
        Refused::new(
            queue,
            "InvalidAttributeValue",
            &["requestQueue-dlq.fifo", "place2InitializeQueue-dlq.fifo"],
        ),
        Refused::new(group, "ValidationException", &["schedule group `place`"]),
        Refused {
            calls: 8,
            ..Refused::new(logs, "InvalidParameterException", &["/aws/lambda/save"])
        },
        Refused {
            calls: 9,
            ..Refused::new(role, "MalformedPolicyDocument", &["place-us-east-1-save"])
        },
        Refused {
            // The first one is the lease's.
            first: 2,
            calls: 4,
            ..Refused::new(
                table,
                "ValidationException",
                &["mru_pixels", "pixel_history", "place_journal"],
            )
        },
    ]
}

async fn named_at_once(bench: &Bench, refused: &[Refused]) {
    bench.proxy.clear();
    for one in refused {
        let when = When::Nth(one.operation.clone(), one.first);
        let fault = Fault::error(400, one.code, "one of the parameters is not valid");
        bench.proxy.plan(when, usize::MAX, fault);
    }
    let up = bench.run(&["up"]).await.expect_code(1);
    for one in refused {
        for said in one.names.iter().chain([&one.code]) {
            assert!(up.stderr.contains(said), "`{said}` in {up}");
        }
        let operation = &one.operation;
        let calls = bench.proxy.count(operation.name());
        assert_eq!(calls, one.calls, "{operation}: {up}");
    }
}

/// What does not hang on it is made.
#[tokio::test]
async fn a_request_that_a_service_finds_wrong_is_made_once_and_the_rest_of_the_graph_finishes() {
    let bench = Bench::start().await;
    named_at_once(&bench, &refused()).await;
    let sdk = bench.operator.sdk();
    let routes = sdk.api.get_apis().send().await.unwrap();
    let api = routes.items()[0].api_id().unwrap();
    let routes = sdk.api.get_routes().api_id(api).send().await.unwrap();
    assert_eq!(routes.items().len(), 3);
    let tables = sdk.ec2.describe_route_tables().send().await.unwrap();
    let associated = |table: &&RouteTable| {
        let mut all = table.associations().iter();
        all.any(|of| of.subnet_id().is_some())
    };
    // The public one; the private one waits for the address.
    assert_eq!(tables.route_tables().iter().filter(associated).count(), 1);
    // A function waits for its role and its log group, so Lambda's turn comes only now.
    let permissions = Refused::new(
        ("lambda", "AddPermission"),
        "InvalidParameterValueException",
        &[
            "sendMessage",
            "placev2handler",
            "placev2disconnect",
            "placev2page",
        ],
    );
    named_at_once(&bench, &[permissions]).await;
    let sources = sdk.lambda.list_event_source_mappings().send().await;
    assert_eq!(sources.unwrap().event_source_mappings().len(), 2);
    bench.is_whole_after_up().await;
}

/// Each is said once, with what an operator can do, and nothing waits for it to go away.
#[tokio::test]
async fn errors_that_stay_are_named_at_once_and_the_rest_of_the_graph_finishes() {
    let bench = Bench::start().await;
    for (operation, status, code, message) in [
        (
            "AllocateAddress",
            400,
            "AddressLimitExceeded",
            "Too many addresses",
        ),
        (
            "CreateServerlessCache",
            400,
            "ServerlessCacheQuotaForCustomerExceededFault",
            "Quota for serverless caches exceeded",
        ),
        ("CreateRole", 403, "AccessDenied", "User is not authorized"),
        (
            "CreateLogGroup",
            400,
            "InvalidParameterException",
            "1 validation error detected",
        ),
    ] {
        let fault = Fault::error(status, code, message);
        bench
            .proxy
            .plan(When::Operation(operation), usize::MAX, fault);
    }
    let up = bench.run(&["up"]).await.expect_code(1);
    for words in [
        "EC2-VPC Elastic IPs",
        "ElastiCache serverless caches",
        "iam:CreateRole",
        "InvalidParameterException",
    ] {
        assert!(up.stderr.contains(words), "`{words}` in {up}");
    }
    // One for each thing that is to be made, and none again.
    for (operation, things) in [
        ("AllocateAddress", 1),
        ("CreateServerlessCache", 1),
        ("CreateRole", 9),
        ("CreateLogGroup", 8),
    ] {
        assert_eq!(bench.proxy.count(operation), things, "{operation}: {up}");
    }
    let sdk = bench.operator.sdk();
    let queues = sdk.sqs.list_queues().send().await.unwrap();
    assert_eq!(queues.queue_urls().len(), 4, "{up}");
    let tables = sdk.dynamodb.list_tables().send().await.unwrap();
    assert_eq!(tables.table_names().len(), 4, "{up}");
    bench.is_whole_after_up().await;
}

#[tokio::test]
async fn a_missing_service_linked_role_is_said_with_the_command_that_makes_it() {
    let bench = Bench::start().await;
    let fault = Fault::error(
        400,
        "ServiceLinkedRoleNotFoundFault",
        "The service linked role was not found",
    );
    let when = When::Operation("CreateServerlessCache");
    bench.proxy.plan(when, usize::MAX, fault);
    let up = bench.run(&["up"]).await.expect_code(1);
    let command = "aws iam create-service-linked-role --aws-service-name elasticache.amazonaws.com";
    assert!(up.stderr.contains(command), "{up}");
    assert_eq!(bench.proxy.count("CreateServerlessCache"), 1, "{up}");
}
