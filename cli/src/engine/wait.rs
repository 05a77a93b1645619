//! Waits: each says what for, since when, the usual range and the blocker, and each ends.

use std::time::Duration;

use tokio::time::Instant;

use super::event::{Event, EventKind, SharedSink};
use super::outcome::{Failure, FailureKind, Left};
use super::resource::ResourceKey;

/// How often a wait that hangs on the same thing is told again.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// When a wait is to be told: at its start, when it hangs on something else, and once a minute.
#[derive(Debug, Default)]
pub(crate) struct Reminder {
    told: Option<(String, Instant)>,
}

impl Reminder {
    /// Whether it is to be told now that the wait hangs on `blocker`; if so, it counts as told.
    pub(crate) fn is_due(&mut self, blocker: &str) -> bool {
        let is_due = self
            .told
            .as_ref()
            .is_none_or(|(before, at)| before != blocker || at.elapsed() >= TOLD_EVERY);
        if is_due {
            self.told = Some((blocker.to_owned(), Instant::now()));
        }
        is_due
    }
}

/// A wait, in words and numbers.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    /// What for: "NAT gateway `nat-1` to be available".
    pub(crate) what: String,
    /// Usual range.
    pub(crate) usual: Option<(Duration, Duration)>,
    /// When to give up.
    pub(crate) limit: Duration,
    /// First pause between two looks; grows by a fifth each time up to `longest_pause`.
    pub(crate) first_pause: Duration,
    /// Longest pause between two looks.
    pub(crate) longest_pause: Duration,
}

impl Wait {
    /// A wait with short pauses (0.1 s growing to 4 s).
    pub(crate) fn new(what: impl Into<String>, limit: Duration) -> Self {
        Self {
            what: what.into(),
            usual: None,
            limit,
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(4),
        }
    }

    /// The same with its usual range, in seconds.
    pub(crate) const fn usual(mut self, from: u64, to: u64) -> Self {
        self.usual = Some((Duration::from_secs(from), Duration::from_secs(to)));
        self
    }
}

/// One look during a wait.
#[derive(Debug)]
pub(crate) enum Poll<T> {
    /// The wait is over.
    Ready(T),
    /// Not yet, and what it hangs on.
    Pending(String),
}

/// What a verb reports through, and learns of an interrupt by.
#[derive(Clone)]
pub(crate) struct Progress {
    key: ResourceKey,
    began: Instant,
    sink: SharedSink,
    interrupted: tokio::sync::watch::Receiver<bool>,
}

impl Progress {
    /// Progress of the resource `key` in a run that began at `began`.
    pub(crate) const fn new(
        key: ResourceKey,
        began: Instant,
        sink: SharedSink,
        interrupted: tokio::sync::watch::Receiver<bool>,
    ) -> Self {
        Self {
            key,
            began,
            sink,
            interrupted,
        }
    }

    /// Sends an event.
    pub(crate) fn emit(&self, kind: EventKind) {
        self.sink.event(&Event {
            at: self.began.elapsed(),
            kind,
        });
    }

    /// Looks again and again until `look` says ready, fails, or the wait's limit is reached.
    pub(crate) async fn until<T, F>(&self, wait: Wait, mut look: F) -> Result<T, Failure>
    where
        F: AsyncFnMut() -> Result<Poll<T>, Failure>,
    {
        let since = Instant::now();
        let mut pause = wait.first_pause;
        let mut reminder = Reminder::default();
        loop {
            let blocker = match look().await? {
                Poll::Ready(value) => return Ok(value),
                Poll::Pending(blocker) => blocker,
            };
            if reminder.is_due(&blocker) {
                self.emit(EventKind::Waiting {
                    key: self.key.clone(),
                    what: wait.what.clone(),
                    usual_s: wait.usual.map(|(from, to)| (from.as_secs(), to.as_secs())),
                    blocker: Some(blocker.clone()),
                    waited: since.elapsed(),
                });
            }
            if since.elapsed() + pause > wait.limit {
                return Err(gave_up(&wait, &blocker, since.elapsed()));
            }
            self.pause(jittered(pause), &wait).await?;
            pause = pause.mul_f64(1.2).min(wait.longest_pause);
        }
    }

    async fn pause(&self, pause: Duration, wait: &Wait) -> Result<(), Failure> {
        let mut interrupted = self.interrupted.clone();
        let stop = async {
            // A closed channel means that no interrupt can come.
            if interrupted.wait_for(|stop| *stop).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = stop => Err(Failure::new(format!("waiting for {}", wait.what))
                .caused_by("interrupted")
                .left(Left::Ours)
                .kind(FailureKind::Interrupted)),
        }
    }
}

/// A pause up to a quarter shorter, so that resources that wait for the same thing do not all ask
/// at the same moment, again and again.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(rand::random_range(0.75..=1.0))
}

fn gave_up(wait: &Wait, blocker: &str, waited: Duration) -> Failure {
    Failure::new(format!("waiting for {}", wait.what))
        .caused_by(format!("gave up after {} s: {blocker}", waited.as_secs()))
        .hint("run the same command again to resume")
        .left(Left::Ours)
        .kind(FailureKind::Incomplete)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::event::EventSink;
    use super::*;

    /// What is told of waits: after how many seconds, and what they hang on.
    #[derive(Default)]
    struct Told(Mutex<Vec<(u64, String)>>);

    impl EventSink for Told {
        fn event(&self, event: &Event) {
            if let EventKind::Waiting {
                blocker, waited, ..
            } = &event.kind
            {
                let line = (waited.as_secs(), blocker.clone().unwrap());
                self.0.lock().unwrap().push(line);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_is_told_when_it_hangs_on_something_else_and_once_a_minute() {
        let (_sender, interrupted) = tokio::sync::watch::channel(false);
        let told = Arc::new(Told::default());
        let began = Instant::now();
        let key = ResourceKey::new("nat-gateway");
        let progress = Progress::new(key, began, told.clone(), interrupted);
        let wait = Wait::new("a gateway", Duration::from_secs(170));
        let look = async || -> Result<Poll<()>, Failure> {
            let late = began.elapsed() >= Duration::from_secs(80);
            let blocker = if late { "half there" } else { "pending" };
            Ok(Poll::Pending(blocker.to_owned()))
        };
        let failure = progress.until(wait, look).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Incomplete);
        let cause = failure.cause.unwrap().to_string();
        assert!(cause.starts_with("gave up after 16"), "{cause}");
        let told = told.0.lock().unwrap();
        let said: Vec<&str> = told.iter().map(|(_, blocker)| blocker.as_str()).collect();
        assert_eq!(said, ["pending", "pending", "half there", "half there"]);
        // Looks are up to 4 s apart.
        for ((at, _), due) in told.iter().zip([0, 60, 80, 140]) {
            assert!((due..=due + 10).contains(at), "{told:?}");
        }
    }
}
