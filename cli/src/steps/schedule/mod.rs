//! Step 7: the schedule that saves every minute, in a group of its own.

mod group;
mod recurring;

use std::sync::Arc;

use super::functions::{Holder, Role};
use super::{Slot, Stack};
use crate::engine::{Resource, ResourceKey};

use group::ScheduleGroup;
use recurring::Schedule;

/// The schedule group. Only groups can be tagged, so it is what makes the schedule ours.
pub(crate) const GROUP_KEY: ResourceKey = ResourceKey::new("schedule-group");

/// The schedule.
pub(crate) const KEY: ResourceKey = ResourceKey::new("schedule");

/// Set while the schedule group is there and ours.
type GroupIsOurs = Arc<Slot<()>>;

/// The resources of step 7.
pub(crate) fn resources(stack: &Arc<Stack>) -> Vec<Arc<dyn Resource>> {
    let group_is_ours = GroupIsOurs::default();
    vec![
        Role::new(stack, Holder::Scheduler),
        ScheduleGroup::new(stack, &group_is_ours),
        Schedule::new(stack, &group_is_ours),
    ]
}
