//! In which order the real plan is taken down. AWS has no part in it: each removal only takes time.

use std::collections::BTreeMap;
use std::time::Duration;

use place_config::Queue;
use place_config::stack::{RedisMode, VpcMode};

use super::super::functions::{Holder, event_source_key, role_key};
use super::super::tables::{self, Content};
use super::super::{keys, on_paper, schedule};
use super::*;
use crate::aws::Aws;
use crate::engine::{Begun, ResourceKey, Spared, Verdict};

/// What every removal takes.
const MOMENT: Duration = Duration::from_secs(1);

/// Far longer than all removals one after the other.
const HOUR: Duration = Duration::from_hours(1);

fn stack(cache: RedisMode, vpc: VpcMode) -> Arc<Stack> {
    let mut config = StackConfig::default();
    config.redis.mode = cache;
    config.vpc.mode = vpc;
    Arc::new(Stack::new(config, Aws::offline(), Options::default()))
}

/// A stack of each kind.
fn stacks() -> Vec<Arc<Stack>> {
    let caches = [RedisMode::Serverless, RedisMode::ReplicationGroup].into_iter();
    let all = caches.flat_map(|cache| [(cache, VpcMode::Default), (cache, VpcMode::Dedicated)]);
    all.map(|(cache, vpc)| stack(cache, vpc)).collect()
}

/// Takes the plan down with the engine, where `slow` takes an hour, and answers when each removal
/// began.
async fn take_down(
    stack: &Arc<Stack>,
    slow: Option<&ResourceKey>,
) -> BTreeMap<ResourceKey, Duration> {
    let takes = |resource: &dyn Resource| {
        if slow == Some(&resource.key()) {
            HOUR
        } else {
            MOMENT
        }
    };
    let (runner, beginnings) = on_paper::runner(stack, true, takes);
    let survey = runner.survey().await;
    let report = runner.teardown(&survey, Spared::default(), Begun::default());
    assert_eq!(report.await.verdict, Verdict::Done);
    let beginnings = beginnings.lock().unwrap();
    beginnings.clone()
}

/// What waits until `slow` is gone.
async fn held_up_by(stack: &Arc<Stack>, slow: &ResourceKey) -> Vec<ResourceKey> {
    let beginnings = take_down(stack, Some(slow)).await;
    assert!(beginnings.contains_key(slow), "{slow} is not in the plan");
    let held = beginnings.into_iter().filter(|(_, began)| *began >= HOUR);
    held.map(|(key, _)| key).collect()
}

/// Fails unless `later` waits for `earlier` to be gone.
async fn goes_after(stack: &Arc<Stack>, later: &ResourceKey, earlier: &ResourceKey) {
    let held = held_up_by(stack, earlier).await;
    assert!(held.contains(later), "{later} does not wait for {earlier}");
}

/// They are paid for by the hour, and an API takes clients in for as long as it is there.
#[tokio::test(start_paused = true)]
async fn the_cache_the_nat_gateway_and_the_api_go_at_once() {
    for stack in stacks() {
        let beginnings = take_down(&stack, None).await;
        for key in [keys::CACHE, keys::NAT_GATEWAY, api::KEY] {
            assert_eq!(beginnings[&key], Duration::ZERO, "{key}");
        }
    }
}

/// EC2 refuses to release the address of a NAT gateway that is not deleted yet; it is paid for too.
#[tokio::test(start_paused = true)]
async fn of_what_costs_money_only_the_address_waits_and_that_for_nothing_but_the_nat_gateway() {
    for stack in stacks() {
        let billable = plan(&stack).into_iter().filter(|of| of.billable());
        let beginnings = take_down(&stack, None).await;
        let waits = billable.map(|of| of.key());
        let waits: Vec<_> = waits.filter(|key| !beginnings[key].is_zero()).collect();
        assert_eq!(waits, [keys::ADDRESS]);
        goes_after(&stack, &keys::ADDRESS, &keys::NAT_GATEWAY).await;
        assert_eq!(beginnings[&keys::ADDRESS], MOMENT);
    }
}

/// A message that is taken while its queue goes can't be given back.
#[tokio::test(start_paused = true)]
async fn a_queue_goes_after_its_event_source_mapping_and_its_dead_letters_after_it() {
    let stack = stack(RedisMode::Serverless, VpcMode::Default);
    let queues = Function::ALL
        .into_iter()
        .filter_map(|f| Some((f, f.queue()?)));
    let queues: Vec<(Function, Queue)> = queues.collect();
    assert_eq!(queues.len(), 2);
    for (function, queue) in queues {
        let source = event_source_key(function);
        goes_after(&stack, &keys::queue(queue), &source).await;
        goes_after(&stack, &keys::function(function), &source).await;
        let dead_letters = keys::dead_letter_queue(queue);
        goes_after(&stack, &dead_letters, &keys::queue(queue)).await;
    }
}

/// A schedule may fire once more while it is deleted, and DynamoDB takes writes to a table that is
/// being deleted.
#[tokio::test(start_paused = true)]
async fn the_tables_go_after_the_schedule_and_the_function_that_write_to_them() {
    let stack = stack(RedisMode::Serverless, VpcMode::Default);
    for content in Content::ALL {
        let table = tables::key(content);
        goes_after(&stack, &table, &schedule::KEY).await;
        goes_after(&stack, &table, &keys::function(Function::Save)).await;
    }
}

/// Lambda deletes a function's network interfaces with its role, the scheduler assumes its role
/// until the schedule is gone.
#[tokio::test(start_paused = true)]
async fn a_role_goes_last_of_all_and_holds_nothing_up() {
    for stack in stacks() {
        let held = held_up_by(&stack, &keys::INTERFACES).await;
        for function in Function::ALL {
            let role = role_key(Holder::Function(function));
            assert!(held.contains(&role), "{role} does not wait");
            goes_after(&stack, &role, &keys::function(function)).await;
            assert_eq!(held_up_by(&stack, &role).await, []);
        }
        let role = role_key(Holder::Scheduler);
        goes_after(&stack, &role, &schedule::KEY).await;
        assert_eq!(held_up_by(&stack, &role).await, []);
    }
}

/// A subnet is not deleted while a network interface is in it, a VPC not while anything is.
#[tokio::test(start_paused = true)]
async fn a_subnet_goes_after_what_has_interfaces_in_it_and_a_vpc_after_everything_in_it() {
    for cache in [RedisMode::Serverless, RedisMode::ReplicationGroup] {
        let stack = stack(cache, VpcMode::Dedicated);
        let [first, second] = keys::PRIVATE_SUBNETS;
        for subnet in [keys::PUBLIC_SUBNET, first.clone(), second.clone()] {
            goes_after(&stack, &subnet, &keys::CACHE).await;
            goes_after(&stack, &keys::VPC, &subnet).await;
        }
        for subnet in [first, second] {
            goes_after(&stack, &subnet, &keys::INTERFACES).await;
        }
        goes_after(&stack, &keys::PUBLIC_SUBNET, &keys::NAT_GATEWAY).await;
        goes_after(&stack, &keys::INTERNET_GATEWAY, &keys::NAT_GATEWAY).await;
        for inside in [
            keys::INTERNET_GATEWAY,
            keys::FUNCTION_GROUP,
            keys::CACHE_GROUP,
            keys::PUBLIC_TABLE,
            keys::PRIVATE_TABLE,
        ] {
            goes_after(&stack, &keys::VPC, &inside).await;
        }
    }
    let stack = stack(RedisMode::ReplicationGroup, VpcMode::Default);
    goes_after(&stack, &keys::CACHE_SUBNET_GROUP, &keys::CACHE).await;
}
