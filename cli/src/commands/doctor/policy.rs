//! What an operator must be allowed: the actions behind every call that placectl may make, each on
//! this stack's own things as far as IAM knows how to say that.

use std::collections::BTreeMap;

use place_config::names::TAG_STACK;
use place_config::stack::{RedisMode, VpcMode};
use place_config::{Function, Names, Queue, StackConfig};
use serde_json::{Map, Value, json};

use crate::aws::Identity;
use crate::aws::actions::{needed, operations};

/// Services that a role is handed to.
const SERVICES: [&str; 2] = ["lambda.amazonaws.com", "scheduler.amazonaws.com"];

/// Services whose linked role an account's first cache, NAT gateway and API may make.
const LINKED: [&str; 3] = [
    "elasticache.amazonaws.com",
    "natgateway.amazonaws.com",
    "ops.apigateway.amazonaws.com",
];

/// The tag by which ElastiCache knows the endpoints that it makes for a serverless cache.
const MANAGED: &str = "AmazonElastiCacheManaged";

/// What a policy speaks of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    pub(super) identity: &'a Identity,
    pub(super) region: &'a str,
    pub(super) names: &'a Names,
    pub(super) config: &'a StackConfig,
}

/// Actions with what they are allowed on. The order is that of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// IAM knows no narrower resource, or the thing is not there yet, or is the account's own.
    Anything,
    /// EC2's things that carry the stack's tag.
    Tagged,
    /// placectl's tags on EC2's things.
    Tags,
    /// ElastiCache's own endpoints, made with the caller's permissions.
    Endpoints,
    /// ElastiCache's tag on them.
    EndpointTags,
    Cache,
    Api,
    Functions,
    EventSources,
    LogGroups,
    Roles,
    PassRole,
    LinkedRoles,
    Caller,
    Queues,
    Tables,
    Schedule,
}

/// One statement of the policy.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    name: String,
    /// What is allowed.
    pub(super) actions: Vec<&'static str>,
    /// On what.
    pub(super) resources: Vec<String>,
    /// In which circumstances: operator, key, values.
    pub(super) conditions: Vec<(&'static str, String, Vec<String>)>,
}

/// The statements of the policy.
pub(super) fn statements(scope: Scope<'_>) -> Vec<Statement> {
    let made = operations().filter(|operation| scope.makes(operation));
    let mut places: BTreeMap<Place, Vec<&'static str>> = BTreeMap::new();
    for action in made.flat_map(needed) {
        for place in places_of(action) {
            places.entry(*place).or_default().push(action);
        }
    }
    let statements = places.into_iter().map(|(place, mut actions)| {
        actions.sort_unstable();
        actions.dedup();
        Statement {
            name: format!("{place:?}"),
            actions,
            resources: scope.resources(place),
            conditions: scope.conditions(place),
        }
    });
    statements
        .filter(|statement| statement.name != "EndpointTags" || scope.is_serverless())
        .collect()
}

