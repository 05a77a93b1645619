//! What each statement is about.

use place_config::{Function, Queue};

use super::Scope;
use super::place::Place;

impl Scope<'_> {
    fn arn(&self, service: &str, resource: &str) -> String {
        self.identity.resource_name(service, self.region, resource)
    }

    fn role(&self, name: &str) -> String {
        self.identity
            .resource_name("iam", "", &format!("role/{name}"))
    }

    pub(super) fn resources(&self, place: Place) -> Vec<String> {
        match place {
            Place::Network
            | Place::Tagged
            | Place::Lost
            | Place::TagsAtOnce
            | Place::Tags
            | Place::TagsBack
            | Place::Endpoints
            | Place::Account
            | Place::EventSources => vec!["*".to_owned()],
            Place::Rules => vec![self.arn("ec2", "security-group-rule/*")],
            Place::EndpointTags => vec![self.arn("ec2", "vpc-endpoint/*")],
            Place::Cache => self.caches(),
            Place::Api => self.api(),
            Place::Functions => self.functions(),
            Place::LogGroups => self.log_groups(),
            Place::Roles | Place::PassRole => {
                let roles = Function::ALL.map(|function| self.role(&self.names.role(function)));
                let scheduler = self.role(&self.names.scheduler_role());
                roles.into_iter().chain([scheduler]).collect()
            }
            Place::LinkedRoles => vec![self.role("aws-service-role/*")],
            Place::Caller => self.callers(),
            Place::Queues => self.queues(),
            Place::Tables => self.tables(),
            Place::Schedule => {
                let group = self.names.schedule_group();
                vec![
                    // All schedules, because a group is deleted with every one in it (Service
                    // Authorization Reference, `DeleteScheduleGroup`).
                    self.arn("scheduler", &format!("schedule/{group}/*")),
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

    /// An API's id is not known before.
    fn api(&self) -> Vec<String> {
        let Self {
            identity, region, ..
        } = self;
        let root = format!("arn:{}:apigateway:{region}::", identity.partition);
        ["/apis", "/apis/*", "/tags/*"]
            .map(|path| format!("{root}{path}"))
            .into()
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
    pub(super) fn consumers(&self) -> Vec<String> {
        let fed = Function::ALL
            .into_iter()
            .filter(|function| function.queue().is_some());
        fed.map(|function| self.function(function)).collect()
    }

    /// Tags are asked about without the star, everything else with it (CloudWatch Logs user guide,
    /// "Resource ARNs").
    fn log_groups(&self) -> Vec<String> {
        let groups = Function::ALL.map(|function| self.names.log_group(function));
        let both = groups
            .iter()
            .flat_map(|name| [format!("log-group:{name}"), format!("log-group:{name}:*")]);
        both.map(|group| self.arn("logs", &group)).collect()
    }

    fn queues(&self) -> Vec<String> {
        let both = |queue| [self.names.queue(queue), self.names.dead_letter_queue(queue)];
        let queues = Queue::ALL.into_iter().flat_map(both);
        queues.map(|name| self.arn("sqs", &name)).collect()
    }

    fn tables(&self) -> Vec<String> {
        let tables = [
            self.names.mru_table(),
            self.names.history_table(),
            self.names.journal_table(),
            self.names.lease_table(),
        ];
        tables
            .map(|name| self.arn("dynamodb", &format!("table/{name}")))
            .into()
    }

    /// The name of the role whose session the caller is.
    pub(in super::super) fn assumed_role(&self) -> Option<&str> {
        let (_, rest) = self.identity.arn.split_once(":assumed-role/")?;
        rest.split('/').next()
    }

    /// The user or role whose policies are asked about. A session of a role is not it, and does
    /// not tell the role's path, as those have that IAM Identity Center makes.
    pub(in super::super) fn caller(&self) -> String {
        let arn = || self.identity.arn.clone();
        self.assumed_role().map_or_else(arn, |role| self.role(role))
    }

    fn callers(&self) -> Vec<String> {
        let with_path = self
            .assumed_role()
            .map(|role| self.role(&format!("*/{role}")));
        [self.caller()].into_iter().chain(with_path).collect()
    }
}
