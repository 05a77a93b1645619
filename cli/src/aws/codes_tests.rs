//! Tests of the meaning of AWS's error codes.

use super::*;

#[test]
fn both_spellings_of_not_found_are_absent() {
    for code in [
        "InvalidRouteTableID.NotFound",
        "InvalidRouteTableId.NotFound",
        "NatGatewayNotFound",
        "ServerlessCacheNotFoundFault",
        "ResourceNotFoundException",
        "NoSuchEntity",
        "QueueDoesNotExist",
    ] {
        assert_eq!(classify(code, ""), Class::Absent, "{code}");
    }
}

#[test]
fn a_missing_service_linked_role_is_not_an_absent_cache() {
    assert_eq!(classify("ServiceLinkedRoleNotFoundFault", ""), Class::Other);
}

#[test]
fn exists_is_told_from_in_transition_by_the_message() {
    let lambda = "ResourceConflictException";
    assert_eq!(
        classify(lambda, "Function already exist: save"),
        Class::Exists
    );
    assert_eq!(
        classify(lambda, "an update is in progress"),
        Class::Conflict
    );
    assert_eq!(classify("InvalidGroup.Duplicate", ""), Class::Exists);
}

/// A name that is still held, or a thing that is worked on, and one that is there.
#[test]
fn what_is_being_changed_or_freed_passes_and_what_exists_does_not() {
    for (code, message) in [
        (
            "OperationAbortedException",
            "A conflicting operation is currently in progress",
        ),
        ("QueueDeletedRecently", "You must wait 60 seconds"),
        (
            "ResourceInUseException",
            "Table is being deleted: mru_pixels",
        ),
        (
            "ConflictException",
            "Schedule group place is being deleted.",
        ),
        ("ConflictException", "A change is under way."),
        (
            "ResourceInUseException",
            "The mapping can't be updated while it is in use",
        ),
        ("DependencyViolation", "The vpc 'vpc-1' has dependencies"),
        ("IncorrectState", "The gateway is being detached"),
    ] {
        assert_eq!(classify(code, message), Class::Conflict, "{message}");
    }
    for (code, message) in [
        ("ConflictException", "Schedule group place already exists."),
        ("ResourceInUseException", "Table already exists: mru_pixels"),
        (
            "QueueNameExists",
            "A queue already exists with the same name and another attribute",
        ),
        ("EntityAlreadyExists", "Role with name save already exists."),
        ("RouteAlreadyExists", "The route already exists"),
    ] {
        assert_eq!(classify(code, message), Class::Exists, "{message}");
    }
}

#[test]
fn young_roles_are_not_yet() {
    for text in [
        "The role defined for the function cannot be assumed by Lambda.",
        "Lambda was unable to configure access to your environment variables because the KMS key \
         is invalid for CreateGrant.",
        "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
        "The provided execution role does not have permissions to call CreateNetworkInterface on \
         EC2",
    ] {
        let class = classify("InvalidParameterValueException", text);
        assert_eq!(class, Class::NotYet, "{text}");
    }
    assert_eq!(
        classify("InvalidParameterValueException", "bad memory"),
        Class::Invalid
    );
}

#[test]
fn throttling_is_not_a_quota() {
    assert_eq!(classify("RequestLimitExceeded", ""), Class::Throttled);
    assert_eq!(classify("AddressLimitExceeded", ""), Class::Quota);
}

#[test]
fn a_state_fault_is_a_conflict() {
    assert_eq!(
        classify("InvalidServerlessCacheStateFault", ""),
        Class::Conflict
    );
    assert_eq!(
        classify("InvalidReplicationGroupState", ""),
        Class::Conflict
    );
}

#[test]
fn what_is_in_use_is_a_conflict() {
    for code in [
        "InvalidGroup.InUse",
        "InvalidIPAddress.InUse",
        "CacheSubnetGroupInUse",
    ] {
        assert_eq!(classify(code, ""), Class::Conflict, "{code}");
    }
}

#[test]
fn full_code_storage_is_a_quota_and_a_throttled_ec2_passes() {
    assert_eq!(classify("CodeStorageExceededException", ""), Class::Quota);
    assert_eq!(classify("EC2ThrottledException", ""), Class::Throttled);
}

#[test]
fn what_ec2_can_not_find_yet_for_lambda_is_not_yet() {
    for text in [
        "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 \
         Error Message: The security group 'sg-1' does not exist",
        "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error \
         Message: The subnet ID 'subnet-1' does not exist",
    ] {
        let class = classify("InvalidParameterValueException", text);
        assert_eq!(class, Class::NotYet, "{text}");
    }
}

#[test]
fn a_queue_that_lambda_can_not_find_is_not_yet_and_to_sqs_itself_absent() {
    let text = "Error occurred while ReceiveMessage. SQS Error Code: \
                AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue \
                does not exist or you do not have access to it.";
    let class = classify("InvalidParameterValueException", text);
    assert_eq!(class, Class::NotYet);
    let text = "The specified queue does not exist.";
    assert_eq!(classify("NonExistentQueue", text), Class::Absent);
}
