//! Every resource name, a pure function of the configuration.

use std::fmt;

use crate::stack::StackConfig;

/// The stack whose names carry no prefix.
pub const DEFAULT_STACK: &str = "place";

/// Tag that says which stack owns a resource.
pub const TAG_STACK: &str = "place:stack";

/// Tag that says which resource of the plan it is.
pub const TAG_RESOURCE: &str = "place:resource";

/// The eight functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Function {
    /// `$connect`.
    Connect,
    /// `$disconnect`.
    Disconnect,
    /// The `sendMessage` route.
    SendMessage,
    /// Sends changes to everyone.
    Broadcast,
    /// Sends the picture to a newcomer.
    Initialize,
    /// Saves to DynamoDB.
    Save,
    /// Answers the CLI.
    Admin,
    /// Serves the page to paint on.
    Page,
}

impl Function {
    /// All of them, in the order of the setup guide.
    pub const ALL: [Self; 8] = [
        Self::Connect,
        Self::Disconnect,
        Self::SendMessage,
        Self::Broadcast,
        Self::Initialize,
        Self::Save,
        Self::Admin,
        Self::Page,
    ];

    /// Name of the default stack's function, which is its binary's and artefact's name too.
    pub const fn binary(self) -> &'static str {
        match self {
            Self::Connect => "placev2handler",
            Self::Disconnect => "placev2disconnect",
            Self::SendMessage => "sendMessage",
            Self::Broadcast => "placev2broadcast",
            Self::Initialize => "initializeConnection",
            Self::Save => "save",
            Self::Admin => "placev2admin",
            Self::Page => "placev2page",
        }
    }

    /// The route that invokes it, for the three functions behind the API.
    pub const fn route(self) -> Option<&'static str> {
        match self {
            Self::Connect => Some("$connect"),
            Self::Disconnect => Some("$disconnect"),
            Self::SendMessage => Some("sendMessage"),
            Self::Broadcast | Self::Initialize | Self::Save | Self::Admin | Self::Page => None,
        }
    }

    /// Whether its policy lets somebody in: the API through a route, or everybody through an address of
    /// its own. The others are invoked through roles.
    pub const fn has_callers(self) -> bool {
        self.route().is_some() || matches!(self, Self::Page)
    }

    /// The queue that it consumes, for the two functions behind one.
    pub const fn queue(self) -> Option<Queue> {
        match self {
            Self::Broadcast => Some(Queue::Request),
            Self::Initialize => Some(Queue::Initialize),
            _ => None,
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.binary())
    }
}

/// The two queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Queue {
    /// Connection ids that wait for the picture.
    Initialize,
    /// Wake-ups of the broadcast.
    Request,
}

impl Queue {
    /// Both queues.
    pub const ALL: [Self; 2] = [Self::Initialize, Self::Request];
}

/// Resolved names of one stack in one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    stack: String,
    region: String,
    config: StackConfig,
}

impl Names {
    /// Names of the stack that `config` describes, in `region`.
    pub fn new(config: &StackConfig, region: &str) -> Self {
        Self {
            stack: config.stack.clone(),
            region: region.to_owned(),
            config: config.clone(),
        }
    }

    /// The stack's name.
    pub fn stack(&self) -> &str {
        &self.stack
    }

    fn derived(&self, explicit: Option<&String>, default: &str) -> String {
        match explicit {
            Some(name) => name.clone(),
            None if self.stack == DEFAULT_STACK => default.to_owned(),
            None => format!("{}-{default}", self.stack),
        }
    }

    /// Lambda function name.
    pub fn function(&self, function: Function) -> String {
        let names = &self.config.functions.names;
        let explicit = match function {
            Function::Connect => &names.connect,
            Function::Disconnect => &names.disconnect,
            Function::SendMessage => &names.send_message,
            Function::Broadcast => &names.broadcast,
            Function::Initialize => &names.initialize,
            Function::Save => &names.save,
            Function::Admin => &names.admin,
            Function::Page => &names.page,
        };
        self.derived(explicit.as_ref(), function.binary())
    }

    /// CloudWatch log group of a function: Lambda's own default.
    pub fn log_group(&self, function: Function) -> String {
        format!("/aws/lambda/{}", self.function(function))
    }

    /// Queue name, with the suffix that SQS demands of a FIFO queue.
    pub fn queue(&self, queue: Queue) -> String {
        format!("{}.fifo", self.queue_stem(queue))
    }

    /// Name of a queue's dead-letter queue.
    pub fn dead_letter_queue(&self, queue: Queue) -> String {
        format!("{}-dlq.fifo", self.queue_stem(queue))
    }

    fn queue_stem(&self, queue: Queue) -> String {
        let queues = &self.config.queues;
        let name = match queue {
            Queue::Initialize => self.derived(queues.initialize.as_ref(), "place2InitializeQueue"),
            Queue::Request => self.derived(queues.request.as_ref(), "requestQueue"),
        };
        name.strip_suffix(".fifo")
            .map_or(name.clone(), str::to_owned)
    }

    /// Table of each pixel's current colour.
    pub fn mru_table(&self) -> String {
        self.derived(self.config.tables.mru.as_ref(), "mru_pixels")
    }

    /// Table of every change.
    pub fn history_table(&self) -> String {
        self.derived(self.config.tables.history.as_ref(), "pixel_history")
    }

    /// Table of the journal and of the stack's state.
    pub fn journal_table(&self) -> String {
        self.derived(self.config.tables.journal.as_ref(), "place_journal")
    }

    /// Table that holds the operators' lease.
    pub fn lease_table(&self) -> String {
        format!("{}-operator-lease", self.stack)
    }

    /// Name of the cache. ElastiCache stores it in lower case.
    pub fn cache(&self) -> String {
        self.derived(self.config.redis.name.as_ref(), "placev2cache")
            .to_lowercase()
    }

    /// Subnet group of a replication group.
    pub fn cache_subnet_group(&self) -> String {
        format!("{}-subnets", self.cache())
    }

    /// Name of the WebSocket API.
    pub fn api(&self) -> String {
        self.config
            .api
            .name
            .clone()
            .unwrap_or_else(|| self.stack.clone())
    }

    /// Name of the deployed stage.
    pub fn stage(&self) -> &str {
        &self.config.api.stage
    }

    /// Name of the schedule.
    pub fn schedule(&self) -> String {
        self.config
            .schedule
            .name
            .clone()
            .unwrap_or_else(|| format!("{}-save", self.stack))
    }

    /// Name of the schedule group.
    pub fn schedule_group(&self) -> String {
        self.config
            .schedule
            .group
            .clone()
            .unwrap_or_else(|| self.stack.clone())
    }

    /// Execution role of a function. IAM is global, so the region is part of the name.
    pub fn role(&self, function: Function) -> String {
        self.role_named(function.binary())
    }

    /// Role with which the schedule invokes save.
    pub fn scheduler_role(&self) -> String {
        self.role_named("scheduler")
    }

    fn role_named(&self, part: &str) -> String {
        format!("{}-{}-{part}", self.stack, self.region)
    }

    /// Security group shared by all functions.
    pub fn function_security_group(&self) -> String {
        format!("{}-functions", self.stack)
    }

    /// Security group of the cache.
    pub fn cache_security_group(&self) -> String {
        format!("{}-cache", self.stack)
    }
}
