//! `place.toml` as types: one struct a section, defaults for everything, unknown keys refused.

use serde::{Deserialize, Serialize};

macro_rules! section {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty = $default:expr,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}

section! {
    /// Everything an operator can say about a stack.
    StackConfig {
        /// Name of the stack: the ownership tag, and the prefix of every name but the default's.
        stack: String = crate::names::DEFAULT_STACK.to_owned(),
        /// AWS region; the SDK's own chain (flag, environment, profile) decides when absent.
        region: Option<String> = None,
        /// How long AWS may take to answer one try of a call, in seconds.
        attempt_timeout_s: u32 = 60,
        /// Step 1.
        vpc: VpcConfig = VpcConfig::default(),
        /// Step 2.
        redis: RedisConfig = RedisConfig::default(),
        /// Step 3.
        api: ApiConfig = ApiConfig::default(),
        /// Step 4.
        functions: FunctionsConfig = FunctionsConfig::default(),
        /// Step 5.
        queues: QueuesConfig = QueuesConfig::default(),
        /// Step 6.
        tables: TablesConfig = TablesConfig::default(),
        /// Step 7.
        schedule: ScheduleConfig = ScheduleConfig::default(),
        /// The picture.
        canvas: CanvasConfig = CanvasConfig::default(),
        /// Sending changes to everyone.
        broadcast: BroadcastConfig = BroadcastConfig::default(),
        /// Sending the picture to a newcomer.
        init: InitConfig = InitConfig::default(),
        /// The page to paint on.
        page: PageConfig = PageConfig::default(),
        /// The local cloud.
        local: LocalConfig = LocalConfig::default(),
        /// Addresses that replace AWS's own.
        endpoints: EndpointsConfig = EndpointsConfig::default(),
    }
}

section! {
    /// `[vpc]`: step 1.
    VpcConfig {
        /// The region's default VPC, or one of the stack's own.
        mode: VpcMode = VpcMode::Default,
        /// CIDR block of a dedicated VPC (ignored for the default one, which has its own).
        cidr: String = "172.31.0.0/16".to_owned(),
        /// A gateway endpoint for DynamoDB, which keeps the saves off the NAT gateway.
        dynamodb_endpoint: bool = true,
    }
}

/// Which VPC the stack lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VpcMode {
    /// The region's default VPC, created when the account has none.
    Default,
    /// A VPC of the stack's own, removed with it.
    Dedicated,
}

section! {
    /// `[redis]`: step 2.
    RedisConfig {
        /// Serverless cache or a replication group of three nodes.
        mode: RedisMode = RedisMode::Serverless,
        /// Cache engine.
        engine: RedisEngine = RedisEngine::Redis,
        /// Name of the cache; from the stack's name when absent.
        name: Option<String> = None,
        /// Major engine version (serverless) or engine version (replication group).
        engine_version: String = "7".to_owned(),
        /// Node type of a replication group.
        node_type: String = "cache.t4g.micro".to_owned(),
        /// Cost cap of a serverless cache: stored data, in GB.
        max_storage_gb: u32 = 5,
        /// Cost cap of a serverless cache: ElastiCache processing units a second.
        max_ecpu_per_second: u32 = 20_000,
    }
}

/// The two ways to run the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedisMode {
    /// `CreateServerlessCache`: TLS, cluster protocol, scales by itself.
    Serverless,
    /// `CreateReplicationGroup`: one primary, two replicas, automatic failover.
    ReplicationGroup,
}

/// The cache's engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RedisEngine {
    /// Redis OSS.
    Redis,
}

impl RedisEngine {
    /// The value of ElastiCache's `Engine` parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Redis => "redis",
        }
    }
}

section! {
    /// `[api]`: step 3.
    ApiConfig {
        /// Name of the WebSocket API; from the stack's name when absent.
        name: Option<String> = None,
        /// Name of the deployed stage.
        stage: String = "production".to_owned(),
        /// Origins that may connect; empty admits every origin.
        allowed_origins: Vec<String> = Vec::new(),
        /// Connections admitted at once.
        max_clients: u32 = 100_000,
        /// Largest frame sent to a client, in bytes. API Gateway bills in steps of 32 KiB.
        frame_bytes: u32 = 32 * 1024,
    }
}

section! {
    /// `[functions]`: step 4.
    FunctionsConfig {
        /// Directory with cargo-lambda's layout: `<name>/bootstrap`.
        artifacts: String = "target/lambda".to_owned(),
        /// Memory of each function, in MB. It scales the CPU share with it.
        memory_mb: u32 = 512,
        /// Time-out of the functions behind a route, in seconds (API Gateway waits at most 29).
        route_timeout_s: u32 = 15,
        /// Time-out of the broadcast function, in seconds: the length of one loop's turn.
        broadcast_timeout_s: u32 = 60,
        /// Time-out of initializeConnection, in seconds: five more, and what a call that crashed held
        /// comes again.
        initialize_timeout_s: u32 = 20,
        /// Time-out of save, in seconds.
        save_timeout_s: u32 = 300,
        /// Days that CloudWatch keeps the functions' logs.
        log_retention_days: u32 = 14,
        /// Names that replace the default ones.
        names: FunctionNames = FunctionNames::default(),
    }
}

