//! Events for people at a terminal: the steps redrawn in place, then what is worth keeping.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::board::{self, Board};
use super::failures;
use super::frame::Frame;
use super::style::Theme;
use super::summary::Ending;
use super::terminal::Terminal;
use crate::engine::{Event, EventKind, EventSink};

/// Time between two pictures.
const BETWEEN_FRAMES: Duration = Duration::from_millis(100);

/// What takes less time than this is not worth a picture.
const PATIENCE: Duration = Duration::from_millis(300);

/// Shows events as a live picture.
pub(super) struct Human {
    stage: Arc<Stage>,
    /// The thread that redraws ends when this is dropped.
    redraw: Mutex<Option<Sender<()>>>,
}

struct Stage {
    terminal: Arc<Terminal>,
    theme: Theme,
    verbose: bool,
    run: Mutex<Run>,
}

/// The run that is shown.
struct Run {
    board: Board,
    began: Instant,
    is_live: bool,
}

impl Human {
    /// A sink that draws on `terminal`.
    pub(super) fn new(terminal: Arc<Terminal>, theme: Theme, verbosity: i8) -> Self {
        let run = Run {
            board: Board::default(),
            began: Instant::now(),
            is_live: false,
        };
        let stage = Stage {
            terminal,
            theme,
            verbose: verbosity > 0,
            run: Mutex::new(run),
        };
        Self {
            stage: Arc::new(stage),
            redraw: Mutex::new(None),
        }
    }

    fn redraw(&self, sender: Option<Sender<()>>) {
        *self.redraw.lock().unwrap_or_else(PoisonError::into_inner) = sender;
    }
}

impl EventSink for Human {
    fn event(&self, event: &Event) {
        let mut run = self.stage.run();
        run.board.apply(event);
        match &event.kind {
            EventKind::Started { .. } => {
                run.began = Instant::now().checked_sub(event.at).unwrap_or(run.began);
                run.is_live = true;
                self.redraw(redraw_regularly(&self.stage));
            }
            EventKind::Note { message } => self.stage.terminal.say(message),
            // It is in none of the steps of the picture.
            EventKind::Waiting { key, .. } if run.board.item(key).is_none() => {
                let line = format!("{key}: {}", board::waiting(&event.kind));
                self.stage.terminal.say(&line);
            }
            EventKind::Retrying {
                operation,
                attempt,
                reason,
                ..
            } if self.stage.verbose => {
                self.stage
                    .terminal
                    .say(&board::retry(operation, *attempt, reason));
            }
            EventKind::Finished { .. } => {
                run.is_live = false;
                self.redraw(None);
                self.stage.end(&run, &event.kind);
            }
            _ => {}
        }
    }
}

impl Stage {
    fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self) {
        let run = self.run();
        let now = run.began.elapsed();
        if run.is_live && (now >= PATIENCE || run.board.is_eventful()) {
            self.terminal.show(&self.frame(now).live(&run.board));
        }
    }

    fn frame(&self, now: Duration) -> Frame {
        let (width, height) = Terminal::size();
        Frame {
            width,
            height,
            now,
            theme: self.theme,
        }
    }

    /// The steps as they ended, every failure in full, the summary, what to do next.
    fn end(&self, run: &Run, kind: &EventKind) {
        self.terminal.hide();
        let Some(ending) = Ending::of(run.board.command, kind) else {
            return;
        };
        let mut lines = Vec::new();
        if run.board.is_eventful() {
            lines.extend(self.frame(run.began.elapsed()).last(&run.board));
        }
        for problem in run.board.problems() {
            lines.push(String::new());
            lines.push(failures::problem(self.theme, problem));
        }
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(ending.summary(self.theme));
        lines.extend(ending.hints(self.theme, &run.board));
        self.terminal.say(&lines.join("\n"));
    }
}

/// Draws until the sender is dropped. Without a thread to be had there is no picture, and the run
/// goes on.
fn redraw_regularly(stage: &Arc<Stage>) -> Option<Sender<()>> {
    let (sender, receiver) = mpsc::channel();
    let stage = Arc::clone(stage);
    let draw = move || {
        while receiver.recv_timeout(BETWEEN_FRAMES) == Err(RecvTimeoutError::Timeout) {
            stage.draw();
        }
    };
    thread::Builder::new()
        .name("redraw".to_owned())
        .spawn(draw)
        .ok()?;
    Some(sender)
}
