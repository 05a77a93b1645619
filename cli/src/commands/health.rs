//! Whether people can paint, and whether what they paint is safe: what no look at AWS's resources
//! tells.

use std::time::Duration;

use place_canvas::store::{ShardState, ShardStats, Stats};
use place_config::Function;
use serde_json::{Value, json};

use crate::steps::Stack;
use crate::steps::functions::{FunctionError, invoke};
use crate::steps::memory::{self, Full};
use crate::ui::words;

/// Saves that may be missed before unsaved changes count as stale.
const MISSED_SAVES: u64 = 3;
/// How long a shard may lag behind the canvas: a call expires after 2 s, the lease of a loop that
/// died after 3 s.
const LAG: Duration = Duration::from_secs(15);

/// What is wrong with the figures of a stack whose saves run every `rate_minutes`.
pub(crate) fn of_figures(stats: &Stats, rate_minutes: u32) -> Vec<String> {
    let mut faults = Vec::new();
    if stats.canvas.is_none() {
        faults.push(
            "The canvas is not open: nobody can paint. The next save opens the canvas.".to_owned(),
        );
    }
    if stats.is_full {
        faults.push(match memory::full(stats) {
            Full::UntilSaved => {
                "The cache is full: nobody can paint until a save frees memory.".to_owned()
            }
            Full::TooSmall => format!(
                "The cache is full although everything is saved: nobody can paint. The cache is too \
                 small: {}.",
                memory::ENLARGE
            ),
        });
    }
    faults.extend(stale(stats, rate_minutes));
    faults.extend(
        stats
            .shards
            .iter()
            .filter_map(|shard| lagging(stats, shard)),
    );
    faults
}

fn stale(stats: &Stats, rate_minutes: u32) -> Option<String> {
    let oldest = Duration::from_millis(stats.oldest_unsaved_ms?);
    let limit = Duration::from_secs(60 * MISSED_SAVES * u64::from(rate_minutes));
    (oldest > limit).then(|| {
        let age = words::duration(oldest);
        format!("The oldest unsaved change is {age} old. Look at the log of the save function.")
    })
}

fn lagging(stats: &Stats, shard: &ShardStats) -> Option<String> {
    let newest = Duration::from_millis(stats.now_ms.saturating_sub(stats.newest.ms));
    let behind = shard.clients > 0 && shard.cursor.is_some_and(|at| at < stats.newest);
    // A running loop that is behind works on it.
    let is_stuck = behind && shard.state != ShardState::Running && newest > LAG;
    is_stuck.then(|| {
        let (shard, clients) = (shard.shard, words::count(shard.clients, "client"));
        let age = words::duration(newest);
        format!(
            "Shard {shard} ({clients}) has not sent the changes of {age} ago. Look at the log of \
             the broadcast function."
        )
    })
}

/// Messages in a dead-letter queue.
pub(crate) fn of_dead_letters(queue: &str, messages: u64) -> Option<String> {
    (messages > 0).then(|| {
        let messages = words::count(messages, "dead letter");
        format!("Queue `{queue}` holds {messages}. Look at the log of the function that reads the queue.")
    })
}

/// Functions that fail on every event: each function gets an event without work.
pub(crate) async fn of_functions(stack: &Stack) -> Vec<String> {
    let probes = [
        Function::Connect,
        Function::Disconnect,
        Function::SendMessage,
        Function::Broadcast,
        Function::Initialize,
    ];
    let probes = probes.map(async |function| {
        let failure = invoke(stack, function, &nothing(function)).await.err()?;
        let said = FunctionError::of(&failure)?;
        let name = stack.names.function(function);
        Some(format!("Function `{name}` fails: {}", said.message))
    });
    let faults = futures::future::join_all(probes).await;
    faults.into_iter().flatten().collect()
}

/// An event without work for the function.
fn nothing(function: Function) -> Value {
    match function.queue() {
        Some(_) => json!({ "Records": [] }),
        None => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(text: &str) -> Stats {
        let mut all = json!({
            "newest": "1000-1", "saved": "1-0", "unsaved_changes": 0, "oldest_unsaved_ms": null,
            "history_entries": 1, "clients": 0, "shards": [], "last_save": null,
            "canvas": { "epoch": "e", "width": 9, "height": 9, "background": "#ffffff", "opened_ms": 1 },
            "now_ms": 61_000,
        });
        let changes: Value = serde_json::from_str(text).unwrap();
        let changes = changes.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(changes);
        serde_json::from_value(all).unwrap()
    }

    fn faults(text: &str) -> Vec<String> {
        of_figures(&stats(text), 1)
    }

    #[test]
    fn a_canvas_on_which_people_paint_has_no_faults() {
        assert_eq!(faults("{}"), Vec::<String>::new());
        let busy = r#"{"oldest_unsaved_ms": 100000, "unsaved_changes": 5,
            "shards": [{"shard": 0, "clients": 3, "cursor": "999-0", "state": "running"}]}"#;
        assert_eq!(faults(busy), Vec::<String>::new());
    }

    #[test]
    fn what_keeps_people_from_painting_is_a_fault() {
        assert!(faults(r#"{"canvas": null}"#)[0].contains("not open"));
        assert!(faults(r#"{"is_full": true}"#)[0].contains("full"));
    }

    #[test]
    fn changes_that_no_save_takes_are_a_fault() {
        let fault = &faults(r#"{"oldest_unsaved_ms": 200000}"#)[0];
        assert!(fault.contains("The oldest unsaved change is"), "{fault}");
    }

    #[test]
    fn a_shard_that_nobody_serves_is_a_fault() {
        let stuck = |state: &str, cursor: &str, clients: u32| {
            faults(&format!(
                r#"{{"shards": [{{"shard": 2, "clients": {clients}, "cursor": "{cursor}", "state": "{state}"}}]}}"#
            ))
        };
        for state in ["asleep", "called"] {
            assert!(stuck(state, "999-0", 1)[0].contains("Shard 2"));
        }
        assert!(
            stuck("asleep", "1000-1", 1).is_empty(),
            "it has seen everything"
        );
        assert!(stuck("asleep", "999-0", 0).is_empty(), "nobody is there");
    }

    #[test]
    fn dead_letters_are_a_fault() {
        assert_eq!(of_dead_letters("q", 0), None);
        assert!(of_dead_letters("q", 2).unwrap().contains("2 dead letters"));
    }
}
