use serde_json::json;

use super::testing::{Failure, FakeDynamo};
use super::*;
use crate::entry::Entry;
use crate::pixel::{Pixel, Rgb};
use crate::position::Position;

fn current(x: u16, red: u8, n: u64) -> Current {
    Current {
        pixel: Pixel::new(x, 7, Rgb::new(red, 0, 9)),
        at: Position::new(100, n),
    }
}

fn entry(n: u64, pixels: u16) -> Entry {
    let pixel = |x| Pixel::new(x % 10, 3, Rgb::new(u8::try_from(n).unwrap(), 0, 0));
    let pixels = (0..pixels).map(pixel).collect();
    Entry {
        at: Position::new(100, n),
        pixels,
        by: format!("c{n}"),
        source: String::new(),
        player: String::new(),
    }
}

fn changes(entries: &[Entry]) -> Vec<Change> {
    entries.iter().flat_map(Change::of).collect()
}

#[tokio::test(start_paused = true)]
async fn rows_have_the_documented_attributes() {
    let dynamo = FakeDynamo::new();
    dynamo
        .tables()
        .post_pixels(&[current(5, 255, 2)])
        .await
        .unwrap();
    let row = json!({ "pixel": {"S": "5 7"}, "rgb": {"S": "255 0 9"}, "t": {"S": "100-2"} });
    assert_eq!(dynamo.rows("mru"), [row]);
    dynamo
        .tables()
        .post_changes(&changes(&[entry(3, 1)]))
        .await
        .unwrap();
    let row = json!({
        "pixel": {"S": "0 3"},
        "t": {"S": "00000000000000000100-00000000000000000003-00000"},
        "rgb": {"S": "3 0 0"},
        "by": {"S": "c3"},
        "u": {"S": ""},
        "i": {"S": ""},
    });
    assert_eq!(dynamo.rows("history"), [row]);
}

#[tokio::test(start_paused = true)]
async fn many_rows_go_out_in_full_batches_several_at_once() {
    let dynamo = FakeDynamo::new();
    let rows: Vec<_> = (0..1010).map(|x| current(x, 1, 1)).collect();
    let counts = dynamo
        .tables()
        .with_in_flight(8)
        .post_pixels(&rows)
        .await
        .unwrap();
    assert_eq!(
        counts,
        Counts {
            rows: 1010,
            calls: 41,
            ..Counts::default()
        }
    );
    assert_eq!((dynamo.rows("mru").len(), dynamo.calls()), (1010, 41));
    assert_eq!(dynamo.most_in_flight(), 8);
}

#[tokio::test(start_paused = true)]
async fn of_one_pixel_the_latest_position_is_written() {
    let dynamo = FakeDynamo::new();
    let rows = [
        current(1, 1, 5),
        current(1, 2, 9),
        current(1, 3, 7),
        current(2, 4, 1),
    ];
    let counts = dynamo.tables().post_pixels(&rows).await.unwrap();
    assert_eq!(counts.rows, 2);
    let found = dynamo
        .tables()
        .get(&[(1, 7), (2, 7), (1, 7), (3, 7)])
        .await
        .unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[&(1, 7)], rows[1]);
    assert_eq!(found[&(2, 7)], rows[3]);
}

