//! Who was told of a mistake lately.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use place_canvas::ConnectionId;
use tokio::time::Instant;

/// Answers to mistakes that a connection gets in the long run: one in this time.
const PAUSE: Duration = Duration::from_secs(1);
/// And so many at once: more than somebody makes who tries things out.
const BURST: u32 = 30;
/// Connections that are remembered before those that waited long enough are forgotten.
const REMEMBERED: usize = 1024;

/// What this process told each connection lately: one that floods with rubbish is not answered each
/// time, because each answer is a post. It is painted for all the same when it sends something
/// better; how often that may be is the cool-down's matter.
#[derive(Debug, Default)]
pub struct Told {
    /// Up to when a connection's answers are paid for (the generic cell rate algorithm).
    paid: Mutex<HashMap<ConnectionId, Instant>>,
}

impl Told {
    /// Whether a connection may be told once more.
    pub(super) fn once_more(&self, connection: &ConnectionId) -> bool {
        let now = Instant::now();
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        if paid.len() >= REMEMBERED {
            paid.retain(|_, until| *until > now);
        }
        let from = paid.get(connection).map_or(now, |until| now.max(*until));
        let until = from + PAUSE;
        let may = until - now <= PAUSE * BURST;
        if may {
            paid.insert(connection.clone(), until);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: String) -> ConnectionId {
        ConnectionId::new(text).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_floods_is_told_some_times_and_then_once_a_second() {
        let (told, flooder) = (Told::default(), id("flooder=".to_owned()));
        let mut heard = 0;
        for _ in 0..1000 {
            heard += u32::from(told.once_more(&flooder));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!((BURST + 9..=BURST + 10).contains(&heard), "{heard}");
        assert!(told.once_more(&id("another=".to_owned())));
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_waited_are_forgotten() {
        let told = Told::default();
        for number in 0..5 * REMEMBERED {
            assert!(told.once_more(&id(format!("c{number}="))));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let remembered = told.paid.lock().unwrap().len();
        assert!(remembered <= REMEMBERED, "{remembered}");
    }
}
