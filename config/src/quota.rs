//! What API Gateway lets an account have in a region.

use crate::stack::BroadcastConfig;

/// Requests a second, messages of clients and posts to them together, in most regions
/// ([Amazon API Gateway quotas](https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html)).
const REQUESTS: u32 = 10_000;

/// The same in [`SMALL_REGIONS`].
const REQUESTS_IN_SMALL_REGIONS: u32 = 2500;

/// Regions with a smaller default, by the same source.
const SMALL_REGIONS: [&str; 13] = [
    "af-south-1",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "mx-central-1",
];

/// Requests a second that an account has by default in `region`.
#[must_use]
pub fn requests_per_second(region: &str) -> u32 {
    if SMALL_REGIONS.contains(&region) {
        REQUESTS_IN_SMALL_REGIONS
    } else {
        REQUESTS
    }
}

impl BroadcastConfig {
    /// Posts a second that all loops together may make in `region`: half of the account's default
    /// where nothing is configured, so that paints keep the other half.
    #[must_use]
    pub fn posts_per_second(&self, region: &str) -> u32 {
        let half = requests_per_second(region) / 2;
        self.max_posts_per_second.unwrap_or(half)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posts_leave_half_of_the_region_s_requests_to_paints_unless_told_otherwise() {
        let mut config = BroadcastConfig::default();
        assert_eq!(config.posts_per_second("eu-west-1"), 5000);
        assert_eq!(config.posts_per_second("eu-south-2"), 1250);
        config.max_posts_per_second = Some(9000);
        assert_eq!(config.posts_per_second("eu-south-2"), 9000);
    }
}
