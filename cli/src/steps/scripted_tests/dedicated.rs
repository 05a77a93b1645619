//! A stack with a VPC of its own.

use place_config::stack::VpcMode;

use super::super::Vpc;
use super::*;

/// A stack whose own VPC is there.
pub(super) fn dedicated(script: &Script) -> Arc<Stack> {
    let mut config = StackConfig::default();
    config.vpc.mode = VpcMode::Dedicated;
    let [id, cidr] = ["vpc-1".to_owned(), config.vpc.cidr.clone()];
    let stack = script.stack_of(config, Options::default());
    stack.found.vpc.set(Vpc { id, cidr });
    stack
}
