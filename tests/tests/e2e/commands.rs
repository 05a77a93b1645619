//! The operator's commands.

use std::fs;
use std::path::Path;

use place_canvas::png;
use place_config::Function;
use place_tests::Operator;
use serde_json::Value;

use crate::support::{changed_artifacts, my_turn, pixel, shared};

fn step_states(status: &Value) -> Vec<(u64, String)> {
    let steps = status["steps"].as_array().unwrap().iter();
    steps
        .map(|s| {
            (
                s["number"].as_u64().unwrap(),
                s["state"].as_str().unwrap().into(),
            )
        })
        .collect()
}

#[tokio::test]
async fn row_c_1_up_performs_each_step_and_uploads_the_binaries() {
    let shared = shared().await;
    assert_eq!(shared.finished["outcome"], "done", "{}", shared.finished);
    assert!(shared.finished["counts"]["created"].as_u64().unwrap() > 50);
    let status = shared
        .operator
        .placectl()
        .args(["status", "-o", "json"])
        .succeed()
        .await
        .json();
    let numbers: Vec<_> = step_states(&status)
        .into_iter()
        .map(|(number, _)| number)
        .collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
    let functions = shared
        .operator
        .sdk()
        .lambda
        .list_functions()
        .send()
        .await
        .unwrap();
    assert!(
        functions
            .functions()
            .iter()
            .all(|f| f.code_size() > 100_000),
        "{functions:?}"
    );
}

#[tokio::test]
async fn row_c_1_up_ends_with_the_address_for_browsers() {
    let shared = shared().await;
    let up = shared.operator.placectl().args(["up"]).succeed().await;
    let url = shared.operator.websocket_url().await;
    assert!(up.stderr.contains(&url) || up.stdout.contains(&url), "{up}");
}

#[tokio::test]
async fn row_c_2_status_says_what_stands() {
    let operator = &shared().await.operator;
    let status = operator
        .placectl()
        .args(["status", "-o", "json"])
        .succeed()
        .await
        .json();
    assert_eq!(status["stack"], "place");
    assert_eq!(status["region"], "us-east-1");
    assert_eq!(status["websocket_url"], operator.websocket_url().await);
    assert_eq!(status["healthy"], true, "{status:#}");
    for step in status["steps"].as_array().unwrap() {
        for resource in step["resources"].as_array().unwrap() {
            let fields = ["key", "kind", "id", "state", "detail"];
            assert!(
                fields.iter().all(|f| resource.get(f).is_some()),
                "{resource}"
            );
        }
    }
    let live = &status["live"];
    for figure in ["clients", "unsaved_changes", "queues", "dead_letters"] {
        assert!(!live[figure].is_null(), "`{figure}` in {live:#}");
    }
    let _ = operator
        .placectl()
        .args(["status", "--check"])
        .succeed()
        .await;
}

#[tokio::test]
async fn row_c_2_status_of_nothing_says_so_and_changes_nothing() {
    let shared = shared().await;
    let other = Operator::with(&shared.cloud, |config| config.stack = "another".to_owned());
    let before = place_tests::inventory(&shared.operator.sdk()).await;
    let status = other
        .placectl()
        .args(["status", "-o", "json"])
        .succeed()
        .await
        .json();
    assert_eq!(status["healthy"], false);
    assert!(status["live"].is_null(), "{status:#}");
    let steps = step_states(&status).into_iter().skip(1);
    assert!(
        steps.clone().count() == 6 && steps.clone().all(|(_, s)| s == "absent"),
        "{status:#}"
    );
    assert_eq!(before, place_tests::inventory(&shared.operator.sdk()).await);
    let check = other.placectl().args(["status", "--check"]).run().await;
    let check = check.expect_code(4);
    assert!(
        check.stdout.contains("The stack doesn't exist yet"),
        "{check}"
    );
}

#[tokio::test]
async fn row_c_4_clients_list_shows_who_is_connected() {
    let (stack, _turn) = my_turn().await;
    let list = async || {
        let words = ["clients", "list", "-o", "json"];
        let rows = stack.operator.placectl().args(words).succeed().await.json();
        rows.as_array().unwrap().clone()
    };
    let id = |row: &Value| row["id"].as_str().unwrap().to_owned();
    let before: Vec<_> = list().await.iter().map(id).collect();
    let _client = stack.operator.join().await;
    // Clients of earlier tests may still be leaving.
    let rows = list().await;
    let new: Vec<_> = rows
        .iter()
        .filter(|row| !before.contains(&id(row)))
        .collect();
    let [newest] = new[..] else {
        panic!("one client joined: {before:#?} became {rows:#?}");
    };
    assert!(!newest["id"].as_str().unwrap().is_empty());
    for field in ["shard", "connected_at", "source_ip", "last_active_at"] {
        assert!(newest.get(field).is_some(), "`{field}` in {newest}");
    }
    assert_eq!(newest["source_ip"], "127.0.0.1");
}

fn picture(path: &Path) -> place_canvas::Picture {
    png::decode(&fs::read(path).unwrap(), 1_000_000).unwrap()
}

