//! A second emulator, moto: what two that were written by different people agree on is less likely
//! to be a peculiarity of either. It runs no functions and no Redis: the data plane is not in it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::Proxy;
use crate::cloud::{installed, made, request};
use crate::ports::free_port;
use crate::proxy::{Fault, StandIn, When};
use crate::supervised::Supervised;

/// The release that the tests were written with.
pub const MOTO_VERSION: &str = "5.2.5";

/// It reads all of AWS's managed policies first.
const START_DEADLINE: Duration = Duration::from_mins(1);

const NO_SERVERLESS: &str = "<DescribeServerlessCachesResponse><DescribeServerlessCachesResult>\
    <ServerlessCaches/></DescribeServerlessCachesResult></DescribeServerlessCachesResponse>";

const NO_GROUPS: &str = "<DescribeReplicationGroupsResponse><DescribeReplicationGroupsResult>\
    <ReplicationGroups/></DescribeReplicationGroupsResult></DescribeReplicationGroupsResponse>";

const NO_SUBNET_GROUPS: &str = "<DescribeCacheSubnetGroupsResponse>\
    <DescribeCacheSubnetGroupsResult><CacheSubnetGroups/></DescribeCacheSubnetGroupsResult>\
    </DescribeCacheSubnetGroupsResponse>";

const SUBNET_GROUP_DELETED: &str = "<DeleteCacheSubnetGroupResponse>\
    <ResponseMetadata/></DeleteCacheSubnetGroupResponse>";

const NO_INTERFACES: &str = "<DescribeNetworkInterfacesResponse><networkInterfaceSet/>\
    </DescribeNetworkInterfacesResponse>";

/// What the admin function would say of an open canvas, in the size that operators of tests have: it
/// runs no functions.
const STATS: &str = r##"{"response":"stats","newest":"1-1","saved":"1-1","unsaved_changes":0,
    "oldest_unsaved_ms":null,"history_entries":1,"clients":0,"shards":[],"last_save":null,
    "canvas":{"epoch":"0","width":64,"height":48,"background":"#ffffff","opened_ms":1}}"##;

/// What moto does not know, and who answers instead.
const UNKNOWN: [(&str, StandIn); 7] = [
    ("CreateDeployment", StandIn::Deployments),
    ("GetDeployments", StandIn::Deployments),
    ("GetTags", StandIn::StageTags),
    ("GetFunctionRecursionConfig", StandIn::Settings),
    ("PutFunctionRecursionConfig", StandIn::Settings),
    ("GetFunctionEventInvokeConfig", StandIn::Settings),
    ("PutFunctionEventInvokeConfig", StandIn::Settings),
];

/// What moto gets wrong, and what makes up for it on the way.
fn amendments() -> [(When, Fault); 10] {
    [
        (When::Operation("Invoke"), Fault::Answer(STATS)),
        // DynamoDB tells ids of tables, with which the functions, which do not run, would have
        // noted what is saved.
        (
            When::Operation("DescribeTable"),
            Fault::Amend("\"TableId\"", "\"Id\""),
        ),
        (
            When::Operation("GetStage"),
            Fault::Amend(
                "\"stageName\"",
                "\"deploymentId\": \"deployment\", \"stageName\"",
            ),
        ),
        // It forgets the conditions of an address.
        (
            When::Operation("GetPolicy"),
            Fault::Amend(
                r#"\"Sid\": \"place-page-"#,
                r#"\"Condition\": {\"StringEquals\": {\"lambda:FunctionUrlAuthType\": \"NONE\"}, \"Bool\": {\"lambda:InvokedViaFunctionUrl\": \"true\"}}, \"Sid\": \"place-page-"#,
            ),
        ),
        // The network interface of a NAT gateway stays for ever.
        (
            When::After("DeleteNatGateway", "DescribeNetworkInterfaces"),
            Fault::Answer(NO_INTERFACES),
        ),
        // It has no serverless caches, and answers an internal error.
        (
            When::Operation("DescribeServerlessCaches"),
            Fault::Answer(NO_SERVERLESS),
        ),
        // It makes one node whatever `NumCacheClusters` says.
        (
            When::Operation("CreateReplicationGroup"),
            Fault::Add("&ReplicasPerNodeGroup=2"),
        ),
        // A group that was deleted is `deleting` for ever.
        (
            When::After("DeleteReplicationGroup", "DescribeReplicationGroups"),
            Fault::Answer(NO_GROUPS),
        ),
        // It can't delete a subnet group.
        (
            When::Operation("DeleteCacheSubnetGroup"),
            Fault::Answer(SUBNET_GROUP_DELETED),
        ),
        (
            When::After("DeleteCacheSubnetGroup", "DescribeCacheSubnetGroups"),
            Fault::Answer(NO_SUBNET_GROUPS),
        ),
    ]
}

/// A running moto, killed on drop.
#[derive(Debug)]
pub struct Moto {
    proxy: Proxy,
    _server: Supervised,
    _directory: TempDir,
}

impl Moto {
    /// Starts it and waits until it answers.
    ///
    /// # Panics
    /// When it is not installed or doesn't come up; the message says what to do, or holds the end
    /// of its log.
    pub async fn start() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("place-moto-")
            .tempdir()
            .expect("a directory for moto");
        let port = free_port();
        let home = made(directory.path().join("moto"));
        let server = Supervised::start(&home, &command(&home, port));
        let started = Instant::now();
        while !is_up(port).await {
            let log = server.log_tail(20);
            assert!(
                started.elapsed() < START_DEADLINE,
                "moto did not come up in {START_DEADLINE:?}\n{log}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let proxy = Proxy::start(&format!("http://127.0.0.1:{port}"));
        for (operation, stand_in) in UNKNOWN {
            let when = When::Operation(operation);
            proxy.plan(when, usize::MAX, Fault::StandIn(stand_in));
        }
        for (when, fault) in amendments() {
            proxy.plan(when, usize::MAX, fault);
        }
        Self {
            proxy,
            _server: server,
            _directory: directory,
        }
    }

    /// Where it answers every AWS call.
    pub fn endpoint(&self) -> String {
        self.proxy.endpoint()
    }
}

async fn is_up(port: u16) -> bool {
    let answer = request(port, "GET", "/moto-api/data.json").await;
    answer.is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

fn command(home: &Path, port: u16) -> Command {
    let venv = format!("moto-{MOTO_VERSION}");
    let mut command = Command::new(installed("PLACE_TESTS_MOTO", &venv, "bin/moto_server"));
    command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
    command.env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true");
    command.env("TMPDIR", home);
    command
}
