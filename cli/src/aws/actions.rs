//! Which IAM actions each operation needs: not always the one that bears its name, and often more
//! than one, because AWS checks tags on creation, passed roles and networks by themselves (Service
//! Authorization Reference, "dependent actions").

/// Operations that need the action of their own name.
const NAMED: &[&str] = &[
    "dynamodb:CreateTable",
    "dynamodb:DeleteTable",
    "dynamodb:DescribeTable",
    "dynamodb:GetItem",
    "dynamodb:ListTagsOfResource",
    "dynamodb:PutItem",
    "dynamodb:Scan",
    "dynamodb:TagResource",
    "dynamodb:UpdateItem",
    "dynamodb:UpdateTable",
    "ec2:AllocateAddress",
    "ec2:AssociateRouteTable",
    "ec2:AttachInternetGateway",
    "ec2:AuthorizeSecurityGroupEgress",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:CreateDefaultSubnet",
    "ec2:CreateDefaultVpc",
    "ec2:CreateInternetGateway",
    "ec2:CreateNatGateway",
    "ec2:CreateRoute",
    "ec2:CreateRouteTable",
    "ec2:CreateSecurityGroup",
    "ec2:CreateSubnet",
    "ec2:CreateTags",
    "ec2:CreateVpc",
    "ec2:CreateVpcEndpoint",
    "ec2:DeleteInternetGateway",
    "ec2:DeleteNatGateway",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteRoute",
    "ec2:DeleteRouteTable",
    "ec2:DeleteSecurityGroup",
    "ec2:DeleteSubnet",
    "ec2:DeleteVpc",
    "ec2:DeleteVpcEndpoints",
    "ec2:DescribeAccountAttributes",
    "ec2:DescribeAddresses",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeNatGateways",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcEndpoints",
    "ec2:DescribeVpcs",
    "ec2:DetachInternetGateway",
    "ec2:DisassociateRouteTable",
    "ec2:ModifyVpcEndpoint",
    "ec2:ReleaseAddress",
    "ec2:ReplaceRoute",
    "ec2:ReplaceRouteTableAssociation",
    "ec2:RevokeSecurityGroupIngress",
    "elasticache:AddTagsToResource",
    "elasticache:CreateCacheSubnetGroup",
    "elasticache:CreateReplicationGroup",
    "elasticache:CreateServerlessCache",
    "elasticache:DecreaseReplicaCount",
    "elasticache:DeleteCacheSubnetGroup",
    "elasticache:DeleteReplicationGroup",
    "elasticache:DeleteServerlessCache",
    "elasticache:DescribeCacheClusters",
    "elasticache:DescribeCacheSubnetGroups",
    "elasticache:DescribeReplicationGroups",
    "elasticache:DescribeServerlessCaches",
    "elasticache:IncreaseReplicaCount",
    "elasticache:ListTagsForResource",
    "elasticache:ModifyCacheSubnetGroup",
    "elasticache:ModifyReplicationGroup",
    "elasticache:ModifyServerlessCache",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
    "iam:PutRolePolicy",
    "iam:SimulatePrincipalPolicy",
    "iam:TagRole",
    "iam:UpdateAssumeRolePolicy",
    "lambda:AddPermission",
    "lambda:CreateEventSourceMapping",
    "lambda:CreateFunction",
    "lambda:CreateFunctionUrlConfig",
    "lambda:DeleteEventSourceMapping",
    "lambda:DeleteFunction",
    "lambda:DeleteFunctionConcurrency",
    "lambda:DeleteFunctionUrlConfig",
    "lambda:GetAccountSettings",
    "lambda:GetFunction",
    "lambda:GetFunctionConfiguration",
    "lambda:GetFunctionEventInvokeConfig",
    "lambda:GetFunctionRecursionConfig",
    "lambda:GetFunctionUrlConfig",
    "lambda:GetPolicy",
    "lambda:ListEventSourceMappings",
    "lambda:ListTags",
    "lambda:PutFunctionConcurrency",
    "lambda:PutFunctionEventInvokeConfig",
    "lambda:PutFunctionRecursionConfig",
    "lambda:RemovePermission",
    "lambda:TagResource",
    "lambda:UpdateEventSourceMapping",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
    "lambda:UpdateFunctionUrlConfig",
    "logs:CreateLogGroup",
    "logs:DeleteLogGroup",
    "logs:DescribeLogGroups",
    "logs:ListTagsForResource",
    "logs:PutRetentionPolicy",
    "logs:TagResource",
    "scheduler:CreateSchedule",
    "scheduler:CreateScheduleGroup",
    "scheduler:DeleteSchedule",
    "scheduler:DeleteScheduleGroup",
    "scheduler:GetSchedule",
    "scheduler:GetScheduleGroup",
    "scheduler:ListTagsForResource",
    "scheduler:TagResource",
    "scheduler:UpdateSchedule",
    "sqs:CreateQueue",
    "sqs:DeleteQueue",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ListQueueTags",
    "sqs:SetQueueAttributes",
    "sqs:TagQueue",
];

