//! Which statement an action belongs to.

/// Actions with what they are allowed on. The order is that of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// The network and the caches: IAM knows no narrower resource, or the thing is not there yet,
    /// or is the account's own.
    Network,
    /// EC2's things that carry the stack's tag.
    Tagged,
    /// EC2's things that carry the other two tags and lost the stack's.
    Lost,
    /// New rules of security groups, which have no tags yet. The group is asked about too.
    Rules,
    /// placectl's tags on EC2's things, in the call that makes them.
    TagsAtOnce,
    /// The same, later, on what carries the stack's tag.
    Tags,
    /// The stack's tag, put back on what lost it.
    TagsBack,
    /// ElastiCache's own endpoints, made with the caller's permissions.
    Endpoints,
    /// ElastiCache's tag on them.
    EndpointTags,
    Cache,
    Queues,
    Tables,
    Schedule,
    LinkedRoles,
    /// What is asked about the account as a whole.
    Account,
    Api,
    Functions,
    EventSources,
    LogGroups,
    Roles,
    PassRole,
    Caller,
}

/// Where an action belongs.
pub(super) fn of(action: &str) -> &'static [Place] {
    match action {
        "ec2:CreateTags" => &[
            Place::TagsAtOnce,
            Place::Tags,
            Place::TagsBack,
            Place::EndpointTags,
        ],
        "ec2:DeleteVpcEndpoints" => &[Place::Tagged, Place::Lost, Place::Endpoints],
        "ec2:AuthorizeSecurityGroupEgress" | "ec2:AuthorizeSecurityGroupIngress" => {
            &[Place::Tagged, Place::Rules]
        }
        "ec2:CreateRoute" | "ec2:ModifyVpcEndpoint" | "ec2:ReplaceRoute" => &[Place::Tagged],
        "ec2:DeleteInternetGateway"
        | "ec2:DeleteNatGateway"
        | "ec2:DeleteRoute"
        | "ec2:DeleteRouteTable"
        | "ec2:DeleteSecurityGroup"
        | "ec2:DeleteSubnet"
        | "ec2:DeleteVpc"
        | "ec2:ReleaseAddress"
        | "ec2:RevokeSecurityGroupIngress" => &[Place::Tagged, Place::Lost],
        "iam:PassRole" => &[Place::PassRole],
        "iam:CreateServiceLinkedRole" => &[Place::LinkedRoles],
        "iam:GetRole" => &[Place::Roles, Place::Caller],
        "iam:SimulatePrincipalPolicy" => &[Place::Caller],
        "lambda:CreateEventSourceMapping"
        | "lambda:DeleteEventSourceMapping"
        | "lambda:UpdateEventSourceMapping" => &[Place::EventSources],
        "lambda:GetAccountSettings"
        | "lambda:ListEventSourceMappings"
        | "logs:DescribeLogGroups" => &[Place::Account],
        _ => of_service(action),
    }
}

fn of_service(action: &str) -> &'static [Place] {
    let (service, name) = action.split_once(':').unwrap_or((action, ""));
    match service {
        "elasticache" if !name.starts_with("Describe") => &[Place::Cache],
        "apigateway" => &[Place::Api],
        "lambda" => &[Place::Functions],
        "logs" => &[Place::LogGroups],
        "iam" => &[Place::Roles],
        "sqs" => &[Place::Queues],
        "dynamodb" => &[Place::Tables],
        "scheduler" => &[Place::Schedule],
        _ => &[Place::Network],
    }
}