/// The policy as IAM takes it.
pub(super) fn document(scope: Scope<'_>) -> Value {
    let statements: Vec<Value> = statements(scope).iter().map(Statement::document).collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

impl Statement {
    fn document(&self) -> Value {
        let Self {
            name,
            actions,
            resources,
            ..
        } = self;
        let mut document = json!({
            "Sid": name, "Effect": "Allow", "Action": actions, "Resource": resources
        });
        let mut conditions = Map::new();
        for (operator, key, values) in &self.conditions {
            let keys = conditions.entry(*operator).or_insert_with(|| json!({}));
            keys[key] = json!(values);
        }
        if !conditions.is_empty() {
            document["Condition"] = Value::Object(conditions);
        }
        document
    }
}

/// Where an action belongs.
fn places_of(action: &str) -> &'static [Place] {
    match action {
        "ec2:CreateTags" => &[Place::Tags, Place::EndpointTags],
        "ec2:DeleteVpcEndpoints" => &[Place::Endpoints],
        "ec2:AuthorizeSecurityGroupIngress"
        | "ec2:CreateRoute"
        | "ec2:DeleteInternetGateway"
        | "ec2:DeleteNatGateway"
        | "ec2:DeleteRoute"
        | "ec2:DeleteRouteTable"
        | "ec2:DeleteSecurityGroup"
        | "ec2:DeleteSubnet"
        | "ec2:DeleteVpc"
        | "ec2:ReleaseAddress"
        | "ec2:ReplaceRoute"
        | "ec2:RevokeSecurityGroupEgress"
        | "ec2:RevokeSecurityGroupIngress"
        | "ec2:AuthorizeSecurityGroupEgress" => &[Place::Tagged],
        "iam:PassRole" => &[Place::PassRole],
        "iam:CreateServiceLinkedRole" => &[Place::LinkedRoles],
        "iam:SimulatePrincipalPolicy" => &[Place::Caller],
        "lambda:CreateEventSourceMapping"
        | "lambda:DeleteEventSourceMapping"
        | "lambda:UpdateEventSourceMapping" => &[Place::EventSources],
        "lambda:GetAccountSettings"
        | "lambda:ListEventSourceMappings"
        | "logs:DescribeLogGroups" => &[Place::Anything],
        _ => place_of_service(action),
    }
}

fn place_of_service(action: &str) -> &'static [Place] {
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
        _ => &[Place::Anything],
    }
}

