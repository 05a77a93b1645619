//! The seven steps as one table.

use std::sync::Arc;

use super::{Stack, api, cache, canvas, functions, queues, schedule, tables, vpc};
use crate::engine::Resource;

/// Every resource of a stack, in the order of the steps.
pub(crate) fn plan(stack: &Arc<Stack>) -> Vec<Arc<dyn Resource>> {
    let steps = [
        vpc::resources,       // step 1
        cache::resources,     // step 2
        api::resources,       // step 3
        functions::resources, // step 4
        queues::resources,    // step 5
        tables::resources,    // step 6
        schedule::resources,  // step 7
        canvas::resources,    // what they are for
    ];
    steps
        .iter()
        .flat_map(|resources| resources(stack))
        .collect()
}
