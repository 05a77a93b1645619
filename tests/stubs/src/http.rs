//! A small HTTP/1.1 server for stubs: a thread for each connection, which is kept alive, and
//! nothing else, because it shares the machine with what it helps to measure.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Stack of a connection's thread: there may be thousands, and all of them are shallow.
const STACK: usize = 512 * 1024;
/// Largest head of a request.
const MAX_HEAD: usize = 64 * 1024;

/// A request as it came.
pub(super) struct Request<'a> {
    /// `GET`, `POST`, `DELETE`.
    pub(super) method: &'a str,
    /// Path and query.
    pub(super) path: &'a str,
    /// The lines of the head after the first.
    headers: &'a str,
    /// The body.
    pub(super) body: &'a [u8],
}

/// What becomes of a request.
pub(super) enum Reply {
    /// An answer.
    Now {
        /// HTTP status.
        status: u16,
        /// Further headers, each with its line's end.
        headers: String,
        /// The body.
        body: Vec<u8>,
    },
    /// The same, after some time.
    Late(Duration, Box<Self>),
    /// No answer, for as long as the caller waits.
    Never,
    /// The connection is closed without an answer.
    Close,
}

/// Who answers.
pub(super) trait Service: Send + Sync + 'static {
    /// The answer to one request; may take its time, because no other connection waits for it.
    fn answer(&self, request: &Request<'_>) -> Reply;

    /// The last connection has been closed, so whoever called is gone.
    fn deserted(&self) {}
}

/// A running server; it accepts nothing more once it is dropped.
#[derive(Debug)]
pub(super) struct Server {
    port: u16,
    stopped: Arc<AtomicBool>,
}

impl Request<'_> {
    /// A header's value, whatever the case of its name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Reply {
    /// An answer of this status and body.
    pub(super) fn status(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Now {
            status,
            headers: String::new(),
            body: body.into(),
        }
    }
}

impl Server {
    /// A server on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// When it can't listen.
    pub(super) fn start(service: Arc<impl Service>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        std::thread::spawn(move || accept(&listener, &service, &stop));
        Self {
            port: address.port(),
            stopped,
        }
    }

    /// The port that it listens on.
    pub(super) const fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts; if that is gone already there is nobody to wake.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn accept(listener: &TcpListener, service: &Arc<impl Service>, stopped: &AtomicBool) {
    let open = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        if stopped.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let (service, open) = (Arc::clone(service), Arc::clone(&open));
        open.fetch_add(1, Ordering::SeqCst);
        let connection = move || {
            // An error is a caller that died or was told to go away.
            let _ = serve(stream, service.as_ref());
            if open.fetch_sub(1, Ordering::SeqCst) == 1 {
                service.deserted();
            }
        };
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn(connection)
            .expect("a thread for a connection");
    }
}

fn serve(mut stream: TcpStream, service: &impl Service) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(4096);
    let mut answer = Vec::new();
    loop {
        let Some(head) = read_head(&mut stream, &mut buffer)? else {
            return Ok(());
        };
        let lines = std::str::from_utf8(&buffer[..head]).map_err(io::Error::other)?;
        let length = content_length(lines)?;
        let end = head + length;
        fill(&mut stream, &mut buffer, end)?;
        let reply = service.answer(&request(&buffer[..end], head)?);
        if !send(&mut stream, reply, &mut answer)? {
            return Ok(());
        }
        buffer.drain(..end);
    }
}

/// Reads until the head is whole, and says where the body begins; nothing when the caller closes.
fn read_head(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<usize>> {
    let mut searched = 0;
    loop {
        if let Some(place) = buffer[searched..].windows(4).position(|w| w == b"\r\n\r\n") {
            return Ok(Some(searched + place + 4));
        }
        searched = buffer.len().saturating_sub(3);
        if buffer.len() > MAX_HEAD {
            return Err(io::Error::other("a head without an end"));
        }
        if !more(stream, buffer)? {
            return Ok(None);
        }
    }
}

fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>, end: usize) -> io::Result<()> {
    while buffer.len() < end {
        if !more(stream, buffer)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

/// Reads what is there; `false` at the end.
fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<bool> {
    let mut chunk = [0; 16 * 1024];
    let read = stream.read(&mut chunk)?;
    buffer.extend_from_slice(&chunk[..read]);
    Ok(read > 0)
}

fn content_length(head: &str) -> io::Result<usize> {
    let lengths = head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse())
    });
    lengths.unwrap_or(Ok(0)).map_err(io::Error::other)
}

fn request(bytes: &[u8], head: usize) -> io::Result<Request<'_>> {
    let lines = std::str::from_utf8(&bytes[..head]).map_err(io::Error::other)?;
    let (first, headers) = lines.split_once("\r\n").ok_or(io::ErrorKind::InvalidData)?;
    let mut words = first.split(' ');
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    Ok(Request {
        method,
        path,
        headers,
        body: &bytes[head..],
    })
}

/// Sends the reply; `false` when the connection is to end.
fn send(stream: &mut TcpStream, reply: Reply, buffer: &mut Vec<u8>) -> io::Result<bool> {
    match reply {
        Reply::Now {
            status,
            headers,
            body,
        } => {
            buffer.clear();
            let length = body.len();
            write!(
                buffer,
                "HTTP/1.1 {status} Stub\r\ncontent-length: {length}\r\n{headers}\r\n"
            )?;
            buffer.extend_from_slice(&body);
            stream.write_all(buffer)?;
            Ok(true)
        }
        Reply::Late(time, reply) => {
            std::thread::sleep(time);
            send(stream, *reply, buffer)
        }
        Reply::Never => {
            let mut rest = Vec::new();
            while more(stream, &mut rest)? {}
            Ok(false)
        }
        Reply::Close => Ok(false),
    }
}
