//! The two questions that tell whether a child answers: an HTTP GET and a Redis PING.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest that a healthy child takes for an answer. The emulator serves all calls from one loop,
/// so a busy one is slow to say that it is well.
const PATIENCE: Duration = Duration::from_secs(5);
const MAX_ANSWER: u64 = 256 * 1024;

/// What MiniStack says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Health {
    /// Its version.
    pub(super) version: String,
}

/// Asks the program on `port` for MiniStack's health; `None` when it isn't a MiniStack.
pub(super) async fn emulator_health(port: u16) -> Option<Health> {
    let request = format!(
        "GET /_ministack/health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    );
    let answer = ask(port, request.as_bytes(), b"").await?;
    parse_health(&String::from_utf8_lossy(&answer))
}

/// Whether a Redis on `port` takes the password and answers.
pub(super) async fn redis_answers(port: u16, password: &str) -> bool {
    const WELL: &[u8] = b"+OK\r\n+PONG\r\n";
    let request = format!("AUTH {password}\r\nPING\r\n");
    ask(port, request.as_bytes(), WELL)
        .await
        .is_some_and(|answer| answer == WELL)
}

fn parse_health(answer: &str) -> Option<Health> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    if !head.starts_with("HTTP/1.1 200") {
        return None;
    }
    // A chunked body is the JSON between two chunk lines: from the first to the last brace.
    let json = body.get(body.find('{')?..=body.rfind('}')?)?;
    serde_json::from_str(json).ok()
}

/// Sends `request` and reads until `until` has come or the other side closes.
async fn ask(port: u16, request: &[u8], until: &[u8]) -> Option<Vec<u8>> {
    timeout(PATIENCE, exchange(port, request, until))
        .await
        .ok()?
        .ok()
}

async fn exchange(port: u16, request: &[u8], until: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    let mut limited = stream.take(MAX_ANSWER);
    while until.is_empty() || answer.len() < until.len() {
        if limited.read_buf(&mut answer).await? == 0 {
            break;
        }
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_read_with_and_without_chunks() {
        let health = Some(Health {
            version: "1.5.33".into(),
        });
        let plain = "HTTP/1.1 200 \r\na: b\r\n\r\n{\"version\": \"1.5.33\", \"auth\": {}}";
        assert_eq!(parse_health(plain), health);
        let chunked = "HTTP/1.1 200 \r\na: b\r\n\r\n15\r\n{\"version\":\"1.5.33\"}\r\n0\r\n\r\n";
        assert_eq!(parse_health(chunked), health);
    }

    #[test]
    fn another_program_has_no_health() {
        for answer in [
            "",
            "HTTP/1.1 404 \r\n\r\n{}",
            "HTTP/1.1 200 \r\n\r\n<html>",
            "}{",
        ] {
            assert_eq!(parse_health(answer), None, "{answer}");
        }
        assert_eq!(parse_health("HTTP/1.1 200 \r\n\r\n}{"), None);
    }

    #[tokio::test]
    async fn a_closed_port_answers_nothing() {
        let port = super::super::ports::free_port().unwrap();
        assert_eq!(emulator_health(port).await, None);
        assert!(!redis_answers(port, "secret").await);
    }
}
