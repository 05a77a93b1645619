//! A serverless cache: TLS and the cluster protocol always, a cap on storage and on processing.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_elasticache::types::{
    CacheUsageLimits, DataStorage, DataStorageUnit, EcpuPerSecond, ServerlessCache,
};

use super::super::drift::Drift;
use super::super::{Stack, keys};
use super::mode::{Found, Mode, State, Times, compare_ids, description, endpoint};
use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::outcome::Difference;

/// `CreateServerlessCache` and its kin.
pub(super) struct Serverless;

const SECURITY_GROUPS: &str = "SecurityGroupIds";
const VERSION: &str = "MajorEngineVersion";

#[async_trait(?Send)]
impl Mode for Serverless {
    fn kind(&self) -> &'static str {
        "serverless cache"
    }

    fn times(&self) -> Times {
        Times {
            usual: (60, 300),
            limit: Duration::from_mins(40),
        }
    }

    async fn find(&self, stack: &Stack) -> Result<Option<Found>, AwsError> {
        let call = stack.aws.elasticache.describe_serverless_caches();
        let answer = call.serverless_cache_name(stack.names.cache()).send().await;
        let answer = answer
            .during("elasticache:DescribeServerlessCaches")
            .absent_as_none()?;
        let caches = answer
            .and_then(|answer| answer.serverless_caches)
            .unwrap_or_default();
        Ok(caches.first().map(|cache| found(stack, cache)))
    }

    async fn create(&self, stack: &Stack) -> Result<(), AwsError> {
        let config = &stack.config.redis;
        let call = stack.aws.elasticache.create_serverless_cache();
        let call = call.serverless_cache_name(stack.names.cache());
        let call = call.description(description(stack));
        let call = call
            .engine(config.engine.as_str())
            .major_engine_version(&config.engine_version);
        let call = call.cache_usage_limits(limits(stack));
        let call = call.set_security_group_ids(security_groups(stack));
        let call = call.set_subnet_ids(subnets(stack));
        let call = call.set_tags(Some(stack.ownership.list(&keys::CACHE)));
        let answer = call
            .send()
            .await
            .during("elasticache:CreateServerlessCache");
        answer.exists_as_none().map(drop)
    }

    async fn modify(&self, stack: &Stack, differences: &[Difference]) -> Result<(), AwsError> {
        let differs = |attribute| differences.iter().any(|d| d.attribute == attribute);
        let call = stack.aws.elasticache.modify_serverless_cache();
        let mut call = call.serverless_cache_name(stack.names.cache());
        if differs(SECURITY_GROUPS) {
            call = call.set_security_group_ids(security_groups(stack));
        }
        if differs(VERSION) {
            call = call.engine(stack.config.redis.engine.as_str());
            call = call.major_engine_version(&stack.config.redis.engine_version);
        }
        if differs("DataStorage.Maximum") || differs("ECPUPerSecond.Maximum") {
            call = call.cache_usage_limits(limits(stack));
        }
        call.send()
            .await
            .during("elasticache:ModifyServerlessCache")
            .map(drop)
    }

    async fn delete(&self, stack: &Stack) -> Result<(), AwsError> {
        let call = stack.aws.elasticache.delete_serverless_cache();
        let answer = call.serverless_cache_name(stack.names.cache()).send().await;
        answer
            .during("elasticache:DeleteServerlessCache")
            .absent_as_none()
            .map(drop)
    }
}

fn found(stack: &Stack, cache: &ServerlessCache) -> Found {
    let name = format!("serverlesscache:{}", stack.names.cache());
    Found {
        arn: cache
            .arn
            .clone()
            .unwrap_or_else(|| stack.aws.arn("elasticache", &name)),
        description: cache.description().unwrap_or_default().to_owned(),
        state: State::of(cache.status()),
        endpoint: endpoint(stack, cache.endpoint(), true),
        differences: differences(stack, cache),
    }
}

fn differences(stack: &Stack, cache: &ServerlessCache) -> Vec<Difference> {
    let config = &stack.config.redis;
    let mut drift = Drift::default();
    if cache.engine() != Some(config.engine.as_str()) {
        let engine = cache.engine().unwrap_or_default();
        let difference = Difference::new("Engine", engine, config.engine.as_str());
        drift.note(difference.needs_replacement());
    }
    let found = cache.major_engine_version().unwrap_or_default();
    drift.note_all(version(found, &config.engine_version));
    let [storage, processing] = maxima(cache.cache_usage_limits());
    drift.compare("DataStorage.Maximum", storage, config.max_storage_gb);
    drift.compare(
        "ECPUPerSecond.Maximum",
        processing,
        config.max_ecpu_per_second,
    );
    let groups = cache.security_group_ids().to_vec();
    drift.note_all(compare_ids(SECURITY_GROUPS, groups, security_groups(stack)));
    let moved = compare_ids("SubnetIds", cache.subnet_ids().to_vec(), subnets(stack));
    drift.note_all(moved.map(Difference::needs_replacement));
    drift.into_differences()
}

/// ElastiCache raises a version in place, and never lowers one.
fn version(found: &str, wanted: &str) -> Option<Difference> {
    if found == wanted {
        return None;
    }
    let difference = Difference::new(VERSION, found, wanted);
    let number = |version: &str| version.parse::<u32>().ok();
    let raised = number(found) < number(wanted);
    Some(if raised {
        difference
    } else {
        difference.needs_replacement()
    })
}

fn maxima(limits: Option<&CacheUsageLimits>) -> [i32; 2] {
    let storage = limits.and_then(|limits| limits.data_storage()?.maximum());
    let processing = limits.and_then(|limits| limits.ecpu_per_second()?.maximum());
    [storage, processing].map(Option::unwrap_or_default)
}

fn limits(stack: &Stack) -> CacheUsageLimits {
    let whole = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let config = &stack.config.redis;
    let storage = DataStorage::builder().unit(DataStorageUnit::Gb);
    let storage = storage.maximum(whole(config.max_storage_gb)).build();
    let processing = EcpuPerSecond::builder()
        .maximum(whole(config.max_ecpu_per_second))
        .build();
    CacheUsageLimits::builder()
        .data_storage(storage)
        .ecpu_per_second(processing)
        .build()
}

fn security_groups(stack: &Stack) -> Option<Vec<String>> {
    stack.found.cache_group.get().map(|group| vec![group])
}

fn subnets(stack: &Stack) -> Option<Vec<String>> {
    stack.found.subnet_ids().map(Vec::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_raised_in_place_and_lowered_by_replacement() {
        assert_eq!(version("7", "7"), None);
        assert!(!version("7", "8").unwrap().needs_replacement);
        assert!(version("8", "7").unwrap().needs_replacement);
    }

    #[test]
    fn no_limits_read_as_zero() {
        assert_eq!(maxima(None), [0, 0]);
    }
}
