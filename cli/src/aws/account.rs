//! Whose account this is, and ARNs in it.

use aws_smithy_types::retry::RetryConfig;

use super::classify::{Answer, AwsError};

/// Attempts of the first call, the first included.
const ATTEMPTS: u32 = 3;

/// The caller, as STS knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Twelve-digit account id.
    pub(crate) account: String,
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub(crate) partition: String,
    /// The caller's own ARN.
    pub(crate) arn: String,
}

impl Identity {
    /// Asks STS. This call needs no permission at all, so it tests the credentials alone.
    pub(crate) async fn of_caller(sts: &aws_sdk_sts::Client) -> Result<Self, AwsError> {
        // Few attempts: who is offline, or names a dead endpoint, is to learn it at once.
        let few = RetryConfig::standard().with_max_attempts(ATTEMPTS);
        let few = aws_sdk_sts::config::Builder::new().retry_config(few);
        let call = sts.get_caller_identity().customize().config_override(few);
        let answer = call.send().await.during("sts:GetCallerIdentity")?;
        let arn = answer.arn.unwrap_or_default();
        Ok(Self {
            account: answer.account.unwrap_or_default(),
            partition: partition(&arn).to_owned(),
            arn,
        })
    }

    /// An ARN in this account: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`. Global services
    /// (IAM) have an empty region.
    pub(crate) fn resource_name(&self, service: &str, region: &str, resource: &str) -> String {
        let Self {
            partition, account, ..
        } = self;
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

fn partition(arn: &str) -> &str {
    arn.split(':')
        .nth(1)
        .filter(|part| !part.is_empty())
        .unwrap_or("aws")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partition_comes_from_the_caller() {
        assert_eq!(partition("arn:aws-cn:iam::123456789012:user/ann"), "aws-cn");
        assert_eq!(partition(""), "aws");
    }

    #[test]
    fn global_services_have_no_region() {
        let identity = Identity {
            account: "123456789012".to_owned(),
            partition: "aws".to_owned(),
            arn: String::new(),
        };
        assert_eq!(
            identity.resource_name("iam", "", "role/place-save"),
            "arn:aws:iam::123456789012:role/place-save"
        );
    }
}
