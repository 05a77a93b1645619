//! With permissions enforced: everything works with just what our policies allow, and without any
//! one permission something is refused, and says so.

mod commands;
mod deeds;
mod missing;
mod roles;

use place_tests::{LocalCloud, Operator, Placectl};

use crate::support::red;

/// The emulator asks for every call whether its caller may make it.
async fn strict() -> LocalCloud {
    LocalCloud::start_with(&[("AUTH", "true")]).await
}

/// A canvas that people join, paint on, and that is saved, looked at with `placectl`.
async fn works(operator: &Operator, placectl: impl Fn() -> Placectl) {
    let mut client = operator.join().await;
    let mut other = operator.join().await;
    client.paint(&[red(7, 8)]).await;
    other.sees(red(7, 8)).await;
    let _ = placectl().args(["save"]).succeed().await;
    let rows = operator.tables().get(&[(7, 8)]).await.unwrap();
    assert_eq!(rows[&(7, 8)].pixel, red(7, 8));
    let listed = placectl().args(["clients", "list", "-o", "json"]);
    let listed = listed.succeed().await.json();
    let listed = listed.as_array().unwrap();
    // One that left a moment ago may still be listed, and nobody knows more of it.
    let known = listed.iter().filter(|c| c["connected_at"].is_string());
    assert!(known.count() >= 2, "{listed:?}");
}