impl Scope<'_> {
    fn is_serverless(&self) -> bool {
        self.config.redis.mode == RedisMode::Serverless
    }

    /// Whether a stack of this configuration is ever made or mended with `operation`. A cache of
    /// the other mode may be left over from before: it is looked for, and removed.
    fn makes(&self, operation: &str) -> bool {
        let dedicated = self.config.vpc.mode == VpcMode::Dedicated;
        match operation {
            "ec2:CreateVpc" | "ec2:DeleteVpc" | "ec2:CreateSubnet" | "ec2:DeleteSubnet" => {
                dedicated
            }
            "ec2:CreateDefaultVpc" | "ec2:CreateDefaultSubnet" => !dedicated,
            "elasticache:CreateServerlessCache" | "elasticache:ModifyServerlessCache" => {
                self.is_serverless()
            }
            "elasticache:CreateCacheSubnetGroup"
            | "elasticache:CreateReplicationGroup"
            | "elasticache:DecreaseReplicaCount"
            | "elasticache:IncreaseReplicaCount"
            | "elasticache:ModifyCacheSubnetGroup"
            | "elasticache:ModifyReplicationGroup" => !self.is_serverless(),
            _ => true,
        }
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        self.identity.resource_name(service, self.region, resource)
    }

    fn role(&self, name: &str) -> String {
        self.identity
            .resource_name("iam", "", &format!("role/{name}"))
    }

    fn resources(&self, place: Place) -> Vec<String> {
        match place {
            Place::Anything
            | Place::Tagged
            | Place::Tags
            | Place::Endpoints
            | Place::EventSources => vec!["*".to_owned()],
            Place::EndpointTags => vec![self.arn("ec2", "vpc-endpoint/*")],
            Place::Cache => self.caches(),
            Place::Api => {
                let Self {
                    identity, region, ..
                } = self;
                let root = format!("arn:{}:apigateway:{region}::", identity.partition);
                ["/apis", "/apis/*", "/tags/*"]
                    .map(|path| format!("{root}{path}"))
                    .into()
            }
            Place::Functions => self.functions(),
            Place::LogGroups => {
                let groups = Function::ALL.map(|function| self.names.log_group(function));
                let both = groups
                    .iter()
                    .flat_map(|name| [format!("log-group:{name}"), format!("log-group:{name}:*")]);
                both.map(|group| self.arn("logs", &group)).collect()
            }
            Place::Roles | Place::PassRole => {
                let roles = Function::ALL.map(|function| self.role(&self.names.role(function)));
                let scheduler = self.role(&self.names.scheduler_role());
                roles.into_iter().chain([scheduler]).collect()
            }
            Place::LinkedRoles => vec![self.role("aws-service-role/*")],
            Place::Caller => vec![self.caller()],
            Place::Queues => {
                let queues = Queue::ALL.into_iter().flat_map(|queue| {
                    [self.names.queue(queue), self.names.dead_letter_queue(queue)]
                });
                queues.map(|name| self.arn("sqs", &name)).collect()
            }
            Place::Tables => {
                let tables = [
                    self.names.mru_table(),
                    self.names.history_table(),
                    self.names.lease_table(),
                ];
                tables
                    .map(|name| self.arn("dynamodb", &format!("table/{name}")))
                    .into()
            }
            Place::Schedule => {
                let group = self.names.schedule_group();
                let schedule = format!("schedule/{group}/{}", self.names.schedule());
                vec![
                    self.arn("scheduler", &schedule),
                    self.arn("scheduler", &format!("schedule-group/{group}")),
                ]
            }
        }
    }

    fn caches(&self) -> Vec<String> {
        let cache = self.names.cache();
        let mut resources = vec![
            format!("serverlesscache:{cache}"),
            format!("replicationgroup:{cache}"),
            format!("cluster:{cache}-*"),
            format!("subnetgroup:{}", self.names.cache_subnet_group()),
        ];
        if !self.is_serverless() {
            resources.push("parametergroup:default.*".to_owned());
        }
        resources
            .iter()
            .map(|resource| self.arn("elasticache", resource))
            .collect()
    }

    fn function(&self, function: Function) -> String {
        let name = self.names.function(function);
        self.arn("lambda", &format!("function:{name}"))
    }

    /// The functions, and the mappings that feed them, whose ids nobody knows before.
    fn functions(&self) -> Vec<String> {
        let functions = Function::ALL.map(|function| self.function(function));
        let mappings = self.arn("lambda", "event-source-mapping:*");
        functions.into_iter().chain([mappings]).collect()
    }

    /// The functions that mappings feed.
    fn consumers(&self) -> Vec<String> {
        let fed = Function::ALL
            .into_iter()
            .filter(|function| function.queue().is_some());
        fed.map(|function| self.function(function)).collect()
    }

    /// The user or role whose policies are asked about. A session of a role is not it.
    pub(super) fn caller(&self) -> String {
        let arn = &self.identity.arn;
        let role = arn
            .split_once(":assumed-role/")
            .and_then(|(_, rest)| rest.split('/').next());
        role.map_or_else(|| arn.clone(), |role| self.role(role))
    }

    /// No emulator knows the tags of EC2's things, or a mapping's function, in conditions.
    fn conditions(&self, place: Place) -> Vec<(&'static str, String, Vec<String>)> {
        if self.config.endpoints.aws.is_some() {
            return Vec::new();
        }
        let text = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        let tag = |name: &str| format!("aws:ResourceTag/{name}");
        let equals = "StringEquals";
        match place {
            Place::Tagged => vec![(equals, tag(TAG_STACK), text(&[self.names.stack()]))],
            Place::Tags => {
                let keys = "aws:TagKeys".to_owned();
                vec![("ForAllValues:StringLike", keys, text(&["place:*", "Name"]))]
            }
            Place::Endpoints => vec![(equals, tag(MANAGED), text(&["true"]))],
            Place::EndpointTags => {
                let action = "ec2:CreateAction".to_owned();
                vec![(equals, action, text(&["CreateVpcEndpoint"]))]
            }
            Place::EventSources => {
                let key = "lambda:FunctionArn".to_owned();
                vec![("ArnEquals", key, self.consumers())]
            }
            Place::PassRole => {
                let key = "iam:PassedToService".to_owned();
                vec![(equals, key, text(&SERVICES))]
            }
            Place::LinkedRoles => {
                let key = "iam:AWSServiceName".to_owned();
                vec![(equals, key, text(&LINKED))]
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Neither a role nor a permission set takes more characters in its own policies, white space
    /// left out.
    const LONGEST: usize = 10_240;

    fn with_scope<T>(config: &StackConfig, look: impl FnOnce(Scope<'_>) -> T) -> T {
        let identity = Identity {
            account: "123456789012".to_owned(),
            partition: "aws".to_owned(),
            arn: "arn:aws:sts::123456789012:assumed-role/Admin/ann".to_owned(),
        };
        look(Scope {
            identity: &identity,
            region: "eu-west-1",
            names: &Names::new(config, "eu-west-1"),
            config,
        })
    }

    fn allowed(config: &StackConfig) -> BTreeSet<&'static str> {
        let statements = with_scope(config, statements);
        statements
            .into_iter()
            .flat_map(|statement| statement.actions)
            .collect()
    }

    fn configurations() -> Vec<StackConfig> {
        let mut all = Vec::new();
        for mode in [RedisMode::Serverless, RedisMode::ReplicationGroup] {
            for vpc in [VpcMode::Default, VpcMode::Dedicated] {
                let mut config = StackConfig::default();
                (config.redis.mode, config.vpc.mode) = (mode, vpc);
                all.push(config);
            }
        }
        all
    }

    #[test]
    fn what_every_operation_needs_is_allowed_in_one_configuration_or_another() {
        let all: BTreeSet<&str> = configurations().iter().flat_map(|c| allowed(c)).collect();
        let missing: Vec<&str> = operations()
            .flat_map(needed)
            .filter(|action| !all.contains(action))
            .collect();
        assert_eq!(missing, Vec::<&str>::new());
    }

    #[test]
    fn nothing_is_allowed_that_no_operation_needs() {
        let needed: BTreeSet<&str> = operations().flat_map(needed).collect();
        for config in configurations() {
            let more: Vec<_> = allowed(&config).difference(&needed).copied().collect();
            assert_eq!(more, Vec::<&str>::new());
        }
    }

    #[test]
    fn a_configuration_is_allowed_no_more_than_itself() {
        let config = StackConfig::default();
        let allowed = allowed(&config);
        assert!(allowed.contains("elasticache:CreateServerlessCache"));
        for other in ["ec2:DeleteVpc", "elasticache:CreateReplicationGroup"] {
            assert!(!allowed.contains(other), "{other}");
        }
    }

    #[test]
    fn iam_takes_it() {
        for config in configurations() {
            let text = with_scope(&config, document).to_string();
            let length = text.chars().filter(|c| !c.is_whitespace()).count();
            assert!(length <= LONGEST, "{length}");
        }
    }

    #[test]
    fn what_can_be_named_is_named() {
        let document = with_scope(&StackConfig::default(), document);
        let statements = document["Statement"].as_array().unwrap();
        let of = |action: &str| {
            let with = |s: &&Value| s["Action"].as_array().unwrap().contains(&json!(action));
            statements.iter().find(with).unwrap()
        };
        let wide = |action: &str| of(action)["Resource"] == json!(["*"]);
        for action in [
            "dynamodb:DeleteTable",
            "iam:PutRolePolicy",
            "sqs:DeleteQueue",
        ] {
            assert!(!wide(action), "{action}");
        }
        let tag = &of("ec2:DeleteNatGateway")["Condition"]["StringEquals"];
        assert_eq!(tag["aws:ResourceTag/place:stack"], json!(["place"]));
        let pass = &of("iam:PassRole")["Condition"]["StringEquals"];
        assert_eq!(pass["iam:PassedToService"], json!(SERVICES));
    }

    #[test]
    fn a_session_is_asked_about_as_its_role() {
        let caller = with_scope(&StackConfig::default(), |scope| scope.caller());
        assert_eq!(caller, "arn:aws:iam::123456789012:role/Admin");
    }
}