#[tokio::test]
async fn row_c_5_canvas_export_writes_the_picture() {
    let (stack, _turn) = my_turn().await;
    let operator = &stack.operator;
    let mut client = operator.join().await;
    client
        .paint(&[pixel(7, 7, [1, 100, 200]), pixel(8, 7, [3, 2, 1])])
        .await;
    client.sees(pixel(8, 7, [3, 2, 1])).await;
    let _ = operator
        .placectl()
        .args(["canvas", "export", "now.png"])
        .succeed()
        .await;
    let canvas = operator.canvas().await;
    assert_eq!(picture(&operator.directory().join("now.png")), canvas);
    let _ = operator.placectl().args(["save", "--full"]).succeed().await;
    let words = ["canvas", "export", "saved.png", "--from", "tables"];
    let _ = operator.placectl().args(words).succeed().await;
    assert_eq!(picture(&operator.directory().join("saved.png")), canvas);
}

#[tokio::test]
async fn row_c_5_canvas_snapshot_writes_a_file_of_its_own_name() {
    let (stack, _turn) = my_turn().await;
    let operator = &stack.operator;
    let pictures = || {
        let files = fs::read_dir(operator.directory())
            .unwrap()
            .map(|file| file.unwrap().path());
        files
            .filter(|path| path.extension().is_some_and(|e| e == "png"))
            .collect::<Vec<_>>()
    };
    let before = pictures();
    let _ = operator
        .placectl()
        .args(["canvas", "snapshot"])
        .succeed()
        .await;
    let new: Vec<_> = pictures()
        .into_iter()
        .filter(|path| !before.contains(path))
        .collect();
    assert_eq!(new.len(), 1, "{new:?}");
    assert_eq!(picture(&new[0]), operator.canvas().await);
}

#[tokio::test]
async fn row_c_6_save_forces_a_save_now() {
    let (stack, _turn) = my_turn().await;
    let operator = &stack.operator;
    let mut client = operator.join().await;
    client.paint(&[pixel(60, 2, [4, 4, 4])]).await;
    client.sees(pixel(60, 2, [4, 4, 4])).await;
    let save = operator
        .placectl()
        .args(["save", "-o", "json"])
        .succeed()
        .await
        .json();
    for field in ["changes", "pixels", "from", "to", "elapsed_ms"] {
        assert!(save.get(field).is_some(), "`{field}` in {save}");
    }
    assert!(save["changes"].as_u64().unwrap() >= 1, "{save}");
    let store = operator.store().await;
    assert_eq!(
        store.saved().await.unwrap().to_string(),
        save["to"].as_str().unwrap()
    );
    assert_eq!(store.stats().await.unwrap().unsaved_changes, 0);
}

async fn hashes(operator: &Operator) -> Vec<String> {
    let answer = operator.sdk().lambda.list_functions().send().await.unwrap();
    let mut all: Vec<_> = answer
        .functions()
        .iter()
        .map(|f| {
            format!(
                "{} {}",
                f.function_name().unwrap(),
                f.code_sha256().unwrap()
            )
        })
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn row_c_7_deploy_uploads_new_binaries_only() {
    let (stack, _turn) = my_turn().await;
    let operator = &stack.operator;
    let before = hashes(operator).await;
    let _ = operator.placectl().args(["deploy"]).succeed().await;
    assert_eq!(hashes(operator).await, before, "the same binaries");
    // An ELF file may have anything at its end.
    let another = |mut binary: Vec<u8>| {
        binary.extend_from_slice(b"another build");
        binary
    };
    let artifacts = changed_artifacts(operator, Function::SendMessage, another);
    let newer = Operator::with(&stack.cloud, |config| {
        config.functions.artifacts = artifacts;
    });
    let _ = newer.placectl().args(["deploy"]).succeed().await;
    let after = hashes(operator).await;
    let changed: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert!(changed[0].starts_with("sendMessage "), "{changed:?}");
    let mut client = operator.join().await;
    client.paint(&[pixel(5, 45, [9, 1, 9])]).await;
    client.sees(pixel(5, 45, [9, 1, 9])).await;
    let _ = operator.placectl().args(["deploy"]).succeed().await;
    assert_eq!(hashes(operator).await, before);
}

#[tokio::test]
async fn init_writes_a_file_that_up_understands_and_never_overwrites_one() {
    let shared = shared().await;
    let operator = Operator::new(&shared.cloud);
    let path = operator.directory().join("place.toml");
    let refused = operator.placectl().args(["init"]).run().await;
    assert!(matches!(refused.code, Some(1 | 2)), "{refused}");
    assert!(refused.stderr.contains("place.toml"), "{refused}");
    fs::remove_file(&path).unwrap();
    let _ = operator.placectl().args(["init"]).succeed().await;
    let written = place_config::load(Some(&path)).unwrap();
    assert_eq!(written, place_config::StackConfig::default());
}

#[tokio::test]
async fn the_picture_goes_to_standard_output_where_a_program_reads_it() {
    let operator = &shared().await.operator;
    let export = |file: &str| operator.placectl().args(["canvas", "export", file]);
    let _ = export("named.png").succeed().await;
    let _ = export("-").redirected(">piped.png").succeed().await;
    let read = |file: &str| std::fs::read(operator.directory().join(file)).unwrap();
    assert!(read("named.png") == read("piped.png"));
    assert!(!operator.directory().join("-").exists());
    let json = export("-").args(["-o", "json"]).run().await.expect_code(2);
    assert!(json.stderr.contains("standard output"), "{json}");
}
