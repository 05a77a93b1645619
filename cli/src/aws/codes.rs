//! AWS's error codes, and what they mean.

use super::classify::Class;

const CREDENTIALS: [&str; 9] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
    "MissingAuthenticationToken",
];

const DENIED: [&str; 6] = [
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "AuthorizationError",
    "NotAuthorized",
    "AuthFailure",
];

const THROTTLED: [&str; 8] = [
    "EC2ThrottledException",
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
];

const CONFLICT: [&str; 13] = [
    "ResourceConflictException",
    "ResourceInUseException",
    "ResourceNotReadyException",
    "ConflictException",
    "ConcurrentModification",
    "ConcurrentModificationException",
    "DependencyViolation",
    "DeleteConflict",
    "IncorrectState",
    "OperationAbortedException",
    "CacheSubnetGroupInUse",
    "InvalidIPAddress.InUse",
    "QueueDeletedRecently",
];

/// Texts by which Lambda and the scheduler say that a role or a permission of it is too young
/// (terraform-provider-aws matches the same ones).
const NOT_YET: [&str; 8] = [
    "cannot be assumed by Lambda",
    "KMS key is invalid for CreateGrant",
    "execution role does not have permissions",
    "must allow AWS EventBridge Scheduler to assume",
    "throttled by EC2",
    // As Lambda hands on that EC2 does not know yet what was made a moment ago.
    "EC2 Error Code: InvalidGroup.NotFound",
    "EC2 Error Code: InvalidSubnetID.NotFound",
    // The same of a queue that was made a moment ago, or goes and is made anew (terraform#26654).
    "SQS Error Code: AWS.SimpleQueueService.NonExistentQueue",
];

/// What AWS means by `code`, with the help of `message` where the code alone is ambiguous.
pub(super) fn classify(code: &str, message: &str) -> Class {
    let says_exists = message.to_lowercase().contains("already exist");
    let has = |part: &str| code.contains(part);
    match code {
        _ if NOT_YET.iter().any(|text| message.contains(text)) => Class::NotYet,
        _ if CREDENTIALS.contains(&code) => Class::Credentials,
        _ if DENIED.contains(&code) => Class::Denied,
        _ if THROTTLED.contains(&code) => Class::Throttled,
        "ServiceLinkedRoleNotFoundFault" => Class::Other,
        "NoSuchEntity" | "QueueDoesNotExist" | "NonExistentQueue" => Class::Absent,
        _ if has("NotFound") => Class::Absent,
        _ if has("AlreadyExist") || has("Duplicate") || has("AlreadyAssociated") => Class::Exists,
        "QueueNameExists" | "EntityAlreadyExists" => Class::Exists,
        _ if CONFLICT.contains(&code) && says_exists => Class::Exists,
        _ if CONFLICT.contains(&code) || has("InUse") => Class::Conflict,
        _ if has("StateFault") || code.ends_with("State") => Class::Conflict,
        "CodeStorageExceededException" => Class::Quota,
        _ if has("LimitExceeded") || has("Quota") || has("Insufficient") => Class::Quota,
        _ if has("Invalid") || has("Validation") || has("Malformed") => Class::Invalid,
        _ => Class::Other,
    }
}

/// What an operator can do about a quota.
pub(super) fn quota_hint(code: &str) -> String {
    let quota = match code {
        "AddressLimitExceeded" => "EC2-VPC Elastic IPs (5 a region by default)",
        "NatGatewayLimitExceeded" => "NAT gateways per Availability Zone (5 by default)",
        "VpcLimitExceeded" => "VPCs per Region (5 by default)",
        "VpcEndpointLimitExceeded" => "Gateway VPC endpoints per Region (20 by default)",
        "RouteTableLimitExceeded" => "Route tables per VPC",
        "SecurityGroupLimitExceeded" => "VPC security groups per Region",
        "CodeStorageExceededException" => "Lambda function and layer storage",
        "ServerlessCacheQuotaForCustomerExceededFault" => "ElastiCache serverless caches",
        "InsufficientCacheClusterCapacityFault" => {
            return "AWS has no capacity for this node type in these zones: try later, or set \
                    another `redis.node_type`"
                .to_owned();
        }
        "NodeQuotaForCustomerExceededFault" => "ElastiCache nodes per Region",
        other => return format!("raise the quota behind `{other}`, or delete unused resources"),
    };
    format!(
        "the quota `{quota}` is used up: delete an unused resource, or ask Service Quotas for more"
    )
}

#[cfg(test)]
#[path = "codes_tests.rs"]
mod tests;
