//! Everything that the functions need, for one test.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use place_canvas::{ConnectionId, Geometry, Store, StoreConfig};
use place_config::env::OriginList;
use place_config::{Function as Kind, FunctionEnv, Names, Queue, StackConfig};
use tempfile::TempDir;

use super::function::{Function, binary, lambda_variables};
use super::{AwsStub, GatewayStub, Memory, RuntimeApi};
use crate::cloud::REGION;
use crate::placectl::artifacts;
use crate::process::Resident;
use crate::redis::Redis;

/// Clients that join at once.
const JOINING: usize = 100;
/// How long a process may take until it asks for its first event.
const START: Duration = Duration::from_secs(20);

/// A Redis, stubs of AWS, and what the functions are told of them.
#[derive(Debug)]
pub struct Rig {
    /// The cache.
    pub redis: Redis,
    /// The clients' connections.
    pub gateway: GatewayStub,
    /// Queues and tables.
    pub aws: AwsStub,
    /// What every function is told.
    pub env: FunctionEnv,
    /// Where functions send their calls to AWS: the stub, unless a test puts a proxy before it.
    pub endpoint: String,
    _directory: TempDir,
}

/// What a start took.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// From the process's start until it asked for its first event.
    pub time: Duration,
    /// Its memory then.
    pub memory: Resident,
}

impl Start {
    /// Starts a function, waits until it asks for its first event, and kills it.
    ///
    /// # Panics
    /// When it can't start.
    pub fn measure(name: &str, mut command: Command) -> Self {
        let runtime = RuntimeApi::start(name);
        lambda_variables(&mut command, name, &runtime);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let started = Instant::now();
        let process = Mortal(command.spawn().expect("a process for the function"));
        let time = runtime.wait_until_ready(START) - started;
        let memory = Resident::of(process.0.id()).expect("a function that runs");
        Self { time, memory }
    }
}

impl Rig {
    /// A rig with the default configuration and a canvas of 64 x 48 pixels.
    pub async fn start(memory: Memory) -> Self {
        Self::with(memory, |_| ()).await
    }

    /// The same with what the functions are told changed by `edit`.
    ///
    /// # Panics
    /// When Redis doesn't come up.
    pub async fn with(memory: Memory, edit: impl FnOnce(&mut FunctionEnv)) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("place-rig-")
            .tempdir()
            .expect("a directory for the rig");
        let log = directory.path().join("redis");
        std::fs::create_dir(&log).expect("a new directory in an empty one");
        let redis = Redis::start(&log);
        let (gateway, aws) = (GatewayStub::start(memory), AwsStub::start());
        let mut env = told(&redis, &gateway, &aws);
        edit(&mut env);
        redis.wait_until_up().await;
        let rig = Self {
            endpoint: aws.endpoint(),
            redis,
            gateway,
            aws,
            env,
            _directory: directory,
        };
        let opened = rig.store().await.open_blank().await;
        opened.expect("the rig's Redis takes a canvas");
        rig
    }

    /// Starts a function.
    pub fn function(&self, kind: Kind) -> Function {
        Function::start(kind.binary(), self.command(kind))
    }

    /// The command that runs a function, without what Lambda itself sets.
    pub fn command(&self, kind: Kind) -> Command {
        self.command_in(&artifacts(), kind)
    }

    /// The same with a binary of the directory `artifacts`.
    pub fn command_in(&self, artifacts: &Path, kind: Kind) -> Command {
        let mut command = binary(artifacts, kind.binary());
        command.envs(self.env.to_variables());
        command.env("AWS_ENDPOINT_URL", &self.endpoint);
        command
    }

    /// The cache as the functions see it.
    ///
    /// # Panics
    /// When Redis doesn't answer.
    pub async fn store(&self) -> Store {
        let mut config = StoreConfig::new(&self.env.stack, self.geometry());
        config.shards = self.env.shards;
        let connected = Store::connect(&self.env.redis_url, config).await;
        connected.expect("the rig's Redis answers")
    }

    /// Size of the canvas.
    ///
    /// # Panics
    /// When the functions are told an impossible one.
    pub fn geometry(&self) -> Geometry {
        Geometry::new(self.env.width, self.env.height).expect("a possible canvas")
    }

    /// Lets so many clients join, without a `$connect`.
    ///
    /// # Panics
    /// When Redis doesn't answer.
    pub async fn join(&self, count: usize) -> Vec<ConnectionId> {
        let store = self.store().await;
        let clients: Vec<_> = (0..count).map(client).collect();
        stream::iter(&clients)
            .for_each_concurrent(JOINING, async |id| {
                store.add_client(id).await.expect("Redis takes a client");
            })
            .await;
        clients
    }
}

/// The id of a simulated client, of the length and form that API Gateway's have.
///
/// # Panics
/// Never: the id is one.
pub fn client(number: usize) -> ConnectionId {
    ConnectionId::new(format!("client-{number:07}=")).expect("letters, digits and signs")
}

/// The defaults of `place.toml`, at the rig's addresses.
fn told(redis: &Redis, gateway: &GatewayStub, aws: &AwsStub) -> FunctionEnv {
    let config = StackConfig::default();
    let names = Names::new(&config, REGION);
    FunctionEnv {
        stack: config.stack.clone(),
        redis_url: redis.url(),
        redis_cluster: false,
        gateway_url: gateway.url(),
        initialize_queue_url: aws.queue_url(&names.queue(Queue::Initialize)),
        request_queue_url: aws.queue_url(&names.queue(Queue::Request)),
        mru_table: names.mru_table(),
        history_table: names.history_table(),
        // The stub of DynamoDB keeps no state.
        journal_table: String::new(),
        width: 64,
        height: 48,
        background: config.canvas.background.clone(),
        max_pixels_per_message: config.canvas.max_pixels_per_message,
        max_unsaved_changes: config.canvas.max_unsaved_changes,
        max_history_bytes: place_config::memory::history_bytes(&config),
        cooldown_ms: config.canvas.cooldown_ms,
        max_messages_per_second_per_ip: config.canvas.max_messages_per_second_per_ip,
        allowed_origins: OriginList::default(),
        max_clients: config.api.max_clients,
        frame_bytes: config.api.frame_bytes,
        tick_ms: config.broadcast.tick_ms,
        max_posts_per_second: config.broadcast.posts_per_second(REGION),
        shards: config.broadcast.shards,
        concurrency: config.broadcast.concurrency,
        reuse_ms: config.init.reuse_ms,
        max_receive_count: config.queues.max_receive_count,
        websocket_url: String::new(),
        page_title: config.page.title,
        page_imprint: String::new(),
        page_privacy: String::new(),
        page_allow_framing: false,
    }
}

/// A child that is killed on drop.
struct Mortal(Child);

impl Drop for Mortal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
