//! AWS's own clients at an emulator: how the tests look at what `placectl` did.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;

use crate::cloud::REGION;
use crate::key::{key, password};

/// Clients of every service that a stack uses.
#[derive(Clone, Debug)]
pub struct Sdk {
    /// API Gateway v2.
    pub api: aws_sdk_apigatewayv2::Client,
    /// DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// EC2.
    pub ec2: aws_sdk_ec2::Client,
    /// ElastiCache.
    pub elasticache: aws_sdk_elasticache::Client,
    /// IAM.
    pub iam: aws_sdk_iam::Client,
    /// Lambda.
    pub lambda: aws_sdk_lambda::Client,
    /// CloudWatch Logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// EventBridge Scheduler.
    pub scheduler: aws_sdk_scheduler::Client,
    /// SQS.
    pub sqs: aws_sdk_sqs::Client,
}

impl Sdk {
    /// Clients that send every call to `endpoint`. To be made anew in each test: connections
    /// belong to the runtime that opened them.
    pub fn new(endpoint: &str) -> Self {
        let config = config(endpoint);
        Self {
            api: aws_sdk_apigatewayv2::Client::new(&config),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            ec2: aws_sdk_ec2::Client::new(&config),
            elasticache: aws_sdk_elasticache::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            lambda: aws_sdk_lambda::Client::new(&config),
            logs: aws_sdk_cloudwatchlogs::Client::new(&config),
            scheduler: aws_sdk_scheduler::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
        }
    }
}

fn config(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new(key(), password(), None, None, "tests");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(Builder::new().build_http())
        .build()
}
