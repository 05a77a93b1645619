//! Whom a running local cloud lets in: nobody but this user, and no page in a browser.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::LocalError;
use super::process::members;
use super::state::Running;
use super::tests::{Bench, kill};

/// A function made by whoever is let in runs with the rights of this user.
const CREATE_FUNCTION: &str = "POST /2015-03-31/functions";

/// The status of the answer to a request with these headers.
fn status(running: &Running, request: &str, headers: &[(&str, &str)]) -> u16 {
    let mut head = format!("{request} HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        let _ = write!(head, "Host: 127.0.0.1:{}\r\n", running.port);
    }
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let answer = said(running.port, &format!("{head}\r\n{{}}"));
    let status = answer.split_whitespace().nth(1);
    status
        .and_then(|status| status.parse().ok())
        .unwrap_or_default()
}

/// What a server says to `words` before it hangs up.
fn said(port: u16, words: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(words.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn signed(key: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/lambda/aws4_request, \
         SignedHeaders=host, Signature=0"
    )
}

#[tokio::test]
async fn the_emulator_and_redis_let_in_only_who_has_the_key() {
    let bench = Bench::new();
    let running = bench.start().await.unwrap();
    let with = |headers: &[(&str, &str)]| status(&running, CREATE_FUNCTION, headers);
    let key = running.secrets.key.as_str();

    // A refusal is 403; past the guard, MiniStack finds that the function has no name.
    assert_eq!(with(&[]), 403, "an unsigned call");
    for other in ["test", "000000000000", "", "PLACE", &key[..36]] {
        assert_eq!(with(&[("Authorization", &signed(other))]), 403, "{other}");
    }
    assert_eq!(with(&[("Authorization", &signed(key))]), 400);
    assert_eq!(with(&[("x-placectl-key", key)]), 400);
    let presigned = format!("{CREATE_FUNCTION}?X-Amz-Credential={key}/20260101/us-east-1/lambda/x");
    assert_eq!(status(&running, &presigned, &[]), 400);

    for page in [
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-origin"),
        ("Host", "evil.example"),
        ("Host", "127.0.0.1.evil.example:4566"),
    ] {
        assert_eq!(with(&[page]), 403, "{page:?}");
        assert_eq!(with(&[page, ("x-placectl-key", key)]), 403, "{page:?}");
    }
    for host in ["localhost:1", "127.0.0.1", "[::1]:4566"] {
        let with_host = with(&[("Host", host), ("x-placectl-key", key)]);
        assert_eq!(with_host, 400, "{host}");
    }
    let preflight = status(&running, "OPTIONS /", &[("Origin", "http://evil.example")]);
    assert_eq!(preflight, 403);

    // A function URL is open to every page on AWS, and so it is here: this one does not exist.
    let page = [("Origin", "http://evil.example")];
    let url = "GET /_aws/lambda-url/00000000000000000000000000000000/";
    assert_eq!(status(&running, url, &page), 404);
    let call = ("X-Amz-Target", "DynamoDB_20120810.ListTables");
    for disguised in ["", "/", "/x", "../2015-03-31/functions"] {
        let url = format!("POST /_aws/lambda-url/{disguised}");
        let status = status(&running, &url, &[call, page[0]]);
        assert!([403, 404].contains(&status), "{url}: {status}");
    }
    let rebound = [("Host", "evil.example")];
    assert_eq!(status(&running, url, &rebound), 403);
    assert_eq!(status(&running, "GET /_ministack/health", &[]), 200);
    assert_eq!(status(&running, "GET /_ministack/health", &page), 403);
    assert_eq!(status(&running, "POST /_ministack/reset", &[]), 403);

    let stranger = said(running.redis_port, "SET a b\r\nCONFIG GET dir\r\nQUIT\r\n");
    assert!(stranger.starts_with("-NOAUTH"), "{stranger}");
    assert!(!stranger.contains("dir"), "{stranger}");
    assert!(bench.stop().await);
}

#[tokio::test]
async fn key_and_password_are_where_only_this_user_reads_them() {
    let bench = Bench::new();
    let running = bench.start().await.unwrap();
    let secrets = [
        running.secrets.key.clone(),
        running.secrets.password.clone(),
    ];
    for pid in [running.emulator_pid, running.redis_pid] {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        let line = String::from_utf8_lossy(&line).into_owned();
        assert!(
            !secrets.iter().any(|secret| line.contains(secret)),
            "{line}"
        );
    }
    let mut holders = Vec::new();
    for entry in fs::read_dir(bench.state_dir()).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap_or_default();
        if secrets.iter().any(|secret| text.contains(secret)) {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            holders.push(path.file_name().unwrap().to_owned());
        }
    }
    holders.sort();
    assert_eq!(holders, ["credentials", "redis.conf"]);
    assert!(
        !serde_json::to_string(&running)
            .unwrap()
            .contains(&secrets[1])
    );

    assert!(bench.stop().await);
    let again = bench.start().await.unwrap();
    assert_ne!(
        again.secrets, running.secrets,
        "each local cloud has its own"
    );
    assert!(bench.stop().await);
}

#[tokio::test]
async fn a_child_that_is_started_again_takes_the_same_key() {
    let bench = Bench::new();
    let first = bench.start().await.unwrap();
    kill(first.redis_pid, "-KILL");
    while members(bench.state_dir())
        .iter()
        .any(|process| process.pid == first.redis_pid)
    {
        tokio::task::yield_now().await;
    }
    let second = bench.start().await.unwrap();
    assert_eq!(second.secrets, first.secrets);
    fs::remove_file(bench.state_dir().join("credentials")).unwrap();
    let error = bench.start().await.unwrap_err();
    assert!(matches!(error, LocalError::NoKey { .. }), "{error}");
    assert!(bench.stop().await);
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