/// What some of them need beside it.
const MORE: &[(&str, &[&str])] = &[
    ("dynamodb:CreateTable", &["dynamodb:TagResource"]),
    ("ec2:AllocateAddress", &[TAG_EC2]),
    ("ec2:AuthorizeSecurityGroupIngress", &[TAG_EC2]),
    ("ec2:CreateInternetGateway", &[TAG_EC2]),
    ("ec2:CreateNatGateway", &[TAG_EC2, LINKED_ROLE]),
    ("ec2:CreateRouteTable", &[TAG_EC2]),
    ("ec2:CreateSecurityGroup", &[TAG_EC2]),
    ("ec2:CreateSubnet", &[TAG_EC2]),
    ("ec2:CreateVpc", &[TAG_EC2]),
    ("ec2:CreateVpcEndpoint", &[TAG_EC2]),
    ("elasticache:CreateCacheSubnetGroup", &[TAG_CACHE]),
    (
        "elasticache:CreateReplicationGroup",
        &[TAG_CACHE, LINKED_ROLE],
    ),
    ("elasticache:CreateReplicationGroup", NODES),
    (
        "elasticache:CreateServerlessCache",
        &[TAG_CACHE, LINKED_ROLE],
    ),
    ("elasticache:CreateServerlessCache", ENDPOINTS),
    ("elasticache:DecreaseReplicaCount", NODES),
    ("elasticache:DeleteReplicationGroup", NODES),
    ("elasticache:DeleteServerlessCache", ENDPOINTS),
    ("elasticache:IncreaseReplicaCount", NODES),
    ("elasticache:ModifyReplicationGroup", NODES),
    ("elasticache:ModifyServerlessCache", ENDPOINTS),
    ("iam:CreateRole", &["iam:TagRole"]),
    ("lambda:CreateEventSourceMapping", &["lambda:TagResource"]),
    ("lambda:CreateFunction", &["lambda:TagResource", PASS_ROLE]),
    ("lambda:CreateFunction", NETWORK),
    // Without it the answer has no tags, and every function looks like somebody else's.
    ("lambda:GetFunction", &["lambda:ListTags"]),
    ("lambda:UpdateFunctionConfiguration", &[PASS_ROLE]),
    ("lambda:UpdateFunctionConfiguration", NETWORK),
    ("logs:CreateLogGroup", &["logs:TagResource"]),
    ("scheduler:CreateSchedule", &[PASS_ROLE]),
    ("scheduler:CreateScheduleGroup", &["scheduler:TagResource"]),
    // A group takes along whatever schedules are in it.
    (
        "scheduler:DeleteScheduleGroup",
        &["scheduler:DeleteSchedule"],
    ),
    ("scheduler:UpdateSchedule", &[PASS_ROLE]),
    ("sqs:CreateQueue", &["sqs:TagQueue"]),
];

/// Operations whose name is no action: API Gateway's actions are HTTP's methods.
const OTHERS: &[(&str, &[&str])] = &[
    ("apigateway:CreateApi", &["apigateway:POST", TAG_API]),
    ("apigateway:CreateDeployment", &["apigateway:POST"]),
    ("apigateway:CreateIntegration", &["apigateway:POST"]),
    ("apigateway:CreateRoute", &["apigateway:POST"]),
    ("apigateway:CreateStage", &["apigateway:POST", TAG_API]),
    ("apigateway:DeleteApi", &["apigateway:DELETE"]),
    ("apigateway:DeleteIntegration", &["apigateway:DELETE"]),
    ("apigateway:DeleteRoute", &["apigateway:DELETE"]),
    ("apigateway:DeleteStage", &["apigateway:DELETE"]),
    ("apigateway:GetApis", &["apigateway:GET"]),
    ("apigateway:GetDeployments", &["apigateway:GET"]),
    ("apigateway:GetIntegrations", &["apigateway:GET"]),
    ("apigateway:GetRoutes", &["apigateway:GET"]),
    ("apigateway:GetStage", &["apigateway:GET"]),
    ("apigateway:GetTags", &["apigateway:GET"]),
    ("apigateway:TagResource", &["apigateway:POST", TAG_API]),
    ("apigateway:UpdateApi", &["apigateway:PATCH"]),
    ("apigateway:UpdateIntegration", &["apigateway:PATCH"]),
    ("apigateway:UpdateRoute", &["apigateway:PATCH"]),
    ("apigateway:UpdateStage", &["apigateway:PATCH"]),
    ("lambda:Invoke", &["lambda:InvokeFunction"]),
    // Nobody can be kept from asking who they are.
    ("sts:GetCallerIdentity", &[]),
];

