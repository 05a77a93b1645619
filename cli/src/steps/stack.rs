//! A stack in an account: its configuration, its names, the clients, and what was found of it.

use std::sync::Arc;

use place_config::{Names, StackConfig};

use super::found::Found;
use super::functions::Artifacts;
use super::lookup::Lookup;
use crate::aws::{Access, Aws, ConnectError, Ownership};
use crate::engine::event::SharedSink;

/// What the operator allowed for this run.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Take over what has our names but not our tag.
    pub(crate) adopt: bool,
    /// Re-route default subnets that other people's network interfaces are in.
    pub(crate) allow_shared_vpc: bool,
    /// Replace what can't be changed in place.
    pub(crate) replace: bool,
    /// Enlarge the canvas to the configured size.
    pub(crate) resize: bool,
}

/// Looks that several resources share.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    /// Subnets of the VPC.
    pub(crate) subnets: Lookup<Vec<aws_sdk_ec2::types::Subnet>>,
    /// The region's availability zones.
    pub(crate) zones: Lookup<Vec<aws_sdk_ec2::types::AvailabilityZone>>,
    /// Route tables of the VPC.
    pub(crate) route_tables: Lookup<Vec<aws_sdk_ec2::types::RouteTable>>,
    /// Security groups with the stack's names, in any VPC.
    pub(crate) security_groups: Lookup<Vec<aws_sdk_ec2::types::SecurityGroup>>,
}

/// A stack, shared by all its resources.
#[derive(Debug)]
pub(crate) struct Stack {
    /// What is wanted.
    pub(crate) config: StackConfig,
    /// Names of everything.
    pub(crate) names: Names,
    /// The clients.
    pub(crate) aws: Aws,
    /// The stack's tags.
    pub(crate) ownership: Ownership,
    /// What the operator allowed.
    pub(crate) options: Options,
    /// What resources leave for each other.
    pub(crate) found: Found,
    /// Looks that resources share.
    pub(crate) lookups: Lookups,
    /// The handlers' binaries.
    pub(crate) artifacts: Artifacts,
}

impl Stack {
    /// Connects to AWS for the stack that `config` describes.
    pub(crate) async fn load(
        config: StackConfig,
        access: &Access,
        options: Options,
        sink: SharedSink,
    ) -> Result<Arc<Self>, ConnectError> {
        let aws = Aws::connect(access, sink).await?;
        Ok(Arc::new(Self::new(config, aws, options)))
    }

    /// The stack that `config` describes, through clients that are there already.
    pub(crate) fn new(config: StackConfig, aws: Aws, options: Options) -> Self {
        Self {
            names: Names::new(&config, &aws.region),
            ownership: Ownership::new(&config.stack),
            artifacts: Artifacts::new(&config.functions.artifacts, aws.local),
            config,
            aws,
            options,
            found: Found::default(),
            lookups: Lookups::default(),
        }
    }

    /// Whether the stack is on the local cloud.
    pub(crate) const fn is_local(&self) -> bool {
        self.aws.local
    }
}
