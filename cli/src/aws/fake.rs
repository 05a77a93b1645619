//! A stand-in for AWS in tests: answers each request with the next line of a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Access, Aws, ConnectError};
use crate::engine::{Event, EventSink};

/// What STS says about the caller: the answer to the first call of every connection to AWS.
const CALLER: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult>\
    <Arn>arn:aws:iam::123456789012:user/ann</Arn><UserId>AIDA</UserId>\
    <Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

/// The requests that came, head and body.
type Seen = Arc<Mutex<Vec<String>>>;

/// A scripted AWS on a port of its own.
pub(crate) struct Fake {
    pub(crate) endpoint: String,
    seen: Seen,
}

impl Fake {
    /// Answers with `script`, status and body, one a request. A status of 0 closes the connection
    /// without an answer; so does the end of the script.
    pub(crate) async fn start(script: &[(u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let script = script
            .iter()
            .map(|(status, body)| (*status, (*body).to_owned()))
            .collect();
        let seen = Seen::default();
        tokio::spawn(serve(listener, script, Arc::clone(&seen)));
        Self { endpoint, seen }
    }

    /// A scripted AWS that said first who the caller is, and the clients that asked.
    pub(crate) async fn connected(script: &[(u16, &str)]) -> (Self, Aws) {
        let mut whole = vec![(200, CALLER)];
        whole.extend_from_slice(script);
        let fake = Self::start(&whole).await;
        let aws = fake.connect().await.unwrap();
        (fake, aws)
    }

    /// The clients of a connection to it.
    pub(crate) async fn connect(&self) -> Result<Aws, ConnectError> {
        let endpoint = Some(self.endpoint.clone());
        let access = Access {
            endpoint,
            local: true,
            ..Access::default()
        };
        Aws::connect(&access, Arc::new(Nowhere)).await
    }

    /// The requests that came so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// Where nobody listens.
pub(crate) struct Nowhere;

impl EventSink for Nowhere {
    fn event(&self, _: &Event) {}
}

async fn serve(listener: TcpListener, mut script: VecDeque<(u16, String)>, seen: Seen) {
    while let Ok((mut connection, _)) = listener.accept().await {
        let request = read(&mut connection).await;
        seen.lock().unwrap().push(request);
        let (status, body) = script.pop_front().unwrap_or_default();
        if status != 0 {
            let answer = format!(
                "HTTP/1.1 {status} x\r\nconnection: close\r\nx-amzn-requestid: r-1\r\n\
                 content-length: {}\r\n\r\n{body}",
                body.len()
            );
            // A client that is gone needs no answer.
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    }
}

async fn read(connection: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if is_whole(&text) {
            return text;
        }
        match connection.read(&mut chunk).await {
            Ok(n) if n > 0 => bytes.extend_from_slice(&chunk[..n]),
            _ => return text,
        }
    }
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else {
        return false;
    };
    let head = head.to_lowercase();
    let length = head
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.lines().next());
    body.len()
        >= length
            .and_then(|length| length.trim().parse().ok())
            .unwrap_or(0)
}
