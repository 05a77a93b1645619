//! What no function can do without: the three round trips of a message, and nothing else.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::thread;
use std::time::{Duration, Instant};

use place_tests::lambda::{Rig, RuntimeApi};

const TIME: Duration = Duration::from_mins(1);
const API: &str = "/2018-06-01/runtime/invocation";

/// The times of so many messages that a thread takes from a Runtime API and answers, with a `PING`
/// of the cache for each.
pub(crate) fn measure(rig: &Rig, messages: u16) -> Vec<Duration> {
    let runtime = RuntimeApi::start("floor");
    let api = Line::open(runtime.address());
    let cache = Line::open(format!("127.0.0.1:{}", rig.redis.port()));
    let function = thread::spawn(move || serve(api, cache));
    let times = (0..messages)
        .map(|_| {
            let begun = Instant::now();
            runtime
                .invoke("{}", TIME)
                .wait()
                .expect("the thread answers");
            begun.elapsed()
        })
        .collect();
    drop(runtime);
    let _ = function.join().expect("the thread ends with its API");
    times
}

/// Serves until the Runtime API ends.
fn serve(mut api: Line, mut cache: Line) -> Option<()> {
    loop {
        api.send(&format!("GET {API}/next HTTP/1.1\r\nhost: floor\r\n\r\n"))?;
        let request = api.answer()?;
        cache.send("*1\r\n$4\r\nPING\r\n")?;
        cache.line()?;
        api.send(&format!(
            "POST {API}/{request}/response HTTP/1.1\r\nhost: floor\r\ncontent-length: 2\r\n\r\n{{}}"
        ))?;
        api.answer()?;
    }
}

/// A connection.
struct Line(BufReader<TcpStream>);

impl Line {
    fn open(address: impl ToSocketAddrs) -> Self {
        let stream = TcpStream::connect(address).expect("a server of the rig");
        stream
            .set_nodelay(true)
            .expect("a connection that just opened");
        Self(BufReader::new(stream))
    }

    fn send(&mut self, text: &str) -> Option<()> {
        self.0.get_mut().write_all(text.as_bytes()).ok()
    }

    /// The next line; nothing when the connection ended.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// Reads a whole answer. The id of its request, if it has one.
    fn answer(&mut self) -> Option<String> {
        let (mut length, mut request) = (0, String::new());
        loop {
            let line = self.line()?;
            match line.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().ok()?,
                Some(("lambda-runtime-aws-request-id", value)) => value.clone_into(&mut request),
                _ if line.is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).ok()?;
        Some(request)
    }
}
