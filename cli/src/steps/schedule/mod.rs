//! Step 7: the schedule that saves every minute, in a group of its own.

mod group;
mod recurring;

use std::sync::Arc;

use super::functions::{Holder, Role};
use super::{Slot, Stack, lifecycle};
use crate::engine::{Resource, ResourceKey};

use group::ScheduleGroup;
use recurring::Schedule;

/// The schedule group. Only groups can be tagged, so it is what makes the schedule ours.
pub(crate) const GROUP_KEY: ResourceKey = ResourceKey::new("schedule-group");

/// The schedule.
pub(crate) const KEY: ResourceKey = super::keys::SCHEDULE;

/// Set while the schedule group is there and ours.
type GroupIsOurs = Arc<Slot<()>>;

/// The resources of step 7.
pub(crate) fn resources(stack: &Arc<Stack>) -> Vec<Arc<dyn Resource>> {
    let group_is_ours = GroupIsOurs::default();
    let group = ScheduleGroup {
        is_ours: Arc::clone(&group_is_ours),
    };
    vec![
        lifecycle::resource(stack, Role(Holder::Scheduler)),
        lifecycle::resource(stack, group),
        lifecycle::resource(stack, Schedule { group_is_ours }),
    ]
}
