//! Everything that the emulator holds, as sorted lines, to compare before and after.

mod application;
mod data;
mod network;

use crate::sdk::Sdk;

/// Every resource of every service that a stack uses, one a line with what an operator would
/// miss if it changed: `ec2 route rtb-1: 0.0.0.0/0 -> igw-1`.
///
/// # Panics
/// When a service doesn't answer.
pub async fn inventory(sdk: &Sdk) -> Vec<String> {
    let (mut lines, application, data) = tokio::join!(
        Box::pin(network::lines(sdk)),
        Box::pin(application::lines(sdk)),
        Box::pin(data::lines(sdk)),
    );
    lines.extend(application);
    lines.extend(data);
    lines.sort();
    lines
}

/// What two inventories don't share: `- ` only before, `+ ` only after. Empty when they are equal.
pub fn difference(before: &[String], after: &[String]) -> Vec<String> {
    let gone = before
        .iter()
        .filter(|line| !after.contains(line))
        .map(|line| format!("- {line}"));
    let new = after
        .iter()
        .filter(|line| !before.contains(line))
        .map(|line| format!("+ {line}"));
    gone.chain(new).collect()
}
