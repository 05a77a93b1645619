//! The endpoint before a server that answers, and closes, as it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const DETAILS: &str = "HTTP/1.1 200 OK\r\ncontent-length: 17\r\n\r\n{\"connectedAt\":1}";
const CLOSING: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
const GONE: &str = "HTTP/1.1 410 Gone\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";

/// Answers of one connection, one for each request; then it closes, with the last request unread,
/// or read if there is an empty answer.
type Script = &'static [&'static str];

struct World {
    endpoint: ConnectionsEndpoint,
    opened: Arc<AtomicUsize>,
}

impl World {
    /// A server whose connections follow `scripts`, and the last of them all later ones.
    async fn new(scripts: &'static [Script]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/production/", listener.local_addr().unwrap());
        let opened = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&opened);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let number = counted.fetch_add(1, Ordering::SeqCst);
                let script = scripts.get(number).or(scripts.last()).unwrap();
                tokio::spawn(serve(stream, script));
            }
        });
        let credentials = Credentials::new("AKID", "a secret", None, None, "test");
        Self {
            endpoint: ConnectionsEndpoint::new(&base, "eu-west-1", credentials, 8),
            opened,
        }
    }

    async fn post(&self) -> Result<(), GatewayError> {
        let client = ConnectionId::new("a=").unwrap();
        let frame = Frame::new("news".to_owned());
        self.endpoint.post(&client, &frame).await
    }

    fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, script: Script) {
    for answer in script {
        let request = read(&mut stream).await;
        assert!(
            request.contains(" /production/@connections/a%3D HTTP/1.1\r\n"),
            "{request}"
        );
        assert!(request.contains("\r\nhost: 127.0.0.1:"), "{request}");
        assert!(request.contains("authorization: AWS4-HMAC-SHA256 "));
        if answer.is_empty() {
            return;
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

async fn read(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let end = |text: &str| {
        if text.starts_with("POST") {
            "news"
        } else {
            "\r\n\r\n"
        }
    };
    while !text.ends_with(end(&text)) {
        let mut bytes = [0; 4096];
        let length = stream.read(&mut bytes).await.unwrap();
        if length == 0 {
            std::future::pending::<()>().await;
        }
        text.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
    }
    text
}

#[tokio::test]
async fn calls_in_a_row_share_a_connection_whatever_their_answers() {
    let world = World::new(&[&[OK, GONE, DETAILS, OK]]).await;
    assert_eq!(world.post().await, Ok(()));
    assert_eq!(world.post().await, Err(GatewayError::Gone));
    let client = ConnectionId::new("a=").unwrap();
    let details = world.endpoint.get(&client).await.unwrap();
    assert_eq!(details.connected_at, Some(1.into()));
    assert_eq!(world.post().await, Ok(()));
    assert_eq!(world.opened(), 1);
}

#[tokio::test]
async fn calls_at_once_have_a_connection_each_and_leave_it_to_the_next() {
    let world = World::new(&[&[OK; 100]]).await;
    for _ in 0..20 {
        let posts = (0..5).map(|_| world.post());
        let answers = futures::future::join_all(posts).await;
        assert_eq!(answers, vec![Ok(()); 5]);
    }
    assert_eq!(world.opened(), 5);
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_meanwhile_is_replaced() {
    let world = World::new(&[&[OK]]).await;
    for posts in 1..=3 {
        assert_eq!(world.post().await, Ok(()));
        assert_eq!(world.opened(), posts);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_kept_connection_that_closes_when_it_is_used_again_is_replaced() {
    let world = World::new(&[&[OK, ""], &[OK]]).await;
    assert_eq!(world.post().await, Ok(()));
    assert_eq!(world.post().await, Ok(()));
    assert_eq!(world.opened(), 2);
}

#[tokio::test]
async fn a_new_connection_that_closes_without_an_answer_is_no_answer() {
    let world = World::new(&[&[""]]).await;
    let answer = world.post().await;
    assert!(matches!(answer, Err(GatewayError::Unreachable(_))));
    assert_eq!(
        world.opened(),
        1,
        "the caller says whether it is tried again"
    );
}

#[tokio::test]
async fn a_connection_that_the_server_wants_to_close_is_not_kept() {
    let world = World::new(&[&[CLOSING, OK]]).await;
    assert_eq!(world.post().await, Ok(()));
    assert_eq!(world.post().await, Ok(()));
    assert_eq!(world.opened(), 2);
}

#[tokio::test]
async fn what_is_no_address_answers_nothing() {
    for base in ["", "nowhere", "/production"] {
        let credentials = Credentials::new("AKID", "a secret", None, None, "test");
        let endpoint = ConnectionsEndpoint::new(base, "eu-west-1", credentials, 8);
        let client = ConnectionId::new("a=").unwrap();
        let closed = endpoint.close(&client).await;
        assert!(
            matches!(closed, Err(GatewayError::Unreachable(_))),
            "{base}"
        );
    }
}