#[tokio::test(start_paused = true)]
async fn the_same_change_twice_is_one_row() {
    let dynamo = FakeDynamo::new();
    // Entries of 30 pixels on ten places: one pixel thrice in an entry, each with its index.
    let mut rows = changes(&[entry(1, 30), entry(2, 30)]);
    rows.extend(changes(&[entry(1, 30)]));
    assert_eq!(dynamo.tables().post_changes(&rows).await.unwrap().rows, 60);
    assert_eq!(dynamo.tables().post_changes(&rows).await.unwrap().rows, 60);
    assert_eq!(dynamo.rows("history").len(), 60);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_unprocessed_is_sent_again() {
    let dynamo = FakeDynamo::failing(|call| match call % 4 {
        0 => Some(Failure::Partial(3)),
        1 => Some(Failure::Error("ProvisionedThroughputExceededException")),
        2 => Some(Failure::Error("ThrottlingException")),
        _ => None,
    });
    let rows: Vec<_> = (0..200).map(|x| current(x, 1, 1)).collect();
    let counts = dynamo.tables().post_pixels(&rows).await.unwrap();
    assert_eq!((counts.rows, dynamo.rows("mru").len()), (200, 200));
    assert_eq!(counts.calls - counts.retries, 8);
    assert_eq!(usize::try_from(counts.calls).unwrap(), dynamo.calls());

    let places: Vec<_> = (0..250).map(|x| (x, 7)).collect();
    assert_eq!(dynamo.tables().get(&places).await.unwrap().len(), 200);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_answered_is_sent_again_and_its_rows_are_in_doubt() {
    let dynamo = FakeDynamo::failing(|call| match call {
        0 => Some(Failure::Silence),
        1 => Some(Failure::Status(500)),
        2 => Some(Failure::Error("ThrottlingException")),
        _ => None,
    });
    let rows: Vec<_> = (0..100).map(|x| current(x, 1, 1)).collect();
    let tables = dynamo.tables().with_in_flight(1);
    let counts = tables.post_pixels(&rows).await.unwrap();
    assert_eq!((counts.rows, counts.calls, counts.retries), (100, 7, 3));
    let first: Vec<_> = (0..25).map(|x| (x, 7)).collect();
    assert_eq!(counts.doubtful, first);
    assert_eq!(dynamo.rows("mru").len(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_answers_is_an_error_in_the_end() {
    let dynamo = FakeDynamo::failing(|_| Some(Failure::Status(503)));
    let failed = dynamo.tables().post_pixels(&[current(1, 1, 1)]).await;
    assert!(
        matches!(failed, Err(TablesError::Call { .. })),
        "{failed:?}"
    );
    assert_eq!(dynamo.calls(), 12);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_takes_nothing_is_an_error_with_what_is_left() {
    let dynamo = FakeDynamo::failing(|call| (call > 0).then_some(Failure::Partial(0)));
    let rows: Vec<_> = (0..60).map(|x| current(x, 1, 1)).collect();
    let failed = dynamo.tables().with_in_flight(1).post_pixels(&rows).await;
    let Err(TablesError::Unprocessed {
        left, tries, table, ..
    }) = failed
    else {
        panic!("{failed:?}");
    };
    assert_eq!((left, tries, table.as_str()), (35, 12, "mru"));
    assert_eq!(dynamo.calls(), 13);
    assert!(matches!(
        dynamo.tables().get(&[(1, 1)]).await,
        Err(TablesError::Unprocessed { left: 1, .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_error_at_once() {
    let dynamo = FakeDynamo::failing(|_| Some(Failure::Error("AccessDeniedException")));
    let tables = dynamo.tables();
    let failed = tables.post_pixels(&[current(1, 1, 1)]).await.unwrap_err();
    assert_eq!(failed.to_string(), "writing to table `mru`");
    assert!(matches!(
        tables.get(&[(1, 1)]).await,
        Err(TablesError::Call { .. })
    ));
    assert!(matches!(
        tables.scan_mru(2, |_| {}).await,
        Err(TablesError::Call { .. })
    ));
    assert!(matches!(
        tables.history_of(1, 1, None).await,
        Err(TablesError::Call { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn nothing_to_do_is_no_call() {
    let dynamo = FakeDynamo::new();
    assert_eq!(
        dynamo.tables().post_pixels(&[]).await.unwrap(),
        Counts::default()
    );
    assert!(dynamo.tables().get(&[]).await.unwrap().is_empty());
    assert_eq!(dynamo.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_scan_sees_every_row_once_through_throttling() {
    let dynamo = FakeDynamo::failing(|call| {
        (call % 3 == 1).then_some(Failure::Error("ProvisionedThroughputExceededException"))
    });
    let rows: Vec<_> = (0..101).map(|x| current(x, 1, 1)).collect();
    dynamo.tables().post_pixels(&rows).await.unwrap();
    for segments in [0, 1, 4, 200] {
        let mut seen = Vec::new();
        let count = dynamo
            .tables()
            .scan_mru(segments, |page| seen.extend(page))
            .await
            .unwrap();
        seen.sort_by_key(|row| row.pixel.x);
        assert_eq!((count, &seen), (101, &rows), "{segments} segments");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pixels_history_comes_newest_first() {
    let dynamo = FakeDynamo::new();
    let entries: Vec<_> = (1..9).map(|n| entry(n, 12)).collect();
    dynamo
        .tables()
        .post_changes(&changes(&entries))
        .await
        .unwrap();
    let tables = dynamo.tables();
    // Places 0 and 1 occur twice in each entry.
    let all = tables.history_of(1, 3, None).await.unwrap();
    let order: Vec<_> = all.iter().map(|row| (row.at.n, row.index)).collect();
    let expected: Vec<_> = (1..9).rev().flat_map(|n| [(n, 11), (n, 1)]).collect();
    assert_eq!(order, expected);
    assert_eq!((all[0].rgb, all[0].by.as_str()), (Rgb::new(8, 0, 0), "c8"));
    assert_eq!(tables.history_of(1, 3, Some(5)).await.unwrap(), all[..5]);
    assert_eq!(tables.history_of(1, 3, Some(0)).await.unwrap(), []);
    assert_eq!(tables.history_of(99, 3, None).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_is_not_ours_is_said() {
    let rows = [
        json!({ "pixel": {"S": "1 99999"}, "rgb": {"S": "1 1 1"}, "t": {"S": "1-1"} }),
        json!({ "pixel": {"S": "1 2 3"}, "rgb": {"S": "1 1 1"}, "t": {"S": "1-1"} }),
        json!({ "pixel": {"S": "1 2"}, "rgb": {"S": "1 1"}, "t": {"S": "1-1"} }),
        json!({ "pixel": {"S": "1 2"}, "rgb": {"S": "1 1 1"}, "t": {"S": "now"} }),
        json!({ "pixel": {"S": "1 2"}, "rgb": {"N": "5"}, "t": {"S": "1-1"} }),
        json!({ "pixel": {"S": "1 2"}, "t": {"S": "1-1"} }),
    ];
    for row in rows {
        let dynamo = FakeDynamo::new();
        dynamo.put("mru", row.clone());
        let failed = dynamo.tables().scan_mru(1, |_| {}).await;
        assert!(matches!(failed, Err(TablesError::Row { .. })), "{row}");
    }
}
