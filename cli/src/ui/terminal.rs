//! The two output streams, and the picture that is redrawn at the foot of one of them. Whatever
//! passes here has no control sequences but our own colours.

use std::io::{self, ErrorKind, Write};
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::safe;

/// How often the picture is drawn at most.
const FRAMES_PER_SECOND: u8 = 15;

/// Both streams. Whatever is written while a picture stands goes above it.
#[derive(Debug, Default)]
pub(super) struct Terminal {
    screen: Mutex<Screen>,
    /// Data could not be written.
    lost: AtomicBool,
}

#[derive(Debug, Default)]
struct Screen {
    picture: Option<ProgressBar>,
    held: bool,
    /// A question stands on the line of the cursor.
    asking: bool,
}

impl Terminal {
    /// Columns and rows of the terminal.
    pub(super) fn size() -> (usize, usize) {
        // A terminal that does not know its size is one of a serial line or a test: the classic.
        let (rows, columns) = Term::stderr().size_checked().unwrap_or((24, 80));
        (usize::from(columns), usize::from(rows))
    }

    /// Writes data to stdout. A reader that went away is not an error: it has all that it wanted.
    /// Anything else is told once, and remembered.
    pub(super) fn data(&self, data: &str) {
        self.raw(safe::shown(data).as_bytes());
    }

    /// The same for data that is no text, which only a program may read.
    pub(super) fn raw(&self, data: &[u8]) {
        let written = self.above(|| {
            let mut stdout = io::stdout().lock();
            stdout.write_all(data)?;
            stdout.flush()
        });
        if let Err(error) = written
            && error.kind() != ErrorKind::BrokenPipe
            && !self.lost.swap(true, Ordering::Relaxed)
        {
            self.say(&format!("error: writing to standard output: {error}"));
        }
    }

    /// Whether data could not be written.
    pub(super) fn has_lost_data(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Writes a line for people to stderr. There is nowhere to say that it went wrong.
    pub(super) fn say(&self, text: &str) {
        let below = if mem::take(&mut self.screen().asking) {
            "\n"
        } else {
            ""
        };
        let text = safe::shown(text);
        self.above(|| {
            let _ = writeln!(io::stderr().lock(), "{below}{text}");
        });
    }

    /// Writes a question to stderr, leaves the cursor behind it, and shows no picture until it is
    /// answered.
    pub(super) fn ask(&self, question: &str) -> io::Result<()> {
        self.hold();
        self.screen().asking = true;
        let mut stderr = io::stderr().lock();
        stderr.write_all(safe::shown(question).as_bytes())?;
        stderr.flush()
    }

    /// The question was answered: the cursor is below it, and pictures may be shown again.
    pub(super) fn answered(&self) {
        let mut screen = self.screen();
        screen.asking = false;
        screen.held = false;
    }

    /// Shows `lines` at the foot of the terminal instead of what was shown there before.
    pub(super) fn show(&self, lines: &[String]) {
        let mut screen = self.screen();
        if !screen.held {
            screen
                .picture
                .get_or_insert_with(picture)
                .set_message(safe::shown(&lines.join("\n")));
        }
    }

    /// Takes the picture away.
    pub(super) fn hide(&self) {
        if let Some(picture) = self.screen().picture.take() {
            picture.finish_and_clear();
        }
    }

    /// Takes the picture away and shows none any more.
    pub(super) fn hold(&self) {
        self.screen().held = true;
        self.hide();
    }

    fn above<T>(&self, write: impl FnOnce() -> T) -> T {
        let screen = self.screen();
        match &screen.picture {
            Some(picture) => picture.suspend(write),
            None => write(),
        }
    }

    fn screen(&self) -> MutexGuard<'_, Screen> {
        // Somebody's panic while writing is no reason to say nothing any more.
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn picture() -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(FRAMES_PER_SECOND);
    let style = ProgressStyle::with_template("{msg}").expect("the template has one known key");
    ProgressBar::with_draw_target(None, target).with_style(style)
}
