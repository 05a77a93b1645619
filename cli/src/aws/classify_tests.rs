//! Tests of the classification of AWS's errors.

use super::*;

fn error(code: &str, refused: bool) -> AwsError {
    AwsError {
        operation: "ec2:CreateNatGateway",
        code: Some(code.to_owned()),
        message: "no".to_owned(),
        request_id: Some("r-1".to_owned()),
        class: classify(code, "no"),
        refused,
    }
}

#[test]
fn a_refusal_leaves_nothing_and_silence_leaves_the_unknown() {
    assert_eq!(
        error("InvalidSubnetID.NotFound", true).failure("x").left,
        Left::Nothing
    );
    assert_eq!(
        error("InternalError", false).failure("x").left,
        Left::Unknown
    );
    let mut look = error("InternalError", false);
    look.operation = "ec2:DescribeVpcs";
    assert_eq!(look.failure("x").left, Left::Nothing);
}

#[test]
fn no_capacity_is_no_quota_to_be_raised() {
    let hint = error("InsufficientCacheClusterCapacityFault", true)
        .failure("x")
        .hint;
    assert!(hint.is_some_and(|hint| hint.contains("redis.node_type")));
}

#[test]
fn a_denial_names_the_permission() {
    let failure = error("UnauthorizedOperation", true).failure("creating NAT gateway `place`");
    assert_eq!(failure.kind, FailureKind::Denied);
    assert!(
        failure
            .hint
            .is_some_and(|hint| hint.contains("`ec2:CreateNatGateway`"))
    );
}

#[test]
fn a_quota_is_named() {
    let hint = error("AddressLimitExceeded", true).failure("x").hint;
    assert!(hint.is_some_and(|hint| hint.contains("Elastic IPs")));
}

#[test]
fn the_message_carries_code_and_request() {
    let text = error("InternalError", false).to_string();
    assert_eq!(text, "AWS said InternalError: no (request r-1)");
}

#[test]
fn a_denial_names_the_permission_that_is_missing_and_not_the_operation() {
    let hint = |operation, message: &str| {
        let mut error = error("AccessDeniedException", true);
        (error.operation, error.message) = (operation, message.to_owned());
        error.failure("x").hint.unwrap()
    };
    let role = "User: arn:aws:iam::1:user/ann is not authorized to perform: iam:PassRole on \
                resource: arn:aws:iam::1:role/place-save";
    assert_eq!(
        hint("lambda:CreateFunction", role),
        "the credentials need the permission `iam:PassRole`"
    );
    assert_eq!(
        hint("apigateway:CreateDeployment", "no"),
        "the credentials need the permission `apigateway:POST`"
    );
    assert_eq!(
        hint("iam:CreateRole", "not authorized to perform: this"),
        "the credentials need the permissions `iam:CreateRole`, `iam:TagRole`"
    );
}

#[test]
fn an_internal_error_that_outlasts_the_retries_is_no_failure_for_good() {
    let kind = |refused| error("InternalFailure", refused).failure("x").kind;
    assert_eq!(kind(false), FailureKind::Incomplete);
    assert_eq!(kind(true), FailureKind::Permanent);
}

#[test]
fn a_denied_tag_may_be_about_whose_the_thing_is() {
    let mut denied = error("UnauthorizedOperation", true);
    denied.operation = "ec2:CreateTags";
    let hint = denied
        .failure("tagging security group `place`")
        .hint
        .unwrap();
    assert!(hint.contains("`ec2:CreateTags`"), "{hint}");
    assert!(
        hint.contains("only on resources with the stack's tags"),
        "{hint}"
    );
}