section! {
    /// `[functions.names]`: function names that replace those derived from the stack's name.
    FunctionNames {
        /// Function behind `$connect`.
        connect: Option<String> = None,
        /// Function behind `$disconnect`.
        disconnect: Option<String> = None,
        /// Function behind the `sendMessage` route.
        send_message: Option<String> = None,
        /// Function that sends changes to everyone.
        broadcast: Option<String> = None,
        /// Function that sends the picture to a newcomer.
        initialize: Option<String> = None,
        /// Function that saves to DynamoDB.
        save: Option<String> = None,
        /// Function that the CLI talks to.
        admin: Option<String> = None,
        /// Function that serves the page.
        page: Option<String> = None,
    }
}

section! {
    /// `[queues]`: step 5.
    QueuesConfig {
        /// Queue of connection ids that wait for the picture; from the stack's name when absent.
        initialize: Option<String> = None,
        /// Queue of wake-ups for the broadcast; from the stack's name when absent.
        request: Option<String> = None,
        /// Deliveries of a message before it goes to the dead-letter queue.
        max_receive_count: u32 = 5,
    }
}

section! {
    /// `[tables]`: step 6.
    TablesConfig {
        /// Table of each pixel's current colour; from the stack's name when absent.
        mru: Option<String> = None,
        /// Table of every change; from the stack's name when absent.
        history: Option<String> = None,
        /// Table of the journal and of the stack's state; from the stack's name when absent.
        journal: Option<String> = None,
        /// Class of the table of current colours.
        mru_class: TableClass = TableClass::Standard,
        /// Class of the table of changes.
        history_class: TableClass = TableClass::StandardInfrequentAccess,
        /// Class of the journal.
        journal_class: TableClass = TableClass::Standard,
    }
}

/// DynamoDB's table classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TableClass {
    /// Cheaper requests.
    Standard,
    /// Cheaper storage.
    StandardInfrequentAccess,
}

impl TableClass {
    /// The value of DynamoDB's `TableClass` parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::StandardInfrequentAccess => "STANDARD_INFREQUENT_ACCESS",
        }
    }
}

section! {
    /// `[schedule]`: step 7.
    ScheduleConfig {
        /// Name of the schedule; from the stack's name when absent.
        name: Option<String> = None,
        /// Name of the schedule group; from the stack's name when absent.
        group: Option<String> = None,
        /// Minutes between two saves.
        rate_minutes: u32 = 1,
        /// Retries of a failed delivery (EventBridge Scheduler: 0 to 185).
        retries: u32 = 1,
    }
}

section! {
    /// `[canvas]`: the picture and the rules of painting.
    CanvasConfig {
        /// Width in pixels.
        width: u16 = 1000,
        /// Height in pixels.
        height: u16 = 1000,
        /// Colour of an untouched pixel, `#rrggbb`.
        background: String = "#ffffff".to_owned(),
        /// Pixels that one message may paint.
        max_pixels_per_message: u32 = 256,
        /// Unsaved changes past which paints are refused, because nothing may be lost.
        max_unsaved_changes: u64 = 5_000_000,
        /// Pause between two messages of one connection, in milliseconds; 0 for none.
        cooldown_ms: u32 = 0,
        /// Messages a second from one source address; 0 for no limit.
        max_messages_per_second_per_ip: u32 = 0,
    }
}

section! {
    /// `[broadcast]`: sending changes to everyone.
    BroadcastConfig {
        /// Shortest time between two frames to one client, in milliseconds.
        tick_ms: u32 = 100,
        /// Posts a second that all loops together may make; half of what API Gateway gives an
        /// account in the region by default when absent.
        max_posts_per_second: Option<u32> = None,
        /// Loops that share the clients.
        shards: u16 = 1,
        /// Posts in flight in one loop.
        concurrency: u32 = 256,
    }
}

section! {
    /// `[init]`: sending the picture to a newcomer.
    InitConfig {
        /// How long an encoded picture serves further newcomers, in milliseconds.
        reuse_ms: u32 = 1000,
    }
}

section! {
    /// `[page]`: the page to paint on.
    PageConfig {
        /// Give the page function an address that is open to everybody.
        enabled: bool = true,
        /// Title of the page.
        title: String = "place".to_owned(),
        /// Address of the imprint that the page links to.
        imprint: Option<String> = None,
        /// Address of the privacy notice that the page links to.
        privacy: Option<String> = None,
        /// Where people open the page, if a CDN or a domain of one's own is in front of the function.
        address: Option<String> = None,
        /// Let other sites show the page in a frame.
        allow_framing: bool = false,
        /// Concurrency that is reserved for the page function, and the most that it gets; 0 reserves
        /// none. The function answers ten times as many requests a second.
        max_concurrency: u32 = 0,
    }
}

section! {
    /// `[local]`: the local cloud.
    LocalConfig {
        /// Use the local cloud without `--local`.
        enabled: bool = false,
        /// Port of the emulator on 127.0.0.1.
        port: u16 = 4566,
        /// Port of Redis on 127.0.0.1; a free one when absent.
        redis_port: Option<u16> = None,
        /// Directory of the local cloud's state; a folder a port in the user's cache when absent.
        state_dir: Option<String> = None,
    }
}

section! {
    /// `[endpoints]`: addresses that replace AWS's own.
    EndpointsConfig {
        /// Every AWS call goes here.
        aws: Option<String> = None,
        /// Where handlers post to clients; `{api}` and `{stage}` are filled in.
        gateway: Option<String> = None,
        /// Where clients connect; `{api}` and `{stage}` are filled in.
        websocket: Option<String> = None,
        /// Where the page is; `{id}`, the first label of the function's own address, is filled in.
        page: Option<String> = None,
        /// Address of Redis: `redis://host:port` or `rediss://host:port`.
        redis: Option<String> = None,
    }
}
