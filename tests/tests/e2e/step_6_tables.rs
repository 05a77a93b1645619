//! Step 6: the database.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{BillingMode, TableClass, TableDescription, TableStatus};
use place_canvas::Position;
use place_canvas::tables::{Change, Current};
use place_tests::Sdk;

use crate::support::{my_turn, pixel, shared};

async fn table(sdk: &Sdk, name: &str) -> TableDescription {
    let answer = sdk
        .dynamodb
        .describe_table()
        .table_name(name)
        .send()
        .await
        .unwrap();
    answer.table().unwrap().clone()
}

/// Attribute names of the key and what each is: `HASH` or `RANGE`.
fn key(table: &TableDescription) -> BTreeMap<&str, &str> {
    table
        .key_schema()
        .iter()
        .map(|k| (k.attribute_name(), k.key_type().as_str()))
        .collect()
}

fn class(table: &TableDescription) -> Option<&TableClass> {
    // A table that says nothing has the standard class.
    table
        .table_class_summary()
        .and_then(|summary| summary.table_class())
}

fn is_on_demand(table: &TableDescription) -> bool {
    let mode = table
        .billing_mode_summary()
        .and_then(|summary| summary.billing_mode());
    mode == Some(&BillingMode::PayPerRequest)
}

#[tokio::test]
async fn row_6_1_current_pixels() {
    let table = table(&shared().await.operator.sdk(), "mru_pixels").await;
    assert_eq!(table.table_status(), Some(&TableStatus::Active));
    assert_eq!(key(&table), BTreeMap::from([("pixel", "HASH")]));
    assert!(class(&table).is_none_or(|class| *class == TableClass::Standard));
    assert!(is_on_demand(&table));
}

#[tokio::test]
async fn row_6_1_history_of_pixels() {
    let table = table(&shared().await.operator.sdk(), "pixel_history").await;
    assert_eq!(table.table_status(), Some(&TableStatus::Active));
    assert_eq!(
        key(&table),
        BTreeMap::from([("pixel", "HASH"), ("t", "RANGE")])
    );
    assert_eq!(class(&table), Some(&TableClass::StandardInfrequentAccess));
    assert!(is_on_demand(&table));
}

#[tokio::test]
async fn row_6_1_journal() {
    let table = table(&shared().await.operator.sdk(), "place_journal").await;
    assert_eq!(table.table_status(), Some(&TableStatus::Active));
    assert_eq!(
        key(&table),
        BTreeMap::from([("hour", "HASH"), ("positions", "RANGE")])
    );
    assert!(is_on_demand(&table));
}

/// More rows than one call of either kind takes.
#[tokio::test]
async fn row_6_2_get_and_post_in_batches() {
    let (stack, _turn) = my_turn().await;
    let tables = stack.operator.tables();
    let at: Position = "1-1".parse().unwrap();
    let pixels: Vec<_> = (0..130)
        .map(|n| pixel(n % 64, 40 + n / 64, [7, 8, 9]))
        .collect();
    let rows: Vec<_> = pixels.iter().map(|&pixel| Current { pixel, at }).collect();
    let counts = tables.post_pixels(&rows).await.unwrap();
    assert_eq!((counts.rows, counts.calls), (130, 6));
    let places: Vec<_> = pixels.iter().map(|p| (p.x, p.y)).collect();
    let found = tables.get(&places).await.unwrap();
    assert_eq!(found.len(), 130);
    assert!(found.values().all(|current| current.at == at));
}

#[tokio::test]
async fn row_6_2_the_same_change_twice_is_one_row() {
    let (stack, _turn) = my_turn().await;
    let tables = stack.operator.tables();
    let at: Position = "2-7".parse().unwrap();
    let change = Change {
        at,
        index: 3,
        pixel: pixel(63, 47, [1, 2, 3]),
        by: "somebody=".into(),
        player: "1f".into(),
        source: "2e".into(),
    };
    for _ in 0..2 {
        tables
            .post_changes(std::slice::from_ref(&change))
            .await
            .unwrap();
    }
    let rows = tables.history_of(63, 47, None).await.unwrap();
    let ours: Vec<_> = rows.iter().filter(|row| row.at == at).collect();
    assert_eq!(ours.len(), 1, "{rows:?}");
    assert_eq!((ours[0].index, ours[0].by.as_str()), (3, "somebody="));
}

/// Row 6.3 is the save function: row 4.6 proves what it moves, row 7.1 that it runs by itself.
#[tokio::test]
async fn row_6_3_a_save_writes_in_batches() {
    let (stack, _turn) = my_turn().await;
    let operator = &stack.operator;
    let _ = operator.placectl().args(["save"]).succeed().await;
    let mut client = operator.join().await;
    let message: Vec<_> = (0..60u8)
        .map(|x| pixel(x.into(), 12, [x, 1, 200]))
        .collect();
    client.paint(&message).await;
    client.sees(message[59]).await;
    let save = operator
        .placectl()
        .args(["save", "-o", "json"])
        .succeed()
        .await
        .json();
    assert_eq!(
        (&save["changes"], &save["pixels"]),
        (&60.into(), &60.into())
    );
    let places: Vec<_> = message.iter().map(|p| (p.x, p.y)).collect();
    let rows = operator.tables().get(&places).await.unwrap();
    assert_eq!(rows.len(), 60);
    assert!(message.iter().all(|p| rows[&(p.x, p.y)].pixel == *p));
}
