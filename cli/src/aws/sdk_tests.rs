//! Tests of the clients against a scripted AWS.

use super::super::fake::{Fake, Nowhere};
use super::super::{Answer, Class};
use super::*;

const DENIED: &str = "<Response><Errors><Error><Code>UnauthorizedOperation</Code>\
    <Message>no</Message></Error></Errors><RequestID>r-2</RequestID></Response>";

const VPCS: &str = "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>";

#[test]
fn the_local_cloud_has_a_region_by_itself() {
    let local = Access {
        local: true,
        ..Access::default()
    };
    assert_eq!(region(&local).as_deref(), Some(LOCAL_REGION));
    let told = Access {
        region: Some("eu-west-1".to_owned()),
        ..local
    };
    assert_eq!(region(&told).as_deref(), Some("eu-west-1"));
    assert_eq!(region(&Access::default()), None);
}

#[test]
fn every_call_ends() {
    let limits = timeouts(ATTEMPT_LIMIT);
    assert!(limits.operation_timeout() >= limits.operation_attempt_timeout());
    let long = patient(Duration::from_mins(5));
    assert_eq!(long.operation_timeout(), Some(Duration::from_mins(5)));
    assert_eq!(long.connect_timeout(), limits.connect_timeout());
}

#[tokio::test]
async fn the_first_call_tells_whose_account_it_is() {
    let (_fake, aws) = Fake::connected(&[]).await;
    assert_eq!(aws.identity.account, "123456789012");
    assert_eq!(
        aws.arn("sqs", "queue"),
        "arn:aws:sqs:us-east-1:123456789012:queue"
    );
    assert_eq!(
        aws.iam_arn("role/place"),
        "arn:aws:iam::123456789012:role/place"
    );
}

#[tokio::test]
async fn refused_credentials_are_told_from_an_endpoint_that_is_not_there() {
    let body = "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>old</Message></Error>\
        <RequestId>r-1</RequestId></ErrorResponse>";
    let refused = Fake::start(&[(403, body)])
        .await
        .connect()
        .await
        .unwrap_err();
    assert!(
        matches!(refused, ConnectError::Credentials(_)),
        "{refused:?}"
    );

    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let endpoint = Some(format!("http://127.0.0.1:{port}"));
    let access = Access {
        endpoint,
        local: true,
        ..Access::default()
    };
    let dead = Aws::connect(&access, std::sync::Arc::new(Nowhere))
        .await
        .unwrap_err();
    assert!(matches!(dead, ConnectError::Unreachable { .. }), "{dead:?}");
    assert!(dead.to_string().contains("does not answer"));
}

#[tokio::test]
async fn an_answer_that_got_lost_is_asked_for_again_and_counted() {
    let (_fake, aws) = Fake::connected(&[(0, ""), (200, VPCS)]).await;
    aws.ec2.describe_vpcs().send().await.unwrap();
    assert_eq!(aws.calls.by_operation()["ec2:DescribeVpcs"], 2);
    assert_eq!(aws.calls.total(), 3);
}

#[tokio::test]
async fn a_denial_is_final_and_named() {
    let (fake, aws) = Fake::connected(&[(403, DENIED)]).await;
    let error = aws
        .ec2
        .describe_vpcs()
        .send()
        .await
        .during("ec2:DescribeVpcs")
        .unwrap_err();
    assert_eq!((error.class, error.refused), (Class::Denied, true));
    assert!(
        error
            .to_string()
            .starts_with("AWS said UnauthorizedOperation: no"),
        "{error}"
    );
    assert_eq!(fake.requests().len(), 2, "a denial is not tried again");
}

#[tokio::test]
async fn a_call_that_must_not_be_repeated_is_not() {
    let (fake, aws) = Fake::connected(&[(0, ""), (200, VPCS)]).await;
    let once = aws_sdk_ec2::config::Builder::new().retry_config(RetryConfig::disabled());
    let call = aws.ec2.allocate_address().customize().config_override(once);
    let error = call.send().await.during("ec2:AllocateAddress").unwrap_err();
    assert_eq!((error.class, error.refused), (Class::Unreachable, false));
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test]
async fn a_plain_page_that_says_too_many_is_asked_for_again() {
    let page = "<html>slow down</html>";
    let (_fake, aws) = Fake::connected(&[(429, page), (429, page), (200, VPCS)]).await;
    aws.ec2.describe_vpcs().send().await.unwrap();
    assert_eq!(aws.calls.by_operation()["ec2:DescribeVpcs"], 3);
}

/// EC2 answers what comes too often with 503, and has done nothing: no call is in doubt.
#[tokio::test]
async fn what_is_throttled_is_refused_whatever_its_status() {
    let once = || aws_sdk_ec2::config::Builder::new().retry_config(RetryConfig::disabled());
    for (code, class, refused) in [
        ("RequestLimitExceeded", Class::Throttled, true),
        ("InternalError", Class::Other, false),
    ] {
        let body = format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>m</Message></Error></Errors>\
             <RequestID>r</RequestID></Response>"
        );
        let (_fake, aws) = Fake::connected(&[(503, body.as_str())]).await;
        let call = aws
            .ec2
            .allocate_address()
            .customize()
            .config_override(once());
        let error = call.send().await.during("ec2:AllocateAddress").unwrap_err();
        assert_eq!((error.class, error.refused), (class, refused), "{error}");
    }
}

#[tokio::test]
async fn a_page_of_something_on_the_way_is_taken_by_its_status() {
    let once = || aws_sdk_ec2::config::Builder::new().retry_config(RetryConfig::disabled());
    for (status, class) in [
        (429, Class::Throttled),
        (503, Class::Other),
        (400, Class::Other),
    ] {
        let (_fake, aws) = Fake::connected(&[(status, "<html>no</html>")]).await;
        let call = aws.ec2.describe_vpcs().customize().config_override(once());
        let error = call.send().await.during("ec2:DescribeVpcs").unwrap_err();
        assert_eq!(error.class, class, "{error}");
    }
}
