//! Who reads what is printed, and for how long.

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::task::JoinHandle;

/// How much of a stream somebody reads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Heard {
    All,
    OneLine,
}

/// Reads a child's stream: what was heard of it.
pub(super) fn read(
    stream: Option<impl AsyncRead + Unpin + Send + 'static>,
    heard: Heard,
) -> JoinHandle<String> {
    match heard {
        Heard::All => gather(stream),
        Heard::OneLine => first_line(stream),
    }
}

fn gather(stream: Option<impl AsyncRead + Unpin + Send + 'static>) -> JoinHandle<String> {
    let mut stream = stream.expect("the child's output is piped");
    tokio::spawn(async move {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn first_line(stream: Option<impl AsyncRead + Unpin + Send + 'static>) -> JoinHandle<String> {
    let stream = stream.expect("the child's output is piped");
    tokio::spawn(async move {
        let mut line = String::new();
        let _ = BufReader::new(stream).read_line(&mut line).await;
        line
    })
}
