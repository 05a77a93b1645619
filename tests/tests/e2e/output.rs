//! What a script can rely on.

use place_tests::{Operator, Placectl};

use crate::support::shared;

#[tokio::test]
async fn data_is_on_stdout_and_everything_else_on_stderr() {
    let operator = &shared().await.operator;
    let up = operator
        .placectl()
        .args(["up", "-o", "json"])
        .succeed()
        .await;
    let events = up.json_lines();
    assert_eq!(events[0]["event"], "started", "{up}");
    let finished = up.finished_event();
    for field in ["outcome", "counts", "elapsed_ms"] {
        assert!(!finished[field].is_null(), "`{field}` in {finished}");
    }
    assert!(events.iter().all(|event| event["event"].is_string()));
    let text = operator.placectl().args(["up"]).succeed().await;
    assert!(!text.stderr.is_empty(), "{text}");
}

#[tokio::test]
async fn nothing_is_coloured_or_redrawn_in_a_pipe() {
    let operator = &shared().await.operator;
    for words in [&["up"][..], &["status"], &["--help"]] {
        let finished = operator.placectl().args(words).succeed().await;
        let all = format!("{}{}", finished.stdout, finished.stderr);
        assert!(
            !all.contains('\u{1b}') && !all.contains('\r'),
            "{finished:?}"
        );
    }
}

#[tokio::test]
async fn up_shows_the_seven_numbered_steps() {
    let operator = &shared().await.operator;
    let up = operator.placectl().args(["up"]).succeed().await;
    let titles = [
        "VPC",
        "Redis",
        "WebSocket API",
        "Functions",
        "Queues",
        "Tables",
        "Schedule",
    ];
    for title in titles {
        assert!(up.stderr.contains(title), "`{title}` is missing: {up}");
    }
}

#[tokio::test]
async fn help_and_version_are_data() {
    let directory = tempfile::tempdir().unwrap();
    let help = Placectl::new(directory.path())
        .args(["--help"])
        .succeed()
        .await;
    let commands = [
        "up", "status", "teardown", "deploy", "save", "clients", "canvas", "local",
    ];
    assert!(
        commands.iter().all(|command| help.stdout.contains(command)),
        "{help}"
    );
    let version = Placectl::new(directory.path())
        .args(["--version"])
        .succeed()
        .await;
    assert!(version.stdout.starts_with("placectl "), "{version}");
}

#[tokio::test]
async fn no_secret_is_ever_printed() {
    let shared = shared().await;
    let operator = Operator::new(&shared.cloud);
    let secret = "a-very-secret-access-key";
    let words = ["--verbose", "status"];
    let placectl = operator
        .placectl()
        .env("AWS_SECRET_ACCESS_KEY", secret)
        .args(words);
    let finished = placectl.env("RUST_LOG", "trace").succeed().await;
    let all = format!("{}{}", finished.stdout, finished.stderr);
    assert!(!all.contains(secret), "{finished}");
}
