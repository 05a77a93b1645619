//! A stranger's checkout, and strangers' text: neither gets at the operator's machine or terminal.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use place_tests::proxy::{Fault, When};
use place_tests::{Finished, LocalCloud, Operator, Placectl, Proxy};
use tempfile::TempDir;

/// What a terminal would obey: a title, colours of C1, a line turned round.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J \u{9b}31m \u{202e}txt.exe\u{202c}\r";

/// A working directory with this `place.toml`.
fn checkout(toml: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("place.toml"), toml).unwrap();
    directory
}

/// `placectl` in a checkout, with keys that it must not send anywhere.
fn placectl(directory: &TempDir, words: &[&str]) -> Placectl {
    Placectl::new(directory.path())
        .env("AWS_ACCESS_KEY_ID", "AKIAOPERATOR")
        .env("AWS_SECRET_ACCESS_KEY", "a secret")
        .env("AWS_SESSION_TOKEN", "a token")
        .env("AWS_REGION", "us-east-1")
        .args(words)
}

fn assert_harmless(finished: &Finished) {
    let all = format!("{}{}", finished.stdout, finished.stderr);
    let obeyed = |one: &char| {
        let marks = ['\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}'];
        marks.contains(one) || (one.is_control() && !matches!(one, '\n' | '\t'))
    };
    assert_eq!(all.chars().find(obeyed), None, "{all:?}");
}

#[tokio::test]
async fn a_state_directory_that_placectl_did_not_make_is_neither_used_nor_emptied() {
    for state_dir in [".", "/", "/tmp"] {
        let home = checkout(&format!("[local]\nstate_dir = \"{state_dir}\"\n"));
        let kept = home.path().join("tmp/kept");
        fs::create_dir(home.path().join("tmp")).unwrap();
        fs::write(&kept, "").unwrap();
        for command in ["start", "stop", "status", "logs"] {
            let refused = placectl(&home, &["local", command]).run().await;
            let refused = refused.expect_code(1);
            assert!(refused.stderr.contains("the state directory"), "{refused}");
            assert!(refused.stderr.contains("hint: "), "{refused}");
        }
        assert!(kept.exists(), "{state_dir}");
        let mut left: Vec<_> = fs::read_dir(home.path()).unwrap().flatten().collect();
        left.sort_by_key(fs::DirEntry::file_name);
        assert_eq!(left.len(), 2, "{left:?}");
    }
}

#[tokio::test]
async fn no_python_is_started_that_imports_from_the_working_directory() {
    let home = checkout("");
    let said = home.path().join("said");
    let bin = home.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let script = format!("#!/bin/sh\necho \"$1\" >>{}\nexit 1\n", said.display());
    executable(&bin.join("python3"), &script);
    // Never found: a relative entry of PATH is the checkout itself.
    executable(
        &home.path().join("python3"),
        &script.replace("$1", "from here"),
    );
    let path = format!(":.:{}:/usr/bin:/bin", bin.display());
    let start = placectl(&home, &["local", "start"]).env("PATH", path);
    let failed = start.run().await.expect_code(1);
    let said = fs::read_to_string(&said).unwrap_or_default();
    assert!(!said.is_empty(), "{failed}");
    assert!(said.lines().all(|first| first == "-I"), "{said}");
}

fn executable(path: &Path, script: &str) {
    fs::write(path, script).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn place_toml_alone_leads_no_call_away_from_aws() {
    for (endpoint, said) in [
        ("aws = \"http://aws.example.com\"", "https://"),
        (
            "aws = \"https://aws.example.com\"",
            "--allow-endpoint aws.example.com",
        ),
        (
            "gateway = \"https://x.example.com/{api}\"",
            "--allow-endpoint x.example.com",
        ),
        (
            "redis = \"redis://127.0.0.1:1\"",
            "--allow-endpoint 127.0.0.1",
        ),
    ] {
        let home = checkout(&format!("[endpoints]\n{endpoint}\n"));
        for command in ["up", "status", "teardown", "save"] {
            let refused = placectl(&home, &[command]).run().await.expect_code(2);
            assert!(refused.stderr.contains("`endpoints."), "{refused}");
            assert!(refused.stderr.contains(said), "{refused}");
        }
    }
}

#[tokio::test]
async fn an_endpoint_that_the_operator_allows_is_called() {
    let home = checkout("[endpoints]\naws = \"https://aws.invalid:1\"\n");
    let words = ["status", "--allow-endpoint", "aws.invalid"];
    let failed = placectl(&home, &words).run().await.expect_code(1);
    assert!(failed.stderr.contains("does not answer"), "{failed}");
    let allowed = placectl(&home, &["status"]).env("PLACECTL_ALLOW_ENDPOINT", "aws.invalid,b");
    let failed = allowed.run().await.expect_code(1);
    assert!(failed.stderr.contains("does not answer"), "{failed}");
}

#[tokio::test]
async fn a_command_that_changes_things_says_first_on_what() {
    let cloud = LocalCloud::start().await;
    let operator = Operator::new(&cloud);
    let line = format!(
        "stack `place` (place.toml) in account 000000000000, us-east-1, at {}",
        cloud.endpoint()
    );
    for words in [
        &["up"][..],
        &["deploy"],
        &["save"],
        &["teardown", "--yes", "--no-export"],
    ] {
        let text = operator.placectl().args(words).succeed().await;
        assert_eq!(text.stderr.lines().next(), Some(line.as_str()), "{text}");
        assert!(!text.stdout.contains(&line), "{text}");
    }
    let json = operator
        .placectl()
        .args(["up", "-o", "json"])
        .succeed()
        .await;
    assert!(json.stderr.starts_with(&line), "{json}");
    assert!(!json.json_lines().is_empty(), "{json}");
}

#[tokio::test]
async fn text_from_elsewhere_is_written_out_and_not_obeyed() {
    let cloud = LocalCloud::start().await;
    let proxy = Proxy::start(&cloud.endpoint());
    let operator = Operator::with(&cloud, |c| c.endpoints.aws = Some(proxy.endpoint()));
    let denied = Fault::error(400, "AccessDeniedException", HOSTILE);
    proxy.plan(When::Operation("DescribeTable"), usize::MAX, denied);
    for words in [&["up"][..], &["status"], &["plan"], &["up", "-o", "json"]] {
        let failed = operator.placectl().args(words).run().await;
        assert_harmless(&failed);
        let all = format!("{}{}", failed.stdout, failed.stderr);
        assert!(all.contains("\\u001b]0;owned\\u0007"), "{all}");
    }

    let toml = "[canvas]\nbackground = \"\\u001B]0;owned\\u0007\"\n[\"\\u009B31m\"]\n";
    let refused = placectl(&checkout(toml), &["status"])
        .run()
        .await
        .expect_code(2);
    assert_harmless(&refused);
    let refused = placectl(&checkout(""), &["status", HOSTILE])
        .run()
        .await
        .expect_code(2);
    assert_harmless(&refused);
}
