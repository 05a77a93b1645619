//! Step 2: the cache, serverless or a replication group.

mod claim;
mod instance;
mod left_over;
mod making;
mod mend;
mod mode;
mod owner;
mod replication;
mod serverless;
mod subnet_group;

use std::sync::Arc;

use place_config::stack::RedisMode;

use super::{Stack, lifecycle};
use crate::engine::{Resource, Step};

use self::instance::Cache;
use self::subnet_group::SubnetGroup;

const STEP: Step = Step(2);

/// The resources of step 2.
pub(crate) fn resources(stack: &Arc<Stack>) -> Vec<Arc<dyn Resource>> {
    let cache: Arc<dyn Resource> = Arc::new(Cache::new(Arc::clone(stack)));
    match stack.config.redis.mode {
        RedisMode::Serverless => vec![cache],
        RedisMode::ReplicationGroup => {
            vec![lifecycle::resource(stack, SubnetGroup), cache]
        }
    }
}
