//! A cache that loses what it holds, and a canvas whose configuration changes.

use aws_sdk_dynamodb::types::AttributeValue;
use place_canvas::client::Outcome;
use place_canvas::png;
use place_config::Function;
use place_tests::Operator;

use crate::support::{Standing, changed_artifacts, pixel, red};

async fn ask_redis(operator: &Operator, words: &[&str]) {
    let url = operator.config().endpoints.redis.as_deref().unwrap();
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let (name, rest) = words.split_first().unwrap();
    let mut command = redis::cmd(name);
    command.arg(rest);
    command.query_async::<()>(&mut connection).await.unwrap();
}

/// Everything that was saved is there again, who is connected gets it, and no save has overwritten the
/// tables with emptiness meanwhile.
#[tokio::test]
async fn a_cache_that_was_emptied_comes_back_with_what_was_saved() {
    let stack = Standing::up().await;
    let operator = &stack.operator;
    let mut watcher = operator.join().await;
    let mut painter = operator.join().await;
    painter.paint(&[red(3, 4), pixel(5, 6, [1, 2, 3])]).await;
    watcher.sees(red(3, 4)).await;
    let _ = operator.placectl().args(["save"]).succeed().await;

    ask_redis(operator, &["FLUSHALL"]).await;
    let full = operator.placectl().args(["save", "--full"]).succeed().await;
    assert!(!full.stdout.is_empty(), "{full}");
    let canvas = operator.canvas().await;
    assert_eq!(canvas.get(3, 4), Some(red(3, 4).rgb));
    assert_eq!(canvas.get(5, 6), Some(pixel(5, 6, [1, 2, 3]).rgb));
    let rows = operator.tables().get(&[(3, 4), (5, 6)]).await.unwrap();
    assert_eq!(rows[&(3, 4)].pixel, red(3, 4));
    assert_eq!(rows[&(5, 6)].pixel, pixel(5, 6, [1, 2, 3]));

    // The watcher's connection is unknown to the new cache until it pings.
    watcher
        .send(r#"{"action":"sendMessage","ping":true}"#)
        .await;
    let answer = watcher.answer().await;
    assert_eq!(answer, Outcome::Alive { is_well: false }, "another epoch");
    painter.paint(&[red(7, 7)]).await;
    painter.sees(red(7, 7)).await;
    watcher.sees(red(7, 7)).await;
    watcher.converge(&operator.canvas().await).await;
    let _ = operator
        .placectl()
        .args(["status", "--check"])
        .succeed()
        .await;
}

/// Until a save or an `up` opens it, nobody can paint, and `status` says so.
#[tokio::test]
async fn a_canvas_that_is_closed_is_not_healthy_and_up_opens_it() {
    let stack = Standing::up().await;
    let operator = &stack.operator;
    // Nobody else shall open it meanwhile.
    let group = operator.names().schedule_group();
    let schedule = operator.sdk().scheduler;
    let call = schedule.delete_schedule().group_name(group);
    call.name(operator.names().schedule()).send().await.unwrap();
    ask_redis(operator, &["FLUSHALL"]).await;
    let status = operator
        .placectl()
        .args(["status", "--check", "-o", "json"]);
    let status = status.run().await.expect_code(4).json();
    assert_eq!(status["healthy"], false);
    assert!(
        status["live"]["faults"][0]
            .as_str()
            .unwrap()
            .contains("not open"),
        "{status}"
    );
    operator.up().await;
    let _ = operator
        .placectl()
        .args(["status", "--check"])
        .succeed()
        .await;
    let mut client = operator.join().await;
    client.paint(&[red(1, 1)]).await;
    client.sees(red(1, 1)).await;
}

/// Content stays where it is, the new part has the background colour, and people paint on it.
#[tokio::test]
async fn a_canvas_grows_on_request_and_shrinks_only_with_replace() {
    let stack = Standing::up().await;
    let operator = &stack.operator;
    let mut client = operator.join().await;
    client.paint(&[red(63, 47)]).await;
    client.sees(red(63, 47)).await;

    let larger = Operator::with(&stack.cloud, |config| {
        (config.canvas.width, config.canvas.height) = (80, 60);
    });
    let refused = larger.placectl().args(["up"]).run().await.expect_code(1);
    assert!(
        refused
            .stderr
            .contains("the canvas is 64 x 48, place.toml says 80 x 60"),
        "{refused}"
    );
    assert!(refused.stderr.contains("--resize"), "{refused}");
    let _ = larger.placectl().args(["up", "--resize"]).succeed().await;
    let canvas = larger.canvas().await;
    assert_eq!(canvas.get(63, 47), Some(red(63, 47).rgb));
    assert_eq!(canvas.get(79, 59), Some(pixel(0, 0, [255, 255, 255]).rgb));
    let mut client = larger.join().await;
    client.paint(&[red(79, 59)]).await;
    client.sees(red(79, 59)).await;
    let _ = larger.placectl().args(["save"]).succeed().await;

    let refused = operator
        .placectl()
        .args(["up", "--resize"])
        .run()
        .await
        .expect_code(1);
    assert!(refused.stderr.contains("--replace"), "{refused}");
    // Nothing was changed: everybody paints on.
    client.paint(&[red(78, 58)]).await;
    client.sees(red(78, 58)).await;
    let other = Operator::with(&stack.cloud, |config| {
        (config.canvas.width, config.canvas.height) = (80, 60);
        config.canvas.background = "#000000".to_owned();
    });
    let refused = other
        .placectl()
        .args(["up", "--resize"])
        .run()
        .await
        .expect_code(1);
    assert!(refused.stderr.contains("background #ffffff"), "{refused}");

    let _ = operator
        .placectl()
        .args(["up", "--replace"])
        .succeed()
        .await;
    assert_eq!(operator.canvas().await.get(63, 47), Some(red(63, 47).rgb));
    let files = std::fs::read_dir(operator.directory()).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let kept = files
        .into_iter()
        .find(|file| file.extension().is_some_and(|e| e == "png"));
    let kept = std::fs::read(kept.expect("the whole canvas was exported")).unwrap();
    let kept = png::decode(&kept, 80 * 60).unwrap();
    assert_eq!(kept.get(78, 58), Some(red(78, 58).rgb));
}

/// Deleted behind the operator's back, and made anew by `up` beside a cache that counts as saved what
/// was in it.
#[tokio::test]
async fn a_table_that_was_made_anew_gets_what_was_saved_to_the_one_before() {
    let stack = Standing::up().await;
    let operator = &stack.operator;
    let mut client = operator.join().await;
    let painted: Vec<_> = (0..60).map(|x| red(x, 7)).collect();
    client.paint(&painted).await;
    client.sees(red(59, 7)).await;
    let _ = operator.placectl().args(["save"]).succeed().await;
    let rows = async || {
        let places: Vec<_> = painted.iter().map(|p| (p.x, p.y)).collect();
        operator.tables().get(&places).await.unwrap().len()
    };
    assert_eq!(rows().await, 60);

    let tables = operator.sdk().dynamodb;
    let name = operator.names().mru_table();
    tables.delete_table().table_name(name).send().await.unwrap();
    operator.up().await;
    assert_eq!(rows().await, 60);
    let check = operator.placectl().args(["status", "--check"]);
    let _ = check.succeed().await;
}

/// Until a save has filled it, `status` says so.
#[tokio::test]
async fn a_table_that_lacks_what_was_saved_is_named_until_a_save_fills_it() {
    let stack = Standing::up().await;
    let operator = &stack.operator;
    let _ = operator.placectl().args(["save"]).succeed().await;
    let tables = operator.sdk().dynamodb;
    let journal = operator.names().journal_table();
    let key = |name: &str| AttributeValue::S(name.to_owned());
    let state = tables.update_item().table_name(journal);
    let state = state
        .key("hour", key("state"))
        .key("positions", key("canvas"));
    let state = state.update_expression("SET filled = :other");
    let state = state.expression_attribute_values(":other", key("another table"));
    state.send().await.unwrap();
    let check = operator.placectl().args(["status", "--check"]);
    let status = check.run().await.expect_code(4);
    assert!(status.stdout.contains("lacks saved pixels"), "{status}");
    let _ = operator.placectl().args(["save"]).succeed().await;
    let check = operator.placectl().args(["status", "--check"]);
    let _ = check.succeed().await;
}

#[tokio::test]
async fn a_cache_that_does_not_answer_is_not_healthy() {
    let stack = Standing::up().await;
    let operator = &stack.operator;
    ask_redis(operator, &["CLIENT", "PAUSE", "15000", "ALL"]).await;
    let status = operator
        .placectl()
        .args(["status", "--check", "-o", "json"]);
    let status = status.run().await.expect_code(4).json();
    assert_eq!(status["healthy"], false, "{status}");
}

/// Everything that AWS says of it is right: only a call tells.
#[tokio::test]
async fn a_function_that_exits_at_once_is_not_healthy() {
    let stack = Standing::up().await;
    let operator = &stack.operator;
    let exits = |_| std::fs::read("/bin/false").unwrap();
    let artifacts = changed_artifacts(operator, Function::Broadcast, exits);
    let broken = Operator::with(&stack.cloud, |c| c.functions.artifacts = artifacts);
    let _ = broken.placectl().args(["deploy"]).run().await;
    let status = broken.placectl().args(["status", "--check", "-o", "json"]);
    let status = status.run().await.expect_code(4).json();
    assert_eq!(status["healthy"], false, "{status}");
    let faults = status["live"]["faults"].to_string();
    assert!(faults.contains("placev2broadcast"), "{status}");
}
