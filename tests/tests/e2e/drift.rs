//! One change behind our back at a time: `status --check` names what differs and nothing else,
//! `up` puts it back, and then there is nothing left to do.

pub(crate) mod application;
mod deleted;
mod network;
mod rare;
mod settings;
mod tags;

use std::future::Future;
use std::pin::Pin;

use place_tests::inventory::difference;
use place_tests::{Sdk, inventory};
use serde_json::Value;

use crate::repair::{drifted, is_idle};
use crate::support::Standing;

type Changed = Pin<Box<dyn Future<Output = ()>>>;

/// What somebody does, how, and the keys of what then differs.
type Change = (&'static str, fn(Sdk) -> Changed, &'static [&'static str]);

/// Makes each change on one stack, which is answered; says all that went wrong.
async fn each_is_named_and_mended(changes: &[Change]) -> Standing {
    let stack = Standing::up().await;
    let operator = &stack.operator;
    let check = ["status", "--check", "-o", "json"];
    let mut wrong = Vec::new();
    for (name, change, keys) in changes {
        change(operator.sdk()).await;
        let status = operator.placectl().args(check).run().await;
        let (code, found) = (status.code, drifted(&status.json()));
        if code != Some(4) || found != *keys {
            let status = details(&status.json(), &found);
            wrong.push(format!("{name}: {code:?} instead of {keys:?}: {status}"));
        }
        let up = operator.placectl().args(["up"]).run().await;
        if up.code != Some(0) {
            wrong.push(format!("{name}: {up}"));
        } else if !is_idle(operator).await {
            wrong.push(format!("{name}: a second `up` finds something to do"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    stack
}

/// How each of `keys` differs.
fn details(status: &Value, keys: &[String]) -> String {
    let steps = status["steps"].as_array().unwrap().iter();
    let resources = steps.flat_map(|step| step["resources"].as_array().unwrap().iter());
    let named = resources.filter(|of| keys.iter().any(|key| of["key"] == key.as_str()));
    let lines = named.map(|of| format!("{} {}: {}", of["key"], of["state"], of["detail"]));
    lines.collect::<Vec<_>>().join(", ")
}

/// Changes of every kind that do not get in each other's way, all made before anything is mended.
pub(crate) async fn everything_at_once(sdk: &Sdk) {
    const APART: [&str; 4] = [
        "association moved",
        "cache closed",
        "functions shut in",
        "queue encrypted",
    ];
    const IN_THE_WAY: [&str; 3] = ["API deleted", "role deleted", "address of the page deleted"];
    let network = network::CHANGES.iter();
    let network = network.filter(|(name, _, _)| APART.contains(name));
    let application = application::CHANGES.iter();
    let application = application.filter(|(name, _, _)| !IN_THE_WAY.contains(name));
    for (_, change, _) in network.chain(application).chain(rare::CHANGES) {
        change(sdk.clone()).await;
    }
}

#[tokio::test]
async fn a_change_of_network_or_data_is_named_and_mended() {
    let _ = each_is_named_and_mended(network::CHANGES).await;
}

#[tokio::test]
async fn a_change_of_the_application_is_named_and_mended() {
    let stack = each_is_named_and_mended(application::CHANGES).await;
    a_stack_that_lost_its_tag_goes_all_the_same(&stack).await;
}

#[tokio::test]
async fn what_was_deleted_is_named_and_made_again() {
    let _ = each_is_named_and_mended(deleted::CHANGES).await;
}

#[tokio::test]
async fn a_rare_change_is_named_and_mended() {
    let _ = each_is_named_and_mended(rare::CHANGES).await;
}

#[tokio::test]
async fn a_changed_setting_is_named_and_mended() {
    let _ = each_is_named_and_mended(settings::CHANGES).await;
}

/// Nothing that costs money may stay behind because somebody took a tag off.
async fn a_stack_that_lost_its_tag_goes_all_the_same(stack: &Standing) {
    let sdk = stack.operator.sdk();
    tags::taken_off_network_and_data(sdk.clone()).await;
    tags::taken_off_application(sdk.clone()).await;
    stack.operator.teardown().await;
    let after = inventory(&sdk).await;
    assert_eq!(difference(&stack.before, &after), Vec::<String>::new());
}
