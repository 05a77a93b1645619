//! Clients that reach nothing, for tests of what a plan looks like.

use aws_config::{BehaviorVersion, Region, SdkConfig};

use super::account::Identity;
use super::calls::Calls;
use super::sdk::Aws;

impl Aws {
    /// Clients without credentials and without a network.
    pub(crate) fn offline() -> Self {
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .build();
        Self {
            identity: Identity {
                account: "123456789012".to_owned(),
                partition: "aws".to_owned(),
                arn: "arn:aws:iam::123456789012:user/ann".to_owned(),
            },
            region: "us-east-1".to_owned(),
            endpoint: None,
            local: false,
            calls: Calls::default(),
            ec2: aws_sdk_ec2::Client::new(&sdk),
            elasticache: aws_sdk_elasticache::Client::new(&sdk),
            apigatewayv2: aws_sdk_apigatewayv2::Client::new(&sdk),
            lambda: aws_sdk_lambda::Client::new(&sdk),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            dynamodb: aws_sdk_dynamodb::Client::new(&sdk),
            scheduler: aws_sdk_scheduler::Client::new(&sdk),
            iam: aws_sdk_iam::Client::new(&sdk),
            logs: aws_sdk_cloudwatchlogs::Client::new(&sdk),
        }
    }
}
