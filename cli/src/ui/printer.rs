//! What the rest of the program prints with.

use std::error::Error;
use std::io::{self, BufRead, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use serde::Serialize;
use tokio::sync::oneshot;

use super::failures;
use super::human::Human;
use super::json::Json;
use super::lines::Lines;
use super::style::{Theme, can_redraw};
use super::terminal::Terminal;
use crate::engine::{SharedSink, causes};
use crate::exit::Exit;

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What a command answers a program with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// An event a line, as it happens.
    Events,
    /// One document, at the end.
    Document,
}

/// What decides how much is said, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PrinterOptions {
    /// How results are printed.
    pub(crate) format: Format,
    /// -1 less, 0 as usual, 1 more.
    pub(crate) verbosity: i8,
}

/// What the rest of the program prints with. Clones print to the same terminal.
#[derive(Clone, Debug)]
pub(crate) struct Printer {
    options: PrinterOptions,
    theme: Theme,
    terminal: Arc<Terminal>,
}

impl Printer {
    /// A printer; looks at the terminal once, here.
    pub(crate) fn new(options: PrinterOptions) -> Self {
        let theme = if io::stderr().is_terminal() {
            Theme::of_terminal()
        } else {
            Theme::PLAIN
        };
        Self {
            options,
            theme,
            terminal: Arc::default(),
        }
    }

    /// Where events go: a live picture on a terminal, lines without one, JSON on request where they
    /// are what the command answers. Beside a document of JSON they are lines on stderr.
    pub(crate) fn sink(&self, answer: Answer) -> SharedSink {
        let terminal = Arc::clone(&self.terminal);
        let verbosity = self.options.verbosity;
        match self.options.format {
            Format::Json if answer == Answer::Events => Arc::new(Json::new(terminal)),
            Format::Text if verbosity >= 0 && io::stderr().is_terminal() && can_redraw() => {
                Arc::new(Human::new(terminal, self.theme, verbosity))
            }
            _ => Arc::new(Lines::new(terminal, self.theme, verbosity)),
        }
    }

    /// A line of data, on stdout.
    pub(crate) fn line(&self, text: &str) {
        self.terminal.data(&format!("{text}\n"));
    }

    /// Data that is no text, on stdout.
    pub(crate) fn bytes(&self, bytes: &[u8]) {
        self.terminal.raw(bytes);
    }

    /// Whether stdout is a terminal, where data that is no text does harm.
    pub(crate) fn is_read_by_a_person() -> bool {
        io::stdout().is_terminal()
    }

    /// Whether data could not be written, on a full disk for one.
    pub(crate) fn has_lost_data(&self) -> bool {
        self.terminal.has_lost_data()
    }

    /// A line for the operator, on stderr.
    pub(crate) fn note(&self, text: &str) {
        if self.options.verbosity >= 0 {
            self.terminal.say(text);
        }
    }

    /// Data as one line of JSON, on stdout.
    pub(crate) fn json(&self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(text) => self.line(&text),
            Err(error) => self.failure(&error, None),
        }
    }

    /// Data as a JSON document that people may read, on stdout.
    pub(crate) fn document(&self, value: &impl Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.line(&text),
            Err(error) => self.failure(&error, None),
        }
    }

    /// The error that ends the command: with its causes, and advice after a blank line.
    pub(crate) fn failure(&self, error: &dyn Error, hint: Option<&str>) {
        self.terminal.hold();
        let mut text = failures::error(self.theme, &error.to_string(), &causes(error));
        if let Some(hint) = hint {
            text += "\n\n";
            text += &failures::hint(self.theme, hint);
        }
        self.terminal.say(&text);
    }

    /// Asks a question; `None` where stdin is not a terminal, or at its end. The future may be
    /// dropped while the question is open: a separate thread reads the answer, so that an interrupt
    /// is heard.
    pub(crate) async fn ask(&self, question: &str) -> io::Result<Option<String>> {
        if !io::stdin().is_terminal() {
            return Ok(None);
        }
        self.terminal.ask(question)?;
        let (sender, answer) = oneshot::channel();
        let read = move || {
            // No receiver is left when the question was dropped.
            let _ = sender.send(line_from_stdin());
        };
        thread::Builder::new()
            .name("answer".to_owned())
            .spawn(read)?;
        let answer = answer.await.unwrap_or(Ok(None))?;
        if answer.is_some() {
            self.terminal.answered();
        }
        Ok(answer)
    }
}

/// `None` at the end of the input (Ctrl-D).
fn line_from_stdin() -> io::Result<Option<String>> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line)?;
    Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// The runtime did not start.
pub(crate) fn startup_error(error: &io::Error) -> ExitCode {
    Terminal::default().say(&format!("error: starting\n  caused by: {error}"));
    ExitCode::FAILURE
}

/// The command line was not understood, or asks for help.
pub(crate) fn usage_error(error: &clap::Error) -> Exit {
    let text = error.render().to_string();
    let terminal = Terminal::default();
    if error.use_stderr() {
        terminal.say(text.trim_end());
        return Exit::Usage;
    }
    terminal.data(&text);
    if terminal.has_lost_data() {
        Exit::Failed
    } else {
        Exit::Done
    }
}
