//! Several stacks of one account and region: none touches what is another's (design, invariant 4).

use place_config::stack::VpcMode;
use place_tests::inventory::difference;
use place_tests::{LocalCloud, Operator, Proxy, Sdk, inventory, portrait};

use crate::repair::is_idle;

/// The second one's name begins like the first's.
#[tokio::test]
async fn of_two_stacks_side_by_side_one_goes_and_the_other_stays() {
    let cloud = LocalCloud::start().await;
    let first = Operator::with(&cloud, |config| config.stack = "test".to_owned());
    let second = Operator::with(&cloud, |config| {
        config.stack = "test2".to_owned();
        config.vpc.mode = VpcMode::Dedicated;
        config.vpc.cidr = "10.20.0.0/16".to_owned();
    });
    let empty = inventory(&first.sdk()).await;
    second.up().await;
    let second_alone = inventory(&first.sdk()).await;
    first.up().await;
    first.teardown().await;
    let after = inventory(&first.sdk()).await;
    assert_eq!(difference(&second_alone, &after), Vec::<String>::new());
    assert!(is_idle(&second).await);
    second.join().await.close().await;
    // Its VPC goes with it.
    second.teardown().await;
    let after = inventory(&first.sdk()).await;
    assert_eq!(difference(&empty, &after), Vec::<String>::new());
}

/// A subnet has one route table, so the default VPC's three carry one stack. No word lets a second
/// one take them from the first; once they are free again they are anybody's.
#[tokio::test]
async fn a_second_stack_in_the_default_vpc_is_refused_before_its_first_change() {
    let cloud = LocalCloud::start().await;
    let proxy = Proxy::start(&cloud.endpoint());
    let first = Operator::with(&cloud, |config| config.stack = "test".to_owned());
    let second = Operator::with(&cloud, |config| {
        config.stack = "test2".to_owned();
        config.endpoints.aws = Some(proxy.endpoint());
    });
    let sdk = Sdk::new(&cloud.endpoint());
    let empty = inventory(&sdk).await;
    first.up().await;
    let alone = portrait(&sdk).await;
    for words in [&["up"][..], &["up", "--adopt", "--allow-shared-vpc"]] {
        let up = second.placectl().args(words).run().await.expect_code(1);
        for said in [
            "subnet-00000001",
            "subnet-00000002",
            "subnet-00000003",
            "stack `test`",
            "vpc.mode = \"dedicated\"",
        ] {
            assert!(up.stderr.contains(said), "`{said}` in {up}");
        }
        assert_eq!(proxy.changes(), Vec::<String>::new(), "{up}");
    }
    // Neither the refused run nor what is to clean up after it has touched the first.
    second.teardown().await;
    assert_eq!(
        difference(&alone, &portrait(&sdk).await),
        Vec::<String>::new()
    );
    assert!(is_idle(&first).await);
    first.join().await.close().await;
    first.teardown().await;
    second.up().await;
    assert!(is_idle(&second).await);
    second.teardown().await;
    let after = inventory(&sdk).await;
    assert_eq!(difference(&empty, &after), Vec::<String>::new());
}