/// To tag what EC2 makes in the call that makes it.
const TAG_EC2: &str = "ec2:CreateTags";

/// The same for ElastiCache.
const TAG_CACHE: &str = "elasticache:AddTagsToResource";

/// The same for API Gateway, which checks it beside the method (amplify-cli#12316).
const TAG_API: &str = "apigateway:TagResource";

/// To hand a role to a service (`iam:PassedToService`).
const PASS_ROLE: &str = "iam:PassRole";

/// For an account's first cache and first NAT gateway (`iam:AWSServiceName`).
const LINKED_ROLE: &str = "iam:CreateServiceLinkedRole";

/// Lambda looks at a function's place in the VPC with the caller's permissions.
const NETWORK: &[&str] = &[
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
];

/// What ElastiCache does for a replication group's nodes with the caller's permissions.
const NODES: &[&str] = &[
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
];

/// What ElastiCache does for a serverless cache's endpoints with the caller's permissions.
const ENDPOINTS: &[&str] = &[
    "ec2:CreateTags",
    "ec2:CreateVpcEndpoint",
    "ec2:DeleteVpcEndpoints",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeTags",
    "ec2:DescribeVpcEndpoints",
    "ec2:DescribeVpcs",
];

/// Every operation that placectl may make, as [`Answer::during`](super::Answer::during) and
/// [`Calls`](super::calls::Calls) name them.
pub(crate) fn operations() -> impl Iterator<Item = &'static str> {
    let others = OTHERS.iter().map(|(operation, _)| *operation);
    NAMED.iter().copied().chain(others)
}

/// The IAM actions that a caller of `operation` (`lambda:Invoke`) needs, the most telling first.
pub(crate) fn needed(operation: &str) -> Vec<&str> {
    if let Some((_, actions)) = OTHERS.iter().find(|(other, _)| *other == operation) {
        return actions.to_vec();
    }
    let more = MORE.iter().filter(|(other, _)| *other == operation);
    let more = more.flat_map(|(_, actions)| actions.iter().copied());
    std::iter::once(operation).chain(more).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// The text of every source file under `directory`.
    fn sources(directory: &Path, text: &mut String) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, text);
            } else if !path.to_string_lossy().contains("test") && !path.ends_with("actions.rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn every_operation_in_the_code_has_its_actions() {
        let mut text = String::new();
        sources(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut text,
        );
        let known: BTreeSet<&str> = operations().collect();
        let calls = text.split("during(").skip(1);
        let named = calls.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
        let named: BTreeSet<&str> = named.filter(|name| name.contains(':')).collect();
        assert!(named.len() > 80, "{}", named.len());
        let unknown: Vec<_> = named.difference(&known).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn every_operation_that_has_actions_is_in_the_code() {
        let mut text = String::new();
        sources(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut text,
        );
        let is_made = |operation: &&str| text.contains(&format!("\"{operation}\""));
        let idle: Vec<&str> = operations().filter(|o| !is_made(o)).collect();
        assert_eq!(idle, Vec::<&str>::new());
    }

    #[test]
    fn what_is_needed_more_is_about_operations_that_are_made() {
        let unknown = |(operation, _): &&(&str, &[&str])| !NAMED.contains(operation);
        assert_eq!(MORE.iter().find(unknown), None);
    }

    #[test]
    fn an_operation_may_need_another_action_or_more_than_one() {
        assert_eq!(needed("lambda:Invoke"), ["lambda:InvokeFunction"]);
        assert_eq!(needed("ec2:DescribeVpcs"), ["ec2:DescribeVpcs"]);
        assert_eq!(needed("iam:CreateRole"), ["iam:CreateRole", "iam:TagRole"]);
        assert!(needed("lambda:CreateFunction").contains(&PASS_ROLE));
        assert!(needed("scheduler:DeleteScheduleGroup").contains(&"scheduler:DeleteSchedule"));
        assert!(needed("apigateway:GetApis") == ["apigateway:GET"]);
    }
}
