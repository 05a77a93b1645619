//! A real browser: headless Chromium, driven through `chromedriver`.

use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use hyper::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::ports::free_port;
use crate::supervised::Supervised;

/// How long a browser may take to start, or to show what a test waits for, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs before every page: a test can end its sockets, and refuse new ones.
const SOCKETS: &str = "
    const Real = WebSocket;
    const open = new Set();
    globalThis.sockets = { refused: false, kill() { for (const one of open) one.close(); } };
    globalThis.WebSocket = class extends Real {
      constructor(url, protocols) {
        super(sockets.refused ? 'ws://127.0.0.1:1/' : url, protocols);
        open.add(this);
        this.addEventListener('close', () => open.delete(this));
      }
    };";

const PIXELS: &str = "
    const pixels = place.pixels();
    let text = '';
    for (let at = 0; at < pixels.length; at += 8192) {
      text += String.fromCharCode(...pixels.subarray(at, at + 8192));
    }
    return btoa(text);";

/// A running driver, which starts browsers.
#[derive(Debug)]
pub struct Driver {
    port: u16,
    _process: Supervised,
}

/// A window of a browser of its own.
#[derive(Debug)]
pub struct Browser {
    client: Client,
}

impl Driver {
    /// Starts one.
    ///
    /// # Panics
    /// When `chromedriver` is not installed, or does not start.
    pub async fn start() -> Self {
        let port = free_port();
        let home = TempDir::new().expect("a directory").keep();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}"));
        command.env("HOME", &home).env("TMPDIR", &home);
        let process = Supervised::start(&home, &command);
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(start.elapsed() < PATIENCE, "chromedriver does not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Self {
            port,
            _process: process,
        }
    }

    /// Opens a page in a new browser of this size.
    ///
    /// # Panics
    /// When no browser can be started.
    pub async fn open(&self, url: &str, (width, height): (u32, u32)) -> Browser {
        let size = format!("--window-size={width},{height}");
        let arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", &size];
        let capabilities = json!({
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let Value::Object(capabilities) = capabilities else {
            unreachable!("it is an object")
        };
        let address = format!("http://127.0.0.1:{}", self.port);
        let mut builder =
            ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
        let client = builder.capabilities(capabilities).connect(&address).await;
        let browser = Browser {
            client: client.expect("a browser"),
        };
        let parameters = json!({ "source": SOCKETS });
        let before = ("Page.addScriptToEvaluateOnNewDocument", parameters);
        browser.devtools(before).await;
        browser.client.goto(url).await.expect("the page");
        browser
    }
}

impl Browser {
    /// Runs a script in the page, and answers what the script returns.
    ///
    /// # Panics
    /// When the script throws.
    pub async fn run(&self, script: &str) -> Value {
        let answer = self.client.execute(script, Vec::new()).await;
        answer.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Waits until an expression holds in the page.
    ///
    /// # Panics
    /// When it does not come to hold.
    pub async fn until(&self, expression: &str) {
        let start = Instant::now();
        let script = format!("return !!({expression});");
        while self.run(&script).await != Value::Bool(true) {
            if start.elapsed() > PATIENCE {
                let state = self
                    .run("return JSON.stringify(globalThis.place ?? null);")
                    .await;
                panic!("`{expression}` does not come to hold: {state}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The picture that the page shows: three bytes a pixel.
    ///
    /// # Panics
    /// When the page shows none.
    pub async fn pixels(&self) -> Vec<u8> {
        let text = self.run(PIXELS).await;
        STANDARD
            .decode(text.as_str().expect("a text"))
            .expect("base64")
    }

    /// Presses keys, one after the other.
    ///
    /// # Panics
    /// When the browser is gone.
    pub async fn press(&self, keys: &[&str]) {
        for key in keys {
            for kind in ["keyDown", "keyUp"] {
                let event =
                    json!({ "type": kind, "key": key, "code": code(key), "text": text(key, kind) });
                self.devtools(("Input.dispatchKeyEvent", event)).await;
            }
        }
    }

    /// Sends a command of Chromium's own protocol for developers.
    ///
    /// # Panics
    /// When the browser refuses.
    pub async fn devtools(&self, (command, parameters): (&str, Value)) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        let sent = self
            .client
            .issue_cmd(Extension("goog/cdp/execute", body))
            .await;
        sent.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// What the page wrote to the console as errors, since the last time.
    ///
    /// # Panics
    /// When the browser is gone.
    pub async fn errors(&self) -> Vec<String> {
        let body = json!({ "type": "browser" });
        let log = self
            .client
            .issue_cmd(Extension("se/log", body))
            .await
            .expect("the log");
        let entries = log.as_array().cloned().unwrap_or_default();
        let severe = entries.iter().filter(|entry| entry["level"] == "SEVERE");
        severe.map(|entry| entry["message"].to_string()).collect()
    }

    /// Ends the browser.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn close(self) {
        self.client.close().await.expect("the browser ends");
    }
}

fn code(key: &str) -> String {
    match key {
        "Enter" | "Escape" => key.to_owned(),
        digit if digit.bytes().all(|byte| byte.is_ascii_digit()) => format!("Digit{digit}"),
        letter => format!("Key{}", letter.to_uppercase()),
    }
}

fn text(key: &str, kind: &str) -> String {
    match (kind, key) {
        ("keyDown", "Enter") => "\r".to_owned(),
        ("keyDown", key) if key.len() == 1 => key.to_owned(),
        _ => String::new(),
    }
}

/// A command that Chromium's driver has beside the standard ones.
#[derive(Debug)]
struct Extension(&'static str, Value);

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.0
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.1.to_string()))
    }
}
