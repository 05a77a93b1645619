//! Associations that EC2 failed to make.

use super::network::{tables, tag_set, with_vpc};
use super::*;

const KEY: &str = "association:public";
const LOOK: &str = "DescribeRouteTables";

/// The stack's public table, and its association with the public subnet if it is in any `state`.
fn answered(id: &str, state: Option<&str>) -> String {
    let association = state.map_or_else(String::new, |state| {
        format!(
            "<item><routeTableAssociationId>{id}</routeTableAssociationId>\
             <subnetId>subnet-a</subnetId><associationState><state>{state}</state>\
             <statusMessage>no capacity</statusMessage></associationState></item>"
        )
    });
    let tags = tag_set("route-table:public");
    tables(&[format!(
        "<item><routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId>\
         <associationSet>{association}</associationSet>{tags}</item>"
    )])
}

fn with_table(script: &Script) -> Arc<Stack> {
    let stack = with_vpc(script);
    stack.found.public_table.set("rtb-1".to_owned());
    stack
}

fn dropped_and_made(script: Script) -> Script {
    script
        .answer(
            "DisassociateRouteTable",
            200,
            "<DisassociateRouteTableResponse/>",
        )
        .answer(
            "AssociateRouteTable",
            200,
            "<AssociateRouteTableResponse><associationId>assoc-2</associationId>\
             </AssociateRouteTableResponse>",
        )
}

#[tokio::test(start_paused = true)]
async fn an_association_that_failed_is_taken_away_and_made_anew() {
    let script = Script::default()
        // When it is looked for, when it is dropped, and while it goes.
        .answer(LOOK, 200, &answered("assoc-1", Some("failed")))
        .answer(LOOK, 200, &answered("assoc-1", Some("failed")))
        .answer(LOOK, 200, &answered("assoc-1", Some("failed")))
        .answer(LOOK, 200, &answered("assoc-1", Some("disassociating")))
        .answer(LOOK, 200, &answered("", None))
        // Before it is made.
        .answer(LOOK, 200, &answered("", None))
        .always(LOOK, 200, &answered("assoc-2", Some("associated")));
    let script = dropped_and_made(script);
    let stack = with_table(&script);
    let observed = resource(&stack, KEY).observe().await.unwrap();
    let detail = observed.detail().unwrap();
    assert!(detail.contains("no capacity"), "{detail}");
    ensure(&stack, KEY, observed).await.unwrap();
    assert_eq!(script.left(), 0);
    let dropped = script.bodies("DisassociateRouteTable").concat();
    assert!(dropped.contains("AssociationId=assoc-1"), "{dropped}");
}

#[tokio::test(start_paused = true)]
async fn an_association_that_fails_says_why_at_once() {
    let began = tokio::time::Instant::now();
    let script = Script::default()
        .answer(LOOK, 200, &answered("", None))
        .answer(LOOK, 200, &answered("", None))
        .always(LOOK, 200, &answered("assoc-2", Some("failed")))
        .answer("AssociateRouteTable", 200, "<AssociateRouteTableResponse/>");
    let failure = ensure(&with_table(&script), KEY, Observed::Absent)
        .await
        .unwrap_err();
    let cause = failure.cause.unwrap().to_string();
    assert!(cause.contains("no capacity"), "{cause}");
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}
